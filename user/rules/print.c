// SPDX-License-Identifier: GPL-2.0-only
/* Rules and routes as `ip rule` and `ip route` write them. */
#include "rules/print.h"

#include <linux/rtnetlink.h>
#include <string.h>

#include "util/array.h"

static void print_table(struct text *out, const struct rule *rule, const struct names *names)
{
	const char *name = names_table(names, rule->table);

	if (rule->l3mdev)
		text_add(out, " lookup [l3mdev-table]");
	else if (name)
		text_printf(out, " lookup %s", name);
	else
		text_printf(out, " lookup %u", rule->table);
}

static void print_suppressors(struct text *out, const struct rule *rule)
{
	if (rule->suppress_prefixlength != -1)
		text_printf(out, " suppress_prefixlength %d", rule->suppress_prefixlength);
	if (rule->suppress_ifgroup != -1)
		text_printf(out, " suppress_ifgroup %d", rule->suppress_ifgroup);
}

static void print_target(struct text *out, const struct rule *rule)
{
	text_printf(out, " goto %u%s", rule->target, rule->unresolved ? " [unresolved]" : "");
}

static void print_other_action(struct text *out, const struct rule *rule)
{
	static const char *const names[] = {
		[RULE_NOP] = "nop",
		[RULE_BLACKHOLE] = "blackhole",
		[RULE_UNREACHABLE] = "unreachable",
		[RULE_PROHIBIT] = "prohibit",
	};

	if (rule->action < ARRAY_SIZE(names) && names[rule->action])
		text_printf(out, " %s", names[rule->action]);
	else
		text_printf(out, " action %u", rule->action);
}

void rule_print_action(struct text *out, const struct rule *rule, const struct names *names)
{
	if (rule->action == RULE_LOOKUP)
		print_table(out, rule, names);
	else if (rule->action == RULE_GOTO)
		print_target(out, rule);
	else
		print_other_action(out, rule);
	print_suppressors(out, rule);
}

static void add_name_or_number(struct text *out, const char *name, uint32_t number)
{
	if (name)
		text_add(out, name);
	else
		text_add_unsigned(out, number);
}

static void print_realms(struct text *out, uint32_t realms, const struct names *names)
{
	uint16_t from = (uint16_t)(realms >> 16), to = (uint16_t)realms;

	if (!realms)
		return;
	text_add(out, " realms ");
	if (from) {
		add_name_or_number(out, names_realm(names, from), from);
		text_add_char(out, '/');
	}
	add_name_or_number(out, names_realm(names, to), to);
}

/* As iproute2, which is silent about the kernel's own rules. */
static void print_installer(struct text *out, uint8_t protocol, const struct names *names)
{
	if (protocol == RTPROT_UNSPEC)
		return;
	text_add(out, " proto ");
	add_name_or_number(out, names_route_protocol(names, protocol), protocol);
}

void rule_print(struct text *out, const struct rule *rule, const struct names *names)
{
	text_printf(out, "%u: ", rule->priority);
	rule_print_selector(out, rule, names);
	rule_print_action(out, rule, names);
	print_realms(out, rule->realms, names);
	if (rule->protocol != RTPROT_KERNEL)
		print_installer(out, rule->protocol, names);
}

static void print_device(struct text *out, const struct policy *policy, uint32_t index)
{
	const struct link *link = policy_link(policy, index);

	if (!index)
		return;
	if (link)
		text_printf(out, " dev %.*s", IFNAMSIZ, link->name);
	else
		text_printf(out, " dev if%u", index);
}

static void print_nexthop(struct text *out, const struct route *route,
			  const struct nexthop *nexthop, const struct policy *policy)
{
	if (nexthop->gateway_family) {
		text_add(out, " via ");
		if (nexthop->gateway_family != route->family)
			text_add(out, "inet6 ");
		text_add_address(out, nexthop->gateway_family, nexthop->gateway);
	}
	print_device(out, policy, nexthop->dev);
	if (route->nexthop_count > 1)
		text_printf(out, " weight %u", nexthop->weight);
}

static void print_flags(struct text *out, uint8_t flags)
{
	static const struct {
		uint8_t flag;
		const char *name;
	} names[] = {
		{ RTNH_F_DEAD, " dead" },
		{ RTNH_F_ONLINK, " onlink" },
		{ RTNH_F_PERVASIVE, " pervasive" },
		{ RTNH_F_LINKDOWN, " linkdown" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (flags & names[i].flag)
			text_add(out, names[i].name);
	}
}

static void print_nexthops(struct text *out, const struct route *route, const struct policy *policy)
{
	for (uint32_t i = 0; i < route->nexthop_count; i++) {
		if (route->nexthop_count > 1)
			text_add(out, " nexthop");
		print_nexthop(out, route, &route->nexthops[i], policy);
		print_flags(out, route->nexthops[i].flags);
	}
}

static void print_target_prefix(struct text *out, const struct route *route)
{
	const char *type = route_type_name(route->type);

	if (route->type != RTN_UNICAST && type)
		text_printf(out, "%s ", type);
	else if (route->type != RTN_UNICAST)
		text_printf(out, "type %u ", route->type);
	text_add_prefix(out, route->family, route->dst, route->dst_length);
	if (!route->src_length)
		return;
	text_add(out, " from ");
	text_add_prefix(out, route->family, route->src, route->src_length);
}

static void print_scope(struct text *out, const struct route *route)
{
	static const char *const scopes[] = {
		[RT_SCOPE_SITE] = "site",
		[RT_SCOPE_LINK] = "link",
		[RT_SCOPE_HOST] = "host",
		[RT_SCOPE_NOWHERE] = "nowhere",
	};

	if (route->family != FLOW_AF_INET || route->scope == RT_SCOPE_UNIVERSE)
		return;
	text_add(out, " scope ");
	add_name_or_number(out, scopes[route->scope], route->scope);
}

static void print_preference(struct text *out, const struct route *route)
{
	static const char *const preferences[] = { NULL, " pref high", NULL, " pref low" };

	if (preferences[route->router_preference & 3])
		text_add(out, preferences[route->router_preference & 3]);
}

void route_print(struct text *out, const struct route *route, const struct policy *policy,
		 const struct names *names)
{
	print_target_prefix(out, route);
	if (route->tos)
		text_printf(out, " tos 0x%02x", route->tos);
	if (route->nexthop_id)
		text_printf(out, " nhid %u", route->nexthop_id);
	if (route->nexthop_count == 1)
		print_nexthops(out, route, policy);
	text_add(out, " table ");
	add_name_or_number(out, names_table(names, route->table), route->table);
	print_installer(out, route->protocol, names);
	print_scope(out, route);
	if (route->prefsrc_family) {
		text_add(out, " src ");
		text_add_address(out, route->prefsrc_family, route->prefsrc);
	}
	if (route->metric)
		text_printf(out, " metric %u", route->metric);
	if (route->nexthop_count > 1)
		print_nexthops(out, route, policy);
	print_preference(out, route);
}
