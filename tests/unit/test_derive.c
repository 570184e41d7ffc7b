// SPDX-License-Identifier: GPL-2.0-only
/* Walks derived from recorded answers: rules named, outcomes, evidence, verdict, and when to wait. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/names.h"
#include "scene.h"
#include "trace/derive.h"
#include "trace/policy_walks.h"
#include "util/array.h"
#include "util/text.h"

#define RULES_MAX 8
#define ROUTES_MAX 6
#define ANSWERS_MAX 8

struct answer_row {
	uint32_t table;
	int error;
	uint32_t dev;
	uint8_t type;
	const char *gateway;
};

#define MISS(table)                                                                                \
	{                                                                                          \
		table, -EAGAIN, 0, 0, NULL                                                         \
	}
#define HIT(table, dev)                                                                            \
	{                                                                                          \
		table, 0, dev, RTN_UNICAST, NULL                                                   \
	}
#define HIT_VIA(table, dev, gateway)                                                               \
	{                                                                                          \
		table, 0, dev, RTN_UNICAST, gateway                                                \
	}
#define FAIL(table, error)                                                                         \
	{                                                                                          \
		table, error, 0, 0, NULL                                                           \
	}

/* How a row's walk differs from an output lookup of TAILNET that is not ended. */
struct walk_row {
	const char *dst;
	uint32_t mark;
	uint32_t oif;
	uint32_t iif;
	uint32_t l3mdev;
	enum purpose purpose;
	bool input; /* iif 0 means 0 */
	bool ended;
	bool built_in; /* the kernel walks no rules */
	bool direct;
};

struct row {
	const char *name;
	struct rule rules[RULES_MAX];
	struct route_row routes[ROUTES_MAX];
	struct answer_row answers[ANSWERS_MAX];
	struct walk_row walk;
	enum derive_result result;
	const char *steps; /* "PRIORITY outcome TABLE evidence [/LENGTH]" of each, joined by ", " */
	const char *verdict;
};

#define LOCAL_ROUTE LOCAL("127.0.0.0", 8, LO)
#define HOME LOCAL_ROUTE, VIA(254, "0.0.0.0", 0, ETH0, "192.0.2.1")
#define VPN ROUTE(51820, "0.0.0.0", 0, WG0)
#define TAIL ROUTE(52, TAILNET, 32, TAILSCALE0)
#define BAD_ORDER                                                                                  \
	{ LOOKUP(0, 255) }, { LOOKUP(5208, 254), LENGTH(0) }, { LOOKUP(5209, 51820), NOT_MARKED }, \
		{ LOOKUP(5270, 52) },                                                              \
	{                                                                                          \
		LOOKUP(32766, 254)                                                                 \
	}
#define GOOD_ORDER                                                                                 \
	{ LOOKUP(0, 255) }, { LOOKUP(5270, 52) }, { LOOKUP(32764, 254), LENGTH(0) },               \
		{ LOOKUP(32765, 51820), NOT_MARKED },                                              \
	{                                                                                          \
		LOOKUP(32766, 254)                                                                 \
	}
#define LOCAL_MAIN                                                                                 \
	{ LOOKUP(0, 255) },                                                                        \
	{                                                                                          \
		LOOKUP(32766, 254)                                                                 \
	}

