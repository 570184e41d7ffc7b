/* SPDX-License-Identifier: GPL-2.0-only */
/* The ring buffer that everything goes to user space through. */
#ifndef FIBTRACE_BPF_RING_BPF_H
#define FIBTRACE_BPF_RING_BPF_H

#include "bpf/context.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 << 20);
} events SEC(".maps");

/* Where the buffer's end was when user space was woken last. Two processors may both wake it. */
__u64 woken_at;

/* A wakeup is an interrupt that the processor sends itself, and costs more than the event: a reader
 * that has much to read, and so is awake, is woken again for every eighth of that only. */
static __always_inline __u32 wakeup_flag(void)
{
	__u64 end;

	if (bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) < config.wakeup_bytes)
		return BPF_RB_NO_WAKEUP;
	end = bpf_ringbuf_query(&events, BPF_RB_PROD_POS);
	if (end - woken_at < config.wakeup_bytes / 8)
		return BPF_RB_NO_WAKEUP;
	woken_at = end;
	return BPF_RB_FORCE_WAKEUP;
}

#endif
