// SPDX-License-Identifier: GPL-2.0-only
/* A policy keeps rules, links and tables consistent, and selects sources as the kernel does. */
#include "rules/policy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static int new_policy(void **state)
{
	*state = policy_new(4026531840u, TOS_MASKED);
	return *state ? 0 : -1;
}

static int free_policy(void **state)
{
	policy_free(*state);
	return 0;
}

static void set_link(struct policy *policy, uint32_t index, const char *name)
{
	struct link link = { .index = index };

	strcpy(link.name, name);
	assert_int_equal(policy_set_link(policy, &link), 0);
}

static void set_vrf(struct policy *policy, uint32_t index, const char *name, uint32_t table)
{
	struct link link = { .index = index, .l3mdev_table = table };

	strcpy(link.name, name);
	assert_int_equal(policy_set_link(policy, &link), 0);
}

static void set_slave(struct policy *policy, uint32_t index, const char *name, uint32_t master)
{
	struct link link = { .index = index, .master = master };

	strcpy(link.name, name);
	assert_int_equal(policy_set_link(policy, &link), 0);
}

/* Two rules: `iif eth0` and `oif wg0`, then one that names no device. */
static struct rule_list *device_rules(void)
{
	struct rule rules[3] = { { .family = AF_INET, .iif = "eth0" },
				 { .family = AF_INET, .oif = "wg0" },
				 { .family = AF_INET } };
	struct rule_list *list = rule_list_new(rules, LENGTH(rules));

	assert_non_null(list);
	return list;
}

static void assert_devices(const struct policy *policy, int iif, int oif)
{
	const struct rule_list *list = policy_rules(policy, AF_INET);

	assert_int_equal(list->rules[0].iif_index, iif);
	assert_int_equal(list->rules[0].oif_index, 0);
	assert_int_equal(list->rules[1].oif_index, oif);
	assert_int_equal(list->rules[1].iif_index, 0);
	assert_int_equal(list->rules[2].iif_index, 0);
}

static void rules_are_detached_before_links_are_known(void **state)
{
	struct policy *policy = *state;

	assert_null(policy_rules(policy, AF_INET));
	policy_set_rules(policy, AF_INET, device_rules());
	assert_devices(policy, -1, -1);
	assert_null(policy_rules(policy, AF_INET6));
}

static void new_link_attaches_the_rules_that_name_it(void **state)
{
	struct policy *policy = *state;

	policy_set_rules(policy, AF_INET, device_rules());
	set_link(policy, 2, "eth0");
	assert_devices(policy, 2, -1);
	set_link(policy, 9, "wg0");
	assert_devices(policy, 2, 9);
}

static void rules_set_after_the_links_are_attached_in_place(void **state)
{
	struct policy *policy = *state;
	struct rule_list *list = device_rules();

	set_link(policy, 2, "eth0");
	set_link(policy, 9, "wg0");
	policy_set_rules(policy, AF_INET, list);
	assert_ptr_equal(policy_rules(policy, AF_INET), list);
	assert_devices(policy, 2, 9);
}

static void rules_that_others_hold_are_copied(void **state)
{
	struct policy *policy = *state;
	struct rule_list *list = device_rules();

	set_link(policy, 2, "eth0");
	policy_set_rules(policy, AF_INET, rule_list_get(list));
	assert_ptr_not_equal(policy_rules(policy, AF_INET), list);
	assert_int_equal(list->references, 1);
	assert_int_equal(list->rules[0].iif_index, 0);
	assert_devices(policy, 2, -1);
	rule_list_put(list);
}

static void rename_detaches_and_attaches(void **state)
{
	struct policy *policy = *state;

	policy_set_rules(policy, AF_INET, device_rules());
	set_link(policy, 2, "eth0");
	set_link(policy, 3, "eth1");
	set_link(policy, 2, "lan0");
	assert_devices(policy, -1, -1);
	assert_null(policy_link_by_name(policy, "eth0"));
	set_link(policy, 3, "eth0");
	assert_devices(policy, 3, -1);
	assert_int_equal(policy_link_by_name(policy, "eth0")->index, 3);
	assert_string_equal(policy_link(policy, 2)->name, "lan0");
}

