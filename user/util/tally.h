/* SPDX-License-Identifier: GPL-2.0-only */
/* How often each of many names came. */
#ifndef FIBTRACE_UTIL_TALLY_H
#define FIBTRACE_UTIL_TALLY_H

#include <stddef.h>
#include <stdint.h>

/* More names are counted together. */
#define TALLY_NAMES_MAX 100000u

struct tally_entry {
	char *name;
	uint64_t count;
};

/* entries are in the order in which they came first. others: what came of no name of its own. All
 * zero is empty and valid. */
struct tally {
	struct tally_entry *entries;
	size_t count;
	uint32_t *slots; /* 1 + the index of an entry; 0: free */
	size_t slot_count;
	uint64_t others;
};

void tally_free(struct tally *tally);
/* Counts one; 0 or -ENOMEM. */
int tally_add(struct tally *tally, const char *name);
/* Brings the entries into the order of their counts, most first, equal ones by name. Nothing is to
 * be added behind it. */
void tally_sort(struct tally *tally);

#endif
