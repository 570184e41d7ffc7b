/* SPDX-License-Identifier: GPL-2.0-only */
/* One of the two that `fibtrace diff` compares: what a recording ended with, or what is in force. */
#ifndef FIBTRACE_DIFF_SIDE_H
#define FIBTRACE_DIFF_SIDE_H

#include "cli/options.h"
#include "diff/flows.h"
#include "diff_filter.h"
#include "log/reader.h"
#include "render/diff.h"
#include "spaces.h"

/* A network namespace. policy: NULL where it is not known. */
struct side_space {
	uint32_t number; /* in the log, as renewals */
	uint32_t renewals;
	char *title; /* "": it has no name */
	const struct policy *policy;
	struct flows flows;
	struct spaces *live;
	bool superseded; /* by another one of its name */
};

/* All zero is none. */
struct diff_side {
	const char *file; /* "-": standard input; NULL: the policy in force */
	struct diff_source source;
	char *kernel;
	struct log_reader *log;
	struct owners *owners; /* of this machine; a log has its own */
	struct side_space *spaces;
	size_t count;
	size_t capacity;
	uint64_t unknown; /* lookups in a namespace that is not known */
	uint64_t lost; /* lookups, or what they are made of */
};

/*
 * Reads a recording to its end: the flows that the filter takes in the
 * namespaces that --netns names, and the policies that it ended with. 0, or -errno
 * after a line on stderr.
 */
int diff_side_read(struct diff_side *side, const struct options *options,
		   const struct diff_filter *filter, struct devices *devices);

/* Reads the policies in force in the namespaces of a recording, each under its number there; what
 * is gone has none. names are this machine's. 0, or -errno after a line on stderr. */
int diff_side_open(struct diff_side *side, const struct options *options,
		   const struct diff_side *recorded, const struct names *names);

void diff_side_close(struct diff_side *side);

/* What it is called: the file, or "the policy in force". */
const char *diff_side_name(const struct diff_side *side);

#endif
