// SPDX-License-Identifier: GPL-2.0-only
/* What became of every lookup: seen = shown + filtered + lost + unfinished. */
#include "counts.h"

#include <inttypes.h>
#include <stdio.h>

#include "render/words.h"
#include "util/report.h"
#include "util/text.h"

void count_lost(struct session_counts *counts, const struct walk_record *walk)
{
	if (walk->rejected)
		counts->rejected_other++;
	else
		counts->lost++;
}

void count_unfinished(struct session_counts *counts, const struct walk_record *walk)
{
	if (walk->rejected)
		counts->rejected_other++;
	else
		counts->unfinished++;
}

void count_elsewhere(struct session_counts *counts, const struct walk_record *walk)
{
	if (walk->rejected)
		counts->rejected_elsewhere++;
	else
		counts->elsewhere++;
}

static uint64_t filtered_of_kind(const struct session_counts *counts,
				 const struct capture_counts *captured, enum filter_kind kind)
{
	return counts->filtered[kind] + captured->total.filtered[kind];
}

void counts_total(const struct session_counts *counts, const struct capture_counts *captured,
		  struct assembler_counts assembled, struct collector_counts collected,
		  struct lookup_counts *total)
{
	uint64_t categories;

	*total = (struct lookup_counts){
		.shown = counts->shown,
		.filtered = counts->rejected_shown + counts->rejected_other,
		.lost = counts->lost + captured->total.lost_begun + collected.lost,
		.unfinished = counts->unfinished + captured->unfinished,
		.missed = captured->missed,
		.missed_known = captured->missed_known,
		.address_checks = captured->total.address_checks,
		.netns_unknown = captured->total.netns_unknown,
	};
	for (int kind = 0; kind < FILTER_KIND_COUNT; kind++)
		total->filtered += filtered_of_kind(counts, captured, kind);
	/* From the other side: what the kernel began, less what was none of ours. */
	total->seen = captured->total.begun + captured->unfinished - counts->elsewhere -
		      counts->merged + counts->split + assembled.continued + assembled.rejected -
		      counts->rejected_elsewhere - counts->merged_rejected;
	for (int kind = 0; kind < FILTER_KIND_COUNT; kind++)
		total->seen += captured->total.filtered[kind];
	categories = total->shown + total->filtered + total->lost + total->unfinished;
	if (total->seen != categories)
		report_warning("the counts do not add up: %" PRIu64 " seen, %" PRIu64
			       " accounted for; please report this",
			       total->seen, categories);
	if (assembled.malformed + collected.malformed)
		report_warning("%" PRIu64 " events were malformed",
			       assembled.malformed + collected.malformed);
}

/* "rejected by --dst (12), --mark (3)" */
static void print_filters(struct text *line, const struct session_counts *counts,
			  const struct capture_counts *captured)
{
	const char *separator = " ";

	for (int kind = FILTER_NONE + 1; kind < FILTER_KIND_COUNT; kind++) {
		uint64_t count = filtered_of_kind(counts, captured, kind);

		if (!count)
			continue;
		text_printf(line, "%s%s (%" PRIu64 ")", separator, filter_kind_option(kind), count);
		separator = ", ";
	}
}

/* What was looked at, by FILTER_FAMILY_…. */
static const char *const family_words[] = {
	[FILTER_FAMILY_INET] = "IPv4 ",
	[FILTER_FAMILY_INET6] = "IPv6 ",
	[FILTER_FAMILIES] = "",
};

static void print_nothing_shown(const struct session_counts *counts,
				const struct capture_counts *captured,
				const struct lookup_counts *total, const struct filter *filter)
{
	struct text line = { 0 };

	if (!total->seen) {
		report_warning(
			"no %slookup was seen: packets of an established connection use a cached "
			"route, and other namespaces need --netns",
			family_words[flow_filter_families(&filter->flow)]);
		return;
	}
	if (total->filtered) {
		text_add(&line, "nothing was shown: rejected by");
		print_filters(&line, counts, captured);
		if (filter->flow.pid_count)
			text_add(&line,
				 "; --pid matches lookups in the process's own context only");
		report_warning("%s", text_string(&line));
	}
	text_free(&line);
}

void counts_print_line(const struct lookup_counts *total)
{
	struct text line = { 0 };

	words_add_counts(&line, total);
	fprintf(stderr, "fibtrace: %s\n", text_string(&line));
	text_free(&line);
}

void counts_print(const struct session_counts *counts, const struct capture_counts *captured,
		  const struct lookup_counts *total, const struct filter *filter)
{
	counts_print_line(total);
	if (!total->shown)
		print_nothing_shown(counts, captured, total, filter);
}
