// SPDX-License-Identifier: GPL-2.0-only
/* Which differences of a policy make a verdict another one: each is made, and undone, alone. */
#include "diff/comparison.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "diff/concerns.h"
#include "rules/grow.h"

/* So many differences are tried on flows, and so many rules are walked for that. */
#define TRIALS_MAX ((size_t)1 << 20)
#define WALKED_MAX ((size_t)64 << 20)

/* What one difference does to one changed flow. */
enum effect {
	EFFECT_SUFFICES = 1 << 0, /* made in the old policy, it gives the new verdict */
	EFFECT_NEEDED = 1 << 1, /* undone in the new policy, it gives another verdict */
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
	size_t left; /* differences that may yet be made together */
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
	if (side == SIDE_OLD && verdicts_equal(&verdict, &change->model[!side], &change->asked))
		trial->effect |= EFFECT_SUFFICES;
	if (side == SIDE_NEW && !verdicts_equal(&verdict, &change->model[side], &change->asked))
		trial->effect |= EFFECT_NEEDED;
}

/* A reference, to be put back; NULL: there are none. */
static struct rule_list *hold_rules(const struct policy *policy, uint8_t family)
{
	struct rule_list *rules = policy_rules(policy, family);

	return rules ? rule_list_get(rules) : NULL;
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
		rules = hold_rules(explaining->scratch[side], item->family);
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
	if (!change->reason_count)
		change->first_reason = comparison->reason_count;
	reasons[comparison->reason_count++] = item;
	change->reason_count++;
	return 0;
}

/* A changed flow and its trials, none of which sufficed. */
struct open_change {
	size_t change;
	const struct trial *trials;
	size_t count;
};

struct open_changes {
	struct open_change *items;
	size_t count;
	size_t capacity;
};

static int add_open(struct open_changes *open, size_t change, const struct trial *trials,
		    size_t count)
{
	struct open_change *items =
		array_reserve(open->items, sizeof(*items), open->count, &open->capacity);

	if (!items)
		return -ENOMEM;
	open->items = items;
	items[open->count++] = (struct open_change){ change, trials, count };
	return 0;
}

/* The differences that suffice alone are its reasons; without any it stays open. */
static int explain_by_one(struct explaining *explaining, struct open_changes *open, size_t first,
			  size_t behind)
{
	const struct trial *trials = explaining->trials;
	size_t index = trials[first].change;
	struct flow_change *change = &explaining->comparison->changes[index];
	int err = 0;

	for (size_t i = first; i < behind && !err; i++) {
		if (trials[i].effect & EFFECT_SUFFICES)
			err = add_reason(explaining->comparison, change, trials[i].item);
	}
	if (!change->reason_count)
		return err ? err : add_open(open, index, &trials[first], behind - first);
	change->explanation = EXPLAINED_BY_ONE;
	return err;
}

static int explain_by_ones(struct explaining *explaining, struct open_changes *open)
{
	size_t first = 0;
	int err = 0;

	while (first < explaining->count && !err) {
		size_t behind = first + 1;

		while (behind < explaining->count &&
		       explaining->trials[behind].change == explaining->trials[first].change)
			behind++;
		err = explain_by_one(explaining, open, first, behind);
		first = behind;
	}
	return err;
}

/* --- several together --------------------------------------------------------------------- */

/* More differences at once are not tried. */
#define TOGETHER_MAX 64

/* Of an open change's trials, those that are made. */
struct selection {
	const struct open_change *of;
	bool made[TOGETHER_MAX];
};

static const struct policy_difference *item_of(const struct explaining *explaining,
					       const struct trial *trial)
{
	return &explaining->comparison->policy_diff.items[trial->item];
}

/* Makes those of the selection in the old policy, or takes routes and links back. */
static int apply_selection(const struct explaining *explaining, const struct selection *selection,
			   enum policy_side side)
{
	int err = 0;

	for (size_t i = 0; i < selection->of->count && !err; i++) {
		const struct policy_difference *item =
			item_of(explaining, &selection->of->trials[i]);

		if (selection->made[i] && (side == SIDE_NEW || item->kind != DIFFERENCE_RULE))
			err = policy_diff_apply(&explaining->comparison->policy_diff, item, side,
						explaining->scratch[SIDE_OLD]);
	}
	return err;
}

static bool gives_new_verdict(const struct explaining *explaining, const struct open_change *open)
{
	const struct flow_change *change = &explaining->comparison->changes[open->change];
	struct verdict verdict = verdict_of(explaining->scratch[SIDE_OLD], &change->asked);

	return verdicts_equal(&verdict, &change->model[SIDE_NEW], &change->asked);
}

/* Sets gives[i] for each of the changes for which the selection gives the new verdict; -E2BIG when
 * there has been enough of that. */
