/* SPDX-License-Identifier: GPL-2.0-only */
/* One walk being replayed by a policy: what trace/derive.c and trace/replay_tables.c share. */
#ifndef FIBTRACE_TRACE_REPLAY_H
#define FIBTRACE_TRACE_REPLAY_H

#include "rules/policy.h"
#include "trace/derive.h"
#include "trace/walk_record.h"

/* The state of one replay. asked is the answer that the step in progress used, route what
 * the policy holds for it. */
struct replay {
	const struct walk_record *walk;
	const struct policy *policy;
	const struct rule_list *rules;
	struct lookup *lookup;
	size_t used;
	const struct table_answer *asked;
	struct lookup_route route;
	bool open;
	bool conflict;
	bool failed;
	bool assumed; /* the last hit was taken as not suppressed, for want of its prefix */
	bool assume_suppressed;
	bool no_suppression; /* of the last hit: an exception of IPv6 answered, or fib6_lookup() asked */
};

/* False: the kernel walks no rules in this namespace. Unknown counts as rules. */
bool replay_walk_has_rules(const struct walk_record *walk);

/* Of a throw route: of IPv6 the kernel tells that it was one. answer may be NULL. */
enum evidence replay_throw_evidence(const struct table_answer *answer);

/* A step for a table that the kernel asked without a rule that is known, its route that of the
 * replay; NULL with errno. */
struct lookup_step *replay_add_table_step(struct replay *replay, const struct table_answer *answer,
					  uint32_t table);

/* The tables that the kernel asks itself where there are no custom rules. */
enum derive_result replay_built_in(struct replay *replay);

/* One table asked by a caller that needs no rules. */
enum derive_result replay_direct(struct replay *replay);

#endif
