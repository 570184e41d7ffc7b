// SPDX-License-Identifier: GPL-2.0-only
/* A table of IPv6 answers as fib6_table_lookup() does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "rules/route.h"
#include "util/array.h"

#define ROUTES_MAX 5
#define ETH 3
#define WLAN 4
#define HIGH 1
#define LOW 3

/* A route in one line; id (its protocol) tells which one answered. device 0: no nexthop. */
struct spec {
	const char *dst;
	uint8_t length;
	uint8_t id;
	uint32_t device;
	uint32_t second_device;
	uint32_t metric;
	uint32_t nexthop_id;
	const char *src;
	uint8_t src_length;
	uint8_t type;
	uint8_t flags;
	uint8_t preference;
};

#define TO(address, bits, name, index, ...)                                                        \
	{                                                                                          \
		.dst = (address), .length = (bits), .id = (name), .device = (index), ##__VA_ARGS__ \
	}

struct row {
	const char *name;
	struct spec routes[ROUTES_MAX]; /* in the order in which they were added */
	const char *dst;
	const char *src; /* NULL: not set */
	uint32_t iif;
	uint32_t oif;
	uint8_t flow_flags;
	int want_error;
	uint8_t want_id; /* 0: no route */
	uint32_t want_device; /* 0: no nexthop */
};

