/* SPDX-License-Identifier: GPL-2.0-only */
/* Walks from table answers: where one begins, whose it is, whether it passes, and sending it. */
#ifndef FIBTRACE_BPF_WALK_BPF_H
#define FIBTRACE_BPF_WALK_BPF_H

#include "bpf/config.h"
#include "bpf/context.bpf.h"
#include "bpf/event.h"
#include "bpf/flow.bpf.h"
#include "bpf/kernel_numbers.h"
#include "bpf/nexthop.bpf.h"
#include "bpf/policy_seq.bpf.h"
#include "bpf/ring.bpf.h"
#include "bpf/route6.bpf.h"
#include "bpf/selection.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct walk_state);
} walks SEC(".maps");

/* A zeroed walk_state is too large for the stack next to a flow key. */
static const struct walk_state new_walk_state;

/*
 * One answer being handled: everything the steps below share. flow is the kernel's
 * flowi4 or flowi6, nexthop that of a hit and NULL otherwise. route_type,
 * prefix_length, nexthops and the flags of struct table_answer are set where the
 * hook tells them, and zero elsewhere.
 */
struct answer_context {
	struct cpu_state *cpu;
	struct walk_state *state;
	const void *flow;
	const struct fib_nh_common *nexthop;
	__u64 walk_key;
	__u32 table;
	__s32 error;
	__u32 nexthops;
	__u8 family;
	__u8 route_type;
	__u8 prefix_length;
	__u8 flags;
	struct lookup_origin origin;
};

/* How many nexthops the kernel chooses from: those of the route's nexthop object, or its siblings'. */
static __always_inline __u32 answer_nexthops(const struct fib6_info *route)
{
	const struct nexthop *object = route->nh;

	return object ? object_nexthops(object) : route->fib6_nsiblings + 1;
}

/*
 * The arguments of the tracepoint, read without a call. The type in the result is
 * that of a nexthop object, too; a search for who may send a redirect leaves it 0,
 * and takes a route that refuses for none.
 */
static __always_inline void answer_read_inet6(struct answer_context *answer, const struct net *net,
					      const struct fib6_result *result)
{
	const struct fib6_info *route = result->f6i;

	if (route == net->ipv6.fib6_null_entry) {
		answer->error = ERROR_AGAIN;
		return;
	}
	answer->route_type = result->fib6_type ? result->fib6_type : route->fib6_type;
	answer->prefix_length = route->fib6_dst.plen;
	answer->flags = ANSWER_PREFIX_KNOWN;
	answer->error = route6_error(answer->route_type);
	if (answer->error) {
		if (!result->fib6_type)
			answer->error = ERROR_AGAIN;
		return;
	}
	answer->nexthops = answer_nexthops(route);
	answer->nexthop = &result->nh->nh_common;
}

/*
 * A walk begins with another flow, when its first table is asked again, and
 * behind an answer that refused: fib_rules_lookup() goes on after 0 and -EAGAIN
 * alone. fib_lookup() of IPv4 may ask table default even so, when there are no rules.
 */
static __always_inline bool walk_begins(const struct answer_context *answer)
{
	const struct walk_state *state = answer->state;

	if (state->refused && (answer->family != FLOW_AF_INET || answer->table != TABLE_DEFAULT))
		return true;
	return state->flow != (__u64)answer->flow || state->first_table == answer->table ||
	       !flow_equals(answer->flow, answer->family, &state->key);
}

static __always_inline bool answer_refuses(const struct answer_context *answer)
{
	return answer->error && answer->error != ERROR_AGAIN;
}

/* Of IPv6 a hit of local is the end as well, and main has nothing behind it. */
static __always_inline bool answer_may_end(const struct answer_context *answer)
{
	if (answer->family == FLOW_AF_INET6)
		return !answer->error || answer->table == TABLE_MAIN;
	return !answer->error && answer->table == TABLE_MAIN;
}

/* Without custom rules a hit of main is the end: no suppressor comes behind it. */
static __always_inline bool answer_is_built_in(const struct answer_context *answer)
{
	const struct net *net = answer->origin.net;

	return answer_may_end(answer) && net && kernel_has_rules(answer->family) &&
	       !net_has_custom_rules(net, answer->family);
}

/* What was rejected is not asked further about: its boundaries tell nothing to anyone. */
static __always_inline bool answer_ends(const struct answer_context *answer, __u32 rejected)
{
	return answer_refuses(answer) || (!rejected && answer_is_built_in(answer));
}

