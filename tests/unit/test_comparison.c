// SPDX-License-Identifier: GPL-2.0-only
/* Which verdicts changed from one recording to another, and which change of the policy did it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "diff/comparison.h"
#include "rules/print.h"
#include "scene_lookup.h"

#define RULES_MAX 8
#define ROUTES_MAX 8
#define FLOWS_OF_ROW 6

/* A side of a comparison: its policy, and what was asked of it. */
struct side_row {
	struct rule rules[RULES_MAX];
	struct route_row routes[ROUTES_MAX];
	struct flow_row flows[FLOWS_OF_ROW]; /* up to the first without a destination */
	uint32_t unheld;
	uint32_t gone; /* a device */
	bool second_is_dead; /* the second nexthop of the first route */
	bool left_vrf; /* eth1 is none of its ports any more */
	uint32_t exception; /* all its lookups were answered by an exception, by this device */
};

/* want: a line for each change, "DST: OLD -> NEW" and what explains it; then what is counted. */
struct row {
	const char *name;
	struct side_row old;
	struct side_row new;
	const char *want;
};

#define LOCAL_RULE                                                                                 \
	{                                                                                          \
		LOOKUP(0, 255)                                                                     \
	}
#define MAIN_RULE                                                                                  \
	{                                                                                          \
		LOOKUP(32766, 254)                                                                 \
	}
#define TAILNET_RULE                                                                               \
	{                                                                                          \
		LOOKUP(5270, 52)                                                                   \
	}
#define VPN_RULE(at)                                                                               \
	{                                                                                          \
		LOOKUP(at, 51820), NOT_MARKED                                                      \
	}
#define SUPPRESS_RULE(at)                                                                          \
	{                                                                                          \
		LOOKUP(at, 254), LENGTH(0)                                                         \
	}
#define HOST_ROUTES VIA(254, "0.0.0.0", 0, ETH0, GATEWAY)
#define STORY_ROUTES                                                                               \
	HOST_ROUTES, ROUTE(51820, "0.0.0.0", 0, WG0), ROUTE(52, "100.64.0.9", 32, TAILSCALE0)
#define TO(address)                                                                                \
	{                                                                                          \
		.dst = (address)                                                                   \
	}

