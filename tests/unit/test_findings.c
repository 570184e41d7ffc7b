// SPDX-License-Identifier: GPL-2.0-only
/* Findings: each kind where it is meant to be found, and where something alike is as it should be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>

#include "rules/owners.h"
#include "scene_lookup.h"
#include "trace/explain.h"
#include "util/text.h"

#define RULES_MAX 14
#define ROUTES_MAX 10
#define BEFORE_MAX 2

/* Which of a row's devices are tunnels, beside or in place of wg0 and tailscale0. */
#define TUNNEL(device) (1u << (device))
#define TUNNELS_DEFAULT (TUNNEL(WG0) | TUNNEL(TAILSCALE0))

/*
 * One host, what was looked up on it before, and all that is found about a lookup:
 * "KIND SEVERITY [RULE] [by RULE]", joined by ", ". near: a kind that is not
 * among them, and nearly is. All kinds of the host's own addresses are in local.
 */
struct row {
	const char *name;
	struct rule rules[RULES_MAX];
	struct route_row routes[ROUTES_MAX];
	struct flow_row before[BEFORE_MAX];
	struct flow_row flow;
	const char *want;
	const char *near;
	uint32_t tunnels; /* 0: TUNNELS_DEFAULT */
	uint8_t rp_filter; /* of all devices */
};

/* The host's addresses. */
static const struct {
	uint32_t dev;
	const char *address;
	uint8_t length;
} addresses[] = {
	{ LO, "127.0.0.1", 8 },
	{ LO, "192.0.2.99", 32 },
	{ ETH0, "192.0.2.2", 24 },
	{ WG0, "10.64.0.2", 32 },
	{ WG0, "203.0.113.130", 25 },
	{ WG0, "198.51.100.200", 32 },
	{ TAILSCALE0, "198.51.100.200", 32 },
	{ TAILSCALE0, "100.64.0.2", 32 },
	{ LAN0, "10.10.0.1", 24 },
	{ SLAVE, "10.20.0.1", 24 },
};

/* --- rules and routes that many rows have ---------------------------------------------------- */

#define KERNEL .protocol = RTPROT_KERNEL
#define FWMARK(value, bits) .mark = (value), .mark_mask = (bits)
#define FROM(bits, ...) .src = { .address = { __VA_ARGS__ }, .length = (bits) }
#define TO(bits, ...) .dst = { .address = { __VA_ARGS__ }, .length = (bits) }
#define FROM_LAN FROM(24, 10, 10, 0)
#define FROM_SECOND FROM(32, 203, 0, 113, 130)

#define LOCAL_RULE                                                                                 \
	{                                                                                          \
		LOOKUP(0, 255), KERNEL                                                             \
	}
#define MAIN_RULE                                                                                  \
	{                                                                                          \
		LOOKUP(32766, 254), KERNEL                                                         \
	}
#define DEFAULT_RULE                                                                               \
	{                                                                                          \
		LOOKUP(32767, 253), KERNEL                                                         \
	}
#define TAILSCALE                                                                                  \
	{ LOOKUP(5210, 254), FWMARK(0x80000, 0xff0000) },                                          \
		{ LOOKUP(5230, 253), FWMARK(0x80000, 0xff0000) },                                  \
		{ ACTION(5250, RULE_UNREACHABLE), FWMARK(0x80000, 0xff0000) },                     \
	{                                                                                          \
		LOOKUP(5270, 52)                                                                   \
	}
/* The suppressor has the priority before. */
#define WG_QUICK(at)                                                                               \
	{ LOOKUP((at)-1, 254), LENGTH(0) },                                                        \
	{                                                                                          \
		LOOKUP(at, 51820), NOT_MARKED                                                      \
	}
#define BAD_ORDER LOCAL_RULE, WG_QUICK(5209), TAILSCALE, MAIN_RULE, DEFAULT_RULE
#define GOOD_ORDER LOCAL_RULE, TAILSCALE, WG_QUICK(32765), MAIN_RULE, DEFAULT_RULE
#define BUILT_IN LOCAL_RULE, MAIN_RULE, DEFAULT_RULE

#define UPLINK VIA(254, "0.0.0.0", 0, ETH0, GATEWAY)
#define NET CONNECTED(254, "192.0.2.0", 24, ETH0)
#define LAN CONNECTED(254, "10.10.0.0", 24, LAN0)
#define HOME UPLINK, NET, LAN
#define VPN ROUTE(51820, "0.0.0.0", 0, WG0)
#define TAIL ROUTE(52, "100.85.80.11", 32, TAILSCALE0)
#define BY_WG0(table) ROUTE(table, "0.0.0.0", 0, WG0)

#define INTERNET "198.51.100.1"
#define ENDPOINT "203.0.113.5"
#define SECOND "203.0.113.130"
#define SHARED "198.51.100.200"

/* A packet that came by a device, and the answer that the kernel itself gives it. */
#define CAME(device, from, to)                                                                     \
	{                                                                                          \
		.purpose = PURPOSE_INPUT, .cause = CAUSE_RECEIVE, .level = LEVEL_SOFTIRQ,          \
		.iif = (device), .src = (from), .dst = (to)                                        \
	}
#define CAME_MARKED(device, from, to, fwmark)                                                      \
	{                                                                                          \
		.purpose = PURPOSE_INPUT, .cause = CAUSE_RECEIVE, .level = LEVEL_SOFTIRQ,          \
		.iif = (device), .src = (from), .dst = (to), .mark = (fwmark)                      \
	}
#define ANSWER(from, to)                                                                           \
	{                                                                                          \
		.cause = CAUSE_REPLY, .level = LEVEL_SOFTIRQ, .src = (from), .dst = (to)           \
	}
/* The check of a packet from an address to one of this host's. */
#define CHECK(of, to, fwmark)                                                                      \
	{                                                                                          \
		.purpose = PURPOSE_SOURCE_CHECK, .cause = CAUSE_RECEIVE, .level = LEVEL_SOFTIRQ,   \
		.src = (to), .dst = (of), .mark = (fwmark)                                         \
	}
/* A packet of a TCP connection from port 40000 to port 443. */
#define SEGMENT(from, to, fwmark)                                                                  \
	{                                                                                          \
		.protocol = IPPROTO_TCP, .sport = 40000, .dport = 443, .src = (from), .dst = (to), \
		.mark = (fwmark)                                                                   \
	}

