/* SPDX-License-Identifier: GPL-2.0-only */
/* `fibtrace read FILE`: what a trace recorded, shown as it would have been live. */
#ifndef FIBTRACE_READ_COMMAND_H
#define FIBTRACE_READ_COMMAND_H

#include "cli/options.h"

/* The exit status: 1 when the log is damaged, cut off or not to be read. */
int read_command(const struct options *options);

#endif
