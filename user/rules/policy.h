/* SPDX-License-Identifier: GPL-2.0-only */
/* The policy of one network namespace: its rules, tables, links and addresses at one time. */
#ifndef FIBTRACE_RULES_POLICY_H
#define FIBTRACE_RULES_POLICY_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/route.h"
#include "rules/rule.h"

/* One state of the rules of a family, in walking order. Immutable and counted,
 * so that a lookup can keep the rules it was explained with. */
struct rule_list {
	unsigned int references;
	size_t count;
	struct rule rules[];
};

/* A list of count rules copied from rules, holding one reference; NULL with errno. */
struct rule_list *rule_list_new(const struct rule *rules, size_t count);
struct rule_list *rule_list_get(struct rule_list *list);
void rule_list_put(struct rule_list *list); /* takes NULL */

/* l3mdev_table: the table of a VRF device, else 0. master: its ifindex, else 0. */
struct link {
	uint32_t index;
	uint32_t master;
	uint32_t group;
	uint32_t l3mdev_table;
	uint32_t flags; /* IFF_… */
	char name[IFNAMSIZ];
};

struct address {
	uint8_t local[16];
	uint32_t ifindex;
	uint8_t family;
	uint8_t length;
	uint8_t scope;
	bool secondary;
};

struct policy;

/* An empty policy for the namespace with inode netns; NULL with errno. policy_free() takes NULL. */
struct policy *policy_new(uint32_t netns, enum tos_compare tos_compare);
void policy_free(struct policy *policy);

uint32_t policy_netns(const struct policy *policy);

/* Replaces the rules of family; takes over the caller's reference. */
void policy_set_rules(struct policy *policy, uint8_t family, struct rule_list *list);
/* The rules of family in force, borrowed; never NULL once a snapshot was read. */
struct rule_list *policy_rules(const struct policy *policy, uint8_t family);

/* Adds or replaces the link with this index (resolving iif and oif of the rules anew); 0 or -errno. */
int policy_set_link(struct policy *policy, const struct link *link);
void policy_remove_link(struct policy *policy, uint32_t index);
const struct link *policy_link(const struct policy *policy, uint32_t index); /* NULL: none */
const struct link *policy_link_by_name(const struct policy *policy, const char *name);

int policy_set_address(struct policy *policy, const struct address *address);
void policy_remove_address(struct policy *policy, const struct address *address);

/* The table, NULL when it has no routes in the snapshot (it may exist in the kernel, empty). */
const struct route_table *policy_table(const struct policy *policy, uint8_t family, uint32_t id);
/* Makes the table when it is new; NULL with errno. */
struct route_table *policy_table_for_change(struct policy *policy, uint8_t family, uint32_t id);
/* Forgets all routes of family, before a new dump. */
void policy_clear_routes(struct policy *policy, uint8_t family);
/* Marks a table that is not held (--max-routes): its answers are not examined. */
void policy_set_table_unheld(struct policy *policy, uint8_t family, uint32_t id);
bool policy_table_unheld(const struct policy *policy, uint8_t family, uint32_t id);

/* generation changes whenever anything above does. */
uint64_t policy_generation(const struct policy *policy);

/* The match context for this policy; it borrows the policy. */
struct match_context policy_match_context(const struct policy *policy);

/* The source address that the kernel prefers for a packet by this route
 * (RTA_PREFSRC, else as inet_select_addr() does); false when there is none. */
bool policy_preferred_source(const struct policy *policy, const struct route *route,
			     const struct nexthop *nexthop, uint8_t source[static 16]);

#endif
