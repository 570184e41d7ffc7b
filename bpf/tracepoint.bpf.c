// SPDX-License-Identifier: GPL-2.0-only
/* The tracepoint tier: what each table answered; user space derives the walk. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/context_hooks.bpf.h"
#include "bpf/walk.bpf.h"

char LICENSE[] SEC("license") = "GPL";

SEC("tp_btf/fib_table_lookup")
int BPF_PROG(fib_table_lookup, __u32 table, const struct flowi4 *flow,
	     const struct fib_nh_common *nexthop, int error)
{
	struct answer_context answer = {
		.cpu = cpu_state(),
		.flow = flow,
		.table = table,
		.error = error,
		.nexthop = error ? 0 : nexthop,
	};
	__u64 task = bpf_get_current_task();

	if (!answer.cpu || !control.enabled)
		return 0;
	/* Every lookup of a packet has an input interface; inet_addr_type()'s have none. */
	if (!flow->__fl_common.flowic_iif) {
		__sync_fetch_and_add(&answer.cpu->counts.address_checks, 1);
		if (!config.address_checks)
			return 0;
	}
	answer.origin.level = current_level(answer.cpu, task);
	answer.walk_key = task | (answer.origin.level == LEVEL_SOFTIRQ);
	walk_answer(ctx, &answer);
	return 0;
}
