// SPDX-License-Identifier: GPL-2.0-only
/* The tracepoint tier: what each table answered; user space derives the walk. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/policy_seq.bpf.h"
#include "bpf/walk.bpf.h"

char LICENSE[] SEC("license") = "GPL";

SEC("tp_btf/softirq_entry")
int BPF_PROG(softirq_entry)
{
	softirq_begin();
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

/* Run by user space, not by the kernel: reads the counters of the namespace that
 * the socket with descriptor args[0] was opened in. */
SEC("raw_tp")
int read_policy_seq(struct bpf_raw_tracepoint_args *ctx)
{
	policy_seq_read(ctx->args[0]);
	return 0;
}
