/* SPDX-License-Identifier: GPL-2.0-only */
/* `fibtrace [FILTERS] [-- COMMAND]`: a trace from attaching to the counts. */
#ifndef FIBTRACE_TRACE_COMMAND_H
#define FIBTRACE_TRACE_COMMAND_H

#include "cli/options.h"
#include "rules/names.h"

/* Runs the trace; the exit status of the program. */
int trace_command(const struct options *options, const struct names *names);

#endif
