// SPDX-License-Identifier: GPL-2.0-only
/* Why a rule does not apply: the selectors that refuse, and that the arithmetic shown is true. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "rules/mismatch.h"
#include "util/text.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define LO 1
#define ETH 4
#define WG 5
#define VRF 7
#define NAMELESS 9
#define OF_OIF 4 /* FLOWI_FLAG_L3MDEV_OIF */
#define NO_UID UINT32_MAX
#define SIXTEEN_BYTES "0123456789abcdef"

enum { ICMP = 1, TCP = 6, UDP = 17, GRE = 47, ICMPV6 = 58 };

/* The machine of these tests: eth0 is in the VRF vrf1; device 9 is another VRF, without a table. */
static uint32_t table_of_flow(const void *data, const struct flow_key *key)
{
	(void)data;
	return key->l3mdev == VRF ? 100 : 0;
}

static uint32_t master_of(const void *data, uint32_t ifindex)
{
	(void)data;
	if (ifindex == NAMELESS)
		return NAMELESS;
	return ifindex == ETH || ifindex == VRF ? VRF : 0;
}

static const char *name_of(uint32_t index)
{
	static const char *const names[] = { [ETH] = "eth0", [WG] = "wg0", [VRF] = "vrf1" };

	return index < ARRAY_SIZE(names) && names[index] ? names[index] : "";
}

/* Kernels up to 6.1, then 6.12, then 6.16 and newer. */
enum kernel { OLD, MIDDLE, NEW, KERNELS };

static const struct match_context contexts[KERNELS] = {
	[OLD] = { TOS_EXACT, false, table_of_flow, NULL, NULL },
	[MIDDLE] = { TOS_MASKED, false, table_of_flow, NULL, NULL },
	[NEW] = { TOS_MASKED, false, table_of_flow, master_of, NULL },
};

struct row {
	const char *name;
	struct rule rule;
	struct flow_key key;
	const char *want;
	enum kernel kernel;
};

#define PREFIX(a, b, c, d, bits)                                                                   \
	{                                                                                          \
		.address = { a, b, c, d }, .length = (bits)                                        \
	}
#define BYTES(a, b, c, d)                                                                          \
	{                                                                                          \
		a, b, c, d                                                                         \
	}
#define MARK(value, mask) .mark = (value), .mark_mask = (mask)
#define WHOLE_MARK(value) MARK(value, UINT32_MAX)
#define IIF(device, index) .iif = device, .iif_index = (index)
#define OIF(device, index) .oif = device, .oif_index = (index)
#define UIDS(from, to) .has_uids = true, .uid_first = (from), .uid_last = (to)
#define SPORT(from, to) .has_sport = true, .sport = { from, to }
#define DPORT(from, to) .has_dport = true, .dport = { from, to }
#define DSCP(value, mask) .has_dscp = true, .dscp = (value), .dscp_mask = (mask)
#define LABEL(value, mask) .has_flowlabel = true, .flowlabel = (value), .flowlabel_mask = (mask)
#define DOCUMENTATION BYTES(0x20, 0x01, 0x0d, 0xb8)

/* want "": the rule applies. */
static struct row rows[] = {
	{ .name = "rule_that_applies_has_no_mismatch", .want = "" },
	{ .name = "inverted_rule_that_applies_has_no_mismatch",
	  .rule = { .invert = true, WHOLE_MARK(1) },
	  .want = "" },

	{ .name = "iif_names_the_device_that_it_needs",
	  .rule = { IIF("eth0", ETH) },
	  .key = { .iif = LO },
	  .want = "iif lo, needs eth0" },
	{ .name = "iif_of_the_flow_has_its_name",
	  .rule = { IIF("wg0", WG) },
	  .key = { .iif = ETH },
	  .want = "iif eth0, needs wg0" },
	{ .name = "iif_without_a_name_has_its_number",
	  .rule = { IIF("eth0", ETH) },
	  .key = { .iif = 12 },
	  .want = "iif if12, needs eth0" },
	{ .name = "iif_that_is_not_set_is_said_so",
	  .rule = { IIF("eth0", ETH) },
	  .want = "iif unset, needs eth0" },
	{ .name = "iif_that_is_detached_is_compared_with_nothing",
	  .rule = { IIF("eth9", -1) },
	  .key = { .iif = ETH },
	  .want = "iif eth9 is detached (no such device)" },
	{ .name = "iif_that_was_never_looked_up_has_no_arithmetic",
	  .rule = { IIF("eth0", 0) },
	  .key = { .iif = ETH },
	  .want = "iif" },
	{ .name = "two_devices_of_one_name_have_their_numbers",
	  .rule = { IIF("eth0", 40) },
	  .key = { .iif = ETH },
	  .want = "iif eth0 (if4), needs eth0 (if40)" },
	{ .name = "device_name_without_an_end_is_cut_off",
	  .rule = { .iif = SIXTEEN_BYTES, .iif_index = 3 },
	  .key = { .iif = LO },
	  .want = "iif lo, needs " SIXTEEN_BYTES },
	{ .name = "iif_of_a_vrf_needs_the_l3_master_of_the_flow",
	  .rule = { IIF("vrf1", VRF) },
	  .key = { .iif = WG },
	  .want = "iif's L3 master unset, needs vrf1",
	  .kernel = NEW },
	{ .name = "another_l3_master_has_its_number",
	  .rule = { IIF("vrf1", VRF) },
	  .key = { .iif = WG, .l3mdev = NAMELESS },
	  .want = "iif's L3 master if9, needs vrf1",
	  .kernel = NEW },
	{ .name = "l3_master_of_the_output_device_is_none_of_iif",
	  .rule = { IIF("vrf1", VRF) },
	  .key = { .iif = LO, .l3mdev = VRF, .flags = OF_OIF },
	  .want = "iif's L3 master unset, needs vrf1",
	  .kernel = NEW },
	{ .name = "iif_of_a_vrf_is_the_device_itself_on_older_kernels",
	  .rule = { IIF("vrf1", VRF) },
	  .key = { .iif = ETH, .l3mdev = VRF },
	  .want = "iif eth0, needs vrf1",
	  .kernel = MIDDLE },
	{ .name = "not_iif_shows_the_device",
	  .rule = { .invert = true, IIF("eth0", ETH) },
	  .key = { .iif = ETH },
	  .want = "not iif: eth0 = eth0" },
	{ .name = "not_iif_of_a_vrf_shows_the_l3_master",
	  .rule = { .invert = true, IIF("vrf1", VRF) },
	  .key = { .iif = ETH, .l3mdev = VRF },
	  .want = "not iif: L3 master vrf1 = vrf1",
	  .kernel = NEW },

