// SPDX-License-Identifier: GPL-2.0-only
/* The rules of a namespace as they were last, each state with a number. */
#include "log/rules_ring.h"

void rules_ring_clear(struct rules_ring *ring)
{
	for (size_t i = 0; i < RULES_RING_SIZE; i++)
		rule_list_put(ring->lists[i]);
	*ring = (struct rules_ring){ 0 };
}

void rules_ring_push(struct rules_ring *ring, struct rule_list *list)
{
	struct rule_list **place = &ring->lists[++ring->last % RULES_RING_SIZE];

	ring->rules += list->count - (*place ? (*place)->count : 0);
	rule_list_put(*place);
	*place = rule_list_get(list);
}

void rules_ring_follow(struct rules_ring *ring, struct rule_list *list)
{
	if (list && (!ring->last || ring->lists[ring->last % RULES_RING_SIZE] != list))
		rules_ring_push(ring, list);
}

uint32_t rules_ring_number(const struct rules_ring *ring, const struct rule_list *list)
{
	for (uint32_t back = 0; back < RULES_RING_SIZE && back < ring->last; back++) {
		uint32_t number = ring->last - back;

		if (ring->lists[number % RULES_RING_SIZE] == list)
			return number;
	}
	return 0;
}

struct rule_list *rules_ring_list(const struct rules_ring *ring, uint32_t number)
{
	if (!number || number > ring->last || ring->last - number >= RULES_RING_SIZE)
		return NULL;
	return ring->lists[number % RULES_RING_SIZE];
}
