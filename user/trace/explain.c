// SPDX-License-Identifier: GPL-2.0-only
/* Why not the rule one expected: each rule of the policy accounted for, and what is wrong. */
#include "trace/explain.h"

#include <stdlib.h>

#include "trace/examination.h"
#include "trace/lookup_route.h"

struct explainer {
	struct history *history;
};

struct explainer *explainer_new(void)
{
	struct explainer *explainer = calloc(1, sizeof(*explainer));

	if (!explainer)
		return NULL;
	explainer->history = history_new();
	if (!explainer->history) {
		free(explainer);
		return NULL;
	}
	return explainer;
}

void explainer_free(struct explainer *explainer)
{
	if (!explainer)
		return;
	history_free(explainer->history);
	free(explainer);
}

/* The table that a rule which did not apply would have asked, for which fib_get_table() takes 0 for
 * main; 0: none, or that is not known. */
static uint32_t table_of_rule(const struct rule *rule)
{
	if (rule->action != RULE_LOOKUP || rule->l3mdev)
		return 0;
	return rule->table ? rule->table : TABLE_MAIN;
}

/* More than one selector in the way: no single thing kept the packet from the rule. */
static bool refused_by_one(const struct rule *rule, const struct flow_key *key,
			   const struct match_context *context, const struct mismatch *mismatch)
{
	if (mismatch->selector == SELECTOR_NOT)
		return true;
	return rule_mismatches(rule, key, context) == 1u << mismatch->selector;
}

/* current: the policy is the one that explained the walk. */
static void fill_skipped(struct lookup_step *step, const struct lookup *lookup,
			 const struct policy *policy, bool current)
{
	const struct match_context context = policy_match_context(policy);
	const struct rule *rule = step->rule;

	step->mismatch = rule_mismatch(rule, &lookup->key, &context);
	if (step->mismatch.selector == SELECTOR_NONE) {
		/* By what is known now it would apply, but the kernel passed it over. */
		step->outcome = STEP_UNKNOWN;
		step->reason = "policy-changed";
		return;
	}
	step->refused_by_one = refused_by_one(rule, &lookup->key, &context, &step->mismatch);
	if (current && step->refused_by_one && step->table)
		step->has_route =
			table_would_match(policy, &lookup->key, step->table, &step->route);
}

static void add_skipped(struct lookup_step *step, const struct rule *rule,
			const struct lookup *lookup, const struct policy *policy, bool current)
{
	*step = (struct lookup_step){
		.rule = rule,
		.table = table_of_rule(rule),
		.outcome = STEP_SKIPPED,
		.evidence = EVIDENCE_DERIVED,
		.has_priority = true,
		.priority = rule->priority,
	};
	fill_skipped(step, lookup, policy, current);
}

/* The steps there are come in the order of the rules: the others go in between. */
static bool account_for_rules(struct lookup *lookup, const struct policy *policy, bool current)
{
	const struct rule_list *rules = lookup->rules;
	struct lookup_step *steps;
	size_t used = 0;

	if (rules->count <= lookup->step_count)
		return true;
	steps = reallocarray(NULL, rules->count, sizeof(*steps));
	if (!steps)
		return false;
	for (size_t i = 0; i < rules->count; i++) {
		const struct rule *rule = &rules->rules[i];

		if (used < lookup->step_count && lookup->steps[used].rule == rule)
			steps[i] = lookup->steps[used++];
		else
			add_skipped(&steps[i], rule, lookup, policy, current);
	}
	free(lookup->steps);
	lookup->steps = steps;
	lookup->step_count = rules->count;
	return true;
}

static const struct lookup_step *ending_step(const struct lookup *lookup)
{
	for (size_t i = 0; i < lookup->step_count; i++) {
		switch (lookup->steps[i].outcome) {
		case STEP_CHOSEN:
		case STEP_UNREACHABLE:
		case STEP_BLACKHOLE:
		case STEP_PROHIBIT:
			return &lookup->steps[i];
		default:
			break;
		}
	}
	return NULL;
}

static bool is_of_packet(const struct lookup *lookup)
{
	return lookup->key.iif && lookup->purpose != PURPOSE_OTHER;
}

static void (*const finders[])(struct examination *examination) = {
	find_in_marks,	   find_in_order,	 find_in_tables,
	find_in_selectors, find_in_conversation, find_in_families,
};

static bool examine(struct explainer *explainer, struct lookup *lookup, const struct policy *policy)
{
	struct examination examination = {
		.lookup = lookup,
		.policy = policy,
		.history = explainer->history,
		.context = policy_match_context(policy),
		.end = ending_step(lookup),
	};

	for (size_t i = 0; i < sizeof(finders) / sizeof(finders[0]); i++)
		finders[i](&examination);
	lookup->examined = !examination.failed;
	return !examination.failed;
}

static bool is_current(const struct lookup *lookup, const struct policy *policy)
{
	return policy && lookup->generation && lookup->generation == policy_generation(policy);
}

bool explain_steps(struct lookup *lookup, const struct policy *policy)
{
	if (!policy || !lookup->generation || !lookup->rules)
		return true;
	return account_for_rules(lookup, policy, is_current(lookup, policy));
}

bool explain_lookup(struct explainer *explainer, struct lookup *lookup, const struct policy *policy)
{
	bool current = is_current(lookup, policy);
	bool done = explain_steps(lookup, policy);

	if (done && current && is_of_packet(lookup))
		done = examine(explainer, lookup, policy);
	else if (done && current)
		lookup->examined = true;
	history_add(explainer->history, lookup);
	return done;
}
