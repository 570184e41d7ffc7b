// SPDX-License-Identifier: GPL-2.0-only
/* Lookups out of records: the kernel's steps, what the policy adds to them, and where they differ. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "message.h"
#include "netlink/rule_message.h"
#include "render/words.h"
#include "rules/names.h"
#include "scene.h"
#include "trace/observe.h"
#include "util/array.h"
#include "util/text.h"

#define RULES_MAX 6
#define ROUTES_MAX 6
#define STEPS_MAX 6
#define NO_RULE UINT32_MAX

/* --- rows ------------------------------------------------------------------------------------ */

/* A step as the kernel saw it. priority is that of its rule, whose fields the kernel knows; NO_RULE
 * for a table that was asked without one. holder: the table of the route, where it is another. */
struct step_row {
	uint32_t priority;
	uint32_t table;
	int error;
	uint8_t flags;
	const char *dst;
	const char *gateway;
	uint32_t dev;
	uint32_t holder;
	uint8_t length;
	uint8_t type;
};

/* How a row's record differs from an output lookup of TAILNET by the rules that its last step ended. */
struct record_row {
	const char *dst;
	const char *prefsrc; /* that the kernel chose */
	uint32_t mark;
	uint32_t oif;
	uint32_t l3mdev;
	int error; /* of a lookup that found a route */
	bool no_rules; /* tables were asked without any */
	bool direct; /* by a caller that wants none */
	bool undecided; /* no step ended the walk */
	bool bound_device;
};

/* kernel: its rules, where they are not those of the policy. */
struct row {
	const char *name;
	struct rule rules[RULES_MAX];
	struct route_row routes[ROUTES_MAX];
	struct step_row steps[STEPS_MAX];
	struct record_row record;
	const char *want; /* see print_steps() */
	const char *verdict;
	struct rule kernel[RULES_MAX];
};

#define MISS(at, id)                                                                               \
	{                                                                                          \
		.priority = (at), .table = (id), .error = -EAGAIN, .flags = STEP_ASKED             \
	}
#define NO_TABLE(at, id)                                                                           \
	{                                                                                          \
		.priority = (at), .table = (id), .error = -EAGAIN                                  \
	}
#define FAIL(at, id, what)                                                                         \
	{                                                                                          \
		.priority = (at), .table = (id), .error = (what), .flags = STEP_ASKED              \
	}
#define REFUSE(at, what)                                                                           \
	{                                                                                          \
		.priority = (at), .error = (what)                                                  \
	}
#define HIT(at, id, to, bits, device)                                                              \
	{                                                                                          \
		.priority = (at), .table = (id), .flags = STEP_ASKED | STEP_HAS_ROUTE,             \
		.type = RTN_UNICAST, .dst = (to), .length = (bits), .dev = (device)                \
	}
#define HIT_VIA(at, id, to, bits, device, by)                                                      \
	{                                                                                          \
		.priority = (at), .table = (id), .flags = STEP_ASKED | STEP_HAS_ROUTE,             \
		.type = RTN_UNICAST, .dst = (to), .length = (bits), .dev = (device),               \
		.gateway = (by)                                                                    \
	}
#define LOCAL_HIT(at, id, to, bits)                                                                \
	{                                                                                          \
		.priority = (at), .table = (id), .flags = STEP_ASKED | STEP_HAS_ROUTE,             \
		.type = RTN_LOCAL, .dst = (to), .length = (bits), .dev = LO, .holder = 255         \
	}

#define LOCAL_ROUTE LOCAL("127.0.0.0", 8, LO)
#define HOME LOCAL_ROUTE, VIA(254, "0.0.0.0", 0, ETH0, GATEWAY)
#define NET LOCAL_ROUTE, ROUTE(254, "192.0.2.0", 24, ETH0)
#define VPN ROUTE(51820, "0.0.0.0", 0, WG0)
#define TAIL ROUTE(52, TAILNET, 32, TAILSCALE0)
#define LOCAL_MAIN                                                                                 \
	{ LOOKUP(0, 255) },                                                                        \
	{                                                                                          \
		LOOKUP(32766, 254)                                                                 \
	}
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
#define STORY_STEPS                                                                                \
	MISS(0, 255), HIT_VIA(5208, 254, "0.0.0.0", 0, ETH0, GATEWAY),                             \
		HIT(5209, 51820, "0.0.0.0", 0, WG0)

