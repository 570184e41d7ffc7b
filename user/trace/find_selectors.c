// SPDX-License-Identifier: GPL-2.0-only
/* Findings about selectors: rules that a packet just missed, or that say other than they seem to. */
#include "rules/names.h"
#include "rules/selector.h"
#include "trace/examination.h"

static bool is_detached(const struct rule *rule)
{
	return (rule->iif[0] && rule->iif_index < 0) || (rule->oif[0] && rule->oif_index < 0);
}

static void find_detached(struct examination *examination, const struct lookup_step *step)
{
	const struct rule *rule = step->rule;
	enum selector_id selector = step->mismatch.selector;

	if (step->outcome != STEP_SKIPPED || !step->refused_by_one || !is_detached(rule) ||
	    (selector != SELECTOR_IIF && selector != SELECTOR_OIF))
		return;
	examination_find(examination, FINDING_DETACHED_INTERFACE, SEVERITY_WARNING, step, NULL,
			 "%s never matches: there is no device %s", rule_label(step).text,
			 selector == SELECTOR_IIF ? rule->iif : rule->oif);
}

/* The socket's uid is its creator's: not what its process became since. */
static void find_uid(struct examination *examination, const struct lookup_step *step)
{
	const struct lookup *lookup = examination->lookup;
	const struct rule *rule = step->rule;
	uint32_t uid = lookup->context.uid;

	if (lookup->context.level != LEVEL_TASK || lookup->key.uid == uid ||
	    !step_was_missed(examination, step, SELECTOR_UIDRANGE) || uid < rule->uid_first ||
	    uid > rule->uid_last)
		return;
	examination_find(
		examination, FINDING_UID_NOT_EXPECTED, SEVERITY_WARNING, step, examination->end,
		"%s is for uid %u-%u, and the process has uid %u, but its socket was made by "
		"uid %u: rules see the socket's",
		rule_label(step).text, rule->uid_first, rule->uid_last, uid, lookup->key.uid);
}

/* Without the rule at step, the packet would go another way. */
static bool leads_elsewhere(const struct examination *examination, const struct lookup_step *step)
{
	const struct lookup *lookup = examination->lookup;
	const struct lookup_step *next = step + 1;

	while (next < lookup->steps + lookup->step_count && !step_would_answer(examination, next))
		next++;
	return next < lookup->steps + lookup->step_count &&
	       !same_nexthop(&next->route, &step->route);
}

/* What the kernel itself sends and forwards has uid 0. */
static void find_uid_of_kernel(struct examination *examination, const struct lookup_step *step)
{
	const struct lookup *lookup = examination->lookup;

	if (step != examination->end || step->outcome != STEP_CHOSEN || !step->rule->has_uids ||
	    step->rule->invert || lookup->key.uid || !leads_elsewhere(examination, step) ||
	    (lookup->purpose != PURPOSE_INPUT &&
	     (lookup->purpose != PURPOSE_OUTPUT || lookup->context.level == LEVEL_TASK)))
		return;
	examination_find(examination, FINDING_UID_NOT_EXPECTED, SEVERITY_WARNING, step, NULL,
			 "%s matches uid 0, which forwarded packets and the kernel's own replies "
			 "have, too",
			 rule_label(step).text);
}

/* All fragments are looked up without ports where nothing puts them together first. */
static void find_fragment(struct examination *examination, const struct lookup_step *step)
{
	const struct flow_key *key = &examination->lookup->key;
	const struct rule *rule = step->rule;

	if (examination->lookup->purpose != PURPOSE_INPUT || key->sport || key->dport ||
	    !protocol_has_ports(key->protocol) ||
	    (!step_was_missed(examination, step, SELECTOR_SPORT) &&
	     !step_was_missed(examination, step, SELECTOR_DPORT)))
		return;
	examination_find(examination, FINDING_PORTS_OF_FRAGMENT, SEVERITY_WARNING, step,
			 examination->end,
			 "%s is for %s ports, and this packet has none: fragments are looked up "
			 "without them",
			 rule_label(step).text,
			 protocol_name(rule->ip_proto ? rule->ip_proto : key->protocol));
}

