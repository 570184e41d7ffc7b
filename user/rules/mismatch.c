// SPDX-License-Identifier: GPL-2.0-only
/* Which selectors refuse a flow, and the arithmetic by which they do. */
#include "rules/mismatch.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

/* The lowest bit is the selector that the kernel tests first, but for `to` of IPv6. */
static inline uint32_t refusing(const struct rule *rule, const struct flow_key *key,
				const struct match_context *context, bool all)
{
	uint32_t refused = 0;

	for (uint32_t used = selectors_used(rule); used && (all || !refused); used &= used - 1) {
		const struct selector *selector = &selectors[__builtin_ctz(used)];

		if (!selector->match(rule, key, context))
			refused |= used & -used;
	}
	return refused;
}

/* fib6_rule_match() asks `to` before `from`, all others in the order of their numbers. */
static bool refuses_destination(const struct rule *rule, const struct flow_key *key,
				const struct match_context *context)
{
	return selectors_used(rule) & 1u << SELECTOR_TO &&
	       !selectors[SELECTOR_TO].match(rule, key, context);
}

enum selector_id rule_first_mismatch(const struct rule *rule, const struct flow_key *key,
				     const struct match_context *context)
{
	uint32_t refused = refusing(rule, key, context, false);

	if (refused == 1u << SELECTOR_FROM && rule->family == AF_INET6 &&
	    refuses_destination(rule, key, context))
		return SELECTOR_TO;
	return refused ? (enum selector_id)__builtin_ctz(refused) : SELECTOR_NONE;
}

uint32_t rule_mismatches(const struct rule *rule, const struct flow_key *key,
			 const struct match_context *context)
{
	return refusing(rule, key, context, true);
}

struct mismatch rule_mismatch(const struct rule *rule, const struct flow_key *key,
			      const struct match_context *context)
{
	enum selector_id refused = rule_first_mismatch(rule, key, context);

	if (!refused != rule->invert)
		return (struct mismatch){ .selector = SELECTOR_NONE };
	return (struct mismatch){
		.selector = rule->invert ? SELECTOR_NOT : refused,
		.tos_compare = context->tos_compare,
		.iif_is_l3_master =
			rule->iif_index > 0 && selector_of_l3_master(rule->iif_index, context),
		.oif_is_l3_master =
			rule->oif_index > 0 && selector_of_l3_master(rule->oif_index, context),
	};
}

/* A rule and a flow, one selector of which is written as arithmetic with the answer it gave. */
struct comparison {
	struct text *out;
	const struct rule *rule;
	const struct flow_key *key;
	const struct mismatch_options *options;
	bool accepted;
};

/* An accepted selector's keyword stands before the arithmetic already. */
static void add_subject(const struct comparison *comparison, const char *subject)
{
	if (comparison->accepted)
		return;
	text_add(comparison->out, subject);
	text_add_char(comparison->out, ' ');
}

static void add_equal(const struct comparison *comparison)
{
	if (comparison->accepted)
		text_add(comparison->out, " = ");
	else
		text_add(comparison->out, comparison->options->ascii ? " != " : " ≠ ");
}

/* For values that are no numbers, of which one is wanted. */
static void add_needs(const struct comparison *comparison)
{
	text_add(comparison->out, comparison->accepted ? " = " : ", needs ");
}

static void add_within(const struct comparison *comparison)
{
	text_add(comparison->out, comparison->accepted ? " in " : " not in ");
}

/* What a selector with a mask compares. all: the mask that masks nothing. */
struct masked {
	const char *subject;
	uint32_t value;
	uint32_t mask;
	uint32_t all;
	uint32_t want;
	bool want_whole; /* the rule's value is compared with the bits outside the mask, too */
	bool decimal; /* without a mask */
};

static void add_number(struct text *out, uint32_t value, bool decimal)
{
	if (decimal)
		text_add_unsigned(out, value);
	else
		text_add_hex(out, value);
}

static void add_mask(struct text *out, uint32_t mask)
{
	text_add(out, " & ");
	text_add_hex(out, mask);
}

