/* SPDX-License-Identifier: GPL-2.0-only */
/* The rules of a namespace as they were last, each state with a number: writer and reader of a log
 * count alike. */
#ifndef FIBTRACE_LOG_RULES_RING_H
#define FIBTRACE_LOG_RULES_RING_H

#include <stddef.h>
#include <stdint.h>

#include "rules/policy.h"

/* A lookup may have walked the rules before a change, or before the one before that. */
#define RULES_RING_SIZE 8

/* last: the number of the newest list, from 1; 0: none was there. All zero is empty. */
struct rules_ring {
	uint32_t last;
	size_t rules; /* of all lists */
	struct rule_list *lists[RULES_RING_SIZE];
};

void rules_ring_clear(struct rules_ring *ring);
/* Numbers the list, of which a reference is kept. */
void rules_ring_push(struct rules_ring *ring, struct rule_list *list);
/* The same, unless it is the newest already; NULL is none. */
void rules_ring_follow(struct rules_ring *ring, struct rule_list *list);
/* The number of a list, 0: it is none of the last ones. */
uint32_t rules_ring_number(const struct rules_ring *ring, const struct rule_list *list);
/* The list of a number, borrowed; NULL: it is none of the last ones. */
struct rule_list *rules_ring_list(const struct rules_ring *ring, uint32_t number);

#endif