	{ .name = "oif_that_is_not_set_is_said_so",
	  .rule = { OIF("wg0", WG) },
	  .key = { .iif = LO },
	  .want = "oif unset, needs wg0" },
	{ .name = "oif_names_the_device_that_it_needs",
	  .rule = { OIF("wg0", WG) },
	  .key = { .iif = LO, .oif = ETH },
	  .want = "oif eth0, needs wg0" },
	{ .name = "oif_that_is_detached_is_compared_with_nothing",
	  .rule = { OIF("wg0", -1) },
	  .key = { .oif = UINT32_MAX },
	  .want = "oif wg0 is detached (no such device)" },
	{ .name = "oif_of_a_vrf_needs_the_l3_master_of_the_flow",
	  .rule = { OIF("vrf1", VRF) },
	  .key = { .iif = ETH, .l3mdev = VRF },
	  .want = "oif's L3 master unset, needs vrf1",
	  .kernel = NEW },
	{ .name = "l3_master_that_is_a_device_of_the_flow_has_its_name",
	  .rule = { OIF("other", NAMELESS) },
	  .key = { .oif = VRF, .l3mdev = VRF, .flags = OF_OIF },
	  .want = "oif's L3 master vrf1, needs other",
	  .kernel = NEW },
	{ .name = "not_oif_shows_the_device",
	  .rule = { .invert = true, OIF("wg0", WG) },
	  .key = { .oif = WG },
	  .want = "not oif: wg0 = wg0" },

	{ .name = "whole_mark_is_compared_as_it_is",
	  .rule = { WHOLE_MARK(1) },
	  .key = { .mark = 0x40001 },
	  .want = "fwmark 0x40001 ≠ 0x1" },
	{ .name = "no_mark_is_zero",
	  .rule = { WHOLE_MARK(0xca6c) },
	  .want = "fwmark 0x0 ≠ 0xca6c" },
	{ .name = "mark_under_a_mask_shows_what_is_left_of_it",
	  .rule = { MARK(0x80000, 0xff0000) },
	  .key = { .mark = 0x40000 },
	  .want = "fwmark 0x40000 & 0xff0000 = 0x40000 ≠ 0x80000" },
	{ .name = "mark_with_bits_outside_its_mask_is_masked_too",
	  .rule = { MARK(0xf01, 0xff) },
	  .key = { .mark = 0x302 },
	  .want = "fwmark 0x302 & 0xff = 0x2 ≠ 0x1 = 0xf01 & 0xff" },
	{ .name = "zero_mark_under_a_mask_is_compared",
	  .rule = { MARK(0, 0xff) },
	  .key = { .mark = 0x101 },
	  .want = "fwmark 0x101 & 0xff = 0x1 ≠ 0x0" },
	{ .name = "not_fwmark_shows_the_equality",
	  .rule = { .invert = true, WHOLE_MARK(0xca6c) },
	  .key = { .mark = 0xca6c },
	  .want = "not fwmark: 0xca6c = 0xca6c" },
	{ .name = "not_fwmark_under_a_mask_shows_what_is_left",
	  .rule = { .invert = true, MARK(0x80000, 0xff0000) },
	  .key = { .mark = 0x80001 },
	  .want = "not fwmark: 0x80001 & 0xff0000 = 0x80000 = 0x80000" },
	{ .name = "not_fwmark_without_a_mask_never_applies",
	  .rule = { .invert = true, MARK(1, 0) },
	  .key = { .mark = 2 },
	  .want = "not fwmark: 0x2 & 0x0 = 0x0 = 0x0 = 0x1 & 0x0" },

	{ .name = "tun_id_needs_its_number",
	  .rule = { .tun_id = 0x100000001 },
	  .key = { .tun_id = 1 },
	  .want = "tun_id 1, needs 4294967297" },
	{ .name = "not_tun_id_shows_the_number",
	  .rule = { .invert = true, .tun_id = 7 },
	  .key = { .tun_id = 7 },
	  .want = "not tun_id: 7 = 7" },

	{ .name = "l3mdev_needs_a_vrf_device",
	  .rule = { .l3mdev = true },
	  .key = { .iif = LO },
	  .want = "l3mdev: no VRF device in the flow" },
	{ .name = "l3mdev_of_a_device_without_a_table_is_named",
	  .rule = { .l3mdev = true },
	  .key = { .l3mdev = NAMELESS },
	  .want = "l3mdev: if9 of the flow has no table" },
	{ .name = "not_l3mdev_has_a_vrf_device",
	  .rule = { .invert = true, .l3mdev = true },
	  .key = { .l3mdev = VRF },
	  .want = "not l3mdev: the flow has a VRF device" },

