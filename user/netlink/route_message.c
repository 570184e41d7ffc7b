// SPDX-License-Identifier: GPL-2.0-only
/* Decodes RTM_NEWROUTE and RTM_DELROUTE into the model's route. */
#include "netlink/route_message.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "netlink/attribute.h"
#include "util/array.h"

/* What the attributes said; multipath points into the message. */
struct route_reading {
	const void *multipath;
	size_t multipath_length;
	struct nexthop nexthop; /* RTA_OIF, RTA_GATEWAY, RTA_VIA */
	struct route route; /* last: its nexthops stay behind */
};

/* A nexthop being read, and the family of its route. */
struct nexthop_reading {
	struct nexthop nexthop;
	uint8_t family;
};

static bool read_gateway(struct nexthop *nexthop, uint8_t family, const void *payload,
			 size_t length)
{
	if (length != family_address_length(family))
		return false;
	memcpy(nexthop->gateway, payload, length);
	nexthop->gateway_family = family;
	return true;
}

/* A gateway of another family than the route's: IPv4 by way of an IPv6 neighbour. */
static bool read_via(struct nexthop *nexthop, const void *payload, size_t length)
{
	size_t header = offsetof(struct rtvia, rtvia_addr);
	__kernel_sa_family_t family;

	memcpy(&family, payload, sizeof(family));
	if (family != AF_INET && family != AF_INET6)
		return false;
	return read_gateway(nexthop, family, (const char *)payload + header, length - header);
}

static bool read_route_dst(void *object, const void *payload, size_t length)
{
	struct route_reading *reading = object;

	if (length != family_address_length(reading->route.family))
		return false;
	memcpy(reading->route.dst, payload, length);
	return true;
}

static bool read_route_src(void *object, const void *payload, size_t length)
{
	struct route_reading *reading = object;

	if (length != family_address_length(reading->route.family))
		return false;
	memcpy(reading->route.src, payload, length);
	return true;
}

static bool read_route_prefsrc(void *object, const void *payload, size_t length)
{
	struct route_reading *reading = object;

	if (length != family_address_length(reading->route.family))
		return false;
	memcpy(reading->route.prefsrc, payload, length);
	reading->route.prefsrc_family = reading->route.family;
	return true;
}

static bool read_route_gateway(void *object, const void *payload, size_t length)
{
	struct route_reading *reading = object;

	return read_gateway(&reading->nexthop, reading->route.family, payload, length);
}

static bool read_route_via(void *object, const void *payload, size_t length)
{
	struct route_reading *reading = object;

	return read_via(&reading->nexthop, payload, length);
}

static bool read_route_multipath(void *object, const void *payload, size_t length)
{
	struct route_reading *reading = object;

	reading->multipath = payload;
	reading->multipath_length = length;
	return true;
}

#define VIA_SHORTEST (sizeof(__kernel_sa_family_t) + 4)
#define VIA_LONGEST (sizeof(__kernel_sa_family_t) + 16)

static const struct attribute_reader route_readers[] = {
	[RTA_DST] = { 4, 16, 0, read_route_dst },
	[RTA_SRC] = { 4, 16, 0, read_route_src },
	[RTA_OIF] = ATTRIBUTE_FIELD(struct route_reading, nexthop.dev),
	[RTA_GATEWAY] = { 4, 16, 0, read_route_gateway },
	[RTA_PRIORITY] = ATTRIBUTE_FIELD(struct route_reading, route.metric),
	[RTA_PREFSRC] = { 4, 16, 0, read_route_prefsrc },
	[RTA_MULTIPATH] = { 0, UINT16_MAX, 0, read_route_multipath },
	[RTA_TABLE] = ATTRIBUTE_FIELD(struct route_reading, route.table),
	[RTA_VIA] = { VIA_SHORTEST, VIA_LONGEST, 0, read_route_via },
	[RTA_PREF] = ATTRIBUTE_FIELD(struct route_reading, route.router_preference),
	[RTA_NH_ID] = ATTRIBUTE_FIELD(struct route_reading, route.nexthop_id),
};

static const struct attribute_table route_table = {
	.count = ARRAY_SIZE(route_readers),
	.readers = route_readers,
};

static bool read_nexthop_gateway(void *object, const void *payload, size_t length)
{
	struct nexthop_reading *reading = object;

	return read_gateway(&reading->nexthop, reading->family, payload, length);
}

static bool read_nexthop_via(void *object, const void *payload, size_t length)
{
	struct nexthop_reading *reading = object;

	return read_via(&reading->nexthop, payload, length);
}

