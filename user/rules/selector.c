// SPDX-License-Identifier: GPL-2.0-only
/* The table of selectors: when each is set, what it matches and how it is written. */
#include "rules/selector.h"

#include <string.h>
#include <sys/socket.h>

bool selector_of_l3_master(int index, const struct match_context *context)
{
	return context->master_of &&
	       context->master_of(context->data, (uint32_t)index) == (uint32_t)index;
}

static bool iif_match(const struct rule *rule, const struct flow_key *key,
		      const struct match_context *context)
{
	if (rule->iif_index <= 0)
		return false;
	if (selector_of_l3_master(rule->iif_index, context))
		return !(key->flags & FLOW_L3MDEV_OF_OIF) &&
		       (uint32_t)rule->iif_index == key->l3mdev;
	return (uint32_t)rule->iif_index == key->iif;
}

static bool oif_match(const struct rule *rule, const struct flow_key *key,
		      const struct match_context *context)
{
	if (rule->oif_index <= 0)
		return false;
	if (selector_of_l3_master(rule->oif_index, context))
		return (key->flags & FLOW_L3MDEV_OF_OIF) &&
		       (uint32_t)rule->oif_index == key->l3mdev;
	return (uint32_t)rule->oif_index == key->oif;
}

static void print_device(struct text *out, const char *name, int index)
{
	text_add_bytes(out, name, strnlen(name, IFNAMSIZ));
	if (index == -1)
		text_add(out, " [detached]");
}

static void iif_print(struct text *out, const struct rule *rule, const struct names *names)
{
	(void)names;
	print_device(out, rule->iif, rule->iif_index);
}

static void oif_print(struct text *out, const struct rule *rule, const struct names *names)
{
	(void)names;
	print_device(out, rule->oif, rule->oif_index);
}

static bool fwmark_match(const struct rule *rule, const struct flow_key *key,
			 const struct match_context *context)
{
	(void)context;
	return !((rule->mark ^ key->mark) & rule->mark_mask);
}

/* iproute2 writes zero as 0, not 0x0, here and in the other masks. */
static void print_masked(struct text *out, uint32_t value, uint32_t mask)
{
	text_printf(out, "%#x/%#x", value, mask);
}

static void fwmark_print(struct text *out, const struct rule *rule, const struct names *names)
{
	(void)names;
	if (rule->mark_mask == MARK_MASK_ALL)
		text_printf(out, "%#x", rule->mark);
	else
		print_masked(out, rule->mark, rule->mark_mask);
}

static bool tun_id_match(const struct rule *rule, const struct flow_key *key,
			 const struct match_context *context)
{
	(void)context;
	return rule->tun_id == key->tun_id;
}

static void tun_id_print(struct text *out, const struct rule *rule, const struct names *names)
{
	(void)names;
	text_add_unsigned(out, rule->tun_id);
}

static bool l3mdev_match(const struct rule *rule, const struct flow_key *key,
			 const struct match_context *context)
{
	(void)rule;
	return context->l3mdev_table && context->l3mdev_table(context->data, key);
}

static bool uidrange_match(const struct rule *rule, const struct flow_key *key,
			   const struct match_context *context)
{
	(void)context;
	return key->uid >= rule->uid_first && key->uid <= rule->uid_last;
}

static void uidrange_print(struct text *out, const struct rule *rule, const struct names *names)
{
	(void)names;
	text_printf(out, "%u-%u", rule->uid_first, rule->uid_last);
}

static bool prefix_holds(const struct rule_prefix *prefix, const uint8_t *address)
{
	unsigned int bytes = prefix->length / 8;
	unsigned int bits = prefix->length % 8;

	if (prefix->length > 8 * sizeof(prefix->address))
		return false;
	if (memcmp(prefix->address, address, bytes))
		return false;
	return !bits || !((prefix->address[bytes] ^ address[bytes]) >> (8 - bits));
}

/* A packet that was received has a source address, even where that is ::. */
bool selector_source_is_unset(const struct flow_key *key)
{
	static const uint8_t none[sizeof(key->src)];

	return key->family == AF_INET6 && key->iif <= FLOW_IFINDEX_LO &&
	       !memcmp(key->src, none, sizeof(none));
}

static bool from_match(const struct rule *rule, const struct flow_key *key,
		       const struct match_context *context)
{
	(void)context;
	if (selector_source_is_unset(key))
		return rule->find_saddr;
	return prefix_holds(&rule->src, key->src);
}

static void from_print(struct text *out, const struct rule *rule, const struct names *names)
{
	(void)names;
	text_add_prefix(out, rule->family, rule->src.address, rule->src.length);
}

static bool to_match(const struct rule *rule, const struct flow_key *key,
		     const struct match_context *context)
{
	(void)context;
	return prefix_holds(&rule->dst, key->dst);
}

static void to_print(struct text *out, const struct rule *rule, const struct names *names)
{
	(void)names;
	text_add_prefix(out, rule->family, rule->dst.address, rule->dst.length);
}

uint8_t selector_tos6_mask(enum tos_compare tos_compare)
{
	return tos_compare == TOS_EXACT_ECN ? TOS_MASK_ALL : TOS_DSCP_MASK;
}

/* Only the IPv4 code ever masked the upper bits of the tos away. */
static bool tos_match(const struct rule *rule, const struct flow_key *key,
		      const struct match_context *context)
{
	if (rule->family == AF_INET6)
		return !((rule->tos ^ key->tos) & selector_tos6_mask(context->tos_compare));
	if (context->tos_compare == TOS_MASKED)
		return rule->tos == (key->tos & TOS_LEGACY_MASK);
	return rule->tos == key->tos;
}

