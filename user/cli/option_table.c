// SPDX-License-Identifier: GPL-2.0-only
/* The rows that options are parsed with and help is written from. */
#include "cli/option_table.h"

#include <errno.h>
#include <string.h>

#include "cli/parse.h"

static int add_dst(struct option_parser *parser, const char *value)
{
	struct flow_filter *flow = &parser->options->filter.flow;

	return parse_prefix(value, &flow->dst[flow->dst_count++]);
}

static int add_src(struct option_parser *parser, const char *value)
{
	struct flow_filter *flow = &parser->options->filter.flow;

	return parse_prefix(value, &flow->src[flow->src_count++]);
}

static int add_protocol(struct option_parser *parser, const char *value)
{
	struct flow_filter *flow = &parser->options->filter.flow;

	return parse_protocol(value, &flow->protocol[flow->protocol_count++]);
}

static int add_sport(struct option_parser *parser, const char *value)
{
	struct flow_filter *flow = &parser->options->filter.flow;

	return parse_ports(value, &flow->sport[flow->sport_count++]);
}

static int add_dport(struct option_parser *parser, const char *value)
{
	struct flow_filter *flow = &parser->options->filter.flow;

	return parse_ports(value, &flow->dport[flow->dport_count++]);
}

static int add_mark(struct option_parser *parser, const char *value)
{
	struct flow_filter *flow = &parser->options->filter.flow;

	return parse_mark(value, &flow->mark[flow->mark_count++]);
}

static int add_uid(struct option_parser *parser, const char *value)
{
	struct flow_filter *flow = &parser->options->filter.flow;

	return parse_uid(value, &flow->uid[flow->uid_count++]);
}

static int add_pid(struct option_parser *parser, const char *value)
{
	struct flow_filter *flow = &parser->options->filter.flow;

	return parse_pid(value, &flow->pid[flow->pid_count++]);
}

static int add_iif(struct option_parser *parser, const char *value)
{
	struct filter *filter = &parser->options->filter;

	return parse_interface(value, filter->iif[filter->iif_count++]);
}

static int add_oif(struct option_parser *parser, const char *value)
{
	struct filter *filter = &parser->options->filter;

	return parse_interface(value, filter->oif[filter->oif_count++]);
}

/* Table 0 is "unspec": no lookup asks it. Which names there are is seen at the end: a log has its own. */
static int add_table(struct option_parser *parser, const char *value)
{
	struct filter *filter = &parser->options->filter;
	uint32_t *table = &filter->verdict.table[filter->verdict.table_count];
	bool known = names_parse_table(parser->names, value, table);

	parser->options->table_words[filter->verdict.table_count++] = value;
	if (!known && !parser->unknown_table)
		parser->unknown_table = value;
	return !known || *table ? 0 : -EINVAL;
}

static int add_priority(struct option_parser *parser, const char *value)
{
	struct filter *filter = &parser->options->filter;

	return parse_u32(value, &filter->verdict.priority[filter->verdict.priority_count++]);
}

static int add_purposes(struct option_parser *parser, const char *value)
{
	uint32_t purposes;
	int err = parse_purposes(value, &purposes);

	if (!err)
		parser->options->filter.verdict.purposes |= purposes;
	return err;
}

static int add_netns(struct option_parser *parser, const char *value)
{
	struct options *options = parser->options;
	uint32_t pid;

	if (!strcmp(value, "all")) {
		options->netns_all = true;
		return 0;
	}
	if (!*value || (!value[strspn(value, "0123456789")] && parse_pid(value, &pid)))
		return -EINVAL;
	options->netns[options->netns_count++] = value;
	return 0;
}

static int set_ipv4(struct option_parser *parser, const char *value)
{
	(void)value;
	parser->options->filter.flow.families |= FILTER_FAMILY_INET;
	return 0;
}

static int set_ipv6(struct option_parser *parser, const char *value)
{
	(void)value;
	parser->options->filter.flow.families |= FILTER_FAMILY_INET6;
	return 0;
}

static int set_format(struct option_parser *parser, const char *value)
{
	static const char *const formats[] = { "tree", "line", "json", NULL };
	unsigned int index;

	parser->options->format = value;
	return parse_choice(value, formats, &index);
}

static int set_log(struct option_parser *parser, const char *value)
{
	parser->options->log = value;
	return *value ? 0 : -EINVAL;
}

static int set_log_size(struct option_parser *parser, const char *value)
{
	return parse_file_size(value, &parser->options->log_size);
}

