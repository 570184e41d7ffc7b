// SPDX-License-Identifier: GPL-2.0-only
/* `fibtrace diff A [B]`: what two recordings, or one and the policy in force, differ in. */
#include "diff_command.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diff_filter.h"
#include "diff_side.h"
#include "render/output.h"
#include "util/array.h"
#include "util/report.h"

#define EXIT_SAME 0
#define EXIT_DIFFERENT 1
#define EXIT_TROUBLE 2

/* Everything of one run. */
struct differ {
	const struct options *options;
	const struct names *names;
	const struct diff_format *format;
	struct diff_filter filter;
	struct devices devices;
	struct diff_side sides[SIDE_COUNT];
	struct diff_context context;
	struct diff_totals totals;
	struct output output;
	size_t compared; /* namespaces */
	size_t next_id;
};

static int out_of_memory(void)
{
	report_error("out of memory");
	return -ENOMEM;
}

/* --table as either of the two calls it; all names come before the first lookup. */
static int resolve_tables(struct differ *differ)
{
	struct verdict_filter *verdict = &differ->filter.verdict.verdict;

	for (uint32_t i = 0; i < verdict->table_count; i++) {
		const char *word = differ->options->table_words[i];
		uint32_t *table = &verdict->table[i];
		bool known = false;

		for (size_t side = 0; side < SIDE_COUNT && !known; side++)
			known = names_parse_table(differ->sides[side].source.options.names, word,
						  table) &&
				*table;
		if (known)
			continue;
		report_error("--table: '%s' is no table of %s", word, differ->options->diff[0]);
		return -ENOENT;
	}
	return 0;
}

static int read_sides(struct differ *differ)
{
	const struct options *options = differ->options;
	int err = 0;

	for (size_t side = 0; side < SIDE_COUNT && !err; side++) {
		differ->sides[side].file = options->diff[side];
		if (options->diff[side])
			err = diff_side_read(&differ->sides[side], options, &differ->filter,
					     &differ->devices);
		else
			err = diff_side_open(&differ->sides[side], options,
					     &differ->sides[SIDE_OLD], differ->names);
	}
	return err ? err : resolve_tables(differ);
}

/* --- which namespace is which ------------------------------------------------------------- */

static size_t count_known(const struct diff_side *side)
{
	size_t count = 0;

	for (size_t i = 0; i < side->count; i++)
		count += side->spaces[i].policy != NULL;
	return count;
}

/* Where each side has one, these two are meant, whatever they are called. */
static bool same_space(const struct differ *differ, const struct side_space *old,
		       const struct side_space *new)
{
	const struct diff_side *sides = differ->sides;

	if (!old->policy || !new->policy)
		return false;
	if (!sides[SIDE_NEW].file)
		return old->number == new->number;
	if (count_known(&sides[SIDE_OLD]) == 1 && count_known(&sides[SIDE_NEW]) == 1)
		return true;
	return !strcmp(old->title, new->title);
}

static const struct side_space *find_partner(const struct differ *differ, enum policy_side side,
					     const struct side_space *space)
{
	const struct diff_side *other = &differ->sides[!side];

	for (size_t i = 0; i < other->count; i++) {
		const struct side_space *candidate = &other->spaces[i];

		if (side == SIDE_OLD ? same_space(differ, space, candidate)
				     : same_space(differ, candidate, space))
			return candidate;
	}
	return NULL;
}

static void report_alone(const struct differ *differ, enum policy_side side,
			 const struct side_space *space)
{
	const char *title = *space->title ? space->title : "without a name";

	/* Of one that is gone it has been said. */
	if (space->policy && differ->sides[SIDE_NEW].file)
		report_warning("namespace %s: only %s has its rules and routes, it is not compared",
			       title, diff_side_name(&differ->sides[side]));
	else if (!space->policy && differ->sides[side].file)
		report_warning("namespace %s: %s has not its rules and routes, it is not compared",
			       title, diff_side_name(&differ->sides[side]));
}

/* --- one namespace ------------------------------------------------------------------------ */

static bool change_wanted(const void *data, const struct flow_change *change)
{
	return diff_filter_shows_change(data, change);
}

static size_t count_shown(const struct comparison *comparison, const bool *shown,
			  enum difference_kind kind)
{
	size_t count = 0;

	for (size_t i = 0; i < comparison->policy_diff.count; i++)
		count += shown[i] && comparison->policy_diff.items[i].kind == kind;
	return count;
}

static void add_counts(struct flow_counts *total, const struct flow_counts *counts)
{
	total->compared += counts->compared;
	total->not_examined += counts->not_examined;
	total->no_device += counts->no_device;
	total->unexplained += counts->unexplained;
	total->by_no_policy += counts->by_no_policy;
	total->unknown += counts->unknown;
	total->passed_over += counts->passed_over;
}

static void add_totals(struct diff_totals *totals, const struct comparison *comparison,
		       const bool *shown)
{
	totals->links += count_shown(comparison, shown, DIFFERENCE_LINK);
	totals->rules += count_shown(comparison, shown, DIFFERENCE_RULE);
	totals->routes += count_shown(comparison, shown, DIFFERENCE_ROUTES);
	totals->verdicts += comparison->count;
	add_counts(&totals->flows, &comparison->counts);
}

/* What explains a verdict that is shown is shown, too. */
static void choose_items(const struct differ *differ, const struct comparison *comparison,
			 bool *shown)
{
	for (size_t i = 0; i < comparison->policy_diff.count; i++)
		shown[i] =
			diff_filter_shows_item(&differ->filter, &comparison->policy_diff.items[i]);
	for (size_t i = 0; i < comparison->reason_count; i++)
		shown[comparison->reasons[i]] = true;
}