/* Records that fit the policy. */
static const struct row rows[] = {
	{ "bad_order_sends_the_tailnet_into_the_vpn",
	  { BAD_ORDER },
	  { HOME, VPN, TAIL },
	  { STORY_STEPS },
	  { 0 },
	  "0 no-route 255 kernel, 5208 suppressed 254 kernel /0 eth0 by length, "
	  "5209 chosen 51820 kernel /0 wg0, 5270 not-reached 52 derived /32 tailscale0, "
	  "32766 not-reached 254 derived /0 eth0",
	  .verdict = "rule 5209 table 51820 /0 dev wg0" },
	{ "good_order_sends_the_tailnet_to_tailscale",
	  { GOOD_ORDER },
	  { HOME, VPN, TAIL },
	  { MISS(0, 255), HIT(5270, 52, TAILNET, 32, TAILSCALE0) },
	  { 0 },
	  "0 no-route 255 kernel, 5270 chosen 52 kernel /32 tailscale0, "
	  "32764 not-reached 254 derived /0 eth0, 32765 not-reached 51820 derived /0 wg0, "
	  "32766 not-reached 254 derived /0 eth0",
	  .verdict = "rule 5270 table 52 /32 dev tailscale0" },
	{ "a_marked_packet_of_the_vpn_asks_main_twice",
	  { BAD_ORDER },
	  { HOME, VPN },
	  { MISS(0, 255), HIT_VIA(5208, 254, "0.0.0.0", 0, ETH0, GATEWAY), NO_TABLE(5270, 52),
	    HIT_VIA(32766, 254, "0.0.0.0", 0, ETH0, GATEWAY) },
	  { .dst = "203.0.113.9", .mark = MARK },
	  "0 no-route 255 kernel, 5208 suppressed 254 kernel /0 eth0 by length, "
	  "5270 no-table 52 kernel, 32766 chosen 254 kernel /0 eth0",
	  .verdict = "rule 32766 table 254 /0 dev eth0 via 192.0.2.1" },
	{ "a_longer_prefix_under_the_suppressor_is_chosen",
	  { BAD_ORDER },
	  { HOME, VPN, ROUTE(254, "203.0.113.0", 24, ETH0) },
	  { MISS(0, 255), HIT(5208, 254, "203.0.113.0", 24, ETH0) },
	  { .dst = "203.0.113.9" },
	  "0 no-route 255 kernel, 5208 chosen 254 kernel /24 eth0, "
	  "5209 not-reached 51820 derived /0 wg0, 5270 not-reached 52 derived, "
	  "32766 not-reached 254 derived /24 eth0",
	  .verdict = "rule 5208 table 254 /24 dev eth0" },
	/* The prefix is the kernel's word, whatever the policy holds. */
	{ "a_route_that_the_policy_does_not_know_is_the_kernels",
	  { LOCAL_MAIN },
	  { HOME },
	  { MISS(0, 255), HIT_VIA(32766, 254, "100.64.0.0", 10, WG0, "192.0.2.2") },
	  { 0 },
	  "0 no-route 255 kernel, 32766 chosen 254 kernel /10 wg0",
	  .verdict = "rule 32766 table 254 /10 dev wg0 via 192.0.2.2" },
	{ "a_device_group_suppresses",
	  { { LOOKUP(0, 255) }, { LOOKUP(10, 51820), GROUP(7) }, { LOOKUP(32766, 254) } },
	  { HOME, VPN },
	  { MISS(0, 255), HIT(10, 51820, "0.0.0.0", 0, WG0),
	    HIT_VIA(32766, 254, "0.0.0.0", 0, ETH0, GATEWAY) },
	  { 0 },
	  "0 no-route 255 kernel, 10 suppressed 51820 kernel /0 wg0 by group, "
	  "32766 chosen 254 kernel /0 eth0",
	  .verdict = "rule 32766 table 254 /0 dev eth0 via 192.0.2.1" },
	{ "of_two_suppressors_the_prefix_length_comes_first",
	  { { LOOKUP(10, 51820), LENGTH(8), GROUP(7) }, { LOOKUP(32766, 254) } },
	  { HOME, VPN },
	  { HIT(10, 51820, "0.0.0.0", 0, WG0), HIT_VIA(32766, 254, "0.0.0.0", 0, ETH0, GATEWAY) },
	  { 0 },
	  "10 suppressed 51820 kernel /0 wg0 by length, 32766 chosen 254 kernel /0 eth0",
	  .verdict = "rule 32766 table 254 /0 dev eth0 via 192.0.2.1" },
	{ "of_two_suppressors_the_group_is_left_where_the_prefix_is_longer",
	  { { LOOKUP(10, 51820), LENGTH(8), GROUP(7) }, { LOOKUP(32766, 254) } },
	  { HOME, ROUTE(51820, "100.64.0.0", 10, WG0) },
	  { HIT(10, 51820, "100.64.0.0", 10, WG0),
	    HIT_VIA(32766, 254, "0.0.0.0", 0, ETH0, GATEWAY) },
	  { 0 },
	  "10 suppressed 51820 kernel /10 wg0 by group, 32766 chosen 254 kernel /0 eth0",
	  .verdict = "rule 32766 table 254 /0 dev eth0 via 192.0.2.1" },
	{ "the_last_answer_suppressed_ends_the_rules",
	  { { LOOKUP(0, 255) }, { LOOKUP(10, 254), LENGTH(0) } },
	  { HOME },
	  { MISS(0, 255), HIT_VIA(10, 254, "0.0.0.0", 0, ETH0, GATEWAY) },
	  { .undecided = true },
	  "0 no-route 255 kernel, 10 suppressed 254 kernel /0 eth0 by length",
	  .verdict = "end-of-rules ENETUNREACH" },
	{ "misses_down_to_the_last_rule_end_the_rules",
	  { LOCAL_MAIN },
	  { NET },
	  { MISS(0, 255), MISS(32766, 254) },
	  { .undecided = true },
	  "0 no-route 255 kernel, 32766 no-route 254 kernel",
	  .verdict = "end-of-rules ENETUNREACH" },
	{ "no_rule_that_applies_ends_the_rules_without_a_step",
	  { { LOOKUP(10, 254), .mark = 1, .mark_mask = 1 } },
	  { HOME },
	  { { 0 } },
	  { .undecided = true },
	  "",
	  .verdict = "end-of-rules ENETUNREACH" },
	{ "goto_and_nop_are_derived",
	  { { LOOKUP(0, 255) },
	    { GOTO(10, 30) },
	    { LOOKUP(20, 51820) },
	    { ACTION(30, RULE_NOP) },
	    { LOOKUP(32766, 254) } },
	  { HOME, VPN },
	  { MISS(0, 255), HIT_VIA(32766, 254, "0.0.0.0", 0, ETH0, GATEWAY) },
	  { 0 },
	  "0 no-route 255 kernel, 10 goto 0 derived, 20 not-reached 51820 derived /0 wg0 by 10, "
	  "30 nop 0 derived, 32766 chosen 254 kernel /0 eth0",
	  .verdict = "rule 32766 table 254 /0 dev eth0 via 192.0.2.1" },
	{ "a_rule_jumped_over_took_no_step_of_the_kernel",
	  { { LOOKUP(0, 255) },
	    { GOTO(10, 30) },
	    { ACTION(20, RULE_PROHIBIT) },
	    { LOOKUP(25, 51820), .mark = 1, .mark_mask = 1 },
	    { ACTION(30, RULE_PROHIBIT) } },
	  { HOME, VPN },
	  { MISS(0, 255), REFUSE(30, -EACCES) },
	  { 0 },
	  "0 no-route 255 kernel, 10 goto 0 derived, 20 not-reached 0 derived by 10, "
	  "30 prohibit 0 kernel",
	  .verdict = "rule 30 EACCES type prohibit" },
	{ "a_goto_behind_the_end_is_not_reached",
	  { { LOOKUP(10, 254) }, { GOTO(20, 30) }, { ACTION(30, RULE_NOP) } },
	  { HOME },
	  { HIT_VIA(10, 254, "0.0.0.0", 0, ETH0, GATEWAY) },
	  { 0 },
	  "10 chosen 254 kernel /0 eth0, 20 not-reached 0 derived, 30 not-reached 0 derived",
	  .verdict = "rule 10 table 254 /0 dev eth0 via 192.0.2.1" },
	{ "a_throw_route_is_derived",
	  { { LOOKUP(0, 255) }, { LOOKUP(10, 100) }, { LOOKUP(32766, 254) } },
	  { HOME, REJECT(100, "100.64.0.0", 10, RTN_THROW) },
	  { MISS(0, 255), MISS(10, 100), HIT_VIA(32766, 254, "0.0.0.0", 0, ETH0, GATEWAY) },
	  { 0 },
	  "0 no-route 255 kernel, 10 throw 100 derived /10, 32766 chosen 254 kernel /0 eth0",
	  .verdict = "rule 32766 table 254 /0 dev eth0 via 192.0.2.1" },
	{ "a_table_that_does_not_exist_is_the_kernels_word",
	  { { LOOKUP(0, 255) }, { LOOKUP(10, 100) }, { LOOKUP(32766, 254) } },
	  { HOME, ROUTE(100, "0.0.0.0", 0, WG0) },
	  { MISS(0, 255), NO_TABLE(10, 100), HIT_VIA(32766, 254, "0.0.0.0", 0, ETH0, GATEWAY) },
	  { 0 },
	  "0 no-route 255 kernel, 10 no-table 100 kernel, 32766 chosen 254 kernel /0 eth0",
	  .verdict = "rule 32766 table 254 /0 dev eth0 via 192.0.2.1" },
	{ "a_table_without_routes_that_was_asked_has_no_route",
	  { { LOOKUP(0, 255) }, { LOOKUP(10, 100) }, { LOOKUP(32766, 254) } },
	  { HOME },
	  { MISS(0, 255), MISS(10, 100), HIT_VIA(32766, 254, "0.0.0.0", 0, ETH0, GATEWAY) },
	  { 0 },
	  "0 no-route 255 kernel, 10 no-route 100 kernel, 32766 chosen 254 kernel /0 eth0",
	  .verdict = "rule 32766 table 254 /0 dev eth0 via 192.0.2.1" },
	{ "an_unreachable_rule_decides",
	  { { LOOKUP(0, 255) }, { ACTION(20, RULE_UNREACHABLE) }, { LOOKUP(32766, 254) } },
	  { HOME },
	  { MISS(0, 255), REFUSE(20, -ENETUNREACH) },
	  { 0 },
	  "0 no-route 255 kernel, 20 unreachable 0 kernel, 32766 not-reached 254 derived /0 eth0",
	  .verdict = "rule 20 ENETUNREACH type unreachable" },
	{ "a_prohibit_rule_before_any_table_decides",
	  { { ACTION(0, RULE_PROHIBIT) }, { LOOKUP(32766, 254) } },
	  { HOME },
	  { REFUSE(0, -EACCES) },
	  { 0 },
	  "0 prohibit 0 kernel, 32766 not-reached 254 derived /0 eth0",
	  .verdict = "rule 0 EACCES type prohibit" },
	{ "a_blackhole_rule_decides",
	  { { LOOKUP(0, 255) }, { ACTION(20, RULE_BLACKHOLE) } },
	  { HOME },
	  { MISS(0, 255), REFUSE(20, -EINVAL) },
	  { 0 },
	  "0 no-route 255 kernel, 20 blackhole 0 kernel",
	  .verdict = "rule 20 EINVAL type blackhole" },
	{ "an_action_that_nobody_knows_is_as_blackhole",
	  { { LOOKUP(0, 255) }, { ACTION(20, 77), .table = 254 }, { LOOKUP(32766, 254) } },
	  { HOME },
	  { MISS(0, 255), REFUSE(20, -EINVAL) },
	  { 0 },
	  "0 no-route 255 kernel, 20 blackhole 0 kernel, 32766 not-reached 254 derived /0 eth0",
	  .verdict = "rule 20 EINVAL type blackhole" },
	/* Of a route that refuses the kernel tells no prefix. */
	{ "an_unreachable_route_has_the_policys_prefix",
	  { LOCAL_MAIN },
	  { LOCAL_ROUTE, REJECT(254, "100.64.0.0", 10, RTN_UNREACHABLE) },
	  { MISS(0, 255), FAIL(32766, 254, -EHOSTUNREACH) },
	  { 0 },
	  "0 no-route 255 kernel, 32766 unreachable 254 kernel /10",
	  .verdict = "rule 32766 table 254 EHOSTUNREACH type unreachable /10" },
	{ "a_prohibit_route_has_the_policys_prefix",
	  { LOCAL_MAIN },
	  { LOCAL_ROUTE, REJECT(254, "100.64.0.0", 10, RTN_PROHIBIT) },
	  { MISS(0, 255), FAIL(32766, 254, -EACCES) },
	  { 0 },
	  "0 no-route 255 kernel, 32766 prohibit 254 kernel /10",
	  .verdict = "rule 32766 table 254 EACCES type prohibit /10" },
	{ "a_blackhole_route_is_not_suppressed",
	  { { LOOKUP(0, 255) }, { LOOKUP(10, 254), LENGTH(32) }, { LOOKUP(20, 52) } },
	  { LOCAL_ROUTE, REJECT(254, "0.0.0.0", 0, RTN_BLACKHOLE), TAIL },
	  { MISS(0, 255), FAIL(10, 254, -EINVAL) },
	  { 0 },
	  "0 no-route 255 kernel, 10 blackhole 254 kernel /0, "
	  "20 not-reached 52 derived /32 tailscale0",
	  .verdict = "rule 10 table 254 EINVAL type blackhole /0" },
	{ "a_route_that_refuses_and_that_the_policy_does_not_hold_has_no_prefix",
	  { LOCAL_MAIN },
	  { NET },
	  { MISS(0, 255), FAIL(32766, 254, -EACCES) },
	  { 0 },
	  "0 no-route 255 kernel, 32766 prohibit 254 kernel",
	  .verdict = "rule 32766 table 254 EACCES type prohibit" },
	/* __mkroute_output() refuses 127.0.0.1 on a device that is not lo, for one. */
	{ "a_route_that_could_not_be_used_is_no_blackhole",
	  { LOCAL_MAIN },
	  { HOME },
	  { MISS(0, 255), HIT_VIA(32766, 254, "0.0.0.0", 0, ETH0, GATEWAY) },
	  { .error = -EINVAL },
	  "0 no-route 255 kernel, 32766 chosen 254 kernel /0 eth0",
	  .verdict = "rule 32766 table 254 EINVAL /0 dev eth0 via 192.0.2.1" },
	{ "an_l3mdev_rule_asks_the_table_of_the_vrf",
	  { { LOOKUP(0, 255) },
	    { ACTION(1000, RULE_LOOKUP), .l3mdev = true },
	    { LOOKUP(32766, 254) } },
	  { HOME, ROUTE(1001, "0.0.0.0", 0, SLAVE) },
	  { MISS(0, 255), HIT(1000, 1001, "0.0.0.0", 0, SLAVE) },
	  { .oif = SLAVE, .l3mdev = VRF0 },
	  "0 no-route 255 kernel, 1000 chosen 1001 kernel /0 eth1, "
	  "32766 not-reached 254 derived",
	  .verdict = "rule 1000 table 1001 /0 dev eth1" },
	{ "a_table_may_be_asked_by_two_rules_of_one_priority",
	  { { LOOKUP(10, 254), LENGTH(0) }, { LOOKUP(10, 254), LENGTH(0) }, { LOOKUP(20, 254) } },
	  { HOME },
	  { HIT_VIA(10, 254, "0.0.0.0", 0, ETH0, GATEWAY),
	    HIT_VIA(10, 254, "0.0.0.0", 0, ETH0, GATEWAY),
	    HIT_VIA(20, 254, "0.0.0.0", 0, ETH0, GATEWAY) },
	  { 0 },
	  "10 suppressed 254 kernel /0 eth0 by length, "
	  "10 suppressed 254 kernel /0 eth0 by length, 20 chosen 254 kernel /0 eth0",
	  .verdict = "rule 20 table 254 /0 dev eth0 via 192.0.2.1" },
	/* A device that the socket or the packet is bound to. */
	{ "a_bound_device_carries_what_no_rule_routes",
	  { LOCAL_MAIN },
	  { NET },
	  { MISS(0, 255), MISS(32766, 254) },
	  { .oif = WG0, .bound_device = true },
	  "0 no-route 255 kernel, 32766 no-route 254 kernel",
	  .verdict = "bound-device type unicast dev wg0" },
	{ "a_bound_device_overrides_a_rule_that_refuses",
	  { { LOOKUP(0, 255) }, { ACTION(10, RULE_PROHIBIT) }, { LOOKUP(32766, 254) } },
	  { HOME },
	  { MISS(0, 255), REFUSE(10, -EACCES) },
	  { .oif = WG0, .bound_device = true, .prefsrc = "10.64.0.2" },
	  "0 no-route 255 kernel, 10 prohibit 0 kernel, 32766 not-reached 254 derived",
	  .verdict = "bound-device type unicast dev wg0 src 10.64.0.2" },
	{ "a_bound_device_overrides_a_route_that_refuses_without_rules",
	  { LOCAL_MAIN },
	  { LOCAL_ROUTE, REJECT(254, "100.64.0.0", 10, RTN_UNREACHABLE) },
	  { FAIL(NO_RULE, 254, -EHOSTUNREACH) },
	  { .oif = WG0, .bound_device = true, .no_rules = true },
	  "32766 unreachable 254 kernel /10",
	  .verdict = "bound-device type unicast dev wg0" },
	/* Without custom rules. */
	{ "the_built_in_walk_takes_a_hit_in_main",
	  { LOCAL_MAIN },
	  { HOME },
	  { HIT_VIA(NO_RULE, 254, "0.0.0.0", 0, ETH0, GATEWAY) },
	  { .no_rules = true },
	  "32766 chosen 254 kernel /0 eth0",
	  .verdict = "built-in 32766 table 254 /0 dev eth0 via 192.0.2.1" },
	{ "a_local_route_of_the_shared_trie_is_locals",
	  { LOCAL_MAIN },
	  { HOME },
	  { LOCAL_HIT(NO_RULE, 254, "127.0.0.0", 8) },
	  { .dst = "127.0.0.1", .no_rules = true },
	  "0 chosen 255 kernel /8 lo",
	  .verdict = "built-in 0 table 255 /8 dev lo" },
	{ "a_miss_in_main_ends_the_built_in_walk_without_a_rule",
	  { LOCAL_MAIN },
	  { NET },
	  { MISS(NO_RULE, 254) },
	  { .no_rules = true, .undecided = true },
	  "32766 no-route 254 kernel",
	  .verdict = "built-in ENETUNREACH" },
	{ "a_throw_route_in_main_is_derived_and_no_route_of_the_verdict",
	  { LOCAL_MAIN },
	  { LOCAL_ROUTE, REJECT(254, "100.64.0.0", 10, RTN_THROW) },
	  { MISS(NO_RULE, 254) },
	  { .no_rules = true, .undecided = true },
	  "32766 throw 254 derived /10",
	  .verdict = "built-in ENETUNREACH" },
	{ "the_default_table_answers_behind_main",
	  { LOCAL_MAIN },
	  { NET, ROUTE(253, "0.0.0.0", 0, WG0) },
	  { MISS(NO_RULE, 254), HIT(NO_RULE, 253, "0.0.0.0", 0, WG0) },
	  { .no_rules = true },
	  "32766 no-route 254 kernel, 32767 chosen 253 kernel /0 wg0",
	  .verdict = "built-in 32767 table 253 /0 dev wg0" },
	{ "the_default_table_misses_behind_main",
	  { LOCAL_MAIN },
	  { NET, ROUTE(253, "198.51.100.0", 24, WG0) },
	  { MISS(NO_RULE, 254), MISS(NO_RULE, 253) },
	  { .no_rules = true, .undecided = true },
	  "32766 no-route 254 kernel, 32767 no-route 253 kernel",
	  .verdict = "built-in ENETUNREACH" },
	{ "an_unreachable_route_in_main_ends_the_built_in_walk",
	  { LOCAL_MAIN },
	  { LOCAL_ROUTE, REJECT(254, "100.64.0.0", 10, RTN_UNREACHABLE) },
	  { FAIL(NO_RULE, 254, -EHOSTUNREACH) },
	  { .no_rules = true },
	  "32766 unreachable 254 kernel /10",
	  .verdict = "built-in 32766 table 254 EHOSTUNREACH type unreachable /10" },
	/* Up to 6.18 the kernel asks table default after a refusal of main, too. */
	{ "default_overrides_a_route_of_main_that_refuses_where_the_kernel_asked_it",
	  { LOCAL_MAIN },
	  { LOCAL_ROUTE, REJECT(254, "100.64.0.0", 10, RTN_UNREACHABLE),
	    ROUTE(253, "0.0.0.0", 0, WG0) },
	  { FAIL(NO_RULE, 254, -EHOSTUNREACH), HIT(NO_RULE, 253, "0.0.0.0", 0, WG0) },
	  { .no_rules = true },
	  "32766 unreachable 254 kernel /10, 32767 chosen 253 kernel /0 wg0",
	  .verdict = "built-in 32767 table 253 /0 dev wg0" },
	{ "a_miss_in_default_overrides_a_route_of_main_that_refuses_too",
	  { LOCAL_MAIN },
	  { LOCAL_ROUTE, REJECT(254, "100.64.0.0", 10, RTN_PROHIBIT),
	    ROUTE(253, "198.51.100.0", 24, WG0) },
	  { FAIL(NO_RULE, 254, -EACCES), MISS(NO_RULE, 253) },
	  { .no_rules = true, .undecided = true },
	  "32766 prohibit 254 kernel /10, 32767 no-route 253 kernel",
	  .verdict = "built-in ENETUNREACH" },
	{ "a_refusal_of_default_is_the_verdict_behind_one_of_main",
	  { LOCAL_MAIN },
	  { LOCAL_ROUTE, REJECT(254, "100.64.0.0", 10, RTN_PROHIBIT),
	    REJECT(253, "0.0.0.0", 0, RTN_BLACKHOLE) },
	  { FAIL(NO_RULE, 254, -EACCES), FAIL(NO_RULE, 253, -EINVAL) },
	  { .no_rules = true },
	  "32766 prohibit 254 kernel /10, 32767 blackhole 253 kernel /0",
	  .verdict = "built-in 32767 table 253 EINVAL type blackhole /0" },
	/* One table, asked by a caller that wants no rules. */
	{ "a_table_that_was_asked_directly_stands_for_no_rule",
	  { LOCAL_MAIN },
	  { HOME, VPN },
	  { HIT(NO_RULE, 51820, "0.0.0.0", 0, WG0) },
	  { .no_rules = true, .direct = true },
	  "- chosen 51820 kernel /0 wg0",
	  .verdict = "direct table 51820 /0 dev wg0" },
	{ "even_main_stands_for_no_rule_when_it_was_asked_directly",
	  { LOCAL_MAIN },
	  { NET },
	  { MISS(NO_RULE, 254) },
	  { .no_rules = true, .direct = true, .undecided = true },
	  "- no-route 254 kernel",
	  .verdict = "direct ENETUNREACH" },
	{ "a_route_of_a_table_that_was_asked_directly_refuses",
	  { LOCAL_MAIN },
	  { HOME, REJECT(100, "100.64.0.0", 10, RTN_PROHIBIT) },
	  { FAIL(NO_RULE, 100, -EACCES) },
	  { .no_rules = true, .direct = true },
	  "- prohibit 100 kernel /10",
	  .verdict = "direct table 100 EACCES type prohibit /10" },
	/* The source that the kernel chose. */
	{ "the_source_is_the_kernels",
	  { LOCAL_MAIN },
	  { HOME },
	  { MISS(0, 255), HIT_VIA(32766, 254, "0.0.0.0", 0, ETH0, GATEWAY) },
	  { .prefsrc = "192.0.2.77" },
	  "0 no-route 255 kernel, 32766 chosen 254 kernel /0 eth0",
	  .verdict = "rule 32766 table 254 /0 dev eth0 via 192.0.2.1 src 192.0.2.77" },
	{ "the_source_of_a_local_packet_is_no_routes",
	  { LOCAL_MAIN },
	  { HOME },
	  { LOCAL_HIT(0, 255, "127.0.0.0", 8) },
	  { .dst = "127.0.0.9", .prefsrc = "127.0.0.9" },
	  "0 chosen 255 kernel /8 lo, 32766 not-reached 254 derived /0 eth0",
	  .verdict = "rule 0 table 255 /8 dev lo" },
};

