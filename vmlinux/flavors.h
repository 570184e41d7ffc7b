/* SPDX-License-Identifier: GPL-2.0-only */
/* Every difference between kernels 5.10 and the newest, each behind a getter. */
#ifndef FIBTRACE_FLAVORS_H
#define FIBTRACE_FLAVORS_H

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/* flowic_tos (seen up to 6.16) became flowic_dscp, with the same eight bits (seen from 6.18 on). */
struct flowi_common___tos {
	__u8 flowic_tos;
} __attribute__((preserve_access_index));

struct flowi_common___dscp {
	__u8 flowic_dscp;
} __attribute__((preserve_access_index));

static __always_inline __u8 flow_tos(const struct flowi_common *flow)
{
	const struct flowi_common___tos *tos = (const void *)flow;
	const struct flowi_common___dscp *dscp = (const void *)flow;

	if (bpf_core_field_exists(tos->flowic_tos))
		return tos->flowic_tos;
	return dscp->flowic_dscp;
}

/* flowic_l3mdev came with 6.1 (and by backport with 5.15); 5.10 has none and
 * puts the VRF's index into oif or iif before the rules run. */
struct flowi_common___l3mdev {
	int flowic_l3mdev;
} __attribute__((preserve_access_index));

static __always_inline __u32 flow_l3mdev(const struct flowi_common *flow)
{
	const struct flowi_common___l3mdev *l3mdev = (const void *)flow;

	if (bpf_core_field_exists(l3mdev->flowic_l3mdev))
		return l3mdev->flowic_l3mdev;
	return 0;
}

/* How much of a kernel's structure is copied: all of it, or as much as there is room for. */
static __always_inline __u32 kernel_size(__u32 size, __u32 room)
{
	return size < room ? size : room;
}

/*
 * fib4_rule.tos (5.10) became dscp (seen in 6.1), with the same eight bits;
 * dscp_full, set by FRA_DSCP, came with 6.12, dscp_mask with 6.16. They are read
 * from a copy of the rule.
 */
struct fib4_rule___tos {
	__u8 tos;
} __attribute__((preserve_access_index));

struct fib4_rule___dscp {
	__u8 dscp;
} __attribute__((preserve_access_index));

struct fib4_rule___full {
	__u8 dscp_full : 1;
} __attribute__((preserve_access_index));

struct fib4_rule___mask {
	__u8 dscp_mask;
} __attribute__((preserve_access_index));

static __always_inline __u8 rule_tos(const struct fib4_rule *rule)
{
	const struct fib4_rule___tos *tos = (const void *)rule;
	const struct fib4_rule___dscp *dscp = (const void *)rule;

	if (bpf_core_field_exists(tos->tos))
		return tos->tos;
	return dscp->dscp;
}

static __always_inline bool rule_dscp_full(const struct fib4_rule *rule)
{
	const struct fib4_rule___full *full = (const void *)rule;

	return bpf_core_field_exists(full->dscp_full) && BPF_CORE_READ_BITFIELD(full, dscp_full);
}

static __always_inline __u8 rule_dscp_mask(const struct fib4_rule *rule)
{
	const struct fib4_rule___mask *mask = (const void *)rule;

	return bpf_core_field_exists(mask->dscp_mask) ? mask->dscp_mask : 0xfc;
}

/* fib_rule.sport_mask and dport_mask came with 6.16; without them a port range has none. */
struct fib_rule___masks {
	__u16 sport_mask;
	__u16 dport_mask;
} __attribute__((preserve_access_index));

static __always_inline __u16 rule_sport_mask(const struct fib_rule *rule)
{
	const struct fib_rule___masks *masks = (const void *)rule;

	return bpf_core_field_exists(masks->sport_mask) ? masks->sport_mask : 0;
}

static __always_inline __u16 rule_dport_mask(const struct fib_rule *rule)
{
	const struct fib_rule___masks *masks = (const void *)rule;

	return bpf_core_field_exists(masks->dport_mask) ? masks->dport_mask : 0;
}

