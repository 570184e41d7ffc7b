/* SPDX-License-Identifier: GPL-2.0-only */
/* Which elements two sequences have in common. */
#ifndef FIBTRACE_RULES_MATCH_H
#define FIBTRACE_RULES_MATCH_H

#include <stdbool.h>
#include <stddef.h>

/* Two sequences; equal() compares an element of the one with an element of the other. */
struct matching {
	size_t count[2];
	bool (*equal)(const void *data, size_t first, size_t second);
	const void *data;
	bool *matched[2]; /* set here: whether the element has its like in the other */
};

/* Elements match in their order, as many as there can be; of sequences that are too long for that
 * what they begin and end with. 0 or -ENOMEM; matching_free() in either case. */
int matching_in_order(struct matching *matching);
/* The same in any order. */
int matching_in_any_order(struct matching *matching);
void matching_free(struct matching *matching);

#endif
