// SPDX-License-Identifier: GPL-2.0-only
/* The policy of one network namespace: rule lists, links, addresses and tables in one place. */
#include "rules/policy.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "rules/grow.h"
#include "rules/owners.h"
#include "rules/policy_state.h"
#include "rules/source6.h"

#define DETACHED -1

/* The policy has changed: after the change, so that the journal's reader sees what it made. */
static void note_change(const struct policy *policy, const struct policy_change *change)
{
	if (policy->note)
		policy->note(policy->note_data, policy, change);
}

/* -1 for a family that has no rules here. */
static int family_slot(uint8_t family)
{
	if (family == AF_INET)
		return 0;
	return family == AF_INET6 ? 1 : -1;
}

struct rule_list *rule_list_new(const struct rule *rules, size_t count)
{
	struct rule_list *list;
	size_t size;

	if (__builtin_mul_overflow(count, sizeof(*rules), &size) ||
	    __builtin_add_overflow(size, sizeof(*list), &size)) {
		errno = ENOMEM;
		return NULL;
	}
	list = malloc(size);
	if (!list)
		return NULL;
	list->references = 1;
	list->count = count;
	if (!rules)
		memset(list->rules, 0, count * sizeof(*rules));
	else if (count)
		memcpy(list->rules, rules, count * sizeof(*rules));
	return list;
}

struct rule_list *rule_list_get(struct rule_list *list)
{
	list->references++;
	return list;
}

void rule_list_put(struct rule_list *list)
{
	if (list && --list->references == 0)
		free(list);
}

struct policy *policy_new(uint32_t netns, enum tos_compare tos_compare)
{
	struct policy *policy = calloc(1, sizeof(*policy));

	if (!policy)
		return NULL;
	policy->netns = netns;
	policy->tos_compare = tos_compare;
	return policy;
}

void policy_free(struct policy *policy)
{
	if (!policy)
		return;
	for (size_t i = 0; i < FLOW_FAMILY_COUNT; i++)
		rule_list_put(policy->rules[i]);
	for (size_t i = 0; i < policy->tables.count; i++)
		route_table_free(policy->tables.slots[i].table);
	free(policy->tables.slots);
	links_free(&policy->links);
	addresses_free(&policy->addresses);
	free(policy->rp_filters.items);
	free(policy);
}

struct policy_traits policy_traits(const struct policy *policy)
{
	return (struct policy_traits){
		.tos_compare = policy->tos_compare,
		.l3_master_match = policy->l3_master_match,
		.dscp_zero_is_any = policy->dscp_zero_is_any,
	};
}

uint32_t policy_netns(const struct policy *policy)
{
	return policy->netns;
}

uint64_t policy_generation(const struct policy *policy)
{
	return policy->generation;
}

void policy_set_l3_master_match(struct policy *policy, bool on)
{
	if (policy->l3_master_match == on)
		return;
	policy->l3_master_match = on;
	policy->generation++;
}

void policy_set_dscp_zero_is_any(struct policy *policy, bool on)
{
	if (policy->dscp_zero_is_any == on)
		return;
	policy->dscp_zero_is_any = on;
	policy->generation++;
}

void policy_set_default_after_reject(struct policy *policy, enum default_after_reject asked)
{
	policy->default_after_reject = asked;
}

enum default_after_reject policy_default_after_reject(const struct policy *policy)
{
	return policy->default_after_reject;
}

/* What the name in a rule's iif or oif stands for now. */
static int resolve_name(const struct policy *policy, const char *name)
{
	const struct link *link;

	if (!name[0])
		return 0;
	link = links_find_name(&policy->links, name);
	return link ? (int)link->index : DETACHED;
}

static bool list_is_resolved(const struct policy *policy, const struct rule_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct rule *rule = &list->rules[i];

		if (rule->iif_index != resolve_name(policy, rule->iif) ||
		    rule->oif_index != resolve_name(policy, rule->oif))
			return false;
	}
	return true;
}

static void list_resolve(const struct policy *policy, struct rule_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		struct rule *rule = &list->rules[i];

		rule->iif_index = resolve_name(policy, rule->iif);
		rule->oif_index = resolve_name(policy, rule->oif);
	}
}

static void replace_rules(struct policy *policy, int slot, struct rule_list *list)
{
	rule_list_put(policy->rules[slot]);
	policy->rules[slot] = list;
}

/* The names of the links changed: lists in force are never modified, but replaced. */
static int resolve_rules(struct policy *policy)
{
	for (int slot = 0; slot < FLOW_FAMILY_COUNT; slot++) {
		const struct rule_list *list = policy->rules[slot];
		struct rule_list *copy;

		if (!list || list_is_resolved(policy, list))
			continue;
		copy = rule_list_new(list->rules, list->count);
		if (!copy)
			return -ENOMEM;
		list_resolve(policy, copy);
		replace_rules(policy, slot, copy);
	}
	return 0;
}

