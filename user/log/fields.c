// SPDX-License-Identifier: GPL-2.0-only
/* Structures as bytes of a log, by tables of their members. */
#include "log/fields.h"

#include <stdbool.h>
#include <string.h>

static uint64_t member_value(const void *member, size_t size)
{
	uint64_t value = 0;

	switch (size) {
	case 1:
		return *(const uint8_t *)member;
	case 2:
		return *(const uint16_t *)member;
	case 4:
		return *(const uint32_t *)member;
	default:
		memcpy(&value, member, sizeof(value));
		return value;
	}
}

static void member_set(void *member, size_t size, uint64_t value)
{
	switch (size) {
	case 1:
		*(uint8_t *)member = (uint8_t)value;
		break;
	case 2:
		*(uint16_t *)member = (uint16_t)value;
		break;
	case 4:
		*(uint32_t *)member = (uint32_t)value;
		break;
	default:
		memcpy(member, &value, sizeof(value));
		break;
	}
}

void fields_put(struct text *out, const void *object, const struct field *fields, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const void *member = (const char *)object + fields[i].offset;

		if (fields[i].kind == FIELD_BYTES || fields[i].kind == FIELD_STRING)
			text_add_bytes(out, member, fields[i].size);
		else if (fields[i].kind == FIELD_BOOL)
			put_number(out, *(const bool *)member, 1);
		else
			put_number(out, member_value(member, fields[i].size), fields[i].size);
	}
}

static void get_raw(struct span *span, char *member, size_t size, bool ends)
{
	const uint8_t *bytes = get_bytes(span, size);

	if (bytes)
		memcpy(member, bytes, size);
	else
		memset(member, 0, size);
	if (ends)
		member[size - 1] = '\0';
}

void fields_get(struct span *span, void *object, const struct field *fields, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		void *member = (char *)object + fields[i].offset;
		size_t size = fields[i].size;

		if (fields[i].kind == FIELD_BYTES || fields[i].kind == FIELD_STRING)
			get_raw(span, member, size, fields[i].kind == FIELD_STRING);
		else if (fields[i].kind == FIELD_BOOL)
			*(bool *)member = get_number(span, 1) != 0;
		else
			member_set(member, size, get_number(span, size));
	}
}
