/* SPDX-License-Identifier: GPL-2.0-only */
/* One-line messages to standard error: "fibtrace: …". */
#ifndef FIBTRACE_UTIL_REPORT_H
#define FIBTRACE_UTIL_REPORT_H

enum report_level { REPORT_QUIET, REPORT_NORMAL, REPORT_VERBOSE };

/* Errors are always printed; warnings unless quiet (-q); notes when verbose (-v). */
void report_set_level(enum report_level level);

/* Each prints one line, control bytes escaped, the newline added. */
__attribute__((format(printf, 1, 2))) void report_error(const char *format, ...);
__attribute__((format(printf, 1, 2))) void report_warning(const char *format, ...);
__attribute__((format(printf, 1, 2))) void report_note(const char *format, ...);

#endif
