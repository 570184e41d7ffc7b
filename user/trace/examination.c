// SPDX-License-Identifier: GPL-2.0-only
/* What looking for findings takes: adding them, and what rules and routes are. */
#include "trace/examination.h"

#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/selector.h"
#include "trace/lookup_route.h"
#include "util/text.h"

/* Selectors that say where a packet comes from, goes to or what it is. */
#define SELECTING                                                                                  \
	(1u << SELECTOR_IIF | 1u << SELECTOR_OIF | 1u << SELECTOR_FWMARK | 1u << SELECTOR_TUN_ID | \
	 1u << SELECTOR_L3MDEV | 1u << SELECTOR_UIDRANGE | 1u << SELECTOR_FROM |                   \
	 1u << SELECTOR_TO | 1u << SELECTOR_TOS | 1u << SELECTOR_DSCP | 1u << SELECTOR_FLOWLABEL | \
	 1u << SELECTOR_IPPROTO | 1u << SELECTOR_SPORT | 1u << SELECTOR_DPORT)

static struct finding *find_known(const struct examination *examination, enum finding_kind kind,
				  const struct lookup_step *step)
{
	struct lookup *lookup = examination->lookup;

	for (size_t i = 0; i < lookup->finding_count; i++) {
		struct finding *known = &lookup->findings[i];

		if (known->kind != kind)
			continue;
		if (!step || !known->has_priority || known->priority == step->priority)
			return known;
	}
	return NULL;
}

bool examination_has(const struct examination *examination, enum finding_kind kind)
{
	return find_known(examination, kind, NULL);
}

static struct finding *add_finding(struct examination *examination)
{
	struct lookup *lookup = examination->lookup;
	struct finding *grown =
		reallocarray(lookup->findings, lookup->finding_count + 1, sizeof(*grown));

	if (!grown) {
		examination->failed = true;
		return NULL;
	}
	lookup->findings = grown;
	return &grown[lookup->finding_count];
}

void examination_find(struct examination *examination, enum finding_kind kind,
		      enum severity severity, const struct lookup_step *step,
		      const struct lookup_step *by, const char *text, ...)
{
	struct finding *finding;
	va_list arguments;
	int length;

	if (find_known(examination, kind, step))
		return;
	finding = add_finding(examination);
	if (!finding)
		return;
	*finding = (struct finding){
		.kind = kind,
		.severity = severity,
		.has_priority = step && step->has_priority,
		.has_by = by && by->has_priority,
		.priority = step ? step->priority : 0,
		.by = by ? by->priority : 0,
	};
	va_start(arguments, text);
	length = vasprintf(&finding->text, text, arguments);
	va_end(arguments);
	if (length < 0) {
		examination->failed = true;
		return;
	}
	examination->lookup->finding_count++;
}

struct label rule_owner_label(const struct rule *rule)
{
	struct label label;
	const char *name = rule && rule->owner && !owner_is_kernel(rule->owner)
				   ? owner_name(rule->owner)
				   : NULL;
	uint32_t priority = rule ? rule->priority : 0;

	if (name)
		snprintf(label.text, sizeof(label.text), "%u (%.64s)", priority, name);
	else
		snprintf(label.text, sizeof(label.text), "%u", priority);
	return label;
}

struct label rule_label(const struct lookup_step *step)
{
	struct label label;

	if (step && step->rule)
		return rule_owner_label(step->rule);
	if (step && step->has_priority)
		snprintf(label.text, sizeof(label.text), "%u", step->priority);
	else
		snprintf(label.text, sizeof(label.text), "no rule");
	return label;
}

struct label table_label(uint32_t table)
{
	static const struct {
		uint32_t id;
		const char *name;
	} named[] = { { TABLE_DEFAULT, "default" },
		      { TABLE_MAIN, "main" },
		      { TABLE_LOCAL, "local" } };
	struct label label;

	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
		if (named[i].id == table) {
			snprintf(label.text, sizeof(label.text), "%s", named[i].name);
			return label;
		}
	}
	snprintf(label.text, sizeof(label.text), "%u", table);
	return label;
}

static struct label label_of_text(struct text *text)
{
	struct label label;

	snprintf(label.text, sizeof(label.text), "%s", text_string(text));
	text_free(text);
	return label;
}

struct label address_label(uint8_t family, const uint8_t *address)
{
	struct text text = { 0 };

	text_add_address(&text, family, address);
	return label_of_text(&text);
}

struct label prefix_label(uint8_t family, const uint8_t *address, int length)
{
	struct text text = { 0 };

	text_add_prefix(&text, family, address, length < 0 ? 0 : (unsigned int)length);
	return label_of_text(&text);
}

bool step_ran(const struct lookup_step *step)
{
	return step->outcome != STEP_SKIPPED && step->outcome != STEP_NOT_REACHED &&
	       step->outcome != STEP_UNKNOWN;
}

