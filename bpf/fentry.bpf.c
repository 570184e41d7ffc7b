// SPDX-License-Identifier: GPL-2.0-only
/* The fentry tier: every lookup assembled from trampolines around the kernel's functions. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/context_hooks.bpf.h"
#include "bpf/hooks.bpf.h"
#include "bpf/hooks6.bpf.h"
#include "bpf/kprobe_arguments.bpf.h"
#include "bpf/table6_hook.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* A trampoline's arguments lie on the stack of the call: the same place at entry and return. */
#define ADDRESS ((__u64)ctx)
#define NO_SLACK 0

SEC("fentry/fib_rules_lookup")
int BPF_PROG(rules_lookup_enter, struct fib_rules_ops *ops, struct flowi4 *flow, int flags,
	     struct fib_lookup_arg *argument)
{
	rules_enter(ADDRESS, ops, flow, argument);
	return 0;
}

SEC("fexit/fib_rules_lookup")
int BPF_PROG(rules_lookup_leave, struct fib_rules_ops *ops, struct flowi4 *flow, int flags,
	     struct fib_lookup_arg *argument, int error)
{
	rules_leave(ADDRESS, ops, flow, argument, error);
	return 0;
}

SEC("fexit/fib4_rule_action")
int BPF_PROG(rule_action_leave, struct fib_rule *rule, struct flowi4 *flow, int flags,
	     struct fib_lookup_arg *argument, int error)
{
	action_leave(ADDRESS, FLOW_AF_INET, rule, flow, argument, error);
	return 0;
}

SEC("fexit/fib6_rule_action")
int BPF_PROG(rule6_action_leave, struct fib_rule *rule, struct flowi6 *flow, int flags,
	     struct fib_lookup_arg *argument, int error)
{
	action_leave(ADDRESS, FLOW_AF_INET6, rule, flow, argument, error);
	return 0;
}

SEC("fexit/fib_table_lookup")
int BPF_PROG(table_lookup_leave, struct fib_table *table, struct flowi4 *flow,
	     struct fib_result *result, int flags, int error)
{
	table_leave(ADDRESS, table, flow, result, error);
	return 0;
}

SEC("fentry/ip_route_output_key_hash_rcu")
int BPF_PROG(output_key_hash_enter, struct net *net, struct flowi4 *flow, struct fib_result *result)
{
	output_enter(ADDRESS, net, flow, result);
	return 0;
}

SEC("fexit/ip_route_output_key_hash_rcu")
int BPF_PROG(output_key_hash_leave, struct net *net, struct flowi4 *flow, struct fib_result *result,
	     struct sk_buff *packet, __u64 route)
{
	output_leave(ADDRESS, route, NO_SLACK);
	return 0;
}

SEC("fentry/ip_route_input_slow")
int BPF_PROG(input_slow_enter, struct sk_buff *packet, __u32 destination, __u32 source, __u8 tos,
	     struct net_device *device, struct fib_result *result)
{
	input_enter(ADDRESS, device, destination, source, result);
	return 0;
}

SEC("fexit/ip_route_input_slow")
int BPF_PROG(input_slow_leave)
{
	input_leave(ADDRESS, NO_SLACK);
	return 0;
}

/* Up to 6.1 a trampoline takes six arguments at most, and this function has nine. */
SEC("fentry/__fib_validate_source")
int BPF_PROG(validate_source_enter, struct sk_buff *packet, __u32 source, __u32 destination,
	     __u8 tos, int oif, struct net_device *device)
{
	source_check_enter(ADDRESS, device, source);
	return 0;
}

SEC("fexit/__fib_validate_source")
int BPF_PROG(validate_source_leave)
{
	reason_leave(ADDRESS, FRAME_SOURCE_CHECK, NO_SLACK);
	return 0;
}

/* What stands in for trampolines where they are refused. */
SEC("kprobe/__fib_validate_source")
int validate_source_probe_enter(struct pt_regs *ctx)
{
	source_check_enter(probe_address(ctx), (void *)probe_argument_6(ctx),
			   probe_argument_2(ctx));
	return 0;
}

SEC("kretprobe/__fib_validate_source")
int validate_source_probe_leave(struct pt_regs *ctx)
{
	reason_leave(probe_return_address(ctx), FRAME_SOURCE_CHECK, PROBE_SLACK);
	return 0;
}

SEC("fentry/inet_rtm_getroute")
int BPF_PROG(getroute_enter, struct sk_buff *request)
{
	route_get_enter(ADDRESS, request);
	return 0;
}