static const struct row rows[] = {
	{ "a_throw_route_in_main_is_derived_and_no_route_of_the_verdict",
	  { LOCAL_MAIN },
	  { LOCAL_ROUTE, REJECT(254, "100.64.0.0", 10, RTN_THROW) },
	  { MISS(254) },
	  { .built_in = true },
	  DERIVE_DONE,
	  "32766 throw 254 derived /10",
	  "built-in ENETUNREACH" },
	{ "a_third_table_is_no_built_in_walk",
	  { LOCAL_MAIN },
	  { LOCAL_ROUTE },
	  { MISS(254), MISS(253), MISS(253) },
	  { .built_in = true },
	  DERIVE_CONFLICT,
	  NULL,
	  NULL },
	{ "bad_order_sends_the_tailnet_into_the_vpn",
	  { BAD_ORDER },
	  { HOME, VPN, TAIL },
	  { MISS(255), HIT_VIA(254, ETH0, GATEWAY), HIT(51820, WG0) },
	  { 0 },
	  DERIVE_DONE,
	  "0 no-route 255 kernel, 5208 suppressed 254 kernel /0, 5209 chosen 51820 kernel /0, 5270 "
	  "not-reached 52 derived /32, 32766 not-reached 254 derived /0",
	  "rule 5209 table 51820 /0 dev wg0" },
	{ "good_order_sends_the_tailnet_to_tailscale",
	  { GOOD_ORDER },
	  { HOME, VPN, TAIL },
	  { MISS(255), HIT(52, TAILSCALE0) },
	  { 0 },
	  DERIVE_DONE,
	  "0 no-route 255 kernel, 5270 chosen 52 kernel /32, 32764 not-reached 254 derived /0, "
	  "32765 not-reached 51820 derived /0, 32766 not-reached 254 derived /0",
	  "rule 5270 table 52 /32 dev tailscale0" },
	{ "a_marked_packet_of_the_vpn_asks_main_twice",
	  { BAD_ORDER },
	  { HOME, VPN },
	  { MISS(255), HIT_VIA(254, ETH0, GATEWAY), HIT_VIA(254, ETH0, GATEWAY) },
	  { .dst = "203.0.113.9", .mark = MARK },
	  DERIVE_DONE,
	  "0 no-route 255 kernel, 5208 suppressed 254 kernel /0, 5270 no-table 52 derived, "
	  "32766 chosen 254 kernel /0",
	  "rule 32766 table 254 /0 dev eth0 via 192.0.2.1" },
	{ "a_longer_prefix_under_the_suppressor_is_chosen",
	  { BAD_ORDER },
	  { HOME, VPN, ROUTE(254, "203.0.113.0", 24, ETH0) },
	  { MISS(255), HIT(254, ETH0) },
	  { .dst = "203.0.113.9" },
	  DERIVE_DONE,
	  "0 no-route 255 kernel, 5208 chosen 254 kernel /24, 5209 not-reached 51820 derived /0, "
	  "5270 not-reached 52 derived, 32766 not-reached 254 derived /24",
	  "rule 5208 table 254 /24 dev eth0" },
	{ "a_walk_waits_for_the_table_behind_a_suppressed_answer",
	  { BAD_ORDER },
	  { HOME, VPN },
	  { MISS(255), HIT_VIA(254, ETH0, GATEWAY) },
	  { 0 },
	  DERIVE_OPEN,
	  NULL,
	  NULL },
	{ "an_ended_walk_whose_next_table_did_not_answer_is_a_conflict",
	  { BAD_ORDER },
	  { HOME, VPN },
	  { MISS(255), HIT_VIA(254, ETH0, GATEWAY) },
	  { .ended = true },
	  DERIVE_CONFLICT,
	  NULL,
	  NULL },
	{ "misses_down_to_the_last_rule_end_the_rules",
	  { LOCAL_MAIN },
	  { LOCAL_ROUTE, ROUTE(254, "192.0.2.0", 24, ETH0) },
	  { MISS(255), MISS(254) },
	  { 0 },
	  DERIVE_DONE,
	  "0 no-route 255 kernel, 32766 no-route 254 kernel",
	  "end-of-rules ENETUNREACH" },
	{ "a_miss_under_a_suppressor_leaves_nothing_to_guess_when_the_walk_has_ended",
	  { { LOOKUP(0, 255) }, { LOOKUP(10, 254), LENGTH(0) } },
	  { LOCAL_ROUTE, ROUTE(254, "192.0.2.0", 24, ETH0) },
	  { MISS(255), MISS(254) },
	  { .ended = true },
	  DERIVE_DONE,
	  "0 no-route 255 kernel, 10 no-route 254 kernel",
	  "end-of-rules ENETUNREACH" },
	{ "a_walk_waits_for_a_table_with_routes",
	  { LOCAL_MAIN },
	  { HOME },
	  { MISS(255) },
	  { 0 },
	  DERIVE_OPEN,
	  NULL,
	  NULL },
	{ "an_unreachable_rule_behind_the_misses_decides_without_an_answer",
	  { { LOOKUP(0, 255) }, { LOOKUP(10, 254) }, { ACTION(20, RULE_UNREACHABLE) } },
	  { LOCAL_ROUTE, ROUTE(254, "192.0.2.0", 24, ETH0) },
	  { MISS(255), MISS(254) },
	  { 0 },
	  DERIVE_DONE,
	  "0 no-route 255 kernel, 10 no-route 254 kernel, 20 unreachable 0 derived",
	  "rule 20 ENETUNREACH type unreachable" },
	{ "a_prohibit_rule_decides",
	  { { LOOKUP(0, 255) }, { ACTION(20, RULE_PROHIBIT) }, { LOOKUP(32766, 254) } },
	  { HOME },
	  { MISS(255) },
	  { 0 },
	  DERIVE_DONE,
	  "0 no-route 255 kernel, 20 prohibit 0 derived, 32766 not-reached 254 derived /0",
	  "rule 20 EACCES type prohibit" },
	{ "a_blackhole_rule_decides",
	  { { LOOKUP(0, 255) }, { ACTION(20, RULE_BLACKHOLE) } },
	  { HOME },
	  { MISS(255) },
	  { 0 },
	  DERIVE_DONE,
	  "0 no-route 255 kernel, 20 blackhole 0 derived",
	  "rule 20 EINVAL type blackhole" },
	{ "an_unreachable_route_ends_the_walk",
	  { LOCAL_MAIN },
	  { LOCAL_ROUTE, REJECT(254, "100.64.0.0", 10, RTN_UNREACHABLE) },
	  { MISS(255), FAIL(254, -EHOSTUNREACH) },
	  { 0 },
	  DERIVE_DONE,
	  "0 no-route 255 kernel, 32766 unreachable 254 kernel /10",
	  "rule 32766 table 254 EHOSTUNREACH type unreachable /10" },
	{ "a_prohibit_route_ends_the_walk",
	  { LOCAL_MAIN },
	  { LOCAL_ROUTE, REJECT(254, "100.64.0.0", 10, RTN_PROHIBIT) },
	  { MISS(255), FAIL(254, -EACCES) },
	  { 0 },
	  DERIVE_DONE,
	  "0 no-route 255 kernel, 32766 prohibit 254 kernel /10",
	  "rule 32766 table 254 EACCES type prohibit /10" },
	{ "a_blackhole_route_is_not_suppressed",
	  { { LOOKUP(0, 255) }, { LOOKUP(10, 254), LENGTH(32) } },
	  { LOCAL_ROUTE, REJECT(254, "0.0.0.0", 0, RTN_BLACKHOLE) },
	  { MISS(255), FAIL(254, -EINVAL) },
	  { 0 },
	  DERIVE_DONE,
	  "0 no-route 255 kernel, 10 blackhole 254 kernel /0",
	  "rule 10 table 254 EINVAL type blackhole /0" },
	{ "a_throw_route_goes_on_with_the_next_rule",
	  { { LOOKUP(0, 255) }, { LOOKUP(10, 100) }, { LOOKUP(32766, 254) } },
	  { HOME, REJECT(100, "100.64.0.0", 10, RTN_THROW) },
	  { MISS(255), MISS(100), HIT_VIA(254, ETH0, GATEWAY) },
	  { 0 },
	  DERIVE_DONE,
	  "0 no-route 255 kernel, 10 throw 100 derived /10, 32766 chosen 254 kernel /0",
	  "rule 32766 table 254 /0 dev eth0 via 192.0.2.1" },
	{ "a_device_group_suppresses",
	  { { LOOKUP(0, 255) }, { LOOKUP(10, 51820), GROUP(7) }, { LOOKUP(32766, 254) } },
	  { HOME, VPN },
	  { MISS(255), HIT(51820, WG0), HIT_VIA(254, ETH0, GATEWAY) },
	  { 0 },
	  DERIVE_DONE,
	  "0 no-route 255 kernel, 10 suppressed 51820 kernel /0, 32766 chosen 254 kernel /0",
	  "rule 32766 table 254 /0 dev eth0 via 192.0.2.1" },
	{ "another_device_group_does_not_suppress",
	  { { LOOKUP(0, 255) }, { LOOKUP(10, 51820), GROUP(8) }, { LOOKUP(32766, 254) } },
	  { HOME, VPN },
	  { MISS(255), HIT(51820, WG0) },
	  { 0 },
	  DERIVE_DONE,
	  "0 no-route 255 kernel, 10 chosen 51820 kernel /0, 32766 not-reached 254 derived /0",
	  "rule 10 table 51820 /0 dev wg0" },
	{ "the_last_answer_suppressed_by_length_ends_the_rules",
	  { { LOOKUP(0, 255) }, { LOOKUP(10, 254), LENGTH(0) } },
	  { HOME },
	  { MISS(255), HIT_VIA(254, ETH0, GATEWAY) },
	  { 0 },
	  DERIVE_DONE,
	  "0 no-route 255 kernel, 10 suppressed 254 derived /0",
	  "end-of-rules ENETUNREACH" },
	{ "the_last_answer_suppressed_by_group_ends_the_rules",
	  { { LOOKUP(0, 255) }, { LOOKUP(10, 51820), GROUP(7) } },
	  { LOCAL_ROUTE, VPN },
	  { MISS(255), HIT(51820, WG0) },
	  { 0 },
	  DERIVE_DONE,
	  "0 no-route 255 kernel, 10 suppressed 51820 derived /0",
	  "end-of-rules ENETUNREACH" },
	{ "an_answer_behind_an_unsuppressed_hit_is_a_conflict",
	  { LOCAL_MAIN, { LOOKUP(32767, 253) } },
	  { HOME, ROUTE(253, "0.0.0.0", 0, WG0) },
	  { MISS(255), HIT_VIA(254, ETH0, GATEWAY), HIT(253, WG0) },
	  { 0 },
	  DERIVE_CONFLICT,
	  NULL,
	  NULL },
	{ "an_answer_behind_a_hit_that_the_suppressor_keeps_is_a_conflict",
	  { BAD_ORDER },
	  { HOME, VPN, ROUTE(254, "203.0.113.0", 24, ETH0) },
	  { MISS(255), HIT(254, ETH0), HIT(51820, WG0) },
	  { .dst = "203.0.113.9" },
	  DERIVE_CONFLICT,
	  NULL,
	  NULL },
	{ "a_table_without_routes_that_gave_no_answer_is_missing",
	  { { LOOKUP(0, 255) }, { LOOKUP(10, 100) }, { LOOKUP(32766, 254) } },
	  { HOME },
	  { MISS(255), HIT_VIA(254, ETH0, GATEWAY) },
	  { 0 },
	  DERIVE_DONE,
	  "0 no-route 255 kernel, 10 no-table 100 derived, 32766 chosen 254 kernel /0",
	  "rule 32766 table 254 /0 dev eth0 via 192.0.2.1" },
	{ "an_empty_table_that_answered_has_no_route",
	  { { LOOKUP(0, 255) }, { LOOKUP(10, 100) }, { LOOKUP(32766, 254) } },
	  { HOME },
	  { MISS(255), MISS(100), HIT_VIA(254, ETH0, GATEWAY) },
	  { 0 },
	  DERIVE_DONE,
	  "0 no-route 255 kernel, 10 no-route 100 kernel, 32766 chosen 254 kernel /0",
	  "rule 32766 table 254 /0 dev eth0 via 192.0.2.1" },
	{ "a_hit_in_a_table_without_such_a_route_is_a_conflict",
	  { LOCAL_MAIN },
	  { LOCAL_ROUTE, ROUTE(254, "192.0.2.0", 24, ETH0) },
	  { MISS(255), HIT(254, ETH0) },
	  { 0 },
	  DERIVE_CONFLICT,
	  NULL,
	  NULL },
	{ "a_hit_through_another_device_is_a_conflict",
	  { LOCAL_MAIN },
	  { HOME },
	  { MISS(255), HIT_VIA(254, WG0, GATEWAY) },
	  { 0 },
	  DERIVE_CONFLICT,
	  NULL,
	  NULL },
	{ "a_hit_through_another_gateway_is_a_conflict",
	  { LOCAL_MAIN },
	  { HOME },
	  { MISS(255), HIT_VIA(254, ETH0, "192.0.2.2") },
	  { 0 },
	  DERIVE_CONFLICT,
	  NULL,
	  NULL },
	{ "a_skipped_table_with_routes_is_a_conflict",
	  { { LOOKUP(0, 255) }, { LOOKUP(10, 51820) }, { LOOKUP(32766, 254) } },
	  { HOME, VPN },
	  { MISS(255), HIT_VIA(254, ETH0, GATEWAY) },
	  { 0 },
	  DERIVE_CONFLICT,
	  NULL,
	  NULL },
	{ "goto_jumps_over_rules_and_nop_does_nothing",
	  { { LOOKUP(0, 255) },
	    { GOTO(10, 30) },
	    { LOOKUP(20, 51820) },
	    { ACTION(30, RULE_NOP) },
	    { LOOKUP(32766, 254) } },
	  { HOME, VPN },
	  { MISS(255), HIT_VIA(254, ETH0, GATEWAY) },
	  { 0 },
	  DERIVE_DONE,
	  "0 no-route 255 kernel, 10 goto 0 derived, 20 not-reached 51820 derived /0 by 10, "
	  "30 nop 0 derived, 32766 chosen 254 kernel /0",
	  "rule 32766 table 254 /0 dev eth0 via 192.0.2.1" },
	{ "a_rule_jumped_over_that_does_not_match_is_no_step",
	  { { LOOKUP(0, 255) },
	    { GOTO(10, 30) },
	    { LOOKUP(20, 51820), .mark = 1, .mark_mask = 1 },
	    { GOTO(25, 40) },
	    { LOOKUP(30, 254) } },
	  { HOME, VPN },
	  { MISS(255), HIT_VIA(254, ETH0, GATEWAY) },
	  { 0 },
	  DERIVE_DONE,
	  "0 no-route 255 kernel, 10 goto 0 derived, 25 not-reached 0 derived by 10, "
	  "30 chosen 254 kernel /0",
	  "rule 30 table 254 /0 dev eth0 via 192.0.2.1" },
	{ "a_goto_without_its_target_is_unresolved_and_jumps_over_nothing",
	  { { LOOKUP(0, 255) }, { GOTO(10, 30) }, { LOOKUP(20, 51820) }, { LOOKUP(32766, 254) } },
	  { HOME, VPN },
	  { MISS(255), HIT(51820, WG0) },
	  { 0 },
	  DERIVE_DONE,
	  "0 no-route 255 kernel, 10 goto 0 derived unresolved, 20 chosen 51820 kernel /0, "
	  "32766 not-reached 254 derived /0",
	  "rule 20 table 51820 /0 dev wg0" },
	{ "one_table_asked_by_two_rules_answers_both",
	  { { LOOKUP(0, 255) }, { LOOKUP(10, 254), LENGTH(0) }, { LOOKUP(20, 254) } },
	  { HOME },
	  { MISS(255), HIT_VIA(254, ETH0, GATEWAY), HIT_VIA(254, ETH0, GATEWAY) },
	  { 0 },
	  DERIVE_DONE,
	  "0 no-route 255 kernel, 10 suppressed 254 kernel /0, 20 chosen 254 kernel /0",
	  "rule 20 table 254 /0 dev eth0 via 192.0.2.1" },
	{ "duplicate_tables_are_told_apart_by_their_order",
	  { { LOOKUP(0, 255) }, { LOOKUP(10, 254) }, { LOOKUP(20, 253) }, { LOOKUP(30, 254) } },
	  { LOCAL_ROUTE, ROUTE(254, "192.0.2.0", 24, ETH0), ROUTE(253, "0.0.0.0", 0, WG0) },
	  { MISS(255), MISS(254), HIT(253, WG0) },
	  { 0 },
	  DERIVE_DONE,
	  "0 no-route 255 kernel, 10 no-route 254 kernel, 20 chosen 253 kernel /0, "
	  "30 not-reached 254 derived",
	  "rule 20 table 253 /0 dev wg0" },
	{ "an_l3mdev_rule_asks_the_table_of_the_vrf",
	  { { LOOKUP(0, 255) },
	    { ACTION(1000, RULE_LOOKUP), .l3mdev = true },
	    { LOOKUP(32766, 254) } },
	  { HOME, ROUTE(1001, "0.0.0.0", 0, SLAVE) },
	  { MISS(255), HIT(1001, SLAVE) },
	  { .oif = SLAVE, .l3mdev = VRF0 },
	  DERIVE_DONE,
	  "0 no-route 255 kernel, 1000 chosen 1001 kernel /0, 32766 not-reached 254 derived",
	  "rule 1000 table 1001 /0 dev eth1" },
	/* Without custom rules. */
	{ "the_built_in_walk_takes_a_hit_in_main",
	  { LOCAL_MAIN },
	  { HOME },
	  { HIT_VIA(254, ETH0, GATEWAY) },
	  { .built_in = true },
	  DERIVE_DONE,
	  "32766 chosen 254 kernel /0",
	  "built-in 32766 table 254 /0 dev eth0 via 192.0.2.1" },
	{ "the_built_in_walk_names_local_for_a_local_route",
	  { LOCAL_MAIN },
	  { HOME },
	  { { 254, 0, LO, RTN_LOCAL, NULL } },
	  { .dst = "127.0.0.1", .built_in = true },
	  DERIVE_DONE,
	  "0 chosen 255 kernel /8",
	  "built-in 0 table 255 /8 dev lo" },
	{ "of_local_and_main_the_longer_prefix_answered",
	  { LOCAL_MAIN },
	  { LOCAL(TAILNET, 32, LO), ROUTE(254, "0.0.0.0", 0, LO) },
	  { { 254, 0, LO, 0, NULL } },
	  { .built_in = true },
	  DERIVE_DONE,
	  "0 chosen 255 kernel /32",
	  "built-in 0 table 255 /32 dev lo" },
	{ "main_answers_where_its_prefix_is_longer_than_locals",
	  { LOCAL_MAIN },
	  { LOCAL("100.64.0.0", 10, LO), ROUTE(254, TAILNET, 32, LO) },
	  { { 254, 0, LO, 0, NULL } },
	  { .built_in = true },
	  DERIVE_DONE,
	  "32766 chosen 254 kernel /32",
	  "built-in 32766 table 254 /32 dev lo" },
	{ "a_miss_in_main_ends_when_there_is_no_default_table",
	  { LOCAL_MAIN },
	  { LOCAL_ROUTE, ROUTE(254, "192.0.2.0", 24, ETH0) },
	  { MISS(254) },
	  { .built_in = true },
	  DERIVE_DONE,
	  "32766 no-route 254 kernel",
	  "built-in ENETUNREACH" },
	{ "a_miss_in_main_waits_for_a_default_table_with_routes",
	  { LOCAL_MAIN },
	  { LOCAL_ROUTE, ROUTE(253, "0.0.0.0", 0, WG0) },
	  { MISS(254) },
	  { .built_in = true },
	  DERIVE_OPEN,
	  NULL,
	  NULL },
	{ "the_default_table_answers_behind_main",
	  { LOCAL_MAIN },
	  { LOCAL_ROUTE, ROUTE(253, "0.0.0.0", 0, WG0) },
	  { MISS(254), HIT(253, WG0) },
	  { .built_in = true },
	  DERIVE_DONE,
	  "32766 no-route 254 kernel, 32767 chosen 253 kernel /0",
	  "built-in 32767 table 253 /0 dev wg0" },
	{ "an_unreachable_route_in_main_ends_the_built_in_walk",
	  { LOCAL_MAIN },
	  { LOCAL_ROUTE, REJECT(254, "100.64.0.0", 10, RTN_UNREACHABLE) },
	  { FAIL(254, -EHOSTUNREACH) },
	  { .built_in = true },
	  DERIVE_DONE,
	  "32766 unreachable 254 kernel /10",
	  "built-in 32766 table 254 EHOSTUNREACH type unreachable /10" },
	{ "default_overrides_an_unreachable_route_in_main_where_the_kernel_asked_it",
	  { LOCAL_MAIN },
	  { LOCAL_ROUTE, REJECT(254, "100.64.0.0", 10, RTN_UNREACHABLE),
	    ROUTE(253, "0.0.0.0", 0, WG0) },
	  { FAIL(254, -EHOSTUNREACH), HIT(253, WG0) },
	  { .built_in = true },
	  DERIVE_DONE,
	  "32766 unreachable 254 kernel /10, 32767 chosen 253 kernel /0",
	  "built-in 32767 table 253 /0 dev wg0" },
	{ "a_hit_in_main_followed_by_default_is_a_conflict",
	  { LOCAL_MAIN },
	  { HOME, ROUTE(253, "0.0.0.0", 0, WG0) },
	  { HIT_VIA(254, ETH0, GATEWAY), HIT(253, WG0) },
	  { .built_in = true },
	  DERIVE_CONFLICT,
	  NULL,
	  NULL },
	{ "another_table_first_is_no_built_in_walk",
	  { LOCAL_MAIN },
	  { HOME },
	  { MISS(255), HIT_VIA(254, ETH0, GATEWAY) },
	  { .built_in = true },
	  DERIVE_CONFLICT,
	  NULL,
	  NULL },
	/* A device that the socket or the packet is bound to. */
	{ "a_bound_device_carries_output_without_a_route",
	  { LOCAL_MAIN },
	  { LOCAL_ROUTE, ROUTE(254, "192.0.2.0", 24, ETH0) },
	  { MISS(255), MISS(254) },
	  { .oif = WG0 },
	  DERIVE_DONE,
	  "0 no-route 255 kernel, 32766 no-route 254 kernel",
	  "bound-device type unicast dev wg0" },
	{ "a_bound_device_overrides_a_reject_rule_for_route_get",
	  { { LOOKUP(0, 255) }, { ACTION(10, RULE_PROHIBIT) } },
	  { LOCAL_ROUTE },
	  { MISS(255) },
	  { .oif = WG0, .purpose = PURPOSE_ROUTE_GET },
	  DERIVE_DONE,
	  "0 no-route 255 kernel, 10 prohibit 0 derived",
	  "bound-device type unicast dev wg0" },
	{ "a_bound_device_carries_a_reroute_without_custom_rules",
	  { LOCAL_MAIN },
	  { LOCAL_ROUTE, ROUTE(254, "192.0.2.0", 24, ETH0) },
	  { MISS(254) },
	  { .oif = WG0, .purpose = PURPOSE_REROUTE, .built_in = true },
	  DERIVE_DONE,
	  "32766 no-route 254 kernel",
	  "bound-device type unicast dev wg0" },
	{ "a_bound_device_does_not_override_a_route",
	  { LOCAL_MAIN },
	  { LOCAL_ROUTE, VPN, ROUTE(254, "0.0.0.0", 0, WG0) },
	  { MISS(255), HIT(254, WG0) },
	  { .oif = WG0 },
	  DERIVE_DONE,
	  "0 no-route 255 kernel, 32766 chosen 254 kernel /0",
	  "rule 32766 table 254 /0 dev wg0" },
	{ "a_device_in_a_vrf_is_no_bound_device",
	  { LOCAL_MAIN },
	  { LOCAL_ROUTE, ROUTE(254, "192.0.2.0", 24, ETH0) },
	  { MISS(255), MISS(254) },
	  { .oif = SLAVE, .l3mdev = VRF0 },
	  DERIVE_DONE,
	  "0 no-route 255 kernel, 32766 no-route 254 kernel",
	  "end-of-rules ENETUNREACH" },
	{ "a_vrf_is_no_bound_device",
	  { LOCAL_MAIN },
	  { LOCAL_ROUTE, ROUTE(254, "192.0.2.0", 24, ETH0) },
	  { MISS(255), MISS(254) },
	  { .oif = VRF0 },
	  DERIVE_DONE,
	  "0 no-route 255 kernel, 32766 no-route 254 kernel",
	  "end-of-rules ENETUNREACH" },
	{ "multicast_leaves_through_a_device_in_a_vrf_all_the_same",
	  { LOCAL_MAIN },
	  { LOCAL_ROUTE, ROUTE(254, "192.0.2.0", 24, ETH0) },
	  { MISS(255), MISS(254) },
	  { .dst = "239.0.0.1", .oif = SLAVE, .l3mdev = VRF0 },
	  DERIVE_DONE,
	  "0 no-route 255 kernel, 32766 no-route 254 kernel",
	  "bound-device type unicast dev eth1" },
	{ "a_source_check_has_no_bound_device",
	  { LOCAL_MAIN },
	  { LOCAL_ROUTE, ROUTE(254, "192.0.2.0", 24, ETH0) },
	  { MISS(255), MISS(254) },
	  { .oif = WG0, .purpose = PURPOSE_SOURCE_CHECK },
	  DERIVE_DONE,
	  "0 no-route 255 kernel, 32766 no-route 254 kernel",
	  "end-of-rules ENETUNREACH" },
	{ "a_packet_that_came_in_has_no_bound_device",
	  { LOCAL_MAIN },
	  { LOCAL_ROUTE, ROUTE(254, "192.0.2.0", 24, ETH0) },
	  { MISS(255), MISS(254) },
	  { .oif = WG0, .iif = ETH0 },
	  DERIVE_DONE,
	  "0 no-route 255 kernel, 32766 no-route 254 kernel",
	  "end-of-rules ENETUNREACH" },
	/* Tables asked without the rules. */
	{ "a_table_that_no_rule_would_ask_was_asked_directly",
	  { LOCAL_MAIN },
	  { HOME, VPN },
	  { HIT(51820, WG0) },
	  { .direct = true, .purpose = PURPOSE_OTHER },
	  DERIVE_DONE,
	  "- chosen 51820 kernel /0",
	  "direct table 51820 /0 dev wg0" },
	{ "only_some_callers_ask_directly",
	  { LOCAL_MAIN },
	  { HOME, VPN },
	  { HIT(51820, WG0) },
	  { 0 },
	  DERIVE_CONFLICT,
	  NULL,
	  NULL },
	{ "a_caller_that_can_ask_directly_may_still_walk_the_rules",
	  { LOCAL_MAIN },
	  { HOME },
	  { MISS(255), HIT_VIA(254, ETH0, GATEWAY) },
	  { .direct = true, .purpose = PURPOSE_OTHER },
	  DERIVE_DONE,
	  "0 no-route 255 kernel, 32766 chosen 254 kernel /0",
	  "rule 32766 table 254 /0 dev eth0 via 192.0.2.1" },
	{ "an_address_check_asks_one_table",
	  { LOCAL_MAIN },
	  { HOME },
	  { { 255, 0, LO, RTN_LOCAL, NULL } },
	  { .dst = "127.0.0.1", .input = true, .direct = true, .purpose = PURPOSE_OTHER },
	  DERIVE_DONE,
	  "- chosen 255 kernel /8",
	  "direct table 255 /8 dev lo" },
	{ "an_address_check_that_found_nothing_failed",
	  { LOCAL_MAIN },
	  { HOME },
	  { MISS(255) },
	  { .input = true, .direct = true, .purpose = PURPOSE_OTHER },
	  DERIVE_DONE,
	  "- no-route 255 kernel",
	  "direct table 255 ENETUNREACH" },
};

