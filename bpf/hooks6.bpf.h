/* SPDX-License-Identifier: GPL-2.0-only */
/* What happens at the hooks that IPv6 alone has: fib6_rule_lookup() and what is around it. */
#ifndef FIBTRACE_BPF_HOOKS6_BPF_H
#define FIBTRACE_BPF_HOOKS6_BPF_H

#include "bpf/hooks.bpf.h"

/* fib6_rule_lookup() or, with LOOKUP_ALT, fib6_lookup() is entered. */
static __always_inline void lookup6_enter(__u64 address, const struct net *net,
					  const struct flowi6 *flow, __u16 flags)
{
	struct open_lookup *open;
	struct call_frame *frame;
	struct hook hook;

	if (hook_enter(&hook, address)) {
		open = lookup_begin(&hook, (__u64)flow, FLOW_AF_INET6, net, 0);
		if (open) {
			open->event.flags |= flags;
			open->by_rules = net_has_custom_rules(net, FLOW_AF_INET6);
		}
		hook.thread->walking = (__u64)flow;
		frame = frame_push(&hook, FRAME_LOOKUP);
		if (frame)
			frame->arguments[0] = (__u64)flow;
	}
	hook_leave(&hook);
}

/* Without rules the last table asked has the last word: a miss of it is the end of the tables. */
static __always_inline void tables6_walked(struct open_lookup *open)
{
	__s32 error = ERROR_AGAIN;

	if (open->event.step_count)
		error = lookup_last_step(open)->error;
	table_walked(open, error);
}

/* fib6_rule_lookup() gave what to send by: that tells the nexthop, and the error. */
static __always_inline void lookup6_fill_made(struct open_lookup *open, const struct rt6_info *made)
{
	struct lookup_event *event = &open->event;
	__s32 error = BPF_CORE_READ(made, dst.error);

	if (event->deciding == LOOKUP_NO_STEP) {
		if (error)
			return;
		/* Without rules the answer of a table was missed. */
		open->lost |= !(event->flags & LOOKUP_RULES);
		event->flags |= LOOKUP_SUPPRESSED_ROUTE;
	}
	event->error = error;
	if (route6_fill(&event->route, made, &event->key))
		event->flags |= LOOKUP_HAS_ROUTE;
}

/* fib6_lookup() gave a table's entry, which may refuse although there was no error. */
static __always_inline void lookup6_fill_result(struct open_lookup *open, __s32 error)
{
	struct lookup_event *event = &open->event;

	if (event->deciding != LOOKUP_NO_STEP)
		event->error = error ? error : lookup_last_step(open)->error;
}

/* Where the source address is chosen after the lookup: in the function around the one that
 * looks up, or in that one's place if it is not hooked. */
static __always_inline struct call_frame *source_chooser(struct thread_state *thread, __u64 flow)
{
	struct call_frame *frame = frame_top(thread);

	if (frame->kind == FRAME_OUTPUT && thread->depth > 1)
		frame = frame_at(thread, thread->depth - 1);
	return frame->kind == FRAME_SOURCE_CHOICE && frame->arguments[0] == flow ? frame : 0;
}

static __always_inline bool key_has_source(const struct flow_key *key)
{
	const __u64 *source = (const void *)key->src;

	return source[0] || source[1];
}

/* The lookup is over, but for a source address that is still to be chosen. */
static __always_inline void lookup6_close(const struct hook *hook, struct open_lookup *open)
{
	struct call_frame *asking = frame_top(hook->thread);
	struct call_frame *chooser = source_chooser(hook->thread, open->flow);

	if (asking->pending == open->flow)
		asking->pending = 0;
	open->waits = chooser && !open->event.error && !key_has_source(&open->event.key);
	if (open->waits)
		chooser->pending = open->flow;
	else
		lookup_finish(hook->cpu, open);
}

/* returned: what fib6_rule_lookup() gave, or the error of fib6_lookup(). */
static __always_inline void lookup6_end(const struct hook *hook, __u64 returned, __u64 slack)
{
	struct call_frame *frame = frame_pop(hook, FRAME_LOOKUP, slack);
	struct open_lookup *open;

	hook->thread->walking = 0;
	if (!frame)
		return;
	open = lookup_find(frame->arguments[0]);
	if (!open || open->event.key.family != FLOW_AF_INET6)
		return;
	if (open->phase == LOOKUP_WALKING) {
		/* The walk over the rules was missed, or its end. */
		if (hook->nested || open->by_rules || open->event.flags & LOOKUP_RULES)
			open->lost = true;
		tables6_walked(open);
	}
	if (open->event.flags & LOOKUP_ALT)
		lookup6_fill_result(open, (__s32)returned);
	else
		lookup6_fill_made(open, (const void *)returned);
	lookup6_close(hook, open);
}

static __always_inline void lookup6_leave(__u64 address, __u64 returned, __u64 slack)
{
	struct hook hook;

	if (hook_enter(&hook, address))
		lookup6_end(&hook, returned, slack);
	hook_leave(&hook);
}

static __always_inline void table6_add_step(const struct hook *hook, struct open_lookup *open,
					    const struct net *net, __u32 table,
					    const struct fib6_result *result)
{
	struct step_event *step = lookup_add_step(hook->cpu, open);

	step->table = table;
	step->flags = STEP_ASKED;
	step->error = route6_fill_result(&step->route, net, result);
	if (step->route.type)
		step->flags |= STEP_HAS_ROUTE;
}

