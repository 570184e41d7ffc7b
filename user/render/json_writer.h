/* SPDX-License-Identifier: GPL-2.0-only */
/* Writes JSON text piece by piece: commas and escapes are its business, structure the caller's. */
#ifndef FIBTRACE_RENDER_JSON_WRITER_H
#define FIBTRACE_RENDER_JSON_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/text.h"

/*
 * Appends to out, which it borrows. Whatever the bytes given, the result is
 * valid UTF-8 JSON without control characters. key: an ASCII word that needs no
 * escapes, NULL for an element of an array.
 */
struct json_writer {
	struct text *out;
	size_t string_start;
	bool comma;
};

void json_begin(struct json_writer *writer, struct text *out);

/* What the functions below do, with the length of the key: it is known where they are called. */
void json_put_open(struct json_writer *writer, const char *key, size_t length, char bracket);
void json_put_string(struct json_writer *writer, const char *key, size_t length, const char *value);
void json_put_unsigned(struct json_writer *writer, const char *key, size_t length, uint64_t value);
void json_put_hex(struct json_writer *writer, const char *key, size_t length, uint64_t value);
void json_put_word(struct json_writer *writer, const char *key, size_t length, const char *word);
void json_put_string_start(struct json_writer *writer, const char *key, size_t length);

static inline size_t json_key_length(const char *key)
{
	return key ? strlen(key) : 0;
}

static inline void json_open_object(struct json_writer *writer, const char *key)
{
	json_put_open(writer, key, json_key_length(key), '{');
}

static inline void json_open_array(struct json_writer *writer, const char *key)
{
	json_put_open(writer, key, json_key_length(key), '[');
}

void json_close_object(struct json_writer *writer);
void json_close_array(struct json_writer *writer);

static inline void json_add_string(struct json_writer *writer, const char *key, const char *value)
{
	json_put_string(writer, key, json_key_length(key), value);
}

static inline void json_add_unsigned(struct json_writer *writer, const char *key, uint64_t value)
{
	json_put_unsigned(writer, key, json_key_length(key), value);
}

/* "0x…" */
static inline void json_add_hex(struct json_writer *writer, const char *key, uint64_t value)
{
	json_put_hex(writer, key, json_key_length(key), value);
}

static inline void json_add_true(struct json_writer *writer, const char *key)
{
	json_put_word(writer, key, json_key_length(key), "true");
}

static inline void json_add_null(struct json_writer *writer, const char *key)
{
	json_put_word(writer, key, json_key_length(key), "null");
}

/* Appends members of an object as they were written before. */
void json_add_members(struct json_writer *writer, const char *bytes, size_t length);

/* Between the two the caller appends the string's raw text to out. */
static inline void json_open_string(struct json_writer *writer, const char *key)
{
	json_put_string_start(writer, key, json_key_length(key));
}

void json_close_string(struct json_writer *writer);

#endif
