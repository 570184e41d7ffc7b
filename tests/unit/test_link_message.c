// SPDX-License-Identifier: GPL-2.0-only
/* What link and address messages become in the model, and which of them are not for us. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/ipv6.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "message.h"
#include "netlink/link_message.h"
#include "util/array.h"

#define ATTRIBUTES_MAX 6

/* IFLA_INFO_KIND with its padding, then IFLA_INFO_DATA with attribute 1: 1001. */
#define DATA_1001 "\xc\0\2\0\x8\0\1\0\xe9\3\0\0"
#define VRF_1001 "\x8\0\1\0vrf\0" DATA_1001
#define VLAN_1001 "\x9\0\1\0vlan\0\0\0\0" DATA_1001
#define WIREGUARD "\xe\0\1\0wireguard\0\0\0"
#define TUN "\x8\0\1\0tun\0"
#define TUNNEL "\xb\0\1\0tunnel\0\0"
#define VXLAN "\xa\0\1\0vxlan\0\0\0"
#define IP6GRE "\xa\0\1\0ip6gre\0\0"
#define WIREGUARD_PORT                                                                             \
	"\xe\0\1\0veth\0\0\0\0\0\0\0\0"                                                            \
	"\xe\0\4\0wireguard\0\0\0"

static const struct link_row {
	const char *name;
	int want_error;
	struct link want;
	struct ifinfomsg header;
	struct message_attribute attributes[ATTRIBUTES_MAX];
} link_rows[] = {
	{ "a device in a bridge or VRF",
	  0,
	  { .index = 3, .master = 9, .group = 5, .flags = 0x43, .name = "eth0" },
	  { .ifi_index = 3, .ifi_flags = 0x43 },
	  { BYTES(IFLA_IFNAME, "eth0\0"), U32(IFLA_MASTER, 9), U32(IFLA_GROUP, 5) } },
	{ "a VRF",
	  0,
	  { .index = 9, .l3mdev_table = 1001, .name = "red" },
	  { .ifi_index = 9 },
	  { BYTES(IFLA_IFNAME, "red\0"), BYTES(IFLA_LINKINFO, VRF_1001) } },
	{ "a VLAN, whose data means something else",
	  0,
	  { .index = 9, .name = "vlan5" },
	  { .ifi_index = 9 },
	  { BYTES(IFLA_IFNAME, "vlan5\0"), BYTES(IFLA_LINKINFO, VLAN_1001) } },
	{ "a tunnel of WireGuard",
	  0,
	  { .index = 9, .tunnel = true, .name = "wg0" },
	  { .ifi_index = 9 },
	  { BYTES(IFLA_IFNAME, "wg0\0"), BYTES(IFLA_LINKINFO, WIREGUARD) } },
	{ "a tunnel of a process",
	  0,
	  { .index = 9, .tunnel = true, .name = "tailscale0" },
	  { .ifi_index = 9 },
	  { BYTES(IFLA_IFNAME, "tailscale0\0"), BYTES(IFLA_LINKINFO, TUN) } },
	{ "a tunnel of GRE",
	  0,
	  { .index = 9, .tunnel = true, .name = "gre1" },
	  { .ifi_index = 9 },
	  { BYTES(IFLA_IFNAME, "gre1\0"), BYTES(IFLA_LINKINFO, IP6GRE) } },
	{ "an Ethernet over others, which is no tunnel",
	  0,
	  { .index = 9, .name = "vxlan0" },
	  { .ifi_index = 9 },
	  { BYTES(IFLA_IFNAME, "vxlan0\0"), BYTES(IFLA_LINKINFO, VXLAN) } },
	{ "a kind that begins as a tunnel's",
	  0,
	  { .index = 9, .name = "x" },
	  { .ifi_index = 9 },
	  { BYTES(IFLA_IFNAME, "x\0"), BYTES(IFLA_LINKINFO, TUNNEL) } },
	{ "a port whose bridge is named as a tunnel's kind",
	  0,
	  { .index = 9, .name = "veth0" },
	  { .ifi_index = 9 },
	  { BYTES(IFLA_IFNAME, "veth0\0"), BYTES(IFLA_LINKINFO, WIREGUARD_PORT) } },
	{ "a tunnel's kind without a name of the device",
	  -EBADMSG,
	  { 0 },
	  { .ifi_index = 9 },
	  { BYTES(IFLA_LINKINFO, WIREGUARD) } },
	{ "a bridge port",
	  -ENOMSG,
	  { 0 },
	  { .ifi_family = AF_BRIDGE, .ifi_index = 3 },
	  { BYTES(IFLA_IFNAME, "eth0\0"), U32(IFLA_MASTER, 9) } },
	{ "a wireless event",
	  -ENOMSG,
	  { 0 },
	  { .ifi_index = 3 },
	  { BYTES(IFLA_IFNAME, "wlan0\0"), BYTES(IFLA_WIRELESS, "event") } },
	{ "no name", -EBADMSG, { 0 }, { .ifi_index = 3 }, { U32(IFLA_GROUP, 5) } },
	{ "no index", -EBADMSG, { 0 }, { 0 }, { BYTES(IFLA_IFNAME, "eth0\0") } },
	{ "a name without an end",
	  -EBADMSG,
	  { 0 },
	  { .ifi_index = 3 },
	  { BYTES(IFLA_IFNAME, "sixteen-letters!") } },
	{ "a VRF table of 2 bytes",
	  -EBADMSG,
	  { 0 },
	  { .ifi_index = 3 },
	  { BYTES(IFLA_IFNAME, "red\0"),
	    BYTES(IFLA_LINKINFO, "\x8\0\1\0vrf\0\xa\0\2\0\6\0\1\0\xe9\3") } },
};