/* clang-format off */
static const struct row rows[] = {
	{ .name = "wg_quick_before_and_after_tailscaled",
	  .old = { .rules = { LOCAL_RULE, TAILNET_RULE, SUPPRESS_RULE(32764), VPN_RULE(32765),
			      MAIN_RULE },
		   .routes = { STORY_ROUTES },
		   .flows = { TO("100.64.0.9"), TO("198.51.100.1"), TO("192.0.2.1") } },
	  .new = { .rules = { LOCAL_RULE, SUPPRESS_RULE(5208), VPN_RULE(5209), TAILNET_RULE,
			      MAIN_RULE },
		   .routes = { STORY_ROUTES },
		   .flows = { TO("100.64.0.9") } },
	  .want = "100.64.0.9: 5270/52 tailscale0 -> 5209/51820 wg0\n"
		  "  alone 32765: not from all fwmark 0xca6c lookup 51820\n"
		  "192.0.2.1: 32765/51820 wg0 -> 5209/51820 wg0\n"
		  "  alone 32765: not from all fwmark 0xca6c lookup 51820\n"
		  "198.51.100.1: 32765/51820 wg0 -> 5209/51820 wg0\n"
		  "  alone 32765: not from all fwmark 0xca6c lookup 51820\n" },
	{ .name = "without_flows_of_the_new_side_its_policy_answers",
	  .old = { .rules = { LOCAL_RULE, TAILNET_RULE, MAIN_RULE },
		   .routes = { STORY_ROUTES },
		   .flows = { TO("100.64.0.9"), TO("198.51.100.1") } },
	  .new = { .rules = { LOCAL_RULE, MAIN_RULE }, .routes = { STORY_ROUTES } },
	  .want = "100.64.0.9: 5270/52 tailscale0 -> 32766/254 eth0\n"
		  "  alone 5270: from all lookup 52\n" },
	{ .name = "without_flows_of_the_old_side_its_policy_answers",
	  .old = { .rules = { LOCAL_RULE, MAIN_RULE }, .routes = { STORY_ROUTES } },
	  .new = { .rules = { LOCAL_RULE, TAILNET_RULE, MAIN_RULE },
		   .routes = { STORY_ROUTES },
		   .flows = { TO("100.64.0.9"), TO("198.51.100.1") } },
	  .want = "100.64.0.9: 32766/254 eth0 -> 5270/52 tailscale0\n"
		  "  alone 5270: from all lookup 52\n" },
	{ .name = "a_rule_and_a_route_explain_together",
	  .old = { .rules = { LOCAL_RULE, MAIN_RULE },
		   .routes = { HOST_ROUTES },
		   .flows = { TO("100.64.0.9") } },
	  .new = { .rules = { LOCAL_RULE, TAILNET_RULE, MAIN_RULE },
		   .routes = { HOST_ROUTES, ROUTE(52, "100.64.0.0", 10, TAILSCALE0),
			       ROUTE(52, "10.0.0.0", 8, WG0) } },
	  .want = "100.64.0.9: 32766/254 eth0 -> 5270/52 tailscale0\n"
		  "  together 5270: from all lookup 52\n"
		  "  together 100.64.0.0/10 of 52\n" },
	{ .name = "what_is_needed_alone_is_told_with_what_it_needs",
	  .old = { .rules = { LOCAL_RULE, SUPPRESS_RULE(32764), VPN_RULE(32765), MAIN_RULE },
		   .routes = { STORY_ROUTES, ROUTE(254, "192.0.2.0", 24, ETH0) },
		   .flows = { TO("192.0.2.1") } },
	  .new = { .rules = { LOCAL_RULE, MAIN_RULE },
		   .routes = { HOST_ROUTES, ROUTE(254, "192.0.2.0", 24, ETH0),
			       ROUTE(51820, "0.0.0.0", 0, WG0) } },
	  .want = "192.0.2.1: 32764/254 eth0 -> 32766/254 eth0\n"
		  "  together 32764: from all lookup 254 suppress_prefixlength 0\n"
		  "  together 32765: not from all fwmark 0xca6c lookup 51820\n" },
	{ .name = "what_has_no_part_in_it_is_left_out",
	  .old = { .rules = { LOCAL_RULE, MAIN_RULE },
		   .routes = { HOST_ROUTES },
		   .flows = { TO("100.64.0.9"), TO("100.64.0.10"), TO("100.65.0.1") } },
	  .new = { .rules = { LOCAL_RULE, { LOOKUP(10, 10) }, TAILNET_RULE, { LOOKUP(6000, 60) },
			      MAIN_RULE },
		   .routes = { HOST_ROUTES, ROUTE(52, "100.64.0.0", 10, TAILSCALE0),
			       ROUTE(60, "0.0.0.0", 0, WG0) } },
	  .want = "100.64.0.9: 32766/254 eth0 -> 5270/52 tailscale0\n"
		  "  together 5270: from all lookup 52\n"
		  "  together 100.64.0.0/10 of 52\n"
		  "100.64.0.10: 32766/254 eth0 -> 5270/52 tailscale0\n"
		  "  together 5270: from all lookup 52\n"
		  "  together 100.64.0.0/10 of 52\n"
		  "100.65.0.1: 32766/254 eth0 -> 5270/52 tailscale0\n"
		  "  together 5270: from all lookup 52\n"
		  "  together 100.64.0.0/10 of 52\n" },
	{ .name = "a_route_alone_explains",
	  .old = { .rules = { LOCAL_RULE, MAIN_RULE },
		   .routes = { HOST_ROUTES },
		   .flows = { TO("100.64.0.9") } },
	  .new = { .rules = { LOCAL_RULE, MAIN_RULE },
		   .routes = { HOST_ROUTES, REJECT(255, "100.64.0.9", 32, RTN_PROHIBIT) } },
	  .want = "100.64.0.9: 32766/254 eth0 -> 0/255 EACCES\n"
		  "  alone 100.64.0.9/32 of 255\n" },
	{ .name = "of_two_changes_that_each_suffice_both_are_told",
	  .old = { .rules = { LOCAL_RULE, MAIN_RULE },
		   .routes = { HOST_ROUTES },
		   .flows = { TO("100.64.0.9") } },
	  .new = { .rules = { LOCAL_RULE } },
	  .want = "100.64.0.9: 32766/254 eth0 -> ENETUNREACH\n"
		  "  alone 32766: from all lookup 254\n"
		  "  alone 0.0.0.0/0 of 254\n" },
	{ .name = "rules_that_do_not_apply_explain_nothing",
	  .old = { .rules = { LOCAL_RULE, MAIN_RULE },
		   .routes = { HOST_ROUTES },
		   .flows = { TO("100.64.0.9") } },
	  .new = { .rules = { LOCAL_RULE,
			      { LOOKUP(10, 52), .mark = 7, .mark_mask = UINT32_MAX },
			      { ACTION(20, RULE_UNREACHABLE) }, MAIN_RULE },
		   .routes = { HOST_ROUTES } },
	  .want = "100.64.0.9: 32766/254 eth0 -> 20/0 ENETUNREACH\n"
		  "  alone 20: from all unreachable\n" },
	{ .name = "marks_are_looked_at",
	  .old = { .rules = { LOCAL_RULE, MAIN_RULE },
		   .routes = { STORY_ROUTES },
		   .flows = { { .dst = "100.64.0.9", .mark = 7 }, TO("100.64.0.9") } },
	  .new = { .rules = { LOCAL_RULE,
			      { LOOKUP(10, 52), .mark = 7, .mark_mask = UINT32_MAX }, MAIN_RULE },
		   .routes = { STORY_ROUTES } },
	  .want = "100.64.0.9 mark 7: 32766/254 eth0 -> 10/52 tailscale0\n"
		  "  alone 10: from all fwmark 0x7 lookup 52\n" },
	{ .name = "the_end_of_the_rules_is_a_verdict",
	  .old = { .rules = { LOCAL_RULE, MAIN_RULE },
		   .routes = { HOST_ROUTES },
		   .flows = { TO("198.51.100.1") } },
	  .new = { .rules = { LOCAL_RULE, MAIN_RULE } },
	  .want = "198.51.100.1: 32766/254 eth0 -> ENETUNREACH\n"
		  "  alone 0.0.0.0/0 of 254\n" },
	{ .name = "a_device_that_left_its_vrf_is_explained_by_the_link",
	  .old = { .rules = { LOCAL_RULE, { LOOKUP(1000, 0), .l3mdev = true }, MAIN_RULE },
		   .routes = { HOST_ROUTES, ROUTE(1001, "0.0.0.0", 0, SLAVE) },
		   .flows = { { .dst = "198.51.100.1", .iif = SLAVE, .level = LEVEL_SOFTIRQ,
				.purpose = PURPOSE_INPUT } } },
	  .new = { .rules = { LOCAL_RULE, { LOOKUP(1000, 0), .l3mdev = true }, MAIN_RULE },
		   .routes = { HOST_ROUTES, ROUTE(1001, "0.0.0.0", 0, SLAVE) },
		   .left_vrf = true },
	  .want = "198.51.100.1: 1000/1001 eth1 -> 32766/254 eth0\n"
		  "  alone a link\n" },
	{ .name = "which_of_several_nexthops_comes_first_is_no_change",
	  .old = { .rules = { LOCAL_RULE, MAIN_RULE },
		   .routes = { { .table = 254, .dst = "0.0.0.0", .type = RTN_UNICAST,
				 .dev = ETH0, .dev2 = WG0 } },
		   .flows = { TO("198.51.100.1") } },
	  .new = { .rules = { LOCAL_RULE, MAIN_RULE },
		   .routes = { { .table = 254, .dst = "0.0.0.0", .type = RTN_UNICAST,
				 .dev = WG0, .dev2 = ETH0 } },
		   .flows = { TO("198.51.100.1") } },
	  .want = "" },
	{ .name = "nexthops_of_other_devices_are_none_of_a_bound_flow",
	  .old = { .rules = { LOCAL_RULE, MAIN_RULE },
		   .routes = { { .table = 254, .dst = "0.0.0.0", .type = RTN_UNICAST,
				 .dev = ETH0, .dev2 = WG0 } },
		   .flows = { { .dst = "198.51.100.1", .oif = ETH0 }, TO("198.51.100.2") } },
	  .new = { .rules = { LOCAL_RULE, MAIN_RULE },
		   .routes = { ROUTE(254, "0.0.0.0", 0, ETH0) } },
	  .want = "198.51.100.2: 32766/254 eth0 -> 32766/254 eth0\n"
		  "  alone 0.0.0.0/0 of 254\n" },
	{ .name = "dead_nexthops_are_not_chosen",
	  .old = { .rules = { LOCAL_RULE, MAIN_RULE },
		   .routes = { { .table = 254, .dst = "0.0.0.0", .type = RTN_UNICAST,
				 .dev = ETH0, .dev2 = WG0 } },
		   .second_is_dead = true,
		   .flows = { TO("198.51.100.1") } },
	  .new = { .rules = { LOCAL_RULE, MAIN_RULE },
		   .routes = { ROUTE(254, "0.0.0.0", 0, ETH0) } },
	  .want = "" },
	{ .name = "another_table_is_another_verdict",
	  .old = { .rules = { { LOOKUP(10, 52) } },
		   .routes = { ROUTE(52, "0.0.0.0", 0, WG0), ROUTE(60, "0.0.0.0", 0, WG0) },
		   .flows = { TO("198.51.100.1") } },
	  .new = { .rules = { { LOOKUP(10, 60) } },
		   .routes = { ROUTE(52, "0.0.0.0", 0, WG0), ROUTE(60, "0.0.0.0", 0, WG0) } },
	  .want = "198.51.100.1: 10/52 wg0 -> 10/60 wg0\n"
		  "  alone 10: from all lookup 52\n" },
	{ .name = "another_prefix_is_another_verdict",
	  .old = { .rules = { MAIN_RULE }, .routes = { HOST_ROUTES },
		   .flows = { TO("198.51.100.1") } },
	  .new = { .rules = { MAIN_RULE },
		   .routes = { HOST_ROUTES, VIA(254, "198.51.100.0", 24, ETH0, GATEWAY) } },
	  .want = "198.51.100.1: 32766/254 eth0 -> 32766/254 eth0\n"
		  "  alone 198.51.100.0/24 of 254\n" },
	{ .name = "another_gateway_is_another_verdict",
	  .old = { .rules = { MAIN_RULE }, .routes = { HOST_ROUTES },
		   .flows = { TO("198.51.100.1") } },
	  .new = { .rules = { MAIN_RULE },
		   .routes = { VIA(254, "0.0.0.0", 0, ETH0, "192.0.2.254") } },
	  .want = "198.51.100.1: 32766/254 eth0 -> 32766/254 eth0\n"
		  "  alone 0.0.0.0/0 of 254\n" },
	{ .name = "routes_that_were_tried_are_taken_back",
	  .old = { .rules = { MAIN_RULE },
		   .routes = { HOST_ROUTES, ROUTE(254, "10.1.0.0", 16, WG0) },
		   .flows = { TO("10.1.2.3") } },
	  .new = { .rules = { MAIN_RULE },
		   .routes = { HOST_ROUTES, ROUTE(254, "10.0.0.0", 8, TAILSCALE0) } },
	  .want = "10.1.2.3: 32766/254 wg0 -> 32766/254 tailscale0\n"
		  "  together 10.0.0.0/8 of 254\n"
		  "  together 10.1.0.0/16 of 254\n" },
	{ .name = "equal_policies_change_no_verdict",
	  .old = { .rules = { LOCAL_RULE, TAILNET_RULE, MAIN_RULE }, .routes = { STORY_ROUTES },
		   .flows = { TO("100.64.0.9"), TO("198.51.100.1") } },
	  .new = { .rules = { LOCAL_RULE, TAILNET_RULE, MAIN_RULE }, .routes = { STORY_ROUTES },
		   .flows = { TO("192.0.2.1") } },
	  .want = "" },
	{ .name = "an_exception_is_no_change",
	  .old = { .rules = { LOCAL_RULE, MAIN_RULE }, .routes = { HOST_ROUTES },
		   .flows = { TO("198.51.100.1") }, .exception = WG0 },
	  .new = { .rules = { LOCAL_RULE, MAIN_RULE }, .routes = { HOST_ROUTES },
		   .flows = { TO("198.51.100.1") } },
	  .want = "by no policy 1\n" },
	{ .name = "an_exception_is_no_change_beside_others",
	  .old = { .rules = { LOCAL_RULE, MAIN_RULE }, .routes = { HOST_ROUTES },
		   .flows = { TO("198.51.100.1") }, .exception = WG0 },
	  .new = { .rules = { LOCAL_RULE,
			      { LOOKUP(10, 52), .mark = 7, .mark_mask = UINT32_MAX }, MAIN_RULE },
		   .routes = { HOST_ROUTES },
		   .flows = { TO("198.51.100.1") } },
	  .want = "by no policy 1\n" },
	{ .name = "an_exception_alone_is_not_compared",
	  .old = { .rules = { LOCAL_RULE, MAIN_RULE }, .routes = { HOST_ROUTES },
		   .flows = { TO("198.51.100.1") }, .exception = WG0 },
	  .new = { .rules = { LOCAL_RULE, { ACTION(20, RULE_UNREACHABLE) }, MAIN_RULE },
		   .routes = { HOST_ROUTES } },
	  .want = "unexplained 1\n" },
	{ .name = "an_exception_that_a_change_overrules_is_told_as_recorded",
	  .old = { .rules = { LOCAL_RULE, MAIN_RULE }, .routes = { HOST_ROUTES },
		   .flows = { TO("198.51.100.1") }, .exception = WG0 },
	  .new = { .rules = { LOCAL_RULE, { ACTION(20, RULE_UNREACHABLE) }, MAIN_RULE },
		   .routes = { HOST_ROUTES },
		   .flows = { TO("198.51.100.1") } },
	  .want = "198.51.100.1: 32766/254 wg0 -> 20/0 ENETUNREACH\n"
		  "  recorded\n" },
	{ .name = "what_is_not_held_is_not_examined",
	  .old = { .rules = { LOCAL_RULE, TAILNET_RULE, MAIN_RULE }, .routes = { STORY_ROUTES },
		   .flows = { TO("100.64.0.9") } },
	  .new = { .rules = { LOCAL_RULE, TAILNET_RULE, MAIN_RULE }, .routes = { HOST_ROUTES },
		   .unheld = 52 },
	  .want = "not examined 1\n" },
	{ .name = "a_device_that_is_gone_is_not_asked_about",
	  .old = { .rules = { LOCAL_RULE, MAIN_RULE }, .routes = { HOST_ROUTES },
		   .flows = { { .dst = "198.51.100.1", .iif = WG0, .level = LEVEL_SOFTIRQ,
				.purpose = PURPOSE_INPUT } } },
	  .new = { .rules = { LOCAL_RULE, MAIN_RULE }, .routes = { HOST_ROUTES }, .gone = WG0 },
	  .want = "no device 1\n" },
	{ .name = "a_bound_device_goes_on_link",
	  .old = { .rules = { LOCAL_RULE, MAIN_RULE }, .routes = { HOST_ROUTES },
		   .flows = { { .dst = "198.51.100.1", .oif = WG0 } } },
	  .new = { .rules = { LOCAL_RULE, MAIN_RULE },
		   .routes = { HOST_ROUTES, ROUTE(254, "198.51.100.0", 24, WG0) } },
	  .want = "198.51.100.1: bound wg0 -> 32766/254 wg0\n"
		  "  alone 198.51.100.0/24 of 254\n" },
	{ .name = "source_ports_make_no_other_flow",
	  .old = { .rules = { LOCAL_RULE, MAIN_RULE }, .routes = { HOST_ROUTES },
		   .flows = { { .dst = "198.51.100.1", .protocol = 6, .sport = 1, .dport = 2 },
			      { .dst = "198.51.100.1", .protocol = 6, .sport = 3, .dport = 2 } } },
	  .new = { .rules = { LOCAL_RULE, { ACTION(20, RULE_PROHIBIT) }, MAIN_RULE },
		   .flows = { { .dst = "198.51.100.1", .protocol = 6, .sport = 4, .dport = 2 } } },
	  .want = "198.51.100.1: 32766/254 eth0 -> 20/0 EACCES\n"
		  "  alone 20: from all prohibit\n" },
	{ .name = "source_ports_that_rules_select_by_do",
	  .old = { .rules = { LOCAL_RULE,
			      { ACTION(20, RULE_PROHIBIT), .has_sport = true, .sport = { 1, 1 } },
			      MAIN_RULE },
		   .routes = { HOST_ROUTES },
		   .flows = { { .dst = "198.51.100.1", .protocol = 6, .sport = 1, .dport = 2 },
			      { .dst = "198.51.100.1", .protocol = 6, .sport = 3, .dport = 2 } } },
	  .new = { .rules = { LOCAL_RULE, MAIN_RULE }, .routes = { HOST_ROUTES } },
	  .want = "198.51.100.1: 20/0 EACCES -> 32766/254 eth0\n"
		  "  alone 20: from all sport 1 prohibit\n" },
	{ .name = "ports_of_destinations_do",
	  .old = { .rules = { LOCAL_RULE, MAIN_RULE }, .routes = { HOST_ROUTES },
		   .flows = { { .dst = "198.51.100.1", .protocol = 6, .dport = 22 },
			      { .dst = "198.51.100.1", .protocol = 6, .dport = 443 } } },
	  .new = { .rules = { LOCAL_RULE,
			      { ACTION(20, RULE_PROHIBIT), .has_dport = true, .dport = { 22, 22 } },
			      MAIN_RULE },
		   .routes = { HOST_ROUTES } },
	  .want = "198.51.100.1: 32766/254 eth0 -> 20/0 EACCES\n"
		  "  alone 20: from all dport 22 prohibit\n" },
};
/* clang-format on */

