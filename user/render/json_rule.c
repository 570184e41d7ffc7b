// SPDX-License-Identifier: GPL-2.0-only
/* A rule as a JSON object with the keys of `ip -j rule`. */
#include "render/json_rule.h"

#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "render/words.h"
#include "rules/selector.h"

/* The keys of a port selector. */
struct port_keys {
	const char *one;
	const char *first;
	const char *last;
	const char *mask;
};

static const struct port_keys sport_keys = { "sport", "sport_start", "sport_end", "sport_mask" };
static const struct port_keys dport_keys = { "dport", "dport_start", "dport_end", "dport_mask" };

static void add_number_string(struct json_writer *writer, const char *key, uint32_t value)
{
	json_open_string(writer, key);
	text_add_unsigned(writer->out, value);
	json_close_string(writer);
}

static void add_address(struct json_writer *writer, const char *key, const struct rule *rule,
			const struct rule_prefix *prefix)
{
	json_open_string(writer, key);
	text_add_address(writer->out, rule->family, prefix->address);
	json_close_string(writer);
}

static bool is_host(const struct rule *rule, const struct rule_prefix *prefix)
{
	return prefix->length >= (rule->family == AF_INET6 ? 128 : 32);
}

static void add_prefixes(struct json_writer *writer, const struct rule *rule)
{
	if (!rule->src.length)
		json_add_string(writer, "src", "all");
	else
		add_address(writer, "src", rule, &rule->src);
	if (rule->src.length && !is_host(rule, &rule->src))
		json_add_unsigned(writer, "srclen", rule->src.length);
	if (rule->dst.length)
		add_address(writer, "dst", rule, &rule->dst);
	if (rule->dst.length && !is_host(rule, &rule->dst))
		json_add_unsigned(writer, "dstlen", rule->dst.length);
}

/* iproute2 writes two digits for a tos without a name. */
static void add_tos(struct json_writer *writer, const struct rule *rule, const struct names *names)
{
	const char *name = names_dsfield(names, rule->tos);
	char digits[] = { '0', 'x', "0123456789abcdef"[rule->tos >> 4],
			  "0123456789abcdef"[rule->tos & 15], '\0' };

	if (rule->tos)
		json_add_string(writer, "tos", name ? name : digits);
}

static void add_dscp(struct json_writer *writer, const struct rule *rule, const struct names *names)
{
	const char *name = names_dsfield(names, (uint8_t)(rule->dscp << 2));

	if (!rule->has_dscp)
		return;
	if (rule->dscp_mask != DSCP_MASK_ALL) {
		json_add_hex(writer, "dscp", rule->dscp);
		json_add_hex(writer, "dscp_mask", rule->dscp_mask);
	} else if (name) {
		json_add_string(writer, "dscp", name);
	} else {
		add_number_string(writer, "dscp", rule->dscp);
	}
}

static void add_mark(struct json_writer *writer, const struct rule *rule)
{
	if (!rule->mark && !rule->mark_mask)
		return;
	if (rule->mark)
		json_add_hex(writer, "fwmark", rule->mark);
	else
		json_add_string(writer, "fwmark", "0"); /* sic: printf's %#x */
	if (rule->mark_mask != UINT32_MAX)
		json_add_hex(writer, "fwmask", rule->mark_mask);
}

static void add_interface(struct json_writer *writer, const char *key, const char *name)
{
	json_open_string(writer, key);
	text_add_bytes(writer->out, name, strnlen(name, IFNAMSIZ));
	json_close_string(writer);
}

static void add_interfaces(struct json_writer *writer, const struct rule *rule)
{
	if (rule->iif[0])
		add_interface(writer, "iif", rule->iif);
	if (rule->iif[0] && rule->iif_index < 0)
		json_add_null(writer, "iif_detached");
	if (rule->oif[0])
		add_interface(writer, "oif", rule->oif);
	if (rule->oif[0] && rule->oif_index < 0)
		json_add_null(writer, "oif_detached");
	if (rule->l3mdev)
		json_add_null(writer, "l3mdev");
}

static void add_uids(struct json_writer *writer, const struct rule *rule)
{
	if (!rule->has_uids)
		return;
	json_add_unsigned(writer, "uid_start", rule->uid_first);
	json_add_unsigned(writer, "uid_end", rule->uid_last);
}

static void add_ip_protocol(struct json_writer *writer, const struct rule *rule)
{
	const char *name = protocol_name(rule->ip_proto);

	if (!rule->ip_proto)
		return;
	json_open_string(writer, "ipproto");
	text_add(writer->out, name ? name : "ipproto-");
	if (!name)
		text_add_unsigned(writer->out, rule->ip_proto);
	json_close_string(writer);
}

static void add_ports(struct json_writer *writer, const struct port_keys *keys,
		      const struct rule_range16 *range, uint16_t mask)
{
	if (range->first == range->last) {
		json_add_unsigned(writer, keys->one, range->first);
	} else {
		json_add_unsigned(writer, keys->first, range->first);
		json_add_unsigned(writer, keys->last, range->last);
	}
	if (mask && mask != PORT_MASK_ALL)
		json_add_hex(writer, keys->mask, mask);
}

