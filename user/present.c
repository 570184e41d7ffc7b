// SPDX-License-Identifier: GPL-2.0-only
/* Lookups whose walk is known, live or out of a log: filtered, explained, shown and recorded. */
#include "present.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "render/blocks.h"
#include "render/output.h"
#include "render/totals.h"
#include "trace/explain.h"
#include "util/report.h"

struct presenter {
	struct presenter_settings settings;
	struct explainer *explainer;
	struct blocks *blocks; /* of a format that has them */
	struct output output;
	struct trace_summary summary;
	uint64_t shown;
	bool log_closed; /* nobody reads it any more */
	struct entry entry; /* of the journal */
	bool journal_down; /* it did not take the last one */
	uint64_t entries_lost; /* that it did not take */
	int error;
};

struct presenter *presenter_new(const struct presenter_settings *settings)
{
	struct presenter *presenter = calloc(1, sizeof(*presenter));
	const struct format *format = settings->format;

	if (!presenter)
		return NULL;
	presenter->settings = *settings;
	presenter->explainer = explainer_new();
	if (format && format->brief)
		presenter->blocks = blocks_new(format, settings->render);
	if (!presenter->explainer || (format && format->brief && !presenter->blocks)) {
		presenter_free(presenter);
		return NULL;
	}
	output_init(&presenter->output);
	return presenter;
}

void presenter_free(struct presenter *presenter)
{
	if (!presenter)
		return;
	explainer_free(presenter->explainer);
	blocks_free(presenter->blocks);
	output_free(&presenter->output);
	entry_free(&presenter->entry);
	summary_free(&presenter->summary);
	free(presenter);
}

static void presenter_fail(struct presenter *presenter, int err)
{
	if (!presenter->error && err == -ENOMEM)
		report_error("out of memory");
	if (!presenter->error)
		presenter->error = err;
}

int presenter_error(const struct presenter *presenter)
{
	return presenter->error;
}

bool presenter_limit_reached(const struct presenter *presenter)
{
	const struct presenter_settings *settings = &presenter->settings;

	return (settings->limit && presenter->shown >= settings->limit) ||
	       (settings->log && log_writer_full(settings->log));
}

bool presenter_done(const struct presenter *presenter)
{
	return presenter_limit_reached(presenter) || presenter->output.closed ||
	       presenter->log_closed;
}

uint64_t presenter_shown(const struct presenter *presenter)
{
	return presenter->shown;
}

static void line_done(struct presenter *presenter)
{
	int err = output_line_done(&presenter->output);

	if (err)
		presenter_fail(presenter, err);
}

/* What is said next stands behind the lookups that came before. */
static void write_held(struct presenter *presenter)
{
	if (!presenter->blocks)
		return;
	blocks_flush(presenter->blocks, &presenter->output.text);
	line_done(presenter);
}

/* Text formats hold lookups alone: what else there is to say goes to standard error. */
static bool writes_events(const struct presenter *presenter)
{
	return presenter->settings.format == &format_json;
}

static int32_t utc_offset(uint64_t time_ns)
{
	time_t seconds = (time_t)(time_ns / 1000000000);
	struct tm parts = { 0 };

	localtime_r(&seconds, &parts);
	return (int32_t)parts.tm_gmtoff;
}

int presenter_start(struct presenter *presenter, const struct trace_start *start)
{
	const struct presenter_settings *settings = &presenter->settings;
	const struct log_start logged = {
		.time_ns = start->time_ns,
		.utc_offset = utc_offset(start->time_ns),
		.exact = settings->exact,
		.version = start->version,
		.kernel = start->kernel,
		.tier = start->tier,
		.filters = start->filters,
		.names = settings->render->names,
	};

	if (settings->log)
		log_writer_start(settings->log, &logged);
	if (settings->format && settings->format->start)
		settings->format->start(&presenter->output.text, start, settings->render);
	return presenter_flush(presenter);
}

/* --- the journal -------------------------------------------------------------------------- */

static void journal_fails(struct presenter *presenter, int err)
{
	presenter->entries_lost++;
	if (!presenter->journal_down)
		report_warning("the journal takes no entries: %s; tracing goes on", strerror(-err));
	presenter->journal_down = true;
}

/* Hands over the entry that was made. Whether it arrives does not end a trace. */
static void send_entry(struct presenter *presenter)
{
	int err = journal_send(presenter->settings.journal, &presenter->entry);

	if (err) {
		journal_fails(presenter, err);
		return;
	}
	if (presenter->journal_down)
		report_warning("the journal takes entries again; it lacks %" PRIu64,
			       presenter->entries_lost);
	presenter->journal_down = false;
}

