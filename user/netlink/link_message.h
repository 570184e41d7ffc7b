/* SPDX-License-Identifier: GPL-2.0-only */
/* Decodes the messages of links and their addresses. */
#ifndef FIBTRACE_NETLINK_LINK_MESSAGE_H
#define FIBTRACE_NETLINK_LINK_MESSAGE_H

#include "rules/policy.h"

struct nlmsghdr;

/* Fills link from RTM_NEWLINK or RTM_DELLINK. 0, -ENOMSG for messages that are not about the
 * link as a whole (of a bridge port, of a wireless event), -EBADMSG when malformed. */
int link_message_parse(const struct nlmsghdr *message, struct link *link);

/* Fills address from RTM_NEWADDR or RTM_DELADDR. 0, -ENOMSG for other families than IPv4 and
 * IPv6, -EBADMSG when malformed. */
int address_message_parse(const struct nlmsghdr *message, struct address *address);

#endif
