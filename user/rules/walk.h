/* SPDX-License-Identifier: GPL-2.0-only */
/* The walk over the rules for one flow: fib_rules_lookup() as a pure function. */
#ifndef FIBTRACE_RULES_WALK_H
#define FIBTRACE_RULES_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/mismatch.h"
#include "rules/policy.h"

enum step_outcome {
	STEP_SKIPPED,
	STEP_NO_ROUTE,
	STEP_NO_TABLE,
	STEP_THROW,
	STEP_SUPPRESSED,
	STEP_CHOSEN,
	STEP_UNREACHABLE,
	STEP_BLACKHOLE,
	STEP_PROHIBIT,
	STEP_GOTO,
	STEP_NOP,
	STEP_NOT_REACHED,
	STEP_UNKNOWN,
	STEP_OUTCOME_COUNT,
};

/* "no-route", "suppressed", …: the words of text and JSON. */
const char *step_outcome_name(enum step_outcome outcome);

/* What came of asking a table, by what fib_table_lookup() returned; that it was a throw route or
 * was suppressed is not told by that. */
enum step_outcome error_outcome(int error);

enum suppressor { SUPPRESSOR_NONE, SUPPRESSOR_PREFIXLENGTH, SUPPRESSOR_IFGROUP };

/* What a table said when the walk asked it. prefix_length and group decide
 * suppression: -1 when not known. ASK_STOP: the answer is not known, the walk
 * cannot go on. */
enum ask_result { ASK_ANSWERED, ASK_NO_TABLE, ASK_STOP };

struct ask_answer {
	int error; /* 0 or -errno, as fib4_rule_action() and fib6_rule_action() return it */
	int prefix_length; /* of the matched route; -1: not known */
	int64_t group; /* of the first nexthop's device, in IPv6 of the chosen one's; -1: not known */
	int suppressed; /* 0 or 1 when it is known from elsewhere, -1: decide by the two above */
	bool thrown; /* -EAGAIN by a throw route */
};

/* Asks table for the rule at index; fills answer when it returns ASK_ANSWERED. */
typedef enum ask_result (*walk_ask)(void *data, size_t index, uint32_t table,
				    struct ask_answer *answer);

struct walk_step {
	size_t rule; /* index into the rule list */
	uint32_t table; /* that is (or would be) asked, of l3mdev too; 0 for other actions */
	enum step_outcome outcome;
	enum suppressor suppressor;
	bool unresolved; /* STEP_GOTO: no rule has the target; the walk goes on with the next one */
	size_t jumped_by; /* index of the goto that led past the rule, SIZE_MAX: none did */
	struct mismatch mismatch; /* STEP_SKIPPED: why; else all zero */
	struct ask_answer answer;
};

/* error is that of fib_rules_lookup() made __fib_lookup()'s: -ENETUNREACH at the end of the
 * rules. rule: index of the rule that ended the walk, SIZE_MAX when none did. complete is
 * false when ask() stopped the walk, or did not say what suppression depends on; error and
 * rule then mean nothing. */
struct walk_result {
	int error;
	size_t rule;
	bool complete;
};

/*
 * Walks list for key and calls step() for each rule in the kernel's order: those
 * before the end of the walk with their outcome (skipped ones too), those behind
 * it and those that a goto jumped over as STEP_NOT_REACHED when they apply to key
 * and STEP_SKIPPED when they do not. In a walk that is not complete, the rule that
 * stopped it and those behind it that apply are STEP_UNKNOWN. step may be NULL.
 */
struct walk_result policy_walk(const struct policy *policy, const struct rule_list *list,
			       const struct flow_key *key, walk_ask ask,
			       void (*step)(void *data, const struct walk_step *step), void *data);

/* policy_walk()'s ask for the tables held in the policy: what `get` and tests use.
 * data points to a struct policy_ask. */
struct policy_ask {
	const struct policy *policy;
	const struct flow_key *key;
	struct table_result last; /* the last table's answer: the route chosen, after the walk */
};
enum ask_result policy_ask_tables(void *data, size_t index, uint32_t table,
				  struct ask_answer *answer);

#endif
