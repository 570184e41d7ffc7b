// SPDX-License-Identifier: GPL-2.0-only
/* Parsing of the command line and its help, both from the option table. */
#include "cli/options.h"

#include <errno.h>
#include <string.h>

#include "cli/option_table.h"
#include "util/array.h"
#include "util/report.h"

#define DEFAULT_BUFFER_SIZE (8ull << 20)
#define DEFAULT_MAX_ROUTES 200000
#define HELP_COLUMN 33

/* What the user typed is cut to this, so that an error keeps its end on its one line. */
#define SHOWN_LENGTH 64

/* Options of any command but the trace. */
#define FOR_COMMANDS (FOR_READ | FOR_FEATURES | FOR_DIFF)

/* How far a parse is in argv. */
struct arguments {
	char **argv;
	int argc;
	int at;
};

static const char *ellipsis(const char *text)
{
	return strlen(text) > SHOWN_LENGTH ? "..." : "";
}

static int report_unknown_option(const char *name, size_t length)
{
	if (length > SHOWN_LENGTH)
		report_error("unknown option '%.*s...'; see 'fibtrace -h'", SHOWN_LENGTH, name);
	else
		report_error("unknown option '%.*s'; see 'fibtrace -h'", (int)length, name);
	return EXIT_USAGE;
}

/* "-d/--dst", as the documentation writes it. */
static const char *row_name(const struct option_row *row, char buffer[static 32])
{
	const char *short_name = row->short_name ? row->short_name : "";
	const char *long_name = row->long_name ? row->long_name : "";

	snprintf(buffer, 32, "%s%s%s", short_name, *short_name && *long_name ? "/" : "", long_name);
	return buffer;
}

static int report_value(const struct option_row *row, const char *value)
{
	char name[32];

	report_error("%s: '%.*s%s' is not %s", row_name(row, name), SHOWN_LENGTH, value,
		     ellipsis(value), row->takes);
	return EXIT_USAGE;
}

static const struct option_row *row_of_long(const char *name, size_t length)
{
	for (size_t i = 0; i < OPTION_ROWS; i++) {
		const char *candidate = option_rows[i].long_name;

		if (candidate && strlen(candidate) == length && !memcmp(candidate, name, length))
			return &option_rows[i];
	}
	return NULL;
}

static const struct option_row *row_of_short(char letter)
{
	for (size_t i = 0; i < OPTION_ROWS; i++) {
		if (option_rows[i].short_name && option_rows[i].short_name[1] == letter)
			return &option_rows[i];
	}
	return NULL;
}

static void remember_filter(struct option_parser *parser, const char *name, const char *value)
{
	const char **words = parser->options->filters;

	words[parser->filter_words++] = name;
	if (value)
		words[parser->filter_words++] = value;
}

/* name is the one of the row's two that was typed; value is NULL for an option without. */
static int apply_option(struct option_parser *parser, const struct option_row *row,
			const char *name, const char *value)
{
	unsigned int *seen = &parser->seen[row - option_rows];
	char buffer[32];
	int err;

	if (row->group == GROUP_FILTER && *seen >= FILTER_MAX) {
		report_error("%s: at most %d may be given", row_name(row, buffer), FILTER_MAX);
		return EXIT_USAGE;
	}
	if (!(*seen)++)
		parser->first_values[row - option_rows] = value;
	if (!row->parse)
		*(bool *)((char *)parser->options + row->flag) = true;
	err = row->parse ? row->parse(parser, value) : 0;
	if (err)
		return report_value(row, value);
	if (row->group == GROUP_FILTER)
		remember_filter(parser, name, value);
	return 0;
}

/* Applies an option whose value, when attached is NULL, is the next argument. */
static int apply_with_value(struct option_parser *parser, struct arguments *arguments,
			    const struct option_row *row, const char *attached)
{
	const char *option = arguments->argv[arguments->at - 1];
	const char *value = attached;
	char name[32];

	if (!value && arguments->at >= arguments->argc) {
		report_error("%s: needs %s", row_name(row, name), row->takes);
		return EXIT_USAGE;
	}
	if (!value)
		value = arguments->argv[arguments->at++];
	return apply_option(parser, row, option[1] == '-' ? row->long_name : row->short_name,
			    value);
}

static int parse_long_option(struct option_parser *parser, struct arguments *arguments)
{
	const char *option = arguments->argv[arguments->at - 1];
	size_t length = strcspn(option, "=");
	const char *value = option[length] ? option + length + 1 : NULL;
	const struct option_row *row = row_of_long(option, length);

	if (!row)
		return report_unknown_option(option, length);
	if (row->metavar)
		return apply_with_value(parser, arguments, row, value);
	if (value) {
		report_error("%s: takes no value", row->long_name);
		return EXIT_USAGE;
	}
	return apply_option(parser, row, row->long_name, NULL);
}