struct scene {
	struct devices devices;
	struct policy *policy[SIDE_COUNT];
	struct flows flows[SIDE_COUNT];
	struct comparison comparison;
};

static void record(struct flows *flows, struct devices *devices, const struct policy *policy,
		   const struct side_row *row)
{
	for (size_t i = 0; i < FLOWS_OF_ROW && row->flows[i].dst; i++) {
		struct lookup lookup = scene_lookup(policy, &row->flows[i]);

		if (row->exception) {
			lookup.verdict.decided_by = DECIDED_BY_EXCEPTION;
			lookup.verdict.route.dev_index = row->exception;
			strcpy(lookup.verdict.route.dev, "wg0");
		}
		assert_int_equal(flows_add(flows, devices, &lookup, policy), 0);
		lookup_clear(&lookup);
	}
}

static void kill_second(struct policy *policy, const struct route_row *row)
{
	struct route *route = scene_route(row);
	struct route_table *table = policy_table_for_change(policy, FLOW_AF_INET, row->table);

	route->nexthops[1].flags = RTNH_F_DEAD;
	assert_int_equal(route_table_add(table, route, false, true), 0);
	free(route);
}

static struct policy *side_policy(const struct side_row *row)
{
	struct rule rules[RULES_MAX];
	size_t count = scene_rules(rules, row->rules, RULES_MAX);
	struct policy *policy = scene_policy(rules, count, row->routes, ROUTES_MAX);

