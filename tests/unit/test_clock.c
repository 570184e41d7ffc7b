// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's time as wall-clock time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <time.h>

#include "clock.h"

#define SECOND 1000000000ull

static void a_moment_is_moved_by_the_offset(void **state)
{
	struct clock clock = { .offset_ns = 5 };

	(void)state;
	assert_int_equal(clock_realtime(&clock, 10), 15);
	clock.offset_ns = -5;
	assert_int_equal(clock_realtime(&clock, 10), 5);
}

static void now_is_between_two_looks_at_the_wall_clock(void **state)
{
	struct clock clock;
	struct timespec before, after;
	uint64_t now;

	(void)state;
	clock_gettime(CLOCK_REALTIME, &before);
	clock_init(&clock);
	now = clock_realtime(&clock, clock_boottime_now());
	clock_gettime(CLOCK_REALTIME, &after);
	/* The second between is for a machine that is busy while the clock is read. */
	assert_in_range(now, (before.tv_sec - 1) * SECOND, (after.tv_sec + 2) * SECOND);
}

static void the_offset_is_sampled_every_ten_seconds(void **state)
{
	struct clock clock;
	uint64_t now = clock_boottime_now();

	(void)state;
	clock = (struct clock){ .offset_ns = 1, .sampled_ns = now };
	clock_sample(&clock);
	assert_int_equal(clock.offset_ns, 1);
	clock.sampled_ns = now - 10 * SECOND;
	clock_sample(&clock);
	assert_int_not_equal(clock.offset_ns, 1);
	assert_true(clock.sampled_ns >= now);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_moment_is_moved_by_the_offset),
		cmocka_unit_test(now_is_between_two_looks_at_the_wall_clock),
		cmocka_unit_test(the_offset_is_sampled_every_ten_seconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
