// SPDX-License-Identifier: GPL-2.0-only
/* The table answers as fib_table_lookup() does, and keeps its routes in the kernel's order. */
#include "rules/route.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <cmocka.h>

#include "rules/selector.h"

#define ROUTES_MAX 5
#define SEED 20260214u

/* A route in one line; id (its protocol) tells which one answered. dev 0: no nexthop. */
struct spec {
	const char *dst;
	uint8_t length;
	uint8_t id;
	uint32_t dev;
	uint8_t type;
	uint8_t tos;
	uint32_t metric;
	uint8_t scope;
	uint8_t flags;
	uint32_t second_dev;
	uint32_t nexthop_id;
	const char *gateway;
	const char *source;
};

#define TO(address, bits, name, device, ...)                                                       \
	{                                                                                          \
		.dst = (address), .length = (bits), .id = (name), .dev = (device), ##__VA_ARGS__   \
	}

static struct route *new_route(const struct spec *spec)
{
	struct route *route = calloc(1, route_size(2));

	assert_non_null(route);
	route->family = AF_INET;
	assert_int_equal(inet_pton(AF_INET, spec->dst, route->dst), 1);
	route->dst_length = spec->length;
	route->protocol = spec->id;
	route->type = spec->type ? spec->type : RTN_UNICAST;
	route->tos = spec->tos;
	route->metric = spec->metric;
	route->scope = spec->scope;
	route->nexthop_id = spec->nexthop_id;
	route->nexthop_count = (spec->dev != 0) + (spec->second_dev != 0);
	route->nexthops[0].dev = spec->dev;
	route->nexthops[0].flags = spec->flags;
	route->nexthops[1].dev = spec->second_dev;
	if (spec->gateway) {
		route->nexthops[0].gateway_family = AF_INET;
		inet_pton(AF_INET, spec->gateway, route->nexthops[0].gateway);
	}
	if (spec->source) {
		route->prefsrc_family = AF_INET;
		inet_pton(AF_INET, spec->source, route->prefsrc);
	}
	return route;
}

static int add(struct route_table *table, const struct spec *spec, bool append, bool replace)
{
	struct route *route = new_route(spec);
	int err = route_table_add(table, route, append, replace);

	free(route);
	return err;
}

static int drop(struct route_table *table, const struct spec *spec)
{
	struct route *route = new_route(spec);
	int err = route_table_remove(table, route);

	free(route);
	return err;
}

static struct flow_key key_to(const char *dst)
{
	struct flow_key key = { .family = AF_INET };

	assert_int_equal(inet_pton(AF_INET, dst, key.dst), 1);
	return key;
}

static struct table_result lookup(const struct route_table *table, const char *dst)
{
	struct flow_key key = key_to(dst);

	return route_table_lookup(table, &key, false);
}

struct row {
	const char *name;
	struct spec routes[ROUTES_MAX];
	const char *dst;
	uint8_t tos;
	uint8_t scope;
	uint32_t oif;
	uint32_t l3mdev;
	uint8_t flow_flags;
	bool ignore_linkdown;
	int want_error;
	uint8_t want_id; /* 0: no route */
	uint32_t want_dev; /* 0: no nexthop */
};

#define DOWN RTNH_F_LINKDOWN

