/* SPDX-License-Identifier: GPL-2.0-only */
/* `fibtrace features`: what this kernel allows, tier by tier. */
#ifndef FIBTRACE_FEATURES_COMMAND_H
#define FIBTRACE_FEATURES_COMMAND_H

#include "cli/options.h"

/* Prints one block per tier; the exit status is 0 if some tier loads, else 1. */
int features_print(const struct options *options);

#endif
