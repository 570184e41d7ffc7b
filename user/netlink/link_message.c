// SPDX-License-Identifier: GPL-2.0-only
/* Decodes the messages of links and their addresses. */
#include "netlink/link_message.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/ipv6.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "netlink/attribute.h"
#include "util/array.h"

#define KIND_MAX 64

struct link_reading {
	struct link link;
	bool partial;
	bool vrf;
};

struct address_reading {
	struct address address;
	bool has_local;
	bool has_address;
	uint32_t flags;
};

static bool read_vrf_table(void *object, const void *payload, size_t length)
{
	struct link_reading *reading = object;

	memcpy(&reading->link.l3mdev_table, payload, length);
	return true;
}

/* Devices that put each packet of theirs into another one to somewhere else. */
static const char *const tunnel_kinds[] = {
	"wireguard", "amneziawg", "tun",    "ovpn", "ipip", "sit",
	"gre",	     "ip6gre",	  "ip6tnl", "vti",  "vti6", "xfrm",
};

static bool is_kind(const void *payload, size_t length, const char *kind)
{
	return strnlen(payload, length) == strlen(kind) && !memcmp(payload, kind, strlen(kind));
}

static bool read_kind(void *object, const void *payload, size_t length)
{
	struct link_reading *reading = object;

	reading->vrf = is_kind(payload, length, "vrf");
	for (size_t i = 0; i < ARRAY_SIZE(tunnel_kinds); i++)
		reading->link.tunnel |= is_kind(payload, length, tunnel_kinds[i]);
	return true;
}

/* The kernel sends the kind before the data, whose types mean something else for each kind. */
static bool read_data(void *object, const void *payload, size_t length)
{
	static const struct attribute_reader readers[] = {
		[IFLA_VRF_TABLE] = { 4, 4, 0, read_vrf_table },
	};
	static const struct attribute_table table = { ARRAY_SIZE(readers), readers, NULL };
	struct link_reading *reading = object;

	return !reading->vrf || attributes_read(&table, payload, length, object);
}

static bool read_info(void *object, const void *payload, size_t length)
{
	static const struct attribute_reader readers[] = {
		[IFLA_INFO_KIND] = { 1, KIND_MAX, 0, read_kind },
		[IFLA_INFO_DATA] = { 0, UINT16_MAX, 0, read_data },
	};
	static const struct attribute_table table = { ARRAY_SIZE(readers), readers, NULL };

	return attributes_read(&table, payload, length, object);
}

/* The settings of the device below /proc/sys/net/ipv6/conf, in the order of linux/ipv6.h; kernels
 * that are older than a setting send fewer. */
static bool read_inet6_settings(void *object, const void *payload, size_t length)
{
	struct link_reading *reading = object;
	int32_t settings[DEVCONF_MAX] = { 0 };

	memcpy(settings, payload, length < sizeof(settings) ? length : sizeof(settings));
	reading->link.own_sources_only = settings[DEVCONF_USE_OIF_ADDRS_ONLY] != 0;
	reading->link.prefers_temporary = settings[DEVCONF_USE_TEMPADDR] >= 2;
	return true;
}

static bool read_inet6(void *object, const void *payload, size_t length)
{
	static const struct attribute_reader readers[] = {
		[IFLA_INET6_CONF] = { 0, UINT16_MAX, 0, read_inet6_settings },
	};
	static const struct attribute_table table = { ARRAY_SIZE(readers), readers, NULL };

	return attributes_read(&table, payload, length, object);
}

/* The attribute of each address family has the family's number. */
static bool read_families(void *object, const void *payload, size_t length)
{
	static const struct attribute_reader readers[] = {
		[AF_INET6] = { 0, UINT16_MAX, 0, read_inet6 },
	};
	static const struct attribute_table table = { ARRAY_SIZE(readers), readers, NULL };

	return attributes_read(&table, payload, length, object);
}

static bool read_name(void *object, const void *payload, size_t length)
{
	struct link_reading *reading = object;
	size_t used = strnlen(payload, length);

	if (!used || used >= sizeof(reading->link.name))
		return false;
	memcpy(reading->link.name, payload, used);
	return true;
}

/* A wireless event is an RTM_NEWLINK that carries neither master nor group. */
static bool read_wireless(void *object, const void *payload, size_t length)
{
	struct link_reading *reading = object;

	(void)payload;
	(void)length;
	reading->partial = true;
	return true;
}

