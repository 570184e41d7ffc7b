// SPDX-License-Identifier: GPL-2.0-only
/* Blocks of text: what is held back, until when, and in which order it is written. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "render/blocks.h"
#include "util/array.h"

#define MS 1000000ull
#define STEPS_MAX 12

/* A format that writes the number which a lookup carries as its mark. */
static void write_full(struct text *out, const struct lookup *lookup,
		       const struct render_options *options)
{
	(void)options;
	text_add(out, "full ");
	text_add_unsigned(out, lookup->key.mark);
	text_add_char(out, '\n');
}

static void write_brief(struct text *out, const struct lookup *lookup,
			const struct render_options *options)
{
	(void)options;
	text_add(out, "brief ");
	text_add_unsigned(out, lookup->key.mark);
	text_add_char(out, '\n');
}

static const struct format numbers = {
	.name = "numbers",
	.above = "<",
	.below = ">",
	.lookup = write_full,
	.brief = write_brief,
};

static const struct render_options plain;
static const struct render_options verbose = { .verbose = true };

enum call { CALL_NONE, CALL_ADD, CALL_ADVANCE, CALL_FLUSH };

/* One call, and what has been written after it. Added lookups are numbered from 1. */
struct step {
	enum call call;
	uint64_t time_ms;
	uint32_t task;
	uint64_t group;
	enum purpose purpose;
	const char *want;
};

struct row {
	const char *name;
	const struct render_options *options;
	struct step steps[STEPS_MAX];
};

#define OUT PURPOSE_OUTPUT
#define IN PURPOSE_INPUT
#define CHECK PURPOSE_SOURCE_CHECK

