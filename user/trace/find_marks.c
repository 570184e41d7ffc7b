// SPDX-License-Identifier: GPL-2.0-only
/* Findings about packet marks: whose they are, and the rules that they just miss. */
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <string.h>

#include "rules/selector.h"
#include "trace/examination.h"
#include "trace/lookup_route.h"

static bool selects_mark(const struct rule *rule)
{
	return rule && !rule->invert && rule->mark && rule->mark_mask;
}

static bool some_mark_rule_ran(const struct lookup *lookup)
{
	for (size_t i = 0; i < lookup->step_count; i++) {
		if (step_ran(&lookup->steps[i]) && selects_mark(lookup->steps[i].rule))
			return true;
	}
	return false;
}

/* The packet has all bits that the rule wants, and others that its mask does not hide. */
static void find_near_miss(struct examination *examination, const struct lookup_step *step)
{
	const struct rule *rule = step->rule;
	uint32_t mark = examination->lookup->key.mark;
	bool masked = rule && rule->mark_mask != MARK_MASK_ALL;

	if (!step_was_missed(examination, step, SELECTOR_FWMARK) || !selects_mark(rule) ||
	    (mark & rule->mark) != rule->mark)
		return;
	/* Under a mask other bits are another number. That all are set may be a mask taken for a
	 * mark, and is what some tools mean by "none of mine". */
	if (masked && mark != rule->mark_mask)
		return;
	examination_find(
		examination, FINDING_MARK_NEAR_MISS, masked ? SEVERITY_INFO : SEVERITY_WARNING,
		step, examination->end,
		"%s needs fwmark %#x/%#x and the packet has %#x: all of its bits and others",
		rule_label(step).text, rule->mark, rule->mark_mask, mark);
}

/* The rule which says that packets with this mark are to stay out of a tunnel; NULL: none does. */
static const struct rule *bypass_rule(const struct rule_list *rules, uint32_t mark)
{
	for (size_t i = 0; i < rules->count; i++) {
		const struct rule *rule = &rules->rules[i];

		if (rule->action == RULE_LOOKUP && rule->table != TABLE_MAIN &&
		    rule_is_all_but_mark(rule) && rule->mark &&
		    !((rule->mark ^ mark) & rule->mark_mask))
			return rule;
	}
	return NULL;
}

/* All of its bits together mean one thing: it is no other mark with something added. */
static bool mark_is_whole(const struct examination *examination, uint32_t mark)
{
	const struct owner_mark *owned = owners_mark(policy_owners(examination->policy), mark);
	const struct rule *bypass = bypass_rule(examination->lookup->rules, mark);

	return (owned && !(mark & ~owned->mask)) || (bypass && !(mark & ~bypass->mark_mask));
}

static void find_near_misses(struct examination *examination)
{
	const struct lookup *lookup = examination->lookup;

	if (!lookup->key.mark || some_mark_rule_ran(lookup) ||
	    mark_is_whole(examination, lookup->key.mark))
		return;
	for (size_t i = 0; i < lookup->step_count; i++)
		find_near_miss(examination, &lookup->steps[i]);
}

/* Bits of the value that the mask hides: the kernel never compares them. */
static void find_hidden_bits(struct examination *examination, const struct lookup_step *step)
{
	const struct rule *rule = step->rule;

	if (!rule || !(rule->mark & ~rule->mark_mask))
		return;
	examination_find(
		examination, FINDING_MARK_OUTSIDE_MASK, SEVERITY_WARNING, step, NULL,
		"%s has fwmark %#x/%#x: the mask hides %#x of the value, so that it means %#x/%#x",
		rule_label(step).text, rule->mark, rule->mark_mask, rule->mark & ~rule->mark_mask,
		rule->mark & rule->mark_mask, rule->mark_mask);
}

/* Rules of two owners are for the same bits of the mark, and lead to different places. */
static bool claims_too(const struct examination *examination, const struct lookup_step *end,
		       const struct lookup_step *step)
{
	const struct rule *rule = step->rule;

	return selects_mark(rule) && rule->owner && rule->owner != end->rule->owner &&
	       (rule->mark_mask & end->rule->mark_mask) && step_would_answer(examination, step) &&
	       !same_nexthop(&step->route, &end->route);
}

static void find_overlap(struct examination *examination)
{
	const struct lookup *lookup = examination->lookup;
	const struct lookup_step *end = examination->end;

	if (!lookup->key.mark || !end || end->outcome != STEP_CHOSEN || !selects_mark(end->rule) ||
	    !end->rule->owner)
		return;
	for (const struct lookup_step *step = end + 1; step < lookup->steps + lookup->step_count;
	     step++) {
		if (!claims_too(examination, end, step))
			continue;
		examination_find(examination, FINDING_MARK_OVERLAP, SEVERITY_WARNING, step, end,
				 "the mark %#x is for %s and for %s: their masks overlap",
				 lookup->key.mark, rule_label(end).text, rule_label(step).text);
		return;
	}
}

