// SPDX-License-Identifier: GPL-2.0-only
/* seen = shown + filtered + lost + unfinished, whatever became of the walks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "counts.h"
#include "util/array.h"

struct row {
	const char *name;
	struct session_counts counts;
	struct cpu_counts kernel;
	struct assembler_counts assembled;
	/* seen, shown, filtered, lost, unfinished */
	uint64_t want[5];
};

static const struct row rows[] = {
	{ "nothing_happened", { 0 }, { 0 }, { 0 }, { 0 } },
	{ "all_are_shown", { .shown = 5 }, { .begun = 5 }, { .begun = 5 }, { 5, 5 } },
	{ "the_kernels_filter_rejects",
	  { .shown = 2 },
	  { .begun = 2, .filtered = { [FILTER_DST] = 3, [FILTER_MARK] = 4 } },
	  { .begun = 2 },
	  { 9, 2, 7 } },
	{ "our_filter_rejects",
	  { .shown = 2, .filtered = { [FILTER_TABLE] = 3, [FILTER_PURPOSE] = 1 } },
	  { .begun = 6 },
	  { .begun = 6 },
	  { 6, 2, 4 } },
	{ "first_events_are_lost",
	  { .shown = 2 },
	  { .begun = 9, .lost_begun = 7, .lost_events = 30 },
	  { .begun = 2 },
	  { 9, 2, 0, 7 } },
	{ "later_events_are_lost",
	  { .shown = 2, .lost = 4 },
	  { .begun = 9, .lost_begun = 3, .lost_events = 30 },
	  { .begun = 6 },
	  { 9, 2, 0, 7 } },
	{ "some_walks_are_unfinished",
	  { .shown = 2, .unfinished = 3 },
	  { .begun = 5 },
	  { .begun = 5 },
	  { 5, 2, 0, 0, 3 } },
	{ "merged_walks_are_one",
	  { .shown = 3, .merged = 2 },
	  { .begun = 5 },
	  { .begun = 5 },
	  { 3, 3 } },
	{ "walks_elsewhere_are_not_seen",
	  { .shown = 3, .elsewhere = 2 },
	  { .begun = 5 },
	  { .begun = 5 },
	  { 3, 3 } },
	{ "rejected_walks_sent_for_their_boundaries_are_filtered",
	  { .shown = 1, .rejected_shown = 4, .rejected_other = 2 },
	  { .begun = 1 },
	  { .begun = 1, .rejected = 6 },
	  { 7, 1, 6 } },
	{ "rejected_walks_may_be_merged_or_elsewhere",
	  { .rejected_shown = 4, .merged_rejected = 3, .rejected_elsewhere = 2 },
	  { .begun = 0 },
	  { .rejected = 9 },
	  { 4, 0, 4 } },
	{ "rejected_walks_that_were_not_sent_are_counted_by_the_kernel",
	  { .rejected_shown = 1 },
	  { .filtered = { [FILTER_UID] = 2 }, .lost_events = 2 },
	  { .rejected = 1 },
	  { 3, 0, 3 } },
	{ "everything_at_once",
	  { .shown = 10,
	    .filtered = { [FILTER_FAILED] = 2 },
	    .lost = 3,
	    .unfinished = 4,
	    .elsewhere = 5,
	    .merged = 6,
	    .rejected_shown = 7,
	    .rejected_other = 8,
	    .rejected_elsewhere = 9,
	    .merged_rejected = 10 },
	  { .begun = 10 + 2 + 3 + 4 + 5 + 6 + 11, .lost_begun = 11, .filtered = { 0, 12, 13 } },
	  { .begun = 30, .rejected = 7 + 8 + 9 + 10 },
	  { 10 + 2 + 3 + 4 + 11 + 15 + 25, 10, 2 + 15 + 25, 14, 4 } },
};

/* What is said on standard error while counts are added up. */
static void total_quietly(const struct row *row, struct lookup_counts *total, char said[512])
{
	struct capture_counts captured = { .total = row->kernel };
	FILE *file = tmpfile();
	int saved = dup(STDERR_FILENO);
	size_t length;

	assert_non_null(file);
	fflush(stderr);
	dup2(fileno(file), STDERR_FILENO);
	counts_total(&row->counts, &captured, row->assembled, (struct collector_counts){ 0 },
		     total);
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(file);
	length = fread(said, 1, 511, file);
	said[length] = '\0';
	fclose(file);
}