static void removed_link_detaches(void **state)
{
	struct policy *policy = *state;

	policy_set_rules(policy, AF_INET, device_rules());
	set_link(policy, 2, "eth0");
	policy_remove_link(policy, 2);
	assert_devices(policy, -1, -1);
	assert_null(policy_link(policy, 2));
	assert_null(policy_link_by_name(policy, "eth0"));
	policy_remove_link(policy, 2);
}

static void links_read_anew_resolve_the_rules(void **state)
{
	struct policy *policy = *state;
	struct address address = { .family = AF_INET, .ifindex = 2 };

	policy_set_rules(policy, AF_INET, device_rules());
	set_link(policy, 2, "eth0");
	set_link(policy, 9, "wg0");
	assert_int_equal(policy_set_address(policy, &address), 0);
	policy_clear_links(policy);
	assert_null(policy_link(policy, 2));
	set_link(policy, 1, "lo");
	assert_devices(policy, -1, -1);
	set_link(policy, 12, "wg0");
	assert_devices(policy, -1, 12);
}

static void held_rules_survive_a_change_unmodified(void **state)
{
	struct policy *policy = *state;
	struct rule_list *before;

	set_link(policy, 2, "eth0");
	policy_set_rules(policy, AF_INET, device_rules());
	before = rule_list_get(policy_rules(policy, AF_INET));
	assert_int_equal(before->references, 2);
	policy_remove_link(policy, 2);
	assert_ptr_not_equal(policy_rules(policy, AF_INET), before);
	assert_int_equal(before->references, 1);
	assert_int_equal(before->rules[0].iif_index, 2);
	rule_list_put(before);
}

static void link_that_no_rule_names_keeps_the_list(void **state)
{
	struct policy *policy = *state;
	struct rule_list *before;

	policy_set_rules(policy, AF_INET, device_rules());
	before = policy_rules(policy, AF_INET);
	set_link(policy, 7, "veth7");
	assert_ptr_equal(policy_rules(policy, AF_INET), before);
}

static void both_families_follow_the_links(void **state)
{
	struct policy *policy = *state;
	struct rule rule = { .family = AF_INET6, .oif = "eth0" };

	policy_set_rules(policy, AF_INET, device_rules());
	policy_set_rules(policy, AF_INET6, rule_list_new(&rule, 1));
	set_link(policy, 2, "eth0");
	assert_int_equal(policy_rules(policy, AF_INET)->rules[0].iif_index, 2);
	assert_int_equal(policy_rules(policy, AF_INET6)->rules[0].oif_index, 2);
}

static void rules_of_another_family_are_dropped(void **state)
{
	struct policy *policy = *state;

	policy_set_rules(policy, 128, device_rules());
	assert_null(policy_rules(policy, 128));
}

static void impossible_rule_count_is_refused(void **state)
{
	struct rule rule = { 0 };

	(void)state;
	assert_null(rule_list_new(&rule, SIZE_MAX / 2));
	rule_list_put(NULL);
	policy_free(NULL);
}

static void unterminated_link_name_is_cut(void **state)
{
	struct policy *policy = *state;
	struct link link = { .index = 4 };

	memset(link.name, 'x', sizeof(link.name));
	assert_int_equal(policy_set_link(policy, &link), 0);
	assert_int_equal(strlen(policy_link(policy, 4)->name), IFNAMSIZ - 1);
	assert_null(policy_link_by_name(policy, "xxxxxxxxxxxxxxxxxxxxxxxxx"));
	link.index = 0;
	assert_int_equal(policy_set_link(policy, &link), -EINVAL);
}

static void links_are_found_among_many(void **state)
{
	struct policy *policy = *state;
	char name[IFNAMSIZ];

	for (uint32_t i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "ppp%u", i * 7919 % 1000);
		set_link(policy, 1 + i * 7919 % 1000, name);
	}
	for (uint32_t i = 0; i < 1000; i += 2)
		policy_remove_link(policy, 1 + i);
	for (uint32_t i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "ppp%u", i);
		assert_int_equal(policy_link(policy, 1 + i) != NULL, i % 2);
		assert_int_equal(policy_link_by_name(policy, name) != NULL, i % 2);
	}
}

static struct address v4(uint32_t ifindex, const char *local, uint8_t length)
{
	struct address address = { .family = AF_INET, .ifindex = ifindex, .length = length };