/* Rules of tos compare three bits: other values that share them match as well. */
static void find_tos(struct examination *examination, const struct lookup_step *step)
{
	const struct flow_key *key = &examination->lookup->key;
	const struct rule *rule = step->rule;
	uint8_t dscp = key->tos & TOS_DSCP_MASK;

	if (key->family != FLOW_AF_INET || step != examination->end ||
	    step->outcome != STEP_CHOSEN || !rule->tos || rule->invert || dscp == rule->tos)
		return;
	examination_find(
		examination, FINDING_TOS_MASK, SEVERITY_WARNING, step, NULL,
		"%s is for tos %#x and takes %#x as well: the kernel compares the bits 0x1c "
		"alone; `ip rule add dscp` is exact where the kernel has it",
		rule_label(step).text, rule->tos, dscp);
}

static unsigned int selector_count(const struct rule *rule)
{
	return (unsigned int)__builtin_popcount(selectors_used(rule));
}

static void find_inversion(struct examination *examination, const struct lookup_step *step)
{
	if (!step->rule->invert || selector_count(step->rule) < 2 || !step_ran(step))
		return;
	examination_find(
		examination, FINDING_NOT_INVERTS_ALL, SEVERITY_INFO, step, NULL,
		"`not` of %s inverts all of its selectors together: it applies to whatever "
		"differs in one of them",
		rule_label(step).text);
}

static void find_goto(struct examination *examination, const struct lookup_step *step)
{
	if (step->outcome != STEP_GOTO || !step->unresolved)
		return;
	examination_find(examination, FINDING_UNRESOLVED_GOTO, SEVERITY_WARNING, step, NULL,
			 "%s leads to rule %u, which does not exist: the next rule follows",
			 rule_label(step).text, step->rule->target);
}

static void find_unknown(struct examination *examination, const struct lookup_step *step)
{
	if (!step->rule->unknown_count)
		return;
	examination_find(examination, FINDING_UNKNOWN_ATTRIBUTE, SEVERITY_WARNING, step, NULL,
			 "%s has attribute %u, which this program does not know: what it does with "
			 "packets is not certain",
			 rule_label(step).text, step->rule->unknown[0].type);
}

/* The same question twice: left over, or added at each start of something. Two owners may each
 * need it. */
static bool same_rule(const struct rule *one, const struct rule *other)
{
	struct rule copy = *other;

	if (one->owner && other->owner && one->owner != other->owner)
		return false;
	copy.priority = one->priority;
	copy.protocol = one->protocol;
	return rule_equal(&copy, one);
}

/* With a rule between them that has a say, the earlier one may be there to come before it: for this
 * packet, or for others where it is there for all. */
static void find_duplicate(struct examination *examination, size_t index)
{
	const struct lookup *lookup = examination->lookup;
	const struct lookup_step *step = &lookup->steps[index];

	if (!step_ran(step) && step->outcome != STEP_NOT_REACHED)
		return;
	for (size_t i = index; i-- > 0;) {
		const struct lookup_step *earlier = &lookup->steps[i];

		if (!earlier->rule ||
		    (earlier->outcome == STEP_SKIPPED && rule_selects(step->rule)))
			continue;
		if (earlier->table != step->table || !same_rule(earlier->rule, step->rule))
			return;
		examination_find(examination, FINDING_DUPLICATE_RULE, SEVERITY_WARNING, step,
				 earlier, "%s is there again at %u: the same selector and action",
				 rule_label(earlier).text, step->priority);
		return;
	}
}

typedef void (*step_finder)(struct examination *examination, const struct lookup_step *step);

static const step_finder step_finders[] = {
	find_detached, find_uid,       find_uid_of_kernel, find_fragment,
	find_tos,      find_inversion, find_goto,	   find_unknown,
};

void find_in_selectors(struct examination *examination)
{
	const struct lookup *lookup = examination->lookup;

	for (size_t i = 0; i < lookup->step_count; i++) {
		if (!lookup->steps[i].rule)
			continue;
		for (size_t j = 0; j < sizeof(step_finders) / sizeof(step_finders[0]); j++)
			step_finders[j](examination, &lookup->steps[i]);
		find_duplicate(examination, i);
	}
}
