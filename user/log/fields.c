// SPDX-License-Identifier: GPL-2.0-only
/* Structures as bytes of a log, by tables of their members. */
#include "log/fields.h"

#include <endian.h>
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

/* Numbers are little-endian in the log, and stand anywhere. */
static void set_number(void *member, size_t size, const uint8_t *bytes)
{
	uint16_t two;
	uint32_t four;
	uint64_t eight;

	switch (size) {
	case 1:
		*(uint8_t *)member = bytes[0];
		break;
	case 2:
		memcpy(&two, bytes, sizeof(two));
		*(uint16_t *)member = le16toh(two);
		break;
	case 4:
		memcpy(&four, bytes, sizeof(four));
		*(uint32_t *)member = le32toh(four);
		break;
	default:
		memcpy(&eight, bytes, sizeof(eight));
		eight = le64toh(eight);
		memcpy(member, &eight, sizeof(eight));
		break;
	}
}

static void set_member(void *member, const struct field *field, const uint8_t *bytes)
{
	switch (field->kind) {
	case FIELD_NUMBER:
		set_number(member, field->size, bytes);
		break;
	case FIELD_BOOL:
		*(bool *)member = bytes[0] != 0;
		break;
	case FIELD_BYTES:
		memcpy(member, bytes, field->size);
		break;
	case FIELD_STRING:
		memcpy(member, bytes, field->size);
		((char *)member)[field->size - 1] = '\0';
		break;
	}
}

/* Reading a log is for the most part this: what there is of bytes is looked at once for all. */
void fields_get(struct span *span, void *object, const struct field *fields, size_t count)
{
	static const uint8_t zeros[FIELD_SIZE_MAX];
	const uint8_t *bytes;
	size_t size = 0;

	for (size_t i = 0; i < count; i++)
		size += fields[i].size;
	bytes = get_bytes(span, size);
	for (size_t i = 0; i < count; i++) {
		set_member((char *)object + fields[i].offset, &fields[i], bytes ? bytes : zeros);
		bytes += bytes ? fields[i].size : 0;
	}
}
