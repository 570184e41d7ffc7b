/* SPDX-License-Identifier: GPL-2.0-only */
/* Every difference between kernels 5.10 and the newest, each behind a getter. */
#ifndef FIBTRACE_FLAVORS_H
#define FIBTRACE_FLAVORS_H

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/flow.h"

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

#define KERNEL_FLOWI_FLAG_SKIP_NH_OIF 0x04

/* With flowic_l3mdev the flag for a VRF in the place of the output device became FLOWI_FLAG_L3MDEV_OIF,
 * which newer kernels (seen in 6.18) set whether or not there is a VRF. */
static __always_inline __u8 flow_flags(const struct flowi_common *flow)
{
	const struct flowi_common___l3mdev *l3mdev = (const void *)flow;
	__u8 flags = flow->flowic_flags;

	if (bpf_core_field_exists(l3mdev->flowic_l3mdev) ||
	    !(flags & KERNEL_FLOWI_FLAG_SKIP_NH_OIF))
		return flags;
	return (flags & ~KERNEL_FLOWI_FLAG_SKIP_NH_OIF) | FLOW_OIF_IS_VRF;
}

/* How much of a kernel's structure is copied: all of it, or as much as there is room for. */
static __always_inline __u32 kernel_size(__u32 size, __u32 room)
{
	return size < room ? size : room;
}

/*
 * fib4_rule.tos (5.10) became dscp (seen in 6.1), with the same eight bits;
 * dscp_full, set by FRA_DSCP, came with 6.12, dscp_mask is seen in 6.16. They are read
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

/*
 * fib6_rule.tclass (5.10) became dscp (seen in 6.1), with the same eight bits;
 * dscp_full came with 6.12, dscp_mask, flowlabel and flowlabel_mask are seen in 6.16.
 */
struct fib6_rule___tclass {
	__u8 tclass;
} __attribute__((preserve_access_index));

struct fib6_rule___dscp {
	__u8 dscp;
} __attribute__((preserve_access_index));

struct fib6_rule___full {
	__u8 dscp_full : 1;
} __attribute__((preserve_access_index));

struct fib6_rule___mask {
	__u8 dscp_mask;
} __attribute__((preserve_access_index));

struct fib6_rule___flowlabel {
	__be32 flowlabel;
	__be32 flowlabel_mask;
} __attribute__((preserve_access_index));

static __always_inline __u8 rule6_tos(const struct fib6_rule *rule)
{
	const struct fib6_rule___tclass *tclass = (const void *)rule;
	const struct fib6_rule___dscp *dscp = (const void *)rule;

	if (bpf_core_field_exists(tclass->tclass))
		return tclass->tclass;
	return dscp->dscp;
}

static __always_inline bool rule6_dscp_full(const struct fib6_rule *rule)
{
	const struct fib6_rule___full *full = (const void *)rule;

	return bpf_core_field_exists(full->dscp_full) && BPF_CORE_READ_BITFIELD(full, dscp_full);
}

static __always_inline __u8 rule6_dscp_mask(const struct fib6_rule *rule)
{
	const struct fib6_rule___mask *mask = (const void *)rule;

	return bpf_core_field_exists(mask->dscp_mask) ? mask->dscp_mask : 0xfc;
}

/* In network byte order, as the kernel has them. */
static __always_inline __be32 rule6_flowlabel(const struct fib6_rule *rule)
{
	const struct fib6_rule___flowlabel *label = (const void *)rule;

	return bpf_core_field_exists(label->flowlabel) ? label->flowlabel : 0;
}

static __always_inline __be32 rule6_flowlabel_mask(const struct fib6_rule *rule)
{
	const struct fib6_rule___flowlabel *label = (const void *)rule;

	return bpf_core_field_exists(label->flowlabel_mask) ? label->flowlabel_mask : 0;
}

/* fib_rule.sport_mask and dport_mask are seen in 6.16; without them a port range has none. */
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

/* Without CONFIG_IP_MULTIPLE_TABLES, of IPv6 CONFIG_IPV6_MULTIPLE_TABLES, a namespace has neither
 * rules nor their sequence number. */
static __always_inline bool kernel_has_rules(__u8 family)
{
	if (family == FLOW_AF_INET6)
		return bpf_core_field_exists(((struct netns_ipv6 *)0)->fib6_rules_ops);
	return bpf_core_field_exists(((struct netns_ipv4 *)0)->rules_ops);
}

/* What the routes of a namespace are counted with; seen from 5.10 to 7.3, and not promised. */
static __always_inline bool kernel_counts_routes(__u8 family)
{
	if (family == FLOW_AF_INET6)
		return bpf_core_field_exists(((struct netns_ipv6 *)0)->fib6_sernum) &&
		       bpf_core_field_exists(((struct netns_ipv6 *)0)->rt6_stats);
	return bpf_core_field_exists(((struct netns_ipv4 *)0)->fib_seq);
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
 * The system call in progress. first_argument is the descriptor of those that
 * send; registers a hash of what it was entered with, never 0. number -1 and
 * zeroes where the kernel or the machine does not tell.
 */
struct system_call {
	__u64 first_argument;
	__u64 registers;
	__s32 number;
};

#ifdef __TARGET_ARCH_x86
/* From r10 on, in the order in which the entry of a system call pushes them. */
struct syscall_registers {
	__u64 r10, r9, r8, ax, cx, dx, si, di, orig_ax, ip, cs, flags, sp;
};

/* Every product is by another odd number: they are independent of each other, and quick. */
#define HASHED(value, index) ((value) * (0x9e3779b97f4a7c15ull * (2 * (index) + 1)))

static __always_inline __u64 syscall_hash(const struct syscall_registers *at)
{
	return (HASHED(at->orig_ax, 0) + HASHED(at->di, 1) + HASHED(at->si, 2) + HASHED(at->dx, 3) +
		HASHED(at->r10, 4) + HASHED(at->r8, 5) + HASHED(at->r9, 6) + HASHED(at->ip, 7) +
		HASHED(at->sp, 8)) |
	       1;
}
#endif

static __always_inline void current_syscall(struct system_call *call)
{
	__builtin_memset(call, 0, sizeof(*call));
	call->number = -1;
#ifdef __TARGET_ARCH_x86
	const struct pt_regs *regs = current_regs();
	struct syscall_registers at;

	if (!regs || bpf_core_read(&at, sizeof(at), &regs->r10))
		return;
	call->first_argument = at.di;
	call->registers = syscall_hash(&at);
	call->number = (__s32)at.orig_ax;
#endif
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
