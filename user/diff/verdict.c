// SPDX-License-Identifier: GPL-2.0-only
/* What a policy answers to a question: its own rules walked, its own tables asked. */
#include "diff/verdict.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "rules/route_entries.h"
#include "rules/walk.h"
#include "trace/derive.h"
#include "trace/lookup_route.h"

/* More nexthops than these are not looked at. */
#define CANDIDATES_MAX 512

/* What policy_ask_tables() needs, and the table that was asked last. */
struct asking {
	struct policy_ask asked;
	uint32_t table;
};

static enum ask_result ask(void *data, size_t index, uint32_t table, struct ask_answer *answer)
{
	struct asking *asking = data;

	asking->table = table;
	return policy_ask_tables(&asking->asked, index, table, answer);
}

static bool device_is_there(const struct policy *policy, uint32_t index)
{
	return index <= FLOW_IFINDEX_LO || policy_link(policy, index);
}

static bool devices_are_there(const struct policy *policy, const struct flow_key *key)
{
	return device_is_there(policy, key->iif) && device_is_there(policy, key->oif) &&
	       device_is_there(policy, key->l3mdev);
}

static void take_rule(struct verdict *verdict, const struct rule *rule, const struct asking *asking,
		      const struct policy *policy)
{
	verdict->has_priority = true;
	verdict->priority = rule->priority;
	if (rule->action != RULE_LOOKUP)
		return;
	verdict->table = asking->table;
	verdict->held = policy_table(policy, asking->asked.key->family, asking->table);
	verdict->route = asking->asked.last.route;
	verdict->nexthop = asking->asked.last.nexthop;
}

struct verdict verdict_of(const struct policy *policy, const struct flow_question *question)
{
	struct asking asking = { .asked = { .policy = policy, .key = &question->key } };
	const struct rule_list *rules = policy_rules(policy, question->key.family);
	struct verdict verdict = { .error = -ENETUNREACH };
	struct walk_result result;

	if (!devices_are_there(policy, &question->key))
		return (struct verdict){ .gap = GAP_NO_DEVICE };
	if (!rules)
		return (struct verdict){ .gap = GAP_NOT_EXAMINED };
	result = policy_walk(policy, rules, &question->key, ask, NULL, &asking);
	if (!result.complete)
		return (struct verdict){ .gap = GAP_NOT_EXAMINED };
	verdict.error = result.error;
	if (result.error && derive_bound_device(&question->key, question->purpose, policy))
		return (struct verdict){ .bound_device = true };
	if (result.rule != SIZE_MAX)
		take_rule(&verdict, &rules->rules[result.rule], &asking, policy);
	return verdict;
}

/* --- nexthops ----------------------------------------------------------------------------- */

/* The nexthops among which the kernel chooses: those of the route and, of IPv6, of its equals. */
struct candidates {
	uint32_t device; /* they go by it; 0: by any */
	const struct route *chosen;
	const struct route *route; /* NULL: at the end */
	const struct route_entry *entry; /* IPv6 */
	uint32_t at;
	unsigned int left;
};

/* Of IPv6 a device that is asked for is preferred, and without a route by it another one is taken. */
static uint32_t wanted_device(const struct verdict *verdict, const struct flow_key *key)
{
	bool asked_for = key->oif && !(key->flags & FLOW_OIF_IS_VRF);

	return asked_for && verdict->nexthop && verdict->nexthop->dev == key->oif ? key->oif : 0;
}

static struct candidates candidates_of(const struct verdict *verdict, const struct flow_key *key)
{
	struct candidates candidates = {
		.device = wanted_device(verdict, key),
		.chosen = verdict->route,
		.route = verdict->route,
		.left = CANDIDATES_MAX,
	};

	if (!verdict->nexthop)
		candidates.route = NULL;
	if (candidates.route && key->family == FLOW_AF_INET6 && verdict->held) {
		candidates.entry = route_table_entries(verdict->held, verdict->route->dst,
						       verdict->route->dst_length);
		candidates.route = candidates.entry ? &candidates.entry->route : NULL;
	}
	return candidates;
}

