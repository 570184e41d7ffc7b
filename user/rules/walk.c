// SPDX-License-Identifier: GPL-2.0-only
/* The walk over the rules, step by step as fib_rules_lookup() and fib4_rule_action() do it. */
#include "rules/walk.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

struct walk {
	const struct rule_list *list;
	const struct flow_key *key;
	struct match_context context;
	walk_ask ask;
	void (*report)(void *data, const struct walk_step *step);
	void *data;
};

/* ends: no further rule is looked at. */
static const struct {
	const char *name;
	bool ends;
} outcomes[STEP_OUTCOME_COUNT] = {
	[STEP_SKIPPED] = { "skipped", false },
	[STEP_NO_ROUTE] = { "no-route", false },
	[STEP_NO_TABLE] = { "no-table", false },
	[STEP_THROW] = { "throw", false },
	[STEP_SUPPRESSED] = { "suppressed", false },
	[STEP_CHOSEN] = { "chosen", true },
	[STEP_UNREACHABLE] = { "unreachable", true },
	[STEP_BLACKHOLE] = { "blackhole", true },
	[STEP_PROHIBIT] = { "prohibit", true },
	[STEP_GOTO] = { "goto", false },
	[STEP_NOP] = { "nop", false },
	[STEP_NOT_REACHED] = { "not-reached", false },
	[STEP_UNKNOWN] = { "unknown", true },
};

const char *step_outcome_name(enum step_outcome outcome)
{
	if ((unsigned int)outcome >= STEP_OUTCOME_COUNT)
		return "unknown";
	return outcomes[outcome].name;
}

enum decision { DECISION_NO, DECISION_YES, DECISION_OPEN };

static enum decision suppressed_by_length(const struct rule *rule, const struct ask_answer *answer)
{
	int longest = rule->family == AF_INET6 ? 128 : 32;

	if (rule->suppress_prefixlength < 0)
		return DECISION_NO;
	if (rule->suppress_prefixlength >= longest)
		return DECISION_YES;
	if (answer->prefix_length < 0)
		return DECISION_OPEN;
	return answer->prefix_length <= rule->suppress_prefixlength ? DECISION_YES : DECISION_NO;
}

static enum decision suppressed_by_group(const struct rule *rule, const struct ask_answer *answer)
{
	if (rule->suppress_ifgroup == -1)
		return DECISION_NO;
	if (answer->group < 0)
		return DECISION_OPEN;
	return (int32_t)answer->group == rule->suppress_ifgroup ? DECISION_YES : DECISION_NO;
}

/* The one of two that suppressed, when it is only known that one did. */
static enum suppressor suppressor_left(enum decision by_length, enum decision by_group)
{
	if (by_length == DECISION_OPEN && by_group == DECISION_NO)
		return SUPPRESSOR_PREFIXLENGTH;
	if (by_group == DECISION_OPEN && by_length == DECISION_NO)
		return SUPPRESSOR_IFGROUP;
	return SUPPRESSOR_NONE;
}

static enum decision decide_suppression(const struct rule *rule, const struct ask_answer *answer,
					enum suppressor *suppressor)
{
	enum decision by_length = suppressed_by_length(rule, answer);
	enum decision by_group = suppressed_by_group(rule, answer);

	*suppressor = SUPPRESSOR_NONE;
	if (!answer->suppressed)
		return DECISION_NO;
	if (by_length == DECISION_YES)
		*suppressor = SUPPRESSOR_PREFIXLENGTH;
	else if (by_group == DECISION_YES)
		*suppressor = SUPPRESSOR_IFGROUP;
	else if (answer->suppressed > 0)
		*suppressor = suppressor_left(by_length, by_group);
	if (answer->suppressed > 0 || *suppressor != SUPPRESSOR_NONE)
		return DECISION_YES;
	if (by_length == DECISION_OPEN || by_group == DECISION_OPEN)
		return DECISION_OPEN;
	return DECISION_NO;
}

