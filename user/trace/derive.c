// SPDX-License-Identifier: GPL-2.0-only
/* The walk over the rules, derived from what the tables answered and the policy in force. */
#include "trace/derive.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <string.h>

#include "trace/lookup_route.h"
#include "trace/policy_walks.h"
#include "trace/replay.h"

static uint8_t family_of(const struct replay *replay)
{
	return replay->walk->key.family;
}

uint32_t walk_record_netns(const struct walk_record *walk, enum netns_source *source)
{
	for (size_t i = 0; i < walk->answer_count; i++) {
		if (walk->answers[i].netns) {
			*source = NETNS_DEVICE;
			return walk->answers[i].netns;
		}
	}
	*source = walk->context.netns_source;
	return walk->context.netns;
}

/* Tables never go away: one that answered answers whenever it is asked. */
static bool table_answered(const struct walk_record *walk, uint32_t table)
{
	for (size_t i = 0; i < walk->answer_count; i++) {
		if (walk->answers[i].table == table)
			return true;
	}
	return false;
}

/* The next answer is not this table's: it has none, or the policy is wrong, or it is yet to come. */
static enum ask_result replay_missing(struct replay *replay, uint32_t table)
{
	if (policy_table_may_be_missing(replay->policy, family_of(replay), table) &&
	    !table_answered(replay->walk, table)) {
		replay->lookup->may_grow |= replay->used == replay->walk->answer_count;
		return ASK_NO_TABLE;
	}
	if (replay->used == replay->walk->answer_count && !replay->walk->ended)
		replay->open = true;
	else
		replay->conflict = true;
	return ASK_STOP;
}

static int64_t group_of(const struct replay *replay, uint32_t device)
{
	const struct link *link = policy_link(replay->policy, device);

	return link ? (int64_t)link->group : -1;
}

/* fib4_rule_suppress() looks at the route's first nexthop, whichever answered. */
static int64_t first_group(const struct replay *replay, const struct route *route,
			   const struct table_answer *answer)
{
	if (route && route->nexthop_count)
		return group_of(replay, route->nexthops[0].dev);
	return replay->walk->key.oif ? -1 : group_of(replay, answer->dev);
}

/* fib6_rule_suppress() looks at the nexthop that fib6_select_path() chose after the table had
 * answered: it is known where all are of one group. */
static int64_t chosen_group(const struct replay *replay, const struct route *route,
			    const struct table_answer *answer)
{
	int64_t group = group_of(replay, answer->dev);

	if (!route && answer->nexthops > 1)
		return -1;
	for (uint32_t i = 0; route && i < route->nexthop_count; i++) {
		if (group_of(replay, route->nexthops[i].dev) != group)
			return -1;
	}
	return group;
}

static int64_t group_of_answer(const struct replay *replay, const struct route *route,
			       const struct table_answer *answer)
{
	if (family_of(replay) == FLOW_AF_INET6)
		return chosen_group(replay, route, answer);
	return first_group(replay, route, answer);
}

static bool rule_suppresses(const struct rule *rule)
{
	return rule->suppress_prefixlength != -1 || rule->suppress_ifgroup != -1;
}

/*
 * A hit that another answer follows was suppressed: an unsuppressed one ends
 * the walk. Where the policy itself knows, it must say the same; of a table that
 * is not held, a hit that nothing follows once the walk has ended was the last.
 */
static int known_suppression(struct replay *replay, size_t index)
{
	bool more = replay->used < replay->walk->answer_count;

	if (replay->asked->error || !rule_suppresses(&replay->rules->rules[index]))
		return 0;
	if (!more && replay->no_suppression)
		return 0;
	if (replay->route.prefix_length >= 0)
		return -1;
	if (more)
		return 1;
	if (!replay->walk->ended)
		return -1;
	replay->assumed = true;
	return replay->assume_suppressed;
}

/* Whether the kernel told of a route that the policy does not have: it is not the kernel's. */
static bool answer_is_strange(const struct replay *replay, const struct table_answer *answer,
			      const struct route *explained, uint32_t table)
{
	bool tells_route = !answer->error || answer->flags & ANSWER_PREFIX_KNOWN;

	return tells_route && !explained &&
	       !policy_table_unheld(replay->policy, family_of(replay), table);
}

static enum ask_result replay_ask(void *data, size_t index, uint32_t table, struct ask_answer *out)
{
	struct replay *replay = data;
	const struct walk_record *walk = replay->walk;
	const struct table_answer *answer;
	const struct route *explained;

