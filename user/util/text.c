// SPDX-License-Identifier: GPL-2.0-only
/* A growing string, for text that is built piece by piece. */
#include "util/text.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

bool text_grow(struct text *text, size_t length)
{
	size_t needed = text->length + length + 1;
	size_t capacity = text->capacity ? text->capacity : 128;
	char *grown;

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

/* All numbers of two digits. */
static const char pairs[] = "00010203040506070809"
			    "10111213141516171819"
			    "20212223242526272829"
			    "30313233343536373839"
			    "40414243444546474849"
			    "50515253545556575859"
			    "60616263646566676869"
			    "70717273747576777879"
			    "80818283848586878889"
			    "90919293949596979899";

void text_add_unsigned(struct text *text, uint64_t value)
{
	char digits[20];
	size_t at = sizeof(digits);

	while (value >= 100) {
		at -= 2;
		memcpy(digits + at, pairs + value % 100 * 2, 2);
		value /= 100;
	}
	if (value >= 10) {
		at -= 2;
		memcpy(digits + at, pairs + value * 2, 2);
	} else {
		digits[--at] = (char)('0' + value);
	}
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
	char *end;
	int length;

	va_start(arguments, format);
	length = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	end = length < 0 ? NULL : text_reserve(text, (size_t)length);
	if (!end)
		return;
	va_start(arguments, format);
	vsnprintf(end, (size_t)length + 1, format, arguments);
	va_end(arguments);
	text->length += (size_t)length;
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
