/* SPDX-License-Identifier: GPL-2.0-only */
/* The program of both exact tiers that sees what each table of IPv6 answered. */
#ifndef FIBTRACE_BPF_TABLE6_HOOK_BPF_H
#define FIBTRACE_BPF_TABLE6_HOOK_BPF_H

#include <bpf/bpf_tracing.h>

#include "bpf/hooks6.bpf.h"

SEC("tp_btf/fib6_table_lookup")
int BPF_PROG(fib6_table_lookup, const struct net *net, const struct fib6_result *result,
	     const struct fib6_table *table, const struct flowi6 *flow)
{
	table6_answered((__u64)ctx, net, result, table, flow);
	return 0;
}

#endif
