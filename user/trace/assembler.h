/* SPDX-License-Identifier: GPL-2.0-only */
/* Puts the events of the tracepoint tier together into walks. */
#ifndef FIBTRACE_TRACE_ASSEMBLER_H
#define FIBTRACE_TRACE_ASSEMBLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/event.h"
#include "trace/walk_record.h"

struct assembler;

/*
 * What the events alone tell, in walks. begun: first events received of walks
 * that passed the kernel's filter; rejected: of those that did not.
 * malformed: events that no kernel program of ours sends.
 */
struct assembler_counts {
	uint64_t begun;
	uint64_t rejected;
	uint64_t malformed;
	uint64_t continued; /* walks that the kernel side took for the rest of one that was over */
};

/* symbols may be NULL: stacks then tell nothing. It is borrowed. NULL with errno. */
struct assembler *assembler_new(const struct symbols *symbols);
void assembler_free(struct assembler *assembler); /* takes NULL */

/* Takes in one event of size bytes; size is checked. A hole in a CPU's sequence
 * is reported to lost(), which may be NULL. 0 or -ENOMEM. */
typedef void (*assembler_lost)(void *data, const struct event_header *header, uint32_t count);
int assembler_add(struct assembler *assembler, const struct event_header *event, size_t size,
		  assembler_lost lost, void *data);

/* After the last event: header says what the last number of a CPU was. Reports
 * the hole behind the last event that came, if there is one. */
void assembler_end_sequence(struct assembler *assembler, const struct event_header *header,
			    assembler_lost lost, void *data);

/*
 * The next walk that something happened to since it was returned last, in the
 * order of what happened; NULL when there is none. It stays the assembler's,
 * valid until the next assembler_add(), and is returned again when more happens.
 */
struct walk_record *assembler_next(struct assembler *assembler);

/* Has assembler_next() return the walk once more. */
void assembler_again(struct assembler *assembler, struct walk_record *walk);

/* The walk was explained, or is lost: forgets its answers. */
void assembler_done(struct assembler *assembler, struct walk_record *walk);

/* The walk that the same task began after this one with the same flow key, and
 * that is not done: the policy may say that they are one. NULL otherwise. */
struct walk_record *assembler_successor(struct assembler *assembler,
					const struct walk_record *walk);
/* Adds the answers of successor to walk, which takes its place; successor is gone. 0 or -ENOMEM. */
int assembler_merge(struct assembler *assembler, struct walk_record *walk,
		    struct walk_record *successor);

/* Marks a walk as one that lost an answer. */
void assembler_mark_lost(struct assembler *assembler, uint64_t walk);
/* Has assembler_next() return every walk that is not done, once more. */
void assembler_flush(struct assembler *assembler);

struct assembler_counts assembler_counts(const struct assembler *assembler);

#endif
