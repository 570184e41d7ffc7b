/* SPDX-License-Identifier: GPL-2.0-only */
/* One network namespace at two times: what its policy differs in, and which verdicts changed why. */
#ifndef FIBTRACE_DIFF_COMPARISON_H
#define FIBTRACE_DIFF_COMPARISON_H

#include "diff/flows.h"
#include "rules/policy_diff.h"

/* Which differences of the policy make a verdict another one. */
enum explanation {
	EXPLAINED_BY_ONE, /* each of them alone gives the new verdict */
	EXPLAINED_TOGETHER, /* none alone does */
	EXPLAINED_BY_NONE,
	EXPLAINED_NOT, /* there are too many to look for it */
};

/* A flow whose verdict changed. model: what each policy answers, recorded: the kernel's own words
 * instead, where no model has them. reasons are indices of the policy's differences. */
struct flow_change {
	struct flow_question asked;
	bool recorded;
	struct verdict model[SIDE_COUNT];
	struct lookup_verdict verdict[SIDE_COUNT];
	enum explanation explanation;
	size_t first_reason;
	size_t reason_count;
};

/* How many flows came to what. */
struct flow_counts {
	uint64_t compared; /* changed ones, too */
	uint64_t not_examined; /* a policy does not tell: a table is not held */
	uint64_t no_device; /* of a device that one side has not */
	uint64_t
		unexplained; /* the kernel did not answer as the rules and routes say, and once only */
	uint64_t by_no_policy; /* it answered differently, though neither rules nor routes say so */
	uint64_t unknown; /* lookups */
	uint64_t passed_over; /* lookups */
};

/* What is compared: NULL for flows where none are recorded. All is borrowed, and must stay. */
struct comparison_side {
	const struct policy *policy;
	const struct flows *flows;
};

struct comparison {
	struct policy *policy[SIDE_COUNT]; /* with numbers of struct devices */
	struct policy_diff policy_diff;
	struct flow_change *changes;
	size_t count;
	size_t capacity;
	size_t *reasons;
	size_t reason_count;
	size_t reason_capacity;
	struct flow_counts counts;
};

/*
 * Compares the policies, and the verdicts of all flows of either side. Like is
 * compared with like: where both sides' recorded verdicts are what their policies
 * answer, or one side recorded none, the policies' answers; else what both
 * recorded. What is known of one side only is not compared. 0 or -ENOMEM.
 */
int comparison_make(struct comparison *comparison, struct devices *devices,
		    const struct comparison_side sides[static SIDE_COUNT]);
/* Keeps the changes for which wanted() is true. */
void comparison_keep(struct comparison *comparison,
		     bool (*wanted)(const void *data, const struct flow_change *change),
		     const void *data);
/* Looks for what explains each change; sorts them by that. 0 or -ENOMEM. */
int comparison_explain(struct comparison *comparison);
void comparison_free(struct comparison *comparison);

/* Whether it is only another rule that gives the same route. */
bool flow_change_keeps_route(const struct flow_change *change);

#endif
