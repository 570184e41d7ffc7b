// SPDX-License-Identifier: GPL-2.0-only
/* Which flows a rule's selectors accept, which of them refuse, and how they are written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "rules/mismatch.h"
#include "rules/names.h"
#include "rules/rule.h"
#include "util/text.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define ETH 4
#define VRF 7
#define VRF_TABLE 100
#define OF_OIF 4 /* FLOWI_FLAG_L3MDEV_OIF */

/* The machine of these tests: device 4 is in the VRF device 7. */
static uint32_t table_of_flow(const void *data, const struct flow_key *key)
{
	(void)data;
	return key->l3mdev == VRF ? VRF_TABLE : 0;
}

static uint32_t master_of(const void *data, uint32_t ifindex)
{
	(void)data;
	return ifindex == ETH || ifindex == VRF ? VRF : 0;
}

/* Kernels up to 6.1, then 6.12, then 6.16 and newer; and those up to 5.17. */
enum kernel { OLD, MIDDLE, NEW, OLDEST };

static const struct match_context contexts[] = {
	[OLD] = { TOS_EXACT, false, table_of_flow, NULL, NULL },
	[MIDDLE] = { TOS_MASKED, true, table_of_flow, NULL, NULL },
	[NEW] = { TOS_MASKED, false, table_of_flow, master_of, NULL },
	[OLDEST] = { TOS_EXACT_ECN, false, table_of_flow, NULL, NULL },
};

struct match_row {
	const char *name;
	struct rule rule;
	struct flow_key key;
	const char *mismatch; /* NULL: all selectors accept */
	enum kernel kernel;
};

#define PREFIX(a, b, c, d, bits)                                                                   \
	{                                                                                          \
		.address = { a, b, c, d }, .length = (bits)                                        \
	}

/* 2001:db8::/32 */
#define SITE PREFIX(0x20, 0x01, 0x0d, 0xb8, 32)