/* A letter that is no option; of several bytes of UTF-8 the whole argument is shown. */
static int report_unknown_letter(const char *option, const char *letter)
{
	const char name[] = { '-', *letter, '\0' };

	if (*letter & 0x80)
		return report_unknown_option(option, strlen(option));
	return report_unknown_option(name, 2);
}

static int parse_short_options(struct option_parser *parser, struct arguments *arguments)
{
	const char *option = arguments->argv[arguments->at - 1];

	for (const char *letter = option + 1; *letter; letter++) {
		const struct option_row *row = row_of_short(*letter);
		int err;

		if (!row)
			return report_unknown_letter(option, letter);
		if (row->metavar)
			return apply_with_value(parser, arguments, row,
						letter[1] ? letter + 1 : NULL);
		err = apply_option(parser, row, row->short_name, NULL);
		if (err || row->ends_parsing)
			return err;
	}
	return 0;
}

static int report_argument(const char *word)
{
	report_error("unexpected argument '%.*s%s'; a COMMAND to run follows '--'", SHOWN_LENGTH,
		     word, ellipsis(word));
	return EXIT_USAGE;
}

/* Whether an option was given that is none of those commands'. */
static bool seen_beside(const struct option_parser *parser, unsigned int commands)
{
	for (size_t i = 0; i < OPTION_ROWS; i++) {
		if (parser->seen[i] && !(option_rows[i].commands & commands))
			return true;
	}
	return false;
}

static int take_diff_file(struct options *options, const char *word)
{
	const char **file = &options->diff[options->diff[0] != NULL];

	if (*file) {
		report_error("diff: takes two FILEs at most, and '%.*s%s' is a third", SHOWN_LENGTH,
			     word, ellipsis(word));
		return EXIT_USAGE;
	}
	*file = word;
	return 0;
}

/* Behind what only a trace has a word that is no command's is taken for COMMAND's. */
static int parse_command(const struct option_parser *parser, const char *word)
{
	static const struct {
		const char *word;
		enum command command;
	} commands[] = {
		{ "read", COMMAND_READ },
		{ "diff", COMMAND_DIFF },
		{ "features", COMMAND_FEATURES },
	};
	struct options *options = parser->options;

	if (options->command == COMMAND_READ && !options->read) {
		options->read = word;
		return 0;
	}
	if (options->command == COMMAND_DIFF)
		return take_diff_file(options, word);
	if (options->command != COMMAND_TRACE || seen_beside(parser, FOR_COMMANDS))
		return report_argument(word);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(word, commands[i].word))
			continue;
		options->command = commands[i].command;
		return 0;
	}
	if (seen_beside(parser, FOR_FEATURES))
		return report_argument(word);
	report_error("unknown command '%.*s%s'; see 'fibtrace -h'", SHOWN_LENGTH, word,
		     ellipsis(word));
	return EXIT_USAGE;
}

static int take_child(struct options *options, struct arguments *arguments)
{
	if (arguments->at >= arguments->argc) {
		report_error("--: needs a COMMAND [ARG...] to run");
		return EXIT_USAGE;
	}
	options->child = &arguments->argv[arguments->at];
	arguments->at = arguments->argc;
	return 0;
}

static int parse_argument(struct option_parser *parser, struct arguments *arguments)
{
	const char *argument = arguments->argv[arguments->at++];

	if (!strcmp(argument, "--"))
		return take_child(parser->options, arguments);
	if (!strncmp(argument, "--", 2))
		return parse_long_option(parser, arguments);
	if (argument[0] == '-' && argument[1])
		return parse_short_options(parser, arguments);
	return parse_command(parser, argument);
}

/* An option that is none of the command's is refused. */
static int check_options(const struct option_parser *parser, unsigned int command, const char *why)
{
	char name[32];

	for (size_t i = 0; i < OPTION_ROWS; i++) {
		if (!parser->seen[i] || option_rows[i].commands & command)
			continue;
		report_error("%s: not an option of %s", row_name(&option_rows[i], name), why);
		return EXIT_USAGE;
	}
	return 0;
}

static int check_no_child(const struct options *options, const char *command)
{
	if (!options->child)
		return 0;
	report_error("--: '%s' runs no COMMAND", command);
	return EXIT_USAGE;
}

/* What `fibtrace features` has no use for is refused, not ignored. */
static int check_features(const struct option_parser *parser)
{
	int err = check_options(parser, FOR_FEATURES,
				"'features', which takes --format json, -q, -v and -h");

	if (err)
		return err;
	if (parser->options->format && strcmp(parser->options->format, "json")) {
		report_error("--format: '%s' is not json, the only one that 'features' takes",
			     parser->options->format);
		return EXIT_USAGE;
	}
	return check_no_child(parser->options, "features");
}

