/* SPDX-License-Identifier: GPL-2.0-only */
/* Reads rules, links, addresses and routes by dumps, and single messages, into a policy. */
#ifndef FIBTRACE_NETLINK_READER_H
#define FIBTRACE_NETLINK_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "netlink/nexthop_message.h"
#include "rules/policy.h"

struct mnl_socket;
struct nlmsghdr;

/* Borrows socket and policy; reader_clear() frees the rest. */
struct reader {
	const struct mnl_socket *socket;
	struct policy *policy;
	size_t max_routes;
	struct nexthop_objects nexthops; /* as of the last reader_read_routes() */
	bool nexthop_missing; /* the last message named an object that is not among these */
};

void reader_clear(struct reader *reader);

/* Each replaces what the policy knew by a new dump, and repeats a dump that changed meanwhile.
 * A kernel without IPv6 has nothing of it. 0 or -errno; -EBUSY when it changed each time. */
int reader_read_links(struct reader *reader); /* and addresses of both families, and settings */
int reader_read_routes(struct reader *reader, uint8_t family);
int reader_read_rules(struct reader *reader, uint8_t family);

/* Applies RTM_NEWROUTE and RTM_DELROUTE to the policy. 0, -EAGAIN when the message does not tell
 * what the table looks like now, so that the family's routes are to be read anew, or -errno. */
int reader_add_route(struct reader *reader, const struct nlmsghdr *message);
int reader_remove_route(struct reader *reader, const struct nlmsghdr *message);
/* The same for RTM_NEWNETCONF. */
int reader_add_netconf(struct reader *reader, const struct nlmsghdr *message);

#endif
