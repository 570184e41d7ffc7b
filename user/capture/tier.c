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

#define EXACT_CANNOT_SEE                                                                           \
	"whether a table without a matching route has a throw route, rules that are not reached"

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
	return "this kernel has no kprobes (CONFIG_KPROBE_EVENTS)";
}

const struct tier tiers[] = {
	{
		.name = "fentry",
		.elf = fentry_bpf__elf_bytes,
		.needs = "BTF, BPF trampolines",
		.cannot_see = EXACT_CANNOT_SEE,
		.exact = true,
	},
	{
		.name = "kprobe",
		.elf = kprobe_bpf__elf_bytes,
		.impossible = kprobes_impossible,
		.needs = "BTF, CONFIG_KPROBES, the right to use perf events",
		.cannot_see = EXACT_CANNOT_SEE,
		.exact = true,
	},
	{
		.name = "tracepoint",
		.elf = tracepoint_bpf__elf_bytes,
		.needs = "BTF, tp_btf on fib:fib_table_lookup",
		.cannot_see = "walks that ask no existing table, the nexthop chosen of several, "
			      "exceptions, time spent; rules are derived by replaying the policy",
	},
};

const size_t tier_count = ARRAY_SIZE(tiers);
