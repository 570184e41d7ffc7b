// SPDX-License-Identifier: GPL-2.0-only
/* Findings about which rule came first: what it took from those behind it. */
#include <linux/rtnetlink.h>

#include "trace/examination.h"
#include "trace/lookup_route.h"
#include "util/array.h"

/* Its owner has a rule that lets networks out by that table, and left this packet out of it. */
static bool leaves_out(const struct lookup_step *step, const struct lookup_step *end)
{
	return step->outcome == STEP_SKIPPED && step->rule->suppress_prefixlength >= 0 &&
	       step->rule->owner && step->rule->owner == end->rule->owner;
}

/* A rule before it asked the same table, and put the answer aside: that is meant. */
static bool was_put_aside(const struct lookup *lookup, const struct lookup_step *end,
			  uint32_t table)
{
	for (const struct lookup_step *step = lookup->steps; step < end; step++) {
		if (step->table == table &&
		    (step->outcome == STEP_SUPPRESSED || leaves_out(step, end)))
			return true;
	}
	return false;
}

/* Rules that lead everything somewhere take what later ones single out, or know better. */
static bool takes_from(const struct lookup_step *end, const struct lookup_step *later)
{
	if (end->table == later->table || rule_selects(end->rule) || end->route.prefix_length < 0 ||
	    same_nexthop(&end->route, &later->route))
		return false;
	if (later->route.prefix_length > end->route.prefix_length)
		return true;
	return rule_selects(later->rule) &&
	       later->route.prefix_length == end->route.prefix_length &&
	       later->rule->owner != end->rule->owner;
}

/* What table local has of a packet to this host; NULL of others, as of IPv6's multicast. */
static const char *local_word(uint8_t type)
{
	static const char *const words[] = {
		[RTN_LOCAL] = "this host's own address",
		[RTN_BROADCAST] = "the broadcast address of its network",
		[RTN_ANYCAST] = "an anycast address of this host",
	};

	return type < ARRAY_SIZE(words) ? words[type] : NULL;
}

static void find_local(struct examination *examination, const struct lookup_step *end,
		       const struct lookup_step *later)
{
	uint8_t family = examination->lookup->key.family;
	const char *word = local_word(later->route.type);

	/* Who puts the rule of table local behind one of its own means it. */
	if (!word || (end->rule->owner && end->rule->owner == later->rule->owner))
		return;
	examination_find(examination, FINDING_RULE_BEFORE_LOCAL, SEVERITY_ERROR, later, end,
			 "%s is %s, but %s is evaluated before the local table at %s and takes it",
			 address_label(family, examination->lookup->key.dst).text, word,
			 rule_label(end).text, rule_label(later).text);
}

static void find_suppressor(struct examination *examination, const struct lookup_step *end,
			    const struct lookup_step *later)
{
	examination_find(examination, FINDING_SUPPRESS_AFTER_CATCH_ALL, SEVERITY_WARNING, later,
			 end,
			 "%s would use table %s for all but its default route, but %s takes "
			 "everything before it",
			 rule_label(later).text, table_label(later->table).text,
			 rule_label(end).text);
}

static void find_no_suppressor(struct examination *examination, const struct lookup_step *end,
			       const struct lookup_step *later)
{
	examination_find(examination, FINDING_MISSING_SUPPRESS, SEVERITY_WARNING, later, end,
			 "table %s has %s for this destination, but %s takes everything into its "
			 "tunnel and no rule with suppress_prefixlength comes before it",
			 table_label(later->table).text,
			 prefix_label(examination->lookup->key.family, later->route.dst,
				      later->route.prefix_length)
				 .text,
			 rule_label(end).text);
}

static void find_shadowed(struct examination *examination, const struct lookup_step *end,
			  const struct lookup_step *later)
{
	if (later->route.prefix_length > end->route.prefix_length)
		examination_find(
			examination, FINDING_SHADOWED_ROUTE, SEVERITY_WARNING, later, end,
			"%s has a longer prefix for this destination; %s is evaluated first",
			rule_label(later).text, rule_label(end).text);
	else
		examination_find(examination, FINDING_SHADOWED_ROUTE, SEVERITY_WARNING, later, end,
				 "%s is for these packets and has a route; %s is evaluated first",
				 rule_label(later).text, rule_label(end).text);
}

static void find_taken(struct examination *examination, const struct lookup_step *end,
		       const struct lookup_step *later)
{
	if (later->rule->suppress_prefixlength >= 0)
		find_suppressor(examination, end, later);
	else if (later->table == TABLE_MAIN && !rule_selects(later->rule) &&
		 !end->route.prefix_length && rule_is_tunnel_catch_all(end->rule))
		find_no_suppressor(examination, end, later);
	else
		find_shadowed(examination, end, later);
}

/* A rule for some packets has a table with nothing but a default: local networks go there too. */
static void find_default_only(struct examination *examination, const struct lookup_step *end,
			      const struct lookup_step *later)
{
	if (later->table != TABLE_MAIN || end->route.prefix_length || !later->route.prefix_length ||
	    end->route.type != RTN_UNICAST || end->route.dev_index == later->route.dev_index ||
	    !route_is_connected(route_of(examination, later->table)) ||
	    !table_is_default_only(examination, end->table))
		return;
	examination_find(examination, FINDING_DEFAULT_ONLY_TABLE, SEVERITY_WARNING, end, NULL,
			 "table %s of %s has only a default route, which takes traffic to the "
			 "connected network %s as well",
			 table_label(end->table).text, rule_label(end).text,
			 prefix_label(examination->lookup->key.family, later->route.dst,
				      later->route.prefix_length)
				 .text);
}

