/* SPDX-License-Identifier: GPL-2.0-only */
/* Standard output: what the formats wrote, flushed when it should be seen. */
#ifndef FIBTRACE_RENDER_OUTPUT_H
#define FIBTRACE_RENDER_OUTPUT_H

#include <stdbool.h>

#include "util/text.h"

/* closed: the reader has gone (EPIPE); nothing is written any more. */
struct output {
	struct text text;
	bool terminal;
	bool closed;
};

/* Looks at what standard output is. */
void output_init(struct output *output);
void output_free(struct output *output);

/* Writes out what the text holds; 0, or -errno after a line on stderr. A closed
 * pipe is no error. */
int output_flush(struct output *output);
/* After a line: flushes on a terminal, and when much has gathered. */
int output_line_done(struct output *output);

#endif
