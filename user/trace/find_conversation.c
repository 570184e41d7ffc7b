// SPDX-License-Identifier: GPL-2.0-only
/* Findings that take more than one lookup: requests and replies, and a flow's packets over time. */
#include <linux/rtnetlink.h>
#include <string.h>

#include "rules/selector.h"
#include "trace/examination.h"
#include "trace/lookup_route.h"

static bool is_sent(const struct lookup *lookup)
{
	return lookup->purpose == PURPOSE_OUTPUT || lookup->purpose == PURPOSE_REROUTE;
}

static bool goes_out(const struct lookup *lookup)
{
	return is_sent(lookup) && !lookup->verdict.error &&
	       lookup->verdict.route.type == RTN_UNICAST;
}

/* What the kernel sends by itself right where a packet came in. */
static bool is_reply(const struct lookup *lookup)
{
	return lookup->purpose == PURPOSE_OUTPUT && lookup->context.level == LEVEL_SOFTIRQ &&
	       (lookup->cause == CAUSE_REPLY || lookup->cause == CAUSE_OTHER) &&
	       address_is_set(lookup->key.src);
}

/* The rule that the request's mark would have chosen for the reply; NULL: none. */
static const struct lookup_step *step_for_mark(const struct examination *examination,
					       const struct arrival *arrival)
{
	const struct lookup *lookup = examination->lookup;

	for (size_t i = 0; i < lookup->step_count; i++) {
		const struct lookup_step *step = &lookup->steps[i];
		const struct rule *rule = step->rule;

		if (step->outcome == STEP_SKIPPED && step->refused_by_one &&
		    step->mismatch.selector == SELECTOR_FWMARK && step->has_route &&
		    step->route.dev_index == arrival->device &&
		    !((rule->mark ^ arrival->mark) & rule->mark_mask))
			return step;
	}
	return NULL;
}

/* One address alone is that of this host: its own packets are what such a rule is for. */
static bool selects_networks(const struct rule *rule)
{
	unsigned int whole = rule && rule->family == FLOW_AF_INET6 ? 128 : 32;

	return rule && !rule->invert && rule->src.length && rule->src.length < whole;
}

static void find_reply(struct examination *examination)
{
	const struct lookup *lookup = examination->lookup;
	const struct lookup_route *route = &lookup->verdict.route;
	const struct lookup_step *end = examination->end;
	const struct lookup_step *marked;
	const struct arrival *arrival;

	if (!goes_out(lookup) || !is_reply(lookup))
		return;
	arrival = history_arrival(examination->history, lookup);
	if (!arrival || route->dev_index <= FLOW_IFINDEX_LO ||
	    route_uses_device(examination, arrival->device))
		return;
	marked = arrival->mark && !lookup->key.mark ? step_for_mark(examination, arrival) : NULL;
	if (marked)
		examination_find(
			examination, FINDING_REPLY_UNMARKED, SEVERITY_WARNING, marked, end,
			"the request came in by %s with mark %#x, for which there is %s, but "
			"its reply has no mark and leaves by %s",
			arrival->name, arrival->mark, rule_label(marked).text, route->dev);
	else if (end && selects_networks(end->rule))
		examination_find(
			examination, FINDING_FROM_CATCHES_OWN_REPLIES, SEVERITY_WARNING, end, NULL,
			"%s is for packets from %s, and takes this host's own replies from %s: "
			"the request came in by %s, the reply leaves by %s; `iif` instead of "
			"`from` matches forwarded packets alone",
			rule_label(end).text,
			prefix_label(lookup->key.family, end->rule->src.address,
				     end->rule->src.length)
				.text,
			address_label(lookup->key.family, lookup->key.src).text, arrival->name,
			route->dev);
	else
		examination_find(examination, FINDING_REPLY_LEAVES_ELSEWHERE, SEVERITY_WARNING, end,
				 NULL, "the request came in by %s, and its reply leaves by %s",
				 arrival->name, route->dev);
}

/* Whether some rule that this packet did not get to would have sent it back by the device. */
static bool has_way_back(const struct lookup *lookup, uint32_t device)
{
	for (size_t i = 0; i < lookup->step_count; i++) {
		const struct lookup_step *step = &lookup->steps[i];

		if (step->has_route && step->route.dev_index == device &&
		    (step->outcome == STEP_SKIPPED || step->outcome == STEP_NOT_REACHED))
			return true;
	}
	return false;
}

/* Forwarded: the packet goes back to where the other direction did not come from. Between routers
 * that is normal, unless there are rules for the way back. */