static const struct row rows[] = {
	/* shadowed-route */
	{ "wg_quick_in_front_of_tailscale_takes_the_tailnet",
	  { BAD_ORDER },
	  { HOME, VPN, TAIL },
	  .want = "shadowed-route warning 5270 by 5209, auto-priority info 5209" },
	{ "tailscale_in_front_of_wg_quick_keeps_the_tailnet",
	  { GOOD_ORDER },
	  { HOME, VPN, TAIL },
	  .want = "",
	  .near = "shadowed-route" },
	{ "a_route_of_main_that_the_suppressor_lets_pass_shadows_nothing",
	  { BAD_ORDER },
	  { HOME, VPN, TAIL, ROUTE(254, "100.64.0.0", 10, TAILSCALE0) },
	  .want = "",
	  .near = "shadowed-route" },
	{ "a_rule_for_some_packets_is_shadowed_by_a_route_that_is_as_long",
	  { LOCAL_RULE,
	    WG_QUICK(511),
	    { LOOKUP(512, 254), TO(32, 10, 10, 0, 5) },
	    { LOOKUP(1024, 254), FWMARK(0x80, 0x80) },
	    { LOOKUP(1536, 2), FROM(32, 10, 10, 0, 5) },
	    MAIN_RULE },
	  { HOME, VPN, VIA(2, "0.0.0.0", 0, ETH0, GATEWAY) },
	  .flow = CAME(LAN0, "10.10.0.5", INTERNET),
	  .want = "shadowed-route warning 1536 by 511, auto-priority info 511" },
	{ "a_rule_for_all_with_a_route_as_long_is_only_behind",
	  { LOCAL_RULE, { LOOKUP(100, 101) }, { LOOKUP(200, 102) }, MAIN_RULE },
	  { HOME, BY_WG0(101), ROUTE(102, "0.0.0.0", 0, TAILSCALE0) },
	  .flow = { .dst = INTERNET },
	  .want = "",
	  .near = "shadowed-route" },
	{ "a_longer_prefix_with_the_same_nexthop_changes_nothing",
	  { LOCAL_RULE, { LOOKUP(100, 101) }, { LOOKUP(200, 102) }, MAIN_RULE },
	  { HOME, BY_WG0(101), ROUTE(102, "198.51.100.0", 24, WG0) },
	  .flow = { .dst = INTERNET },
	  .want = "",
	  .near = "shadowed-route" },
	{ "a_rule_that_selects_was_meant_to_come_first",
	  { LOCAL_RULE, { LOOKUP(100, 101), FROM_SECOND }, { LOOKUP(200, 102) }, MAIN_RULE },
	  { HOME, BY_WG0(101), ROUTE(102, "198.51.100.0", 24, TAILSCALE0) },
	  .flow = { .src = SECOND, .dst = INTERNET },
	  .want = "",
	  .near = "shadowed-route" },
	{ "a_later_rule_that_would_suppress_by_group_has_no_answer",
	  { LOCAL_RULE, { LOOKUP(100, 101) }, { LOOKUP(200, 102), GROUP(7) }, MAIN_RULE },
	  { HOME, ROUTE(101, "0.0.0.0", 0, TAILSCALE0), ROUTE(102, "198.51.100.0", 24, WG0) },
	  .flow = { .dst = INTERNET },
	  .want = "",
	  .near = "shadowed-route" },
	{ "a_vrf_is_not_shown_what_others_know",
	  { LOCAL_RULE,
	    { LOOKUP(1000, 0), .l3mdev = true, KERNEL },
	    { LOOKUP(2000, 255) },
	    MAIN_RULE },
	  { HOME, ROUTE(1001, "0.0.0.0", 0, SLAVE) },
	  .flow = { .purpose = PURPOSE_INPUT,
		    .level = LEVEL_SOFTIRQ,
		    .iif = VRF0,
		    .l3mdev = VRF0,
		    .src = "10.20.0.9",
		    .dst = "10.10.0.5" },
	  .want = "",
	  .near = "default-only-table" },
	{ "a_later_group_of_other_devices_would_have_let_it_pass",
	  { LOCAL_RULE, { LOOKUP(100, 101) }, { LOOKUP(200, 102), GROUP(8) }, MAIN_RULE },
	  { HOME, ROUTE(101, "0.0.0.0", 0, TAILSCALE0), ROUTE(102, "198.51.100.0", 24, WG0) },
	  .flow = { .dst = INTERNET },
	  .want = "shadowed-route warning 200 by 100" },
	{ "another_gateway_on_the_same_device_is_another_way",
	  { LOCAL_RULE, { LOOKUP(100, 101) }, MAIN_RULE },
	  { HOME, VIA(101, "0.0.0.0", 0, ETH0, GATEWAY),
	    VIA(254, "198.51.100.0", 24, ETH0, "192.0.2.254") },
	  .flow = { .dst = INTERNET },
	  .want = "shadowed-route warning 32766 by 100" },
	{ "a_rule_for_all_that_is_no_tunnel_shadows_main",
	  { LOCAL_RULE, { LOOKUP(100, 101) }, MAIN_RULE },
	  { HOME, BY_WG0(101) },
	  .flow = { .dst = GATEWAY },
	  .want = "shadowed-route warning 32766 by 100" },
	{ "a_tunnel_that_takes_a_network_takes_not_everything",
	  { LOCAL_RULE, TAILSCALE, MAIN_RULE },
	  { HOME, TAIL, ROUTE(52, "192.0.0.0", 16, TAILSCALE0) },
	  .flow = { .dst = GATEWAY },
	  .want = "shadowed-route warning 32766 by 5270",
	  .near = "connected-shadowed" },
	{ "a_rule_for_some_packets_with_a_shorter_prefix_knows_no_better",
	  { LOCAL_RULE, TAILSCALE, { LOOKUP(6000, 102), FROM_SECOND }, MAIN_RULE },
	  { HOME, TAIL, BY_WG0(102) },
	  .flow = { .src = SECOND },
	  .want = "",
	  .near = "shadowed-route" },
	{ "two_rules_that_nobody_knows_may_be_one_behind_the_other",
	  { LOCAL_RULE, { LOOKUP(100, 101) }, { LOOKUP(200, 102), FROM_SECOND }, MAIN_RULE },
	  { HOME, ROUTE(101, "0.0.0.0", 0, TAILSCALE0), BY_WG0(102) },
	  .flow = { .src = SECOND, .dst = INTERNET },
	  .want = "",
	  .near = "shadowed-route" },
	/* rule-before-local */
	{ "rules_in_front_of_local_take_the_hosts_own_address",
	  { { LOOKUP(9, 2004), FWMARK(0x200, 0xf00), KERNEL },
	    WG_QUICK(99),
	    { LOOKUP(100, 255), KERNEL },
	    MAIN_RULE },
	  { UPLINK, VPN },
	  .flow = { .dst = "127.0.0.1" },
	  .want = "rule-before-local error 100 by 99, auto-priority info 99" },
	{ "a_rule_for_some_packets_in_front_of_local_takes_it_too",
	  { { LOOKUP(9, 101), .iif = "eth0" }, { LOOKUP(100, 255) }, MAIN_RULE },
	  { HOME, BY_WG0(101) },
	  .flow = CAME(ETH0, INTERNET, "192.0.2.2"),
	  .want = "rule-before-local error 100 by 9" },
	{ "who_moved_local_behind_his_own_rule_means_it",
	  { { LOOKUP(9, 2004), FWMARK(0x200, 0xf00), KERNEL },
	    { LOOKUP(10, 2005), FWMARK(0xa00, 0xf00), KERNEL },
	    { LOOKUP(100, 255), KERNEL },
	    MAIN_RULE },
	  { HOME, VIA(2005, "0.0.0.0", 0, ETH0, GATEWAY) },
	  .flow = { .dst = "192.0.2.2", .mark = 0xa00 },
	  .want = "",
	  .near = "rule-before-local" },
	{ "a_table_that_delivers_to_this_host_is_no_capture",
	  { { LOOKUP(9, 2004), FWMARK(0x200, 0xf00), KERNEL }, { LOOKUP(100, 255) }, MAIN_RULE },
	  { HOME, { .table = 2004, .dst = "0.0.0.0", .type = RTN_LOCAL, .dev = LO } },
	  .flow = { .dst = "192.0.2.2", .mark = 0x200 },
	  .want = "",
	  .near = "rule-before-local" },
	/* suppress-after-catch-all */
	{ "a_pair_that_stands_the_wrong_way_round_loses_the_network",
	  { LOCAL_RULE,
	    { LOOKUP(0, 77), FROM(32, 10, 9, 9, 9) },
	    { LOOKUP(0, 51820), NOT_MARKED },
	    { LOOKUP(0, 254), LENGTH(0) },
	    MAIN_RULE },
	  { HOME, VPN },
	  .flow = { .dst = GATEWAY },
	  .want = "suppress-after-catch-all warning 0 by 0" },
	{ "a_pair_in_order_keeps_it",
	  { LOCAL_RULE, { LOOKUP(2, 77), FROM(32, 10, 9, 9, 9) }, WG_QUICK(32765), MAIN_RULE },
	  { HOME, VPN },
	  .flow = { .dst = GATEWAY },
	  .want = "",
	  .near = "suppress-after-catch-all" },
	{ "a_suppressor_behind_that_would_suppress_lost_nothing",
	  { LOCAL_RULE,
	    { LOOKUP(10, 51820), NOT_MARKED },
	    { LOOKUP(11, 254), LENGTH(0) },
	    MAIN_RULE },
	  { HOME, VPN },
	  .flow = { .dst = INTERNET },
	  .want = "missing-suppress info 10",
	  .near = "suppress-after-catch-all" },
	{ "a_suppressor_behind_that_suppresses_networks_lost_none",
	  { LOCAL_RULE, { LOOKUP(10, 51820), NOT_MARKED }, { LOOKUP(11, 254), LENGTH(24) } },
	  { HOME, VPN },
	  .flow = { .dst = GATEWAY },
	  .want = "missing-suppress info 10",
	  .near = "suppress-after-catch-all" },
	/* missing-suppress */
	{ "a_full_tunnel_without_a_suppressor_takes_the_network",
	  { LOCAL_RULE, { LOOKUP(32765, 51820), NOT_MARKED }, MAIN_RULE },
	  { HOME, VPN },
	  .flow = { .dst = GATEWAY },
	  .want = "missing-suppress warning 32766 by 32765" },
	{ "a_full_tunnel_without_a_suppressor_is_one_that_will",
	  { LOCAL_RULE, { LOOKUP(32765, 51820), NOT_MARKED }, MAIN_RULE },
	  { HOME, VPN },
	  .flow = { .dst = INTERNET },
	  .want = "missing-suppress info 32765" },
	{ "a_full_tunnel_with_a_suppressor_is_whole",
	  { LOCAL_RULE, WG_QUICK(32765), MAIN_RULE },
	  { HOME, VPN },
	  .flow = { .dst = INTERNET },
	  .want = "",
	  .near = "missing-suppress" },
	{ "what_the_tunnels_own_suppressor_leaves_out_is_meant",
	  { LOCAL_RULE,
	    { LOOKUP(9001, 2022), LENGTH(0) },
	    { LOOKUP(9002, 254), LENGTH(0), .has_dport = true, .dport = { 53, 53 },
	      .invert = true },
	    { LOOKUP(9003, 2022), .iif = "lo", .invert = true },
	    { ACTION(9010, RULE_NOP) },
	    MAIN_RULE },
	  { HOME, BY_WG0(2022) },
	  .flow = { .purpose = PURPOSE_INPUT,
		    .level = LEVEL_SOFTIRQ,
		    .iif = ETH0,
		    .src = GATEWAY,
		    .dst = "10.10.0.5",
		    .protocol = IPPROTO_UDP,
		    .sport = 40000,
		    .dport = 53 },
	  .want = "",
	  .near = "missing-suppress" },
	{ "an_exit_node_takes_the_network",
	  { LOCAL_RULE, TAILSCALE, MAIN_RULE },
	  { HOME, TAIL, ROUTE(52, "0.0.0.0", 0, TAILSCALE0) },
	  .flow = { .dst = "10.10.0.5" },
	  .want = "missing-suppress warning 32766 by 5270" },
	{ "a_suppressor_of_somebody_elses_for_others_is_none_of_the_tunnels",
	  { LOCAL_RULE,
	    { LOOKUP(99, 254), LENGTH(0), .iif = "lan0" },
	    { LOOKUP(32765, 51820), NOT_MARKED },
	    MAIN_RULE },
	  { HOME, VPN },
	  .flow = { .dst = GATEWAY },
	  .want = "missing-suppress warning 32766 by 32765" },
	{ "a_rule_for_some_packets_of_main_was_taken_from_by_a_tunnel",
	  { LOCAL_RULE,
	    { LOOKUP(100, 51820), NOT_MARKED },
	    { LOOKUP(512, 254), TO(24, 10, 10, 0) } },
	  { HOME, VPN },
	  .flow = { .dst = "10.10.0.5" },
	  .want = "shadowed-route warning 512 by 100, missing-suppress info 100" },
	{ "a_tunnel_for_some_networks_needs_no_suppressor",
	  { LOCAL_RULE, { LOOKUP(99, 1), FWMARK(0x100000, 0x100000), .invert = true }, MAIN_RULE },
	  { HOME, ROUTE(1, "198.51.100.0", 24, WG0) },
	  .flow = { .dst = INTERNET },
	  .want = "",
	  .near = "missing-suppress" },
	{ "what_is_no_tunnel_needs_no_suppressor",
	  { LOCAL_RULE, { LOOKUP(220, 220), FWMARK(0x11, UINT32_MAX), .invert = true }, MAIN_RULE },
	  { HOME, VIA(220, "0.0.0.0", 0, ETH0, GATEWAY) },
	  .flow = { .dst = INTERNET },
	  .want = "",
	  .near = "missing-suppress" },
	/* auto-priority */
	{ "a_priority_that_the_kernel_chose_before_somebodys",
	  { BAD_ORDER },
	  { HOME, VPN, TAIL },
	  .flow = { .dst = INTERNET },
	  .want = "auto-priority info 5209" },
	{ "a_priority_before_the_kernels_own_rules_is_that_of_the_first",
	  { GOOD_ORDER },
	  { HOME, VPN, TAIL },
	  .flow = { .dst = INTERNET },
	  .want = "",
	  .near = "auto-priority" },
	{ "a_priority_before_a_rule_that_nobody_knows_tells_nothing",
	  { LOCAL_RULE, WG_QUICK(99), { LOOKUP(100, 77), FROM(32, 10, 9, 9, 9) }, MAIN_RULE },
	  { HOME, VPN },
	  .flow = { .dst = INTERNET },
	  .want = "",
	  .near = "auto-priority" },
	{ "a_priority_with_others_in_between_was_not_chosen_before_them",
	  { LOCAL_RULE, WG_QUICK(4999), TAILSCALE, MAIN_RULE },
	  { HOME, VPN, TAIL },
	  .flow = { .dst = INTERNET },
	  .want = "",
	  .near = "auto-priority" },
	{ "priorities_that_an_owner_chose_are_the_same_at_each_start",
	  { LOCAL_RULE,
	    { LOOKUP(105, 254), LENGTH(0) },
	    { LOOKUP(110, 7120), FWMARK(0x1bd00, UINT32_MAX), .invert = true },
	    { LOOKUP(111, 11), FROM(32, 10, 10, 0, 5), KERNEL },
	    MAIN_RULE },
	  { HOME, BY_WG0(7120) },
	  .flow = { .dst = INTERNET },
	  .want = "",
	  .near = "auto-priority" },
	{ "the_last_rule_of_all_is_before_none",
	  { LOCAL_RULE, WG_QUICK(99) },
	  { HOME, VPN },
	  .flow = { .dst = INTERNET },
	  .want = "",
	  .near = "auto-priority" },
	/* duplicate-rule */
	{ "a_rule_that_each_start_adds_again",
	  { LOCAL_RULE,
	    { LOOKUP(32763, 101), FROM(32, 192, 0, 2, 2) },
	    { LOOKUP(32764, 77), FROM(32, 10, 9, 9, 9) },
	    { LOOKUP(32765, 101), FROM(32, 192, 0, 2, 2) },
	    MAIN_RULE },
	  { HOME, ROUTE(101, "203.0.113.0", 24, WG0) },
	  .flow = { .src = "192.0.2.2", .dst = INTERNET },
	  .want = "empty-table info 32763 by 32766, empty-table info 32765 by 32766, "
		  "duplicate-rule warning 32765 by 32763" },
	{ "a_duplicate_behind_the_end_is_one_too",
	  { LOCAL_RULE,
	    { LOOKUP(98, 101), FROM(32, 192, 0, 2, 2) },
	    { LOOKUP(99, 101), FROM(32, 192, 0, 2, 2), .protocol = RTPROT_STATIC },
	    MAIN_RULE },
	  { HOME, BY_WG0(101) },
	  .flow = { .src = "192.0.2.2", .dst = INTERNET },
	  .want = "duplicate-rule warning 99 by 98" },
	{ "a_rule_of_another_tables_between_two_may_be_why_there_are_two",
	  { LOCAL_RULE,
	    { LOOKUP(10, 254), LENGTH(8) },
	    { LOOKUP(20, 101) },
	    { LOOKUP(30, 254), LENGTH(8) },
	    MAIN_RULE },
	  { HOME, ROUTE(101, "203.0.113.0", 24, WG0) },
	  .flow = { .dst = INTERNET },
	  .want = "",
	  .near = "duplicate-rule" },
	{ "two_tunnels_have_a_suppressor_each",
	  { LOCAL_RULE,
	    { LOOKUP(32762, 254), LENGTH(0) },
	    { LOOKUP(32763, 51821), FWMARK(51821, UINT32_MAX), .invert = true },
	    WG_QUICK(32765),
	    MAIN_RULE },
	  { HOME, VPN, ROUTE(51821, "0.0.0.0", 0, TAILSCALE0) },
	  .flow = { .dst = GATEWAY, .mark = 51821 },
	  .want = "",
	  .near = "duplicate-rule" },
	{ "a_suppressor_that_was_left_over_is_there_twice",
	  { LOCAL_RULE, { LOOKUP(32763, 254), LENGTH(0) }, WG_QUICK(32765), MAIN_RULE },
	  { HOME, VPN },
	  .flow = { .dst = INTERNET },
	  .want = "duplicate-rule warning 32764 by 32763" },
	{ "duplicates_for_others_are_theirs",
	  { LOCAL_RULE,
	    { LOOKUP(98, 101), FROM(32, 192, 0, 2, 2) },
	    { LOOKUP(99, 101), FROM(32, 192, 0, 2, 2) },
	    MAIN_RULE },
	  { HOME, BY_WG0(101) },
	  .flow = { .src = "10.10.0.1", .dst = INTERNET },
	  .want = "",
	  .near = "duplicate-rule" },
	/* orphan-table */
	{ "a_table_that_no_rule_asks_any_more",
	  { LOCAL_RULE, { LOOKUP(9, 2004), FWMARK(0x200, 0xf00) }, MAIN_RULE },
	  { HOME, TAIL },
	  .want = "orphan-table warning" },
	{ "a_table_that_knows_no_better_is_not_missed",
	  { LOCAL_RULE, { LOOKUP(9, 2004), FWMARK(0x200, 0xf00) }, MAIN_RULE },
	  { HOME, BY_WG0(77), ROUTE(78, "10.0.0.0", 8, WG0) },
	  .flow = { .dst = INTERNET },
	  .want = "",
	  .near = "orphan-table" },
	{ "a_table_of_a_vrf_is_asked_by_l3mdev",
	  { LOCAL_RULE, { LOOKUP(1000, 0), .l3mdev = true, KERNEL }, MAIN_RULE },
	  { HOME, ROUTE(1001, TAILNET, 32, SLAVE) },
	  .want = "",
	  .near = "orphan-table" },
	{ "a_table_that_refuses_is_not_missed",
	  { LOCAL_RULE, { LOOKUP(9, 2004), FWMARK(0x200, 0xf00) }, MAIN_RULE },
	  { HOME, REJECT(77, "198.51.100.0", 24, RTN_UNREACHABLE) },
	  .flow = { .dst = INTERNET },
	  .want = "",
	  .near = "orphan-table" },
	/* empty-table */
	{ "a_rule_for_some_packets_with_an_empty_table",
	  { LOCAL_RULE, { LOOKUP(100, 1), FROM_LAN }, MAIN_RULE },
	  { HOME },
	  .flow = CAME(LAN0, "10.10.0.5", INTERNET),
	  .want = "empty-table warning 100 by 32766" },
	{ "a_rule_for_some_packets_whose_table_lacks_the_destination",
	  { LOCAL_RULE, { LOOKUP(100, 1000), FROM_LAN }, MAIN_RULE },
	  { HOME, ROUTE(1000, "203.0.113.0", 24, WG0) },
	  .flow = CAME(LAN0, "10.10.0.5", INTERNET),
	  .want = "empty-table info 100 by 32766" },
	{ "a_rule_for_all_may_have_an_empty_table",
	  { LOCAL_RULE, { LOOKUP(220, 220) }, MAIN_RULE },
	  { HOME },
	  .flow = { .dst = INTERNET },
	  .want = "",
	  .near = "empty-table" },
	{ "the_kernels_own_tables_may_be_empty",
	  { LOCAL_RULE, TAILSCALE, MAIN_RULE, DEFAULT_RULE },
	  { NET, VIA(253, "198.51.100.0", 24, ETH0, GATEWAY) },
	  .flow = { .dst = INTERNET, .mark = 0x80000 },
	  .want = "",
	  .near = "empty-table" },
	/* fails-open */
	{ "a_full_tunnel_whose_table_is_empty_lets_all_out",
	  { LOCAL_RULE, WG_QUICK(32765), MAIN_RULE },
	  { HOME },
	  .flow = { .dst = INTERNET },
	  .want = "fails-open warning 32765 by 32766" },
	{ "a_pair_of_ones_own_is_a_full_tunnel_too",
	  { LOCAL_RULE,
	    { LOOKUP(100, 254), LENGTH(0) },
	    { LOOKUP(101, 77), FWMARK(5, UINT32_MAX), .invert = true },
	    MAIN_RULE },
	  { HOME },
	  .flow = { .dst = INTERNET },
	  .want = "fails-open warning 101 by 32766" },
	{ "a_route_that_refuses_keeps_it_shut",
	  { LOCAL_RULE, WG_QUICK(32765), MAIN_RULE },
	  { HOME, REJECT(51820, "0.0.0.0", 0, RTN_UNREACHABLE) },
	  .flow = { .dst = INTERNET },
	  .want = "",
	  .near = "fails-open" },
	{ "a_network_that_main_knows_is_let_out",
	  { LOCAL_RULE, WG_QUICK(32765), MAIN_RULE },
	  { HOME },
	  .flow = { .dst = "10.10.0.5" },
	  .want = "",
	  .near = "fails-open" },
	{ "netbird_takes_some_networks_alone",
	  { LOCAL_RULE,
	    { LOOKUP(105, 254), LENGTH(0) },
	    { LOOKUP(110, 7120), FWMARK(0x1bd00, UINT32_MAX), .invert = true },
	    MAIN_RULE },
	  { HOME, ROUTE(7120, "203.0.113.0", 24, WG0) },
	  .flow = { .dst = INTERNET },
	  .want = "",
	  .near = "fails-open" },
	{ "calico_takes_the_pods_of_other_nodes_alone",
	  { LOCAL_RULE, { LOOKUP(99, 1), FWMARK(0x100000, 0x100000), .invert = true }, MAIN_RULE },
	  { HOME },
	  .flow = { .dst = INTERNET },
	  .want = "",
	  .near = "fails-open" },
	{ "networkmanagers_table_of_name_servers_has_no_others",
	  { LOCAL_RULE,
	    { LOOKUP(20053, 20053), FWMARK(20053, UINT32_MAX), .invert = true,
	      .protocol = RTPROT_STATIC },
	    MAIN_RULE },
	  { HOME },
	  .flow = { .dst = INTERNET },
	  .want = "",
	  .near = "fails-open" },
	{ "a_full_tunnel_without_a_suppressor_fails_open_too",
	  { LOCAL_RULE, { LOOKUP(32765, 51820), NOT_MARKED }, MAIN_RULE },
	  { HOME },
	  .flow = { .dst = INTERNET },
	  .want = "fails-open warning 32765 by 32766" },
	{ "a_full_tunnel_with_a_network_alone_fails_open",
	  { LOCAL_RULE, WG_QUICK(32765), MAIN_RULE },
	  { HOME, ROUTE(51820, "203.0.113.0", 24, WG0) },
	  .flow = { .dst = INTERNET },
	  .want = "fails-open warning 32765 by 32766" },
	{ "networkmanagers_tunnel_is_told_by_its_number",
	  { LOCAL_RULE,
	    { LOOKUP(31000, 254), LENGTH(0) },
	    { LOOKUP(31001, 52000), FWMARK(52000, UINT32_MAX), .invert = true },
	    MAIN_RULE },
	  { HOME },
	  .flow = { .dst = INTERNET },
	  .want = "fails-open warning 31001 by 32766" },
	{ "a_network_behind_a_full_tunnel_was_let_out_by_its_own_route",
	  { LOCAL_RULE, { LOOKUP(32765, 51820), NOT_MARKED }, MAIN_RULE },
	  { HOME },
	  .flow = { .dst = "10.10.0.5" },
	  .want = "",
	  .near = "fails-open" },
	{ "without_a_suppressor_nobody_knows_what_it_was_to_take",
	  { LOCAL_RULE, { LOOKUP(101, 77), FWMARK(5, UINT32_MAX), .invert = true }, MAIN_RULE },
	  { HOME },
	  .flow = { .dst = INTERNET },
	  .want = "",
	  .near = "fails-open" },
	{ "the_first_rule_of_all_follows_none",
	  { { LOOKUP(0, 77), FWMARK(5, UINT32_MAX), .invert = true },
	    { LOOKUP(1, 255) },
	    MAIN_RULE },
	  { HOME },
	  .flow = { .dst = INTERNET },
	  .want = "",
	  .near = "fails-open" },
	/* mark-overlap */
	{ "two_owners_claim_one_mark_and_lead_elsewhere",
	  { LOCAL_RULE, TAILSCALE, { LOOKUP(32501, 201), FWMARK(0x80000, 0x7e0000) }, MAIN_RULE },
	  { HOME, BY_WG0(201) },
	  .flow = { .dst = INTERNET, .mark = 0x80000 },
	  .want = "mark-overlap warning 32501 by 5210" },
	{ "two_owners_that_lead_the_same_way_agree",
	  { LOCAL_RULE,
	    { LOOKUP(20, 254), TO(32, 10, 10, 0, 5), KERNEL },
	    { LOOKUP(109, 254), FWMARK(0x80, 0x80), KERNEL },
	    { LOOKUP(1024, 254), FWMARK(0x80, 0x80) },
	    MAIN_RULE },
	  { HOME },
	  .flow = { .dst = INTERNET, .mark = 0x80 },
	  .want = "",
	  .near = "mark-overlap" },
	{ "two_owners_with_masks_beside_each_other_share_a_mark",
	  { LOCAL_RULE,
	    { LOOKUP(1310, 254), FWMARK(0x80000, 0xff0000) },
	    { LOOKUP(2001, 1), FWMARK(0x100, 0x3f00) },
	    MAIN_RULE },
	  { HOME, BY_WG0(1) },
	  .flow = { .dst = INTERNET, .mark = 0x80100 },
	  .want = "",
	  .near = "mark-overlap" },
	{ "one_owner_may_have_several_rules_for_its_mark",
	  { LOCAL_RULE, TAILSCALE, MAIN_RULE },
	  { HOME, BY_WG0(253) },
	  .flow = { .dst = INTERNET, .mark = 0x80000 },
	  .want = "",
	  .near = "mark-overlap" },
	{ "a_rule_of_ones_own_for_a_mark_that_is_owned_is_no_owners",
	  { LOCAL_RULE, TAILSCALE, { LOOKUP(6000, 101), FWMARK(0x80000, 0xff0000) }, MAIN_RULE },
	  { HOME, BY_WG0(101) },
	  .flow = { .dst = INTERNET, .mark = 0x80000 },
	  .want = "",
	  .near = "mark-overlap" },
	{ "a_rule_for_another_number_does_not_claim_the_mark",
	  { LOCAL_RULE, TAILSCALE, { LOOKUP(32501, 201), FWMARK(0x1a0000, 0x7e0000) }, MAIN_RULE },
	  { HOME, BY_WG0(201) },
	  .flow = { .dst = INTERNET, .mark = 0x80000 },
	  .want = "",
	  .near = "mark-overlap" },
	/* mark-outside-mask */
	{ "a_mask_that_hides_bits_of_its_mark",
	  { LOCAL_RULE, { LOOKUP(100, 101), FWMARK(0x1ff, 0xff) }, MAIN_RULE },
	  { HOME, BY_WG0(101) },
	  .flow = { .dst = INTERNET },
	  .want = "mark-outside-mask warning 100" },
	{ "a_mask_that_hides_all_of_its_mark",
	  { LOCAL_RULE, { LOOKUP(100, 101), FWMARK(1, 0) }, MAIN_RULE },
	  { HOME, BY_WG0(101) },
	  .flow = { .dst = INTERNET },
	  .want = "mark-outside-mask warning 100" },
	{ "a_mask_that_shows_all_of_its_mark",
	  { LOCAL_RULE, { LOOKUP(100, 101), FWMARK(0xff, 0xff) }, MAIN_RULE },
	  { HOME, BY_WG0(101) },
	  .flow = { .dst = INTERNET },
	  .want = "",
	  .near = "mark-outside-mask" },
	/* mark-near-miss */
	{ "a_mark_with_another_programs_bits_misses_a_rule_without_a_mask",
	  { LOCAL_RULE, { LOOKUP(100, 101), FWMARK(1, UINT32_MAX) }, MAIN_RULE },
	  { HOME, BY_WG0(101) },
	  .flow = { .dst = INTERNET, .mark = 0x40001 },
	  .want = "mark-near-miss warning 100 by 32766" },
	{ "a_mask_in_place_of_the_mark_misses",
	  { LOCAL_RULE, { LOOKUP(2003, 3), FWMARK(0x300, 0x3f00) }, MAIN_RULE },
	  { HOME, BY_WG0(3) },
	  .flow = { .dst = INTERNET, .mark = 0x3f00 },
	  .want = "mark-near-miss info 2003 by 32766" },
	{ "another_number_under_a_mask_is_another_number",
	  { LOCAL_RULE, { LOOKUP(2001, 3), FWMARK(0x100, 0x3f00) }, MAIN_RULE },
	  { HOME, BY_WG0(3) },
	  .flow = { .dst = INTERNET, .mark = 0x300 },
	  .want = "",
	  .near = "mark-near-miss" },
	{ "a_mark_that_is_wholly_somebodys_is_no_other_with_something_added",
	  { LOCAL_RULE, { LOOKUP(100, 101), FWMARK(1, UINT32_MAX) }, MAIN_RULE },
	  { HOME, BY_WG0(101) },
	  .flow = { .dst = INTERNET, .mark = 0x6d6f6c65 },
	  .want = "",
	  .near = "mark-near-miss" },
	{ "a_mark_that_a_tunnel_lets_pass_is_none_either",
	  { LOCAL_RULE,
	    { LOOKUP(100, 101), FWMARK(1, UINT32_MAX) },
	    { LOOKUP(200, 254), LENGTH(0) },
	    { LOOKUP(201, 77), FWMARK(7, UINT32_MAX), .invert = true },
	    MAIN_RULE },
	  { HOME, BY_WG0(101), BY_WG0(77) },
	  .flow = { .dst = INTERNET, .mark = 7 },
	  .want = "",
	  .near = "mark-near-miss" },
	{ "a_mark_with_a_rule_of_its_own_misses_no_other",
	  { LOCAL_RULE,
	    { LOOKUP(100, 101), FWMARK(1, UINT32_MAX) },
	    { LOOKUP(200, 254), FWMARK(3, UINT32_MAX) },
	    MAIN_RULE },
	  { HOME, BY_WG0(101) },
	  .flow = { .dst = INTERNET, .mark = 3 },
	  .want = "",
	  .near = "mark-near-miss" },
	{ "a_rule_behind_the_end_was_not_missed",
	  { LOCAL_RULE, { LOOKUP(50, 254) }, { LOOKUP(100, 101), FWMARK(1, UINT32_MAX) } },
	  { HOME, BY_WG0(101) },
	  .flow = { .dst = INTERNET, .mark = 0x40001 },
	  .want = "",
	  .near = "mark-near-miss" },
	{ "a_mark_without_the_bits_that_a_rule_wants_is_another",
	  { LOCAL_RULE, { LOOKUP(100, 101), FWMARK(2, UINT32_MAX) }, MAIN_RULE },
	  { HOME, BY_WG0(101) },
	  .flow = { .dst = INTERNET, .mark = 0x40001 },
	  .want = "",
	  .near = "mark-near-miss" },
	{ "a_rule_for_what_has_no_mark_is_missed_by_none",
	  { LOCAL_RULE, { LOOKUP(100, 101), FWMARK(0, 0xff) }, MAIN_RULE },
	  { HOME, BY_WG0(101) },
	  .flow = { .dst = INTERNET, .mark = 0xff },
	  .want = "",
	  .near = "mark-near-miss" },
	{ "a_rule_that_leads_the_same_way_was_not_missed",
	  { LOCAL_RULE, { LOOKUP(100, 101), FWMARK(1, UINT32_MAX) }, MAIN_RULE },
	  { HOME, VIA(101, "0.0.0.0", 0, ETH0, GATEWAY) },
	  .flow = { .dst = INTERNET, .mark = 0x40001 },
	  .want = "",
	  .near = "mark-near-miss" },
	{ "an_owners_mark_with_bits_outside_of_its_mask_may_be_anothers_too",
	  { LOCAL_RULE,
	    { LOOKUP(100, 101), FWMARK(1, UINT32_MAX) },
	    { LOOKUP(5270, 52), FWMARK(0x80000, 0xff0000), .invert = true },
	    MAIN_RULE },
	  { HOME, BY_WG0(101), TAIL },
	  .flow = { .dst = INTERNET, .mark = 0x80001 },
	  .want = "mark-near-miss warning 100 by 32766" },
	/* tunnel-loop */
	{ "wireguards_own_packets_go_into_the_only_tunnel",
	  { BUILT_IN },
	  { NET, BY_WG0(254) },
	  .tunnels = TUNNEL(WG0),
	  .flow = { .dst = ENDPOINT,
		    .cause = CAUSE_TUNNEL,
		    .level = LEVEL_KTHREAD,
		    .protocol = IPPROTO_UDP,
		    .sport = 51820,
		    .dport = 51820 },
	  .want = "tunnel-loop error 32766" },
	{ "the_packets_of_a_tunnels_process_go_into_it",
	  { BUILT_IN },
	  { NET, ROUTE(254, "0.0.0.0", 0, TAILSCALE0) },
	  .tunnels = TUNNEL(TAILSCALE0),
	  .flow = { .dst = ENDPOINT, .comm = "wireguard-go", .protocol = IPPROTO_UDP },
	  .want = "tunnel-loop error 32766" },
	{ "a_loop_without_custom_rules_is_one_too",
	  { BUILT_IN },
	  { NET, BY_WG0(254) },
	  .tunnels = TUNNEL(WG0),
	  .flow = { .built_in = true,
		    .dst = ENDPOINT,
		    .cause = CAUSE_TUNNEL,
		    .level = LEVEL_KTHREAD,
		    .protocol = IPPROTO_UDP },
	  .want = "tunnel-loop error 32766" },
	{ "of_two_tunnels_one_may_go_into_the_other",
	  { BUILT_IN },
	  { NET, BY_WG0(254) },
	  .flow = { .dst = ENDPOINT,
		    .cause = CAUSE_TUNNEL,
		    .level = LEVEL_KTHREAD,
		    .protocol = IPPROTO_UDP },
	  .want = "",
	  .near = "tunnel-loop" },
	{ "a_vxlan_belongs_into_the_tunnel",
	  { BUILT_IN },
	  { NET, BY_WG0(254) },
	  .tunnels = TUNNEL(WG0),
	  .flow = { .dst = ENDPOINT,
		    .cause = CAUSE_TUNNEL,
		    .protocol = IPPROTO_UDP,
		    .dport = 8472 },
	  .want = "",
	  .near = "tunnel-loop" },
	{ "a_process_that_has_no_tunnel_yet_may_use_one_of_the_kernels",
	  { BUILT_IN },
	  { NET, BY_WG0(254) },
	  .tunnels = TUNNEL(WG0),
	  .flow = { .dst = ENDPOINT, .comm = "openvpn", .protocol = IPPROTO_UDP },
	  .want = "",
	  .near = "tunnel-loop" },
	{ "a_tap_may_be_the_uplink",
	  { BUILT_IN },
	  { HOME },
	  .tunnels = TUNNEL(ETH0),
	  .flow = { .dst = ENDPOINT, .comm = "openvpn", .protocol = IPPROTO_UDP },
	  .want = "",
	  .near = "tunnel-loop" },
	{ "an_ipip_tunnels_own_packets_go_into_it",
	  { BUILT_IN },
	  { NET, BY_WG0(254) },
	  .tunnels = TUNNEL(WG0),
	  .flow = { .dst = ENDPOINT, .cause = CAUSE_TUNNEL, .protocol = IPPROTO_IPIP },
	  .want = "tunnel-loop error 32766" },
	{ "a_sit_tunnels_own_packets_go_into_it",
	  { BUILT_IN },
	  { NET, BY_WG0(254) },
	  .tunnels = TUNNEL(WG0),
	  .flow = { .dst = ENDPOINT, .cause = CAUSE_TUNNEL, .protocol = IPPROTO_IPV6 },
	  .want = "tunnel-loop error 32766" },
	{ "a_gretap_belongs_into_the_tunnel",
	  { BUILT_IN },
	  { NET, BY_WG0(254) },
	  .tunnels = TUNNEL(WG0),
	  .flow = { .dst = ENDPOINT,
		    .cause = CAUSE_TUNNEL,
		    .level = LEVEL_KTHREAD,
		    .protocol = IPPROTO_GRE },
	  .want = "",
	  .near = "tunnel-loop" },
	{ "a_thread_of_the_kernels_may_send_something_else",
	  { BUILT_IN },
	  { NET, BY_WG0(254) },
	  .tunnels = TUNNEL(WG0),
	  .flow = { .dst = ENDPOINT,
		    .cause = CAUSE_SEND,
		    .level = LEVEL_KTHREAD,
		    .protocol = IPPROTO_UDP },
	  .want = "",
	  .near = "tunnel-loop" },
	{ "wireguards_own_packets_leave_by_the_network",
	  { BUILT_IN },
	  { HOME, ROUTE(254, "10.0.0.0", 8, WG0) },
	  .tunnels = TUNNEL(WG0),
	  .flow = { .dst = ENDPOINT,
		    .cause = CAUSE_TUNNEL,
		    .level = LEVEL_KTHREAD,
		    .protocol = IPPROTO_UDP },
	  .want = "",
	  .near = "tunnel-loop" },
	/* bypass-mark-captured */
	{ "tailscaleds_own_packets_go_into_the_other_vpn",
	  { BAD_ORDER },
	  { HOME, VPN, TAIL },
	  .flow = { .dst = ENDPOINT, .mark = 0x80000 },
	  .want = "bypass-mark-captured error 5210 by 5209, auto-priority info 5209" },
	{ "wireguards_own_packets_go_to_the_exit_node",
	  { GOOD_ORDER },
	  { HOME, VPN, TAIL, ROUTE(52, "0.0.0.0", 0, TAILSCALE0) },
	  .flow = { .dst = ENDPOINT, .mark = MARK },
	  .want = "bypass-mark-captured error 32765 by 5270" },
	{ "a_bypass_that_nobody_owns_is_told_by_its_rule",
	  { LOCAL_RULE,
	    { LOOKUP(100, 101) },
	    { LOOKUP(201, 77), FWMARK(7, UINT32_MAX), .invert = true },
	    MAIN_RULE },
	  { HOME, ROUTE(101, "0.0.0.0", 0, TAILSCALE0), BY_WG0(77),
	    VIA(254, "203.0.113.0", 24, ETH0, GATEWAY) },
	  .flow = { .dst = ENDPOINT, .mark = 7 },
	  .want = "bypass-mark-captured error 201 by 100" },
	{ "a_bypass_by_its_own_rule_is_one",
	  { GOOD_ORDER },
	  { HOME, VPN, TAIL, ROUTE(52, "0.0.0.0", 0, TAILSCALE0) },
	  .flow = { .dst = ENDPOINT, .mark = 0x80000 },
	  .want = "",
	  .near = "bypass-mark-captured" },
	{ "a_bypass_leads_to_main_whatever_that_is",
	  { LOCAL_RULE, WG_QUICK(32765), MAIN_RULE },
	  { NET, ROUTE(254, "0.0.0.0", 0, TAILSCALE0), VPN },
	  .flow = { .dst = ENDPOINT, .mark = MARK },
	  .want = "",
	  .near = "bypass-mark-captured" },
	{ "what_came_in_with_the_mark_is_no_packet_of_the_tunnels",
	  { BAD_ORDER },
	  { HOME, VPN, TAIL },
	  .flow = CAME_MARKED(LAN0, "10.10.0.5", INTERNET, 0x80000),
	  .want = "auto-priority info 5209",
	  .near = "bypass-mark-captured" },
	{ "a_tunnel_is_told_by_its_owner_whatever_the_device",
	  { BAD_ORDER },
	  { HOME, VPN, TAIL },
	  .tunnels = TUNNEL(LAN0),
	  .flow = { .dst = ENDPOINT, .mark = 0x80000 },
	  .want = "bypass-mark-captured error 5210 by 5209, auto-priority info 5209" },
	{ "a_table_for_all_that_leads_into_no_tunnel_captures_nothing",
	  { LOCAL_RULE,
	    { LOOKUP(100, 101) },
	    { LOOKUP(201, 77), FWMARK(7, UINT32_MAX), .invert = true },
	    MAIN_RULE },
	  { HOME, VIA(101, "0.0.0.0", 0, ETH0, GATEWAY), BY_WG0(77) },
	  .flow = { .dst = ENDPOINT, .mark = 7 },
	  .want = "",
	  .near = "bypass-mark-captured" },
	{ "a_rule_for_this_endpoint_means_it",
	  { LOCAL_RULE,
	    { LOOKUP(100, 101), TO(32, 203, 0, 113, 5) },
	    { LOOKUP(201, 77), FWMARK(7, UINT32_MAX), .invert = true },
	    MAIN_RULE },
	  { HOME, ROUTE(101, "0.0.0.0", 0, TAILSCALE0), BY_WG0(77) },
	  .flow = { .dst = ENDPOINT, .mark = 7 },
	  .want = "",
	  .near = "bypass-mark-captured" },
	/* half-default */
	{ "half_of_all_addresses_passes_the_suppressor",
	  { LOCAL_RULE, WG_QUICK(32765), MAIN_RULE },
	  { HOME, VPN, ROUTE(254, "128.0.0.0", 1, TAILSCALE0) },
	  .flow = { .dst = INTERNET },
	  .want = "half-default info 32764" },
	{ "a_suppressor_that_knows_of_halves_lets_none_pass",
	  { LOCAL_RULE,
	    { LOOKUP(50, 254), LENGTH(1) },
	    { LOOKUP(102, 12819), FWMARK(0x3213, UINT32_MAX), .invert = true },
	    MAIN_RULE },
	  { HOME, BY_WG0(12819), ROUTE(254, "128.0.0.0", 1, TAILSCALE0) },
	  .flow = { .dst = INTERNET },
	  .want = "",
	  .near = "half-default" },
	{ "halves_that_nobody_suppresses_are_a_default_route",
	  { BUILT_IN },
	  { HOME, ROUTE(254, "128.0.0.0", 1, TAILSCALE0) },
	  .flow = { .dst = INTERNET },
	  .want = "",
	  .near = "half-default" },
	/* suppressed-by-group */
	{ "a_group_of_devices_suppresses_a_route",
	  { LOCAL_RULE, { LOOKUP(100, 101), GROUP(7) }, MAIN_RULE },
	  { HOME, BY_WG0(101) },
	  .flow = { .dst = INTERNET },
	  .want = "suppressed-by-group info 100" },
	{ "another_group_suppresses_nothing",
	  { LOCAL_RULE, { LOOKUP(100, 101), GROUP(8) }, MAIN_RULE },
	  { HOME, BY_WG0(101) },
	  .flow = { .dst = INTERNET },
	  .want = "",
	  .near = "suppressed-by-group" },
	/* connected-shadowed */
	{ "an_advertised_network_beats_the_connected_one",
	  { LOCAL_RULE, TAILSCALE, MAIN_RULE },
	  { HOME, TAIL, ROUTE(52, "192.0.2.0", 24, TAILSCALE0) },
	  .flow = { .dst = GATEWAY },
	  .want = "connected-shadowed warning 32766 by 5270" },
	{ "the_second_device_of_a_network_has_it_in_a_table_of_its_own",
	  { LOCAL_RULE, { LOOKUP(102, 102), FROM_SECOND }, MAIN_RULE },
	  { HOME, CONNECTED(102, "192.0.2.0", 24, WG0) },
	  .flow = { .src = SECOND, .dst = GATEWAY },
	  .want = "",
	  .near = "connected-shadowed" },
	{ "the_same_device_in_both_tables_shadows_nothing",
	  { LOCAL_RULE, { LOOKUP(220, 220) }, MAIN_RULE },
	  { HOME, ROUTE(220, "192.0.2.0", 24, ETH0) },
	  .flow = { .dst = GATEWAY },
	  .want = "",
	  .near = "connected-shadowed" },
	{ "a_network_behind_a_router_is_not_connected",
	  { LOCAL_RULE, TAILSCALE, MAIN_RULE },
	  { HOME, VIA(254, "198.51.100.0", 24, ETH0, GATEWAY),
	    ROUTE(52, "198.51.100.0", 24, TAILSCALE0) },
	  .flow = { .dst = INTERNET },
	  .want = "",
	  .near = "connected-shadowed" },
	{ "a_network_that_somebody_put_on_a_device_is_not_connected",
	  { LOCAL_RULE, TAILSCALE, MAIN_RULE },
	  { HOME, ROUTE(254, "198.51.100.0", 24, ETH0), ROUTE(52, "198.51.100.0", 24, TAILSCALE0) },
	  .flow = { .dst = INTERNET },
	  .want = "",
	  .near = "connected-shadowed" },
	/* source-not-on-device */
	{ "a_reroute_keeps_the_first_source",
	  { LOCAL_RULE, { LOOKUP(100, 101), FWMARK(1, UINT32_MAX) }, MAIN_RULE },
	  { HOME, BY_WG0(101) },
	  .flow = { .purpose = PURPOSE_REROUTE, .src = "192.0.2.2", .dst = INTERNET, .mark = 1 },
	  .want = "source-not-on-device warning 100" },
	{ "an_open_connection_moves_to_another_device",
	  { LOCAL_RULE, { LOOKUP(100, 101), FWMARK(1, UINT32_MAX) }, MAIN_RULE },
	  { HOME, BY_WG0(101) },
	  .before = { SEGMENT("192.0.2.2", INTERNET, 0) },
	  .flow = SEGMENT("192.0.2.2", INTERNET, 1),
	  .want = "source-not-on-device warning 100" },
	{ "a_connection_that_stays_moves_nothing",
	  { LOCAL_RULE, { LOOKUP(100, 101), FWMARK(1, UINT32_MAX) }, MAIN_RULE },
	  { HOME, BY_WG0(101) },
	  .before = { SEGMENT("192.0.2.2", INTERNET, 0) },
	  .flow = SEGMENT("192.0.2.2", INTERNET, 0),
	  .want = "",
	  .near = "source-not-on-device" },
	{ "a_source_of_the_loopback_device_is_on_all",
	  { LOCAL_RULE, { LOOKUP(100, 101), FWMARK(1, UINT32_MAX) }, MAIN_RULE },
	  { HOME, BY_WG0(101) },
	  .flow = { .purpose = PURPOSE_REROUTE, .src = "192.0.2.99", .dst = INTERNET, .mark = 1 },
	  .want = "",
	  .near = "source-not-on-device" },
	{ "a_source_that_was_on_another_device_before_was_bound_to",
	  { LOCAL_RULE, { LOOKUP(100, 101), FWMARK(1, UINT32_MAX) }, MAIN_RULE },
	  { HOME, BY_WG0(101) },
	  .before = { SEGMENT("10.10.0.1", INTERNET, 0) },
	  .flow = SEGMENT("10.10.0.1", INTERNET, 1),
	  .want = "",
	  .near = "source-not-on-device" },
	{ "a_source_that_two_devices_have_is_on_both",
	  { LOCAL_RULE, { LOOKUP(100, 101), FWMARK(1, UINT32_MAX) }, MAIN_RULE },
	  { HOME, ROUTE(101, "0.0.0.0", 0, TAILSCALE0) },
	  .flow = { .purpose = PURPOSE_REROUTE, .src = SHARED, .dst = INTERNET, .mark = 1 },
	  .want = "",
	  .near = "source-not-on-device" },
	{ "a_source_that_is_not_this_hosts_is_a_proxys",
	  { LOCAL_RULE, { LOOKUP(100, 101), FWMARK(1, UINT32_MAX) }, MAIN_RULE },
	  { HOME, BY_WG0(101) },
	  .flow = { .purpose = PURPOSE_REROUTE, .src = "10.9.9.9", .dst = INTERNET, .mark = 1 },
	  .want = "",
	  .near = "source-not-on-device" },
	/* rp-filter-mark */
	{ "a_strict_check_ignores_the_mark",
	  { LOCAL_RULE, WG_QUICK(32765), MAIN_RULE },
	  { HOME, VPN },
	  .before = { CAME_MARKED(ETH0, ENDPOINT, "192.0.2.2", MARK) },
	  .flow = CHECK(ENDPOINT, "192.0.2.2", 0),
	  .rp_filter = RP_FILTER_STRICT,
	  .want = "rp-filter-mark warning 32765" },
	{ "a_loose_check_drops_nothing",
	  { LOCAL_RULE, WG_QUICK(32765), MAIN_RULE },
	  { HOME, VPN },
	  .before = { CAME_MARKED(ETH0, ENDPOINT, "192.0.2.2", MARK) },
	  .flow = CHECK(ENDPOINT, "192.0.2.2", 0),
	  .rp_filter = RP_FILTER_LOOSE,
	  .want = "",
	  .near = "rp-filter-mark" },
	{ "a_check_that_sees_the_mark_passes",
	  { LOCAL_RULE, WG_QUICK(32765), MAIN_RULE },
	  { HOME, VPN },
	  .before = { CAME_MARKED(ETH0, ENDPOINT, "192.0.2.2", MARK) },
	  .flow = CHECK(ENDPOINT, "192.0.2.2", MARK),
	  .rp_filter = RP_FILTER_STRICT,
	  .want = "",
	  .near = "rp-filter-mark" },
	{ "a_packet_without_a_mark_is_dropped_with_reason",
	  { LOCAL_RULE, WG_QUICK(32765), MAIN_RULE },
	  { HOME, VPN },
	  .before = { CAME(ETH0, ENDPOINT, "192.0.2.2") },
	  .flow = CHECK(ENDPOINT, "192.0.2.2", 0),
	  .rp_filter = RP_FILTER_STRICT,
	  .want = "",
	  .near = "rp-filter-mark" },
	{ "any_nexthop_of_the_way_back_passes_the_check",
	  { LOCAL_RULE, { LOOKUP(100, 101), FWMARK(1, UINT32_MAX) }, MAIN_RULE },
	  { { .table = 254, .dst = "0.0.0.0", .type = RTN_UNICAST, .dev = ETH0, .dev2 = WG0 },
	    BY_WG0(101) },
	  .before = { CAME_MARKED(WG0, INTERNET, "192.0.2.2", 1) },
	  .flow = CHECK(INTERNET, "192.0.2.2", 0),
	  .rp_filter = RP_FILTER_STRICT,
	  .want = "",
	  .near = "rp-filter-mark" },
	{ "a_mark_that_leads_elsewhere_would_not_have_passed",
	  { LOCAL_RULE, WG_QUICK(32765), MAIN_RULE },
	  { HOME, VPN },
	  .before = { CAME_MARKED(ETH0, ENDPOINT, "192.0.2.2", 5) },
	  .flow = CHECK(ENDPOINT, "192.0.2.2", 0),
	  .rp_filter = RP_FILTER_STRICT,
	  .want = "",
	  .near = "rp-filter-mark" },
	/* src-valid-mark-local */
	{ "a_check_by_the_mark_of_a_proxy_finds_the_source_here",
	  { LOCAL_RULE, { LOOKUP(100, 100), FWMARK(1, UINT32_MAX) }, MAIN_RULE },
	  { HOME, { .table = 100, .dst = "0.0.0.0", .type = RTN_LOCAL, .dev = LO } },
	  .flow = CHECK("10.10.0.5", INTERNET, 1),
	  .want = "src-valid-mark-local warning 100" },
	{ "a_check_without_the_mark_finds_it_where_it_is",
	  { LOCAL_RULE, { LOOKUP(100, 100), FWMARK(1, UINT32_MAX) }, MAIN_RULE },
	  { HOME, { .table = 100, .dst = "0.0.0.0", .type = RTN_LOCAL, .dev = LO } },
	  .flow = CHECK("10.10.0.5", INTERNET, 0),
	  .want = "",
	  .near = "src-valid-mark-local" },
	{ "a_source_of_table_local_is_this_host_indeed",
	  { LOCAL_RULE, { LOOKUP(100, 100), FWMARK(1, UINT32_MAX) }, MAIN_RULE },
	  { HOME },
	  .flow = CHECK("192.0.2.2", "127.0.0.1", 1),
	  .want = "",
	  .near = "src-valid-mark-local" },
	/* unreachable-preempts */
	{ "a_rule_that_refuses_all_comes_before_a_network",
	  { LOCAL_RULE, { ACTION(100, RULE_UNREACHABLE) }, MAIN_RULE },
	  { HOME },
	  .flow = { .dst = "10.10.0.5" },
	  .want = "unreachable-preempts warning 32766 by 100" },
	{ "a_kill_switch_comes_before_a_default",
	  { LOCAL_RULE, { ACTION(100, RULE_PROHIBIT) }, MAIN_RULE },
	  { HOME },
	  .flow = { .dst = INTERNET },
	  .want = "",
	  .near = "unreachable-preempts" },
	{ "what_a_suppressor_kept_from_main_is_refused_with_reason",
	  { LOCAL_RULE,
	    { LOOKUP(99, 254), LENGTH(1) },
	    { ACTION(100, RULE_BLACKHOLE) },
	    MAIN_RULE },
	  { HOME, ROUTE(254, "128.0.0.0", 1, WG0) },
	  .flow = { .dst = INTERNET },
	  .want = "",
	  .near = "unreachable-preempts" },
	{ "a_rule_that_refuses_some_packets_means_them",
	  { LOCAL_RULE, { ACTION(100, RULE_UNREACHABLE), FROM_LAN }, MAIN_RULE },
	  { HOME },
	  .flow = CAME(LAN0, "10.10.0.5", GATEWAY),
	  .want = "",
	  .near = "unreachable-preempts" },
	{ "a_route_that_refuses_is_what_its_table_says",
	  { LOCAL_RULE, { LOOKUP(100, 101) }, MAIN_RULE },
	  { HOME, REJECT(101, "0.0.0.0", 0, RTN_UNREACHABLE) },
	  .flow = { .dst = "10.10.0.5" },
	  .want = "",
	  .near = "unreachable-preempts" },
	/* detached-interface */
	{ "a_device_that_is_not_there_matches_nothing",
	  { LOCAL_RULE, { LOOKUP(100, 101), .iif = "lan7" }, MAIN_RULE },
	  { HOME, BY_WG0(101) },
	  .flow = CAME(LAN0, "10.10.0.5", INTERNET),
	  .want = "detached-interface warning 100" },
	{ "a_device_to_send_by_that_is_not_there_matches_nothing",
	  { LOCAL_RULE, { LOOKUP(100, 101), .oif = "wg7" }, MAIN_RULE },
	  { HOME },
	  .flow = { .dst = INTERNET },
	  .want = "detached-interface warning 100" },
	{ "another_device_is_no_missing_one",
	  { LOCAL_RULE, { LOOKUP(100, 101), .iif = "eth0" }, MAIN_RULE },
	  { HOME, BY_WG0(101) },
	  .flow = CAME(LAN0, "10.10.0.5", INTERNET),
	  .want = "",
	  .near = "detached-interface" },
	{ "a_missing_device_of_a_rule_for_others_changes_nothing",
	  { LOCAL_RULE, { LOOKUP(100, 101), .iif = "lan7", FWMARK(5, UINT32_MAX) }, MAIN_RULE },
	  { HOME, BY_WG0(101) },
	  .flow = CAME(LAN0, "10.10.0.5", INTERNET),
	  .want = "",
	  .near = "detached-interface" },
	/* unresolved-goto */
	{ "a_goto_without_its_target_goes_on",
	  { LOCAL_RULE, { GOTO(100, 200) }, MAIN_RULE },
	  { HOME },
	  .flow = { .dst = INTERNET },
	  .want = "unresolved-goto warning 100" },
	{ "a_goto_with_its_target_leads_there",
	  { LOCAL_RULE, { GOTO(100, 32766) }, { LOOKUP(150, 101) }, MAIN_RULE },
	  { HOME, BY_WG0(101) },
	  .flow = { .dst = INTERNET },
	  .want = "",
	  .near = "unresolved-goto" },
	/* not-inverts-all */
	{ "a_not_inverts_two_selectors_together",
	  { LOCAL_RULE, { LOOKUP(100, 101), FROM_LAN, FWMARK(1, 1), .invert = true }, MAIN_RULE },
	  { HOME, BY_WG0(101) },
	  .flow = { .dst = INTERNET },
	  .want = "not-inverts-all info 100" },
	{ "a_not_of_one_selector_says_what_it_does",
	  { LOCAL_RULE, { LOOKUP(100, 101), FROM_LAN, .invert = true }, MAIN_RULE },
	  { HOME, BY_WG0(101) },
	  .flow = { .dst = INTERNET },
	  .want = "",
	  .near = "not-inverts-all" },
	{ "two_selectors_without_a_not_say_what_they_do",
	  { LOCAL_RULE, { LOOKUP(100, 101), FROM_LAN, .iif = "lan0" }, MAIN_RULE },
	  { HOME, BY_WG0(101) },
	  .flow = CAME(LAN0, "10.10.0.5", INTERNET),
	  .want = "",
	  .near = "not-inverts-all" },
	{ "a_not_that_was_skipped_did_not_apply",
	  { LOCAL_RULE, { LOOKUP(100, 101), FROM_LAN, FWMARK(1, 1), .invert = true }, MAIN_RULE },
	  { HOME, BY_WG0(101) },
	  .flow = CAME_MARKED(LAN0, "10.10.0.5", INTERNET, 1),
	  .want = "",
	  .near = "not-inverts-all" },
	/* bound-device-override */
	{ "a_bound_device_takes_what_no_rule_routes",
	  { LOCAL_RULE, { LOOKUP(100, 77) }, MAIN_RULE },
	  { NET, LAN },
	  .flow = { .dst = INTERNET, .oif = LAN0 },
	  .want = "bound-device-override warning" },
	{ "a_device_that_asks_for_no_address_may_well_take_it",
	  { LOCAL_RULE, { LOOKUP(100, 77) }, MAIN_RULE },
	  { NET, LAN },
	  .flow = { .dst = INTERNET, .oif = WG0 },
	  .want = "bound-device-override info" },
	{ "multicast_needs_no_route",
	  { LOCAL_RULE, { LOOKUP(100, 77) }, MAIN_RULE },
	  { NET, LAN },
	  .flow = { .dst = "224.0.0.251", .oif = LAN0 },
	  .want = "",
	  .near = "bound-device-override" },
	{ "a_bound_device_with_a_route_overrides_nothing",
	  { LOCAL_RULE, { LOOKUP(100, 77) }, MAIN_RULE },
	  { NET, LAN },
	  .flow = { .dst = "10.10.0.5", .oif = LAN0 },
	  .want = "",
	  .near = "bound-device-override" },
	/* built-in-mismatch */
	{ "the_kernel_asks_a_table_whose_rule_is_gone",
	  { LOCAL_RULE, MAIN_RULE },
	  { HOME },
	  .flow = { .built_in = true, .dst = INTERNET },
	  .want = "built-in-mismatch warning" },
	{ "the_kernel_asks_the_tables_of_its_rules",
	  { BUILT_IN },
	  { HOME },
	  .flow = { .built_in = true, .dst = INTERNET },
	  .want = "",
	  .near = "built-in-mismatch" },
	{ "the_kernel_asks_main_whatever_priority_its_rule_has",
	  { LOCAL_RULE, { LOOKUP(32765, 254) }, DEFAULT_RULE },
	  { HOME },
	  .flow = { .built_in = true, .dst = INTERNET },
	  .want = "built-in-mismatch warning" },
	/* unknown-attribute */
	{ "a_rule_says_what_this_program_does_not_know",
	  { LOCAL_RULE,
	    { LOOKUP(100, 101), FWMARK(5, 5), .unknown_count = 1, .unknown = { { .type = 99 } } },
	    MAIN_RULE },
	  { HOME },
	  .flow = { .dst = INTERNET },
	  .want = "unknown-attribute warning 100" },
	{ "a_rule_says_nothing_else",
	  { LOCAL_RULE, { LOOKUP(100, 101), FWMARK(5, 5) }, MAIN_RULE },
	  { HOME },
	  .flow = { .dst = INTERNET },
	  .want = "",
	  .near = "unknown-attribute" },
	/* default-only-table */
	{ "a_table_with_a_default_alone_takes_a_connected_network",
	  { LOCAL_RULE, { LOOKUP(102, 102), FROM_SECOND }, MAIN_RULE },
	  { HOME, BY_WG0(102), REJECT(102, "10.20.0.0", 16, RTN_THROW) },
	  .flow = { .src = SECOND, .dst = "10.10.0.5" },
	  .want = "default-only-table warning 102" },
	{ "a_table_with_a_network_of_its_own_is_meant",
	  { LOCAL_RULE, { LOOKUP(102, 102), FROM_SECOND }, MAIN_RULE },
	  { HOME, BY_WG0(102), ROUTE(102, "203.0.113.128", 25, WG0) },
	  .flow = { .src = SECOND, .dst = "10.10.0.5" },
	  .want = "",
	  .near = "default-only-table" },
	{ "a_gateway_in_the_connected_network_itself_will_pass_it_on",
	  { LOCAL_RULE, { LOOKUP(17, 17), FWMARK(5, UINT32_MAX) }, MAIN_RULE },
	  { HOME, VIA(17, "0.0.0.0", 0, ETH0, GATEWAY) },
	  .flow = { .dst = "192.0.2.7", .mark = 5 },
	  .want = "",
	  .near = "default-only-table" },
	{ "a_default_that_delivers_to_this_host_is_a_proxys",
	  { LOCAL_RULE, { LOOKUP(100, 100), FWMARK(1, UINT32_MAX) }, MAIN_RULE },
	  { HOME, { .table = 100, .dst = "0.0.0.0", .type = RTN_LOCAL, .dev = LO } },
	  .flow = CAME_MARKED(ETH0, GATEWAY, "10.10.0.5", 1),
	  .want = "",
	  .near = "default-only-table" },
	{ "a_network_behind_a_router_is_not_taken_from_a_connected_one",
	  { LOCAL_RULE, { LOOKUP(102, 102), FROM_SECOND }, MAIN_RULE },
	  { HOME, BY_WG0(102), VIA(254, "198.51.100.0", 24, ETH0, GATEWAY) },
	  .flow = { .src = SECOND, .dst = INTERNET },
	  .want = "",
	  .near = "default-only-table" },
	/* main-not-asked */
	{ "main_has_a_route_and_no_rule",
	  { LOCAL_RULE, { LOOKUP(100, 101), FROM(32, 10, 9, 9, 9) } },
	  { HOME },
	  .flow = { .dst = INTERNET },
	  .want = "main-not-asked warning" },
	{ "main_that_has_no_route_is_not_missed",
	  { LOCAL_RULE, { LOOKUP(100, 101), FROM(32, 10, 9, 9, 9) } },
	  { NET },
	  .flow = { .dst = INTERNET },
	  .want = "",
	  .near = "main-not-asked" },
	{ "main_is_asked_by_a_rule_for_others",
	  { LOCAL_RULE, { LOOKUP(100, 254), FROM(32, 10, 9, 9, 9) } },
	  { HOME },
	  .flow = { .dst = INTERNET },
	  .want = "",
	  .near = "main-not-asked" },
	{ "main_that_refuses_is_not_missed",
	  { LOCAL_RULE, { LOOKUP(100, 101), FROM(32, 10, 9, 9, 9) } },
	  { NET, REJECT(254, "0.0.0.0", 0, RTN_UNREACHABLE) },
	  .flow = { .dst = INTERNET },
	  .want = "",
	  .near = "main-not-asked" },
	/* reply-leaves-elsewhere */
	{ "an_answer_leaves_by_another_device",
	  { LOCAL_RULE, { LOOKUP(100, 101), FROM(32, 10, 9, 9, 9) }, MAIN_RULE },
	  { HOME },
	  .before = { CAME(WG0, INTERNET, "10.64.0.2") },
	  .flow = ANSWER("10.64.0.2", INTERNET),
	  .want = "reply-leaves-elsewhere warning 32766" },
	{ "a_containers_answer_leaves_by_the_other_provider",
	  { LOCAL_RULE, { LOOKUP(102, 102), FROM_SECOND }, MAIN_RULE },
	  { HOME, BY_WG0(102) },
	  .before = { CAME(WG0, INTERNET, "10.10.0.5") },
	  .flow = CAME(LAN0, "10.10.0.5", INTERNET),
	  .want = "reply-leaves-elsewhere warning 32766" },
	{ "an_answer_of_the_second_provider_goes_astray_by_its_own_rule",
	  { LOCAL_RULE, { LOOKUP(102, 102), FROM_SECOND }, MAIN_RULE },
	  { HOME, BY_WG0(102), ROUTE(102, "203.0.113.128", 25, WG0) },
	  .before = { CAME(LAN0, "10.10.0.5", SECOND) },
	  .flow = ANSWER(SECOND, "10.10.0.5"),
	  .want = "reply-leaves-elsewhere warning 102",
	  .near = "from-catches-own-replies" },
	{ "an_answer_leaves_by_the_same_device",
	  { LOCAL_RULE, { LOOKUP(102, 102), FROM_SECOND }, MAIN_RULE },
	  { HOME, BY_WG0(102) },
	  .before = { CAME(WG0, INTERNET, SECOND) },
	  .flow = ANSWER(SECOND, INTERNET),
	  .want = "",
	  .near = "reply-leaves-elsewhere" },
	{ "an_answer_takes_another_of_several_nexthops",
	  { LOCAL_RULE, { LOOKUP(100, 101), FROM(32, 10, 9, 9, 9) }, MAIN_RULE },
	  { { .table = 254, .dst = "0.0.0.0", .type = RTN_UNICAST, .dev = ETH0, .dev2 = WG0 } },
	  .before = { CAME(WG0, INTERNET, "10.64.0.2") },
	  .flow = ANSWER("10.64.0.2", INTERNET),
	  .want = "",
	  .near = "reply-leaves-elsewhere" },
	{ "what_comes_by_a_vrf_leaves_by_its_port",
	  { LOCAL_RULE, { LOOKUP(1000, 0), .l3mdev = true, KERNEL }, MAIN_RULE },
	  { HOME, ROUTE(1001, "0.0.0.0", 0, SLAVE) },
	  .before = { CAME(VRF0, INTERNET, "10.20.0.1") },
	  .flow = { .cause = CAUSE_REPLY,
		    .level = LEVEL_SOFTIRQ,
		    .src = "10.20.0.1",
		    .dst = INTERNET,
		    .l3mdev = VRF0 },
	  .want = "",
	  .near = "reply-leaves-elsewhere" },
	{ "between_routers_the_way_back_may_be_another",
	  { BUILT_IN },
	  { HOME, ROUTE(254, "203.0.113.0", 24, WG0) },
	  .before = { CAME(WG0, INTERNET, "10.10.0.5") },
	  .flow = CAME(LAN0, "10.10.0.5", INTERNET),
	  .want = "",
	  .near = "reply-leaves-elsewhere" },
	{ "what_a_process_sends_is_no_answer_of_the_kernels",
	  { LOCAL_RULE, { LOOKUP(100, 101), FROM(32, 10, 9, 9, 9) }, MAIN_RULE },
	  { HOME },
	  .before = { CAME(WG0, INTERNET, "10.64.0.2") },
	  .flow = { .src = "10.64.0.2", .dst = INTERNET },
	  .want = "",
	  .near = "reply-leaves-elsewhere" },
	{ "what_came_to_another_namespace_is_not_answered_here",
	  { LOCAL_RULE, { LOOKUP(100, 101), FROM(32, 10, 9, 9, 9) }, MAIN_RULE },
	  { HOME },
	  .before = { { .purpose = PURPOSE_INPUT,
			.level = LEVEL_SOFTIRQ,
			.iif = WG0,
			.src = INTERNET,
			.dst = "10.64.0.2",
			.netns = NETNS + 1 } },
	  .flow = ANSWER("10.64.0.2", INTERNET),
	  .want = "",
	  .near = "reply-leaves-elsewhere" },
	{ "what_is_forwarded_back_leaves_by_where_the_other_came_in",
	  { LOCAL_RULE, { LOOKUP(102, 102), FROM_SECOND }, MAIN_RULE },
	  { HOME, BY_WG0(102), ROUTE(254, "198.51.100.0", 24, WG0) },
	  .before = { CAME(WG0, INTERNET, "10.10.0.5") },
	  .flow = CAME(LAN0, "10.10.0.5", INTERNET),
	  .want = "",
	  .near = "reply-leaves-elsewhere" },
	{ "a_rule_that_leads_to_a_third_device_is_no_way_back",
	  { LOCAL_RULE, { LOOKUP(102, 102), FROM_SECOND }, MAIN_RULE },
	  { HOME, ROUTE(102, "0.0.0.0", 0, TAILSCALE0) },
	  .before = { CAME(WG0, INTERNET, "10.10.0.5") },
	  .flow = CAME(LAN0, "10.10.0.5", INTERNET),
	  .want = "",
	  .near = "reply-leaves-elsewhere" },
	/* reply-unmarked */
	{ "an_answer_does_not_inherit_the_mark",
	  { LOCAL_RULE, { LOOKUP(103, 102), FWMARK(0x66, UINT32_MAX) }, MAIN_RULE },
	  { HOME, BY_WG0(102) },
	  .before = { CAME_MARKED(WG0, INTERNET, "10.64.0.2", 0x66) },
	  .flow = ANSWER("10.64.0.2", INTERNET),
	  .want = "reply-unmarked warning 103 by 32766" },
	{ "an_answer_with_the_mark_takes_its_rule",
	  { LOCAL_RULE, { LOOKUP(103, 102), FWMARK(0x66, UINT32_MAX) }, MAIN_RULE },
	  { HOME, BY_WG0(102) },
	  .before = { CAME_MARKED(WG0, INTERNET, "10.64.0.2", 0x66) },
	  .flow = { .cause = CAUSE_REPLY,
		    .level = LEVEL_SOFTIRQ,
		    .src = "10.64.0.2",
		    .dst = INTERNET,
		    .mark = 0x66 },
	  .want = "",
	  .near = "reply-unmarked" },
	{ "a_rule_for_another_mark_would_not_have_helped",
	  { LOCAL_RULE, { LOOKUP(103, 102), FWMARK(0x67, UINT32_MAX) }, MAIN_RULE },
	  { HOME, BY_WG0(102) },
	  .before = { CAME_MARKED(WG0, INTERNET, "10.64.0.2", 0x66) },
	  .flow = ANSWER("10.64.0.2", INTERNET),
	  .want = "reply-leaves-elsewhere warning 32766",
	  .near = "reply-unmarked" },
	{ "a_rule_for_the_mark_that_leads_to_a_third_device_would_not_have_helped",
	  { LOCAL_RULE, { LOOKUP(103, 102), FWMARK(0x66, UINT32_MAX) }, MAIN_RULE },
	  { HOME, ROUTE(102, "0.0.0.0", 0, TAILSCALE0) },
	  .before = { CAME_MARKED(WG0, INTERNET, "10.64.0.2", 0x66) },
	  .flow = ANSWER("10.64.0.2", INTERNET),
	  .want = "reply-leaves-elsewhere warning 32766",
	  .near = "reply-unmarked" },
	/* mark-rewritten */
	{ "a_flow_loses_bits_of_its_mark_and_its_way",
	  { LOCAL_RULE, { LOOKUP(100, 101), FWMARK(1, 1) }, MAIN_RULE },
	  { HOME, BY_WG0(101) },
	  .before = { SEGMENT("10.64.0.2", INTERNET, 0x40001) },
	  .flow = SEGMENT("10.64.0.2", INTERNET, 0x40000),
	  .want = "source-not-on-device warning 32766, mark-rewritten warning 32766" },
	{ "an_answer_comes_back_with_a_part_of_the_mark",
	  { LOCAL_RULE,
	    { LOOKUP(32764, 254), LENGTH(0) },
	    { LOOKUP(32765, 1836018789), FWMARK(0x6d6f6c65, UINT32_MAX), .invert = true },
	    MAIN_RULE },
	  { HOME, BY_WG0(1836018789) },
	  .before = { { .dst = INTERNET, .mark = 0x6d6f6c65 } },
	  .flow = CHECK(INTERNET, "192.0.2.2", 0x6f0000),
	  .want = "mark-rewritten warning 32765" },
	{ "bits_that_no_rule_looks_at_may_go",
	  { LOCAL_RULE, { LOOKUP(100, 101), FWMARK(1, 1) }, MAIN_RULE },
	  { HOME, BY_WG0(101) },
	  .before = { SEGMENT("10.64.0.2", INTERNET, 0x40001) },
	  .flow = SEGMENT("10.64.0.2", INTERNET, 1),
	  .want = "",
	  .near = "mark-rewritten" },
	{ "a_connection_mark_may_keep_the_bits_of_one_program",
	  { LOCAL_RULE, { LOOKUP(2001, 1), FWMARK(0x100, 0x3f00) }, MAIN_RULE },
	  { HOME, VIA(1, "0.0.0.0", 0, ETH0, GATEWAY) },
	  .before = { { .dst = INTERNET, .mark = 0x40100 } },
	  .flow = CHECK(INTERNET, "192.0.2.2", 0x100),
	  .want = "",
	  .near = "mark-rewritten" },
	{ "an_answer_that_has_another_mark_was_given_it",
	  { LOCAL_RULE, { LOOKUP(100, 101), FWMARK(2, 2) }, MAIN_RULE },
	  { HOME, BY_WG0(101) },
	  .before = { { .dst = INTERNET, .mark = 1 } },
	  .flow = CHECK(INTERNET, "192.0.2.2", 2),
	  .want = "",
	  .near = "mark-rewritten" },
	{ "a_mark_that_is_gone_wholly_was_taken_off",
	  { LOCAL_RULE, { LOOKUP(100, 101), FWMARK(1, 1) }, MAIN_RULE },
	  { HOME, BY_WG0(101) },
	  .before = { SEGMENT("10.64.0.2", INTERNET, 1) },
	  .flow = SEGMENT("10.64.0.2", INTERNET, 0),
	  .want = "source-not-on-device warning 32766",
	  .near = "mark-rewritten" },
	/* source-unset */
	{ "a_socket_has_no_source_yet",
	  { LOCAL_RULE, { LOOKUP(102, 102), FROM_SECOND }, MAIN_RULE },
	  { HOME, BY_WG0(102) },
	  .flow = { .dst = INTERNET },
	  .want = "source-unset info 102 by 32766" },
	{ "a_server_answers_before_it_has_a_source",
	  { LOCAL_RULE, { LOOKUP(102, 102), FROM_SECOND }, MAIN_RULE },
	  { HOME, BY_WG0(102) },
	  .before = { CAME(WG0, INTERNET, SECOND) },
	  .flow = { .dst = INTERNET, .protocol = IPPROTO_UDP, .sport = 53, .dport = 40000 },
	  .want = "source-unset warning 102 by 32766" },
	{ "a_client_that_asks_the_same_host_answers_nothing",
	  { LOCAL_RULE, { LOOKUP(102, 102), FROM_SECOND }, MAIN_RULE },
	  { HOME, BY_WG0(102) },
	  .before = { CAME(WG0, INTERNET, SECOND) },
	  .flow = { .dst = INTERNET, .protocol = IPPROTO_UDP, .sport = 40000, .dport = 53 },
	  .want = "source-unset info 102 by 32766" },
	{ "a_socket_that_is_bound_has_its_source",
	  { LOCAL_RULE, { LOOKUP(102, 102), FROM_SECOND }, MAIN_RULE },
	  { HOME, BY_WG0(102) },
	  .flow = { .src = "192.0.2.2", .dst = INTERNET },
	  .want = "",
	  .near = "source-unset" },
	{ "a_source_would_not_change_the_way",
	  { LOCAL_RULE, { LOOKUP(101, 101), FROM(32, 192, 0, 2, 2) }, MAIN_RULE },
	  { HOME, VIA(101, "0.0.0.0", 0, ETH0, GATEWAY) },
	  .flow = { .dst = INTERNET },
	  .want = "",
	  .near = "source-unset" },
	{ "a_rule_for_sources_behind_the_end_was_not_missed",
	  { LOCAL_RULE, { LOOKUP(50, 254) }, { LOOKUP(102, 102), FROM_SECOND } },
	  { HOME, BY_WG0(102) },
	  .flow = { .dst = INTERNET },
	  .want = "",
	  .near = "source-unset" },
	{ "a_client_of_a_higher_port_still_answers_nothing",
	  { LOCAL_RULE, { LOOKUP(102, 102), FROM_SECOND }, MAIN_RULE },
	  { HOME, BY_WG0(102) },
	  .before = { CAME(WG0, INTERNET, SECOND) },
	  .flow = { .dst = INTERNET, .protocol = IPPROTO_UDP, .sport = 40000, .dport = 50000 },
	  .want = "source-unset info 102 by 32766" },
	{ "a_client_with_a_port_of_its_own_answers_nothing",
	  { LOCAL_RULE, { LOOKUP(102, 102), FROM_SECOND }, MAIN_RULE },
	  { HOME, BY_WG0(102) },
	  .before = { CAME(WG0, INTERNET, SECOND) },
	  .flow = { .dst = INTERNET, .protocol = IPPROTO_UDP, .sport = 5000, .dport = 53 },
	  .want = "source-unset info 102 by 32766" },
	{ "a_request_to_another_address_is_answered_from_that",
	  { LOCAL_RULE, { LOOKUP(102, 102), FROM_SECOND }, MAIN_RULE },
	  { HOME, BY_WG0(102) },
	  .before = { CAME(WG0, INTERNET, "10.64.0.2") },
	  .flow = { .dst = INTERNET, .protocol = IPPROTO_UDP, .sport = 53, .dport = 40000 },
	  .want = "source-unset info 102 by 32766" },
	{ "a_request_by_another_device_would_not_be_answered_there",
	  { LOCAL_RULE, { LOOKUP(102, 102), FROM_SECOND }, MAIN_RULE },
	  { HOME, BY_WG0(102) },
	  .before = { CAME(LAN0, INTERNET, SECOND) },
	  .flow = { .dst = INTERNET, .protocol = IPPROTO_UDP, .sport = 53, .dport = 40000 },
	  .want = "source-unset info 102 by 32766" },
	{ "a_rule_that_wants_more_than_a_source_was_not_missed_for_it",
	  { LOCAL_RULE, { LOOKUP(102, 102), FROM_SECOND, FWMARK(1, 1) }, MAIN_RULE },
	  { HOME, BY_WG0(102) },
	  .flow = { .dst = INTERNET },
	  .want = "",
	  .near = "source-unset" },
	/* from-catches-own-replies */
	{ "a_rule_for_the_lan_catches_the_routers_own_answers",
	  { LOCAL_RULE, { LOOKUP(100, 101), FROM_LAN }, MAIN_RULE },
	  { HOME, BY_WG0(101), ROUTE(101, "203.0.113.0", 24, WG0) },
	  .before = { CAME(LAN0, "10.10.0.5", "10.10.0.1") },
	  .flow = ANSWER("10.10.0.1", "10.10.0.5"),
	  .want = "from-catches-own-replies warning 100" },
	{ "a_rule_for_the_lan_catches_what_it_is_for",
	  { LOCAL_RULE, { LOOKUP(100, 101), FROM_LAN }, MAIN_RULE },
	  { HOME, BY_WG0(101), ROUTE(101, "203.0.113.0", 24, WG0) },
	  .flow = CAME(LAN0, "10.10.0.5", INTERNET),
	  .want = "",
	  .near = "from-catches-own-replies" },
	/* uid-not-expected */
	{ "a_socket_belongs_to_who_made_it",
	  { LOCAL_RULE,
	    { LOOKUP(100, 101), .has_uids = true, .uid_first = 1000, .uid_last = 1000 },
	    MAIN_RULE },
	  { HOME, BY_WG0(101) },
	  .flow = { .dst = INTERNET, .root = true },
	  .want = "uid-not-expected warning 100 by 32766" },
	{ "what_is_forwarded_belongs_to_root",
	  { LOCAL_RULE, { LOOKUP(100, 101), .has_uids = true }, MAIN_RULE },
	  { HOME, BY_WG0(101) },
	  .flow = CAME(LAN0, "10.10.0.5", INTERNET),
	  .want = "uid-not-expected warning 100" },
	{ "a_user_of_no_rule_is_not_expected_by_any",
	  { LOCAL_RULE,
	    { LOOKUP(100, 101), .has_uids = true, .uid_first = 2000, .uid_last = 2000 },
	    MAIN_RULE },
	  { HOME, BY_WG0(101) },
	  .flow = { .dst = INTERNET },
	  .want = "",
	  .near = "uid-not-expected" },
	{ "roots_own_packets_are_what_its_rule_is_for",
	  { LOCAL_RULE, { LOOKUP(100, 101), .has_uids = true }, MAIN_RULE },
	  { HOME, BY_WG0(101) },
	  .flow = { .dst = INTERNET, .root = true },
	  .want = "",
	  .near = "uid-not-expected" },
	{ "a_rule_for_all_users_leads_the_kernel_where_it_would_go",
	  { LOCAL_RULE,
	    { LOOKUP(100, 101), .has_uids = true, .uid_last = 99999 },
	    { LOOKUP(200, 101) } },
	  { HOME, BY_WG0(101) },
	  .flow = CAME(LAN0, "10.10.0.5", INTERNET),
	  .want = "",
	  .near = "uid-not-expected" },
	{ "a_user_whom_no_rule_is_for_is_not_expected_by_any",
	  { LOCAL_RULE,
	    { LOOKUP(100, 101), .has_uids = true, .uid_first = 2000, .uid_last = 2000 },
	    { LOOKUP(101, 101), .has_uids = true, .uid_first = 500, .uid_last = 900 },
	    MAIN_RULE },
	  { HOME, BY_WG0(101) },
	  .flow = { .dst = INTERNET, .root = true },
	  .want = "",
	  .near = "uid-not-expected" },
	{ "what_the_kernel_answers_belongs_to_root",
	  { LOCAL_RULE,
	    { LOOKUP(100, 101), .has_uids = true },
	    { LOOKUP(150, 77), FROM(32, 10, 9, 9, 9) },
	    MAIN_RULE },
	  { HOME, BY_WG0(101) },
	  .flow = ANSWER("192.0.2.2", INTERNET),
	  .want = "uid-not-expected warning 100" },
	/* ports-of-fragment */
	{ "a_fragment_has_no_ports",
	  { LOCAL_RULE,
	    { LOOKUP(100, 101), .ip_proto = IPPROTO_UDP, .has_dport = true,
	      .dport = { 4000, 4000 } },
	    MAIN_RULE },
	  { HOME, BY_WG0(101) },
	  .flow = { .purpose = PURPOSE_INPUT,
		    .level = LEVEL_SOFTIRQ,
		    .iif = LAN0,
		    .src = "10.10.0.5",
		    .dst = INTERNET,
		    .protocol = IPPROTO_UDP },
	  .want = "ports-of-fragment warning 100 by 32766" },
	{ "another_port_is_no_fragment",
	  { LOCAL_RULE,
	    { LOOKUP(100, 101), .ip_proto = IPPROTO_UDP, .has_dport = true,
	      .dport = { 4000, 4000 } },
	    MAIN_RULE },
	  { HOME, BY_WG0(101) },
	  .flow = { .purpose = PURPOSE_INPUT,
		    .level = LEVEL_SOFTIRQ,
		    .iif = LAN0,
		    .src = "10.10.0.5",
		    .dst = INTERNET,
		    .protocol = IPPROTO_UDP,
		    .sport = 40000,
		    .dport = 53 },
	  .want = "",
	  .near = "ports-of-fragment" },
	{ "the_first_lookup_of_a_connection_has_no_ports_either",
	  { LOCAL_RULE, { LOOKUP(100, 101), .has_sport = true, .sport = { 1, 1024 } }, MAIN_RULE },
	  { HOME, BY_WG0(101) },
	  .flow = { .dst = INTERNET, .protocol = IPPROTO_TCP },
	  .want = "",
	  .near = "ports-of-fragment" },
	{ "a_packet_without_ports_at_all_is_no_fragment",
	  { LOCAL_RULE,
	    { LOOKUP(100, 101), .has_dport = true, .dport = { 4000, 4000 } },
	    MAIN_RULE },
	  { HOME, BY_WG0(101) },
	  .flow = { .purpose = PURPOSE_INPUT,
		    .level = LEVEL_SOFTIRQ,
		    .iif = LAN0,
		    .src = "10.10.0.5",
		    .dst = INTERNET,
		    .protocol = IPPROTO_ICMP },
	  .want = "",
	  .near = "ports-of-fragment" },
	/* tos-mask */
	{ "a_tos_rule_takes_another_class_that_shares_its_bits",
	  { LOCAL_RULE, { LOOKUP(100, 101), .tos = 0x18 }, MAIN_RULE },
	  { HOME, BY_WG0(101) },
	  .flow = { .dst = INTERNET, .tos = 0xb8 },
	  .want = "tos-mask warning 100" },
	{ "a_rule_without_a_tos_takes_every_class",
	  { LOCAL_RULE, { LOOKUP(100, 101), .tos = 0x18 }, MAIN_RULE },
	  { HOME, BY_WG0(101) },
	  .flow = { .dst = INTERNET, .tos = 0x10 },
	  .want = "",
	  .near = "tos-mask" },
	{ "a_not_takes_all_but_its_class",
	  { LOCAL_RULE, { LOOKUP(100, 101), .tos = 0x18, .invert = true }, MAIN_RULE },
	  { HOME, BY_WG0(101) },
	  .flow = { .dst = INTERNET, .tos = 0x10 },
	  .want = "",
	  .near = "tos-mask" },
	{ "a_tos_rule_takes_the_class_it_names",
	  { LOCAL_RULE, { LOOKUP(100, 101), .tos = 0x18 }, MAIN_RULE },
	  { HOME, BY_WG0(101) },
	  .flow = { .dst = INTERNET, .tos = 0x1b },
	  .want = "",
	  .near = "tos-mask" },
};