	if (row->gone)
		policy_remove_link(policy, row->gone);
	if (row->second_is_dead)
		kill_second(policy, &row->routes[0]);
	if (row->left_vrf)
		assert_int_equal(policy_set_link(policy,
						 &(struct link){ .index = SLAVE, .name = "eth1" }),
				 0);
	if (row->unheld)
		policy_set_table_unheld(policy, FLOW_AF_INET, row->unheld);
	return policy;
}

static void scene_open(struct scene *scene, const struct row *row)
{
	const struct side_row *sides[SIDE_COUNT] = { &row->old, &row->new };
	struct comparison_side compared[SIDE_COUNT];

	*scene = (struct scene){ 0 };
	for (size_t side = 0; side < SIDE_COUNT; side++) {
		scene->policy[side] = side_policy(sides[side]);
		record(&scene->flows[side], &scene->devices, scene->policy[side], sides[side]);
		compared[side] =
			(struct comparison_side){ scene->policy[side], &scene->flows[side] };
	}
	assert_int_equal(comparison_make(&scene->comparison, &scene->devices, compared), 0);
	assert_int_equal(comparison_explain(&scene->comparison), 0);
}

static void scene_close(struct scene *scene)
{
	comparison_free(&scene->comparison);
	for (size_t side = 0; side < SIDE_COUNT; side++) {
		policy_free(scene->policy[side]);
		flows_free(&scene->flows[side]);
	}
	devices_free(&scene->devices);
}

