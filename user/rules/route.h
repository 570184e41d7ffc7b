/* SPDX-License-Identifier: GPL-2.0-only */
/* Routes and tables: the longest-prefix match of fib_table_lookup() over what netlink dumped. */
#ifndef FIBTRACE_RULES_ROUTE_H
#define FIBTRACE_RULES_ROUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/flow.h"

/* flags are RTNH_F_… of linux/rtnetlink.h. gateway_family 0: no gateway. */
struct nexthop {
	uint8_t gateway[16];
	uint32_t dev;
	uint8_t gateway_family;
	uint8_t flags;
	uint16_t weight; /* 1-based */
};

/*
 * type is RTN_…, scope RT_SCOPE_…, tos the header's. prefsrc_family 0: none given. src_length 0: for
 * packets from anywhere; only IPv6 has routes for those from one prefix (`ip route add … from`),
 * and a preference of routers (RTA_PREF).
 */
struct route {
	uint8_t dst[16];
	uint8_t src[16];
	uint8_t prefsrc[16];
	uint32_t table;
	uint32_t metric;
	uint32_t nexthop_id; /* RTA_NH_ID, 0: none */
	uint8_t family;
	uint8_t dst_length;
	uint8_t tos;
	uint8_t type;
	uint8_t scope;
	uint8_t protocol;
	uint8_t prefsrc_family;
	uint8_t src_length;
	uint8_t router_preference; /* ICMPV6_ROUTER_PREF_…: 0 medium, 1 high, 3 low */
	uint32_t nexthop_count;
	struct nexthop nexthops[];
};

struct route_table;

/* A new, empty table; NULL with errno. route_table_free() takes NULL. */
struct route_table *route_table_new(uint32_t id, uint8_t family);
void route_table_free(struct route_table *table);
uint32_t route_table_id(const struct route_table *table);
size_t route_table_count(const struct route_table *table);

/* Size of a route with count nexthops, in bytes. */
size_t route_size(uint32_t count);

/* Copies route into the table, in the place that the kernel's order gives it
 * (fib_insert_alias(): tos descending, then metric, append or replace as in
 * NLM_F_APPEND and NLM_F_REPLACE). With append, adding in the order of a dump
 * gives the kernel's order. A route of IPv4 that is there already is only renewed, in
 * its place; of IPv6 there may be two. 0 or -errno: -EINVAL for another family or an impossible length. */
int route_table_add(struct route_table *table, const struct route *route, bool append,
		    bool replace);

/* Removes the route that equals route in prefix, tos, metric, type and nexthops
 * (a route without nexthops stands for any), one that is the same in source,
 * scope and protocol before others; 0, or -ENOENT when there is none. */
int route_table_remove(struct route_table *table, const struct route *route);

/* Removes each route for which drop() is true; returns how many. */
size_t route_table_drop(struct route_table *table,
			bool (*drop)(const struct route *route, void *data), void *data);

/* Calls visit() for each route until it returns false; routes of one prefix come
 * in the kernel's order, prefixes in no particular one. */
void route_table_visit(const struct route_table *table,
		       bool (*visit)(const struct route *route, void *data), void *data);

/* How many routes there are that differ from route in type, nexthops or details alone: of its
 * prefix, source prefix, tos and metric. */
size_t route_table_count_beside(const struct route_table *table, const struct route *route);

/* The first route, in the kernel's order, of exactly the first prefix_length bits of key's destination
 * and for its source, for which fits() is true; NULL when there is none. */
const struct route *route_table_find(const struct route_table *table, const struct flow_key *key,
				     uint8_t prefix_length,
				     bool (*fits)(const struct route *route, void *data),
				     void *data);

struct table_result {
	int error; /* 0, -EAGAIN (no route or throw), or that of a reject route */
	const struct route *route; /* NULL when nothing matched; set for reject and throw routes */
	/* The first usable one, as before multipath selection. NULL for reject and
	 * throw routes, and when netlink did not say what a nexthop object holds. */
	const struct nexthop *nexthop;
};

/*
 * What the kernel's fib_table_lookup() answers for key: longest prefix, then
 * tos, scope, dead and down nexthops, oif. Link state comes from RTNH_F_DEAD and
 * RTNH_F_LINKDOWN; ignore_linkdown is net.ipv4.conf.*.ignore_routes_with_linkdown
 * (in IPv6 the kernel says RTNH_F_DEAD where that is set).
 *
 * For IPv6 what fib6_table_lookup() answers: longest prefix, then metric, then the score of
 * the device and of the router preference. Which gateways can be reached it
 * knows and we do not: of several routes of one prefix and metric it may choose another.
 */
struct table_result route_table_lookup(const struct route_table *table, const struct flow_key *key,
				       bool ignore_linkdown);

#endif
