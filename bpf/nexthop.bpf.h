/* SPDX-License-Identifier: GPL-2.0-only */
/* What the nexthops of both families have in common. */
#ifndef FIBTRACE_BPF_NEXTHOP_BPF_H
#define FIBTRACE_BPF_NEXTHOP_BPF_H

#include "flavors.h"

/* How many nexthops a nexthop object stands for. */
static __always_inline __u16 object_nexthops(const struct nexthop *object)
{
	if (!BPF_CORE_READ(object, is_group))
		return 1;
	return BPF_CORE_READ(object, nh_grp, num_nh);
}

#endif