static struct policy *make_policy(const struct rule *rules, const struct route_row *routes)
{
	struct rule made[RULES_MAX];

	return scene_policy(made, scene_rules(made, rules, RULES_MAX), routes, ROUTES_MAX);
}

static struct table_answer make_answer(const struct answer_row *row, bool custom_rules)
{
	struct table_answer answer = {
		.table = row->table,
		.error = row->error,
		.dev = row->dev,
		.netns = row->dev ? NETNS : 0,
		.route_type = row->type,
		.flags = ANSWER_POLICY_KNOWN,
	};

	if (custom_rules)
		answer.flags |= ANSWER_CUSTOM_RULES;
	if (row->gateway) {
		answer.gateway_family = FLOW_AF_INET;
		address_set(answer.gateway, row->gateway);
	}
	return answer;
}

static struct walk_record make_walk(const struct walk_row *row, const struct answer_row *answers,
				    struct table_answer *space)
{
	struct walk_record walk = {
		.id = 1,
		.time_ns = 1000,
		.context = { .netns = NETNS, .netns_source = NETNS_TASK, .pid = 42 },
		.key = { .family = FLOW_AF_INET,
			 .mark = row->mark,
			 .oif = row->oif,
			 .iif = row->iif || row->input ? row->iif : FLOW_IFINDEX_LO,
			 .l3mdev = row->l3mdev },
		.ended = row->ended,
		.origin = { row->purpose, CAUSE_SEND, row->direct },
		.answers = space,
	};

