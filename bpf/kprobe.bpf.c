// SPDX-License-Identifier: GPL-2.0-only
/* The kprobe tier: the same records as the fentry tier's, from probes of entry and return. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/context_hooks.bpf.h"
#include "bpf/hooks.bpf.h"
#include "bpf/hooks6.bpf.h"
#include "bpf/kprobe_arguments.bpf.h"
#include "bpf/table6_hook.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* A return probe is told nothing but the result: what else it needs is kept since the entry. */
static __always_inline void keep_arguments(struct pt_regs *ctx, __u64 first, __u64 second,
					   __u64 third)
{
	struct call_frame *frame;
	struct hook hook;

	frame = reason_begin(&hook, probe_address(ctx), FRAME_ARGUMENTS_ONLY, 0);
	if (frame) {
		frame->arguments[0] = first;
		frame->arguments[1] = second;
		frame->arguments[2] = third;
	}
	hook_leave(&hook);
}

/* What was kept; false when the entry was missed. */
static __always_inline bool kept_arguments(struct pt_regs *ctx, __u64 arguments[FRAME_ARGUMENTS])
{
	struct call_frame *frame = 0;
	struct hook hook;

	if (hook_enter(&hook, probe_return_address(ctx)))
		frame = frame_pop(&hook, FRAME_ARGUMENTS_ONLY, PROBE_SLACK);
	hook_leave(&hook);
	if (!frame)
		return false;
	for (int i = 0; i < FRAME_ARGUMENTS; i++)
		arguments[i] = frame->arguments[i];
	return true;
}

SEC("kprobe/net_rx_action")
int receive_enter(struct pt_regs *ctx)
{
	softirq_probed();
	return 0;
}

SEC("tp_btf/fib_table_lookup")
int BPF_PROG(fib_table_lookup, __u32 table, const struct flowi4 *flow,
	     const struct fib_nh_common *nexthop, int error)
{
	table_traced((__u64)ctx, flow, error ? 0 : nexthop);
	return 0;
}

SEC("kprobe/fib_rules_lookup")
int rules_lookup_enter(struct pt_regs *ctx)
{
	/* Without arguments kept the return probe ends at once. */
	if (!rules_family((void *)probe_argument_1(ctx)))
		return 0;
	rules_enter(probe_address(ctx), (void *)probe_argument_1(ctx),
		    (void *)probe_argument_2(ctx), (void *)probe_argument_4(ctx));
	keep_arguments(ctx, probe_argument_1(ctx), probe_argument_2(ctx), probe_argument_4(ctx));
	return 0;
}

SEC("kretprobe/fib_rules_lookup")
int rules_lookup_leave(struct pt_regs *ctx)
{
	__u64 kept[FRAME_ARGUMENTS];

	if (kept_arguments(ctx, kept))
		rules_leave(probe_return_address(ctx), (void *)kept[0], (void *)kept[1],
			    (void *)kept[2], probe_result(ctx));
	return 0;
}

SEC("kprobe/fib4_rule_action")
int rule_action_enter(struct pt_regs *ctx)
{
	keep_arguments(ctx, probe_argument_1(ctx), probe_argument_2(ctx), probe_argument_4(ctx));
	return 0;
}

SEC("kretprobe/fib4_rule_action")
int rule_action_leave(struct pt_regs *ctx)
{
	__u64 kept[FRAME_ARGUMENTS];

	if (kept_arguments(ctx, kept))
		action_leave(probe_return_address(ctx), FLOW_AF_INET, (void *)kept[0],
			     (void *)kept[1], (void *)kept[2], probe_result(ctx));
	return 0;
}

SEC("kprobe/fib6_rule_action")
int rule6_action_enter(struct pt_regs *ctx)
{
	keep_arguments(ctx, probe_argument_1(ctx), probe_argument_2(ctx), probe_argument_4(ctx));
	return 0;
}

SEC("kretprobe/fib6_rule_action")
int rule6_action_leave(struct pt_regs *ctx)
{
	__u64 kept[FRAME_ARGUMENTS];

	if (kept_arguments(ctx, kept))
		action_leave(probe_return_address(ctx), FLOW_AF_INET6, (void *)kept[0],
			     (void *)kept[1], (void *)kept[2], probe_result(ctx));
	return 0;
}

SEC("kprobe/fib_table_lookup")
int table_lookup_enter(struct pt_regs *ctx)
{
	keep_arguments(ctx, probe_argument_1(ctx), probe_argument_2(ctx), probe_argument_3(ctx));
	return 0;
}

SEC("kretprobe/fib_table_lookup")
int table_lookup_leave(struct pt_regs *ctx)
{
	__u64 kept[FRAME_ARGUMENTS];

	if (kept_arguments(ctx, kept))
		table_leave(probe_return_address(ctx), (void *)kept[0], (void *)kept[1],
			    (void *)kept[2], probe_result(ctx));
	return 0;
}

SEC("kprobe/ip_route_output_key_hash_rcu")
int output_key_hash_enter(struct pt_regs *ctx)
{
	output_enter(probe_address(ctx), (void *)probe_argument_1(ctx),
		     (void *)probe_argument_2(ctx), (void *)probe_argument_3(ctx));
	return 0;
}

SEC("kretprobe/ip_route_output_key_hash_rcu")
int output_key_hash_leave(struct pt_regs *ctx)
{
	output_leave(probe_return_address(ctx), probe_result(ctx), PROBE_SLACK);
	return 0;
}

