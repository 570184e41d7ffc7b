/* SPDX-License-Identifier: GPL-2.0-only */
/* Policies written as rows of rules and routes, for the tests of what explains lookups. */
#ifndef FIBTRACE_TESTS_UNIT_SCENE_H
#define FIBTRACE_TESTS_UNIT_SCENE_H

/* To be included behind cmocka.h. */
#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "rules/policy.h"
#include "rules/selector.h"
#include "util/array.h"

#define NETNS 4026532000u
#define MARK 0xca6c
#define TAILNET "100.85.80.11"
#define GATEWAY "192.0.2.1"

enum device { LO = 1, ETH0, WG0, TAILSCALE0, VRF0, SLAVE, LAN0 };

static const struct link scene_links[] = {
	{ .index = LO, .name = "lo", .flags = IFF_LOOPBACK },
	{ .index = ETH0, .name = "eth0" },
	{ .index = WG0, .name = "wg0", .group = 7, .flags = IFF_POINTOPOINT | IFF_NOARP },
	{ .index = TAILSCALE0,
	  .name = "tailscale0",
	  .flags = IFF_POINTOPOINT | IFF_NOARP | IFF_MULTICAST },
	{ .index = VRF0, .name = "vrf0", .l3mdev_table = 1001 },
	{ .index = SLAVE, .name = "eth1", .master = VRF0 },
	{ .index = LAN0, .name = "lan0" },
};

/* Rules are written as they differ from a neutral one. */
#define LOOKUP(at, id) .priority = (at), .action = RULE_LOOKUP, .table = (id)
#define ACTION(at, what) .priority = (at), .action = (what)
#define GOTO(at, to) .priority = (at), .action = RULE_GOTO, .target = (to)
#define NOT_MARKED .mark = MARK, .mark_mask = UINT32_MAX, .invert = true
#define LENGTH(limit) .suppress_prefixlength = (limit) + 1
#define GROUP(group) .suppress_ifgroup = (group) + 1

/* What a policy's table holds; dev 0 for routes without a nexthop. */
struct route_row {
	uint32_t table;
	const char *dst;
	uint8_t length;
	uint8_t type;
	uint32_t dev;
	const char *gateway;
	uint8_t protocol;
	uint32_t dev2; /* of a second nexthop */
};

#define ROUTE(id, prefix, bits, device)                                                            \
	{                                                                                          \
		.table = (id), .dst = (prefix), .length = (bits), .type = RTN_UNICAST,             \
		.dev = (device)                                                                    \
	}
#define VIA(id, prefix, bits, device, router)                                                      \
	{                                                                                          \
		.table = (id), .dst = (prefix), .length = (bits), .type = RTN_UNICAST,             \
		.dev = (device), .gateway = (router)                                               \
	}
#define REJECT(id, prefix, bits, kind)                                                             \
	{                                                                                          \
		.table = (id), .dst = (prefix), .length = (bits), .type = (kind)                   \
	}
/* As the kernel adds it with an address. */
#define CONNECTED(id, prefix, bits, device)                                                        \
	{                                                                                          \
		.table = (id), .dst = (prefix), .length = (bits), .type = RTN_UNICAST,             \
		.dev = (device), .protocol = RTPROT_KERNEL                                         \
	}
#define LOCAL(prefix, bits, device)                                                                \
	{                                                                                          \
		.table = 255, .dst = (prefix), .length = (bits), .type = RTN_LOCAL,                \
		.dev = (device), .protocol = RTPROT_KERNEL                                         \
	}

/* Addresses are of the family that they are written in. */
static inline uint8_t family_of_text(const char *text)
{
	return strchr(text, ':') ? FLOW_AF_INET6 : FLOW_AF_INET;
}

static inline void address_set(uint8_t out[static 16], const char *text)
{
	assert_int_equal(inet_pton(family_of_text(text), text, out), 1);
}

/* The rules of rows, at most so many, up to the first without an action; how many. */
static inline size_t scene_rules(struct rule *out, const struct rule *rows, size_t most)
{
	size_t count = 0;

	for (; count < most && rows[count].action; count++) {
		out[count] = rows[count];
		if (!out[count].family)
			out[count].family = FLOW_AF_INET;
		out[count].suppress_prefixlength--;
		out[count].suppress_ifgroup--;
		if (!out[count].dscp_mask)
			out[count].dscp_mask = DSCP_MASK_ALL;
	}
	return count;
}

static inline void scene_add_nexthop(struct route *route, uint32_t dev, const char *gateway)
{
	struct nexthop *nexthop = &route->nexthops[route->nexthop_count];

	if (!dev)
		return;
	route->nexthop_count++;
	nexthop->dev = dev;
	nexthop->weight = 1;
	if (!gateway)
		return;
	nexthop->gateway_family = family_of_text(gateway);
	address_set(nexthop->gateway, gateway);
}

/* With room for two nexthops; to be freed. */
static inline struct route *scene_route(const struct route_row *row)
{
	struct route *route = calloc(1, route_size(2));

	assert_non_null(route);
	route->family = family_of_text(row->dst);
	route->table = row->table;
	route->type = row->type;
	route->protocol = row->protocol;
	route->dst_length = row->length;
	address_set(route->dst, row->dst);
	scene_add_nexthop(route, row->dev, row->gateway);
	scene_add_nexthop(route, row->dev2, NULL);
	return route;
}

/* Takes the route. */
static inline void scene_add_route(struct policy *policy, struct route *route)
{
	struct route_table *table = policy_table_for_change(policy, route->family, route->table);

	assert_non_null(table);
	assert_int_equal(route_table_add(table, route, true, false), 0);
	free(route);
}

static inline void scene_set_rules(struct policy *policy, const struct rule *rules, size_t count)
{
	struct rule_list *list = rule_list_new(rules, count);

	assert_non_null(list);
	policy_set_rules(policy, count ? rules->family : FLOW_AF_INET, list);
}

/* A policy of the scene's links; rules as scene_rules() gives them, routes up to the first of table
 * 0. */
static inline struct policy *scene_policy(const struct rule *rules, size_t rule_count,
					  const struct route_row *routes, size_t most)
{
	struct policy *policy = policy_new(NETNS, TOS_MASKED);

	assert_non_null(policy);
	for (size_t i = 0; i < ARRAY_SIZE(scene_links); i++)
		assert_int_equal(policy_set_link(policy, &scene_links[i]), 0);
	scene_set_rules(policy, rules, rule_count);
	for (size_t i = 0; i < most && routes[i].table; i++)
		scene_add_route(policy, scene_route(&routes[i]));
	return policy;
}

static inline void scene_add_address(struct policy *policy, uint32_t dev, const char *text,
				     uint8_t length)
{
	struct address address = { .ifindex = dev, .length = length };

	address.family = family_of_text(text);
	address_set(address.local, text);
	assert_int_equal(policy_set_address(policy, &address), 0);
}

#endif