	if (row->purpose == PURPOSE_OTHER && !row->direct)
		walk.origin.purpose = PURPOSE_OUTPUT;
	address_set(walk.key.dst, row->dst ? row->dst : TAILNET);
	for (; walk.answer_count < ANSWERS_MAX && answers[walk.answer_count].table;
	     walk.answer_count++)
		space[walk.answer_count] = make_answer(&answers[walk.answer_count], !row->built_in);
	return walk;
}

/* " by GOTO" of a rule that one led past, " unresolved" of a goto that leads nowhere. */
static void print_jump(struct text *out, const struct lookup_step *step)
{
	if (step->outcome == STEP_NOT_REACHED && step->reason) {
		assert_string_equal(step->reason, "goto");
		text_printf(out, " by %u", step->jumped_by);
	}
	if (step->unresolved)
		text_add(out, " unresolved");
}

static void print_steps(struct text *out, const struct lookup *lookup)
{
	for (size_t i = 0; i < lookup->step_count; i++) {
		const struct lookup_step *step = &lookup->steps[i];

		text_add(out, i ? ", " : "");
		if (step->has_priority)
			text_printf(out, "%u", step->priority);
		else
			text_add(out, "-");
		text_printf(out, " %s %u %s", step_outcome_name(step->outcome), step->table,
			    evidence_name(step->evidence));
		if (step->has_route && step->route.prefix_length >= 0)
			text_printf(out, " /%d", step->route.prefix_length);
		print_jump(out, step);
	}
}