/* --- as text ------------------------------------------------------------------------------ */

static void print_verdict(struct text *out, const struct lookup_verdict *verdict)
{
	if (verdict->decided_by == DECIDED_BY_BOUND_DEVICE)
		text_add(out, "bound ");
	if (verdict->has_priority)
		text_printf(out, "%u/%u ", verdict->priority, verdict->table);
	text_add(out, verdict->error ? errno_name(-verdict->error) : verdict->route.dev);
}

static void print_reason(struct text *out, const struct comparison *comparison, size_t reason)
{
	const struct policy_difference *item = &comparison->policy_diff.items[reason];

	if (item->kind == DIFFERENCE_RULE) {
		rule_print(out, item->rule[item->rule[SIDE_OLD] ? SIDE_OLD : SIDE_NEW], NULL);
	} else if (item->kind == DIFFERENCE_ROUTES) {
		text_add_address(out, item->family, item->dst);
		text_printf(out, "/%u of %u", item->dst_length, item->table);
	} else {
		text_add(out, "a link");
	}
	text_add_char(out, '\n');
}

static void print_change(struct text *out, const struct comparison *comparison,
			 const struct flow_change *change)
{
	text_add_address(out, change->asked.key.family, change->asked.key.dst);
	if (change->asked.key.mark)
		text_printf(out, " mark %u", change->asked.key.mark);
	text_add(out, ": ");
	print_verdict(out, &change->verdict[SIDE_OLD]);
	text_add(out, " -> ");
	print_verdict(out, &change->verdict[SIDE_NEW]);
	text_add_char(out, '\n');
	if (change->recorded)
		text_add(out, "  recorded\n");
	for (size_t i = 0; i < change->reason_count; i++) {
		text_add(out, change->explanation == EXPLAINED_BY_ONE ? "  alone " : "  together ");
		print_reason(out, comparison, comparison->reasons[change->first_reason + i]);
	}
}

