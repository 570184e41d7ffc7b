/* SPDX-License-Identifier: GPL-2.0-only */
/* Groups of lookups as blocks of text: held back until nothing more can belong to them. */
#ifndef FIBTRACE_RENDER_BLOCKS_H
#define FIBTRACE_RENDER_BLOCKS_H

#include <stdint.h>

#include "render/render.h"
#include "util/text.h"

/*
 * In a block the last lookup for output (reroute and route-get are such) is in
 * full, without one the last for input, else the last; all are with -v. The
 * others are one line each, in the order in which they came.
 *
 * A block is complete when its thread begins another group, and a while after
 * its lookups, by their own times. What is written, and in which order, is
 * decided by the calls alone; and by their times alone as long as no lookup
 * is added much later than it was.
 */
struct blocks;

/* For a format with brief(); both are borrowed. NULL with errno. blocks_free() takes NULL, and
 * drops what is held. */
struct blocks *blocks_new(const struct format *format, const struct render_options *options);
void blocks_free(struct blocks *blocks);

/* Takes in a lookup with its group's number; appends to out what is complete by that. */
void blocks_add(struct blocks *blocks, struct text *out, const struct lookup *lookup);
/* All lookups up to that time (CLOCK_BOOTTIME) have been added, some that are late apart. */
void blocks_advance(struct blocks *blocks, struct text *out, uint64_t time_ns);
/* Appends all that is held. */
void blocks_flush(struct blocks *blocks, struct text *out);

/* The time for which blocks_advance() is to be called next; 0: nothing is held. */
uint64_t blocks_due(const struct blocks *blocks);

#endif