/* "fwmark 0x40000 & 0xff0000 = 0x40000 ≠ 0x80000", in hexadecimal once there are bits to mask. */
static void compare_masked(const struct comparison *comparison, const struct masked *masked)
{
	struct text *out = comparison->out;
	bool whole =
		masked->mask == masked->all && !((masked->value | masked->want) & ~masked->all);
	bool decimal = masked->decimal && whole;
	bool want_masked = !masked->want_whole && masked->want & ~masked->mask;

	add_subject(comparison, masked->subject);
	add_number(out, masked->value, decimal);
	if (!whole) {
		add_mask(out, masked->mask);
		text_add(out, " = ");
		text_add_hex(out, masked->value & masked->mask);
	}
	add_equal(comparison);
	if (want_masked) {
		text_add_hex(out, masked->want & masked->mask);
		text_add(out, " = ");
	}
	add_number(out, masked->want, decimal);
	if (want_masked)
		add_mask(out, masked->mask);
}

static void add_device(struct text *out, const char *name, uint32_t index)
{
	if (!index)
		text_add(out, "unset");
	else if (name[0])
		text_add_bytes(out, name, strnlen(name, IFNAMSIZ));
	else if (index == FLOW_IFINDEX_LO)
		text_add(out, "lo");
	else
		text_printf(out, "if%u", index);
}

/* A device that a rule needs beside the one that the flow has. */
struct devices {
	const char *subject;
	const char *needs;
	int needs_index;
	uint32_t has_index;
	bool l3_master;
};

/* The name of a device of the flow, which may be one of three with a name; "" when it is none. */
static const char *name_in_flow(const struct comparison *comparison, const struct devices *devices)
{
	const struct mismatch_options *options = comparison->options;
	uint32_t index = devices->has_index;

	if (index && index == (uint32_t)devices->needs_index)
		return devices->needs;
	if (index && index == comparison->key->iif && options->iif)
		return options->iif;
	if (index && index == comparison->key->oif && options->oif)
		return options->oif;
	return "";
}

/* Names move from device to device: where two devices have the same one, their numbers differ. */
static void add_devices(const struct comparison *comparison, const struct devices *devices)
{
	const char *has = name_in_flow(comparison, devices);
	bool same_name = !comparison->accepted && !strncmp(has, devices->needs, IFNAMSIZ);

	add_device(comparison->out, has, devices->has_index);
	if (same_name)
		text_printf(comparison->out, " (if%u)", devices->has_index);
	add_needs(comparison);
	add_device(comparison->out, devices->needs, (uint32_t)devices->needs_index);
	if (same_name)
		text_printf(comparison->out, " (if%d)", devices->needs_index);
}

/* Nothing for a device that was never looked up: nobody knows what it was compared with. */
static void compare_devices(const struct comparison *comparison, const struct devices *devices)
{
	struct text *out = comparison->out;

	if (!devices->needs_index)
		return;
	if (devices->needs_index < 0) {
		add_subject(comparison, devices->subject);
		text_add_bytes(out, devices->needs, strnlen(devices->needs, IFNAMSIZ));
		text_add(out, " is detached (no such device)");
		return;
	}
	if (devices->l3_master && !comparison->accepted)
		text_printf(out, "%s's L3 master ", devices->subject);
	else if (devices->l3_master)
		text_add(out, "L3 master ");
	else
		add_subject(comparison, devices->subject);
	add_devices(comparison, devices);
}

/* The flow has one L3 master, that of its output device or that of its input device. */
static uint32_t l3_master_of(const struct flow_key *key, bool of_oif)
{
	return of_oif == !!(key->flags & FLOW_L3MDEV_OF_OIF) ? key->l3mdev : 0;
}

static void iif_compare(const struct comparison *comparison)
{
	const struct rule *rule = comparison->rule;
	const struct flow_key *key = comparison->key;
	bool l3_master = comparison->options->mismatch.iif_is_l3_master;
	const struct devices devices = {
		.subject = "iif",
		.needs = rule->iif,
		.needs_index = rule->iif_index,
		.has_index = l3_master ? l3_master_of(key, false) : key->iif,
		.l3_master = l3_master,
	};

	compare_devices(comparison, &devices);
}

