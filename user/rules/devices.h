/* SPDX-License-Identifier: GPL-2.0-only */
/* Devices numbered by their names, so that policies of two times or machines can be compared. */
#ifndef FIBTRACE_RULES_DEVICES_H
#define FIBTRACE_RULES_DEVICES_H

#include <net/if.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/policy.h"

/* All zero is empty. A device's number is 1 for lo and its place among names from then on. */
struct devices {
	char (*names)[IFNAMSIZ];
	size_t count;
	size_t capacity;
	uint32_t *slots; /* the number of a name; 0: free */
	size_t slot_count;
};

void devices_free(struct devices *devices);
/* The number of the name, a new one unless it has one; 0 without memory. */
uint32_t devices_number(struct devices *devices, const char *name);
/* The number of the device that a policy has at index, called "if7" where it has none; 0 for index
 * 0, and without memory. */
uint32_t devices_number_of(struct devices *devices, const struct policy *policy, uint32_t index);
/* The name; "" for 0. */
const char *devices_name(const struct devices *devices, uint32_t number);

/* The rules, links and routes of policy with its devices under these numbers (NULL: as they are): a
 * policy of one's own, with the same owners. NULL with errno. */
struct policy *devices_copy_policy(struct devices *devices, const struct policy *policy);

#endif
