// SPDX-License-Identifier: GPL-2.0-only
/* What two policies differ in is found, and nothing else; made, it makes the one of the other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "rules/devices.h"
#include "rules/policy_diff.h"
#include "rules/print.h"
#include "scene.h"

#define RULES_MAX 8
#define ROUTES_MAX 8

/* One side: rules up to the first without an action, routes up to the first without a table. */
struct side_row {
	struct rule rules[RULES_MAX];
	struct route_row routes[ROUTES_MAX];
	struct link links[3]; /* besides the scene's, up to the first without an index */
	uint32_t unheld; /* a table of IPv4; 0: none */
	uint32_t gone; /* a device of the scene's */
};

/* want: what `-` and `+` lines are written of them, a `=` between the halves of a changed one. */
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

static const struct row rows[] = {
	{ .name = "equal_policies_differ_in_nothing",
	  .old = { .rules = { LOCAL_RULE, MAIN_RULE },
		   .routes = { VIA(254, "0.0.0.0", 0, ETH0, GATEWAY) } },
	  .new = { .rules = { LOCAL_RULE, MAIN_RULE },
		   .routes = { VIA(254, "0.0.0.0", 0, ETH0, GATEWAY) } },
	  .want = "" },
	{ .name = "rules_are_added_and_removed",
	  .old = { .rules = { LOCAL_RULE, { LOOKUP(100, 52) }, MAIN_RULE } },
	  .new = { .rules = { LOCAL_RULE, { ACTION(200, RULE_PROHIBIT) }, MAIN_RULE } },
	  .want = "- 100: from all lookup 52\n"
		  "+ 200: from all prohibit\n" },
	{ .name = "rules_of_another_priority_are_changed",
	  .old = { .rules = { LOCAL_RULE,
			      { LOOKUP(5270, 52) },
			      { LOOKUP(32764, 51820), NOT_MARKED },
			      MAIN_RULE } },
	  .new = { .rules = { LOCAL_RULE,
			      { LOOKUP(5209, 51820), NOT_MARKED },
			      { LOOKUP(5270, 52) },
			      MAIN_RULE } },
	  .want = "- 32764: not from all fwmark 0xca6c lookup 51820\n"
		  "=+ 5209: not from all fwmark 0xca6c lookup 51820\n" },
	{ .name = "rules_of_a_priority_that_do_something_else_are_changed",
	  .old = { .rules = { { LOOKUP(100, 52), .mark = 1, .mark_mask = UINT32_MAX } } },
	  .new = { .rules = { { ACTION(100, RULE_UNREACHABLE), .mark = 1,
				.mark_mask = UINT32_MAX } } },
	  .want = "- 100: from all fwmark 0x1 lookup 52\n"
		  "=+ 100: from all fwmark 0x1 unreachable\n" },
	{ .name = "order_within_a_priority_counts",
	  .old = { .rules = { { LOOKUP(100, 1) }, { LOOKUP(100, 2) }, { LOOKUP(100, 3) } } },
	  .new = { .rules = { { LOOKUP(100, 2) }, { LOOKUP(100, 3) }, { LOOKUP(100, 1) } } },
	  .want = "- 100: from all lookup 1\n"
		  "=+ 100: from all lookup 1\n" },
	{ .name = "of_a_list_in_another_order_as_much_as_can_be_is_the_same",
	  .old = { .rules = { { LOOKUP(100, 1) },
			      { LOOKUP(100, 2) },
			      { LOOKUP(100, 3) },
			      { LOOKUP(100, 4) } } },
	  .new = { .rules = { { LOOKUP(100, 3) },
			      { LOOKUP(100, 1) },
			      { LOOKUP(100, 2) },
			      { ACTION(100, RULE_PROHIBIT), .mark = 1, .mark_mask = 1 } } },
	  .want = "- 100: from all lookup 3\n"
		  "=+ 100: from all lookup 3\n"
		  "- 100: from all lookup 4\n"
		  "+ 100: from all fwmark 0x1/0x1 prohibit\n" },
	{ .name = "routes_of_one_prefix_are_one_difference",
	  .old = { .rules = { MAIN_RULE } },
	  .new = { .rules = { MAIN_RULE },
		   .routes = { ROUTE(254, "0.0.0.0", 0, ETH0), ROUTE(254, "0.0.0.0", 0, WG0) } },
	  .want = "+ default dev eth0 table main\n"
		  "+ default dev wg0 table main\n" },
	{ .name = "of_duplicates_one_is_removed",
	  .old = { .rules = { { LOOKUP(100, 1) }, { LOOKUP(100, 1) } } },
	  .new = { .rules = { { LOOKUP(100, 1) } } },
	  .want = "- 100: from all lookup 1\n" },
	{ .name = "suppressors_are_part_of_a_rule",
	  .old = { .rules = { { LOOKUP(100, 254), LENGTH(0) } } },
	  .new = { .rules = { { LOOKUP(100, 254), LENGTH(1) } } },
	  .want = "- 100: from all lookup main suppress_prefixlength 0\n"
		  "=+ 100: from all lookup main suppress_prefixlength 1\n" },
	{ .name = "families_are_compared_apart",
	  .old = { .rules = { MAIN_RULE },
		   .routes = { VIA(254, "2001:db8::", 32, ETH0, "2001:db8::1") } },
	  .new = { .rules = { MAIN_RULE } },
	  .want = "- 2001:db8::/32 via 2001:db8::1 dev eth0 table main\n" },
	{ .name = "routes_are_added_removed_and_changed",
	  .old = { .routes = { VIA(254, "0.0.0.0", 0, ETH0, GATEWAY),
			       ROUTE(254, "10.0.0.0", 8, WG0),
			       ROUTE(52, TAILNET, 32, TAILSCALE0) } },
	  .new = { .routes = { VIA(254, "0.0.0.0", 0, ETH0, "192.0.2.254"),
			       ROUTE(254, "10.0.0.0", 8, WG0),
			       REJECT(51820, "0.0.0.0", 0, RTN_UNREACHABLE) } },
	  .want = "- " TAILNET " dev tailscale0 table 52\n"
		  "- default via 192.0.2.1 dev eth0 table main\n"
		  "+ default via 192.0.2.254 dev eth0 table main\n"
		  "+ unreachable default table 51820\n" },
	{ .name = "nexthops_of_a_route_count",
	  .old = { .routes = { { .table = 254,
				 .dst = "0.0.0.0",
				 .type = RTN_UNICAST,
				 .dev = ETH0,
				 .dev2 = WG0 } } },
	  .new = { .routes = { ROUTE(254, "0.0.0.0", 0, ETH0) } },
	  .want = "- default table main nexthop dev eth0 weight 1 nexthop dev wg0 weight 1\n"
		  "+ default dev eth0 table main\n" },
	{ .name = "equal_routes_of_ipv6_are_in_no_order",
	  .old = { .routes = { VIA(254, "::", 0, ETH0, "fe80::1"),
			       VIA(254, "::", 0, ETH0, "fe80::2") } },
	  .new = { .routes = { VIA(254, "::", 0, ETH0, "fe80::2"),
			       VIA(254, "::", 0, ETH0, "fe80::1") } },
	  .want = "" },
	{ .name = "nexthops_of_a_route_of_ipv6_are_in_no_order",
	  .old = { .routes = { { .table = 254,
				 .dst = "::",
				 .type = RTN_UNICAST,
				 .dev = ETH0,
				 .dev2 = WG0 } } },
	  .new = { .routes = { { .table = 254,
				 .dst = "::",
				 .type = RTN_UNICAST,
				 .dev = WG0,
				 .dev2 = ETH0 } } },
	  .want = "" },
	{ .name = "nexthops_of_a_route_of_ipv4_are_in_order",
	  .old = { .routes = { { .table = 254,
				 .dst = "0.0.0.0",
				 .type = RTN_UNICAST,
				 .dev = ETH0,
				 .dev2 = WG0 } } },
	  .new = { .routes = { { .table = 254,
				 .dst = "0.0.0.0",
				 .type = RTN_UNICAST,
				 .dev = WG0,
				 .dev2 = ETH0 } } },
	  .want = "- default table main nexthop dev eth0 weight 1 nexthop dev wg0 weight 1\n"
		  "+ default table main nexthop dev wg0 weight 1 nexthop dev eth0 weight 1\n" },
	{ .name = "tables_that_one_side_does_not_hold_are_not_compared",
	  .old = { .routes = { ROUTE(52, TAILNET, 32, TAILSCALE0) } },
	  .new = { .unheld = 52 },
	  .want = "? 52\n" },
	{ .name = "links_that_no_rule_names_are_no_difference",
	  .old = { .rules = { MAIN_RULE } },
	  .new = { .rules = { MAIN_RULE }, .links = { { .index = 77, .name = "new0" } } },
	  .want = "" },
	{ .name = "a_rule_that_lost_its_device_differs_by_the_link",
	  .old = { .rules = { { LOOKUP(100, 1), .iif = "wg0" } } },
	  .new = { .rules = { { LOOKUP(100, 1), .iif = "wg0" } }, .gone = WG0 },
	  .want = "- link wg0\n" },
	{ .name = "links_of_other_vrfs_differ",
	  .old = { .rules = { MAIN_RULE } },
	  .new = { .rules = { MAIN_RULE },
		   .links = { { .index = ETH0, .name = "eth0", .master = VRF0 },
			      { .index = VRF0, .name = "vrf0", .l3mdev_table = 1002 } } },
	  .want = "- link eth0\n"
		  "=+ link eth0 of vrf0\n"
		  "- link vrf0\n"
		  "=+ link vrf0\n" },
	{ .name = "groups_of_links_matter_to_rules_that_suppress_by_them",
	  .old = { .rules = { { LOOKUP(100, 254), GROUP(7) } } },
	  .new = { .rules = { { LOOKUP(100, 254), GROUP(7) } },
		   .links = { { .index = ETH0, .name = "eth0", .group = 7 } } },
	  .want = "- link eth0\n"
		  "=+ link eth0\n" },
	{ .name = "groups_of_links_matter_to_no_others",
	  .old = { .rules = { MAIN_RULE } },
	  .new = { .rules = { MAIN_RULE },
		   .links = { { .index = ETH0, .name = "eth0", .group = 7 } } },
	  .want = "" },
};

