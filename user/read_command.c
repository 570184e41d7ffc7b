// SPDX-License-Identifier: GPL-2.0-only
/* `fibtrace read FILE`: what a trace recorded, shown as it would have been live. */
#include "read_command.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "command.h"
#include "counts.h"
#include "display.h"
#include "log/reader.h"
#include "present.h"
#include "render/stats.h"
#include "util/report.h"

/* Everything of one reading. rejected: lookups that the filters of this reading reject. */
struct reading {
	const struct options *options;
	struct log_reader *log;
	struct presenter *presenter;
	struct render_options render;
	struct stats stats;
	struct filter filter; /* the options', with tables as the log calls them */
	bool filter_ready;
	bool exact;
	uint64_t lookups;
	uint64_t lost; /* where that counts lookups */
	uint64_t rejected;
	uint64_t last_ns; /* CLOCK_REALTIME of what was told last */
	unsigned int waits; /* --follow: how often in a row nothing had come */
	bool ended; /* by the record that says so */
	bool continued; /* in another file */
	bool continues; /* what another file began: only what is read is counted */
};

/* The machine that recorded it had its own time: what text shows is that. */
static void set_utc_offset(int32_t offset)
{
	unsigned int seconds = (unsigned int)labs((long)offset);
	char zone[64];

	/* POSIX counts westwards. */
	snprintf(zone, sizeof(zone), "<log>%c%u:%02u:%02u", offset < 0 ? '+' : '-', seconds / 3600,
		 seconds / 60 % 60, seconds % 60);
	setenv("TZ", zone, 1);
	tzset();
}

static bool has_filters(const struct options *options)
{
	return options->filters[0] != NULL;
}

/* Those of the recording, then those of this reading. NULL without memory; the caller frees the
 * array. */
static const char **all_filters(const char *const *recorded, const char *const *own)
{
	size_t count = 0, more = 0;
	const char **all;

	while (recorded[count])
		count++;
	while (own[more])
		more++;
	all = calloc(count + more + 1, sizeof(*all));
	if (!all)
		return NULL;
	memcpy(all, recorded, count * sizeof(*all));
	memcpy(all + count, own, more * sizeof(*all));
	return all;
}

static int reading_open_presenter(struct reading *reading, bool exact)
{
	const struct options *options = reading->options;
	const struct presenter_settings settings = {
		.filter = &reading->filter,
		.format = options->stats ? NULL : display_format(options),
		.render = &reading->render,
		.limit = options->count,
		.exact = exact,
		.recorded = true,
	};

	reading->presenter = presenter_new(&settings);
	return reading->presenter ? 0 : -ENOMEM;
}

static int take_start(struct reading *reading, const struct log_record *record)
{
	struct trace_start start = {
		.time_ns = record->time_ns,
		.version = record->version,
		.kernel = record->kernel,
		.tier = record->tier,
	};
	const char **filters;
	int err;

	if (reading->presenter)
		return -EBADMSG;
	reading->filter = reading->options->filter;
	reading->exact = record->exact;
	set_utc_offset(record->utc_offset);
	err = reading_open_presenter(reading, record->exact);
	filters = err ? NULL : all_filters(record->filters, reading->options->filters);
	if (!filters)
		return -ENOMEM;
	start.filters = filters;
	err = presenter_start(reading->presenter, &start);
	free(filters);
	return err;
}

/* --table as the machine that was traced calls it: all names come before the first lookup. */
static int resolve_tables(struct reading *reading)
{
	struct verdict_filter *verdict = &reading->filter.verdict;

	reading->filter_ready = true;
	for (uint32_t i = 0; i < verdict->table_count; i++) {
		const char *word = reading->options->table_words[i];

		if (names_parse_table(log_reader_names(reading->log), word, &verdict->table[i]) &&
		    verdict->table[i])
			continue;
		report_error("--table: '%s' is no table of %s", word, reading->options->read);
		return -ENOENT;
	}
	return 0;
}

