/* SPDX-License-Identifier: GPL-2.0-only */
/* The nexthop objects of a namespace (`ip nexthop`), for routes that name them by id alone. */
#ifndef FIBTRACE_NETLINK_NEXTHOP_MESSAGE_H
#define FIBTRACE_NETLINK_NEXTHOP_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "rules/route.h"

struct nlmsghdr;

/* All zero is empty; nexthop_objects_clear() frees what it holds. */
struct nexthop_objects {
	struct nexthop_object *objects;
	size_t count;
	size_t capacity;
};

void nexthop_objects_clear(struct nexthop_objects *objects);

/* Adds the object of RTM_NEWNEXTHOP. 0, -EBADMSG or -ENOMEM. */
int nexthop_objects_add(struct nexthop_objects *objects, const struct nlmsghdr *message);

/* A copy of route with the nexthops of its nexthop_id, for free(). NULL with errno; ENOENT when
 * the object is not known. */
struct route *nexthop_objects_expand(const struct nexthop_objects *objects,
				     const struct route *route);

#endif
