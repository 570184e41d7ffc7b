// SPDX-License-Identifier: GPL-2.0-only
/* Which source address is selected for an IPv6 packet: the rules of RFC 6724, one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "rules/source6.h"
#include "util/array.h"

#define ADDRESSES_MAX 4

/* Devices 3 and 4 are in no VRF, 5 and 6 in the VRF 9; 7 takes its own addresses alone and 8 likes
 * temporary ones. */
static const struct link devices[] = {
	{ .index = 1, .name = "lo" },
	{ .index = 3, .name = "eth3" },
	{ .index = 4, .name = "eth4" },
	{ .index = 5, .name = "eth5", .master = 9 },
	{ .index = 6, .name = "eth6", .master = 9 },
	{ .index = 7, .name = "eth7", .own_sources_only = true },
	{ .index = 8, .name = "eth8", .prefers_temporary = true },
	{ .index = 9, .name = "red", .l3mdev_table = 100 },
};

struct held {
	const char *local;
	uint32_t device;
	uint8_t states;
	uint8_t length; /* 0: 64 */
};

#define AT(address, index, ...)                                                                    \
	{                                                                                          \
		.local = (address), .device = (index), ##__VA_ARGS__                               \
	}

struct row {
	const char *name;
	struct held addresses[ADDRESSES_MAX]; /* in the kernel's order */
	const char *dst;
	uint32_t device;
	const char *want; /* NULL: none */
};

