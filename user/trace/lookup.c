// SPDX-License-Identifier: GPL-2.0-only
/* One explained lookup: its words, and the memory of its steps. */
#include "trace/lookup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rules/policy.h"

#define FIRST_CAPACITY 8u

static const char *const cause_names[CAUSE_COUNT] = {
	[CAUSE_OTHER] = "other",	 [CAUSE_CONNECT] = "connect",
	[CAUSE_SEND] = "send",		 [CAUSE_REPLY] = "reply",
	[CAUSE_RECEIVE] = "receive",	 [CAUSE_ICMP_ERROR] = "icmp-error",
	[CAUSE_ROUTE_GET] = "route-get", [CAUSE_ROUTE_ADD] = "route-add",
	[CAUSE_TUNNEL] = "tunnel",
};

static const char *const decided_by_names[DECIDED_BY_COUNT] = {
	[DECIDED_BY_RULE] = "rule",
	[DECIDED_BY_BUILT_IN] = "built-in",
	[DECIDED_BY_END_OF_RULES] = "end-of-rules",
	[DECIDED_BY_BOUND_DEVICE] = "bound-device",
	[DECIDED_BY_EXCEPTION] = "exception",
	[DECIDED_BY_SUPPRESSED_ROUTE] = "suppressed-route",
	[DECIDED_BY_DIRECT] = "direct",
	[DECIDED_BY_UNKNOWN] = "unknown",
};

static const char *const evidence_names[] = {
	[EVIDENCE_KERNEL] = "kernel",
	[EVIDENCE_DERIVED] = "derived",
};

const char *cause_name(enum cause cause)
{
	return cause < CAUSE_COUNT ? cause_names[cause] : cause_names[CAUSE_OTHER];
}

const char *decided_by_name(enum decided_by decided_by)
{
	if (decided_by >= DECIDED_BY_COUNT)
		return decided_by_names[DECIDED_BY_UNKNOWN];
	return decided_by_names[decided_by];
}

const char *evidence_name(enum evidence evidence)
{
	return evidence == EVIDENCE_KERNEL ? evidence_names[EVIDENCE_KERNEL]
					   : evidence_names[EVIDENCE_DERIVED];
}

void lookup_clear(struct lookup *lookup)
{
	rule_list_put(lookup->rules);
	free(lookup->steps);
	for (size_t i = 0; i < lookup->finding_count; i++)
		free(lookup->findings[i].text);
	free(lookup->findings);
	*lookup = (struct lookup){ 0 };
}

static void name_device(char name[static IFNAMSIZ], const struct policy *policy, uint32_t index)
{
	const struct link *link = policy ? policy_link(policy, index) : NULL;

	if (link)
		memcpy(name, link->name, IFNAMSIZ);
}

void lookup_name_devices(struct lookup *lookup, const struct policy *policy)
{
	name_device(lookup->iif, policy, lookup->key.iif);
	name_device(lookup->oif, policy, lookup->key.oif);
}

/* The capacity is not kept: it is the power of two, at least FIRST_CAPACITY, that holds count. */
static bool steps_full(size_t count)
{
	return !count || (count >= FIRST_CAPACITY && !(count & (count - 1)));
}

struct lookup_step *lookup_add_step(struct lookup *lookup)
{
	size_t count = lookup->step_count;
	struct lookup_step *steps = lookup->steps;

	if (count >= LOOKUP_STEPS_MAX) {
		errno = E2BIG;
		return NULL;
	}
	if (steps_full(count)) {
		steps = reallocarray(steps, count ? 2 * count : FIRST_CAPACITY, sizeof(*steps));
		if (!steps)
			return NULL;
		lookup->steps = steps;
	}
	lookup->step_count++;
	steps[count] = (struct lookup_step){ 0 };
	return &steps[count];
}

struct lookup_step *lookup_add_walk_step(struct lookup *lookup, const struct walk_step *step,
					 const struct rule_list *rules)
{
	struct lookup_step *out = lookup_add_step(lookup);

	if (!out)
		return NULL;
	out->rule = &rules->rules[step->rule];
	out->has_priority = true;
	out->priority = out->rule->priority;
	out->table = step->table;
	out->outcome = step->outcome;
	out->suppressor = step->suppressor;
	out->unresolved = step->unresolved;
	if (step->outcome == STEP_NOT_REACHED && step->jumped_by != SIZE_MAX) {
		out->reason = "goto";
		out->jumped_by = rules->rules[step->jumped_by].priority;
	}
	return out;
}

static bool steps_agree(const struct lookup_step *a, const struct lookup_step *b)
{
	return a->outcome == b->outcome && a->table == b->table &&
	       a->has_priority == b->has_priority && a->priority == b->priority &&
	       a->suppressor == b->suppressor && a->unresolved == b->unresolved &&
	       !a->rule == !b->rule && (!a->rule || rule_equal(a->rule, b->rule));
}

bool lookups_agree(const struct lookup *a, const struct lookup *b)
{
	if (a->step_count != b->step_count || a->verdict.decided_by != b->verdict.decided_by ||
	    a->verdict.error != b->verdict.error ||
	    a->verdict.route.prefix_length != b->verdict.route.prefix_length)
		return false;
	for (size_t i = 0; i < a->step_count; i++) {
		if (!steps_agree(&a->steps[i], &b->steps[i]))
			return false;
	}
	return true;
}
