// SPDX-License-Identifier: GPL-2.0-only
/* What two policies differ in. */
#include "rules/policy_diff.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "rules/grow.h"
#include "rules/match.h"
#include "rules/policy_state.h"
#include "rules/route_entries.h"

static const uint8_t families[FLOW_FAMILY_COUNT] = { FLOW_AF_INET, FLOW_AF_INET6 };

/* Nexthops' flags that are part of a route; others tell of hardware. */
#define FLAGS_COMPARED (RTNH_F_DEAD | RTNH_F_PERVASIVE | RTNH_F_ONLINK | RTNH_F_LINKDOWN)

/* So many pairs of rules are looked at for those that were only moved or changed. */
#define PAIRS_MAX (4u << 20)

static struct policy_difference *add_item(struct policy_diff *diff, enum difference_kind kind,
					  uint8_t family)
{
	struct policy_difference *item =
		array_reserve(diff->items, sizeof(*item), diff->count, &diff->capacity);

	if (!item)
		return NULL;
	diff->items = item;
	item += diff->count++;
	*item = (struct policy_difference){ .kind = kind, .family = family };
	return item;
}

/* --- rules -------------------------------------------------------------------------------- */

static bool rules_alike_but_priority(const struct rule *a, const struct rule *b)
{
	struct rule other = *b;

	other.priority = a->priority;
	return rule_alike(a, &other);
}

static bool selectors_alike(const struct rule *a, const struct rule *b)
{
	struct rule other = *b;

	other.action = a->action;
	other.table = a->table;
	other.target = a->target;
	other.protocol = a->protocol;
	other.realms = a->realms;
	other.suppress_prefixlength = a->suppress_prefixlength;
	other.suppress_ifgroup = a->suppress_ifgroup;
	return rule_alike(a, &other);
}

/* The rule of this priority has come to do something else, or to apply to something else. */
static bool rules_alike_in_part(const struct rule *a, const struct rule *b)
{
	return a->priority == b->priority &&
	       (selectors_alike(a, b) || (a->action == b->action && a->table == b->table &&
					  a->target == b->target && a->l3mdev == b->l3mdev));
}

/* The rules of one priority, of which the order counts. */
struct rule_group {
	const struct rule *rules[SIDE_COUNT];
};

static bool group_equal(const void *data, size_t first, size_t second)
{
	const struct rule_group *group = data;

	return rule_alike(&group->rules[SIDE_OLD][first], &group->rules[SIDE_NEW][second]);
}

static int add_unmatched_rules(struct policy_diff *diff, const struct rule_group *group,
			       const struct matching *matching)
{
	for (size_t side = 0; side < SIDE_COUNT; side++) {
		for (size_t i = 0; i < matching->count[side]; i++) {
			struct policy_difference *item;

			if (matching->matched[side][i])
				continue;
			item = add_item(diff, DIFFERENCE_RULE, group->rules[side][i].family);
			if (!item)
				return -ENOMEM;
			item->rule[side] = &group->rules[side][i];
		}
	}
	return 0;
}

static size_t group_length(const struct rule_list *list, size_t start, uint32_t priority)
{
	size_t end = start;

	while (list && end < list->count && list->rules[end].priority == priority)
		end++;
	return end - start;
}

/* The lowest priority that stands at either place; both are not at their ends. */
static uint32_t next_priority(const struct rule_list *const lists[SIDE_COUNT],
			      const size_t at[SIDE_COUNT])
{
	uint32_t priority = UINT32_MAX;

	for (size_t side = 0; side < SIDE_COUNT; side++) {
		if (lists[side] && at[side] < lists[side]->count &&
		    lists[side]->rules[at[side]].priority < priority)
			priority = lists[side]->rules[at[side]].priority;
	}
	return priority;
}

