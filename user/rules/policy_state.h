/* SPDX-License-Identifier: GPL-2.0-only */
/* What a policy is made of: for policy.c and for what tells of its changes. */
#ifndef FIBTRACE_RULES_POLICY_STATE_H
#define FIBTRACE_RULES_POLICY_STATE_H

#include "rules/addresses.h"
#include "rules/links.h"
#include "rules/policy.h"
#include "rules/policy_change.h"

struct table_slot {
	uint64_t key; /* family << 32 | id */
	struct route_table *table; /* NULL when not held */
	bool unheld;
};

struct table_slots {
	struct table_slot *slots; /* ascending by key */
	size_t count;
	size_t capacity;
};

/* index 0: all devices. */
struct rp_setting {
	uint32_t index;
	uint8_t value;
};

struct rp_settings {
	struct rp_setting *items;
	size_t count;
	size_t capacity;
};

struct policy {
	uint64_t generation;
	uint32_t netns;
	enum tos_compare tos_compare;
	bool l3_master_match;
	bool dscp_zero_is_any;
	struct rule_list *rules[FLOW_FAMILY_COUNT];
	const struct owners *owners;
	struct links links;
	struct addresses addresses;
	struct rp_settings rp_filters;
	struct table_slots tables;
	enum default_after_reject default_after_reject;
	policy_note note; /* NULL: nobody keeps a journal */
	void *note_data;
};

#endif
