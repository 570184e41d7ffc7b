/* SPDX-License-Identifier: GPL-2.0-only */
/* What happens at each hook of the exact tiers, however it is attached. */
#ifndef FIBTRACE_BPF_HOOKS_BPF_H
#define FIBTRACE_BPF_HOOKS_BPF_H

#include "bpf/flow.bpf.h"
#include "bpf/kernel_route.bpf.h"
#include "bpf/policy_seq.bpf.h"
#include "bpf/thread.bpf.h"

#define KERNEL_ERRNO_MAX 4095 /* MAX_ERRNO: the last page of addresses are errors */

/* The namespace of the device's, packet's or task's, where no function was given it. */
static __always_inline void origin_decide(struct lookup_origin *origin, const struct hook *hook,
					  const struct lookup_reason *reason)
{
	__builtin_memset(origin, 0, sizeof(*origin));
	origin->level = hook->level;
	if (reason->netns) {
		origin->net = (const struct net *)reason->net;
		origin->netns = reason->netns;
		origin->netns_source = NETNS_LOOKUP;
		return;
	}
	origin_fill(origin, hook->cpu, 0);
}

static __always_inline bool origin_traced(const struct lookup_origin *origin)
{
	bool known = origin->netns_source != NETNS_UNKNOWN || config.netns_all;

	return known && netns_traced(origin->netns);
}

static __always_inline void event_fill_reason(struct lookup_event *event,
					      const struct lookup_reason *reason)
{
	event->purpose = reason->purpose;
	event->cause = reason->cause;
	if (!reason->purpose_told && !(control.purpose_by_hooks & family_bit(event->key.family)))
		event->flags |= LOOKUP_PURPOSE_UNKNOWN;
	if (!reason->cause_told)
		event->flags |= LOOKUP_CAUSE_UNKNOWN;
}

static __always_inline void event_fill_policy(struct lookup_event *event, const struct net *net)
{
	struct policy_seq seq = {};

	policy_seq_fill(&seq, net, event->key.family);
	if (!seq.known)
		return;
	event->rules_seq = seq.rules;
	event->routes_seq = seq.routes;
	event->flags |= LOOKUP_SEQ_KNOWN;
}

/* Names a lookup for as long as its parts are under way; says nothing of the kernel's addresses. */
static __always_inline __u64 event_id(__u64 time_ns, const volatile __u64 *flow)
{
	/* Read back, it is a number to the verifier and no pointer. */
	return time_ns ^ (*flow >> 4) * 0x9e3779b97f4a7c15ull;
}

static __always_inline void event_fill_context(struct lookup_event *event, const struct hook *hook)
{
	const struct lookup_origin *origin = &hook->thread->origin;
	struct system_call call = { .number = -1 };

	if (origin->level == LEVEL_TASK)
		current_syscall(&call);
	context_fill(&event->context, origin, context_instance(hook->cpu, origin->level, &call),
		     call.number);
}

static __always_inline void event_begin(const struct hook *hook, struct open_lookup *open,
					const struct flow_key *key)
{
	struct lookup_event *event = &open->event;
	struct thread_state *thread = hook->thread;

	event->header.type = EVENT_LOOKUP;
	event->header.time_ns = bpf_ktime_get_boot_ns();
	event->id = event_id(event->header.time_ns, &open->flow);
	event->key = *key;
	event->deciding = LOOKUP_NO_STEP;
	event->visit = thread->depth ? thread->visit : 0;
	event_fill_reason(event, &thread->reason);
	event_fill_policy(event, thread->origin.net);
	event_fill_context(event, hook);
}

static __always_inline enum filter_kind begin_rejected(const struct flow_key *key,
						       const struct lookup_origin *origin,
						       const struct lookup_reason *reason)
{
	enum filter_kind kind = key_rejected(key, origin);

	if (!kind && control.purpose_by_hooks & family_bit(key->family) &&
	    purpose_filter_rejects(&config.verdict, reason->purpose))
		kind = FILTER_PURPOSE;
	return kind;
}