/* Records that do not fit the policy, and what the kernel alone says of them. */
static const struct row conflicts[] = {
	{ "rules_that_were_moved_since_are_not_the_kernels",
	  { GOOD_ORDER },
	  { HOME, VPN, TAIL },
	  { STORY_STEPS },
	  { 0 },
	  "0 no-route 255 kernel, 5208 suppressed 254 kernel /0 eth0 by length, "
	  "5209 chosen 51820 kernel /0 wg0",
	  .verdict = "rule 5209 table 51820 /0 dev wg0",
	  .kernel = { BAD_ORDER } },
	{ "a_rule_that_was_added_since_is_not_the_kernels",
	  { { LOOKUP(0, 255) }, { LOOKUP(10, 100) }, { LOOKUP(32766, 254) } },
	  { HOME },
	  { MISS(0, 255), HIT_VIA(32766, 254, "0.0.0.0", 0, ETH0, GATEWAY) },
	  { 0 },
	  "0 no-route 255 kernel, 32766 chosen 254 kernel /0 eth0",
	  .verdict = "rule 32766 table 254 /0 dev eth0 via 192.0.2.1",
	  .kernel = { LOCAL_MAIN } },
	{ "a_rule_that_was_deleted_since_is_not_missed",
	  { LOCAL_MAIN },
	  { HOME },
	  { MISS(0, 255), NO_TABLE(10, 100), HIT_VIA(32766, 254, "0.0.0.0", 0, ETH0, GATEWAY) },
	  { 0 },
	  "0 no-route 255 kernel, 10 no-table 100 kernel, 32766 chosen 254 kernel /0 eth0",
	  .verdict = "rule 32766 table 254 /0 dev eth0 via 192.0.2.1",
	  .kernel = { { LOOKUP(0, 255) }, { LOOKUP(10, 100) }, { LOOKUP(32766, 254) } } },
	{ "a_last_rule_that_was_deleted_since_is_not_missed",
	  { { LOOKUP(0, 255) } },
	  { HOME },
	  { MISS(0, 255), MISS(32766, 254) },
	  { .undecided = true },
	  "0 no-route 255 kernel, 32766 no-route 254 kernel",
	  .verdict = "end-of-rules ENETUNREACH",
	  .kernel = { LOCAL_MAIN } },
	{ "a_rule_that_refuses_and_was_added_since_is_not_the_kernels",
	  { { LOOKUP(0, 255) }, { ACTION(10, RULE_PROHIBIT) }, { LOOKUP(32766, 254) } },
	  { HOME },
	  { MISS(0, 255), HIT_VIA(32766, 254, "0.0.0.0", 0, ETH0, GATEWAY) },
	  { 0 },
	  "0 no-route 255 kernel, 32766 chosen 254 kernel /0 eth0",
	  .verdict = "rule 32766 table 254 /0 dev eth0 via 192.0.2.1",
	  .kernel = { LOCAL_MAIN } },
	{ "a_rule_that_refused_and_was_deleted_since_is_shown",
	  { LOCAL_MAIN },
	  { HOME },
	  { MISS(0, 255), REFUSE(10, -ENETUNREACH) },
	  { 0 },
	  "0 no-route 255 kernel, 10 unreachable 0 kernel",
	  .verdict = "rule 10 ENETUNREACH type unreachable",
	  .kernel = { { LOOKUP(0, 255) },
		      { ACTION(10, RULE_UNREACHABLE) },
		      { LOOKUP(32766, 254) } } },
	{ "a_rule_with_another_table_is_not_the_kernels",
	  { { LOOKUP(0, 255) }, { LOOKUP(10, 100) } },
	  { HOME },
	  { MISS(0, 255), HIT(10, 52, TAILNET, 32, TAILSCALE0) },
	  { 0 },
	  "0 no-route 255 kernel, 10 chosen 52 kernel /32 tailscale0",
	  .verdict = "rule 10 table 52 /32 dev tailscale0",
	  .kernel = { { LOOKUP(0, 255) }, { LOOKUP(10, 52) } } },
	{ "a_rule_with_another_selector_is_not_the_kernels",
	  { { LOOKUP(10, 254) } },
	  { HOME },
	  { HIT_VIA(10, 254, "0.0.0.0", 0, ETH0, GATEWAY) },
	  { .mark = 1 },
	  "10 chosen 254 kernel /0 eth0",
	  .verdict = "rule 10 table 254 /0 dev eth0 via 192.0.2.1",
	  .kernel = { { LOOKUP(10, 254), .mark = 1, .mark_mask = 0xff } } },
	{ "a_suppressor_that_was_taken_away_since_did_suppress",
	  { { LOOKUP(10, 254) }, { LOOKUP(20, 51820) } },
	  { HOME, VPN },
	  { HIT_VIA(10, 254, "0.0.0.0", 0, ETH0, GATEWAY), HIT(20, 51820, "0.0.0.0", 0, WG0) },
	  { 0 },
	  "10 suppressed 254 kernel /0 eth0 by length, 20 chosen 51820 kernel /0 wg0",
	  .verdict = "rule 20 table 51820 /0 dev wg0",
	  .kernel = { { LOOKUP(10, 254), LENGTH(0) }, { LOOKUP(20, 51820) } } },
	{ "what_suppressed_is_told_by_the_kernels_rule",
	  { LOCAL_MAIN },
	  { HOME, VPN },
	  { HIT_VIA(10, 254, "100.64.0.0", 10, ETH0, GATEWAY), HIT(20, 51820, "0.0.0.0", 0, WG0),
	    HIT_VIA(30, 254, "100.64.0.0", 10, ETH0, GATEWAY) },
	  { .undecided = true },
	  "10 suppressed 254 kernel /10 eth0 by length, "
	  "20 suppressed 51820 kernel /0 wg0 by group, "
	  "30 suppressed 254 kernel /10 eth0 by group",
	  .verdict = "end-of-rules ENETUNREACH",
	  .kernel = { { LOOKUP(10, 254), LENGTH(10), GROUP(7) },
		      { LOOKUP(20, 51820), GROUP(7) },
		      { LOOKUP(30, 254), LENGTH(9), GROUP(0) } } },
	{ "the_table_of_a_vrf_that_was_changed_since_is_not_the_kernels",
	  { { ACTION(1000, RULE_LOOKUP), .l3mdev = true } },
	  { HOME, ROUTE(1001, "0.0.0.0", 0, SLAVE) },
	  { HIT(1000, 1002, "0.0.0.0", 0, SLAVE) },
	  { .oif = SLAVE, .l3mdev = VRF0 },
	  "1000 chosen 1002 kernel /0 eth1",
	  .verdict = "rule 1000 table 1002 /0 dev eth1" },
	{ "routes_that_refuse_have_no_prefix_without_the_policy",
	  { LOCAL_MAIN },
	  { LOCAL_ROUTE, REJECT(254, "100.64.0.0", 10, RTN_UNREACHABLE) },
	  { FAIL(10, 254, -EHOSTUNREACH) },
	  { 0 },
	  "10 unreachable 254 kernel",
	  .verdict = "rule 10 table 254 EHOSTUNREACH type unreachable",
	  .kernel = { { LOOKUP(10, 254) } } },
	{ "a_throw_route_is_a_miss_without_the_policy",
	  { LOCAL_MAIN },
	  { LOCAL_ROUTE, REJECT(254, "100.64.0.0", 10, RTN_THROW) },
	  { MISS(10, 254) },
	  { .undecided = true },
	  "10 no-route 254 kernel",
	  .verdict = "end-of-rules ENETUNREACH",
	  .kernel = { { LOOKUP(10, 254) } } },
	{ "the_actions_that_refuse_are_told_without_the_policy",
	  { LOCAL_MAIN },
	  { HOME },
	  { REFUSE(10, -EINVAL) },
	  { 0 },
	  "10 blackhole 0 kernel",
	  .verdict = "rule 10 EINVAL type blackhole",
	  .kernel = { { ACTION(10, RULE_BLACKHOLE), .table = 254 } } },
	{ "a_bound_device_is_told_without_the_policy",
	  { LOCAL_MAIN },
	  { HOME },
	  { REFUSE(10, -EACCES) },
	  { .oif = WG0, .bound_device = true, .prefsrc = "10.64.0.2" },
	  "10 prohibit 0 kernel",
	  .verdict = "bound-device type unicast dev wg0 src 10.64.0.2",
	  .kernel = { { ACTION(10, RULE_PROHIBIT) } } },
};

