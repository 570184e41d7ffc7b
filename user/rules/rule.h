/* SPDX-License-Identifier: GPL-2.0-only */
/* One policy routing rule, and whether it applies to a flow: fib_rule_match() without the kernel. */
#ifndef FIBTRACE_RULES_RULE_H
#define FIBTRACE_RULES_RULE_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/flow.h"

/* FR_ACT_… of linux/fib_rules.h; a value that is not listed is kept and shown as a number. */
enum rule_action {
	RULE_LOOKUP = 1,
	RULE_GOTO = 2,
	RULE_NOP = 3,
	RULE_BLACKHOLE = 6,
	RULE_UNREACHABLE = 7,
	RULE_PROHIBIT = 8,
};

/* How this kernel compares the tos of a rule: kernel-dependent, part of the policy. */
enum tos_compare {
	TOS_EXACT, /* the flow's tos has only the bits of 0x1c (kernels up to 6.1) */
	TOS_MASKED, /* the flow's tos has the whole DSCP; tos rules compare its bits 0x1c (6.12 and newer) */
	TOS_EXACT_ECN, /* as TOS_EXACT, and IPv6 compares the ECN bits, too (up to 5.17) */
};

struct rule_prefix {
	uint8_t address[16]; /* network order, IPv4 in the first four bytes */
	uint8_t length;
};

struct rule_range16 {
	uint16_t first;
	uint16_t last;
};

/* A netlink attribute that this program does not know: kept, shown, never ignored. */
struct rule_attribute {
	uint16_t type;
	uint16_t length;
	uint8_t data[32]; /* the first bytes of the payload */
};

#define RULE_UNKNOWN_MAX 4

struct owner;

/*
 * Fields follow struct fib_rule, fib4_rule and fib6_rule. A selector that is not set has
 * its neutral value: empty name, length 0, mask 0, has_… false. iif_index and
 * oif_index are what iif and oif stand for now; -1: no such device (detached).
 */
struct rule {
	uint8_t family;
	uint8_t action;
	uint8_t protocol; /* who installed it: RTPROT_… */
	bool invert;
	uint32_t priority;
	uint32_t table;
	uint32_t target; /* of goto */
	bool unresolved; /* goto without a target, as the kernel says */
	bool find_saddr; /* IPv6: `from` accepts an unset source, the table's answer decides */

	struct rule_prefix src;
	struct rule_prefix dst;
	char iif[IFNAMSIZ];
	char oif[IFNAMSIZ];
	int iif_index;
	int oif_index;
	uint32_t mark;
	uint32_t mark_mask;
	uint64_t tun_id;
	bool l3mdev;
	bool has_uids;
	uint32_t uid_first;
	uint32_t uid_last;
	uint8_t tos; /* header tos: legacy */
	bool has_dscp; /* FRA_DSCP: compared exactly under dscp_mask */
	uint8_t dscp; /* 0..63 */
	uint8_t dscp_mask; /* 0..63, 63 when the kernel gives none */
	uint8_t ip_proto;
	bool has_sport;
	bool has_dport;
	struct rule_range16 sport;
	struct rule_range16 dport;
	uint16_t sport_mask; /* 0: none; with a mask the range is one value */
	uint16_t dport_mask;
	bool has_flowlabel;
	uint32_t flowlabel;
	uint32_t flowlabel_mask;

	int32_t suppress_prefixlength; /* -1: none */
	int32_t suppress_ifgroup; /* -1: none */
	uint32_t realms; /* from << 16 | to; display only */
	bool truncated; /* an attribute was malformed, or more were unknown than fit */
	uint8_t unknown_count;
	struct rule_attribute unknown[RULE_UNKNOWN_MAX];

	/* Who put it there, borrowed; NULL: not known. Last, because it is no part of the rule. */
	const struct owner *owner;
};

/* What of the machine a match needs besides rule and flow. */
struct match_context {
	enum tos_compare tos_compare;
	/* Of IPv6 `dscp 0` accepts every flow, as in kernels that know no masks of it (6.12). */
	bool dscp_zero_is_any;
	/* The l3mdev table that stands behind the flow's devices; 0: none. NULL: none is known. */
	uint32_t (*l3mdev_table)(const void *data, const struct flow_key *key);
	/* The ifindex of the l3mdev master of device ifindex, 0: none. NULL: none. */
	uint32_t (*master_of)(const void *data, uint32_t ifindex);
	const void *data;
};

/* True when the kernel would run the rule's action for key, `not` applied. */
bool rule_applies(const struct rule *rule, const struct flow_key *key,
		  const struct match_context *context);

/* True when the rule has no selector at all and is not inverted: it applies to every flow. */
bool rule_is_catch_all(const struct rule *rule);

/* Whether both are the same rule, whoever is taken for its owner. */
bool rule_equal(const struct rule *a, const struct rule *b);
/* The same, whatever its devices and its target were found to be. */
bool rule_alike(const struct rule *a, const struct rule *b);

/* A neutral rule of family: no selector, no suppressor, action RULE_LOOKUP, table 0. */
void rule_init(struct rule *rule, uint8_t family);

/* The mask of a port selector as the model keeps it: 0 where it masks nothing, which newer kernels
 * say as 0xffff for a single port. */
uint16_t rule_port_mask(uint16_t mask, const struct rule_range16 *ports);

struct text;
struct names;
/* Appends the selector as `ip rule` prints it, without table or action:
 * "not from all fwmark 0xca6c". Unknown attributes appear as attr30=0x2e. */
void rule_print_selector(struct text *out, const struct rule *rule, const struct names *names);

#endif