	replay->asked = NULL;
	if (replay->used == walk->answer_count || walk->answers[replay->used].table != table)
		return replay_missing(replay, table);
	answer = &walk->answers[replay->used++];
	replay->asked = answer;
	replay->route = answer_route(answer, &walk->key, replay->policy);
	explained = table_explains(replay->policy, &walk->key, table, answer, &replay->route);
	if (answer_is_strange(replay, answer, explained, table)) {
		replay->conflict = true;
		return ASK_STOP;
	}
	*out = (struct ask_answer){
		.error = answer->error,
		.prefix_length = replay->route.prefix_length,
		.group = group_of_answer(replay, explained, answer),
		.thrown = answer->error == -EAGAIN && replay->route.type == RTN_THROW,
	};
	out->suppressed = known_suppression(replay, index);
	return ASK_ANSWERED;
}

static enum evidence step_evidence(const struct replay *replay, const struct walk_step *step)
{
	bool more = replay->used < replay->walk->answer_count;

	switch (step->outcome) {
	case STEP_NO_ROUTE:
	case STEP_CHOSEN:
		return EVIDENCE_KERNEL;
	case STEP_THROW:
		return replay_throw_evidence(replay->asked);
	case STEP_SUPPRESSED:
		return more ? EVIDENCE_KERNEL : EVIDENCE_DERIVED;
	case STEP_UNREACHABLE:
	case STEP_BLACKHOLE:
	case STEP_PROHIBIT:
		return step->table ? EVIDENCE_KERNEL : EVIDENCE_DERIVED;
	default:
		return EVIDENCE_DERIVED;
	}
}

static bool outcome_asked(enum step_outcome outcome)
{
	return outcome == STEP_NO_ROUTE || outcome == STEP_THROW || outcome == STEP_SUPPRESSED ||
	       outcome == STEP_CHOSEN || outcome == STEP_UNREACHABLE || outcome == STEP_BLACKHOLE ||
	       outcome == STEP_PROHIBIT;
}

static void replay_step(void *data, const struct walk_step *step)
{
	struct replay *replay = data;
	struct lookup_step *out;

	if (step->outcome == STEP_SKIPPED || replay->open || replay->conflict)
		return;
	out = lookup_add_walk_step(replay->lookup, step, replay->rules);
	if (!out) {
		/* Too many steps are no reason to end the trace. */
		replay->conflict |= errno == E2BIG;
		replay->failed |= errno != E2BIG;
		return;
	}
	out->evidence = step_evidence(replay, step);
	if (step->outcome == STEP_NOT_REACHED && step->table)
		out->has_route = table_would_match(replay->policy, &replay->walk->key, step->table,
						   &out->route);
	if (step->table && outcome_asked(step->outcome) && replay->asked) {
		out->has_route = step->outcome != STEP_NO_ROUTE;
		out->route = replay->route;
	}
}

static const struct lookup_step *last_step_run(const struct lookup *lookup)
{
	for (size_t i = lookup->step_count; i-- > 0;) {
		if (lookup->steps[i].outcome != STEP_NOT_REACHED)
			return &lookup->steps[i];
	}
	return NULL;
}

static void verdict_by_rule(struct lookup *lookup, const struct walk_result *result)
{
	struct lookup_verdict *verdict = &lookup->verdict;
	const struct lookup_step *step = last_step_run(lookup);

	verdict->error = result->error;
	verdict->decided_by = DECIDED_BY_RULE;
	verdict->has_priority = true;
	verdict->priority = step->priority;
	verdict->table = step->table;
	if (step->has_route)
		verdict->route = step->route;
	if (result->error && step->outcome == STEP_UNREACHABLE)
		verdict->route.type = RTN_UNREACHABLE;
	else if (result->error)
		verdict->route.type = error_route_type(result->error);
}

static bool is_multicast(const struct flow_key *key)
{
	return (key->dst[0] & 0xf0) == 0xe0;
}

static bool source_is_set(const struct flow_key *key)
{
	static const uint8_t none[4];

	return memcmp(key->src, none, sizeof(none)) != 0;
}

/* Up to 5.14 a flow names its VRF as the device it goes out by. */
static bool flow_is_of_vrf(const struct flow_key *key, const struct policy *policy)
{
	const struct link *device = policy_link(policy, key->oif);

	return key->l3mdev || (device && device->l3mdev_table);
}

