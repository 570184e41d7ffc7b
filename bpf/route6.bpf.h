/* SPDX-License-Identifier: GPL-2.0-only */
/* What every tier reads of the routes of IPv6. */
#ifndef FIBTRACE_BPF_ROUTE6_BPF_H
#define FIBTRACE_BPF_ROUTE6_BPF_H

#include "flavors.h"
#include "bpf/kernel_numbers.h"

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

#endif
