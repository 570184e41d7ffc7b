/* SPDX-License-Identifier: GPL-2.0-only */
/* Why not the rule one expected: each rule of the policy accounted for, and what is wrong. */
#ifndef FIBTRACE_TRACE_EXPLAIN_H
#define FIBTRACE_TRACE_EXPLAIN_H

#include <stdbool.h>

#include "rules/policy.h"
#include "trace/lookup.h"

struct explainer;

/* It remembers what lookups told, for later ones. NULL with errno. explainer_free() takes NULL. */
struct explainer *explainer_new(void);
void explainer_free(struct explainer *explainer);

/*
 * Completes a lookup whose walk is known: adds a step for each rule of its
 * policy that did not apply, with what refused it and, where one selector alone
 * did, what its table has; then looks for findings. Those, and what tables have,
 * are told by the policy in force, and only while it still is the one that
 * explained the walk. policy may be NULL. False without memory.
 */
bool explain_lookup(struct explainer *explainer, struct lookup *lookup,
		    const struct policy *policy);

/* The same where it is known what was found, live: only the steps are added. */
bool explain_steps(struct lookup *lookup, const struct policy *policy);

#endif
