/* SPDX-License-Identifier: GPL-2.0-only */
/* The ways to be attached, best first. */
#ifndef FIBTRACE_CAPTURE_TIER_H
#define FIBTRACE_CAPTURE_TIER_H

#include <stdbool.h>
#include <stddef.h>

struct tier {
	const char *name;
	const void *(*elf)(size_t *size); /* the embedded BPF object */
	const char *needs;
	const char *cannot_see;
	bool exact; /* sees the walk over the rules itself */
	/* Why this kernel cannot have it at all, told without trying; NULL: it may. */
	const char *(*impossible)(void);
};

extern const struct tier tiers[];
extern const size_t tier_count;

#endif
