/* SPDX-License-Identifier: GPL-2.0-only */
/* Lookups in a scene's policy, answered by its own tables, for the tests of explanations. */
#ifndef FIBTRACE_TESTS_UNIT_SCENE_LOOKUP_H
#define FIBTRACE_TESTS_UNIT_SCENE_LOOKUP_H

/* To be included behind cmocka.h. */
#include <errno.h>

#include "scene.h"
#include "trace/derive.h"

#define SCENE_ANSWERS_MAX 64

/* How a flow differs from a datagram to dst by a process of user 1000. */
struct flow_row {
	const char *src;
	const char *dst;
	uint32_t mark;
	uint32_t uid; /* 0: 1000, where a task sends */
	bool root; /* the socket is root's */
	uint32_t iif; /* 0: lo */
	uint32_t oif;
	uint32_t l3mdev;
	uint32_t netns;
	uint32_t process_uid; /* 0: 1000 */
	uint16_t sport;
	uint16_t dport;
	uint8_t protocol;
	uint8_t tos;
	enum purpose purpose; /* 0: output */
	enum cause cause; /* 0: send of a task */
	enum context_level level;
	const char *comm;
	bool built_in; /* the kernel walks no rules */
};

/* A walk over the policy, whose tables' answers are written down as the kernel's. */
struct scene_recording {
	struct policy_ask asked;
	struct table_answer answers[SCENE_ANSWERS_MAX];
	size_t count;
	bool built_in;
};

static inline void scene_record(struct scene_recording *recording, uint32_t table,
				const struct table_result *result)
{
	struct table_answer *answer = &recording->answers[recording->count++];
	const struct nexthop *nexthop = result->error ? NULL : result->nexthop;

	assert_in_range(recording->count, 1, SCENE_ANSWERS_MAX);
	*answer = (struct table_answer){
		.table = table,
		.error = result->error,
		.flags = ANSWER_POLICY_KNOWN | (recording->built_in ? 0 : ANSWER_CUSTOM_RULES),
	};
	if (!nexthop)
		return;
	answer->dev = nexthop->dev;
	answer->netns = NETNS;
	answer->route_type = result->route->type;
	answer->gateway_family = nexthop->gateway_family;
	memcpy(answer->gateway, nexthop->gateway, sizeof(answer->gateway));
}

static inline enum ask_result scene_ask(void *data, size_t index, uint32_t table,
					struct ask_answer *answer)
{
	struct scene_recording *recording = data;
	enum ask_result result = policy_ask_tables(&recording->asked, index, table, answer);

	if (result == ASK_ANSWERED)
		scene_record(recording, table, &recording->asked.last);
	return result;
}

static inline struct table_result scene_table(const struct policy *policy, uint32_t table,
					      const struct flow_key *key)
{
	const struct route_table *held = policy_table(policy, FLOW_AF_INET, table);
	struct table_result none = { .error = -EAGAIN };

	return held ? route_table_lookup(held, key, false) : none;
}

/* Without custom rules local and main are one, and default answers behind it. */
static inline void scene_ask_built_in(struct scene_recording *recording,
				      const struct policy *policy, const struct flow_key *key)
{
	struct table_result result = scene_table(policy, 255, key);

	if (result.error)
		result = scene_table(policy, 254, key);
	scene_record(recording, 254, &result);
}

static inline struct flow_key scene_key(const struct flow_row *row)
{
	bool task = row->level == LEVEL_TASK;
	struct flow_key key = {
		.family = FLOW_AF_INET,
		.mark = row->mark,
		.uid = row->uid || row->root || !task ? row->uid : 1000,
		.iif = row->iif ? row->iif : FLOW_IFINDEX_LO,
		.oif = row->oif,
		.l3mdev = row->l3mdev,
		.sport = row->sport,
		.dport = row->dport,
		.protocol = row->protocol,
		.tos = row->tos,
	};

	if (row->src)
		address_set(key.src, row->src);
	address_set(key.dst, row->dst ? row->dst : TAILNET);
	return key;
}

static inline struct walk_record scene_walk(const struct flow_row *row)
{
	bool task = row->level == LEVEL_TASK;
	struct walk_record walk = {
		.id = 1,
		.time_ns = 1000,
		.ended = true,
		.key = scene_key(row),
		.context = { .netns = row->netns ? row->netns : NETNS,
			     .netns_source = NETNS_TASK,
			     .level = row->level },
		.origin = { row->purpose ? row->purpose : PURPOSE_OUTPUT,
			    task && !row->cause ? CAUSE_SEND : row->cause, false },
	};

	if (!task)
		return walk;
	walk.context.pid = 42;
	walk.context.uid = row->process_uid ? row->process_uid : 1000;
	strncpy(walk.context.comm, row->comm ? row->comm : "ping", EVENT_COMM_LEN);
	return walk;
}

/* What the policy explains of the flow, with the answers that its own tables give. */
static inline struct lookup scene_lookup(const struct policy *policy, const struct flow_row *row)
{
	struct walk_record walk = scene_walk(row);
	struct scene_recording recording = {
		.asked = { .policy = policy, .key = &walk.key },
		.built_in = row->built_in,
	};
	struct lookup lookup = { 0 };

	if (row->built_in)
		scene_ask_built_in(&recording, policy, &walk.key);
	else
		policy_walk(policy, policy_rules(policy, FLOW_AF_INET), &walk.key, scene_ask, NULL,
			    &recording);
	walk.answers = recording.answers;
	walk.answer_count = recording.count;
	assert_int_equal(derive_lookup(&walk, policy, &lookup), DERIVE_DONE);
	if (row->netns)
		lookup.netns = row->netns;
	return lookup;
}

#endif
