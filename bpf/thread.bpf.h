/* SPDX-License-Identifier: GPL-2.0-only */
/* Which hooked functions a thread of execution is in: they tell purpose, cause and namespace. */
#ifndef FIBTRACE_BPF_THREAD_BPF_H
#define FIBTRACE_BPF_THREAD_BPF_H

#include "bpf/record.bpf.h"

#define FRAMES_MAX 16
#define FRAME_ARGUMENTS 3

enum frame_kind {
	FRAME_NONE,
	FRAME_OUTPUT, /* flow; of IPv4 result */
	FRAME_INPUT, /* of IPv4 daddr, saddr, result; of IPv6 the two halves of daddr */
	FRAME_SOURCE_CHECK, /* the address that is checked */
	FRAME_ROUTE_GET,
	FRAME_REROUTE,
	FRAME_ROUTE_ADD, /* table */
	FRAME_CONNECT,
	FRAME_ICMP_ERROR,
	FRAME_REPLY,
	FRAME_TUNNEL,
	FRAME_LOOKUP, /* of IPv6: flow */
	FRAME_SOURCE_CHOICE, /* of IPv6: flow, whose source is set after its lookup */
	FRAME_ARGUMENTS_ONLY, /* kprobe: what the return of the function needs */
	FRAME_KIND_COUNT,
};

/*
 * address is where on the kernel stack the call is: a deeper call lies lower.
 * pending is the flow of the lookup that the function made last, as long as
 * that has not ended. net and netns: the namespace that the function was given.
 * family: of the flows that its lookups are about; 0: any.
 */
struct call_frame {
	__u64 address;
	__u64 pending;
	__u64 net;
	__u64 arguments[FRAME_ARGUMENTS];
	__u32 netns;
	__u8 kind;
	__u8 looked_up;
	__u8 family;
	__u8 pad;
};

/* What the frames tell of a lookup. output_missed: the function that was to tell was not seen. */
struct lookup_reason {
	__u64 net;
	__u32 netns;
	__u8 purpose;
	__u8 cause;
	__u8 purpose_told;
	__u8 cause_told;
	__u8 output_missed;
	__u8 pad[7];
};

/* What is worked out from here on is read back from memory: the verifier then follows one state
 * of it instead of every combination. */
#define forget_values() asm volatile("" ::: "memory")

/*
 * One for each task, and one more for the softirqs that run on top of it.
 * frames[0] stands for all functions that are not hooked. walking is the flow
 * whose rules are being walked, of IPv6 the one that is looked up, or one whose
 * beginning was not seen. epoch tells one softirq from the next, received one
 * packet of it, visit the call that frames[1] is of from all others. reason, origin
 * and built_in are of the lookup that begins: they are kept here because the
 * verifier does not follow the values of a map.
 */
struct thread_state {
	__u64 epoch;
	__u64 received;
	__u64 visit;
	__u64 walking;
	__u64 socket_flow; /* the flow that a socket's owner looks up, and for what */
	struct lookup_reason reason;
	struct lookup_origin origin;
	__u32 depth;
	__u8 socket_cause;
	__u8 built_in;
	__u8 pad[2];
	struct call_frame frames[FRAMES_MAX];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, struct thread_state);
} threads SEC(".maps");

static const struct thread_state new_thread_state;

/* What a function on the way tells: the innermost that tells decides, weak ones when no
 * other does. */
struct frame_meaning {
	__u8 purpose;
	__u8 cause;
	__u8 tells_purpose;
	__u8 tells_cause;
};

#define TELLS 2
#define TELLS_WEAKLY 1

static const struct frame_meaning meanings[FRAME_KIND_COUNT] = {
	[FRAME_OUTPUT] = { .purpose = PURPOSE_OUTPUT, .tells_purpose = TELLS_WEAKLY },
	[FRAME_INPUT] = { PURPOSE_INPUT, CAUSE_RECEIVE, TELLS_WEAKLY, TELLS_WEAKLY },
	[FRAME_SOURCE_CHECK] = { .purpose = PURPOSE_SOURCE_CHECK, .tells_purpose = TELLS },
	[FRAME_ROUTE_GET] = { PURPOSE_ROUTE_GET, CAUSE_ROUTE_GET, TELLS, TELLS },
	[FRAME_REROUTE] = { .purpose = PURPOSE_REROUTE, .tells_purpose = TELLS },
	[FRAME_ROUTE_ADD] = { PURPOSE_OTHER, CAUSE_ROUTE_ADD, TELLS, TELLS },
	[FRAME_CONNECT] = { .cause = CAUSE_CONNECT, .tells_cause = TELLS },
	[FRAME_ICMP_ERROR] = { .cause = CAUSE_ICMP_ERROR, .tells_cause = TELLS },
	[FRAME_REPLY] = { .cause = CAUSE_REPLY, .tells_cause = TELLS },
	[FRAME_TUNNEL] = { .cause = CAUSE_TUNNEL, .tells_cause = TELLS },
	[FRAME_SOURCE_CHOICE] = { .purpose = PURPOSE_OUTPUT, .tells_purpose = TELLS_WEAKLY },
};