static __always_inline void count_rejected(struct cpu_state *cpu, __u32 kind)
{
	if (kind < FILTER_KIND_COUNT)
		__sync_fetch_and_add(&cpu->counts.filtered[kind], 1);
}

/* The lookups of this frame and flow that came before are over. */
static __always_inline void begin_settle(const struct hook *hook, struct call_frame *frame,
					 __u64 flow)
{
	struct open_lookup *stale;

	stale = frame->pending ? lookup_find(frame->pending) : 0;
	if (!stale || !stale->waits || frame->pending == flow)
		frame_settle(hook, frame);
	stale = lookup_find(flow);
	if (stale)
		lookup_lose(hook->cpu, stale);
}

static __always_inline struct open_lookup *open_new(struct cpu_state *cpu, __u64 flow, bool here)
{
	struct open_lookup *open;

	bpf_map_update_elem(&lookups, &flow, &new_open_lookup, BPF_ANY);
	open = lookup_find(flow);
	if (!open) {
		if (here)
			count_lost_lookup(cpu);
		return 0;
	}
	open->flow = flow;
	open->here = here;
	return open;
}

/*
 * A lookup begins: its record, NULL when it is not wanted. net is NULL where the
 * function that asks was not given one; nexthop then tells for a hit.
 */
static __always_inline struct open_lookup *lookup_begin(const struct hook *hook, __u64 flow,
							__u8 family, const struct net *net,
							const struct fib_nh_common *nexthop)
{
	struct thread_state *thread = hook->thread;
	struct call_frame *frame;
	struct lookup_reason *reason = &thread->reason;
	struct lookup_origin *origin = &thread->origin;
	struct open_lookup *open;
	struct flow_key key;
	enum filter_kind rejected;
	bool here;

	thread_prune(hook->thread, hook->address);
	frame = frame_top(thread);
	begin_settle(hook, frame, flow);
	flow_key_read(&key, (const void *)flow, family);
	reason_fill(thread, flow, &key);
	forget_values();
	frame->looked_up = true;
	if (!net && nexthop && !reason->netns)
		net = BPF_CORE_READ(nexthop, nhc_dev, nd_net.net);
	if (net) {
		reason->net = (__u64)net;
		reason->netns = BPF_CORE_READ(net, ns.inum);
	}
	origin_decide(origin, hook, reason);
	forget_values();
	here = origin_traced(origin);
	if (!here && origin->netns_source >= NETNS_DEVICE)
		return 0;
	rejected = begin_rejected(&key, origin, reason);
	if (rejected) {
		if (here)
			count_rejected(hook->cpu, rejected);
		return 0;
	}
	open = open_new(hook->cpu, flow, here);
	if (!open)
		return 0;
	open->lost = hook->nested || reason->output_missed;
	if (!frame->pending)
		frame->pending = flow;
	event_begin(hook, open, &key);
	return open;
}

/* Whether what the function around a lookup returns tells more of it. */
static __always_inline bool walk_waits(const struct call_frame *frame,
				       const struct open_lookup *open)
{
	if (frame->family != FLOW_AF_INET)
		return false;
	if (frame->kind == FRAME_OUTPUT)
		return true;
	return frame->kind == FRAME_INPUT && open->event.route.nexthops > 1;
}

/* A lookup whose beginning was not seen: it is counted once, whatever follows. */
static __always_inline void lookup_lose_begun(const struct hook *hook, struct open_lookup *open)
{
	struct call_frame *frame = frame_top(hook->thread);

	if (frame->pending == open->flow)
		frame->pending = 0;
	lookup_lose(hook->cpu, open);
}

static __always_inline void lookup_begin_lost(const struct hook *hook, __u64 flow, __u8 family,
					      const struct net *net,
					      const struct fib_nh_common *nexthop)
{
	struct open_lookup *open;

	hook->thread->walking = flow;
	open = lookup_begin(hook, flow, family, net, nexthop);
	if (open)
		lookup_lose_begun(hook, open);
}

/* Probes are not run where they would interrupt one, or another BPF program: all of a softirq is
 * not seen then, but by tracepoints. */