static void oif_compare(const struct comparison *comparison)
{
	const struct rule *rule = comparison->rule;
	const struct flow_key *key = comparison->key;
	bool l3_master = comparison->options->mismatch.oif_is_l3_master;
	const struct devices devices = {
		.subject = "oif",
		.needs = rule->oif,
		.needs_index = rule->oif_index,
		.has_index = l3_master ? l3_master_of(key, true) : key->oif,
		.l3_master = l3_master,
	};

	compare_devices(comparison, &devices);
}

static void fwmark_compare(const struct comparison *comparison)
{
	const struct masked masked = {
		.subject = "fwmark",
		.value = comparison->key->mark,
		.mask = comparison->rule->mark_mask,
		.all = MARK_MASK_ALL,
		.want = comparison->rule->mark,
	};

	compare_masked(comparison, &masked);
}

static void tun_id_compare(const struct comparison *comparison)
{
	add_subject(comparison, "tun_id");
	text_add_unsigned(comparison->out, comparison->key->tun_id);
	add_needs(comparison);
	text_add_unsigned(comparison->out, comparison->rule->tun_id);
}

static void l3mdev_compare(const struct comparison *comparison)
{
	uint32_t device = comparison->key->l3mdev;

	if (comparison->accepted)
		text_add(comparison->out, "the flow has a VRF device");
	else if (device)
		text_printf(comparison->out, "l3mdev: if%u of the flow has no table", device);
	else
		text_add(comparison->out, "l3mdev: no VRF device in the flow");
}

static void uidrange_compare(const struct comparison *comparison)
{
	const struct rule *rule = comparison->rule;

	add_subject(comparison, "uid");
	if (comparison->key->uid != FLOW_UID_INVALID) {
		text_add_unsigned(comparison->out, comparison->key->uid);
		add_within(comparison);
	} else {
		text_add(comparison->out, "unset");
		text_add(comparison->out, comparison->accepted ? " in " : ", needs ");
	}
	text_printf(comparison->out, "%u-%u", rule->uid_first, rule->uid_last);
}

/* The bits of an address of the rule's family; the kernel keeps no others. */
static unsigned int address_bits(const struct rule *rule)
{
	return rule->family == AF_INET6 ? 128 : 32;
}

static void compare_prefix(const struct comparison *comparison, const struct rule_prefix *prefix,
			   const uint8_t *address)
{
	const struct rule *rule = comparison->rule;

	text_add_address(comparison->out, rule->family, address);
	if (prefix->length == address_bits(rule))
		add_needs(comparison);
	else
		add_within(comparison);
	text_add_prefix(comparison->out, rule->family, prefix->address, prefix->length);
}

static bool source_is_unset(const struct flow_key *key)
{
	static const uint8_t none[4];

	if (key->family == FLOW_AF_INET6)
		return selector_source_is_unset(key);
	return !memcmp(key->src, none, sizeof(none));
}

/* The first lookup of an unbound socket has no source yet: not one that lies elsewhere. */
static void from_compare(const struct comparison *comparison)
{
	const struct rule *rule = comparison->rule;

	if (!comparison->accepted && source_is_unset(comparison->key)) {
		text_add(comparison->out, "source unset, needs ");
		text_add_prefix(comparison->out, rule->family, rule->src.address, rule->src.length);
		return;
	}
	add_subject(comparison, "from");
	compare_prefix(comparison, &rule->src, comparison->key->src);
}

static void to_compare(const struct comparison *comparison)
{
	add_subject(comparison, "to");
	compare_prefix(comparison, &comparison->rule->dst, comparison->key->dst);
}

static void tos_compare(const struct comparison *comparison)
{
	const struct rule *rule = comparison->rule;
	struct masked masked = {
		.subject = "tos",
		.value = comparison->key->tos,
		.mask = TOS_MASK_ALL,
		.all = TOS_MASK_ALL,
		.want = rule->tos,
	};

	if (rule->family == AF_INET6) {
		masked.mask = selector_tos6_mask(comparison->options->mismatch.tos_compare);
	} else if (comparison->options->mismatch.tos_compare == TOS_MASKED) {
		masked.mask = TOS_LEGACY_MASK;
		masked.want_whole = true;
	}
	compare_masked(comparison, &masked);
}

