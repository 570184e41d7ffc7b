/* SPDX-License-Identifier: GPL-2.0-only */
/* The rows that options are parsed with and help is written from. */
#ifndef FIBTRACE_CLI_OPTION_TABLE_H
#define FIBTRACE_CLI_OPTION_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/options.h"

#define OPTION_ROWS 39

/* The commands besides the trace that an option is one of. */
#define FOR_READ 1u
#define FOR_FEATURES 2u
#define FOR_DIFF 4u

enum option_group { GROUP_FILTER, GROUP_OUTPUT, GROUP_TRACING, GROUP_OTHER, GROUP_COUNT };

/* The state of one parse; seen counts how often each row was given, first_values are as typed. */
struct option_parser {
	struct options *options;
	const struct names *names;
	unsigned int seen[OPTION_ROWS];
	const char *first_values[OPTION_ROWS]; /* NULL: not given, or takes no value */
	size_t filter_words; /* of options->filters */
	const char *unknown_table; /* the first --table that is none here */
};

/* Repeated GROUP_FILTER options append, at most FILTER_MAX of each; of the others the last wins. */
struct option_row {
	const char *short_name; /* "-d", NULL: none */
	const char *long_name; /* "--dst", NULL: none */
	const char *metavar; /* NULL: takes no value */
	const char *takes; /* the value in the words of an error, after "is not" */
	const char *help; /* a line feed starts another line */
	/* 0 after value was stored, -EINVAL when it is not what the option takes. NULL: sets the
	 * flag. */
	int (*parse)(struct option_parser *parser, const char *value);
	size_t flag; /* offset in struct options of the bool to set */
	enum option_group group;
	unsigned int commands; /* FOR_… */
	bool not_for_trace; /* it is an option of those alone */
	bool ends_parsing; /* what follows is not looked at */
};

extern const struct option_row option_rows[OPTION_ROWS];

#endif