static void a_link_is_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(link_rows); i++) {
		const struct link_row *row = &link_rows[i];
		struct nlmsghdr *message = message_new(RTM_NEWLINK, &row->header,
						       sizeof(row->header), row->attributes);
		struct link link = { 0 };
		int err = link_message_parse(message, &link);

		if (err != row->want_error)
			fail_msg("%s: %d", row->name, err);
		assert_memory_equal(&link, &row->want, sizeof(link));
		free(message);
	}
}

/* A link whose settings of IPv6 are as many as a kernel of that age has. */
static struct link link_with_settings(const int32_t *settings, size_t count)
{
	const struct ifinfomsg header = { .ifi_index = 3 };
	const struct message_attribute name[] = { BYTES(IFLA_IFNAME, "eth0\0"), { 0 } };
	struct nlmsghdr *message = message_new(RTM_NEWLINK, &header, sizeof(header), name);
	struct nlattr *families = mnl_attr_nest_start(message, IFLA_AF_SPEC);
	struct nlattr *family = mnl_attr_nest_start(message, AF_INET6);
	struct link link = { 0 };

	mnl_attr_put_u32(message, IFLA_INET6_FLAGS, 1);
	mnl_attr_put(message, IFLA_INET6_CONF, count * sizeof(*settings), settings);
	mnl_attr_nest_end(message, family);
	mnl_attr_nest_end(message, families);
	assert_int_equal(link_message_parse(message, &link), 0);
	free(message);
	return link;
}

static void the_settings_of_ipv6_are_read(void **state)
{
	int32_t settings[DEVCONF_MAX + 5] = { 0 };
	struct link link;

	(void)state;
	settings[DEVCONF_USE_TEMPADDR] = 1;
	link = link_with_settings(settings, ARRAY_SIZE(settings));
	assert_false(link.prefers_temporary || link.own_sources_only);
	settings[DEVCONF_USE_TEMPADDR] = 2;
	settings[DEVCONF_USE_OIF_ADDRS_ONLY] = 1;
	link = link_with_settings(settings, ARRAY_SIZE(settings));
	assert_true(link.prefers_temporary && link.own_sources_only);
	link = link_with_settings(settings, DEVCONF_USE_OIF_ADDRS_ONLY);
	assert_true(link.prefers_temporary && !link.own_sources_only);
	link = link_with_settings(settings, 0);
	assert_false(link.prefers_temporary || link.own_sources_only);
}

