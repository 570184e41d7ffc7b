// SPDX-License-Identifier: GPL-2.0-only
/* Names are counted, however many there are, and come in the order of their counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "util/tally.h"

static void equal_names_are_one(void **state)
{
	struct tally tally = { 0 };

	(void)state;
	assert_int_equal(tally_add(&tally, "b"), 0);
	assert_int_equal(tally_add(&tally, "a"), 0);
	assert_int_equal(tally_add(&tally, "b"), 0);
	assert_int_equal(tally_add(&tally, ""), 0);
	assert_int_equal(tally_add(&tally, "c"), 0);
	tally_sort(&tally);
	assert_int_equal(tally.count, 4);
	assert_string_equal(tally.entries[0].name, "b");
	assert_int_equal(tally.entries[0].count, 2);
	assert_string_equal(tally.entries[1].name, "");
	assert_string_equal(tally.entries[2].name, "a");
	assert_string_equal(tally.entries[3].name, "c");
	tally_free(&tally);
}

/* Each twice, and more of them than are kept apart. */
static void many_names_are_counted(void **state)
{
	struct tally tally = { 0 };
	char name[16];

	(void)state;
	for (int round = 0; round < 2; round++) {
		for (unsigned int i = 0; i < TALLY_NAMES_MAX + 10; i++) {
			snprintf(name, sizeof(name), "%u", i);
			assert_int_equal(tally_add(&tally, name), 0);
		}
	}
	assert_int_equal(tally.count, TALLY_NAMES_MAX);
	assert_int_equal(tally.others, 20);
	for (size_t i = 0; i < tally.count; i++)
		assert_int_equal(tally.entries[i].count, 2);
	tally_free(&tally);
}

static void nothing_is_valid(void **state)
{
	struct tally tally = { 0 };

	(void)state;
	tally_sort(&tally);
	assert_int_equal(tally.count, 0);
	tally_free(&tally);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_names_are_one),
		cmocka_unit_test(many_names_are_counted),
		cmocka_unit_test(nothing_is_valid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