static int set_log_count(struct option_parser *parser, const char *value)
{
	uint64_t count = 0;
	int err = parse_number(value, (struct number_range){ 1, 1000000 }, &count);

	parser->options->log_count = (uint32_t)count;
	return err;
}

static int set_log_period(struct option_parser *parser, const char *value)
{
	uint64_t *period = &parser->options->log_period_ns;
	int err = parse_duration(value, period);

	return err || *period % 1000000000 ? -EINVAL : 0;
}

static int set_journal(struct option_parser *parser, const char *value)
{
	(void)value;
	parser->options->journal = true;
	return 0;
}

static int set_read(struct option_parser *parser, const char *value)
{
	parser->options->read = value;
	return *value ? 0 : -EINVAL;
}

static int set_color(struct option_parser *parser, const char *value)
{
	static const char *const modes[] = {
		[COLOR_AUTO] = "auto",
		[COLOR_ALWAYS] = "always",
		[COLOR_NEVER] = "never",
		NULL,
	};
	unsigned int index;

	if (parse_choice(value, modes, &index))
		return -EINVAL;
	parser->options->color = index;
	return 0;
}

static int set_attach(struct option_parser *parser, const char *value)
{
	static const char *const tiers[] = { "auto", "fentry", "kprobe", "tracepoint", NULL };
	unsigned int index;

	parser->options->attach = value;
	return parse_choice(value, tiers, &index);
}

static int set_count(struct option_parser *parser, const char *value)
{
	return parse_number(value, (struct number_range){ 1, 1ull << 63 }, &parser->options->count);
}

static int set_duration(struct option_parser *parser, const char *value)
{
	return parse_duration(value, &parser->options->duration_ns);
}

static int set_buffer(struct option_parser *parser, const char *value)
{
	return parse_buffer_size(value, &parser->options->buffer_size);
}

static int set_max_routes(struct option_parser *parser, const char *value)
{
	return parse_number(value, (struct number_range){ 0, UINT32_MAX },
			    &parser->options->max_routes);
}

#define PREFIX_WORDS "a prefix (ADDRESS[/LENGTH])"
#define PORT_WORDS "a port or range of ports (PORT[-PORT], 0 to 65535)"
#define INTERFACE_WORDS "an interface name (1 to 15 characters)"

