/* SPDX-License-Identifier: GPL-2.0-only */
/* The command line: one table of options serves parsing, help and the documentation tests. */
#ifndef FIBTRACE_CLI_OPTIONS_H
#define FIBTRACE_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "filter/filter.h"
#include "rules/names.h"

#define EXIT_USAGE 2

/* Name and value of each kind of filter FILTER_MAX times, and NULL. */
#define OPTIONS_FILTER_WORDS (16 * 2 * FILTER_MAX + 1)

enum command { COMMAND_TRACE, COMMAND_READ, COMMAND_DIFF, COMMAND_FEATURES };
enum color_mode { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

/* Everything the command line says. Strings borrow from argv. */
struct options {
	enum command command;
	struct filter filter;
	const char *format; /* "tree", "line", "json"; NULL: by terminal */
	const char *log; /* -w: the file that the trace is recorded into; NULL: none */
	uint64_t log_size; /* -C, bytes; 0: no limit */
	uint64_t log_period_ns; /* -G, whole seconds; 0: no limit */
	uint32_t log_count; /* -W; 0: no limit */
	bool journal; /* entries of the systemd journal */
	const char *read; /* COMMAND_READ: the file that is read */
	const char *diff[2]; /* COMMAND_DIFF: the files; the second NULL: the policy in force */
	const char *table_words[FILTER_MAX]; /* --table as typed: a log may have other names */
	bool follow; /* COMMAND_READ: as it is written */
	bool stats; /* COMMAND_READ: totals in place of lookups */
	const char *attach; /* tier name or "auto" */
	const char *netns[FILTER_MAX]; /* --netns as typed; none: the current namespace */
	uint32_t netns_count;
	bool netns_all;
	uint64_t count; /* -c, 0: no limit */
	uint64_t duration_ns; /* 0: no limit */
	uint64_t buffer_size; /* bytes, a power of two and at least a page */
	uint64_t max_routes;
	enum color_mode color;
	bool all; /* address-type checks too */
	bool quiet;
	bool verbose;
	bool utc;
	bool help;
	bool version;
	char **child; /* COMMAND and its arguments, NULL-terminated; NULL: none */
	/* The filter options as typed, "-d" "100.0.0.0/8", NULL-terminated. */
	const char *filters[OPTIONS_FILTER_WORDS];
};

/*
 * Parses argv with the table. 0, or EXIT_USAGE after one line on stderr that
 * names the option and what it takes. names gives table names.
 */
int options_parse(struct options *options, int argc, char **argv, const struct names *names);

/* The help text of -h, generated from the table. */
void options_print_help(FILE *out);
/* The line of -V. */
void options_print_version(FILE *out);

#endif
