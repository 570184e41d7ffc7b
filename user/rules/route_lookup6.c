// SPDX-License-Identifier: GPL-2.0-only
/* A lookup in an IPv6 table: the tree of prefixes, the backtracking in it and the choice of one
 * among routes of one prefix, as fib6_table_lookup() does it for ip6_pol_route(). */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "rules/route_entries.h"

#define LENGTH_MAX 128
#define SCORE_DEVICE 2
#define SCORE_NONE -1
/* Of a nexthop object that is a blackhole, or that netlink did not describe: nothing else counts. */
#define SCORE_ALL 0x100

struct question {
	const struct flow_key *key;
	uint32_t device;
	bool device_only;
	bool begun; /* the kernel has a node of the tree to begin with and to go back from */
	struct table_result result;
};

/* Packets that were received prefer routes by the device they came in by: ip6_pol_route_input().
 * 0: any will do, as where a VRF stands in for the device (5.10). */
static uint32_t device_of(const struct flow_key *key)
{
	if (key->flags & FLOW_OIF_IS_VRF)
		return 0;
	return key->iif > FLOW_IFINDEX_LO ? key->iif : key->oif;
}

/* rt6_need_strict(): such addresses mean something else on each link. */
static bool is_of_link(const uint8_t *address)
{
	static const uint8_t loopback[16] = { [15] = 1 };

	return address[0] == 0xff || (address[0] == 0xfe && (address[1] & 0xc0) == 0x80) ||
	       !memcmp(address, loopback, sizeof(loopback));
}

/*
 * RT6_LOOKUP_F_IFACE, without which the device is but a preference: for addresses of a link, for a flow
 * that has an output device and no source yet, and for a socket that is bound to a device. That a
 * flow with a source is of such a socket its key does not tell; it is taken to be of another.
 */
static bool device_is_needed(const struct flow_key *key)
{
	static const uint8_t none[16];

	if (is_of_link(key->dst))
		return true;
	return key->iif <= FLOW_IFINDEX_LO && key->oif && !memcmp(key->src, none, sizeof(none));
}

/* RFC 4191 has 3 for low, 0 for medium and 1 for high. */
static int preference_score(const struct route *route)
{
	return ((route->router_preference & 3) ^ 2) << 2;
}

/* rt6_score_route() and find_match(), as for a gateway that can be reached. */
static int nexthop_score(const struct question *question, const struct route *route,
			 const struct nexthop *nexthop)
{
	bool device_fits = !question->device || nexthop->dev == question->device;

	if (nexthop->flags & RTNH_F_DEAD || (!device_fits && question->device_only))
		return SCORE_NONE;
	return preference_score(route) | (device_fits ? SCORE_DEVICE : 0);
}

/* The first of the best nexthops; NULL with SCORE_ALL and SCORE_NONE. */
static const struct nexthop *best_nexthop(const struct question *question,
					  const struct route *route, int *best_score)
{
	const struct nexthop *best = NULL;

	*best_score = route->nexthop_id && !route->nexthop_count ? SCORE_ALL : SCORE_NONE;
	for (uint32_t i = 0; i < route->nexthop_count; i++) {
		int score = nexthop_score(question, route, &route->nexthops[i]);

		if (score <= *best_score)
			continue;
		*best_score = score;
		best = &route->nexthops[i];
	}
	return best;
}

static void take_route(struct question *question, const struct route *route,
		       const struct nexthop *nexthop)
{
	question->result.error = route_type_error(route->type);
	question->result.route = route;
	question->result.nexthop = question->result.error ? NULL : nexthop;
}

static bool same_node(const struct route *a, const struct route *b)
{
	return a->src_length == b->src_length && !memcmp(a->src, b->src, sizeof(a->src));
}

/* find_rr_leaf(): the best score among the routes of the lowest metric; where none of them
 * can be used, among all others, whatever their metrics. */
static bool ask_node(struct question *question, const struct route_entry *entry)
{
	const struct route *first = &entry->route;
	bool found = false; /* among those of the lowest metric */
	int best_score = SCORE_NONE;

	for (; entry && same_node(&entry->route, first); entry = route_entry_next(entry)) {
		const struct nexthop *nexthop;
		int score;

		if (entry->route.metric != first->metric && found)
			break;
		nexthop = best_nexthop(question, &entry->route, &score);
		if (score > best_score) {
			best_score = score;
			take_route(question, &entry->route, nexthop);
			found |= entry->route.metric == first->metric;
		}
	}
	return question->result.route;
}

static const struct route_entry *next_node(const struct route_entry *entry)
{
	const struct route *first = &entry->route;

	while (entry && same_node(&entry->route, first))
		entry = route_entry_next(entry);
	return entry;
}

/*
 * fib6_node_lookup_1() looks for the node to begin with: of a prefix that has routes for
 * some sources it takes one of these or none, and goes on with a shorter prefix though it may
 * have a route for all sources. The root of the tree is what it ends with.
 */
static bool may_begin(const struct route_entry *entry, bool has_sources)
{
	return entry->route.src_length || !has_sources || !entry->route.dst_length;
}

/* True when a route of this prefix answers the question. */
static bool ask_prefix(struct question *question, const struct route_entry *entry)
{
	bool has_sources = entry->route.src_length;

	for (; entry; entry = next_node(entry)) {
		if (!route_takes_source(&entry->route, question->key->src))
			continue;
		question->begun |= may_begin(entry, has_sources);
		if (question->begun && ask_node(question, entry))
			return true;
	}
	return false;
}

struct table_result route_table_lookup6(const struct route_table *table, const struct flow_key *key)
{
	struct question question = {
		.key = key,
		.device = device_of(key),
		.device_only = device_is_needed(key),
		.result = { .error = -EAGAIN },
	};

	for (int length = LENGTH_MAX; length >= 0; length--) {
		const struct route_entry *entry =
			route_table_entries(table, key->dst, (unsigned int)length);

		if (entry && ask_prefix(&question, entry))
			break;
	}
	return question.result;
}
