// SPDX-License-Identifier: GPL-2.0-only
/* What a lookup was made for and by what, read off the kernel stack at the lookup. */
#include "trace/stack.h"

#include <sys/syscall.h>

#include "util/array.h"

#define NONE (-1)

/*
 * What a function on the stack tells. The innermost one that tells decides,
 * weak ones only when no other does.
 */
struct marker {
	const char *function;
	int purpose;
	int cause;
	unsigned int flags;
};

#define WEAK 1u /* on the way of several purposes */
#define DIRECT 2u /* can ask a table without the rules */
#define BOUNDARY 4u /* behind it begins what was interrupted */

static const struct marker markers[] = {
	{ "__fib_validate_source", PURPOSE_SOURCE_CHECK, NONE, 0 },
	{ "fib_validate_source", PURPOSE_SOURCE_CHECK, NONE, 0 },
	{ "inet_rtm_getroute", PURPOSE_ROUTE_GET, CAUSE_ROUTE_GET, 0 },
	{ "inet6_rtm_getroute", PURPOSE_ROUTE_GET, CAUSE_ROUTE_GET, 0 },
	{ "ip_route_me_harder", PURPOSE_REROUTE, NONE, 0 },
	{ "ip6_route_me_harder", PURPOSE_REROUTE, NONE, 0 },
	{ "fib_check_nh", PURPOSE_OTHER, CAUSE_ROUTE_ADD, DIRECT },
	{ "fib_create_info", PURPOSE_OTHER, CAUSE_ROUTE_ADD, DIRECT },
	{ "inet_rtm_newroute", PURPOSE_OTHER, CAUSE_ROUTE_ADD, DIRECT },
	{ "fib6_nh_init", PURPOSE_OTHER, CAUSE_ROUTE_ADD, DIRECT },
	{ "ip6_route_info_create", PURPOSE_OTHER, CAUSE_ROUTE_ADD, DIRECT },
	{ "ip6_route_add", PURPOSE_OTHER, CAUSE_ROUTE_ADD, DIRECT },
	{ "inet6_rtm_newroute", PURPOSE_OTHER, CAUSE_ROUTE_ADD, DIRECT },
	{ "fib_compute_spec_dst", PURPOSE_OTHER, NONE, 0 },
	{ "nft_fib4_eval", PURPOSE_OTHER, CAUSE_OTHER, DIRECT },
	{ "nft_fib6_eval", PURPOSE_OTHER, CAUSE_OTHER, DIRECT },
	{ "rpfilter_mt", PURPOSE_SOURCE_CHECK, CAUSE_RECEIVE, 0 },
	{ "bpf_ipv4_fib_lookup", PURPOSE_OTHER, CAUSE_OTHER, DIRECT },
	{ "bpf_ipv6_fib_lookup", PURPOSE_OTHER, CAUSE_OTHER, DIRECT },
	/* They ask a table that they know. */
	{ "l3mdev_link_scope_lookup", NONE, NONE, DIRECT },
	{ "seg6_lookup_any_nexthop", PURPOSE_OTHER, CAUSE_OTHER, DIRECT },
	{ "__ip6_route_redirect", PURPOSE_OTHER, CAUSE_RECEIVE, DIRECT },
	{ "rt6_do_redirect", PURPOSE_OTHER, CAUSE_RECEIVE, DIRECT },
	{ "ip6_update_pmtu", PURPOSE_OTHER, CAUSE_RECEIVE, 0 },
	{ "nl_fib_input", PURPOSE_OTHER, CAUSE_OTHER, DIRECT },
	{ "tcp_v4_connect", PURPOSE_OUTPUT, CAUSE_CONNECT, 0 },
	{ "__ip4_datagram_connect", PURPOSE_OUTPUT, CAUSE_CONNECT, 0 },
	{ "ip4_datagram_connect", PURPOSE_OUTPUT, CAUSE_CONNECT, 0 },
	{ "tcp_v6_connect", PURPOSE_OUTPUT, CAUSE_CONNECT, 0 },
	{ "__ip6_datagram_connect", PURPOSE_OUTPUT, CAUSE_CONNECT, 0 },
	{ "ip6_datagram_connect", PURPOSE_OUTPUT, CAUSE_CONNECT, 0 },
	{ "ip6_datagram_dst_update", PURPOSE_OUTPUT, CAUSE_CONNECT, 0 },
	/* Among its lookups is one as for a packet that came back: an input one. */
	{ "icmp_route_lookup", NONE, CAUSE_ICMP_ERROR, 0 },
	{ "__icmp_send", NONE, CAUSE_ICMP_ERROR, 0 },
	{ "icmpv6_route_lookup", NONE, CAUSE_ICMP_ERROR, 0 },
	{ "icmp6_send", NONE, CAUSE_ICMP_ERROR, 0 },
	{ "icmp_reply", PURPOSE_OUTPUT, CAUSE_REPLY, 0 },
	{ "ip_send_unicast_reply", PURPOSE_OUTPUT, CAUSE_REPLY, 0 },
	{ "inet_csk_route_req", PURPOSE_OUTPUT, CAUSE_REPLY, 0 },
	{ "inet_csk_route_child_sock", PURPOSE_OUTPUT, CAUSE_REPLY, 0 },
	{ "icmpv6_echo_reply", PURPOSE_OUTPUT, CAUSE_REPLY, 0 },
	{ "tcp_v6_send_response", PURPOSE_OUTPUT, CAUSE_REPLY, 0 },
	{ "tcp_v6_send_reset", PURPOSE_OUTPUT, CAUSE_REPLY, 0 },
	{ "inet6_csk_route_req", PURPOSE_OUTPUT, CAUSE_REPLY, 0 },
	{ "send4", PURPOSE_OUTPUT, CAUSE_TUNNEL, 0 },
	{ "send6", PURPOSE_OUTPUT, CAUSE_TUNNEL, 0 },
	{ "wg_socket_send_skb_to_peer", PURPOSE_OUTPUT, CAUSE_TUNNEL, 0 },
	{ "wg_socket_send_buffer_to_peer", PURPOSE_OUTPUT, CAUSE_TUNNEL, 0 },
	{ "ip_tunnel_xmit", PURPOSE_OUTPUT, CAUSE_TUNNEL, 0 },
	{ "ip_md_tunnel_xmit", PURPOSE_OUTPUT, CAUSE_TUNNEL, 0 },
	{ "udp_tunnel_dst_lookup", PURPOSE_OUTPUT, CAUSE_TUNNEL, 0 },
	{ "xfrm4_dst_lookup", PURPOSE_OUTPUT, CAUSE_TUNNEL, 0 },
	{ "ip6_tnl_xmit", PURPOSE_OUTPUT, CAUSE_TUNNEL, 0 },
	{ "udp_tunnel6_dst_lookup", PURPOSE_OUTPUT, CAUSE_TUNNEL, 0 },
	{ "xfrm6_dst_lookup", PURPOSE_OUTPUT, CAUSE_TUNNEL, 0 },
	{ "udp_sendmsg", PURPOSE_OUTPUT, CAUSE_SEND, 0 },
	{ "raw_sendmsg", PURPOSE_OUTPUT, CAUSE_SEND, 0 },
	{ "ping_v4_sendmsg", PURPOSE_OUTPUT, CAUSE_SEND, 0 },
	{ "__ip_queue_xmit", PURPOSE_OUTPUT, CAUSE_SEND, 0 },
	{ "udpv6_sendmsg", PURPOSE_OUTPUT, CAUSE_SEND, 0 },
	{ "rawv6_sendmsg", PURPOSE_OUTPUT, CAUSE_SEND, 0 },
	{ "ping_v6_sendmsg", PURPOSE_OUTPUT, CAUSE_SEND, 0 },
	{ "inet6_csk_route_socket", PURPOSE_OUTPUT, CAUSE_SEND, 0 },
	{ "arp_process", PURPOSE_INPUT, CAUSE_RECEIVE, WEAK },
	{ "ip_route_input_slow", PURPOSE_INPUT, CAUSE_RECEIVE, WEAK },
	{ "ip_route_input_rcu", PURPOSE_INPUT, CAUSE_RECEIVE, WEAK },
	{ "ip_route_input_noref", PURPOSE_INPUT, CAUSE_RECEIVE, WEAK },
	{ "ip_route_output_key_hash_rcu", PURPOSE_OUTPUT, NONE, WEAK },
	{ "ip_route_output_key_hash", PURPOSE_OUTPUT, NONE, WEAK },
	{ "ip_route_output_flow", PURPOSE_OUTPUT, NONE, WEAK },
	{ "ip6_route_input", PURPOSE_INPUT, CAUSE_RECEIVE, WEAK },
	{ "ip6_route_output_flags", PURPOSE_OUTPUT, NONE, WEAK },
	{ "ip6_dst_lookup_flow", PURPOSE_OUTPUT, NONE, WEAK },
	{ "handle_softirqs", NONE, NONE, BOUNDARY },
	{ "__do_softirq", NONE, NONE, BOUNDARY },
	{ "do_softirq", NONE, NONE, BOUNDARY },
	{ "do_syscall_64", NONE, NONE, BOUNDARY },
};

