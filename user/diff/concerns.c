// SPDX-License-Identifier: GPL-2.0-only
/* Which differences of a policy can concern a flow. */
#include "diff/concerns.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rules/grow.h"

static const struct policy_difference *route_at(const struct concerns *concerns, size_t at)
{
	return &concerns->diff->items[concerns->routes[at]];
}

static int compare_numbers(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int compare_runs(const struct policy_difference *a, const struct policy_difference *b)
{
	int order = compare_numbers(a->family, b->family);

	if (!order)
		order = compare_numbers(a->table, b->table);
	return order ? order : compare_numbers(a->dst_length, b->dst_length);
}

static int compare_routes(const void *first, const void *second, void *data)
{
	const struct concerns *concerns = data;
	const struct policy_difference *a = &concerns->diff->items[*(const size_t *)first];
	const struct policy_difference *b = &concerns->diff->items[*(const size_t *)second];
	int order = compare_runs(a, b);

	return order ? order : memcmp(a->dst, b->dst, sizeof(a->dst));
}

static int add_run(struct concerns *concerns, size_t first)
{
	struct concerns_run *runs = array_reserve(concerns->runs, sizeof(*runs),
						  concerns->run_count, &concerns->run_capacity);

	if (!runs)
		return -ENOMEM;
	concerns->runs = runs;
	runs[concerns->run_count++] = (struct concerns_run){ .first = first };
	return 0;
}

static int find_runs(struct concerns *concerns)
{
	for (size_t i = 0; i < concerns->route_count; i++) {
		bool begins = !i || compare_runs(route_at(concerns, i - 1), route_at(concerns, i));

		if (begins && add_run(concerns, i))
			return -ENOMEM;
		concerns->runs[concerns->run_count - 1].count++;
	}
	return 0;
}

int concerns_make(struct concerns *concerns, const struct policy_diff *diff)
{
	*concerns = (struct concerns){ .diff = diff };
	concerns->others = calloc(diff->count + 1, sizeof(*concerns->others));
	concerns->routes = calloc(diff->count + 1, sizeof(*concerns->routes));
	if (!concerns->others || !concerns->routes)
		return -ENOMEM;
	for (size_t i = 0; i < diff->count; i++) {
		if (diff->items[i].kind == DIFFERENCE_ROUTES)
			concerns->routes[concerns->route_count++] = i;
		else
			concerns->others[concerns->other_count++] = i;
	}
	qsort_r(concerns->routes, concerns->route_count, sizeof(*concerns->routes), compare_routes,
		concerns);
	return find_runs(concerns);
}

void concerns_free(struct concerns *concerns)
{
	free(concerns->others);
	free(concerns->routes);
	free(concerns->runs);
	*concerns = (struct concerns){ 0 };
}

static void mask_address(uint8_t out[static 16], const uint8_t address[static 16], uint8_t length)
{
	unsigned int bytes = length / 8, bits = length % 8;

	memset(out, 0, 16);
	memcpy(out, address, bytes);
	if (bits)
		out[bytes] = address[bytes] & (uint8_t)(0xff << (8 - bits));
}

/* The place of the routes of the run to the flow's destination; SIZE_MAX: there are none. */
static size_t find_route(const struct concerns *concerns, const struct concerns_run *run,
			 const struct flow_key *key)
{
	size_t first = run->first, behind = run->first + run->count;
	uint8_t dst[16];

	mask_address(dst, key->dst, route_at(concerns, first)->dst_length);
	while (first < behind) {
		size_t middle = first + (behind - first) / 2;
		int order = memcmp(route_at(concerns, middle)->dst, dst, sizeof(dst));

		if (!order)
			return middle;
		if (order < 0)
			first = middle + 1;
		else
			behind = middle;
	}
	return SIZE_MAX;
}

static bool rule_may_apply(const struct policy_diff *diff, const struct policy_difference *item,
			   const struct flow_key *key)
{
	for (size_t i = 0; i < SIDE_COUNT * SIDE_COUNT; i++) {
		const struct rule *rule = item->rule[i / SIDE_COUNT];
		const struct match_context context =
			policy_match_context(diff->policy[i % SIDE_COUNT]);

		if (rule && rule_applies(rule, key, &context))
			return true;
	}
	return false;
}

static bool other_concerns(const struct policy_diff *diff, const struct policy_difference *item,
			   const struct flow_key *key)
{
	return item->kind == DIFFERENCE_LINK ||
	       (item->family == key->family && rule_may_apply(diff, item, key));
}

int concerns_visit(const struct concerns *concerns, const struct flow_key *key,
		   int (*visit)(void *data, size_t index), void *data)
{
	int err = 0;

	for (size_t i = 0; i < concerns->other_count && !err; i++) {
		size_t index = concerns->others[i];

		if (other_concerns(concerns->diff, &concerns->diff->items[index], key))
			err = visit(data, index);
	}
	for (size_t i = 0; i < concerns->run_count && !err; i++) {
		const struct concerns_run *run = &concerns->runs[i];
		size_t at = SIZE_MAX;

		if (route_at(concerns, run->first)->family == key->family)
			at = find_route(concerns, run, key);
		if (at != SIZE_MAX)
			err = visit(data, concerns->routes[at]);
	}
	return err;
}
