// SPDX-License-Identifier: GPL-2.0-only
/* Totals in place of lookups. */
#include "render/stats.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "render/escape.h"
#include "render/json_writer.h"
#include "render/words.h"

/* Of each kind so many are named. */
#define NAMED 10

static const struct {
	const char *title;
	const char *key;
} kinds[STAT_KIND_COUNT] = {
	[STAT_RULE] = { "rule", "rules" },
	[STAT_TABLE] = { "table", "tables" },
	[STAT_DEVICE] = { "device", "devices" },
	[STAT_OUTCOME] = { "outcome", "outcomes" },
	[STAT_FINDING] = { "finding", "findings" },
	[STAT_PROCESS] = { "process", "processes" },
	[STAT_DESTINATION] = { "destination", "destinations" },
};

void stats_free(struct stats *stats)
{
	for (size_t i = 0; i < STAT_KIND_COUNT; i++)
		tally_free(&stats->tallies[i]);
	*stats = (struct stats){ 0 };
}

static void name_family(struct text *out, const struct lookup *lookup)
{
	if (lookup->key.family == FLOW_AF_INET6)
		text_add(out, "IPv6 ");
}

static void name_space(struct text *out, const struct lookup *lookup)
{
	if (lookup->netns_name)
		text_printf(out, " in %s", lookup->netns_name);
}

static void name_rule(struct text *out, const struct lookup *lookup,
		      const struct render_options *options)
{
	name_family(out, lookup);
	if (lookup->verdict.has_priority)
		text_add_unsigned(out, lookup->verdict.priority);
	else
		text_add(out, decided_by_name(lookup->verdict.decided_by));
	if (lookup->verdict.table) {
		text_add(out, " table ");
		words_add_table(out, options->names, lookup->verdict.table);
	}
	name_space(out, lookup);
}

static void name_table(struct text *out, const struct lookup *lookup,
		       const struct render_options *options)
{
	if (!lookup->verdict.table)
		return;
	name_family(out, lookup);
	words_add_table(out, options->names, lookup->verdict.table);
	name_space(out, lookup);
}

static void name_device(struct text *out, const struct lookup *lookup,
			const struct render_options *options)
{
	const struct lookup_route *route = &lookup->verdict.route;

	(void)options;
	if (!route->dev[0] && !route->dev_index)
		return;
	words_add_device(out, route->dev, route->dev_index);
	name_space(out, lookup);
}

static void name_outcome(struct text *out, const struct lookup *lookup,
			 const struct render_options *options)
{
	(void)options;
	if (lookup->verdict.decided_by == DECIDED_BY_UNKNOWN)
		text_add(out, "unknown");
	else if (lookup->verdict.error)
		words_add_error(out, -lookup->verdict.error);
	else
		text_add(out, "found");
}

static void name_process(struct text *out, const struct lookup *lookup,
			 const struct render_options *options)
{
	(void)options;
	if (lookup->context.level == LEVEL_TASK)
		text_add(out, lookup->context.comm);
	else
		text_add(out, lookup->context.level == LEVEL_KTHREAD ? "kthread" : "softirq");
}

static void name_destination(struct text *out, const struct lookup *lookup,
			     const struct render_options *options)
{
	(void)options;
	text_add_address(out, lookup->key.family, lookup->key.dst);
}

/* Findings apart, of which a lookup may have several. Nothing is appended: it has none. */
static void (*const namers[STAT_KIND_COUNT])(struct text *out, const struct lookup *lookup,
					     const struct render_options *options) = {
	[STAT_RULE] = name_rule,       [STAT_TABLE] = name_table,
	[STAT_DEVICE] = name_device,   [STAT_OUTCOME] = name_outcome,
	[STAT_PROCESS] = name_process, [STAT_DESTINATION] = name_destination,
};

/* A kind counts once for a lookup. */
static int add_findings(struct tally *tally, const struct lookup *lookup)
{
	bool seen[FINDING_KIND_COUNT] = { false };
	int err = 0;

	for (size_t i = 0; i < lookup->finding_count && !err; i++) {
		enum finding_kind kind = lookup->findings[i].kind;

		if (!seen[kind])
			err = tally_add(tally, finding_kind_name(kind));
		seen[kind] = true;
	}
	return err;
}