static bool is_equal_route(const struct candidates *candidates, const struct route *route)
{
	const struct route *chosen = candidates->chosen;

	return route == chosen || (route->metric == chosen->metric && route->type == chosen->type &&
				   route->src_length == chosen->src_length &&
				   !memcmp(route->src, chosen->src, sizeof(route->src)));
}

static bool nexthop_is_wanted(const struct candidates *candidates, const struct nexthop *nexthop)
{
	return !(nexthop->flags & RTNH_F_DEAD) &&
	       (!candidates->device || nexthop->dev == candidates->device);
}

static void next_route(struct candidates *candidates)
{
	if (candidates->entry)
		candidates->entry = route_entry_next(candidates->entry);
	candidates->route = candidates->entry ? &candidates->entry->route : NULL;
	candidates->at = 0;
}

/* NULL at the end. */
static const struct nexthop *next_candidate(struct candidates *candidates)
{
	while (candidates->route && candidates->left) {
		const struct nexthop *nexthop;

		if (candidates->at == candidates->route->nexthop_count ||
		    !is_equal_route(candidates, candidates->route)) {
			next_route(candidates);
			continue;
		}
		candidates->left--;
		nexthop = &candidates->route->nexthops[candidates->at++];
		if (nexthop_is_wanted(candidates, nexthop))
			return nexthop;
	}
	return NULL;
}

static uint16_t count_candidates(const struct verdict *verdict, const struct flow_key *key)
{
	struct candidates candidates = candidates_of(verdict, key);
	uint16_t count = 0;

	while (next_candidate(&candidates))
		count++;
	return count;
}

static bool same_nexthop(const struct nexthop *a, const struct nexthop *b)
{
	return a->dev == b->dev && a->weight == b->weight &&
	       a->gateway_family == b->gateway_family &&
	       !memcmp(a->gateway, b->gateway, sizeof(a->gateway));
}

/* Whether all that a chooses among b does, too. */
static bool candidates_are_among(const struct verdict *a, const struct verdict *b,
				 const struct flow_key *key)
{
	struct candidates candidates = candidates_of(a, key);
	const struct nexthop *nexthop;

	while ((nexthop = next_candidate(&candidates))) {
		struct candidates others = candidates_of(b, key);
		const struct nexthop *other = next_candidate(&others);

		while (other && !same_nexthop(nexthop, other))
			other = next_candidate(&others);
		if (!other)
			return false;
	}
	return true;
}

/* Both cover the destination: prefixes of one length are one. */
static bool routes_equal(const struct verdict *a, const struct verdict *b,
			 const struct flow_key *key)
{
	const struct route *one = a->route, *other = b->route;

	if (!one || !other)
		return one == other;
	return one->dst_length == other->dst_length && one->type == other->type &&
	       one->prefsrc_family == other->prefsrc_family &&
	       !memcmp(one->prefsrc, other->prefsrc, sizeof(one->prefsrc)) &&
	       candidates_are_among(a, b, key) && candidates_are_among(b, a, key);
}

bool verdicts_equal(const struct verdict *a, const struct verdict *b,
		    const struct flow_question *question)
{
	return a->gap == b->gap && a->error == b->error && a->bound_device == b->bound_device &&
	       a->has_priority == b->has_priority && a->priority == b->priority &&
	       a->table == b->table && routes_equal(a, b, &question->key);
}

/* --- as lookups have it ------------------------------------------------------------------- */

static bool is_candidate(const struct verdict *verdict, const struct flow_key *key,
			 const struct lookup_route *recorded)
{
	struct candidates candidates = candidates_of(verdict, key);
	const struct nexthop *nexthop;

	while ((nexthop = next_candidate(&candidates))) {
		if (nexthop->dev == recorded->dev_index &&
		    nexthop->gateway_family == recorded->gateway_family &&
		    !memcmp(nexthop->gateway, recorded->gateway, sizeof(nexthop->gateway)))
			return true;
	}
	return false;
}