static int take_lookup(struct reading *reading, const struct log_record *record)
{
	struct lookup *lookup = record->lookup;
	const struct log_space space = {
		.inode = lookup->netns,
		.title = lookup->netns_name ? lookup->netns_name : "",
		.policy = (struct policy *)record->policy,
	};
	enum filter_kind rejected;

	if (!reading->filter_ready && resolve_tables(reading))
		return -ENOENT;
	rejected = presenter_examine(reading->presenter, &space, lookup, record->explained);
	reading->lookups++;
	reading->last_ns = lookup->time_ns;
	if (rejected != FILTER_NONE || !display_wants_netns(reading->options, lookup->netns_name)) {
		reading->rejected++;
		return presenter_error(reading->presenter);
	}
	presenter_show(reading->presenter, lookup);
	if (reading->options->stats && stats_add(&reading->stats, lookup, &reading->render))
		return -ENOMEM;
	return presenter_error(reading->presenter);
}

/* Each is told as it was, whatever the filters. */
static int take_other(struct reading *reading, const struct log_record *record)
{
	const struct log_space space = {
		.inode = record->netns,
		.title = record->title ? record->title : "",
	};

	switch (record->type) {
	case LOG_LOST:
		reading->lost += reading->exact ? record->count : 0;
		presenter_lost(reading->presenter, record->time_ns, record->cpu, record->count);
		break;
	case LOG_NOTE:
		presenter_policy_changed(reading->presenter, record->time_ns, &space, record->text);
		break;
	case LOG_WARNING:
		presenter_warning(reading->presenter, record->time_ns, record->text);
		break;
	case LOG_CLOCK:
		set_utc_offset(record->utc_offset);
		break;
	default:
		break;
	}
	return presenter_error(reading->presenter);
}

/* seen = shown + filtered + lost + unfinished, here too. Without a limit all that was recorded has
 * been looked at, and what is not shown was rejected. */
static void take_end(struct reading *reading, const struct log_record *record)
{
	struct lookup_counts *counts = &presenter_summary(reading->presenter)->counts;

	*counts = record->counts;
	counts->filtered += reading->rejected;
	reading->last_ns = record->time_ns;
	reading->ended = true;
}

static int take_record(struct reading *reading, const struct log_record *record)
{
	if (record->type == LOG_START)
		return take_start(reading, record);
	if (!reading->presenter)
		return -EBADMSG;
	if (record->type == LOG_LOOKUP)
		return take_lookup(reading, record);
	if (record->type == LOG_END) {
		take_end(reading, record);
		return 0;
	}
	if (record->type == LOG_CONTINUES) {
		reading->continues = true;
		return 0;
	}
	if (record->type == LOG_CONTINUED) {
		reading->last_ns = record->time_ns;
		reading->continued = true;
		report_note("%s: the trace goes on in another file", reading->options->read);
		return 0;
	}
	if (record->type != LOG_CLOCK)
		reading->last_ns = record->time_ns;
	return take_other(reading, record);
}

/* 0 at the end or when no more is to be shown; -errno after a line on stderr. */
static int read_records(struct reading *reading)
{
	struct log_record record;
	int found = 1, err = 0;

	while (found > 0 && !err && !reading->ended && !reading->continued) {
		if (reading->presenter && presenter_done(reading->presenter))
			return 0;
		if (stop_requested)
			return 0;
		found = log_reader_next(reading->log, &record);
		reading->waits = 0;
		if (found > 0)
			err = take_record(reading, &record);
	}
	if (found < 0 || err == -EBADMSG) {
		report_error("%s: %s; what stands before that is shown", reading->options->read,
			     found < 0 ? log_reader_problem(reading->log)
				       : "its records are in disorder");
		return -EBADMSG;
	}
	if (!err && !reading->ended && !reading->continued && !reading->options->follow) {
		report_error("%s: it does not tell how the trace ended: fibtrace was killed, or "
			     "still runs",
			     reading->options->read);
		return -EBADMSG;
	}
	return err;
}