/* Two sides whose devices have numbers in common. */
struct scene {
	struct devices devices;
	struct policy *policy[SIDE_COUNT];
	struct policy_diff diff;
};

static struct policy *side_policy(struct devices *devices, const struct side_row *row)
{
	struct rule rules[RULES_MAX];
	size_t count = scene_rules(rules, row->rules, RULES_MAX);
	struct policy *policy = scene_policy(rules, count, row->routes, ROUTES_MAX);
	struct policy *copy;

	for (size_t i = 0; i < ARRAY_SIZE(row->links) && row->links[i].index; i++)
		assert_int_equal(policy_set_link(policy, &row->links[i]), 0);
	if (row->gone)
		policy_remove_link(policy, row->gone);
	if (row->unheld)
		policy_set_table_unheld(policy, FLOW_AF_INET, row->unheld);
	copy = devices_copy_policy(devices, policy);
	assert_non_null(copy);
	policy_free(policy);
	return copy;
}

static void scene_open(struct scene *scene, const struct side_row *old, const struct side_row *new)
{
	*scene = (struct scene){ 0 };
	scene->policy[SIDE_OLD] = side_policy(&scene->devices, old);
	scene->policy[SIDE_NEW] = side_policy(&scene->devices, new);
	assert_int_equal(policy_diff_make(&scene->diff, scene->policy[SIDE_OLD],
					  scene->policy[SIDE_NEW]),
			 0);
}