static struct match_row match_rows[] = {
	{ .name = "empty_rule_accepts_everything" },
	{ .name = "iif_equal_matches",
	  .rule = { .iif = "eth0", .iif_index = ETH },
	  .key = { .iif = ETH } },
	{ .name = "iif_of_another_device_does_not_match",
	  .rule = { .iif = "eth0", .iif_index = ETH },
	  .key = { .iif = 5 },
	  .mismatch = "iif" },
	{ .name = "detached_iif_never_matches",
	  .rule = { .iif = "eth0", .iif_index = -1 },
	  .key = { .iif = UINT32_MAX },
	  .mismatch = "iif" },
	{ .name = "iif_never_resolved_does_not_match_a_flow_without_iif",
	  .rule = { .iif = "eth0" },
	  .mismatch = "iif" },
	{ .name = "detached_oif_never_matches",
	  .rule = { .oif = "eth0", .oif_index = -1 },
	  .key = { .oif = UINT32_MAX },
	  .mismatch = "oif" },
	{ .name = "oif_equal_matches",
	  .rule = { .oif = "eth0", .oif_index = ETH },
	  .key = { .oif = ETH } },
	{ .name = "oif_of_another_device_does_not_match",
	  .rule = { .oif = "eth0", .oif_index = ETH },
	  .key = { .iif = ETH },
	  .mismatch = "oif" },
	{ .name = "iif_of_a_vrf_matches_its_member_on_new_kernels",
	  .rule = { .iif = "vrf1", .iif_index = VRF },
	  .key = { .iif = ETH, .l3mdev = VRF },
	  .kernel = NEW },
	{ .name = "iif_of_a_vrf_does_not_match_its_member_on_older_kernels",
	  .rule = { .iif = "vrf1", .iif_index = VRF },
	  .key = { .iif = ETH, .l3mdev = VRF },
	  .mismatch = "iif",
	  .kernel = MIDDLE },
	{ .name = "iif_of_a_vrf_does_not_match_a_flow_bound_to_it_for_output",
	  .rule = { .iif = "vrf1", .iif_index = VRF },
	  .key = { .iif = 1, .l3mdev = VRF, .flags = OF_OIF },
	  .mismatch = "iif",
	  .kernel = NEW },
	{ .name = "oif_of_a_vrf_matches_a_flow_bound_to_its_member",
	  .rule = { .oif = "vrf1", .oif_index = VRF },
	  .key = { .oif = ETH, .l3mdev = VRF, .flags = OF_OIF },
	  .kernel = NEW },
	{ .name = "oif_of_a_vrf_does_not_match_received_flows",
	  .rule = { .oif = "vrf1", .oif_index = VRF },
	  .key = { .iif = ETH, .l3mdev = VRF },
	  .mismatch = "oif",
	  .kernel = NEW },
	{ .name = "iif_of_a_member_compares_the_device_itself_on_new_kernels",
	  .rule = { .iif = "eth0", .iif_index = ETH },
	  .key = { .iif = ETH, .l3mdev = VRF },
	  .kernel = NEW },
	{ .name = "mark_equal_under_mask_matches",
	  .rule = { .mark = 0x1, .mark_mask = 0xff },
	  .key = { .mark = 0xab01 } },
	{ .name = "mark_different_under_mask_does_not_match",
	  .rule = { .mark = 0x1, .mark_mask = 0xff },
	  .key = { .mark = 0x102 },
	  .mismatch = "fwmark" },
	{ .name = "zero_mark_under_mask_refuses_marked_flows",
	  .rule = { .mark_mask = 0xff },
	  .key = { .mark = 1 },
	  .mismatch = "fwmark" },
	{ .name = "mark_with_bits_outside_its_mask_matches_without_them",
	  .rule = { .mark = 0xf01, .mark_mask = 0xff },
	  .key = { .mark = 1 } },
	{ .name = "mark_under_empty_mask_matches_every_mark",
	  .rule = { .mark = 1 },
	  .key = { .mark = 2 } },
	{ .name = "tun_id_is_compared_in_all_its_bits",
	  .rule = { .tun_id = 0x100000001 },
	  .key = { .tun_id = 1 },
	  .mismatch = "tun_id" },
	{ .name = "tun_id_equal_matches",
	  .rule = { .tun_id = 0x100000001 },
	  .key = { .tun_id = 0x100000001 } },
	{ .name = "l3mdev_matches_a_flow_in_a_vrf",
	  .rule = { .l3mdev = true },
	  .key = { .l3mdev = VRF } },
	{ .name = "l3mdev_does_not_match_outside_a_vrf",
	  .rule = { .l3mdev = true },
	  .key = { .iif = ETH },
	  .mismatch = "l3mdev" },
	{ .name = "uid_zero_to_zero_is_a_selector",
	  .rule = { .has_uids = true },
	  .key = { .uid = 1000 },
	  .mismatch = "uidrange" },
	{ .name = "uid_at_the_end_of_its_range_matches",
	  .rule = { .has_uids = true, .uid_first = 10, .uid_last = 20 },
	  .key = { .uid = 20 } },
	{ .name = "uid_before_its_range_does_not_match",
	  .rule = { .has_uids = true, .uid_first = 10, .uid_last = 20 },
	  .key = { .uid = 9 },
	  .mismatch = "uidrange" },
	{ .name = "flow_without_a_uid_is_outside_every_range",
	  .rule = { .has_uids = true, .uid_last = 0xfffffffe },
	  .key = { .uid = FLOW_UID_INVALID },
	  .mismatch = "uidrange" },
	{ .name = "source_in_prefix_matches",
	  .rule = { .src = PREFIX(10, 0, 128, 0, 17) },
	  .key = { .src = { 10, 0, 255, 1 } } },
	{ .name = "source_outside_prefix_by_one_bit_does_not_match",
	  .rule = { .src = PREFIX(10, 0, 128, 0, 17) },
	  .key = { .src = { 10, 0, 127, 255 } },
	  .mismatch = "from" },
	{ .name = "destination_equal_to_a_host_matches",
	  .rule = { .dst = PREFIX(192, 0, 2, 1, 32) },
	  .key = { .dst = { 192, 0, 2, 1 } } },
	{ .name = "destination_beside_a_host_does_not_match",
	  .rule = { .dst = PREFIX(192, 0, 2, 1, 32) },
	  .key = { .dst = { 192, 0, 2, 0 } },
	  .mismatch = "to" },
	/* The bytes behind both addresses are equal, should they be read. */
	{ .name = "impossible_prefix_length_matches_nothing",
	  .rule = { .dst = { .length = 136 } },
	  .key = { .tun_id = 136 },
	  .mismatch = "to" },
	{ .name = "whole_ipv6_prefix_is_compared",
	  .rule = { .family = AF_INET6, .dst = { .address = { [15] = 1 }, .length = 128 } },
	  .key = { .dst = { [15] = 2 } },
	  .mismatch = "to" },
	{ .name = "tos_equal_matches_on_old_kernels",
	  .rule = { .tos = 0x10 },
	  .key = { .tos = 0x10 } },
	{ .name = "tos_with_more_bits_does_not_match_on_old_kernels",
	  .rule = { .tos = 0x10 },
	  .key = { .tos = 0x50 },
	  .mismatch = "tos" },
	{ .name = "tos_ignores_the_upper_dscp_bits_on_new_kernels",
	  .rule = { .tos = 0x10 },
	  .key = { .tos = 0x50 },
	  .kernel = MIDDLE },
	{ .name = "tos_compares_its_own_bits_on_new_kernels",
	  .rule = { .tos = 0x10 },
	  .key = { .tos = 0x58 },
	  .mismatch = "tos",
	  .kernel = MIDDLE },
	{ .name = "tos_of_ipv6_compares_the_whole_dscp",
	  .rule = { .family = AF_INET6, .tos = 0x10 },
	  .key = { .tos = 0x50 },
	  .mismatch = "tos",
	  .kernel = NEW },
	{ .name = "tos_of_ipv6_ignores_the_ecn_bits",
	  .rule = { .family = AF_INET6, .tos = 0x10 },
	  .key = { .tos = 0x13 } },
	{ .name = "tos_of_ipv6_compares_the_ecn_bits_on_the_oldest_kernels",
	  .rule = { .family = AF_INET6, .tos = 0x10 },
	  .key = { .tos = 0x13 },
	  .mismatch = "tos",
	  .kernel = OLDEST },
	{ .name = "tos_of_ipv4_is_compared_as_it_is_on_the_oldest_kernels",
	  .rule = { .family = AF_INET, .tos = 0x10 },
	  .key = { .tos = 0x10 },
	  .kernel = OLDEST },
	{ .name = "dscp_zero_of_ipv6_accepts_all_where_there_are_no_masks_of_it",
	  .rule = { .family = AF_INET6, .has_dscp = true, .dscp_mask = 63 },
	  .key = { .tos = 0x50 },
	  .kernel = MIDDLE },
	{ .name = "dscp_zero_of_ipv6_is_compared_elsewhere",
	  .rule = { .family = AF_INET6, .has_dscp = true, .dscp_mask = 63 },
	  .key = { .tos = 0x50 },
	  .mismatch = "dscp",
	  .kernel = NEW },
	{ .name = "dscp_compares_all_six_bits",
	  .rule = { .has_dscp = true, .dscp = 4, .dscp_mask = 63 },
	  .key = { .tos = 0x50 },
	  .mismatch = "dscp",
	  .kernel = MIDDLE },
	{ .name = "dscp_equal_matches_whatever_ecn_says",
	  .rule = { .has_dscp = true, .dscp = 46, .dscp_mask = 63 },
	  .key = { .tos = 0xb9 },
	  .kernel = MIDDLE },
	{ .name = "dscp_zero_is_a_selector",
	  .rule = { .has_dscp = true, .dscp_mask = 63 },
	  .key = { .tos = 0x04 },
	  .mismatch = "dscp",
	  .kernel = MIDDLE },
	{ .name = "dscp_is_compared_under_its_mask",
	  .rule = { .has_dscp = true, .dscp = 0x10, .dscp_mask = 0x30 },
	  .key = { .tos = 0x1f << 2 },
	  .kernel = NEW },
	{ .name = "flowlabel_is_compared_under_its_mask",
	  .rule = { .has_flowlabel = true, .flowlabel = 0x100, .flowlabel_mask = 0xf00 },
	  .key = { .flowlabel = 0x2ff },
	  .mismatch = "flowlabel" },
	{ .name = "protocol_equal_matches", .rule = { .ip_proto = 17 }, .key = { .protocol = 17 } },
	{ .name = "protocol_unset_in_the_flow_does_not_match",
	  .rule = { .ip_proto = 17 },
	  .mismatch = "ipproto" },
	{ .name = "port_at_the_end_of_its_range_matches",
	  .rule = { .has_sport = true, .sport = { 100, 200 } },
	  .key = { .sport = 200 } },
	{ .name = "port_behind_its_range_does_not_match",
	  .rule = { .has_sport = true, .sport = { 100, 200 } },
	  .key = { .sport = 201 },
	  .mismatch = "sport" },
	{ .name = "port_mask_stands_in_place_of_the_range",
	  .rule = { .has_dport = true, .dport = { 0x1000, 0x1000 }, .dport_mask = 0xf000 },
	  .key = { .dport = 0x1fff } },
	{ .name = "port_different_under_its_mask_does_not_match",
	  .rule = { .has_dport = true, .dport = { 0x1000, 0x1000 }, .dport_mask = 0xf000 },
	  .key = { .dport = 0x2000 },
	  .mismatch = "dport" },
	{ .name = "icmp_type_and_code_are_compared_as_ports",
	  .rule = { .has_dport = true, .dport = { 0x800, 0x800 } },
	  .key = { .protocol = 1, .dport = 8 << 8 } },
	{ .name = "first_mismatch_is_the_one_the_kernel_tests_first",
	  .rule = { .mark = 1,
		    .mark_mask = UINT32_MAX,
		    .dst = PREFIX(10, 0, 0, 0, 8),
		    .has_uids = true,
		    .has_dport = true,
		    .dport = { 1, 1 } },
	  .key = { .uid = 5 },
	  .mismatch = "fwmark" },
	{ .name = "source_is_tested_before_destination_and_tos",
	  .rule = { .src = PREFIX(10, 0, 0, 0, 8), .dst = PREFIX(10, 0, 0, 0, 8), .tos = 4 },
	  .mismatch = "from" },
	{ .name = "destination_is_tested_before_source_for_ipv6",
	  .rule = { .family = AF_INET6, .src = SITE, .dst = SITE, .tos = 4 },
	  .key = { .family = AF_INET6 },
	  .mismatch = "to" },
	{ .name = "source_is_tested_before_tos_for_ipv6",
	  .rule = { .family = AF_INET6, .src = SITE, .dst = SITE, .tos = 4 },
	  .key = { .family = AF_INET6, .dst = { 0x20, 0x01, 0x0d, 0xb8 } },
	  .mismatch = "from" },
	{ .name = "flowlabel_is_tested_before_protocol",
	  .rule = { .has_flowlabel = true,
		    .flowlabel = 1,
		    .flowlabel_mask = 0xfffff,
		    .ip_proto = 6 },
	  .mismatch = "flowlabel" },
	{ .name = "source_that_is_not_set_is_in_no_prefix",
	  .rule = { .family = AF_INET6, .src = { .length = 1 } },
	  .key = { .family = AF_INET6, .iif = FLOW_IFINDEX_LO },
	  .mismatch = "from" },
	{ .name = "source_that_is_not_set_is_yet_to_be_found",
	  .rule = { .family = AF_INET6, .src = SITE, .find_saddr = true },
	  .key = { .family = AF_INET6, .iif = FLOW_IFINDEX_LO } },
	{ .name = "source_that_is_set_is_compared_whatever_is_to_be_found",
	  .rule = { .family = AF_INET6, .src = SITE, .find_saddr = true },
	  .key = { .family = AF_INET6, .src = { 0xfd } },
	  .mismatch = "from" },
	{ .name = "received_packet_has_a_source_though_it_is_zero",
	  .rule = { .family = AF_INET6, .src = { .length = 1 } },
	  .key = { .family = AF_INET6, .iif = ETH } },
	{ .name = "source_of_ipv4_is_compared_though_it_is_zero",
	  .rule = { .family = AF_INET, .src = { .length = 1 } },
	  .key = { .family = AF_INET, .iif = FLOW_IFINDEX_LO } },
	{ .name = "protocol_is_tested_before_ports",
	  .rule = { .ip_proto = 6, .has_sport = true, .sport = { 1, 1 } },
	  .mismatch = "ipproto" },
};

