/* SPDX-License-Identifier: GPL-2.0-only */
/* Decodes RTM_NEWROUTE and RTM_DELROUTE into the model's route. */
#ifndef FIBTRACE_NETLINK_ROUTE_MESSAGE_H
#define FIBTRACE_NETLINK_ROUTE_MESSAGE_H

#include <stdint.h>

#include "rules/route.h"

struct nlmsghdr;

/*
 * A route of IPv4 or IPv6, the caller's to free. NULL with errno: EBADMSG when the message is
 * malformed, ENOMSG when it is not one of a table (a cached route, multicast routing). With a
 * nexthop object and net.ipv4.nexthop_compat_mode 0 the kernel sends its id alone:
 * nexthop_id is set then, and nexthop_count 0.
 */
struct route *route_message_parse(const struct nlmsghdr *message);

/* The table of a route message, malformed or not; 0 when even that is missing. */
uint32_t route_message_table(const struct nlmsghdr *message);

#endif