const char *stack_marker(size_t index)
{
	return index < ARRAY_SIZE(markers) ? markers[index].function : NULL;
}

/* What was read so far; NONE where nothing told. */
struct reading {
	int purpose;
	int cause;
	int weak_purpose;
	int weak_cause;
	bool direct;
};

static void take_first(int *slot, int value)
{
	if (*slot == NONE)
		*slot = value;
}

static void reading_take(struct reading *reading, const struct marker *marker)
{
	take_first(marker->flags & WEAK ? &reading->weak_purpose : &reading->purpose,
		   marker->purpose);
	take_first(marker->flags & WEAK ? &reading->weak_cause : &reading->cause, marker->cause);
	reading->direct |= !!(marker->flags & DIRECT);
}

static void reading_scan(struct reading *reading, const struct symbols *symbols,
			 const __u64 *addresses, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int index = symbols_find(symbols, addresses[i]);

		if (index < 0)
			continue;
		if (markers[index].flags & BOUNDARY)
			return;
		reading_take(reading, &markers[index]);
	}
}

static enum cause cause_of_syscall(const struct event_context *context)
{
	switch (context->syscall) {
	case SYS_connect:
		return CAUSE_CONNECT;
	case SYS_sendto:
	case SYS_sendmsg:
	case SYS_sendmmsg:
	case SYS_write:
	case SYS_writev:
		return CAUSE_SEND;
	default:
		return CAUSE_OTHER;
	}
}