static __always_inline bool probes_are_skipped(const struct cpu_state *cpu)
{
	return control.probes_tell && cpu->unprobed;
}

/* The walk is over, or so it seems: the lookup is when nothing more can be told of it. */
static __always_inline void walk_end(const struct hook *hook, struct open_lookup *open)
{
	struct call_frame *frame = frame_top(hook->thread);

	if (frame->pending == open->flow) {
		open->waits = walk_waits(frame, open);
		if (open->waits || open->phase == LOOKUP_AWAITING_DEFAULT)
			return;
		frame->pending = 0;
	}
	lookup_finish(hook->cpu, open);
}

static __always_inline bool flow_is_address_check(const struct flowi4 *flow)
{
	return !BPF_CORE_READ(flow, __fl_common.flowic_iif);
}

static __always_inline bool address_check_skipped(const struct hook *hook,
						  const struct flowi4 *flow)
{
	if (!flow_is_address_check(flow))
		return false;
	__sync_fetch_and_add(&hook->cpu->counts.address_checks, 1);
	return !config.address_checks;
}

static __always_inline void rules_begin(const struct hook *hook, const struct fib_rules_ops *ops,
					const struct flowi4 *flow,
					const struct fib_lookup_arg *argument)
{
	struct open_lookup *open;

	hook->thread->walking = (__u64)flow;
	if (address_check_skipped(hook, flow))
		return;
	open = lookup_begin(hook, (__u64)flow, FLOW_AF_INET, BPF_CORE_READ(ops, fro_net), 0);
	if (!open)
		return;
	open->argument = (__u64)argument;
	open->event.flags |= LOOKUP_RULES;
}

/* The lookup has begun already; the device that the flow is bound to may have been changed. */
static __always_inline void rules6_begin(const struct hook *hook, const struct fib_rules_ops *ops,
					 const struct flowi6 *flow,
					 const struct fib_lookup_arg *argument)
{
	struct open_lookup *open;

	if (hook->thread->walking != (__u64)flow) {
		lookup_begin_lost(hook, (__u64)flow, FLOW_AF_INET6, BPF_CORE_READ(ops, fro_net), 0);
		return;
	}
	open = lookup_find((__u64)flow);
	if (!open || open->phase != LOOKUP_WALKING)
		return;
	open->argument = (__u64)argument;
	open->event.flags |= LOOKUP_RULES;
	flow_key_read(&open->event.key, flow, FLOW_AF_INET6);
}

/* The rules of multicast routing are walked by the same function, and those of a family that is not
 * of interest, of whose lookups nothing else is seen: 0 for both. */
static __always_inline __u8 rules_family(const struct fib_rules_ops *ops)
{
	int family = BPF_CORE_READ(ops, family);

	if (family != FLOW_AF_INET && family != FLOW_AF_INET6)
		return 0;
	return families_reject(config.filter.families, family) ? 0 : family;
}

/* fib_rules_lookup() is entered. */
static __always_inline void rules_enter(__u64 address, const struct fib_rules_ops *ops,
					const void *flow, const struct fib_lookup_arg *argument)
{
	struct hook hook;
	__u8 family;

	if (hook_enter(&hook, address)) {
		family = rules_family(ops);
		if (family == FLOW_AF_INET6)
			rules6_begin(&hook, ops, flow, argument);
		else if (family)
			rules_begin(&hook, ops, flow, argument);
	}
	hook_leave(&hook);
}

static __always_inline void rules_end(const struct hook *hook, __u8 family, const void *flow,
				      const struct fib_lookup_arg *argument, __s32 error)
{
	struct open_lookup *open;
	bool by_rule = error != ERROR_SRCH;

	if (family == FLOW_AF_INET)
		hook->thread->walking = 0;
	open = lookup_find((__u64)flow);
	if (!open || open->phase != LOOKUP_WALKING || open->argument != (__u64)argument)
		return;
	/* An action whose end was missed: a table answered that no step tells of, or the rule that
	 * ended the walk is not the last step's. */
	if (hook->nested || open->unexplained ||
	    (by_rule && (__u64)BPF_CORE_READ(argument, rule) != open->rule))
		open->lost = true;
	lookup_walked(open, by_rule ? error : ERROR_NETUNREACH, by_rule);
	if (family == FLOW_AF_INET6)
		open->waits = true;
	else
		walk_end(hook, open);
}

