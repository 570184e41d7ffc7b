// SPDX-License-Identifier: GPL-2.0-only
/* What the attributes of a rule message become in the model, and that no message breaks it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "message.h"
#include "netlink/rule_message.h"
#include "netlink/rule_note.h"
#include "util/array.h"
#include "util/text.h"

#define NEW_DSCP 25
#define NEW_FLOWLABEL 26
#define NEW_FLOWLABEL_MASK 27
#define NEW_SPORT_MASK 28
#define NEW_DPORT_MASK 29
#define NEW_DSCP_MASK 30
#define NOT_KNOWN 31
#define ATTRIBUTES_MAX 8

/* The payload of an attribute, in the host's byte order. */
#define U8(type, value)                                                                            \
	{                                                                                          \
		type, 1, &(const uint8_t)                                                          \
		{                                                                                  \
			value                                                                      \
		}                                                                                  \
	}
#define U16(type, value)                                                                           \
	{                                                                                          \
		type, 2, &(const uint16_t)                                                         \
		{                                                                                  \
			value                                                                      \
		}                                                                                  \
	}
#define NAME(type, string)                                                                         \
	{                                                                                          \
		type, sizeof(string), string                                                       \
	}
#define PORTS(type, first, last)                                                                   \
	{                                                                                          \
		type, 4, &(const struct fib_rule_port_range)                                       \
		{                                                                                  \
			first, last                                                                \
		}                                                                                  \
	}

static const struct fib_rule_hdr lookup_main = {
	.family = AF_INET,
	.table = RT_TABLE_MAIN,
	.action = FR_ACT_TO_TBL,
};

static struct nlmsghdr *rule_message(const struct fib_rule_hdr *header,
				     const struct message_attribute *attributes)
{
	return message_new(RTM_NEWRULE, header, sizeof(*header), attributes);
}

static int parse(const struct fib_rule_hdr *header, const struct message_attribute *attributes,
		 struct rule *rule)
{
	struct nlmsghdr *message = rule_message(header, attributes);
	struct nlmsghdr *exact = message_cut(message, message->nlmsg_len);
	int err = rule_message_parse(exact, rule);

	free(exact);
	free(message);
	return err;
}

