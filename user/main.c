// SPDX-License-Identifier: GPL-2.0-only
/* fibtrace: shows which rule, table and route the kernel really used. */
#include <errno.h>
#include <locale.h>
#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/options.h"
#include "features_command.h"
#include "trace_command.h"
#include "util/report.h"

static enum report_level report_level_of(const struct options *options)
{
	if (options->quiet)
		return REPORT_QUIET;
	return options->verbose ? REPORT_VERBOSE : REPORT_NORMAL;
}

static int run(const struct options *options, const struct names *names)
{
	if (options->help) {
		options_print_help(stdout);
		return fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
	}
	if (options->version)
		return printf("fibtrace %s\n", FIBTRACE_VERSION) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	if (options->command == COMMAND_FEATURES)
		return features_print(options);
	return trace_command(options, names);
}

int main(int argc, char **argv)
{
	static struct options options;
	struct names *names = names_new();
	int status;

	setlocale(LC_CTYPE, "");
	if (!names || names_read(names, "/usr/share/iproute2", "/etc/iproute2") == -ENOMEM) {
		report_error("out of memory");
		return EXIT_FAILURE;
	}
	status = options_parse(&options, argc, argv, names);
	if (!status) {
		report_set_level(report_level_of(&options));
		status = run(&options, names);
	}
	names_free(names);
	return status;
}
