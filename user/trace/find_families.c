// SPDX-License-Identifier: GPL-2.0-only
/* Findings that only IPv6 has, and those about what one family has and the other lacks. */
#include <linux/rtnetlink.h>

#include "rules/selector.h"
#include "trace/examination.h"

/* fib6_rule_suppress() goes by the prefix length of what it is handed, of an exception 128. */
static void find_exception(struct examination *examination)
{
	const struct lookup *lookup = examination->lookup;
	const struct lookup_step *end = examination->end;

	if (lookup->verdict.decided_by != DECIDED_BY_EXCEPTION || !end)
		return;
	examination_find(
		examination, FINDING_EXCEPTION_DEFEATS_SUPPRESS, SEVERITY_WARNING, end, NULL,
		"an exception for %s (a path MTU or a redirect that was learned) is a host "
		"route, which %s does not suppress: the packet leaves by %s until the "
		"exception expires",
		address_label(lookup->key.family, lookup->key.dst).text, rule_label(end).text,
		lookup->verdict.route.dev);
}

/* The last step that ran, when it was one whose route was suppressed. */
static const struct lookup_step *suppressed_last(const struct lookup *lookup)
{
	for (size_t i = lookup->step_count; i-- > 0;) {
		const struct lookup_step *step = &lookup->steps[i];

		if (step->table && step_ran(step))
			return step->outcome == STEP_SUPPRESSED ? step : NULL;
	}
	return NULL;
}

static void find_suppressed_used(struct examination *examination)
{
	const struct lookup *lookup = examination->lookup;
	const struct lookup_step *step = suppressed_last(lookup);

	if (!step || lookup->key.family != FLOW_AF_INET6)
		return;
	if (lookup->verdict.decided_by == DECIDED_BY_SUPPRESSED_ROUTE)
		examination_find(
			examination, FINDING_SUPPRESSED_ROUTE_USED, SEVERITY_WARNING, step, NULL,
			"no rule has a route for this packet, but the kernel uses the one "
			"that %s suppressed, by %s: a fault that newer kernels do not have",
			rule_label(step).text, lookup->verdict.route.dev);
	/* Where it was seen that the rules ended, it was seen what came of it, too. */
	else if (lookup->verdict.decided_by == DECIDED_BY_END_OF_RULES &&
		 step->evidence == EVIDENCE_DERIVED)
		examination_find(examination, FINDING_SUPPRESSED_ROUTE_USED, SEVERITY_INFO, step,
				 NULL,
				 "the rules end behind the route that %s suppressed: some kernels "
				 "use it all the same, by %s, which cannot be seen from here",
				 rule_label(step).text, step->route.dev);
}

/* Whether a rule of the other family would lead such a packet into its tunnel. */
static bool rule_takes(const struct rule *rule, const struct flow_key *key)
{
	bool marked = !((rule->mark ^ key->mark) & rule->mark_mask);

	if (!rule_is_tunnel_catch_all(rule) || selectors_used(rule) & ~(1u << SELECTOR_FWMARK))
		return false;
	return marked != rule->invert;
}

/* Whether the family of the packet has a rule of the same hand, be it one that refuses. */
static bool rules_have_like(const struct rule_list *rules, const struct rule *other)
{
	for (size_t i = 0; i < rules->count; i++) {
		const struct rule *rule = &rules->rules[i];

		if (other->owner ? rule->owner == other->owner : rule->table == other->table)
			return true;
	}
	return false;
}

static const char *family_word(uint8_t family)
{
	return family == FLOW_AF_INET6 ? "IPv6" : "IPv4";
}

/* It leaves by a default route that leads into no tunnel. */
static bool leaves_openly(const struct examination *examination)
{
	const struct lookup_verdict *verdict = &examination->lookup->verdict;

	return !verdict->error && verdict->route.type == RTN_UNICAST &&
	       !verdict->route.prefix_length && verdict->route.dev_index &&
	       !policy_link_is_tunnel(examination->policy, verdict->route.dev_index);
}

static void find_asymmetry(struct examination *examination)
{
	const struct flow_key *key = &examination->lookup->key;
	uint8_t other = key->family == FLOW_AF_INET6 ? FLOW_AF_INET : FLOW_AF_INET6;
	const struct rule_list *own = policy_rules(examination->policy, key->family);
	const struct rule_list *rules = policy_rules(examination->policy, other);

	if (!own || !rules || !leaves_openly(examination))
		return;
	for (size_t i = 0; i < rules->count; i++) {
		const struct rule *rule = &rules->rules[i];

		if (!rule_takes(rule, key) || rules_have_like(own, rule))
			continue;
		examination_find(examination, FINDING_FAMILY_ASYMMETRY, SEVERITY_INFO, NULL, NULL,
				 "%s leads %s into table %s, and %s has no such rule: this packet "
				 "leaves by %s, outside of that tunnel",
				 rule_owner_label(rule).text, family_word(other),
				 table_label(rule->table).text, family_word(key->family),
				 examination->lookup->verdict.route.dev);
	}
}

void find_in_families(struct examination *examination)
{
	find_exception(examination);
	find_suppressed_used(examination);
	find_asymmetry(examination);
}
