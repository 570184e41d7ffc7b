// SPDX-License-Identifier: GPL-2.0-only
/* The command line: spelling of options, errors of one line, help from the same table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/option_table.h"
#include "cli/options.h"
#include "rules/names.h"
#include "rules/purpose.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define ARGUMENTS_MAX 12

static struct options options;
static struct names *names;
static char stderr_text[4096];

static int set_up(void **state)
{
	(void)state;
	names = names_new();
	return names ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	names_free(names);
	return 0;
}

/* Parses argv[1…] and keeps what goes to stderr in stderr_text. */
static int parse_argv(int argc, char **argv)
{
	int saved = dup(STDERR_FILENO);
	FILE *caught = tmpfile();
	size_t length;
	int err;

	assert_non_null(caught);
	assert_true(dup2(fileno(caught), STDERR_FILENO) >= 0);
	err = options_parse(&options, argc, argv, names);
	fflush(stderr);
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	close(saved);
	rewind(caught);
	length = fread(stderr_text, 1, sizeof(stderr_text) - 1, caught);
	stderr_text[length] = '\0';
	fclose(caught);
	return err;
}

static int parse(const char *const *words)
{
	char *argv[ARGUMENTS_MAX + 2] = { (char *)"fibtrace" };
	int argc = 1;

	while (*words)
		argv[argc++] = (char *)*words++;
	return parse_argv(argc, argv);
}

#define PARSE(...) parse((const char *const[]){ __VA_ARGS__, NULL })

static void assert_mistake(const char *const *words, const char *error)
{
	char want[512];

	assert_int_equal(parse(words), EXIT_USAGE);
	snprintf(want, sizeof(want), "fibtrace: %s\n", error);
	assert_string_equal(stderr_text, want);
}

static void no_arguments_mean_the_defaults(void **state)
{
	(void)state;
	assert_int_equal(parse((const char *const[]){ NULL }), 0);
	assert_int_equal(options.command, COMMAND_TRACE);
	assert_string_equal(options.attach, "auto");
	assert_int_equal(options.buffer_size, 8 << 20);
	assert_int_equal(options.max_routes, 200000);
	assert_int_equal(options.color, COLOR_AUTO);
	assert_null(options.format);
	assert_null(options.child);
	assert_null(options.filters[0]);
	assert_false(options.netns_all);
	assert_string_equal(stderr_text, "");
}

static void a_value_may_be_attached_or_follow(void **state)
{
	static const char *const spellings[][3] = {
		{ "-d", "100.64.0.0/10" },
		{ "-d100.64.0.0/10" },
		{ "--dst", "100.64.0.0/10" },
		{ "--dst=100.64.0.0/10" },
	};
	static const uint8_t address[4] = { 100, 64, 0, 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(spellings); i++) {
		assert_int_equal(parse(spellings[i]), 0);
		assert_int_equal(options.filter.flow.dst_count, 1);
		assert_memory_equal(&options.filter.flow.dst[0].address[0], address, 4);
		assert_string_equal(options.filters[0], i < 2 ? "-d" : "--dst");
		assert_string_equal(options.filters[1], "100.64.0.0/10");
		assert_null(options.filters[2]);
	}
}

static void flags_may_be_bundled_and_end_in_a_value(void **state)
{
	(void)state;
	assert_int_equal(PARSE("-qv4c5"), 0);
	assert_true(options.quiet && options.verbose);
	assert_int_equal(options.filter.flow.families, FILTER_FAMILY_INET);
	assert_int_equal(options.count, 5);
	assert_string_equal(options.filters[0], "-4");
	assert_int_equal(PARSE("-6"), 0);
	assert_int_equal(options.filter.flow.families, FILTER_FAMILY_INET6);
	assert_int_equal(PARSE("-46"), 0);
	assert_int_equal(options.filter.flow.families, FILTER_FAMILY_INET | FILTER_FAMILY_INET6);
	assert_int_equal(PARSE("-vd", "10/8"), 0);
	assert_int_equal(options.filter.flow.dst_count, 1);
}

