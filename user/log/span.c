// SPDX-License-Identifier: GPL-2.0-only
/* Numbers and strings as bytes of a log, little-endian, and reading them where they may end early. */
#include "log/span.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define VARINT_BYTES 10

void put_varint(struct text *out, uint64_t value)
{
	char bytes[VARINT_BYTES];
	size_t count = 0;

	while (value >= 0x80) {
		bytes[count++] = (char)(value | 0x80);
		value >>= 7;
	}
	bytes[count++] = (char)value;
	text_add_bytes(out, bytes, count);
}

void put_string(struct text *out, const char *string)
{
	size_t length = strlen(string);

	put_varint(out, length);
	text_add_bytes(out, string, length);
}

uint64_t get_varint(struct span *span)
{
	uint64_t value = 0;

	for (unsigned int shift = 0; shift < 64; shift += 7) {
		const uint8_t *byte = get_bytes(span, 1);

		if (!byte)
			return 0;
		/* Of the tenth byte one bit is left. */
		if (shift == 63 && *byte > 1)
			break;
		value |= (uint64_t)(*byte & 0x7f) << shift;
		if (!(*byte & 0x80))
			return value;
	}
	span->bad = true;
	return 0;
}

void get_string(struct span *span, char *out, size_t size)
{
	uint64_t length = get_varint(span);
	const uint8_t *bytes;

	out[0] = '\0';
	if (length >= size || length > span_left(span)) {
		span->bad = true;
		return;
	}
	bytes = get_bytes(span, length);
	if (!bytes || memchr(bytes, '\0', length)) {
		span->bad = true;
		return;
	}
	memcpy(out, bytes, length);
	out[length] = '\0';
}

char *get_string_new(struct span *span)
{
	struct span ahead = *span;
	uint64_t length = get_varint(&ahead);
	char *string;

	if (ahead.bad || length > span_left(&ahead)) {
		span->bad = true;
		errno = EBADMSG;
		return NULL;
	}
	string = malloc(length + 1);
	if (!string)
		return NULL;
	get_string(span, string, length + 1);
	if (!span->bad)
		return string;
	free(string);
	errno = EBADMSG;
	return NULL;
}