	assert_int_equal(inet_pton(AF_INET, local, address.local), 1);
	return address;
}

static struct route *add_route(struct route_table *table)
{
	struct route *route = calloc(1, route_size(1));

	assert_non_null(route);
	route->family = AF_INET;
	route->type = RTN_UNICAST;
	route->nexthop_count = 1;
	route->nexthops[0].dev = 2;
	assert_int_equal(route_table_add(table, route, true, false), 0);
	return route;
}

static void every_change_moves_the_generation(void **state)
{
	struct policy *policy = *state;
	struct address address = v4(2, "192.0.2.1", 24);
	uint64_t last = policy_generation(policy);

#define MOVED(change)                                                                              \
	do {                                                                                       \
		change;                                                                            \
		assert_true(policy_generation(policy) > last);                                     \
		last = policy_generation(policy);                                                  \
	} while (0)
#define SAME(change)                                                                               \
	do {                                                                                       \
		change;                                                                            \
		assert_true(policy_generation(policy) == last);                                    \
	} while (0)

	MOVED(policy_set_rules(policy, AF_INET, device_rules()));
	MOVED(set_link(policy, 2, "eth0"));
	SAME(set_link(policy, 2, "eth0"));
	MOVED(set_link(policy, 2, "eth1"));
	MOVED(policy_set_address(policy, &address));
	SAME(policy_set_address(policy, &address));
	MOVED(policy_remove_address(policy, &address));
	SAME(policy_remove_address(policy, &address));
	MOVED(policy_table_for_change(policy, AF_INET, 254));
	SAME(policy_table(policy, AF_INET, 254));
	MOVED(policy_set_table_unheld(policy, AF_INET, 254));
	MOVED(policy_clear_routes(policy, AF_INET));
	MOVED(policy_set_l3_master_match(policy, true));
	MOVED(policy_remove_link(policy, 2));
	SAME(policy_remove_link(policy, 2));
}

static void tables_are_kept_by_family_and_id(void **state)
{
	struct policy *policy = *state;

	for (uint32_t i = 0; i < 500; i++) {
		uint32_t id = i * 7919 % 500;
		struct route_table *table = policy_table_for_change(policy, AF_INET, id);

		assert_int_equal(route_table_id(table), id);
		free(add_route(table));
	}
	assert_non_null(policy_table_for_change(policy, AF_INET6, 254));
	for (uint32_t id = 0; id < 500; id++) {
		const struct route_table *table = policy_table(policy, AF_INET, id);

		assert_int_equal(route_table_id(table), id);
		assert_ptr_equal(policy_table_for_change(policy, AF_INET, id), table);
	}
	assert_null(policy_table(policy, AF_INET, 500));
	assert_null(policy_table(policy, AF_INET6, 254));
}

static void table_without_routes_is_none(void **state)
{
	struct policy *policy = *state;
	struct route_table *table = policy_table_for_change(policy, AF_INET, 100);
	struct route *route;

	assert_null(policy_table(policy, AF_INET, 100));
	route = add_route(table);
	assert_ptr_equal(policy_table(policy, AF_INET, 100), table);
	assert_int_equal(route_table_remove(table, route), 0);
	assert_null(policy_table(policy, AF_INET, 100));
	free(route);
}

static void cleared_family_leaves_the_other(void **state)
{
	struct policy *policy = *state;

	free(add_route(policy_table_for_change(policy, AF_INET, 100)));
	policy_set_table_unheld(policy, AF_INET6, 100);
	policy_clear_routes(policy, AF_INET);
	assert_null(policy_table(policy, AF_INET, 100));
	assert_true(policy_table_unheld(policy, AF_INET6, 100));
	policy_clear_routes(policy, AF_INET6);
	assert_false(policy_table_unheld(policy, AF_INET6, 100));
}

static void unheld_table_is_not_answered_from(void **state)
{
	struct policy *policy = *state;

	assert_false(policy_table_unheld(policy, AF_INET, 254));
	free(add_route(policy_table_for_change(policy, AF_INET, 254)));
	policy_set_table_unheld(policy, AF_INET, 254);
	assert_true(policy_table_unheld(policy, AF_INET, 254));
	assert_null(policy_table(policy, AF_INET, 254));
	free(add_route(policy_table_for_change(policy, AF_INET, 254)));
	assert_null(policy_table(policy, AF_INET, 254));
}