static const struct attribute_reader link_readers[] = {
	[IFLA_IFNAME] = { 1, IFNAMSIZ, 0, read_name },
	[IFLA_MASTER] = ATTRIBUTE_FIELD(struct link_reading, link.master),
	[IFLA_WIRELESS] = { 0, UINT16_MAX, 0, read_wireless },
	[IFLA_LINKINFO] = { 0, UINT16_MAX, 0, read_info },
	[IFLA_AF_SPEC] = { 0, UINT16_MAX, 0, read_families },
	[IFLA_GROUP] = ATTRIBUTE_FIELD(struct link_reading, link.group),
};

static const struct attribute_table link_table = { ARRAY_SIZE(link_readers), link_readers, NULL };

int link_message_parse(const struct nlmsghdr *message, struct link *link)
{
	const struct ifinfomsg *header = message_header(message, sizeof(*header));
	struct link_reading reading = { 0 };

	if (!header)
		return -EBADMSG;
	if (header->ifi_family != AF_UNSPEC)
		return -ENOMSG;
	reading.link.index = header->ifi_index;
	reading.link.flags = header->ifi_flags;
	if (!message_read_attributes(message, sizeof(*header), &link_table, &reading))
		return -EBADMSG;
	if (reading.partial)
		return -ENOMSG;
	if (header->ifi_index <= 0 || !reading.link.name[0])
		return -EBADMSG;
	*link = reading.link;
	return 0;
}

static bool read_own(struct address_reading *reading, const void *payload, size_t length)
{
	if (length != family_address_length(reading->address.family))
		return false;
	memcpy(reading->address.local, payload, length);
	return true;
}

/* On a point-to-point link IFA_ADDRESS is the peer's; IFA_LOCAL is ours wherever it is given. */
static bool read_address(void *object, const void *payload, size_t length)
{
	struct address_reading *reading = object;

	reading->has_address = true;
	return reading->has_local || read_own(reading, payload, length);
}

static bool read_local(void *object, const void *payload, size_t length)
{
	struct address_reading *reading = object;

	reading->has_local = true;
	return read_own(reading, payload, length);
}

static const struct attribute_reader address_readers[] = {
	[IFA_ADDRESS] = { 4, 16, 0, read_address },
	[IFA_LOCAL] = { 4, 16, 0, read_local },
	[IFA_FLAGS] = ATTRIBUTE_FIELD(struct address_reading, flags),
};

static const struct attribute_table address_table = { ARRAY_SIZE(address_readers), address_readers,
						      NULL };

static const struct {
	uint32_t flag;
	enum address_state state;
} address_states[] = {
	{ IFA_F_TENTATIVE, ADDRESS_TENTATIVE },	  { IFA_F_OPTIMISTIC, ADDRESS_OPTIMISTIC },
	{ IFA_F_DEPRECATED, ADDRESS_DEPRECATED }, { IFA_F_TEMPORARY, ADDRESS_TEMPORARY },
	{ IFA_F_DADFAILED, ADDRESS_DUPLICATE },
};

static void take_flags(struct address *address, uint32_t flags)
{
	if (address->family == AF_INET)
		address->secondary = flags & IFA_F_SECONDARY;
	for (size_t i = 0; address->family == AF_INET6 && i < ARRAY_SIZE(address_states); i++) {
		if (flags & address_states[i].flag)
			address->states |= address_states[i].state;
	}
}

int address_message_parse(const struct nlmsghdr *message, struct address *address)
{
	const struct ifaddrmsg *header = message_header(message, sizeof(*header));
	struct address_reading reading = { 0 };

	if (!header)
		return -EBADMSG;
	if (!family_address_length(header->ifa_family))
		return -ENOMSG;
	reading.flags = header->ifa_flags;
	reading.address.family = header->ifa_family;
	reading.address.length = header->ifa_prefixlen;
	reading.address.scope = header->ifa_scope;
	reading.address.ifindex = header->ifa_index;
	if (!message_read_attributes(message, sizeof(*header), &address_table, &reading) ||
	    header->ifa_prefixlen > family_address_length(header->ifa_family) * 8 ||
	    !(reading.has_local || reading.has_address))
		return -EBADMSG;
	take_flags(&reading.address, reading.flags);
	*address = reading.address;
	return 0;
}