	{ .name = "uid_lies_outside_the_range",
	  .rule = { UIDS(1000, 1000) },
	  .want = "uid 0 not in 1000-1000" },
	{ .name = "invalid_uid_is_not_set",
	  .rule = { UIDS(0, 1000) },
	  .key = { .uid = NO_UID },
	  .want = "uid unset, needs 0-1000" },
	{ .name = "range_of_uids_that_is_empty_holds_none",
	  .rule = { UIDS(9, 3) },
	  .key = { .uid = 5 },
	  .want = "uid 5 not in 9-3" },
	{ .name = "not_uidrange_shows_the_uid",
	  .rule = { .invert = true, UIDS(0, 999) },
	  .key = { .uid = 33 },
	  .want = "not uidrange: 33 in 0-999" },
	{ .name = "range_of_all_uids_holds_the_invalid_one",
	  .rule = { .invert = true, UIDS(0, NO_UID) },
	  .key = { .uid = NO_UID },
	  .want = "not uidrange: unset in 0-4294967295" },

	{ .name = "source_that_is_not_set_is_said_so",
	  .rule = { .src = PREFIX(192, 0, 2, 0, 24) },
	  .want = "source unset, needs 192.0.2.0/24" },
	{ .name = "source_lies_outside_the_prefix",
	  .rule = { .src = PREFIX(192, 0, 2, 0, 24) },
	  .key = { .src = BYTES(198, 51, 100, 7) },
	  .want = "from 198.51.100.7 not in 192.0.2.0/24" },
	{ .name = "source_that_is_one_address_is_needed",
	  .rule = { .src = PREFIX(192, 0, 2, 2, 32) },
	  .key = { .src = BYTES(192, 0, 2, 3) },
	  .want = "from 192.0.2.3, needs 192.0.2.2" },
	{ .name = "source_of_ipv6_is_written_as_such",
	  .rule = { .family = AF_INET6, .src = { DOCUMENTATION, 32 } },
	  .key = { .family = AF_INET6, .src = { 0xfd, [15] = 1 } },
	  .want = "from fd00::1 not in 2001:db8::/32" },
	{ .name = "source_of_ipv6_that_is_not_set_is_said_so",
	  .rule = { .family = AF_INET6, .src = { DOCUMENTATION, 128 } },
	  .key = { .family = AF_INET6 },
	  .want = "source unset, needs 2001:db8::" },
	{ .name = "prefix_longer_than_an_address_holds_none",
	  .rule = { .src = PREFIX(192, 0, 2, 1, 129) },
	  .key = { .src = BYTES(192, 0, 2, 1) },
	  .want = "from 192.0.2.1 not in 192.0.2.1/129" },
	{ .name = "prefix_of_every_length_is_compared",
	  .rule = { .dst = PREFIX(192, 0, 2, 1, 255) },
	  .key = { .dst = BYTES(192, 0, 2, 1) },
	  .want = "to 192.0.2.1 not in 192.0.2.1/255" },
	{ .name = "not_from_shows_the_prefix",
	  .rule = { .invert = true, .src = PREFIX(192, 0, 2, 0, 24) },
	  .key = { .src = BYTES(192, 0, 2, 9) },
	  .want = "not from: 192.0.2.9 in 192.0.2.0/24" },
	{ .name = "source_that_is_not_set_lies_in_a_prefix_of_zero_bits",
	  .rule = { .invert = true, .src = PREFIX(0, 0, 0, 0, 8) },
	  .want = "not from: 0.0.0.0 in 0.0.0.0/8" },

	{ .name = "destination_lies_outside_the_prefix",
	  .rule = { .dst = PREFIX(10, 0, 0, 0, 8) },
	  .key = { .dst = BYTES(198, 51, 100, 1) },
	  .want = "to 198.51.100.1 not in 10.0.0.0/8" },
	{ .name = "destination_of_zero_bits_is_an_address",
	  .rule = { .dst = PREFIX(10, 0, 0, 1, 32) },
	  .want = "to 0.0.0.0, needs 10.0.0.1" },
	{ .name = "not_to_shows_the_address",
	  .rule = { .invert = true, .dst = PREFIX(10, 0, 0, 1, 32) },
	  .key = { .dst = BYTES(10, 0, 0, 1) },
	  .want = "not to: 10.0.0.1 = 10.0.0.1" },

	{ .name = "tos_is_compared_as_it_is_on_older_kernels",
	  .rule = { .tos = 0x10 },
	  .key = { .tos = 0x8 },
	  .want = "tos 0x8 ≠ 0x10",
	  .kernel = OLD },
	{ .name = "tos_is_compared_under_the_legacy_mask_on_newer_kernels",
	  .rule = { .tos = 0x10 },
	  .key = { .tos = 0xb8 },
	  .want = "tos 0xb8 & 0x1c = 0x18 ≠ 0x10",
	  .kernel = MIDDLE },
	{ .name = "tos_of_a_rule_is_never_masked_for_ipv4",
	  .rule = { .tos = 0xb8 },
	  .key = { .tos = 0xb8 },
	  .want = "tos 0xb8 & 0x1c = 0x18 ≠ 0xb8",
	  .kernel = MIDDLE },
	{ .name = "tos_of_ipv6_is_compared_without_the_ecn_bits",
	  .rule = { .family = AF_INET6, .tos = 0x10 },
	  .key = { .family = AF_INET6, .tos = 0xbb },
	  .want = "tos 0xbb & 0xfc = 0xb8 ≠ 0x10" },
	{ .name = "not_tos_shows_what_the_mask_left",
	  .rule = { .invert = true, .tos = 0x18 },
	  .key = { .tos = 0xb8 },
	  .want = "not tos: 0xb8 & 0x1c = 0x18 = 0x18",
	  .kernel = MIDDLE },