/* A rule as it is sent, and as `ip rule` shows it. */
static const struct shown {
	const char *want;
	struct fib_rule_hdr header;
	struct message_attribute attributes[ATTRIBUTES_MAX];
} shown[] = {
	{ "0: from all lookup local",
	  { .family = AF_INET, .table = 255, .action = 1 },
	  { U32(FRA_TABLE, 255), U32(FRA_SUPPRESS_PREFIXLEN, 0xffffffff) } },
	{ "5209: not from all fwmark 0xca6c lookup 51820",
	  { .family = AF_INET, .table = 252, .action = 1, .flags = FIB_RULE_INVERT },
	  { U32(FRA_PRIORITY, 5209), U32(FRA_FWMARK, 0xca6c), U32(FRA_FWMASK, 0xffffffff),
	    U32(FRA_TABLE, 51820), U32(FRA_SUPPRESS_PREFIXLEN, 0xffffffff) } },
	{ "5208: from all lookup main suppress_prefixlength 0",
	  { .family = AF_INET, .table = 254, .action = 1 },
	  { U32(FRA_PRIORITY, 5208), U32(FRA_TABLE, 254), U32(FRA_SUPPRESS_PREFIXLEN, 0) } },
	{ "1: from all lookup main suppress_ifgroup 7",
	  { .family = AF_INET, .table = 254, .action = 1 },
	  { U32(FRA_PRIORITY, 1), U32(FRA_SUPPRESS_IFGROUP, 7) } },
	{ "5210: from all fwmark 0x80000/0xff0000 lookup main",
	  { .family = AF_INET, .table = 254, .action = 1 },
	  { U32(FRA_PRIORITY, 5210), U32(FRA_FWMARK, 0x80000), U32(FRA_FWMASK, 0xff0000) } },
	{ "1: from all fwmark 0x1 lookup main",
	  { .family = AF_INET, .table = 254, .action = 1 },
	  { U32(FRA_PRIORITY, 1), U32(FRA_FWMARK, 1) } },
	{ "2: from 192.0.2.0/24 to 10.1.2.3 unreachable",
	  { .family = AF_INET, .src_len = 24, .dst_len = 32, .action = FR_ACT_UNREACHABLE },
	  { U32(FRA_PRIORITY, 2), BYTES(FRA_SRC, "\300\0\2\0"), BYTES(FRA_DST, "\12\1\2\3") } },
	{ "3: from 2001:db8::/32 prohibit",
	  { .family = AF_INET6, .src_len = 32, .action = FR_ACT_PROHIBIT },
	  { U32(FRA_PRIORITY, 3), BYTES(FRA_SRC, "\x20\1\15\xb8\0\0\0\0\0\0\0\0\0\0\0\0") } },
	{ "4: from all goto 10 [unresolved]",
	  { .family = AF_INET, .action = FR_ACT_GOTO, .flags = FIB_RULE_UNRESOLVED },
	  { U32(FRA_PRIORITY, 4), U32(FRA_GOTO, 10) } },
	{ "5: from all nop",
	  { .family = AF_INET, .action = FR_ACT_NOP },
	  { U32(FRA_PRIORITY, 5), U32(FRA_FLOW, 0x10002) } },
	{ "6: from all blackhole",
	  { .family = AF_INET, .action = FR_ACT_BLACKHOLE },
	  { U32(FRA_PRIORITY, 6) } },
	{ "7: from all lookup [l3mdev-table]",
	  { .family = AF_INET, .action = 1 },
	  { U32(FRA_PRIORITY, 7), U8(FRA_L3MDEV, 1) } },
	{ "8: from all uidrange 0-0 lookup main",
	  { .family = AF_INET, .table = 254, .action = 1 },
	  { U32(FRA_PRIORITY, 8), BYTES(FRA_UID_RANGE, "\0\0\0\0\0\0\0\0") } },
	{ "9: from all ipproto tcp sport 1-9 dport 53 lookup main",
	  { .family = AF_INET, .table = 254, .action = 1 },
	  { U32(FRA_PRIORITY, 9), U8(FRA_IP_PROTO, 6), PORTS(FRA_SPORT_RANGE, 1, 9),
	    PORTS(FRA_DPORT_RANGE, 53, 53) } },
	{ "10: from all dport 53 lookup main",
	  { .family = AF_INET, .table = 254, .action = 1 },
	  { U32(FRA_PRIORITY, 10), PORTS(FRA_DPORT_RANGE, 53, 53), U16(NEW_DPORT_MASK, 0xffff) } },
	{ "11: from all sport 0x1000/0xff00 lookup main",
	  { .family = AF_INET, .table = 254, .action = 1 },
	  { U32(FRA_PRIORITY, 11), PORTS(FRA_SPORT_RANGE, 0x1000, 0x1000),
	    U16(NEW_SPORT_MASK, 0xff00) } },
	{ "12: from all tun_id 258 lookup main",
	  { .family = AF_INET, .table = 254, .action = 1 },
	  { U32(FRA_PRIORITY, 12), BYTES(FRA_TUN_ID, "\0\0\0\0\0\0\1\2") } },
	{ "13: from all dscp 46 lookup main",
	  { .family = AF_INET, .table = 254, .action = 1 },
	  { U32(FRA_PRIORITY, 13), U8(NEW_DSCP, 46) } },
	{ "14: from all dscp 0x28/0x38 lookup main",
	  { .family = AF_INET, .table = 254, .action = 1 },
	  { U32(FRA_PRIORITY, 14), U8(NEW_DSCP, 40), U8(NEW_DSCP_MASK, 56) } },
	{ "15: from all flowlabel 0x12345 lookup main",
	  { .family = AF_INET6, .table = 254, .action = 1 },
	  { U32(FRA_PRIORITY, 15), BYTES(NEW_FLOWLABEL, "\0\1\x23\x45") } },
	{ "16: from all flowlabel 0x300/0xf00 lookup main",
	  { .family = AF_INET6, .table = 254, .action = 1 },
	  { U32(FRA_PRIORITY, 16), BYTES(NEW_FLOWLABEL, "\0\0\3\0"),
	    BYTES(NEW_FLOWLABEL_MASK, "\0\0\xf\0") } },
	{ "17: from all attr31=0x2e00 lookup main",
	  { .family = AF_INET, .table = 254, .action = 1 },
	  { U32(FRA_PRIORITY, 17), BYTES(NOT_KNOWN, "\x2e\0") } },
	{ "18: from all action 77",
	  { .family = AF_INET, .action = 77 },
	  { U32(FRA_PRIORITY, 18), BYTES(FRA_UNUSED3, "?"), BYTES(FRA_PAD, "") } },
	{ "19: from all iif eth0 [detached] oif fifteen-letters [detached] lookup main",
	  { .family = AF_INET, .table = 254, .action = 1 },
	  { U32(FRA_PRIORITY, 19), NAME(FRA_IIFNAME, "eth0"),
	    NAME(FRA_OIFNAME, "fifteen-letters") } },
};

