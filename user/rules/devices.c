// SPDX-License-Identifier: GPL-2.0-only
/* Devices numbered by their names. */
#include "rules/devices.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/grow.h"
#include "rules/policy_change.h"

#define FIRST_SLOTS 64

void devices_free(struct devices *devices)
{
	free(devices->names);
	free(devices->slots);
	*devices = (struct devices){ 0 };
}

static size_t name_hash(const char *name)
{
	size_t hash = 5381;

	for (size_t i = 0; i < IFNAMSIZ - 1 && name[i]; i++)
		hash = hash * 33 ^ (unsigned char)name[i];
	return hash;
}

/* The slot of the name, or the free one where it belongs. */
static uint32_t *slot_of(const struct devices *devices, const char *name)
{
	size_t at = name_hash(name) % devices->slot_count;

	while (devices->slots[at] &&
	       strncmp(devices->names[devices->slots[at] - 1], name, IFNAMSIZ - 1))
		at = (at + 1) % devices->slot_count;
	return &devices->slots[at];
}

static bool grow_slots(struct devices *devices)
{
	size_t count = devices->slot_count ? 2 * devices->slot_count : FIRST_SLOTS;
	uint32_t *slots = calloc(count, sizeof(*slots));

	if (!slots)
		return false;
	free(devices->slots);
	devices->slots = slots;
	devices->slot_count = count;
	for (uint32_t i = 0; i < devices->count; i++)
		*slot_of(devices, devices->names[i]) = i + 1;
	return true;
}

static uint32_t add_name(struct devices *devices, const char *name)
{
	char(*names)[IFNAMSIZ] =
		array_reserve(devices->names, sizeof(*names), devices->count, &devices->capacity);

	if (!names)
		return 0;
	devices->names = names;
	if (2 * (devices->count + 1) > devices->slot_count && !grow_slots(devices))
		return 0;
	memset(names[devices->count], 0, IFNAMSIZ);
	memcpy(names[devices->count], name, strnlen(name, IFNAMSIZ - 1));
	*slot_of(devices, name) = (uint32_t)++devices->count;
	return (uint32_t)devices->count;
}

uint32_t devices_number(struct devices *devices, const char *name)
{
	uint32_t number;

	if (!devices->count && !add_name(devices, "lo"))
		return 0;
	number = *slot_of(devices, name);
	return number ? number : add_name(devices, name);
}

uint32_t devices_number_of(struct devices *devices, const struct policy *policy, uint32_t index)
{
	const struct link *link = policy_link(policy, index);
	char name[IFNAMSIZ];

	if (!index)
		return 0;
	if (index == FLOW_IFINDEX_LO)
		return devices_number(devices, "lo");
	if (link && link->name[0])
		return devices_number(devices, link->name);
	snprintf(name, sizeof(name), "if%u", index);
	return devices_number(devices, name);
}

const char *devices_name(const struct devices *devices, uint32_t number)
{
	return number && number <= devices->count ? devices->names[number - 1] : "";
}

/* --- copies ------------------------------------------------------------------------------- */

struct copying {
	struct devices *devices;
	const struct policy *from;
	struct policy *to;
	int err;
};

/* False without memory. */
static bool renumber(const struct copying *copying, uint32_t *index)
{
	uint32_t before = *index;

	if (copying->devices)
		*index = devices_number_of(copying->devices, copying->from, before);
	return *index || !before;
}

static void copy_link(struct copying *copying, const struct link *link)
{
	struct link copy = *link;

	if (renumber(copying, &copy.index) && renumber(copying, &copy.master))
		copying->err = policy_set_link(copying->to, &copy);
	else
		copying->err = -ENOMEM;
}

static void copy_route(struct copying *copying, const struct route *route)
{
	struct route *copy = malloc(route_size(route->nexthop_count));

	copying->err = copy ? 0 : -ENOMEM;
	if (!copy)
		return;
	memcpy(copy, route, route_size(route->nexthop_count));
	for (uint32_t i = 0; i < copy->nexthop_count; i++) {
		if (!renumber(copying, &copy->nexthops[i].dev))
			copying->err = -ENOMEM;
	}
	if (!copying->err)
		copying->err = policy_add_route(copying->to, copy, true, false);
	free(copy);
}

/* Of addresses and rp_filter no verdict comes. */
static void copy_change(void *data, const struct policy *policy, const struct policy_change *change)
{
	struct copying *copying = data;

	(void)policy;
	if (copying->err)
		return;
	if (change->kind == POLICY_LINK_SET)
		copy_link(copying, change->link);
	else if (change->kind == POLICY_ROUTE_ADDED)
		copy_route(copying, change->route);
	else if (change->kind == POLICY_RULES_SET || change->kind == POLICY_TABLE_UNHELD)
		copying->err = policy_apply(copying->to, change);
}

struct policy *devices_copy_policy(struct devices *devices, const struct policy *policy)
{
	struct policy_traits traits = policy_traits(policy);
	struct copying copying = {
		.devices = devices,
		.from = policy,
		.to = policy_new(policy_netns(policy), traits.tos_compare),
	};

	if (!copying.to)
		return NULL;
	policy_set_l3_master_match(copying.to, traits.l3_master_match);
	policy_set_dscp_zero_is_any(copying.to, traits.dscp_zero_is_any);
	policy_describe(policy, copy_change, &copying);
	policy_set_owners(copying.to, policy_owners(policy));
	if (!copying.err)
		return copying.to;
	policy_free(copying.to);
	errno = -copying.err;
	return NULL;
}