/* Devices and owners, in place where nobody else holds the list. Without memory for a copy the
 * rules stay detached and without owners. */
static void prepare_rules(struct policy *policy, int slot)
{
	struct rule_list *list = policy->rules[slot];

	if (!list)
		return;
	if (list->references > 1)
		list = rule_list_new(list->rules, list->count);
	if (!list)
		return;
	list_resolve(policy, list);
	owners_label(policy->owners, list->rules, list->count);
	if (list != policy->rules[slot])
		replace_rules(policy, slot, list);
}

void policy_set_owners(struct policy *policy, const struct owners *owners)
{
	policy->owners = owners;
	policy->generation++;
	for (int slot = 0; slot < FLOW_FAMILY_COUNT; slot++)
		prepare_rules(policy, slot);
}

const struct owners *policy_owners(const struct policy *policy)
{
	return policy->owners;
}

void policy_set_rules(struct policy *policy, uint8_t family, struct rule_list *list)
{
	int slot = family_slot(family);

	if (slot < 0) {
		rule_list_put(list);
		return;
	}
	replace_rules(policy, slot, list);
	policy->generation++;
	prepare_rules(policy, slot);
	note_change(policy, &(struct policy_change){ .kind = POLICY_RULES_SET,
						     .family = family,
						     .rules = policy->rules[slot] });
}

struct rule_list *policy_rules(const struct policy *policy, uint8_t family)
{
	int slot = family_slot(family);

	return slot < 0 ? NULL : policy->rules[slot];
}

int policy_set_link(struct policy *policy, const struct link *link)
{
	int change = links_set(&policy->links, link);
	int err;

	if (change <= LINK_SAME)
		return change;
	policy->generation++;
	err = change == LINK_RENAMED ? resolve_rules(policy) : 0;
	note_change(policy, &(struct policy_change){ .kind = POLICY_LINK_SET, .link = link });
	return err;
}

static struct rp_setting *find_rp_setting(const struct policy *policy, uint32_t index)
{
	for (size_t i = 0; i < policy->rp_filters.count; i++) {
		if (policy->rp_filters.items[i].index == index)
			return &policy->rp_filters.items[i];
	}
	return NULL;
}

static void remove_rp_setting(struct policy *policy, uint32_t index)
{
	struct rp_setting *setting = find_rp_setting(policy, index);

	if (setting)
		*setting = policy->rp_filters.items[--policy->rp_filters.count];
}

void policy_remove_link(struct policy *policy, uint32_t index)
{
	if (!links_remove(&policy->links, index))
		return;
	addresses_remove_device(&policy->addresses, index);
	remove_rp_setting(policy, index);
	policy->generation++;
	resolve_rules(policy);
	note_change(policy,
		    &(struct policy_change){ .kind = POLICY_LINK_REMOVED, .number = index });
}

void policy_clear_links(struct policy *policy)
{
	links_free(&policy->links);
	addresses_free(&policy->addresses);
	policy->generation++;
	note_change(policy, &(struct policy_change){ .kind = POLICY_LINKS_CLEARED });
}

const struct link *policy_link(const struct policy *policy, uint32_t index)
{
	return links_find(&policy->links, index);
}

const struct link *policy_link_by_name(const struct policy *policy, const char *name)
{
	return links_find_name(&policy->links, name);
}

int policy_set_address(struct policy *policy, const struct address *address)
{
	int change = addresses_set(&policy->addresses, address);

	if (change <= 0)
		return change;
	policy->generation++;
	note_change(policy,
		    &(struct policy_change){ .kind = POLICY_ADDRESS_SET, .address = address });
	return 0;
}

int policy_append_address(struct policy *policy, const struct address *address)
{
	int change = addresses_append(&policy->addresses, address);

	if (change <= 0)
		return change;
	policy->generation++;
	note_change(policy,
		    &(struct policy_change){ .kind = POLICY_ADDRESS_APPENDED, .address = address });
	return 0;
}

const struct address *policy_own_address(const struct policy *policy, uint8_t family,
					 const uint8_t *address)
{
	return addresses_find(&policy->addresses, family, address);
}

size_t policy_tunnel_count(const struct policy *policy)
{
	const struct link_index *links = &policy->links.by_index;
	size_t count = 0;

	for (size_t i = 0; i < links->count; i++)
		count += links->links[i]->tunnel;
	return count;
}

