// SPDX-License-Identifier: GPL-2.0-only
/* The ways to be attached, best first. */
#include "capture/tier.h"

#include <bpf/libbpf.h>

#include "bpf/config.h" /* the skeleton names its types */
#include "bpf/tracepoint.skel.h"
#include "util/array.h"

const struct tier tiers[] = {
	{
		.name = "tracepoint",
		.elf = tracepoint_bpf__elf_bytes,
		.needs = "BTF, tp_btf on fib:fib_table_lookup",
		.cannot_see = "walks that ask no existing table, the nexthop chosen of several, "
			      "exceptions, time spent; rules are derived by replaying the policy",
	},
};

const size_t tier_count = ARRAY_SIZE(tiers);
