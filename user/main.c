// SPDX-License-Identifier: GPL-2.0-only
/* fibtrace: shows which rule, table and route the kernel really used. */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/options.h"
#include "diff_command.h"
#include "features_command.h"
#include "read_command.h"
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
	if (options->version) {
		options_print_version(stdout);
		return fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
	}
	if (options->command == COMMAND_FEATURES)
		return features_print(options);
	if (options->command == COMMAND_READ)
		return read_command(options);
	if (options->command == COMMAND_DIFF)
		return diff_command(options, names);
	return trace_command(options, names);
}

/* A descriptor of ours in the place of a closed one would get what is written there. */
static bool standard_files_open(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDONLY);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	return fd >= 0 && !close(fd);
}

int main(int argc, char **argv)
{
	static struct options options;
	struct names *names = names_new();
	int status;

	if (!standard_files_open())
		return EXIT_FAILURE;
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