static void print_gateway(struct text *out, const struct lookup_route *route)
{
	char gateway[INET_ADDRSTRLEN];

	if (route->gateway_family != FLOW_AF_INET)
		return;
	text_printf(out, " via %s", inet_ntop(AF_INET, route->gateway, gateway, sizeof(gateway)));
}

static void print_verdict(struct text *out, const struct lookup_verdict *verdict)
{
	const struct lookup_route *route = &verdict->route;

	text_add(out, decided_by_name(verdict->decided_by));
	if (verdict->has_priority)
		text_printf(out, " %u", verdict->priority);
	if (verdict->table)
		text_printf(out, " table %u", verdict->table);
	if (verdict->error)
		text_printf(out, " %s", errno_name(-verdict->error));
	if (route->type && (verdict->error || verdict->decided_by == DECIDED_BY_BOUND_DEVICE))
		text_printf(out, " type %s", route_type_name(route->type));
	if (route->prefix_length >= 0)
		text_printf(out, " /%d", route->prefix_length);
	if (route->dev[0])
		text_printf(out, " dev %s", route->dev);
	print_gateway(out, route);
}

static void assert_empty(const struct lookup *lookup)
{
	static const struct lookup empty;

	assert_memory_equal(lookup, &empty, sizeof(empty));
}

