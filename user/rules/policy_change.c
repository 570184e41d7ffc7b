// SPDX-License-Identifier: GPL-2.0-only
/* Changes of a policy, one by one: a journal of them makes an equal policy elsewhere. */
#include "rules/policy_change.h"

#include <errno.h>

#include "rules/policy_state.h"

void policy_set_journal(struct policy *policy, policy_note note, void *data)
{
	policy->note = note;
	policy->note_data = data;
}

void *policy_journal(const struct policy *policy)
{
	return policy->note ? policy->note_data : NULL;
}

/* Where a description goes. */
struct listener {
	const struct policy *policy;
	policy_note note;
	void *data;
};

static void tell(const struct listener *to, const struct policy_change *change)
{
	to->note(to->data, to->policy, change);
}

static void describe_links(const struct listener *to)
{
	const struct policy *policy = to->policy;
	const struct link_index *links = &policy->links.by_index;

	for (size_t i = 0; i < links->count; i++)
		tell(to,
		     &(struct policy_change){ .kind = POLICY_LINK_SET, .link = links->links[i] });
	for (size_t i = 0; i < policy->addresses.count; i++)
		tell(to, &(struct policy_change){ .kind = POLICY_ADDRESS_APPENDED,
						  .address = &policy->addresses.items[i] });
	for (size_t i = 0; i < policy->rp_filters.count; i++)
		tell(to, &(struct policy_change){ .kind = POLICY_RP_FILTER_SET,
						  .number = policy->rp_filters.items[i].index,
						  .value = policy->rp_filters.items[i].value });
}

/* Routes of one prefix come in the kernel's order: appended they stay in it. */
static bool describe_route(const struct route *route, void *data)
{
	const struct listener *to = data;

	tell(to,
	     &(struct policy_change){ .kind = POLICY_ROUTE_ADDED, .append = true, .route = route });
	return true;
}

static void describe_tables(struct listener *to)
{
	const struct policy *policy = to->policy;
	for (size_t i = 0; i < policy->tables.count; i++) {
		const struct table_slot *slot = &policy->tables.slots[i];

		if (slot->unheld)
			tell(to, &(struct policy_change){ .kind = POLICY_TABLE_UNHELD,
							  .family = (uint8_t)(slot->key >> 32),
							  .number = (uint32_t)slot->key });
		else if (slot->table)
			route_table_visit(slot->table, describe_route, to);
	}
}

void policy_describe(const struct policy *policy, policy_note note, void *data)
{
	static const uint8_t families[FLOW_FAMILY_COUNT] = { FLOW_AF_INET, FLOW_AF_INET6 };
	struct listener to = { policy, note, data };

	describe_links(&to);
	describe_tables(&to);
	for (size_t i = 0; i < FLOW_FAMILY_COUNT; i++) {
		const struct rule_list *rules = policy_rules(policy, families[i]);

		if (rules)
			tell(&to, &(struct policy_change){ .kind = POLICY_RULES_SET,
							   .family = families[i],
							   .rules = rules });
	}
}

static int apply_rules(struct policy *policy, const struct policy_change *change)
{
	struct rule_list *list = rule_list_new(change->rules->rules, change->rules->count);

	if (!list)
		return -errno;
	policy_set_rules(policy, change->family, list);
	return 0;
}

int policy_apply(struct policy *policy, const struct policy_change *change)
{
	switch (change->kind) {
	case POLICY_RULES_SET:
		return apply_rules(policy, change);
	case POLICY_LINK_SET:
		return policy_set_link(policy, change->link);
	case POLICY_LINK_REMOVED:
		policy_remove_link(policy, change->number);
		return 0;
	case POLICY_LINKS_CLEARED:
		policy_clear_links(policy);
		return 0;
	case POLICY_ADDRESS_SET:
		return policy_set_address(policy, change->address);
	case POLICY_ADDRESS_APPENDED:
		return policy_append_address(policy, change->address);
	case POLICY_ADDRESS_REMOVED:
		policy_remove_address(policy, change->address);
		return 0;
	case POLICY_RP_FILTER_SET:
		return policy_set_rp_filter(policy, change->number, change->value);
	case POLICY_ROUTE_ADDED:
		return policy_add_route(policy, change->route, change->append, change->replace);
	case POLICY_ROUTE_REMOVED:
		return policy_remove_route(policy, change->route);
	case POLICY_ROUTES_CLEARED:
		policy_clear_routes(policy, change->family);
		return 0;
	case POLICY_TABLE_UNHELD:
		policy_set_table_unheld(policy, change->family, change->number);
		return 0;
	default:
		return -EINVAL;
	}
}
