/* SPDX-License-Identifier: GPL-2.0-only */
/* A lookup out of a record: what the kernel was seen to do, with what the policy adds to it. */
#ifndef FIBTRACE_TRACE_OBSERVE_H
#define FIBTRACE_TRACE_OBSERVE_H

#include "rules/policy.h"
#include "trace/collector.h"
#include "trace/derive.h"
#include "trace/lookup.h"

/*
 * Replays the rules of policy on the record's flow key, each rule having done
 * what the kernel saw it do: that adds the rules whose action does not run (goto,
 * nop), those that were not reached, throw routes and prefixes of routes that
 * refuse. DERIVE_CONFLICT when policy and record do not fit: the record is right.
 * lookup must be empty; it is filled with DERIVE_DONE and emptied otherwise.
 */
enum derive_result observe_lookup(const struct lookup_record *record, const struct policy *policy,
				  struct lookup *lookup);

/* The lookup by what the kernel was seen to do alone; policy, for names of
 * devices, may be NULL. False without memory. */
bool observe_unaided(const struct lookup_record *record, const struct policy *policy,
		     struct lookup *lookup);

#endif
