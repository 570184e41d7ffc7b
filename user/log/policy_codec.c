// SPDX-License-Identifier: GPL-2.0-only
/* Rules, links, addresses, routes and changes of them as bytes of a log. */
#include "log/policy_codec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log/fields.h"
#include "util/array.h"
#include "util/cleanup.h"

#define RULE_FIELD(member, kind) FIELD(struct rule, member, kind)
#define LINK_FIELD(member, kind) FIELD(struct link, member, kind)
#define ADDRESS_FIELD(member, kind) FIELD(struct address, member, kind)
#define ROUTE_FIELD(member, kind) FIELD(struct route, member, kind)
#define NEXTHOP_FIELD(member, kind) FIELD(struct nexthop, member, kind)
#define ATTRIBUTE_FIELD(member, kind) FIELD(struct rule_attribute, member, kind)

static const struct field rule_fields[] = {
	RULE_FIELD(family, FIELD_NUMBER),
	RULE_FIELD(action, FIELD_NUMBER),
	RULE_FIELD(protocol, FIELD_NUMBER),
	RULE_FIELD(invert, FIELD_BOOL),
	RULE_FIELD(priority, FIELD_NUMBER),
	RULE_FIELD(table, FIELD_NUMBER),
	RULE_FIELD(target, FIELD_NUMBER),
	RULE_FIELD(unresolved, FIELD_BOOL),
	RULE_FIELD(find_saddr, FIELD_BOOL),
	RULE_FIELD(src.address, FIELD_BYTES),
	RULE_FIELD(src.length, FIELD_NUMBER),
	RULE_FIELD(dst.address, FIELD_BYTES),
	RULE_FIELD(dst.length, FIELD_NUMBER),
	RULE_FIELD(iif, FIELD_STRING),
	RULE_FIELD(oif, FIELD_STRING),
	RULE_FIELD(iif_index, FIELD_NUMBER),
	RULE_FIELD(oif_index, FIELD_NUMBER),
	RULE_FIELD(mark, FIELD_NUMBER),
	RULE_FIELD(mark_mask, FIELD_NUMBER),
	RULE_FIELD(tun_id, FIELD_NUMBER),
	RULE_FIELD(l3mdev, FIELD_BOOL),
	RULE_FIELD(has_uids, FIELD_BOOL),
	RULE_FIELD(uid_first, FIELD_NUMBER),
	RULE_FIELD(uid_last, FIELD_NUMBER),
	RULE_FIELD(tos, FIELD_NUMBER),
	RULE_FIELD(has_dscp, FIELD_BOOL),
	RULE_FIELD(dscp, FIELD_NUMBER),
	RULE_FIELD(dscp_mask, FIELD_NUMBER),
	RULE_FIELD(ip_proto, FIELD_NUMBER),
	RULE_FIELD(has_sport, FIELD_BOOL),
	RULE_FIELD(has_dport, FIELD_BOOL),
	RULE_FIELD(sport.first, FIELD_NUMBER),
	RULE_FIELD(sport.last, FIELD_NUMBER),
	RULE_FIELD(dport.first, FIELD_NUMBER),
	RULE_FIELD(dport.last, FIELD_NUMBER),
	RULE_FIELD(sport_mask, FIELD_NUMBER),
	RULE_FIELD(dport_mask, FIELD_NUMBER),
	RULE_FIELD(has_flowlabel, FIELD_BOOL),
	RULE_FIELD(flowlabel, FIELD_NUMBER),
	RULE_FIELD(flowlabel_mask, FIELD_NUMBER),
	RULE_FIELD(suppress_prefixlength, FIELD_NUMBER),
	RULE_FIELD(suppress_ifgroup, FIELD_NUMBER),
	RULE_FIELD(realms, FIELD_NUMBER),
	RULE_FIELD(truncated, FIELD_BOOL),
	RULE_FIELD(unknown_count, FIELD_NUMBER),
};

