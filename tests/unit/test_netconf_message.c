// SPDX-License-Identifier: GPL-2.0-only
/* What messages about a device's settings become, and which of them are not for us. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "message.h"
#include "netlink/netconf_message.h"
#include "util/array.h"

#define ATTRIBUTES_MAX 6

#define LINKDOWN(device, value)                                                                    \
	U32(NETCONFA_IFINDEX, device), U32(NETCONFA_IGNORE_ROUTES_WITH_LINKDOWN, value)

static const struct row {
	const char *name;
	int want_error;
	struct netconf want;
	uint8_t family;
	struct message_attribute attributes[ATTRIBUTES_MAX];
} rows[] = {
	{ "a device",
	  0,
	  { .index = 7, .rp_filter = 1 },
	  AF_INET,
	  { U32(NETCONFA_IFINDEX, 7), U32(NETCONFA_FORWARDING, 1), U32(NETCONFA_RP_FILTER, 1),
	    U32(NETCONFA_MC_FORWARDING, 0), U32(NETCONFA_PROXY_NEIGH, 0) } },
	{ "in another order",
	  0,
	  { .index = 7, .rp_filter = 2 },
	  AF_INET,
	  { U32(NETCONFA_RP_FILTER, 2), U32(NETCONFA_IFINDEX, 7) } },
	{ "all devices",
	  0,
	  { .rp_filter = 1 },
	  AF_INET,
	  { U32(NETCONFA_IFINDEX, NETCONFA_IFINDEX_ALL), U32(NETCONFA_RP_FILTER, 1) } },
	{ "switched off",
	  0,
	  { .index = 7 },
	  AF_INET,
	  { U32(NETCONFA_IFINDEX, 7), U32(NETCONFA_RP_FILTER, 0) } },
	{ "attributes that are not known",
	  0,
	  { .index = 7, .rp_filter = 1 },
	  AF_INET,
	  { U32(NETCONFA_IFINDEX, 7), U32(NETCONFA_RP_FILTER, 1), U32(99, 5) } },
	{ "what new devices get",
	  -ENOMSG,
	  { 0 },
	  AF_INET,
	  { U32(NETCONFA_IFINDEX, NETCONFA_IFINDEX_DEFAULT), U32(NETCONFA_RP_FILTER, 1) } },
	{ "another family",
	  -ENOMSG,
	  { 0 },
	  AF_INET6,
	  { U32(NETCONFA_IFINDEX, 7), U32(NETCONFA_RP_FILTER, 1) } },
	{ "another setting",
	  -ENOMSG,
	  { 0 },
	  AF_INET,
	  { U32(NETCONFA_IFINDEX, 7), U32(NETCONFA_FORWARDING, 1) } },
	{ "no device", -ENOMSG, { 0 }, AF_INET, { U32(NETCONFA_RP_FILTER, 1) } },
	{ "device 0",
	  -ENOMSG,
	  { 0 },
	  AF_INET,
	  { U32(NETCONFA_IFINDEX, 0), U32(NETCONFA_RP_FILTER, 1) } },
	{ "a value beyond all that there are",
	  -ENOMSG,
	  { 0 },
	  AF_INET,
	  { U32(NETCONFA_IFINDEX, 7), U32(NETCONFA_RP_FILTER, 256) } },
	{ "a negative value",
	  -ENOMSG,
	  { 0 },
	  AF_INET,
	  { U32(NETCONFA_IFINDEX, 7), U32(NETCONFA_RP_FILTER, UINT32_MAX) } },
	{ "a value of 1 byte",
	  -EBADMSG,
	  { 0 },
	  AF_INET,
	  { U32(NETCONFA_IFINDEX, 7), BYTES(NETCONFA_RP_FILTER, "\1") } },
	{ "nothing", -ENOMSG, { 0 }, AF_INET, { { 0 } } },
};

static struct nlmsghdr *row_message(const struct row *row)
{
	const struct netconfmsg header = { .ncm_family = row->family };

	return message_new(RTM_NEWNETCONF, &header, sizeof(header), row->attributes);
}

static void a_setting_is_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];
		struct nlmsghdr *message = row_message(row);
		struct netconf netconf = { 0 };
		int err = netconf_message_parse(message, &netconf);

		if (err != row->want_error)
			fail_msg("%s: %d", row->name, err);
		assert_int_equal(netconf.index, row->want.index);
		assert_int_equal(netconf.rp_filter, row->want.rp_filter);
		free(message);
	}
}

static const struct change {
	bool want;
	uint8_t family;
	struct message_attribute attributes[ATTRIBUTES_MAX];
} changes[] = {
	{ true, AF_INET, { LINKDOWN(7, 1) } },
	{ true, AF_INET6, { LINKDOWN(7, 0) } },
	{ true, AF_INET6, { LINKDOWN(NETCONFA_IFINDEX_ALL, 1) } },
	{ false, 129, { LINKDOWN(7, 1) } },
	{ false, AF_INET6, { U32(NETCONFA_IFINDEX, 7), U32(NETCONFA_FORWARDING, 1) } },
	/* A new device. */
	{ false, AF_INET6, { LINKDOWN(7, 1), U32(NETCONFA_FORWARDING, 0) } },
};

static void a_change_that_moves_routes_is_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		const struct netconfmsg header = { .ncm_family = changes[i].family };
		struct nlmsghdr *message =
			message_new(RTM_NEWNETCONF, &header, sizeof(header), changes[i].attributes);

		if (netconf_message_moves_routes(message) != changes[i].want)
			fail_msg("change %zu", i);
		free(message);
	}
}

static void every_cut_of_a_message_is_survived(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct nlmsghdr *message = row_message(&rows[i]);

		for (size_t length = sizeof(*message); length < message->nlmsg_len; length++) {
			struct nlmsghdr *cut = message_cut(message, length);
			struct netconf netconf;

			netconf_message_parse(cut, &netconf);
			netconf_message_moves_routes(cut);
			free(cut);
		}
		free(message);
	}
}

static void a_message_without_its_header_is_malformed(void **state)
{
	struct nlmsghdr *message = row_message(&rows[0]);
	struct nlmsghdr *cut = message_cut(message, sizeof(*message));
	struct netconf netconf;

	(void)state;
	assert_int_equal(netconf_message_parse(cut, &netconf), -EBADMSG);
	free(cut);
	free(message);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_setting_is_read),
		cmocka_unit_test(a_change_that_moves_routes_is_told),
		cmocka_unit_test(every_cut_of_a_message_is_survived),
		cmocka_unit_test(a_message_without_its_header_is_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
