// SPDX-License-Identifier: GPL-2.0-only
/* Compares rules with the signatures of owners. */
#include "rules/owners_signature.h"

#include <string.h>
#include <sys/socket.h>

#include "rules/selector.h"

#define SELECTOR_BIT(id) (1u << SELECTOR_##id)

/* The n of a signature: what the numbers of a rule make of it. */
struct variable {
	uint64_t first;
	uint64_t last;
};

static bool number_of_n_matches(const struct number_pattern *pattern, uint32_t value,
				struct variable *n)
{
	uint64_t found;

	if (value < pattern->first || (value - pattern->first) % pattern->last)
		return false;
	found = (value - pattern->first) / pattern->last;
	if (found < n->first || found > n->last)
		return false;
	n->first = found;
	n->last = found;
	return true;
}

static bool number_matches(const struct number_pattern *pattern, uint32_t value, struct variable *n)
{
	switch (pattern->kind) {
	case NUMBER_ANY:
		return true;
	case NUMBER_RANGE:
		return value >= pattern->first && value <= pattern->last;
	default:
		return number_of_n_matches(pattern, value, n);
	}
}

static bool priority_matches(const struct signature *signature, const struct rule *rule,
			     const struct rule *next, struct variable *n)
{
	if (signature->auto_priority)
		return next && next->priority && next->priority - 1 == rule->priority;
	return number_matches(&signature->priority, rule->priority, n);
}

static bool shape_matches(const struct signature *signature, const struct rule *rule)
{
	uint32_t used = selectors_used(rule);

	if (rule->truncated || (signature->selectors & used) != signature->selectors)
		return false;
	if (signature->open)
		return !signature->invert || rule->invert;
	return used == signature->selectors && rule->invert == signature->invert &&
	       !rule->unknown_count;
}

static bool mark_matches(const struct signature *signature, const struct rule *rule,
			 struct variable *n)
{
	if (!(signature->selectors & SELECTOR_BIT(FWMARK)))
		return true;
	return (signature->any_mask || rule->mark_mask == signature->mark_mask) &&
	       number_matches(&signature->mark, rule->mark, n);
}

static bool prefix_matches(const struct prefix_pattern *pattern, const struct rule *rule,
			   const struct rule_prefix *prefix)
{
	switch (pattern->kind) {
	case PREFIX_ANY:
		return true;
	case PREFIX_HOST:
		return prefix->length == (rule->family == AF_INET6 ? 128 : 32);
	default:
		return rule->family == pattern->family &&
		       prefix->length == pattern->prefix.length &&
		       !memcmp(prefix->address, pattern->prefix.address,
			       rule->family == AF_INET6 ? 16 : 4);
	}
}

static bool device_matches(const char pattern[static IFNAMSIZ], const char name[static IFNAMSIZ])
{
	return !pattern[0] || !strncmp(pattern, name, IFNAMSIZ);
}

static bool devices_match(const struct signature *signature, const struct rule *rule)
{
	return device_matches(signature->iif, rule->iif) &&
	       device_matches(signature->oif, rule->oif);
}

static bool prefixes_match(const struct signature *signature, const struct rule *rule)
{
	if ((signature->selectors & SELECTOR_BIT(FROM)) &&
	    !prefix_matches(&signature->from, rule, &rule->src))
		return false;
	return !(signature->selectors & SELECTOR_BIT(TO)) ||
	       prefix_matches(&signature->to, rule, &rule->dst);
}

/* value: -1 when the rule does not suppress. */
static bool suppressor_matches(const struct signature *signature, bool wanted,
			       const struct number_pattern *pattern, int32_t value,
			       struct variable *n)
{
	if (!wanted)
		return signature->open || value == -1;
	return value != -1 && number_matches(pattern, (uint32_t)value, n);
}

static bool action_matches(const struct signature *signature, const struct rule *rule,
			   struct variable *n)
{
	if (signature->action && rule->action != signature->action)
		return false;
	if (signature->action == RULE_LOOKUP && !number_matches(&signature->table, rule->table, n))
		return false;
	return signature->action != RULE_GOTO ||
	       number_matches(&signature->target, rule->target, n);
}

bool signature_matches(const struct signature *signature, const struct rule *rule,
		       const struct rule *next)
{
	struct variable n = { signature->n_first, signature->n_last };

	/* The action first: most signatures are of another table. */
	return action_matches(signature, rule, &n) && shape_matches(signature, rule) &&
	       mark_matches(signature, rule, &n) && priority_matches(signature, rule, next, &n) &&
	       number_matches(&signature->protocol, rule->protocol, &n) &&
	       suppressor_matches(signature, signature->has_suppress_prefixlength,
				  &signature->suppress_prefixlength, rule->suppress_prefixlength,
				  &n) &&
	       suppressor_matches(signature, signature->has_suppress_ifgroup,
				  &signature->suppress_ifgroup, rule->suppress_ifgroup, &n) &&
	       prefixes_match(signature, rule) && devices_match(signature, rule);
}

/* What a number is worth that is one value, and one that lies in a range. */
static unsigned int number_weight(const struct number_pattern *pattern, unsigned int value,
				  unsigned int range)
{
	if (pattern->kind == NUMBER_ANY)
		return 0;
	if (pattern->kind == NUMBER_RANGE && pattern->first != pattern->last)
		return range;
	return value;
}

unsigned int signature_weight(const struct signature *signature)
{
	unsigned int weight = number_weight(&signature->priority, 32, 8);

	/* The priority that the kernel chose tells more than one that lies in somebody's range. */
	if (signature->auto_priority)
		weight = 16;
	if (signature->selectors & SELECTOR_BIT(FWMARK))
		weight += 1 + number_weight(&signature->mark, 2, 1);
	if (signature->action == RULE_LOOKUP)
		weight += number_weight(&signature->table, 3, 1);
	else if (signature->action)
		weight += 3;
	weight += number_weight(&signature->protocol, 1, 0);
	weight += (unsigned int)__builtin_popcount(signature->selectors);
	/* So does the company that it keeps. */
	if (signature->place != PLACE_ANY)
		weight += 20;
	return signature->open ? weight : weight + 1;
}