static void find_forwarded_reply(struct examination *examination)
{
	const struct lookup *lookup = examination->lookup;
	const struct lookup_route *route = &lookup->verdict.route;
	const struct arrival *arrival;

	if (lookup->purpose != PURPOSE_INPUT || lookup->verdict.error || route->type != RTN_UNICAST)
		return;
	arrival = history_arrival(examination->history, lookup);
	if (!arrival || route_uses_device(examination, arrival->device) ||
	    !has_way_back(lookup, arrival->device))
		return;
	examination_find(examination, FINDING_REPLY_LEAVES_ELSEWHERE, SEVERITY_WARNING,
			 examination->end, NULL,
			 "packets of the other direction came in by %s, and this one leaves by %s",
			 arrival->name, route->dev);
}

/* The source is an address of another device, which nobody would have chosen for this route. */
static bool has_foreign_source(const struct examination *examination)
{
	const struct flow_key *key = &examination->lookup->key;
	const struct lookup_route *route = &examination->lookup->verdict.route;
	const struct address *address = own_address(examination, key->src);

	return address && address->ifindex != route->dev_index &&
	       address->ifindex != FLOW_IFINDEX_LO && route->has_prefsrc &&
	       memcmp(route->prefsrc, key->src, sizeof(key->src)) != 0;
}

/* The first lookup chose the source address, and the second another device for it. What never had
 * the address of its device was bound to another. */
static void find_foreign_source(struct examination *examination)
{
	const struct lookup *lookup = examination->lookup;
	const struct lookup_route *route = &lookup->verdict.route;
	const struct departure *before = history_departure(examination->history, lookup);
	bool moved = before && before->device != route->dev_index;

	if (!goes_out(lookup) || !address_is_set(lookup->key.src) ||
	    (lookup->purpose != PURPOSE_REROUTE && !moved) || !has_foreign_source(examination))
		return;
	if (before && own_address(examination, lookup->key.src)->ifindex != before->device)
		return;
	examination_find(
		examination, FINDING_SOURCE_NOT_ON_DEVICE, SEVERITY_WARNING, examination->end, NULL,
		"%s by %s with the source %s, which is not an address of it: %s would have "
		"been chosen",
		moved ? "the flow moves on" : "rerouted, the packet leaves", route->dev,
		address_label(lookup->key.family, lookup->key.src).text,
		address_label(lookup->key.family, route->prefsrc).text);
}

/* The device to which the rules lead with another mark; 0: they lead to none. */
static uint32_t device_by_mark(const struct examination *examination, uint32_t mark)
{
	const struct lookup *lookup = examination->lookup;
	struct flow_key key = lookup->key;
	struct policy_ask asked = { .policy = examination->policy, .key = &key };
	struct walk_result result;

	if (!lookup->rules)
		return 0;
	key.mark = mark;
	result = policy_walk(examination->policy, lookup->rules, &key, policy_ask_tables, NULL,
			     &asked);
	if (!result.complete || result.error || !asked.last.nexthop)
		return 0;
	return asked.last.nexthop->dev;
}

/* Whether the packet would have gone elsewhere with that mark. */
static bool mark_matters(const struct examination *examination, uint32_t mark)
{
	uint32_t device = device_by_mark(examination, mark);

	return device && !route_uses_device(examination, device);
}

static void find_rewritten(struct examination *examination)
{
	const struct lookup *lookup = examination->lookup;
	const struct departure *before = history_departure(examination->history, lookup);
	uint32_t lost;

	if (!before || !lookup->key.mark || !is_sent(lookup))
		return;
	lost = before->key.mark & ~lookup->key.mark;
	if (!lost || !mark_matters(examination, before->key.mark))
		return;
	examination_find(examination, FINDING_MARK_REWRITTEN, SEVERITY_WARNING, examination->end,
			 NULL, "the mark of this flow was %#x and is %#x now: %#x was lost",
			 before->key.mark, lookup->key.mark, lost);
}

/* What came back has some of the bits of the mark with which it was sent, and lost the others. */
static void find_rewritten_reply(struct examination *examination)
{
	const struct lookup *lookup = examination->lookup;
	uint32_t mark = lookup->key.mark, sent;

	if (lookup->purpose != PURPOSE_SOURCE_CHECK || !mark)
		return;
	sent = history_sent_mark(examination->history, lookup);
	if (sent == mark || (mark & ~sent) || !mark_matters(examination, sent))
		return;
	examination_find(
		examination, FINDING_MARK_REWRITTEN, SEVERITY_WARNING, examination->end, NULL,
		"packets to %s were sent with mark %#x, and this answer has %#x: two programs "
		"share the mark of its connection",
		address_label(lookup->key.family, lookup->key.dst).text, sent, mark);
}

static bool prefix_holds(const struct rule_prefix *prefix, const uint8_t *address)
{
	struct rule rule = { .src = *prefix };
	struct flow_key key = { 0 };

	memcpy(key.src, address, sizeof(key.src));
	return selectors[SELECTOR_FROM].match(&rule, &key, NULL);
}

