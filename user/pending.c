// SPDX-License-Identifier: GPL-2.0-only
/* A lookup on its way to being explained: by which state of the policy, and whether it has ended. */
#include "pending.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trace/observe.h"

const struct policy *pending_policy(const struct pending *pending)
{
	return pending->space ? space_policy(pending->space) : NULL;
}

static uint8_t pending_family(const struct pending *pending)
{
	return pending->record ? pending->record->event->key.family : pending->walk->key.family;
}

static enum derive_result explain(const struct pending *pending, struct lookup *lookup)
{
	const struct policy *policy = pending_policy(pending);

	if (!policy)
		return DERIVE_CONFLICT;
	if (pending->record)
		return observe_lookup(pending->record, policy, lookup);
	return derive_lookup(pending->walk, policy, lookup);
}

void pending_clear(struct pending *pending)
{
	lookup_clear(&pending->lookup);
	lookup_record_free(pending->record);
	pending->record = NULL;
}

void pending_explain(struct pending *pending)
{
	pending->result = explain(pending, &pending->lookup);
}

/* The walk with its successor's answers behind its own. last: no other walk follows that. */
static bool explained_together(const struct pending *pending, const struct walk_record *successor,
			       bool last)
{
	struct walk_record both = *pending->walk;
	size_t count = both.answer_count + successor->answer_count;
	struct lookup lookup = { 0 };
	enum derive_result result;

	both.ended = successor->ended && last;
	both.answers = reallocarray(NULL, count, sizeof(*both.answers));
	if (!both.answers)
		return false;
	memcpy(both.answers, pending->walk->answers, both.answer_count * sizeof(*both.answers));
	memcpy(both.answers + both.answer_count, successor->answers,
	       successor->answer_count * sizeof(*both.answers));
	both.answer_count = count;
	result = derive_lookup(&both, pending_policy(pending), &lookup);
	lookup_clear(&lookup);
	free(both.answers);
	return result == DERIVE_DONE || result == DERIVE_OPEN;
}

bool pending_continues(const struct pending *pending, const struct walk_record *successor,
		       bool last)
{
	struct walk_record open = *pending->walk;
	struct lookup lookup = { 0 };
	enum derive_result result;

	open.ended = false;
	result = derive_lookup(&open, pending_policy(pending), &lookup);
	lookup_clear(&lookup);
	return result == DERIVE_OPEN && explained_together(pending, successor, last);
}

static void pending_set(struct pending *pending, enum derive_result result, struct lookup *lookup)
{
	lookup_clear(&pending->lookup);
	pending->result = result;
	pending->lookup = *lookup;
	*lookup = (struct lookup){ 0 };
}

void pending_end(struct pending *pending)
{
	struct lookup lookup = { 0 };

	if (pending->record || pending->result != DERIVE_OPEN || pending->walk->ended)
		return;
	pending->walk->ended = true;
	if (explain(pending, &lookup) == DERIVE_DONE)
		pending_set(pending, DERIVE_DONE, &lookup);
	else
		pending->walk->ended = false;
	lookup_clear(&lookup);
}

static bool walk_tells_seq(const struct pending *pending, const struct table_answer *answer)
{
	uint32_t netns = answer->netns ? answer->netns : pending->walk->context.netns;

	return answer->flags & ANSWER_POLICY_KNOWN && netns == pending->space->netns.inode;
}

/* By which policy a walk ran, as the kernel's counters tell. */
enum ran_under {
	RAN_UNDER_OLD, /* the one before the notifications were read */
	RAN_UNDER_NEW, /* the one after */
	RAN_UNDER_SAME, /* the one after, but for what was learned of paths meanwhile */
	RAN_UNDER_OTHER, /* one between them, or several */
	RAN_UNDER_UNKNOWN, /* the walk does not tell */
};

/* More exceptions are not learned between two looks at the counters. */
#define PATHS_MAX 100000u

/* Whether two counters of IPv6's routes differ by additions alone, and by no number of routes: as
 * where the kernel learns a path MTU or a redirect, or replaces a route, which is notified. */
static bool only_paths_between(uint32_t routes, uint32_t now)
{
	uint32_t additions = (now - routes) * POLICY_SEQ6_INVERSE;

	return additions <= PATHS_MAX || -additions <= PATHS_MAX;
}

static bool nothing_notified(const struct space *space, uint8_t family)
{
	const struct monitor_changes *changes = &space->changes;

	return !changes->rules[FLOW_FAMILY_SLOT(family)] &&
	       !changes->routes[FLOW_FAMILY_SLOT(family)] && !changes->links && !changes->overrun;
}

static enum ran_under seq_ran_under(const struct space *space, uint8_t family, uint32_t rules,
				    uint32_t routes)
{
	const struct policy_seq *old = &space->old_seq.of[FLOW_FAMILY_SLOT(family)];
	const struct policy_seq *now = &space->seq.of[FLOW_FAMILY_SLOT(family)];

	if (old->known && rules == old->rules && routes == old->routes)
		return RAN_UNDER_OLD;
	if (now->known && rules == now->rules && routes == now->routes)
		return RAN_UNDER_NEW;
	if (family == FLOW_AF_INET6 && now->known && rules == now->rules &&
	    only_paths_between(routes, now->routes) && nothing_notified(space, family))
		return RAN_UNDER_SAME;
	return old->known || now->known ? RAN_UNDER_OTHER : RAN_UNDER_UNKNOWN;
}