/* Links 2 and 3 in the VRF 10 (table 100), 4 in a bridge, 5 in nothing. */
static void set_vrf_topology(struct policy *policy)
{
	set_link(policy, 1, "lo");
	set_vrf(policy, 10, "red", 100);
	set_slave(policy, 2, "eth2", 10);
	set_slave(policy, 3, "eth3", 10);
	set_link(policy, 11, "br0");
	set_slave(policy, 4, "eth4", 11);
	set_link(policy, 5, "eth5");
}

struct vrf_row {
	const char *name;
	uint32_t l3mdev;
	uint32_t iif;
	uint32_t oif;
	uint32_t want;
};

static const struct vrf_row vrf_rows[] = {
	{ "flow_without_devices_has_no_l3mdev_table", 0, 1, 0, 0 },
	{ "l3mdev_of_the_flow_gives_the_table", 10, 1, 0, 100 },
	{ "l3mdev_of_the_flow_comes_before_oif", 10, 1, 5, 100 },
	{ "l3mdev_that_is_no_vrf_gives_none", 5, 1, 0, 0 },
	{ "output_vrf_gives_its_table", 0, 1, 10, 100 },
	{ "output_device_gives_its_vrfs_table", 0, 1, 2, 100 },
	{ "input_device_gives_its_vrfs_table", 0, 3, 0, 100 },
	{ "output_device_decides_before_input", 0, 3, 5, 0 },
	{ "unknown_output_device_leaves_it_to_input", 0, 3, 99, 100 },
	{ "bridge_is_no_l3_master", 0, 4, 0, 0 },
	{ "unknown_devices_give_none", 0, 98, 99, 0 },
};

static void check_vrf(void **state)
{
	const struct vrf_row *row = *state;
	struct policy *policy = policy_new(1, TOS_EXACT);
	struct flow_key key = { .l3mdev = row->l3mdev, .iif = row->iif, .oif = row->oif };
	struct match_context context;

	set_vrf_topology(policy);
	context = policy_match_context(policy);
	assert_int_equal(context.l3mdev_table(context.data, &key), row->want);
	policy_free(policy);
}

static void match_context_has_masters_only_where_the_kernel_has(void **state)
{
	struct policy *policy = *state;
	struct match_context context;

	set_vrf_topology(policy);
	context = policy_match_context(policy);
	assert_int_equal(context.tos_compare, TOS_MASKED);
	assert_null(context.master_of);
	policy_set_l3_master_match(policy, true);
	context = policy_match_context(policy);
	assert_int_equal(context.master_of(context.data, 2), 10);
	assert_int_equal(context.master_of(context.data, 10), 10);
	assert_int_equal(context.master_of(context.data, 4), 0);
	assert_int_equal(context.master_of(context.data, 99), 0);
	assert_int_equal(policy_netns(policy), 4026531840u);
}

struct source_row {
	const char *name;
	uint32_t dev;
	uint8_t scope;
	const char *gateway;
	const char *prefsrc;
	uint8_t type;
	const char *want; /* NULL: none */
};

struct source_address {
	uint32_t dev;
	const char *local;
	uint8_t length;
	uint8_t scope;
	bool secondary;
};

static const struct source_address source_addresses[] = {
	{ 1, "127.0.0.1", 8, RT_SCOPE_HOST, false },
	{ 1, "203.0.113.100", 32, RT_SCOPE_LINK, false },
	{ 2, "192.0.2.1", 24, RT_SCOPE_UNIVERSE, false },
	{ 2, "192.0.2.9", 24, RT_SCOPE_UNIVERSE, true },
	{ 2, "198.51.100.1", 24, RT_SCOPE_UNIVERSE, false },
	{ 6, "203.0.113.1", 24, RT_SCOPE_LINK, false },
	{ 7, "203.0.113.7", 32, RT_SCOPE_HOST, false },
	{ 8, "198.51.100.8", 24, RT_SCOPE_UNIVERSE, false },
	{ 8, "203.0.113.8", 24, RT_SCOPE_LINK, false },
	{ 9, "198.51.100.9", 24, RT_SCOPE_UNIVERSE, true },
	{ 10, "10.10.10.1", 32, RT_SCOPE_UNIVERSE, false },
	{ 11, "10.11.0.1", 32, RT_SCOPE_UNIVERSE, false },
	{ 13, "10.13.0.1", 24, RT_SCOPE_UNIVERSE, false },
};

