// SPDX-License-Identifier: GPL-2.0-only
/* What of a policy's walks the tables' answers alone do not tell. */
#include "trace/policy_walks.h"

bool policy_table_may_be_missing(const struct policy *policy, uint8_t family, uint32_t table)
{
	const struct route_table *held = policy_table(policy, family, table);

	if (policy_table_unheld(policy, family, table))
		return false;
	return !held || !route_table_count(held);
}

static size_t rules_asking(const struct rule_list *list, uint32_t table)
{
	size_t count = 0;

	for (size_t i = 0; i < list->count; i++) {
		const struct rule *rule = &list->rules[i];

		count += rule->action == RULE_LOOKUP && (rule->l3mdev || rule->table == table);
	}
	return count;
}

bool policy_family_ambiguous(const struct policy *policy, uint8_t family)
{
	const struct rule_list *list = policy_rules(policy, family);

	/* Up to the first rule that every flow asks a table by, each may be a walk's first. */
	for (size_t i = 0; list && i < list->count; i++) {
		const struct rule *rule = &list->rules[i];

		if (rule->action == RULE_GOTO)
			return true;
		if (rule->action != RULE_LOOKUP)
			continue;
		if (rule->l3mdev || rules_asking(list, rule->table) > 1)
			return true;
		if (rule_is_catch_all(rule) &&
		    !policy_table_may_be_missing(policy, family, rule->table))
			return false;
	}
	return false;
}

static bool rule_rejects(const struct rule *rule)
{
	return rule->action == RULE_UNREACHABLE || rule->action == RULE_PROHIBIT ||
	       rule->action == RULE_BLACKHOLE;
}

bool policy_hides_reject(const struct policy *policy, uint8_t family, uint32_t *priority)
{
	const struct rule_list *list = policy_rules(policy, family);

	for (size_t i = 0; list && i < list->count; i++) {
		const struct rule *rule = &list->rules[i];

		if (rule_rejects(rule)) {
			*priority = rule->priority;
			return true;
		}
		if (rule->action == RULE_LOOKUP && rule_is_catch_all(rule) &&
		    !policy_table_may_be_missing(policy, family, rule->table))
			return false;
	}
	return false;
}