static const struct row rows[] = {
	{ "empty_table_has_no_route", { { 0 } }, "10.0.0.1", .want_error = -EAGAIN },
	{ "default_route_matches_all",
	  { TO("0.0.0.0", 0, 1, 2) },
	  "203.0.113.9",
	  .want_id = 1,
	  .want_dev = 2 },
	{ "longest_prefix_wins",
	  { TO("0.0.0.0", 0, 1, 2), TO("10.1.0.0", 16, 2, 3), TO("10.0.0.0", 8, 3, 4) },
	  "10.1.2.3",
	  .want_id = 2,
	  .want_dev = 3 },
	{ "host_route_wins",
	  { TO("10.1.2.3", 32, 1, 2), TO("10.1.2.2", 31, 2, 3) },
	  "10.1.2.3",
	  .want_id = 1,
	  .want_dev = 2 },
	{ "other_prefix_does_not_match",
	  { TO("10.1.0.0", 16, 1, 2) },
	  "10.2.0.1",
	  .want_error = -EAGAIN },
	{ "bits_behind_the_prefix_are_ignored",
	  { TO("10.1.255.255", 16, 1, 2) },
	  "10.1.2.3",
	  .want_id = 1,
	  .want_dev = 2 },
	{ "unreachable_answers_ehostunreach",
	  { TO("10.0.0.0", 8, 1, 0, .type = RTN_UNREACHABLE), TO("0.0.0.0", 0, 2, 2) },
	  "10.0.0.1",
	  .want_error = -EHOSTUNREACH,
	  .want_id = 1 },
	{ "prohibit_answers_eacces",
	  { TO("10.0.0.0", 8, 1, 0, .type = RTN_PROHIBIT) },
	  "10.0.0.1",
	  .want_error = -EACCES,
	  .want_id = 1 },
	{ "blackhole_answers_einval",
	  { TO("10.0.0.0", 8, 1, 0, .type = RTN_BLACKHOLE) },
	  "10.0.0.1",
	  .want_error = -EINVAL,
	  .want_id = 1 },
	{ "throw_ends_the_table",
	  { TO("10.0.0.0", 8, 1, 0, .type = RTN_THROW), TO("0.0.0.0", 0, 2, 2) },
	  "10.0.0.1",
	  .want_error = -EAGAIN,
	  .want_id = 1 },
	{ "reject_ignores_the_output_device",
	  { TO("10.0.0.0", 8, 1, 1, .type = RTN_UNREACHABLE) },
	  "10.0.0.1",
	  .oif = 7,
	  .want_error = -EHOSTUNREACH,
	  .want_id = 1 },
	{ "unknown_type_is_no_error",
	  { TO("10.0.0.0", 8, 1, 2, .type = 200) },
	  "10.0.0.1",
	  .want_id = 1,
	  .want_dev = 2 },
	{ "lower_metric_wins",
	  { TO("0.0.0.0", 0, 1, 2, .metric = 600), TO("0.0.0.0", 0, 2, 3, .metric = 100) },
	  "10.0.0.1",
	  .want_id = 2,
	  .want_dev = 3 },
	{ "tos_route_comes_before_lower_metric",
	  { TO("0.0.0.0", 0, 1, 2), TO("0.0.0.0", 0, 2, 3, .tos = 0x10, .metric = 100) },
	  "10.0.0.1",
	  .tos = 0x10,
	  .want_id = 2,
	  .want_dev = 3 },
	{ "tos_route_needs_its_tos",
	  { TO("0.0.0.0", 0, 1, 2), TO("0.0.0.0", 0, 2, 3, .tos = 0x10) },
	  "10.0.0.1",
	  .tos = 0x08,
	  .want_id = 1,
	  .want_dev = 2 },
	{ "longer_prefix_with_other_tos_is_passed",
	  { TO("10.0.0.0", 8, 1, 2, .tos = 0x10), TO("0.0.0.0", 0, 2, 3) },
	  "10.0.0.1",
	  .want_id = 2,
	  .want_dev = 3 },
	{ "upper_dscp_bits_of_the_flow_are_ignored",
	  { TO("0.0.0.0", 0, 1, 2, .tos = 0x10) },
	  "10.0.0.1",
	  .tos = 0xb3,
	  .want_id = 1,
	  .want_dev = 2 },
	{ "route_with_upper_dscp_bits_never_matches",
	  { TO("0.0.0.0", 0, 1, 2, .tos = 0xb8) },
	  "10.0.0.1",
	  .tos = 0xb8,
	  .want_error = -EAGAIN },
	{ "wider_scope_than_asked_is_passed",
	  { TO("10.0.0.0", 8, 1, 2, .scope = RT_SCOPE_UNIVERSE),
	    TO("0.0.0.0", 0, 2, 3, .scope = RT_SCOPE_LINK) },
	  "10.0.0.1",
	  .scope = RT_SCOPE_LINK,
	  .want_id = 2,
	  .want_dev = 3 },
	{ "dead_nexthop_is_passed",
	  { TO("10.0.0.0", 8, 1, 2, .flags = RTNH_F_DEAD), TO("0.0.0.0", 0, 2, 3) },
	  "10.0.0.1",
	  .want_id = 2,
	  .want_dev = 3 },
	{ "linkdown_nexthop_is_used",
	  { TO("10.0.0.0", 8, 1, 2, .flags = DOWN), TO("0.0.0.0", 0, 2, 3) },
	  "10.0.0.1",
	  .want_id = 1,
	  .want_dev = 2 },
	{ "linkdown_nexthop_is_passed_when_the_sysctl_says_so",
	  { TO("10.0.0.0", 8, 1, 2, .flags = DOWN), TO("0.0.0.0", 0, 2, 3) },
	  "10.0.0.1",
	  .ignore_linkdown = true,
	  .want_id = 2,
	  .want_dev = 3 },
	{ "second_nexthop_answers_for_a_dead_first",
	  { TO("10.0.0.0", 8, 1, 2, .flags = RTNH_F_DEAD, .second_dev = 3) },
	  "10.0.0.1",
	  .want_id = 1,
	  .want_dev = 3 },
	{ "output_device_chooses_the_nexthop",
	  { TO("10.0.0.0", 8, 1, 2, .second_dev = 3) },
	  "10.0.0.1",
	  .oif = 3,
	  .want_id = 1,
	  .want_dev = 3 },
	{ "output_device_falls_to_a_shorter_prefix",
	  { TO("10.0.0.0", 8, 1, 2), TO("0.0.0.0", 0, 2, 3) },
	  "10.0.0.1",
	  .oif = 3,
	  .want_id = 2,
	  .want_dev = 3 },
	{ "output_device_falls_to_a_higher_metric",
	  { TO("10.0.0.0", 8, 1, 2), TO("10.0.0.0", 8, 2, 3, .metric = 9) },
	  "10.0.0.1",
	  .oif = 3,
	  .want_id = 2,
	  .want_dev = 3 },
	{ "vrf_as_output_device_chooses_no_nexthop",
	  { TO("10.0.0.0", 8, 1, 2), TO("0.0.0.0", 0, 2, 3) },
	  "10.0.0.1",
	  .oif = 3,
	  .flow_flags = FLOW_OIF_IS_VRF,
	  .want_id = 1,
	  .want_dev = 2 },
	{ "output_device_in_a_vrf_chooses_the_nexthop",
	  { TO("10.0.0.0", 8, 1, 2), TO("0.0.0.0", 0, 2, 3) },
	  "10.0.0.1",
	  .oif = 3,
	  .l3mdev = 9,
	  .flow_flags = FLOW_L3MDEV_OF_OIF,
	  .want_id = 2,
	  .want_dev = 3 },
	{ "the_flag_of_a_vrf_without_one_chooses_the_nexthop",
	  { TO("10.0.0.0", 8, 1, 2), TO("0.0.0.0", 0, 2, 3) },
	  "10.0.0.1",
	  .oif = 3,
	  .flow_flags = FLOW_L3MDEV_OF_OIF,
	  .want_id = 2,
	  .want_dev = 3 },
	{ "route_without_nexthop_is_passed",
	  { TO("10.0.0.0", 8, 1, 0) },
	  "10.0.0.1",
	  .want_error = -EAGAIN },
	{ "nexthop_object_of_unknown_content_answers",
	  { TO("10.0.0.0", 8, 1, 0, .nexthop_id = 5) },
	  "10.0.0.1",
	  .want_id = 1 },
	{ "unusable_nexthop_object_hides_its_trie_leaf",
	  { TO("10.0.0.0", 16, 1, 2, .flags = RTNH_F_DEAD, .nexthop_id = 5),
	    TO("10.0.0.0", 16, 2, 3, .metric = 9), TO("10.0.0.0", 8, 3, 4),
	    TO("0.0.0.0", 0, 4, 5) },
	  "10.0.0.1",
	  .want_id = 4,
	  .want_dev = 5 },
};

