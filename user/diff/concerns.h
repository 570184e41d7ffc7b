/* SPDX-License-Identifier: GPL-2.0-only */
/* Which differences of a policy can concern a flow, found without looking at all of them. */
#ifndef FIBTRACE_DIFF_CONCERNS_H
#define FIBTRACE_DIFF_CONCERNS_H

#include "rules/policy_diff.h"

/* The routes of one family, table and prefix length. */
struct concerns_run {
	size_t first;
	size_t count;
};

/* Indices of the differences: routes sorted by family, table, length and prefix, others as they are. */
struct concerns {
	const struct policy_diff *diff;
	size_t *others;
	size_t other_count;
	size_t *routes;
	size_t route_count;
	struct concerns_run *runs;
	size_t run_count;
	size_t run_capacity;
};

/* Borrows the differences. 0 or -ENOMEM; concerns_free() in either case. */
int concerns_make(struct concerns *concerns, const struct policy_diff *diff);
void concerns_free(struct concerns *concerns);

/* Calls visit() with the index of each difference that can concern the flow, until it fails: links,
 * rules that apply to it by either policy, routes to its destination. 0 or what visit() returned. */
int concerns_visit(const struct concerns *concerns, const struct flow_key *key,
		   int (*visit)(void *data, size_t index), void *data);

#endif