enum step_outcome error_outcome(int error)
{
	switch (error) {
	case 0:
		return STEP_CHOSEN;
	case -EAGAIN:
		return STEP_NO_ROUTE;
	case -EACCES:
		return STEP_PROHIBIT;
	case -EINVAL:
		return STEP_BLACKHOLE;
	default:
		return STEP_UNREACHABLE;
	}
}

static enum step_outcome outcome_of_answer(const struct rule *rule, struct walk_step *step)
{
	if (step->answer.error)
		return step->answer.thrown ? STEP_THROW : error_outcome(step->answer.error);
	switch (decide_suppression(rule, &step->answer, &step->suppressor)) {
	case DECISION_NO:
		return STEP_CHOSEN;
	case DECISION_YES:
		return STEP_SUPPRESSED;
	default:
		return STEP_UNKNOWN;
	}
}

/* An inverted l3mdev rule runs without a table of its own, and fib_get_table() takes 0 for main. */
static uint32_t table_of(const struct walk *walk, const struct rule *rule)
{
	uint32_t table = rule->table;

	if (rule->action != RULE_LOOKUP)
		return 0;
	if (rule->l3mdev && walk->context.l3mdev_table)
		table = walk->context.l3mdev_table(walk->context.data, walk->key);
	return table ? table : RT_TABLE_MAIN;
}

static enum step_outcome ask_table(const struct walk *walk, struct walk_step *step)
{
	switch (walk->ask(walk->data, step->rule, step->table, &step->answer)) {
	case ASK_ANSWERED:
		return outcome_of_answer(&walk->list->rules[step->rule], step);
	case ASK_NO_TABLE:
		step->answer.error = -EAGAIN;
		return STEP_NO_TABLE;
	default:
		return STEP_UNKNOWN;
	}
}

/* What an action does that asks no table. Those the kernel does not know are as blackhole. */
static enum step_outcome refuse(struct walk_step *step, int error)
{
	step->answer.error = error;
	return error == -ENETUNREACH ? STEP_UNREACHABLE : error_outcome(error);
}

static enum step_outcome run_action(const struct walk *walk, struct walk_step *step)
{
	switch (walk->list->rules[step->rule].action) {
	case RULE_LOOKUP:
		return ask_table(walk, step);
	case RULE_GOTO:
		return STEP_GOTO;
	case RULE_NOP:
		return STEP_NOP;
	case RULE_UNREACHABLE:
		return refuse(step, -ENETUNREACH);
	case RULE_PROHIBIT:
		return refuse(step, -EACCES);
	default:
		return refuse(step, -EINVAL);
	}
}

/* The step of the rule at index, its outcome open: STEP_NOT_REACHED or STEP_SKIPPED. */
static struct walk_step match_step(const struct walk *walk, size_t index)
{
	const struct rule *rule = &walk->list->rules[index];
	struct walk_step step = {
		.rule = index,
		.outcome = STEP_NOT_REACHED,
		.table = table_of(walk, rule),
		.jumped_by = SIZE_MAX,
		.mismatch = rule_mismatch(rule, walk->key, &walk->context),
		.answer = { .prefix_length = -1, .group = -1, .suppressed = -1 },
	};

	if (step.mismatch.selector != SELECTOR_NONE)
		step.outcome = STEP_SKIPPED;
	return step;
}

static void report(const struct walk *walk, const struct walk_step *step)
{
	if (walk->report)
		walk->report(walk->data, step);
}

/* The index of the first rule of the target priority, 0 without one: gotos only lead on. The list
 * decides, not the rule's own `unresolved`, which was true when it was dumped and may not be now. */
static size_t target_of(const struct rule_list *list, size_t index)
{
	uint32_t target = list->rules[index].target;

	for (size_t i = index + 1; i < list->count; i++) {
		if (list->rules[i].priority == target)
			return i;
	}
	return 0;
}

static void report_jumped_over(const struct walk *walk, size_t jump, size_t target)
{
	for (size_t i = jump + 1; walk->report && i < target; i++) {
		struct walk_step step = match_step(walk, i);

		step.jumped_by = jump;
		report(walk, &step);
	}
}