static void check_row(void **state)
{
	const struct row *row = *state;
	struct route_table *table = route_table_new(254, AF_INET);
	struct flow_key key = key_to(row->dst);
	struct table_result result;

	for (size_t i = 0; i < ROUTES_MAX && row->routes[i].dst; i++)
		assert_int_equal(add(table, &row->routes[i], true, false), 0);
	key.tos = row->tos;
	key.scope = row->scope;
	key.oif = row->oif;
	key.l3mdev = row->l3mdev;
	key.flags = row->flow_flags;
	result = route_table_lookup(table, &key, row->ignore_linkdown);
	assert_int_equal(result.error, row->want_error);
	assert_int_equal(result.route ? result.route->protocol : 0, row->want_id);
	assert_int_equal(result.nexthop ? result.nexthop->dev : 0, row->want_dev);
	route_table_free(table);
}

static bool note_id(const struct route *route, void *data)
{
	char *order = data;

	order[strlen(order)] = (char)('0' + route->protocol);
	return true;
}

static const char *order_of(const struct route_table *table)
{
	static char order[ROUTES_MAX + 1];

	memset(order, 0, sizeof(order));
	route_table_visit(table, note_id, order);
	return order;
}

struct order_row {
	const char *name;
	struct spec routes[ROUTES_MAX];
	bool append;
	bool replace; /* of the last one */
	const char *want;
};

