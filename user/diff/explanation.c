// SPDX-License-Identifier: GPL-2.0-only
/* Which differences of a policy make a verdict another one: each is made, and undone, alone. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "diff/comparison.h"
#include "diff/concerns.h"
#include "rules/grow.h"

/* So many differences are tried on flows, and so many rules are walked for that. */
#define TRIALS_MAX ((size_t)1 << 20)
#define WALKED_MAX ((size_t)64 << 20)

/* What one difference does to one changed flow. */
enum effect {
	EFFECT_SUFFICES = 1 << 0, /* made in the old policy, it gives the new verdict */
	EFFECT_NEEDED = 1 << 1, /* undone in the new policy, it gives the old verdict */
	EFFECT_MATTERS = 1 << 2, /* made or undone, it gives another verdict */
};

struct trial {
	size_t item; /* of the policy's differences */
	size_t change;
	unsigned int effect;
};

struct explaining {
	struct comparison *comparison;
	struct concerns concerns;
	struct policy *scratch[SIDE_COUNT]; /* in which differences are made and undone */
	struct trial *trials;
	size_t count;
	size_t capacity;
	size_t trials_max;
	size_t change; /* whose trials are collected */
};

/* --- what is to be tried ------------------------------------------------------------------ */

static int add_trial(void *data, size_t index)
{
	struct explaining *explaining = data;
	struct trial *trials;

	if (explaining->count >= explaining->trials_max)
		return -E2BIG;
	trials = array_reserve(explaining->trials, sizeof(*trials), explaining->count,
			       &explaining->capacity);
	if (!trials)
		return -ENOMEM;
	explaining->trials = trials;
	trials[explaining->count++] = (struct trial){ .item = index, .change = explaining->change };
	return 0;
}

static size_t rule_count(const struct policy *policy)
{
	const struct rule_list *inet = policy_rules(policy, FLOW_AF_INET);
	const struct rule_list *inet6 = policy_rules(policy, FLOW_AF_INET6);

	return (inet ? inet->count : 0) + (inet6 ? inet6->count : 0);
}

static size_t trials_max(const struct comparison *comparison)
{
	size_t rules = 1 + rule_count(comparison->policy[SIDE_OLD]) +
		       rule_count(comparison->policy[SIDE_NEW]);

	return WALKED_MAX / rules < TRIALS_MAX ? WALKED_MAX / rules : TRIALS_MAX;
}

/* A flow with which it would become too much is left without an explanation. */
static int collect_trials(struct explaining *explaining)
{
	struct comparison *comparison = explaining->comparison;

	for (size_t i = 0; i < comparison->count; i++) {
		struct flow_change *change = &comparison->changes[i];
		size_t before = explaining->count;
		int err;

		if (change->recorded)
			continue;
		explaining->change = i;
		err = concerns_visit(&explaining->concerns, &change->asked.key, add_trial,
				     explaining);
		if (err == -E2BIG) {
			change->explanation = EXPLAINED_NOT;
			explaining->count = before;
		} else if (err) {
			return err;
		}
	}
	return 0;
}

static int compare_numbers(size_t a, size_t b)
{
	return a < b ? -1 : a > b;
}

static int by_item(const void *first, const void *second)
{
	const struct trial *a = first, *b = second;
	int order = compare_numbers(a->item, b->item);

	return order ? order : compare_numbers(a->change, b->change);
}

static int by_change(const void *first, const void *second)
{
	const struct trial *a = first, *b = second;
	int order = compare_numbers(a->change, b->change);

	return order ? order : compare_numbers(a->item, b->item);
}

/* --- trying ------------------------------------------------------------------------------- */

/* What the scratch policy of a side, with the difference as the other side has it, answers. */
static void judge(const struct explaining *explaining, struct trial *trial, enum policy_side side)
{
	const struct flow_change *change = &explaining->comparison->changes[trial->change];
	struct verdict verdict = verdict_of(explaining->scratch[side], &change->asked);

	if (verdict.gap != GAP_NONE)
		return;
	if (!verdicts_equal(&verdict, &change->model[side], &change->asked))
		trial->effect |= EFFECT_MATTERS;
	if (verdicts_equal(&verdict, &change->model[!side], &change->asked))
		trial->effect |= side == SIDE_OLD ? EFFECT_SUFFICES : EFFECT_NEEDED;
}

/* Rules are put back as they were: a new one would go behind others of its priority. */
static int restore(const struct explaining *explaining, const struct policy_difference *item,
		   enum policy_side side, struct rule_list *rules)
{
	struct policy *scratch = explaining->scratch[side];

	if (item->kind != DIFFERENCE_RULE)
		return policy_diff_apply(&explaining->comparison->policy_diff, item, side, scratch);
	policy_set_rules(scratch, item->family, rules);
	return 0;
}

/* Tries trials[first..behind), which are of one difference. */
static int try_item(struct explaining *explaining, enum policy_side side, size_t first,
		    size_t behind)
{
	const struct policy_diff *diff = &explaining->comparison->policy_diff;
	const struct policy_difference *item = &diff->items[explaining->trials[first].item];
	struct rule_list *rules = NULL;
	int err;

	if (item->kind == DIFFERENCE_RULE)
		rules = rule_list_get(policy_rules(explaining->scratch[side], item->family));
	err = policy_diff_apply(diff, item, !side, explaining->scratch[side]);
	for (size_t i = first; !err && i < behind; i++)
		judge(explaining, &explaining->trials[i], side);
	if (!err)
		return restore(explaining, item, side, rules);
	rule_list_put(rules);
	return err;
}