/* 10 is a VRF with an address, 12 its slave; 20 a VRF without one, with slaves 13 and 14. */
static const struct source_row source_rows[] = {
	{ "prefsrc_of_the_route_wins", 2, 0, NULL, "198.51.100.1", RTN_UNICAST, "198.51.100.1" },
	{ "first_address_without_gateway", 2, 0, NULL, NULL, RTN_UNICAST, "192.0.2.1" },
	{ "address_in_the_gateways_subnet", 2, 0, "198.51.100.254", NULL, RTN_UNICAST,
	  "198.51.100.1" },
	{ "first_address_for_a_gateway_elsewhere", 2, 0, "10.9.9.9", NULL, RTN_UNICAST,
	  "192.0.2.1" },
	{ "secondary_address_is_never_selected", 2, 0, "192.0.2.9", NULL, RTN_UNICAST,
	  "192.0.2.1" },
	{ "link_scope_address_serves_a_link_route", 6, RT_SCOPE_LINK, NULL, NULL, RTN_UNICAST,
	  "203.0.113.1" },
	{ "link_scope_address_does_not_serve_a_global_route", 6, 0, NULL, NULL, RTN_UNICAST,
	  "192.0.2.1" },
	{ "host_scope_address_does_not_serve_a_link_route", 7, RT_SCOPE_LINK, NULL, NULL,
	  RTN_UNICAST, "192.0.2.1" },
	{ "host_scope_address_serves_a_host_route", 7, RT_SCOPE_HOST, NULL, NULL, RTN_BROADCAST,
	  "203.0.113.7" },
	{ "device_without_address_borrows_in_ifindex_order", 5, 0, NULL, NULL, RTN_UNICAST,
	  "192.0.2.1" },
	{ "link_scope_address_is_not_lent", 5, RT_SCOPE_LINK, NULL, NULL, RTN_UNICAST,
	  "192.0.2.1" },
	{ "link_scope_address_goes_before_global_ones", 8, RT_SCOPE_LINK, NULL, NULL, RTN_UNICAST,
	  "203.0.113.8" },
	{ "device_with_secondary_addresses_only_borrows", 9, 0, NULL, NULL, RTN_UNICAST,
	  "192.0.2.1" },
	{ "device_in_a_vrf_borrows_from_the_vrf", 12, 0, NULL, NULL, RTN_UNICAST, "10.10.10.1" },
	{ "device_in_a_vrf_borrows_within_the_vrf", 14, 0, NULL, NULL, RTN_UNICAST, "10.13.0.1" },
	{ "local_route_has_the_destination_for_source", 2, 0, NULL, NULL, RTN_LOCAL, NULL },
};

static struct policy *source_policy(void)
{
	struct policy *policy = policy_new(1, TOS_EXACT);

	set_link(policy, 1, "lo");
	for (size_t i = 0; i < LENGTH(source_addresses); i++) {
		const struct source_address *row = &source_addresses[i];
		struct address address = v4(row->dev, row->local, row->length);

		address.scope = row->scope;
		address.secondary = row->secondary;
		assert_int_equal(policy_set_address(policy, &address), 0);
	}
	set_vrf(policy, 10, "red", 100);
	set_slave(policy, 12, "eth12", 10);
	set_vrf(policy, 20, "blue", 200);
	set_slave(policy, 13, "eth13", 20);
	set_slave(policy, 14, "eth14", 20);
	return policy;
}

static void check_source(void **state)
{
	const struct source_row *row = *state;
	struct policy *policy = source_policy();
	struct route *route = calloc(1, route_size(1));
	uint8_t source[16] = { 0 };
	char text[INET_ADDRSTRLEN];

	assert_non_null(route);
	route->family = AF_INET;
	route->type = row->type;
	route->scope = row->scope;
	route->nexthop_count = 1;
	route->nexthops[0].dev = row->dev;
	if (row->gateway) {
		route->nexthops[0].gateway_family = AF_INET;
		inet_pton(AF_INET, row->gateway, route->nexthops[0].gateway);
	}
	if (row->prefsrc) {
		route->prefsrc_family = AF_INET;
		inet_pton(AF_INET, row->prefsrc, route->prefsrc);
	}
	assert_int_equal(policy_preferred_source(policy, route, route->nexthops, source),
			 row->want != NULL);
	if (row->want)
		assert_string_equal(inet_ntop(AF_INET, source, text, sizeof(text)), row->want);
	free(route);
	policy_free(policy);
}

