/* SPDX-License-Identifier: GPL-2.0-only */
/* The programs that every tier has: which softirq runs, which packet it handles, and the counters
 * of policy changes. */
#ifndef FIBTRACE_BPF_CONTEXT_HOOKS_BPF_H
#define FIBTRACE_BPF_CONTEXT_HOOKS_BPF_H

#include <bpf/bpf_tracing.h>

#include "bpf/context.bpf.h"
#include "bpf/policy_seq.bpf.h"

SEC("tp_btf/softirq_entry")
int BPF_PROG(softirq_entry, __u32 vector)
{
	softirq_begin(vector);
	return 0;
}

SEC("tp_btf/softirq_exit")
int BPF_PROG(softirq_exit)
{
	softirq_end();
	return 0;
}

SEC("tp_btf/netif_receive_skb")
int BPF_PROG(netif_receive_skb, const struct sk_buff *packet)
{
	packet_received(packet);
	return 0;
}

/* Run by user space, not by the kernel: reads the counters of the namespace that
 * the socket with descriptor args[0] was opened in. */
SEC("raw_tp")
int read_policy_seq(struct bpf_raw_tracepoint_args *ctx)
{
	policy_seq_read(ctx->args[0]);
	return 0;
}

#endif