static void scene_close(struct scene *scene)
{
	policy_diff_free(&scene->diff);
	policy_free(scene->policy[SIDE_OLD]);
	policy_free(scene->policy[SIDE_NEW]);
	devices_free(&scene->devices);
}

/* --- what is found, as text ------------------------------------------------------------------- */

static const char *const signs[SIDE_COUNT] = { "- ", "+ " };

struct printing {
	struct text *out;
	const struct policy_diff *diff;
	struct names *names;
};

static void print_route(void *data, enum policy_side side, const struct route *route)
{
	struct printing *printing = data;

	text_add(printing->out, signs[side]);
	route_print(printing->out, route, printing->diff->policy[side], printing->names);
	text_add_char(printing->out, '\n');
}

static void print_link(struct text *out, const struct policy *policy, const struct link *link)
{
	uint32_t vrf = policy_link_vrf(policy, link);

	text_printf(out, "link %s", link->name);
	if (vrf)
		text_printf(out, " of %s", policy_link(policy, vrf)->name);
}

static void print_item(struct printing *printing, const struct policy_difference *item)
{
	const char *between = "";

	for (size_t side = 0; side < SIDE_COUNT; side++) {
		if (!item->rule[side] && !item->link[side])
			continue;
		text_printf(printing->out, "%s%s", between, signs[side]);
		if (item->rule[side])
			rule_print(printing->out, item->rule[side], printing->names);
		else
			print_link(printing->out, printing->diff->policy[side], item->link[side]);
		text_add_char(printing->out, '\n');
		between = "=";
	}
	if (item->kind == DIFFERENCE_ROUTES)
		assert_int_equal(
			policy_diff_visit_routes(printing->diff, item, print_route, printing), 0);
}

static void check_row(void **state)
{
	const struct row *row = *state;
	struct text out = { 0 };
	struct scene scene;
	struct printing printing = { &out, &scene.diff, names_new() };

	scene_open(&scene, &row->old, &row->new);
	for (size_t i = 0; i < scene.diff.count; i++)
		print_item(&printing, &scene.diff.items[i]);
	for (size_t i = 0; i < scene.diff.unheld_count; i++)
		text_printf(&out, "? %u\n", scene.diff.unheld[i].table);
	assert_string_equal(text_string(&out), row->want);
	text_free(&out);
	names_free(printing.names);
	scene_close(&scene);
}