static const struct order_row order_rows[] = {
	{ "appended_equals_keep_their_order",
	  { TO("10.0.0.0", 8, 1, 2), TO("10.0.0.0", 8, 2, 3), TO("10.0.0.0", 8, 3, 4) },
	  .append = true,
	  .want = "123" },
	{ "prepended_equals_go_first",
	  { TO("10.0.0.0", 8, 1, 2), TO("10.0.0.0", 8, 2, 3), TO("10.0.0.0", 8, 3, 4) },
	  .want = "321" },
	{ "tos_descends_then_metric_ascends",
	  { TO("10.0.0.0", 8, 1, 2, .metric = 5), TO("10.0.0.0", 8, 2, 2, .tos = 4, .metric = 7),
	    TO("10.0.0.0", 8, 3, 2, .metric = 1), TO("10.0.0.0", 8, 4, 2, .tos = 8, .metric = 9),
	    TO("10.0.0.0", 8, 5, 2, .tos = 4, .metric = 2) },
	  .append = true,
	  .want = "45231" },
	{ "replace_takes_the_first_equal_place",
	  { TO("10.0.0.0", 8, 1, 2), TO("10.0.0.0", 8, 2, 3), TO("10.0.0.0", 8, 3, 4) },
	  .append = true,
	  .replace = true,
	  .want = "32" },
	{ "replace_without_an_equal_adds",
	  { TO("10.0.0.0", 8, 1, 2), TO("10.0.0.0", 8, 2, 3, .metric = 1) },
	  .append = true,
	  .replace = true,
	  .want = "12" },
	{ "replace_finds_the_route_with_the_same_nexthop_object",
	  { TO("10.0.0.0", 8, 1, 2), TO("10.0.0.0", 8, 2, 3, .nexthop_id = 9),
	    TO("10.0.0.0", 8, 3, 4, .nexthop_id = 9) },
	  .append = true,
	  .replace = true,
	  .want = "13" },
	{ "route_told_twice_is_held_once",
	  { TO("10.0.0.0", 8, 1, 2), TO("10.0.0.0", 8, 2, 3), TO("10.0.0.0", 8, 1, 2) },
	  .append = true,
	  .want = "12" },
	{ "other_source_is_another_route",
	  { TO("10.0.0.0", 8, 1, 2), TO("10.0.0.0", 8, 1, 2, .source = "192.0.2.1") },
	  .append = true,
	  .want = "11" },
};

static void check_order(void **state)
{
	const struct order_row *row = *state;
	struct route_table *table = route_table_new(254, AF_INET);

	for (size_t i = 0; i < ROUTES_MAX && row->routes[i].dst; i++) {
		bool last = i + 1 == ROUTES_MAX || !row->routes[i + 1].dst;

		assert_int_equal(add(table, &row->routes[i], row->append, row->replace && last), 0);
	}
	assert_string_equal(order_of(table), row->want);
	assert_int_equal(route_table_count(table), strlen(row->want));
	route_table_free(table);
}

static void renewing_a_route_updates_its_flags(void **state)
{
	struct spec spec = TO("10.0.0.0", 8, 1, 2);
	struct route_table *table = route_table_new(254, AF_INET);

	(void)state;
	add(table, &spec, true, false);
	assert_int_equal(lookup(table, "10.0.0.1").error, 0);
	spec.flags = RTNH_F_DEAD;
	add(table, &spec, true, false);
	assert_int_equal(lookup(table, "10.0.0.1").error, -EAGAIN);
	route_table_free(table);
}

struct removal_row {
	const char *name;
	struct spec remove;
	int want_error;
	const char *want;
};

