/* SPDX-License-Identifier: GPL-2.0-only */
/* The parser of definitions of owners: the line being read, and what all kinds of lines need. */
#ifndef FIBTRACE_RULES_OWNERS_LINE_H
#define FIBTRACE_RULES_OWNERS_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/owners_table.h"
#include "util/text.h"

#define PARSER_WORDS_MAX 64

/* words[at] is the next one. err: 0, or -EINVAL when what is wrong was said, or -ENOMEM. */
struct parser {
	struct owners *draft; /* what the file defines, until all of it is known to be right */
	struct owner *owner; /* whose lines follow; NULL: none yet */
	const char *file;
	size_t line;
	struct text *error;
	int err;
	char *words[PARSER_WORDS_MAX];
	size_t word_count;
	size_t at;
};

/* Says what is wrong with the line, once per file. False, for the callers to pass on. */
__attribute__((format(printf, 2, 3))) bool parser_wrong(struct parser *parser, const char *format,
							...);

/* The next word, which is taken; NULL when there is none left. */
char *parser_next(struct parser *parser);

/* Reads "N" or "FIRST-LAST", decimal or 0x…; false when text is no such thing. */
bool number_read_range(const char *text, struct number_pattern *pattern);

/* The functions below say what is wrong when they return false. */

/* Reads "VALUE[/MASK]"; without a mask, *mask is all bits and *masked false. */
bool parser_read_mark(struct parser *parser, char *text, struct number_pattern *value,
		      uint32_t *mask, bool *masked);

/* Reads what stands behind "rule". */
bool parser_read_signature(struct parser *parser, struct signature *signature);

#endif
