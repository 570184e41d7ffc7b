/* SPDX-License-Identifier: GPL-2.0-only */
/* What two recordings, or a recording and the policy in force, differ in: as text and as JSON. */
#ifndef FIBTRACE_RENDER_DIFF_H
#define FIBTRACE_RENDER_DIFF_H

#include "diff/comparison.h"
#include "render/render.h"

/* One of the two. options: with its own names and owners. */
struct diff_source {
	const char *file; /* NULL: the policy in force */
	const char *kernel; /* NULL: not known */
	uint64_t start_ns; /* CLOCK_REALTIME of a recording's begin and end; 0: not known */
	uint64_t end_ns;
	struct render_options options;
};

/* One network namespace of both. shown: of each difference of the policy, whether it is. Their
 * numbers are from first_id on. */
struct diff_space {
	const char *title; /* NULL: it has no name */
	const struct comparison *comparison;
	const bool *shown;
	size_t first_id;
};

/* How many are shown, and what became of all flows. */
struct diff_totals {
	uint64_t links;
	uint64_t rules;
	uint64_t routes;
	uint64_t verdicts;
	struct flow_counts flows;
};

/* What all lines are written with; filters as typed, NULL-terminated. */
struct diff_context {
	const struct devices *devices;
	struct diff_source sources[SIDE_COUNT];
	const char *const *filters;
};

/* Each appends whole lines. Text has no summary: its totals go to standard error. */
struct diff_format {
	void (*start)(struct text *out, const struct diff_context *context);
	void (*space)(struct text *out, const struct diff_context *context,
		      const struct diff_space *space);
	void (*summary)(struct text *out, const struct diff_context *context,
			const struct diff_totals *totals);
};

extern const struct diff_format diff_text;
extern const struct diff_format diff_json;

/* A changed flow with one of its verdicts, as a lookup: what formats of lookups take. */
struct lookup diff_lookup(const struct diff_context *context, const struct flow_change *change,
			  enum policy_side side);
/* "eth1 master vrf0", "vrf0 vrf table 1001": what of a link matters. */
void diff_add_link(struct text *out, const struct policy_diff *diff,
		   const struct policy_difference *item, enum policy_side side);
/* The first rule of either side that names the device; NULL: none does. */
const struct rule *diff_rule_naming(const struct policy_diff *diff, const char *device);

#endif