static struct row rows[] = {
	{ "empty_table_has_no_route", { { 0 } }, "2001:db8::1", .want_error = -EAGAIN },
	{ "longest_prefix_wins",
	  { TO("::", 0, 1, ETH), TO("2001:db8:1::", 48, 2, WLAN), TO("2001:db8::", 32, 3, ETH) },
	  "2001:db8:1::9",
	  .want_id = 2,
	  .want_device = WLAN },
	{ "host_route_wins",
	  { TO("2001:db8::8", 127, 1, ETH), TO("2001:db8::9", 128, 2, WLAN) },
	  "2001:db8::9",
	  .want_id = 2,
	  .want_device = WLAN },
	{ "lowest_metric_wins",
	  { TO("::", 0, 1, ETH, .metric = 20), TO("::", 0, 2, WLAN, .metric = 10) },
	  "2001:db8::9",
	  .want_id = 2,
	  .want_device = WLAN },
	{ "first_of_equal_metrics_wins",
	  { TO("::", 0, 1, ETH, .metric = 10), TO("::", 0, 2, WLAN, .metric = 10) },
	  "2001:db8::9",
	  .want_id = 1,
	  .want_device = ETH },
	{ "router_preference_decides_among_equal_metrics",
	  { TO("::", 0, 1, ETH), TO("::", 0, 2, ETH, .preference = LOW),
	    TO("::", 0, 3, WLAN, .preference = HIGH) },
	  "2001:db8::9",
	  .want_id = 3,
	  .want_device = WLAN },
	{ "router_preference_counts_more_than_the_device",
	  { TO("::", 0, 1, ETH), TO("::", 0, 2, WLAN, .preference = HIGH) },
	  "2001:db8::9",
	  "2001:db8::1",
	  .oif = ETH,
	  .want_id = 2,
	  .want_device = WLAN },
	{ "metric_counts_more_than_the_router_preference",
	  { TO("::", 0, 1, ETH, .metric = 1, .preference = LOW),
	    TO("::", 0, 2, ETH, .metric = 2, .preference = HIGH) },
	  "2001:db8::9",
	  .want_id = 1,
	  .want_device = ETH },
	{ "dead_route_leads_to_the_next_metric",
	  { TO("::", 0, 1, ETH, .metric = 1, .flags = RTNH_F_DEAD),
	    TO("::", 0, 2, WLAN, .metric = 2) },
	  "2001:db8::9",
	  .want_id = 2,
	  .want_device = WLAN },
	/* find_rr_leaf() does not look at the metrics of the rest. */
	{ "behind_the_lowest_metric_the_best_score_wins",
	  { TO("::", 0, 1, ETH, .metric = 1, .flags = RTNH_F_DEAD),
	    TO("::", 0, 2, ETH, .metric = 2),
	    TO("::", 0, 3, WLAN, .metric = 3, .preference = HIGH) },
	  "2001:db8::9",
	  .want_id = 3,
	  .want_device = WLAN },
	{ "dead_route_leads_to_a_shorter_prefix",
	  { TO("2001:db8::", 32, 1, ETH, .flags = RTNH_F_DEAD), TO("::", 0, 2, WLAN) },
	  "2001:db8::9",
	  .want_id = 2,
	  .want_device = WLAN },
	{ "link_without_a_carrier_is_used",
	  { TO("::", 0, 1, ETH, .flags = RTNH_F_LINKDOWN) },
	  "2001:db8::9",
	  .want_id = 1,
	  .want_device = ETH },
	{ "first_nexthop_that_is_alive_is_told",
	  { TO("::", 0, 1, ETH, .second_device = WLAN, .flags = RTNH_F_DEAD) },
	  "2001:db8::9",
	  .want_id = 1,
	  .want_device = WLAN },
	{ "nexthop_by_the_device_is_preferred",
	  { TO("::", 0, 1, ETH, .second_device = WLAN) },
	  "2001:db8::9",
	  "2001:db8::1",
	  .oif = WLAN,
	  .want_id = 1,
	  .want_device = WLAN },
	{ "device_is_needed_when_the_source_is_not_set",
	  { TO("2001:db8::", 32, 1, ETH), TO("::", 0, 2, WLAN) },
	  "2001:db8::9",
	  .oif = WLAN,
	  .want_id = 2,
	  .want_device = WLAN },
	{ "vrf_as_output_device_chooses_no_route",
	  { TO("2001:db8::", 32, 1, ETH), TO("::", 0, 2, WLAN) },
	  "2001:db8::9",
	  .oif = WLAN,
	  .flow_flags = FLOW_OIF_IS_VRF,
	  .want_id = 1,
	  .want_device = ETH },
	{ "device_is_preferred_when_the_source_is_set",
	  { TO("2001:db8::", 32, 1, ETH), TO("::", 0, 2, WLAN) },
	  "2001:db8::9",
	  "2001:db8::1",
	  .oif = WLAN,
	  .want_id = 1,
	  .want_device = ETH },
	{ "input_device_is_preferred",
	  { TO("2001:db8::", 32, 1, ETH), TO("2001:db8::", 32, 2, WLAN) },
	  "2001:db8::9",
	  "2001:db8::1",
	  .iif = WLAN,
	  .want_id = 2,
	  .want_device = WLAN },
	{ "input_device_is_not_needed",
	  { TO("2001:db8::", 32, 1, ETH) },
	  "2001:db8::9",
	  .iif = WLAN,
	  .want_id = 1,
	  .want_device = ETH },
	{ "loopback_as_input_device_is_none",
	  { TO("2001:db8::", 32, 1, ETH), TO("2001:db8::", 32, 2, FLOW_IFINDEX_LO) },
	  "2001:db8::9",
	  .iif = FLOW_IFINDEX_LO,
	  .want_id = 1,
	  .want_device = ETH },
	{ "link_local_destination_needs_the_device",
	  { TO("fe80::", 64, 1, ETH), TO("fe80::", 64, 2, WLAN) },
	  "fe80::9",
	  "fe80::1",
	  .oif = WLAN,
	  .want_id = 2,
	  .want_device = WLAN },
	{ "link_local_destination_has_no_route_by_another_device",
	  { TO("fe80::", 64, 1, ETH) },
	  "fe80::9",
	  "fe80::1",
	  .iif = WLAN,
	  .want_error = -EAGAIN },
	{ "multicast_needs_the_device",
	  { TO("ff00::", 8, 1, ETH), TO("ff00::", 8, 2, WLAN) },
	  "ff02::1",
	  "fe80::1",
	  .iif = WLAN,
	  .want_id = 2,
	  .want_device = WLAN },
	{ "unreachable_route_refuses",
	  { TO("2001:db8::", 32, 1, 1, .type = RTN_UNREACHABLE), TO("::", 0, 2, ETH) },
	  "2001:db8::9",
	  .want_error = -EHOSTUNREACH,
	  .want_id = 1 },
	{ "prohibit_route_refuses",
	  { TO("::", 0, 1, 1, .type = RTN_PROHIBIT) },
	  "2001:db8::9",
	  .want_error = -EACCES,
	  .want_id = 1 },
	{ "blackhole_route_refuses",
	  { TO("::", 0, 1, 1, .type = RTN_BLACKHOLE) },
	  "2001:db8::9",
	  .want_error = -EINVAL,
	  .want_id = 1 },
	{ "throw_route_ends_the_table",
	  { TO("2001:db8::", 32, 1, 1, .type = RTN_THROW), TO("::", 0, 2, ETH) },
	  "2001:db8::9",
	  .want_error = -EAGAIN,
	  .want_id = 1 },
	/* Its device is lo. */
	{ "unreachable_route_is_none_where_a_device_is_needed",
	  { TO("2001:db8::", 32, 1, 1, .type = RTN_UNREACHABLE), TO("::", 0, 2, ETH) },
	  "2001:db8::9",
	  .oif = ETH,
	  .want_id = 2,
	  .want_device = ETH },
	{ "nexthop_object_that_is_not_described_answers_without_a_device",
	  { TO("::", 0, 1, 0, .nexthop_id = 7) },
	  "2001:db8::9",
	  .oif = ETH,
	  .want_id = 1 },
	{ "blackhole_nexthop_refuses",
	  { TO("::", 0, 1, 0, .nexthop_id = 7, .type = RTN_BLACKHOLE) },
	  "2001:db8::9",
	  .want_error = -EINVAL,
	  .want_id = 1 },
	{ "route_for_the_source_is_preferred",
	  { TO("2001:db8::", 32, 1, ETH),
	    TO("2001:db8::", 32, 2, WLAN, .src = "fd00::", .src_length = 8) },
	  "2001:db8::9",
	  "fd00::1",
	  .want_id = 2,
	  .want_device = WLAN },
	{ "longest_source_is_preferred_whatever_the_metric",
	  { TO("::", 0, 1, ETH, .src = "fd00::", .src_length = 8, .metric = 1),
	    TO("::", 0, 2, WLAN, .src = "fd00::", .src_length = 64, .metric = 9) },
	  "2001:db8::9",
	  "fd00::1",
	  .want_id = 2,
	  .want_device = WLAN },
	{ "destination_counts_more_than_the_source",
	  { TO("2001:db8::", 32, 1, ETH), TO("::", 0, 2, WLAN, .src = "fd00::", .src_length = 64) },
	  "2001:db8::9",
	  "fd00::1",
	  .want_id = 1,
	  .want_device = ETH },
	{ "route_for_another_source_is_none",
	  { TO("2001:db8::", 32, 1, ETH, .src = "fd00::", .src_length = 8) },
	  "2001:db8::9",
	  "2001:db8::1",
	  .want_error = -EAGAIN },
	/* The kernel has it so: the tree of sources of the longest prefix is left for a shorter one. */
	{ "route_for_another_source_hides_those_for_all_of_its_prefix",
	  { TO("2001:db8::", 32, 1, ETH, .src = "fd00::", .src_length = 8),
	    TO("2001:db8::", 32, 2, ETH), TO("2001::", 16, 3, WLAN) },
	  "2001:db8::9",
	  "2001:db8::1",
	  .want_id = 3,
	  .want_device = WLAN },
	{ "default_route_for_another_source_hides_none",
	  { TO("::", 0, 1, ETH, .src = "fd00::", .src_length = 8), TO("::", 0, 2, WLAN) },
	  "2001:db8::9",
	  "2001:db8::1",
	  .want_id = 2,
	  .want_device = WLAN },
	{ "dead_route_for_the_source_leads_to_those_for_all",
	  { TO("2001:db8::", 32, 1, ETH, .src = "fd00::", .src_length = 8, .flags = RTNH_F_DEAD),
	    TO("2001:db8::", 32, 2, WLAN), TO("2001::", 16, 3, ETH) },
	  "2001:db8::9",
	  "fd00::1",
	  .want_id = 2,
	  .want_device = WLAN },
};