/* The same prefix is directly connected: somebody else's idea of it came first. */
static void find_connected(struct examination *examination, const struct lookup_step *end,
			   const struct lookup_step *later)
{
	if (later->table != TABLE_MAIN || !end->route.prefix_length ||
	    later->route.prefix_length != end->route.prefix_length ||
	    later->route.dev_index == end->route.dev_index ||
	    !route_is_connected(route_of(examination, later->table)))
		return;
	examination_find(examination, FINDING_CONNECTED_SHADOWED, SEVERITY_WARNING, later, end,
			 "%s is directly connected by %s, but %s has it in table %s too and is "
			 "evaluated first",
			 prefix_label(examination->lookup->key.family, later->route.dst,
				      later->route.prefix_length)
				 .text,
			 later->route.dev, rule_label(end).text, table_label(end->table).text);
}

static void find_behind(struct examination *examination, const struct lookup_step *end)
{
	const struct lookup *lookup = examination->lookup;
	const struct lookup_step *behind = lookup->steps + lookup->step_count;
	bool taken = false;

	/* What a VRF does not know is not for it; of a captured mark more was said already. */
	if (end->outcome != STEP_CHOSEN || end->table == TABLE_LOCAL || end->rule->l3mdev ||
	    examination_has(examination, FINDING_BYPASS_MARK_CAPTURED))
		return;
	for (const struct lookup_step *step = end + 1; step < behind; step++) {
		if (!step_would_answer(examination, step))
			continue;
		if (step->table == TABLE_LOCAL && end->route.type == RTN_UNICAST) {
			find_local(examination, end, step);
			return;
		}
		if (rule_selects(end->rule))
			find_default_only(examination, end, step);
		else
			find_connected(examination, end, step);
		/* The first that it took from tells; the others follow from it. */
		if (!taken && takes_from(end, step) && !was_put_aside(lookup, end, step->table)) {
			find_taken(examination, end, step);
			taken = true;
		}
	}
}

/* Nothing was lost by it this time, but a full tunnel without that rule is one that will. */
static void find_tunnel_without_suppressor(struct examination *examination,
					   const struct lookup_step *end)
{
	const struct lookup *lookup = examination->lookup;

	if (end->outcome != STEP_CHOSEN || end->route.prefix_length ||
	    !rule_is_all_but_mark(end->rule) || !rule_is_tunnel_catch_all(end->rule) ||
	    examination_has(examination, FINDING_SUPPRESS_AFTER_CATCH_ALL) ||
	    examination_has(examination, FINDING_MISSING_SUPPRESS))
		return;
	for (const struct lookup_step *step = lookup->steps; step < end; step++) {
		if (step->rule && step->rule->suppress_prefixlength >= 0)
			return;
	}
	examination_find(examination, FINDING_MISSING_SUPPRESS, SEVERITY_INFO, end, NULL,
			 "%s takes everything into its tunnel, and no rule with "
			 "suppress_prefixlength lets local networks out before it",
			 rule_label(end).text);
}

/* Refusing everything is a kill switch's work; that it also refuses a known network may not be. */
static void find_preempted(struct examination *examination, const struct lookup_step *end)
{
	const struct lookup *lookup = examination->lookup;

	if (end->table || !end->rule || rule_selects(end->rule) ||
	    (end->outcome != STEP_UNREACHABLE && end->outcome != STEP_BLACKHOLE &&
	     end->outcome != STEP_PROHIBIT))
		return;
	for (const struct lookup_step *step = end + 1; step < lookup->steps + lookup->step_count;
	     step++) {
		if (!step_would_answer(examination, step) || step->route.prefix_length <= 0 ||
		    was_put_aside(lookup, end, step->table))
			continue;
		examination_find(
			examination, FINDING_UNREACHABLE_PREEMPTS, SEVERITY_WARNING, step, end,
			"%s refuses before %s, whose table %s has %s", rule_label(end).text,
			rule_label(step).text, table_label(step->table).text,
			prefix_label(lookup->key.family, step->route.dst, step->route.prefix_length)
				.text);
		return;
	}
}

/* The kernel gives a rule without a priority the place behind the first: who starts last wins. */
static void find_auto_priority(struct examination *examination, const struct lookup_step *end)
{
	const struct lookup *lookup = examination->lookup;
	const struct rule_list *rules = lookup->rules;
	const struct rule *next;

	if (!end->rule || !end->rule->owner || !owner_has_auto_priority(end->rule->owner))
		return;
	next = end->rule + 1;
	if (next >= rules->rules + rules->count || next->priority != end->rule->priority + 1 ||
	    !next->owner || next->owner == end->rule->owner || owner_is_kernel(next->owner))
		return;
	examination_find(examination, FINDING_AUTO_PRIORITY, SEVERITY_INFO, end, NULL,
			 "the kernel chose the priority of %s, right before %s, which was there "
			 "already: their order depends on which starts last",
			 rule_label(end).text, rule_owner_label(next).text);
}

void find_in_order(struct examination *examination)
{
	const struct lookup_step *end = examination->end;

	if (!end || !end->rule)
		return;
	find_behind(examination, end);
	find_tunnel_without_suppressor(examination, end);
	find_preempted(examination, end);
	find_auto_priority(examination, end);
}
