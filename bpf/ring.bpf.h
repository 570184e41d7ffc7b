/* SPDX-License-Identifier: GPL-2.0-only */
/* The ring buffer that everything goes to user space through. */
#ifndef FIBTRACE_BPF_RING_BPF_H
#define FIBTRACE_BPF_RING_BPF_H

#include "bpf/context.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 << 20);
} events SEC(".maps");

static __always_inline __u32 wakeup_flag(void)
{
	if (bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) >= config.wakeup_bytes)
		return BPF_RB_FORCE_WAKEUP;
	return BPF_RB_NO_WAKEUP;
}

#endif
