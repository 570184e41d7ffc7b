/* SPDX-License-Identifier: GPL-2.0-only */
/* Whose lookup it is: the task or the softirq, and the network namespace. */
#ifndef FIBTRACE_BPF_CONTEXT_BPF_H
#define FIBTRACE_BPF_CONTEXT_BPF_H

#include "flavors.h"
#include "bpf/config.h"
#include "bpf/event.h"
#include "bpf/kernel_numbers.h"

const volatile struct trace_config config SEC(".rodata.config");
struct trace_control control SEC(".data.control");

/* max_entries becomes the number of possible CPUs. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct cpu_state);
} cpus SEC(".maps");

struct lookup_origin {
	const struct net *net; /* NULL: not known */
	__u32 netns;
	__u8 netns_source;
	__u8 level;
};

static __always_inline struct cpu_state *cpu_state(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&cpus, &cpu);
}

static __always_inline void softirq_begin(__u32 vector)
{
	struct cpu_state *cpu = cpu_state();

	if (cpu) {
		cpu->softirq_task = bpf_get_current_task();
		cpu->packet = 0;
		cpu->softirqs++;
		cpu->received++;
		cpu->unprobed = vector == SOFTIRQ_NET_RX;
	}
}

/* The function of a softirq of received packets is probed: what it calls is, too. */
static __always_inline void softirq_probed(void)
{
	struct cpu_state *cpu = cpu_state();

	/* Its line of the cache is every CPU's. */
	if (!control.probes_tell)
		control.probes_tell = 1;
	if (cpu)
		cpu->unprobed = 0;
}

static __always_inline void softirq_end(void)
{
	struct cpu_state *cpu = cpu_state();

	if (cpu) {
		cpu->softirq_task = 0;
		cpu->packet = 0;
		cpu->unprobed = 0;
	}
}

static __always_inline void packet_received(const struct sk_buff *packet)
{
	struct cpu_state *cpu = cpu_state();

	if (cpu) {
		cpu->packet = (__u64)packet;
		cpu->received++;
	}
}

/*
 * The packet may be gone: then the reads fail or the device's namespace is not
 * one, and nothing is known. skb->dev is read now, not when the packet came:
 * VLANs and macvlans have moved it since into the namespace that routes it.
 */
static __always_inline void origin_of_packet(struct lookup_origin *origin,
					     const struct cpu_state *cpu)
{
	const struct sk_buff *packet = (const void *)cpu->packet;
	const struct net *net;

	if (!packet)
		return;
	net = BPF_CORE_READ(packet, dev, nd_net.net);
	origin->net = net;
	origin->netns = BPF_CORE_READ(net, ns.inum);
	origin->netns_source = origin->netns ? NETNS_RECEIVE : NETNS_UNKNOWN;
}

static __always_inline void origin_of_task(struct lookup_origin *origin)
{
	origin->net = current_net(&origin->netns);
	origin->netns_source = origin->netns ? NETNS_TASK : NETNS_UNKNOWN;
}

/* A nexthop's device: the one thing that tells the namespace for certain. */
static __always_inline void origin_of_nexthop(struct lookup_origin *origin,
					      const struct fib_nh_common *nexthop)
{
	origin->net = nexthop->nhc_dev->nd_net.net;
	origin->netns = nexthop->nhc_dev->nd_net.net->ns.inum;
	origin->netns_source = origin->netns ? NETNS_DEVICE : NETNS_UNKNOWN;
}

/* Where the kernel's function was given the namespace. */
static __always_inline void origin_of_lookup(struct lookup_origin *origin, const struct net *net)
{
	origin->net = net;
	origin->netns = net->ns.inum;
	origin->netns_source = NETNS_LOOKUP;
}

static __always_inline bool origin_is_certain(const struct lookup_origin *origin)
{
	return origin->netns_source >= NETNS_DEVICE;
}

static __always_inline __u8 current_level(const struct cpu_state *cpu, __u64 task)
{
	if (cpu->softirq_task == task)
		return LEVEL_SOFTIRQ;
	return current_flags() & KERNEL_PF_KTHREAD ? LEVEL_KTHREAD : LEVEL_TASK;
}

/* origin->level is set, and the namespace where the kernel told it; nexthop: that of a hit, NULL otherwise. */
static __always_inline void origin_fill(struct lookup_origin *origin, const struct cpu_state *cpu,
					const struct fib_nh_common *nexthop)
{
	if (nexthop && origin->netns_source == NETNS_UNKNOWN)
		origin_of_nexthop(origin, nexthop);
	if (origin->netns_source != NETNS_UNKNOWN)
		return;
	if (origin->level == LEVEL_SOFTIRQ)
		origin_of_packet(origin, cpu);
	else if (origin->level == LEVEL_TASK)
		origin_of_task(origin);
}

/* Of struct event_context; call: the system call in progress, of interest at LEVEL_TASK alone. */
static __always_inline __u64 context_instance(const struct cpu_state *cpu, __u8 level,
					      const struct system_call *call)
{
	if (level == LEVEL_SOFTIRQ)
		return cpu->received;
	if (level == LEVEL_KTHREAD)
		return (__u32)bpf_get_current_pid_tgid();
	return call->registers;
}

static __always_inline void context_fill(struct event_context *out,
					 const struct lookup_origin *origin, __u64 instance,
					 __s32 syscall)
{
	__builtin_memset(out, 0, sizeof(*out));
	out->instance = instance;
	out->netns = origin->netns;
	out->netns_source = origin->netns_source;
	out->level = origin->level;
	out->syscall = syscall;
	if (origin->level != LEVEL_TASK)
		return;
	out->pid = bpf_get_current_pid_tgid() >> 32;
	out->tid = (__u32)bpf_get_current_pid_tgid();
	out->uid = (__u32)bpf_get_current_uid_gid();
	bpf_get_current_comm(out->comm, sizeof(out->comm));
}

#endif