static __always_inline __u64 walk_next_id(struct cpu_state *cpu)
{
	cpu->walks++;
	return cpu->walks << 16 | (bpf_get_smp_processor_id() & 0xffff);
}

/* Counts, or takes back, a walk that the filter rejected. */
static __always_inline void count_filtered(const struct answer_context *answer, int change)
{
	__u32 kind = answer->state->rejected;

	if (kind < FILTER_KIND_COUNT)
		__sync_fetch_and_add(&answer->cpu->counts.filtered[kind], change);
}

static __always_inline void header_fill(struct event_header *header, struct cpu_state *cpu,
					__u8 type)
{
	header->time_ns = bpf_ktime_get_boot_ns();
	header->seq = cpu->seq;
	header->cpu = bpf_get_smp_processor_id();
	header->type = type;
	header->pad = 0;
}

static __always_inline void answer_fill_gateway(struct table_answer *out,
						const struct fib_nh_common *nexthop)
{
	out->gateway_family = BPF_CORE_READ(nexthop, nhc_gw_family);
	if (out->gateway_family == FLOW_AF_INET)
		bpf_core_read(out->gateway, 4, &nexthop->nhc_gw);
	else if (out->gateway_family == FLOW_AF_INET6)
		bpf_core_read(out->gateway, 16, &nexthop->nhc_gw);
}

/* nhc lies first in its fib_nh. A nexthop object has no parent: its type stays 0. */
static __always_inline __u8 nexthop_route_type(const struct fib_nh_common *nexthop)
{
	const struct fib_nh *whole = (const void *)nexthop;

	if (BPF_CORE_READ(nexthop, nhc_family) != FLOW_AF_INET)
		return 0;
	return BPF_CORE_READ(whole, nh_parent, fib_type);
}

static __always_inline void answer_fill_nexthop(struct table_answer *out,
						const struct answer_context *answer)
{
	const struct fib_nh_common *nexthop = answer->nexthop;

	if (!nexthop)
		return;
	out->dev = BPF_CORE_READ(nexthop, nhc_dev, ifindex);
	if (answer->family == FLOW_AF_INET)
		out->route_type = nexthop_route_type(nexthop);
	answer_fill_gateway(out, nexthop);
}

static __always_inline void answer_fill_policy(struct table_answer *out,
					       const struct answer_context *answer)
{
	const struct net *net = answer->origin.net;
	struct policy_seq seq = {};

	policy_seq_fill(&seq, net, answer->family);
	if (!seq.known)
		return;
	out->rules_seq = seq.rules;
	out->routes_seq = seq.routes;
	out->flags |= ANSWER_POLICY_KNOWN;
	if (net_has_custom_rules(net, answer->family))
		out->flags |= ANSWER_CUSTOM_RULES;
}

static __always_inline void answer_fill(struct table_answer *out,
					const struct answer_context *answer)
{
	__builtin_memset(out, 0, sizeof(*out));
	out->table = answer->table;
	out->error = answer->error;
	out->route_type = answer->route_type;
	out->prefix_length = answer->prefix_length;
	out->nexthops = answer->nexthops;
	out->flags = answer->flags;
	if (origin_is_certain(&answer->origin))
		out->netns = answer->origin.netns;
	answer_fill_nexthop(out, answer);
	answer_fill_policy(out, answer);
}

static __always_inline void begin_fill(struct begin_event *event,
				       const struct answer_context *answer, __u16 flags)
{
	struct walk_state *state = answer->state;

	header_fill(&event->header, answer->cpu, EVENT_BEGIN);
	event->walk = state->walk;
	event->previous = state->sent_walk;
	event->key = state->key;
	context_fill(&event->context, &answer->origin, state->site.instance, state->site.syscall);
	answer_fill(&event->answer, answer);
	__builtin_memcpy(event->held, state->held, sizeof(event->held));
	event->held_count = state->held_count;
	event->flags = flags | (state->sent_lost ? BEGIN_PREVIOUS_LOST : 0) |
		       (state->rejected ? BEGIN_REJECTED : 0);
	event->stack_count = 0;
}

static __always_inline bool begin_send_plain(const struct answer_context *answer, __u16 flags)
{
	struct begin_event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event)
		return false;
	begin_fill(event, answer, flags);
	bpf_ringbuf_submit(event, wakeup_flag());
	return true;
}

struct begin_with_stack {
	struct begin_event begin;
	struct begin_stack stack;
};

