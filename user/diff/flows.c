// SPDX-License-Identifier: GPL-2.0-only
/* What was asked in a recording, each flow once. */
#include "diff/flows.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "rules/grow.h"
#include "rules/selector.h"

#define FIRST_SLOTS 256u

/* Of a key's flags those that decide something here. */
#define FLAGS_KEPT (FLOW_L3MDEV_OF_OIF | FLOW_OIF_IS_VRF)

void flows_free(struct flows *flows)
{
	free(flows->items);
	free(flows->slots);
	*flows = (struct flows){ 0 };
}

/* --- which flow it is --------------------------------------------------------------------- */

static uint32_t selectors_of_list(const struct rule_list *list)
{
	uint32_t selected = 0;

	for (size_t i = 0; list && i < list->count; i++)
		selected |= selectors_used(&list->rules[i]);
	return selected;
}

static void learn_selectors(struct flows *flows, const struct policy *policy)
{
	if (flows->generation == policy_generation(policy))
		return;
	flows->generation = policy_generation(policy);
	flows->selected[FLOW_FAMILY_SLOT(FLOW_AF_INET)] =
		selectors_of_list(policy_rules(policy, FLOW_AF_INET));
	flows->selected[FLOW_FAMILY_SLOT(FLOW_AF_INET6)] =
		selectors_of_list(policy_rules(policy, FLOW_AF_INET6));
}

/* Nothing of it differs but what counts: padding is none. */
static struct flow_question same_question(const struct flow_question *asked, uint32_t selected)
{
	struct flow_question same = *asked;
	bool ports = protocol_has_ports(asked->key.protocol);

	if (!(selected & 1u << SELECTOR_SPORT))
		same.key.sport = 0;
	if (!ports && !(selected & 1u << SELECTOR_DPORT))
		same.key.dport = 0;
	if (!(selected & 1u << SELECTOR_FLOWLABEL))
		same.key.flowlabel = 0;
	return same;
}

/* With the devices' numbers of all policies; false without memory. */
static bool question_of(struct flow_question *question, struct devices *devices,
			const struct lookup *lookup, const struct policy *policy)
{
	const struct flow_key *key = &lookup->key;

	memset(question, 0, sizeof(*question));
	question->key = *key;
	memset(question->key.pad, 0, sizeof(question->key.pad));
	question->key.flags &= FLAGS_KEPT;
	question->key.iif = devices_number_of(devices, policy, key->iif);
	question->key.oif = devices_number_of(devices, policy, key->oif);
	question->key.l3mdev = devices_number_of(devices, policy, key->l3mdev);
	question->purpose = lookup->purpose;
	return !question->key.iif == !key->iif && !question->key.oif == !key->oif &&
	       !question->key.l3mdev == !key->l3mdev;
}

/* --- the set ------------------------------------------------------------------------------ */

static size_t question_hash(const struct flow_question *question)
{
	const unsigned char *bytes = (const unsigned char *)question;
	uint64_t hash = 0xcbf29ce484222325;

	for (size_t i = 0; i < sizeof(*question); i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3;
	return (size_t)(hash ^ hash >> 32);
}

/* The slot of the flow, or the free one where it belongs. */
static uint32_t *slot_of(const struct flows *flows, const struct flow_question *same)
{
	size_t at = question_hash(same) % flows->slot_count;

	while (flows->slots[at] &&
	       memcmp(&flows->items[flows->slots[at] - 1].same, same, sizeof(*same)) != 0)
		at = (at + 1) % flows->slot_count;
	return &flows->slots[at];
}

static bool grow_slots(struct flows *flows)
{
	size_t count = flows->slot_count ? 2 * flows->slot_count : FIRST_SLOTS;
	uint32_t *slots = calloc(count, sizeof(*slots));

	if (!slots)
		return false;
	free(flows->slots);
	flows->slots = slots;
	flows->slot_count = count;
	for (uint32_t i = 0; i < flows->count; i++)
		*slot_of(flows, &flows->items[i].same) = i + 1;
	return true;
}

static struct flow *flow_new(struct flows *flows, const struct flow_question *same)
{
	struct flow *items =
		array_reserve(flows->items, sizeof(*items), flows->count, &flows->capacity);

	if (!items)
		return NULL;
	flows->items = items;
	items[flows->count] = (struct flow){ 0 };
	items[flows->count].same = *same;
	*slot_of(flows, same) = (uint32_t)++flows->count;
	return &items[flows->count - 1];
}

const struct flow *flows_find(const struct flows *flows, const struct flow *flow)
{
	uint32_t at = flows->count ? *slot_of(flows, &flow->same) : 0;

	return at ? &flows->items[at - 1] : NULL;
}

/* --- what lookups tell -------------------------------------------------------------------- */

/* A lookup may have been explained by rules that are not in force any more. */
static uint64_t generation_of(const struct lookup *lookup, const struct policy *policy)
{
	return lookup->generation == policy_generation(policy) ? lookup->generation : 0;
}

/* The policy is asked again only where something is not as it was. */
static void flow_update(struct flow *flow, const struct lookup *lookup, const struct policy *policy)
{
	const struct flow_question question = { .key = lookup->key, .purpose = lookup->purpose };
	uint64_t generation = generation_of(lookup, policy);
	struct verdict verdict;

	if (generation && generation == flow->generation &&
	    recorded_verdicts_equal(&flow->verdict, &lookup->verdict))
		return;
	flow->generation = generation;
	flow->verdict = lookup->verdict;
	verdict = verdict_of(policy, &question);
	flow->explained = verdict_is_recorded(&verdict, &question, &lookup->verdict);
}

/* Address-type checks, gateways of new routes and the like: no rule has a part in them. */
static bool asks_without_rules(const struct lookup *lookup)
{
	return lookup->verdict.decided_by == DECIDED_BY_DIRECT ||
	       (lookup->key.family == FLOW_AF_INET && !lookup->key.iif);
}

static int flows_keep(struct flows *flows, const struct flow_question *asked,
		      const struct lookup *lookup, const struct policy *policy)
{
	struct flow_question same;
	struct flow *flow;
	uint32_t at;

	learn_selectors(flows, policy);
	same = same_question(asked, flows->selected[FLOW_FAMILY_SLOT(asked->key.family)]);
	if (2 * (flows->count + 1) > flows->slot_count && !grow_slots(flows))
		return -ENOMEM;
	at = *slot_of(flows, &same);
	if (!at && flows->count >= FLOWS_MAX) {
		flows->passed_over++;
		return 0;
	}
	flow = at ? &flows->items[at - 1] : flow_new(flows, &same);
	if (!flow)
		return -ENOMEM;
	flow->asked = *asked;
	flow_update(flow, lookup, policy);
	return 0;
}

int flows_add(struct flows *flows, struct devices *devices, const struct lookup *lookup,
	      const struct policy *policy)
{
	struct flow_question asked;

	if (asks_without_rules(lookup))
		return 0;
	if (!policy || lookup->verdict.decided_by == DECIDED_BY_UNKNOWN) {
		flows->unknown++;
		return 0;
	}
	if (!question_of(&asked, devices, lookup, policy))
		return -ENOMEM;
	return flows_keep(flows, &asked, lookup, policy);
}

void flows_renew(struct flows *flows)
{
	flows->generation = 0;
	for (size_t i = 0; i < flows->count; i++)
		flows->items[i].generation = 0;
}
