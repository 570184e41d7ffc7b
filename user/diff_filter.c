// SPDX-License-Identifier: GPL-2.0-only
/* The filters of the command line on what differs. */
#include "diff_filter.h"

#include <string.h>

void diff_filter_init(struct diff_filter *filter, const struct filter *options)
{
	*filter = (struct diff_filter){ .flow = *options, .verdict = *options };
	filter->families = flow_filter_families(&options->flow);
	filter->flow.oif_count = 0;
	filter->flow.verdict = (struct verdict_filter){ .purposes = options->verdict.purposes };
	filter->verdict.flow = (struct flow_filter){ 0 };
	filter->verdict.iif_count = 0;
	filter->verdict.verdict.purposes = 0;
}

bool diff_filter_takes(const struct diff_filter *filter, const struct lookup *lookup)
{
	const struct filter_subject subject = {
		.key = &lookup->key,
		.iif = lookup->iif,
		.dev = "",
		.purpose = lookup->purpose,
		.pid = lookup->context.level == LEVEL_TASK ? lookup->context.pid : 0,
	};

	return filter_rejects(&filter->flow, &subject) == FILTER_NONE;
}

bool diff_filter_shows_change(const struct diff_filter *filter, const struct flow_change *change)
{
	for (size_t side = 0; side < SIDE_COUNT; side++) {
		const struct lookup_verdict *verdict = &change->verdict[side];
		const struct filter_subject subject = {
			.key = &change->asked.key,
			.iif = "",
			.dev = verdict->route.dev,
			.verdict = {
				.table = verdict->table,
				.priority = verdict->priority,
				.has_priority = verdict->has_priority,
				.failed = verdict->error != 0,
			},
			.purpose = change->asked.purpose,
		};

		if (filter_rejects(&filter->verdict, &subject) == FILTER_NONE)
			return true;
	}
	return false;
}

static bool number_holds(const uint32_t *numbers, uint32_t count, uint32_t number)
{
	for (uint32_t i = 0; i < count; i++) {
		if (numbers[i] == number)
			return true;
	}
	return !count;
}

static bool rule_holds(const struct verdict_filter *filter, const struct rule *rule)
{
	return rule && number_holds(filter->table, filter->table_count, rule->table) &&
	       number_holds(filter->priority, filter->priority_count, rule->priority);
}

/* Whether the prefixes have an address in common. */
static bool prefixes_meet(const struct prefix_filter *filter, const struct policy_difference *item)
{
	uint8_t address[16], mask[16];

	memcpy(address, filter->address, sizeof(address));
	memcpy(mask, filter->mask, sizeof(mask));
	if (filter->family && filter->family != item->family)
		return false;
	for (unsigned int bit = 0; bit < item->dst_length; bit++) {
		uint8_t place = (uint8_t)(0x80 >> bit % 8);

		if (mask[bit / 8] & place & (address[bit / 8] ^ item->dst[bit / 8]))
			return false;
	}
	return true;
}

static bool routes_hold(const struct diff_filter *filter, const struct policy_difference *item)
{
	const struct verdict_filter *verdict = &filter->verdict.verdict;
	const struct flow_filter *flow = &filter->flow.flow;

	if (!number_holds(verdict->table, verdict->table_count, item->table))
		return false;
	for (uint32_t i = 0; i < flow->dst_count; i++) {
		if (prefixes_meet(&flow->dst[i], item))
			return true;
	}
	return !flow->dst_count;
}

bool diff_filter_shows_item(const struct diff_filter *filter, const struct policy_difference *item)
{
	uint32_t family = item->family == FLOW_AF_INET6 ? FILTER_FAMILY_INET6 : FILTER_FAMILY_INET;

	if (item->family && !(filter->families & family))
		return false;
	if (item->kind == DIFFERENCE_RULE)
		return rule_holds(&filter->verdict.verdict, item->rule[SIDE_OLD]) ||
		       rule_holds(&filter->verdict.verdict, item->rule[SIDE_NEW]);
	return item->kind != DIFFERENCE_ROUTES || routes_hold(filter, item);
}