/* The flow key alone: a packet that came in has an input interface other than lo. */
static void reading_default(struct reading *reading, const struct flow_key *key,
			    const struct event_context *context)
{
	bool received = key->iif && key->iif != FLOW_IFINDEX_LO;

	take_first(&reading->purpose, received ? PURPOSE_INPUT : PURPOSE_OUTPUT);
	if (context->level == LEVEL_TASK && !received)
		take_first(&reading->cause, cause_of_syscall(context));
	take_first(&reading->cause, received ? CAUSE_RECEIVE : CAUSE_OTHER);
}

struct origin stack_origin_default(const struct flow_key *key, const struct event_context *context)
{
	struct reading reading = { NONE, NONE, NONE, NONE, false };

	if (!key->iif)
		reading.purpose = PURPOSE_OTHER;
	reading_default(&reading, key, context);
	return (struct origin){ .purpose = reading.purpose, .cause = reading.cause };
}

struct origin stack_origin(const struct symbols *symbols, const __u64 *addresses, size_t count,
			   const struct begin_event *begin)
{
	struct reading reading = { NONE, NONE, NONE, NONE, false };

	/* Without an input interface no packet is behind it, whoever asks. */
	if (!begin->key.iif)
		reading.purpose = PURPOSE_OTHER;
	if (symbols)
		reading_scan(&reading, symbols, addresses, count);
	if (reading.weak_purpose != NONE)
		take_first(&reading.purpose, reading.weak_purpose);
	if (reading.weak_cause != NONE)
		take_first(&reading.cause, reading.weak_cause);
	reading_default(&reading, &begin->key, &begin->context);
	return (struct origin){
		.purpose = reading.purpose,
		.cause = reading.cause,
		.may_be_direct = reading.direct || !begin->key.iif,
	};
}