static void print_count(struct text *out, const char *name, uint64_t count)
{
	if (count)
		text_printf(out, "%s %u\n", name, (unsigned int)count);
}

static void check_row(void **state)
{
	const struct row *row = *state;
	struct text out = { 0 };
	struct scene scene;
	const struct flow_counts *counts = &scene.comparison.counts;

	scene_open(&scene, row);
	for (size_t i = 0; i < scene.comparison.count; i++)
		print_change(&out, &scene.comparison, &scene.comparison.changes[i]);
	print_count(&out, "not examined", counts->not_examined);
	print_count(&out, "no device", counts->no_device);
	print_count(&out, "unexplained", counts->unexplained);
	print_count(&out, "by no policy", counts->by_no_policy);
	print_count(&out, "unknown", counts->unknown);
	assert_string_equal(text_string(&out), row->want);
	text_free(&out);
	scene_close(&scene);
}

static const struct row plain = {
	.old = { .rules = { LOCAL_RULE, MAIN_RULE }, .routes = { HOST_ROUTES } },
	.new = { .rules = { LOCAL_RULE, MAIN_RULE }, .routes = { HOST_ROUTES } },
};

static void what_is_unknown_is_counted(void **state)
{
	struct flow_row flow = TO("198.51.100.1");
	struct flows flows = { 0 };
	struct scene scene;
	struct lookup lookup;

	(void)state;
	scene_open(&scene, &plain);
	lookup = scene_lookup(scene.policy[SIDE_OLD], &flow);
	assert_int_equal(flows_add(&flows, &scene.devices, &lookup, NULL), 0);
	lookup.verdict.decided_by = DECIDED_BY_UNKNOWN;
	assert_int_equal(flows_add(&flows, &scene.devices, &lookup, scene.policy[SIDE_OLD]), 0);
	lookup.verdict.decided_by = DECIDED_BY_DIRECT;
	assert_int_equal(flows_add(&flows, &scene.devices, &lookup, scene.policy[SIDE_OLD]), 0);
	assert_int_equal(flows.unknown, 2);
	assert_int_equal(flows.count, 0);
	lookup_clear(&lookup);
	flows_free(&flows);
	scene_close(&scene);
}