/* In ip6_route_input() no table is asked for its own sake. */
static __always_inline bool beginning6_was_missed(const struct hook *hook)
{
	const struct call_frame *frame = frame_top(hook->thread);

	if (hook->nested || probes_are_skipped(hook->cpu))
		return true;
	return frame->kind == FRAME_INPUT && frame->family == FLOW_AF_INET6;
}

/* A table asked for its own sake, or by a lookup whose beginning was missed. */
static __always_inline void table6_direct(const struct hook *hook, const struct net *net,
					  const struct flowi6 *flow, __u32 table,
					  const struct fib6_result *result)
{
	struct open_lookup *open;

	thread_prune(hook->thread, hook->address);
	if (beginning6_was_missed(hook)) {
		lookup_begin_lost(hook, (__u64)flow, FLOW_AF_INET6, net, 0);
		return;
	}
	open = lookup_begin(hook, (__u64)flow, FLOW_AF_INET6, net, 0);
	if (!open)
		return;
	open->event.flags |= LOOKUP_DIRECT;
	table6_add_step(hook, open, net, table, result);
	tables6_walked(open);
	lookup6_close(hook, open);
}

static __always_inline void table6_end(const struct hook *hook, const struct net *net,
				       const struct flowi6 *flow, __u32 table,
				       const struct fib6_result *result)
{
	struct open_lookup *open;

	if (hook->thread->walking != (__u64)flow) {
		table6_direct(hook, net, flow, table, result);
		return;
	}
	open = lookup_find((__u64)flow);
	if (!open)
		return;
	if (!(open->event.flags & LOOKUP_RULES)) {
		table6_add_step(hook, open, net, table, result);
		return;
	}
	open->unexplained++;
	open->found = (__u64)BPF_CORE_READ(result, f6i);
}

/* The tracepoint fib6_table_lookup is hit. */
static __always_inline void table6_answered(__u64 address, const struct net *net,
					    const struct fib6_result *result,
					    const struct fib6_table *table,
					    const struct flowi6 *flow)
{
	struct hook hook;

	if (hook_enter(&hook, address))
		table6_end(&hook, net, flow, BPF_CORE_READ(table, tb6_id), result);
	hook_leave(&hook);
}

/* ip6_route_output_flags() is entered. */
static __always_inline void output6_enter(__u64 address, const struct net *net,
					  const struct sock *socket, const struct flowi6 *flow)
{
	struct call_frame *frame;
	struct hook hook;

	frame = reason_begin(&hook, address, FRAME_OUTPUT, FLOW_AF_INET6);
	if (frame) {
		frame_set_net(frame, net);
		frame->arguments[0] = (__u64)flow;
		thread_set_socket(hook.thread, flow, socket);
	}
	hook_leave(&hook);
}

/* ip6_route_input() is entered with a packet. */
static __always_inline void input6_enter(__u64 address, const struct sk_buff *packet)
{
	const struct ipv6hdr *header;
	struct call_frame *frame;
	struct hook hook;

	frame = reason_begin(&hook, address, FRAME_INPUT, FLOW_AF_INET6);
	if (frame) {
		frame_set_net(frame, BPF_CORE_READ(packet, dev, nd_net.net));
		header = (const void *)(BPF_CORE_READ(packet, head) +
					BPF_CORE_READ(packet, network_header));
		bpf_core_read(frame->arguments, sizeof(struct in6_addr), &header->daddr);
	}
	hook_leave(&hook);
}

/* ip6_dst_lookup_flow() is entered. */
static __always_inline void source_choice_enter(__u64 address, const struct flowi6 *flow)
{
	struct call_frame *frame;
	struct hook hook;

	frame = reason_begin(&hook, address, FRAME_SOURCE_CHOICE, FLOW_AF_INET6);
	if (frame)
		frame->arguments[0] = (__u64)flow;
	hook_leave(&hook);
}

static __always_inline void source_choice_fill(struct lookup_event *event,
					       const struct flowi6 *flow)
{
	const __u64 *chosen = (const void *)event->prefsrc;

	bpf_core_read(event->prefsrc, sizeof(event->prefsrc), &flow->saddr);
	if (chosen[0] || chosen[1])
		event->flags |= LOOKUP_HAS_PREFSRC;
}

static __always_inline void source_choice_end(const struct hook *hook, __u64 slack)
{
	struct call_frame *frame = frame_pop(hook, FRAME_SOURCE_CHOICE, slack);
	struct open_lookup *open;

	if (!frame || !frame->pending)
		return;
	open = lookup_find(frame->pending);
	if (open && open->waits && open->flow == frame->arguments[0]) {
		source_choice_fill(&open->event, (const void *)frame->arguments[0]);
		open->waits = false;
	}
	frame_settle(hook, frame);
}

/* ip6_dst_lookup_flow() returns: the source address was chosen since. */
static __always_inline void source_choice_leave(__u64 address, __u64 slack)
{
	struct hook hook;

	if (hook_enter(&hook, address))
		source_choice_end(&hook, slack);
	hook_leave(&hook);
}

#endif
