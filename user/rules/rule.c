// SPDX-License-Identifier: GPL-2.0-only
/* Whether a rule applies to a flow, and how its selector is written. */
#include "rules/rule.h"

#include <string.h>

#include "rules/mismatch.h"
#include "rules/selector.h"

/* The order of `ip rule`; keywords it has learned later stand at the end. */
static const enum selector_id print_order[] = {
	SELECTOR_TO,	SELECTOR_TOS,	   SELECTOR_FWMARK,  SELECTOR_IIF,
	SELECTOR_OIF,	SELECTOR_UIDRANGE, SELECTOR_IPPROTO, SELECTOR_SPORT,
	SELECTOR_DPORT, SELECTOR_TUN_ID,   SELECTOR_DSCP,    SELECTOR_FLOWLABEL,
};

void rule_init(struct rule *rule, uint8_t family)
{
	*rule = (struct rule){
		.family = family,
		.action = RULE_LOOKUP,
		.dscp_mask = DSCP_MASK_ALL,
		.suppress_prefixlength = -1,
		.suppress_ifgroup = -1,
	};
}

bool rule_equal(const struct rule *a, const struct rule *b)
{
	return !memcmp(a, b, offsetof(struct rule, owner));
}

bool rule_alike(const struct rule *a, const struct rule *b)
{
	struct rule one = *a, other = *b;

	one.iif_index = other.iif_index = 0;
	one.oif_index = other.oif_index = 0;
	one.unresolved = other.unresolved = false;
	return rule_equal(&one, &other);
}

uint16_t rule_port_mask(uint16_t mask, const struct rule_range16 *ports)
{
	return mask == UINT16_MAX && ports->first == ports->last ? 0 : mask;
}

bool rule_applies(const struct rule *rule, const struct flow_key *key,
		  const struct match_context *context)
{
	bool accepted = !rule_first_mismatch(rule, key, context);

	return accepted != rule->invert;
}

bool rule_is_catch_all(const struct rule *rule)
{
	return !rule->invert && !selectors_used(rule);
}

static void print_unknown(struct text *out, const struct rule_attribute *attribute)
{
	size_t held = sizeof(attribute->data);
	size_t length = attribute->length < held ? attribute->length : held;

	text_printf(out, " attr%u", attribute->type);
	if (length)
		text_add(out, "=0x");
	for (size_t i = 0; i < length; i++)
		text_printf(out, "%02x", attribute->data[i]);
	if (length < attribute->length)
		text_add(out, "...");
}

static void print_from(struct text *out, const struct rule *rule, const struct names *names)
{
	const struct selector *from = &selectors[SELECTOR_FROM];

	text_add(out, rule->invert ? "not from " : "from ");
	if (selectors_used(rule) & 1u << SELECTOR_FROM)
		from->print(out, rule, names);
	else
		text_add(out, "all");
}

void rule_print_selector(struct text *out, const struct rule *rule, const struct names *names)
{
	uint32_t used = selectors_used(rule);

	print_from(out, rule, names);
	for (size_t i = 0; i < sizeof(print_order) / sizeof(print_order[0]); i++) {
		const struct selector *selector = &selectors[print_order[i]];

		if (!(used & 1u << print_order[i]))
			continue;
		text_add_char(out, ' ');
		text_add(out, selector->name);
		text_add_char(out, ' ');
		selector->print(out, rule, names);
	}
	for (size_t i = 0; i < rule->unknown_count && i < RULE_UNKNOWN_MAX; i++)
		print_unknown(out, &rule->unknown[i]);
	if (rule->truncated)
		text_add(out, " [truncated]");
}