/* fib_rules_lookup() returns error. */
static __always_inline void rules_leave(__u64 address, const struct fib_rules_ops *ops,
					const void *flow, const struct fib_lookup_arg *argument,
					__s32 error)
{
	struct hook hook;
	__u8 family;

	if (hook_enter(&hook, address)) {
		family = rules_family(ops);
		if (family)
			rules_end(&hook, family, flow, argument, error);
	}
	hook_leave(&hook);
}

static __always_inline void action_end(const struct hook *hook, __u8 family,
				       const struct fib_rule *rule, const void *flow,
				       const struct fib_lookup_arg *argument, __s32 error)
{
	struct open_lookup *open = lookup_find((__u64)flow);
	struct step_event *step;

	if (!open || open->phase != LOOKUP_WALKING || open->argument != (__u64)argument)
		return;
	if (hook->nested || open->unexplained > 1)
		open->lost = true;
	step = lookup_add_step(hook->cpu, open);
	step_fill_rule(open, step, rule, family);
	if (family == FLOW_AF_INET6)
		step_fill_action6(step, open, argument, error);
	else
		step_fill_action4(step, open, argument, error);
	open->unexplained = 0;
}

/* fib4_rule_action() or fib6_rule_action() returns error. */
static __always_inline void action_leave(__u64 address, __u8 family, const struct fib_rule *rule,
					 const void *flow, const struct fib_lookup_arg *argument,
					 __s32 error)
{
	struct hook hook;

	if (hook_enter(&hook, address))
		action_end(&hook, family, rule, flow, argument, error);
	hook_leave(&hook);
}

/* Functions that ask by fib_lookup() alone: with rules in force no table answers outside of a
 * walk over them. */
static __always_inline bool walk_was_missed(const struct hook *hook, const struct net *net)
{
	__u8 kind = frame_top(hook->thread)->kind;

	if (hook->nested)
		return true;
	return (kind == FRAME_OUTPUT || kind == FRAME_INPUT || kind == FRAME_SOURCE_CHECK) && net &&
	       BPF_CORE_READ(net, ipv4.fib_has_custom_rules);
}

/* Whether a table asked without rules is what fib_lookup() does while there are no custom ones. */
static __always_inline bool table_is_built_in(const struct hook *hook, const struct net *net,
					      __u32 table)
{
	struct call_frame *frame = frame_top(hook->thread);

	/* fib_check_nh() asks the route's own table before the rules. */
	if (frame->kind == FRAME_ROUTE_ADD && frame->arguments[0] == table && !frame->looked_up)
		return false;
	if (table != TABLE_MAIN)
		return false;
	return !net || !BPF_CORE_READ(net, ipv4.fib_has_custom_rules);
}

/* Whether fib_lookup() goes on to table default after main answered so. */
static __always_inline bool default_may_follow(const struct net *net, __s32 error)
{
	if (!error || (net && !BPF_CORE_READ(net, ipv4.fib_default)))
		return false;
	return error == ERROR_AGAIN || control.default_after_refusal != DEFAULT_DOES_NOT_FOLLOW;
}

static __always_inline void table_add_step(const struct hook *hook, struct open_lookup *open,
					   __u32 table, const struct fib_result *result,
					   __s32 error)
{
	struct step_event *step = lookup_add_step(hook->cpu, open);

	step->table = table;
	step->error = error;
	step->flags = STEP_ASKED;
	if (error)
		return;
	step->flags |= STEP_HAS_ROUTE;
	route_fill(&step->route, result);
	step->route.table = result_table(result, table);
}

/* What one table, or main and then default, came to. */
static __always_inline void table_walked(struct open_lookup *open, __s32 error)
{
	bool missed = error == ERROR_AGAIN;

	lookup_walked(open, missed ? ERROR_NETUNREACH : error, !missed);
}