static void report_lost_entries(const struct presenter *presenter)
{
	if (presenter->entries_lost)
		report_warning("the journal lacks %" PRIu64 " entries, which it did not take",
			       presenter->entries_lost);
}

/* --- lookups ------------------------------------------------------------------------------ */

static struct filter_subject filter_subject(const struct lookup *lookup)
{
	return (struct filter_subject){
		.key = &lookup->key,
		.iif = lookup->iif,
		.dev = lookup->verdict.route.dev,
		.verdict = {
			.table = lookup->verdict.table,
			.priority = lookup->verdict.priority,
			.has_priority = lookup->verdict.has_priority,
			.failed = lookup->verdict.error != 0,
		},
		.purpose = lookup->purpose,
		.pid = lookup->context.level == LEVEL_TASK ? lookup->context.pid : 0,
	};
}

static void explain(struct presenter *presenter, const struct log_space *space,
		    struct lookup *lookup, bool found)
{
	bool done = found ? explain_steps(lookup, space->policy)
			  : explain_lookup(presenter->explainer, lookup, space->policy);

	if (!done)
		presenter_fail(presenter, -ENOMEM);
}

/* A log alone is explained by who reads it. */
static bool explains(const struct presenter *presenter)
{
	const struct presenter_settings *settings = &presenter->settings;

	return settings->format || settings->journal || settings->filter->findings;
}

/* What was recorded tells of what follows it, shown or not. */
static enum filter_kind examine_recorded(struct presenter *presenter, const struct log_space *space,
					 struct lookup *lookup, bool found)
{
	const struct filter *filter = presenter->settings.filter;
	struct filter_subject subject = filter_subject(lookup);
	enum filter_kind rejected;

	explain(presenter, space, lookup, found);
	rejected = filter_rejects(filter, &subject);
	if (rejected != FILTER_NONE)
		return rejected;
	return filter_rejects_found(filter, &subject, lookup->finding_count);
}

/* What is shown is explained first: findings are a filter, too. */
static enum filter_kind examine_live(struct presenter *presenter, const struct log_space *space,
				     struct lookup *lookup)
{
	const struct filter *filter = presenter->settings.filter;
	struct filter_subject subject = filter_subject(lookup);
	enum filter_kind rejected = filter_rejects(filter, &subject);

	if (rejected != FILTER_NONE)
		return rejected;
	if (presenter->settings.log)
		log_writer_begin_lookup(presenter->settings.log, space, lookup,
					explains(presenter));
	if (!explains(presenter))
		return FILTER_NONE;
	explain(presenter, space, lookup, false);
	return filter_rejects_found(filter, &subject, lookup->finding_count);
}

enum filter_kind presenter_examine(struct presenter *presenter, const struct log_space *space,
				   struct lookup *lookup, bool found)
{
	if (presenter->settings.recorded)
		return examine_recorded(presenter, space, lookup, found);
	return examine_live(presenter, space, lookup);
}

static void write_lookup(struct presenter *presenter, const struct lookup *lookup)
{
	const struct presenter_settings *settings = &presenter->settings;

	if (presenter->blocks)
		blocks_add(presenter->blocks, &presenter->output.text, lookup);
	else if (settings->format)
		settings->format->lookup(&presenter->output.text, lookup, settings->render);
	line_done(presenter);
}

void presenter_show(struct presenter *presenter, const struct lookup *lookup)
{
	struct log_writer *log = presenter->settings.log;

	if (log)
		log_writer_end_lookup(log, lookup);
	if (presenter->settings.journal) {
		entry_lookup(&presenter->entry, lookup, presenter->settings.render);
		send_entry(presenter);
	}
	write_lookup(presenter, lookup);
	presenter->shown++;
	summary_add(&presenter->summary, lookup);
}

/* --- what else there is to tell ----------------------------------------------------------- */

static void warn_lost(const struct presenter *presenter, uint32_t cpu, uint64_t count)
{
	if (presenter->settings.exact)
		report_warning("%" PRIu64 " lookups of CPU %u were lost: the ring buffer was full, "
			       "or their end was missed",
			       count, cpu);
	else
		report_warning("the ring buffer was full: %" PRIu64 " events of CPU %u were lost",
			       count, cpu);
}