static void check_match(void **state)
{
	struct match_row *row = *state;
	const struct match_context *context = &contexts[row->kernel];
	enum selector_id mismatch = rule_first_mismatch(&row->rule, &row->key, context);

	assert_string_equal(selectors[mismatch].name, row->mismatch ? row->mismatch : "none");
	row->rule.invert = false;
	assert_int_equal(rule_applies(&row->rule, &row->key, context), !row->mismatch);
	row->rule.invert = true;
	assert_int_equal(rule_applies(&row->rule, &row->key, context), !!row->mismatch);
}

struct print_row {
	const char *name;
	struct rule rule;
	const char *want;
};

/* What `ip rule` of iproute2 6.1 printed for the same rules; later keywords as its successors do. */
static struct print_row print_rows[] = {
	{ "rule_without_selector_is_from_all", { 0 }, "from all" },
	{ "every_selector_stands_in_the_order_of_ip_rule",
	  { .invert = true,
	    .src = PREFIX(10, 0, 0, 1, 32),
	    .dst = PREFIX(10, 0, 0, 0, 8),
	    .tos = 0x10,
	    .mark = 1,
	    .mark_mask = 0xff,
	    .iif = "lo",
	    .iif_index = 1,
	    .oif = "eth7",
	    .oif_index = -1,
	    .has_uids = true,
	    .uid_first = 1,
	    .uid_last = 2,
	    .ip_proto = 17,
	    .has_sport = true,
	    .sport = { 1, 2 },
	    .has_dport = true,
	    .dport = { 5, 5 },
	    .tun_id = 7 },
	  "not from 10.0.0.1 to 10.0.0.0/8 tos 0x10 fwmark 0x1/0xff iif lo oif eth7 [detached] "
	  "uidrange 1-2 ipproto udp sport 1-2 dport 5 tun_id 7" },
	{ "whole_mark_mask_is_left_out",
	  { .invert = true, .mark = 0xca6c, .mark_mask = UINT32_MAX },
	  "not from all fwmark 0xca6c" },
	{ "zero_mark_is_written_0", { .mark_mask = 0xff }, "from all fwmark 0/0xff" },
	{ "zero_mark_mask_is_written_0", { .mark = 5 }, "from all fwmark 0x5/0" },
	{ "tos_has_two_digits",
	  { .dst = PREFIX(1, 2, 3, 4, 32), .tos = 4 },
	  "from all to 1.2.3.4 tos 0x04" },
	{ "l3mdev_belongs_to_the_action", { .l3mdev = true }, "from all" },
	{ "known_protocol_has_its_name", { .ip_proto = 2 }, "from all ipproto igmp" },
	{ "unknown_protocol_has_its_number", { .ip_proto = 200 }, "from all ipproto ipproto-200" },
	{ "dscp_is_decimal",
	  { .has_dscp = true, .dscp = 46, .dscp_mask = 63 },
	  "from all dscp 46" },
	{ "dscp_with_a_mask_is_hexadecimal",
	  { .has_dscp = true, .dscp = 0x2e, .dscp_mask = 0x3e },
	  "from all dscp 0x2e/0x3e" },
	{ "port_mask_follows_the_port",
	  { .has_sport = true, .sport = { 0x1000, 0x1000 }, .sport_mask = 0xf000 },
	  "from all sport 0x1000/0xf000" },
	{ "whole_port_mask_is_left_out",
	  { .has_dport = true, .dport = { 53, 53 }, .dport_mask = 0xffff },
	  "from all dport 53" },
	{ "flowlabel_is_hexadecimal",
	  { .family = AF_INET6,
	    .has_flowlabel = true,
	    .flowlabel = 0x12345,
	    .flowlabel_mask = 0xfffff },
	  "from all flowlabel 0x12345" },
	{ "unknown_attributes_are_shown",
	  { .unknown_count = 2, .unknown = { { 30, 1, { 0x2e } }, { 31, 0, { 0 } } } },
	  "from all attr30=0x2e attr31" },
	{ "long_unknown_attribute_is_cut_off_visibly",
	  { .truncated = true, .unknown_count = 1, .unknown = { { 40, 65535, { 0xff } } } },
	  "from all attr40=0xff00000000000000000000000000000000000000000000000000000000000000... "
	  "[truncated]" },
	{ "count_of_unknown_attributes_is_not_trusted",
	  { .unknown_count = 255 },
	  "from all attr0 attr0 attr0 attr0" },
	{ "device_name_without_an_end_is_cut_off",
	  { .iif = { 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o',
		     'p' },
	    .iif_index = 3,
	    .oif = "x",
	    .oif_index = 4 },
	  "from all iif abcdefghijklmnop oif x" },
};

