// SPDX-License-Identifier: GPL-2.0-only
/* Decodes RTM_NEWNETCONF: the settings of a device below /proc/sys/net/ipv4/conf, and ipv6/conf. */
#include "netlink/netconf_message.h"

#include <errno.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "netlink/attribute.h"
#include "util/array.h"

struct netconf_reading {
	int32_t index;
	int32_t rp_filter;
};

#define NOT_TOLD -1

int netconf_message_parse(const struct nlmsghdr *message, struct netconf *netconf)
{
	static const struct attribute_reader readers[] = {
		[NETCONFA_IFINDEX] = ATTRIBUTE_FIELD(struct netconf_reading, index),
		[NETCONFA_RP_FILTER] = ATTRIBUTE_FIELD(struct netconf_reading, rp_filter),
	};
	static const struct attribute_table table = { ARRAY_SIZE(readers), readers, NULL };
	const struct netconfmsg *header = message_header(message, sizeof(*header));
	struct netconf_reading reading = { .rp_filter = NOT_TOLD };

	if (!header)
		return -EBADMSG;
	if (header->ncm_family != AF_INET)
		return -ENOMSG;
	if (!message_read_attributes(message, sizeof(*header), &table, &reading))
		return -EBADMSG;
	if (reading.rp_filter < 0 || reading.rp_filter > UINT8_MAX ||
	    (reading.index <= 0 && reading.index != NETCONFA_IFINDEX_ALL))
		return -ENOMSG;
	netconf->index = reading.index == NETCONFA_IFINDEX_ALL ? 0 : (uint32_t)reading.index;
	netconf->rp_filter = (uint8_t)reading.rp_filter;
	return 0;
}

struct linkdown_reading {
	int32_t ignore;
	int32_t forwarding;
};

/* A new device tells all of its settings, a change only the one that changed. */
bool netconf_message_moves_routes(const struct nlmsghdr *message)
{
	static const struct attribute_reader readers[] = {
		[NETCONFA_FORWARDING] = ATTRIBUTE_FIELD(struct linkdown_reading, forwarding),
		[NETCONFA_IGNORE_ROUTES_WITH_LINKDOWN] =
			ATTRIBUTE_FIELD(struct linkdown_reading, ignore),
	};
	static const struct attribute_table table = { ARRAY_SIZE(readers), readers, NULL };
	struct linkdown_reading reading = { NOT_TOLD, NOT_TOLD };

	if (!family_address_length(message_family(message)))
		return false;
	message_read_attributes(message, sizeof(struct netconfmsg), &table, &reading);
	return reading.ignore != NOT_TOLD && reading.forwarding == NOT_TOLD;
}
