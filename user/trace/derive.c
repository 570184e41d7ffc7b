// SPDX-License-Identifier: GPL-2.0-only
/* The walk over the rules, derived from what the tables answered and the policy in force. */
#include "trace/derive.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <string.h>

#include "rules/route.h"
#include "trace/lookup_route.h"

/* The state of one replay. asked is the answer that the step in progress used, route what
 * the policy holds for it. */
struct replay {
	const struct walk_record *walk;
	const struct policy *policy;
	const struct rule_list *rules;
	struct lookup *lookup;
	size_t used;
	const struct table_answer *asked;
	struct lookup_route route;
	bool open;
	bool conflict;
	bool failed;
	bool assumed; /* the last hit was taken as not suppressed, for want of its prefix */
	bool assume_suppressed;
};

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

static bool table_may_be_missing(const struct policy *policy, uint32_t table)
{
	const struct route_table *held = policy_table(policy, FLOW_AF_INET, table);

	if (policy_table_unheld(policy, FLOW_AF_INET, table))
		return false;
	return !held || !route_table_count(held);
}

/* Tables of IPv4 never go away: one that answered answers whenever it is asked. */
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
	if (table_may_be_missing(replay->policy, table) && !table_answered(replay->walk, table)) {
		replay->lookup->may_grow |= replay->used == replay->walk->answer_count;
		return ASK_NO_TABLE;
	}
	if (replay->used == replay->walk->answer_count && !replay->walk->ended)
		replay->open = true;
	else
		replay->conflict = true;
	return ASK_STOP;
}

