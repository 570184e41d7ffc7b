// SPDX-License-Identifier: GPL-2.0-only
/* What a trace adds up to: the counts, and lookups shown by outcome and by rule. */
#include "render/summary.h"

#include <stdlib.h>
#include <string.h>

#include "rules/policy.h"

/* More rules than any host has: a bound on memory, not on rule sets. */
#define RULES_MAX 65536u

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* The last place gathers, as error 0, all errors that find none of their own. */
static size_t error_place(const struct trace_summary *summary, int error)
{
	size_t last = ARRAY_SIZE(summary->errors) - 1;

	for (size_t i = 0; i < summary->error_count; i++) {
		if (summary->errors[i].error == error)
			return i;
	}
	return summary->error_count < last ? summary->error_count : last;
}

static void count_error(struct trace_summary *summary, int error)
{
	size_t place = error_place(summary, error);

	if (place == summary->error_count) {
		summary->errors[place].error = place < ARRAY_SIZE(summary->errors) - 1 ? error : 0;
		summary->error_count++;
	}
	summary->errors[place].count++;
}

static int compare_numbers(uint32_t one, uint32_t other)
{
	return one < other ? -1 : one > other;
}

static int compare_totals(const struct rule_total *one, const struct rule_total *other)
{
	int order = compare_numbers(one->netns, other->netns);

	if (!order)
		order = compare_numbers(one->family, other->family);
	if (!order)
		order = compare_numbers(one->priority, other->priority);
	if (!order)
		order = compare_numbers(one->table, other->table);
	return order;
}

/* Where wanted is in the sorted totals, or belongs. */
static size_t find_total(const struct trace_summary *summary, const struct rule_total *wanted)
{
	size_t low = 0;
	size_t high = summary->rule_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_totals(&summary->rules[middle], wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool grow_totals(struct trace_summary *summary)
{
	size_t capacity = summary->rule_capacity ? 2 * summary->rule_capacity : 16;
	struct rule_total *rules;

	if (summary->rule_count < summary->rule_capacity)
		return true;
	if (capacity > RULES_MAX)
		return false;
	rules = reallocarray(summary->rules, capacity, sizeof(*rules));
	if (!rules)
		return false;
	summary->rules = rules;
	summary->rule_capacity = capacity;
	return true;
}

static void count_rule(struct trace_summary *summary, const struct rule_total *wanted)
{
	size_t at = find_total(summary, wanted);

	if (at < summary->rule_count && !compare_totals(&summary->rules[at], wanted)) {
		summary->rules[at].count++;
		return;
	}
	if (!grow_totals(summary)) {
		summary->dropped_rules++;
		return;
	}
	memmove(&summary->rules[at + 1], &summary->rules[at],
		(summary->rule_count - at) * sizeof(*summary->rules));
	summary->rules[at] = *wanted;
	summary->rules[at].count = 1;
	summary->rule_count++;
}

static void count_findings(struct trace_summary *summary, const struct lookup *lookup)
{
	for (size_t i = 0; i < lookup->finding_count; i++) {
		size_t earlier = 0;

		while (lookup->findings[earlier].kind != lookup->findings[i].kind)
			earlier++;
		summary->findings[lookup->findings[i].kind] += earlier == i;
	}
}

void summary_add(struct trace_summary *summary, const struct lookup *lookup)
{
	const struct lookup_verdict *verdict = &lookup->verdict;

	count_findings(summary, lookup);

	if (verdict->error)
		count_error(summary, abs(verdict->error));
	else
		summary->found++;
	if (verdict->has_priority)
		count_rule(summary, &(struct rule_total){ .netns = lookup->netns,
							  .family = lookup->key.family,
							  .priority = verdict->priority,
							  .table = verdict->table });
}

void summary_free(struct trace_summary *summary)
{
	free(summary->rules);
	*summary = (struct trace_summary){ 0 };
}