static const struct spec removal_routes[] = {
	TO("10.0.0.0", 8, 1, 2, .gateway = "192.0.2.1"),
	TO("10.0.0.0", 8, 2, 2, .gateway = "192.0.2.2"),
	TO("10.0.0.0", 8, 3, 3, .second_dev = 4),
	TO("10.0.0.0", 8, 4, 2, .gateway = "192.0.2.1"),
	TO("10.0.0.0", 8, 5, 0, .type = RTN_BLACKHOLE, .metric = 6),
};

static const struct removal_row removal_rows[] = {
	{ "remove_compares_the_gateway", TO("10.0.0.0", 8, 9, 2, .gateway = "192.0.2.2"), 0,
	  "1345" },
	{ "remove_compares_every_nexthop", TO("10.0.0.0", 8, 9, 3), -ENOENT, "12345" },
	{ "remove_finds_multipath", TO("10.0.0.0", 8, 9, 3, .second_dev = 4), 0, "1245" },
	{ "remove_prefers_the_same_protocol", TO("10.0.0.0", 8, 4, 2, .gateway = "192.0.2.1"), 0,
	  "1235" },
	{ "remove_ignores_flags",
	  TO("10.0.0.0", 8, 1, 2, .gateway = "192.0.2.1", .flags = RTNH_F_DEAD), 0, "2345" },
	{ "remove_without_nexthops_takes_the_first", TO("10.0.0.0", 8, 9, 0), 0, "2345" },
	{ "remove_compares_the_metric", TO("10.0.0.0", 8, 5, 0, .type = RTN_BLACKHOLE), -ENOENT,
	  "12345" },
	{ "remove_compares_the_type", TO("10.0.0.0", 8, 5, 0, .metric = 6), -ENOENT, "12345" },
	{ "remove_compares_the_tos", TO("10.0.0.0", 8, 9, 0, .tos = 4), -ENOENT, "12345" },
	{ "remove_compares_the_length", TO("10.0.0.0", 9, 9, 0), -ENOENT, "12345" },
	{ "remove_of_an_impossible_length_finds_nothing", TO("10.0.0.0", 99, 9, 0), -ENOENT,
	  "12345" },
	{ "remove_finds_the_blackhole", TO("10.0.0.0", 8, 9, 0, .type = RTN_BLACKHOLE, .metric = 6),
	  0, "1234" },
};

static void check_removal(void **state)
{
	const struct removal_row *row = *state;
	struct route_table *table = route_table_new(254, AF_INET);

	for (size_t i = 0; i < ROUTES_MAX; i++)
		add(table, &removal_routes[i], true, false);
	assert_int_equal(drop(table, &row->remove), row->want_error);
	assert_string_equal(order_of(table), row->want);
	assert_int_equal(route_table_count(table), strlen(row->want));
	route_table_free(table);
}

static void hostile_routes_are_refused(void **state)
{
	struct route_table *table = route_table_new(254, AF_INET);
	struct route *route = new_route(&(struct spec)TO("10.0.0.0", 33, 1, 2));

	(void)state;
	assert_int_equal(route_table_add(table, route, true, false), -EINVAL);
	route->dst_length = 32;
	route->family = AF_INET6;
	assert_int_equal(route_table_add(table, route, true, false), -EINVAL);
	assert_int_equal(route_table_count(table), 0);
	free(route);
	route_table_free(table);
	route_table_free(NULL);
}

static void ipv6_uses_all_128_bits(void **state)
{
	struct route_table *table = route_table_new(254, AF_INET6);
	struct route *route = new_route(&(struct spec)TO("0.0.0.0", 64, 1, 2));
	struct flow_key key = { .family = AF_INET6 };

	(void)state;
	route->family = AF_INET6;
	inet_pton(AF_INET6, "2001:db8::", route->dst);
	route_table_add(table, route, true, false);
	inet_pton(AF_INET6, "2001:db8::1", route->dst);
	route->dst_length = 128;
	route->protocol = 2;
	route_table_add(table, route, true, false);

	inet_pton(AF_INET6, "2001:db8::1", key.dst);
	assert_int_equal(route_table_lookup(table, &key, false).route->protocol, 2);
	inet_pton(AF_INET6, "2001:db8::2", key.dst);
	assert_int_equal(route_table_lookup(table, &key, false).route->protocol, 1);
	inet_pton(AF_INET6, "2001:db8:0:1::1", key.dst);
	assert_int_equal(route_table_lookup(table, &key, false).error, -EAGAIN);
	free(route);
	route_table_free(table);
}