static int show_space(struct differ *differ, const char *title, const struct comparison *comparison)
{
	bool *shown = calloc(comparison->policy_diff.count + 1, sizeof(*shown));
	const struct diff_space space = {
		.title = *title ? title : NULL,
		.comparison = comparison,
		.shown = shown,
		.first_id = differ->next_id,
	};

	if (!shown)
		return out_of_memory();
	choose_items(differ, comparison, shown);
	differ->format->space(&differ->output.text, &differ->context, &space);
	add_totals(&differ->totals, comparison, shown);
	differ->next_id += comparison->policy_diff.count;
	free(shown);
	return output_line_done(&differ->output);
}

static int compare_spaces(struct differ *differ, const struct side_space *old,
			  const struct side_space *new)
{
	const struct comparison_side sides[SIDE_COUNT] = { { old->policy, &old->flows },
							   { new->policy, &new->flows } };
	struct comparison comparison;
	int err = comparison_make(&comparison, &differ->devices, sides);

	if (!err) {
		comparison_keep(&comparison, change_wanted, &differ->filter);
		err = comparison_explain(&comparison);
	}
	if (err)
		out_of_memory();
	else
		err = show_space(differ, old->title, &comparison);
	differ->compared++;
	comparison_free(&comparison);
	return err;
}

static int compare_all(struct differ *differ)
{
	int err = 0;

	for (size_t side = 0; side < SIDE_COUNT; side++) {
		const struct diff_side *all = &differ->sides[side];

		for (size_t i = 0; i < all->count && !err; i++) {
			const struct side_space *space = &all->spaces[i];
			const struct side_space *other = find_partner(differ, side, space);

			if (!other)
				report_alone(differ, side, space);
			else if (side == SIDE_OLD)
				err = compare_spaces(differ, space, other);
		}
	}
	if (err || differ->compared)
		return err;
	report_error("%s and %s have no network namespace in common",
		     diff_side_name(&differ->sides[SIDE_OLD]),
		     diff_side_name(&differ->sides[SIDE_NEW]));
	return -ENOENT;
}

/* --- what is said at the end -------------------------------------------------------------- */

static void report_counts(const struct differ *differ)
{
	const struct flow_counts *flows = &differ->totals.flows;
	const struct {
		uint64_t count;
		const char *what;
	} notes[] = {
		{ flows->not_examined,
		  "flows not compared, as a table that is not held would have to answer, or which "
		  "nexthop is chosen decides" },
		{ flows->no_device,
		  "flows not compared, as a device of theirs is on one side only" },
		{ flows->unexplained, "flows not compared, as the kernel did not answer what the "
				      "rules and routes say, and "
				      "one side only recorded that" },
		{ flows->by_no_policy, "flows not taken for changed, as neither rules nor routes "
				       "answer them differently, "
				       "but exceptions, neighbours or the like" },
		{ flows->unknown, "lookups left out, as their verdict is not known" },
		{ flows->passed_over, "lookups left out, as there are too many different flows" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(notes); i++) {
		if (notes[i].count)
			report_warning("%s: %" PRIu64, notes[i].what, notes[i].count);
	}
	for (size_t side = 0; side < SIDE_COUNT; side++) {
		if (differ->sides[side].lost)
			report_warning("%s: events were lost, and flows may be missing",
				       diff_side_name(&differ->sides[side]));
	}
}

static void print_line(const struct diff_totals *totals)
{
	fprintf(stderr,
		"fibtrace: %" PRIu64 " links, %" PRIu64 " rules and %" PRIu64
		" prefixes of routes differ; %" PRIu64 " of %" PRIu64
		" flows have another verdict\n",
		totals->links, totals->rules, totals->routes, totals->verdicts,
		totals->flows.compared);
}

static int finish(struct differ *differ)
{
	struct diff_totals *totals = &differ->totals;

	totals->flows.unknown += differ->sides[SIDE_OLD].unknown + differ->sides[SIDE_NEW].unknown;
	if (differ->format->summary)
		differ->format->summary(&differ->output.text, &differ->context, totals);
	if (output_flush(&differ->output))
		return EXIT_TROUBLE;
	report_counts(differ);
	if (!differ->options->quiet)
		print_line(totals);
	if (totals->links || totals->rules || totals->routes || totals->verdicts)
		return EXIT_DIFFERENT;
	return EXIT_SAME;
}

static int differ_run(struct differ *differ)
{
	if (read_sides(differ))
		return EXIT_TROUBLE;
	differ->context = (struct diff_context){
		.devices = &differ->devices,
		.sources = { differ->sides[SIDE_OLD].source, differ->sides[SIDE_NEW].source },
		.filters = differ->options->filters,
	};
	if (differ->format->start)
		differ->format->start(&differ->output.text, &differ->context);
	return compare_all(differ) ? EXIT_TROUBLE : finish(differ);
}

int diff_command(const struct options *options, const struct names *names)
{
	bool json = options->format && !strcmp(options->format, "json");
	struct differ differ = {
		.options = options,
		.names = names,
		.format = json ? &diff_json : &diff_text,
		.next_id = 1,
	};
	int status;

	signal(SIGPIPE, SIG_IGN);
	diff_filter_init(&differ.filter, &options->filter);
	output_init(&differ.output);
	status = differ_run(&differ);
	output_free(&differ.output);
	for (size_t side = 0; side < SIDE_COUNT; side++)
		diff_side_close(&differ.sides[side]);
	devices_free(&differ.devices);
	return status;
}
