/* SPDX-License-Identifier: GPL-2.0-only */
/* Structures as bytes of a log, by tables of their members: the log does not depend on how a compiler
 * lays them out. */
#ifndef FIBTRACE_LOG_FIELDS_H
#define FIBTRACE_LOG_FIELDS_H

#include <stddef.h>

#include "log/span.h"

enum field_kind { FIELD_NUMBER, FIELD_BOOL, FIELD_BYTES, FIELD_STRING };

/* No member is larger. */
#define FIELD_SIZE_MAX 64

/* size: of the member in memory, and in the log. A FIELD_STRING is an array that holds a NUL. */
struct field {
	uint16_t offset;
	uint16_t size;
	enum field_kind kind;
};

#define FIELD(type, member, field_kind)                                                            \
	{                                                                                          \
		offsetof(type, member), sizeof(((type *)0)->member), field_kind                    \
	}

/* Appends the members that the table names, one after the other, without anything between. */
void fields_put(struct text *out, const void *object, const struct field *fields, size_t count);
/* Reads them back; others stay as they are. A bool is what it reads as, a string ends. All read as
 * zero when there are too few bytes for them. */
void fields_get(struct span *span, void *object, const struct field *fields, size_t count);

#endif
