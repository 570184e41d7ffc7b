/* SPDX-License-Identifier: GPL-2.0-only */
/* What differs between one image and another: what repeats takes next to no room in a log. */
#ifndef FIBTRACE_LOG_DELTA_H
#define FIBTRACE_LOG_DELTA_H

#include <stddef.h>
#include <stdint.h>

#include "log/span.h"

/* No record describes more; what claims to is damaged. */
#define IMAGE_SIZE_MAX (16u << 20)

/* An image per slot: the last one that was put there. total: bytes of all, of which there are no more
 * than DELTA_TOTAL_MAX: an image that would exceed that leaves all other slots empty. All zero is
 * empty and valid. */
#define DELTA_SLOTS 256
#define DELTA_TOTAL_MAX (64u << 20)
struct delta_slots {
	struct text images[DELTA_SLOTS];
	size_t total;
};

void delta_free(struct delta_slots *slots);

/*
 * Appends image as what it differs in from the slot's, and takes its place: the
 * slot, the image's length, then until that is reached how many bytes are the
 * same (where the older image has ended: zero), how many others follow, and those.
 */
void delta_put(struct text *out, struct delta_slots *slots, uint8_t slot, const struct text *image);

/* The image that the rest of the span tells, which takes the slot's place and is borrowed until
 * the next call; NULL with errno: EBADMSG when it is none, ENOMEM. */
const struct text *delta_get(struct span *span, struct delta_slots *slots);

#endif
