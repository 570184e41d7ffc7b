/* SPDX-License-Identifier: GPL-2.0-only */
/* What a trace adds up to: the counts, and lookups shown by outcome and by rule. */
#ifndef FIBTRACE_RENDER_SUMMARY_H
#define FIBTRACE_RENDER_SUMMARY_H

#include <stddef.h>
#include <stdint.h>

#include "trace/lookup.h"

/* One rule that decided lookups. */
struct rule_total {
	uint32_t netns;
	uint32_t priority;
	uint32_t table;
	uint8_t family;
	uint64_t count;
};

/* errors[i] of error_count: lookups that ended with that errno (positive). */
struct trace_summary {
	struct lookup_counts counts;
	uint64_t found; /* shown lookups without an error */
	struct {
		int error;
		uint64_t count;
	} errors[16];
	size_t error_count;
	struct rule_total *rules;
	size_t rule_count;
	size_t rule_capacity;
	uint64_t findings[FINDING_KIND_COUNT]; /* lookups with one of that kind */
	uint64_t dropped_rules; /* lookups whose rule could not be counted for want of memory */
};

/* Counts one shown lookup. */
void summary_add(struct trace_summary *summary, const struct lookup *lookup);
void summary_free(struct trace_summary *summary);

#endif