static void a_rule_is_what_ip_rule_shows(void **state)
{
	struct names *names = names_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(shown); i++) {
		struct text text = { 0 };
		struct rule rule;

		assert_int_equal(parse(&shown[i].header, shown[i].attributes, &rule), 0);
		assert_false(rule.truncated);
		rule_note_print(&text, &rule, true, names);
		assert_string_equal(strstr(text_string(&text), "added: ") + strlen("added: "),
				    shown[i].want);
		text_free(&text);
	}
	names_free(names);
}

static void a_note_tells_a_rule_of_ipv6(void **state)
{
	const struct fib_rule_hdr header = { .family = AF_INET6, .table = 254, .action = 1 };
	struct names *names = names_new();
	struct text text = { 0 };
	struct rule rule;

	(void)state;
	assert_int_equal(parse(&header, NULL, &rule), 0);
	rule_note_print(&text, &rule, false, names);
	assert_string_equal(text_string(&text), "IPv6 rule deleted: 0: from all lookup main");
	text_free(&text);
	names_free(names);
}

static void a_source_still_to_be_found_is_read(void **state)
{
	struct fib_rule_hdr header = { .family = AF_INET6, .src_len = 64, .action = 1 };
	struct rule rule;

	(void)state;
	assert_int_equal(parse(&header, NULL, &rule), 0);
	assert_false(rule.find_saddr);
	header.flags = FIB_RULE_FIND_SADDR;
	assert_int_equal(parse(&header, NULL, &rule), 0);
	assert_true(rule.find_saddr);
}

static void what_is_not_shown_is_read_too(void **state)
{
	const struct fib_rule_hdr header = { .family = AF_INET, .tos = 0x10, .action = 1 };
	const struct message_attribute attributes[] = {
		U8(FRA_PROTOCOL, RTPROT_STATIC),
		U32(FRA_FLOW, 0x10002),
		PORTS(FRA_DPORT_RANGE, 53, 53),
		U16(NEW_DPORT_MASK, 0xffff),
		{ 0 },
	};
	struct rule rule;

	(void)state;
	assert_int_equal(parse(&header, attributes, &rule), 0);
	assert_int_equal(rule.tos, 0x10);
	assert_int_equal(rule.protocol, RTPROT_STATIC);
	assert_int_equal(rule.realms, 0x10002);
	assert_int_equal(rule.dport_mask, 0);
	assert_int_equal(rule.suppress_prefixlength, -1);
	assert_int_equal(rule.suppress_ifgroup, -1);
}

/* Attributes that no kernel sends so. */
static const struct malformed {
	const char *name;
	struct message_attribute attribute;
} malformed[] = {
	{ "priority of 3 bytes", BYTES(FRA_PRIORITY, "\1\2\3") },
	{ "priority of 8 bytes", BYTES(FRA_PRIORITY, "\1\2\3\4\5\6\7\10") },
	{ "destination of 16 bytes", BYTES(FRA_DST, "\1\2\3\4\1\2\3\4\1\2\3\4\1\2\3\4") },
	{ "source of 5 bytes", BYTES(FRA_SRC, "\1\2\3\4\5") },
	{ "empty name", BYTES(FRA_IIFNAME, "") },
	{ "name of 16 letters", BYTES(FRA_IIFNAME, "sixteen-letters!") },
	{ "name of 17 letters", BYTES(FRA_OIFNAME, "seventeen-letters") },
	{ "uid range of 4 bytes", BYTES(FRA_UID_RANGE, "\1\2\3\4") },
	{ "port range of 2 bytes", BYTES(FRA_SPORT_RANGE, "\1\2") },
	{ "port range backwards", PORTS(FRA_DPORT_RANGE, 9, 1) },
	{ "dscp of 64", U8(NEW_DSCP, 64) },
	{ "dscp mask of 64", U8(NEW_DSCP_MASK, 64) },
	{ "flow label of 21 bits", BYTES(NEW_FLOWLABEL, "\0\x10\0\0") },
	{ "tunnel id of 4 bytes", U32(FRA_TUN_ID, 1) },
};