static int compare_group(struct policy_diff *diff, const struct rule_list *const lists[SIDE_COUNT],
			 size_t at[SIDE_COUNT])
{
	uint32_t priority = next_priority(lists, at);
	struct rule_group group = { { NULL, NULL } };
	struct matching matching = { .equal = group_equal, .data = &group };
	int err;

	for (size_t side = 0; side < SIDE_COUNT; side++) {
		matching.count[side] = group_length(lists[side], at[side], priority);
		if (matching.count[side])
			group.rules[side] = &lists[side]->rules[at[side]];
		at[side] += matching.count[side];
	}
	err = matching_in_order(&matching);
	if (!err)
		err = add_unmatched_rules(diff, &group, &matching);
	matching_free(&matching);
	return err;
}

static bool lists_left(const struct rule_list *const lists[SIDE_COUNT], const size_t at[SIDE_COUNT])
{
	return (lists[SIDE_OLD] && at[SIDE_OLD] < lists[SIDE_OLD]->count) ||
	       (lists[SIDE_NEW] && at[SIDE_NEW] < lists[SIDE_NEW]->count);
}

/* A rule of the old side alone and one of the new side alone become one that was changed. */
static void pair_rules(struct policy_diff *diff, size_t first,
		       bool (*alike)(const struct rule *a, const struct rule *b))
{
	for (size_t i = first; i < diff->count; i++) {
		struct policy_difference *old = &diff->items[i];

		if (!old->rule[SIDE_OLD] || old->rule[SIDE_NEW])
			continue;
		for (size_t j = first; j < diff->count; j++) {
			struct policy_difference *new = &diff->items[j];

			if (new->rule[SIDE_OLD] || !new->rule[SIDE_NEW] ||
			    !alike(old->rule[SIDE_OLD], new->rule[SIDE_NEW]))
				continue;
			old->rule[SIDE_NEW] = new->rule[SIDE_NEW];
			new->rule[SIDE_NEW] = NULL;
			break;
		}
	}
}

/* Items that were paired with others are empty now. */
static void drop_empty(struct policy_diff *diff, size_t first)
{
	size_t kept = first;

	for (size_t i = first; i < diff->count; i++) {
		if (diff->items[i].rule[SIDE_OLD] || diff->items[i].rule[SIDE_NEW])
			diff->items[kept++] = diff->items[i];
	}
	diff->count = kept;
}

static int compare_rules(struct policy_diff *diff, uint8_t family)
{
	const struct rule_list *const lists[SIDE_COUNT] = {
		policy_rules(diff->policy[SIDE_OLD], family),
		policy_rules(diff->policy[SIDE_NEW], family),
	};
	size_t first = diff->count, at[SIDE_COUNT] = { 0, 0 };
	int err = 0;

	while (!err && lists_left(lists, at))
		err = compare_group(diff, lists, at);
	if (err || diff->count - first > PAIRS_MAX / (diff->count - first + 1))
		return err;
	pair_rules(diff, first, rules_alike_but_priority);
	pair_rules(diff, first, rules_alike_in_part);
	drop_empty(diff, first);
	return 0;
}

/* --- routes ------------------------------------------------------------------------------- */

static bool nexthops_alike(const struct nexthop *a, const struct nexthop *b)
{
	return a->dev == b->dev && a->weight == b->weight &&
	       a->gateway_family == b->gateway_family &&
	       !memcmp(a->gateway, b->gateway, sizeof(a->gateway)) &&
	       !((a->flags ^ b->flags) & FLAGS_COMPARED);
}

/* More nexthops in another order are not looked for. */
#define NEXTHOPS_MAX 512u

static bool has_nexthop(const struct route *route, const struct nexthop *nexthop)
{
	for (uint32_t i = 0; i < route->nexthop_count; i++) {
		if (nexthops_alike(&route->nexthops[i], nexthop))
			return true;
	}
	return false;
}

/* Of IPv6 each is a route of its own to the kernel, and they are in no order. */
static bool all_nexthops_alike(const struct route *a, const struct route *b)
{
	bool any_order = a->family == FLOW_AF_INET6 && a->nexthop_count <= NEXTHOPS_MAX;

	if (a->nexthop_count != b->nexthop_count)
		return false;
	for (uint32_t i = 0; i < a->nexthop_count; i++) {
		const struct nexthop *one = &a->nexthops[i], *other = &b->nexthops[i];

		if (nexthops_alike(one, other))
			continue;
		if (!any_order || !has_nexthop(b, one) || !has_nexthop(a, other))
			return false;
	}
	return true;
}

