/* SPDX-License-Identifier: GPL-2.0-only */
/* What a rule of an owner looks like: a line "rule …" of owners.conf. */
#ifndef FIBTRACE_RULES_OWNERS_SIGNATURE_H
#define FIBTRACE_RULES_OWNERS_SIGNATURE_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "rules/rule.h"

struct owner;

/* RANGE: first to last. OF_N: first + last * n, for one n of the whole signature. */
enum number_kind { NUMBER_ANY, NUMBER_RANGE, NUMBER_OF_N };

struct number_pattern {
	enum number_kind kind;
	uint32_t first;
	uint32_t last;
};

/* EXACT: of family. HOST: all bits of an address. */
enum prefix_kind { PREFIX_ANY, PREFIX_HOST, PREFIX_EXACT };

struct prefix_pattern {
	enum prefix_kind kind;
	uint8_t family;
	struct rule_prefix prefix;
};

/* On what else it depends that the signature holds; see owners.conf. */
enum signature_place { PLACE_ANY, PLACE_WITH, PLACE_TOGETHER, PLACE_BESIDE };

/*
 * selectors: 1 << SELECTOR_…, those that must be there; only with open may there be
 * others. iif and oif "": any device. action 0: any. n_first and n_last bound the n
 * of OF_N. any_mask: mark_mask is not looked at.
 */
struct signature {
	const struct owner *owner;
	enum signature_place place;
	uint32_t selectors;
	bool open;
	bool invert;
	bool auto_priority;
	bool any_mask;
	bool has_suppress_prefixlength;
	bool has_suppress_ifgroup;
	uint8_t action;
	unsigned int weight; /* how specific it is: the greater one wins */
	uint32_t n_first;
	uint32_t n_last;
	struct number_pattern priority;
	struct number_pattern mark;
	uint32_t mark_mask;
	struct number_pattern table;
	struct number_pattern target;
	struct number_pattern suppress_prefixlength;
	struct number_pattern suppress_ifgroup;
	struct number_pattern protocol;
	struct prefix_pattern from;
	struct prefix_pattern to;
	char iif[IFNAMSIZ];
	char oif[IFNAMSIZ];
};

/* Whether the rule looks like that, its place apart. next: the rule behind it, NULL: none. */
bool signature_matches(const struct signature *signature, const struct rule *rule,
		       const struct rule *next);

/* How specific it is; what the parser keeps in weight. */
unsigned int signature_weight(const struct signature *signature);

#endif