static void check_print(void **state)
{
	struct print_row *row = *state;
	struct text text = { 0 };

	if (!row->rule.family)
		row->rule.family = AF_INET;
	rule_print_selector(&text, &row->rule, NULL);
	assert_string_equal(text_string(&text), row->want);
	text_free(&text);
}

static void new_rule_is_catch_all(void **state)
{
	struct rule rule;

	(void)state;
	memset(&rule, 0xff, sizeof(rule));
	rule_init(&rule, AF_INET);
	assert_true(rule_is_catch_all(&rule));
	assert_int_equal(rule.family, AF_INET);
	assert_int_equal(rule.action, RULE_LOOKUP);
	assert_int_equal(rule.suppress_prefixlength, -1);
	assert_int_equal(rule.suppress_ifgroup, -1);
	assert_int_equal(rule.dscp_mask, 63);
}

static void inverted_or_selecting_rule_is_not_catch_all(void **state)
{
	struct rule rule;

	(void)state;
	rule_init(&rule, AF_INET);
	rule.invert = true;
	assert_false(rule_is_catch_all(&rule));
	rule_init(&rule, AF_INET);
	rule.has_uids = true;
	assert_false(rule_is_catch_all(&rule));
}

static void add_rows(struct CMUnitTest *tests)
{
	for (size_t i = 0; i < ARRAY_SIZE(match_rows); i++)
		*tests++ = (struct CMUnitTest){ match_rows[i].name, check_match, NULL, NULL,
						&match_rows[i] };
	for (size_t i = 0; i < ARRAY_SIZE(print_rows); i++)
		*tests++ = (struct CMUnitTest){ print_rows[i].name, check_print, NULL, NULL,
						&print_rows[i] };
}

int main(void)
{
	struct CMUnitTest tests[2 + ARRAY_SIZE(match_rows) + ARRAY_SIZE(print_rows)] = {
		cmocka_unit_test(new_rule_is_catch_all),
		cmocka_unit_test(inverted_or_selecting_rule_is_not_catch_all),
	};

	add_rows(tests + 2);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
