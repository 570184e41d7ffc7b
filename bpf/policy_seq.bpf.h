/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's own counters of policy changes: in events, and read when user space asks. */
#ifndef FIBTRACE_BPF_POLICY_SEQ_BPF_H
#define FIBTRACE_BPF_POLICY_SEQ_BPF_H

#include "bpf/context.bpf.h"

/* Whether rules are walked at all; kernel_has_rules() is for the caller to ask. */
static __always_inline bool net_has_custom_rules(const struct net *net, __u8 family)
{
	if (family == FLOW_AF_INET6)
		return BPF_CORE_READ(net, ipv6.fib6_has_custom_rules);
	return BPF_CORE_READ(net, ipv4.fib_has_custom_rules);
}

/* The factor keeps a removal from looking like an addition. */
static __always_inline __u32 routes6_seq(const struct net *net)
{
	__u32 additions = BPF_CORE_READ(net, ipv6.fib6_sernum.counter);

	return additions * POLICY_SEQ6_FACTOR + BPF_CORE_READ(net, ipv6.rt6_stats, fib_rt_entries);
}

/* net may be NULL: nothing is known then. */
static __always_inline void policy_seq_fill(struct policy_seq *seq, const struct net *net,
					    __u8 family)
{
	seq->known = net && kernel_has_rules(family) && kernel_counts_routes(family);
	if (!seq->known)
		return;
	if (family == FLOW_AF_INET6) {
		seq->rules = BPF_CORE_READ(net, ipv6.fib6_rules_ops, fib_rules_seq);
		seq->routes = routes6_seq(net);
		return;
	}
	seq->rules = BPF_CORE_READ(net, ipv4.rules_ops, fib_rules_seq);
	seq->routes = BPF_CORE_READ(net, ipv4.fib_seq);
}

static __always_inline const struct net *socket_net(__u64 descriptor)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct file **files = BPF_CORE_READ(task, files, fdt, fd);
	const struct socket *socket;
	const struct file *file = 0;

	bpf_probe_read_kernel(&file, sizeof(file), files + descriptor);
	socket = BPF_CORE_READ(file, private_data);
	return BPF_CORE_READ(socket, sk, __sk_common.skc_net.net);
}

static __always_inline void policy_seq_read(__u64 descriptor)
{
	const struct net *net = socket_net(descriptor);

	policy_seq_fill(&control.seq[FLOW_FAMILY_SLOT(FLOW_AF_INET)], net, FLOW_AF_INET);
	policy_seq_fill(&control.seq[FLOW_FAMILY_SLOT(FLOW_AF_INET6)], net, FLOW_AF_INET6);
}

#endif