/* Where the end is not known, or was not come to, what was read is counted. */
static void count_what_was_read(struct reading *reading)
{
	struct lookup_counts *counts = &presenter_summary(reading->presenter)->counts;

	if (reading->ended && !reading->continues)
		return;
	*counts = (struct lookup_counts){
		.seen = reading->lookups + reading->lost,
		.filtered = reading->rejected,
		.lost = reading->lost,
		.missed_known = false,
	};
}

static void print_counts(const struct reading *reading)
{
	const struct lookup_counts *counts = &presenter_summary(reading->presenter)->counts;

	if (reading->options->quiet)
		return;
	counts_print_line(counts);
	if (has_filters(reading->options))
		report_note("of what was recorded, the filters given now rejected %llu lookups",
			    (unsigned long long)reading->rejected);
	if (!reading->options->stats)
		presenter_print_totals(reading->presenter);
}

static void show_stats(struct reading *reading)
{
	const char *format = reading->options->format;
	struct text text = { 0 };

	if (!reading->options->stats)
		return;
	stats_print(&text, &reading->stats, format && !strcmp(format, "json"), &reading->render);
	presenter_add(reading->presenter, &text);
	text_free(&text);
}

static int reading_finish(struct reading *reading)
{
	int err;

	if (!reading->presenter)
		return 0;
	/* What cannot be written is told once. */
	if (presenter_error(reading->presenter))
		return presenter_error(reading->presenter);
	count_what_was_read(reading);
	presenter_summary(reading->presenter)->counts.shown = presenter_shown(reading->presenter);
	show_stats(reading);
	err = presenter_finish(reading->presenter, reading->last_ns);
	print_counts(reading);
	return err;
}

/* Often enough to keep up with what is written every 100 ms; blocks of text are complete by then. */
#define LOOK_EVERY_MS 50
#define IDLE_AFTER 4

/* A pause, which ends when nobody reads our output any more. */
static bool output_is_read(void)
{
	struct pollfd output = { .fd = STDOUT_FILENO };

	return poll(&output, 1, LOOK_EVERY_MS) <= 0;
}

/* At the end of what was written so far. */
static bool wait_for_more(void *data)
{
	struct reading *reading = data;
	if (reading->presenter && ++reading->waits >= IDLE_AFTER)
		presenter_idle(reading->presenter);
	else if (reading->presenter)
		presenter_flush(reading->presenter);
	if (stop_requested || (reading->presenter && (presenter_done(reading->presenter) ||
						      presenter_error(reading->presenter))))
		return false;
	return output_is_read();
}

static void on_signal(int number)
{
	stop_requested = number;
}

static void follow(struct reading *reading)
{
	const struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESETHAND };

	if (!reading->options->follow)
		return;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	log_reader_follow(reading->log, wait_for_more, reading);
}

static int reading_run(struct reading *reading)
{
	char reason[200];
	int err, finish;

	reading->log = log_reader_open(reading->options->read, reason, sizeof(reason));
	if (!reading->log) {
		report_error("%s: %s", reading->options->read, reason);
		return -errno;
	}
	if (reading->options->follow && !log_reader_is_file(reading->log)) {
		report_error("--follow: %s is no file that grows; leave it out",
			     reading->options->read);
		return -EINVAL;
	}
	reading->render = display_options(reading->options, log_reader_names(reading->log));
	reading->render.owners = log_reader_owners(reading->log);
	reading->render.json_rules = json_rules_new();
	if (!reading->render.json_rules)
		return -ENOMEM;
	follow(reading);
	err = read_records(reading);
	finish = reading_finish(reading);
	return err ? err : finish;
}

int read_command(const struct options *options)
{
	struct reading reading = { .options = options };
	int err;

	signal(SIGPIPE, SIG_IGN);
	err = reading_run(&reading);
	if (err == -ENOMEM && !(reading.presenter && presenter_error(reading.presenter)))
		report_error("out of memory");
	presenter_free(reading.presenter);
	stats_free(&reading.stats);
	json_rules_free(reading.render.json_rules);
	log_reader_close(reading.log);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
