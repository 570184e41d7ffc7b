/* SPDX-License-Identifier: GPL-2.0-only */
/* What user space and the BPF programs share besides events: settings, counts and state. */
#ifndef FIBTRACE_BPF_CONFIG_H
#define FIBTRACE_BPF_CONFIG_H

#include "bpf/event.h"
#include "bpf/filter.h"

/* Fixed before loading, so that the verifier drops what is not used. */
struct trace_config {
	struct flow_filter filter;
	struct verdict_filter verdict; /* for the tiers that see verdicts */
	__u32 netns_all;
	__u32 netns_count;
	__u32 netns[FILTER_MAX]; /* inodes of the traced namespaces */
	__u32 address_checks; /* --all: lookups without an input interface are sent too */
	__u32 wakeup_bytes; /* user space is woken when this much waits */
};

/*
 * How often rules and routes of one family in a namespace have changed, as the
 * kernel counts: fib_rules_ops.fib_rules_seq; netns_ipv4.fib_seq or, of IPv6, a
 * mix of fib6_sernum, which additions and what is learned of paths move, and of
 * fib_rt_entries, which removals do. known 0: they could not be read.
 */
#define POLICY_SEQ6_FACTOR 0x9e3779b1u /* of fib6_sernum in routes */
#define POLICY_SEQ6_INVERSE 0x0e8b2f51u /* their product is 1, modulo 2^32 */

struct policy_seq {
	__u32 rules;
	__u32 routes;
	__u32 known;
};

/* Whether fib_lookup() without rules asks table default after main refused: kernels differ. */
enum default_after_refusal { DEFAULT_UNKNOWN, DEFAULT_FOLLOWS, DEFAULT_DOES_NOT_FOLLOW };

/*
 * May change while tracing. send_rejected: walks that the filter rejects are
 * sent as well, because the first table of a walk may be asked twice in it and
 * only the policy can tell where a walk begins (tracepoint tier).
 * purpose_by_hooks: the families, FILTER_FAMILY_…, of which the hooks of output
 * and input are attached (exact tiers).
 */
struct trace_control {
	struct device_filter devices; /* --iif */
	struct device_filter out_devices; /* --oif */
	__u32 send_rejected;
	__u32 purpose_by_hooks;
	__u32 enabled;
	__u32 default_after_refusal; /* enum; learned by the programs of the exact tiers */
	__u32 probes_tell; /* unprobed of struct cpu_state tells; learned by the kprobe tier */
	struct policy_seq seq[FLOW_FAMILY_COUNT]; /* written by the policy_seq program */
};

/*
 * One per CPU. begun counts the walks that passed the filter, sent or not;
 * filtered those that it rejected; lost_begun those of begun whose first event
 * was refused by the full ring, lost_events all refused events.
 */
struct cpu_counts {
	__u64 begun;
	__u64 filtered[FILTER_KIND_COUNT]; /* by enum filter_kind */
	__u64 lost_begun;
	__u64 lost_events;
	__u64 address_checks;
	__u64 netns_unknown;
};

/*
 * One per CPU. softirq_task is the task that was running when the softirq in
 * progress began: a softirq runs on its stack and never leaves the CPU. packet
 * is the sk_buff that this CPU took last in that softirq. received tells what a
 * softirq does for one packet from what it does for the next. unprobed: it is one
 * of received packets whose probe was not run, and so is no other one in it.
 */
struct cpu_state {
	__u64 softirq_task;
	__u64 packet;
	__u64 softirqs; /* that began here so far */
	__u64 received; /* the same, and the packets that came here */
	__u64 visits; /* calls of outermost hooked functions (exact tiers) */
	__u64 walks;
	struct cpu_counts counts;
	__u32 seq;
	__u32 busy; /* programs of the exact tiers under way: more than one when they interrupt */
	__u32 unprobed;
	__u32 pad;
	__u64 pad_to_cache_lines[2];
};

_Static_assert(sizeof(struct cpu_state) % 64 == 0, "no cache line is shared between CPUs");

enum walk_fate {
	WALK_REJECTED, /* by the flow filter */
	WALK_ELSEWHERE, /* its namespace is not traced, or not known yet: answers are held */
	WALK_SENT,
	WALK_LOST, /* the ring was full: the rest is dropped */
};

/* Where a lookup was called from, as far as that is told without a stack. */
struct call_site {
	__u64 descriptor; /* the first argument of the system call */
	__u64 distance; /* of the flow from the program's context, on the stack */
	__u64 instance; /* as in struct event_context */
	__s32 syscall;
	__u32 pad;
};

/*
 * The walk that a task runs, or ran last, at one level. sent_walk is the last
 * one whose first event was delivered, sent_lost that it lost a later one.
 */
struct walk_state {
	struct flow_key key;
	__u64 flow; /* the kernel's flow pointer: a flow has one lookup at a time */
	__u64 walk;
	__u64 sent_walk;
	struct call_site site;
	__u32 first_table;
	__u32 pad;
	__u32 held[EVENT_HELD_MAX];
	__u16 held_count;
	__u8 fate;
	__u8 sent_lost;
	__u8 netns_known; /* by a nexthop's device */
	__u8 counted_unknown;
	__u8 counted_filtered;
	__u8 refused; /* its last answer ended it */
	__u8 rejected; /* enum filter_kind: by what; sent all the same if only its boundaries tell */
	__u8 site_sent; /* user space knows the purpose of this call site */
};

#endif
