/* SPDX-License-Identifier: GPL-2.0-only */
/* Lookups as the exact tiers record them, whole: all their parts put together. */
#ifndef FIBTRACE_TRACE_COLLECTOR_H
#define FIBTRACE_TRACE_COLLECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/event.h"

/* event's own steps, step_count and deciding are those of its last part alone.
 * deciding is the index in steps of the step that ended the walk, SIZE_MAX: none did. */
struct lookup_record {
	struct lookup_record *next;
	struct lookup_event *event;
	struct step_event *steps;
	size_t step_count;
	size_t deciding;
	uint64_t holes; /* times that lookups were found missing before it */
};

/* Puts the events of the exact tiers together into records. */
struct collector;

/* lost: lookups of which a part is missing; they are begun to the kernel side. malformed:
 * events that no kernel program of ours sends. */
struct collector_counts {
	uint64_t lost;
	uint64_t malformed;
};

/* NULL with errno. collector_free() takes NULL. */
struct collector *collector_new(void);
void collector_free(struct collector *collector);

/* Takes in one event of size bytes; size is checked, and so is everything in it
 * that is later used as a length or an index. lost(), which may be NULL, is told
 * of lookups that the event's CPU could not send. 0 or -ENOMEM. */
typedef void (*collector_lost)(void *data, const struct event_header *header, uint32_t count);
int collector_add(struct collector *collector, const struct event_header *event, size_t size,
		  collector_lost lost, void *data);

/* After the last event: header's CPU could not send refused lookups in all. */
void collector_end(struct collector *collector, const struct event_header *header, uint32_t refused,
		   collector_lost lost, void *data);

/* The oldest record that was not taken yet, the caller's to free; NULL: none is whole. */
struct lookup_record *collector_next(struct collector *collector);
void lookup_record_free(struct lookup_record *record); /* takes NULL */

struct collector_counts collector_counts(const struct collector *collector);

#endif