static const struct attribute_reader nexthop_readers[] = {
	[RTA_GATEWAY] = { 4, 16, 0, read_nexthop_gateway },
	[RTA_VIA] = { VIA_SHORTEST, VIA_LONGEST, 0, read_nexthop_via },
};

static const struct attribute_table nexthop_table = {
	.count = ARRAY_SIZE(nexthop_readers),
	.readers = nexthop_readers,
};

/* The struct rtnexthop at at, whole within left bytes; NULL when it is not. */
static const struct rtnexthop *rtnexthop_at(const char *at, size_t left)
{
	const struct rtnexthop *entry = (const struct rtnexthop *)at;

	if (left < sizeof(*entry) || entry->rtnh_len < sizeof(*entry) || entry->rtnh_len > left)
		return NULL;
	return entry;
}

static bool nexthop_read(const struct rtnexthop *entry, uint8_t family, struct nexthop *nexthop)
{
	struct nexthop_reading reading = { .family = family };

	if (!attributes_read(&nexthop_table, entry + 1, entry->rtnh_len - sizeof(*entry), &reading))
		return false;
	*nexthop = reading.nexthop;
	nexthop->dev = entry->rtnh_ifindex;
	nexthop->flags = entry->rtnh_flags;
	nexthop->weight = entry->rtnh_hops + 1;
	return true;
}

/* Reads the nexthops of RTA_MULTIPATH; with nexthops NULL only counts them. -1: malformed. */
static int multipath_read(const struct route_reading *reading, struct nexthop *nexthops)
{
	const char *at = reading->multipath;
	const char *end = at + reading->multipath_length;
	int count = 0;

	while (at < end) {
		const struct rtnexthop *entry = rtnexthop_at(at, end - at);
		size_t step;

		if (!entry)
			return -1;
		if (nexthops && !nexthop_read(entry, reading->route.family, &nexthops[count]))
			return -1;
		count++;
		step = RTNH_ALIGN(entry->rtnh_len);
		at += step < (size_t)(end - at) ? step : (size_t)(end - at);
	}
	return count;
}

static bool route_has_nexthop(const struct route_reading *reading)
{
	return reading->nexthop.dev || reading->nexthop.gateway_family;
}

static struct route *route_build(const struct route_reading *reading)
{
	int count = reading->multipath ? multipath_read(reading, NULL) : route_has_nexthop(reading);
	struct route *route;

	if (count < 0) {
		errno = EBADMSG;
		return NULL;
	}
	route = malloc(route_size(count));
	if (!route)
		return NULL;
	*route = reading->route;
	route->nexthop_count = count;
	if (!reading->multipath && count)
		route->nexthops[0] = reading->nexthop;
	if (reading->multipath && multipath_read(reading, route->nexthops) < 0) {
		free(route);
		errno = EBADMSG;
		return NULL;
	}
	return route;
}

static void route_take_header(struct route_reading *reading, const struct rtmsg *header)
{
	*reading = (struct route_reading){
		.route = {
			.table = header->rtm_table,
			.family = header->rtm_family,
			.dst_length = header->rtm_dst_len,
			.src_length = header->rtm_src_len,
			.tos = header->rtm_tos,
			.type = header->rtm_type,
			.scope = header->rtm_scope,
			.protocol = header->rtm_protocol,
		},
		/* The low byte holds the flags of a single nexthop. */
		.nexthop = { .flags = header->rtm_flags & 0xff, .weight = 1 },
	};
}

struct route *route_message_parse(const struct nlmsghdr *message)
{
	const struct rtmsg *header = message_header(message, sizeof(*header));
	struct route_reading reading;
	size_t longest;

	if (!header) {
		errno = EBADMSG;
		return NULL;
	}
	if (!family_address_length(header->rtm_family) || header->rtm_flags & RTM_F_CLONED) {
		errno = ENOMSG;
		return NULL;
	}
	route_take_header(&reading, header);
	longest = family_address_length(header->rtm_family) * 8;
	if (!message_read_attributes(message, sizeof(*header), &route_table, &reading) ||
	    header->rtm_dst_len > longest || header->rtm_src_len > longest) {
		errno = EBADMSG;
		return NULL;
	}
	return route_build(&reading);
}

static const struct attribute_reader table_readers[] = {
	[RTA_TABLE] = { 4, 4, 0, NULL },
};

uint32_t route_message_table(const struct nlmsghdr *message)
{
	static const struct attribute_table table = {
		.count = ARRAY_SIZE(table_readers),
		.readers = table_readers,
	};
	const struct rtmsg *header = message_header(message, sizeof(*header));
	uint32_t id;

	if (!header)
		return 0;
	id = header->rtm_table;
	message_read_attributes(message, sizeof(*header), &table, &id);
	return id;
}