/* The first rule of the mark's owner that is for it. */
static const struct rule *rule_of_owner(const struct rule_list *rules, const struct owner *owner)
{
	for (size_t i = 0; i < rules->count; i++) {
		if (rules->rules[i].owner == owner)
			return &rules->rules[i];
	}
	return NULL;
}

static const struct rule *rule_of_bypass_mark(const struct examination *examination)
{
	const struct lookup *lookup = examination->lookup;
	const struct owner_mark *mark =
		owners_mark(policy_owners(examination->policy), lookup->key.mark);
	const struct rule *rule = bypass_rule(lookup->rules, lookup->key.mark);

	if (rule)
		return rule;
	return mark && mark->bypass ? rule_of_owner(lookup->rules, mark->owner) : NULL;
}

/* Into a tunnel by a rule for everything. Table main is where bypasses lead: its default route may
 * well go by a device of that kind. */
static bool ends_in_tunnel(const struct examination *examination, const struct rule *bypass)
{
	const struct lookup_step *end = examination->end;

	return end && end->rule && end->outcome == STEP_CHOSEN && !rule_selects(end->rule) &&
	       end->table != TABLE_MAIN && end->rule != bypass && end->route.type == RTN_UNICAST &&
	       (rule_is_tunnel_catch_all(end->rule) ||
		policy_link_is_tunnel(examination->policy, end->route.dev_index));
}

static const struct lookup_step *step_of_rule(const struct lookup *lookup, const struct rule *rule)
{
	for (size_t i = 0; i < lookup->step_count; i++) {
		if (lookup->steps[i].rule == rule)
			return &lookup->steps[i];
	}
	return NULL;
}

static void find_captured(struct examination *examination)
{
	const struct lookup *lookup = examination->lookup;
	const struct lookup_step *end = examination->end;
	const struct rule *bypass;

	if (!lookup->key.mark || lookup->purpose == PURPOSE_INPUT)
		return;
	bypass = rule_of_bypass_mark(examination);
	if (!bypass || !ends_in_tunnel(examination, bypass))
		return;
	examination_find(
		examination, FINDING_BYPASS_MARK_CAPTURED, SEVERITY_ERROR,
		step_of_rule(lookup, bypass), end,
		"the mark %#x of %s is to keep a tunnel's own packets out of tunnels, but %s "
		"takes them by %s",
		lookup->key.mark, rule_owner_label(bypass).text, rule_label(end).text,
		end->route.dev);
}

/* Tunnels that run in user space, by their process: they send nothing but what carries others. */
static const char *const tunnel_processes[] = {
	"wireguard-go", "amneziawg-go", "boringtun", "boringtun-cli", "openvpn",
};

/* WireGuard's packets are sent by a thread of the kernel's. What else is put into UDP or GRE may be
 * Ethernet (vxlan, geneve, gretap), which is no such tunnel: it belongs into one. */
static bool is_made_by_kernel(const struct lookup *lookup)
{
	uint8_t protocol = lookup->key.protocol;

	if (lookup->cause != CAUSE_TUNNEL)
		return false;
	return protocol == IPPROTO_IPIP || protocol == IPPROTO_IPV6 ||
	       (protocol == IPPROTO_UDP && lookup->context.level == LEVEL_KTHREAD);
}

static bool is_made_by_process(const struct lookup *lookup)
{
	if (lookup->context.level != LEVEL_TASK || lookup->purpose != PURPOSE_OUTPUT)
		return false;
	for (size_t i = 0; i < sizeof(tunnel_processes) / sizeof(tunnel_processes[0]); i++) {
		if (!strncmp(lookup->context.comm, tunnel_processes[i], EVENT_COMM_LEN))
			return true;
	}
	return false;
}

/* Unlike a tun device, a tap is no point-to-point one, and one of WireGuard's has no multicast. */
static bool is_tun(const struct link *link)
{
	return (link->flags & (IFF_POINTOPOINT | IFF_MULTICAST)) ==
	       (IFF_POINTOPOINT | IFF_MULTICAST);
}

/* Packets that a tunnel made, on their way into one: the only one there is must be its own. */
static void find_loop(struct examination *examination)
{
	const struct lookup *lookup = examination->lookup;
	const struct lookup_route *route = &lookup->verdict.route;
	const struct link *link = policy_link(examination->policy, route->dev_index);

	if (lookup->verdict.error || !link || !link->tunnel ||
	    policy_tunnel_count(examination->policy) != 1)
		return;
	if (!is_made_by_kernel(lookup) && !(is_made_by_process(lookup) && is_tun(link)))
		return;
	examination_find(examination, FINDING_TUNNEL_LOOP, SEVERITY_ERROR, examination->end, NULL,
			 "%s's own packets to %s are routed into %s", route->dev,
			 address_label(lookup->key.family, lookup->key.dst).text, route->dev);
}

void find_in_marks(struct examination *examination)
{
	const struct lookup *lookup = examination->lookup;

	find_loop(examination);
	if (!lookup->rules)
		return;
	find_captured(examination);
	find_near_misses(examination);
	find_overlap(examination);
	for (size_t i = 0; i < lookup->step_count; i++)
		find_hidden_bits(examination, &lookup->steps[i]);
}