/* Reports the step and what it jumps over; the index of the next rule to look at. */
static size_t report_step(const struct walk *walk, struct walk_step *step)
{
	size_t target = 0;

	if (step->outcome == STEP_GOTO) {
		target = target_of(walk->list, step->rule);
		step->unresolved = !target;
	}
	report(walk, step);
	if (!target)
		return step->rule + 1;
	report_jumped_over(walk, step->rule, target);
	return target;
}

/* Behind a step that is not known, nobody knows what the kernel reached. */
static void report_rest(const struct walk *walk, size_t index, bool complete)
{
	if (!walk->report)
		return;
	for (size_t i = index; i < walk->list->count; i++) {
		struct walk_step step = match_step(walk, i);

		if (!complete && step.outcome == STEP_NOT_REACHED)
			step.outcome = STEP_UNKNOWN;
		report(walk, &step);
	}
}

static struct walk_result result_of(const struct walk_step *step)
{
	if (step->outcome == STEP_UNKNOWN)
		return (struct walk_result){ .error = -EAGAIN, .rule = SIZE_MAX };
	return (struct walk_result){
		.error = step->answer.error,
		.rule = step->rule,
		.complete = true,
	};
}

struct walk_result policy_walk(const struct policy *policy, const struct rule_list *list,
			       const struct flow_key *key, walk_ask ask,
			       void (*step)(void *data, const struct walk_step *step), void *data)
{
	struct walk walk = { list, key, policy_match_context(policy), ask, step, data };
	struct walk_result result = { .error = -ENETUNREACH, .rule = SIZE_MAX, .complete = true };
	size_t index = 0;

	while (index < list->count) {
		struct walk_step now = match_step(&walk, index);

		if (now.outcome != STEP_SKIPPED)
			now.outcome = run_action(&walk, &now);
		index = report_step(&walk, &now);
		if (outcomes[now.outcome].ends) {
			result = result_of(&now);
			report_rest(&walk, index, result.complete);
			break;
		}
	}
	return result;
}

static int64_t group_of_device(const struct policy *policy, uint32_t index)
{
	const struct link *link = policy_link(policy, index);

	return link ? (int64_t)link->group : -1;
}

/* fib6_rule_suppress() comes after multipath selection: the group is known when it is the same
 * whichever nexthop is chosen. */
static int64_t group_of_usable(const struct policy *policy, const struct route *route)
{
	int64_t group = -1;

	for (uint32_t i = 0; i < route->nexthop_count; i++) {
		int64_t other = group_of_device(policy, route->nexthops[i].dev);

		if (route->nexthops[i].flags & RTNH_F_DEAD)
			continue;
		if (group >= 0 && other != group)
			return -1;
		group = other;
	}
	return group;
}

static int64_t group_of(const struct policy *policy, const struct route *route)
{
	if (!route || !route->nexthop_count)
		return -1;
	if (route->family == AF_INET6)
		return group_of_usable(policy, route);
	/* fib4_rule_suppress() looks at the first nexthop, whichever is used. */
	return group_of_device(policy, route->nexthops[0].dev);
}

enum ask_result policy_ask_tables(void *data, size_t index, uint32_t table,
				  struct ask_answer *answer)
{
	struct policy_ask *asked = data;
	const struct route_table *routes;
	const struct route *route;

	(void)index;
	asked->last = (struct table_result){ .error = -EAGAIN };
	if (policy_table_unheld(asked->policy, asked->key->family, table))
		return ASK_STOP;
	routes = policy_table(asked->policy, asked->key->family, table);
	if (!routes)
		return ASK_NO_TABLE;
	asked->last = route_table_lookup(routes, asked->key, false);
	route = asked->last.route;
	*answer = (struct ask_answer){
		.error = asked->last.error,
		.prefix_length = route ? route->dst_length : -1,
		.group = group_of(asked->policy, route),
		.suppressed = -1,
		.thrown = asked->last.error == -EAGAIN && route && route->type == RTN_THROW,
	};
	return ASK_ANSWERED;
}