static const struct address_row {
	const char *name;
	int want_error;
	struct address want;
	struct ifaddrmsg header;
	struct message_attribute attributes[ATTRIBUTES_MAX];
} address_rows[] = {
	{ "an address",
	  0,
	  { .local = { 192, 0, 2, 2 }, .ifindex = 3, .family = AF_INET, .length = 24 },
	  { .ifa_family = AF_INET, .ifa_prefixlen = 24, .ifa_index = 3 },
	  { BYTES(IFA_ADDRESS, "\300\0\2\2"), BYTES(IFA_LOCAL, "\300\0\2\2") } },
	{ "our end of a point-to-point link",
	  0,
	  { .local = { 192, 0, 2, 2 }, .ifindex = 3, .family = AF_INET, .length = 32 },
	  { .ifa_family = AF_INET, .ifa_prefixlen = 32, .ifa_index = 3 },
	  { BYTES(IFA_ADDRESS, "\300\0\2\7"), BYTES(IFA_LOCAL, "\300\0\2\2") } },
	{ "the same in the other order",
	  0,
	  { .local = { 192, 0, 2, 2 }, .ifindex = 3, .family = AF_INET, .length = 32 },
	  { .ifa_family = AF_INET, .ifa_prefixlen = 32, .ifa_index = 3 },
	  { BYTES(IFA_LOCAL, "\300\0\2\2"), BYTES(IFA_ADDRESS, "\300\0\2\7") } },
	{ "secondary by the header",
	  0,
	  { .local = { 10, 0, 0, 1 }, .family = AF_INET, .scope = 253, .secondary = true },
	  { .ifa_family = AF_INET, .ifa_flags = IFA_F_SECONDARY, .ifa_scope = 253 },
	  { BYTES(IFA_LOCAL, "\12\0\0\1") } },
	{ "secondary by the attribute",
	  0,
	  { .local = { 10, 0, 0, 1 }, .family = AF_INET, .secondary = true },
	  { .ifa_family = AF_INET },
	  { BYTES(IFA_LOCAL, "\12\0\0\1"), U32(IFA_FLAGS, IFA_F_SECONDARY | 0x200) } },
	{ "of IPv6, temporary and no longer preferred",
	  0,
	  { .local = { 0xfd, [15] = 1 },
	    .ifindex = 3,
	    .states = ADDRESS_TEMPORARY | ADDRESS_DEPRECATED,
	    .family = AF_INET6,
	    .length = 64 },
	  { .ifa_family = AF_INET6, .ifa_prefixlen = 64, .ifa_index = 3 },
	  { BYTES(IFA_ADDRESS, "\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"),
	    U32(IFA_FLAGS, IFA_F_TEMPORARY | IFA_F_DEPRECATED | IFA_F_MANAGETEMPADDR) } },
	{ "of IPv6, another host's",
	  0,
	  { .local = { 0xfd, [15] = 1 },
	    .states = ADDRESS_TENTATIVE | ADDRESS_OPTIMISTIC | ADDRESS_DUPLICATE,
	    .family = AF_INET6,
	    .length = 64 },
	  { .ifa_family = AF_INET6,
	    .ifa_prefixlen = 64,
	    .ifa_flags = IFA_F_TENTATIVE | IFA_F_OPTIMISTIC | IFA_F_DADFAILED },
	  { BYTES(IFA_ADDRESS, "\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1") } },
	{ "of another family",
	  -ENOMSG,
	  { .length = 0 },
	  { .ifa_family = AF_PACKET },
	  { BYTES(IFA_LOCAL, "\12\0\0\1") } },
	{ "none at all", -EBADMSG, { .length = 0 }, { .ifa_family = AF_INET }, { { 0 } } },
	{ "of 5 bytes",
	  -EBADMSG,
	  { .length = 0 },
	  { .ifa_family = AF_INET },
	  { BYTES(IFA_LOCAL, "\12\0\0\1\2") } },
	{ "a prefix of 33 bits",
	  -EBADMSG,
	  { .length = 0 },
	  { .ifa_family = AF_INET, .ifa_prefixlen = 33 },
	  { BYTES(IFA_LOCAL, "\12\0\0\1") } },
};

static void an_address_is_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(address_rows); i++) {
		const struct address_row *row = &address_rows[i];
		struct nlmsghdr *message = message_new(RTM_NEWADDR, &row->header,
						       sizeof(row->header), row->attributes);
		struct address address = { 0 };
		int err = address_message_parse(message, &address);

		if (err != row->want_error)
			fail_msg("%s: %d", row->name, err);
		assert_memory_equal(&address, &row->want, sizeof(address));
		free(message);
	}
}

/* Each is parsed as both, too: what is in a message decides nothing about its type. */
static void cut_everywhere(struct nlmsghdr *message)
{
	for (size_t length = sizeof(*message); length <= message->nlmsg_len; length++) {
		struct nlmsghdr *cut = message_cut(message, length);
		struct address address;
		struct link link;

		link_message_parse(cut, &link);
		address_message_parse(cut, &address);
		free(cut);
	}
	free(message);
}

static void every_cut_of_a_message_is_survived(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(link_rows); i++)
		cut_everywhere(message_new(RTM_NEWLINK, &link_rows[i].header,
					   sizeof(link_rows[i].header), link_rows[i].attributes));
	for (size_t i = 0; i < ARRAY_SIZE(address_rows); i++)
		cut_everywhere(message_new(RTM_NEWADDR, &address_rows[i].header,
					   sizeof(address_rows[i].header),
					   address_rows[i].attributes));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_link_is_read),
		cmocka_unit_test(the_settings_of_ipv6_are_read),
		cmocka_unit_test(an_address_is_read),
		cmocka_unit_test(every_cut_of_a_message_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