static const struct field attribute_fields[] = {
	ATTRIBUTE_FIELD(type, FIELD_NUMBER),
	ATTRIBUTE_FIELD(length, FIELD_NUMBER),
	ATTRIBUTE_FIELD(data, FIELD_BYTES),
};

static const struct field link_fields[] = {
	LINK_FIELD(index, FIELD_NUMBER),	  LINK_FIELD(master, FIELD_NUMBER),
	LINK_FIELD(group, FIELD_NUMBER),	  LINK_FIELD(l3mdev_table, FIELD_NUMBER),
	LINK_FIELD(flags, FIELD_NUMBER),	  LINK_FIELD(tunnel, FIELD_BOOL),
	LINK_FIELD(own_sources_only, FIELD_BOOL), LINK_FIELD(prefers_temporary, FIELD_BOOL),
	LINK_FIELD(name, FIELD_STRING),
};

static const struct field address_fields[] = {
	ADDRESS_FIELD(local, FIELD_BYTES),    ADDRESS_FIELD(ifindex, FIELD_NUMBER),
	ADDRESS_FIELD(states, FIELD_NUMBER),  ADDRESS_FIELD(family, FIELD_NUMBER),
	ADDRESS_FIELD(length, FIELD_NUMBER),  ADDRESS_FIELD(scope, FIELD_NUMBER),
	ADDRESS_FIELD(secondary, FIELD_BOOL),
};

static const struct field route_fields[] = {
	ROUTE_FIELD(dst, FIELD_BYTES),
	ROUTE_FIELD(src, FIELD_BYTES),
	ROUTE_FIELD(prefsrc, FIELD_BYTES),
	ROUTE_FIELD(table, FIELD_NUMBER),
	ROUTE_FIELD(metric, FIELD_NUMBER),
	ROUTE_FIELD(nexthop_id, FIELD_NUMBER),
	ROUTE_FIELD(family, FIELD_NUMBER),
	ROUTE_FIELD(dst_length, FIELD_NUMBER),
	ROUTE_FIELD(tos, FIELD_NUMBER),
	ROUTE_FIELD(type, FIELD_NUMBER),
	ROUTE_FIELD(scope, FIELD_NUMBER),
	ROUTE_FIELD(protocol, FIELD_NUMBER),
	ROUTE_FIELD(prefsrc_family, FIELD_NUMBER),
	ROUTE_FIELD(src_length, FIELD_NUMBER),
	ROUTE_FIELD(router_preference, FIELD_NUMBER),
	ROUTE_FIELD(nexthop_count, FIELD_NUMBER),
};

static const struct field nexthop_fields[] = {
	NEXTHOP_FIELD(gateway, FIELD_BYTES),	     NEXTHOP_FIELD(dev, FIELD_NUMBER),
	NEXTHOP_FIELD(gateway_family, FIELD_NUMBER), NEXTHOP_FIELD(flags, FIELD_NUMBER),
	NEXTHOP_FIELD(weight, FIELD_NUMBER),
};

/* What a nexthop takes in a log, and a rule at least. */
#define NEXTHOP_BYTES 24
#define RULE_BYTES 160

/* Routes of one set of nexthops take next to no room, but so many nexthops for each byte, and a few
 * for nothing, are more than any log has. */
#define NEXTHOPS_PER_BYTE 8
#define NEXTHOPS_FREE 128

static bool is_family(uint8_t family)
{
	return family == FLOW_AF_INET || family == FLOW_AF_INET6;
}

static bool is_family_or_none(uint8_t family)
{
	return !family || is_family(family);
}

static uint8_t longest_prefix(uint8_t family)
{
	return family == FLOW_AF_INET ? 32 : 128;
}