	{ .name = "dscp_is_decimal",
	  .rule = { DSCP(46, 63) },
	  .key = { .tos = 0x28 },
	  .want = "dscp 10 ≠ 46" },
	{ .name = "dscp_under_a_mask_is_hexadecimal",
	  .rule = { DSCP(0x10, 0x30) },
	  .key = { .tos = 0xb8 },
	  .want = "dscp 0x2e & 0x30 = 0x20 ≠ 0x10" },
	{ .name = "dscp_of_more_than_six_bits_is_masked",
	  .rule = { DSCP(0x6e, 63) },
	  .want = "dscp 0x0 & 0x3f = 0x0 ≠ 0x2e = 0x6e & 0x3f" },
	{ .name = "not_dscp_shows_the_equality",
	  .rule = { .invert = true, DSCP(46, 63) },
	  .key = { .tos = 0xb8 },
	  .want = "not dscp: 46 = 46" },

	{ .name = "flowlabel_is_hexadecimal",
	  .rule = { .family = AF_INET6, LABEL(0x12345, 0xfffff) },
	  .key = { .family = AF_INET6, .flowlabel = 0x12344 },
	  .want = "flowlabel 0x12344 ≠ 0x12345" },
	{ .name = "flowlabel_under_a_mask_shows_what_is_left",
	  .rule = { .family = AF_INET6, LABEL(0x100, 0xf00) },
	  .key = { .family = AF_INET6, .flowlabel = 0x2ff },
	  .want = "flowlabel 0x2ff & 0xf00 = 0x200 ≠ 0x100" },
	{ .name = "not_flowlabel_shows_the_equality",
	  .rule = { .invert = true, .family = AF_INET6, LABEL(0, 0xfffff) },
	  .key = { .family = AF_INET6 },
	  .want = "not flowlabel: 0x0 = 0x0" },

	{ .name = "ipproto_has_its_name",
	  .rule = { .ip_proto = UDP },
	  .key = { .protocol = ICMP },
	  .want = "ipproto icmp, needs udp" },
	{ .name = "ipproto_without_a_name_has_its_number",
	  .rule = { .ip_proto = 201 },
	  .key = { .protocol = 200 },
	  .want = "ipproto 200, needs 201" },
	{ .name = "ipproto_that_is_not_set_is_said_so",
	  .rule = { .ip_proto = TCP },
	  .want = "ipproto unset, needs tcp" },
	{ .name = "not_ipproto_shows_the_protocol",
	  .rule = { .invert = true, .ip_proto = UDP },
	  .key = { .protocol = UDP },
	  .want = "not ipproto: udp = udp" },

	{ .name = "single_port_is_needed",
	  .rule = { DPORT(4000, 4000) },
	  .key = { .protocol = UDP, .sport = 9, .dport = 80 },
	  .want = "dport 80, needs 4000" },
	{ .name = "port_lies_outside_the_range",
	  .rule = { SPORT(4000, 4010) },
	  .key = { .protocol = UDP, .sport = 80 },
	  .want = "sport 80 not in 4000-4010" },
	{ .name = "port_under_a_mask_shows_what_is_left",
	  .rule = { DPORT(0x1000, 0x1000), .dport_mask = 0xf000 },
	  .key = { .protocol = TCP, .dport = 0x2345 },
	  .want = "dport 0x2345 & 0xf000 = 0x2000 ≠ 0x1000" },
	{ .name = "mask_of_all_bits_is_none",
	  .rule = { SPORT(53, 53), .sport_mask = 0xffff },
	  .key = { .protocol = UDP, .sport = 54 },
	  .want = "sport 54, needs 53" },
	{ .name = "port_mask_stands_in_place_of_the_range",
	  .rule = { DPORT(53, 99), .dport_mask = 0xffff },
	  .key = { .protocol = UDP, .dport = 54 },
	  .want = "dport 54, needs 53" },
	{ .name = "ports_of_zero_may_be_a_fragments",
	  .rule = { DPORT(4000, 4000) },
	  .key = { .protocol = UDP },
	  .want = "dport 0 (a fragment, or not set), needs 4000" },
	{ .name = "ports_of_zero_may_be_a_fragments_in_a_range_too",
	  .rule = { SPORT(4000, 4001) },
	  .key = { .protocol = TCP },
	  .want = "sport 0 (a fragment, or not set) not in 4000-4001" },
	{ .name = "ports_of_zero_may_be_a_fragments_under_a_mask_too",
	  .rule = { DPORT(0x1000, 0x1000), .dport_mask = 0xf000 },
	  .key = { .protocol = UDP },
	  .want = "dport 0x0 & 0xf000 = 0x0 ≠ 0x1000 (a fragment, or not set)" },
	{ .name = "one_port_of_zero_is_no_fragments",
	  .rule = { SPORT(4000, 4000) },
	  .key = { .protocol = UDP, .dport = 53 },
	  .want = "sport 0, needs 4000" },
	{ .name = "protocol_without_ports_has_no_fragments",
	  .rule = { DPORT(4000, 4000) },
	  .key = { .protocol = GRE },
	  .want = "dport 0, needs 4000" },
	{ .name = "flow_without_a_protocol_has_no_fragments",
	  .rule = { DPORT(4000, 4000) },
	  .want = "dport 0, needs 4000" },
	{ .name = "icmp_type_stands_where_the_port_would",
	  .rule = { DPORT(4000, 4000) },
	  .key = { .protocol = ICMP, .dport = 8 << 8 },
	  .want = "dport 2048 (icmp type 8 code 0), needs 4000" },
	{ .name = "icmp_type_of_ipv6_stands_where_the_port_would",
	  .rule = { .family = AF_INET6, DPORT(4000, 4000) },
	  .key = { .family = AF_INET6, .protocol = ICMPV6, .dport = 128 << 8 | 1 },
	  .want = "dport 32769 (icmp type 128 code 1), needs 4000" },
	{ .name = "icmp_has_nothing_in_the_source_port",
	  .rule = { SPORT(1, 1) },
	  .key = { .protocol = ICMP, .dport = 8 << 8 },
	  .want = "sport 0, needs 1" },
	{ .name = "not_dport_shows_the_port",
	  .rule = { .invert = true, DPORT(53, 53) },
	  .key = { .protocol = UDP, .dport = 53 },
	  .want = "not dport: 53 = 53" },
	{ .name = "not_sport_shows_the_range",
	  .rule = { .invert = true, SPORT(1, 1023) },
	  .key = { .protocol = UDP, .sport = 53, .dport = 53 },
	  .want = "not sport: 53 in 1-1023" },

