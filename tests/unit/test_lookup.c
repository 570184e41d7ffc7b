// SPDX-License-Identifier: GPL-2.0-only
/* A lookup's steps and rules: bounded, zeroed and freed. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <errno.h>

#include <cmocka.h>

#include "trace/lookup.h"

static void steps_grow_up_to_the_bound_and_start_zeroed(void **state)
{
	struct lookup lookup = { 0 };

	(void)state;
	for (size_t i = 0; i < LOOKUP_STEPS_MAX; i++) {
		struct lookup_step *step = lookup_add_step(&lookup);

		assert_non_null(step);
		assert_int_equal(step->table, 0);
		step->table = (uint32_t)i + 1;
	}
	errno = 0;
	assert_null(lookup_add_step(&lookup));
	assert_int_equal(errno, E2BIG);
	assert_int_equal(lookup.step_count, LOOKUP_STEPS_MAX);
	for (size_t i = 0; i < LOOKUP_STEPS_MAX; i++)
		assert_int_equal(lookup.steps[i].table, i + 1);
	lookup_clear(&lookup);
	assert_null(lookup.steps);
	assert_int_equal(lookup.step_count, 0);
}

static void clearing_drops_one_reference_to_the_rules(void **state)
{
	struct rule rule;
	struct rule_list *rules;
	struct lookup lookup = { 0 };

	(void)state;
	rule_init(&rule, FLOW_AF_INET);
	rules = rule_list_new(&rule, 1);
	assert_non_null(rules);
	lookup.rules = rule_list_get(rules);
	assert_int_equal(rules->references, 2);
	lookup_clear(&lookup);
	assert_int_equal(rules->references, 1);
	assert_null(lookup.rules);
	lookup_clear(&lookup);
	rule_list_put(rules);
}

static void every_value_has_a_name(void **state)
{
	(void)state;
	for (int i = 0; i < CAUSE_COUNT; i++)
		assert_non_null(cause_name((enum cause)i));
	for (int i = 0; i < DECIDED_BY_COUNT; i++)
		assert_non_null(decided_by_name((enum decided_by)i));
	assert_string_equal(cause_name(CAUSE_COUNT), "other");
	assert_string_equal(decided_by_name(DECIDED_BY_COUNT), "unknown");
	assert_string_equal(evidence_name(EVIDENCE_KERNEL), "kernel");
	assert_string_equal(evidence_name(EVIDENCE_DERIVED), "derived");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_grow_up_to_the_bound_and_start_zeroed),
		cmocka_unit_test(clearing_drops_one_reference_to_the_rules),
		cmocka_unit_test(every_value_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
