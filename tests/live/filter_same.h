/* SPDX-License-Identifier: GPL-2.0-only */
/* What both sides of the filter test share: one filter, and the lookups it is asked about. */
#ifndef FIBTRACE_TESTS_FILTER_SAME_H
#define FIBTRACE_TESTS_FILTER_SAME_H

#include "bpf/filter.h"
#include "bpf/flow.h"

#define BATCH_SAMPLES 64

/* A lookup as the filters see it. device: the verdict's, 0: none. */
struct filter_sample {
	struct flow_key key;
	struct verdict_subject verdict;
	__u32 pid;
	__u32 purpose; /* enum purpose */
	__u32 device;
	__u32 rejected; /* enum filter_kind, as the kernel's side decides */
};

struct filter_batch {
	struct flow_filter filter;
	struct verdict_filter verdict;
	struct device_filter in_devices;
	struct device_filter out_devices;
	struct filter_sample samples[BATCH_SAMPLES];
};

#endif
