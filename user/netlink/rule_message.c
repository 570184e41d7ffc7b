// SPDX-License-Identifier: GPL-2.0-only
/* Decodes RTM_NEWRULE and RTM_DELRULE into the model's rule. */
#include "netlink/rule_message.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "netlink/attribute.h"
#include "util/array.h"

/* The headers this is built with may be older: FRA_DSCP came with 6.12, the others later. */
enum {
	RULE_FRA_DSCP = 25,
	RULE_FRA_FLOWLABEL,
	RULE_FRA_FLOWLABEL_MASK,
	RULE_FRA_SPORT_MASK,
	RULE_FRA_DPORT_MASK,
	RULE_FRA_DSCP_MASK,
};

#define DSCP_ALL 63
#define FLOWLABEL_ALL 0xfffff

static bool read_prefix(const struct rule *rule, struct rule_prefix *prefix, const void *payload,
			size_t length)
{
	if (length != family_address_length(rule->family))
		return false;
	memcpy(prefix->address, payload, length);
	return true;
}

static bool read_src(void *object, const void *payload, size_t length)
{
	struct rule *rule = object;

	return read_prefix(rule, &rule->src, payload, length);
}

static bool read_dst(void *object, const void *payload, size_t length)
{
	struct rule *rule = object;

	return read_prefix(rule, &rule->dst, payload, length);
}

static bool read_name(char name[static IFNAMSIZ], const char *payload, size_t length)
{
	size_t used = strnlen(payload, length);

	if (!used || used >= IFNAMSIZ)
		return false;
	memcpy(name, payload, used);
	name[used] = '\0';
	return true;
}

/* Which device the name stands for is the policy's business: until it says so, none. */
static bool read_iif(void *object, const void *payload, size_t length)
{
	struct rule *rule = object;

	rule->iif_index = -1;
	return read_name(rule->iif, payload, length);
}

static bool read_oif(void *object, const void *payload, size_t length)
{
	struct rule *rule = object;

	rule->oif_index = -1;
	return read_name(rule->oif, payload, length);
}

/* A mark without a mask is compared whole. */
static bool read_mark(void *object, const void *payload, size_t length)
{
	struct rule *rule = object;

	memcpy(&rule->mark, payload, length);
	if (!rule->mark_mask)
		rule->mark_mask = UINT32_MAX;
	return true;
}

static bool read_tun_id(void *object, const void *payload, size_t length)
{
	struct rule *rule = object;
	uint64_t value;

	memcpy(&value, payload, length);
	rule->tun_id = be64toh(value);
	return true;
}

static bool read_l3mdev(void *object, const void *payload, size_t length)
{
	struct rule *rule = object;

	(void)length;
	rule->l3mdev = *(const uint8_t *)payload != 0;
	return true;
}

static bool read_uids(void *object, const void *payload, size_t length)
{
	struct rule *rule = object;
	struct fib_rule_uid_range range;

	memcpy(&range, payload, length);
	rule->has_uids = true;
	rule->uid_first = range.start;
	rule->uid_last = range.end;
	return true;
}

static bool read_ports(struct rule_range16 *ports, const void *payload)
{
	struct fib_rule_port_range range;

	memcpy(&range, payload, sizeof(range));
	*ports = (struct rule_range16){ range.start, range.end };
	return range.start <= range.end;
}

static bool read_sport(void *object, const void *payload, size_t length)
{
	struct rule *rule = object;

	(void)length;
	rule->has_sport = true;
	return read_ports(&rule->sport, payload);
}

static bool read_dport(void *object, const void *payload, size_t length)
{
	struct rule *rule = object;

	(void)length;
	rule->has_dport = true;
	return read_ports(&rule->dport, payload);
}

static bool read_dscp(void *object, const void *payload, size_t length)
{
	struct rule *rule = object;

	(void)length;
	rule->has_dscp = true;
	rule->dscp = *(const uint8_t *)payload;
	if (!rule->dscp_mask)
		rule->dscp_mask = DSCP_ALL;
	return rule->dscp <= DSCP_ALL;
}

static bool read_dscp_mask(void *object, const void *payload, size_t length)
{
	struct rule *rule = object;

	(void)length;
	rule->dscp_mask = *(const uint8_t *)payload;
	return rule->dscp_mask <= DSCP_ALL;
}

static uint32_t network_u32(const void *payload)
{
	uint32_t value;

	memcpy(&value, payload, sizeof(value));
	return ntohl(value);
}

static bool read_flowlabel(void *object, const void *payload, size_t length)
{
	struct rule *rule = object;

	(void)length;
	rule->has_flowlabel = true;
	rule->flowlabel = network_u32(payload);
	if (!rule->flowlabel_mask)
		rule->flowlabel_mask = FLOWLABEL_ALL;
	return rule->flowlabel <= FLOWLABEL_ALL;
}