	{ .name = "destination_of_ipv6_speaks_before_the_source",
	  .rule = { .family = AF_INET6,
		    .src = PREFIX(0xfd, 0, 0, 0, 8),
		    .dst = PREFIX(0xfd, 0, 0, 0, 8) },
	  .key = { .family = AF_INET6, .src = { [15] = 9 }, .dst = { [15] = 9 } },
	  .want = "to ::9 not in fd00::/8" },
	{ .name = "source_of_ipv6_that_is_not_set_is_said_so",
	  .rule = { .family = AF_INET6, .src = { .length = 1 } },
	  .key = { .family = AF_INET6, .iif = FLOW_IFINDEX_LO },
	  .want = "source unset, needs ::/1" },
	{ .name = "source_of_a_received_packet_is_compared_though_it_is_zero",
	  .rule = { .family = AF_INET6, .src = PREFIX(0xfd, 0, 0, 0, 8) },
	  .key = { .family = AF_INET6, .iif = ETH },
	  .want = "from :: not in fd00::/8" },
	{ .name = "first_of_several_selectors_speaks",
	  .rule = { WHOLE_MARK(1), .dst = PREFIX(10, 0, 0, 0, 8), .ip_proto = UDP },
	  .key = { .mark = 1 },
	  .want = "to 0.0.0.0 not in 10.0.0.0/8" },
	{ .name = "not_of_several_selectors_lists_what_matched",
	  .rule = { .invert = true, .src = PREFIX(10, 0, 0, 0, 8), WHOLE_MARK(0xca6c) },
	  .key = { .src = BYTES(10, 1, 1, 1), .mark = 0xca6c },
	  .want = "not: all of from 10.0.0.0/8 fwmark 0xca6c matched" },
	{ .name = "not_of_l3mdev_and_more_lists_it_too",
	  .rule = { .invert = true, .l3mdev = true, WHOLE_MARK(1) },
	  .key = { .l3mdev = VRF, .mark = 1 },
	  .want = "not: all of from all fwmark 0x1 l3mdev matched" },
	{ .name = "not_without_a_selector_never_applies",
	  .rule = { .invert = true },
	  .want = "not: no selector to refuse by, never applies" },
	{ .name = "not_with_a_selector_that_nobody_knows_is_not_explained",
	  .rule = { .invert = true, WHOLE_MARK(1), .unknown_count = 1 },
	  .key = { .mark = 1 },
	  .want = "not" },
	{ .name = "not_that_was_cut_off_is_not_explained",
	  .rule = { .invert = true, .truncated = true },
	  .want = "not" },
	{ .name = "selector_that_nobody_knows_hides_no_refusal",
	  .rule = { WHOLE_MARK(1), .unknown_count = 1 },
	  .want = "fwmark 0x0 ≠ 0x1" },
};

static void print(struct text *text, const struct rule *rule, const struct flow_key *key,
		  struct mismatch mismatch, bool ascii)
{
	const struct mismatch_options options = {
		.mismatch = mismatch,
		.iif = name_of(key->iif),
		.oif = name_of(key->oif),
		.ascii = ascii,
	};

	text_clear(text);
	rule_print_mismatch(text, rule, key, &options);
}

/* The text with each "≠" as "!=". */
static void add_ascii(struct text *out, const char *text)
{
	const char *mark;

	for (; (mark = strstr(text, "≠")); text = mark + strlen("≠")) {
		text_add_bytes(out, text, (size_t)(mark - text));
		text_add(out, "!=");
	}
	text_add(out, text);
}

static void set_families(struct rule *rule, struct flow_key *key)
{
	if (!rule->family)
		rule->family = AF_INET;
	if (!key->family)
		key->family = AF_INET;
}

static void check_row(void **state)
{
	struct row *row = *state;
	struct text text = { 0 }, ascii = { 0 };
	struct mismatch mismatch;

	set_families(&row->rule, &row->key);
	mismatch = rule_mismatch(&row->rule, &row->key, &contexts[row->kernel]);
	assert_int_equal(!mismatch.selector,
			 rule_applies(&row->rule, &row->key, &contexts[row->kernel]));
	print(&text, &row->rule, &row->key, mismatch, false);
	assert_string_equal(text_string(&text), row->want);
	add_ascii(&ascii, row->want);
	print(&text, &row->rule, &row->key, mismatch, true);
	assert_string_equal(text_string(&text), text_string(&ascii));
	text_free(&text);
	text_free(&ascii);
}