/* --- hosts ------------------------------------------------------------------------------------ */

static struct owners *owners;

static int set_up(void **state)
{
	(void)state;
	owners = owners_new();
	return owners ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	owners_free(owners);
	return 0;
}

/* Own addresses are in table local, as the kernel puts them there. */
static void add_addresses(struct policy *policy)
{
	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
		bool loopback = addresses[i].length == 8;
		struct route_row local =
			LOCAL(addresses[i].address, loopback ? 8 : 32, addresses[i].dev);

		if (loopback)
			local.dst = "127.0.0.0";
		scene_add_address(policy, addresses[i].dev, addresses[i].address,
				  addresses[i].length);
		scene_add_route(policy, scene_route(&local));
	}
}

static void set_tunnels(struct policy *policy, uint32_t tunnels)
{
	for (size_t i = 0; i < ARRAY_SIZE(scene_links); i++) {
		struct link link = scene_links[i];

		link.tunnel = tunnels & TUNNEL(link.index);
		assert_int_equal(policy_set_link(policy, &link), 0);
	}
}

static struct policy *make_host(const struct row *row)
{
	struct rule rules[RULES_MAX];
	struct policy *policy = scene_policy(rules, scene_rules(rules, row->rules, RULES_MAX),
					     row->routes, ROUTES_MAX);

