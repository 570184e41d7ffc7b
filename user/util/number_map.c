// SPDX-License-Identifier: GPL-2.0-only
/* What belongs to a number, found without a search. */
#include "util/number_map.h"

#include <errno.h>
#include <stdlib.h>

#define CAPACITY_FIRST 64

/* A free one has no value. */
struct number_slot {
	uint32_t number;
	void *value;
};

/* Inodes are mostly in sequence: the factor spreads them. */
static size_t number_home(const struct number_map *map, uint32_t number)
{
	return (uint32_t)(number * 2654435769u) % map->capacity;
}

/* The slot of the number, or the free one where it would be put. */
static struct number_slot *number_slot(const struct number_map *map, uint32_t number)
{
	size_t at = number_home(map, number);

	while (map->slots[at].value && map->slots[at].number != number)
		at = (at + 1) % map->capacity;
	return &map->slots[at];
}

void number_map_clear(struct number_map *map)
{
	free(map->slots);
	*map = (struct number_map){ 0 };
}

void *number_map_get(const struct number_map *map, uint32_t number)
{
	return map->count ? number_slot(map, number)->value : NULL;
}

static void number_map_put(struct number_map *map, uint32_t number, void *value)
{
	struct number_slot *slot = number_slot(map, number);

	map->count += !slot->value;
	*slot = (struct number_slot){ number, value };
}

static int number_map_grow(struct number_map *map)
{
	struct number_map grown = { .capacity =
					    map->capacity ? 2 * map->capacity : CAPACITY_FIRST };

	grown.slots = calloc(grown.capacity, sizeof(*grown.slots));
	if (!grown.slots)
		return -ENOMEM;
	for (size_t i = 0; i < map->capacity; i++) {
		if (map->slots[i].value)
			number_map_put(&grown, map->slots[i].number, map->slots[i].value);
	}
	free(map->slots);
	*map = grown;
	return 0;
}

int number_map_set(struct number_map *map, uint32_t number, void *value)
{
	/* Half of it stays free, so that a search is short and ends. */
	if (2 * map->count >= map->capacity && number_map_grow(map))
		return -ENOMEM;
	number_map_put(map, number, value);
	return 0;
}

/* What was put behind the freed slot for want of its own is put anew. */
void number_map_remove(struct number_map *map, uint32_t number)
{
	struct number_slot *slot = map->count ? number_slot(map, number) : NULL;

	if (!slot || !slot->value)
		return;
	slot->value = NULL;
	map->count--;
	for (size_t at = slot - map->slots + 1;; at++) {
		struct number_slot moved = map->slots[at % map->capacity];

		if (!moved.value)
			return;
		map->slots[at % map->capacity].value = NULL;
		map->count--;
		number_map_put(map, moved.number, moved.value);
	}
}