static void tos_print(struct text *out, const struct rule *rule, const struct names *names)
{
	const char *name = names_dsfield(names, rule->tos);

	if (name)
		text_add(out, name);
	else
		text_printf(out, "0x%02x", rule->tos);
}

static bool dscp_match(const struct rule *rule, const struct flow_key *key,
		       const struct match_context *context)
{
	if (!rule->dscp && rule->family == AF_INET6 && context->dscp_zero_is_any)
		return true;
	return !((rule->dscp ^ (key->tos >> 2)) & rule->dscp_mask);
}

static void dscp_print(struct text *out, const struct rule *rule, const struct names *names)
{
	const char *name = NULL;

	if (rule->dscp_mask != DSCP_MASK_ALL) {
		print_masked(out, rule->dscp, rule->dscp_mask);
		return;
	}
	if (rule->dscp <= DSCP_MASK_ALL)
		name = names_dsfield(names, rule->dscp << 2);
	if (name)
		text_add(out, name);
	else
		text_add_unsigned(out, rule->dscp);
}

static bool flowlabel_match(const struct rule *rule, const struct flow_key *key,
			    const struct match_context *context)
{
	(void)context;
	return !((rule->flowlabel ^ key->flowlabel) & rule->flowlabel_mask);
}

static void flowlabel_print(struct text *out, const struct rule *rule, const struct names *names)
{
	(void)names;
	if (rule->flowlabel_mask == FLOWLABEL_MASK_ALL)
		text_printf(out, "%#x", rule->flowlabel);
	else
		print_masked(out, rule->flowlabel, rule->flowlabel_mask);
}

static bool ipproto_match(const struct rule *rule, const struct flow_key *key,
			  const struct match_context *context)
{
	(void)context;
	return rule->ip_proto == key->protocol;
}

static void ipproto_print(struct text *out, const struct rule *rule, const struct names *names)
{
	const char *name = protocol_name(rule->ip_proto);

	(void)names;
	if (name)
		text_add(out, name);
	else
		text_printf(out, "ipproto-%u", rule->ip_proto);
}

/* As fib_rule_port_match(): a mask stands in place of the range. */
static bool port_holds(const struct rule_range16 *range, uint16_t mask, uint16_t port)
{
	if (mask)
		return !((range->first ^ port) & mask);
	return port >= range->first && port <= range->last;
}

static void print_ports(struct text *out, const struct rule_range16 *range, uint16_t mask)
{
	if (mask && mask != PORT_MASK_ALL)
		print_masked(out, range->first, mask);
	else if (range->first == range->last)
		text_add_unsigned(out, range->first);
	else
		text_printf(out, "%u-%u", range->first, range->last);
}

static bool sport_match(const struct rule *rule, const struct flow_key *key,
			const struct match_context *context)
{
	(void)context;
	return port_holds(&rule->sport, rule->sport_mask, key->sport);
}

static void sport_print(struct text *out, const struct rule *rule, const struct names *names)
{
	(void)names;
	print_ports(out, &rule->sport, rule->sport_mask);
}

static bool dport_match(const struct rule *rule, const struct flow_key *key,
			const struct match_context *context)
{
	(void)context;
	return port_holds(&rule->dport, rule->dport_mask, key->dport);
}

static void dport_print(struct text *out, const struct rule *rule, const struct names *names)
{
	(void)names;
	print_ports(out, &rule->dport, rule->dport_mask);
}

const struct selector selectors[SELECTOR_COUNT] = {
	[SELECTOR_NONE] = { .name = "none" },
	[SELECTOR_IIF] = { "iif", iif_match, iif_print },
	[SELECTOR_OIF] = { "oif", oif_match, oif_print },
	[SELECTOR_FWMARK] = { "fwmark", fwmark_match, fwmark_print },
	[SELECTOR_TUN_ID] = { "tun_id", tun_id_match, tun_id_print },
	[SELECTOR_L3MDEV] = { "l3mdev", l3mdev_match, NULL },
	[SELECTOR_UIDRANGE] = { "uidrange", uidrange_match, uidrange_print },
	[SELECTOR_FROM] = { "from", from_match, from_print },
	[SELECTOR_TO] = { "to", to_match, to_print },
	[SELECTOR_TOS] = { "tos", tos_match, tos_print },
	[SELECTOR_DSCP] = { "dscp", dscp_match, dscp_print },
	[SELECTOR_FLOWLABEL] = { "flowlabel", flowlabel_match, flowlabel_print },
	[SELECTOR_IPPROTO] = { "ipproto", ipproto_match, ipproto_print },
	[SELECTOR_SPORT] = { "sport", sport_match, sport_print },
	[SELECTOR_DPORT] = { "dport", dport_match, dport_print },
	[SELECTOR_NOT] = { .name = "not" },
};

#define USED(id, condition) ((uint32_t)((condition) != 0) << SELECTOR_##id)

/* Without a branch, because it is asked of every rule for every lookup. A mark under the mask 0
 * accepts every flow, but it was written and is shown. */
uint32_t selectors_used(const struct rule *rule)
{
	return USED(IIF, rule->iif[0]) | USED(OIF, rule->oif[0]) |
	       USED(FWMARK, rule->mark | rule->mark_mask) | USED(TUN_ID, rule->tun_id) |
	       USED(L3MDEV, rule->l3mdev) | USED(UIDRANGE, rule->has_uids) |
	       USED(FROM, rule->src.length) | USED(TO, rule->dst.length) | USED(TOS, rule->tos) |
	       USED(DSCP, rule->has_dscp) | USED(FLOWLABEL, rule->has_flowlabel) |
	       USED(IPPROTO, rule->ip_proto) | USED(SPORT, rule->has_sport) |
	       USED(DPORT, rule->has_dport);
}
