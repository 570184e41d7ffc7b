// SPDX-License-Identifier: GPL-2.0-only
/* Totals of a trace: by outcome and by rule, none lost. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <errno.h>

#include <cmocka.h>

#include "render/summary.h"

static void add_decided(struct trace_summary *summary, uint32_t netns, uint32_t priority,
			uint32_t table)
{
	struct lookup lookup = { .netns = netns, .key.family = FLOW_AF_INET };

	lookup.verdict.has_priority = true;
	lookup.verdict.priority = priority;
	lookup.verdict.table = table;
	summary_add(summary, &lookup);
}

static void add_failed(struct trace_summary *summary, int error)
{
	struct lookup lookup = { .verdict.error = error };

	summary_add(summary, &lookup);
}

static void rules_are_counted_apart_and_kept_in_order(void **state)
{
	struct trace_summary summary = { 0 };

	(void)state;
	add_decided(&summary, 2, 5, 100);
	add_decided(&summary, 1, 5209, 51820);
	add_decided(&summary, 1, 0, 255);
	add_decided(&summary, 1, 5209, 51820);
	add_decided(&summary, 1, 5209, 52);
	assert_int_equal(summary.found, 5);
	assert_int_equal(summary.rule_count, 4);
	assert_int_equal(summary.rules[0].priority, 0);
	assert_int_equal(summary.rules[1].table, 52);
	assert_int_equal(summary.rules[2].count, 2);
	assert_int_equal(summary.rules[3].netns, 2);
	summary_free(&summary);
	assert_null(summary.rules);
	assert_int_equal(summary.found, 0);
}

static void many_rules_stay_sorted_and_complete(void **state)
{
	struct trace_summary summary = { 0 };

	(void)state;
	for (uint32_t i = 0; i < 2000; i++)
		add_decided(&summary, 1, (i * 7919) % 1000, 254);
	assert_int_equal(summary.rule_count, 1000);
	for (uint32_t i = 0; i < 1000; i++) {
		assert_int_equal(summary.rules[i].priority, i);
		assert_int_equal(summary.rules[i].count, 2);
	}
	assert_int_equal(summary.dropped_rules, 0);
	summary_free(&summary);
}

static void errors_are_counted_by_errno(void **state)
{
	struct trace_summary summary = { 0 };

	(void)state;
	add_failed(&summary, -ENETUNREACH);
	add_failed(&summary, -EACCES);
	add_failed(&summary, -ENETUNREACH);
	add_failed(&summary, 0);
	assert_int_equal(summary.found, 1);
	assert_int_equal(summary.error_count, 2);
	assert_int_equal(summary.errors[0].error, ENETUNREACH);
	assert_int_equal(summary.errors[0].count, 2);
	assert_int_equal(summary.errors[1].error, EACCES);
	assert_int_equal(summary.rule_count, 0);
	summary_free(&summary);
}

static void errors_beyond_the_places_are_counted_together(void **state)
{
	struct trace_summary summary = { 0 };
	uint64_t total = 0;

	(void)state;
	for (int round = 0; round < 2; round++) {
		for (int error = 1; error <= 20; error++)
			add_failed(&summary, -error);
	}
	assert_int_equal(summary.error_count, 16);
	assert_int_equal(summary.errors[14].error, 15);
	assert_int_equal(summary.errors[15].error, 0);
	assert_int_equal(summary.errors[15].count, 10);
	for (size_t i = 0; i < summary.error_count; i++)
		total += summary.errors[i].count;
	assert_int_equal(total, 40);
	summary_free(&summary);
}

static void lookups_are_counted_once_by_each_kind_found(void **state)
{
	struct finding findings[] = { { .kind = FINDING_SHADOWED_ROUTE },
				      { .kind = FINDING_AUTO_PRIORITY },
				      { .kind = FINDING_SHADOWED_ROUTE, .priority = 7 } };
	struct lookup lookup = { .findings = findings, .finding_count = 3 };
	struct trace_summary summary = { 0 };

	(void)state;
	summary_add(&summary, &lookup);
	lookup.finding_count = 1;
	summary_add(&summary, &lookup);
	assert_int_equal(summary.findings[FINDING_SHADOWED_ROUTE], 2);
	assert_int_equal(summary.findings[FINDING_AUTO_PRIORITY], 1);
	assert_int_equal(summary.findings[FINDING_TOS_MASK], 0);
	summary_free(&summary);
	assert_int_equal(summary.findings[FINDING_SHADOWED_ROUTE], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_are_counted_apart_and_kept_in_order),
		cmocka_unit_test(many_rules_stay_sorted_and_complete),
		cmocka_unit_test(errors_are_counted_by_errno),
		cmocka_unit_test(errors_beyond_the_places_are_counted_together),
		cmocka_unit_test(lookups_are_counted_once_by_each_kind_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