/* --- policies -------------------------------------------------------------------------------- */

static struct policy *row_policy(const struct row *row)
{
	struct rule rules[RULES_MAX];

	return scene_policy(rules, scene_rules(rules, row->rules, RULES_MAX), row->routes,
			    ROUTES_MAX);
}

/* --- records --------------------------------------------------------------------------------- */

/* What the kernel tells of a rule as the rows above write them. */
static struct step_rule make_step_rule(const struct rule *rule)
{
	struct step_rule out = {
		.priority = rule->priority,
		.action = rule->action,
		.table = rule->table,
		.mark = rule->mark,
		.mark_mask = rule->mark_mask,
		.uid_last = FLOW_UID_INVALID,
		.suppress_prefixlength = rule->suppress_prefixlength,
		.suppress_ifgroup = rule->suppress_ifgroup,
	};

	if (rule->invert)
		out.flags |= STEP_RULE_INVERT;
	if (rule->l3mdev)
		out.flags |= STEP_RULE_L3MDEV;
	return out;
}

/* The first rule of that priority. */
static void step_set_rule(struct step_event *step, const struct rule *rules, size_t count,
			  uint32_t priority)
{
	for (size_t i = 0; i < count; i++) {
		if (rules[i].priority == priority) {
			step->rule = make_step_rule(&rules[i]);
			step->flags |= STEP_HAS_RULE;
			return;
		}
	}
	fail_msg("no rule of priority %u", priority);
}

static void step_set_route(struct step_event *step, const struct step_row *row)
{
	struct step_route *route = &step->route;

	if (!(row->flags & STEP_HAS_ROUTE))
		return;
	address_set(route->dst, row->dst);
	route->prefix_length = row->length;
	route->table = row->holder ? row->holder : row->table;
	route->dev = row->dev;
	route->type = row->type;
	route->nexthops = 1;
	if (row->gateway) {
		route->gateway_family = FLOW_AF_INET;
		address_set(route->gateway, row->gateway);
	}
}

static size_t make_steps(struct step_event out[static STEPS_MAX], const struct row *row)
{
	struct rule rules[RULES_MAX];
	size_t rule_count =
		scene_rules(rules, row->kernel[0].action ? row->kernel : row->rules, RULES_MAX);
	size_t count = 0;

	for (; count < STEPS_MAX && (row->steps[count].table || row->steps[count].error); count++) {
		const struct step_row *from = &row->steps[count];

		out[count] = (struct step_event){
			.table = from->table,
			.error = from->error,
			.flags = from->flags,
		};
		if (from->priority != NO_RULE)
			step_set_rule(&out[count], rules, rule_count, from->priority);
		step_set_route(&out[count], from);
	}
	return count;
}

static struct lookup_event make_event(void)
{
	struct lookup_event event = {
		.header = { .time_ns = 1000, .cpu = 3, .type = EVENT_LOOKUP },
		.id = 1,
		.duration_ns = 50,
		.key = { .family = FLOW_AF_INET, .iif = FLOW_IFINDEX_LO },
		.context = { .comm = "ping",
			     .pid = 42,
			     .netns = NETNS,
			     .netns_source = NETNS_LOOKUP,
			     .syscall = -1 },
		.flags = LOOKUP_RULES,
		.purpose = PURPOSE_OUTPUT,
		.cause = CAUSE_SEND,
	};

	address_set(event.key.dst, TAILNET);
	return event;
}

/* What came of the walk: lookup_walked() and output_fill() of the kernel side. */
static void event_set_end(struct lookup_event *event, const struct step_event *last, bool decided)
{
	event->deciding = LOOKUP_NO_STEP;
	event->error = -ENETUNREACH;
	if (!decided)
		return;
	event->deciding = 0; /* the collector is told which one of the last part it is */
	event->error = last->error;
	if (!(last->flags & STEP_HAS_ROUTE))
		return;
	event->route = last->route;
	event->flags |= LOOKUP_HAS_ROUTE;
}

static void event_set_bound_device(struct lookup_event *event)
{
	event->error = 0;
	event->deciding = LOOKUP_NO_STEP;
	event->flags |= LOOKUP_BOUND_DEVICE | LOOKUP_HAS_ROUTE;
	event->route = (struct step_route){ .dev = event->key.oif };
}

static struct lookup_event row_event(const struct record_row *row, const struct step_event *last)
{
	struct lookup_event event = make_event();

	if (row->dst)
		address_set(event.key.dst, row->dst);
	event.key.mark = row->mark;
	event.key.oif = row->oif;
	event.key.l3mdev = row->l3mdev;
	if (row->no_rules)
		event.flags &= ~LOOKUP_RULES;
	if (row->direct)
		event.flags |= LOOKUP_DIRECT;
	event_set_end(&event, last, !row->undecided);
	if (row->error)
		event.error = row->error;
	if (row->bound_device)
		event_set_bound_device(&event);
	if (row->prefsrc) {
		event.flags |= LOOKUP_HAS_PREFSRC;
		address_set(event.prefsrc, row->prefsrc);
	}
	return event;
}

static void collect(struct collector *collector, const struct lookup_event *event)
{
	assert_int_equal(collector_add(collector, &event->header,
				       LOOKUP_EVENT_SIZE(event->step_count), NULL, NULL),
			 0);
}

/* The record of end with these steps, in as many parts as they need. */
static struct lookup_record *make_record(const struct lookup_event *end,
					 const struct step_event *steps, size_t count)
{
	struct collector *collector = collector_new();
	struct lookup_event event = *end;
	struct lookup_record *record;

	assert_non_null(collector);
	event.flags |= LOOKUP_PART;
	event.deciding = LOOKUP_NO_STEP;
	event.step_count = LOOKUP_STEPS_PER_EVENT;
	for (; count > LOOKUP_STEPS_PER_EVENT; count -= LOOKUP_STEPS_PER_EVENT) {
		memcpy(event.steps, steps, sizeof(event.steps));
		collect(collector, &event);
		event.steps_before += LOOKUP_STEPS_PER_EVENT;
		steps += LOOKUP_STEPS_PER_EVENT;
	}
	event.flags = end->flags;
	event.step_count = count;
	if (end->deciding != LOOKUP_NO_STEP)
		event.deciding = count - 1;
	memcpy(event.steps, steps, count * sizeof(*steps));
	collect(collector, &event);
	record = collector_next(collector);
	assert_non_null(record);
	assert_int_equal(collector_counts(collector).malformed, 0);
	collector_free(collector);
	return record;
}

static struct lookup_record *row_record(const struct row *row)
{
	struct step_event steps[STEPS_MAX] = { 0 };
	size_t count = make_steps(steps, row);
	struct lookup_event event = row_event(&row->record, &steps[count ? count - 1 : 0]);

	return make_record(&event, steps, count);
}

/* --- rows are checked ------------------------------------------------------------------------ */

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

/* "PRIORITY OUTCOME TABLE EVIDENCE [/LENGTH] [DEVICE] [by SUPPRESSOR or GOTO]" of each, joined by ", ". */
static void print_steps(struct text *out, const struct lookup *lookup)
{
	static const char *const suppressors[] = {
		[SUPPRESSOR_NONE] = "",
		[SUPPRESSOR_PREFIXLENGTH] = " by length",
		[SUPPRESSOR_IFGROUP] = " by group",
	};

	text_add(out, "");
	for (size_t i = 0; i < lookup->step_count; i++) {
		const struct lookup_step *step = &lookup->steps[i];

		text_add(out, i ? ", " : "");
		if (step->has_priority)
			text_add_unsigned(out, step->priority);
		else
			text_add(out, "-");
		text_printf(out, " %s %u %s", step_outcome_name(step->outcome), step->table,
			    evidence_name(step->evidence));
		if (step->has_route && step->route.prefix_length >= 0)
			text_printf(out, " /%d", step->route.prefix_length);
		if (step->has_route && step->route.dev[0])
			text_printf(out, " %s", step->route.dev);
		text_add(out, suppressors[step->suppressor]);
		print_jump(out, step);
	}
}

static void print_verdict(struct text *out, const struct lookup_verdict *verdict)
{
	const struct lookup_route *route = &verdict->route;

	text_add(out, decided_by_name(verdict->decided_by));
	if (verdict->has_priority)
		text_printf(out, " %u", verdict->priority);
	if (verdict->table)
		text_printf(out, " table %u", verdict->table);
	if (verdict->error) {
		text_add_char(out, ' ');
		words_add_error(out, verdict->error);
	}
	if (route->type && (verdict->error || verdict->decided_by == DECIDED_BY_BOUND_DEVICE))
		text_printf(out, " type %s", route_type_name(route->type));
	if (route->prefix_length >= 0)
		text_printf(out, " /%d", route->prefix_length);
	if (route->dev[0])
		text_printf(out, " dev %s", route->dev);
	if (route->gateway_family) {
		text_add(out, " via ");
		text_add_address(out, route->gateway_family, route->gateway);
	}
	if (route->has_prefsrc) {
		text_add(out, " src ");
		text_add_address(out, FLOW_AF_INET, route->prefsrc);
	}
}

static void lookup_is(const struct lookup *lookup, const char *want_steps, const char *want_verdict)
{
	struct text steps = { 0 }, verdict = { 0 };

	print_steps(&steps, lookup);
	print_verdict(&verdict, &lookup->verdict);
	assert_string_equal(text_string(&steps), want_steps);
	assert_string_equal(text_string(&verdict), want_verdict);
	text_free(&steps);
	text_free(&verdict);
}

