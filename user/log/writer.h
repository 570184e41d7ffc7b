/* SPDX-License-Identifier: GPL-2.0-only */
/* Writes the binary log of a trace: docs/log-format.md says what it looks like. */
#ifndef FIBTRACE_LOG_WRITER_H
#define FIBTRACE_LOG_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "log/files.h"
#include "rules/names.h"
#include "trace/lookup.h"

struct log_writer;

/* What comes before the first lookup. filters: as typed, NULL-terminated. utc_offset: how many
 * seconds local time is ahead of UTC. */
struct log_start {
	uint64_t time_ns;
	int32_t utc_offset;
	bool exact; /* the tier sees each rule that runs */
	const char *version;
	const char *kernel;
	const char *tier;
	const char *const *filters;
	const struct names *names;
};

/* A namespace as it is now. policy: NULL when it cannot be read. */
struct log_space {
	uint32_t inode;
	const char *title;
	struct policy *policy;
};

/*
 * Opens the first file, see log_files_next(); the name "-" is standard output, of
 * which there is but one. NULL with errno. The name is borrowed.
 */
struct log_writer *log_writer_open(const struct log_files_settings *settings);
/* The name of the file that is written, borrowed until the next call. */
const char *log_writer_name(struct log_writer *writer);
/* Writes on into a new file where the current one has got another name: for SIGHUP. False: it is
 * none that can be moved. */
bool log_writer_reopen(struct log_writer *writer);
/* What went wrong, for -errno of the functions here. */
const char *log_writer_strerror(int err);
/* Whether all files are written that were asked for: nothing is to be added. */
bool log_writer_full(const struct log_writer *writer);
/*
 * Writes what is left. 0, or -errno of the first write that failed, of then or
 * before. Policies that were told of are not to change any more. Takes NULL.
 */
int log_writer_close(struct log_writer *writer);

void log_writer_start(struct log_writer *writer, const struct log_start *start);
/* A file of definitions of owners that is in force; before the first lookup. */
void log_writer_owners(struct log_writer *writer, const char *file, const char *content,
		       size_t length);

/*
 * A lookup as it is before it is explained, of a namespace whose policy (NULL:
 * none is known) is told with its first one, and from then on followed. Nothing of
 * it is written until log_writer_end_lookup(), which gets it with its group and,
 * when explained, with what was found; else the next lookup takes its place.
 */
void log_writer_begin_lookup(struct log_writer *writer, const struct log_space *space,
			     const struct lookup *lookup, bool explained);
void log_writer_end_lookup(struct log_writer *writer, const struct lookup *lookup);

void log_writer_lost(struct log_writer *writer, uint64_t time_ns, uint32_t cpu, uint64_t count);
void log_writer_note(struct log_writer *writer, uint64_t time_ns, const struct log_space *space,
		     const char *change);
void log_writer_warning(struct log_writer *writer, uint64_t time_ns, const char *message);
/* Local time is ahead of UTC by so many seconds; nothing when that was said. */
void log_writer_clock(struct log_writer *writer, int32_t utc_offset);
void log_writer_end(struct log_writer *writer, uint64_t time_ns,
		    const struct lookup_counts *counts);

/* Hands what was written so far to the kernel. 0, or -errno of the first failure: nothing is
 * written behind it, and what was ends with a whole record. -EPIPE: nobody reads. */
int log_writer_flush(struct log_writer *writer);
/* How many bytes the file has, written or not. */
uint64_t log_writer_size(const struct log_writer *writer);

#endif