static void dscp_compare(const struct comparison *comparison)
{
	const struct masked masked = {
		.subject = "dscp",
		.value = comparison->key->tos >> 2,
		.mask = comparison->rule->dscp_mask,
		.all = DSCP_MASK_ALL,
		.want = comparison->rule->dscp,
		.decimal = true,
	};

	compare_masked(comparison, &masked);
}

static void flowlabel_compare(const struct comparison *comparison)
{
	const struct masked masked = {
		.subject = "flowlabel",
		.value = comparison->key->flowlabel,
		.mask = comparison->rule->flowlabel_mask,
		.all = FLOWLABEL_MASK_ALL,
		.want = comparison->rule->flowlabel,
	};

	compare_masked(comparison, &masked);
}

static void add_protocol(struct text *out, uint8_t protocol)
{
	const char *name = protocol_name(protocol);

	if (!protocol)
		text_add(out, "unset");
	else if (name)
		text_add(out, name);
	else
		text_add_unsigned(out, protocol);
}

static void ipproto_compare(const struct comparison *comparison)
{
	add_subject(comparison, "ipproto");
	add_protocol(comparison->out, comparison->key->protocol);
	add_needs(comparison);
	add_protocol(comparison->out, comparison->rule->ip_proto);
}

/* A port selector beside the port that the flow has. */
struct ports {
	const char *subject;
	const struct rule_range16 *range;
	uint16_t mask;
	uint16_t port;
	bool destination;
};

