/* SPDX-License-Identifier: GPL-2.0-only */
/* Reads the binary log of a trace: what it tells, in the order in which it was written. */
#ifndef FIBTRACE_LOG_READER_H
#define FIBTRACE_LOG_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "log/format.h"
#include "rules/names.h"
#include "rules/owners.h"
#include "trace/lookup.h"

struct log_reader;

/* NULL with errno and a reason, of a file that is no log, too; "-" is standard input. */
struct log_reader *log_reader_open(const char *name, char *reason, size_t size);
void log_reader_close(struct log_reader *reader); /* takes NULL */

/* Whether more may come behind its end. */
bool log_reader_is_file(const struct log_reader *reader);
/* For a log that is still written: at the end of what there is wait() is called, and as long as it
 * returns true more may have come. What stands behind the last whole record is no damage then. */
void log_reader_follow(struct log_reader *reader, bool (*wait)(void *data), void *data);

/*
 * What is told next; the members that its type names hold. Strings, lookup and
 * policy are borrowed until the next call, which clears the lookup. policy is
 * that of the lookup as it was, NULL: none could be read. filters is
 * NULL-terminated.
 */
struct log_record {
	enum log_type type;
	uint64_t time_ns; /* all but LOG_LOOKUP and LOG_CLOCK */
	int32_t utc_offset; /* LOG_START, LOG_CLOCK */
	bool exact; /* LOG_START, as the rest of these lines */
	const char *version;
	const char *kernel;
	const char *tier;
	const char *const *filters;
	struct lookup *lookup; /* LOG_LOOKUP */
	uint32_t space; /* LOG_LOOKUP: the number of its namespace here, 0: not known */
	uint32_t renewals; /* LOG_LOOKUP: how often policy has become another object */
	const struct policy *policy;
	bool explained; /* its findings are known */
	uint32_t cpu; /* LOG_LOST */
	uint64_t count;
	uint32_t netns; /* LOG_NOTE */
	const char *title; /* LOG_NOTE: the namespace's */
	const char *text; /* LOG_NOTE, LOG_WARNING */
	struct lookup_counts counts; /* LOG_END */
};

/*
 * 1 and a record of the types above; 0 at the end; -errno after a failure:
 * -EBADMSG when the log is damaged or ends within a record, see log_reader_problem().
 */
int log_reader_next(struct log_reader *reader, struct log_record *record);

/* What is wrong, in words: "byte 1234: …". */
const char *log_reader_problem(const struct log_reader *reader);

/* A namespace as it is after what was read. title "": it has no name; policy NULL: it cannot be read. */
struct log_namespace {
	uint32_t space;
	uint32_t renewals;
	const char *title;
	const struct policy *policy;
};

/* Calls visit() for each that was told of. What it holds is borrowed until the next record is read. */
void log_reader_visit_spaces(const struct log_reader *reader,
			     void (*visit)(void *data, const struct log_namespace *namespace),
			     void *data);

/* Those of the machine that was traced, as far as they were told yet; they live as long as the
 * reader. */
const struct names *log_reader_names(const struct log_reader *reader);
const struct owners *log_reader_owners(const struct log_reader *reader);

#endif