const struct option_row option_rows[OPTION_ROWS] = {
	{
		.short_name = "-d",
		.long_name = "--dst",
		.metavar = "PREFIX",
		.takes = PREFIX_WORDS,
		.help = "destination",
		.parse = add_dst,
		.group = GROUP_FILTER,
		.commands = FOR_READ | FOR_DIFF,
	},
	{
		.short_name = "-s",
		.long_name = "--src",
		.metavar = "PREFIX",
		.takes = PREFIX_WORDS,
		.help = "source, as the FIB was asked",
		.parse = add_src,
		.group = GROUP_FILTER,
		.commands = FOR_READ | FOR_DIFF,
	},
	{
		.short_name = "-4",
		.help = "IPv4 only",
		.parse = set_ipv4,
		.group = GROUP_FILTER,
		.commands = FOR_READ | FOR_DIFF,
	},
	{
		.short_name = "-6",
		.help = "IPv6 only",
		.parse = set_ipv6,
		.group = GROUP_FILTER,
		.commands = FOR_READ | FOR_DIFF,
	},
	{
		.short_name = "-P",
		.long_name = "--proto",
		.metavar = "PROTO",
		.takes = "an IP protocol (a name or 0 to 255)",
		.help = "IP protocol",
		.parse = add_protocol,
		.group = GROUP_FILTER,
		.commands = FOR_READ | FOR_DIFF,
	},
	{
		.long_name = "--sport",
		.metavar = "PORT[-PORT]",
		.takes = PORT_WORDS,
		.help = "source port",
		.parse = add_sport,
		.group = GROUP_FILTER,
		.commands = FOR_READ | FOR_DIFF,
	},
	{
		.long_name = "--dport",
		.metavar = "PORT[-PORT]",
		.takes = PORT_WORDS,
		.help = "destination port",
		.parse = add_dport,
		.group = GROUP_FILTER,
		.commands = FOR_READ | FOR_DIFF,
	},
	{
		.short_name = "-m",
		.long_name = "--mark",
		.metavar = "MARK[/MASK]",
		.takes = "a mark (MARK[/MASK], 32 bits, decimal or 0x)",
		.help = "fwmark: (mark & MASK) == MARK",
		.parse = add_mark,
		.group = GROUP_FILTER,
		.commands = FOR_READ | FOR_DIFF,
	},
	{
		.short_name = "-u",
		.long_name = "--uid",
		.metavar = "UID",
		.takes = "a user (a name or 0 to 4294967294)",
		.help = "uid of the flow, which rules see",
		.parse = add_uid,
		.group = GROUP_FILTER,
		.commands = FOR_READ | FOR_DIFF,
	},
	{
		.short_name = "-p",
		.long_name = "--pid",
		.metavar = "PID",
		.takes = "a process id (1 to 4194304)",
		.help = "process, in its own context only",
		.parse = add_pid,
		.group = GROUP_FILTER,
		.commands = FOR_READ | FOR_DIFF,
	},
	{
		.short_name = "-i",
		.long_name = "--iif",
		.metavar = "IF",
		.takes = INTERFACE_WORDS,
		.help = "input interface; lo: locally generated",
		.parse = add_iif,
		.group = GROUP_FILTER,
		.commands = FOR_READ | FOR_DIFF,
	},
	{
		.short_name = "-o",
		.long_name = "--oif",
		.metavar = "IF",
		.takes = INTERFACE_WORDS,
		.help = "device of the verdict",
		.parse = add_oif,
		.group = GROUP_FILTER,
		.commands = FOR_READ | FOR_DIFF,
	},
	{
		.long_name = "--table",
		.metavar = "TABLE",
		.takes = "a routing table (a name or 1 to 4294967295)",
		.help = "table of the verdict",
		.parse = add_table,
		.group = GROUP_FILTER,
		.commands = FOR_READ | FOR_DIFF,
	},
	{
		.long_name = "--pref",
		.metavar = "PREF",
		.takes = "a rule priority (0 to 4294967295)",
		.help = "priority of the rule that decided",
		.parse = add_priority,
		.group = GROUP_FILTER,
		.commands = FOR_READ | FOR_DIFF,
	},
	{
		.long_name = "--failed",
		.help = "the verdict is an error",
		.flag = offsetof(struct options, filter.verdict.failed),
		.group = GROUP_FILTER,
		.commands = FOR_READ | FOR_DIFF,
	},
	{
		.long_name = "--findings",
		.help = "something was found; with --failed: or the\n"
			"verdict is an error",
		.flag = offsetof(struct options, filter.findings),
		.group = GROUP_FILTER,
		.commands = FOR_READ,
	},
	{
		.long_name = "--purpose",
		.metavar = "LIST",
		.takes = "a comma list of output, input, source-check, reroute, route-get, other",
		.help = "comma list of output, input, source-check,\n"
			"reroute, route-get, other",
		.parse = add_purposes,
		.group = GROUP_FILTER,
		.commands = FOR_READ | FOR_DIFF,
	},
	{
		.long_name = "--netns",
		.metavar = "NAME|PATH|PID|all",
		.takes = "a network namespace (NAME, PATH, PID or all)",
		.help = "network namespace (default: the current one)",
		.parse = add_netns,
		.group = GROUP_FILTER,
		.commands = FOR_READ | FOR_DIFF,
	},
	{
		.long_name = "--format",
		.metavar = "tree|line|json",
		.takes = "tree, line or json",
		.help = "default: tree on a terminal, else line",
		.parse = set_format,
		.group = GROUP_OUTPUT,
		.commands = FOR_READ | FOR_FEATURES | FOR_DIFF,
	},
	{
		.long_name = "--color",
		.metavar = "auto|always|never",
		.takes = "auto, always or never",
		.help = "colours (default: auto, on a terminal)",
		.parse = set_color,
		.group = GROUP_OUTPUT,
		.commands = FOR_READ | FOR_DIFF,
	},
	{
		.long_name = "--utc",
		.help = "times in UTC",
		.flag = offsetof(struct options, utc),
		.group = GROUP_OUTPUT,
		.commands = FOR_READ,
	},
	{
		.short_name = "-c",
		.long_name = "--count",
		.metavar = "N",
		.takes = "a number of lookups (1 to 9223372036854775808)",
		.help = "stop after N lookups were shown",
		.parse = set_count,
		.group = GROUP_OUTPUT,
		.commands = FOR_READ,
	},
	{
		.long_name = "--all",
		.help = "show address-type checks too",
		.flag = offsetof(struct options, all),
		.group = GROUP_OUTPUT,
	},
	{
		.short_name = "-q",
		.long_name = "--quiet",
		.help = "only errors on standard error",
		.flag = offsetof(struct options, quiet),
		.group = GROUP_OUTPUT,
		.commands = FOR_READ | FOR_FEATURES | FOR_DIFF,
	},
	{
		.short_name = "-v",
		.long_name = "--verbose",
		.help = "every lookup in full; how it attached",
		.flag = offsetof(struct options, verbose),
		.group = GROUP_OUTPUT,
		.commands = FOR_READ | FOR_FEATURES | FOR_DIFF,
	},
	{
		.short_name = "-w",
		.metavar = "FILE",
		.takes = "a file to record into, or - for standard output",
		.help = "record into FILE; shows nothing unless --format\n"
			"is given, too",
		.parse = set_log,
		.group = GROUP_OUTPUT,
	},
	{
		.short_name = "-C",
		.metavar = "SIZE",
		.takes = "a size (4096 to 1T, with K, M, G or T)",
		.help = "with -w: go on in a new file after SIZE bytes",
		.parse = set_log_size,
		.group = GROUP_OUTPUT,
	},
	{
		.short_name = "-W",
		.metavar = "COUNT",
		.takes = "a number of files (1 to 1000000)",
		.help = "with -C: so many files, again and again; or\n"
			"with -G: end after so many",
		.parse = set_log_count,
		.group = GROUP_OUTPUT,
	},
	{
		.short_name = "-G",
		.metavar = "TIME",
		.takes = "a time of whole seconds (10s, 2m, 1h or seconds)",
		.help = "with -w: go on in a new file after TIME; FILE\n"
			"has the time in it, as trace-%H%M%S.log",
		.parse = set_log_period,
		.group = GROUP_OUTPUT,
	},
	{
		.long_name = "--journal",
		.help = "an entry of the systemd journal for each lookup",
		.parse = set_journal,
		.group = GROUP_OUTPUT,
	},
	{
		.short_name = "-r",
		.metavar = "FILE",
		.takes = "a file that was recorded, or - for standard input",
		.help = "show what was recorded: as 'fibtrace read FILE'",
		.parse = set_read,
		.group = GROUP_OUTPUT,
		.commands = FOR_READ,
	},
	{
		.long_name = "--follow",
		.help = "with read: go on while FILE is written",
		.flag = offsetof(struct options, follow),
		.group = GROUP_OUTPUT,
		.commands = FOR_READ,
		.not_for_trace = true,
	},
	{
		.long_name = "--stats",
		.help = "with read: totals in place of lookups",
		.flag = offsetof(struct options, stats),
		.group = GROUP_OUTPUT,
		.commands = FOR_READ,
		.not_for_trace = true,
	},
	{
		.long_name = "--duration",
		.metavar = "TIME",
		.takes = "a time above 0 (500ms, 10s, 2m, 1h or seconds)",
		.help = "stop after TIME (500ms, 10s, 2m, 1h; bare: s)",
		.parse = set_duration,
		.group = GROUP_TRACING,
	},
	{
		.long_name = "--attach",
		.metavar = "TIER",
		.takes = "a tier (auto, fentry, kprobe or tracepoint)",
		.help = "auto (default), fentry, kprobe or tracepoint",
		.parse = set_attach,
		.group = GROUP_TRACING,
	},
	{
		.long_name = "--buffer",
		.metavar = "SIZE",
		.takes = "a size (4096 to 1G, with K, M or G)",
		.help = "ring buffer in bytes, or with K, M, G\n"
			"(default 8M; rounded up to a power of two)",
		.parse = set_buffer,
		.group = GROUP_TRACING,
	},
	{
		.long_name = "--max-routes",
		.metavar = "N",
		.takes = "a number of routes (0 to 4294967295)",
		.help = "largest table that is held (default 200000)",
		.parse = set_max_routes,
		.group = GROUP_TRACING,
		.commands = FOR_DIFF,
	},
	{
		.short_name = "-h",
		.long_name = "--help",
		.help = "print this help",
		.flag = offsetof(struct options, help),
		.group = GROUP_OTHER,
		.commands = FOR_READ | FOR_FEATURES | FOR_DIFF,
		.ends_parsing = true,
	},
	{
		.short_name = "-V",
		.long_name = "--version",
		.help = "print the version",
		.flag = offsetof(struct options, version),
		.group = GROUP_OTHER,
		.commands = FOR_READ | FOR_FEATURES | FOR_DIFF,
		.ends_parsing = true,
	},
};
