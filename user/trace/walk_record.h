/* SPDX-License-Identifier: GPL-2.0-only */
/* A walk as the tracepoint tier records it: who asked what, and what each table answered. */
#ifndef FIBTRACE_TRACE_WALK_RECORD_H
#define FIBTRACE_TRACE_WALK_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/event.h"
#include "trace/stack.h"

/*
 * ended: its task has begun another walk, no answer follows. lost: one of its
 * answers did not fit into the ring. rejected: the kernel's filter rejected it,
 * it is only to be counted.
 */
struct walk_record {
	uint64_t id;
	uint64_t time_ns; /* CLOCK_BOOTTIME of the first answer that was sent */
	uint64_t holes; /* that were found before it began */
	uint32_t cpu;
	struct origin origin;
	struct event_context context;
	struct flow_key key;
	bool ended;
	bool lost;
	bool rejected;
	bool elsewhere; /* of a namespace that is not traced: its further answers do not matter */
	bool waited; /* it had the time to grow */
	bool shown; /* explained and done with; only the origin is still of use */
	size_t answer_count;
	size_t answer_capacity;
	struct table_answer *answers;
};

/* The network namespace: that of a hit's device, else of the context; 0: not known. */
uint32_t walk_record_netns(const struct walk_record *walk, enum netns_source *source);

#endif
