/* SPDX-License-Identifier: GPL-2.0-only */
/* What a lookup was made for, and the words of text, JSON and the command line for it. */
#ifndef FIBTRACE_RULES_PURPOSE_H
#define FIBTRACE_RULES_PURPOSE_H

#include <stdbool.h>

#include "bpf/purpose.h"

/* "source-check"; "other" for a value that is no purpose. */
const char *purpose_name(enum purpose purpose);
/* True and *purpose set when text is exactly the word of one. */
bool purpose_parse(const char *text, enum purpose *purpose);

#endif