static bool is_number(const char *text)
{
	return !text[strspn(text, "0123456789")];
}

/* A log knows namespaces by the names that they had. */
static int check_recorded_netns(const struct options *options)
{
	for (uint32_t i = 0; i < options->netns_count; i++) {
		if (!is_number(options->netns[i]))
			continue;
		report_error("--netns: '%s' is a process; a log knows network namespaces by name",
			     options->netns[i]);
		return EXIT_USAGE;
	}
	return 0;
}

/* The same of `fibtrace read`. */
static int check_read(const struct option_parser *parser)
{
	const struct options *options = parser->options;
	int err = check_options(parser, FOR_READ, "'read', which traces nothing");

	if (!err)
		err = check_recorded_netns(options);
	if (!err)
		err = check_no_child(options, "read");
	if (err || options->read)
		return err;
	report_error("read: needs a FILE that was recorded with -w");
	return EXIT_USAGE;
}

static int check_diff_files(const struct options *options)
{
	if (!options->diff[0]) {
		report_error("diff: needs a FILE that was recorded with -w, and another one or "
			     "none: then it is compared with the policy in force");
		return EXIT_USAGE;
	}
	if (options->diff[1] && !strcmp(options->diff[0], "-") && !strcmp(options->diff[1], "-")) {
		report_error("diff: only one of the two can be standard input");
		return EXIT_USAGE;
	}
	return 0;
}

/* And of `fibtrace diff`. */
static int check_diff(const struct option_parser *parser)
{
	const struct options *options = parser->options;
	int err = check_options(parser, FOR_DIFF, "'diff', which compares what was recorded");

	if (!err)
		err = check_recorded_netns(options);
	if (!err)
		err = check_no_child(options, "diff");
	if (!err && options->format && !strcmp(options->format, "line")) {
		report_error("--format: 'line' is not tree or json, which 'diff' takes");
		return EXIT_USAGE;
	}
	return err ? err : check_diff_files(options);
}

/* Files that follow one another have names that differ. */
static int check_files(const struct options *options)
{
	const char *slash = options->log ? strrchr(options->log, '/') : NULL;
	const char *base = slash ? slash + 1 : options->log;
	const char *problem = NULL;

	if (!options->log || !strcmp(options->log, "-"))
		problem = "-C, -W and -G: need -w and the name of a FILE";
	else if (options->log_count && !options->log_size && !options->log_period_ns)
		problem = "-W: counts the files of -C or -G; give one of them";
	else if (options->log_period_ns && !options->log_size && !strchr(base, '%'))
		problem = "-G: each file would take the place of the one before; put the time into "
			  "the name of FILE, as trace-%H%M%S.log";
	if (!problem)
		return 0;
	report_error("%s", problem);
	return EXIT_USAGE;
}

static int check_trace(const struct option_parser *parser)
{
	const struct options *options = parser->options;
	char name[32];

	if (parser->unknown_table)
		return report_value(row_of_long("--table", strlen("--table")),
				    parser->unknown_table);
	for (size_t i = 0; i < OPTION_ROWS; i++) {
		if (!parser->seen[i] || !option_rows[i].not_for_trace)
			continue;
		report_error("%s: an option of 'read', which shows what was recorded",
			     row_name(&option_rows[i], name));
		return EXIT_USAGE;
	}
	if (options->log_size || options->log_period_ns || options->log_count)
		return check_files(options);
	if (!options->log || strcmp(options->log, "-") || !options->format)
		return 0;
	report_error("-w -: the log goes to standard output; leave out --format, or give a file");
	return EXIT_USAGE;
}

/* "-d/--dst '10/8'": the option and the first value that it was given. */
static const char *row_as_typed(const struct option_parser *parser, const struct option_row *row,
				char buffer[static 128])
{
	const char *value = parser->first_values[row - option_rows];
	char name[32];

	if (!value)
		return row_name(row, buffer);
	snprintf(buffer, 128, "%s '%.*s%s'", row_name(row, name), SHOWN_LENGTH, value,
		 ellipsis(value));
	return buffer;
}

static int report_conflict(const struct option_parser *parser, const struct option_row *row,
			   const struct option_row *other, const char *why)
{
	char typed[2][128];

	report_error("%s and %s: %s; leave one out", row_as_typed(parser, row, typed[0]),
		     row_as_typed(parser, other, typed[1]), why);
	return EXIT_USAGE;
}

