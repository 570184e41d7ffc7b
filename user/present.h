/* SPDX-License-Identifier: GPL-2.0-only */
/* Lookups whose walk is known, live or out of a log: filtered, explained, shown and recorded. */
#ifndef FIBTRACE_PRESENT_H
#define FIBTRACE_PRESENT_H

#include <stdbool.h>
#include <stdint.h>

#include "filter/filter.h"
#include "journal/journal.h"
#include "log/writer.h"
#include "render/render.h"
#include "render/summary.h"

struct presenter;

/*
 * Everything is borrowed for as long as the presenter lives. format: NULL renders
 * nothing; log: NULL records nothing; journal: NULL gets nothing. recorded: what comes is out of a log, and is
 * explained whether or not it is shown, as it was when it was recorded. limit: as
 * many lookups are shown, 0: all. exact: the tier sees each rule that runs.
 */
struct presenter_settings {
	const struct filter *filter;
	const struct format *format;
	const struct render_options *render;
	struct log_writer *log;
	struct journal *journal;
	uint64_t limit;
	bool exact;
	bool recorded;
};

/* NULL with errno. presenter_free() takes NULL. */
struct presenter *presenter_new(const struct presenter_settings *settings);
void presenter_free(struct presenter *presenter);

/* 0 or -errno after a line on stderr. */
int presenter_start(struct presenter *presenter, const struct trace_start *start);

/* The first error, which ends the trace: -errno, after a line on stderr. */
int presenter_error(const struct presenter *presenter);
/* Whether nothing more is to be shown: the limit is reached, or the reader has gone. */
bool presenter_done(const struct presenter *presenter);
bool presenter_limit_reached(const struct presenter *presenter);
uint64_t presenter_shown(const struct presenter *presenter);

/* Which filter rejects the lookup; FILTER_NONE: it is explained, and presenter_show() may follow
 * once its group is set. space is its namespace; found: what was found is known already. */
enum filter_kind presenter_examine(struct presenter *presenter, const struct log_space *space,
				   struct lookup *lookup, bool found);
void presenter_show(struct presenter *presenter, const struct lookup *lookup);

/* What else there is to tell; times are CLOCK_REALTIME. */
void presenter_lost(struct presenter *presenter, uint64_t time_ns, uint32_t cpu, uint64_t count);
void presenter_policy_changed(struct presenter *presenter, uint64_t time_ns,
			      const struct log_space *space, const char *change);
void presenter_warning(struct presenter *presenter, uint64_t time_ns, const char *message);

/* All lookups up to that time (CLOCK_BOOTTIME) have been shown: see blocks_advance(). */
void presenter_advance(struct presenter *presenter, uint64_t time_ns);
uint64_t presenter_due(const struct presenter *presenter);
/* Writes text of the caller's behind what was shown. */
void presenter_add(struct presenter *presenter, const struct text *text);
/* Nothing has come for long: what is held back is written out. */
void presenter_idle(struct presenter *presenter);
/* Writes out what there is; 0 or -errno after a line on stderr. */
int presenter_flush(struct presenter *presenter);

/* What was shown, for the counts to be filled in. */
struct trace_summary *presenter_summary(struct presenter *presenter);
/* The last of it: the summary, whose counts are known now. 0 or -errno after a line on stderr. */
int presenter_finish(struct presenter *presenter, uint64_t time_ns);
/* The totals as lines on standard error, where no format has them. */
void presenter_print_totals(const struct presenter *presenter);

#endif