static void every_option_reaches_its_field(void **state)
{
	const struct filter *filter = &options.filter;

	(void)state;
	assert_int_equal(PARSE("-s10/8", "-Ptcp", "--sport=1-2", "--dport=3", "-m0x1/0x3", "-u0",
			       "-p7", "-ilo", "-owg0", "--table=main", "--pref=5209"),
			 0);
	assert_int_equal(filter->flow.src_count, 1);
	assert_int_equal(filter->flow.protocol[0], 6);
	assert_int_equal(filter->flow.sport[0].last, 2);
	assert_int_equal(filter->flow.dport[0].first, 3);
	assert_int_equal(filter->flow.mark[0].mask, 3);
	assert_int_equal(filter->flow.uid_count, 1);
	assert_int_equal(filter->flow.pid[0], 7);
	assert_string_equal(filter->iif[0], "lo");
	assert_string_equal(filter->oif[0], "wg0");
	assert_int_equal(filter->verdict.table[0], 254);
	assert_int_equal(filter->verdict.priority[0], 5209);
	assert_int_equal(PARSE("--format=json", "--color=never", "--utc", "--all", "--failed",
			       "--purpose=output,input", "--duration=500ms", "--attach=tracepoint",
			       "--buffer=64K", "--max-routes=0", "--verbose", "--journal"),
			 0);
	assert_string_equal(options.format, "json");
	assert_int_equal(options.color, COLOR_NEVER);
	assert_true(options.utc && options.all && filter->verdict.failed && options.verbose);
	assert_true(options.journal);
	assert_int_equal(filter->verdict.purposes, 1u << PURPOSE_OUTPUT | 1u << PURPOSE_INPUT);
	assert_int_equal(options.duration_ns, 500000000);
	assert_string_equal(options.attach, "tracepoint");
	assert_int_equal(options.buffer_size, 65536);
	assert_int_equal(options.max_routes, 0);
}

static void repeated_filters_append_and_other_options_replace(void **state)
{
	static const char *const typed[] = { "-d",     "10/8",	    "--dst", "default", "--purpose",
					     "output", "--purpose", "input", "--failed" };

	(void)state;
	assert_int_equal(PARSE("-d", "10/8", "--dst=default", "--purpose=output", "--purpose",
			       "input", "--failed", "--format=json", "--format=line", "-c1", "-c2"),
			 0);
	assert_int_equal(options.filter.flow.dst_count, 2);
	assert_int_equal(options.filter.verdict.purposes,
			 1u << PURPOSE_OUTPUT | 1u << PURPOSE_INPUT);
	assert_string_equal(options.format, "line");
	assert_int_equal(options.count, 2);
	for (size_t i = 0; i < ARRAY_SIZE(typed); i++)
		assert_string_equal(options.filters[i], typed[i]);
	assert_null(options.filters[ARRAY_SIZE(typed)]);
}

/* The kernel cannot tell what will be found: with both options it must let all pass. */
static void findings_beside_failed_leave_the_kernel_no_choice(void **state)
{
	const struct filter *filter = &options.filter;

	(void)state;
	assert_int_equal(PARSE("--findings"), 0);
	assert_true(filter->findings);
	assert_false(filter->or_failed || filter->verdict.failed);
	assert_string_equal(options.filters[0], "--findings");
	assert_int_equal(PARSE("--failed"), 0);
	assert_true(filter->verdict.failed);
	assert_false(filter->or_failed || filter->findings);
	assert_int_equal(PARSE("--findings", "--failed"), 0);
	assert_true(filter->findings && filter->or_failed);
	assert_false(filter->verdict.failed);
	assert_int_equal(PARSE("--failed", "--findings", "--failed"), 0);
	assert_true(filter->findings && filter->or_failed);
	assert_false(filter->verdict.failed);
	assert_string_equal(options.filters[0], "--failed");
	assert_string_equal(options.filters[1], "--findings");
}

static void namespaces_are_a_list_or_all(void **state)
{
	(void)state;
	assert_int_equal(PARSE("--netns", "blue", "--netns=/run/netns/red", "--netns=42"), 0);
	assert_int_equal(options.netns_count, 3);
	assert_string_equal(options.netns[2], "42");
	assert_false(options.netns_all);
	assert_int_equal(PARSE("--netns=all"), 0);
	assert_true(options.netns_all);
	assert_int_equal(options.netns_count, 0);
}

static void what_follows_two_dashes_is_the_command(void **state)
{
	(void)state;
	assert_int_equal(PARSE("-q", "--", "ping", "-c1", "--", "-x"), 0);
	assert_string_equal(options.child[0], "ping");
	assert_string_equal(options.child[2], "--");
	assert_string_equal(options.child[3], "-x");
	assert_null(options.child[4]);
}