	policy_set_owners(policy, owners);
	set_tunnels(policy, row->tunnels ? row->tunnels : TUNNELS_DEFAULT);
	add_addresses(policy);
	assert_int_equal(policy_set_rp_filter(policy, 0, row->rp_filter), 0);
	return policy;
}

/* --- rows are checked ------------------------------------------------------------------------- */

static void print_findings(struct text *out, const struct lookup *lookup)
{
	for (size_t i = 0; i < lookup->finding_count; i++) {
		const struct finding *finding = &lookup->findings[i];

		text_printf(out, "%s%s %s", i ? ", " : "", finding_kind_name(finding->kind),
			    severity_name(finding->severity));
		if (finding->has_priority)
			text_printf(out, " %u", finding->priority);
		if (finding->has_by)
			text_printf(out, " by %u", finding->by);
	}
}

/* One line of words that is no sentence of a man page: no capital, no full stop. */
static void assert_worded(const struct finding *finding)
{
	size_t length = strlen(finding->text);

	assert_in_range(length, 20, 400);
	assert_null(strchr(finding->text, '\n'));
	assert_int_not_equal(finding->text[length - 1], '.');
	assert_null(strstr(finding->text, "(null)"));
}

static struct lookup explain(struct explainer *explainer, const struct policy *policy,
			     const struct flow_row *flow)
{
	struct lookup lookup = scene_lookup(policy, flow);

	assert_true(explain_lookup(explainer, &lookup, policy));
	assert_true(lookup.examined);
	return lookup;
}

