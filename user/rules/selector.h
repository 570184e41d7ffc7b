/* SPDX-License-Identifier: GPL-2.0-only */
/* The selectors of a rule: one row each, which tests, names and prints it. */
#ifndef FIBTRACE_RULES_SELECTOR_H
#define FIBTRACE_RULES_SELECTOR_H

#include <stdbool.h>

#include "rules/names.h"
#include "rules/rule.h"
#include "util/text.h"

/* In the order of fib_rule_match() and then fib4_rule_match(). */
enum selector_id {
	SELECTOR_IIF,
	SELECTOR_OIF,
	SELECTOR_FWMARK,
	SELECTOR_TUN_ID,
	SELECTOR_L3MDEV,
	SELECTOR_UIDRANGE,
	SELECTOR_FROM,
	SELECTOR_TO,
	SELECTOR_TOS,
	SELECTOR_DSCP,
	SELECTOR_FLOWLABEL,
	SELECTOR_IPPROTO,
	SELECTOR_SPORT,
	SELECTOR_DPORT,
	SELECTOR_COUNT,
};

/*
 * name is the keyword of `ip rule`. match() is asked only when the selector is
 * used. print() writes the value; NULL: the selector is shown with the action.
 */
struct selector {
	const char *name;
	bool (*match)(const struct rule *rule, const struct flow_key *key,
		      const struct match_context *context);
	void (*print)(struct text *out, const struct rule *rule, const struct names *names);
};

extern const struct selector selectors[SELECTOR_COUNT];

/* The selectors that rule has, as bits: 1 << SELECTOR_…. */
uint32_t selectors_used(const struct rule *rule);

#endif