static void features_takes_the_options_that_concern_it(void **state)
{
	(void)state;
	assert_int_equal(PARSE("features"), 0);
	assert_int_equal(options.command, COMMAND_FEATURES);
	assert_int_equal(PARSE("-v", "features", "-q"), 0);
	assert_int_equal(options.command, COMMAND_FEATURES);
	assert_true(options.quiet && options.verbose);
	assert_int_equal(PARSE("--format=json", "features"), 0);
	assert_string_equal(options.format, "json");
}

static void read_takes_filters_and_how_to_show(void **state)
{
	(void)state;
	assert_int_equal(PARSE("read", "trace.log", "-d10/8", "--format=json", "-c3", "--utc"), 0);
	assert_int_equal(options.command, COMMAND_READ);
	assert_string_equal(options.read, "trace.log");
	assert_int_equal(options.filter.flow.dst_count, 1);
	assert_int_equal(options.count, 3);
	assert_int_equal(PARSE("-d", "10/8", "read", "-"), 0);
	assert_int_equal(options.command, COMMAND_READ);
	assert_string_equal(options.read, "-");
	assert_int_equal(PARSE("--failed", "-rtrace.log"), 0);
	assert_int_equal(options.command, COMMAND_READ);
	assert_string_equal(options.read, "trace.log");
	assert_int_equal(PARSE("-w", "trace.log", "--format", "json"), 0);
	assert_int_equal(options.command, COMMAND_TRACE);
	assert_string_equal(options.log, "trace.log");
	assert_int_equal(PARSE("read"), EXIT_USAGE);
	assert_int_equal(PARSE("read", "a", "b"), EXIT_USAGE);
	assert_int_equal(PARSE("-ra", "-wb"), EXIT_USAGE);
	assert_int_equal(PARSE("-ra", "--duration=1"), EXIT_USAGE);
	assert_int_equal(PARSE("-ra", "--netns=12"), EXIT_USAGE);
	assert_int_equal(PARSE("-w-", "--format=json"), EXIT_USAGE);
	assert_int_equal(PARSE("-w", ""), EXIT_USAGE);
	assert_int_equal(PARSE("-wf", "-C", "1M", "-W", "3"), 0);
	assert_int_equal(options.log_size, 1 << 20);
	assert_int_equal(options.log_count, 3);
	assert_int_equal(PARSE("-w", "d%/f%H", "-G2m"), 0);
	assert_true(options.log_period_ns == 120000000000);
	assert_int_equal(PARSE("-C1M"), EXIT_USAGE);
	assert_int_equal(PARSE("-w-", "-C1M"), EXIT_USAGE);
	assert_int_equal(PARSE("-wf", "-C1"), EXIT_USAGE);
	assert_int_equal(PARSE("-wf", "-W3"), EXIT_USAGE);
	assert_int_equal(PARSE("-wf", "-G10"), EXIT_USAGE);
	assert_int_equal(PARSE("-wd%/f", "-G10"), EXIT_USAGE);
	assert_int_equal(PARSE("-wf%s", "-G500ms"), EXIT_USAGE);
	assert_int_equal(PARSE("-rf", "-C1M"), EXIT_USAGE);
	assert_int_equal(PARSE("read", "a", "-4", "-d", "::/0"), EXIT_USAGE);
}

static void help_and_version_end_the_parse(void **state)
{
	(void)state;
	assert_int_equal(PARSE("-qh", "--bogus"), 0);
	assert_true(options.help);
	assert_int_equal(PARSE("--version", "nonsense"), 0);
	assert_true(options.version);
	assert_int_equal(PARSE("features", "--help"), 0);
	assert_true(options.help);
	assert_int_equal(PARSE("-hx"), 0);
	assert_true(options.help);
}