static void check_row(void **state)
{
	const struct row *row = *state;
	struct policy *policy = make_policy(row->rules, row->routes);
	struct table_answer answers[ANSWERS_MAX];
	struct walk_record walk = make_walk(&row->walk, row->answers, answers);
	struct text steps = { 0 }, verdict = { 0 };
	struct lookup lookup = { 0 };

	assert_int_equal(derive_lookup(&walk, policy, &lookup), row->result);
	if (row->result != DERIVE_DONE) {
		assert_empty(&lookup);
		policy_free(policy);
		return;
	}
	policy_free(policy); /* the lookup keeps what it needs */
	print_steps(&steps, &lookup);
	print_verdict(&verdict, &lookup.verdict);
	assert_string_equal(text_string(&steps), row->steps);
	assert_string_equal(text_string(&verdict), row->verdict);
	text_free(&steps);
	text_free(&verdict);
	lookup_clear(&lookup);
}

/* The story's policy, for the tests that are no rows. */
static const struct rule bad_order[RULES_MAX] = { BAD_ORDER };
static const struct rule good_order[RULES_MAX] = { GOOD_ORDER };
static const struct route_row story_routes[ROUTES_MAX] = { HOME, VPN, TAIL };
static const struct answer_row story_answers[ANSWERS_MAX] = { MISS(255),
							      HIT_VIA(254, ETH0, GATEWAY),
							      HIT(51820, WG0) };
static const struct walk_row plain_walk;

static void a_lookup_tells_who_asked_what_and_where(void **state)
{
	struct policy *policy = make_policy(bad_order, story_routes);
	struct table_answer answers[ANSWERS_MAX];
	struct walk_record walk = make_walk(&plain_walk, story_answers, answers);
	struct lookup lookup = { 0 };

	(void)state;
	walk.cpu = 3;
	walk.holes = 2;
	assert_int_equal(derive_lookup(&walk, policy, &lookup), DERIVE_DONE);
	assert_int_equal(lookup.boottime_ns, 1000);
	assert_int_equal(lookup.holes, 2);
	assert_int_equal(lookup.cpu, 3);
	assert_int_equal(lookup.netns, NETNS);
	assert_int_equal(lookup.netns_source, NETNS_DEVICE);
	assert_int_equal(lookup.purpose, PURPOSE_OUTPUT);
	assert_int_equal(lookup.cause, CAUSE_SEND);
	assert_int_equal(lookup.context.pid, 42);
	assert_string_equal(lookup.iif, "lo");
	assert_string_equal(lookup.oif, "");
	assert_int_equal(lookup.steps[1].suppressor, SUPPRESSOR_PREFIXLENGTH);
	assert_ptr_equal(lookup.steps[2].rule, &lookup.rules->rules[2]);
	lookup_clear(&lookup);
	policy_free(policy);
}

static void without_a_hit_the_namespace_is_the_contexts(void **state)
{
	static const struct answer_row misses[ANSWERS_MAX] = { MISS(255) };
	struct table_answer answers[ANSWERS_MAX];
	struct walk_record walk = make_walk(&plain_walk, misses, answers);
	enum netns_source source;

	(void)state;
	assert_int_equal(walk_record_netns(&walk, &source), NETNS);
	assert_int_equal(source, NETNS_TASK);
}

static void an_unheld_table_answers_unexamined(void **state)
{
	struct policy *policy = make_policy(good_order, story_routes);
	static const struct answer_row hits[ANSWERS_MAX] = { MISS(255), HIT(52, WG0) };
	struct table_answer answers[ANSWERS_MAX];
	struct walk_record walk = make_walk(&plain_walk, hits, answers);
	struct lookup lookup = { 0 };

	(void)state;
	policy_set_table_unheld(policy, FLOW_AF_INET, 52);
	assert_int_equal(derive_lookup(&walk, policy, &lookup), DERIVE_DONE);
	assert_int_equal(lookup.verdict.priority, 5270);
	assert_int_equal(lookup.verdict.route.prefix_length, -1);
	lookup_clear(&lookup);
	policy_free(policy);
}