static void flows_that_do_not_fit_are_counted(void **state)
{
	struct flow_row row = TO("198.51.100.1");
	struct flows flows = { 0 };
	struct scene scene;
	struct lookup lookup;

	(void)state;
	scene_open(&scene, &plain);
	lookup = scene_lookup(scene.policy[SIDE_OLD], &row);
	for (uint32_t i = 0; i < FLOWS_MAX + 5; i++) {
		lookup.key.mark = i;
		assert_int_equal(flows_add(&flows, &scene.devices, &lookup, scene.policy[SIDE_OLD]),
				 0);
	}
	assert_int_equal(flows.count, FLOWS_MAX);
	assert_int_equal(flows.passed_over, 5);
	lookup.key.mark = 7;
	assert_int_equal(flows_add(&flows, &scene.devices, &lookup, scene.policy[SIDE_OLD]), 0);
	assert_int_equal(flows.passed_over, 5);
	lookup_clear(&lookup);
	flows_free(&flows);
	scene_close(&scene);
}

/* A record of rules that were changed since is told by the model of those that came then. */
static void what_was_recorded_before_a_change_is_answered_by_the_policy_after_it(void **state)
{
	struct flow_row row = TO("198.51.100.1");
	struct rule rules[1];
	struct scene scene;
	struct lookup lookup;
	struct comparison_side sides[SIDE_COUNT];

	(void)state;
	scene_open(&scene, &plain);
	lookup = scene_lookup(scene.policy[SIDE_OLD], &row);
	assert_int_equal(flows_add(&scene.flows[SIDE_OLD], &scene.devices, &lookup,
				   scene.policy[SIDE_OLD]),
			 0);
	assert_int_equal(scene_rules(rules, &(struct rule){ ACTION(1, RULE_PROHIBIT) }, 1), 1);
	for (size_t side = 0; side < SIDE_COUNT; side++) {
		scene_set_rules(scene.policy[side], rules, 1);
		sides[side] = (struct comparison_side){ scene.policy[side], &scene.flows[side] };
	}
	comparison_free(&scene.comparison);
	assert_int_equal(comparison_make(&scene.comparison, &scene.devices, sides), 0);
	assert_int_equal(scene.comparison.count, 0);
	assert_int_equal(scene.comparison.counts.compared, 1);
	lookup_clear(&lookup);
	scene_close(&scene);
}