/* A mismatch that rule and flow do not bear out: the policy knew more, or the log is wrong. */
struct named_row {
	struct rule rule;
	struct flow_key key;
	struct mismatch mismatch;
	const char *want;
};

static const struct named_row named_rows[] = {
	{ .rule = { WHOLE_MARK(1) },
	  .key = { .mark = 1 },
	  .mismatch = { .selector = SELECTOR_FWMARK },
	  .want = "fwmark" },
	{ .rule = { WHOLE_MARK(1) }, .mismatch = { .selector = SELECTOR_IIF }, .want = "iif" },
	{ .mismatch = { .selector = SELECTOR_UIDRANGE }, .want = "uidrange" },
	{ .rule = { .invert = true, WHOLE_MARK(1) },
	  .mismatch = { .selector = SELECTOR_NOT },
	  .want = "not" },
	{ .rule = { WHOLE_MARK(1) },
	  .key = { .mark = 1 },
	  .mismatch = { .selector = SELECTOR_NOT },
	  .want = "not" },
	{ .rule = { IIF("vrf1", VRF) },
	  .key = { .iif = VRF },
	  .mismatch = { .selector = SELECTOR_IIF },
	  .want = "iif" },
	{ .rule = { .tos = 0x18 },
	  .key = { .tos = 0xb8 },
	  .mismatch = { .selector = SELECTOR_TOS, .tos_compare = TOS_MASKED },
	  .want = "tos" },
	{ .rule = { .tos = 0x18 },
	  .key = { .tos = 0xb8 },
	  .mismatch = { .selector = SELECTOR_TOS, .tos_compare = TOS_EXACT },
	  .want = "tos 0xb8 ≠ 0x18" },
	{ .mismatch = { .selector = SELECTOR_NONE }, .want = "" },
	{ .mismatch = { .selector = SELECTOR_COUNT }, .want = "" },
	{ .mismatch = { .selector = (enum selector_id)UINT32_MAX }, .want = "" },
};

static void what_rule_and_flow_do_not_bear_out_is_only_named(void **state)
{
	struct text text = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(named_rows); i++) {
		struct rule rule = named_rows[i].rule;
		struct flow_key key = named_rows[i].key;

		set_families(&rule, &key);
		print(&text, &rule, &key, named_rows[i].mismatch, false);
		assert_string_equal(text_string(&text), named_rows[i].want);
	}
	text_free(&text);
}

static void devices_without_any_names_have_their_numbers(void **state)
{
	const struct mismatch_options options = { .mismatch.selector = SELECTOR_IIF };
	const struct rule rule = { .family = AF_INET, IIF("eth0", ETH) };
	const struct flow_key key = { .family = AF_INET, .iif = WG };
	struct text text = { 0 };

	(void)state;
	rule_print_mismatch(&text, &rule, &key, &options);
	assert_string_equal(text_string(&text), "iif if5, needs eth0");
	text_free(&text);
}

static void text_is_appended(void **state)
{
	const struct mismatch_options options = { .mismatch.selector = SELECTOR_FWMARK };
	const struct rule rule = { .family = AF_INET, WHOLE_MARK(1) };
	const struct flow_key marked = { .family = AF_INET, .mark = 1 }, other = { .mark = 2 };
	struct text text = { 0 };

	(void)state;
	text_add(&text, "skipped: ");
	rule_print_mismatch(&text, &rule, &marked, &options);
	text_add(&text, ", ");
	rule_print_mismatch(&text, &rule, &other, &options);
	assert_string_equal(text_string(&text), "skipped: fwmark, fwmark 0x2 ≠ 0x1");
	text_free(&text);
}

static void all_selectors_that_refuse_are_told(void **state)
{
	const struct rule rule = { .family = AF_INET,
				   WHOLE_MARK(1),
				   UIDS(5, 5),
				   .dst = PREFIX(10, 0, 0, 0, 8),
				   .ip_proto = UDP,
				   .invert = true,
				   DPORT(53, 53) };
	const struct flow_key key = { .family = AF_INET, .mark = 1, .protocol = TCP, .dport = 53 };

	(void)state;
	assert_int_equal(rule_mismatches(&rule, &key, &contexts[OLD]),
			 1u << SELECTOR_UIDRANGE | 1u << SELECTOR_TO | 1u << SELECTOR_IPPROTO);
	assert_int_equal(rule_first_mismatch(&rule, &key, &contexts[OLD]), SELECTOR_UIDRANGE);
	assert_int_equal(rule_mismatch(&rule, &key, &contexts[OLD]).selector, SELECTOR_NONE);
}

static uint32_t random_below(uint64_t *random, uint32_t limit)
{
	uint64_t z = *random += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (uint32_t)((z ^ z >> 31) % limit);
}

static uint32_t one_of(uint64_t *random, const uint32_t *values, size_t count)
{
	return values[random_below(random, (uint32_t)count)];
}

#define ONE_OF(random, ...)                                                                        \
	one_of(random, (const uint32_t[]){ __VA_ARGS__ },                                          \
	       ARRAY_SIZE(((const uint32_t[]){ __VA_ARGS__ })))

static bool sometimes(uint64_t *random)
{
	return !random_below(random, 4);
}