static void add_flow_label(struct json_writer *writer, const struct rule *rule)
{
	if (!rule->has_flowlabel)
		return;
	json_add_hex(writer, "flowlabel", rule->flowlabel);
	json_add_hex(writer, "flowlabel_mask", rule->flowlabel_mask);
}

static void add_selectors(struct json_writer *writer, const struct rule *rule,
			  const struct names *names)
{
	if (rule->invert)
		json_add_true(writer, "not");
	add_prefixes(writer, rule);
	add_tos(writer, rule, names);
	add_dscp(writer, rule, names);
	add_mark(writer, rule);
	add_interfaces(writer, rule);
	add_uids(writer, rule);
	add_ip_protocol(writer, rule);
	if (rule->has_sport)
		add_ports(writer, &sport_keys, &rule->sport, rule->sport_mask);
	if (rule->has_dport)
		add_ports(writer, &dport_keys, &rule->dport, rule->dport_mask);
	if (rule->tun_id)
		json_add_unsigned(writer, "tun_id", rule->tun_id);
	add_flow_label(writer, rule);
}

static void add_table(struct json_writer *writer, const struct rule *rule,
		      const struct names *names)
{
	if (rule->table) {
		json_open_string(writer, "table");
		words_add_table(writer->out, names, rule->table);
		json_close_string(writer);
	}
	if (rule->suppress_prefixlength >= 0)
		json_add_unsigned(writer, "suppress_prefixlen",
				  (uint32_t)rule->suppress_prefixlength);
	if (rule->suppress_ifgroup >= 0)
		add_number_string(writer, "suppress_ifgroup", (uint32_t)rule->suppress_ifgroup);
}

static void add_realm(struct json_writer *writer, const char *key, uint16_t realm,
		      const struct names *names)
{
	const char *name = names_realm(names, realm);

	if (name)
		json_add_string(writer, key, name);
	else
		add_number_string(writer, key, realm);
}

static void add_realms(struct json_writer *writer, const struct rule *rule,
		       const struct names *names)
{
	if (rule->realms >> 16)
		add_realm(writer, "flow_from", (uint16_t)(rule->realms >> 16), names);
	if (rule->realms)
		add_realm(writer, "flow_to", (uint16_t)rule->realms, names);
}

static void add_action(struct json_writer *writer, const struct rule *rule)
{
	if (rule->action == RULE_LOOKUP)
		return;
	if (rule->action == RULE_GOTO) {
		json_add_unsigned(writer, "goto", rule->target);
		if (rule->unresolved)
			json_add_null(writer, "unresolved");
	} else if (rule->action == RULE_NOP) {
		json_add_null(writer, "nop");
	} else {
		json_open_string(writer, "action");
		words_add_action(writer->out, rule->action);
		json_close_string(writer);
	}
}

/* As iproute2, which is silent about the kernel's own rules. */
static void add_installer(struct json_writer *writer, const struct rule *rule,
			  const struct names *names)
{
	const char *name = names_route_protocol(names, rule->protocol);

	if (rule->protocol == RTPROT_UNSPEC || rule->protocol == RTPROT_KERNEL)
		return;
	if (name)
		json_add_string(writer, "protocol", name);
	else
		add_number_string(writer, "protocol", rule->protocol);
}

static void add_bytes_hex(struct text *out, const uint8_t *bytes, size_t length)
{
	text_add(out, "0x");
	for (size_t i = 0; i < length; i++) {
		text_add_char(out, "0123456789abcdef"[bytes[i] >> 4]);
		text_add_char(out, "0123456789abcdef"[bytes[i] & 15]);
	}
}

static void add_unknown_one(struct json_writer *writer, const struct rule_attribute *attribute)
{
	size_t length = attribute->length;

	if (length > sizeof(attribute->data))
		length = sizeof(attribute->data);
	json_open_object(writer, NULL);
	json_add_unsigned(writer, "type", attribute->type);
	json_open_string(writer, "data");
	add_bytes_hex(writer->out, attribute->data, length);
	json_close_string(writer);
	json_close_object(writer);
}

static void add_unknown(struct json_writer *writer, const struct rule *rule)
{
	if (rule->unknown_count) {
		json_open_array(writer, "unknown");
		for (size_t i = 0; i < rule->unknown_count && i < RULE_UNKNOWN_MAX; i++)
			add_unknown_one(writer, &rule->unknown[i]);
		json_close_array(writer);
	}
	if (rule->truncated)
		json_add_true(writer, "truncated");
}

void json_add_rule(struct json_writer *writer, const char *key, const struct rule *rule,
		   const struct names *names)
{
	json_open_object(writer, key);
	json_add_unsigned(writer, "priority", rule->priority);
	add_selectors(writer, rule, names);
	add_table(writer, rule, names);
	add_realms(writer, rule, names);
	add_action(writer, rule);
	add_installer(writer, rule, names);
	add_unknown(writer, rule);
	json_close_object(writer);
}
