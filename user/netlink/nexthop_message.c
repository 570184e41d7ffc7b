// SPDX-License-Identifier: GPL-2.0-only
/* The nexthop objects of a namespace (`ip nexthop`), for routes that name them by id alone. */
#include "netlink/nexthop_message.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "netlink/attribute.h"
#include "rules/grow.h"
#include "util/array.h"

/* struct nexthop_grp of linux/nexthop.h, which in older headers lacks weight_high. */
struct group_entry {
	uint32_t id;
	uint8_t weight;
	uint8_t weight_high;
	uint16_t reserved;
};

/* A group has members, any other object the one nexthop (none for a blackhole). */
struct nexthop_object {
	uint32_t id;
	uint32_t member_count;
	struct group_entry *members;
	struct nexthop nexthop;
	uint8_t family;
};

void nexthop_objects_clear(struct nexthop_objects *objects)
{
	for (size_t i = 0; i < objects->count; i++)
		free(objects->objects[i].members);
	free(objects->objects);
	*objects = (struct nexthop_objects){ 0 };
}

static bool read_gateway(void *object, const void *payload, size_t length)
{
	struct nexthop_object *nexthop = object;

	if (length != family_address_length(nexthop->family))
		return false;
	memcpy(nexthop->nexthop.gateway, payload, length);
	nexthop->nexthop.gateway_family = nexthop->family;
	return true;
}

static bool read_group(void *object, const void *payload, size_t length)
{
	struct nexthop_object *nexthop = object;

	if (length % sizeof(struct group_entry) || nexthop->members)
		return false;
	nexthop->members = malloc(length);
	if (!nexthop->members)
		return false;
	memcpy(nexthop->members, payload, length);
	nexthop->member_count = length / sizeof(struct group_entry);
	return true;
}

static const struct attribute_reader readers[] = {
	[NHA_ID] = ATTRIBUTE_FIELD(struct nexthop_object, id),
	[NHA_GROUP] = { sizeof(struct group_entry), UINT16_MAX, 0, read_group },
	[NHA_OIF] = ATTRIBUTE_FIELD(struct nexthop_object, nexthop.dev),
	[NHA_GATEWAY] = { 4, 16, 0, read_gateway },
};

static const struct attribute_table table = {
	.count = ARRAY_SIZE(readers),
	.readers = readers,
};

static int nexthop_objects_reserve(struct nexthop_objects *objects)
{
	struct nexthop_object *grown =
		array_reserve(objects->objects, sizeof(*grown), objects->count, &objects->capacity);

	if (!grown)
		return -ENOMEM;
	objects->objects = grown;
	return 0;
}

int nexthop_objects_add(struct nexthop_objects *objects, const struct nlmsghdr *message)
{
	const struct nhmsg *header = message_header(message, sizeof(*header));
	struct nexthop_object object = { 0 };

	if (!header)
		return -EBADMSG;
	object.family = header->nh_family;
	object.nexthop.flags = header->nh_flags & 0xff;
	object.nexthop.weight = 1;
	if (!message_read_attributes(message, sizeof(*header), &table, &object) || !object.id) {
		free(object.members);
		return -EBADMSG;
	}
	if (nexthop_objects_reserve(objects)) {
		free(object.members);
		return -ENOMEM;
	}
	objects->objects[objects->count++] = object;
	return 0;
}

static const struct nexthop_object *nexthop_objects_find(const struct nexthop_objects *objects,
							 uint32_t id)
{
	for (size_t i = 0; i < objects->count; i++) {
		if (objects->objects[i].id == id)
			return &objects->objects[i];
	}
	return NULL;
}

/* Groups do not nest: each member is an object with the one nexthop. */
static bool nexthop_expand_group(const struct nexthop_objects *objects,
				 const struct nexthop_object *group, struct nexthop *nexthops)
{
	for (uint32_t i = 0; i < group->member_count; i++) {
		const struct group_entry *entry = &group->members[i];
		const struct nexthop_object *member = nexthop_objects_find(objects, entry->id);

		if (!member)
			return false;
		nexthops[i] = member->nexthop;
		nexthops[i].weight = (entry->weight_high << 8 | entry->weight) + 1;
	}
	return true;
}

static uint32_t nexthop_object_width(const struct nexthop_object *object)
{
	if (object->member_count)
		return object->member_count;
	return object->nexthop.dev ? 1 : 0;
}

struct route *nexthop_objects_expand(const struct nexthop_objects *objects,
				     const struct route *route)
{
	const struct nexthop_object *object = nexthop_objects_find(objects, route->nexthop_id);
	struct route *expanded;

	if (!object) {
		errno = ENOENT;
		return NULL;
	}
	expanded = malloc(route_size(nexthop_object_width(object)));
	if (!expanded)
		return NULL;
	*expanded = *route;
	expanded->nexthop_count = nexthop_object_width(object);
	if (!object->member_count && expanded->nexthop_count)
		expanded->nexthops[0] = object->nexthop;
	if (!nexthop_expand_group(objects, object, expanded->nexthops)) {
		free(expanded);
		errno = ENOENT;
		return NULL;
	}
	return expanded;
}