/* Of one prefix of one table. */
static bool routes_alike(const struct route *a, const struct route *b)
{
	return a->src_length == b->src_length && !memcmp(a->src, b->src, sizeof(a->src)) &&
	       a->prefsrc_family == b->prefsrc_family &&
	       !memcmp(a->prefsrc, b->prefsrc, sizeof(a->prefsrc)) && a->metric == b->metric &&
	       a->nexthop_id == b->nexthop_id && a->tos == b->tos && a->type == b->type &&
	       a->scope == b->scope && a->protocol == b->protocol &&
	       a->router_preference == b->router_preference && all_nexthops_alike(a, b);
}

/* The routes of one prefix on both sides. */
struct route_group {
	const struct route **routes[SIDE_COUNT];
	size_t count[SIDE_COUNT];
};

static const struct route_entry *entries_of(const struct policy *policy, uint8_t family,
					    uint32_t table, const uint8_t *dst, uint8_t length)
{
	const struct route_table *held = policy_table(policy, family, table);

	return held ? route_table_entries(held, dst, length) : NULL;
}

static const struct route_entry *item_entries(const struct policy *policy,
					      const struct policy_difference *item)
{
	return entries_of(policy, item->family, item->table, item->dst, item->dst_length);
}

static int group_collect(struct route_group *group, const struct policy_diff *diff,
			 const struct policy_difference *item)
{
	for (size_t side = 0; side < SIDE_COUNT; side++) {
		const struct route_entry *first = item_entries(diff->policy[side], item);

		for (const struct route_entry *at = first; at; at = route_entry_next(at))
			group->count[side]++;
		group->routes[side] = calloc(group->count[side] + 1, sizeof(**group->routes));
		if (!group->routes[side])
			return -ENOMEM;
		group->count[side] = 0;
		for (const struct route_entry *at = first; at; at = route_entry_next(at))
			group->routes[side][group->count[side]++] = &at->route;
	}
	return 0;
}

static void group_free(struct route_group *group)
{
	free(group->routes[SIDE_OLD]);
	free(group->routes[SIDE_NEW]);
}

static bool group_routes_equal(const void *data, size_t first, size_t second)
{
	const struct route_group *group = data;

	return routes_alike(group->routes[SIDE_OLD][first], group->routes[SIDE_NEW][second]);
}

int policy_diff_visit_routes(const struct policy_diff *diff, const struct policy_difference *item,
			     void (*visit)(void *data, enum policy_side side,
					   const struct route *route),
			     void *data)
{
	struct route_group group = { { NULL, NULL }, { 0, 0 } };
	struct matching matching = { .equal = group_routes_equal, .data = &group };
	int err = group_collect(&group, diff, item);

	memcpy(matching.count, group.count, sizeof(group.count));
	/* IPv6 chooses by what is known of gateways, not by the order of equal ones. */
	if (!err && item->family == FLOW_AF_INET6)
		err = matching_in_any_order(&matching);
	else if (!err)
		err = matching_in_order(&matching);
	for (size_t side = 0; !err && side < SIDE_COUNT; side++) {
		for (size_t i = 0; i < group.count[side]; i++) {
			if (!matching.matched[side][i])
				visit(data, side, group.routes[side][i]);
		}
	}
	matching_free(&matching);
	group_free(&group);
	return err;
}

static void count_route(void *data, enum policy_side side, const struct route *route)
{
	(void)side;
	(void)route;
	++*(size_t *)data;
}

/* Compares one table, side by side; added: only what the other side has not at all. */
struct table_comparison {
	struct policy_diff *diff;
	const struct route *last; /* of the prefix that was looked at */
	bool added;
	int err;
};

static bool same_prefix(const struct route *a, const struct route *b)
{
	return a && a->dst_length == b->dst_length && !memcmp(a->dst, b->dst, sizeof(a->dst));
}

/* Whether the prefix is looked at from the other side, too. */
static bool is_seen_elsewhere(const struct table_comparison *comparison, const struct route *route)
{
	return comparison->added && entries_of(comparison->diff->policy[SIDE_OLD], route->family,
					       route->table, route->dst, route->dst_length);
}