static const struct row rows[] = {
	{ "one_lookup_is_written_as_it_is",
	  &plain,
	  { { CALL_ADD, 1, 1, 1, OUT, "" }, { CALL_FLUSH, 0, 0, 0, 0, "full 1\n" } } },
	{ "the_last_output_is_in_full",
	  &plain,
	  { { CALL_ADD, 1, 1, 1, OUT, "" },
	    { CALL_ADD, 2, 1, 1, OUT, "" },
	    { CALL_ADD, 3, 1, 1, OUT, "" },
	    { CALL_FLUSH, 0, 0, 0, 0, "<brief 1\n<brief 2\nfull 3\n" } } },
	{ "the_order_of_time_is_kept",
	  &plain,
	  { { CALL_ADD, 1, 1, 1, IN, "" },
	    { CALL_ADD, 2, 1, 1, CHECK, "" },
	    { CALL_ADD, 3, 1, 1, OUT, "" },
	    { CALL_ADD, 4, 1, 1, IN, "" },
	    { CALL_ADD, 5, 1, 1, OUT, "" },
	    { CALL_ADD, 6, 1, 1, CHECK, "" },
	    { CALL_FLUSH, 0, 0, 0, 0,
	      "<brief 1\n<brief 2\n<brief 3\n<brief 4\nfull 5\n>brief 6\n" } } },
	{ "without_an_output_the_last_input_is",
	  &plain,
	  { { CALL_ADD, 1, 1, 1, CHECK, "" },
	    { CALL_ADD, 2, 1, 1, IN, "" },
	    { CALL_ADD, 3, 1, 1, CHECK, "" },
	    { CALL_ADD, 4, 1, 1, PURPOSE_OTHER, "" },
	    { CALL_FLUSH, 0, 0, 0, 0, "<brief 1\nfull 2\n>brief 3\n>brief 4\n" } } },
	{ "without_either_the_last_is",
	  &plain,
	  { { CALL_ADD, 1, 1, 1, PURPOSE_OTHER, "" },
	    { CALL_ADD, 2, 1, 1, CHECK, "" },
	    { CALL_FLUSH, 0, 0, 0, 0, "<brief 1\nfull 2\n" } } },
	{ "reroutes_and_questions_of_route_get_are_for_output",
	  &plain,
	  { { CALL_ADD, 1, 1, 1, OUT, "" },
	    { CALL_ADD, 1, 1, 1, PURPOSE_REROUTE, "" },
	    { CALL_ADD, 1, 2, 2, PURPOSE_ROUTE_GET, "" },
	    { CALL_ADD, 1, 2, 2, CHECK, "" },
	    { CALL_FLUSH, 0, 0, 0, 0, "<brief 1\nfull 2\nfull 3\n>brief 4\n" } } },
	{ "verbose_shows_all_in_full",
	  &verbose,
	  { { CALL_ADD, 1, 1, 1, OUT, "" },
	    { CALL_ADD, 2, 2, 2, OUT, "" },
	    { CALL_ADD, 3, 1, 1, CHECK, "" },
	    { CALL_FLUSH, 0, 0, 0, 0, "full 2\nfull 1\nfull 3\n" } } },
	{ "the_next_group_of_a_task_ends_its_block",
	  &plain,
	  { { CALL_ADD, 1, 1, 1, OUT, "" },
	    { CALL_ADD, 2, 1, 1, CHECK, "" },
	    { CALL_ADD, 3, 1, 2, OUT, "full 1\n>brief 2\n" },
	    { CALL_ADD, 4, 1, 3, OUT, "full 1\n>brief 2\nfull 3\n" } } },
	{ "groups_of_other_tasks_do_not",
	  &plain,
	  { { CALL_ADD, 1, 1, 1, OUT, "" },
	    { CALL_ADD, 2, 2, 2, OUT, "" },
	    { CALL_ADD, 3, 1, 1, CHECK, "" },
	    { CALL_ADD, 4, 2, 2, CHECK, "" },
	    { CALL_FLUSH, 0, 0, 0, 0, "full 1\n>brief 3\nfull 2\n>brief 4\n" } } },
	{ "a_later_lookup_of_any_task_tells_the_time",
	  &plain,
	  { { CALL_ADD, 100, 1, 1, OUT, "" },
	    { CALL_ADD, 110, 2, 2, OUT, "" },
	    { CALL_ADD, 149, 3, 3, OUT, "" },
	    { CALL_ADD, 150, 4, 4, OUT, "full 1\n" },
	    { CALL_ADD, 500, 5, 5, OUT, "full 1\nfull 2\nfull 3\nfull 4\n" } } },
	{ "so_does_the_time_up_to_which_was_read",
	  &plain,
	  { { CALL_ADD, 100, 1, 1, OUT, "" },
	    { CALL_ADVANCE, 159, 0, 0, 0, "" },
	    { CALL_ADVANCE, 160, 0, 0, 0, "full 1\n" } } },
	{ "every_lookup_of_a_group_has_it_wait_again",
	  &plain,
	  { { CALL_ADD, 100, 1, 1, OUT, "" },
	    { CALL_ADD, 120, 1, 1, CHECK, "" },
	    { CALL_ADVANCE, 179, 0, 0, 0, "" },
	    { CALL_ADVANCE, 180, 0, 0, 0, "full 1\n>brief 2\n" } } },
	{ "but_not_for_ever",
	  &plain,
	  { { CALL_ADD, 100, 1, 1, OUT, "" },
	    { CALL_ADD, 140, 1, 1, OUT, "" },
	    { CALL_ADD, 170, 1, 1, OUT, "" },
	    { CALL_ADVANCE, 189, 0, 0, 0, "" },
	    { CALL_ADVANCE, 190, 0, 0, 0, "<brief 1\n<brief 2\nfull 3\n" } } },
	{ "what_comes_behind_its_block_is_one_of_its_own",
	  &plain,
	  { { CALL_ADD, 100, 1, 1, OUT, "" },
	    { CALL_FLUSH, 0, 0, 0, 0, "full 1\n" },
	    { CALL_ADD, 101, 1, 1, CHECK, "full 1\n" },
	    { CALL_FLUSH, 0, 0, 0, 0, "full 1\nfull 2\n" } } },
	{ "blocks_are_written_as_they_become_complete",
	  &plain,
	  { { CALL_ADD, 100, 1, 1, OUT, "" },
	    { CALL_ADD, 101, 2, 2, OUT, "" },
	    { CALL_ADD, 102, 3, 3, OUT, "" },
	    { CALL_ADD, 103, 1, 1, CHECK, "" },
	    { CALL_ADD, 104, 2, 4, OUT, "full 2\n" },
	    { CALL_FLUSH, 0, 0, 0, 0, "full 2\nfull 3\nfull 1\n>brief 4\nfull 5\n" } } },
	{ "a_late_lookup_turns_no_time_back",
	  &plain,
	  { { CALL_ADD, 500, 1, 1, OUT, "" },
	    { CALL_ADD, 100, 2, 2, OUT, "" },
	    { CALL_ADD, 501, 3, 3, OUT, "full 2\n" },
	    { CALL_FLUSH, 0, 0, 0, 0, "full 2\nfull 1\nfull 3\n" } } },
};