static enum ran_under record_ran_under(const struct pending *pending)
{
	const struct lookup_event *event = pending->record->event;

	if (!(event->flags & LOOKUP_SEQ_KNOWN))
		return RAN_UNDER_UNKNOWN;
	return seq_ran_under(pending->space, event->key.family, event->rules_seq,
			     event->routes_seq);
}

/* One answer before a path was learned, one after it: where nothing was notified, the policies
 * before and after are one. */
static bool are_alike(enum ran_under a, enum ran_under b)
{
	return (a == RAN_UNDER_SAME && b <= RAN_UNDER_NEW) ||
	       (b == RAN_UNDER_SAME && a <= RAN_UNDER_NEW);
}

static enum ran_under walk_ran_under(const struct pending *pending)
{
	const struct walk_record *walk = pending->walk;
	enum ran_under under = RAN_UNDER_UNKNOWN;

	for (size_t i = 0; i < walk->answer_count; i++) {
		const struct table_answer *answer = &walk->answers[i];
		enum ran_under here;

		if (!walk_tells_seq(pending, answer))
			continue;
		here = seq_ran_under(pending->space, walk->key.family, answer->rules_seq,
				     answer->routes_seq);
		if (under != RAN_UNDER_UNKNOWN && here != under)
			here = are_alike(here, under) ? RAN_UNDER_SAME : RAN_UNDER_OTHER;
		if (here == RAN_UNDER_OTHER)
			return here;
		under = here;
	}
	return under;
}

static enum ran_under ran_under(const struct pending *pending)
{
	return pending->record ? record_ran_under(pending) : walk_ran_under(pending);
}

/* The policy of one moment is not known: no reason is given. */
static void pending_set_conflict(struct pending *pending)
{
	struct lookup none = { 0 };

	pending_set(pending, DERIVE_CONFLICT, &none);
}

/*
 * Of two explanations of one walk, by the policy before and after a change, the
 * one that holds. A walk that does not tell when it ran is explained where both
 * say the same and nothing can have been between them.
 */
static void pending_decide(struct pending *pending, enum derive_result result,
			   struct lookup *lookup)
{
	const struct monitor_changes *changes = &pending->space->changes;
	unsigned int rule_changes = changes->rules[FLOW_FAMILY_SLOT(pending_family(pending))];
	bool nothing_between = rule_changes <= 1 && !changes->overrun && !pending->space->reread;

	switch (ran_under(pending)) {
	case RAN_UNDER_OLD:
		return;
	case RAN_UNDER_NEW:
	case RAN_UNDER_SAME:
		pending_set(pending, result, lookup);
		return;
	case RAN_UNDER_OTHER:
		pending_set_conflict(pending);
		return;
	case RAN_UNDER_UNKNOWN:
		break;
	}
	if (pending->result == result && result == DERIVE_OPEN)
		return;
	if (!nothing_between || pending->result != result ||
	    !lookups_agree(&pending->lookup, lookup))
		pending_set_conflict(pending);
}

void pending_renew(struct pending *pending)
{
	const struct policy *policy = pending_policy(pending);
	struct lookup lookup = { 0 };

	if (!policy || pending->result != DERIVE_DONE ||
	    pending->lookup.generation == policy_generation(policy) ||
	    ran_under(pending) != RAN_UNDER_NEW)
		return;
	if (explain(pending, &lookup) == DERIVE_DONE)
		pending_set(pending, DERIVE_DONE, &lookup);
	lookup_clear(&lookup);
}

/* That an exception answered is concluded from what the policy would have done otherwise. */
static bool pending_is_conclusion(const struct pending *pending)
{
	return pending->walk && pending->result == DERIVE_DONE &&
	       pending->lookup.verdict.decided_by == DECIDED_BY_EXCEPTION;
}

static bool ran_under_known_policy(const struct pending *pending)
{
	enum ran_under under = ran_under(pending);

	return under == RAN_UNDER_OLD || under == RAN_UNDER_NEW;
}

static void pending_compare(struct pending *pending, struct spaces *spaces)
{
	struct space *space = pending->space;
	enum ran_under under = ran_under(pending);
	struct lookup lookup = { 0 };
	enum derive_result result;

	if (pending->result == DERIVE_CONFLICT || under == RAN_UNDER_OTHER ||
	    (under == RAN_UNDER_SAME && pending_is_conclusion(pending)))
		spaces_reread(spaces, space);
	if (!space_changed(space))
		return;
	result = explain(pending, &lookup);
	pending_decide(pending, result, &lookup);
	lookup_clear(&lookup);
}

void pending_recheck(struct pending *pending, struct spaces *spaces)
{
	if (!pending->space || !pending->space->monitor)
		return;
	pending_compare(pending, spaces);
	if (pending_is_conclusion(pending) && !ran_under_known_policy(pending))
		pending_set_conflict(pending);
}

const char *pending_unknown_reason(const struct pending *pending)
{
	return pending_policy(pending) ? "policy-changed" : "policy-unreadable";
}

bool pending_over(const struct pending *pending)
{
	const struct walk_record *walk = pending->walk;
	const struct table_answer *last = &walk->answers[walk->answer_count - 1];
	bool refused = last->error && last->error != -EAGAIN;

	return walk->ended || (refused && !walk->origin.may_be_direct);
}
