// SPDX-License-Identifier: GPL-2.0-only
/* The JSON writer: commas where they belong, and valid UTF-8 JSON whatever the bytes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "render/escape.h"
#include "render/json_writer.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

struct string_row {
	const char *fact;
	const char *input;
	const char *json;
};

static const struct string_row string_rows[] = {
	{ "plain text stays", "ping", "\"ping\"" },
	{ "no bytes are an empty string", "", "\"\"" },
	{ "no string is null", NULL, "null" },
	{ "quotes and backslashes are escaped", "a\"b\\", "\"a\\\"b\\\\\"" },
	{ "control bytes are escaped", "\n\x01\x1f", "\"\\u000a\\u0001\\u001f\"" },
	{ "DEL is escaped", "\x7f", "\"\\u007f\"" },
	{ "valid UTF-8 stays", "\xc3\xa9\xf0\x9f\x90\xa7", "\"\xc3\xa9\xf0\x9f\x90\xa7\"" },
	{ "a C1 control is escaped", "\xc2\x9b", "\"\\u009b\"" },
	{ "a byte that is no UTF-8 is replaced", "a\xff", "\"a\\ufffd\"" },
	{ "each byte of a sequence cut off is replaced", "\xe2\x82", "\"\\ufffd\\ufffd\"" },
	{ "an overlong quote is replaced", "\xc0\xa2", "\"\\ufffd\\ufffd\"" },
	{ "a surrogate is replaced", "\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"" },
};

static void every_string_is_written_as_its_row_says(void **state)
{
	struct text out = { 0 };
	struct json_writer writer;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(string_rows); i++) {
		print_message("  %s\n", string_rows[i].fact);
		text_clear(&out);
		json_begin(&writer, &out);
		json_add_string(&writer, NULL, string_rows[i].input);
		assert_string_equal(text_string(&out), string_rows[i].json);
	}
	text_free(&out);
}

static void text_between_open_and_close_is_escaped_the_same(void **state)
{
	struct text out = { 0 };
	struct json_writer writer;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(string_rows); i++) {
		if (!string_rows[i].input)
			continue;
		text_clear(&out);
		json_begin(&writer, &out);
		json_open_string(&writer, NULL);
		text_add(&out, string_rows[i].input);
		json_close_string(&writer);
		assert_string_equal(text_string(&out), string_rows[i].json);
	}
	text_free(&out);
}

static void commas_stand_between_members_only(void **state)
{
	struct text out = { 0 };
	struct json_writer writer;

	(void)state;
	json_begin(&writer, &out);
	json_open_object(&writer, NULL);
	json_open_array(&writer, "empty");
	json_close_array(&writer);
	json_open_array(&writer, "list");
	json_add_unsigned(&writer, NULL, 0);
	json_open_object(&writer, NULL);
	json_close_object(&writer);
	json_add_string(&writer, NULL, "x");
	json_close_array(&writer);
	json_open_object(&writer, "inner");
	json_add_null(&writer, "null");
	json_add_true(&writer, "true");
	json_close_object(&writer);
	json_add_hex(&writer, "hex", 0xca6c);
	json_add_unsigned(&writer, "most", UINT64_MAX);
	json_close_object(&writer);
	assert_string_equal(text_string(&out), "{\"empty\":[],\"list\":[0,{},\"x\"],"
					       "\"inner\":{\"null\":null,\"true\":true},"
					       "\"hex\":\"0xca6c\",\"most\":18446744073709551615}");
	text_free(&out);
}

static void assert_valid_string(const struct text *out)
{
	size_t at = 0;

	assert_int_equal(out->string[0], '"');
	assert_int_equal(out->string[out->length - 1], '"');
	while (at < out->length) {
		uint32_t point = 0;
		size_t size = escape_decode(out->string + at, out->length - at, &point);

		assert_int_not_equal(size, 0);
		assert_false(point < 0x20 || (point >= 0x7f && point < 0xa0));
		at += size;
	}
}

static void any_three_bytes_make_a_valid_string(void **state)
{
	/* The boundaries of every form of UTF-8, and what JSON and terminals treat specially. */
	static const uint8_t bytes[] = { 0x00, 0x1f, '"',  '\\', 'a',  0x7f, 0x80, 0x8f,
					 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf,
					 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0xff };
	size_t count = ARRAY_SIZE(bytes);
	struct text out = { 0 };
	struct json_writer writer;

	(void)state;
	for (size_t i = 0; i < count * count * count; i++) {
		char three[3] = { (char)bytes[i / count / count], (char)bytes[i / count % count],
				  (char)bytes[i % count] };

		text_clear(&out);
		json_begin(&writer, &out);
		json_open_string(&writer, NULL);
		text_add_bytes(&out, three, sizeof(three));
		json_close_string(&writer);
		assert_valid_string(&out);
	}
	text_free(&out);
}

static void a_long_key_is_written_whole(void **state)
{
	struct text out = { 0 };
	struct json_writer writer;
	char key[200];

	(void)state;
	memset(key, 'k', sizeof(key) - 1);
	key[sizeof(key) - 1] = '\0';
	json_begin(&writer, &out);
	json_open_object(&writer, NULL);
	json_add_null(&writer, key);
	assert_int_equal(out.length, strlen("{\"\":null") + strlen(key));
	assert_memory_equal(out.string + 2, key, strlen(key));
	text_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_string_is_written_as_its_row_says),
		cmocka_unit_test(text_between_open_and_close_is_escaped_the_same),
		cmocka_unit_test(commas_stand_between_members_only),
		cmocka_unit_test(any_three_bytes_make_a_valid_string),
		cmocka_unit_test(a_long_key_is_written_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