/* Without CONFIG_IP_MULTIPLE_TABLES a namespace has neither rules nor their sequence number. */
static __always_inline bool kernel_has_rules(void)
{
	return bpf_core_field_exists(((struct netns_ipv4 *)0)->rules_ops);
}

/* bpf_task_pt_regs() and the current task as a BTF pointer came with 5.15 and 5.11. */
static __always_inline bool kernel_has_task_regs(void)
{
	return bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs);
}

static __always_inline bool kernel_has_current_task_btf(void)
{
	return bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf);
}

/*
 * Since 5.15 a trampoline's program is not run on a CPU that was interrupted in
 * it (bpf_prog.active): what happens there meanwhile is seen in part.
 */
struct bpf_prog___active {
	int *active;
} __attribute__((preserve_access_index));

static __always_inline bool kernel_skips_nested_programs(void)
{
	return bpf_core_field_exists(((struct bpf_prog___active *)0)->active);
}

#define KERNEL_PF_KTHREAD 0x00200000

static __always_inline __u32 current_flags(void)
{
	if (kernel_has_current_task_btf())
		return bpf_get_current_task_btf()->flags;
	return BPF_CORE_READ((struct task_struct *)bpf_get_current_task(), flags);
}

/* The network namespace of the current task, and its inode number. */
static __always_inline const struct net *current_net(__u32 *inode)
{
	const struct net *net;

	if (kernel_has_current_task_btf()) {
		net = bpf_get_current_task_btf()->nsproxy->net_ns;
		*inode = net->ns.inum;
		return net;
	}
	net = BPF_CORE_READ((struct task_struct *)bpf_get_current_task(), nsproxy, net_ns);
	*inode = BPF_CORE_READ(net, ns.inum);
	return net;
}

#ifdef __TARGET_ARCH_x86
/* THREAD_SIZE without KASAN, and the segments of 64-bit user space. */
#define TASK_STACK_SIZE 0x4000
#define USER_CS 0x33
#define USER_DS 0x2b

/*
 * The registers with which the current task entered the kernel: before
 * bpf_task_pt_regs() the place where task_pt_regs() finds them. NULL when what
 * lies there was not saved from user space, as with the larger stacks of KASAN.
 */
static __always_inline const struct pt_regs *current_regs(void)
{
	const struct task_struct *task;
	const struct pt_regs *regs;

	if (kernel_has_task_regs() && kernel_has_current_task_btf())
		return (const void *)bpf_task_pt_regs(bpf_get_current_task_btf());
	task = (const void *)bpf_get_current_task();
	regs = (const void *)(BPF_CORE_READ(task, stack) + TASK_STACK_SIZE -
			      bpf_core_type_size(struct pt_regs));
	if (BPF_CORE_READ(regs, cs) != USER_CS || BPF_CORE_READ(regs, ss) != USER_DS)
		return 0;
	return regs;
}
#endif

/*
 * The system call in progress and its first argument, the descriptor of those
 * that send. -1 where the kernel or the machine does not tell.
 */
static __always_inline __s32 current_syscall(__u64 *first_argument)
{
#ifdef __TARGET_ARCH_x86
	const struct pt_regs *regs = current_regs();

	if (regs) {
		*first_argument = BPF_CORE_READ(regs, di);
		return (__s32)BPF_CORE_READ(regs, orig_ax);
	}
#endif
	*first_argument = 0;
	return -1;
}

#define KERNEL_IPPROTO_UDP 17

/* A socket of the kernel that carries packets of a tunnel: WireGuard's and their like. */
static __always_inline bool socket_is_tunnel(const struct sock *socket)
{
	const struct udp_sock *udp = (const void *)socket;

	return socket && BPF_CORE_READ(socket, sk_protocol) == KERNEL_IPPROTO_UDP &&
	       BPF_CORE_READ_BITFIELD_PROBED(socket, sk_kern_sock) &&
	       BPF_CORE_READ(udp, encap_type);
}

#endif
