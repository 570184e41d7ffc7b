// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's side of the filter test: decides a batch of keys as the tracing programs would. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#include "bpf/filter.bpf.h"
#include "tests/live/filter_same.h"

char LICENSE[] SEC("license") = "GPL";

struct filter_batch batch SEC(".data.batch");

/* A function of its own, so that the verifier follows the filter's loops once and not per key. */
__noinline int sample_decide(__u32 index)
{
	struct filter_sample *sample = &batch.samples[index & (BATCH_SAMPLES - 1)];

	sample->rejected = flow_filter_kernel_rejects(&batch.filter, &sample->key, sample->pid);
	return 0;
}

SEC("syscall")
int batch_decide(void *context)
{
	for (__u32 i = 0; i < BATCH_SAMPLES; i++)
		sample_decide(i);
	return 0;
}
