// SPDX-License-Identifier: GPL-2.0-only
/* Routes as lookups show them: what the kernel told, completed by what the policy holds. */
#include "trace/lookup_route.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "util/array.h"

static bool nexthop_gave(const struct nexthop *nexthop, const struct table_answer *answer)
{
	return nexthop->dev == answer->dev && nexthop->gateway_family == answer->gateway_family &&
	       !memcmp(nexthop->gateway, answer->gateway, sizeof(answer->gateway));
}

/* The nexthop of route that the kernel's answer names, NULL when it is not this route's. */
static const struct nexthop *route_nexthop(const struct route *route,
					   const struct table_answer *answer)
{
	if (answer->route_type && answer->route_type != route->type)
		return NULL;
	for (uint32_t i = 0; i < route->nexthop_count; i++) {
		if (nexthop_gave(&route->nexthops[i], answer))
			return &route->nexthops[i];
	}
	return NULL;
}

void route_set_device(struct lookup_route *out, const struct policy *policy, uint32_t index)
{
	const struct link *link = policy ? policy_link(policy, index) : NULL;

	out->dev_index = index;
	if (link)
		memcpy(out->dev, link->name, sizeof(out->dev));
}

static void set_prefix(struct lookup_route *out, const struct flow_key *key, uint8_t length)
{
	unsigned int bytes = length / 8, bits = length % 8;

	if (length > 8 * sizeof(out->dst))
		return;
	out->prefix_length = length;
	memcpy(out->dst, key->dst, bytes);
	if (bits)
		out->dst[bytes] = key->dst[bytes] & (uint8_t)(0xff << (8 - bits));
}

struct lookup_route answer_route(const struct table_answer *answer, const struct flow_key *key,
				 const struct policy *policy)
{
	struct lookup_route out = {
		.prefix_length = -1,
		.type = answer->route_type,
		.nexthops = answer->nexthops,
	};

	if (answer->flags & ANSWER_PREFIX_KNOWN)
		set_prefix(&out, key, answer->prefix_length);
	out.gateway_family = answer->gateway_family;
	memcpy(out.gateway, answer->gateway, sizeof(out.gateway));
	if (answer->dev)
		route_set_device(&out, policy, answer->dev);
	return out;
}

/* A packet of this host that has no source yet. */
static bool source_is_wanted(const struct flow_key *key)
{
	static const uint8_t none[16];

	return key->iif <= FLOW_IFINDEX_LO && !memcmp(key->src, none, sizeof(none));
}

/* IPv6 selects by the destination, where the packet has no source yet and the route names none. */
static bool preferred_source(const struct policy *policy, const struct flow_key *key,
			     const struct route *route, const struct nexthop *nexthop,
			     uint8_t source[static 16])
{
	if (policy_preferred_source(policy, route, nexthop, source))
		return true;
	return key->family == FLOW_AF_INET6 && route->type != RTN_LOCAL && source_is_wanted(key) &&
	       policy_select_source6(policy, key->dst, nexthop->dev, source);
}

static void route_add_policy(struct lookup_route *out, const struct policy *policy,
			     const struct flow_key *key, const struct route *route,
			     const struct nexthop *nexthop)
{
	memcpy(out->dst, route->dst, sizeof(out->dst));
	out->prefix_length = route->dst_length;
	out->nexthops = route->nexthop_count;
	out->type = route->type;
	if (!nexthop)
		return;
	out->nexthop = (uint16_t)(nexthop - route->nexthops + 1);
	out->weight = nexthop->weight;
	out->has_prefsrc = preferred_source(policy, key, route, nexthop, out->prefsrc);
}

static bool route_gave(const struct route *route, void *data)
{
	const struct table_answer *answer = data;

	if (answer->error)
		return route->type == answer->route_type;
	return route_nexthop(route, answer) != NULL;
}

/* By the prefix that the kernel told. */
static const struct route *prefix_explains(const struct policy *policy, const struct flow_key *key,
					   const struct route_table *held,
					   const struct table_answer *answer,
					   struct lookup_route *out)
{
	const struct route *route =
		route_table_find(held, key, answer->prefix_length, route_gave, (void *)answer);

	if (route)
		route_add_policy(out, policy, key, route,
				 answer->error ? NULL : route_nexthop(route, answer));
	return route;
}

const struct route *table_explains(const struct policy *policy, const struct flow_key *key,
				   uint32_t table, const struct table_answer *answer,
				   struct lookup_route *out)
{
	const struct route_table *held = policy_table(policy, key->family, table);
	struct table_result result;
	const struct nexthop *nexthop;

	if (!held)
		return NULL;
	if (answer->flags & ANSWER_PREFIX_KNOWN)
		return prefix_explains(policy, key, held, answer, out);
	for (int ignore_linkdown = 0; ignore_linkdown < 2; ignore_linkdown++) {
		result = route_table_lookup(held, key, ignore_linkdown);
		if (!result.route || result.error != answer->error)
			continue;
		nexthop = answer->error ? NULL : route_nexthop(result.route, answer);
		if (!answer->error && !nexthop)
			continue;
		route_add_policy(out, policy, key, result.route, nexthop);
		return result.route;
	}
	return NULL;
}

void route_forget_choice(struct lookup_route *route)
{
	if (route->nexthops < 2)
		return;
	route->nexthop = 0;
	route->weight = 0;
}

bool table_would_match(const struct policy *policy, const struct flow_key *key, uint32_t table,
		       struct lookup_route *out)
{
	const struct route_table *held = policy_table(policy, key->family, table);
	struct table_result result;

	if (!held)
		return false;
	result = route_table_lookup(held, key, false);
	if (result.error || !result.route)
		return false;
	*out = (struct lookup_route){ .prefix_length = -1 };
	route_add_policy(out, policy, key, result.route, result.nexthop);
	route_forget_choice(out);
	if (!result.nexthop)
		return true;
	out->gateway_family = result.nexthop->gateway_family;
	memcpy(out->gateway, result.nexthop->gateway, sizeof(out->gateway));
	route_set_device(out, policy, result.nexthop->dev);
	return true;
}

uint8_t error_route_type(int error)
{
	switch (error) {
	case -EHOSTUNREACH:
		return RTN_UNREACHABLE;
	case -EACCES:
		return RTN_PROHIBIT;
	case -EINVAL:
		return RTN_BLACKHOLE;
	default:
		return RTN_UNSPEC;
	}
}

bool built_in_priority(uint32_t table, uint32_t *priority)
{
	static const struct {
		uint32_t table;
		uint32_t priority;
	} built_in[] = { { TABLE_LOCAL, 0 }, { TABLE_MAIN, 32766 }, { TABLE_DEFAULT, 32767 } };

	for (size_t i = 0; i < ARRAY_SIZE(built_in); i++) {
		if (built_in[i].table == table) {
			*priority = built_in[i].priority;
			return true;
		}
	}
	return false;
}
