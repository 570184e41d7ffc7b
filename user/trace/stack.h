/* SPDX-License-Identifier: GPL-2.0-only */
/* What a lookup was made for and by what, read off the kernel stack at the lookup. */
#ifndef FIBTRACE_TRACE_STACK_H
#define FIBTRACE_TRACE_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/event.h"
#include "trace/lookup.h"
#include "util/symbols.h"

struct origin {
	enum purpose purpose;
	enum cause cause;
	bool may_be_direct; /* this caller can ask a table without the rules */
};

/* The kernel functions that tell, for symbols_read() in this order; NULL behind the last. */
const char *stack_marker(size_t index);

/* What the flow key and the system call tell where nothing else does. */
struct origin stack_origin_default(const struct flow_key *key, const struct event_context *context);

/* Reads the origin off count return addresses, innermost first. symbols may be
 * NULL: then the flow key and the system call tell what they can. */
struct origin stack_origin(const struct symbols *symbols, const __u64 *addresses, size_t count,
			   const struct begin_event *begin);

#endif