void presenter_lost(struct presenter *presenter, uint64_t time_ns, uint32_t cpu, uint64_t count)
{
	const struct presenter_settings *settings = &presenter->settings;

	if (settings->log)
		log_writer_lost(settings->log, time_ns, cpu, count);
	if (settings->journal) {
		entry_lost(&presenter->entry, time_ns, cpu, count, settings->exact);
		send_entry(presenter);
	}
	write_held(presenter);
	if (!writes_events(presenter)) {
		warn_lost(presenter, cpu, count);
		return;
	}
	settings->format->lost(&presenter->output.text, time_ns, cpu, count, settings->render);
	line_done(presenter);
}

void presenter_policy_changed(struct presenter *presenter, uint64_t time_ns,
			      const struct log_space *space, const char *change)
{
	const struct presenter_settings *settings = &presenter->settings;

	if (settings->log)
		log_writer_note(settings->log, time_ns, space, change);
	if (settings->journal) {
		entry_policy(&presenter->entry, time_ns, space->title, change);
		send_entry(presenter);
	}
	write_held(presenter);
	if (!writes_events(presenter)) {
		report_warning("policy changed%s%s: %s", space->title[0] ? " in " : "",
			       space->title, change);
		return;
	}
	settings->format->policy(&presenter->output.text, time_ns, space->inode, change,
				 settings->render);
	line_done(presenter);
}

void presenter_warning(struct presenter *presenter, uint64_t time_ns, const char *message)
{
	const struct presenter_settings *settings = &presenter->settings;

	if (settings->log)
		log_writer_warning(settings->log, time_ns, message);
	if (settings->journal) {
		entry_warning(&presenter->entry, time_ns, message);
		send_entry(presenter);
	}
	write_held(presenter);
	report_warning("%s", message);
	if (!writes_events(presenter))
		return;
	settings->format->warning(&presenter->output.text, time_ns, message, settings->render);
	line_done(presenter);
}

/* --- output ------------------------------------------------------------------------------- */

void presenter_advance(struct presenter *presenter, uint64_t time_ns)
{
	if (presenter->blocks)
		blocks_advance(presenter->blocks, &presenter->output.text, time_ns);
}

uint64_t presenter_due(const struct presenter *presenter)
{
	return presenter->blocks ? blocks_due(presenter->blocks) : 0;
}

void presenter_add(struct presenter *presenter, const struct text *text)
{
	text_add_bytes(&presenter->output.text, text_string(text), text->length);
	presenter->output.text.failed |= text->failed;
}

void presenter_idle(struct presenter *presenter)
{
	write_held(presenter);
	presenter_flush(presenter);
}

static void flush_log(struct presenter *presenter)
{
	int err = log_writer_flush(presenter->settings.log);

	if (err == -EPIPE)
		presenter->log_closed = true;
	if (!err || err == -EPIPE || presenter->error)
		return;
	if (err != -ENOMEM)
		report_error("cannot write %s: %s", log_writer_name(presenter->settings.log),
			     log_writer_strerror(err));
	presenter_fail(presenter, err);
}

int presenter_flush(struct presenter *presenter)
{
	int err = output_flush(&presenter->output);

	if (err)
		presenter_fail(presenter, err);
	if (!presenter->settings.log)
		return presenter->error;
	log_writer_clock(presenter->settings.log, utc_offset((uint64_t)time(NULL) * 1000000000));
	flush_log(presenter);
	return presenter->error;
}

struct trace_summary *presenter_summary(struct presenter *presenter)
{
	return &presenter->summary;
}

int presenter_finish(struct presenter *presenter, uint64_t time_ns)
{
	const struct presenter_settings *settings = &presenter->settings;

	write_held(presenter);
	if (settings->log)
		log_writer_end(settings->log, time_ns, &presenter->summary.counts);
	if (settings->journal) {
		entry_summary(&presenter->entry, time_ns, &presenter->summary.counts);
		send_entry(presenter);
	}
	report_lost_entries(presenter);
	if (settings->format && settings->format->summary)
		settings->format->summary(&presenter->output.text, time_ns, &presenter->summary,
					  settings->render);
	return presenter_flush(presenter);
}

void presenter_print_totals(const struct presenter *presenter)
{
	const struct format *format = presenter->settings.format;
	struct text text = { 0 };
	char *rest;

	if ((format && format->summary) || !presenter->summary.counts.shown)
		return;
	totals_print(&text, &presenter->summary, presenter->settings.render);
	for (char *line = text.length ? strtok_r(text.string, "\n", &rest) : NULL; line;
	     line = strtok_r(NULL, "\n", &rest))
		fprintf(stderr, "fibtrace: %s\n", line);
	text_free(&text);
}
