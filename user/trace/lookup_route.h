/* SPDX-License-Identifier: GPL-2.0-only */
/* Routes as lookups show them: what the kernel told, completed by what the policy holds. */
#ifndef FIBTRACE_TRACE_LOOKUP_ROUTE_H
#define FIBTRACE_TRACE_LOOKUP_ROUTE_H

#include "rules/policy.h"
#include "trace/lookup.h"

#define TABLE_DEFAULT 253
#define TABLE_MAIN 254
#define TABLE_LOCAL 255

/* Sets the device by its index, and by its name where the policy (may be NULL) knows it. */
void route_set_device(struct lookup_route *out, const struct policy *policy, uint32_t index);

/* What the kernel itself told of a hit for key, or of a route that refused it; the rest is the
 * policy's to add. policy may be NULL. */
struct lookup_route answer_route(const struct table_answer *answer, const struct flow_key *key,
				 const struct policy *policy);

/* Finds the route behind an answer in the policy's table, and completes out by
 * it. NULL when none fits. Where the kernel told the prefix, that of IPv6, the route
 * is looked for under it: which of several answers depends on neighbours that only
 * the kernel knows. */
const struct route *table_explains(const struct policy *policy, const struct flow_key *key,
				   uint32_t table, const struct table_answer *answer,
				   struct lookup_route *out);

/* For one of which only the first usable nexthop is known: fib_select_multipath() comes later. */
void route_forget_choice(struct lookup_route *route);

/* What a table that was not asked holds for the flow; false: nothing. */
bool table_would_match(const struct policy *policy, const struct flow_key *key, uint32_t table,
		       struct lookup_route *out);

/* RTN_… of a verdict that is an error, by the errno that rules and routes give. */
uint8_t error_route_type(int error);

/* Which rule stands for a table that the kernel asks without walking any; false: none does. */
bool built_in_priority(uint32_t table, uint32_t *priority);

#endif