static void assert_empty(const struct lookup *lookup)
{
	static const struct lookup empty;

	assert_memory_equal(lookup, &empty, sizeof(empty));
}

static void check_row(void **state)
{
	const struct row *row = *state;
	struct lookup_record *record = row_record(row);
	struct policy *policy = row_policy(row);
	struct lookup lookup = { 0 };

	assert_int_equal(observe_lookup(record, policy, &lookup), DERIVE_DONE);
	/* The lookup keeps what it needs. */
	policy_free(policy);
	lookup_record_free(record);
	lookup_is(&lookup, row->want, row->verdict);
	lookup_clear(&lookup);
}

/* What the policy adds changes nothing of the kernel's own steps and verdict. */
static void unaided_shows_the_same_of_what_the_kernel_did(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct lookup_record *record = row_record(&rows[i]);
		struct policy *policy = row_policy(&rows[i]);
		struct lookup aided = { 0 }, unaided = { 0 };

		assert_int_equal(observe_lookup(record, policy, &aided), DERIVE_DONE);
		assert_true(observe_unaided(record, policy, &unaided));
		assert_int_equal(unaided.step_count, record->step_count);
		for (size_t at = 0; at < unaided.step_count; at++)
			assert_int_equal(unaided.steps[at].evidence, EVIDENCE_KERNEL);
		assert_int_equal(unaided.verdict.error, aided.verdict.error);
		assert_int_equal(unaided.verdict.decided_by, aided.verdict.decided_by);
		assert_int_equal(unaided.verdict.has_priority, aided.verdict.has_priority);
		assert_int_equal(unaided.verdict.priority, aided.verdict.priority);
		assert_int_equal(unaided.verdict.table, aided.verdict.table);
		assert_int_equal(unaided.verdict.route.dev_index, aided.verdict.route.dev_index);
		lookup_clear(&aided);
		lookup_clear(&unaided);
		lookup_record_free(record);
		policy_free(policy);
	}
}

static void check_conflict(void **state)
{
	const struct row *row = *state;
	struct lookup_record *record = row_record(row);
	struct policy *policy = row_policy(row);
	struct lookup lookup = { 0 };

	assert_int_equal(observe_lookup(record, policy, &lookup), DERIVE_CONFLICT);
	assert_empty(&lookup);
	assert_true(observe_unaided(record, policy, &lookup));
	policy_free(policy);
	lookup_record_free(record);
	lookup_is(&lookup, row->want, row->verdict);
	lookup_clear(&lookup);
}

/* --- rules as the kernel and as netlink tell them -------------------------------------------- */

#define FIELDS_MAX 4
#define NEW_DSCP 25
#define NEW_SPORT_MASK 28
#define NEW_DPORT_MASK 29
#define NEW_DSCP_MASK 30
#define NOT_KNOWN 77

#define PAYLOAD(type, ...)                                                                         \
	{                                                                                          \
		type, sizeof((uint8_t[]){ __VA_ARGS__ }), (const uint8_t[])                        \
		{                                                                                  \
			__VA_ARGS__                                                                \
		}                                                                                  \
	}
#define NAME(type, string)                                                                         \
	{                                                                                          \
		type, sizeof(string), string                                                       \
	}
#define PAIR(type, kind, first, second)                                                            \
	{                                                                                          \
		type, sizeof(kind), &(const kind)                                                  \
		{                                                                                  \
			first, second                                                              \
		}                                                                                  \
	}
#define U16(type, value)                                                                           \
	{                                                                                          \
		type, 2, &(const uint16_t)                                                         \
		{                                                                                  \
			value                                                                      \
		}                                                                                  \
	}

/* One rule, as netlink tells it, as the kernel holds it, and a flow that it applies to. */
struct rule_row {
	const char *name;
	struct fib_rule_hdr header;
	struct message_attribute attributes[FIELDS_MAX];
	struct step_rule seen;
	struct flow_key key;
	uint32_t table; /* that the kernel asked; 0: main */
};

#define HEADER(...)                                                                                \
	{                                                                                          \
		.family = AF_INET, .action = FR_ACT_TO_TBL, __VA_ARGS__                            \
	}
#define NO_UIDS .uid_last = FLOW_UID_INVALID
#define NO_SUPPRESSOR .suppress_prefixlength = -1, .suppress_ifgroup = -1
#define ASKS_MAIN .action = RULE_LOOKUP, .table = 254
#define PLAIN ASKS_MAIN, NO_UIDS, NO_SUPPRESSOR

static const struct rule_row rule_rows[] = {
	{ "without_a_selector", HEADER(.table = 254), .seen = { PLAIN } },
	{ "of_the_kernel_itself",
	  HEADER(.table = 254),
	  { PAYLOAD(FRA_PROTOCOL, RTPROT_KERNEL), U32(FRA_SUPPRESS_PREFIXLEN, 0xffffffff) },
	  .seen = { PLAIN, .protocol = RTPROT_KERNEL } },
	{ "with_a_priority",
	  HEADER(.table = 254),
	  { U32(FRA_PRIORITY, 0xfffffff0) },
	  .seen = { PLAIN, .priority = 0xfffffff0 } },
	{ "of_a_large_table",
	  HEADER(.table = 252),
	  { U32(FRA_TABLE, 51820) },
	  .seen = { .action = RULE_LOOKUP, .table = 51820, NO_UIDS, NO_SUPPRESSOR },
	  .table = 51820 },
	{ "from_a_prefix",
	  HEADER(.table = 254, .src_len = 24),
	  { PAYLOAD(FRA_SRC, 192, 0, 2, 0) },
	  .seen = { PLAIN, .src = { 192, 0, 2 }, .src_length = 24 },
	  .key = { .src = { 192, 0, 2, 7 } } },
	/* The kernel keeps the bits behind the prefix, too. */
	{ "from_a_prefix_with_bits_behind_it",
	  HEADER(.table = 254, .src_len = 24),
	  { PAYLOAD(FRA_SRC, 192, 0, 2, 9) },
	  .seen = { PLAIN, .src = { 192, 0, 2, 9 }, .src_length = 24 },
	  .key = { .src = { 192, 0, 2, 7 } } },
	{ "to_a_host",
	  HEADER(.table = 254, .dst_len = 32),
	  { PAYLOAD(FRA_DST, 203, 0, 113, 9) },
	  .seen = { PLAIN, .dst = { 203, 0, 113, 9 }, .dst_length = 32 },
	  .key = { .dst = { 203, 0, 113, 9 } } },
	{ "from_a_device",
	  HEADER(.table = 254),
	  { NAME(FRA_IIFNAME, "eth0") },
	  .seen = { PLAIN, .iif = "eth0" },
	  .key = { .iif = ETH0 } },
	{ "to_a_device",
	  HEADER(.table = 254),
	  { NAME(FRA_OIFNAME, "tailscale0") },
	  .seen = { PLAIN, .oif = "tailscale0" },
	  .key = { .oif = TAILSCALE0 } },
	{ "not_from_a_device_that_is_not_there",
	  HEADER(.table = 254, .flags = FIB_RULE_INVERT),
	  { NAME(FRA_IIFNAME, "fifteen-letters") },
	  .seen = { PLAIN, .iif = "fifteen-letters", .flags = STEP_RULE_INVERT } },
	{ "with_a_mark",
	  HEADER(.table = 254),
	  { U32(FRA_FWMARK, 0xca6c), U32(FRA_FWMASK, 0xffffffff) },
	  .seen = { PLAIN, .mark = 0xca6c, .mark_mask = 0xffffffff },
	  .key = { .mark = 0xca6c } },
	{ "with_a_mark_under_a_mask",
	  HEADER(.table = 254),
	  { U32(FRA_FWMARK, 0x80000), U32(FRA_FWMASK, 0xff0000) },
	  .seen = { PLAIN, .mark = 0x80000, .mark_mask = 0xff0000 },
	  .key = { .mark = 0x80001 } },
	{ "with_no_mark_under_a_mask",
	  HEADER(.table = 254),
	  { U32(FRA_FWMASK, 0xff0000) },
	  .seen = { PLAIN, .mark_mask = 0xff0000 },
	  .key = { .mark = 1 } },
	{ "with_a_mark_under_no_mask",
	  HEADER(.table = 254),
	  { U32(FRA_FWMARK, 5), U32(FRA_FWMASK, 0) },
	  .seen = { PLAIN, .mark = 5 },
	  .key = { .mark = 1 } },
	{ "without_a_mark_inverted",
	  HEADER(.table = 254, .flags = FIB_RULE_INVERT),
	  { U32(FRA_FWMARK, 0xca6c), U32(FRA_FWMASK, 0xffffffff) },
	  .seen = { PLAIN, .mark = 0xca6c, .mark_mask = 0xffffffff, .flags = STEP_RULE_INVERT } },
	{ "of_a_tunnel",
	  HEADER(.table = 254),
	  { PAYLOAD(FRA_TUN_ID, 0, 0, 0, 1, 0, 0, 1, 2) },
	  .seen = { PLAIN, .tun_id = 0x100000102 },
	  .key = { .tun_id = 0x100000102 } },
	{ "of_a_vrf",
	  HEADER(.table = 0),
	  { PAYLOAD(FRA_L3MDEV, 1), U32(FRA_PRIORITY, 1000) },
	  .seen = { .action = RULE_LOOKUP,
		    NO_UIDS,
		    NO_SUPPRESSOR,
		    .flags = STEP_RULE_L3MDEV,
		    .priority = 1000 },
	  .key = { .oif = SLAVE, .l3mdev = VRF0 },
	  .table = 1001 },
	/* fib_get_table() takes the table 0 of such a rule for main. */
	{ "of_no_vrf",
	  HEADER(.table = 0, .flags = FIB_RULE_INVERT),
	  { PAYLOAD(FRA_L3MDEV, 1) },
	  .seen = { .action = RULE_LOOKUP,
		    NO_UIDS,
		    NO_SUPPRESSOR,
		    .flags = STEP_RULE_L3MDEV | STEP_RULE_INVERT } },
	{ "of_a_range_of_users",
	  HEADER(.table = 254),
	  { PAIR(FRA_UID_RANGE, struct fib_rule_uid_range, 1000, 1999) },
	  .seen = { ASKS_MAIN, NO_SUPPRESSOR, .uid_first = 1000, .uid_last = 1999 },
	  .key = { .uid = 1500 } },
	{ "of_root",
	  HEADER(.table = 254),
	  { PAIR(FRA_UID_RANGE, struct fib_rule_uid_range, 0, 0) },
	  .seen = { ASKS_MAIN, NO_SUPPRESSOR } },
	{ "of_all_users_there_can_be",
	  HEADER(.table = 254),
	  { PAIR(FRA_UID_RANGE, struct fib_rule_uid_range, 0, 0xfffffffe) },
	  .seen = { ASKS_MAIN, NO_SUPPRESSOR, .uid_last = 0xfffffffe },
	  .key = { .uid = 7 } },
	{ "of_a_protocol",
	  HEADER(.table = 254),
	  { PAYLOAD(FRA_IP_PROTO, 6) },
	  .seen = { PLAIN, .ip_proto = 6 },
	  .key = { .protocol = 6 } },
	{ "of_ranges_of_ports",
	  HEADER(.table = 254),
	  { PAIR(FRA_SPORT_RANGE, struct fib_rule_port_range, 1, 65535),
	    PAIR(FRA_DPORT_RANGE, struct fib_rule_port_range, 53, 54) },
	  .seen = { PLAIN, .sport_first = 1, .sport_last = 65535, .dport_first = 53,
		    .dport_last = 54 },
	  .key = { .sport = 9, .dport = 54 } },
	{ "of_a_port",
	  HEADER(.table = 254),
	  { PAIR(FRA_DPORT_RANGE, struct fib_rule_port_range, 53, 53) },
	  .seen = { PLAIN, .dport_first = 53, .dport_last = 53 },
	  .key = { .dport = 53 } },
	/* Kernels from 6.16 on hold every single port under this mask. */
	{ "of_a_port_under_the_mask_of_all_ports",
	  HEADER(.table = 254),
	  { PAIR(FRA_DPORT_RANGE, struct fib_rule_port_range, 53, 53),
	    U16(NEW_DPORT_MASK, 0xffff) },
	  .seen = { PLAIN, .dport_first = 53, .dport_last = 53, .dport_mask = 0xffff },
	  .key = { .dport = 53 } },
	{ "of_a_source_port_under_the_mask_of_all_ports",
	  HEADER(.table = 254),
	  { PAIR(FRA_SPORT_RANGE, struct fib_rule_port_range, 53, 53),
	    U16(NEW_SPORT_MASK, 0xffff) },
	  .seen = { PLAIN, .sport_first = 53, .sport_last = 53, .sport_mask = 0xffff },
	  .key = { .sport = 53 } },
	{ "of_ports_under_a_mask",
	  HEADER(.table = 254),
	  { PAIR(FRA_SPORT_RANGE, struct fib_rule_port_range, 0x1000, 0x1000),
	    U16(NEW_SPORT_MASK, 0xff00) },
	  .seen = { PLAIN, .sport_first = 0x1000, .sport_last = 0x1000, .sport_mask = 0xff00 },
	  .key = { .sport = 0x1034 } },
	{ "of_a_tos", HEADER(.table = 254, .tos = 0x10), .seen = { PLAIN, .tos = 0x10 },
	  .key = { .tos = 0x10 } },
	{ "of_a_dscp",
	  HEADER(.table = 254),
	  { PAYLOAD(NEW_DSCP, 46) },
	  .seen = { PLAIN, .tos = 46 << 2, .dscp_mask = 63 << 2, .flags = STEP_RULE_DSCP },
	  .key = { .tos = 46 << 2 } },
	{ "of_the_dscp_zero",
	  HEADER(.table = 254),
	  { PAYLOAD(NEW_DSCP, 0), PAYLOAD(NEW_DSCP_MASK, 63) },
	  .seen = { PLAIN, .dscp_mask = 63 << 2, .flags = STEP_RULE_DSCP } },
	{ "of_dscps_under_a_mask",
	  HEADER(.table = 254),
	  { PAYLOAD(NEW_DSCP, 40), PAYLOAD(NEW_DSCP_MASK, 56) },
	  .seen = { PLAIN, .tos = 40 << 2, .dscp_mask = 56 << 2, .flags = STEP_RULE_DSCP },
	  .key = { .tos = 46 << 2 } },
	{ "that_suppresses_short_prefixes",
	  HEADER(.table = 254),
	  { U32(FRA_SUPPRESS_PREFIXLEN, 0) },
	  .seen = { ASKS_MAIN, NO_UIDS, .suppress_ifgroup = -1 } },
	{ "that_suppresses_a_group",
	  HEADER(.table = 254),
	  { U32(FRA_SUPPRESS_IFGROUP, 7), U32(FRA_SUPPRESS_PREFIXLEN, 0xffffffff) },
	  .seen = { ASKS_MAIN, NO_UIDS, .suppress_prefixlength = -1, .suppress_ifgroup = 7 } },
};