static void check_row(void **state)
{
	const struct row *row = *state;
	struct policy *policy = make_host(row);
	struct explainer *explainer = explainer_new();
	struct text found = { 0 };
	struct lookup lookup;

	assert_non_null(explainer);
	for (size_t i = 0; i < BEFORE_MAX && row->before[i].dst; i++) {
		lookup = explain(explainer, policy, &row->before[i]);
		lookup_clear(&lookup);
	}
	lookup = explain(explainer, policy, &row->flow);
	print_findings(&found, &lookup);
	assert_string_equal(text_string(&found), row->want);
	for (size_t i = 0; i < lookup.finding_count; i++)
		assert_worded(&lookup.findings[i]);
	text_free(&found);
	lookup_clear(&lookup);
	explainer_free(explainer);
	policy_free(policy);
}

static bool some_row_has(const char *kind, bool found)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (found ? !!strstr(rows[i].want, kind)
			  : rows[i].near && !strcmp(rows[i].near, kind) &&
				    !strstr(rows[i].want, kind))
			return true;
	}
	return false;
}

static void every_kind_is_found_in_some_row_and_nearly_in_another(void **state)
{
	(void)state;
	for (int kind = 0; kind < FINDING_KIND_COUNT; kind++) {
		const char *name = finding_kind_name(kind);

		if (!some_row_has(name, true) || !some_row_has(name, false))
			fail_msg("no row, or no near one, for %s", name);
	}
}

