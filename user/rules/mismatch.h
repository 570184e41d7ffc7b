/* SPDX-License-Identifier: GPL-2.0-only */
/* Why a rule does not apply to a flow: the selectors that refuse, and the arithmetic of it. */
#ifndef FIBTRACE_RULES_MISMATCH_H
#define FIBTRACE_RULES_MISMATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "rules/names.h"
#include "rules/selector.h"
#include "util/text.h"

/* Why a rule did not apply, with what decided that and neither rule nor flow tells: enough to
 * write the arithmetic when the policy is gone. All zero: it did apply. */
struct mismatch {
	enum selector_id
		selector; /* the first that refused; NOT: all of an inverted rule accepted */
	enum tos_compare tos_compare;
	bool iif_is_l3_master; /* the rule's iif was compared with the flow's L3 master */
	bool oif_is_l3_master;
};

/* The first selector, in the order of fib_rule_match() and then fib4_rule_match() or
 * fib6_rule_match(), that refuses key; SELECTOR_NONE when all accept it. `not` is not applied. */
enum selector_id rule_first_mismatch(const struct rule *rule, const struct flow_key *key,
				     const struct match_context *context);

/* All selectors that refuse key, as bits: 1 << SELECTOR_…. `not` is not applied. */
uint32_t rule_mismatches(const struct rule *rule, const struct flow_key *key,
			 const struct match_context *context);

/* Why the rule, `not` applied, does not apply to key; selector NONE when it does. */
struct mismatch rule_mismatch(const struct rule *rule, const struct flow_key *key,
			      const struct match_context *context);

/* What the arithmetic is written with. iif and oif name the flow's devices: "" when a name is
 * not known, NULL for neither. names as for rule_print_selector(). */
struct mismatch_options {
	struct mismatch mismatch;
	const char *iif;
	const char *oif;
	const struct names *names;
	bool ascii; /* "!=" for "≠" */
};

/*
 * Appends why rule does not apply to key, in one line: "fwmark 0x40000 & 0xff0000
 * = 0x40000 ≠ 0x80000", "iif lo, needs eth0", "not fwmark: 0xca6c = 0xca6c".
 * Where the arithmetic does not give what the mismatch says, because something
 * else decided, only the selector's name. Names of devices are not escaped.
 */
void rule_print_mismatch(struct text *out, const struct rule *rule, const struct flow_key *key,
			 const struct mismatch_options *options);

#endif