static void a_malformed_attribute_marks_the_rule(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(malformed); i++) {
		const struct message_attribute attributes[] = {
			malformed[i].attribute,
			U32(FRA_TABLE, 77),
			{ 0 },
		};
		struct rule rule;

		assert_int_equal(parse(&lookup_main, attributes, &rule), 0);
		if (!rule.truncated)
			fail_msg("not noticed: %s", malformed[i].name);
		assert_int_equal(rule.table, 77);
	}
}

static void a_prefix_longer_than_the_address_marks_the_rule(void **state)
{
	const struct fib_rule_hdr header = { .family = AF_INET, .src_len = 33, .action = 1 };
	struct rule rule;

	(void)state;
	assert_int_equal(parse(&header, NULL, &rule), 0);
	assert_true(rule.truncated);
	assert_int_equal(rule.src.length, 32);
}

static void unknown_attributes_are_kept_up_to_four(void **state)
{
	static const char long_payload[40] = "0123456789abcdef0123456789abcdefXXXXXXXX";
	const struct message_attribute attributes[] = {
		{ 40, sizeof(long_payload), long_payload },
		U8(41, 1),
		BYTES(42, ""),
		U8(43, 3),
		{ 0 },
	};
	struct message_attribute more[6] = { U8(44, 4) };
	struct rule rule;

	(void)state;
	assert_int_equal(parse(&lookup_main, attributes, &rule), 0);
	assert_int_equal(rule.unknown_count, 4);
	assert_false(rule.truncated);
	assert_int_equal(rule.unknown[0].type, 40);
	assert_int_equal(rule.unknown[0].length, 40);
	assert_memory_equal(rule.unknown[0].data, long_payload, 32);
	assert_int_equal(rule.unknown[2].length, 0);

	memcpy(&more[1], attributes, sizeof(attributes));
	assert_int_equal(parse(&lookup_main, more, &rule), 0);
	assert_int_equal(rule.unknown_count, 4);
	assert_true(rule.truncated);
}

static void rules_of_multicast_routing_are_refused(void **state)
{
	const struct fib_rule_hdr header = { .family = RTNL_FAMILY_IPMR, .action = 1 };
	struct rule rule;

	(void)state;
	assert_int_equal(parse(&header, NULL, &rule), -EAFNOSUPPORT);
}

/* Cut between two attributes a message is a shorter, well-formed one. */
static void every_cut_of_a_message_is_survived(void **state)
{
	const struct message_attribute attributes[] = {
		BYTES(FRA_SRC, "\300\0\2\0"),
		NAME(FRA_IIFNAME, "eth0"),
		U8(FRA_IP_PROTO, 6),
		PORTS(FRA_SPORT_RANGE, 1, 9),
		BYTES(FRA_TUN_ID, "\0\0\0\0\0\0\1\2"),
		BYTES(NOT_KNOWN, "12345"),
		{ 0 },
	};
	struct nlmsghdr *message = rule_message(&lookup_main, attributes);
	size_t header = NLMSG_HDRLEN + sizeof(struct fib_rule_hdr);
	size_t truncated = 0;

	(void)state;
	for (size_t length = sizeof(*message); length < message->nlmsg_len; length++) {
		struct nlmsghdr *cut = message_cut(message, length);
		struct rule rule;
		int err = rule_message_parse(cut, &rule);

		assert_int_equal(err, length < header ? -EBADMSG : 0);
		truncated += !err && rule.truncated;
		free(cut);
	}
	/* 8 + 12 + 8 + 8 + 12 + 12 bytes: each length but those where an attribute ends, padded
	 * or not (3 bytes of the name, 3 of the protocol, 3 of the last). */
	assert_int_equal(truncated, 60 - 6 - 3 - 3 - 3);
	free(message);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rule_is_what_ip_rule_shows),
		cmocka_unit_test(a_note_tells_a_rule_of_ipv6),
		cmocka_unit_test(a_source_still_to_be_found_is_read),
		cmocka_unit_test(what_is_not_shown_is_read_too),
		cmocka_unit_test(a_malformed_attribute_marks_the_rule),
		cmocka_unit_test(a_prefix_longer_than_the_address_marks_the_rule),
		cmocka_unit_test(unknown_attributes_are_kept_up_to_four),
		cmocka_unit_test(rules_of_multicast_routing_are_refused),
		cmocka_unit_test(every_cut_of_a_message_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
