// SPDX-License-Identifier: GPL-2.0-only
/* Walks without rules: the tables that the kernel asks itself, and those that a caller knows. */
#include "trace/replay.h"

#include <errno.h>
#include <linux/rtnetlink.h>

#include "trace/lookup_route.h"
#include "trace/policy_walks.h"

enum evidence replay_throw_evidence(const struct table_answer *answer)
{
	return answer && answer->route_type ? EVIDENCE_KERNEL : EVIDENCE_DERIVED;
}

struct lookup_step *replay_add_table_step(struct replay *replay, const struct table_answer *answer,
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
	if (answer->error == -EAGAIN && replay->route.type == RTN_THROW) {
		step->outcome = STEP_THROW;
		step->evidence = replay_throw_evidence(answer);
		step->has_route = true;
	}
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
	if (answer->table == TABLE_MAIN && replay->walk->key.family == FLOW_AF_INET)
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

	replay->route = answer_route(answer, &replay->walk->key, replay->policy);
	explained = built_in_explains(replay, answer, &table);
	if (!answer->error && !explained &&
	    !policy_table_unheld(replay->policy, replay->walk->key.family, answer->table))
		return DERIVE_CONFLICT;
	step = replay_add_table_step(replay, answer, table);
	if (!step)
		return DERIVE_FAILED;
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

bool replay_walk_has_rules(const struct walk_record *walk)
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
	if (!error || policy_table_may_be_missing(policy, FLOW_AF_INET, TABLE_DEFAULT))
		return false;
	return error == -EAGAIN || policy_default_after_reject(policy) != DEFAULT_NOT_ASKED;
}

enum default_after_reject derive_default_after_reject(const struct walk_record *walk,
						      const struct policy *policy)
{
	int error = walk->answers[0].error;

	if (walk->key.family != FLOW_AF_INET || replay_walk_has_rules(walk) || !error ||
	    error == -EAGAIN || !walk->ended ||
	    policy_table_may_be_missing(policy, FLOW_AF_INET, TABLE_DEFAULT))
		return DEFAULT_NOT_KNOWN;
	return walk->answer_count > 1 ? DEFAULT_ASKED : DEFAULT_NOT_ASKED;
}

/* The steps of the two tables that the kernel asks one after the other. */
static enum derive_result built_in_steps(struct replay *replay, uint32_t first, uint32_t second)
{
	const struct walk_record *walk = replay->walk;

	for (; replay->used < walk->answer_count; replay->used++) {
		const struct table_answer *answer = &walk->answers[replay->used];
		enum derive_result result;

		if (replay->used > 1 || answer->table != (replay->used ? second : first))
			return DERIVE_CONFLICT;
		result = built_in_step(replay, answer);
		if (result != DERIVE_DONE)
			return result;
		if (!answer->error && replay->used + 1 < walk->answer_count)
			return DERIVE_CONFLICT;
	}
	return DERIVE_DONE;
}

/* fib6_rule_lookup() without custom rules: table local, then main unless that answered. */
static enum derive_result replay_built_in6(struct replay *replay)
{
	const struct walk_record *walk = replay->walk;
	const struct table_answer *last = &walk->answers[walk->answer_count - 1];
	enum derive_result result = built_in_steps(replay, TABLE_LOCAL, TABLE_MAIN);

	if (result != DERIVE_DONE)
		return result;
	if (last->table == TABLE_LOCAL && last->error == -EAGAIN)
		return walk->ended ? DERIVE_CONFLICT : DERIVE_OPEN;
	replay->lookup->verdict.decided_by = DECIDED_BY_BUILT_IN;
	return DERIVE_DONE;
}

/* fib_lookup() without custom rules: table main, which holds local too, then default. */
enum derive_result replay_built_in(struct replay *replay)
{
	const struct walk_record *walk = replay->walk;
	const struct table_answer *last = &walk->answers[walk->answer_count - 1];
	enum derive_result result;

	if (replay->walk->key.family == FLOW_AF_INET6)
		return replay_built_in6(replay);
	result = built_in_steps(replay, TABLE_MAIN, TABLE_DEFAULT);
	if (result != DERIVE_DONE)
		return result;
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

enum derive_result replay_direct(struct replay *replay)
{
	const struct table_answer *answer = &replay->walk->answers[0];
	struct lookup_verdict *verdict = &replay->lookup->verdict;

	if (replay->walk->answer_count != 1)
		return DERIVE_CONFLICT;
	replay->route = answer_route(answer, &replay->walk->key, replay->policy);
	table_explains(replay->policy, &replay->walk->key, answer->table, answer, &replay->route);
	if (!replay_add_table_step(replay, answer, answer->table))
		return DERIVE_FAILED;
	verdict->error = answer->error == -EAGAIN ? -ENETUNREACH : answer->error;
	verdict->decided_by = DECIDED_BY_DIRECT;
	verdict->table = answer->table;
	verdict->route = replay->route;
	if (answer->error)
		verdict->route.type = error_route_type(answer->error);
	return DERIVE_DONE;
}