SEC("fexit/inet_rtm_getroute")
int BPF_PROG(getroute_leave)
{
	reason_leave(ADDRESS, FRAME_ROUTE_GET, NO_SLACK);
	return 0;
}

SEC("fentry/fib_check_nh")
int BPF_PROG(check_nh_enter, struct net *net, struct fib_nh *nexthop, __u32 table)
{
	route_add_enter(ADDRESS, net, table);
	return 0;
}

SEC("fexit/fib_check_nh")
int BPF_PROG(check_nh_leave)
{
	reason_leave(ADDRESS, FRAME_ROUTE_ADD, NO_SLACK);
	return 0;
}

SEC("fentry/fib6_rule_lookup")
int BPF_PROG(rule6_lookup_enter, struct net *net, struct flowi6 *flow)
{
	lookup6_enter(ADDRESS, net, flow, 0);
	return 0;
}

SEC("fexit/fib6_rule_lookup")
int BPF_PROG(rule6_lookup_leave, struct net *net, struct flowi6 *flow, struct sk_buff *packet,
	     int flags, void *lookup, __u64 made)
{
	lookup6_leave(ADDRESS, made, NO_SLACK);
	return 0;
}

SEC("fentry/fib6_lookup")
int BPF_PROG(alt6_lookup_enter, struct net *net, int oif, struct flowi6 *flow,
	     struct fib6_result *result)
{
	lookup6_enter(ADDRESS, net, flow, LOOKUP_ALT);
	return 0;
}

SEC("fexit/fib6_lookup")
int BPF_PROG(alt6_lookup_leave, struct net *net, int oif, struct flowi6 *flow,
	     struct fib6_result *result, int flags, int error)
{
	lookup6_leave(ADDRESS, error, NO_SLACK);
	return 0;
}

SEC("fentry/ip6_route_output_flags")
int BPF_PROG(output6_flags_enter, struct net *net, struct sock *socket, struct flowi6 *flow)
{
	output6_enter(ADDRESS, net, socket, flow);
	return 0;
}

SEC("fexit/ip6_route_output_flags")
int BPF_PROG(output6_flags_leave)
{
	reason_leave(ADDRESS, FRAME_OUTPUT, NO_SLACK);
	return 0;
}

SEC("fentry/ip6_route_input")
int BPF_PROG(route6_input_enter, struct sk_buff *packet)
{
	input6_enter(ADDRESS, packet);
	return 0;
}

SEC("fexit/ip6_route_input")
int BPF_PROG(route6_input_leave)
{
	reason_leave(ADDRESS, FRAME_INPUT, NO_SLACK);
	return 0;
}

SEC("fentry/ip6_dst_lookup_flow")
int BPF_PROG(dst6_lookup_flow_enter, struct net *net, struct sock *socket, struct flowi6 *flow)
{
	source_choice_enter(ADDRESS, flow);
	return 0;
}

SEC("fexit/ip6_dst_lookup_flow")
int BPF_PROG(dst6_lookup_flow_leave)
{
	source_choice_leave(ADDRESS, NO_SLACK);
	return 0;
}

SEC("fentry/inet6_rtm_getroute")
int BPF_PROG(getroute6_enter, struct sk_buff *request)
{
	route_get_enter(ADDRESS, request);
	return 0;
}

SEC("fexit/inet6_rtm_getroute")
int BPF_PROG(getroute6_leave)
{
	reason_leave(ADDRESS, FRAME_ROUTE_GET, NO_SLACK);
	return 0;
}

SEC("fentry/ip_route_output_flow")
int BPF_PROG(output_flow_enter, struct net *net, struct flowi4 *flow, struct sock *socket)
{
	socket_asks(ADDRESS, flow, socket);
	return 0;
}

/* The two programs of a function that is of interest for being on the way alone. */
#define REASON_HOOK(function, kind)                                                                \
	SEC("fentry/" #function)                                                                   \
	int function##_enter(void *ctx)                                                            \
	{                                                                                          \
		reason_enter(ADDRESS, kind);                                                       \
		return 0;                                                                          \
	}                                                                                          \
                                                                                                   \
	SEC("fexit/" #function)                                                                    \
	int function##_leave(void *ctx)                                                            \
	{                                                                                          \
		reason_leave(ADDRESS, kind, NO_SLACK);                                             \
		return 0;                                                                          \
	}

#include "bpf/reason_hooks.bpf.h"

/* These take more arguments, too. */
PROBE_REASON_HOOK(ip_send_unicast_reply, FRAME_REPLY)
PROBE_REASON_HOOK(udp_tunnel_dst_lookup, FRAME_TUNNEL)