static int judge_selection(struct explaining *explaining, const struct selection *selection,
			   const struct open_change *open, size_t count, bool *gives)
{
	struct policy *scratch = explaining->scratch[SIDE_OLD];
	struct rule_list *inet, *inet6;
	int err;

	if (explaining->left < selection->of->count)
		return -E2BIG;
	explaining->left -= selection->of->count;
	inet = hold_rules(scratch, FLOW_AF_INET);
	inet6 = hold_rules(scratch, FLOW_AF_INET6);
	err = apply_selection(explaining, selection, SIDE_NEW);
	for (size_t i = 0; i < count && !err; i++)
		gives[i] = gives_new_verdict(explaining, &open[i]);
	if (!err)
		err = apply_selection(explaining, selection, SIDE_OLD);
	policy_set_rules(scratch, FLOW_AF_INET, inet);
	policy_set_rules(scratch, FLOW_AF_INET6, inet6);
	return err;
}

/* Of all that concerns the flow what it takes: each is left out that can be. *enough: whether all of
 * it gives the new verdict at all. */
static int select_needed(struct explaining *explaining, struct selection *selection, bool *enough)
{
	const struct open_change *open = selection->of;
	int err;

	for (size_t i = 0; i < open->count; i++)
		selection->made[i] = true;
	err = judge_selection(explaining, selection, open, 1, enough);
	/* Routes stand behind rules, and are the first to be left out. */
	for (size_t i = open->count; i-- > 0 && !err && *enough;) {
		bool gives = false;

		if (open->trials[i].effect & EFFECT_NEEDED)
			continue;
		selection->made[i] = false;
		err = judge_selection(explaining, selection, open, 1, &gives);
		selection->made[i] = !gives;
	}
	return err;
}

static int add_selection(struct comparison *comparison, const struct selection *selection,
			 size_t index)
{
	struct flow_change *change = &comparison->changes[index];
	int err = 0;

	for (size_t i = 0; i < selection->of->count && !err; i++) {
		if (selection->made[i])
			err = add_reason(comparison, change, selection->of->trials[i].item);
	}
	change->explanation = change->reason_count ? EXPLAINED_TOGETHER : EXPLAINED_BY_NONE;
	return err;
}

/* What explains the first of count changes that the same was tried on explains others, too: they
 * are taken out. *left is how many are left, moved to the front. */
static int explain_first(struct explaining *explaining, struct open_change *open, size_t *left,
			 bool *gives)
{
	const struct open_change first = open[0];
	struct selection selection = { .of = &first };
	bool enough = false;
	size_t kept = 0;
	int err = select_needed(explaining, &selection, &enough);

	if (!err && enough)
		err = judge_selection(explaining, &selection, open, *left, gives);
	for (size_t i = 0; i < *left && !err; i++) {
		if (enough && gives[i])
			err = add_selection(explaining->comparison, &selection, open[i].change);
		else if (i)
			open[kept++] = open[i];
	}
	*left = kept;
	return err;
}

/* count changes that the same was tried on, with the same effects. */
static int explain_alike(struct explaining *explaining, struct open_change *open, size_t count)
{
	bool *gives = calloc(count, sizeof(*gives));
	int err = gives ? 0 : -ENOMEM;

	while (count && !err && open->count <= TOGETHER_MAX && open->count > 1)
		err = explain_first(explaining, open, &count, gives);
	for (size_t i = 0; i < count && (err == -E2BIG || open->count > TOGETHER_MAX); i++)
		explaining->comparison->changes[open[i].change].explanation = EXPLAINED_NOT;
	free(gives);
	return err == -E2BIG ? 0 : err;
}

static int compare_open(const void *first, const void *second)
{
	const struct open_change *a = first, *b = second;

	for (size_t i = 0; i < a->count && i < b->count; i++) {
		if (a->trials[i].item != b->trials[i].item)
			return compare_numbers(a->trials[i].item, b->trials[i].item);
		if (a->trials[i].effect != b->trials[i].effect)
			return compare_numbers(a->trials[i].effect, b->trials[i].effect);
	}
	return compare_numbers(a->count, b->count);
}

static int explain_together(struct explaining *explaining, struct open_changes *open)
{
	size_t first = 0;
	int err = 0;

	if (open->count)
		qsort(open->items, open->count, sizeof(*open->items), compare_open);
	while (first < open->count && !err) {
		size_t count = 1;

		while (first + count < open->count &&
		       !compare_open(&open->items[first], &open->items[first + count]))
			count++;
		err = explain_alike(explaining, &open->items[first], count);
		first += count;
	}
	return err;
}

static int explain_changes(struct explaining *explaining)
{
	struct open_changes open = { NULL, 0, 0 };
	int err = explain_by_ones(explaining, &open);

	if (!err)
		err = explain_together(explaining, &open);
	free(open.items);
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
	if (!order)
		order = compare_numbers(a->asked.purpose, b->asked.purpose);
	if (!order)
		order = compare_numbers(a->asked.key.mark, b->asked.key.mark);
	if (!order)
		order = compare_numbers(a->asked.key.iif, b->asked.key.iif);
	if (!order)
		order = compare_numbers(a->asked.key.oif, b->asked.key.oif);
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
		.left = trials_max(comparison),
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
