// SPDX-License-Identifier: GPL-2.0-only
/* The addresses of a policy's devices in one sorted array, and inet_select_addr() over it. */
#include "rules/addresses.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "rules/grow.h"

void addresses_free(struct addresses *addresses)
{
	free(addresses->items);
	*addresses = (struct addresses){ 0 };
}

/* Where the addresses of ifindex begin, or would. */
static size_t first_of_device(const struct addresses *addresses, uint32_t ifindex)
{
	size_t first = 0;
	size_t behind = addresses->count;

	while (first < behind) {
		size_t middle = first + (behind - first) / 2;

		if (addresses->items[middle].ifindex < ifindex)
			first = middle + 1;
		else
			behind = middle;
	}
	return first;
}

static bool is_of_device(const struct addresses *addresses, size_t place, uint32_t ifindex)
{
	return place < addresses->count && addresses->items[place].ifindex == ifindex;
}

static void remove_range(struct addresses *addresses, size_t place, size_t count)
{
	size_t behind = addresses->count - place - count;

	if (behind)
		memmove(&addresses->items[place], &addresses->items[place + count],
			behind * sizeof(*addresses->items));
	addresses->count -= count;
}

/* SIZE_MAX when the address is not known. */
static size_t find_address(const struct addresses *addresses, const struct address *address)
{
	size_t i = first_of_device(addresses, address->ifindex);

	for (; is_of_device(addresses, i, address->ifindex); i++) {
		const struct address *known = &addresses->items[i];

		if (known->family == address->family && known->length == address->length &&
		    !memcmp(known->local, address->local, sizeof(known->local)))
			return i;
	}
	return SIZE_MAX;
}

/* __inet_insert_ifa(): a secondary address goes last, a primary one behind the last primary whose
 * scope is not wider. ipv6_link_dev_addr(): a new one goes before those of the same scope. */
static bool goes_behind(const struct address *address, const struct address *known)
{
	if (address->family != known->family)
		return false;
	if (address->family == AF_INET6)
		return known->scope < address->scope;
	return address->secondary || (!known->secondary && known->scope >= address->scope);
}

static size_t new_place(const struct addresses *addresses, const struct address *address)
{
	size_t i = first_of_device(addresses, address->ifindex);
	size_t place = i;

	for (; is_of_device(addresses, i, address->ifindex); i++) {
		if (goes_behind(address, &addresses->items[i]))
			place = i + 1;
	}
	return place;
}

static size_t last_place(const struct addresses *addresses, const struct address *address)
{
	size_t place = first_of_device(addresses, address->ifindex);

	while (is_of_device(addresses, place, address->ifindex))
		place++;
	return place;
}

static int insert_address(struct addresses *addresses, const struct address *address, size_t place)
{
	struct address *items = array_reserve(addresses->items, sizeof(*items), addresses->count,
					      &addresses->capacity);

	if (!items)
		return -ENOMEM;
	addresses->items = items;
	memmove(&items[place + 1], &items[place], (addresses->count - place) * sizeof(*items));
	items[place] = *address;
	addresses->count++;
	return 1;
}

static int check_address(const struct address *address)
{
	if (address->family == AF_INET)
		return address->length > 32 ? -EINVAL : 0;
	if (address->family == AF_INET6)
		return address->length > 128 ? -EINVAL : 0;
	return -EAFNOSUPPORT;
}

static int renew_address(struct address *known, const struct address *address)
{
	if (known->states == address->states)
		return 0;
	known->states = address->states;
	return 1;
}

int addresses_set(struct addresses *addresses, const struct address *address)
{
	size_t place = find_address(addresses, address);
	int err = check_address(address);

	if (err)
		return err;
	if (place != SIZE_MAX) {
		struct address *known = &addresses->items[place];

		if (known->scope == address->scope && known->secondary == address->secondary)
			return renew_address(known, address);
		remove_range(addresses, place, 1);
	}
	return insert_address(addresses, address, new_place(addresses, address));
}

int addresses_append(struct addresses *addresses, const struct address *address)
{
	int err = check_address(address);

	if (err)
		return err;
	if (find_address(addresses, address) != SIZE_MAX)
		return addresses_set(addresses, address);
	return insert_address(addresses, address, last_place(addresses, address));
}

bool addresses_remove(struct addresses *addresses, const struct address *address)
{
	size_t place = find_address(addresses, address);

	if (place == SIZE_MAX)
		return false;
	remove_range(addresses, place, 1);
	return true;
}

void addresses_remove_device(struct addresses *addresses, uint32_t ifindex)
{
	size_t first = first_of_device(addresses, ifindex);
	size_t behind = first;

	while (is_of_device(addresses, behind, ifindex))
		behind++;
	remove_range(addresses, first, behind - first);
}

static uint32_t load_v4(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	       bytes[3];
}

static bool in_subnet(const uint8_t *ip, const struct address *address)
{
	uint32_t mask = address->length ? UINT32_MAX << (32 - address->length) : 0;

	return ((load_v4(ip) ^ load_v4(address->local)) & mask) == 0;
}

static bool is_primary_v4(const struct address *address)
{
	return address->family == AF_INET && !address->secondary;
}

/* The device's own address in the gateway's subnet, else its first. */
static const struct address *select_own(const struct addresses *addresses,
					const struct source_question *question)
{
	size_t i = first_of_device(addresses, question->ifindex);
	const struct address *first = NULL;

	for (; is_of_device(addresses, i, question->ifindex); i++) {
		const struct address *address = &addresses->items[i];
		uint8_t scope = address->scope < RT_SCOPE_HOST ? address->scope : RT_SCOPE_HOST;

		if (!is_primary_v4(address) || scope > question->scope)
			continue;
		if (!question->gateway || in_subnet(question->gateway, address))
			return address;
		if (!first)
			first = address;
	}
	return first;
}

/* in_dev_select_addr(): what a device lends to another one. */
static bool may_be_lent(const struct address *address, uint8_t scope)
{
	return is_primary_v4(address) && address->scope != RT_SCOPE_LINK && address->scope <= scope;
}

/* The VRF's own addresses first, then those of all devices in the same VRF, or in none. */
static const struct address *select_lent(const struct addresses *addresses,
					 const struct source_question *question)
{
	uint32_t master = links_l3_master(question->links, question->ifindex);
	size_t i = first_of_device(addresses, master);

	for (; is_of_device(addresses, i, master); i++)
		if (may_be_lent(&addresses->items[i], question->scope))
			return &addresses->items[i];
	for (i = 0; i < addresses->count; i++) {
		const struct address *address = &addresses->items[i];

		if (may_be_lent(address, question->scope) &&
		    links_l3_master(question->links, address->ifindex) == master)
			return address;
	}
	return NULL;
}

const struct address *addresses_select(const struct addresses *addresses,
				       const struct source_question *question)
{
	const struct address *own = select_own(addresses, question);

	return own ? own : select_lent(addresses, question);
}

const struct address *addresses_find(const struct addresses *addresses, uint8_t family,
				     const uint8_t *address)
{
	size_t length = family == AF_INET6 ? 16 : 4;

	for (size_t i = 0; i < addresses->count; i++) {
		const struct address *item = &addresses->items[i];

		if (item->family == family && !memcmp(item->local, address, length))
			return item;
	}
	return NULL;
}