static void a_rule_that_rejects_before_any_table_is_told(void **state)
{
	struct policy *policy = make_policy(bad_order, story_routes);
	struct rule_list *old = rule_list_get(policy_rules(policy, FLOW_AF_INET));
	struct rule rules[2] = { old->rules[0], old->rules[0] };
	uint32_t priority = 0;

	(void)state;
	assert_false(policy_hides_reject(policy, FLOW_AF_INET, &priority));
	rules[1].action = RULE_PROHIBIT;
	rules[1].priority = 7;
	policy_set_rules(policy, FLOW_AF_INET, rule_list_new(rules, 2));
	assert_false(policy_hides_reject(policy, FLOW_AF_INET, &priority));
	rules[0].mark = rules[0].mark_mask = 1;
	policy_set_rules(policy, FLOW_AF_INET, rule_list_new(rules, 2));
	assert_true(policy_hides_reject(policy, FLOW_AF_INET, &priority));
	assert_int_equal(priority, 7);
	rule_list_put(old);
	policy_free(policy);
}

static void a_hit_of_an_unheld_table_that_another_follows_was_suppressed(void **state)
{
	struct policy *policy = make_policy(bad_order, story_routes);
	struct table_answer answers[ANSWERS_MAX];
	struct walk_record walk = make_walk(&plain_walk, story_answers, answers);
	struct lookup lookup = { 0 };
	struct rule_list *list;

	(void)state;
	policy_set_table_unheld(policy, FLOW_AF_INET, 254);
	assert_int_equal(derive_lookup(&walk, policy, &lookup), DERIVE_DONE);
	assert_int_equal(lookup.steps[1].outcome, STEP_SUPPRESSED);
	assert_int_equal(lookup.steps[1].suppressor, SUPPRESSOR_PREFIXLENGTH);
	lookup_clear(&lookup);
	walk.answer_count = 2;
	assert_int_equal(derive_lookup(&walk, policy, &lookup), DERIVE_OPEN);
	walk.ended = true;
	/* Suppressed, it would have been followed: the next rule's table has routes. */
	assert_int_equal(derive_lookup(&walk, policy, &lookup), DERIVE_DONE);
	assert_int_equal(lookup.verdict.priority, 5208);
	lookup_clear(&lookup);
	/* With no rule behind it, nothing tells whether it was. */
	list = rule_list_get(policy_rules(policy, FLOW_AF_INET));
	policy_set_rules(policy, FLOW_AF_INET, rule_list_new(list->rules, 2));
	rule_list_put(list);
	assert_int_equal(derive_lookup(&walk, policy, &lookup), DERIVE_CONFLICT);
	assert_empty(&lookup);
	policy_free(policy);
}

static void the_first_nexthops_group_suppresses_whichever_is_used(void **state)
{
	static const struct rule rules[RULES_MAX] = { { LOOKUP(10, 70), GROUP(7) },
						      { LOOKUP(20, 254) } };
	static const struct route_row routes[ROUTES_MAX] = { ROUTE(254, "0.0.0.0", 0, ETH0) };
	static const struct answer_row hits[ANSWERS_MAX] = { HIT(70, ETH0), HIT(254, ETH0) };
	static const struct walk_row bound = { .oif = ETH0 };
	struct policy *policy = make_policy(rules, routes);
	struct route_table *table = policy_table_for_change(policy, FLOW_AF_INET, 70);
	struct route *route = calloc(1, route_size(2));
	struct table_answer answers[ANSWERS_MAX];
	struct walk_record walk = make_walk(&bound, hits, answers);
	struct lookup lookup = { 0 };

	(void)state;
	route->family = FLOW_AF_INET;
	route->table = 70;
	route->type = RTN_UNICAST;
	route->nexthop_count = 2;
	route->nexthops[0] = (struct nexthop){ .dev = WG0, .weight = 1 };
	route->nexthops[1] = (struct nexthop){ .dev = ETH0, .weight = 1 };
	assert_int_equal(route_table_add(table, route, true, false), 0);
	free(route);
	/* fib4_rule_suppress() looks at nexthop 0: wg0, of group 7. */
	assert_int_equal(derive_lookup(&walk, policy, &lookup), DERIVE_DONE);
	assert_int_equal(lookup.verdict.priority, 20);
	lookup_clear(&lookup);
	policy_free(policy);
}

static void a_policy_without_rules_explains_nothing(void **state)
{
	struct policy *policy = policy_new(NETNS, TOS_MASKED);
	struct table_answer answers[ANSWERS_MAX];
	struct walk_record walk = make_walk(&plain_walk, story_answers, answers);
	struct lookup lookup = { 0 };

	(void)state;
	assert_int_equal(derive_lookup(&walk, policy, &lookup), DERIVE_CONFLICT);
	assert_empty(&lookup);
	policy_free(policy);
}

static void an_answer_that_does_not_know_counts_as_rules(void **state)
{
	struct policy *policy = make_policy(bad_order, story_routes);
	struct table_answer answers[ANSWERS_MAX];
	struct walk_record walk = make_walk(&plain_walk, story_answers, answers);
	struct lookup lookup = { 0 };

	(void)state;
	for (size_t i = 0; i < walk.answer_count; i++)
		answers[i].flags = 0;
	assert_int_equal(derive_lookup(&walk, policy, &lookup), DERIVE_DONE);
	assert_int_equal(lookup.verdict.decided_by, DECIDED_BY_RULE);
	lookup_clear(&lookup);
	policy_free(policy);
}

static void what_is_unknown_names_no_rule(void **state)
{
	struct policy *policy = make_policy(bad_order, story_routes);
	struct table_answer answers[ANSWERS_MAX];
	struct walk_record walk = make_walk(&plain_walk, story_answers, answers);
	struct text steps = { 0 }, verdict = { 0 };
	struct lookup lookup = { 0 };

	(void)state;
	assert_true(derive_unknown(&walk, policy, "policy-changed", &lookup));
	print_steps(&steps, &lookup);
	print_verdict(&verdict, &lookup.verdict);
	assert_string_equal(text_string(&steps), "- no-route 255 kernel, - suppressed 254 kernel, "
						 "- unknown 51820 kernel");
	assert_string_equal(text_string(&verdict), "unknown table 51820 dev wg0");
	assert_string_equal(lookup.steps[2].reason, "policy-changed");
	assert_null(lookup.steps[1].reason);
	assert_null(lookup.rules);
	text_free(&steps);
	text_free(&verdict);
	lookup_clear(&lookup);
	policy_free(policy);
}