/* fib4_rule_suppress() looks at the route's first nexthop, whichever answered. */
static int64_t first_group(const struct replay *replay, const struct route *route,
			   const struct table_answer *answer)
{
	const struct link *link = NULL;

	if (route && route->nexthop_count)
		link = policy_link(replay->policy, route->nexthops[0].dev);
	else if (!replay->walk->key.oif)
		link = policy_link(replay->policy, answer->dev);
	return link ? (int64_t)link->group : -1;
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
	if (replay->route.prefix_length >= 0)
		return -1;
	if (more)
		return 1;
	if (!replay->walk->ended)
		return -1;
	replay->assumed = true;
	return replay->assume_suppressed;
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
	replay->route = answer_route(answer, replay->policy);
	explained =
		table_explains(replay->policy, &replay->walk->key, table, answer, &replay->route);
	/* A hit in a table that holds no such route: the policy is not the kernel's. */
	if (!answer->error && !explained &&
	    !policy_table_unheld(replay->policy, FLOW_AF_INET, table)) {
		replay->conflict = true;
		return ASK_STOP;
	}
	*out = (struct ask_answer){
		.error = answer->error,
		.prefix_length = replay->route.prefix_length,
		.group = first_group(replay, explained, answer),
		.thrown = explained && answer->error == -EAGAIN && replay->route.type == RTN_THROW,
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

/* ip_route_output_key_hash_rcu(): an output lookup with a device set goes on
 * without a route. */
static bool bound_device_overrides(const struct walk_record *walk, const struct policy *policy)
{
	const struct flow_key *key = &walk->key;
	enum purpose purpose = walk->origin.purpose;
	bool output = purpose == PURPOSE_OUTPUT || purpose == PURPOSE_REROUTE ||
		      purpose == PURPOSE_ROUTE_GET;

	return output && key->oif && key->iif == FLOW_IFINDEX_LO &&
	       (is_multicast(key) || !flow_is_of_vrf(key, policy));
}

static void verdict_bound_device(struct lookup *lookup, const struct walk_record *walk,
				 const struct policy *policy)
{
	struct lookup_verdict *verdict = &lookup->verdict;

	if (!verdict->error || !bound_device_overrides(walk, policy))
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

	replay->rules = policy_rules(replay->policy, FLOW_AF_INET);
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

/* A step for a table that the kernel asked without a rule that is known. */
static struct lookup_step *add_table_step(struct replay *replay, const struct table_answer *answer,
					  uint32_t table)
{
	struct lookup_step *step = lookup_add_step(replay->lookup);

	if (!step)
		return NULL;
	step->table = table;
	step->outcome = error_outcome(answer->error);
	step->evidence = EVIDENCE_KERNEL;
	step->has_route = answer->error != -EAGAIN;
	step->route = replay->route;
	return step;
}

/* local and main share one trie while there are no custom rules: the longer prefix answered. */
static bool merged_tables_explain(struct replay *replay, const struct table_answer *answer,
				  uint32_t *table)
{
	struct lookup_route local = replay->route, main = replay->route;
	bool by_local =
		table_explains(replay->policy, &replay->walk->key, TABLE_LOCAL, answer, &local);
	bool by_main =
		table_explains(replay->policy, &replay->walk->key, TABLE_MAIN, answer, &main);

	*table = TABLE_MAIN;
	if (by_local && (!by_main || local.prefix_length >= main.prefix_length)) {
		replay->route = local;
		*table = TABLE_LOCAL;
		return true;
	}
	if (by_main)
		replay->route = main;
	return by_main;
}

static bool built_in_explains(struct replay *replay, const struct table_answer *answer,
			      uint32_t *table)
{
	*table = answer->table;
	if (answer->table == TABLE_MAIN)
		return merged_tables_explain(replay, answer, table);
	return table_explains(replay->policy, &replay->walk->key, answer->table, answer,
			      &replay->route);
}

static enum derive_result built_in_step(struct replay *replay, const struct table_answer *answer)
{
	struct lookup_verdict *verdict = &replay->lookup->verdict;
	struct lookup_step *step;
	uint32_t table;
	bool explained;

	replay->route = answer_route(answer, replay->policy);
	explained = built_in_explains(replay, answer, &table);
	if (!answer->error && !explained &&
	    !policy_table_unheld(replay->policy, FLOW_AF_INET, answer->table))
		return DERIVE_CONFLICT;
	step = add_table_step(replay, answer, table);
	if (!step)
		return DERIVE_FAILED;
	if (explained && answer->error == -EAGAIN && replay->route.type == RTN_THROW) {
		step->outcome = STEP_THROW;
		step->evidence = EVIDENCE_DERIVED;
		step->has_route = true;
	}
	step->has_priority = built_in_priority(table, &step->priority);
	verdict->error = answer->error == -EAGAIN ? -ENETUNREACH : answer->error;
	verdict->has_priority = step->has_priority && answer->error != -EAGAIN;
	verdict->priority = verdict->has_priority ? step->priority : 0;
	verdict->table = answer->error == -EAGAIN ? 0 : table;
	verdict->route = (struct lookup_route){ .prefix_length = -1 };
	if (answer->error != -EAGAIN)
		verdict->route = replay->route;
	if (answer->error)
		verdict->route.type = error_route_type(answer->error);
	return DERIVE_DONE;
}

/* False: the kernel walks no rules in this namespace. Unknown counts as rules. */
static bool walk_has_rules(const struct walk_record *walk)
{
	for (size_t i = walk->answer_count; i-- > 0;) {
		if (walk->answers[i].flags & ANSWER_POLICY_KNOWN)
			return walk->answers[i].flags & ANSWER_CUSTOM_RULES;
	}
	return true;
}

/* Whether table default answers, or may yet answer, after main did with error. */
static bool default_is_next(const struct policy *policy, int error)
{
	if (!error || table_may_be_missing(policy, TABLE_DEFAULT))
		return false;
	return error == -EAGAIN || policy_default_after_reject(policy) != DEFAULT_NOT_ASKED;
}

enum default_after_reject derive_default_after_reject(const struct walk_record *walk,
						      const struct policy *policy)
{
	int error = walk->answers[0].error;

	if (walk_has_rules(walk) || !error || error == -EAGAIN || !walk->ended ||
	    table_may_be_missing(policy, TABLE_DEFAULT))
		return DEFAULT_NOT_KNOWN;
	return walk->answer_count > 1 ? DEFAULT_ASKED : DEFAULT_NOT_ASKED;
}

/* fib_lookup() without custom rules: table main, which holds local too, then default. */
static enum derive_result replay_built_in(struct replay *replay)
{
	const struct walk_record *walk = replay->walk;
	const struct table_answer *last = &walk->answers[walk->answer_count - 1];

	for (; replay->used < walk->answer_count; replay->used++) {
		const struct table_answer *answer = &walk->answers[replay->used];
		enum derive_result result;

		if (replay->used > 1 ||
		    answer->table != (replay->used ? TABLE_DEFAULT : TABLE_MAIN))
			return DERIVE_CONFLICT;
		result = built_in_step(replay, answer);
		if (result != DERIVE_DONE)
			return result;
		if (!answer->error && replay->used + 1 < walk->answer_count)
			return DERIVE_CONFLICT;
	}
	if (last->table == TABLE_MAIN && default_is_next(replay->policy, last->error)) {
		if (!walk->ended)
			return DERIVE_OPEN;
		if (last->error == -EAGAIN)
			return DERIVE_CONFLICT;
	}
	replay->lookup->may_grow = last->error && last->table == TABLE_MAIN;
	replay->lookup->verdict.decided_by = DECIDED_BY_BUILT_IN;
	return DERIVE_DONE;
}

/* One table asked by a caller that needs no rules. */
static enum derive_result replay_direct(struct replay *replay)
{
	const struct table_answer *answer = &replay->walk->answers[0];
	struct lookup_verdict *verdict = &replay->lookup->verdict;

	if (replay->walk->answer_count != 1)
		return DERIVE_CONFLICT;
	replay->route = answer_route(answer, replay->policy);
	table_explains(replay->policy, &replay->walk->key, answer->table, answer, &replay->route);
	if (!add_table_step(replay, answer, answer->table))
		return DERIVE_FAILED;
	verdict->error = answer->error == -EAGAIN ? -ENETUNREACH : answer->error;
	verdict->decided_by = DECIDED_BY_DIRECT;
	verdict->table = answer->table;
	verdict->route = replay->route;
	if (answer->error)
		verdict->route.type = error_route_type(answer->error);
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

enum derive_result derive_lookup(const struct walk_record *walk, const struct policy *policy,
				 struct lookup *lookup)
{
	struct replay replay = { .walk = walk, .policy = policy, .lookup = lookup };
	enum derive_result result;

	if (!walk->key.iif)
		return replay_once(&replay, replay_direct);
	result = replay_once(&replay, walk_has_rules(walk) ? replay_rules : replay_built_in);
	if (result == DERIVE_CONFLICT && walk->origin.may_be_direct)
		return derive_direct(walk, policy, lookup);
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
	verdict->route = answer_route(last, policy);
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

		replay.route = answer_route(answer, policy);
		step = add_table_step(&replay, answer, answer->table);
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

static bool steps_agree(const struct lookup_step *a, const struct lookup_step *b)
{
	return a->outcome == b->outcome && a->table == b->table &&
	       a->has_priority == b->has_priority && a->priority == b->priority &&
	       a->suppressor == b->suppressor && a->unresolved == b->unresolved &&
	       !a->rule == !b->rule && (!a->rule || rule_equal(a->rule, b->rule));
}

bool lookups_agree(const struct lookup *a, const struct lookup *b)
{
	if (a->step_count != b->step_count || a->verdict.decided_by != b->verdict.decided_by ||
	    a->verdict.error != b->verdict.error ||
	    a->verdict.route.prefix_length != b->verdict.route.prefix_length)
		return false;
	for (size_t i = 0; i < a->step_count; i++) {
		if (!steps_agree(&a->steps[i], &b->steps[i]))
			return false;
	}
	return true;
}

static size_t rules_asking(const struct rule_list *list, uint32_t table)
{
	size_t count = 0;

	for (size_t i = 0; i < list->count; i++) {
		const struct rule *rule = &list->rules[i];

		count += rule->action == RULE_LOOKUP && (rule->l3mdev || rule->table == table);
	}
	return count;
}

bool policy_walks_ambiguous(const struct policy *policy)
{
	const struct rule_list *list = policy_rules(policy, FLOW_AF_INET);

	/* Up to the first rule that every flow asks a table by, each may be a walk's first. */
	for (size_t i = 0; list && i < list->count; i++) {
		const struct rule *rule = &list->rules[i];

		if (rule->action == RULE_GOTO)
			return true;
		if (rule->action != RULE_LOOKUP)
			continue;
		if (rule->l3mdev || rules_asking(list, rule->table) > 1)
			return true;
		if (rule_is_catch_all(rule) && !table_may_be_missing(policy, rule->table))
			return false;
	}
	return false;
}

static bool rule_rejects(const struct rule *rule)
{
	return rule->action == RULE_UNREACHABLE || rule->action == RULE_PROHIBIT ||
	       rule->action == RULE_BLACKHOLE;
}

bool policy_hides_reject(const struct policy *policy, uint32_t *priority)
{
	const struct rule_list *list = policy_rules(policy, FLOW_AF_INET);

	for (size_t i = 0; list && i < list->count; i++) {
		const struct rule *rule = &list->rules[i];

		if (rule_rejects(rule)) {
			*priority = rule->priority;
			return true;
		}
		if (rule->action == RULE_LOOKUP && rule_is_catch_all(rule) &&
		    !table_may_be_missing(policy, rule->table))
			return false;
	}
	return false;
}