static struct rule netlink_rule(const struct fib_rule_hdr *header,
				const struct message_attribute *attributes)
{
	struct nlmsghdr *message = message_new(RTM_NEWRULE, header, sizeof(*header), attributes);
	struct rule rule;

	assert_int_equal(rule_message_parse(message, &rule), 0);
	assert_false(rule.truncated);
	free(message);
	return rule;
}

/* A step of the rule by which table gave a default route. */
static struct step_event hit_by(const struct step_rule *rule, uint32_t table)
{
	static const uint32_t devices[] = { [0] = ETH0, [1] = SLAVE };
	struct step_event step = {
		.rule = *rule,
		.table = table,
		.flags = STEP_HAS_RULE | STEP_HAS_ROUTE | STEP_ASKED,
		.route = { .table = table,
			   .dev = devices[table == 1001],
			   .prefix_length = 24,
			   .type = RTN_UNICAST,
			   .nexthops = 1 },
	};

	return step;
}

static struct lookup_record *record_of_hit(const struct flow_key *key,
					   const struct step_event *step)
{
	struct lookup_event event = make_event();

	event.key = *key;
	event.key.family = FLOW_AF_INET;
	if (!event.key.iif)
		event.key.iif = FLOW_IFINDEX_LO;
	event_set_end(&event, step, true);
	return make_record(&event, step, 1);
}

static struct policy *policy_of_rule(const struct rule *rule)
{
	static const struct route_row none[ROUTES_MAX];

	return scene_policy(rule, 1, none, ROUTES_MAX);
}

static void check_rule(void **state)
{
	const struct rule_row *row = *state;
	struct rule rule = netlink_rule(&row->header, row->attributes);
	struct policy *policy = policy_of_rule(&rule);
	struct step_event step = hit_by(&row->seen, row->table ? row->table : 254);
	struct lookup_record *record = record_of_hit(&row->key, &step);
	struct lookup lookup = { 0 }, unaided = { 0 };
	struct rule seen;

	assert_int_equal(observe_lookup(record, policy, &lookup), DERIVE_DONE);
	assert_int_equal(lookup.step_count, 1);
	assert_int_equal(lookup.steps[0].outcome, STEP_CHOSEN);
	assert_ptr_equal(lookup.steps[0].rule, &policy_rules(policy, FLOW_AF_INET)->rules[0]);
	assert_true(observe_unaided(record, policy, &unaided));
	lookup_record_free(record);
	/* The kernel's own fields of it; which devices the names stand for the policy knows. */
	seen = *unaided.steps[0].rule;
	seen.iif_index = lookup.steps[0].rule->iif_index;
	seen.oif_index = lookup.steps[0].rule->oif_index;
	assert_memory_equal(&seen, lookup.steps[0].rule, sizeof(seen));
	lookup_clear(&lookup);
	lookup_clear(&unaided);
	policy_free(policy);
}

/* A rule with every selector that the kernel tells of, a flow that it applies to, and its step. */
static const struct step_rule full_rule = {
	.src = { 192, 0, 2 },
	.dst = { 203, 0, 113 },
	.iif = "eth0",
	.oif = "wg0",
	.tun_id = 258,
	.priority = 10,
	.table = 254,
	.mark = 0x80000,
	.mark_mask = 0xff0000,
	.uid_first = 1000,
	.uid_last = 1999,
	.suppress_prefixlength = 3,
	.suppress_ifgroup = 7,
	.sport_first = 0x1000,
	.sport_last = 0x1000,
	.sport_mask = 0xff00,
	.dport_first = 53,
	.dport_last = 54,
	.src_length = 24,
	.dst_length = 24,
	.tos = 0x10,
	.ip_proto = 17,
	.protocol = RTPROT_STATIC,
	.action = RULE_LOOKUP,
};
static const struct fib_rule_hdr full_header = {
	.family = AF_INET,
	.table = 254,
	.action = FR_ACT_TO_TBL,
	.src_len = 24,
	.dst_len = 24,
	.tos = 0x10,
};
static const struct message_attribute full_attributes[] = {
	PAYLOAD(FRA_SRC, 192, 0, 2, 0),
	PAYLOAD(FRA_DST, 203, 0, 113, 0),
	NAME(FRA_IIFNAME, "eth0"),
	NAME(FRA_OIFNAME, "wg0"),
	PAYLOAD(FRA_TUN_ID, 0, 0, 0, 0, 0, 0, 1, 2),
	U32(FRA_PRIORITY, 10),
	U32(FRA_FWMARK, 0x80000),
	U32(FRA_FWMASK, 0xff0000),
	PAIR(FRA_UID_RANGE, struct fib_rule_uid_range, 1000, 1999),
	U32(FRA_SUPPRESS_PREFIXLEN, 3),
	U32(FRA_SUPPRESS_IFGROUP, 7),
	PAIR(FRA_SPORT_RANGE, struct fib_rule_port_range, 0x1000, 0x1000),
	U16(NEW_SPORT_MASK, 0xff00),
	PAIR(FRA_DPORT_RANGE, struct fib_rule_port_range, 53, 54),
	PAYLOAD(FRA_IP_PROTO, 17),
	PAYLOAD(FRA_PROTOCOL, RTPROT_STATIC),
	{ 0 },
};
static const struct flow_key full_key = {
	.src = { 192, 0, 2, 7 },
	.dst = { 203, 0, 113, 9 },
	.iif = ETH0,
	.oif = WG0,
	.tun_id = 258,
	.mark = 0x80001,
	.uid = 1000,
	.sport = 0x1034,
	.dport = 53,
	.tos = 0x10,
	.protocol = 17,
};

static enum derive_result observe_full(const struct policy *policy, const struct step_rule *seen)
{
	struct step_event step = hit_by(seen, 254);
	struct lookup_record *record = record_of_hit(&full_key, &step);
	struct lookup lookup = { 0 };
	enum derive_result result = observe_lookup(record, policy, &lookup);

	lookup_clear(&lookup);
	lookup_record_free(record);
	return result;
}

#define IN_FIELD(offset, member)                                                                   \
	((offset) >= offsetof(struct step_rule, member) &&                                         \
	 (offset) < offsetof(struct step_rule, member) + sizeof(((struct step_rule *)0)->member))

/* Flow labels are IPv6's, and the mask is only that of a DSCP; the flags are tried by themselves. */
static bool byte_tells_nothing(size_t offset)
{
	return IN_FIELD(offset, flowlabel) || IN_FIELD(offset, flowlabel_mask) ||
	       IN_FIELD(offset, dscp_mask) || IN_FIELD(offset, flags);
}

static void a_difference_in_any_byte_is_another_rule(void **state)
{
	static const uint8_t flags[] = { STEP_RULE_INVERT, STEP_RULE_L3MDEV, STEP_RULE_DSCP };
	struct rule rule = netlink_rule(&full_header, full_attributes);
	struct policy *policy = policy_of_rule(&rule);
	struct step_rule seen = full_rule;

	(void)state;
	assert_int_equal(observe_full(policy, &seen), DERIVE_DONE);
	for (size_t offset = 0; offset <= offsetof(struct step_rule, flags); offset++) {
		if (byte_tells_nothing(offset))
			continue;
		seen = full_rule;
		((uint8_t *)&seen)[offset] ^= 0x40;
		if (observe_full(policy, &seen) != DERIVE_CONFLICT)
			fail_msg("the byte at %zu tells nothing", offset);
	}
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		seen = full_rule;
		seen.flags = flags[i];
		assert_int_equal(observe_full(policy, &seen), DERIVE_CONFLICT);
	}
	policy_free(policy);
}