SEC("kprobe/ip_route_input_slow")
int input_slow_enter(struct pt_regs *ctx)
{
	input_enter(probe_address(ctx), (void *)probe_argument_5(ctx), probe_argument_2(ctx),
		    probe_argument_3(ctx), (void *)probe_argument_6(ctx));
	return 0;
}

SEC("kretprobe/ip_route_input_slow")
int input_slow_leave(struct pt_regs *ctx)
{
	input_leave(probe_return_address(ctx), PROBE_SLACK);
	return 0;
}

SEC("kprobe/__fib_validate_source")
int validate_source_enter(struct pt_regs *ctx)
{
	source_check_enter(probe_address(ctx), (void *)probe_argument_6(ctx),
			   probe_argument_2(ctx));
	return 0;
}

SEC("kretprobe/__fib_validate_source")
int validate_source_leave(struct pt_regs *ctx)
{
	reason_leave(probe_return_address(ctx), FRAME_SOURCE_CHECK, PROBE_SLACK);
	return 0;
}

SEC("kprobe/inet_rtm_getroute")
int getroute_enter(struct pt_regs *ctx)
{
	route_get_enter(probe_address(ctx), (void *)probe_argument_1(ctx));
	return 0;
}

SEC("kretprobe/inet_rtm_getroute")
int getroute_leave(struct pt_regs *ctx)
{
	reason_leave(probe_return_address(ctx), FRAME_ROUTE_GET, PROBE_SLACK);
	return 0;
}

SEC("kprobe/fib_check_nh")
int check_nh_enter(struct pt_regs *ctx)
{
	route_add_enter(probe_address(ctx), (void *)probe_argument_1(ctx), probe_argument_3(ctx));
	return 0;
}

SEC("kretprobe/fib_check_nh")
int check_nh_leave(struct pt_regs *ctx)
{
	reason_leave(probe_return_address(ctx), FRAME_ROUTE_ADD, PROBE_SLACK);
	return 0;
}

SEC("kprobe/fib6_rule_lookup")
int rule6_lookup_enter(struct pt_regs *ctx)
{
	lookup6_enter(probe_address(ctx), (void *)probe_argument_1(ctx),
		      (void *)probe_argument_2(ctx), 0);
	return 0;
}

SEC("kretprobe/fib6_rule_lookup")
int rule6_lookup_leave(struct pt_regs *ctx)
{
	lookup6_leave(probe_return_address(ctx), probe_result(ctx), PROBE_SLACK);
	return 0;
}

SEC("kprobe/fib6_lookup")
int alt6_lookup_enter(struct pt_regs *ctx)
{
	lookup6_enter(probe_address(ctx), (void *)probe_argument_1(ctx),
		      (void *)probe_argument_3(ctx), LOOKUP_ALT);
	return 0;
}

SEC("kretprobe/fib6_lookup")
int alt6_lookup_leave(struct pt_regs *ctx)
{
	lookup6_leave(probe_return_address(ctx), probe_result(ctx), PROBE_SLACK);
	return 0;
}

SEC("kprobe/ip6_route_output_flags")
int output6_flags_enter(struct pt_regs *ctx)
{
	output6_enter(probe_address(ctx), (void *)probe_argument_1(ctx),
		      (void *)probe_argument_2(ctx), (void *)probe_argument_3(ctx));
	return 0;
}

SEC("kretprobe/ip6_route_output_flags")
int output6_flags_leave(struct pt_regs *ctx)
{
	reason_leave(probe_return_address(ctx), FRAME_OUTPUT, PROBE_SLACK);
	return 0;
}

SEC("kprobe/ip6_route_input")
int route6_input_enter(struct pt_regs *ctx)
{
	input6_enter(probe_address(ctx), (void *)probe_argument_1(ctx));
	return 0;
}

SEC("kretprobe/ip6_route_input")
int route6_input_leave(struct pt_regs *ctx)
{
	reason_leave(probe_return_address(ctx), FRAME_INPUT, PROBE_SLACK);
	return 0;
}

SEC("kprobe/ip6_dst_lookup_flow")
int dst6_lookup_flow_enter(struct pt_regs *ctx)
{
	source_choice_enter(probe_address(ctx), (void *)probe_argument_3(ctx));
	return 0;
}

SEC("kretprobe/ip6_dst_lookup_flow")
int dst6_lookup_flow_leave(struct pt_regs *ctx)
{
	source_choice_leave(probe_return_address(ctx), PROBE_SLACK);
	return 0;
}

SEC("kprobe/inet6_rtm_getroute")
int getroute6_enter(struct pt_regs *ctx)
{
	route_get_enter(probe_address(ctx), (void *)probe_argument_1(ctx));
	return 0;
}

SEC("kretprobe/inet6_rtm_getroute")
int getroute6_leave(struct pt_regs *ctx)
{
	reason_leave(probe_return_address(ctx), FRAME_ROUTE_GET, PROBE_SLACK);
	return 0;
}

SEC("kprobe/ip_route_output_flow")
int output_flow_enter(struct pt_regs *ctx)
{
	socket_asks(probe_address(ctx), (void *)probe_argument_2(ctx),
		    (void *)probe_argument_3(ctx));
	return 0;
}

#define REASON_HOOK(function, kind) PROBE_REASON_HOOK(function, kind)
#include "bpf/reason_hooks.bpf.h"
