/* SPDX-License-Identifier: GPL-2.0-only */
/* A lookup on its way to being explained: by which state of the policy, and whether it has ended. */
#ifndef FIBTRACE_PENDING_H
#define FIBTRACE_PENDING_H

#include <stdbool.h>

#include "spaces.h"
#include "trace/collector.h"
#include "trace/derive.h"
#include "trace/lookup.h"
#include "trace/walk_record.h"

/* Either a walk, borrowed, or the record of an exact tier, owned. Borrows the space
 * (NULL: its namespace is not known); owns the lookup. */
struct pending {
	struct walk_record *walk;
	struct lookup_record *record;
	struct space *space;
	enum derive_result result;
	struct lookup lookup;
};

/* The policy of its namespace, NULL when that cannot be read. */
const struct policy *pending_policy(const struct pending *pending);

/* Frees what it owns. */
void pending_clear(struct pending *pending);

/* Explains it by the policy as it is now: before the waiting notifications are read. */
void pending_explain(struct pending *pending);

/* After spaces_drain(): explains it again where the policy, or the kernel's
 * counters, have moved, and keeps the explanation that holds. May have the policy read anew. */
void pending_recheck(struct pending *pending, struct spaces *spaces);

/* After all were rechecked: what reading the policy anew has outdated, and that alone, is explained
 * by it, so that it can be examined by the policy that is at hand. */
void pending_renew(struct pending *pending);

/* No answer follows any more: what that decides is decided, what lacks an answer stays open. */
void pending_end(struct pending *pending);

/* True when successor, the same task's next walk about the same flow, is the rest
 * of this one by the policy. last: no further walk follows successor. */
bool pending_continues(const struct pending *pending, const struct walk_record *successor,
		       bool last);

/* Without the policy's word a walk is over when its task begins another, and
 * when a route refuses: fib_rules_lookup() goes on after -EAGAIN and 0 alone. */
bool pending_over(const struct pending *pending);

/* Why no rule is named: for derive_unknown(). */
const char *pending_unknown_reason(const struct pending *pending);

#endif
