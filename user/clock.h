/* SPDX-License-Identifier: GPL-2.0-only */
/* CLOCK_BOOTTIME, by which the kernel side stamps events, as wall-clock time. */
#ifndef FIBTRACE_CLOCK_H
#define FIBTRACE_CLOCK_H

#include <stdint.h>

/* offset_ns: CLOCK_REALTIME minus CLOCK_BOOTTIME when it was sampled last. */
struct clock {
	int64_t offset_ns;
	uint64_t sampled_ns;
};

uint64_t clock_boottime_now(void);

void clock_init(struct clock *clock);
/* Samples the offset anew every 10 s; cheap otherwise. */
void clock_sample(struct clock *clock);
/* CLOCK_REALTIME, in nanoseconds, of a moment of CLOCK_BOOTTIME. */
uint64_t clock_realtime(const struct clock *clock, uint64_t boottime_ns);

#endif
