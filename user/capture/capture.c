// SPDX-License-Identifier: GPL-2.0-only
/* The BPF programs of a tier: loading, attaching, reading events and counts. */
#include "capture/capture.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/membarrier.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "bpf/open_lookup.h"
#include "capture/hooks.h"
#include "capture/loader.h"
#include "capture/tier.h"
#include "util/report.h"

volatile sig_atomic_t stop_requested;

struct capture {
	const struct tier *tier;
	struct loaded_tier loaded;
	bool stopped;
	struct ring_buffer *ring;
	struct trace_control *control; /* in the programs' memory */
	event_sink sink;
	void *sink_data;
	unsigned int budget;
	uint64_t reaped; /* lookups whose end was missed */
	uint64_t unfinished; /* counted last */
	uint64_t missed; /* when the programs were detached */
	bool missed_known;
};

/* libbpf stops reading when this returns a negative number, the event being consumed. */
#define READ_ENOUGH (-ECANCELED)

static int capture_event(void *context, void *bytes, size_t size)
{
	struct capture *capture = context;

	if (size >= sizeof(struct event_header))
		capture->sink(capture->sink_data, bytes, size);
	return --capture->budget ? 0 : READ_ENOUGH;
}

static int capture_open_ring(struct capture *capture)
{
	int fd = bpf_object__find_map_fd_by_name(capture->loaded.object, "events");

	if (fd < 0)
		return fd;
	capture->ring = ring_buffer__new(fd, capture_event, capture, NULL);
	return capture->ring ? 0 : -errno;
}

static int capture_map_control(struct capture *capture)
{
	struct bpf_map *map = loader_find_data(capture->loaded.object, ".data.control");

	if (!map)
		return -ENOENT;
	capture->control = loader_map_data(map, sizeof(*capture->control));
	return capture->control ? 0 : -errno;
}

/* Everything of one tier; on failure reason tells why and nothing is kept. */
static struct capture *capture_open_tier(const struct tier *tier,
					 const struct capture_settings *settings,
					 struct loader_reason *reason)
{
	const char *impossible = tier->impossible ? tier->impossible() : NULL;
	struct capture *capture;
	int err;

	if (impossible) {
		snprintf(reason->text, sizeof(reason->text), "%s", impossible);
		errno = ENOTSUP;
		return NULL;
	}
	capture = calloc(1, sizeof(*capture));
	if (!capture)
		return NULL;
	capture->tier = tier;
	err = loader_load(tier, settings, &capture->loaded, reason);
	if (!err)
		err = capture_map_control(capture);
	if (!err)
		err = capture_open_ring(capture);
	if (!err)
		err = hooks_attach(capture->loaded.hooks, reason);
	if (!err) {
		capture->control->purpose_by_hooks = hooks_tell_purpose(capture->loaded.hooks);
		return capture;
	}
	if (!reason->text[0])
		loader_explain(reason, err, "the programs");
	capture_close(capture);
	errno = -err;
	return NULL;
}

static bool tier_wanted(const struct tier *tier, const char *attach)
{
	return !strcmp(attach, "auto") || !strcmp(attach, tier->name);
}

/* A kernel without IPv6, or that has not loaded it, has no lookups to miss. */
static void capture_warn_blind(const struct capture *capture)
{
	struct loader_reason reason;

	if (hooks_are_blind(capture->loaded.hooks, &reason) && !access("/proc/net/if_inet6", F_OK))
		report_warning("lookups of IPv6 are not seen in the %s tier: %s; see 'fibtrace "
			       "features' for another",
			       capture->tier->name, reason.text);
}

struct capture *capture_open(const struct capture_settings *settings)
{
	struct loader_reason reason = { 0 };
	int err = ENOENT;

	if (!loader_kernel_has_btf()) {
		report_error("this kernel has no BTF (/sys/kernel/btf/vmlinux); fibtrace needs a "
			     "kernel built with CONFIG_DEBUG_INFO_BTF");
		errno = ENOENT;
		return NULL;
	}
	for (size_t i = 0; i < tier_count; i++) {
		struct capture *capture;

		if (!tier_wanted(&tiers[i], settings->attach))
			continue;
		capture = capture_open_tier(&tiers[i], settings, &reason);
		if (capture) {
			capture_warn_blind(capture);
			return capture;
		}
		err = errno;
		report_note("tier %s refused: %s", tiers[i].name, reason.text);
	}
	report_error("cannot trace: %s", reason.text[0] ? reason.text : strerror(err));
	errno = err;
	return NULL;
}