static struct route *new_route(const struct spec *spec)
{
	struct route *route = calloc(1, route_size(2));

	assert_non_null(route);
	*route = (struct route){
		.metric = spec->metric,
		.nexthop_id = spec->nexthop_id,
		.family = AF_INET6,
		.dst_length = spec->length,
		.src_length = spec->src_length,
		.type = spec->type ? spec->type : RTN_UNICAST,
		.protocol = spec->id,
		.router_preference = spec->preference,
		.nexthop_count = (spec->device != 0) + (spec->second_device != 0),
	};
	assert_int_equal(inet_pton(AF_INET6, spec->dst, route->dst), 1);
	if (spec->src)
		assert_int_equal(inet_pton(AF_INET6, spec->src, route->src), 1);
	route->nexthops[0] = (struct nexthop){ .dev = spec->device, .flags = spec->flags };
	route->nexthops[1] = (struct nexthop){ .dev = spec->second_device };
	return route;
}

static void add(struct route_table *table, const struct spec *spec)
{
	struct route *route = new_route(spec);

	assert_int_equal(route_table_add(table, route, false, false), 0);
	free(route);
}

static struct route_table *new_table(const struct spec *routes)
{
	struct route_table *table = route_table_new(254, AF_INET6);

	assert_non_null(table);
	for (size_t i = 0; i < ROUTES_MAX && routes[i].dst; i++)
		add(table, &routes[i]);
	return table;
}

static struct flow_key key_of(const char *src, const char *dst)
{
	struct flow_key key = { .family = AF_INET6 };

	assert_int_equal(inet_pton(AF_INET6, dst, key.dst), 1);
	if (src)
		assert_int_equal(inet_pton(AF_INET6, src, key.src), 1);
	return key;
}

