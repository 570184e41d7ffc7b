// SPDX-License-Identifier: GPL-2.0-only
/* Names that came from the kernel or a user, made safe for a terminal or for KEY=VALUE. */
#include "render/escape.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* A form of UTF-8: lead bytes first..last, so many more bytes, no smaller code point than least. */
struct utf8_form {
	uint8_t first;
	uint8_t last;
	uint8_t more;
	uint32_t least;
};

static const struct utf8_form utf8_forms[] = {
	{ 0x00, 0x7f, 0, 0 },
	{ 0xc2, 0xdf, 1, 0x80 },
	{ 0xe0, 0xef, 2, 0x800 },
	{ 0xf0, 0xf4, 3, 0x10000 },
};

struct point_range {
	uint32_t first;
	uint32_t last;
};

/* Controls, marks that turn the writing direction, and invisible characters. */
static const struct point_range unprintable[] = {
	{ 0x00, 0x1f },	    { '\\', '\\' },	  { 0x7f, 0x9f },	 { 0xad, 0xad },
	{ 0x61c, 0x61c },   { 0x180e, 0x180e },	  { 0x200b, 0x200f },	 { 0x2028, 0x202e },
	{ 0x2060, 0x206f }, { 0xfeff, 0xfeff },	  { 0xfff9, 0xfffb },	 { 0xfffe, 0xffff },
	{ 0xe000, 0xf8ff }, { 0xe0000, 0xe0fff }, { 0xf0000, 0x10ffff },
};

static const struct point_range spaces[] = {
	{ ' ', ' ' },	    { 0xa0, 0xa0 },	{ 0x1680, 0x1680 }, { 0x2000, 0x200a },
	{ 0x202f, 0x202f }, { 0x205f, 0x205f }, { 0x3000, 0x3000 },
};

static const struct utf8_form *utf8_form_of(uint8_t lead)
{
	for (size_t i = 0; i < ARRAY_SIZE(utf8_forms); i++) {
		if (lead >= utf8_forms[i].first && lead <= utf8_forms[i].last)
			return &utf8_forms[i];
	}
	return NULL;
}

size_t escape_decode(const char *bytes, size_t length, uint32_t *point)
{
	const struct utf8_form *form = length ? utf8_form_of((uint8_t)bytes[0]) : NULL;
	uint32_t value;

	if (!form || length < 1u + form->more)
		return 0;
	value = (uint8_t)bytes[0] & (form->more ? 0x3fu >> form->more : 0x7fu);
	for (size_t i = 1; i <= form->more; i++) {
		if (((uint8_t)bytes[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | ((uint8_t)bytes[i] & 0x3f);
	}
	if (value < form->least || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
		return 0;
	*point = value;
	return 1u + form->more;
}

size_t escape_columns(const char *bytes, size_t length)
{
	size_t columns = 0;

	for (size_t i = 0; i < length; i++)
		columns += ((uint8_t)bytes[i] & 0xc0) != 0x80;
	return columns;
}

static bool point_listed(uint32_t point, const struct point_range *ranges, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (point >= ranges[i].first && point <= ranges[i].last)
			return true;
	}
	return false;
}

static void add_escaped_bytes(struct text *out, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		uint8_t byte = (uint8_t)bytes[i];
		char escaped[4] = { '\\', 'x', "0123456789abcdef"[byte >> 4],
				    "0123456789abcdef"[byte & 15] };

		text_add_bytes(out, escaped, sizeof(escaped));
	}
}

/* What is escaped besides what never prints. */
struct escape_rules {
	bool ascii; /* all that is not ASCII */
	bool no_spaces; /* every kind of space */
};

static bool point_escaped(uint32_t point, struct escape_rules rules)
{
	if (rules.ascii && point > 0x7f)
		return true;
	if (rules.no_spaces && point_listed(point, spaces, ARRAY_SIZE(spaces)))
		return true;
	return point_listed(point, unprintable, ARRAY_SIZE(unprintable));
}

/* Nearly all names are such bytes throughout. */
static size_t plain_length(const char *bytes, size_t length)
{
	size_t at = 0;

	while (at < length && bytes[at] > ' ' && bytes[at] < 0x7f && bytes[at] != '\\')
		at++;
	return at;
}

static void add_escaped(struct text *out, const char *bytes, size_t length,
			struct escape_rules rules)
{
	size_t at = 0;

	while (at < length) {
		size_t size = plain_length(bytes + at, length - at);
		uint32_t point = 'a';

		if (!size)
			size = escape_decode(bytes + at, length - at, &point);
		if (!size)
			add_escaped_bytes(out, bytes + at, 1);
		else if (point_escaped(point, rules))
			add_escaped_bytes(out, bytes + at, size);
		else
			text_add_bytes(out, bytes + at, size);
		at += size ? size : 1;
	}
}

void escape_terminal(struct text *out, const char *bytes, size_t length, bool ascii)
{
	add_escaped(out, bytes, length, (struct escape_rules){ .ascii = ascii });
}

void escape_value(struct text *out, const char *bytes, size_t length, bool ascii)
{
	if (!length)
		text_add_char(out, '-');
	else if (length == 1 && bytes[0] == '-')
		add_escaped_bytes(out, bytes, 1); /* a name "-" is not an empty value */
	else
		add_escaped(out, bytes, length,
			    (struct escape_rules){ .ascii = ascii, .no_spaces = true });
}