/* A lookup that begins with a table: NULL when it is not wanted. */
static __always_inline struct open_lookup *table_begin(const struct hook *hook,
						       const struct flowi4 *flow, __u32 table,
						       const struct fib_result *result, __s32 error)
{
	const struct fib_nh_common *nexthop = error ? 0 : BPF_CORE_READ(result, nhc);
	struct open_lookup *open;
	const struct net *net;

	thread_prune(hook->thread, hook->address);
	net = (const struct net *)frame_top(hook->thread)->net;
	hook->thread->built_in = table_is_built_in(hook, net, table);
	if (walk_was_missed(hook, net))
		hook->thread->walking = (__u64)flow;
	forget_values();
	open = lookup_begin(hook, (__u64)flow, FLOW_AF_INET, 0, nexthop);
	if (!open)
		return 0;
	if (hook->thread->walking == (__u64)flow) {
		lookup_lose_begun(hook, open);
		return 0;
	}
	if (!hook->thread->built_in)
		open->event.flags |= LOOKUP_DIRECT;
	else if (default_may_follow(net, error))
		open->phase = LOOKUP_AWAITING_DEFAULT;
	return open;
}

/* Table default after main: that the kernel asks it after a refusal is learned. */
static __always_inline void default_begin(struct open_lookup *open)
{
	if (open->event.error != ERROR_NETUNREACH)
		control.default_after_refusal = DEFAULT_FOLLOWS;
	open->phase = LOOKUP_WALKED;
}

/* An answer outside of a walk over the rules. */
static __always_inline void table_answered(const struct hook *hook, const struct flowi4 *flow,
					   __u32 table, const struct fib_result *result,
					   __s32 error)
{
	struct open_lookup *open = lookup_find((__u64)flow);
	bool awaiting;

	if (open && open->phase == LOOKUP_AWAITING_DEFAULT && table == TABLE_DEFAULT)
		default_begin(open);
	else
		open = table_begin(hook, flow, table, result, error);
	if (!open)
		return;
	forget_values();
	awaiting = open->phase == LOOKUP_AWAITING_DEFAULT;
	table_add_step(hook, open, table, result, error);
	table_walked(open, error);
	if (awaiting)
		open->phase = LOOKUP_AWAITING_DEFAULT;
	walk_end(hook, open);
}

static __always_inline void table_end(const struct hook *hook, const struct fib_table *table,
				      const struct flowi4 *flow, const struct fib_result *result,
				      __s32 error)
{
	struct open_lookup *open;

	if (hook->thread->walking == (__u64)flow) {
		open = lookup_find((__u64)flow);
		if (open)
			open->unexplained++;
		return;
	}
	if (!address_check_skipped(hook, flow))
		table_answered(hook, flow, BPF_CORE_READ(table, tb_id), result, error);
}

/* fib_table_lookup() returns error. */
static __always_inline void table_leave(__u64 address, const struct fib_table *table,
					const struct flowi4 *flow, const struct fib_result *result,
					__s32 error)
{
	struct hook hook;

	if (hook_enter(&hook, address))
		table_end(&hook, table, flow, result, error);
	hook_leave(&hook);
}

static __always_inline void table_unprobed(const struct hook *hook, const struct flowi4 *flow,
					   const struct fib_nh_common *nexthop)
{
	if (hook->thread->walking == (__u64)flow)
		return;
	hook->thread->walking = (__u64)flow;
	if (!address_check_skipped(hook, flow))
		lookup_begin_lost(hook, (__u64)flow, FLOW_AF_INET, 0, nexthop);
}

/* The tracepoint fib_table_lookup is hit: where the probes are not run, the lookup is counted. */
static __always_inline void table_traced(__u64 address, const struct flowi4 *flow,
					 const struct fib_nh_common *nexthop)
{
	struct cpu_state *cpu = cpu_state();
	struct hook hook;

	if (!cpu || !probes_are_skipped(cpu))
		return;
	if (hook_enter(&hook, address))
		table_unprobed(&hook, flow, nexthop);
	hook_leave(&hook);
}

