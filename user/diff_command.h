/* SPDX-License-Identifier: GPL-2.0-only */
/* `fibtrace diff A [B]`: what two recordings, or one and the policy in force, differ in. */
#ifndef FIBTRACE_DIFF_COMMAND_H
#define FIBTRACE_DIFF_COMMAND_H

#include "cli/options.h"

/* The exit status, as diff(1): 0 nothing differs, 1 something does, 2 it could not be told. names
 * are this machine's. */
int diff_command(const struct options *options, const struct names *names);

#endif