bool step_was_missed(const struct examination *examination, const struct lookup_step *step,
		     enum selector_id selector)
{
	const struct lookup_verdict *verdict = &examination->lookup->verdict;

	return step->outcome == STEP_SKIPPED && step->refused_by_one &&
	       step->mismatch.selector == selector && step->has_route &&
	       (!examination->end || step < examination->end) &&
	       (verdict->error || !same_nexthop(&step->route, &verdict->route));
}

static bool rule_suppresses_group(const struct examination *examination, const struct rule *rule,
				  uint32_t device)
{
	const struct link *link = policy_link(examination->policy, device);

	return link && rule->suppress_ifgroup >= 0 &&
	       link->group == (uint32_t)rule->suppress_ifgroup;
}

bool step_would_answer(const struct examination *examination, const struct lookup_step *step)
{
	return step->outcome == STEP_NOT_REACHED && step->has_route && step->rule &&
	       !rule_suppresses_prefix(step->rule, step->route.prefix_length) &&
	       !rule_suppresses_group(examination, step->rule, step->route.dev_index);
}

bool rule_selects(const struct rule *rule)
{
	return rule && !rule->invert && (selectors_used(rule) & SELECTING);
}

bool rule_is_all_but_mark(const struct rule *rule)
{
	return rule && rule->invert && selectors_used(rule) == 1u << SELECTOR_FWMARK;
}

bool rule_is_tunnel_catch_all(const struct rule *rule)
{
	if (!rule || rule->action != RULE_LOOKUP || rule->table == TABLE_MAIN || rule_selects(rule))
		return false;
	if (rule->owner)
		return owner_is_tunnel(rule->owner);
	return rule_is_all_but_mark(rule);
}

bool rule_suppresses_prefix(const struct rule *rule, int prefix_length)
{
	return rule && rule->suppress_prefixlength >= 0 &&
	       prefix_length <= rule->suppress_prefixlength;
}

bool same_nexthop(const struct lookup_route *one, const struct lookup_route *other)
{
	return one->dev_index == other->dev_index && one->gateway_family == other->gateway_family &&
	       !memcmp(one->gateway, other->gateway, sizeof(one->gateway));
}

bool same_device(const struct examination *examination, uint32_t one, uint32_t other)
{
	const struct link *first = policy_link(examination->policy, one);
	const struct link *second = policy_link(examination->policy, other);

	if (!one || !other)
		return false;
	return one == other || (first && first->master == other) ||
	       (second && second->master == one);
}

bool route_uses_device(const struct examination *examination, uint32_t device)
{
	const struct lookup_verdict *verdict = &examination->lookup->verdict;
	const struct route *route = verdict->table ? route_of(examination, verdict->table) : NULL;

	if (verdict->error)
		return false;
	for (uint32_t i = 0; route && i < route->nexthop_count; i++) {
		if (same_device(examination, route->nexthops[i].dev, device))
			return true;
	}
	return same_device(examination, verdict->route.dev_index, device);
}

const struct route *route_of(const struct examination *examination, uint32_t table)
{
	const struct flow_key *key = &examination->lookup->key;
	const struct route_table *held = policy_table(examination->policy, key->family, table);

	return held ? route_table_lookup(held, key, false).route : NULL;
}

bool route_is_connected(const struct route *route)
{
	return route && route->type == RTN_UNICAST && route->protocol == RTPROT_KERNEL &&
	       route->nexthop_count == 1 && !route->nexthops[0].gateway_family;
}

static bool visit_is_default(const struct route *route, void *data)
{
	bool *only = data;

	/* A throw route sends back to the rules: it captures nothing. */
	*only = !route->dst_length || route->type != RTN_UNICAST;
	return *only;
}

bool table_is_default_only(const struct examination *examination, uint32_t table)
{
	const struct route_table *held =
		policy_table(examination->policy, examination->lookup->key.family, table);
	bool only = false;

	if (held)
		route_table_visit(held, visit_is_default, &only);
	return only;
}

static bool visit_for_default(const struct route *route, void *data)
{
	bool *found = data;

	*found = !route->dst_length && route->type != RTN_THROW;
	return !*found;
}

bool table_has_default(const struct examination *examination, uint32_t table)
{
	const struct route_table *held =
		policy_table(examination->policy, examination->lookup->key.family, table);
	bool found = false;

	if (held)
		route_table_visit(held, visit_for_default, &found);
	return found;
}

bool address_is_set(const uint8_t *address)
{
	static const uint8_t none[16];

	return memcmp(address, none, sizeof(none)) != 0;
}

bool address_is_multicast(const struct flow_key *key)
{
	return key->family == FLOW_AF_INET6 ? key->dst[0] == 0xff : (key->dst[0] & 0xf0) == 0xe0;
}

const struct address *own_address(const struct examination *examination, const uint8_t *address)
{
	return policy_own_address(examination->policy, examination->lookup->key.family, address);
}