static const char *source_of_device(const struct policy *policy, uint32_t dev)
{
	static char text[INET_ADDRSTRLEN];
	struct route route = { .family = AF_INET, .type = RTN_UNICAST };
	struct nexthop nexthop = { .dev = dev };
	uint8_t source[16];

	if (!policy_preferred_source(policy, &route, &nexthop, source))
		return "none";
	return inet_ntop(AF_INET, source, text, sizeof(text));
}

static void reject_route_has_no_source(void **state)
{
	struct policy *policy = source_policy();
	struct route route = { .family = AF_INET, .type = RTN_UNREACHABLE };
	uint8_t source[16];

	(void)state;
	assert_false(policy_preferred_source(policy, &route, NULL, source));
	policy_free(policy);
}

static void removed_addresses_are_not_selected(void **state)
{
	struct policy *policy = *state;
	struct address first = v4(2, "192.0.2.1", 24);
	struct address second = v4(2, "198.51.100.1", 24);
	struct address other_length = v4(2, "192.0.2.1", 32);

	set_link(policy, 2, "eth0");
	policy_set_address(policy, &first);
	policy_set_address(policy, &second);
	policy_remove_address(policy, &other_length);
	assert_string_equal(source_of_device(policy, 2), "192.0.2.1");
	policy_remove_address(policy, &first);
	assert_string_equal(source_of_device(policy, 2), "198.51.100.1");
	policy_remove_link(policy, 2);
	assert_string_equal(source_of_device(policy, 2), "none");
}

/* The kernel promotes a secondary address when its primary goes: it becomes the last primary. */
static void promoted_address_goes_behind_the_primary_ones(void **state)
{
	struct policy *policy = *state;
	struct address secondary = v4(2, "192.0.2.9", 24);
	struct address primary = v4(2, "198.51.100.1", 24);

	secondary.secondary = true;
	policy_set_address(policy, &secondary);
	policy_set_address(policy, &primary);
	assert_string_equal(source_of_device(policy, 2), "198.51.100.1");
	secondary.secondary = false;
	policy_set_address(policy, &secondary);
	assert_string_equal(source_of_device(policy, 2), "198.51.100.1");
	policy_remove_address(policy, &primary);
	assert_string_equal(source_of_device(policy, 2), "192.0.2.9");
}

static struct address v6(uint8_t last)
{
	return (struct address){
		.local = { 0xfd, [15] = last }, .ifindex = 2, .family = AF_INET6, .length = 64
	};
}

static uint8_t selected6(const struct policy *policy)
{
	const uint8_t dst[16] = { 0xfd, 1 };
	uint8_t source[16] = { 0 };

	policy_select_source6(policy, dst, 2, source);
	return source[15];
}

/* Of addresses that are equally good the kernel selects the first, and a new one is put first. */
static void newest_address_of_ipv6_comes_first_but_for_a_dump(void **state)
{
	struct policy *policy = *state;
	struct address first = v6(1), second = v6(2), third = v6(3);

	set_link(policy, 2, "eth0");
	assert_int_equal(selected6(policy), 0);
	assert_int_equal(policy_append_address(policy, &first), 0);
	assert_int_equal(policy_append_address(policy, &second), 0);
	assert_int_equal(selected6(policy), 1);
	assert_int_equal(policy_set_address(policy, &third), 0);
	assert_int_equal(selected6(policy), 3);
	assert_int_equal(policy_append_address(policy, &third), 0);
	assert_int_equal(selected6(policy), 3);
}

static void state_of_an_address_is_renewed_in_its_place(void **state)
{
	struct policy *policy = *state;
	struct address first = v6(1), second = v6(2);
	uint64_t before;

	policy_set_address(policy, &first);
	second.states = ADDRESS_TENTATIVE;
	policy_set_address(policy, &second);
	assert_int_equal(selected6(policy), 1);
	before = policy_generation(policy);
	second.states = 0;
	policy_set_address(policy, &second);
	assert_int_not_equal(policy_generation(policy), before);
	assert_int_equal(selected6(policy), 2);
	first.states = ADDRESS_TEMPORARY;
	policy_set_address(policy, &first);
	assert_int_equal(selected6(policy), 2);
}

