/* SPDX-License-Identifier: GPL-2.0-only */
/* The network devices of a policy, by index and by name. */
#ifndef FIBTRACE_RULES_LINKS_H
#define FIBTRACE_RULES_LINKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/policy.h"

struct link_index {
	struct link **links; /* ascending by index, or by name */
	size_t count;
	size_t capacity;
};

/* All zero is empty and valid. */
struct links {
	struct link_index by_index;
	struct link_index by_name;
};

/* Frees the links and makes the set empty. */
void links_free(struct links *links);

/* Both are borrowed until the link is removed; NULL when there is none. */
struct link *links_find(const struct links *links, uint32_t index);
struct link *links_find_name(const struct links *links, const char *name);

/* Adds or replaces a link; -errno, or what changed. */
enum link_change { LINK_SAME, LINK_CHANGED, LINK_RENAMED /* a new one, too */ };
int links_set(struct links *links, const struct link *link);
/* False when there was no such link. */
bool links_remove(struct links *links, uint32_t index);

/* l3mdev_master_ifindex(): the device itself when it is a VRF, else the VRF that
 * it is in; 0: none. */
uint32_t links_l3_master(const struct links *links, uint32_t ifindex);

#endif