static struct row rows[] = {
	{ "no_address_no_source", { { 0 } }, "2001:db8::9", 3, NULL },
	{ "destination_that_is_our_own",
	  { AT("2001:db8::1", 3), AT("2001:db8::2", 4) },
	  "2001:db8::2",
	  3,
	  "2001:db8::2" },
	{ "scope_that_is_wide_enough",
	  { AT("fe80::1", 3), AT("2001:db8::1", 4) },
	  "2001:db8:9::9",
	  3,
	  "2001:db8::1" },
	{ "widest_scope_when_none_is_wide_enough",
	  { AT("fe80::1", 3), AT("fec0::1", 4) },
	  "2001:db8:9::9",
	  3,
	  "fec0::1" },
	{ "smallest_scope_that_is_wide_enough",
	  { AT("2001:db8::1", 3), AT("fec0::1", 3) },
	  "fec0::9",
	  3,
	  "fec0::1" },
	{ "deprecated_address_is_avoided",
	  { AT("2001:db8::1", 3, .states = ADDRESS_DEPRECATED), AT("2001:db8:8::1", 4) },
	  "2001:db8::9",
	  3,
	  "2001:db8:8::1" },
	{ "deprecated_address_is_better_than_a_small_scope",
	  { AT("2001:db8::1", 3, .states = ADDRESS_DEPRECATED), AT("fe80::1", 3) },
	  "2001:db8::9",
	  3,
	  "2001:db8::1" },
	{ "optimistic_address_is_avoided",
	  { AT("2001:db8::1", 3, .states = ADDRESS_TENTATIVE | ADDRESS_OPTIMISTIC),
	    AT("2001:db8:8::1", 4) },
	  "2001:db8::9",
	  3,
	  "2001:db8:8::1" },
	{ "optimistic_address_is_better_than_none",
	  { AT("2001:db8::1", 3, .states = ADDRESS_TENTATIVE | ADDRESS_OPTIMISTIC) },
	  "2001:db8::9",
	  3,
	  "2001:db8::1" },
	{ "tentative_address_is_none",
	  { AT("2001:db8::1", 3, .states = ADDRESS_TENTATIVE) },
	  "2001:db8::9",
	  3,
	  NULL },
	{ "duplicate_address_is_none",
	  { AT("2001:db8::1", 3, .states = ADDRESS_TENTATIVE | ADDRESS_DUPLICATE) },
	  "2001:db8::9",
	  3,
	  NULL },
	{ "outgoing_device_is_preferred",
	  { AT("2001:db8::1", 3), AT("2001:db8:8::1", 4) },
	  "2001:db8::9",
	  4,
	  "2001:db8:8::1" },
	{ "device_that_is_not_known_prefers_none",
	  { AT("2001:db8:8::1", 3), AT("2001:db8::1", 4) },
	  "2001:db8::9",
	  0,
	  "2001:db8::1" },
	{ "label_of_local_addresses",
	  { AT("2001:db8::1", 3), AT("fd00::1", 3) },
	  "fd99::9",
	  3,
	  "fd00::1" },
	{ "label_of_6to4", { AT("2001:db8::1", 3), AT("2002::1", 3) }, "2002:9::9", 3, "2002::1" },
	{ "label_counts_more_than_the_prefix",
	  { AT("2002::1", 3), AT("2001:db8::1", 3) },
	  "2003::9",
	  3,
	  "2001:db8::1" },
	{ "public_address_is_preferred",
	  { AT("2001:db8::1", 3, .states = ADDRESS_TEMPORARY), AT("2001:db8:8::1", 3) },
	  "2001:db8::9",
	  3,
	  "2001:db8:8::1" },
	{ "temporary_address_is_preferred_where_that_is_set",
	  { AT("2001:db8:8::1", 8, .states = ADDRESS_TEMPORARY), AT("2001:db8::1", 8) },
	  "2001:db8::9",
	  8,
	  "2001:db8:8::1" },
	{ "orchid_for_orchids",
	  { AT("2001:11::1", 3), AT("2001:12::1", 3) },
	  "2001:1f::9",
	  3,
	  "2001:11::1" },
	{ "longest_common_prefix",
	  { AT("2001:db8:8::1", 3), AT("2001:db8::1", 3) },
	  "2001:db8::9",
	  3,
	  "2001:db8::1" },
	{ "common_prefix_ends_with_that_of_the_address",
	  { AT("2001:db8::1", 3, .length = 32), AT("2001:db8:8::1", 3, .length = 32) },
	  "2001:db8:8::9",
	  3,
	  "2001:db8::1" },
	{ "link_local_destination_wants_the_devices_own",
	  { AT("2001:db8::1", 4), AT("fe80::3", 3), AT("fe80::4", 4) },
	  "fe80::9",
	  4,
	  "fe80::4" },
	{ "multicast_wants_the_devices_own_in_any_scope",
	  { AT("2001:db8::1", 3), AT("fe80::4", 4) },
	  "ff0e::9",
	  4,
	  "fe80::4" },
	{ "multicast_of_the_link_wants_a_small_scope",
	  { AT("2001:db8::1", 3), AT("fe80::3", 3) },
	  "ff02::9",
	  3,
	  "fe80::3" },
	{ "device_without_addresses_has_none_for_its_link",
	  { AT("2001:db8::1", 3) },
	  "fe80::9",
	  4,
	  NULL },
	{ "device_set_so_has_its_own_only", { AT("2001:db8::1", 3) }, "2001:db8::9", 7, NULL },
	{ "own_loopback", { AT("2001:db8::1", 3), AT("::1", 1, .length = 128) }, "::1", 1, "::1" },
	{ "vrfs_addresses_come_before_those_of_its_other_devices",
	  { AT("2001:db8::6", 6), AT("2001:db8:8::9", 9) },
	  "2001:db8::1",
	  5,
	  "2001:db8:8::9" },
	{ "own_address_in_a_vrf_competes_with_the_vrfs",
	  { AT("fe80::5", 5), AT("2001:db8:8::9", 9) },
	  "2001:db8::1",
	  5,
	  "2001:db8:8::9" },
	{ "other_devices_of_the_vrf_lend_theirs",
	  { AT("2001:db8::1", 3), AT("2001:db8::6", 6) },
	  "2001:db8::1",
	  5,
	  "2001:db8::6" },
	{ "devices_outside_of_vrfs_do_not_borrow_from_them",
	  { AT("2001:db8::6", 6) },
	  "2001:db8::1",
	  3,
	  NULL },
	{ "first_of_equals",
	  { AT("2001:db8::2", 3), AT("2001:db8::1", 3) },
	  "2001:db8:9::9",
	  3,
	  "2001:db8::2" },
};

static void add_address(struct addresses *addresses, const struct held *held)
{
	struct address address = {
		.ifindex = held->device,
		.states = held->states,
		.family = AF_INET6,
		.length = held->length ? held->length : 64,
	};

	assert_int_equal(inet_pton(AF_INET6, held->local, address.local), 1);
	assert_int_equal(addresses_append(addresses, &address), 1);
}

static void check_row(void **state)
{
	const struct row *row = *state;
	struct addresses addresses = { 0 };
	struct links links = { 0 };
	const struct address *source;
	char text[INET6_ADDRSTRLEN] = "";
	uint8_t dst[16];

	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		assert_true(links_set(&links, &devices[i]) > 0);
	for (size_t i = 0; i < ADDRESSES_MAX && row->addresses[i].local; i++)
		add_address(&addresses, &row->addresses[i]);
	assert_int_equal(inet_pton(AF_INET6, row->dst, dst), 1);
	source = source6_select(&addresses, &links, dst, row->device);
	if (source)
		inet_ntop(AF_INET6, source->local, text, sizeof(text));
	assert_string_equal(text, row->want ? row->want : "");
	addresses_free(&addresses);
	links_free(&links);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(rows)];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		tests[i] = (struct CMUnitTest){ rows[i].name, check_row, NULL, NULL, &rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