/* What one hook is handled with. address: where on the stack it was hit. */
struct hook {
	struct cpu_state *cpu;
	struct thread_state *thread;
	__u64 address;
	__u8 level;
	bool nested; /* in a program of ours that is under way on this CPU: some are not run */
};

static __always_inline struct call_frame *frame_at(struct thread_state *thread, __u32 depth)
{
	/* The verifier is to see the mask, whatever the compiler knows of depth. */
	asm volatile("" : "+r"(depth));
	return &thread->frames[depth & (FRAMES_MAX - 1)];
}

static __always_inline struct call_frame *frame_top(struct thread_state *thread)
{
	return frame_at(thread, thread->depth);
}

static __always_inline void frame_settle(const struct hook *hook, struct call_frame *frame)
{
	__u64 flow = frame->pending;

	if (!flow)
		return;
	frame->pending = 0;
	lookup_settle(hook->cpu, flow);
}

/* How many frames are taken off at once: stale ones are rare, and the rest follow. */
#define PRUNE_MAX 4

/*
 * Frames whose return was missed lie at or below where the stack has come back
 * to. A lookup that such a frame made stays open: it is lost when its flow is
 * asked about again, or when user space reaps it.
 */
static __always_inline void thread_prune(struct thread_state *thread, __u64 address)
{
	for (int i = 0; i < PRUNE_MAX; i++) {
		if (!thread->depth || frame_top(thread)->address > address)
			return;
		thread->depth--;
	}
}

static __always_inline struct thread_state *thread_find(__u64 key)
{
	struct thread_state *thread = bpf_map_lookup_elem(&threads, &key);

	if (thread)
		return thread;
	bpf_map_update_elem(&threads, &key, &new_thread_state, BPF_ANY);
	return bpf_map_lookup_elem(&threads, &key);
}

/* The next packet is looked up anew, by the same flow on the stack. */
static __always_inline void thread_enter_packet(const struct hook *hook)
{
	struct thread_state *thread = hook->thread;

	if (hook->level != LEVEL_SOFTIRQ || thread->received == hook->cpu->received)
		return;
	thread->received = hook->cpu->received;
	thread->walking = 0;
}

/* A softirq begins without frames, whatever the one before it left behind. */
static __always_inline void thread_enter_epoch(const struct hook *hook)
{
	struct thread_state *thread = hook->thread;
	__u64 epoch = 0;

	if (hook->level == LEVEL_SOFTIRQ)
		epoch = hook->cpu->softirqs << 16 | (bpf_get_smp_processor_id() & 0xffff);
	if (thread->epoch == epoch)
		return;
	thread->depth = 0;
	thread->walking = 0;
	thread->socket_flow = 0;
	thread->epoch = epoch;
}

/* False: there is nothing to be done, the trace has not begun or has ended. hook_leave()
 * follows in any case. */
static __always_inline bool hook_enter(struct hook *hook, __u64 address)
{
	__u64 task = bpf_get_current_task();

	hook->cpu = cpu_state();
	if (!hook->cpu)
		return false;
	__sync_fetch_and_add(&hook->cpu->busy, 1);
	hook->nested = kernel_skips_nested_programs() && *(volatile __u32 *)&hook->cpu->busy > 1;
	if (!control.enabled)
		return false;
	hook->level = current_level(hook->cpu, task);
	hook->address = address;
	hook->thread = thread_find(task | (hook->level == LEVEL_SOFTIRQ));
	if (!hook->thread)
		return false;
	thread_enter_epoch(hook);
	thread_enter_packet(hook);
	return true;
}

static __always_inline void hook_leave(struct hook *hook)
{
	if (hook->cpu)
		__sync_fetch_and_add(&hook->cpu->busy, -1);
}

static __always_inline __u64 visit_next(struct cpu_state *cpu)
{
	cpu->visits++;
	return cpu->visits << 16 | (bpf_get_smp_processor_id() & 0xffff);
}

/* The frame of a function that was just entered; NULL when too many are nested. */
static __always_inline struct call_frame *frame_push(const struct hook *hook, enum frame_kind kind)
{
	struct thread_state *thread = hook->thread;
	struct call_frame *frame;

	thread_prune(thread, hook->address);
	if (thread->depth >= FRAMES_MAX - 1)
		return 0;
	if (!thread->depth)
		thread->visit = visit_next(hook->cpu);
	thread->depth++;
	frame = frame_top(thread);
	__builtin_memset(frame, 0, sizeof(*frame));
	frame->address = hook->address;
	frame->kind = kind;
	return frame;
}

/*
 * At the return of a function: its frame, taken off; NULL when its entry was
 * missed. slack: how far the two addresses may differ.
 */