static void check_row(void **state)
{
	const struct row *row = *state;
	struct route_table *table = new_table(row->routes);
	struct flow_key key = key_of(row->src, row->dst);
	struct table_result result;

	key.iif = row->iif;
	key.oif = row->oif;
	key.flags = row->flow_flags;
	result = route_table_lookup(table, &key, false);
	assert_int_equal(result.error, row->want_error);
	assert_int_equal(result.route ? result.route->protocol : 0, row->want_id);
	assert_int_equal(result.nexthop ? result.nexthop->dev : 0, row->want_device);
	route_table_free(table);
}

static const struct spec several[ROUTES_MAX] = {
	TO("2001:db8::", 32, 1, ETH),
	TO("2001:db8::", 32, 2, WLAN, .src = "fd00::", .src_length = 8),
	TO("2001:db8::", 32, 3, WLAN),
	TO("2001:db8::", 32, 4, WLAN, .metric = 5),
	TO("2001::", 16, 5, WLAN),
};

static bool is_by_device(const struct route *route, void *data)
{
	return route->nexthops[0].dev == *(uint32_t *)data;
}

static uint8_t found(const struct route_table *table, const struct flow_key *key, uint8_t length,
		     uint32_t device)
{
	const struct route *route = route_table_find(table, key, length, is_by_device, &device);

	return route ? route->protocol : 0;
}

static void a_route_is_found_by_its_prefix_and_what_is_known_of_it(void **state)
{
	struct route_table *table = new_table(several);
	struct flow_key key = key_of("2001:db8::1", "2001:db8::9");
	struct flow_key other = key_of("fd00::1", "2001:db8::9");
	struct flow_key elsewhere = key_of(NULL, "2002::9");

	(void)state;
	assert_int_equal(found(table, &key, 32, ETH), 1);
	assert_int_equal(found(table, &key, 32, WLAN), 3);
	assert_int_equal(found(table, &other, 32, WLAN), 2);
	assert_int_equal(found(table, &key, 16, WLAN), 5);
	assert_int_equal(found(table, &key, 16, ETH), 0);
	assert_int_equal(found(table, &key, 48, ETH), 0);
	assert_int_equal(found(table, &key, 129, ETH), 0);
	assert_int_equal(found(table, &elsewhere, 16, WLAN), 0);
	route_table_free(table);
}

static size_t count_beside(const struct route_table *table, const struct spec *spec)
{
	struct route *route = new_route(spec);
	size_t count = route_table_count_beside(table, route);

	free(route);
	return count;
}

static void routes_that_may_merge_are_counted(void **state)
{
	static const struct spec other_source =
		TO("2001:db8::", 32, 9, ETH, .src = "fc00::", .src_length = 8);
	struct route_table *table = new_table(several);

	(void)state;
	assert_int_equal(count_beside(table, &several[0]), 2);
	assert_int_equal(count_beside(table, &several[1]), 1);
	assert_int_equal(count_beside(table, &several[3]), 1);
	assert_int_equal(count_beside(table, &other_source), 0);
	route_table_free(table);
}

/* `ip -6 route replace` looks for nothing that is the same as what it puts there. */
static void the_same_route_may_be_there_twice(void **state)
{
	struct route_table *table = new_table(several);

	(void)state;
	add(table, &several[0]);
	assert_int_equal(count_beside(table, &several[0]), 3);
	route_table_free(table);
}

static void routes_of_several_sources_are_removed_one_by_one(void **state)
{
	struct route_table *table = new_table(several);
	struct flow_key key = key_of("fd00::1", "2001:db8::9");
	struct route *route = new_route(&several[1]);

	(void)state;
	route->src[15] = 9; /* behind the prefix */
	assert_int_equal(route_table_remove(table, route), 0);
	assert_int_equal(route_table_remove(table, route), -ENOENT);
	assert_int_equal(route_table_lookup(table, &key, false).route->protocol, 1);
	route->src_length = 129;
	assert_int_equal(route_table_add(table, route, false, false), -EINVAL);
	free(route);
	route_table_free(table);
}

int main(void)
{
	struct CMUnitTest tests[4 + ARRAY_SIZE(rows)] = {
		cmocka_unit_test(a_route_is_found_by_its_prefix_and_what_is_known_of_it),
		cmocka_unit_test(routes_that_may_merge_are_counted),
		cmocka_unit_test(the_same_route_may_be_there_twice),
		cmocka_unit_test(routes_of_several_sources_are_removed_one_by_one),
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		tests[4 + i] = (struct CMUnitTest){ rows[i].name, check_row, NULL, NULL, &rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
