/* SPDX-License-Identifier: GPL-2.0-only */
/* The addresses of a policy's devices, and which of them the kernel selects as a source. */
#ifndef FIBTRACE_RULES_ADDRESSES_H
#define FIBTRACE_RULES_ADDRESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/links.h"
#include "rules/policy.h"

/* All zero is empty and valid. */
struct addresses {
	struct address *items; /* ascending by ifindex; those of one device in the kernel's order */
	size_t count;
	size_t capacity;
};

/* Frees the addresses and makes the list empty. */
void addresses_free(struct addresses *addresses);

/* Adds or renews an address; 1 when that changed something, 0 when not, or -errno. */
int addresses_set(struct addresses *addresses, const struct address *address);
/* The same, but a new address goes behind all others of its device. */
int addresses_append(struct addresses *addresses, const struct address *address);
/* False when there was no such address. */
bool addresses_remove(struct addresses *addresses, const struct address *address);
void addresses_remove_device(struct addresses *addresses, uint32_t ifindex);

/* The first that equals address; NULL: none does. Borrowed until the next change. */
const struct address *addresses_find(const struct addresses *addresses, uint8_t family,
				     const uint8_t *address);

/* inet_select_addr() of device ifindex: gateway is an IPv4 address or NULL. NULL when there is
 * none; borrowed until the next change. */
struct source_question {
	const struct links *links;
	const uint8_t *gateway;
	uint32_t ifindex;
	uint8_t scope;
};
const struct address *addresses_select(const struct addresses *addresses,
				       const struct source_question *question);

#endif