static void check_row(void **state)
{
	const struct row *row = *state;
	struct lookup_counts total;
	char said[512];

	total_quietly(row, &total, said);
	assert_int_equal(total.seen, row->want[0]);
	assert_int_equal(total.shown, row->want[1]);
	assert_int_equal(total.filtered, row->want[2]);
	assert_int_equal(total.lost, row->want[3]);
	assert_int_equal(total.unfinished, row->want[4]);
	assert_int_equal(total.seen, total.shown + total.filtered + total.lost + total.unfinished);
	assert_string_equal(said, "");
}

static void counts_that_do_not_add_up_are_said(void **state)
{
	static const struct row row = { .counts = { .shown = 4 }, .kernel = { .begun = 5 } };
	struct lookup_counts total;
	char said[512];

	(void)state;
	total_quietly(&row, &total, said);
	assert_non_null(strstr(said, "5 seen, 4 accounted for"));
}

static void malformed_events_are_said(void **state)
{
	static const struct row row = { .assembled = { .malformed = 2 } };
	struct lookup_counts total;
	char said[512];

	(void)state;
	total_quietly(&row, &total, said);
	assert_non_null(strstr(said, "2 events were malformed"));
}

static void what_is_not_of_the_sum_is_passed_on(void **state)
{
	struct session_counts counts = { 0 };
	struct capture_counts captured = {
		.total = { .address_checks = 3, .netns_unknown = 4 },
		.missed = 5,
		.missed_known = true,
	};
	struct lookup_counts total;

	(void)state;
	counts_total(&counts, &captured, (struct assembler_counts){ 0 },
		     (struct collector_counts){ 0 }, &total);
	assert_int_equal(total.address_checks, 3);
	assert_int_equal(total.netns_unknown, 4);
	assert_int_equal(total.missed, 5);
	assert_true(total.missed_known);
	assert_int_equal(total.seen, 0);
}

static void a_walk_is_counted_by_whether_it_was_rejected(void **state)
{
	struct walk_record walk = { .rejected = false };
	struct session_counts counts = { 0 };

	(void)state;
	count_lost(&counts, &walk);
	count_unfinished(&counts, &walk);
	count_elsewhere(&counts, &walk);
	assert_int_equal(counts.lost, 1);
	assert_int_equal(counts.unfinished, 1);
	assert_int_equal(counts.elsewhere, 1);
	assert_int_equal(counts.rejected_other + counts.rejected_elsewhere, 0);
	walk.rejected = true;
	count_lost(&counts, &walk);
	count_unfinished(&counts, &walk);
	count_elsewhere(&counts, &walk);
	assert_int_equal(counts.lost + counts.unfinished + counts.elsewhere, 3);
	assert_int_equal(counts.rejected_other, 2);
	assert_int_equal(counts.rejected_elsewhere, 1);
}

static void records_without_a_part_are_lost_and_open_ones_unfinished(void **state)
{
	const struct session_counts counts = { .shown = 3 };
	const struct collector_counts collected = { .lost = 2 };
	const struct capture_counts captured = {
		.total = { .begun = 7, .lost_begun = 2, .filtered = { [FILTER_TABLE] = 4 } },
		.unfinished = 6,
	};
	struct lookup_counts total;

	(void)state;
	counts_total(&counts, &captured, (struct assembler_counts){ 0 }, collected, &total);
	assert_int_equal(total.seen, 7 + 4 + 6);
	assert_int_equal(total.shown, 3);
	assert_int_equal(total.filtered, 4);
	assert_int_equal(total.lost, 4);
	assert_int_equal(total.unfinished, 6);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(rows) + 5] = {
		cmocka_unit_test(counts_that_do_not_add_up_are_said),
		cmocka_unit_test(malformed_events_are_said),
		cmocka_unit_test(what_is_not_of_the_sum_is_passed_on),
		cmocka_unit_test(a_walk_is_counted_by_whether_it_was_rejected),
		cmocka_unit_test(records_without_a_part_are_lost_and_open_ones_unfinished),
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		tests[i + 5] = (struct CMUnitTest){
			.name = rows[i].name,
			.test_func = check_row,
			.initial_state = (void *)&rows[i],
		};
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
