/* SPDX-License-Identifier: GPL-2.0-only */
/* Whose lookup it is: the task or the softirq, and the network namespace. */
#ifndef FIBTRACE_BPF_CONTEXT_BPF_H
#define FIBTRACE_BPF_CONTEXT_BPF_H

#include "flavors.h"
#include "bpf/config.h"
#include "bpf/event.h"

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

static __always_inline void softirq_begin(void)
{
	struct cpu_state *cpu = cpu_state();

	if (cpu) {
		cpu->softirq_task = bpf_get_current_task();
		cpu->packet = 0;
	}
}

static __always_inline void softirq_end(void)
{
	struct cpu_state *cpu = cpu_state();

	if (cpu) {
		cpu->softirq_task = 0;
		cpu->packet = 0;
	}
}

static __always_inline void packet_received(const struct sk_buff *packet)
{
	struct cpu_state *cpu = cpu_state();

	if (cpu)
		cpu->packet = (__u64)packet;
}

/*
 * The packet may be gone: then the reads fail or the device's namespace is not
 * one, and nothing is known. skb->dev is read now, not when the packet came:
 * VLANs and macvlans have moved it since into the namespace that routes it.
 */
static __always_inline const struct net *packet_net(const struct cpu_state *cpu)
{
	const struct sk_buff *packet = (const void *)cpu->packet;

	if (!packet)
		return 0;
	return BPF_CORE_READ(packet, dev, nd_net.net);
}

static __always_inline void origin_set_net(struct lookup_origin *origin, const struct net *net,
					   __u8 source)
{
	origin->net = net;
	origin->netns = net ? BPF_CORE_READ(net, ns.inum) : 0;
	origin->netns_source = origin->netns ? source : NETNS_UNKNOWN;
}

static __always_inline __u8 current_level(const struct cpu_state *cpu, __u64 task)
{
	if (cpu->softirq_task == task)
		return LEVEL_SOFTIRQ;
	return current_flags() & KERNEL_PF_KTHREAD ? LEVEL_KTHREAD : LEVEL_TASK;
}

/* nexthop: that of a hit, NULL otherwise. */
static __always_inline void origin_fill(struct lookup_origin *origin, const struct cpu_state *cpu,
					const struct fib_nh_common *nexthop)
{
	origin->net = 0;
	origin->netns = 0;
	origin->netns_source = NETNS_UNKNOWN;
	if (nexthop)
		origin_set_net(origin, BPF_CORE_READ(nexthop, nhc_dev, nd_net.net), NETNS_DEVICE);
	if (origin->netns_source != NETNS_UNKNOWN)
		return;
	if (origin->level == LEVEL_SOFTIRQ)
		origin_set_net(origin, packet_net(cpu), NETNS_RECEIVE);
	else if (origin->level == LEVEL_TASK)
		origin_set_net(origin, current_net(), NETNS_TASK);
}

#endif
