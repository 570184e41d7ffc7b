/* SPDX-License-Identifier: GPL-2.0-only */
/* One explained lookup: what every tier and the log produce, and every renderer and filter takes. */
#ifndef FIBTRACE_TRACE_LOOKUP_H
#define FIBTRACE_TRACE_LOOKUP_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/event.h"
#include "bpf/flow.h"
#include "bpf/purpose.h"
#include "rules/purpose.h"
#include "rules/walk.h"
#include "trace/finding.h"

enum decided_by {
	DECIDED_BY_RULE,
	DECIDED_BY_BUILT_IN,
	DECIDED_BY_END_OF_RULES,
	DECIDED_BY_BOUND_DEVICE,
	DECIDED_BY_EXCEPTION,
	DECIDED_BY_SUPPRESSED_ROUTE,
	DECIDED_BY_DIRECT,
	DECIDED_BY_UNKNOWN, /* the policy changed while the walk ran */
	DECIDED_BY_COUNT,
};

enum evidence { EVIDENCE_KERNEL, EVIDENCE_DERIVED };

/* "send", "built-in", "kernel": the words of text and JSON. */
const char *cause_name(enum cause cause);
const char *decided_by_name(enum decided_by decided_by);
const char *evidence_name(enum evidence evidence);

/* What is known of a route that a table gave. prefix_length -1: not known.
 * type RTN_…; dev "" and gateway_family 0: none. */
struct lookup_route {
	uint8_t dst[16];
	uint8_t gateway[16];
	uint8_t prefsrc[16];
	char dev[IFNAMSIZ];
	uint32_t dev_index;
	int16_t prefix_length;
	uint16_t nexthops; /* 0: not known */
	uint16_t nexthop; /* which of them was chosen, from 1; 0: not known */
	uint16_t weight; /* its weight among them, from 1; 0: not known */
	uint8_t type;
	uint8_t gateway_family;
	bool has_prefsrc;
	bool exception; /* IPv6: a PMTU or redirect exception, which is a host route, answered for it */
};

/* rule borrows from the lookup's rules; NULL when the kernel asked the table
 * without a rule that is known. table 0: the action asks none. */
struct lookup_step {
	const struct rule *rule;
	struct lookup_route route; /* when has_route */
	uint32_t table;
	enum step_outcome outcome;
	enum suppressor suppressor;
	enum evidence evidence;
	/* STEP_UNKNOWN: "policy-changed"; STEP_NOT_REACHED: "goto" when one led past it; else NULL */
	const char *reason;
	uint32_t jumped_by; /* the priority of that goto */
	struct mismatch mismatch; /* STEP_SKIPPED: why */
	bool refused_by_one; /* STEP_SKIPPED: that selector alone refused */
	bool has_route;
	bool unresolved; /* STEP_GOTO: there is no rule that it could lead to */
	bool has_priority; /* priority holds; a built-in table's step names the rule it stands for */
	uint32_t priority;
};

/* error: negative errno the lookup ended with, 0 when it found a route. */
struct lookup_verdict {
	int error;
	enum decided_by decided_by;
	bool has_priority;
	uint32_t priority;
	uint32_t table; /* 0: none */
	struct lookup_route route; /* type 0: none */
};

/* More steps than this no policy has that a kernel could walk in reasonable time. */
#define LOOKUP_STEPS_MAX (1u << 17)

struct lookup {
	uint64_t time_ns; /* CLOCK_REALTIME of the start */
	uint64_t boottime_ns; /* CLOCK_BOOTTIME of the start */
	uint64_t duration_ns; /* 0: not known */
	uint64_t group; /* its number, from 1: see trace/group.h */
	uint64_t visit; /* of struct lookup_event; 0: not known */
	uint64_t holes; /* times that events were found missing before it */
	uint32_t cpu;
	uint32_t netns; /* inode; 0: not known */
	const char *netns_name; /* borrowed from the namespaces; NULL: none */
	enum netns_source netns_source;
	enum purpose purpose;
	enum cause cause;
	struct event_context context;
	struct flow_key key;
	char iif[IFNAMSIZ]; /* names of key.iif and key.oif there; "" when 0 or not known */
	char oif[IFNAMSIZ];
	bool may_grow; /* a table without routes may yet answer: it changes no verdict */
	struct rule_list *rules; /* a reference that keeps steps[].rule alive; NULL: none */
	struct lookup_step *steps;
	size_t step_count;
	struct lookup_verdict verdict;
	uint64_t generation; /* of the policy that explained it, 0: none did */
	bool examined; /* findings were looked for; not when the policy had changed by then */
	struct finding *findings;
	size_t finding_count;
};

/* Frees what the lookup owns and empties it. */
void lookup_clear(struct lookup *lookup);
/* Names the devices of the lookup's key as the policy (NULL: does not) knows them. */
struct policy;
void lookup_name_devices(struct lookup *lookup, const struct policy *policy);
/* Appends a zeroed step; NULL with errno. Valid until the next call. */
struct lookup_step *lookup_add_step(struct lookup *lookup);
/* The same with what a step of a walk over rules tells: all but evidence and route. */
struct lookup_step *lookup_add_walk_step(struct lookup *lookup, const struct walk_step *step,
					 const struct rule_list *rules);

/* True when two explanations of one walk say the same: rules, outcomes and verdict. */
bool lookups_agree(const struct lookup *a, const struct lookup *b);

/* Section counts of a whole trace. seen = shown + filtered + lost + unfinished. */
struct lookup_counts {
	uint64_t seen;
	uint64_t shown;
	uint64_t filtered;
	uint64_t lost;
	uint64_t unfinished;
	uint64_t missed; /* program runs that the kernel skipped */
	bool missed_known;
	uint64_t address_checks;
	uint64_t netns_unknown;
};

#endif