bool policy_link_is_tunnel(const struct policy *policy, uint32_t index)
{
	const struct link *link = policy_link(policy, index);

	return link && link->tunnel;
}

int policy_set_rp_filter(struct policy *policy, uint32_t index, uint8_t value)
{
	struct rp_settings *settings = &policy->rp_filters;
	struct rp_setting *setting = find_rp_setting(policy, index);

	if (!setting) {
		setting = array_reserve(settings->items, sizeof(*setting), settings->count,
					&settings->capacity);
		if (!setting)
			return -ENOMEM;
		settings->items = setting;
		setting = &settings->items[settings->count++];
	} else if (setting->value == value) {
		return 0;
	}
	*setting = (struct rp_setting){ .index = index, .value = value };
	policy->generation++;
	note_change(policy, &(struct policy_change){ .kind = POLICY_RP_FILTER_SET,
						     .number = index,
						     .value = value });
	return 0;
}

enum rp_filter policy_rp_filter(const struct policy *policy, uint32_t index)
{
	const struct rp_setting *all = find_rp_setting(policy, 0);
	const struct rp_setting *own = find_rp_setting(policy, index);
	uint8_t value = all ? all->value : 0;

	if (own && own->value > value)
		value = own->value;
	return value > RP_FILTER_LOOSE ? RP_FILTER_NONE : (enum rp_filter)value;
}

void policy_remove_address(struct policy *policy, const struct address *address)
{
	if (!addresses_remove(&policy->addresses, address))
		return;
	policy->generation++;
	note_change(policy,
		    &(struct policy_change){ .kind = POLICY_ADDRESS_REMOVED, .address = address });
}

static uint64_t table_key(uint8_t family, uint32_t id)
{
	return (uint64_t)family << 32 | id;
}

static size_t slot_place(const struct table_slots *tables, uint64_t key)
{
	size_t first = 0;
	size_t behind = tables->count;

	while (first < behind) {
		size_t middle = first + (behind - first) / 2;

		if (tables->slots[middle].key < key)
			first = middle + 1;
		else
			behind = middle;
	}
	return first;
}

static struct table_slot *find_slot(const struct policy *policy, uint8_t family, uint32_t id)
{
	const struct table_slots *tables = &policy->tables;
	uint64_t key = table_key(family, id);
	size_t place = slot_place(tables, key);

	if (place == tables->count || tables->slots[place].key != key)
		return NULL;
	return &tables->slots[place];
}

/* The slot of the table, made when it is new; NULL with errno. */
static struct table_slot *slot_for_change(struct policy *policy, uint8_t family, uint32_t id)
{
	struct table_slots *tables = &policy->tables;
	struct table_slot *slot = find_slot(policy, family, id);
	size_t place;

	if (slot)
		return slot;
	slot = array_reserve(tables->slots, sizeof(*slot), tables->count, &tables->capacity);
	if (!slot)
		return NULL;
	tables->slots = slot;
	place = slot_place(tables, table_key(family, id));
	slot += place;
	memmove(slot + 1, slot, (tables->count - place) * sizeof(*slot));
	*slot = (struct table_slot){ .key = table_key(family, id) };
	tables->count++;
	return slot;
}

const struct route_table *policy_table(const struct policy *policy, uint8_t family, uint32_t id)
{
	const struct table_slot *slot = find_slot(policy, family, id);

	if (!slot || slot->unheld || !slot->table || !route_table_count(slot->table))
		return NULL;
	return slot->table;
}

struct route_table *policy_table_for_change(struct policy *policy, uint8_t family, uint32_t id)
{
	struct table_slot *slot = slot_for_change(policy, family, id);

	if (!slot)
		return NULL;
	if (!slot->table)
		slot->table = route_table_new(id, family);
	if (slot->table)
		policy->generation++;
	return slot->table;
}

int policy_add_route(struct policy *policy, const struct route *route, bool append, bool replace)
{
	struct route_table *table = policy_table_for_change(policy, route->family, route->table);
	int err = table ? route_table_add(table, route, append, replace) : -errno;

	if (!err)
		note_change(policy, &(struct policy_change){ .kind = POLICY_ROUTE_ADDED,
							     .append = append,
							     .replace = replace,
							     .route = route });
	return err;
}

int policy_remove_route(struct policy *policy, const struct route *route)
{
	struct route_table *table;
	int err;

	if (!policy_table(policy, route->family, route->table))
		return -ENOENT;
	table = policy_table_for_change(policy, route->family, route->table);
	err = table ? route_table_remove(table, route) : -errno;
	if (!err)
		note_change(policy, &(struct policy_change){ .kind = POLICY_ROUTE_REMOVED,
							     .route = route });
	return err;
}