static bool read_flowlabel_mask(void *object, const void *payload, size_t length)
{
	struct rule *rule = object;

	(void)length;
	rule->flowlabel_mask = network_u32(payload);
	return rule->flowlabel_mask <= FLOWLABEL_ALL;
}

#define FIELD(member) ATTRIBUTE_FIELD(struct rule, member)
#define IGNORED                                                                                    \
	{                                                                                          \
		.longest = UINT16_MAX, .read = attribute_ignore                                    \
	}

static const struct attribute_reader readers[] = {
	[FRA_UNSPEC] = IGNORED,
	[FRA_DST] = { 4, 16, 0, read_dst },
	[FRA_SRC] = { 4, 16, 0, read_src },
	[FRA_IIFNAME] = { 1, IFNAMSIZ, 0, read_iif },
	[FRA_GOTO] = FIELD(target),
	[FRA_UNUSED2] = IGNORED,
	[FRA_PRIORITY] = FIELD(priority),
	[FRA_UNUSED3] = IGNORED,
	[FRA_UNUSED4] = IGNORED,
	[FRA_UNUSED5] = IGNORED,
	[FRA_FWMARK] = { 4, 4, 0, read_mark },
	[FRA_FLOW] = FIELD(realms),
	[FRA_TUN_ID] = { 8, 8, 0, read_tun_id },
	/* 0xffffffff is both the kernel's and the model's "none". */
	[FRA_SUPPRESS_IFGROUP] = FIELD(suppress_ifgroup),
	[FRA_SUPPRESS_PREFIXLEN] = FIELD(suppress_prefixlength),
	[FRA_TABLE] = FIELD(table),
	[FRA_FWMASK] = FIELD(mark_mask),
	[FRA_OIFNAME] = { 1, IFNAMSIZ, 0, read_oif },
	[FRA_PAD] = IGNORED,
	[FRA_L3MDEV] = { 1, 1, 0, read_l3mdev },
	[FRA_UID_RANGE] = { 8, 8, 0, read_uids },
	[FRA_PROTOCOL] = FIELD(protocol),
	[FRA_IP_PROTO] = FIELD(ip_proto),
	[FRA_SPORT_RANGE] = { 4, 4, 0, read_sport },
	[FRA_DPORT_RANGE] = { 4, 4, 0, read_dport },
	[RULE_FRA_DSCP] = { 1, 1, 0, read_dscp },
	[RULE_FRA_FLOWLABEL] = { 4, 4, 0, read_flowlabel },
	[RULE_FRA_FLOWLABEL_MASK] = { 4, 4, 0, read_flowlabel_mask },
	[RULE_FRA_SPORT_MASK] = FIELD(sport_mask),
	[RULE_FRA_DPORT_MASK] = FIELD(dport_mask),
	[RULE_FRA_DSCP_MASK] = { 1, 1, 0, read_dscp_mask },
};

static bool keep_unknown(void *object, const struct nlattr *attribute)
{
	struct rule *rule = object;
	struct rule_attribute *kept;
	size_t copied;

	if (rule->unknown_count == RULE_UNKNOWN_MAX)
		return false;
	kept = &rule->unknown[rule->unknown_count++];
	kept->type = mnl_attr_get_type(attribute);
	kept->length = mnl_attr_get_payload_len(attribute);
	copied = kept->length < sizeof(kept->data) ? kept->length : sizeof(kept->data);
	memcpy(kept->data, mnl_attr_get_payload(attribute), copied);
	return true;
}

static const struct attribute_table table = {
	.count = ARRAY_SIZE(readers),
	.readers = readers,
	.unknown = keep_unknown,
};

static void rule_take_header(struct rule *rule, const struct fib_rule_hdr *header)
{
	rule_init(rule, header->family);
	rule->action = header->action;
	rule->table = header->table;
	rule->tos = header->tos;
	rule->src.length = header->src_len;
	rule->dst.length = header->dst_len;
	rule->invert = header->flags & FIB_RULE_INVERT;
	rule->unresolved = header->flags & FIB_RULE_UNRESOLVED;
	rule->find_saddr = header->flags & FIB_RULE_FIND_SADDR;
}

int rule_message_parse(const struct nlmsghdr *message, struct rule *rule)
{
	const struct fib_rule_hdr *header = message_header(message, sizeof(*header));
	unsigned int longest;

	if (!header)
		return -EBADMSG;
	longest = family_address_length(header->family) * 8;
	if (!longest)
		return -EAFNOSUPPORT;
	rule_take_header(rule, header);
	rule->truncated = !message_read_attributes(message, sizeof(*header), &table, rule);
	if (rule->src.length > longest || rule->dst.length > longest) {
		rule->truncated = true;
		rule->src.length = rule->src.length > longest ? longest : rule->src.length;
		rule->dst.length = rule->dst.length > longest ? longest : rule->dst.length;
	}
	rule->sport_mask = rule_port_mask(rule->sport_mask, &rule->sport);
	rule->dport_mask = rule_port_mask(rule->dport_mask, &rule->dport);
	return 0;
}
