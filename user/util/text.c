// SPDX-License-Identifier: GPL-2.0-only
/* A growing string, for text that is built piece by piece. */
#include "util/text.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static bool text_reserve(struct text *text, size_t more)
{
	size_t needed = text->length + more + 1;
	size_t capacity = text->capacity ? text->capacity : 128;
	char *grown;

	if (text->failed)
		return false;
	if (needed <= text->capacity)
		return true;
	while (capacity < needed)
		capacity *= 2;
	grown = realloc(text->string, capacity);
	if (!grown) {
		text->failed = true;
		return false;
	}
	text->string = grown;
	text->capacity = capacity;
	return true;
}

void text_free(struct text *text)
{
	free(text->string);
	*text = (struct text){ 0 };
}

void text_clear(struct text *text)
{
	text->length = 0;
	text->failed = false;
	if (text->string)
		text->string[0] = '\0';
}

const char *text_string(const struct text *text)
{
	return text->string ? text->string : "";
}

void text_add_bytes(struct text *text, const char *bytes, size_t length)
{
	if (!text_reserve(text, length))
		return;
	memcpy(text->string + text->length, bytes, length);
	text->length += length;
	text->string[text->length] = '\0';
}

void text_add(struct text *text, const char *string)
{
	text_add_bytes(text, string, strlen(string));
}

void text_add_char(struct text *text, char c)
{
	if (!text_reserve(text, 1))
		return;
	text->string[text->length++] = c;
	text->string[text->length] = '\0';
}

void text_add_unsigned(struct text *text, uint64_t value)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = '0' + value % 10;
		value /= 10;
	} while (value);
	text_add_bytes(text, digits + at, sizeof(digits) - at);
}

void text_add_signed(struct text *text, int64_t value)
{
	if (value < 0)
		text_add_char(text, '-');
	text_add_unsigned(text, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

void text_add_hex(struct text *text, uint64_t value)
{
	char digits[16];
	size_t at = sizeof(digits);

	do {
		digits[--at] = "0123456789abcdef"[value % 16];
		value /= 16;
	} while (value);
	text_add_bytes(text, "0x", 2);
	text_add_bytes(text, digits + at, sizeof(digits) - at);
}

void text_printf(struct text *text, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	if (length < 0 || !text_reserve(text, length))
		return;
	va_start(arguments, format);
	vsnprintf(text->string + text->length, (size_t)length + 1, format, arguments);
	va_end(arguments);
	text->length += length;
}

static void text_add_ipv4(struct text *text, const uint8_t *address)
{
	for (int i = 0; i < 4; i++) {
		if (i)
			text_add_char(text, '.');
		text_add_unsigned(text, address[i]);
	}
}

void text_add_address(struct text *text, uint8_t family, const uint8_t *address)
{
	char buffer[INET6_ADDRSTRLEN];

	if (family == AF_INET)
		text_add_ipv4(text, address);
	else if (inet_ntop(family, address, buffer, sizeof(buffer)))
		text_add(text, buffer);
}

void text_add_prefix(struct text *text, uint8_t family, const uint8_t *address, unsigned int length)
{
	if (!length) {
		text_add(text, "default");
		return;
	}
	text_add_address(text, family, address);
	if (length != (family == AF_INET ? 32 : 128)) {
		text_add_char(text, '/');
		text_add_unsigned(text, length);
	}
}
