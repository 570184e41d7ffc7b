// SPDX-License-Identifier: GPL-2.0-only
/* Findings about tables: what they do not hold, or nobody asks. */
#include <linux/rtnetlink.h>
#include <string.h>

#include "trace/examination.h"
#include "trace/lookup_route.h"

static bool is_built_in(uint32_t table)
{
	return table >= TABLE_DEFAULT && table <= TABLE_LOCAL;
}

static bool answered_nothing(const struct lookup_step *step)
{
	return step->rule && (step->outcome == STEP_NO_ROUTE || step->outcome == STEP_NO_TABLE);
}

static bool table_holds_nothing(const struct examination *examination, uint32_t table)
{
	uint8_t family = examination->lookup->key.family;

	return !policy_table(examination->policy, family, table) &&
	       !policy_table_unheld(examination->policy, family, table);
}

/* A rule for some packets, and its table has nothing for them: they go on to whatever is next. */
static void find_empty(struct examination *examination, const struct lookup_step *step)
{
	const struct lookup_step *end = examination->end;
	bool empty = table_holds_nothing(examination, step->table);

	if (!rule_selects(step->rule) || is_built_in(step->table) || end == step)
		return;
	if (empty)
		examination_find(
			examination, FINDING_EMPTY_TABLE, SEVERITY_WARNING, step, end,
			"%s chooses table %s for these packets, which has no route at all: "
			"they went on to the rules behind it",
			rule_label(step).text, table_label(step->table).text);
	else
		examination_find(
			examination, FINDING_EMPTY_TABLE, SEVERITY_INFO, step, end,
			"%s chooses table %s for these packets, which has no route to this "
			"destination: they went on to the rules behind it",
			rule_label(step).text, table_label(step->table).text);
}

/* The rule before it lets networks out by main: what is left is for this one's table. */
static bool follows_suppressor(const struct lookup *lookup, const struct rule *rule)
{
	return rule > lookup->rules->rules && rule[-1].table == TABLE_MAIN &&
	       rule[-1].suppress_prefixlength >= 0;
}

/*
 * Some tunnels take a few networks alone, and lack a default by design. Those of
 * auto-priority owners take all, and so do those whose number is the mark's, as
 * wg-quick has it, or whose owner nobody knows, behind a suppressor.
 */
static bool is_full_tunnel(const struct lookup *lookup, const struct rule *rule)
{
	if (!rule_is_all_but_mark(rule) || !rule_is_tunnel_catch_all(rule))
		return false;
	if (rule->owner && owner_has_auto_priority(rule->owner))
		return true;
	return follows_suppressor(lookup, rule) && (!rule->owner || rule->mark == rule->table);
}

/* A full tunnel whose table lost its default lets everything out by the default behind it. */
static void find_open(struct examination *examination, const struct lookup_step *step)
{
	const struct lookup_step *end = examination->end;

	if (!is_full_tunnel(examination->lookup, step->rule) || !end ||
	    end->outcome != STEP_CHOSEN || end->route.prefix_length || end->table == step->table ||
	    table_has_default(examination, step->table))
		return;
	examination_find(examination, FINDING_FAILS_OPEN, SEVERITY_WARNING, step, end,
			 "table %s of the tunnel behind %s has neither a default route nor an "
			 "unreachable one: this packet leaves by %s instead",
			 table_label(step->table).text, rule_label(step).text, end->route.dev);
}

static bool rules_ask(const struct rule_list *rules, uint32_t table)
{
	for (size_t i = 0; i < rules->count; i++) {
		const struct rule *rule = &rules->rules[i];

		if (rule->action == RULE_LOOKUP && !rule->l3mdev && rule->table == table)
			return true;
	}
	return false;
}

static bool rules_ask_l3mdev(const struct rule_list *rules)
{
	for (size_t i = 0; i < rules->count; i++) {
		if (rules->rules[i].l3mdev)
			return true;
	}
	return false;
}

static void find_main(struct examination *examination)
{
	const struct lookup *lookup = examination->lookup;
	bool inet6 = lookup->key.family == FLOW_AF_INET6;
	const struct route *route;

	if (!lookup->verdict.error || rules_ask(lookup->rules, TABLE_MAIN))
		return;
	route = route_of(examination, TABLE_MAIN);
	if (!route || route->type != RTN_UNICAST)
		return;
	examination_find(
		examination, FINDING_MAIN_NOT_ASKED, SEVERITY_WARNING, NULL, NULL,
		"main has %s for this destination, and no rule asks it: add the rule again "
		"with `ip %srule add pref 32766 lookup main`",
		prefix_label(lookup->key.family, route->dst, route->dst_length).text,
		inet6 ? "-6 " : "");
}

struct orphan_search {
	struct examination *examination;
	bool l3mdev;
};

/* Only one that knows this destination better than what answered is worth a word. */
static bool visit_orphan(uint32_t table, void *data)
{
	struct orphan_search *search = data;
	struct examination *examination = search->examination;
	const struct lookup *lookup = examination->lookup;
	const struct lookup_route *found = &lookup->verdict.route;
	const struct route *route;

	if (is_built_in(table) || rules_ask(lookup->rules, table) ||
	    (search->l3mdev && policy_table_is_l3mdev(examination->policy, table)))
		return true;
	route = route_of(examination, table);
	if (!route || route->type != RTN_UNICAST ||
	    (!lookup->verdict.error && route->dst_length <= found->prefix_length))
		return true;
	examination_find(examination, FINDING_ORPHAN_TABLE, SEVERITY_WARNING, NULL, NULL,
			 "table %s has %s for this destination, and no rule asks it",
			 table_label(table).text,
			 prefix_label(lookup->key.family, route->dst, route->dst_length).text);
	return true;
}