/* ip_route_output_key_hash_rcu() */
bool derive_bound_device(const struct flow_key *key, enum purpose purpose,
			 const struct policy *policy)
{
	bool output = purpose == PURPOSE_OUTPUT || purpose == PURPOSE_REROUTE ||
		      purpose == PURPOSE_ROUTE_GET;

	return key->family == FLOW_AF_INET && output && key->oif && key->iif == FLOW_IFINDEX_LO &&
	       (is_multicast(key) || !flow_is_of_vrf(key, policy));
}

static void verdict_bound_device(struct lookup *lookup, const struct walk_record *walk,
				 const struct policy *policy)
{
	struct lookup_verdict *verdict = &lookup->verdict;

	if (!verdict->error || !derive_bound_device(&walk->key, walk->origin.purpose, policy))
		return;
	*verdict = (struct lookup_verdict){
		.decided_by = DECIDED_BY_BOUND_DEVICE,
		.route = { .prefix_length = -1, .type = RTN_UNICAST },
	};
	route_set_device(&verdict->route, policy, walk->key.oif);
	if (!source_is_set(&walk->key))
		verdict->route.has_prefsrc = policy_select_source(
			policy, walk->key.oif, NULL, RT_SCOPE_LINK, verdict->route.prefsrc);
}

static void lookup_fill(struct lookup *lookup, const struct walk_record *walk,
			const struct policy *policy)
{
	lookup->boottime_ns = walk->time_ns;
	lookup->holes = walk->holes;
	lookup->cpu = walk->cpu;
	lookup->netns = walk_record_netns(walk, &lookup->netns_source);
	lookup->purpose = walk->origin.purpose;
	lookup->cause = walk->origin.cause;
	lookup->context = walk->context;
	lookup->key = walk->key;
	lookup->verdict.route.prefix_length = -1;
	lookup_name_devices(lookup, policy);
}

static enum derive_result replay_rules(struct replay *replay)
{
	struct lookup *lookup = replay->lookup;
	struct walk_result result;

	replay->rules = policy_rules(replay->policy, family_of(replay));
	if (!replay->rules)
		return DERIVE_CONFLICT;
	result = policy_walk(replay->policy, replay->rules, &replay->walk->key, replay_ask,
			     replay_step, replay);
	if (replay->failed)
		return DERIVE_FAILED;
	if (replay->conflict)
		return DERIVE_CONFLICT;
	/* Not complete without a reason of ours: a suppression that cannot be decided yet. */
	if (replay->open || (!result.complete && !replay->walk->ended))
		return DERIVE_OPEN;
	if (!result.complete || replay->used < replay->walk->answer_count)
		return DERIVE_CONFLICT;
	lookup->rules = rule_list_get((struct rule_list *)replay->rules);
	if (result.rule != SIZE_MAX) {
		verdict_by_rule(lookup, &result);
	} else {
		lookup->verdict.error = -ENETUNREACH;
		lookup->verdict.decided_by = DECIDED_BY_END_OF_RULES;
	}
	return DERIVE_DONE;
}

/* The tables answer before fib_select_multipath() chooses. */
static void forget_choices(struct lookup *lookup)
{
	for (size_t i = 0; i < lookup->step_count; i++)
		route_forget_choice(&lookup->steps[i].route);
	route_forget_choice(&lookup->verdict.route);
}

static enum derive_result replay_once(struct replay *replay,
				      enum derive_result (*derive)(struct replay *replay))
{
	enum derive_result result;

	lookup_fill(replay->lookup, replay->walk, replay->policy);
	result = derive(replay);
	if (result != DERIVE_DONE) {
		lookup_clear(replay->lookup);
		return result;
	}
	forget_choices(replay->lookup);
	replay->lookup->generation = policy_generation(replay->policy);
	return result;
}

/* Whether a walk whose last hit may or may not have been suppressed has two explanations. */
static bool suppressed_explains_too(const struct replay *replay)
{
	struct lookup lookup = { 0 };
	struct replay other = {
		.walk = replay->walk,
		.policy = replay->policy,
		.lookup = &lookup,
		.assume_suppressed = true,
	};
	enum derive_result result = replay_rules(&other);

	lookup_clear(&lookup);
	return result == DERIVE_DONE;
}

enum derive_result derive_direct(const struct walk_record *walk, const struct policy *policy,
				 struct lookup *lookup)
{
	struct replay replay = { .walk = walk, .policy = policy, .lookup = lookup };

