/* SPDX-License-Identifier: GPL-2.0-only */
/* What became of every lookup: seen = shown + filtered + lost + unfinished. */
#ifndef FIBTRACE_COUNTS_H
#define FIBTRACE_COUNTS_H

#include <stdint.h>

#include "bpf/filter.h"
#include "capture/capture.h"
#include "filter/filter.h"
#include "trace/assembler.h"
#include "trace/collector.h"
#include "trace/lookup.h"

/*
 * What user space decided. Walks that were only sent for the policy to find
 * their boundaries (rejected) are counted apart: the kernel's filter had
 * rejected them. merged: walks that turned out to be part of the one before.
 */
struct session_counts {
	uint64_t shown;
	uint64_t filtered[FILTER_KIND_COUNT];
	uint64_t lost;
	uint64_t unfinished;
	uint64_t elsewhere;
	uint64_t merged;
	uint64_t split; /* lookups that the kernel side took for a part of the one before */
	uint64_t rejected_shown;
	uint64_t rejected_other;
	uint64_t rejected_elsewhere;
	uint64_t merged_rejected;
};

void count_lost(struct session_counts *counts, const struct walk_record *walk);
void count_unfinished(struct session_counts *counts, const struct walk_record *walk);
void count_elsewhere(struct session_counts *counts, const struct walk_record *walk);

/* Adds up the kernel's counts and ours into total. Of assembled and collected one is zero. */
void counts_total(const struct session_counts *counts, const struct capture_counts *captured,
		  struct assembler_counts assembled, struct collector_counts collected,
		  struct lookup_counts *total);

/* Prints the totals as one line on stderr. */
void counts_print_line(const struct lookup_counts *total);
/* Prints the totals as one line on stderr and, when nothing was shown, why. */
void counts_print(const struct session_counts *counts, const struct capture_counts *captured,
		  const struct lookup_counts *total, const struct filter *filter);

#endif