void capture_close(struct capture *capture)
{
	if (!capture)
		return;
	capture_stop(capture);
	if (capture->loaded.hooks)
		hooks_detach_in_background(capture->loaded.hooks);
	ring_buffer__free(capture->ring);
	if (capture->control)
		munmap(capture->control, sizeof(*capture->control));
	loader_unload(&capture->loaded);
	free(capture);
}

const char *capture_tier(const struct capture *capture)
{
	return capture->tier->name;
}

bool capture_is_exact(const struct capture *capture)
{
	return capture->tier->exact;
}

void capture_start(struct capture *capture)
{
	__atomic_store_n(&capture->control->enabled, 1, __ATOMIC_SEQ_CST);
}

void capture_stop(struct capture *capture)
{
	if (capture->stopped || !capture->control || !capture->loaded.hooks)
		return;
	capture->stopped = true;
	/* Programs that run elsewhere finish in an RCU grace period, which this waits for. */
	__atomic_store_n(&capture->control->enabled, 0, __ATOMIC_SEQ_CST);
	syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
	capture->missed_known = hooks_missed(capture->loaded.hooks, &capture->missed);
}

static void set_devices(struct device_filter *target, const struct device_filter *devices)
{
	memcpy(target->ifindex, devices->ifindex, sizeof(target->ifindex));
	__atomic_store_n(&target->count, devices->count, __ATOMIC_SEQ_CST);
	__atomic_store_n(&target->enabled, devices->enabled, __ATOMIC_SEQ_CST);
}

void capture_set_devices(struct capture *capture, const struct device_filter *devices)
{
	set_devices(&capture->control->devices, devices);
}

void capture_set_out_devices(struct capture *capture, const struct device_filter *devices)
{
	set_devices(&capture->control->out_devices, devices);
}

void capture_set_send_rejected(struct capture *capture, bool send_rejected)
{
	__atomic_store_n(&capture->control->send_rejected, send_rejected, __ATOMIC_SEQ_CST);
}

int capture_fd(const struct capture *capture)
{
	return ring_buffer__epoll_fd(capture->ring);
}

int capture_read(struct capture *capture, unsigned int limit, event_sink sink, void *data)
{
	int count;

	capture->sink = sink;
	capture->sink_data = data;
	capture->budget = limit;
	count = ring_buffer__consume(capture->ring);
	if (count < 0 && count != READ_ENOUGH)
		return count;
	return limit - capture->budget;
}

static void counts_add(struct cpu_counts *total, const struct cpu_counts *counts)
{
	total->begun += counts->begun;
	for (int kind = 0; kind < FILTER_KIND_COUNT; kind++)
		total->filtered[kind] += counts->filtered[kind];
	total->lost_begun += counts->lost_begun;
	total->lost_events += counts->lost_events;
	total->address_checks += counts->address_checks;
	total->netns_unknown += counts->netns_unknown;
}

/* Calls visit() for each lookup in progress. Nothing where the tier has none. */
static int visit_open(struct capture *capture,
		      void (*visit)(struct capture *capture, int fd, struct open_lookup *open))
{
	struct bpf_map *map = bpf_object__find_map_by_name(capture->loaded.object, "lookups");
	struct open_lookup *open;
	uint64_t key, next;
	bool more;

	if (!map)
		return 0;
	open = malloc(sizeof(*open));
	if (!open)
		return -ENOMEM;
	more = !bpf_map_get_next_key(bpf_map__fd(map), NULL, &key);
	while (more) {
		/* The visit may remove this one: the next is found before. */
		more = !bpf_map_get_next_key(bpf_map__fd(map), &key, &next);
		if (!bpf_map_lookup_elem(bpf_map__fd(map), &key, open))
			visit(capture, bpf_map__fd(map), open);
		key = next;
	}
	free(open);
	return 0;
}

static bool open_unfinished(const struct open_lookup *open)
{
	return open->phase == LOOKUP_WALKING || open->waits;
}

static void open_hand_out(struct capture *capture, int fd, struct open_lookup *open)
{
	size_t count = open->event.step_count;

	(void)fd;
	if (open->here && !open_unfinished(open) && count <= LOOKUP_STEPS_PER_EVENT)
		capture->sink(capture->sink_data, &open->event.header, LOOKUP_EVENT_SIZE(count));
}

int capture_read_open(struct capture *capture, event_sink sink, void *data)
{
	capture->sink = sink;
	capture->sink_data = data;
	return visit_open(capture, open_hand_out);
}

/* No lookup lasts as long, however busy the machine is. */
#define LOOKUP_LONGEST_NS 60000000000ull