static void put_rule(struct text *out, const struct rule *rule)
{
	const char *owner = rule->owner ? owner_name(rule->owner) : "";

	fields_put(out, rule, rule_fields, ARRAY_SIZE(rule_fields));
	for (size_t i = 0; i < rule->unknown_count; i++)
		fields_put(out, &rule->unknown[i], attribute_fields, ARRAY_SIZE(attribute_fields));
	put_string(out, owner);
}

static bool rule_possible(const struct rule *rule)
{
	return is_family(rule->family) && rule->src.length <= longest_prefix(rule->family) &&
	       rule->dst.length <= longest_prefix(rule->family) &&
	       rule->unknown_count <= RULE_UNKNOWN_MAX;
}

static bool get_rule(struct span *span, struct rule *rule, const struct owners *owners)
{
	char owner[256];

	*rule = (struct rule){ 0 };
	fields_get(span, rule, rule_fields, ARRAY_SIZE(rule_fields));
	if (span->bad || !rule_possible(rule))
		return false;
	for (size_t i = 0; i < rule->unknown_count; i++)
		fields_get(span, &rule->unknown[i], attribute_fields, ARRAY_SIZE(attribute_fields));
	get_string(span, owner, sizeof(owner));
	rule->owner = owner[0] ? owners_named(owners, owner) : NULL;
	return !span->bad;
}

void put_rules(struct text *out, const struct rule_list *rules)
{
	put_varint(out, rules->count);
	for (size_t i = 0; i < rules->count; i++)
		put_rule(out, &rules->rules[i]);
}

struct rule_list *get_rules(struct span *span, uint8_t family, const struct owners *owners)
{
	uint64_t count = get_varint(span);
	struct rule_list *rules;

	if (span->bad || count > span_left(span) / RULE_BYTES) {
		errno = EBADMSG;
		return NULL;
	}
	rules = rule_list_new(NULL, count);
	if (!rules)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		if (get_rule(span, &rules->rules[i], owners) && rules->rules[i].family == family)
			continue;
		rule_list_put(rules);
		errno = EBADMSG;
		return NULL;
	}
	return rules;
}

static void put_route(struct text *out, const struct route *route)
{
	fields_put(out, route, route_fields, ARRAY_SIZE(route_fields));
	for (size_t i = 0; i < route->nexthop_count; i++)
		fields_put(out, &route->nexthops[i], nexthop_fields, ARRAY_SIZE(nexthop_fields));
}

static bool route_possible(const struct route *route, const struct span *span)
{
	return is_family(route->family) && route->dst_length <= longest_prefix(route->family) &&
	       route->src_length <= longest_prefix(route->family) &&
	       is_family_or_none(route->prefsrc_family) &&
	       route->nexthop_count <= span_left(span) / NEXTHOP_BYTES;
}

/* NULL with errno. */
static struct route *get_route(struct span *span, size_t bytes)
{
	struct route head = { 0 };
	struct route *route;

	fields_get(span, &head, route_fields, ARRAY_SIZE(route_fields));
	if (span->bad || !route_possible(&head, span) ||
	    head.nexthop_count > NEXTHOPS_FREE + NEXTHOPS_PER_BYTE * bytes) {
		errno = EBADMSG;
		return NULL;
	}
	route = calloc(1, route_size(head.nexthop_count));
	if (!route)
		return NULL;
	*route = head;
	for (size_t i = 0; i < head.nexthop_count; i++) {
		struct nexthop *nexthop = &route->nexthops[i];

		fields_get(span, nexthop, nexthop_fields, ARRAY_SIZE(nexthop_fields));
		if (!is_family_or_none(nexthop->gateway_family))
			span->bad = true;
	}
	if (!span->bad)
		return route;
	free(route);
	errno = EBADMSG;
	return NULL;
}