static bool has_odd_id(const struct route *route, void *data)
{
	(void)data;
	return route->protocol & 1;
}

static void drop_removes_what_it_is_told(void **state)
{
	struct route_table *table = route_table_new(254, AF_INET);

	(void)state;
	for (size_t i = 0; i < ROUTES_MAX; i++)
		add(table, &removal_routes[i], true, false);
	assert_int_equal(route_table_drop(table, has_odd_id, NULL), 3);
	assert_string_equal(order_of(table), "24");
	assert_int_equal(lookup(table, "10.0.0.1").route->protocol, 2);
	assert_int_equal(route_table_id(table), 254);
	route_table_free(table);
}

/* xorshift32: the same everywhere for one seed. */
static uint32_t next_random(uint32_t *random)
{
	*random ^= *random << 13;
	*random ^= *random >> 17;
	*random ^= *random << 5;
	return *random;
}

/* Few distinct values, so that prefixes nest, repeat and miss. */
static struct route *random_route(uint32_t *random)
{
	static const uint8_t types[] = { RTN_UNICAST, RTN_UNICAST, RTN_UNICAST, RTN_UNREACHABLE,
					 RTN_THROW };
	struct route *route = new_route(&(struct spec)TO("10.0.0.0", 0, 1, 2));
	uint32_t address;

	route->dst_length = next_random(random) % 33;
	address = (10u << 24 | (next_random(random) & 0x00070707)) &
		  (route->dst_length ? UINT32_MAX << (32 - route->dst_length) : 0);
	address = htonl(address);
	memcpy(route->dst, &address, sizeof(address));
	route->metric = next_random(random) % 3;
	route->tos = next_random(random) % 4 ? 0 : 0x10;
	route->type = types[next_random(random) % 5];
	route->scope = next_random(random) % 3 ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
	route->nexthops[0].dev = 1 + next_random(random) % 3;
	route->nexthops[0].flags = next_random(random) % 6 ? 0 : RTNH_F_DEAD;
	return route;
}

static bool naive_fits(const struct route *route, const struct flow_key *key)
{
	uint32_t dst, prefix, mask;

	memcpy(&dst, key->dst, sizeof(dst));
	memcpy(&prefix, route->dst, sizeof(prefix));
	mask = route->dst_length ? UINT32_MAX << (32 - route->dst_length) : 0;
	if ((ntohl(dst) ^ ntohl(prefix)) & mask || route->scope < key->scope)
		return false;
	if (route->tos && route->tos != key->tos)
		return false;
	if (route->type != RTN_UNICAST)
		return true;
	return !(route->nexthops[0].flags & RTNH_F_DEAD) &&
	       (!key->oif || key->oif == route->nexthops[0].dev);
}

static bool naive_better(const struct route *a, const struct route *b)
{
	if (a->dst_length != b->dst_length)
		return a->dst_length > b->dst_length;
	if (a->tos != b->tos)
		return a->tos > b->tos;
	return a->metric < b->metric;
}

static const struct route *naive_lookup(struct route **routes, size_t count,
					const struct flow_key *key)
{
	const struct route *best = NULL;

	for (size_t i = 0; i < count; i++)
		if (routes[i] && naive_fits(routes[i], key) &&
		    (!best || naive_better(routes[i], best)))
			best = routes[i];
	return best;
}

static bool told_before(struct route **routes, size_t count, const struct route *route)
{
	for (size_t i = 0; i < count; i++)
		if (routes[i] && routes[i]->dst_length == route->dst_length &&
		    !memcmp(routes[i]->dst, route->dst, 4) && routes[i]->tos == route->tos &&
		    routes[i]->metric == route->metric)
			return true;
	return false;
}

static struct flow_key random_key(uint32_t *random)
{
	struct flow_key key = { .family = AF_INET };
	uint32_t address = htonl(10u << 24 | (next_random(random) & 0x00070707));

	memcpy(key.dst, &address, sizeof(address));
	key.tos = next_random(random) % 3 ? 0 : 0x10;
	key.oif = next_random(random) % 3 ? 0 : 1 + next_random(random) % 3;
	key.scope = next_random(random) % 4 ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
	return key;
}

#define RANDOM_ROUTES 1500

