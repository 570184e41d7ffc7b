// SPDX-License-Identifier: GPL-2.0-only
/* The tracepoint tier: what each table answered; user space derives the walk. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/context_hooks.bpf.h"
#include "bpf/walk.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* Whose lookup it is, and the answer on its way; the namespace may be known already. */
static __always_inline void answer_take(void *ctx, struct answer_context *answer)
{
	__u64 task = bpf_get_current_task();

	answer->origin.level = current_level(answer->cpu, task);
	answer->walk_key = task | (answer->origin.level == LEVEL_SOFTIRQ);
	walk_answer(ctx, answer);
}

SEC("tp_btf/fib_table_lookup")
int BPF_PROG(fib_table_lookup, __u32 table, const struct flowi4 *flow,
	     const struct fib_nh_common *nexthop, int error)
{
	struct answer_context answer = {
		.cpu = cpu_state(),
		.family = FLOW_AF_INET,
		.flow = flow,
		.table = table,
		.error = error,
		.nexthop = error ? 0 : nexthop,
	};

	if (!answer.cpu || !control.enabled)
		return 0;
	/* Every lookup of a packet has an input interface; inet_addr_type()'s have none. */
	if (!flow->__fl_common.flowic_iif) {
		__sync_fetch_and_add(&answer.cpu->counts.address_checks, 1);
		if (!config.address_checks)
			return 0;
	}
	answer_take(ctx, &answer);
	return 0;
}

/* Every lookup of IPv6 is one of a packet, or of a route that is added. */
SEC("tp_btf/fib6_table_lookup")
int BPF_PROG(fib6_table_lookup, const struct net *net, const struct fib6_result *result,
	     const struct fib6_table *table, const struct flowi6 *flow)
{
	struct answer_context answer = {
		.cpu = cpu_state(),
		.family = FLOW_AF_INET6,
		.flow = flow,
		.table = table->tb6_id,
	};

	if (!answer.cpu || !control.enabled)
		return 0;
	origin_of_lookup(&answer.origin, net);
	answer_read_inet6(&answer, net, result);
	answer_take(ctx, &answer);
	return 0;
}