static void find_orphans(struct examination *examination)
{
	struct orphan_search search = {
		.examination = examination,
		.l3mdev = rules_ask_l3mdev(examination->lookup->rules),
	};

	if (examination->lookup->verdict.route.prefix_length < 0 &&
	    !examination->lookup->verdict.error)
		return;
	policy_visit_tables(examination->policy, examination->lookup->key.family, visit_orphan,
			    &search);
}

/* What a suppressor does by design, and may yet surprise. */
static void find_suppression(struct examination *examination, const struct lookup_step *step)
{
	const struct lookup_step *end = examination->end;

	if (step->outcome == STEP_SUPPRESSED && step->suppressor == SUPPRESSOR_IFGROUP)
		examination_find(examination, FINDING_SUPPRESSED_BY_GROUP, SEVERITY_INFO, step,
				 NULL,
				 "%s does not use its route, because device %s is in group %d",
				 rule_label(step).text, step->route.dev,
				 step->rule ? step->rule->suppress_ifgroup : 0);
	if (step == end && step->outcome == STEP_CHOSEN && step->rule &&
	    step->rule->suppress_prefixlength == 0 && step->route.prefix_length == 1)
		examination_find(
			examination, FINDING_HALF_DEFAULT, SEVERITY_INFO, step, NULL,
			"%s suppresses the default route alone: half of all addresses, %s, "
			"pass it",
			rule_label(step).text,
			prefix_label(examination->lookup->key.family, step->route.dst, 1).text);
}

/*
 * The kernel puts lo into the flow of what goes to this host, and up to 5.10 asks again with it for
 * an ICMP error. The address's route is another device's, but lo is where the packet belongs.
 */
static bool is_looped_back(const struct examination *examination, const struct link *link)
{
	return link && link->flags & IFF_LOOPBACK &&
	       own_address(examination, examination->lookup->key.dst);
}

/* No route: the kernel sends to the bound device as if the destination were on its link. */
static void find_override(struct examination *examination)
{
	const struct lookup *lookup = examination->lookup;
	const struct link *link;

	if (lookup->verdict.decided_by != DECIDED_BY_BOUND_DEVICE ||
	    address_is_multicast(&lookup->key))
		return;
	link = policy_link(examination->policy, lookup->verdict.route.dev_index);
	if (is_looped_back(examination, link))
		return;
	examination_find(
		examination, FINDING_BOUND_DEVICE_OVERRIDE,
		link && link->flags & IFF_NOARP ? SEVERITY_INFO : SEVERITY_WARNING, NULL, NULL,
		"the rules have no route, but the socket is bound to %s: the kernel takes %s "
		"to be on its link",
		lookup->verdict.route.dev, address_label(lookup->key.family, lookup->key.dst).text);
}

static bool is_built_in_rule(const struct rule *rule, uint32_t priority, uint32_t table)
{
	return rule->priority == priority && rule->table == table && rule->action == RULE_LOOKUP &&
	       rule_is_catch_all(rule);
}

static bool rules_are_built_in(const struct examination *examination)
{
	const struct rule_list *rules =
		policy_rules(examination->policy, examination->lookup->key.family);

	size_t count = examination->lookup->key.family == FLOW_AF_INET6 ? 2 : 3;

	return !rules ||
	       (rules->count == count && is_built_in_rule(&rules->rules[0], 0, TABLE_LOCAL) &&
		is_built_in_rule(&rules->rules[1], 32766, TABLE_MAIN) &&
		(count == 2 || is_built_in_rule(&rules->rules[2], 32767, TABLE_DEFAULT)));
}

/* fib_lookup() and fib6_rule_lookup() ask the tables themselves as long as no custom rule was ever
 * added; IPv6 has no table default. */
static void find_built_in(struct examination *examination)
{
	bool inet6 = examination->lookup->key.family == FLOW_AF_INET6;

	if (examination->lookup->verdict.decided_by != DECIDED_BY_BUILT_IN ||
	    rules_are_built_in(examination))
		return;
	examination_find(
		examination, FINDING_BUILT_IN_MISMATCH, SEVERITY_WARNING, NULL, NULL,
		"`ip %srule` lists other rules than %s, but the kernel asks these tables without "
		"rules: adding and deleting any rule makes it look",
		inet6 ? "-6 " : "", inet6 ? "local and main" : "local, main and default");
}

void find_in_tables(struct examination *examination)
{
	const struct lookup *lookup = examination->lookup;

	find_override(examination);
	find_built_in(examination);
	if (!lookup->rules)
		return;
	for (size_t i = 0; i < lookup->step_count; i++) {
		find_suppression(examination, &lookup->steps[i]);
		if (answered_nothing(&lookup->steps[i])) {
			find_empty(examination, &lookup->steps[i]);
			find_open(examination, &lookup->steps[i]);
		}
	}
	find_main(examination);
	find_orphans(examination);
}
