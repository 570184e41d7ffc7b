/* SPDX-License-Identifier: GPL-2.0-only */
/* The walk over the rules, derived from what the tables answered and the policy in force. */
#ifndef FIBTRACE_TRACE_DERIVE_H
#define FIBTRACE_TRACE_DERIVE_H

#include "rules/policy.h"
#include "trace/lookup.h"
#include "trace/walk_record.h"

enum derive_result {
	DERIVE_DONE, /* the policy says that the walk has ended; the lookup is filled */
	DERIVE_OPEN, /* another answer must follow */
	DERIVE_CONFLICT, /* policy and answers do not fit: the policy is not the kernel's */
	DERIVE_FAILED, /* no memory */
};

/*
 * Replays the rules of policy on the walk's flow key, each table answering as
 * the kernel's did. A table that gave no answer is one that does not exist,
 * which only a table without routes can be. lookup must be empty; it is filled
 * with DERIVE_DONE and emptied otherwise.
 */
enum derive_result derive_lookup(const struct walk_record *walk, const struct policy *policy,
				 struct lookup *lookup);

/* The same for a walk of one answer by a caller that asks a table without the rules. */
enum derive_result derive_direct(const struct walk_record *walk, const struct policy *policy,
				 struct lookup *lookup);

/*
 * The lookup with what is certain without a policy: the tables and what they
 * answered. reason says why no rule is named ("policy-changed"), and is kept
 * by the lookup: a constant. policy may be NULL. False without memory.
 */
bool derive_unknown(const struct walk_record *walk, const struct policy *policy, const char *reason,
		    struct lookup *lookup);

/* Whether a lookup that the rules end with an error goes on-link by the device that it is bound to. */
bool derive_bound_device(const struct flow_key *key, enum purpose purpose,
			 const struct policy *policy);

/* What an ended walk shows of this kernel; see policy_set_default_after_reject(). */
enum default_after_reject derive_default_after_reject(const struct walk_record *walk,
						      const struct policy *policy);

#endif