static struct lookup lookup_of(const struct step *step, uint32_t number)
{
	return (struct lookup){
		.boottime_ns = step->time_ms * MS,
		.group = step->group,
		.purpose = step->purpose,
		.context.tid = step->task,
		.key.mark = number,
	};
}

/* Does what the step says; an added lookup gets the number. */
static void run_step(struct blocks *blocks, struct text *out, const struct step *step,
		     uint32_t number)
{
	struct lookup lookup = lookup_of(step, number);

	if (step->call == CALL_ADD)
		blocks_add(blocks, out, &lookup);
	else if (step->call == CALL_ADVANCE)
		blocks_advance(blocks, out, step->time_ms * MS);
	else
		blocks_flush(blocks, out);
}

static void check_row(void **state)
{
	const struct row *row = *state;
	struct blocks *blocks = blocks_new(&numbers, row->options);
	struct text out = { 0 };
	uint32_t number = 0;

	assert_non_null(blocks);
	for (size_t i = 0; i < STEPS_MAX && row->steps[i].call; i++) {
		number += row->steps[i].call == CALL_ADD;
		run_step(blocks, &out, &row->steps[i], number);
		print_message("  step %zu\n", i + 1);
		assert_string_equal(text_string(&out), row->steps[i].want);
	}
	blocks_free(blocks);
	text_free(&out);
}

/* Tasks that do what comes to them, as one log tells it; nothing happens for a while now and then. */
#define LOG_LENGTH 2000
/* So late may a lookup be. */
#define LATE (9 * MS)

static struct lookup logged(uint32_t number)
{
	uint32_t random = number * 2654435761u;
	struct step step = {
		.time_ms = 1000 + number * 7 / 2 + number / 50 * 150,
		.task = 1 + random % 7,
		.group = 1 + number / 5 * 7 + random % 7,
		.purpose = random >> 8 & 1 ? OUT : CHECK,
	};

	return lookup_of(&step, number);
}

/* The ring is read again and again, until what happens next is there. */
static void read_up_to(struct blocks *blocks, struct text *out, uint64_t from_ns, uint64_t next_ns)
{
	for (uint64_t time_ns = from_ns; time_ns <= next_ns + LATE; time_ns += 5 * MS)
		blocks_advance(blocks, out, time_ns);
}

/* every: after how many lookups the time of reading is told; 0: never. */
static void write_log(struct text *out, uint32_t every)
{
	struct blocks *blocks = blocks_new(&numbers, &plain);

	assert_non_null(blocks);
	for (uint32_t i = 1; i <= LOG_LENGTH; i++) {
		struct lookup lookup = logged(i);

		blocks_add(blocks, out, &lookup);
		if (every && i % every == 0)
			read_up_to(blocks, out, lookup.boottime_ns, logged(i + 1).boottime_ns);
	}
	blocks_flush(blocks, out);
	blocks_free(blocks);
}

static void the_text_does_not_depend_on_when_was_read(void **state)
{
	struct text whole = { 0 };

	(void)state;
	write_log(&whole, 0);
	assert_non_null(strstr(text_string(&whole), "\n<brief"));
	assert_non_null(strstr(text_string(&whole), "\n>brief"));
	for (uint32_t every = 1; every < 20; every++) {
		struct text out = { 0 };

		write_log(&out, every);
		assert_string_equal(text_string(&out), text_string(&whole));
		text_free(&out);
	}
	text_free(&whole);
}

