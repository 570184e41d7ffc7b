// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's side of the filter test: decides a batch of lookups as the tracing programs would. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#include "bpf/filter.bpf.h"
#include "tests/live/filter_same.h"

char LICENSE[] SEC("license") = "GPL";

struct filter_batch batch SEC(".data.batch");

/* Before the walk: begin_rejected() of bpf/hooks.bpf.h. */
static __always_inline enum filter_kind begin_decide(const struct filter_sample *sample)
{
	enum filter_kind kind;

	kind = flow_filter_kernel_rejects(&batch.filter, &sample->key, sample->pid);
	if (!kind && device_filter_rejects(&batch.in_devices, sample->key.iif))
		kind = FILTER_IIF;
	if (!kind && purpose_filter_rejects(&batch.verdict, sample->purpose))
		kind = FILTER_PURPOSE;
	return kind;
}

/* Behind it: verdict_rejected() of bpf/record.bpf.h. */
static __always_inline enum filter_kind end_decide(const struct filter_sample *sample)
{
	if (device_filter_rejects(&batch.out_devices, sample->device))
		return FILTER_OIF;
	return verdict_filter_kernel_rejects(&batch.verdict, &sample->verdict);
}

/* A function of its own, so that the verifier follows the filter's loops once and not per key. */
__noinline int sample_decide(__u32 index)
{
	struct filter_sample *sample = &batch.samples[index & (BATCH_SAMPLES - 1)];

	sample->rejected = begin_decide(sample);
	if (!sample->rejected)
		sample->rejected = end_decide(sample);
	return 0;
}

/* A kind of program that tracing uses too, and that 5.10 already runs on request. */
SEC("raw_tp")
int batch_decide(void *context)
{
	for (__u32 i = 0; i < BATCH_SAMPLES; i++)
		sample_decide(i);
	return 0;
}