static __always_inline struct call_frame *frame_pop(const struct hook *hook, enum frame_kind kind,
						    __u64 slack)
{
	struct thread_state *thread = hook->thread;
	struct call_frame *frame;

	thread_prune(thread, hook->address - slack - 1);
	frame = frame_top(thread);
	if (!thread->depth || frame->kind != kind || frame->address > hook->address + slack)
		return 0;
	thread->depth--;
	return frame;
}

/* What a function leaves undecided is for the one around it to settle. */
static __always_inline void frame_hand_on(struct thread_state *thread, struct call_frame *frame)
{
	struct call_frame *outer = frame_top(thread);

	if (!outer->pending)
		outer->pending = frame->pending;
}

static __always_inline void frame_set_net(struct call_frame *frame, const struct net *net)
{
	frame->net = (__u64)net;
	frame->netns = BPF_CORE_READ(net, ns.inum);
}

static __always_inline void reason_take(volatile struct lookup_reason *reason,
					const struct call_frame *frame)
{
	const struct frame_meaning *meaning;

	if (frame->kind >= FRAME_KIND_COUNT)
		return;
	meaning = &meanings[frame->kind];
	if (meaning->tells_purpose > reason->purpose_told) {
		reason->purpose = meaning->purpose;
		reason->purpose_told = meaning->tells_purpose;
	}
	if (meaning->tells_cause > reason->cause_told) {
		reason->cause = meaning->cause;
		reason->cause_told = meaning->tells_cause;
	}
	if (!reason->netns && frame->netns) {
		reason->netns = frame->netns;
		reason->net = frame->net;
	}
}

/* Whether the lookup of flow can be the function's own: a frame whose return was missed has
 * been asked about something else. */
static __always_inline bool frame_fits(const struct call_frame *frame, __u64 flow,
				       const struct flow_key *key)
{
	__u32 dst = *(const __u32 *)key->dst;

	if (frame->family && frame->family != key->family)
		return false;
	if (frame->kind == FRAME_OUTPUT)
		return frame->arguments[0] == flow;
	if (frame->kind == FRAME_INPUT && key->family == FLOW_AF_INET6)
		return frame->arguments[0] == ((const __u64 *)key->dst)[0] &&
		       frame->arguments[1] == ((const __u64 *)key->dst)[1];
	if (frame->kind == FRAME_INPUT)
		return frame->arguments[0] == dst || frame->arguments[1] == dst;
	if (frame->kind == FRAME_SOURCE_CHECK)
		return frame->arguments[0] == dst;
	return true;
}

/* Where the hook of the source check is refused: what is asked in ip_route_input_slow() about the
 * packet's source, or after the packet's own lookup. */
static __always_inline bool frame_checks_source(const struct call_frame *frame,
						const struct flow_key *key)
{
	if (frame->kind != FRAME_INPUT || key->family != FLOW_AF_INET)
		return false;
	return frame->looked_up || frame->arguments[0] != *(const __u32 *)key->dst;
}

/* Nothing that is hooked asks, although what asks for output is. */
static __always_inline bool output_was_missed(const struct thread_state *thread, __u8 family)
{
	return kernel_skips_nested_programs() && control.purpose_by_hooks & family_bit(family) &&
	       !thread->depth && !thread->reason.purpose_told;
}

/* The flow is the socket's, or a later one at the same address of the stack: in an output lookup
 * alone it is the socket's. */
static __always_inline void reason_take_socket(struct thread_state *thread, __u8 family)
{
	volatile struct lookup_reason *reason = &thread->reason;
	bool output = frame_top(thread)->kind == FRAME_OUTPUT;

	if (!output && !output_was_missed(thread, family))
		return;
	thread->socket_flow = 0;
	if (!output) {
		reason->purpose = PURPOSE_OUTPUT;
		reason->purpose_told = TELLS_WEAKLY;
		reason->output_missed = true;
	}
	if (reason->cause_told < TELLS && thread->socket_cause) {
		reason->cause = thread->socket_cause;
		reason->cause_told = TELLS;
	}
}

static __always_inline void reason_fill(struct thread_state *thread, __u64 flow,
					const struct flow_key *key)
{
	volatile struct lookup_reason *reason = &thread->reason;
	struct call_frame *top = frame_top(thread);

	__builtin_memset(&thread->reason, 0, sizeof(thread->reason));
	if (!key->iif && key->family == FLOW_AF_INET) {
		/* Without an input interface no packet is behind it, whoever asks. Of IPv6 it is set
		 * later than a VRF's table is asked about a link-local address. */
		reason->purpose_told = TELLS;
	} else if (frame_checks_source(top, key)) {
		reason->purpose = PURPOSE_SOURCE_CHECK;
		reason->purpose_told = TELLS;
	}
	for (__u32 i = 0; i < FRAMES_MAX; i++) {
		struct call_frame *frame;

		if (i >= thread->depth)
			break;
		frame = frame_at(thread, thread->depth - i);
		if (i || frame_fits(frame, flow, key))
			reason_take(reason, frame);
	}
	if (thread->socket_flow == flow)
		reason_take_socket(thread, key->family);
}

#endif
