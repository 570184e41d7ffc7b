// SPDX-License-Identifier: GPL-2.0-only
/* How often each of many names came. */
#include "util/tally.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_FIRST 256

void tally_free(struct tally *tally)
{
	for (size_t i = 0; i < tally->count; i++)
		free(tally->entries[i].name);
	free(tally->entries);
	free(tally->slots);
	*tally = (struct tally){ 0 };
}

static uint64_t hash(const char *name)
{
	uint64_t value = 14695981039346656037u;

	for (; *name; name++)
		value = (value ^ (uint8_t)*name) * 1099511628211u;
	return value;
}

/* The slot of the name, or the free one where it would be put. */
static uint32_t *find_slot(const struct tally *tally, const char *name)
{
	size_t at = hash(name) % tally->slot_count;

	while (tally->slots[at] && strcmp(tally->entries[tally->slots[at] - 1].name, name))
		at = (at + 1) % tally->slot_count;
	return &tally->slots[at];
}

/* At most half of the slots are taken; there is an entry for each of that half. */
static int reserve(struct tally *tally)
{
	size_t slot_count = tally->slot_count ? 2 * tally->slot_count : SLOTS_FIRST;
	struct tally_entry *entries;
	uint32_t *slots;

	if (tally->count < tally->slot_count / 2)
		return 0;
	entries = reallocarray(tally->entries, slot_count / 2, sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	tally->entries = entries;
	slots = calloc(slot_count, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	free(tally->slots);
	tally->slots = slots;
	tally->slot_count = slot_count;
	for (size_t i = 0; i < tally->count; i++)
		*find_slot(tally, entries[i].name) = (uint32_t)i + 1;
	return 0;
}

int tally_add(struct tally *tally, const char *name)
{
	uint32_t *slot;
	char *copy;

	if (reserve(tally))
		return -ENOMEM;
	slot = find_slot(tally, name);
	if (*slot) {
		tally->entries[*slot - 1].count++;
		return 0;
	}
	if (tally->count >= TALLY_NAMES_MAX) {
		tally->others++;
		return 0;
	}
	copy = strdup(name);
	if (!copy)
		return -ENOMEM;
	tally->entries[tally->count++] = (struct tally_entry){ copy, 1 };
	*slot = (uint32_t)tally->count;
	return 0;
}

static int most_first(const void *one, const void *other)
{
	const struct tally_entry *a = one, *b = other;

	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	return strcmp(a->name, b->name);
}

void tally_sort(struct tally *tally)
{
	if (tally->count)
		qsort(tally->entries, tally->count, sizeof(*tally->entries), most_first);
}
