// SPDX-License-Identifier: GPL-2.0-only
/* CLOCK_BOOTTIME, by which the kernel side stamps events, as wall-clock time. */
#include "clock.h"

#include <time.h>

#define SAMPLE_EVERY_NS (10 * 1000000000ull)

static uint64_t clock_now(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (uint64_t)now.tv_sec * 1000000000u + now.tv_nsec;
}

uint64_t clock_boottime_now(void)
{
	return clock_now(CLOCK_BOOTTIME);
}

void clock_init(struct clock *clock)
{
	uint64_t before = clock_boottime_now();
	uint64_t realtime = clock_now(CLOCK_REALTIME);
	uint64_t after = clock_boottime_now();

	clock->sampled_ns = after;
	clock->offset_ns = (int64_t)(realtime - (before + (after - before) / 2));
}

void clock_sample(struct clock *clock)
{
	if (clock_boottime_now() - clock->sampled_ns >= SAMPLE_EVERY_NS)
		clock_init(clock);
}

uint64_t clock_realtime(const struct clock *clock, uint64_t boottime_ns)
{
	return boottime_ns + clock->offset_ns;
}