static __always_inline bool begin_send_stack(void *ctx, const struct answer_context *answer)
{
	struct begin_with_stack *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	long size;

	if (!event)
		return false;
	begin_fill(&event->begin, answer, 0);
	__builtin_memset(&event->stack, 0, sizeof(event->stack));
	size = bpf_get_stack(ctx, event->stack.address, sizeof(event->stack.address), 0);
	event->begin.stack_count = EVENT_STACK_DEPTH;
	if (size > 0 && size < (long)sizeof(event->stack.address))
		event->begin.stack_count = size / sizeof(__u64);
	bpf_ringbuf_submit(event, wakeup_flag());
	return true;
}

static __always_inline void begin_send(void *ctx, const struct answer_context *answer,
				       bool same_site)
{
	struct walk_state *state = answer->state;
	bool sent;

	answer->cpu->seq++;
	if (!state->rejected)
		__sync_fetch_and_add(&answer->cpu->counts.begun, 1);
	if (same_site || state->rejected)
		sent = begin_send_plain(answer, same_site ? BEGIN_SAME_SITE : 0);
	else
		sent = begin_send_stack(ctx, answer);
	if (!sent) {
		__sync_fetch_and_add(&answer->cpu->counts.lost_events, 1);
		if (!state->rejected)
			__sync_fetch_and_add(&answer->cpu->counts.lost_begun, 1);
		else
			count_filtered(answer, 1);
		state->fate = WALK_LOST;
		return;
	}
	state->fate = WALK_SENT;
	state->sent_walk = state->walk;
	state->sent_lost = false;
	state->site_sent = !state->rejected;
}

static __always_inline void table_send(const struct answer_context *answer)
{
	struct walk_state *state = answer->state;
	struct table_event *event;

	answer->cpu->seq++;
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event) {
		__sync_fetch_and_add(&answer->cpu->counts.lost_events, 1);
		state->fate = WALK_LOST;
		state->sent_lost = true;
		return;
	}
	header_fill(&event->header, answer->cpu, EVENT_TABLE);
	event->walk = state->walk;
	answer_fill(&event->answer, answer);
	bpf_ringbuf_submit(event, wakeup_flag());
}

/* The walk goes elsewhere so far: remember a miss, in case a hit tells otherwise. */
static __always_inline void walk_hold(const struct answer_context *answer)
{
	struct walk_state *state = answer->state;
	__u32 at = state->held_count;

	if (at < EVENT_HELD_MAX)
		state->held[at & (EVENT_HELD_MAX - 1)] = answer->table;
	state->held_count = at + 1;
}

/*
 * How far the flow lies from here on the stack: the same for every lookup by one
 * path of calls, wherever CONFIG_RANDOMIZE_KSTACK_OFFSET begins the stack.
 */
static __always_inline __u64 flow_distance(const void *ctx, const void *flow)
{
	return (__u64)flow - (__u64)ctx;
}

static __always_inline void site_find_call(struct call_site *site,
					   const struct answer_context *answer)
{
	struct system_call call = { .number = -1 };

	if (answer->origin.level == LEVEL_TASK)
		current_syscall(&call);
	site->syscall = call.number;
	site->descriptor = call.first_argument;
	site->instance = context_instance(answer->cpu, answer->origin.level, &call);
}

/* The same task in the same system call on the same descriptor, by the same
 * path, asks for the same purpose as before. */
static __always_inline bool walk_same_site(const struct answer_context *answer,
					   const struct flow_key *key, const struct call_site *site)
{
	const struct walk_state *state = answer->state;

	return state->site_sent && site->syscall >= 0 && answer->origin.level == LEVEL_TASK &&
	       state->site.syscall == site->syscall && state->site.descriptor == site->descriptor &&
	       state->site.distance == site->distance && state->key.protocol == key->protocol &&
	       state->key.sport == key->sport && state->key.iif == key->iif &&
	       state->key.flags == key->flags;
}

static __always_inline void walk_reject(const struct answer_context *answer, bool here)
{
	struct walk_state *state = answer->state;

	state->fate = WALK_REJECTED;
	state->counted_filtered = here;
	if (here)
		count_filtered(answer, 1);
}