static void what_is_due_is_told(void **state)
{
	const struct step early = { CALL_ADD, 100, 1, 1, OUT, "" };
	const struct step late = { CALL_ADD, 120, 2, 2, OUT, "" };
	struct blocks *blocks = blocks_new(&numbers, &plain);
	struct text out = { 0 };

	(void)state;
	assert_non_null(blocks);
	assert_int_equal(blocks_due(blocks), 0);
	run_step(blocks, &out, &late, 1);
	run_step(blocks, &out, &early, 2);
	assert_int_equal(blocks_due(blocks), 160 * MS);
	blocks_advance(blocks, &out, blocks_due(blocks));
	assert_string_equal(text_string(&out), "full 2\n");
	assert_int_equal(blocks_due(blocks), 180 * MS);
	blocks_advance(blocks, &out, blocks_due(blocks));
	assert_int_equal(blocks_due(blocks), 0);
	blocks_free(blocks);
	text_free(&out);
}

#define MANY 1000

static size_t lines_of(const struct text *text)
{
	size_t lines = 0;

	for (size_t i = 0; i < text->length; i++)
		lines += text->string[i] == '\n';
	return lines;
}

static void few_blocks_are_held_at_once(void **state)
{
	struct blocks *blocks = blocks_new(&numbers, &plain);
	struct text out = { 0 };

	(void)state;
	assert_non_null(blocks);
	for (uint32_t i = 1; i <= MANY; i++) {
		const struct step step = { CALL_ADD, 100, i, i, OUT, "" };

		run_step(blocks, &out, &step, i);
	}
	assert_int_equal(lines_of(&out), MANY - 256);
	assert_memory_equal(text_string(&out), "full 1\nfull 2\n", strlen("full 1\nfull 2\n"));
	blocks_flush(blocks, &out);
	assert_int_equal(lines_of(&out), MANY);
	blocks_free(blocks);
	text_free(&out);
}

static void few_lookups_of_a_group_are_held_at_once(void **state)
{
	struct blocks *blocks = blocks_new(&numbers, &plain);
	struct text out = { 0 };

	(void)state;
	assert_non_null(blocks);
	for (uint32_t i = 1; i <= 100; i++) {
		const struct step step = { CALL_ADD, 100, 1, 1, OUT, "" };

		run_step(blocks, &out, &step, i);
	}
	assert_int_equal(lines_of(&out), 64);
	assert_non_null(strstr(text_string(&out), "<brief 63\nfull 64\n"));
	blocks_free(blocks);
	text_free(&out);
}

static void write_long(struct text *out, const struct lookup *lookup,
		       const struct render_options *options)
{
	char line[100001];

	(void)lookup, (void)options;
	memset(line, 'x', sizeof(line) - 2);
	line[sizeof(line) - 2] = '\n';
	line[sizeof(line) - 1] = '\0';
	text_add(out, line);
}

static void few_bytes_are_held_at_once(void **state)
{
	const struct format wordy = {
		.above = "", .below = "", .lookup = write_long, .brief = write_brief
	};
	struct blocks *blocks = blocks_new(&wordy, &plain);
	struct text out = { 0 };

	(void)state;
	assert_non_null(blocks);
	for (uint32_t i = 1; i <= 30; i++) {
		const struct step step = { CALL_ADD, 100, i, i, OUT, "" };

		run_step(blocks, &out, &step, i);
	}
	assert_int_equal(lines_of(&out), 20);
	blocks_flush(blocks, &out);
	assert_int_equal(out.length, 30 * 100000);
	blocks_free(blocks);
	text_free(&out);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(rows) + 5] = {
		cmocka_unit_test(the_text_does_not_depend_on_when_was_read),
		cmocka_unit_test(what_is_due_is_told),
		cmocka_unit_test(few_blocks_are_held_at_once),
		cmocka_unit_test(few_lookups_of_a_group_are_held_at_once),
		cmocka_unit_test(few_bytes_are_held_at_once),
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