/* Routes of one prefix come one after the other. */
static bool compare_prefix(const struct route *route, void *data)
{
	struct table_comparison *comparison = data;
	struct policy_diff *diff = comparison->diff;
	struct policy_difference item = {
		.kind = DIFFERENCE_ROUTES,
		.family = route->family,
		.table = route->table,
		.dst_length = route->dst_length,
	};
	struct policy_difference *added;
	size_t count = 0;

	if (same_prefix(comparison->last, route) || is_seen_elsewhere(comparison, route))
		return true;
	comparison->last = route;
	memcpy(item.dst, route->dst, sizeof(item.dst));
	comparison->err = policy_diff_visit_routes(diff, &item, count_route, &count);
	if (comparison->err || !count)
		return !comparison->err;
	added = add_item(diff, DIFFERENCE_ROUTES, route->family);
	if (added)
		*added = item;
	else
		comparison->err = -ENOMEM;
	return added != NULL;
}

static int add_unheld(struct policy_diff *diff, uint8_t family, uint32_t table)
{
	struct unheld_table *unheld = array_reserve(diff->unheld, sizeof(*unheld),
						    diff->unheld_count, &diff->unheld_capacity);

	if (!unheld)
		return -ENOMEM;
	diff->unheld = unheld;
	unheld[diff->unheld_count++] = (struct unheld_table){ family, table };
	return 0;
}

/* One table of a side: what the old side has of it is compared, of the new side what the old has not. */
static int compare_table(struct policy_diff *diff, enum policy_side side,
			 const struct table_slot *slot)
{
	struct table_comparison comparison = { .diff = diff, .added = side == SIDE_NEW };
	uint8_t family = (uint8_t)(slot->key >> 32);
	uint32_t table = (uint32_t)slot->key;
	const struct policy *other = diff->policy[!side];
	const struct route_table *held = policy_table(diff->policy[side], family, table);

	if (slot->unheld && side == SIDE_NEW && policy_table_unheld(other, family, table))
		return 0; /* said of the old side */
	if (slot->unheld)
		return add_unheld(diff, family, table);
	if (!held || policy_table_unheld(other, family, table))
		return 0;
	route_table_visit(held, compare_prefix, &comparison);
	return comparison.err;
}

static int compare_tables(struct policy_diff *diff)
{
	int err = 0;

	for (size_t side = 0; side < SIDE_COUNT && !err; side++) {
		const struct table_slots *tables = &diff->policy[side]->tables;

		for (size_t i = 0; i < tables->count && !err; i++)
			err = compare_table(diff, side, &tables->slots[i]);
	}
	return err;
}

/* --- links -------------------------------------------------------------------------------- */

uint32_t policy_link_vrf(const struct policy *policy, const struct link *link)
{
	uint32_t vrf = link ? links_l3_master(&policy->links, link->index) : 0;

	return link && vrf != link->index ? vrf : 0;
}

static bool names_device(const struct rule *rule, const char *name)
{
	return !strncmp(rule->iif, name, IFNAMSIZ) || !strncmp(rule->oif, name, IFNAMSIZ);
}

/* Whether a rule of either side satisfies the condition. */
static bool any_rule(const struct policy_diff *diff,
		     bool (*holds)(const struct rule *rule, const char *name), const char *name)
{
	for (size_t i = 0; i < SIDE_COUNT * FLOW_FAMILY_COUNT; i++) {
		const struct rule_list *list =
			policy_rules(diff->policy[i % SIDE_COUNT], families[i / SIDE_COUNT]);

		for (size_t at = 0; list && at < list->count; at++) {
			if (holds(&list->rules[at], name))
				return true;
		}
	}
	return false;
}

static bool suppresses_by_group(const struct rule *rule, const char *name)
{
	(void)name;
	return rule->suppress_ifgroup != -1;
}

static uint32_t vrf_table(const struct link *link)
{
	return link ? link->l3mdev_table : 0;
}

