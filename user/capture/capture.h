/* SPDX-License-Identifier: GPL-2.0-only */
/* The BPF programs of a tier: loading, attaching, reading events and counts. */
#ifndef FIBTRACE_CAPTURE_CAPTURE_H
#define FIBTRACE_CAPTURE_CAPTURE_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/config.h"
#include "bpf/event.h"

/* Set by SIGINT and SIGTERM: every loop that waits looks at it. */
extern volatile sig_atomic_t stop_requested;

struct capture;

struct capture_settings {
	struct trace_config config;
	uint64_t buffer_size; /* of the ring buffer: a power of two, at least a page */
	const char *attach; /* a tier's name, or "auto" for the best that loads */
};

/* A place in the kernel where a tier looks. gives: what is not seen without it. */
struct hook_state {
	const char *function;
	const char *method; /* "fentry", "kprobe", "tracepoint" */
	const char *gives;
	const char *instead_of; /* hooked only where that function cannot be; NULL: for itself */
	bool required; /* the tier is refused without it */
	bool attached;
	char reason[512]; /* why it is not attached; "" when it is, or is not needed */
};

#define TIER_HOOKS_MAX 64

/* What a tier is and, after an attempt, why this kernel refuses it. */
struct tier_state {
	const char *name;
	const char *needs;
	const char *cannot_see;
	bool loads;
	char reason[512]; /* "" when it loads or was not tried */
	size_t hook_count; /* those that were tried */
	struct hook_state hooks[TIER_HOOKS_MAX];
};

struct capture_counts {
	struct cpu_counts total; /* over all CPUs */
	uint64_t unfinished; /* begun, and not ended when the programs were detached */
	uint64_t missed; /* program runs that the kernel skipped */
	bool missed_known;
};

/*
 * Loads and attaches the tier asked for; nothing is sent before
 * capture_start(). NULL with errno after one line on stderr that says what is missing.
 */
struct capture *capture_open(const struct capture_settings *settings);
void capture_close(struct capture *capture); /* takes NULL */

/* The name of the tier in use: "tracepoint". */
const char *capture_tier(const struct capture *capture);
/* True when the kernel side sees the walk over the rules itself, and applies all filters. */
bool capture_is_exact(const struct capture *capture);

/* From here on lookups are counted and sent. */
void capture_start(struct capture *capture);
/* Ends the programs' work: no event comes after it, those in the ring stay readable. */
void capture_stop(struct capture *capture);

/* For --iif and --oif. May be called while tracing. */
void capture_set_devices(struct capture *capture, const struct device_filter *devices);
void capture_set_out_devices(struct capture *capture, const struct device_filter *devices);
void capture_set_send_rejected(struct capture *capture, bool send_rejected);

/* Becomes readable when the ring is half full; user space looks more often than every 100 ms besides. */
int capture_fd(const struct capture *capture);

/* Hands at most limit waiting events to sink, in the ring's order; sizes are as
 * the event's type wants. Returns how many, or -errno. */
typedef void (*event_sink)(void *data, const struct event_header *event, size_t size);
int capture_read(struct capture *capture, unsigned int limit, event_sink sink, void *data);

/* After capture_stop(): hands lookups that were complete but for what might have followed to sink.
 * 0 or -errno. */
int capture_read_open(struct capture *capture, event_sink sink, void *data);

/* Makes room where the end of a lookup was missed long ago. Cheap: to be called every second. */
void capture_reap(struct capture *capture);

/* The counts as of now; exact after capture_stop(). 0 or -errno. */
int capture_read_counts(struct capture *capture, struct capture_counts *counts);

/* Reads the kernel's counters of policy changes, by family, in the namespace of our socket fd.
 * False when they cannot be read. */
bool capture_read_seq(struct capture *capture, int fd, struct policy_seq seq[FLOW_FAMILY_COUNT]);

/* Calls visit() with the number of the last event, sent or refused, of each CPU; in the exact
 * tiers with how many were refused. 0 or -errno. */
int capture_visit_sequences(struct capture *capture,
			    void (*visit)(void *data, unsigned int cpu, uint32_t seq), void *data);

/* Calls lost() for each walk that was sent in part before the ring was full. 0 or -errno. */
int capture_visit_lost(struct capture *capture, void (*lost)(void *data, uint64_t walk),
		       void *data);

/* Tries each tier in turn without keeping it, at most max: what `features`
 * prints. Returns their number. */
size_t capture_probe_tiers(struct tier_state *states, size_t max);

#endif
