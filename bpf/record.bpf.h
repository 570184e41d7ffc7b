/* SPDX-License-Identifier: GPL-2.0-only */
/* The record of one lookup of the exact tiers: its steps, its end, and sending it. */
#ifndef FIBTRACE_BPF_RECORD_BPF_H
#define FIBTRACE_BPF_RECORD_BPF_H

#include "bpf/kernel_numbers.h"
#include "bpf/open_lookup.h"
#include "bpf/ring.bpf.h"
#include "bpf/selection.bpf.h"

/* Preallocated, as programs on kprobes want it; max_entries is set to suit the CPUs. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 128);
	__type(key, __u64);
	__type(value, struct open_lookup);
} lookups SEC(".maps");

static const struct open_lookup new_open_lookup;

static __always_inline struct open_lookup *lookup_find(__u64 flow)
{
	return bpf_map_lookup_elem(&lookups, &flow);
}

static __always_inline void lookup_forget(struct open_lookup *open)
{
	__u64 flow = open->flow;

	bpf_map_delete_elem(&lookups, &flow);
}

static __always_inline void count_lost_lookup(struct cpu_state *cpu)
{
	__sync_fetch_and_add(&cpu->counts.begun, 1);
	__sync_fetch_and_add(&cpu->counts.lost_begun, 1);
	__sync_fetch_and_add(&cpu->counts.lost_events, 1);
}

/* The kernel's end of it was not seen: what is known is no whole lookup. */
static __always_inline void lookup_lose(struct cpu_state *cpu, struct open_lookup *open)
{
	if (open->here)
		count_lost_lookup(cpu);
	lookup_forget(open);
}

static __always_inline bool event_output(struct cpu_state *cpu, struct lookup_event *event)
{
	__u64 count = event->step_count;
	__u64 size;

	/* The verifier is to see one register bounded and used, not what the compiler makes of it. */
	asm volatile("" : "+r"(count));
	if (count > LOOKUP_STEPS_PER_EVENT)
		count = LOOKUP_STEPS_PER_EVENT;
	size = LOOKUP_EVENT_SIZE(count);
	asm volatile("" : "+r"(size));
	event->header.cpu = bpf_get_smp_processor_id();
	event->refused = cpu->counts.lost_events;
	return !bpf_ringbuf_output(&events, event, size, wakeup_flag());
}

/* Sends the steps so far ahead of the rest: a walk has no end to its length. */
static __always_inline void lookup_send_part(struct cpu_state *cpu, struct open_lookup *open)
{
	struct lookup_event *event = &open->event;

	event->flags |= LOOKUP_PART;
	if (!open->lost && !event_output(cpu, event))
		open->lost = true;
	event->flags &= ~LOOKUP_PART;
	event->steps_before += event->step_count;
	event->step_count = 0;
}

static __always_inline struct step_event *lookup_add_step(struct cpu_state *cpu,
							  struct open_lookup *open)
{
	struct step_event *step;

	if (open->event.step_count >= LOOKUP_STEPS_PER_EVENT)
		lookup_send_part(cpu, open);
	step = &open->event.steps[open->event.step_count & (LOOKUP_STEPS_PER_EVENT - 1)];
	__builtin_memset(step, 0, sizeof(*step));
	open->event.step_count++;
	return step;
}

static __always_inline struct step_event *lookup_last_step(struct open_lookup *open)
{
	return &open->event.steps[(open->event.step_count - 1) & (LOOKUP_STEPS_PER_EVENT - 1)];
}

/* The rule that stands for a table which the kernel asks without walking any. */
static __always_inline bool built_in_priority(__u32 table, __u32 *priority)
{
	*priority = table == TABLE_LOCAL ? 0 : table == TABLE_MAIN ? 32766 : 32767;
	return table >= TABLE_DEFAULT && table <= TABLE_LOCAL;
}

static __always_inline void subject_fill(struct verdict_subject *subject, struct open_lookup *open)
{
	const struct lookup_event *event = &open->event;
	const struct step_event *step = lookup_last_step(open);

	subject->failed = event->error != 0;
	if (event->deciding == LOOKUP_NO_STEP) {
		/* No rule decided, but the route that is used all the same is a table's. */
		if (event->flags & LOOKUP_SUPPRESSED_ROUTE)
			subject->table = event->route.table;
		return;
	}
	subject->table = step->flags & STEP_HAS_ROUTE ? step->route.table : step->table;
	subject->has_priority = step->flags & STEP_HAS_RULE;
	subject->priority = step->rule.priority;
	if (!subject->has_priority && !(event->flags & LOOKUP_DIRECT))
		subject->has_priority = built_in_priority(subject->table, &subject->priority);
}

static __always_inline enum filter_kind verdict_rejected(struct open_lookup *open)
{
	struct verdict_subject subject = {};
	__u32 device = open->event.flags & LOOKUP_HAS_ROUTE ? open->event.route.dev : 0;

	if (device_filter_rejects(&control.out_devices, device))
		return FILTER_OIF;
	subject_fill(&subject, open);
	return verdict_filter_kernel_rejects(&config.verdict, &subject);
}

static __always_inline void lookup_reject(struct cpu_state *cpu, struct open_lookup *open,
					  __u32 kind)
{
	struct lookup_event *event = &open->event;

	if (kind < FILTER_KIND_COUNT)
		__sync_fetch_and_add(&cpu->counts.filtered[kind], 1);
	if (!event->steps_before)
		return;
	event->flags |= LOOKUP_REJECTED;
	event->deciding = LOOKUP_NO_STEP;
	event->step_count = 0;
	event_output(cpu, event);
}

/* The lookup is over: it is sent, unless it is filtered or of a namespace that is not traced. */
static __always_inline void lookup_finish(struct cpu_state *cpu, struct open_lookup *open)
{
	enum filter_kind rejected;

	if (open->event.context.netns_source == NETNS_UNKNOWN)
		__sync_fetch_and_add(&cpu->counts.netns_unknown, 1);
	if (!open->here) {
		lookup_forget(open);
		return;
	}
	rejected = open->lost ? FILTER_NONE : verdict_rejected(open);
	if (rejected) {
		lookup_reject(cpu, open, rejected);
	} else if (open->lost || !event_output(cpu, &open->event)) {
		count_lost_lookup(cpu);
	} else {
		__sync_fetch_and_add(&cpu->counts.begun, 1);
	}
	lookup_forget(open);
}

/* What the walk came to: result of the last step, or that no step ended it. */
static __always_inline void lookup_walked(struct open_lookup *open, __s32 error, bool by_last_step)
{
	struct lookup_event *event = &open->event;
	const struct step_event *step = lookup_last_step(open);

	open->phase = LOOKUP_WALKED;
	event->duration_ns = bpf_ktime_get_boot_ns() - event->header.time_ns;
	event->error = error;
	event->deciding = LOOKUP_NO_STEP;
	event->flags &= ~LOOKUP_HAS_ROUTE;
	if (!by_last_step || !event->step_count)
		return;
	event->deciding = event->step_count - 1;
	if (!(step->flags & STEP_HAS_ROUTE))
		return;
	event->route = step->route;
	event->flags |= LOOKUP_HAS_ROUTE;
}

/* For a lookup whose function has returned, or that another follows: its end is now or was missed. */
static __always_inline void lookup_settle(struct cpu_state *cpu, __u64 flow)
{
	struct open_lookup *open = lookup_find(flow);

	if (!open)
		return;
	if (open->phase == LOOKUP_WALKING || open->waits)
		lookup_lose(cpu, open);
	else
		lookup_finish(cpu, open);
}

#endif
