// SPDX-License-Identifier: GPL-2.0-only
/* Escaping: nothing that a kernel name holds reaches a terminal as anything but text. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "render/escape.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

struct row {
	const char *fact;
	const char *input;
	const char *terminal;
	const char *value;
	const char *ascii; /* escape_value() for an ASCII terminal */
};

static const struct row rows[] = {
	{ "plain text stays", "eth0", "eth0", "eth0", "eth0" },
	{ "equal signs stay", "a=b", "a=b", "a=b", "a=b" },
	{ "a space is escaped in values only", "a b", "a b", "a\\x20b", "a\\x20b" },
	{ "no bytes are a dash in values only", "", "", "-", "-" },
	{ "a lone dash is told from an empty value", "-", "-", "\\x2d", "\\x2d" },
	{ "a dash in a name stays", "a-b", "a-b", "a-b", "a-b" },
	{ "backslashes are escaped", "a\\x20", "a\\x5cx20", "a\\x5cx20", "a\\x5cx20" },
	{ "escape sequences are disarmed", "\033[31m", "\\x1b[31m", "\\x1b[31m", "\\x1b[31m" },
	{ "line ends are escaped", "a\nb\r\t", "a\\x0ab\\x0d\\x09", "a\\x0ab\\x0d\\x09",
	  "a\\x0ab\\x0d\\x09" },
	{ "DEL is escaped", "\x7f", "\\x7f", "\\x7f", "\\x7f" },
	{ "valid UTF-8 stays unless ASCII is wanted", "\xc3\xa9", "\xc3\xa9", "\xc3\xa9",
	  "\\xc3\\xa9" },
	{ "four-byte UTF-8 stays", "\xf0\x9f\x90\xa7", "\xf0\x9f\x90\xa7", "\xf0\x9f\x90\xa7",
	  "\\xf0\\x9f\\x90\\xa7" },
	{ "a C1 control in UTF-8 is escaped", "\xc2\x9b", "\\xc2\\x9b", "\\xc2\\x9b",
	  "\\xc2\\x9b" },
	{ "a lone continuation byte is escaped", "\x9b", "\\x9b", "\\x9b", "\\x9b" },
	{ "a sequence cut off is escaped", "a\xe2\x82", "a\\xe2\\x82", "a\\xe2\\x82",
	  "a\\xe2\\x82" },
	{ "an overlong form is escaped", "\xc0\xaf", "\\xc0\\xaf", "\\xc0\\xaf", "\\xc0\\xaf" },
	{ "an overlong three-byte form is escaped", "\xe0\x80\xaf", "\\xe0\\x80\\xaf",
	  "\\xe0\\x80\\xaf", "\\xe0\\x80\\xaf" },
	{ "a surrogate is escaped", "\xed\xa0\x80", "\\xed\\xa0\\x80", "\\xed\\xa0\\x80",
	  "\\xed\\xa0\\x80" },
	{ "what is beyond Unicode is escaped", "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80",
	  "\\xf4\\x90\\x80\\x80", "\\xf4\\x90\\x80\\x80" },
	{ "a right-to-left override is escaped", "\xe2\x80\xae", "\\xe2\\x80\\xae",
	  "\\xe2\\x80\\xae", "\\xe2\\x80\\xae" },
	{ "a no-break space is a space", "a\xc2\xa0", "a\xc2\xa0", "a\\xc2\\xa0", "a\\xc2\\xa0" },
};

static void every_row_is_escaped_as_written(void **state)
{
	struct text out = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];
		size_t length = strlen(row->input);

		print_message("  %s\n", row->fact);
		text_clear(&out);
		escape_terminal(&out, row->input, length, false);
		assert_string_equal(text_string(&out), row->terminal);
		text_clear(&out);
		escape_value(&out, row->input, length, false);
		assert_string_equal(text_string(&out), row->value);
		text_clear(&out);
		escape_value(&out, row->input, length, true);
		assert_string_equal(text_string(&out), row->ascii);
	}
	text_free(&out);
}

static void a_nul_byte_is_escaped(void **state)
{
	struct text out = { 0 };

	(void)state;
	escape_value(&out, "a\0b", 3, false);
	assert_string_equal(text_string(&out), "a\\x00b");
	text_free(&out);
}

static void values_of_any_two_bytes_hold_no_space_and_no_control(void **state)
{
	struct text out = { 0 };

	(void)state;
	for (unsigned int pair = 0; pair < 0x10000; pair++) {
		char bytes[2] = { (char)(pair >> 8), (char)pair };

		text_clear(&out);
		escape_value(&out, bytes, 2, true);
		for (size_t i = 0; i < out.length; i++)
			assert_in_range(out.string[i], 0x21, 0x7e);
	}
	text_free(&out);
}

static void columns_count_code_points(void **state)
{
	(void)state;
	assert_int_equal(escape_columns("", 0), 0);
	assert_int_equal(escape_columns("abc", 3), 3);
	assert_int_equal(escape_columns("\xc3\xa9\xe2\x96\xb6", 5), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_escaped_as_written),
		cmocka_unit_test(a_nul_byte_is_escaped),
		cmocka_unit_test(values_of_any_two_bytes_hold_no_space_and_no_control),
		cmocka_unit_test(columns_count_code_points),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