static void near_rows_name_kinds_that_there_are(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		bool known = !rows[i].near;

		for (int kind = 0; kind < FINDING_KIND_COUNT; kind++)
			known |= rows[i].near && !strcmp(rows[i].near, finding_kind_name(kind));
		if (!known)
			fail_msg("%s is near to no kind", rows[i].name);
	}
}

/* --- what is no row --------------------------------------------------------------------------- */

static void findings_say_which_rule_and_whose(void **state)
{
	static const char *const want[] = {
		"5270 (tailscaled) has a longer prefix for this destination; 5209 (wg-quick) is "
		"evaluated first",
		"the kernel chose the priority of 5209 (wg-quick), right before 5210 (tailscaled), "
		"which was there already: their order depends on which starts last",
	};
	struct policy *policy = make_host(&rows[0]);
	struct explainer *explainer = explainer_new();
	struct lookup lookup = explain(explainer, policy, &rows[0].flow);

	(void)state;
	assert_int_equal(lookup.finding_count, ARRAY_SIZE(want));
	for (size_t i = 0; i < ARRAY_SIZE(want); i++)
		assert_string_equal(lookup.findings[i].text, want[i]);
	lookup_clear(&lookup);
	explainer_free(explainer);
	policy_free(policy);
}

/* Nobody knows which of two prefixes is the longer one. */
static void the_answer_of_a_table_that_is_not_held_shadows_nothing(void **state)
{
	static const struct flow_row flow = { .dst = TAILNET };
	struct walk_record walk = scene_walk(&flow);
	struct table_answer answers[] = {
		{ .table = 255,
		  .error = -EAGAIN,
		  .flags = ANSWER_CUSTOM_RULES | ANSWER_POLICY_KNOWN },
		{ .table = 254,
		  .dev = ETH0,
		  .netns = NETNS,
		  .route_type = RTN_UNICAST,
		  .gateway_family = FLOW_AF_INET,
		  .gateway = { 192, 0, 2, 1 },
		  .flags = ANSWER_CUSTOM_RULES | ANSWER_POLICY_KNOWN },
		{ .table = 51820,
		  .dev = WG0,
		  .netns = NETNS,
		  .route_type = RTN_UNICAST,
		  .flags = ANSWER_CUSTOM_RULES | ANSWER_POLICY_KNOWN },
	};
	struct policy *policy = make_host(&rows[0]);
	struct explainer *explainer = explainer_new();
	struct text found = { 0 };
	struct lookup lookup = { 0 };

	(void)state;
	policy_set_table_unheld(policy, FLOW_AF_INET, 51820);
	walk.answers = answers;
	walk.answer_count = ARRAY_SIZE(answers);
	assert_int_equal(derive_lookup(&walk, policy, &lookup), DERIVE_DONE);
	assert_int_equal(lookup.verdict.route.prefix_length, -1);
	assert_true(explain_lookup(explainer, &lookup, policy));
	print_findings(&found, &lookup);
	assert_string_equal(text_string(&found), "auto-priority info 5209");
	text_free(&found);
	lookup_clear(&lookup);
	explainer_free(explainer);
	policy_free(policy);
}

int main(void)
{
	static const struct CMUnitTest single[] = {
		cmocka_unit_test(every_kind_is_found_in_some_row_and_nearly_in_another),
		cmocka_unit_test(near_rows_name_kinds_that_there_are),
		cmocka_unit_test(findings_say_which_rule_and_whose),
		cmocka_unit_test(the_answer_of_a_table_that_is_not_held_shadows_nothing),
	};
	struct CMUnitTest tests[ARRAY_SIZE(rows) + ARRAY_SIZE(single)];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		tests[i] = (struct CMUnitTest){
			.name = rows[i].name,
			.test_func = check_row,
			.initial_state = (void *)&rows[i],
		};
	}
	memcpy(tests + ARRAY_SIZE(rows), single, sizeof(single));
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
