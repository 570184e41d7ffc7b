/* SPDX-License-Identifier: GPL-2.0-only */
/* A route of IPv6, from what a table's search found (struct fib6_result). */
#ifndef FIBTRACE_BPF_ROUTE6_BPF_H
#define FIBTRACE_BPF_ROUTE6_BPF_H

#include "bpf/kernel_numbers.h"
#include "bpf/nexthop.bpf.h"
#include "bpf/walk.bpf.h"

/* The kernel's fib6_prop[]: what a route of this type comes to. */
static __always_inline __s32 route6_error(__u8 type)
{
	switch (type) {
	case ROUTE_BLACKHOLE:
		return ERROR_INVAL;
	case ROUTE_UNREACHABLE:
		return ERROR_HOSTUNREACH;
	case ROUTE_PROHIBIT:
		return ERROR_ACCES;
	case ROUTE_THROW:
		return ERROR_AGAIN;
	default:
		return 0;
	}
}

/* How many nexthops the kernel chooses from: those of the route's nexthop object, or its siblings'. */
static __always_inline __u32 route6_nexthops(const struct fib6_info *route)
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
	answer->nexthops = route6_nexthops(route);
	answer->nexthop = &result->nh->nh_common;
}

#endif