static bool links_differ(const struct policy_diff *diff, const struct link *old,
			 const struct link *new, bool groups_matter)
{
	if (vrf_table(old) != vrf_table(new) ||
	    policy_link_vrf(diff->policy[SIDE_OLD], old) !=
		    policy_link_vrf(diff->policy[SIDE_NEW], new))
		return true;
	if (old && new)
		return groups_matter && old->group != new->group;
	return any_rule(diff, names_device, old ? old->name : new->name);
}

static int compare_link(struct policy_diff *diff, const struct link *old, const struct link *new,
			bool groups_matter)
{
	struct policy_difference *item;

	if (!links_differ(diff, old, new, groups_matter))
		return 0;
	item = add_item(diff, DIFFERENCE_LINK, 0);
	if (!item)
		return -ENOMEM;
	item->device = old ? old->index : new->index;
	item->link[SIDE_OLD] = old;
	item->link[SIDE_NEW] = new;
	return 0;
}

static int compare_links(struct policy_diff *diff)
{
	bool groups_matter = any_rule(diff, suppresses_by_group, NULL);
	int err = 0;

	for (size_t side = 0; side < SIDE_COUNT; side++) {
		const struct link_index *links = &diff->policy[side]->links.by_index;

		for (size_t i = 0; i < links->count && !err; i++) {
			const struct link *link = links->links[i];
			const struct link *other = policy_link(diff->policy[!side], link->index);

			if (side == SIDE_OLD)
				err = compare_link(diff, link, other, groups_matter);
			else if (!other)
				err = compare_link(diff, NULL, link, groups_matter);
		}
	}
	return err;
}

/* --- all ---------------------------------------------------------------------------------- */

static int compare_numbers(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* The lower one of its priorities. */
static uint32_t item_priority(const struct policy_difference *item)
{
	const struct rule *old = item->rule[SIDE_OLD], *new = item->rule[SIDE_NEW];

	if (!old || !new)
		return (old ? old : new)->priority;
	return old->priority < new->priority ? old->priority : new->priority;
}

static int compare_places(const struct policy_difference *a, const struct policy_difference *b)
{
	int order;

	if (a->kind == DIFFERENCE_LINK)
		return compare_numbers(a->device, b->device);
	if (a->kind == DIFFERENCE_RULE)
		return compare_numbers(item_priority(a), item_priority(b));
	order = compare_numbers(a->table, b->table);
	if (!order)
		order = memcmp(a->dst, b->dst, sizeof(a->dst));
	return order ? order : compare_numbers(a->dst_length, b->dst_length);
}

/* Those that are none of the list's come last. */
static uintptr_t place_in_list(const struct rule *rule)
{
	return rule ? (uintptr_t)rule : UINTPTR_MAX;
}

/* qsort() alone would leave equal ones in no order. */
static int compare_items(const void *first, const void *second)
{
	const struct policy_difference *a = first, *b = second;
	int order = compare_numbers(a->family, b->family);

	if (!order)
		order = compare_numbers(a->kind, b->kind);
	if (!order)
		order = compare_places(a, b);
	for (size_t side = 0; side < SIDE_COUNT && !order; side++)
		order = compare_numbers(place_in_list(a->rule[side]), place_in_list(b->rule[side]));
	return order;
}

int policy_diff_make(struct policy_diff *diff, const struct policy *old, const struct policy *new)
{
	int err;

	*diff = (struct policy_diff){ .policy = { old, new } };
	err = compare_links(diff);
	for (size_t i = 0; i < FLOW_FAMILY_COUNT && !err; i++)
		err = compare_rules(diff, families[i]);
	if (!err)
		err = compare_tables(diff);
	if (!err && diff->count)
		qsort(diff->items, diff->count, sizeof(*diff->items), compare_items);
	return err;
}

void policy_diff_free(struct policy_diff *diff)
{
	free(diff->items);
	free(diff->unheld);
	*diff = (struct policy_diff){ 0 };
}

bool policy_diff_concerns(const struct policy_diff *diff, uint8_t family)
{
	for (size_t i = 0; i < diff->count; i++) {
		if (!diff->items[i].family || diff->items[i].family == family)
			return true;
	}
	return false;
}
