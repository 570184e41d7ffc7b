/* SPDX-License-Identifier: GPL-2.0-only */
/* Changes of a policy, one by one: a journal of them makes an equal policy elsewhere. */
#ifndef FIBTRACE_RULES_POLICY_CHANGE_H
#define FIBTRACE_RULES_POLICY_CHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "rules/policy.h"

enum policy_change_kind {
	POLICY_RULES_SET = 1, /* family, rules */
	POLICY_LINK_SET, /* link */
	POLICY_LINK_REMOVED, /* number: its index */
	POLICY_LINKS_CLEARED,
	POLICY_ADDRESS_SET, /* address */
	POLICY_ADDRESS_APPENDED, /* address */
	POLICY_ADDRESS_REMOVED, /* address */
	POLICY_RP_FILTER_SET, /* number: the device, 0: all; value */
	POLICY_ROUTE_ADDED, /* route, append, replace */
	POLICY_ROUTE_REMOVED, /* route */
	POLICY_ROUTES_CLEARED, /* family */
	POLICY_TABLE_UNHELD, /* family, number: the table */
	POLICY_CHANGE_KINDS,
};

/* One call of the function of rules/policy.h that its kind is named after. Borrows what it points
 * to. */
struct policy_change {
	enum policy_change_kind kind;
	uint8_t family;
	uint8_t value;
	bool append;
	bool replace;
	uint32_t number;
	union {
		const struct rule_list *rules;
		const struct link *link;
		const struct address *address;
		const struct route *route;
	};
};

typedef void (*policy_note)(void *data, const struct policy *policy,
			    const struct policy_change *change);

/* From here on note() is told of each change, after it was made; NULL: nobody is. Owners and what
 * is learned of the kernel are no changes. */
void policy_set_journal(struct policy *policy, policy_note note, void *data);
/* Who is told; NULL: nobody. */
void *policy_journal(const struct policy *policy);

/* Tells note() the changes that make an equal policy of an empty one. */
void policy_describe(const struct policy *policy, policy_note note, void *data);

/* Makes the change; 0 or -errno, -EINVAL for a kind that is none. */
int policy_apply(struct policy *policy, const struct policy_change *change);

#endif