void policy_visit_tables(const struct policy *policy, uint8_t family,
			 bool (*visit)(uint32_t table, void *data), void *data)
{
	for (size_t i = 0; i < policy->tables.count; i++) {
		const struct table_slot *slot = &policy->tables.slots[i];

		if (slot->key >> 32 != family || slot->unheld || !slot->table ||
		    !route_table_count(slot->table))
			continue;
		if (!visit((uint32_t)slot->key, data))
			return;
	}
}

bool policy_table_is_l3mdev(const struct policy *policy, uint32_t table)
{
	const struct link_index *links = &policy->links.by_index;

	for (size_t i = 0; i < links->count; i++) {
		if (links->links[i]->l3mdev_table == table)
			return true;
	}
	return false;
}

void policy_clear_routes(struct policy *policy, uint8_t family)
{
	struct table_slots *tables = &policy->tables;
	size_t kept = 0;

	for (size_t i = 0; i < tables->count; i++) {
		if (tables->slots[i].key >> 32 == family)
			route_table_free(tables->slots[i].table);
		else
			tables->slots[kept++] = tables->slots[i];
	}
	tables->count = kept;
	policy->generation++;
	note_change(policy,
		    &(struct policy_change){ .kind = POLICY_ROUTES_CLEARED, .family = family });
}

void policy_set_table_unheld(struct policy *policy, uint8_t family, uint32_t id)
{
	struct table_slot *slot = slot_for_change(policy, family, id);

	if (!slot)
		return;
	route_table_free(slot->table);
	slot->table = NULL;
	slot->unheld = true;
	policy->generation++;
	note_change(policy, &(struct policy_change){
				    .kind = POLICY_TABLE_UNHELD, .family = family, .number = id });
}

bool policy_table_unheld(const struct policy *policy, uint8_t family, uint32_t id)
{
	const struct table_slot *slot = find_slot(policy, family, id);

	return slot && slot->unheld;
}

/* l3mdev_update_flow(): a known output device decides before the input device. */
static uint32_t l3_master_of_flow(const struct links *links, const struct flow_key *key)
{
	if (key->l3mdev)
		return key->l3mdev;
	if (key->oif && links_find(links, key->oif))
		return links_l3_master(links, key->oif);
	return key->iif > FLOW_IFINDEX_LO ? links_l3_master(links, key->iif) : 0;
}

static uint32_t l3mdev_table_of_flow(const void *data, const struct flow_key *key)
{
	const struct policy *policy = data;
	const struct link *link =
		links_find(&policy->links, l3_master_of_flow(&policy->links, key));

	return link ? link->l3mdev_table : 0;
}

static uint32_t l3_master_of_device(const void *data, uint32_t ifindex)
{
	const struct policy *policy = data;

	return links_l3_master(&policy->links, ifindex);
}

struct match_context policy_match_context(const struct policy *policy)
{
	return (struct match_context){
		.tos_compare = policy->tos_compare,
		.dscp_zero_is_any = policy->dscp_zero_is_any,
		.l3mdev_table = l3mdev_table_of_flow,
		.master_of = policy->l3_master_match ? l3_master_of_device : NULL,
		.data = policy,
	};
}

bool policy_select_source(const struct policy *policy, uint32_t ifindex, const uint8_t *gateway,
			  uint8_t scope, uint8_t source[static 16])
{
	const struct source_question question = {
		.links = &policy->links,
		.gateway = gateway,
		.ifindex = ifindex,
		.scope = scope,
	};
	const struct address *address = addresses_select(&policy->addresses, &question);

	if (!address)
		return false;
	memcpy(source, address->local, sizeof(address->local));
	return true;
}

bool policy_select_source6(const struct policy *policy, const uint8_t dst[static 16],
			   uint32_t ifindex, uint8_t source[static 16])
{
	const struct address *address =
		source6_select(&policy->addresses, &policy->links, dst, ifindex);

	if (!address)
		return false;
	memcpy(source, address->local, sizeof(address->local));
	return true;
}

bool policy_preferred_source(const struct policy *policy, const struct route *route,
			     const struct nexthop *nexthop, uint8_t source[static 16])
{
	const uint8_t *gateway = NULL;

	if (route->prefsrc_family) {
		memcpy(source, route->prefsrc, sizeof(route->prefsrc));
		return true;
	}
	if (!nexthop || route->family != AF_INET || route->type == RTN_LOCAL)
		return false;
	if (nexthop->gateway_family == AF_INET)
		gateway = nexthop->gateway;
	return policy_select_source(policy, nexthop->dev, gateway, route->scope, source);
}