/* There are two families: where the kinds together allow none, two of them alone do not either. */
static int check_families(const struct option_parser *parser)
{
	const struct flow_filter *flow = &parser->options->filter.flow;
	const struct {
		const struct option_row *row;
		uint32_t families;
	} kinds[] = {
		{ row_of_short(flow->families == FILTER_FAMILY_INET6 ? '6' : '4'),
		  flow_filter_flag_families(flow) },
		{ row_of_short('d'), flow_filter_dst_families(flow) },
		{ row_of_short('s'), flow_filter_src_families(flow) },
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		for (size_t before = 0; before < i; before++) {
			if (!(kinds[before].families & kinds[i].families))
				return report_conflict(parser, kinds[before].row, kinds[i].row,
						       "no lookup is of both families");
		}
	}
	return 0;
}

static bool protocols_allow_ports(const struct flow_filter *flow)
{
	for (uint32_t i = 0; i < flow->protocol_count; i++) {
		if (protocol_has_ports(flow->protocol[i]))
			return true;
	}
	return !flow->protocol_count;
}

static int check_ports(const struct option_parser *parser)
{
	const struct flow_filter *flow = &parser->options->filter.flow;
	const char *name = flow->sport_count ? "--sport" : "--dport";

	if ((!flow->sport_count && !flow->dport_count) || protocols_allow_ports(flow))
		return 0;
	return report_conflict(parser, row_of_short('P'), row_of_long(name, strlen(name)),
			       "that protocol has no ports");
}

/* Filters that no lookup can pass are refused: the trace would wait for one forever. */
static int check_filters(const struct option_parser *parser)
{
	int err = check_families(parser);

	return err ? err : check_ports(parser);
}

/* The kernel rejects what is no error, before it is known whether something is found. */
static void settle_findings(struct filter *filter)
{
	filter->or_failed = filter->findings && filter->verdict.failed;
	if (filter->findings)
		filter->verdict.failed = false;
}

int options_parse(struct options *options, int argc, char **argv, const struct names *names)
{
	struct arguments arguments = { .argv = argv, .argc = argc, .at = 1 };
	struct option_parser parser = { .options = options, .names = names };
	int err;

	memset(options, 0, sizeof(*options));
	options->attach = "auto";
	options->buffer_size = DEFAULT_BUFFER_SIZE;
	options->max_routes = DEFAULT_MAX_ROUTES;
	while (arguments.at < argc) {
		err = parse_argument(&parser, &arguments);
		if (err)
			return err;
		if (options->help || options->version)
			return 0;
	}
	settle_findings(&options->filter);
	if (options->command == COMMAND_FEATURES)
		return check_features(&parser);
	if (options->read && options->command == COMMAND_TRACE)
		options->command = COMMAND_READ;
	if (options->command == COMMAND_DIFF)
		err = check_diff(&parser);
	else
		err = options->command == COMMAND_READ ? check_read(&parser) : check_trace(&parser);
	return err ? err : check_filters(&parser);
}

static void print_row(FILE *out, const struct option_row *row)
{
	int width = fprintf(out, "  %s%s%s%s%s", row->short_name ? row->short_name : "  ",
			    !row->short_name ? "  "
			    : row->long_name ? ", "
					     : "",
			    row->long_name ? row->long_name : "", row->metavar ? " " : "",
			    row->metavar ? row->metavar : "");

	for (const char *line = row->help; *line; width = 0) {
		size_t length = strcspn(line, "\n");

		fprintf(out, "%*s%.*s\n", HELP_COLUMN - width, "", (int)length, line);
		line += length + (line[length] == '\n');
	}
}

void options_print_help(FILE *out)
{
	static const char *const titles[GROUP_COUNT] = {
		[GROUP_FILTER] = "Filters (of different kinds all must hold, of one kind any):",
		[GROUP_OUTPUT] = "Output:",
		[GROUP_TRACING] = "Tracing:",
		[GROUP_OTHER] = "Other:",
	};

	fprintf(out,
		"Usage: fibtrace [OPTIONS] [FILTERS] [-- COMMAND [ARG...]]\n"
		"       fibtrace read [OPTIONS] [FILTERS] FILE\n"
		"       fibtrace diff [OPTIONS] [FILTERS] A [B]\n"
		"       fibtrace features [-qv] [--format json]\n\n"
		"Shows every route lookup of the kernel: the rules that were walked, and the\n"
		"rule, table and route that were chosen; until Ctrl-C or until COMMAND ends.\n"
		"'read' shows what was recorded with -w, 'diff' what two recordings, or one and\n"
		"the policy in force, differ in, 'features' what this kernel allows.\n"
		"See fibtrace(8).\n");
	for (unsigned int group = 0; group < GROUP_COUNT; group++) {
		fprintf(out, "\n%s\n", titles[group]);
		for (size_t i = 0; i < OPTION_ROWS; i++) {
			if (option_rows[i].group == group)
				print_row(out, &option_rows[i]);
		}
	}
}

void options_print_version(FILE *out)
{
	fprintf(out, "fibtrace %s\n", FIBTRACE_VERSION);
}