static void what_the_kernels_rule_does_not_tell_is_the_policys(void **state)
{
	const struct message_attribute attributes[] = {
		U32(FRA_FLOW, 0x10002),
		PAYLOAD(NOT_KNOWN, 1, 2, 3),
		NAME(FRA_IIFNAME, "eth0"),
		{ 0 },
	};
	static const struct fib_rule_hdr header = HEADER(.table = 254);
	static const struct step_rule seen = { PLAIN, .iif = "eth0" };
	static const struct flow_key key = { .iif = ETH0 };
	struct rule rule = netlink_rule(&header, attributes);
	struct policy *policy = policy_of_rule(&rule);
	struct step_event step = hit_by(&seen, 254);
	struct lookup_record *record = record_of_hit(&key, &step);
	struct lookup lookup = { 0 };

	(void)state;
	assert_int_equal(observe_lookup(record, policy, &lookup), DERIVE_DONE);
	assert_int_equal(lookup.steps[0].rule->realms, 0x10002);
	assert_int_equal(lookup.steps[0].rule->unknown_count, 1);
	assert_int_equal(lookup.steps[0].rule->iif_index, ETH0);
	lookup_clear(&lookup);
	lookup_record_free(record);
	policy_free(policy);
}

/* --- single tests ---------------------------------------------------------------------------- */

static const struct row story = {
	.rules = { BAD_ORDER },
	.routes = { HOME, VPN, TAIL },
	.steps = { STORY_STEPS },
};

static void a_lookup_tells_who_asked_what_and_where(void **state)
{
	struct lookup_record *record = row_record(&story);
	struct policy *policy = row_policy(&story);
	struct lookup lookup = { 0 };

	(void)state;
	record->event->key.oif = WG0;
	record->event->visit = 7;
	record->holes = 2;
	assert_int_equal(observe_lookup(record, policy, &lookup), DERIVE_DONE);
	assert_int_equal(lookup.boottime_ns, 1000);
	assert_int_equal(lookup.visit, 7);
	assert_int_equal(lookup.holes, 2);
	assert_int_equal(lookup.duration_ns, 50);
	assert_int_equal(lookup.cpu, 3);
	assert_int_equal(lookup.netns, NETNS);
	assert_int_equal(lookup.netns_source, NETNS_LOOKUP);
	assert_int_equal(lookup.purpose, PURPOSE_OUTPUT);
	assert_int_equal(lookup.cause, CAUSE_SEND);
	assert_int_equal(lookup.context.pid, 42);
	assert_string_equal(lookup.context.comm, "ping");
	assert_memory_equal(&lookup.key, &record->event->key, sizeof(lookup.key));
	assert_string_equal(lookup.iif, "lo");
	assert_string_equal(lookup.oif, "wg0");
	assert_false(lookup.may_grow);
	assert_ptr_equal(lookup.rules, policy_rules(policy, FLOW_AF_INET));
	assert_ptr_equal(lookup.steps[2].rule, &lookup.rules->rules[2]);
	lookup_clear(&lookup);
	lookup_record_free(record);
	policy_free(policy);
}

static void without_a_policy_devices_have_no_names(void **state)
{
	struct lookup_record *record = row_record(&story);
	struct lookup lookup = { 0 };

	(void)state;
	assert_true(observe_unaided(record, NULL, &lookup));
	lookup_is(&lookup,
		  "0 no-route 255 kernel, 5208 suppressed 254 kernel /0 by length, "
		  "5209 chosen 51820 kernel /0",
		  "rule 5209 table 51820 /0");
	assert_int_equal(lookup.verdict.route.dev_index, WG0);
	assert_string_equal(lookup.iif, "");
	assert_int_equal(lookup.steps[2].rule->mark, MARK);
	assert_true(lookup.steps[2].rule->invert);
	lookup_clear(&lookup);
	lookup_record_free(record);
}

static void tables_without_rules_need_no_policy(void **state)
{
	static const struct row row = {
		.rules = { LOCAL_MAIN },
		.steps = { LOCAL_HIT(NO_RULE, 254, "127.0.0.0", 8) },
		.record = { .dst = "127.0.0.1", .no_rules = true },
	};
	struct lookup_record *record = row_record(&row);
	struct lookup lookup = { 0 };

	(void)state;
	assert_true(observe_unaided(record, NULL, &lookup));
	lookup_is(&lookup, "0 chosen 255 kernel /8", "built-in 0 table 255 /8");
	assert_null(lookup.rules);
	lookup_clear(&lookup);
	lookup_record_free(record);
}

static void a_policy_without_rules_explains_no_walk_over_them(void **state)
{
	struct lookup_record *record = row_record(&story);
	struct policy *policy = policy_new(NETNS, TOS_MASKED);
	struct lookup lookup = { 0 };

	(void)state;
	assert_int_equal(observe_lookup(record, policy, &lookup), DERIVE_CONFLICT);
	assert_empty(&lookup);
	lookup_record_free(record);
	policy_free(policy);
}

static void a_step_without_a_rule_fits_none(void **state)
{
	struct lookup_record *record = row_record(&story);
	struct policy *policy = row_policy(&story);
	struct lookup lookup = { 0 };

	(void)state;
	record->steps[1].flags &= ~STEP_HAS_RULE;
	assert_int_equal(observe_lookup(record, policy, &lookup), DERIVE_CONFLICT);
	assert_empty(&lookup);
	lookup_record_free(record);
	policy_free(policy);
}

/* A route of main by eth0 and by wg0, and a record by which the kernel found it by the first. */
static struct policy *two_nexthops_policy(void)
{
	static const struct row row = { .rules = { LOCAL_MAIN }, .routes = { LOCAL_ROUTE } };
	static const struct route_row both = { .table = 254,
					       .dst = "0.0.0.0",
					       .type = RTN_UNICAST,
					       .dev = ETH0,
					       .gateway = GATEWAY,
					       .dev2 = WG0 };
	struct policy *policy = row_policy(&row);

	scene_add_route(policy, scene_route(&both));
	scene_add_address(policy, ETH0, "192.0.2.5", 24);
	scene_add_address(policy, WG0, "10.64.0.2", 24);
	return policy;
}

static struct lookup_record *two_nexthops_record(void)
{
	static const struct row row = {
		.rules = { LOCAL_MAIN },
		.steps = { MISS(0, 255), HIT_VIA(32766, 254, "0.0.0.0", 0, ETH0, GATEWAY) },
	};
	struct lookup_record *record = row_record(&row);

	record->steps[1].route.nexthops = 2;
	record->event->route.nexthops = 2;
	return record;
}

/* As fib_select_path() takes the other one. */
static void choose_second_nexthop(struct lookup_record *record)
{
	record->event->route.dev = WG0;
	record->event->route.gateway_family = 0;
	memset(record->event->route.gateway, 0, sizeof(record->event->route.gateway));
}

static void the_nexthop_chosen_of_several_is_the_verdicts(void **state)
{
	struct lookup_record *record = two_nexthops_record();
	struct policy *policy = two_nexthops_policy();
	struct lookup lookup = { 0 };

	(void)state;
	choose_second_nexthop(record);
	record->event->flags |= LOOKUP_HAS_PREFSRC;
	address_set(record->event->prefsrc, "10.64.0.2");
	assert_int_equal(observe_lookup(record, policy, &lookup), DERIVE_DONE);
	lookup_is(&lookup, "0 no-route 255 kernel, 32766 chosen 254 kernel /0 eth0",
		  "rule 32766 table 254 /0 dev wg0 src 10.64.0.2");
	assert_int_equal(lookup.verdict.route.nexthops, 2);
	lookup_clear(&lookup);
	assert_true(observe_unaided(record, policy, &lookup));
	lookup_is(&lookup, "0 no-route 255 kernel, 32766 chosen 254 kernel /0 eth0",
		  "rule 32766 table 254 /0 dev wg0 src 10.64.0.2");
	lookup_clear(&lookup);
	lookup_record_free(record);
	policy_free(policy);
}

/* The kernel chooses no source where the packet has one: the policy knows what it would be. */
static void the_policy_tells_the_source_where_the_kernel_chose_none(void **state)
{
	struct lookup_record *record = two_nexthops_record();
	struct policy *policy = two_nexthops_policy();
	struct lookup lookup = { 0 };

	(void)state;
	address_set(record->event->key.src, "198.51.100.7");
	assert_int_equal(observe_lookup(record, policy, &lookup), DERIVE_DONE);
	lookup_is(&lookup, "0 no-route 255 kernel, 32766 chosen 254 kernel /0 eth0",
		  "rule 32766 table 254 /0 dev eth0 via 192.0.2.1 src 192.0.2.5");
	lookup_clear(&lookup);
	assert_true(observe_unaided(record, policy, &lookup));
	assert_false(lookup.verdict.route.has_prefsrc);
	lookup_clear(&lookup);
	lookup_record_free(record);
	policy_free(policy);
}

static void no_other_nexthops_source_is_the_verdicts(void **state)
{
	struct lookup_record *record = two_nexthops_record();
	struct policy *policy = two_nexthops_policy();
	struct lookup lookup = { 0 };
	uint8_t other[16] = { 0 };

	(void)state;
	choose_second_nexthop(record);
	address_set(record->event->key.src, "198.51.100.7");
	address_set(other, "192.0.2.5");
	assert_int_equal(observe_lookup(record, policy, &lookup), DERIVE_DONE);
	assert_string_equal(lookup.verdict.route.dev, "wg0");
	if (lookup.verdict.route.has_prefsrc)
		assert_memory_not_equal(lookup.verdict.route.prefsrc, other, sizeof(other));
	lookup_clear(&lookup);
	lookup_record_free(record);
	policy_free(policy);
}

/* Adds a route with a preferred source of its own (RTA_PREFSRC). */
static void add_route_from(struct policy *policy, const struct route_row *row, const char *source)
{
	struct route *route = scene_route(row);

	route->prefsrc_family = FLOW_AF_INET;
	address_set(route->prefsrc, source);
	scene_add_route(policy, route);
}

static const struct route_row host_route = LOCAL("127.0.0.1", 32, LO);
static const struct row to_host = {
	.rules = { LOCAL_MAIN },
	.steps = { LOCAL_HIT(0, 255, "127.0.0.1", 32) },
	.record = { .dst = "127.0.0.1", .prefsrc = "127.0.0.1" },
};
static const struct row to_host_without_rules = {
	.rules = { LOCAL_MAIN },
	.steps = { LOCAL_HIT(NO_RULE, 254, "127.0.0.1", 32) },
	.record = { .dst = "127.0.0.1", .prefsrc = "127.0.0.1", .no_rules = true },
};

static void source_named_is(const struct row *row, const char *steps, const char *verdict)
{
	struct lookup_record *record = row_record(row);
	struct policy *policy = row_policy(row);
	struct lookup lookup = { 0 };

	add_route_from(policy, &host_route, "127.0.0.1");
	assert_int_equal(observe_lookup(record, policy, &lookup), DERIVE_DONE);
	lookup_is(&lookup, steps, verdict);
	lookup_clear(&lookup);
	lookup_record_free(record);
	policy_free(policy);
}

static void the_source_that_a_route_names_is_the_policys(void **state)
{
	(void)state;
	source_named_is(&to_host, "0 chosen 255 kernel /32 lo, 32766 not-reached 254 derived",
			"rule 0 table 255 /32 dev lo src 127.0.0.1");
}

static void the_source_of_a_local_route_in_the_shared_trie_is_the_policys(void **state)
{
	(void)state;
	source_named_is(&to_host_without_rules, "0 chosen 255 kernel /32 lo",
			"built-in 0 table 255 /32 dev lo src 127.0.0.1");
}

/* The policy holds a default route by the same device, but the kernel found a longer prefix. */
static void no_other_prefixs_source_is_the_verdicts(void **state)
{
	static const struct row row = {
		.rules = { LOCAL_MAIN },
		.steps = { MISS(0, 255), HIT(32766, 254, "100.64.0.0", 10, ETH0) },
	};
	static const struct route_row other = ROUTE(254, "0.0.0.0", 0, ETH0);
	struct lookup_record *record = row_record(&row);
	struct policy *policy = row_policy(&row);
	struct lookup lookup = { 0 };

	(void)state;
	add_route_from(policy, &other, "192.0.2.5");
	assert_int_equal(observe_lookup(record, policy, &lookup), DERIVE_DONE);
	lookup_is(&lookup, "0 no-route 255 kernel, 32766 chosen 254 kernel /10 eth0",
		  "rule 32766 table 254 /10 dev eth0");
	lookup_clear(&lookup);
	lookup_record_free(record);
	policy_free(policy);
}