static void hostile_addresses_are_refused(void **state)
{
	struct policy *policy = *state;
	struct address address = v4(2, "192.0.2.1", 33);

	assert_int_equal(policy_set_address(policy, &address), -EINVAL);
	address.family = AF_INET6;
	assert_int_equal(policy_set_address(policy, &address), 0);
	address.length = 129;
	assert_int_equal(policy_set_address(policy, &address), -EINVAL);
	address.family = AF_UNIX;
	assert_int_equal(policy_set_address(policy, &address), -EAFNOSUPPORT);
	assert_string_equal(source_of_device(policy, 2), "none");
}

static void own_addresses_are_told_by_family(void **state)
{
	struct policy *policy = *state;
	struct address first = v4(2, "192.0.2.1", 24);
	struct address again = v4(3, "192.0.2.1", 32);
	struct address other = v4(2, "192.0.2.9", 24);

	policy_set_address(policy, &again);
	policy_set_address(policy, &first);
	assert_int_equal(policy_own_address(policy, AF_INET, first.local)->ifindex, 2);
	assert_null(policy_own_address(policy, AF_INET, other.local));
	assert_null(policy_own_address(policy, AF_INET6, first.local));
	policy_remove_address(policy, &first);
	assert_int_equal(policy_own_address(policy, AF_INET, first.local)->ifindex, 3);
}

static void tunnels_are_counted(void **state)
{
	struct link link = { .index = 9, .name = "wg0", .tunnel = true };
	struct policy *policy = *state;

	set_link(policy, 2, "eth0");
	assert_int_equal(policy_tunnel_count(policy), 0);
	assert_int_equal(policy_set_link(policy, &link), 0);
	assert_int_equal(policy_tunnel_count(policy), 1);
	assert_true(policy_link_is_tunnel(policy, 9));
	assert_false(policy_link_is_tunnel(policy, 2));
	assert_false(policy_link_is_tunnel(policy, 7));
	policy_remove_link(policy, 9);
	assert_int_equal(policy_tunnel_count(policy), 0);
}

/* What all devices have is index 0. */
static void the_stricter_reverse_path_filter_holds(void **state)
{
	struct policy *policy = *state;
	uint64_t generation;

	assert_int_equal(policy_rp_filter(policy, 2), RP_FILTER_NONE);
	assert_int_equal(policy_set_rp_filter(policy, 2, RP_FILTER_STRICT), 0);
	assert_int_equal(policy_rp_filter(policy, 2), RP_FILTER_STRICT);
	assert_int_equal(policy_rp_filter(policy, 3), RP_FILTER_NONE);
	assert_int_equal(policy_set_rp_filter(policy, 0, RP_FILTER_LOOSE), 0);
	assert_int_equal(policy_rp_filter(policy, 2), RP_FILTER_LOOSE);
	assert_int_equal(policy_rp_filter(policy, 3), RP_FILTER_LOOSE);
	generation = policy_generation(policy);
	assert_int_equal(policy_set_rp_filter(policy, 0, RP_FILTER_LOOSE), 0);
	assert_int_equal(policy_generation(policy), generation);
	assert_int_equal(policy_set_rp_filter(policy, 0, RP_FILTER_NONE), 0);
	assert_int_not_equal(policy_generation(policy), generation);
	assert_int_equal(policy_rp_filter(policy, 2), RP_FILTER_STRICT);
	assert_int_equal(policy_set_rp_filter(policy, 0, 3), 0);
	assert_int_equal(policy_rp_filter(policy, 2), RP_FILTER_NONE);
}

struct visited {
	uint32_t tables[4];
	size_t count;
	size_t most;
};

static bool visit_table(uint32_t table, void *data)
{
	struct visited *visited = data;

	visited->tables[visited->count++] = table;
	return visited->count < visited->most;
}

