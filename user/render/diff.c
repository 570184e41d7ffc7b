// SPDX-License-Identifier: GPL-2.0-only
/* What the formats of differences share. */
#include "render/diff.h"

#include <string.h>

static void name_device(char name[static IFNAMSIZ], const struct diff_context *context,
			uint32_t number)
{
	memset(name, 0, IFNAMSIZ);
	strncpy(name, devices_name(context->devices, number), IFNAMSIZ - 1);
}

struct lookup diff_lookup(const struct diff_context *context, const struct flow_change *change,
			  enum policy_side side)
{
	struct lookup lookup = {
		.purpose = change->asked.purpose,
		.key = change->asked.key,
		.verdict = change->verdict[side],
	};

	name_device(lookup.iif, context, lookup.key.iif);
	name_device(lookup.oif, context, lookup.key.oif);
	return lookup;
}

void diff_add_link(struct text *out, const struct policy_diff *diff,
		   const struct policy_difference *item, enum policy_side side)
{
	const struct link *link = item->link[side], *other = item->link[!side];
	uint32_t number = policy_link_vrf(diff->policy[side], link);
	const struct link *vrf = policy_link(diff->policy[side], number);

	text_printf(out, "%.*s", IFNAMSIZ, link->name);
	if (vrf)
		text_printf(out, " master %.*s", IFNAMSIZ, vrf->name);
	if (link->l3mdev_table)
		text_printf(out, " vrf table %u", link->l3mdev_table);
	if (other && other->group != link->group)
		text_printf(out, " group %u", link->group);
}

static const struct rule *list_rule_naming(const struct rule_list *list, const char *device)
{
	for (size_t i = 0; list && i < list->count; i++) {
		if (!strncmp(list->rules[i].iif, device, IFNAMSIZ) ||
		    !strncmp(list->rules[i].oif, device, IFNAMSIZ))
			return &list->rules[i];
	}
	return NULL;
}

const struct rule *diff_rule_naming(const struct policy_diff *diff, const char *device)
{
	const struct rule *rule = NULL;

	for (size_t side = 0; side < SIDE_COUNT && !rule; side++) {
		const struct policy *policy = diff->policy[side];

		rule = list_rule_naming(policy_rules(policy, FLOW_AF_INET), device);
		if (!rule)
			rule = list_rule_naming(policy_rules(policy, FLOW_AF_INET6), device);
	}
	return rule;
}
