/* SPDX-License-Identifier: GPL-2.0-only */
/* The selectors of a rule: one row each, which tests, names and prints it. */
#ifndef FIBTRACE_RULES_SELECTOR_H
#define FIBTRACE_RULES_SELECTOR_H

#include <stdbool.h>

#include "rules/names.h"
#include "rules/rule.h"
#include "util/text.h"

/* The masks that mask nothing. */
#define MARK_MASK_ALL 0xffffffffu
#define PORT_MASK_ALL 0xffffu
#define DSCP_MASK_ALL 0x3fu
#define FLOWLABEL_MASK_ALL 0xfffffu
#define TOS_MASK_ALL 0xffu

/* The bits of the tos that a `tos` rule of IPv4 sees, INET_DSCP_LEGACY_TOS_MASK, and the DSCP's. */
#define TOS_LEGACY_MASK 0x1cu
#define TOS_DSCP_MASK 0xfcu

/* Set in flow_key.flags when l3mdev was taken from the output device: FLOWI_FLAG_L3MDEV_OIF. */
#define FLOW_L3MDEV_OF_OIF 0x04

/* In the order of fib_rule_match() and then fib4_rule_match(), which fib6_rule_match() has, too,
 * but for TO before FROM; NOT comes of all of them. */
enum selector_id {
	SELECTOR_NONE,
	SELECTOR_IIF,
	SELECTOR_OIF,
	SELECTOR_FWMARK,
	SELECTOR_TUN_ID,
	SELECTOR_L3MDEV,
	SELECTOR_UIDRANGE,
	SELECTOR_FROM,
	SELECTOR_TO,
	SELECTOR_TOS,
	SELECTOR_DSCP,
	SELECTOR_FLOWLABEL,
	SELECTOR_IPPROTO,
	SELECTOR_SPORT,
	SELECTOR_DPORT,
	SELECTOR_NOT,
	SELECTOR_COUNT,
};

/*
 * name is the keyword of `ip rule`. match() is asked only when the selector is
 * used. print() writes the value; NULL: the selector is shown with the action.
 * The rows NONE and NOT have but their names.
 */
struct selector {
	const char *name;
	bool (*match)(const struct rule *rule, const struct flow_key *key,
		      const struct match_context *context);
	void (*print)(struct text *out, const struct rule *rule, const struct names *names);
};

extern const struct selector selectors[SELECTOR_COUNT];

/* The selectors that rule has, as bits: 1 << SELECTOR_…; never NONE or NOT. */
uint32_t selectors_used(const struct rule *rule);

/* Whether key has no source address that `from` could be compared with: the kernel then
 * looks up without RT6_LOOKUP_F_HAS_SADDR. IPv4 knows no such case. */
bool selector_source_is_unset(const struct flow_key *key);

/* The bits of the traffic class that a `tos` rule of IPv6 compares. */
uint8_t selector_tos6_mask(enum tos_compare tos_compare);

/* Whether a device that iif or oif names is compared with the flow's l3mdev: kernels that know VRF
 * devices there do so with them. */
bool selector_of_l3_master(int index, const struct match_context *context);

#endif
