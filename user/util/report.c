// SPDX-License-Identifier: GPL-2.0-only
/* One-line messages to standard error: "fibtrace: …". */
#include "util/report.h"

#include <stdarg.h>
#include <stdio.h>

static enum report_level current_level = REPORT_NORMAL;

void report_set_level(enum report_level level)
{
	current_level = level;
}

static void report_line(const char *kind, const char *format, va_list arguments)
{
	char line[1024];

	vsnprintf(line, sizeof(line), format, arguments);
	for (char *c = line; *c; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	}
	fprintf(stderr, "fibtrace: %s%s\n", kind, line);
}

void report_error(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	report_line("", format, arguments);
	va_end(arguments);
}

void report_warning(const char *format, ...)
{
	va_list arguments;

	if (current_level < REPORT_NORMAL)
		return;
	va_start(arguments, format);
	report_line("warning: ", format, arguments);
	va_end(arguments);
}

void report_note(const char *format, ...)
{
	va_list arguments;

	if (current_level < REPORT_VERBOSE)
		return;
	va_start(arguments, format);
	report_line("", format, arguments);
	va_end(arguments);
}