static struct flow_key random_key(uint64_t *random)
{
	struct flow_key key = {
		.family = (uint8_t)ONE_OF(random, AF_INET, AF_INET6),
		.iif = ONE_OF(random, 0, LO, ETH, WG, VRF),
		.oif = ONE_OF(random, 0, ETH, WG, VRF, NAMELESS),
		.mark = ONE_OF(random, 0, 1, 0xca6c, 0x80000, 0x80001, UINT32_MAX),
		.tun_id = ONE_OF(random, 0, 7),
		.l3mdev = ONE_OF(random, 0, VRF, NAMELESS),
		.uid = ONE_OF(random, 0, 1000, NO_UID),
		.tos = (uint8_t)ONE_OF(random, 0, 0x10, 0x18, 0xb8, 0xff),
		.flowlabel = ONE_OF(random, 0, 0x12345, 0xfffff, UINT32_MAX),
		.protocol = (uint8_t)ONE_OF(random, 0, ICMP, TCP, UDP, ICMPV6, 200),
		.sport = (uint16_t)ONE_OF(random, 0, 53, 0x1234, 65535),
		.dport = (uint16_t)ONE_OF(random, 0, 53, 0x1234, 2048),
		.flags = (uint8_t)ONE_OF(random, 0, OF_OIF),
	};

	key.src[0] = (uint8_t)ONE_OF(random, 0, 10, 192);
	key.dst[0] = (uint8_t)ONE_OF(random, 0, 10, 192);
	key.dst[3] = (uint8_t)ONE_OF(random, 0, 1);
	return key;
}

static struct rule_prefix random_prefix(uint64_t *random)
{
	return (struct rule_prefix){
		.address = { (uint8_t)ONE_OF(random, 0, 10, 192) },
		.length = (uint8_t)ONE_OF(random, 0, 0, 0, 4, 8, 32, 33, 64, 128, 129, 255),
	};
}

static void random_devices(struct rule *rule, uint64_t *random)
{
	if (sometimes(random)) {
		memcpy(rule->iif, SIXTEEN_BYTES, sizeof(rule->iif));
		rule->iif_index = (int)ONE_OF(random, 0, LO, ETH, VRF, NAMELESS, UINT32_MAX);
	}
	if (sometimes(random)) {
		strcpy(rule->oif, "wg0");
		rule->oif_index = (int)ONE_OF(random, 0, ETH, WG, VRF, UINT32_MAX);
	}
}

static void random_ports(struct rule *rule, uint64_t *random)
{
	rule->has_sport = sometimes(random);
	rule->sport.first = (uint16_t)ONE_OF(random, 0, 53, 0x1000);
	rule->sport.last = (uint16_t)ONE_OF(random, 53, 0x1000, 65535);
	rule->sport_mask = (uint16_t)ONE_OF(random, 0, 0xf000, 0xff, 0xffff);
	rule->has_dport = sometimes(random);
	rule->dport.first = (uint16_t)ONE_OF(random, 0, 53, 0x1000);
	rule->dport.last = rule->dport.first;
	rule->dport_mask = (uint16_t)ONE_OF(random, 0, 0xf000, 0xffff);
}

static struct rule random_rule(uint64_t *random, uint8_t family)
{
	struct rule rule = {
		.family = family,
		.invert = sometimes(random),
		.src = random_prefix(random),
		.dst = random_prefix(random),
		.mark = ONE_OF(random, 0, 0, 1, 0xca6c, 0x80000, 0xf01),
		.mark_mask = ONE_OF(random, 0, 0, 1, 0xff0000, UINT32_MAX),
		.tun_id = ONE_OF(random, 0, 0, 0, 7),
		.l3mdev = sometimes(random),
		.has_uids = sometimes(random),
		.uid_first = ONE_OF(random, 0, 1000),
		.uid_last = ONE_OF(random, 0, 1000, NO_UID),
		.tos = (uint8_t)ONE_OF(random, 0, 0, 0, 0x10, 0x18, 0xb8),
		.has_dscp = sometimes(random),
		.dscp = (uint8_t)ONE_OF(random, 0, 6, 46, 255),
		.dscp_mask = (uint8_t)ONE_OF(random, 63, 0x30, 0, 255),
		.ip_proto = (uint8_t)ONE_OF(random, 0, 0, 0, TCP, UDP, 200),
		.has_flowlabel = sometimes(random),
		.flowlabel = ONE_OF(random, 0, 0x12345, UINT32_MAX),
		.flowlabel_mask = ONE_OF(random, 0xfffff, 0xf00, UINT32_MAX),
		.unknown_count = sometimes(random),
	};

	random_devices(&rule, random);
	random_ports(&rule, random);
	return rule;
}

/* "0x302", "0x302 & 0xff": its value, *end behind it. */
static uint64_t term(const char *text, const char **end)
{
	char *after;
	uint64_t value = strtoull(text, &after, 0);

	assert_ptr_not_equal(after, text);
	if (!strncmp(after, " & ", 3))
		value &= strtoull(after + 3, &after, 0);
	*end = after;
	return value;
}

/* Each term of "0x302 & 0xff = 0x2 ≠ 0x1 = 0xf01 & 0xff" is to the next what is said of them. */
static void check_chain(const char *text)
{
	uint64_t left = term(text, &text);

	while (*text && strncmp(text, " (", 2)) {
		bool equal = !strncmp(text, " = ", 3);
		uint64_t right;

		assert_true(equal || !strncmp(text, " ≠ ", strlen(" ≠ ")));
		right = term(text + (equal ? 3 : strlen(" ≠ ")), &text);
		assert_int_equal(left == right, equal);
		left = right;
	}
}

