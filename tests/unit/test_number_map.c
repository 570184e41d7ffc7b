// SPDX-License-Identifier: GPL-2.0-only
/* A map keeps what was set for each number, however many there are and whatever was removed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "util/number_map.h"

#define NUMBERS 5000
#define FIRST 4026531840u

/* Each number's value is its place here. */
static char places[NUMBERS];

static void assert_holds(const struct number_map *map, size_t i)
{
	assert_ptr_equal(number_map_get(map, FIRST + i), &places[i]);
}

static void fill(struct number_map *map)
{
	for (size_t i = 0; i < NUMBERS; i++)
		assert_int_equal(number_map_set(map, FIRST + i, &places[i]), 0);
}

static void an_empty_map_has_nothing(void **state)
{
	struct number_map map = { 0 };

	(void)state;
	assert_null(number_map_get(&map, 0));
	assert_null(number_map_get(&map, FIRST));
	number_map_remove(&map, FIRST);
	assert_int_equal(map.count, 0);
	number_map_clear(&map);
}

static void each_number_has_its_own_value(void **state)
{
	struct number_map map = { 0 };

	(void)state;
	fill(&map);
	assert_int_equal(map.count, NUMBERS);
	for (size_t i = 0; i < NUMBERS; i++)
		assert_holds(&map, i);
	assert_null(number_map_get(&map, FIRST + NUMBERS));
	number_map_clear(&map);
	assert_null(number_map_get(&map, FIRST));
}

static void a_value_takes_the_place_of_the_one_before(void **state)
{
	struct number_map map = { 0 };

	(void)state;
	assert_int_equal(number_map_set(&map, 7, &places[0]), 0);
	assert_int_equal(number_map_set(&map, 7, &places[1]), 0);
	assert_int_equal(map.count, 1);
	assert_ptr_equal(number_map_get(&map, 7), &places[1]);
	number_map_clear(&map);
}

static void what_is_removed_hides_no_other(void **state)
{
	struct number_map map = { 0 };

	(void)state;
	fill(&map);
	for (size_t i = 0; i < NUMBERS; i += 3)
		number_map_remove(&map, FIRST + i);
	for (size_t i = 0; i < NUMBERS; i++) {
		if (i % 3)
			assert_holds(&map, i);
		else
			assert_null(number_map_get(&map, FIRST + i));
	}
	for (size_t i = 0; i < NUMBERS; i++)
		number_map_remove(&map, FIRST + i);
	assert_int_equal(map.count, 0);
	fill(&map);
	for (size_t i = 0; i < NUMBERS; i++)
		assert_holds(&map, i);
	number_map_clear(&map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_map_has_nothing),
		cmocka_unit_test(each_number_has_its_own_value),
		cmocka_unit_test(a_value_takes_the_place_of_the_one_before),
		cmocka_unit_test(what_is_removed_hides_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