#define MANY_RULES 100

/* So many rules of missing tables, then main: the walk has four parts. */
static void a_walk_of_many_parts_is_one_lookup(void **state)
{
	static const struct route_row routes[ROUTES_MAX] = { HOME };
	static const struct step_row home = HIT_VIA(0, 254, "0.0.0.0", 0, ETH0, GATEWAY);
	struct rule *rules = calloc(MANY_RULES + 2, sizeof(*rules));
	struct step_event *steps = calloc(MANY_RULES + 1, sizeof(*steps));
	struct lookup_record *record;
	struct lookup_event event = make_event();
	struct lookup lookup = { 0 };
	struct policy *policy;

	(void)state;
	assert_non_null(rules);
	assert_non_null(steps);
	for (uint32_t i = 0; i < MANY_RULES + 2; i++) {
		rule_init(&rules[i], FLOW_AF_INET);
		rules[i].priority = i;
		rules[i].table = i < MANY_RULES ? 1000 + i : 254;
	}
	for (uint32_t i = 0; i < MANY_RULES + 1; i++) {
		steps[i].rule = make_step_rule(&rules[i]);
		steps[i].flags = STEP_HAS_RULE;
		steps[i].table = rules[i].table;
		steps[i].error = -EAGAIN;
	}
	steps[MANY_RULES].error = 0;
	steps[MANY_RULES].flags |= STEP_ASKED | STEP_HAS_ROUTE;
	step_set_route(&steps[MANY_RULES], &home);
	event_set_end(&event, &steps[MANY_RULES], true);
	record = make_record(&event, steps, MANY_RULES + 1);
	assert_int_equal(record->deciding, MANY_RULES);
	policy = scene_policy(rules, MANY_RULES + 2, routes, ROUTES_MAX);
	assert_int_equal(observe_lookup(record, policy, &lookup), DERIVE_DONE);
	assert_int_equal(lookup.step_count, MANY_RULES + 2);
	for (uint32_t i = 0; i < MANY_RULES; i++) {
		assert_int_equal(lookup.steps[i].outcome, STEP_NO_TABLE);
		assert_int_equal(lookup.steps[i].priority, i);
	}
	assert_int_equal(lookup.steps[MANY_RULES].outcome, STEP_CHOSEN);
	assert_int_equal(lookup.steps[MANY_RULES + 1].outcome, STEP_NOT_REACHED);
	assert_int_equal(lookup.verdict.priority, MANY_RULES);
	lookup_clear(&lookup);
	assert_true(observe_unaided(record, policy, &lookup));
	assert_int_equal(lookup.step_count, MANY_RULES + 1);
	assert_int_equal(lookup.verdict.priority, MANY_RULES);
	lookup_clear(&lookup);
	lookup_record_free(record);
	policy_free(policy);
	free(rules);
	free(steps);
}

/* What was not told by hooks the flow key and the system call tell. */
static const struct {
	uint32_t iif;
	uint16_t flags;
	uint8_t level;
	int32_t syscall;
	enum purpose purpose;
	enum cause cause;
} origins[] = {
	{ LO, 0, LEVEL_TASK, SYS_sendto, PURPOSE_REROUTE, CAUSE_TUNNEL },
	{ LO, LOOKUP_PURPOSE_UNKNOWN, LEVEL_TASK, SYS_sendto, PURPOSE_OUTPUT, CAUSE_TUNNEL },
	{ LO, LOOKUP_CAUSE_UNKNOWN, LEVEL_TASK, SYS_sendto, PURPOSE_REROUTE, CAUSE_SEND },
	{ LO, LOOKUP_CAUSE_UNKNOWN, LEVEL_TASK, SYS_connect, PURPOSE_REROUTE, CAUSE_CONNECT },
	{ LO, LOOKUP_CAUSE_UNKNOWN, LEVEL_SOFTIRQ, -1, PURPOSE_REROUTE, CAUSE_OTHER },
	{ ETH0, LOOKUP_CAUSE_UNKNOWN, LEVEL_SOFTIRQ, -1, PURPOSE_REROUTE, CAUSE_RECEIVE },
	{ ETH0, LOOKUP_PURPOSE_UNKNOWN | LOOKUP_CAUSE_UNKNOWN, LEVEL_SOFTIRQ, -1, PURPOSE_INPUT,
	  CAUSE_RECEIVE },
	{ 0, LOOKUP_PURPOSE_UNKNOWN | LOOKUP_CAUSE_UNKNOWN, LEVEL_TASK, -1, PURPOSE_OTHER,
	  CAUSE_OTHER },
};

static void purpose_and_cause_that_were_not_told_are_the_flow_keys(void **state)
{
	struct policy *policy = row_policy(&story);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(origins); i++) {
		struct lookup_record *record = row_record(&story);
		struct lookup lookup = { 0 };

		record->event->key.iif = origins[i].iif;
		record->event->flags |= origins[i].flags;
		record->event->context.level = origins[i].level;
		record->event->context.syscall = origins[i].syscall;
		record->event->purpose = PURPOSE_REROUTE;
		record->event->cause = CAUSE_TUNNEL;
		assert_int_equal(observe_lookup(record, policy, &lookup), DERIVE_DONE);
		assert_int_equal(lookup.purpose, origins[i].purpose);
		assert_int_equal(lookup.cause, origins[i].cause);
		lookup_clear(&lookup);
		assert_true(observe_unaided(record, policy, &lookup));
		assert_int_equal(lookup.purpose, origins[i].purpose);
		assert_int_equal(lookup.cause, origins[i].cause);
		lookup_clear(&lookup);
		lookup_record_free(record);
	}
	policy_free(policy);
}

/* --- whatever an event holds ----------------------------------------------------------------- */

#define MUTATIONS 40000

/* splitmix64: the same sequence of a seed on every machine. */
static uint32_t random_below(uint64_t *random, uint32_t limit)
{
	uint64_t z = *random += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return ((z ^ (z >> 31)) >> 32) % limit;
}

/* Bytes of the parts that tell something are changed most often to what they may well be. */
static void mutate(struct lookup_event *event, uint64_t *random)
{
	static const uint8_t values[] = { 0, 1, 2, 4, 7, 8, 16, 32, 64, 128, 253, 254, 255 };
	uint8_t *bytes = (uint8_t *)event;
	uint32_t size = LOOKUP_EVENT_SIZE(event->step_count);

	for (uint32_t i = 1 + random_below(random, 4); i > 0; i--)
		bytes[random_below(random, size)] = values[random_below(random, sizeof(values))];
	event->flags &= ~(LOOKUP_PART | LOOKUP_REJECTED);
	event->steps_before = 0;
}

/* True when the policy explained the record; whatever is made of it holds together. */
static bool observe_any(const struct lookup_record *record, const struct policy *policy)
{
	struct lookup lookup = { 0 };
	struct text text = { 0 };
	enum derive_result result = observe_lookup(record, policy, &lookup);

	assert_true(result == DERIVE_DONE || result == DERIVE_CONFLICT);
	if (result == DERIVE_CONFLICT) {
		assert_empty(&lookup);
		assert_true(observe_unaided(record, policy, &lookup));
		assert_int_equal(lookup.step_count, record->step_count);
	}
	assert_true(lookup.step_count >= record->step_count);
	print_steps(&text, &lookup);
	print_verdict(&text, &lookup.verdict);
	for (size_t i = 0; i < lookup.step_count; i++) {
		if (lookup.steps[i].rule)
			rule_print_selector(&text, lookup.steps[i].rule, NULL);
	}
	text_free(&text);
	lookup_clear(&lookup);
	return result == DERIVE_DONE;
}

static void whatever_an_event_holds_is_explained_or_shown(void **state)
{
	struct policy *policy = row_policy(&story);
	struct lookup_record *sound = row_record(&story);
	struct collector *collector = collector_new();
	unsigned int explained = 0, shown = 0;
	uint64_t random = 1;

	(void)state;
	assert_non_null(collector);
	for (unsigned int i = 0; i < MUTATIONS; i++) {
		size_t size = LOOKUP_EVENT_SIZE(sound->event->step_count);
		struct lookup_event *event = malloc(size);
		struct lookup_record *record;

		assert_non_null(event);
		memcpy(event, sound->event, size);
		mutate(event, &random);
		assert_int_equal(collector_add(collector, &event->header, size, NULL, NULL), 0);
		free(event);
		record = collector_next(collector);
		if (!record)
			continue;
		if (observe_any(record, policy))
			explained++;
		else
			shown++;
		lookup_record_free(record);
	}
	/* Otherwise nothing was tried. */
	assert_true(explained > MUTATIONS / 10);
	assert_true(shown > MUTATIONS / 10);
	assert_true(collector_counts(collector).malformed > MUTATIONS / 20);
	collector_free(collector);
	lookup_record_free(sound);
	policy_free(policy);
}

int main(void)
{
	static const struct CMUnitTest single[] = {
		cmocka_unit_test(unaided_shows_the_same_of_what_the_kernel_did),
		cmocka_unit_test(a_difference_in_any_byte_is_another_rule),
		cmocka_unit_test(what_the_kernels_rule_does_not_tell_is_the_policys),
		cmocka_unit_test(a_lookup_tells_who_asked_what_and_where),
		cmocka_unit_test(without_a_policy_devices_have_no_names),
		cmocka_unit_test(tables_without_rules_need_no_policy),
		cmocka_unit_test(a_policy_without_rules_explains_no_walk_over_them),
		cmocka_unit_test(a_step_without_a_rule_fits_none),
		cmocka_unit_test(the_nexthop_chosen_of_several_is_the_verdicts),
		cmocka_unit_test(the_policy_tells_the_source_where_the_kernel_chose_none),
		cmocka_unit_test(no_other_nexthops_source_is_the_verdicts),
		cmocka_unit_test(the_source_that_a_route_names_is_the_policys),
		cmocka_unit_test(the_source_of_a_local_route_in_the_shared_trie_is_the_policys),
		cmocka_unit_test(no_other_prefixs_source_is_the_verdicts),
		cmocka_unit_test(a_walk_of_many_parts_is_one_lookup),
		cmocka_unit_test(purpose_and_cause_that_were_not_told_are_the_flow_keys),
		cmocka_unit_test(whatever_an_event_holds_is_explained_or_shown),
	};
	struct CMUnitTest tests[ARRAY_SIZE(rows) + ARRAY_SIZE(conflicts) + ARRAY_SIZE(rule_rows) +
				ARRAY_SIZE(single)];
	char names[ARRAY_SIZE(rule_rows)][80];
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		tests[count++] = (struct CMUnitTest){ .name = rows[i].name,
						      .test_func = check_row,
						      .initial_state = (void *)&rows[i] };
	for (size_t i = 0; i < ARRAY_SIZE(conflicts); i++)
		tests[count++] = (struct CMUnitTest){ .name = conflicts[i].name,
						      .test_func = check_conflict,
						      .initial_state = (void *)&conflicts[i] };
	for (size_t i = 0; i < ARRAY_SIZE(rule_rows); i++) {
		snprintf(names[i], sizeof(names[i]), "a_rule_%s_is_the_same_to_kernel_and_netlink",
			 rule_rows[i].name);
		tests[count++] = (struct CMUnitTest){ .name = names[i],
						      .test_func = check_rule,
						      .initial_state = (void *)&rule_rows[i] };
	}
	memcpy(tests + count, single, sizeof(single));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