/* What an exception answered under a policy that was read anew since says nothing of now. */
static void records_of_a_policy_that_was_renewed_are_not_compared(void **state)
{
	static const struct row row = {
		.old = { .rules = { MAIN_RULE },
			 .routes = { HOST_ROUTES },
			 .flows = { TO("198.51.100.1") },
			 .exception = WG0 },
		.new = { .rules = { MAIN_RULE },
			 .routes = { HOST_ROUTES },
			 .flows = { TO("198.51.100.1") } },
	};
	struct comparison_side sides[SIDE_COUNT];
	struct scene scene;

	(void)state;
	scene_open(&scene, &row);
	assert_int_equal(scene.comparison.counts.by_no_policy, 1);
	for (size_t side = 0; side < SIDE_COUNT; side++)
		sides[side] = (struct comparison_side){ scene.policy[side], &scene.flows[side] };
	flows_renew(&scene.flows[SIDE_OLD]);
	comparison_free(&scene.comparison);
	assert_int_equal(comparison_make(&scene.comparison, &scene.devices, sides), 0);
	assert_int_equal(scene.comparison.counts.by_no_policy, 0);
	assert_int_equal(scene.comparison.counts.unexplained, 1);
	scene_close(&scene);
}

int main(void)
{
	static struct CMUnitTest tests[ARRAY_SIZE(rows) + 4];
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		tests[count++] = (struct CMUnitTest){ rows[i].name, check_row, NULL, NULL,
						      (void *)&rows[i] };
	tests[count++] = (struct CMUnitTest)cmocka_unit_test(what_is_unknown_is_counted);
	tests[count++] = (struct CMUnitTest)cmocka_unit_test(flows_that_do_not_fit_are_counted);
	tests[count++] = (struct CMUnitTest)cmocka_unit_test(
		what_was_recorded_before_a_change_is_answered_by_the_policy_after_it);
	tests[count++] = (struct CMUnitTest)cmocka_unit_test(
		records_of_a_policy_that_was_renewed_are_not_compared);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
