/* SPDX-License-Identifier: GPL-2.0-only */
/* A growing string, for text that is built piece by piece. */
#ifndef FIBTRACE_UTIL_TEXT_H
#define FIBTRACE_UTIL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* All zero is empty and valid. After an allocation fails, failed is set and
 * nothing is added any more. string is NUL-terminated once anything was added. */
struct text {
	char *string;
	size_t length;
	size_t capacity;
	bool failed;
};

/* Frees what the text holds and makes it empty. */
void text_free(struct text *text);
/* Makes it empty, keeping the memory. */
void text_clear(struct text *text);
/* The string, "" when nothing was added. */
const char *text_string(const struct text *text);

/* Room for length bytes and a NUL, made; false: failed. */
bool text_grow(struct text *text, size_t length);

/* These are most of what writing a lookup takes, and are inline for that. */

/* Where length bytes may be written, which text_advance() then takes in; NULL: failed. */
static inline char *text_reserve(struct text *text, size_t length)
{
	if (text->failed || (text->capacity - text->length <= length && !text_grow(text, length)))
		return NULL;
	return text->string + text->length;
}

static inline void text_advance(struct text *text, size_t length)
{
	text->length += length;
	text->string[text->length] = '\0';
}

static inline void text_add_bytes(struct text *text, const char *bytes, size_t length)
{
	char *end = text_reserve(text, length);

	if (!end)
		return;
	memcpy(end, bytes, length);
	text_advance(text, length);
}

static inline void text_add(struct text *text, const char *string)
{
	text_add_bytes(text, string, strlen(string));
}

static inline void text_add_char(struct text *text, char c)
{
	text_add_bytes(text, &c, 1);
}

void text_add_unsigned(struct text *text, uint64_t value);
void text_add_signed(struct text *text, int64_t value);
void text_add_hex(struct text *text, uint64_t value); /* 0x… */
__attribute__((format(printf, 2, 3))) void text_printf(struct text *text, const char *format, ...);
/* An address of family AF_INET or AF_INET6, as inet_ntop() writes it. */
void text_add_address(struct text *text, uint8_t family, const uint8_t *address);
/* "default" for length 0, the address alone for a host, else ADDRESS/LENGTH: as `ip route`. */
void text_add_prefix(struct text *text, uint8_t family, const uint8_t *address,
		     unsigned int length);

#endif