/* Servers have the lower port; those of clients begin here, see ip_local_port_range in ip(7). */
#define FIRST_CLIENT_PORT 32768

/* A server that is bound to no address answers from the one that the first lookup chooses. */
static bool answers_from_elsewhere(const struct examination *examination,
				   const struct lookup_step *step)
{
	const struct flow_key *key = &examination->lookup->key;
	const struct arrival *arrival =
		history_arrival_from(examination->history, examination->lookup);
	bool answers = key->sport && key->sport < FIRST_CLIENT_PORT && key->sport <= key->dport;

	return arrival && answers && arrival->device == step->route.dev_index &&
	       prefix_holds(&step->rule->src, arrival->destination);
}

/* A rule for a source address, asked before there is one. */
static void find_unset_source(struct examination *examination, const struct lookup_step *step)
{
	const struct lookup *lookup = examination->lookup;

	if (lookup->purpose != PURPOSE_OUTPUT || address_is_set(lookup->key.src) ||
	    step->outcome != STEP_SKIPPED || !step->refused_by_one ||
	    step->mismatch.selector != SELECTOR_FROM || !step->has_route || !goes_out(lookup) ||
	    same_nexthop(&step->route, &lookup->verdict.route) || step > examination->end)
		return;
	if (answers_from_elsewhere(examination, step))
		examination_find(
			examination, FINDING_SOURCE_UNSET, SEVERITY_WARNING, step, examination->end,
			"%s is for packets from %s, to which the request came by %s, but this "
			"socket has no source address yet and answers by %s: bind it",
			rule_label(step).text,
			prefix_label(lookup->key.family, step->rule->src.address,
				     step->rule->src.length)
				.text,
			step->route.dev, lookup->verdict.route.dev);
	examination_find(
		examination, FINDING_SOURCE_UNSET, SEVERITY_INFO, step, examination->end,
		"%s is for packets from %s, and this socket has no source address yet: bind "
		"it to one for the rule to match",
		rule_label(step).text,
		prefix_label(lookup->key.family, step->rule->src.address, step->rule->src.length)
			.text);
}

/* IPv6 has no reverse path filter; what its rpfilter match asks is for the same purpose. */
static bool is_kernels_source_check(const struct lookup *lookup)
{
	return lookup->purpose == PURPOSE_SOURCE_CHECK && lookup->key.family == FLOW_AF_INET;
}

/* fib_validate_source() asks without the mark unless src_valid_mark is set. */
static void find_unmarked_check(struct examination *examination)
{
	const struct lookup *lookup = examination->lookup;
	const struct arrival *arrival;

	if (!is_kernels_source_check(lookup) || lookup->key.mark)
		return;
	arrival = history_arrival(examination->history, lookup);
	if (!arrival || !arrival->mark || route_uses_device(examination, arrival->device) ||
	    policy_rp_filter(examination->policy, arrival->device) != RP_FILTER_STRICT ||
	    device_by_mark(examination, arrival->mark) != arrival->device)
		return;
	examination_find(
		examination, FINDING_RP_FILTER_MARK, SEVERITY_WARNING, examination->end, NULL,
		"the packet came in by %s with mark %#x, and the strict reverse path filter drops "
		"it: the check ignores marks while net.ipv4.conf.all.src_valid_mark is 0",
		arrival->name, arrival->mark);
}

/* A check by the mark of transparent proxying finds the packet's source to be this host's. */
static void find_local_check(struct examination *examination)
{
	const struct lookup *lookup = examination->lookup;
	const struct lookup_step *end = examination->end;

	if (!is_kernels_source_check(lookup) || !lookup->key.mark || !end || !end->rule ||
	    end->table == TABLE_LOCAL || lookup->verdict.route.type != RTN_LOCAL)
		return;
	examination_find(examination, FINDING_SRC_VALID_MARK_LOCAL, SEVERITY_WARNING, end, NULL,
			 "%s makes %s a local address for the source check, so that the packet is "
			 "dropped: set net.ipv4.conf.*.src_valid_mark to 0 where marks are for "
			 "delivery",
			 rule_label(end).text,
			 address_label(lookup->key.family, lookup->key.dst).text);
}

void find_in_conversation(struct examination *examination)
{
	const struct lookup *lookup = examination->lookup;

	find_reply(examination);
	find_forwarded_reply(examination);
	find_foreign_source(examination);
	find_rewritten(examination);
	find_rewritten_reply(examination);
	find_unmarked_check(examination);
	find_local_check(examination);
	for (size_t i = 0; i < lookup->step_count; i++)
		find_unset_source(examination, &lookup->steps[i]);
}