/* "5 in 0-9", "5 not in 9-10", "80, needs 4000": of decimal numbers. */
static void check_range(const char *text, bool within)
{
	const char *range = strstr(text, within ? " in " : " not in ");
	char *after;
	uint64_t value = strtoull(text, &after, 10), first;

	if (!range) {
		range = strstr(text, within ? " = " : ", needs ");
		assert_non_null(range);
		assert_int_equal(value == strtoull(strrchr(range, ' '), NULL, 10), within);
		return;
	}
	first = strtoull(strrchr(range, ' '), &after, 10);
	assert_int_equal(*after, '-');
	assert_int_equal(value >= first && value <= strtoull(after + 1, NULL, 10), within);
}

/* The arithmetic of one selector, when it is of numbers. */
static void check_arithmetic(const char *text, enum selector_id selector, bool accepted)
{
	const char *digits = accepted ? strchr(text, ':') + 1 : strchr(text, ' ');

	if (!digits || !strncmp(digits, " unset", 6))
		return;
	switch (selector) {
	case SELECTOR_SPORT:
	case SELECTOR_DPORT:
		if (!strchr(digits, '&')) {
			check_range(digits, accepted);
			break;
		}
		__attribute__((fallthrough));
	case SELECTOR_FWMARK:
	case SELECTOR_TOS:
	case SELECTOR_DSCP:
	case SELECTOR_FLOWLABEL:
		check_chain(digits);
		break;
	case SELECTOR_TUN_ID:
	case SELECTOR_UIDRANGE:
		check_range(digits, accepted);
		break;
	default:
		break;
	}
}

static void check_text(const struct rule *rule, const struct flow_key *key,
		       struct mismatch mismatch, struct text *text)
{
	print(text, rule, key, mismatch, false);
	assert_int_equal(!text->length, mismatch.selector == SELECTOR_NONE);
	assert_null(strchr(text_string(text), '\n'));
	if (mismatch.selector == SELECTOR_NONE)
		return;
	if (mismatch.selector != SELECTOR_NOT)
		check_arithmetic(text_string(text), mismatch.selector, false);
	else if (!strncmp(text_string(text), "not ", 4))
		check_arithmetic(text_string(text), __builtin_ctz(selectors_used(rule)), true);
	print(text, rule, key, mismatch, true);
	for (size_t i = 0; i < text->length; i++)
		assert_in_range(text->string[i], ' ', '~');
}

/* Whatever a log says, a selector that did not refuse is named and nothing is claimed of it. */
static void check_any_selector(const struct rule *rule, const struct flow_key *key,
			       const struct mismatch *real, uint32_t refused, struct text *text)
{
	for (enum selector_id i = SELECTOR_IIF; i < SELECTOR_NOT; i++) {
		struct mismatch mismatch = *real;

		mismatch.selector = i;
		print(text, rule, key, mismatch, false);
		if (refused & 1u << i)
			check_arithmetic(text_string(text), i, false);
		else if (i != SELECTOR_L3MDEV)
			assert_string_equal(text_string(text), selectors[i].name);
	}
}

/* The kernel asks in the order of the selectors' numbers, but `to` before `from` for IPv6. */
static enum selector_id first_asked(const struct rule *rule, uint32_t refused)
{
	enum selector_id first = __builtin_ctz(refused);

	if (rule->family == AF_INET6 && first == SELECTOR_FROM && refused & 1u << SELECTOR_TO)
		return SELECTOR_TO;
	return first;
}

static void check_random(uint64_t *random, struct text *text, uint32_t *seen)
{
	const struct match_context *context = &contexts[random_below(random, KERNELS)];
	struct flow_key key = random_key(random);
	struct rule rule = random_rule(random, key.family);
	uint32_t refused = rule_mismatches(&rule, &key, context);
	enum selector_id first = rule_first_mismatch(&rule, &key, context);
	struct mismatch mismatch = rule_mismatch(&rule, &key, context);

	assert_int_equal(!refused, first == SELECTOR_NONE);
	assert_int_equal(refused & ~selectors_used(&rule), 0);
	if (refused)
		assert_int_equal(first_asked(&rule, refused), first);
	assert_int_equal(mismatch.selector == SELECTOR_NONE, rule_applies(&rule, &key, context));
	if (!rule.invert)
		assert_int_equal(mismatch.selector, first);
	else
		assert_int_equal(mismatch.selector, refused ? SELECTOR_NONE : SELECTOR_NOT);
	check_text(&rule, &key, mismatch, text);
	if (mismatch.selector != SELECTOR_NONE)
		check_any_selector(&rule, &key, &mismatch, refused, text);
	*seen |= 1u << mismatch.selector;
}

static void what_is_said_of_random_rules_and_flows_is_true(void **state)
{
	struct text text = { 0 };
	uint64_t random = 1;
	uint32_t seen = 0;

	(void)state;
	for (int i = 0; i < 50000; i++)
		check_random(&random, &text, &seen);
	assert_int_equal(seen, (1u << SELECTOR_COUNT) - 1);
	assert_false(text.failed);
	text_free(&text);
}

int main(void)
{
	struct CMUnitTest tests[5 + ARRAY_SIZE(rows)] = {
		cmocka_unit_test(what_rule_and_flow_do_not_bear_out_is_only_named),
		cmocka_unit_test(devices_without_any_names_have_their_numbers),
		cmocka_unit_test(text_is_appended),
		cmocka_unit_test(all_selectors_that_refuse_are_told),
		cmocka_unit_test(what_is_said_of_random_rules_and_flows_is_true),
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		tests[5 + i] = (struct CMUnitTest){ rows[i].name, check_row, NULL, NULL, &rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