static bool flow_is_icmp(const struct flow_key *key)
{
	return key->protocol == (key->family == FLOW_AF_INET6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
}

/* What a number that stands for a port may be instead. */
static void add_port_note(const struct comparison *comparison, const struct ports *ports)
{
	const struct flow_key *key = comparison->key;

	if (protocol_has_ports(key->protocol) && !key->sport && !key->dport)
		text_add(comparison->out, " (a fragment, or not set)");
	else if (flow_is_icmp(key) && ports->destination)
		text_printf(comparison->out, " (icmp type %u code %u)", ports->port >> 8,
			    ports->port & 0xff);
}

static void compare_masked_ports(const struct comparison *comparison, const struct ports *ports)
{
	const struct masked masked = {
		.subject = ports->subject,
		.value = ports->port,
		.mask = ports->mask,
		.all = PORT_MASK_ALL,
		.want = ports->range->first,
	};

	compare_masked(comparison, &masked);
	add_port_note(comparison, ports);
}

static void compare_ports(const struct comparison *comparison, const struct ports *ports)
{
	const struct rule_range16 *range = ports->range;

	if (ports->mask && ports->mask != PORT_MASK_ALL) {
		compare_masked_ports(comparison, ports);
		return;
	}
	add_subject(comparison, ports->subject);
	text_add_unsigned(comparison->out, ports->port);
	add_port_note(comparison, ports);
	if (ports->mask || range->first == range->last) {
		add_needs(comparison);
		text_add_unsigned(comparison->out, range->first);
	} else {
		add_within(comparison);
		text_printf(comparison->out, "%u-%u", range->first, range->last);
	}
}

static void sport_compare(const struct comparison *comparison)
{
	const struct rule *rule = comparison->rule;
	const struct ports ports = {
		.subject = "sport",
		.range = &rule->sport,
		.mask = rule->sport_mask,
		.port = comparison->key->sport,
		.destination = false,
	};

	compare_ports(comparison, &ports);
}

static void dport_compare(const struct comparison *comparison)
{
	const struct rule *rule = comparison->rule;
	const struct ports ports = {
		.subject = "dport",
		.range = &rule->dport,
		.mask = rule->dport_mask,
		.port = comparison->key->dport,
		.destination = true,
	};

	compare_ports(comparison, &ports);
}

/* "fwmark 0x2 ≠ 0x1" where the selector refused, "0x1 = 0x1" where it accepted; nothing where there
 * is no arithmetic. */
static void (*const compare[SELECTOR_COUNT])(const struct comparison *comparison) = {
	[SELECTOR_IIF] = iif_compare,
	[SELECTOR_OIF] = oif_compare,
	[SELECTOR_FWMARK] = fwmark_compare,
	[SELECTOR_TUN_ID] = tun_id_compare,
	[SELECTOR_L3MDEV] = l3mdev_compare,
	[SELECTOR_UIDRANGE] = uidrange_compare,
	[SELECTOR_FROM] = from_compare,
	[SELECTOR_TO] = to_compare,
	[SELECTOR_TOS] = tos_compare,
	[SELECTOR_DSCP] = dscp_compare,
	[SELECTOR_FLOWLABEL] = flowlabel_compare,
	[SELECTOR_IPPROTO] = ipproto_compare,
	[SELECTOR_SPORT] = sport_compare,
	[SELECTOR_DPORT] = dport_compare,
};

/* The machine as far as a mismatch tells of it. */
struct remembered {
	const struct rule *rule;
	const struct mismatch *mismatch;
};

static uint32_t remembered_master(const void *data, uint32_t ifindex)
{
	const struct remembered *remembered = data;
	const struct rule *rule = remembered->rule;
	const struct mismatch *mismatch = remembered->mismatch;
	bool iif = mismatch->iif_is_l3_master && (uint32_t)rule->iif_index == ifindex;
	bool oif = mismatch->oif_is_l3_master && (uint32_t)rule->oif_index == ifindex;

	return iif || oif ? ifindex : 0;
}

/* An inverted rule was refused because its l3mdev, too, had found a table: which one is forgotten. */
static uint32_t remembered_table(const void *data, const struct flow_key *key)
{
	const struct remembered *remembered = data;

	(void)key;
	return remembered->mismatch->selector == SELECTOR_NOT;
}

static uint32_t remembered_refusals(const struct rule *rule, const struct flow_key *key,
				    const struct mismatch *mismatch)
{
	const struct remembered remembered = { rule, mismatch };
	const struct match_context context = {
		.tos_compare = mismatch->tos_compare,
		.l3mdev_table = remembered_table,
		.master_of = remembered_master,
		.data = &remembered,
	};

	return rule_mismatches(rule, key, &context);
}

/* Attributes that are not known may select, too: then nobody knows what all of them said. */
static bool has_unknown(const struct rule *rule)
{
	return rule->unknown_count || rule->truncated;
}

static void print_all_matched(struct text *out, const struct rule *rule, const struct names *names)
{
	struct rule plain = *rule;

	plain.invert = false;
	text_add(out, "not: all of ");
	rule_print_selector(out, &plain, names);
	/* It is shown with the action elsewhere, but it is one of those that matched. */
	if (rule->l3mdev)
		text_add(out, " l3mdev");
	text_add(out, " matched");
}

static void print_inverted(const struct comparison *comparison)
{
	const struct rule *rule = comparison->rule;
	uint32_t used = selectors_used(rule);
	bool unsure = has_unknown(rule) ||
		      remembered_refusals(rule, comparison->key, &comparison->options->mismatch);

	if (!rule->invert || unsure) {
		text_add(comparison->out, selectors[SELECTOR_NOT].name);
	} else if (!used) {
		text_add(comparison->out, "not: no selector to refuse by, never applies");
	} else if (used & (used - 1)) {
		print_all_matched(comparison->out, rule, comparison->options->names);
	} else {
		text_printf(comparison->out, "not %s: ", selectors[__builtin_ctz(used)].name);
		compare[__builtin_ctz(used)](comparison);
	}
}

static void print_refusal(const struct comparison *comparison)
{
	const struct mismatch *mismatch = &comparison->options->mismatch;
	uint32_t refused = remembered_refusals(comparison->rule, comparison->key, mismatch);
	size_t before = comparison->out->length;

	if (refused & 1u << mismatch->selector)
		compare[mismatch->selector](comparison);
	if (comparison->out->length == before)
		text_add(comparison->out, selectors[mismatch->selector].name);
}

void rule_print_mismatch(struct text *out, const struct rule *rule, const struct flow_key *key,
			 const struct mismatch_options *options)
{
	enum selector_id selector = options->mismatch.selector;
	struct comparison comparison = { out, rule, key, options, selector == SELECTOR_NOT };

	if (selector == SELECTOR_NONE || (unsigned int)selector >= SELECTOR_COUNT)
		return;
	if (selector == SELECTOR_NOT)
		print_inverted(&comparison);
	else
		print_refusal(&comparison);
}
