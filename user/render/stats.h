/* SPDX-License-Identifier: GPL-2.0-only */
/* Totals in place of lookups: by rule, table, device, outcome, finding, process and destination. */
#ifndef FIBTRACE_RENDER_STATS_H
#define FIBTRACE_RENDER_STATS_H

#include "render/render.h"
#include "util/tally.h"

enum stat_kind {
	STAT_RULE,
	STAT_TABLE,
	STAT_DEVICE,
	STAT_OUTCOME,
	STAT_FINDING,
	STAT_PROCESS,
	STAT_DESTINATION,
	STAT_KIND_COUNT,
};

/* first_ns and last_ns: CLOCK_REALTIME of the first lookup and the last. All zero is empty. */
struct stats {
	uint64_t lookups;
	uint64_t first_ns;
	uint64_t last_ns;
	struct tally tallies[STAT_KIND_COUNT];
};

void stats_free(struct stats *stats);
/* Counts one lookup, which is explained; 0 or -ENOMEM. */
int stats_add(struct stats *stats, const struct lookup *lookup,
	      const struct render_options *options);
/* Appends them: as one object of JSON, else as text, where of each kind those that came most often are
 * named, unless verbose. Nothing is to be added behind it. */
void stats_print(struct text *out, struct stats *stats, bool json,
		 const struct render_options *options);

#endif