	return replay_once(&replay, replay_direct);
}

/* The step that ended the walk, which the last answer made. */
static const struct lookup_step *chosen_step(const struct lookup *lookup)
{
	for (size_t i = 0; i < lookup->step_count; i++) {
		if (lookup->steps[i].outcome == STEP_CHOSEN)
			return &lookup->steps[i];
	}
	return NULL;
}

/*
 * A hit of IPv6 that a rule should have suppressed, and nothing behind it: the
 * route's exception answered, a host route to fib6_rule_suppress(). Where
 * fib6_lookup() asks, no rule suppresses. Where the first table may be asked again,
 * what lies behind it may have been taken for another walk.
 */
static enum derive_result derive_unsuppressed(const struct walk_record *walk,
					      const struct policy *policy, struct lookup *lookup)
{
	struct replay replay = {
		.walk = walk,
		.policy = policy,
		.lookup = lookup,
		.no_suppression = true,
	};
	enum derive_result result = DERIVE_CONFLICT;
	const struct lookup_step *step;

	if (!policy_family_ambiguous(policy, FLOW_AF_INET6))
		result = replay_once(&replay, replay_rules);
	step = result == DERIVE_DONE ? chosen_step(lookup) : NULL;
	if (step && !walk->origin.may_be_direct)
		lookup->verdict.decided_by = DECIDED_BY_EXCEPTION;
	return result;
}

/* What else a walk may be that the rules do not explain. */
static enum derive_result derive_otherwise(const struct walk_record *walk,
					   const struct policy *policy, struct lookup *lookup)
{
	enum derive_result result = DERIVE_CONFLICT;

	if (walk->key.family == FLOW_AF_INET6 && replay_walk_has_rules(walk) && walk->ended)
		result = derive_unsuppressed(walk, policy, lookup);
	if (result == DERIVE_CONFLICT && walk->origin.may_be_direct)
		result = derive_direct(walk, policy, lookup);
	return result;
}

enum derive_result derive_lookup(const struct walk_record *walk, const struct policy *policy,
				 struct lookup *lookup)
{
	struct replay replay = { .walk = walk, .policy = policy, .lookup = lookup };
	enum derive_result result;

	/* inet_addr_type() asks so; of IPv6 there are lookups without an input interface, too. */
	if (!walk->key.iif && walk->key.family == FLOW_AF_INET)
		return replay_once(&replay, replay_direct);
	result = replay_once(&replay, replay_walk_has_rules(walk) ? replay_rules : replay_built_in);
	if (result == DERIVE_CONFLICT)
		return derive_otherwise(walk, policy, lookup);
	if (result == DERIVE_DONE && replay.assumed && suppressed_explains_too(&replay)) {
		lookup_clear(lookup);
		return DERIVE_CONFLICT;
	}
	if (result == DERIVE_DONE)
		verdict_bound_device(lookup, walk, policy);
	return result;
}

/* Without a policy the last hit may have been suppressed by a rule that ends
 * the list, and the last miss be followed by a reject rule. */
static void unknown_verdict(struct lookup *lookup, const struct table_answer *last,
			    const struct policy *policy)
{
	struct lookup_verdict *verdict = &lookup->verdict;

	verdict->decided_by = DECIDED_BY_UNKNOWN;
	if (last->error == -EAGAIN)
		return;
	verdict->error = last->error;
	verdict->table = last->table;
	verdict->route = answer_route(last, &lookup->key, policy);
	if (last->error)
		verdict->route.type = error_route_type(last->error);
}

bool derive_unknown(const struct walk_record *walk, const struct policy *policy, const char *reason,
		    struct lookup *lookup)
{
	struct replay replay = { .walk = walk, .policy = policy, .lookup = lookup };

	lookup_fill(lookup, walk, policy);
	for (size_t i = 0; i < walk->answer_count; i++) {
		const struct table_answer *answer = &walk->answers[i];
		struct lookup_step *step;

		replay.route = answer_route(answer, &walk->key, policy);
		step = replay_add_table_step(&replay, answer, answer->table);
		if (!step)
			return false;
		if (answer->error)
			continue;
		step->outcome = STEP_SUPPRESSED;
		if (i + 1 == walk->answer_count) {
			step->outcome = STEP_UNKNOWN;
			step->reason = reason;
		}
	}
	unknown_verdict(lookup, &walk->answers[walk->answer_count - 1], policy);
	return true;
}