/* Whatever differs, made in a copy of the old policy, leaves nothing that differs from the new one. */
static void check_applied(void **state)
{
	const struct row *row = *state;

	for (size_t side = 0; side < SIDE_COUNT; side++) {
		struct policy_diff left;
		struct policy *copy;
		struct scene scene;

		scene_open(&scene, &row->old, &row->new);
		copy = devices_copy_policy(&scene.devices, scene.policy[!side]);
		assert_non_null(copy);
		for (size_t i = 0; i < scene.diff.count; i++)
			assert_int_equal(policy_diff_apply(&scene.diff, &scene.diff.items[i], side,
							   copy),
					 0);
		assert_int_equal(policy_diff_make(&left, copy, scene.policy[side]), 0);
		/* A rule that comes to the end of its priority may stand there anew. */
		if (!strstr(row->name, "order"))
			assert_int_equal(left.count, 0);
		policy_diff_free(&left);
		policy_free(copy);
		scene_close(&scene);
	}
}

static void devices_are_told_by_their_names(void **state)
{
	struct devices devices = { 0 };
	struct policy *one = policy_new(NETNS, TOS_MASKED), *other = policy_new(NETNS, TOS_MASKED);
	struct link link = { .index = 7, .name = "wg0", .master = 12 };
	struct link vrf = { .index = 12, .name = "vrf0", .l3mdev_table = 5 };
	struct rule rule = { .family = FLOW_AF_INET, LOOKUP(1, 1), .iif = "wg0" };
	struct policy *copies[2];

	(void)state;
	rule.suppress_prefixlength = rule.suppress_ifgroup = -1;
	assert_int_equal(policy_set_link(one, &link), 0);
	assert_int_equal(policy_set_link(one, &vrf), 0);
	link.index = 9;
	link.master = vrf.index = 3;
	assert_int_equal(policy_set_link(other, &link), 0);
	assert_int_equal(policy_set_link(other, &vrf), 0);
	scene_set_rules(one, &rule, 1);
	scene_set_rules(other, &rule, 1);
	scene_add_route(one, scene_route(&(struct route_row)ROUTE(1, "10.0.0.0", 8, 7)));
	scene_add_route(other, scene_route(&(struct route_row)ROUTE(1, "10.0.0.0", 8, 9)));
	copies[0] = devices_copy_policy(&devices, one);
	copies[1] = devices_copy_policy(&devices, other);
	assert_string_equal(devices_name(&devices, 1), "lo");
	for (size_t i = 0; i < 2; i++) {
		uint32_t wg0 = devices_number(&devices, "wg0");

		assert_int_equal(policy_rules(copies[i], FLOW_AF_INET)->rules[0].iif_index, wg0);
		assert_int_equal(policy_link_vrf(copies[i], policy_link(copies[i], wg0)),
				 devices_number(&devices, "vrf0"));
	}
	for (size_t i = 0; i < 2; i++) {
		struct policy_diff diff;

		assert_int_equal(policy_diff_make(&diff, copies[i], copies[!i]), 0);
		assert_int_equal(diff.count, 0);
		policy_diff_free(&diff);
	}
	policy_free(copies[0]);
	policy_free(copies[1]);
	policy_free(one);
	policy_free(other);
	devices_free(&devices);
}

static void many_devices_keep_their_numbers(void **state)
{
	struct devices devices = { 0 };
	char name[IFNAMSIZ];

	(void)state;
	for (unsigned int round = 0; round < 2; round++) {
		for (unsigned int i = 0; i < 1000; i++) {
			snprintf(name, sizeof(name), "dev%u", i);
			assert_int_equal(devices_number(&devices, name), i + 2);
			assert_string_equal(devices_name(&devices, i + 2), name);
		}
	}
	assert_string_equal(devices_name(&devices, 1002), "");
	devices_free(&devices);
}

int main(void)
{
	static struct CMUnitTest tests[2 * ARRAY_SIZE(rows) + 2];
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		tests[count++] = (struct CMUnitTest){ rows[i].name, check_row, NULL, NULL,
						      (void *)&rows[i] };
		tests[count++] = (struct CMUnitTest){ "and_is_made", check_applied, NULL, NULL,
						      (void *)&rows[i] };
	}
	tests[count++] = (struct CMUnitTest)cmocka_unit_test(devices_are_told_by_their_names);
	tests[count++] = (struct CMUnitTest)cmocka_unit_test(many_devices_keep_their_numbers);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