static uint64_t boottime_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static void open_reap(struct capture *capture, int fd, struct open_lookup *open)
{
	if (!open_unfinished(open) ||
	    boottime_now() - open->event.header.time_ns < LOOKUP_LONGEST_NS)
		return;
	if (!bpf_map_delete_elem(fd, &open->flow) && open->here)
		capture->reaped++;
}

void capture_reap(struct capture *capture)
{
	visit_open(capture, open_reap);
}

static void open_count(struct capture *capture, int fd, struct open_lookup *open)
{
	(void)fd;
	capture->unfinished += open->here && open_unfinished(open);
}

static uint64_t capture_count_unfinished(struct capture *capture)
{
	capture->unfinished = 0;
	visit_open(capture, open_count);
	return capture->unfinished;
}

int capture_read_counts(struct capture *capture, struct capture_counts *counts)
{
	int fd = bpf_object__find_map_fd_by_name(capture->loaded.object, "cpus");
	int cpus = libbpf_num_possible_cpus();
	struct cpu_state state;

	memset(counts, 0, sizeof(*counts));
	for (int cpu = 0; cpu < cpus; cpu++) {
		if (bpf_map_lookup_elem(fd, &cpu, &state))
			return -errno;
		counts_add(&counts->total, &state.counts);
	}
	counts->total.begun += capture->reaped;
	counts->total.lost_begun += capture->reaped;
	counts->unfinished = capture_count_unfinished(capture);
	counts->missed = capture->missed;
	counts->missed_known = capture->missed_known;
	return 0;
}

bool capture_read_seq(struct capture *capture, int fd, struct policy_seq seq[FLOW_FAMILY_COUNT])
{
	struct bpf_program *program =
		bpf_object__find_program_by_name(capture->loaded.object, "read_policy_seq");
	__u64 arguments[12] = { fd };
	LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = arguments,
		    .ctx_size_in = sizeof(arguments));

	if (!program || bpf_prog_test_run_opts(bpf_program__fd(program), &options))
		return false;
	memcpy(seq, capture->control->seq, sizeof(capture->control->seq));
	return true;
}

int capture_visit_sequences(struct capture *capture,
			    void (*visit)(void *data, unsigned int cpu, uint32_t seq), void *data)
{
	int fd = bpf_object__find_map_fd_by_name(capture->loaded.object, "cpus");
	int cpus = libbpf_num_possible_cpus();
	struct cpu_state state;

	for (int cpu = 0; cpu < cpus; cpu++) {
		if (bpf_map_lookup_elem(fd, &cpu, &state))
			return -errno;
		visit(data, cpu, capture->tier->exact ? state.counts.lost_events : state.seq);
	}
	return 0;
}

int capture_visit_lost(struct capture *capture, void (*lost)(void *data, uint64_t walk), void *data)
{
	int fd = bpf_object__find_map_fd_by_name(capture->loaded.object, "walks");
	struct walk_state state;
	uint64_t key;
	uint64_t *previous = NULL;

	if (fd < 0)
		return 0;
	while (!bpf_map_get_next_key(fd, previous, &key)) {
		previous = &key;
		if (!bpf_map_lookup_elem(fd, &key, &state) && state.sent_lost)
			lost(data, state.sent_walk);
	}
	return errno == ENOENT ? 0 : -errno;
}

static void tier_probe(const struct tier *tier, struct tier_state *state)
{
	struct capture_settings settings = { .buffer_size = sysconf(_SC_PAGESIZE) };
	struct loader_reason reason = { 0 };
	struct capture *capture = NULL;

	if (loader_kernel_has_btf())
		capture = capture_open_tier(tier, &settings, &reason);
	else
		snprintf(reason.text, sizeof(reason.text), "this kernel has no BTF");
	*state = (struct tier_state){
		.name = tier->name,
		.needs = tier->needs,
		.cannot_see = tier->cannot_see,
		.loads = capture != NULL,
	};
	while (capture && state->hook_count < hooks_count(capture->loaded.hooks)) {
		state->hooks[state->hook_count] =
			hooks_state(capture->loaded.hooks, state->hook_count);
		state->hook_count++;
	}
	snprintf(state->reason, sizeof(state->reason), "%s", reason.text);
	capture_close(capture);
}

size_t capture_probe_tiers(struct tier_state *states, size_t max)
{
	size_t count = tier_count < max ? tier_count : max;

	for (size_t i = 0; i < count; i++)
		tier_probe(&tiers[i], &states[i]);
	return count;
}
