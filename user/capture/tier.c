// SPDX-License-Identifier: GPL-2.0-only
/* The ways to be attached, best first. */
#include "capture/tier.h"

#include <bpf/libbpf.h>
#include <unistd.h>

#include "bpf/config.h" /* the skeletons name its types */
#include "bpf/fentry.skel.h"
#include "bpf/kprobe.skel.h"
#include "bpf/tracepoint.skel.h"
#include "util/array.h"

#define CAPABILITIES "CAP_BPF and CAP_PERFMON"

#define EXACT_CANNOT_SEE                                                                           \
	"throw routes and the prefix of a route that refuses, of IPv4, rules that only lead on "   \
	"(goto, nop) or are not reached: these are derived from the rules and routes in force; "   \
	"path MTUs of IPv4"

/* The two ways to make a kprobe: a perf event of its own type, and tracefs. */
static const char *kprobes_impossible(void)
{
	static const char *const places[] = {
		"/sys/bus/event_source/devices/kprobe/type",
		"/sys/kernel/tracing/kprobe_events",
		"/sys/kernel/debug/tracing/kprobe_events",
	};

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		if (!access(places[i], F_OK))
			return NULL;
	}
	return "this kernel has no kprobes (CONFIG_KPROBE_EVENTS); --attach auto does without";
}

const struct tier tiers[] = {
	{
		.name = "fentry",
		.elf = fentry_bpf__elf_bytes,
		.needs = "BTF, BPF trampolines, " CAPABILITIES,
		.cannot_see = EXACT_CANNOT_SEE,
		.exact = true,
	},
	{
		.name = "kprobe",
		.elf = kprobe_bpf__elf_bytes,
		.impossible = kprobes_impossible,
		.needs = "BTF, CONFIG_KPROBE_EVENTS, " CAPABILITIES
			 "; CAP_SYS_ADMIN where kernel.perf_event_paranoid is above 2",
		.cannot_see = EXACT_CANNOT_SEE,
		.exact = true,
	},
	{
		.name = "tracepoint",
		.elf = tracepoint_bpf__elf_bytes,
		.needs = "BTF, the tracepoint fib:fib_table_lookup, for IPv6 "
			 "fib6:fib6_table_lookup, " CAPABILITIES,
		.cannot_see =
			"walks that ask no existing table, the nexthop chosen of several, "
			"path MTUs and redirects, a suppressed route that IPv6 uses all the "
			"same, time spent; the rules, the prefix of an IPv4 route, the source "
			"address and what a bound device overrides are derived by replaying "
			"the rules and routes in force",
	},
};

const size_t tier_count = ARRAY_SIZE(tiers);