void put_change(struct text *out, const struct policy_change *change)
{
	put_number(out, change->kind, 1);
	put_number(out, change->family, 1);
	put_number(out, change->value, 1);
	put_number(out, change->append | change->replace << 1, 1);
	put_number(out, change->number, 4);
	switch (change->kind) {
	case POLICY_RULES_SET:
		put_rules(out, change->rules);
		break;
	case POLICY_LINK_SET:
		fields_put(out, change->link, link_fields, ARRAY_SIZE(link_fields));
		break;
	case POLICY_ADDRESS_SET:
	case POLICY_ADDRESS_APPENDED:
	case POLICY_ADDRESS_REMOVED:
		fields_put(out, change->address, address_fields, ARRAY_SIZE(address_fields));
		break;
	case POLICY_ROUTE_ADDED:
	case POLICY_ROUTE_REMOVED:
		put_route(out, change->route);
		break;
	default:
		break;
	}
}

static int apply_rules(struct span *span, struct policy_change *change, struct policy *policy)
{
	struct rule_list *rules = get_rules(span, change->family, NULL);
	int err;

	if (!rules)
		return -errno;
	change->rules = rules;
	err = is_family(change->family) ? policy_apply(policy, change) : -EBADMSG;
	rule_list_put(rules);
	return err;
}

static int apply_link(struct span *span, const struct policy_change *change, struct policy *policy)
{
	struct link link = { 0 };
	struct policy_change whole = *change;

	fields_get(span, &link, link_fields, ARRAY_SIZE(link_fields));
	whole.link = &link;
	return span->bad ? -EBADMSG : policy_apply(policy, &whole);
}

static int apply_address(struct span *span, const struct policy_change *change,
			 struct policy *policy)
{
	struct address address = { 0 };
	struct policy_change whole = *change;

	fields_get(span, &address, address_fields, ARRAY_SIZE(address_fields));
	whole.address = &address;
	if (span->bad || !is_family(address.family) ||
	    address.length > longest_prefix(address.family))
		return -EBADMSG;
	return policy_apply(policy, &whole);
}

static int apply_route(struct span *span, size_t bytes, struct policy_change *change,
		       struct policy *policy)
{
	_cleanup_free_ struct route *route = get_route(span, bytes);

	if (!route)
		return -errno;
	change->route = route;
	return policy_apply(policy, change);
}

static int apply_kind(struct span *span, size_t bytes, struct policy_change *change,
		      struct policy *policy)
{
	switch (change->kind) {
	case POLICY_RULES_SET:
		return apply_rules(span, change, policy);
	case POLICY_LINK_SET:
		return apply_link(span, change, policy);
	case POLICY_ADDRESS_SET:
	case POLICY_ADDRESS_APPENDED:
	case POLICY_ADDRESS_REMOVED:
		return apply_address(span, change, policy);
	case POLICY_ROUTE_ADDED:
	case POLICY_ROUTE_REMOVED:
		return apply_route(span, bytes, change, policy);
	case POLICY_ROUTES_CLEARED:
	case POLICY_TABLE_UNHELD:
		return is_family(change->family) ? policy_apply(policy, change) : -EBADMSG;
	case POLICY_LINK_REMOVED:
	case POLICY_LINKS_CLEARED:
	case POLICY_RP_FILTER_SET:
		return policy_apply(policy, change);
	default:
		/* A later version's: what it tells is not known here. */
		return 0;
	}
}

int apply_change(const struct text *image, size_t bytes_told, struct policy *policy)
{
	const uint8_t *bytes = (const uint8_t *)text_string(image);
	struct span span = { .at = bytes, .end = bytes + image->length };
	struct policy_change change = { .kind = get_number(&span, 1) };
	uint8_t flags;
	int err;

	change.family = (uint8_t)get_number(&span, 1);
	change.value = (uint8_t)get_number(&span, 1);
	flags = (uint8_t)get_number(&span, 1);
	change.append = flags & 1;
	change.replace = flags & 2;
	change.number = (uint32_t)get_number(&span, 4);
	err = span.bad ? -EBADMSG : apply_kind(&span, bytes_told, &change, policy);
	return err == -EINVAL || err == -ENOENT ? -EBADMSG : err;
}