/* Starts a walk in answer->state, decides its fate, and sends it when it passes. */
static __always_inline void walk_begin(void *ctx, const struct answer_context *answer,
				       const struct flow_key *key)
{
	struct walk_state *state = answer->state;
	const struct lookup_origin *origin = &answer->origin;
	bool known = origin->netns_source != NETNS_UNKNOWN || config.netns_all;
	bool here = known && netns_traced(origin->netns);
	enum filter_kind rejected = key_rejected(key, origin);
	struct call_site site = { .syscall = -1, .distance = flow_distance(ctx, answer->flow) };
	bool same_site;

	if (!rejected)
		site_find_call(&site, answer);
	same_site = walk_same_site(answer, key, &site);
	state->key = *key;
	state->flow = (__u64)answer->flow;
	state->walk = walk_next_id(answer->cpu);
	state->first_table = answer->table;
	state->site = site;
	state->held_count = 0;
	state->refused = answer_ends(answer, rejected);
	state->netns_known = origin_is_certain(origin);
	state->rejected = rejected;
	state->site_sent = same_site;
	state->counted_unknown = origin->netns_source == NETNS_UNKNOWN && key->iif;
	if (state->counted_unknown)
		__sync_fetch_and_add(&answer->cpu->counts.netns_unknown, 1);
	if (rejected && !control.send_rejected) {
		walk_reject(answer, here);
		return;
	}
	if (!here) {
		state->fate = WALK_ELSEWHERE;
		if (answer->error == ERROR_AGAIN)
			walk_hold(answer);
		return;
	}
	begin_send(ctx, answer, same_site);
}

/* The first hit of a rejected walk: its device tells whether it was counted rightly. */
static __always_inline void rejected_settle(const struct answer_context *answer)
{
	struct walk_state *state = answer->state;
	bool here = netns_traced(answer->origin.netns);

	if (here && !state->counted_filtered)
		count_filtered(answer, 1);
	else if (!here && state->counted_filtered)
		count_filtered(answer, -1);
	state->counted_filtered = here;
}

/* A walk that was not sent so far: a hit on a device of a traced namespace begins it late. */
static __always_inline void elsewhere_continue(void *ctx, const struct answer_context *answer)
{
	struct walk_state *state = answer->state;

	if (!origin_is_certain(&answer->origin)) {
		if (answer->error == ERROR_AGAIN)
			walk_hold(answer);
		return;
	}
	if (!netns_traced(answer->origin.netns))
		return;
	if (state->held_count > EVENT_HELD_MAX) {
		__sync_fetch_and_add(&answer->cpu->counts.begun, 1);
		__sync_fetch_and_add(&answer->cpu->counts.lost_begun, 1);
		state->fate = WALK_LOST;
		return;
	}
	begin_send(ctx, answer, false);
}

static __always_inline void walk_continue(void *ctx, const struct answer_context *answer)
{
	struct walk_state *state = answer->state;
	bool first_device = origin_is_certain(&answer->origin) && !state->netns_known;

	if (first_device) {
		state->netns_known = true;
		if (state->counted_unknown) {
			state->counted_unknown = false;
			__sync_fetch_and_add(&answer->cpu->counts.netns_unknown, -1);
		}
	}
	if (state->fate == WALK_SENT)
		table_send(answer);
	else if (state->fate == WALK_ELSEWHERE)
		elsewhere_continue(ctx, answer);
	else if (state->fate == WALK_REJECTED && first_device)
		rejected_settle(answer);
}

/* Most answers belong to walks that were rejected: nothing more is to be known of them. */
static __always_inline bool walk_needs_more(const struct answer_context *answer)
{
	const struct walk_state *state = answer->state;

	if (state->fate == WALK_LOST)
		return false;
	return state->fate != WALK_REJECTED || (answer->nexthop && !state->netns_known);
}

static __always_inline struct walk_state *walk_state_get(__u64 key)
{
	struct walk_state *state = bpf_map_lookup_elem(&walks, &key);

	if (state)
		return state;
	bpf_map_update_elem(&walks, &key, &new_walk_state, BPF_ANY);
	return bpf_map_lookup_elem(&walks, &key);
}

/* One answer of a table, whatever the hook it was seen through. */
static __always_inline void walk_answer(void *ctx, struct answer_context *answer)
{
	struct flow_key key;

	answer->state = walk_state_get(answer->walk_key);
	if (!answer->state) {
		/* The map is out of memory: count what cannot be followed. */
		__sync_fetch_and_add(&answer->cpu->counts.begun, 1);
		__sync_fetch_and_add(&answer->cpu->counts.lost_begun, 1);
		return;
	}
	if (!walk_begins(answer)) {
		answer->state->refused = answer_ends(answer, answer->state->rejected);
		if (walk_needs_more(answer)) {
			origin_fill(&answer->origin, answer->cpu, answer->nexthop);
			walk_continue(ctx, answer);
		}
		return;
	}
	origin_fill(&answer->origin, answer->cpu, answer->nexthop);
	flow_key_read(&key, answer->flow, answer->family);
	walk_begin(ctx, answer, &key);
}

#endif
