// SPDX-License-Identifier: GPL-2.0-only
/* One network namespace at two times: which verdicts changed. */
#include "diff/comparison.h"

#include <errno.h>
#include <stdlib.h>

#include "rules/grow.h"

/* One flow being compared: as it was recorded by each side, NULL: it was not. */
struct candidate {
	const struct flow *recorded[SIDE_COUNT];
	const struct flow_question *asked;
	struct verdict model[SIDE_COUNT];
};

static const struct flow *find_flow(const struct comparison_side *side, const struct flow *flow)
{
	return side->flows ? flows_find(side->flows, flow) : NULL;
}

static struct flow_change *change_new(struct comparison *comparison,
				      const struct candidate *candidate)
{
	struct flow_change *changes = array_reserve(comparison->changes, sizeof(*changes),
						    comparison->count, &comparison->capacity);
	struct flow_change *change;

	if (!changes)
		return NULL;
	comparison->changes = changes;
	change = &changes[comparison->count++];
	*change = (struct flow_change){
		.asked = *candidate->asked,
		.model = { candidate->model[SIDE_OLD], candidate->model[SIDE_NEW] },
		.explanation = EXPLAINED_BY_NONE,
	};
	return change;
}

static enum verdict_gap gap_of(const struct candidate *candidate)
{
	for (size_t side = 0; side < SIDE_COUNT; side++) {
		if (candidate->model[side].gap != GAP_NONE)
			return candidate->model[side].gap;
	}
	return GAP_NONE;
}

static int compare_models(struct comparison *comparison, const struct candidate *candidate)
{
	enum verdict_gap gap = gap_of(candidate);
	struct flow_change *change;

	if (gap == GAP_NO_DEVICE)
		comparison->counts.no_device++;
	else if (gap != GAP_NONE)
		comparison->counts.not_examined++;
	else
		comparison->counts.compared++;
	if (gap != GAP_NONE || verdicts_equal(&candidate->model[SIDE_OLD],
					      &candidate->model[SIDE_NEW], candidate->asked))
		return 0;
	change = change_new(comparison, candidate);
	if (!change)
		return -ENOMEM;
	for (size_t side = 0; side < SIDE_COUNT; side++)
		change->verdict[side] = verdict_describe(&change->model[side], &change->asked,
							 comparison->policy[side]);
	return 0;
}

/* Whether its record is of the policy that the side ended with. */
static bool is_current(const struct flow *flow, const struct comparison_side *side)
{
	return flow && flow->generation && flow->generation == policy_generation(side->policy);
}

/* What is no policy's is no change: exceptions, neighbours, which nexthop was chosen. */
static bool models_agree(const struct candidate *candidate)
{
	return gap_of(candidate) == GAP_NONE &&
	       verdicts_equal(&candidate->model[SIDE_OLD], &candidate->model[SIDE_NEW],
			      candidate->asked);
}

static int compare_records(struct comparison *comparison, const struct candidate *candidate,
			   const struct comparison_side sides[static SIDE_COUNT])
{
	struct flow_change *change;

	for (size_t side = 0; side < SIDE_COUNT; side++) {
		if (is_current(candidate->recorded[side], &sides[side]))
			continue;
		comparison->counts.unexplained++;
		return 0;
	}
	comparison->counts.compared++;
	if (recorded_verdicts_equal(&candidate->recorded[SIDE_OLD]->verdict,
				    &candidate->recorded[SIDE_NEW]->verdict))
		return 0;
	if (models_agree(candidate) ||
	    !policy_diff_concerns(&comparison->policy_diff, candidate->asked->key.family)) {
		comparison->counts.by_no_policy++;
		return 0;
	}
	change = change_new(comparison, candidate);
	if (!change)
		return -ENOMEM;
	change->recorded = true;
	for (size_t side = 0; side < SIDE_COUNT; side++)
		change->verdict[side] = candidate->recorded[side]->verdict;
	return 0;
}

static bool is_explained(const struct candidate *candidate)
{
	for (size_t side = 0; side < SIDE_COUNT; side++) {
		if (candidate->recorded[side] && !candidate->recorded[side]->explained)
			return false;
	}
	return true;
}

/* flow: of either side; the older one asks, where both have it. */
static int compare_flow(struct comparison *comparison, const struct flow *flow,
			const struct comparison_side sides[static SIDE_COUNT])
{
	struct candidate candidate = { .asked = &flow->asked };

	for (size_t side = 0; side < SIDE_COUNT; side++) {
		candidate.recorded[side] = find_flow(&sides[side], flow);
		candidate.model[side] = verdict_of(comparison->policy[side], candidate.asked);
	}
	if (is_explained(&candidate))
		return compare_models(comparison, &candidate);
	return compare_records(comparison, &candidate, sides);
}

static int compare_flows(struct comparison *comparison,
			 const struct comparison_side sides[static SIDE_COUNT])
{
	for (size_t side = 0; side < SIDE_COUNT; side++) {
		const struct flows *flows = sides[side].flows;

		if (!flows)
			continue;
		comparison->counts.unknown += flows->unknown;
		comparison->counts.passed_over += flows->passed_over;
		for (size_t i = 0; i < flows->count; i++) {
			int err;

			if (side == SIDE_NEW && find_flow(&sides[SIDE_OLD], &flows->items[i]))
				continue;
			err = compare_flow(comparison, &flows->items[i], sides);
			if (err)
				return err;
		}
	}
	return 0;
}

int comparison_make(struct comparison *comparison, struct devices *devices,
		    const struct comparison_side sides[static SIDE_COUNT])
{
	int err;

	*comparison = (struct comparison){ 0 };
	for (size_t side = 0; side < SIDE_COUNT; side++) {
		comparison->policy[side] = devices_copy_policy(devices, sides[side].policy);
		if (!comparison->policy[side])
			return -ENOMEM;
	}
	err = policy_diff_make(&comparison->policy_diff, comparison->policy[SIDE_OLD],
			       comparison->policy[SIDE_NEW]);
	return err ? err : compare_flows(comparison, sides);
}

void comparison_keep(struct comparison *comparison,
		     bool (*wanted)(const void *data, const struct flow_change *change),
		     const void *data)
{
	size_t kept = 0;

	for (size_t i = 0; i < comparison->count; i++) {
		if (wanted(data, &comparison->changes[i]))
			comparison->changes[kept++] = comparison->changes[i];
	}
	comparison->count = kept;
}

void comparison_free(struct comparison *comparison)
{
	policy_diff_free(&comparison->policy_diff);
	for (size_t side = 0; side < SIDE_COUNT; side++)
		policy_free(comparison->policy[side]);
	free(comparison->changes);
	free(comparison->reasons);
	*comparison = (struct comparison){ 0 };
}

bool flow_change_keeps_route(const struct flow_change *change)
{
	struct verdict other = change->model[SIDE_NEW];

	other.has_priority = change->model[SIDE_OLD].has_priority;
	other.priority = change->model[SIDE_OLD].priority;
	return !change->recorded &&
	       verdicts_equal(&change->model[SIDE_OLD], &other, &change->asked);
}
