// SPDX-License-Identifier: GPL-2.0-only
/* Structures as bytes of a log, by tables of their members. */
#include "log/fields.h"

#include <endian.h>
#include <stdbool.h>
#include <string.h>

/* Between host order and that of the log, little-endian: either way is the same. */
static void copy_number(void *to, const void *from, size_t size)
{
	uint16_t two;
	uint32_t four;
	uint64_t eight;

	switch (size) {
	case 1:
		memcpy(to, from, 1);
		break;
	case sizeof(two):
		memcpy(&two, from, sizeof(two));
		two = htole16(two);
		memcpy(to, &two, sizeof(two));
		break;
	case sizeof(four):
		memcpy(&four, from, sizeof(four));
		four = htole32(four);
		memcpy(to, &four, sizeof(four));
		break;
	default:
		memcpy(&eight, from, sizeof(eight));
		eight = htole64(eight);
		memcpy(to, &eight, sizeof(eight));
		break;
	}
}

/* Recording a log and reading it are for the most part this: what room there is, or what bytes, is
 * looked at once for all members. */
static size_t size_of_all(const struct field *fields, size_t count)
{
	size_t size = 0;

	for (size_t i = 0; i < count; i++)
		size += fields[i].size;
	return size;
}

static void put_member(char *bytes, const struct field *field, const void *member)
{
	switch (field->kind) {
	case FIELD_NUMBER:
		copy_number(bytes, member, field->size);
		break;
	case FIELD_BOOL:
		bytes[0] = *(const bool *)member;
		break;
	case FIELD_BYTES:
	case FIELD_STRING:
		memcpy(bytes, member, field->size);
		break;
	}
}

void fields_put(struct text *out, const void *object, const struct field *fields, size_t count)
{
	size_t size = size_of_all(fields, count);
	char *bytes = text_reserve(out, size);

	if (!bytes)
		return;
	for (size_t i = 0; i < count; i++) {
		put_member(bytes, &fields[i], (const char *)object + fields[i].offset);
		bytes += fields[i].size;
	}
	text_advance(out, size);
}

static void set_member(void *member, const struct field *field, const uint8_t *bytes)
{
	switch (field->kind) {
	case FIELD_NUMBER:
		copy_number(member, bytes, field->size);
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

void fields_get(struct span *span, void *object, const struct field *fields, size_t count)
{
	static const uint8_t zeros[FIELD_SIZE_MAX];
	const uint8_t *bytes = get_bytes(span, size_of_all(fields, count));

	for (size_t i = 0; i < count; i++) {
		set_member((char *)object + fields[i].offset, &fields[i], bytes ? bytes : zeros);
		if (bytes)
			bytes += fields[i].size;
	}
}
