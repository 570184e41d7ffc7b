// SPDX-License-Identifier: GPL-2.0-only
/* One difference of two policies, made in a copy of one of them. */
#include "rules/policy_diff.h"

#include <errno.h>
#include <string.h>

#include "rules/route_entries.h"

/* Where the rule is in the list: the one of the policy that it was copied from. SIZE_MAX: nowhere. */
static size_t place_of(const struct rule_list *list, const struct rule *rule)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->rules[i].priority == rule->priority && rule_alike(&list->rules[i], rule))
			return i;
	}
	return SIZE_MAX;
}

/* Behind the last rule of its priority, where the kernel puts a new one. */
static size_t place_for(const struct rule_list *list, const struct rule *rule)
{
	size_t at = 0;

	while (at < list->count && list->rules[at].priority <= rule->priority)
		at++;
	return at;
}

/* In a list with room for one more. The rule that comes takes the place of the one that goes where it
 * has its priority. */
static void exchange(struct rule_list *list, const struct rule *gone, const struct rule *come)
{
	size_t at = gone ? place_of(list, gone) : SIZE_MAX;

	if (at != SIZE_MAX && come && come->priority == gone->priority) {
		list->rules[at] = *come;
		return;
	}
	if (at != SIZE_MAX) {
		list->count--;
		memmove(&list->rules[at], &list->rules[at + 1],
			(list->count - at) * sizeof(*list->rules));
	}
	if (!come)
		return;
	at = place_for(list, come);
	memmove(&list->rules[at + 1], &list->rules[at], (list->count - at) * sizeof(*list->rules));
	list->rules[at] = *come;
	list->count++;
}

static int apply_rule(const struct policy_difference *item, enum policy_side side,
		      struct policy *policy)
{
	const struct rule_list *list = policy_rules(policy, item->family);
	size_t count = list ? list->count : 0;
	struct rule_list *changed = rule_list_new(NULL, count + 1);

	if (!changed)
		return -ENOMEM;
	if (count)
		memcpy(changed->rules, list->rules, count * sizeof(*list->rules));
	changed->count = count;
	exchange(changed, item->rule[!side], item->rule[side]);
	policy_set_rules(policy, item->family, changed);
	return 0;
}

static const struct route_entry *routes_of(const struct policy *policy,
					   const struct policy_difference *item)
{
	const struct route_table *table = policy_table(policy, item->family, item->table);

	return table ? route_table_entries(table, item->dst, item->dst_length) : NULL;
}

static int apply_routes(const struct policy_diff *diff, const struct policy_difference *item,
			enum policy_side side, struct policy *policy)
{
	const struct route_entry *entry;
	int err = 0;

	for (entry = routes_of(diff->policy[!side], item); entry && !err;
	     entry = route_entry_next(entry))
		err = policy_remove_route(policy, &entry->route);
	for (entry = routes_of(diff->policy[side], item); entry && !err;
	     entry = route_entry_next(entry))
		err = policy_add_route(policy, &entry->route, true, false);
	return err;
}

int policy_diff_apply(const struct policy_diff *diff, const struct policy_difference *item,
		      enum policy_side side, struct policy *policy)
{
	switch (item->kind) {
	case DIFFERENCE_RULE:
		return apply_rule(item, side, policy);
	case DIFFERENCE_ROUTES:
		return apply_routes(diff, item, side, policy);
	default:
		if (item->link[side])
			return policy_set_link(policy, item->link[side]);
		policy_remove_link(policy, item->device);
		return 0;
	}
}