static __always_inline void thread_set_socket(struct thread_state *thread, const void *flow,
					      const struct sock *socket)
{
	thread->socket_flow = socket ? (__u64)flow : 0;
	thread->socket_cause = socket_is_tunnel(socket) ? CAUSE_TUNNEL : CAUSE_SEND;
}

/* A socket's own lookup, by ip_route_output_flow() or ip6_route_output_flags(): a tunnel's is the
 * kernel's. */
static __always_inline void socket_asks(__u64 address, const void *flow, const struct sock *socket)
{
	struct hook hook;

	if (hook_enter(&hook, address))
		thread_set_socket(hook.thread, flow, socket);
	hook_leave(&hook);
}

/* A function is entered that tells purpose or cause of lookups of family, 0 for any: its frame.
 * hook_leave() follows in any case, when all is done. */
static __always_inline struct call_frame *reason_begin(struct hook *hook, __u64 address,
						       enum frame_kind kind, __u8 family)
{
	struct call_frame *frame;

	if (!hook_enter(hook, address))
		return 0;
	frame = frame_push(hook, kind);
	if (frame)
		frame->family = family;
	return frame;
}

static __always_inline void reason_enter(__u64 address, enum frame_kind kind)
{
	struct hook hook;

	reason_begin(&hook, address, kind, 0);
	hook_leave(&hook);
}

static __always_inline void reason_leave(__u64 address, enum frame_kind kind, __u64 slack)
{
	struct call_frame *frame;
	struct hook hook;

	if (hook_enter(&hook, address)) {
		frame = frame_pop(&hook, kind, slack);
		if (frame)
			frame_hand_on(hook.thread, frame);
	}
	hook_leave(&hook);
}

/* ip_route_output_key_hash_rcu() is entered. */
static __always_inline void output_enter(__u64 address, const struct net *net,
					 const struct flowi4 *flow, const struct fib_result *result)
{
	struct call_frame *frame;
	struct hook hook;

	frame = reason_begin(&hook, address, FRAME_OUTPUT, FLOW_AF_INET);
	if (frame) {
		frame_set_net(frame, net);
		frame->arguments[0] = (__u64)flow;
		frame->arguments[1] = (__u64)result;
	}
	hook_leave(&hook);
}

/* The nexthop that fib_select_path() chose, or the redirect that stands in for it. */
static __always_inline void output_fill_route(struct lookup_event *event,
					      const struct fib_result *result,
					      const struct rtable *route)
{
	const struct fib_nh_common *nexthop = BPF_CORE_READ(result, nhc);
	__u8 family;

	if (!nexthop)
		return;
	route_fill_nexthop(&event->route, nexthop);
	family = BPF_CORE_READ(route, rt_gw_family);
	if (!family || !BPF_CORE_READ(route, rt_uses_gateway))
		return;
	__builtin_memset(event->route.gateway, 0, sizeof(event->route.gateway));
	event->route.gateway_family = family;
	if (family == FLOW_AF_INET)
		bpf_core_read(event->route.gateway, 4, &route->rt_gw4);
	else
		bpf_core_read(event->route.gateway, 16, &route->rt_gw6);
}

static __always_inline void output_fill_source(struct lookup_event *event,
					       const struct flowi4 *flow)
{
	__u32 source = BPF_CORE_READ(flow, saddr);

	if (*(__u32 *)event->key.src || !source)
		return;
	*(__u32 *)event->prefsrc = source;
	event->flags |= LOOKUP_HAS_PREFSRC;
}

/* ip_route_output_key_hash_rcu() has returned route, which may be an error. */
static __always_inline void output_fill(struct open_lookup *open, const struct call_frame *frame,
					__u64 route)
{
	const struct flowi4 *flow = (const void *)frame->arguments[0];
	const struct fib_result *result = (const void *)frame->arguments[1];
	struct lookup_event *event = &open->event;

	if (route >= (__u64)-KERNEL_ERRNO_MAX) {
		event->error = (__s32)route;
		return;
	}
	output_fill_source(event, flow);
	if (!event->error) {
		output_fill_route(event, result, (const void *)route);
		return;
	}
	event->error = 0;
	event->deciding = LOOKUP_NO_STEP;
	event->flags |= LOOKUP_BOUND_DEVICE | LOOKUP_HAS_ROUTE;
	__builtin_memset(&event->route, 0, sizeof(event->route));
	event->route.dev = event->key.oif;
}

