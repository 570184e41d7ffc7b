/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's own counters of policy changes, read when user space asks. */
#ifndef FIBTRACE_BPF_POLICY_SEQ_BPF_H
#define FIBTRACE_BPF_POLICY_SEQ_BPF_H

#include "bpf/context.bpf.h"

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
	struct policy_seq *seq = &control.seq[FLOW_FAMILY_SLOT(FLOW_AF_INET)];

	seq->known = net && kernel_has_rules();
	if (!seq->known)
		return;
	seq->rules = BPF_CORE_READ(net, ipv4.rules_ops, fib_rules_seq);
	seq->routes = BPF_CORE_READ(net, ipv4.fib_seq);
}

#endif
