/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers and strings as bytes of a log, little-endian, and reading them where they may end early. */
#ifndef FIBTRACE_LOG_SPAN_H
#define FIBTRACE_LOG_SPAN_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "util/text.h"

/* What is left to be read. bad: more was asked for than there is; everything reads as zero then. */
struct span {
	const uint8_t *at;
	const uint8_t *end;
	bool bad;
};

/* The low size bytes of value, lowest first; size is 8 at most. */
static inline void put_number(struct text *out, uint64_t value, size_t size)
{
	uint64_t bytes = htole64(value);

	text_add_bytes(out, (const char *)&bytes, size);
}

/* Seven bits a byte, lowest first, the highest bit set in all but the last. */
void put_varint(struct text *out, uint64_t value);
/* Its length as a varint, then its bytes. */
void put_string(struct text *out, const char *string);

static inline size_t span_left(const struct span *span)
{
	return span->bad ? 0 : (size_t)(span->end - span->at);
}

/* size bytes; NULL when there are fewer. */
static inline const uint8_t *get_bytes(struct span *span, size_t size)
{
	const uint8_t *bytes = span->at;

	if (span_left(span) < size) {
		span->bad = true;
		return NULL;
	}
	span->at += size;
	return bytes;
}

/* size is 8 at most. */
static inline uint64_t get_number(struct span *span, size_t size)
{
	const uint8_t *bytes = get_bytes(span, size);
	uint64_t value = 0;

	if (bytes)
		memcpy(&value, bytes, size);
	return le64toh(value);
}

uint64_t get_varint(struct span *span);
/* A string into out, which holds size bytes: it is bad when it does not fit, or holds a NUL. */
void get_string(struct span *span, char *out, size_t size);
/* The same into memory of its own; NULL when it is bad, or without memory: then errno says ENOMEM. */
char *get_string_new(struct span *span);

#endif