static bool route_is_recorded(const struct verdict *verdict, const struct flow_key *key,
			      const struct lookup_route *recorded)
{
	const struct route *route = verdict->route;

	if (!route || recorded->exception)
		return false;
	if (recorded->prefix_length >= 0 && recorded->prefix_length != route->dst_length)
		return false;
	if (recorded->type && recorded->type != route->type)
		return false;
	return !verdict->nexthop || is_candidate(verdict, key, recorded);
}

bool verdict_is_recorded(const struct verdict *verdict, const struct flow_question *question,
			 const struct lookup_verdict *recorded)
{
	static const bool by_policy[DECIDED_BY_COUNT] = {
		[DECIDED_BY_RULE] = true,
		[DECIDED_BY_BUILT_IN] = true,
		[DECIDED_BY_END_OF_RULES] = true,
	};

	if (verdict->gap != GAP_NONE)
		return false;
	if (recorded->decided_by == DECIDED_BY_BOUND_DEVICE)
		return verdict->bound_device && recorded->route.dev_index == question->key.oif;
	if (verdict->bound_device || recorded->decided_by >= DECIDED_BY_COUNT ||
	    !by_policy[recorded->decided_by])
		return false;
	if (verdict->error != recorded->error || verdict->has_priority != recorded->has_priority ||
	    verdict->priority != recorded->priority || verdict->table != recorded->table)
		return false;
	return recorded->error || route_is_recorded(verdict, &question->key, &recorded->route);
}

static bool recorded_routes_equal(const struct lookup_route *a, const struct lookup_route *b)
{
	return a->prefix_length == b->prefix_length && a->type == b->type &&
	       a->gateway_family == b->gateway_family &&
	       !memcmp(a->gateway, b->gateway, sizeof(a->gateway)) &&
	       !memcmp(a->dev, b->dev, sizeof(a->dev)) && !memcmp(a->dst, b->dst, sizeof(a->dst));
}

bool recorded_verdicts_equal(const struct lookup_verdict *a, const struct lookup_verdict *b)
{
	return a->error == b->error && a->has_priority == b->has_priority &&
	       a->priority == b->priority && a->table == b->table &&
	       recorded_routes_equal(&a->route, &b->route);
}

static void describe_route(struct lookup_route *out, const struct verdict *verdict,
			   const struct flow_question *question, const struct policy *policy)
{
	const struct route *route = verdict->route;

	memcpy(out->dst, route->dst, sizeof(out->dst));
	out->prefix_length = route->dst_length;
	out->type = route->type;
	out->nexthops = count_candidates(verdict, &question->key);
	if (route->prefsrc_family && !verdict->error) {
		out->has_prefsrc = true;
		memcpy(out->prefsrc, route->prefsrc, sizeof(out->prefsrc));
	}
	if (!verdict->nexthop)
		return;
	out->gateway_family = verdict->nexthop->gateway_family;
	memcpy(out->gateway, verdict->nexthop->gateway, sizeof(out->gateway));
	route_set_device(out, policy, verdict->nexthop->dev);
}

static enum decided_by decided_by(const struct verdict *verdict)
{
	if (verdict->gap != GAP_NONE)
		return DECIDED_BY_UNKNOWN;
	if (verdict->bound_device)
		return DECIDED_BY_BOUND_DEVICE;
	return verdict->has_priority ? DECIDED_BY_RULE : DECIDED_BY_END_OF_RULES;
}

struct lookup_verdict verdict_describe(const struct verdict *verdict,
				       const struct flow_question *question,
				       const struct policy *policy)
{
	struct lookup_verdict out = {
		.error = verdict->error,
		.decided_by = decided_by(verdict),
		.has_priority = verdict->has_priority,
		.priority = verdict->priority,
		.table = verdict->table,
		.route = { .prefix_length = -1 },
	};

	if (verdict->bound_device) {
		out.route.type = RTN_UNICAST;
		route_set_device(&out.route, policy, question->key.oif);
	} else if (verdict->route) {
		describe_route(&out.route, verdict, question, policy);
	}
	if (verdict->error)
		out.route.type = verdict->route || verdict->has_priority
					 ? error_route_type(verdict->error)
					 : RTN_UNSPEC;
	if (verdict->error == -ENETUNREACH && verdict->has_priority)
		out.route.type = RTN_UNREACHABLE;
	return out;
}
