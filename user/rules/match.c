// SPDX-License-Identifier: GPL-2.0-only
/* Which elements two sequences have in common: the longest common subsequence. */
#include "rules/match.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

/* So many comparisons of the part that differs; more are of no list that a person made. */
#define CELLS_MAX (16u << 20)

static int begin(struct matching *matching)
{
	for (size_t side = 0; side < 2; side++) {
		matching->matched[side] = calloc(matching->count[side] + 1, sizeof(bool));
		if (!matching->matched[side])
			return -ENOMEM;
	}
	return 0;
}

void matching_free(struct matching *matching)
{
	free(matching->matched[0]);
	free(matching->matched[1]);
	matching->matched[0] = matching->matched[1] = NULL;
}

static bool equal(const struct matching *matching, size_t first, size_t second)
{
	return matching->equal(matching->data, first, second);
}

static void set_matched(struct matching *matching, size_t first, size_t second)
{
	matching->matched[0][first] = matching->matched[1][second] = true;
}

/* The part between what both begin with and what both end with. */
struct middle {
	size_t start;
	size_t length[2];
};

static struct middle trim(struct matching *matching)
{
	struct middle middle = { 0, { matching->count[0], matching->count[1] } };

	while (middle.length[0] && middle.length[1] &&
	       equal(matching, middle.start, middle.start)) {
		set_matched(matching, middle.start, middle.start);
		middle.start++;
		middle.length[0]--;
		middle.length[1]--;
	}
	while (middle.length[0] && middle.length[1] &&
	       equal(matching, middle.start + middle.length[0] - 1,
		     middle.start + middle.length[1] - 1)) {
		middle.length[0]--;
		middle.length[1]--;
		set_matched(matching, middle.start + middle.length[0],
			    middle.start + middle.length[1]);
	}
	return middle;
}

/* lengths[i * width + j]: of the longest one from i and j on. */
static void fill_lengths(const struct matching *matching, const struct middle *middle,
			 uint16_t *lengths)
{
	size_t width = middle->length[1] + 1;

	for (size_t i = middle->length[0]; i-- > 0;) {
		for (size_t j = middle->length[1]; j-- > 0;) {
			uint16_t *cell = &lengths[i * width + j];

			*cell = cell[1] > cell[width] ? cell[1] : cell[width];
			if (equal(matching, middle->start + i, middle->start + j))
				*cell = (uint16_t)(cell[width + 1] + 1);
		}
	}
}

static void follow_lengths(struct matching *matching, const struct middle *middle,
			   const uint16_t *lengths)
{
	size_t width = middle->length[1] + 1;
	size_t i = 0, j = 0;

	while (i < middle->length[0] && j < middle->length[1]) {
		const uint16_t *cell = &lengths[i * width + j];

		if (equal(matching, middle->start + i, middle->start + j)) {
			set_matched(matching, middle->start + i++, middle->start + j++);
		} else if (cell[width] >= cell[1]) {
			i++;
		} else {
			j++;
		}
	}
}

int matching_in_order(struct matching *matching)
{
	int err = begin(matching);
	struct middle middle;
	uint16_t *lengths;

	if (err)
		return err;
	middle = trim(matching);
	if (!middle.length[0] || !middle.length[1] || middle.length[0] >= UINT16_MAX ||
	    middle.length[1] >= UINT16_MAX || middle.length[0] * middle.length[1] > CELLS_MAX)
		return 0;
	lengths = calloc((middle.length[0] + 1) * (middle.length[1] + 1), sizeof(*lengths));
	if (!lengths)
		return -ENOMEM;
	fill_lengths(matching, &middle, lengths);
	follow_lengths(matching, &middle, lengths);
	free(lengths);
	return 0;
}

int matching_in_any_order(struct matching *matching)
{
	int err = begin(matching);
	struct middle middle;

	if (err)
		return err;
	middle = trim(matching);
	if (middle.length[0] > CELLS_MAX / (middle.length[1] + 1))
		return 0;
	for (size_t i = middle.start; i < middle.start + middle.length[0]; i++) {
		for (size_t j = middle.start; j < middle.start + middle.length[1]; j++) {
			if (matching->matched[1][j] || !equal(matching, i, j))
				continue;
			set_matched(matching, i, j);
			break;
		}
	}
	return 0;
}