static int try_all(struct explaining *explaining, enum policy_side side)
{
	size_t first = 0;
	int err = 0;

	while (first < explaining->count && !err) {
		size_t behind = first + 1;

		while (behind < explaining->count &&
		       explaining->trials[behind].item == explaining->trials[first].item)
			behind++;
		err = try_item(explaining, side, first, behind);
		first = behind;
	}
	return err;
}

/* --- what came of it ---------------------------------------------------------------------- */

static int add_reason(struct comparison *comparison, struct flow_change *change, size_t item)
{
	size_t *reasons = array_reserve(comparison->reasons, sizeof(*reasons),
					comparison->reason_count, &comparison->reason_capacity);

	if (!reasons)
		return -ENOMEM;
	comparison->reasons = reasons;
	reasons[comparison->reason_count++] = item;
	change->reason_count++;
	return 0;
}

static size_t count_effect(const struct trial *trials, size_t count, unsigned int effect)
{
	size_t found = 0;

	for (size_t i = 0; i < count; i++)
		found += (trials[i].effect & effect) != 0;
	return found;
}

/* One that is needed and not enough has helpers, of which any would do. */
static unsigned int effect_that_explains(const struct trial *trials, size_t count)
{
	if (count_effect(trials, count, EFFECT_SUFFICES))
		return EFFECT_SUFFICES;
	if (count_effect(trials, count, EFFECT_NEEDED) > 1)
		return EFFECT_NEEDED;
	return EFFECT_MATTERS;
}

/* Where each alone does nothing, it is all of them; but one that does nothing is no reason. */
static int explain_change(struct comparison *comparison, struct flow_change *change,
			  const struct trial *trials, size_t count)
{
	unsigned int effect = effect_that_explains(trials, count);
	bool any = count_effect(trials, count, effect) != 0;
	int err = 0;

	if (!any && count < 2)
		return 0;
	change->explanation = effect == EFFECT_SUFFICES ? EXPLAINED_BY_ONE : EXPLAINED_TOGETHER;
	change->first_reason = comparison->reason_count;
	for (size_t i = 0; i < count && !err; i++) {
		if (!any || trials[i].effect & effect)
			err = add_reason(comparison, change, trials[i].item);
	}
	return err;
}

static int explain_changes(struct explaining *explaining)
{
	struct comparison *comparison = explaining->comparison;
	size_t first = 0;
	int err = 0;

	while (first < explaining->count && !err) {
		size_t change = explaining->trials[first].change, behind = first;

		while (behind < explaining->count && explaining->trials[behind].change == change)
			behind++;
		err = explain_change(comparison, &comparison->changes[change],
				     &explaining->trials[first], behind - first);
		first = behind;
	}
	return err;
}

/* --- order -------------------------------------------------------------------------------- */

static int compare_reasons(const struct comparison *comparison, const struct flow_change *a,
			   const struct flow_change *b)
{
	if (a->explanation != b->explanation)
		return a->explanation < b->explanation ? -1 : 1;
	for (size_t i = 0; i < a->reason_count && i < b->reason_count; i++) {
		int order = compare_numbers(comparison->reasons[a->first_reason + i],
					    comparison->reasons[b->first_reason + i]);

		if (order)
			return order;
	}
	return compare_numbers(a->reason_count, b->reason_count);
}

static int compare_changes(const void *first, const void *second, void *data)
{
	const struct flow_change *a = first, *b = second;
	int order = compare_reasons(data, a, b);

	if (!order)
		order = (int)a->asked.key.family - (int)b->asked.key.family;
	if (!order)
		order = memcmp(a->asked.key.dst, b->asked.key.dst, sizeof(a->asked.key.dst));
	return order ? order : memcmp(&a->asked, &b->asked, sizeof(a->asked));
}

/* --- all ---------------------------------------------------------------------------------- */

static int explain(struct explaining *explaining)
{
	int err = concerns_make(&explaining->concerns, &explaining->comparison->policy_diff);

	if (!err)
		err = collect_trials(explaining);
	if (err || !explaining->count)
		return err;
	qsort(explaining->trials, explaining->count, sizeof(*explaining->trials), by_item);
	for (size_t side = 0; side < SIDE_COUNT && !err; side++)
		err = try_all(explaining, side);
	qsort(explaining->trials, explaining->count, sizeof(*explaining->trials), by_change);
	return err ? err : explain_changes(explaining);
}

int comparison_explain(struct comparison *comparison)
{
	struct explaining explaining = {
		.comparison = comparison,
		.trials_max = trials_max(comparison),
	};
	int err = 0;

	if (!comparison->count)
		return 0;
	for (size_t side = 0; side < SIDE_COUNT && !err; side++) {
		explaining.scratch[side] = devices_copy_policy(NULL, comparison->policy[side]);
		err = explaining.scratch[side] ? 0 : -ENOMEM;
		if (!err)
			policy_set_owners(explaining.scratch[side], NULL);
	}
	if (!err)
		err = explain(&explaining);
	if (!err)
		qsort_r(comparison->changes, comparison->count, sizeof(*comparison->changes),
			compare_changes, comparison);
	for (size_t side = 0; side < SIDE_COUNT; side++)
		policy_free(explaining.scratch[side]);
	concerns_free(&explaining.concerns);
	free(explaining.trials);
	return err;
}