static __always_inline void output_end(const struct hook *hook, __u64 route, __u64 slack)
{
	struct call_frame *frame = frame_pop(hook, FRAME_OUTPUT, slack);
	struct open_lookup *open;

	if (!frame || !frame->pending)
		return;
	open = lookup_find(frame->pending);
	if (open && open->phase == LOOKUP_AWAITING_DEFAULT && open->event.error != ERROR_NETUNREACH)
		control.default_after_refusal = DEFAULT_DOES_NOT_FOLLOW;
	if (open && open->phase != LOOKUP_WALKING) {
		output_fill(open, frame, route);
		open->waits = false;
	}
	frame_settle(hook, frame);
}

static __always_inline void output_leave(__u64 address, __u64 route, __u64 slack)
{
	struct hook hook;

	if (hook_enter(&hook, address))
		output_end(&hook, route, slack);
	hook_leave(&hook);
}

/* ip_route_input_slow() is entered. */
static __always_inline void input_enter(__u64 address, const struct net_device *device,
					__u32 destination, __u32 source,
					const struct fib_result *result)
{
	struct call_frame *frame;
	struct hook hook;

	frame = reason_begin(&hook, address, FRAME_INPUT, FLOW_AF_INET);
	if (frame) {
		frame_set_net(frame, BPF_CORE_READ(device, nd_net.net));
		frame->arguments[0] = destination;
		frame->arguments[1] = source;
		frame->arguments[2] = (__u64)result;
	}
	hook_leave(&hook);
}

static __always_inline void input_end(const struct hook *hook, __u64 slack)
{
	struct call_frame *frame = frame_pop(hook, FRAME_INPUT, slack);
	const struct fib_nh_common *nexthop;
	struct open_lookup *open;

	if (!frame || !frame->pending)
		return;
	open = lookup_find(frame->pending);
	if (open && open->waits) {
		const struct fib_result *result = (const void *)frame->arguments[2];

		nexthop = BPF_CORE_READ(result, nhc);
		if (nexthop)
			route_fill_nexthop(&open->event.route, nexthop);
		open->waits = false;
	}
	frame_settle(hook, frame);
}

/* ip_route_input_slow() returns: of several nexthops one was chosen since. */
static __always_inline void input_leave(__u64 address, __u64 slack)
{
	struct hook hook;

	if (hook_enter(&hook, address))
		input_end(&hook, slack);
	hook_leave(&hook);
}

/* __fib_validate_source() is entered for a packet from source. */
static __always_inline void source_check_enter(__u64 address, const struct net_device *device,
					       __u32 source)
{
	struct call_frame *frame;
	struct hook hook;

	frame = reason_begin(&hook, address, FRAME_SOURCE_CHECK, FLOW_AF_INET);
	if (frame) {
		frame_set_net(frame, BPF_CORE_READ(device, nd_net.net));
		frame->arguments[0] = source;
	}
	hook_leave(&hook);
}

/* inet_rtm_getroute() or inet6_rtm_getroute() is entered with the request. */
static __always_inline void route_get_enter(__u64 address, const struct sk_buff *request)
{
	struct call_frame *frame;
	struct hook hook;

	frame = reason_begin(&hook, address, FRAME_ROUTE_GET, 0);
	if (frame)
		frame_set_net(frame, BPF_CORE_READ(request, sk, __sk_common.skc_net.net));
	hook_leave(&hook);
}

/* fib_check_nh() is entered for a route of table. */
static __always_inline void route_add_enter(__u64 address, const struct net *net, __u32 table)
{
	struct call_frame *frame;
	struct hook hook;

	frame = reason_begin(&hook, address, FRAME_ROUTE_ADD, FLOW_AF_INET);
	if (frame) {
		frame_set_net(frame, net);
		frame->arguments[0] = table;
	}
	hook_leave(&hook);
}

#endif
