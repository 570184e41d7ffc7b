// SPDX-License-Identifier: GPL-2.0-only
/* What differs between one image and another. */
#include "log/delta.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* So many equal bytes in a row are worth the two that it takes to say so. */
#define EQUAL_MIN 3

void delta_free(struct delta_slots *slots)
{
	for (size_t i = 0; i < DELTA_SLOTS; i++)
		text_free(&slots->images[i]);
	slots->total = 0;
}

/* The slot is to hold length bytes. Writer and reader forget alike. */
static void make_room(struct delta_slots *slots, uint8_t slot, size_t length)
{
	slots->total += length - slots->images[slot].length;
	if (slots->total <= DELTA_TOTAL_MAX)
		return;
	for (size_t i = 0; i < DELTA_SLOTS; i++) {
		if (i != slot)
			text_free(&slots->images[i]);
	}
	slots->total = length;
}

static bool same_at(const struct text *base, const struct text *image, size_t at)
{
	char before = at < base->length ? base->string[at] : 0;

	return image->string[at] == before;
}

static uint64_t eight_at(const struct text *text, size_t at)
{
	uint64_t eight;

	memcpy(&eight, text->string + at, sizeof(eight));
	return eight;
}

/* Eight bytes at a time as long as both have them. */
static size_t equal_from(const struct text *base, const struct text *image, size_t at)
{
	size_t both = base->length < image->length ? base->length : image->length;
	size_t end = at;

	while (end + 8 <= both && eight_at(base, end) == eight_at(image, end))
		end += 8;
	while (end < image->length && same_at(base, image, end))
		end++;
	return end - at;
}

/* Where the bytes from at on end that are told: at what is equal for long enough, or at the end. */
static size_t different_until(const struct text *base, const struct text *image, size_t at)
{
	while (at < image->length) {
		size_t equal = equal_from(base, image, at);

		if (equal >= EQUAL_MIN || at + equal == image->length)
			return at;
		at += equal + 1;
	}
	return image->length;
}

static void put_differences(struct text *out, const struct text *base, const struct text *image)
{
	size_t at = 0;

	while (at < image->length) {
		size_t equal = equal_from(base, image, at);
		size_t end = different_until(base, image, at + equal);

		put_varint(out, equal);
		put_varint(out, end - at - equal);
		text_add_bytes(out, image->string + at + equal, end - at - equal);
		at = end;
	}
}

void delta_put(struct text *out, struct delta_slots *slots, uint8_t slot, const struct text *image)
{
	struct text *base = &slots->images[slot];

	put_number(out, slot, 1);
	put_varint(out, image->length);
	put_differences(out, base, image);
	make_room(slots, slot, image->length);
	text_clear(base);
	text_add_bytes(base, text_string(image), image->length);
	out->failed |= base->failed | image->failed;
}

/* Makes the image as long as it is to be, with zeros behind what there is. */
static int image_resize(struct text *image, size_t length)
{
	static const char zeros[256];

	if (length < image->length)
		image->length = length;
	while (image->length < length && !image->failed) {
		size_t left = length - image->length;

		text_add_bytes(image, zeros, left < sizeof(zeros) ? left : sizeof(zeros));
	}
	return image->failed ? -ENOMEM : 0;
}

/* Zeros in a row take no room: so few bytes tell so many, but no more, or a small file could ask
 * for all memory there is. */
#define EXPANSION_MAX 64

static bool length_plausible(const struct span *span, const struct text *base, uint64_t length)
{
	return length <= IMAGE_SIZE_MAX &&
	       length <= base->length + (uint64_t)EXPANSION_MAX * span_left(span);
}

static bool take_differences(struct span *span, struct text *image)
{
	size_t at = 0;

	while (at < image->length) {
		uint64_t equal = get_varint(span);
		uint64_t count = get_varint(span);
		const uint8_t *bytes;

		if (span->bad || equal > image->length - at || count > image->length - at - equal ||
		    !(equal + count))
			return false;
		bytes = get_bytes(span, count);
		if (!bytes)
			return false;
		memcpy(image->string + at + equal, bytes, count);
		at += equal + count;
	}
	return !span->bad && !span_left(span);
}

const struct text *delta_get(struct span *span, struct delta_slots *slots)
{
	uint8_t slot = (uint8_t)get_number(span, 1);
	struct text *image = &slots->images[slot];
	uint64_t length = get_varint(span);

	if (span->bad || !length_plausible(span, image, length)) {
		errno = EBADMSG;
		return NULL;
	}
	make_room(slots, slot, length);
	if (image_resize(image, length)) {
		errno = ENOMEM;
		return NULL;
	}
	if (take_differences(span, image))
		return image;
	errno = EBADMSG;
	return NULL;
}
