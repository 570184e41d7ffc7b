/* SPDX-License-Identifier: GPL-2.0-only */
/* What belongs to a number, found without a search. */
#ifndef FIBTRACE_UTIL_NUMBER_MAP_H
#define FIBTRACE_UTIL_NUMBER_MAP_H

#include <stddef.h>
#include <stdint.h>

/* Zeroed, it is empty. The values are borrowed. */
struct number_map {
	struct number_slot *slots;
	size_t capacity;
	size_t count;
};

void number_map_clear(struct number_map *map);
/* NULL: nothing belongs to the number. */
void *number_map_get(const struct number_map *map, uint32_t number);
/* value, which is not NULL, takes the place of what was there; 0 or -ENOMEM. */
int number_map_set(struct number_map *map, uint32_t number, void *value);
void number_map_remove(struct number_map *map, uint32_t number);

#endif