static void tables_with_routes_are_visited(void **state)
{
	struct policy *policy = *state;
	const struct route other = { .family = AF_INET6, .type = RTN_UNREACHABLE };
	struct visited visited = { .most = 4 };

	free(add_route(policy_table_for_change(policy, AF_INET, 52)));
	assert_int_equal(route_table_add(policy_table_for_change(policy, AF_INET6, 53), &other,
					 true, false),
			 0);
	free(add_route(policy_table_for_change(policy, AF_INET, 254)));
	free(add_route(policy_table_for_change(policy, AF_INET, 54)));
	policy_table_for_change(policy, AF_INET, 51);
	policy_set_table_unheld(policy, AF_INET, 54);
	policy_visit_tables(policy, AF_INET, visit_table, &visited);
	assert_int_equal(visited.count, 2);
	assert_int_equal(visited.tables[0], 52);
	assert_int_equal(visited.tables[1], 254);
	visited = (struct visited){ .most = 1 };
	policy_visit_tables(policy, AF_INET, visit_table, &visited);
	assert_int_equal(visited.count, 1);
}

static void the_table_of_a_vrf_is_known(void **state)
{
	struct policy *policy = *state;

	set_vrf(policy, 5, "red", 1001);
	assert_true(policy_table_is_l3mdev(policy, 1001));
	assert_false(policy_table_is_l3mdev(policy, 1002));
}

#define WITH_POLICY(test) cmocka_unit_test_setup_teardown(test, new_policy, free_policy)

static const struct CMUnitTest plain_tests[] = {
	WITH_POLICY(rules_are_detached_before_links_are_known),
	WITH_POLICY(new_link_attaches_the_rules_that_name_it),
	WITH_POLICY(rules_set_after_the_links_are_attached_in_place),
	WITH_POLICY(rules_that_others_hold_are_copied),
	WITH_POLICY(rename_detaches_and_attaches),
	WITH_POLICY(removed_link_detaches),
	WITH_POLICY(links_read_anew_resolve_the_rules),
	WITH_POLICY(held_rules_survive_a_change_unmodified),
	WITH_POLICY(link_that_no_rule_names_keeps_the_list),
	WITH_POLICY(both_families_follow_the_links),
	WITH_POLICY(rules_of_another_family_are_dropped),
	cmocka_unit_test(impossible_rule_count_is_refused),
	WITH_POLICY(unterminated_link_name_is_cut),
	WITH_POLICY(links_are_found_among_many),
	WITH_POLICY(every_change_moves_the_generation),
	WITH_POLICY(tables_are_kept_by_family_and_id),
	WITH_POLICY(table_without_routes_is_none),
	WITH_POLICY(cleared_family_leaves_the_other),
	WITH_POLICY(unheld_table_is_not_answered_from),
	WITH_POLICY(match_context_has_masters_only_where_the_kernel_has),
	cmocka_unit_test(reject_route_has_no_source),
	WITH_POLICY(removed_addresses_are_not_selected),
	WITH_POLICY(promoted_address_goes_behind_the_primary_ones),
	WITH_POLICY(newest_address_of_ipv6_comes_first_but_for_a_dump),
	WITH_POLICY(state_of_an_address_is_renewed_in_its_place),
	WITH_POLICY(hostile_addresses_are_refused),
	WITH_POLICY(own_addresses_are_told_by_family),
	WITH_POLICY(tunnels_are_counted),
	WITH_POLICY(the_stricter_reverse_path_filter_holds),
	WITH_POLICY(tables_with_routes_are_visited),
	WITH_POLICY(the_table_of_a_vrf_is_known),
};

int main(void)
{
	struct CMUnitTest tests[LENGTH(plain_tests) + LENGTH(vrf_rows) + LENGTH(source_rows)];
	size_t count = LENGTH(plain_tests);

	memcpy(tests, plain_tests, sizeof(plain_tests));
	for (size_t i = 0; i < LENGTH(vrf_rows); i++)
		tests[count++] = (struct CMUnitTest){ .name = vrf_rows[i].name,
						      .test_func = check_vrf,
						      .initial_state = (void *)&vrf_rows[i] };
	for (size_t i = 0; i < LENGTH(source_rows); i++)
		tests[count++] = (struct CMUnitTest){ .name = source_rows[i].name,
						      .test_func = check_source,
						      .initial_state = (void *)&source_rows[i] };
	return _cmocka_run_group_tests("policy", tests, count, NULL, NULL);
}
