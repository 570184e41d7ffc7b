/* SPDX-License-Identifier: GPL-2.0-only */
/* One explained lookup being looked through for findings: what trace/find_*.c share. */
#ifndef FIBTRACE_TRACE_EXAMINATION_H
#define FIBTRACE_TRACE_EXAMINATION_H

#include "rules/owners.h"
#include "rules/policy.h"
#include "rules/selector.h"
#include "trace/finding.h"
#include "trace/history.h"
#include "trace/lookup.h"

/* end: the step that ended the walk, NULL when none did. policy is what the lookup was explained
 * by, still in force. */
struct examination {
	struct lookup *lookup;
	const struct policy *policy;
	struct history *history;
	struct match_context context;
	const struct lookup_step *end;
	bool failed; /* no memory */
};

/* Something is found about the rule of step, done by that of by; either may be NULL. A kind is
 * found once for a rule. text is printf's. */
__attribute__((format(printf, 6, 7))) void
examination_find(struct examination *examination, enum finding_kind kind, enum severity severity,
		 const struct lookup_step *step, const struct lookup_step *by, const char *text,
		 ...);
/* Whether that kind was found. */
bool examination_has(const struct examination *examination, enum finding_kind kind);

/* "5270 (tailscaled)", "192.0.2.1", "203.0.113.0/24": for texts. */
struct label {
	char text[96];
};
struct label rule_label(const struct lookup_step *step);
struct label rule_owner_label(const struct rule *rule);
struct label table_label(uint32_t table);
struct label address_label(uint8_t family, const uint8_t *address);
struct label prefix_label(uint8_t family, const uint8_t *address, int length);

/* --- what steps are ------------------------------------------------------------------------- */

/* Whether the action of its rule ran. */
bool step_ran(const struct lookup_step *step);
/* Whether that selector alone kept the packet from the rule, to which the walk had come, and the
 * rule's table would have sent it another way than it went. */
bool step_was_missed(const struct examination *examination, const struct lookup_step *step,
		     enum selector_id selector);
/* Whether the rule at a step that was not reached would have found a route, its suppressors
 * counted in. */
bool step_would_answer(const struct examination *examination, const struct lookup_step *step);

/* --- what rules and routes are ------------------------------------------------------------- */

/* Whether the rule singles out some packets by what they are: not `not`, not `from all`. */
bool rule_selects(const struct rule *rule);
/* `not fwmark M`, as full tunnels have: everything but the tunnel's own packets. */
bool rule_is_all_but_mark(const struct rule *rule);
/* A rule that leads whatever comes into a tunnel. */
bool rule_is_tunnel_catch_all(const struct rule *rule);
bool rule_suppresses_prefix(const struct rule *rule, int prefix_length);
bool same_nexthop(const struct lookup_route *one, const struct lookup_route *other);
/* Devices of which one is a port of the other (of a VRF, a bridge or a bond) are one. */
bool same_device(const struct examination *examination, uint32_t one, uint32_t other);
/* Whether one of the nexthops of the route that was found goes by the device. */
bool route_uses_device(const struct examination *examination, uint32_t device);
/* What the policy's table answers for the flow; NULL: nothing. */
const struct route *route_of(const struct examination *examination, uint32_t table);
/* A prefix that is directly on a device, as the kernel adds it with an address. */
bool route_is_connected(const struct route *route);
/* Whether the table holds nothing but default routes (and refusals). */
bool table_is_default_only(const struct examination *examination, uint32_t table);
/* Whether it has a route to everything: a default or a refusal. */
bool table_has_default(const struct examination *examination, uint32_t table);
bool address_is_set(const uint8_t *address);
bool address_is_multicast(const struct flow_key *key);
/* The first address of the policy that equals it; NULL: it is not the host's. */
const struct address *own_address(const struct examination *examination, const uint8_t *address);

/* --- the kinds, by what they are about ------------------------------------------------------ */

void find_in_order(struct examination *examination); /* which rule came first */
void find_in_tables(struct examination *examination); /* what tables hold, or do not */
void find_in_marks(struct examination *examination);
void find_in_selectors(struct examination *examination);
void find_in_conversation(struct examination *examination); /* with what other lookups told */
void find_in_families(struct examination *examination); /* what is IPv6's alone, or lacks there */

#endif
