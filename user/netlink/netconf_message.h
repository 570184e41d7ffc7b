/* SPDX-License-Identifier: GPL-2.0-only */
/* Decodes RTM_NEWNETCONF: the settings of a device below /proc/sys/net/ipv4/conf, and ipv6/conf. */
#ifndef FIBTRACE_NETLINK_NETCONF_MESSAGE_H
#define FIBTRACE_NETLINK_NETCONF_MESSAGE_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stdint.h>

/* index 0: those of all devices. */
struct netconf {
	uint32_t index;
	uint8_t rp_filter;
};

/* 0, -EBADMSG when it is malformed, -ENOMSG when it tells nothing of rp_filter, or of defaults. */
int netconf_message_parse(const struct nlmsghdr *message, struct netconf *netconf);

/* Whether ignore_routes_with_linkdown of IPv4 or IPv6 changed: the kernel then says nothing of the
 * routes that came or went. */
bool netconf_message_moves_routes(const struct nlmsghdr *message);

#endif