static void a_mistake_is_one_line_that_names_the_option_and_what_it_takes(void **state)
{
	static const struct {
		const char *words[4];
		const char *error;
	} rows[] = {
		{ { "--dst", "300.1.1.1" },
		  "-d/--dst: '300.1.1.1' is not a prefix (ADDRESS[/LENGTH])" },
		{ { "-d" }, "-d/--dst: needs a prefix (ADDRESS[/LENGTH])" },
		{ { "--dst" }, "-d/--dst: needs a prefix (ADDRESS[/LENGTH])" },
		{ { "--dst=" }, "-d/--dst: '' is not a prefix (ADDRESS[/LENGTH])" },
		{ { "-s", "::/129" }, "-s/--src: '::/129' is not a prefix (ADDRESS[/LENGTH])" },
		{ { "-q5" }, "unknown option '-5'; see 'fibtrace -h'" },
		{ { "-P", "256" }, "-P/--proto: '256' is not an IP protocol (a name or 0 to 255)" },
		{ { "--sport", "2-1" },
		  "--sport: '2-1' is not a port or range of ports (PORT[-PORT], 0 to 65535)" },
		{ { "--dport", "65536" },
		  "--dport: '65536' is not a port or range of ports (PORT[-PORT], 0 to 65535)" },
		{ { "-m", "-1" },
		  "-m/--mark: '-1' is not a mark (MARK[/MASK], 32 bits, decimal or 0x)" },
		{ { "-u4294967295" },
		  "-u/--uid: '4294967295' is not a user (a name or 0 to 4294967294)" },
		{ { "-p0" }, "-p/--pid: '0' is not a process id (1 to 4194304)" },
		{ { "-i", "a/b" },
		  "-i/--iif: 'a/b' is not an interface name (1 to 15 characters)" },
		{ { "-o", "1234567890123456" },
		  "-o/--oif: '1234567890123456' is not an interface name (1 to 15 characters)" },
		{ { "--table", "0" },
		  "--table: '0' is not a routing table (a name or 1 to 4294967295)" },
		{ { "--table", "unspec" },
		  "--table: 'unspec' is not a routing table (a name or 1 to 4294967295)" },
		{ { "--table", "no-such-table" },
		  "--table: 'no-such-table' is not a routing table (a name or 1 to 4294967295)" },
		{ { "--pref", "4294967296" },
		  "--pref: '4294967296' is not a rule priority (0 to 4294967295)" },
		{ { "--purpose", "forward" },
		  "--purpose: 'forward' is not a comma list of output, input, source-check, "
		  "reroute, route-get, other" },
		{ { "--netns", "" },
		  "--netns: '' is not a network namespace (NAME, PATH, PID or all)" },
		{ { "--netns", "0" },
		  "--netns: '0' is not a network namespace (NAME, PATH, PID or all)" },
		{ { "--format", "xml" }, "--format: 'xml' is not tree, line or json" },
		{ { "--color", "yes" }, "--color: 'yes' is not auto, always or never" },
		{ { "-c0" },
		  "-c/--count: '0' is not a number of lookups (1 to 9223372036854775808)" },
		{ { "--duration", "0" },
		  "--duration: '0' is not a time above 0 (500ms, 10s, 2m, 1h or seconds)" },
		{ { "--attach", "uprobe" },
		  "--attach: 'uprobe' is not a tier (auto, fentry, kprobe or tracepoint)" },
		{ { "--buffer", "1" }, "--buffer: '1' is not a size (4096 to 1G, with K, M or G)" },
		{ { "--max-routes", "-1" },
		  "--max-routes: '-1' is not a number of routes (0 to 4294967295)" },
		{ { "--quiet=1" }, "--quiet: takes no value" },
		{ { "--findings=warning" }, "--findings: takes no value" },
		{ { "--finding" }, "unknown option '--finding'; see 'fibtrace -h'" },
		{ { "features", "--findings" },
		  "--findings: not an option of 'features', which takes --format json, -q, -v and "
		  "-h" },
		{ { "--bogus=1" }, "unknown option '--bogus'; see 'fibtrace -h'" },
		{ { "--ds", "10/8" }, "unknown option '--ds'; see 'fibtrace -h'" },
		{ { "--dstx=1" }, "unknown option '--dstx'; see 'fibtrace -h'" },
		{ { "-x" }, "unknown option '-x'; see 'fibtrace -h'" },
		{ { "-qx" }, "unknown option '-x'; see 'fibtrace -h'" },
		{ { "-\xc3\xa9" }, "unknown option '-\xc3\xa9'; see 'fibtrace -h'" },
		{ { "-\n" }, "unknown option '-?'; see 'fibtrace -h'" },
		{ { "ping" }, "unknown command 'ping'; see 'fibtrace -h'" },
		{ { "" }, "unknown command ''; see 'fibtrace -h'" },
		{ { "-" }, "unknown command '-'; see 'fibtrace -h'" },
		{ { "-d10/8", "ping" },
		  "unexpected argument 'ping'; a COMMAND to run follows '--'" },
		{ { "features", "x" }, "unexpected argument 'x'; a COMMAND to run follows '--'" },
		{ { "features", "-d10/8" },
		  "-d/--dst: not an option of 'features', which takes --format json, -q, -v and "
		  "-h" },
		{ { "features", "--format=tree" },
		  "--format: 'tree' is not json, the only one that 'features' takes" },
		{ { "--format=line", "features" },
		  "--format: 'line' is not json, the only one that 'features' takes" },
		{ { "features", "--format=xml" }, "--format: 'xml' is not tree, line or json" },
		{ { "features", "--", "x" }, "--: 'features' runs no COMMAND" },
		{ { "--" }, "--: needs a COMMAND [ARG...] to run" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_mistake(rows[i].words, rows[i].error);
}

static void filters_that_no_lookup_passes_are_refused(void **state)
{
	static const struct {
		const char *words[ARGUMENTS_MAX];
		const char *error;
	} rows[] = {
		{ { "-4", "-d", "2001:db8::1" },
		  "-4 and -d/--dst '2001:db8::1': no lookup is of both families; leave one out" },
		{ { "-d2001:db8::1", "-4" },
		  "-4 and -d/--dst '2001:db8::1': no lookup is of both families; leave one out" },
		{ { "-6", "--dst=0/0" },
		  "-6 and -d/--dst '0/0': no lookup is of both families; leave one out" },
		{ { "-4", "-s::/0" },
		  "-4 and -s/--src '::/0': no lookup is of both families; leave one out" },
		{ { "-6", "-s", "10/8" },
		  "-6 and -s/--src '10/8': no lookup is of both families; leave one out" },
		{ { "-d", "10/8", "-s", "2001:db8::/32" },
		  "-d/--dst '10/8' and -s/--src '2001:db8::/32': no lookup is of both families; "
		  "leave one out" },
		{ { "-46", "-s10/8", "-s11/8", "-d::1", "-d::2", "--", "x" },
		  "-d/--dst '::1' and -s/--src '10/8': no lookup is of both families; "
		  "leave one out" },
		{ { "-4", "-dall", "-s::1", "-s::2" },
		  "-4 and -s/--src '::1': no lookup is of both families; leave one out" },
		{ { "-6", "-d10/8", "-d::/0", "-s10/8" },
		  "-6 and -s/--src '10/8': no lookup is of both families; leave one out" },
		{ { "-P", "icmp", "--dport", "80" },
		  "-P/--proto 'icmp' and --dport '80': that protocol has no ports; leave one out" },
		{ { "--sport=1-2", "-P58", "-Pgre" },
		  "-P/--proto '58' and --sport '1-2': that protocol has no ports; leave one out" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_mistake(rows[i].words, rows[i].error);
}

static void filters_that_some_lookup_passes_are_taken(void **state)
{
	static const char *const rows[][ARGUMENTS_MAX] = {
		{ "-4", "-d10/8", "-s10/8" },
		{ "-6", "-d2001:db8::1", "-s::/0" },
		{ "-46", "-d2001:db8::1" },
		{ "-46", "-s10/8" },
		{ "-4", "-ddefault" },
		{ "-6", "-sall" },
		{ "-d10/8", "-sany" },
		{ "-d::1", "-ddefault", "-s10/8" },
		{ "-4", "-d10/8", "-d2001:db8::/32" },
		{ "-6", "-s10/8", "-s2001:db8::/32" },
		{ "-d10/8", "-d2001:db8::/32", "-s10/8" },
		{ "-d10/8", "-s2001:db8::/32", "-s10/8", "-4" },
		{ "-6", "-Picmp" },
		{ "-4", "-Pipv6-icmp" },
		{ "-Picmp" },
		{ "--sport=1", "--dport=2" },
		{ "-Pudp", "--dport=53" },
		{ "-Picmp", "-Ptcp", "--dport=80" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(parse(rows[i]), 0);
		assert_string_equal(stderr_text, "");
	}
}

static void diff_takes_one_file_or_two(void **state)
{
	(void)state;
	assert_int_equal(PARSE("diff", "a", "-d10/8", "--table=52", "--max-routes=7", "-v"), 0);
	assert_int_equal(options.command, COMMAND_DIFF);
	assert_string_equal(options.diff[0], "a");
	assert_null(options.diff[1]);
	assert_int_equal(PARSE("-4", "diff", "a", "--format", "json", "-"), 0);
	assert_string_equal(options.diff[1], "-");
	assert_int_equal(PARSE("diff", "a", "--table", "no-such", "--netns=host"), 0);
}

static void diff_refuses_what_it_has_no_use_for(void **state)
{
	static const struct {
		const char *words[ARGUMENTS_MAX];
		const char *error;
	} rows[] = {
		{ { "diff" },
		  "diff: needs a FILE that was recorded with -w, and another one or none: then it "
		  "is "
		  "compared with the policy in force" },
		{ { "diff", "a", "b", "c" }, "diff: takes two FILEs at most, and 'c' is a third" },
		{ { "diff", "-", "-" }, "diff: only one of the two can be standard input" },
		{ { "diff", "a", "-w", "b" },
		  "-w: not an option of 'diff', which compares what was recorded" },
		{ { "diff", "a", "-r", "b" },
		  "-r: not an option of 'diff', which compares what was recorded" },
		{ { "diff", "a", "-c1" },
		  "-c/--count: not an option of 'diff', which compares what was recorded" },
		{ { "diff", "a", "--findings" },
		  "--findings: not an option of 'diff', which compares what was recorded" },
		{ { "diff", "a", "--utc" },
		  "--utc: not an option of 'diff', which compares what was recorded" },
		{ { "diff", "a", "--stats" },
		  "--stats: not an option of 'diff', which compares what was recorded" },
		{ { "diff", "a", "--format", "line" },
		  "--format: 'line' is not tree or json, which 'diff' takes" },
		{ { "diff", "a", "--netns", "42" },
		  "--netns: '42' is a process; a log knows network namespaces by name" },
		{ { "diff", "a", "-4", "-d::1" },
		  "-4 and -d/--dst '::1': no lookup is of both families; leave one out" },
		{ { "diff", "a", "--", "true" }, "--: 'diff' runs no COMMAND" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_mistake(rows[i].words, rows[i].error);
}

static void what_later_versions_bring_is_unknown(void **state)
{
	static const char *const rows[] = {
		"show",
		"get",
		"check",
		"watch",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(PARSE(rows[i]), EXIT_USAGE);
		assert_non_null(strstr(stderr_text, "unknown "));
	}
}

static void a_value_of_any_length_leaves_the_error_whole(void **state)
{
	static char huge[100000];
	const char *newline;

	(void)state;
	memset(huge, 'x', sizeof(huge) - 1);
	assert_int_equal(PARSE("-d", huge), EXIT_USAGE);
	assert_non_null(strstr(stderr_text, "...' is not a prefix (ADDRESS[/LENGTH])\n"));
	newline = strchr(stderr_text, '\n');
	assert_int_equal(newline[1], '\0');
	assert_int_equal(PARSE(huge), EXIT_USAGE);
	memcpy(huge, "--", 2);
	assert_int_equal(PARSE(huge), EXIT_USAGE);
	assert_non_null(strstr(stderr_text, "...'; see 'fibtrace -h'\n"));
}

/* A value that the row takes, for rows that take one. */
static const char *example_value(const struct option_row *row)
{
	static const char *const examples[][2] = {
		{ "PREFIX", "10/8" },
		{ "PROTO", "tcp" },
		{ "PORT[-PORT]", "1-2" },
		{ "MARK[/MASK]", "1" },
		{ "UID", "0" },
		{ "PID", "1" },
		{ "IF", "lo" },
		{ "TABLE", "main" },
		{ "PREF", "0" },
		{ "LIST", "output" },
		{ "NAME|PATH|PID|all", "x" },
	};

	for (size_t i = 0; row->metavar && i < ARRAY_SIZE(examples); i++) {
		if (!strcmp(examples[i][0], row->metavar))
			return examples[i][1];
	}
	return NULL;
}

/* Adds each filter count times to argv, which starts with the program's name. */
static int fill_with_filters(char **argv, unsigned int count)
{
	int argc = 1;

	for (size_t i = 0; i < OPTION_ROWS; i++) {
		const struct option_row *row = &option_rows[i];
		const char *name = row->long_name ? row->long_name : row->short_name;

		for (unsigned int n = 0; row->group == GROUP_FILTER && n < count; n++) {
			argv[argc++] = (char *)name;
			if (row->metavar)
				argv[argc++] = (char *)example_value(row);
		}
	}
	argv[argc] = NULL;
	return argc;
}

static void all_filters_fit_as_often_as_they_may_be_given(void **state)
{
	static char *argv[OPTIONS_FILTER_WORDS + 100] = { (char *)"fibtrace" };
	int argc = fill_with_filters(argv, FILTER_MAX);

	(void)state;
	assert_int_equal(parse_argv(argc, argv), 0);
	for (int i = 1; i < argc; i++)
		assert_string_equal(options.filters[i - 1], argv[i]);
	assert_null(options.filters[argc - 1]);
}

static void one_filter_too_many_is_refused(void **state)
{
	static char *argv[2 * FILTER_MAX + 4] = { (char *)"fibtrace" };

	(void)state;
	for (size_t i = 0; i < OPTION_ROWS; i++) {
		const struct option_row *row = &option_rows[i];
		int argc = 1;

		if (row->group != GROUP_FILTER)
			continue;
		for (int n = 0; n < FILTER_MAX + 1; n++) {
			argv[argc++] = (char *)(row->long_name ? row->long_name : row->short_name);
			if (row->metavar)
				argv[argc++] = (char *)example_value(row);
		}
		assert_int_equal(parse_argv(argc, argv), EXIT_USAGE);
		assert_non_null(strstr(stderr_text, ": at most 64 may be given\n"));
	}
}

static void rows_are_whole_and_their_names_differ(void **state)
{
	(void)state;
	for (size_t i = 0; i < OPTION_ROWS; i++) {
		const struct option_row *row = &option_rows[i];

		assert_true(row->short_name || row->long_name);
		assert_true(row->help && *row->help);
		assert_int_equal(!row->metavar, !row->takes);
		assert_true(row->parse || row->flag);
		assert_true(!row->metavar || row->parse);
		for (size_t other = 0; other < i; other++) {
			const struct option_row *before = &option_rows[other];

			if (row->short_name && before->short_name)
				assert_string_not_equal(row->short_name, before->short_name);
			if (row->long_name && before->long_name)
				assert_string_not_equal(row->long_name, before->long_name);
		}
	}
}

static void help_shows_every_row_within_80_columns(void **state)
{
	char *help = NULL;
	size_t length;
	FILE *out = open_memstream(&help, &length);

	(void)state;
	assert_non_null(out);
	options_print_help(out);
	fclose(out);
	for (size_t i = 0; i < OPTION_ROWS; i++) {
		if (option_rows[i].short_name)
			assert_non_null(strstr(help, option_rows[i].short_name));
		if (option_rows[i].long_name)
			assert_non_null(strstr(help, option_rows[i].long_name));
	}
	for (const char *line = help; *line; line += strcspn(line, "\n") + 1)
		assert_in_range(strcspn(line, "\n"), 0, 80);
	free(help);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_arguments_mean_the_defaults),
		cmocka_unit_test(a_value_may_be_attached_or_follow),
		cmocka_unit_test(flags_may_be_bundled_and_end_in_a_value),
		cmocka_unit_test(every_option_reaches_its_field),
		cmocka_unit_test(repeated_filters_append_and_other_options_replace),
		cmocka_unit_test(findings_beside_failed_leave_the_kernel_no_choice),
		cmocka_unit_test(namespaces_are_a_list_or_all),
		cmocka_unit_test(what_follows_two_dashes_is_the_command),
		cmocka_unit_test(features_takes_the_options_that_concern_it),
		cmocka_unit_test(read_takes_filters_and_how_to_show),
		cmocka_unit_test(help_and_version_end_the_parse),
		cmocka_unit_test(a_mistake_is_one_line_that_names_the_option_and_what_it_takes),
		cmocka_unit_test(filters_that_no_lookup_passes_are_refused),
		cmocka_unit_test(filters_that_some_lookup_passes_are_taken),
		cmocka_unit_test(diff_takes_one_file_or_two),
		cmocka_unit_test(diff_refuses_what_it_has_no_use_for),
		cmocka_unit_test(what_later_versions_bring_is_unknown),
		cmocka_unit_test(a_value_of_any_length_leaves_the_error_whole),
		cmocka_unit_test(all_filters_fit_as_often_as_they_may_be_given),
		cmocka_unit_test(one_filter_too_many_is_refused),
		cmocka_unit_test(rows_are_whole_and_their_names_differ),
		cmocka_unit_test(help_shows_every_row_within_80_columns),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
