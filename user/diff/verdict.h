/* SPDX-License-Identifier: GPL-2.0-only */
/* What a policy answers to a question, so that two policies' answers can be compared. */
#ifndef FIBTRACE_DIFF_VERDICT_H
#define FIBTRACE_DIFF_VERDICT_H

#include "bpf/flow.h"
#include "bpf/purpose.h"
#include "rules/policy.h"
#include "trace/lookup.h"

/* What the FIB is asked, and what for. pad is 0: questions are compared byte by byte. */
struct flow_question {
	struct flow_key key;
	uint32_t purpose; /* enum purpose */
	uint32_t pad;
};

_Static_assert(sizeof(struct flow_question) == sizeof(struct flow_key) + 8, "no other padding");

/* Why a policy has no answer. */
enum verdict_gap {
	GAP_NONE,
	GAP_NOT_EXAMINED, /* it depends on a table that is not held, or on which nexthop is chosen */
	GAP_NO_DEVICE, /* the question names a device that is not there */
};

/* Borrows from the policy. route and nexthop: NULL where there is none; of several nexthops
 * nexthop is the first usable one. gap not NONE: nothing else holds. */
struct verdict {
	enum verdict_gap gap;
	int error; /* 0 or negative errno */
	bool bound_device; /* on-link by the device of the question, whatever the rules say */
	bool has_priority;
	uint32_t priority;
	uint32_t table; /* 0: none */
	const struct route_table *held;
	const struct route *route;
	const struct nexthop *nexthop;
};

/* By the rules and routes of the policy alone. */
struct verdict verdict_of(const struct policy *policy, const struct flow_question *question);

/*
 * Whether both are the same: error, priority, table, prefix, type, and the
 * nexthops that can be chosen and the source address as the routes name them.
 * Which of several nexthops is chosen is no policy's. Devices have the same
 * numbers in both.
 */
bool verdicts_equal(const struct verdict *a, const struct verdict *b,
		    const struct flow_question *question);

/* Whether a recorded verdict is what the policy answers. The devices' numbers are the policy's. */
bool verdict_is_recorded(const struct verdict *verdict, const struct flow_question *question,
			 const struct lookup_verdict *recorded);
/* Whether two recorded verdicts are the same, which nexthop was chosen included. */
bool recorded_verdicts_equal(const struct lookup_verdict *a, const struct lookup_verdict *b);

/* The verdict as a lookup has it; devices are called as the policy calls them. */
struct lookup_verdict verdict_describe(const struct verdict *verdict,
				       const struct flow_question *question,
				       const struct policy *policy);

#endif