static int add_names(struct stats *stats, const struct lookup *lookup,
		     const struct render_options *options, struct text *name)
{
	for (size_t i = 0; i < STAT_KIND_COUNT; i++) {
		int err;

		if (!namers[i])
			continue;
		text_clear(name);
		namers[i](name, lookup, options);
		if (name->failed)
			return -ENOMEM;
		err = name->length ? tally_add(&stats->tallies[i], text_string(name)) : 0;
		if (err)
			return err;
	}
	return 0;
}

int stats_add(struct stats *stats, const struct lookup *lookup,
	      const struct render_options *options)
{
	struct text name = { 0 };
	int err = add_names(stats, lookup, options, &name);

	text_free(&name);
	if (!err)
		err = add_findings(&stats->tallies[STAT_FINDING], lookup);
	if (!stats->lookups++)
		stats->first_ns = lookup->time_ns;
	stats->last_ns = lookup->time_ns;
	return err;
}

static void print_tally(struct text *out, const struct tally *tally, const char *title,
			const struct render_options *options)
{
	size_t named = !options->verbose && tally->count > NAMED ? NAMED : tally->count;
	uint64_t rest = tally->others;

	if (!tally->count)
		return;
	text_printf(out, "by %s\n", title);
	for (size_t i = 0; i < named; i++) {
		const struct tally_entry *entry = &tally->entries[i];

		text_printf(out, "%10" PRIu64 "  ", entry->count);
		escape_terminal(out, entry->name, strlen(entry->name), options->ascii);
		text_add_char(out, '\n');
	}
	for (size_t i = named; i < tally->count; i++)
		rest += tally->entries[i].count;
	if (rest)
		text_printf(out, "%10" PRIu64 "  of %zu%s more\n", rest, tally->count - named,
			    tally->others ? " and" : "");
}

static void print_text(struct text *out, const struct stats *stats,
		       const struct render_options *options)
{
	text_printf(out, "%" PRIu64 " lookup%s", stats->lookups, stats->lookups == 1 ? "" : "s");
	if (stats->lookups) {
		text_add(out, ", ");
		words_add_time_line(out, stats->first_ns, options->utc);
		text_add(out, " to ");
		words_add_time_line(out, stats->last_ns, options->utc);
	}
	text_add_char(out, '\n');
	for (size_t i = 0; i < STAT_KIND_COUNT; i++)
		print_tally(out, &stats->tallies[i], kinds[i].title, options);
}

static void add_tally(struct json_writer *writer, const struct tally *tally, const char *key)
{
	json_open_array(writer, key);
	for (size_t i = 0; i < tally->count; i++) {
		json_open_object(writer, NULL);
		json_add_string(writer, "name", tally->entries[i].name);
		json_add_unsigned(writer, "count", tally->entries[i].count);
		json_close_object(writer);
	}
	json_close_array(writer);
}

static void add_time(struct json_writer *writer, const char *key, uint64_t time_ns)
{
	if (!time_ns) {
		json_add_null(writer, key);
		return;
	}
	json_open_string(writer, key);
	words_add_time_utc(writer->out, time_ns);
	json_close_string(writer);
}

static void print_json(struct text *out, const struct stats *stats)
{
	struct json_writer writer;

	json_begin(&writer, out);
	json_open_object(&writer, NULL);
	json_add_string(&writer, "type", "stats");
	json_add_unsigned(&writer, "lookups", stats->lookups);
	add_time(&writer, "first", stats->first_ns);
	add_time(&writer, "last", stats->last_ns);
	for (size_t i = 0; i < STAT_KIND_COUNT; i++)
		add_tally(&writer, &stats->tallies[i], kinds[i].key);
	/* Of the kinds only the destinations are as many. */
	json_add_unsigned(&writer, "other_destinations", stats->tallies[STAT_DESTINATION].others);
	json_close_object(&writer);
	text_add_char(out, '\n');
}

void stats_print(struct text *out, struct stats *stats, bool json,
		 const struct render_options *options)
{
	for (size_t i = 0; i < STAT_KIND_COUNT; i++)
		tally_sort(&stats->tallies[i]);
	if (json)
		print_json(out, stats);
	else
		print_text(out, stats, options);
}
