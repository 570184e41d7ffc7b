// SPDX-License-Identifier: GPL-2.0-only
/* Writes JSON text piece by piece: commas and escapes are its business, structure the caller's. */
#include "render/json_writer.h"

#include <stdlib.h>
#include <string.h>

#include "render/escape.h"
#include "util/cleanup.h"

void json_begin(struct json_writer *writer, struct text *out)
{
	*writer = (struct json_writer){ .out = out };
}

/* The comma, the key and first. */
static void start_value(struct json_writer *writer, const char *key, size_t length, char first)
{
	char *begin = text_reserve(writer->out, length + 5);
	char *at = begin;

	if (!begin)
		return;
	if (writer->comma)
		*at++ = ',';
	if (key) {
		*at++ = '"';
		memcpy(at, key, length);
		at += length;
		*at++ = '"';
		*at++ = ':';
	}
	if (first)
		*at++ = first;
	text_advance(writer->out, (size_t)(at - begin));
	writer->comma = true;
}

void json_put_open(struct json_writer *writer, const char *key, size_t length, char bracket)
{
	start_value(writer, key, length, bracket);
	writer->comma = false;
}

static void close_group(struct json_writer *writer, char bracket)
{
	text_add_char(writer->out, bracket);
	writer->comma = true;
}

void json_close_object(struct json_writer *writer)
{
	close_group(writer, '}');
}

void json_close_array(struct json_writer *writer)
{
	close_group(writer, ']');
}

/* Printable ASCII but for the quotation mark and the backslash. */
static bool byte_is_plain(char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* The size of a character beyond ASCII, 0 when it is none or would act on a terminal. */
static size_t wide_size(const char *bytes, size_t length)
{
	uint32_t point = 0;
	size_t size = *bytes & 0x80 ? escape_decode(bytes, length, &point) : 0;

	return point >= 0xa0 ? size : 0;
}

/* How much stands in a JSON string as it is and cannot act on a terminal. */
static size_t plain_length(const char *bytes, size_t length)
{
	size_t at = 0, wide;

	while (at < length) {
		if (byte_is_plain(bytes[at]))
			at++;
		else if ((wide = wide_size(bytes + at, length - at)))
			at += wide;
		else
			break;
	}
	return at;
}

static void add_special(struct text *out, size_t size, uint32_t point)
{
	char escaped[6] = { '\\', 'u', '0', '0' };

	if (!size) {
		text_add(out, "\\ufffd");
	} else if (point == '"' || point == '\\') {
		escaped[1] = (char)point;
		text_add_bytes(out, escaped, 2);
	} else {
		escaped[4] = "0123456789abcdef"[point >> 4];
		escaped[5] = "0123456789abcdef"[point & 15];
		text_add_bytes(out, escaped, sizeof(escaped));
	}
}

static void add_escaped(struct text *out, const char *bytes, size_t length)
{
	size_t at = 0;

	while (at < length) {
		size_t plain = plain_length(bytes + at, length - at);
		uint32_t point = 0;
		size_t size;

		text_add_bytes(out, bytes + at, plain);
		at += plain;
		if (at == length)
			return;
		size = escape_decode(bytes + at, length - at, &point);
		add_special(out, size, point);
		at += size ? size : 1;
	}
}

void json_put_string(struct json_writer *writer, const char *key, size_t length, const char *value)
{
	if (!value) {
		json_put_word(writer, key, length, "null");
		return;
	}
	start_value(writer, key, length, '"');
	add_escaped(writer->out, value, strlen(value));
	text_add_char(writer->out, '"');
}

void json_put_unsigned(struct json_writer *writer, const char *key, size_t length, uint64_t value)
{
	start_value(writer, key, length, '\0');
	text_add_unsigned(writer->out, value);
}

void json_put_hex(struct json_writer *writer, const char *key, size_t length, uint64_t value)
{
	start_value(writer, key, length, '"');
	text_add_hex(writer->out, value);
	text_add_char(writer->out, '"');
}

void json_put_word(struct json_writer *writer, const char *key, size_t length, const char *word)
{
	start_value(writer, key, length, '\0');
	text_add(writer->out, word);
}

void json_add_members(struct json_writer *writer, const char *bytes, size_t length)
{
	if (writer->comma)
		text_add_char(writer->out, ',');
	text_add_bytes(writer->out, bytes, length);
	writer->comma = true;
}

void json_put_string_start(struct json_writer *writer, const char *key, size_t length)
{
	start_value(writer, key, length, '"');
	writer->string_start = writer->out->length;
}

/* Nearly every string is plain and stays where it was written. */
static void escape_written(struct text *out, size_t start)
{
	size_t length = out->length - start;
	_cleanup_free_ char *copy = NULL;

	if (out->failed || plain_length(out->string + start, length) == length)
		return;
	copy = malloc(length);
	if (!copy) {
		out->failed = true;
		return;
	}
	memcpy(copy, out->string + start, length);
	out->length = start;
	add_escaped(out, copy, length);
}

void json_close_string(struct json_writer *writer)
{
	escape_written(writer->out, writer->string_start);
	text_add_char(writer->out, '"');
}