static void what_is_unknown_without_a_policy_has_no_names(void **state)
{
	static const struct answer_row fails[ANSWERS_MAX] = { MISS(255), FAIL(254, -EHOSTUNREACH) };
	struct table_answer answers[ANSWERS_MAX];
	struct walk_record walk = make_walk(&plain_walk, story_answers, answers);
	struct lookup lookup = { 0 };

	(void)state;
	assert_true(derive_unknown(&walk, NULL, "policy-unreadable", &lookup));
	assert_string_equal(lookup.verdict.route.dev, "");
	assert_int_equal(lookup.verdict.route.dev_index, WG0);
	assert_int_equal(lookup.verdict.error, 0);
	lookup_clear(&lookup);
	walk = make_walk(&plain_walk, fails, answers);
	assert_true(derive_unknown(&walk, NULL, "policy-unreadable", &lookup));
	assert_int_equal(lookup.verdict.error, -EHOSTUNREACH);
	assert_int_equal(lookup.verdict.route.type, RTN_UNREACHABLE);
	assert_int_equal(lookup.steps[1].outcome, STEP_UNREACHABLE);
	lookup_clear(&lookup);
}

static void derive_story(const struct rule *rules, struct lookup *lookup)
{
	struct policy *policy = make_policy(rules, story_routes);
	struct table_answer answers[ANSWERS_MAX];
	struct walk_record walk = make_walk(&plain_walk, story_answers, answers);

	assert_int_equal(derive_lookup(&walk, policy, lookup), DERIVE_DONE);
	policy_free(policy);
}

static void explanations_by_the_same_rules_agree(void **state)
{
	struct rule moved[RULES_MAX] = { BAD_ORDER };
	struct rule marked[RULES_MAX] = { BAD_ORDER };
	struct lookup a = { 0 }, b = { 0 }, c = { 0 }, d = { 0 };

	(void)state;
	moved[2].priority = 5210;
	marked[2].mark = MARK + 1;
	derive_story(bad_order, &a);
	derive_story(bad_order, &b);
	derive_story(moved, &c);
	derive_story(marked, &d);
	assert_true(lookups_agree(&a, &b));
	assert_false(lookups_agree(&a, &c));
	assert_false(lookups_agree(&a, &d));
	b.verdict.error = -ENETUNREACH;
	assert_false(lookups_agree(&a, &b));
	b.verdict.error = 0;
	b.verdict.route.prefix_length = 8;
	assert_false(lookups_agree(&a, &b));
	b.verdict.route.prefix_length = a.verdict.route.prefix_length;
	b.step_count--;
	assert_false(lookups_agree(&a, &b));
	lookup_clear(&a);
	lookup_clear(&b);
	lookup_clear(&c);
	lookup_clear(&d);
}

static const struct {
	const char *name;
	struct rule rules[RULES_MAX];
	bool ambiguous;
} walks[] = {
	{ "the_default_rules_are_not_ambiguous", { LOCAL_MAIN }, false },
	{ "main_asked_twice_behind_local_is_not_ambiguous", { BAD_ORDER }, false },
	{ "local_asked_twice_is_ambiguous",
	  { { LOOKUP(0, 255) }, { LOOKUP(10, 254) }, { LOOKUP(20, 255) } },
	  true },
	{ "a_goto_first_is_ambiguous", { { GOTO(0, 10) }, { LOOKUP(10, 254) } }, true },
	{ "an_l3mdev_rule_first_is_ambiguous",
	  { { ACTION(0, RULE_LOOKUP), .l3mdev = true }, { LOOKUP(10, 254) } },
	  true },
	{ "an_l3mdev_rule_may_ask_the_first_table_again",
	  { { LOOKUP(0, 255) }, { ACTION(10, RULE_LOOKUP), .l3mdev = true } },
	  true },
	{ "a_selective_first_rule_leaves_the_next_to_be_first",
	  { { LOOKUP(0, 255), .mark = 1, .mark_mask = 1 },
	    { LOOKUP(10, 254), .mark = 2, .mark_mask = 2 },
	    { LOOKUP(20, 254) } },
	  true },
	{ "a_first_table_that_may_be_missing_leaves_the_next_to_be_first",
	  { { LOOKUP(0, 100) }, { LOOKUP(10, 254) }, { LOOKUP(20, 254) } },
	  true },
	{ "a_reject_rule_asks_nothing",
	  { { ACTION(0, RULE_PROHIBIT), .mark = 1, .mark_mask = 1 }, { LOOKUP(10, 254) } },
	  false },
};

static void check_ambiguity(void **state)
{
	static const struct route_row home[ROUTES_MAX] = { HOME };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(walks); i++) {
		struct policy *policy = make_policy(walks[i].rules, home);

		if (policy_family_ambiguous(policy, FLOW_AF_INET) != walks[i].ambiguous)
			fail_msg("%s", walks[i].name);
		policy_free(policy);
	}
}

static void more_steps_than_a_lookup_holds_do_not_end_the_trace(void **state)
{
	static const struct route_row routes[ROUTES_MAX] = { ROUTE(254, "0.0.0.0", 0, ETH0) };
	static const struct answer_row hits[ANSWERS_MAX] = { HIT(254, ETH0) };
	struct rule *rules = calloc(LOOKUP_STEPS_MAX + 10, sizeof(*rules));
	struct policy *policy;
	struct table_answer answers[ANSWERS_MAX];
	struct walk_record walk = make_walk(&plain_walk, hits, answers);
	struct lookup lookup = { 0 };

	(void)state;
	for (size_t i = 0; i < LOOKUP_STEPS_MAX + 10; i++) {
		rule_init(&rules[i], FLOW_AF_INET);
		rules[i].priority = i;
		rules[i].table = 254;
	}
	policy = make_policy(bad_order, routes);
	policy_set_rules(policy, FLOW_AF_INET, rule_list_new(rules, LOOKUP_STEPS_MAX + 10));
	free(rules);
	assert_int_not_equal(derive_lookup(&walk, policy, &lookup), DERIVE_FAILED);
	lookup_clear(&lookup);
	policy_free(policy);
}

int main(void)
{
	static const struct CMUnitTest single[] = {
		cmocka_unit_test(a_lookup_tells_who_asked_what_and_where),
		cmocka_unit_test(without_a_hit_the_namespace_is_the_contexts),
		cmocka_unit_test(an_unheld_table_answers_unexamined),
		cmocka_unit_test(a_hit_of_an_unheld_table_that_another_follows_was_suppressed),
		cmocka_unit_test(the_first_nexthops_group_suppresses_whichever_is_used),
		cmocka_unit_test(a_policy_without_rules_explains_nothing),
		cmocka_unit_test(an_answer_that_does_not_know_counts_as_rules),
		cmocka_unit_test(what_is_unknown_names_no_rule),
		cmocka_unit_test(what_is_unknown_without_a_policy_has_no_names),
		cmocka_unit_test(explanations_by_the_same_rules_agree),
		cmocka_unit_test(check_ambiguity),
		cmocka_unit_test(more_steps_than_a_lookup_holds_do_not_end_the_trace),
		cmocka_unit_test(a_rule_that_rejects_before_any_table_is_told),
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
	return cmocka_run_group_tests(tests, NULL, NULL);
}
