/* SPDX-License-Identifier: GPL-2.0-only */
/* What was asked in a recording, each flow once, and what the kernel last answered. */
#ifndef FIBTRACE_DIFF_FLOWS_H
#define FIBTRACE_DIFF_FLOWS_H

#include <stddef.h>
#include <stdint.h>

#include "diff/verdict.h"
#include "rules/devices.h"

/* More flows of a namespace are not kept. */
#define FLOWS_MAX 65536u

/*
 * asked is as it was asked last, with devices' numbers of struct devices; same is
 * what makes it one flow: without source port, ICMP type and code and flow
 * label, as long as no rule selected by them.
 */
struct flow {
	struct flow_question same;
	struct flow_question asked;
	struct lookup_verdict verdict; /* of the kernel, the last one */
	uint64_t generation; /* of the policy in force then; 0: another one explained it */
	bool explained; /* the policy in force answers the same */
};

/* The flows of one namespace. All zero is empty. */
struct flows {
	struct flow *items;
	size_t count;
	size_t capacity;
	uint32_t *slots; /* 1 + the index of an item; 0: free */
	size_t slot_count;
	uint64_t unknown; /* lookups whose verdict is not known */
	uint64_t passed_over; /* lookups of flows that are not kept */
	uint64_t generation; /* selected is of this state of a policy */
	uint32_t selected[FLOW_FAMILY_COUNT]; /* selectors of its rules, as bits */
};

void flows_free(struct flows *flows);
/* Takes what a lookup tells; policy is in force at it, NULL: it cannot be read. Lookups that ask a
 * table without rules are none of a flow. 0 or -ENOMEM. */
int flows_add(struct flows *flows, struct devices *devices, const struct lookup *lookup,
	      const struct policy *policy);
/* From here on another policy is in force, whose generations say nothing of those before it. */
void flows_renew(struct flows *flows);
/* The flow that is the same; NULL: it was not asked. */
const struct flow *flows_find(const struct flows *flows, const struct flow *flow);

#endif
