/* SPDX-License-Identifier: GPL-2.0-only */
/* What two policies differ in: rules, routes, and links as far as rules and tables depend on them. */
#ifndef FIBTRACE_RULES_POLICY_DIFF_H
#define FIBTRACE_RULES_POLICY_DIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/policy.h"

/* The two that are compared: the index of all pairs. */
enum policy_side { SIDE_OLD, SIDE_NEW, SIDE_COUNT };

enum difference_kind {
	DIFFERENCE_LINK,
	DIFFERENCE_RULE,
	DIFFERENCE_ROUTES, /* of one prefix of a table */
};

/* One difference: what each side has, borrowed from its policy; NULL: it has none. */
struct policy_difference {
	enum difference_kind kind;
	uint8_t family; /* RULE, ROUTES */
	uint8_t dst_length; /* ROUTES, as dst and table */
	uint8_t dst[16];
	uint32_t table;
	uint32_t device; /* LINK: its number */
	const struct rule
		*rule[SIDE_COUNT]; /* both: one that has another priority, or was changed */
	const struct link *link[SIDE_COUNT];
};

/* A table that one of them does not hold. */
struct unheld_table {
	uint8_t family;
	uint32_t table;
};

/* items are sorted: links, then rules and routes by family, and by priority or table and prefix. */
struct policy_diff {
	const struct policy *policy[SIDE_COUNT];
	struct policy_difference *items;
	size_t count;
	size_t capacity;
	struct unheld_table *unheld;
	size_t unheld_count;
	size_t unheld_capacity;
};

/*
 * Compares two policies whose devices have the same numbers (devices_copy_policy());
 * they must outlive the result and stay as they are. Devices' numbers in rules and
 * whether a goto has its target are no differences of a rule: links and rules
 * tell that. A link matters where a rule names it, and by its VRF and, where rules
 * suppress by it, its group. 0 or -ENOMEM.
 */
int policy_diff_make(struct policy_diff *diff, const struct policy *old, const struct policy *new);
void policy_diff_free(struct policy_diff *diff);

/* Whether something of that family differs; links are of both. */
bool policy_diff_concerns(const struct policy_diff *diff, uint8_t family);

/* Calls visit() for each route of a DIFFERENCE_ROUTES that only one side has: the old side's,
 * then the new one's. 0 or -ENOMEM. */
int policy_diff_visit_routes(const struct policy_diff *diff, const struct policy_difference *item,
			     void (*visit)(void *data, enum policy_side side,
					   const struct route *route),
			     void *data);

/* Makes policy, which is as the other side is in this, as side is; 0 or -errno. */
int policy_diff_apply(const struct policy_diff *diff, const struct policy_difference *item,
		      enum policy_side side, struct policy *policy);

/* Of a link: the number of the VRF that it is a port of; 0: none. */
uint32_t policy_link_vrf(const struct policy *policy, const struct link *link);

#endif