static size_t compare_lookups(const struct route_table *table, struct route **routes,
			      uint32_t *random)
{
	size_t found = 0;

	for (size_t i = 0; i < 2000; i++) {
		struct flow_key key = random_key(random);
		const struct route *want = naive_lookup(routes, RANDOM_ROUTES, &key);
		struct table_result got = route_table_lookup(table, &key, false);

		assert_int_equal(!got.route, !want);
		if (!want)
			continue;
		found++;
		assert_memory_equal(got.route, want, route_size(1));
	}
	return found;
}

static void lookups_equal_a_linear_scan(void **state)
{
	static struct route *routes[RANDOM_ROUTES];
	struct route_table *table = route_table_new(254, AF_INET);
	uint32_t random = SEED;
	size_t held = 0;

	(void)state;
	print_message("seed %u\n", SEED);
	for (size_t i = 0; i < RANDOM_ROUTES; i++) {
		struct route *route = random_route(&random);

		if (told_before(routes, i, route)) {
			free(route);
			continue;
		}
		routes[i] = route;
		held++;
		assert_int_equal(route_table_add(table, route, true, false), 0);
	}
	assert_int_equal(route_table_count(table), held);
	assert_true(compare_lookups(table, routes, &random) > 500);

	for (size_t i = 0; i < RANDOM_ROUTES; i += 2) {
		if (!routes[i])
			continue;
		assert_int_equal(route_table_remove(table, routes[i]), 0);
		assert_int_equal(route_table_remove(table, routes[i]), -ENOENT);
		free(routes[i]);
		routes[i] = NULL;
		held--;
	}
	assert_int_equal(route_table_count(table), held);
	assert_true(compare_lookups(table, routes, &random) > 500);
	for (size_t i = 0; i < RANDOM_ROUTES; i++)
		free(routes[i]);
	route_table_free(table);
}

/* Order within a prefix survives the growing of the hash. */
static void growing_keeps_the_order(void **state)
{
	struct route_table *table = route_table_new(254, AF_INET);
	struct spec equals = TO("10.0.0.0", 8, 1, 2);
	char address[INET_ADDRSTRLEN];

	(void)state;
	for (equals.id = 1; equals.id <= 5; equals.id++)
		add(table, &equals, true, false);
	for (unsigned int i = 0; i < 5000; i++) {
		struct spec spec = TO(address, 32, 9, 2);

		snprintf(address, sizeof(address), "198.51.%u.%u", i >> 8, i & 0xff);
		assert_int_equal(add(table, &spec, true, false), 0);
	}
	for (uint8_t id = 1; id <= 5; id++) {
		assert_int_equal(lookup(table, "10.0.0.1").route->protocol, id);
		equals.id = id;
		assert_int_equal(drop(table, &equals), 0);
	}
	assert_int_equal(lookup(table, "10.0.0.1").error, -EAGAIN);
	assert_int_equal(route_table_count(table), 5000);
	route_table_free(table);
}

static const struct CMUnitTest plain_tests[] = {
	cmocka_unit_test(renewing_a_route_updates_its_flags),
	cmocka_unit_test(hostile_routes_are_refused),
	cmocka_unit_test(ipv6_uses_all_128_bits),
	cmocka_unit_test(drop_removes_what_it_is_told),
	cmocka_unit_test(lookups_equal_a_linear_scan),
	cmocka_unit_test(growing_keeps_the_order),
};

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define TEST_COUNT (LENGTH(rows) + LENGTH(order_rows) + LENGTH(removal_rows) + LENGTH(plain_tests))

static struct CMUnitTest row_test(const char *name, CMUnitTestFunction function, const void *row)
{
	return (struct CMUnitTest){ .name = name,
				    .test_func = function,
				    .initial_state = (void *)row };
}

int main(void)
{
	struct CMUnitTest tests[TEST_COUNT];
	size_t count = 0;

	for (size_t i = 0; i < LENGTH(rows); i++)
		tests[count++] = row_test(rows[i].name, check_row, &rows[i]);
	for (size_t i = 0; i < LENGTH(order_rows); i++)
		tests[count++] = row_test(order_rows[i].name, check_order, &order_rows[i]);
	for (size_t i = 0; i < LENGTH(removal_rows); i++)
		tests[count++] = row_test(removal_rows[i].name, check_removal, &removal_rows[i]);
	memcpy(&tests[count], plain_tests, sizeof(plain_tests));
	return _cmocka_run_group_tests("route_table", tests, TEST_COUNT, NULL, NULL);
}
