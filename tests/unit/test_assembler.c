// SPDX-License-Identifier: GPL-2.0-only
/* Walks put together from events: interleaved, cut off, merged, continued, lost and malformed ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "trace/assembler.h"
#include "util/array.h"

#define MISS (-EAGAIN)

/* A begin event as the rows write it; everything else is zero. */
struct begin_row {
	uint64_t walk;
	uint64_t previous;
	uint32_t table;
	int error;
	uint16_t flags;
	uint32_t mark; /* tells flow keys apart */
	int32_t syscall;
};

/* What the holes in the sequences were reported as. */
struct losses {
	unsigned int calls;
	uint64_t events;
	uint32_t cpu;
};

static void count_loss(void *data, const struct event_header *header, uint32_t count)
{
	struct losses *losses = data;

	losses->calls++;
	losses->events += count;
	losses->cpu = header->cpu;
}

struct bench {
	struct assembler *assembler;
	struct losses losses;
	uint32_t seq;
};

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	if (!bench)
		return -1;
	bench->assembler = assembler_new(NULL);
	*state = bench;
	return bench->assembler ? 0 : -1;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	assembler_free(bench->assembler);
	free(bench);
	return 0;
}

/* A copy of exactly size bytes, for the sanitizer to guard its end. */
static void feed(struct bench *bench, const void *event, size_t size)
{
	void *copy = malloc(size ? size : 1);

	assert_non_null(copy);
	memcpy(copy, event, size);
	assert_int_equal(assembler_add(bench->assembler, copy, size, count_loss, &bench->losses),
			 0);
	free(copy);
}

static struct begin_event make_begin(struct bench *bench, const struct begin_row *row)
{
	return (struct begin_event){
		.header = { .time_ns = 1000 + bench->seq,
			    .seq = ++bench->seq,
			    .type = EVENT_BEGIN },
		.walk = row->walk,
		.previous = row->previous,
		.key = { .family = FLOW_AF_INET, .iif = FLOW_IFINDEX_LO, .mark = row->mark },
		.context = { .pid = 42, .syscall = row->syscall },
		.answer = { .table = row->table, .error = row->error },
		.flags = row->flags,
	};
}

static void begin(struct bench *bench, struct begin_row row)
{
	struct begin_event event = make_begin(bench, &row);

	feed(bench, &event, sizeof(event));
}

static void answer(struct bench *bench, uint64_t walk, uint32_t table, int error)
{
	struct table_event event = {
		.header = { .time_ns = 1000 + bench->seq,
			    .seq = ++bench->seq,
			    .type = EVENT_TABLE },
		.walk = walk,
		.answer = { .table = table, .error = error },
	};

	feed(bench, &event, sizeof(event));
}

/* The next walk must be id, with these tables ("255 254"). */
static struct walk_record *next_is(struct bench *bench, uint64_t id, const char *tables)
{
	struct walk_record *walk = assembler_next(bench->assembler);
	char text[256] = "";
	size_t length = 0;

	assert_non_null(walk);
	assert_int_equal(walk->id, id);
	for (size_t i = 0; i < walk->answer_count; i++)
		length += snprintf(text + length, sizeof(text) - length, "%s%u", i ? " " : "",
				   walk->answers[i].table);
	assert_string_equal(text, tables);
	return walk;
}

static void no_next(struct bench *bench)
{
	assert_null(assembler_next(bench->assembler));
}

static void interleaved_walks_of_several_tasks_come_apart(void **state)
{
	struct bench *bench = *state;

	begin(bench, (struct begin_row){ .walk = 1, .table = 255, .error = MISS });
	begin(bench, (struct begin_row){ .walk = 2, .table = 255, .error = MISS });
	answer(bench, 1, 254, MISS);
	begin(bench, (struct begin_row){ .walk = 3, .table = 255, .error = MISS });
	answer(bench, 2, 52, 0);
	answer(bench, 1, 253, 0);
	/* In the order of what happened last. */
	next_is(bench, 3, "255");
	next_is(bench, 2, "255 52");
	next_is(bench, 1, "255 254 253");
	no_next(bench);
	assert_int_equal(assembler_counts(bench->assembler).begun, 3);
	assert_int_equal(assembler_counts(bench->assembler).malformed, 0);
}

static void a_walk_is_returned_again_when_more_happens(void **state)
{
	struct bench *bench = *state;
	struct walk_record *walk;

	begin(bench, (struct begin_row){ .walk = 1, .table = 255, .error = MISS });
	walk = next_is(bench, 1, "255");
	assert_int_equal(walk->time_ns, 1000);
	assert_int_equal(walk->context.pid, 42);
	no_next(bench);
	answer(bench, 1, 254, 0);
	assert_ptr_equal(next_is(bench, 1, "255 254"), walk);
	assert_int_equal(walk->time_ns, 1000);
	assembler_done(bench->assembler, walk);
	no_next(bench);
}

static void the_next_walk_of_a_task_ends_the_one_before(void **state)
{
	struct bench *bench = *state;

	begin(bench, (struct begin_row){ .walk = 1, .table = 255, .error = MISS });
	assert_false(next_is(bench, 1, "255")->ended);
	begin(bench, (struct begin_row){ .walk = 2, .previous = 1, .table = 255, .mark = 7 });
	assert_true(next_is(bench, 1, "255")->ended);
	assert_false(next_is(bench, 2, "255")->ended);
	no_next(bench);
}

static void the_loss_of_a_later_answer_is_told_by_the_next_walk(void **state)
{
	struct bench *bench = *state;
	struct walk_record *walk;

	begin(bench, (struct begin_row){ .walk = 1, .table = 255, .error = MISS });
	begin(bench,
	      (struct begin_row){
		      .walk = 2, .previous = 1, .table = 255, .flags = BEGIN_PREVIOUS_LOST });
	walk = next_is(bench, 1, "255");
	assert_true(walk->lost);
	assert_true(walk->ended);
	assert_false(next_is(bench, 2, "255")->lost);
}

static void a_lost_walk_is_marked_by_its_id(void **state)
{
	struct bench *bench = *state;

	begin(bench, (struct begin_row){ .walk = 1, .table = 255, .error = MISS });
	next_is(bench, 1, "255");
	assembler_mark_lost(bench->assembler, 99);
	no_next(bench);
	assembler_mark_lost(bench->assembler, 1);
	assert_true(next_is(bench, 1, "255")->lost);
}

static void a_done_walk_is_not_marked_lost(void **state)
{
	struct bench *bench = *state;

	begin(bench, (struct begin_row){ .walk = 1, .table = 255 });
	assembler_done(bench->assembler, next_is(bench, 1, "255"));
	assembler_mark_lost(bench->assembler, 1);
	no_next(bench);
}

static void the_same_site_inherits_the_origin(void **state)
{
	struct bench *bench = *state;
	struct walk_record *walk;

	begin(bench, (struct begin_row){ .walk = 1, .table = 255, .syscall = SYS_connect });
	walk = next_is(bench, 1, "255");
	assert_int_equal(walk->origin.cause, CAUSE_CONNECT);
	assembler_done(bench->assembler, walk);
	/* The system call is left out: nothing but walk 1 tells the cause. */
	begin(bench, (struct begin_row){ .walk = 2,
					 .previous = 1,
					 .table = 255,
					 .flags = BEGIN_SAME_SITE,
					 .syscall = -1 });
	assert_int_equal(next_is(bench, 2, "255")->origin.cause, CAUSE_CONNECT);
	begin(bench, (struct begin_row){ .walk = 3,
					 .previous = 2,
					 .table = 255,
					 .flags = BEGIN_SAME_SITE,
					 .syscall = -1 });
	next_is(bench, 2, "255");
	assert_int_equal(next_is(bench, 3, "255")->origin.cause, CAUSE_CONNECT);
}

static void another_site_has_its_own_origin(void **state)
{
	struct bench *bench = *state;

	begin(bench, (struct begin_row){ .walk = 1, .table = 255, .syscall = SYS_connect });
	next_is(bench, 1, "255");
	begin(bench, (struct begin_row){ .walk = 2, .previous = 1, .syscall = SYS_sendto });
	next_is(bench, 1, "255");
	assert_int_equal(next_is(bench, 2, "0")->origin.cause, CAUSE_SEND);
}

static void held_answers_stand_before_the_first_one(void **state)
{
	struct bench *bench = *state;
	struct begin_row row = { .walk = 1, .table = 254 };
	struct begin_event event = make_begin(bench, &row);
	struct walk_record *walk;

	event.held[0] = 255;
	event.held[1] = 52;
	event.held_count = 2;
	feed(bench, &event, sizeof(event));
	walk = next_is(bench, 1, "255 52 254");
	assert_int_equal(walk->answers[0].error, MISS);
	assert_int_equal(walk->answers[1].error, MISS);
	assert_int_equal(walk->answers[2].error, 0);
}

static void rejected_walks_are_counted_apart(void **state)
{
	struct bench *bench = *state;

	begin(bench, (struct begin_row){ .walk = 1, .table = 255, .flags = BEGIN_REJECTED });
	begin(bench, (struct begin_row){ .walk = 2, .table = 255 });
	assert_true(next_is(bench, 1, "255")->rejected);
	assert_false(next_is(bench, 2, "255")->rejected);
	assert_int_equal(assembler_counts(bench->assembler).begun, 1);
	assert_int_equal(assembler_counts(bench->assembler).rejected, 1);
}

static void only_a_walk_with_the_same_key_succeeds(void **state)
{
	struct bench *bench = *state;
	struct walk_record *first, *second;

	begin(bench, (struct begin_row){ .walk = 1, .table = 255, .error = MISS });
	assert_null(assembler_successor(bench->assembler, next_is(bench, 1, "255")));
	begin(bench, (struct begin_row){ .walk = 2, .previous = 1, .table = 255 });
	begin(bench, (struct begin_row){ .walk = 3, .previous = 2, .table = 255, .mark = 7 });
	first = next_is(bench, 1, "255");
	second = next_is(bench, 2, "255");
	assert_ptr_equal(assembler_successor(bench->assembler, first), second);
	assert_null(assembler_successor(bench->assembler, second));
	assembler_done(bench->assembler, second);
	assert_null(assembler_successor(bench->assembler, first));
}

static void merged_walks_are_one_under_the_later_id(void **state)
{
	struct bench *bench = *state;
	struct walk_record *first, *second;

	begin(bench, (struct begin_row){ .walk = 1, .table = 255, .error = MISS });
	answer(bench, 1, 254, MISS);
	begin(bench, (struct begin_row){ .walk = 2, .previous = 1, .table = 255, .error = MISS });
	first = next_is(bench, 1, "255 254");
	second = assembler_successor(bench->assembler, first);
	assert_non_null(second);
	assert_int_equal(assembler_merge(bench->assembler, first, second), 0);
	assert_int_equal(first->id, 2);
	assert_false(first->ended);
	/* The successor was waiting to be returned, and is gone. */
	no_next(bench);
	answer(bench, 2, 253, 0);
	next_is(bench, 2, "255 254 255 253");
	begin(bench, (struct begin_row){ .walk = 3, .previous = 2, .table = 255 });
	assert_true(next_is(bench, 2, "255 254 255 253")->ended);
	assert_ptr_equal(assembler_successor(bench->assembler, first), next_is(bench, 3, "255"));
}

static void a_merged_walk_takes_over_end_loss_and_successor(void **state)
{
	struct bench *bench = *state;
	struct walk_record *first, *third;

	begin(bench, (struct begin_row){ .walk = 1, .table = 255, .error = MISS });
	begin(bench, (struct begin_row){ .walk = 2, .previous = 1, .table = 255, .error = MISS });
	begin(bench,
	      (struct begin_row){
		      .walk = 3, .previous = 2, .table = 255, .flags = BEGIN_PREVIOUS_LOST });
	first = next_is(bench, 1, "255");
	assert_int_equal(assembler_merge(bench->assembler, first,
					 assembler_successor(bench->assembler, first)),
			 0);
	assert_true(first->ended);
	assert_true(first->lost);
	third = next_is(bench, 3, "255");
	assert_ptr_equal(assembler_successor(bench->assembler, first), third);
}

static void a_hit_behind_an_explained_walk_begins_another(void **state)
{
	struct bench *bench = *state;
	struct walk_record *walk;

	begin(bench, (struct begin_row){ .walk = 1, .table = 255, .error = MISS });
	assembler_done(bench->assembler, next_is(bench, 1, "255"));
	answer(bench, 1, 100, MISS);
	no_next(bench);
	assert_int_equal(assembler_counts(bench->assembler).continued, 0);
	answer(bench, 1, 254, 0);
	walk = next_is(bench, 1, "100 254");
	assert_false(walk->shown);
	assert_int_equal(assembler_counts(bench->assembler).continued, 1);
	assembler_done(bench->assembler, walk);
	answer(bench, 1, 2000, -EINVAL);
	next_is(bench, 1, "2000");
	assert_int_equal(assembler_counts(bench->assembler).continued, 2);
	assert_int_equal(assembler_counts(bench->assembler).malformed, 0);
}

static void flush_returns_what_is_not_done_once_more(void **state)
{
	struct bench *bench = *state;
	struct walk_record *walk;

	begin(bench, (struct begin_row){ .walk = 1, .table = 255, .error = MISS });
	begin(bench, (struct begin_row){ .walk = 2, .table = 255, .error = MISS });
	begin(bench, (struct begin_row){ .walk = 3, .table = 255, .error = MISS });
	next_is(bench, 1, "255");
	walk = next_is(bench, 2, "255");
	next_is(bench, 3, "255");
	assembler_done(bench->assembler, walk);
	assembler_flush(bench->assembler);
	next_is(bench, 1, "255");
	next_is(bench, 3, "255");
	no_next(bench);
}

static void events_cut_at_any_length_are_malformed(void **state)
{
	struct bench *bench = *state;
	struct begin_row row = { .walk = 1, .table = 255 };
	struct {
		struct begin_event begin;
		struct begin_stack stack;
	} event = { .begin = make_begin(bench, &row) };
	struct table_event table = { .header = { .seq = 2, .type = EVENT_TABLE }, .walk = 1 };
	size_t cuts = 0;

	event.begin.stack_count = EVENT_STACK_DEPTH;
	for (size_t size = 0; size < sizeof(event); size++, cuts++)
		feed(bench, &event, size);
	feed(bench, &event, sizeof(event));
	for (size_t size = 0; size < sizeof(table); size++, cuts++)
		feed(bench, &table, size);
	feed(bench, &table, sizeof(table));
	next_is(bench, 1, "255 0");
	no_next(bench);
	assert_int_equal(assembler_counts(bench->assembler).malformed, cuts);
	assert_int_equal(assembler_counts(bench->assembler).begun, 1);
}

static void unsound_begin_events_are_malformed(void **state)
{
	struct bench *bench = *state;
	struct begin_row row = { .walk = 1, .table = 255 };
	struct begin_event event = make_begin(bench, &row);

	event.walk = 0;
	feed(bench, &event, sizeof(event));
	event.walk = 1;
	event.held_count = EVENT_HELD_MAX + 1;
	feed(bench, &event, sizeof(event));
	event.held_count = UINT16_MAX;
	feed(bench, &event, sizeof(event));
	event.held_count = 0;
	event.stack_count = 1; /* and none follows */
	feed(bench, &event, sizeof(event));
	event.stack_count = EVENT_STACK_DEPTH + 1;
	feed(bench, &event, sizeof(event));
	event.stack_count = UINT32_MAX;
	feed(bench, &event, sizeof(event));
	assert_int_equal(assembler_counts(bench->assembler).malformed, 6);
	event.stack_count = 0;
	feed(bench, &event, sizeof(event));
	feed(bench, &event, sizeof(event)); /* the same walk cannot begin twice */
	assert_int_equal(assembler_counts(bench->assembler).malformed, 7);
	next_is(bench, 1, "255");
	no_next(bench);
}

static void answers_to_no_walk_and_unknown_types_are_malformed(void **state)
{
	struct bench *bench = *state;
	struct table_event event = { .walk = 1 };

	answer(bench, 77, 254, 0);
	for (unsigned int type = 0; type <= UINT8_MAX; type++) {
		if (type == EVENT_BEGIN || type == EVENT_TABLE)
			continue;
		event.header = (struct event_header){ .seq = ++bench->seq, .type = type };
		feed(bench, &event, sizeof(event));
	}
	assert_int_equal(assembler_counts(bench->assembler).malformed, 255);
	no_next(bench);
}

static void a_walk_of_endless_answers_is_bounded(void **state)
{
	struct bench *bench = *state;
	struct walk_record *walk;

	begin(bench, (struct begin_row){ .walk = 1, .table = 255, .error = MISS });
	for (size_t i = 0; i < 70000; i++)
		answer(bench, 1, 254, MISS);
	walk = assembler_next(bench->assembler);
	assert_non_null(walk);
	assert_int_equal(walk->answer_count, 65536);
	assert_int_equal(assembler_counts(bench->assembler).malformed, 70001 - 65536);
}

static void feed_seq(struct bench *bench, uint16_t cpu, uint32_t seq)
{
	struct table_event event = { .header = { .seq = seq, .cpu = cpu, .type = EVENT_TABLE },
				     .walk = 1 };

	feed(bench, &event, sizeof(event));
}

static const struct {
	const char *name;
	uint32_t seq[4];
	uint64_t lost;
	unsigned int calls;
} sequences[] = {
	{ "no hole", { 1, 2, 3, 4 }, 0, 0 },
	{ "a hole before the first", { 4, 5, 6, 7 }, 3, 1 },
	{ "a hole in the middle", { 1, 2, 7, 8 }, 4, 1 },
	{ "two holes", { 1, 3, 4, 6 }, 2, 2 },
	{ "a step back is none of ours", { 1, 2, 1, 3 }, 0, 0 },
	{ "the same number again", { 1, 1, 2, 3 }, 0, 0 },
};

static void holes_in_a_sequence_are_lost_events(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sequences); i++) {
		struct bench bench = { .assembler = assembler_new(NULL) };

		for (size_t j = 0; j < ARRAY_SIZE(sequences[i].seq); j++)
			feed_seq(&bench, 9, sequences[i].seq[j]);
		if (bench.losses.events != sequences[i].lost ||
		    bench.losses.calls != sequences[i].calls)
			fail_msg("%s: %u events lost", sequences[i].name,
				 (unsigned int)bench.losses.events);
		assembler_free(bench.assembler);
	}
}

static void a_walk_knows_how_many_holes_came_before_it(void **state)
{
	struct bench *bench = *state;

	begin(bench, (struct begin_row){ .walk = 1, .table = 255, .error = -EAGAIN });
	bench->seq += 3;
	answer(bench, 1, 254, 0);
	begin(bench, (struct begin_row){ .walk = 2, .table = 255 });
	begin(bench, (struct begin_row){ .walk = 3, .table = 255 });
	assert_int_equal(next_is(bench, 1, "255 254")->holes, 0);
	assert_int_equal(next_is(bench, 2, "255")->holes, 1);
	assert_int_equal(next_is(bench, 3, "255")->holes, 1);
}

static void a_sequence_goes_on_past_its_largest_number(void **state)
{
	struct bench *bench = *state;

	/* Far apart, so that each step is one forwards. */
	feed_seq(bench, 0, 1);
	feed_seq(bench, 0, 0x70000000u);
	feed_seq(bench, 0, 0xe0000000u);
	feed_seq(bench, 0, UINT32_MAX);
	bench->losses = (struct losses){ 0 };
	feed_seq(bench, 0, 0);
	feed_seq(bench, 0, 1);
	assert_int_equal(bench->losses.calls, 0);
	feed_seq(bench, 0, 4);
	assert_int_equal(bench->losses.events, 2);
}

static void each_cpu_has_a_sequence_of_its_own(void **state)
{
	struct bench *bench = *state;

	feed_seq(bench, 0, 1);
	feed_seq(bench, UINT16_MAX, 1);
	feed_seq(bench, 0, 2);
	feed_seq(bench, UINT16_MAX, 2);
	assert_int_equal(bench->losses.calls, 0);
	feed_seq(bench, UINT16_MAX, 5);
	assert_int_equal(bench->losses.events, 2);
	assert_int_equal(bench->losses.cpu, UINT16_MAX);
}

static void the_hole_behind_the_last_event_is_reported_at_the_end(void **state)
{
	struct bench *bench = *state;
	struct event_header last = { .seq = 5, .cpu = 3 };

	feed_seq(bench, 3, 1);
	feed_seq(bench, 3, 2);
	assembler_end_sequence(bench->assembler, &last, count_loss, &bench->losses);
	assert_int_equal(bench->losses.events, 3);
	assert_int_equal(bench->losses.cpu, 3);
	bench->losses = (struct losses){ 0 };
	assembler_end_sequence(bench->assembler, &last, count_loss, &bench->losses);
	last.cpu = 4;
	last.seq = 0;
	assembler_end_sequence(bench->assembler, &last, count_loss, &bench->losses);
	assert_int_equal(bench->losses.calls, 0);
}

/* How many of the walks 1 to count are still known: their answers are not malformed. */
static size_t count_known(struct bench *bench, uint64_t count)
{
	uint64_t before = assembler_counts(bench->assembler).malformed;

	for (uint64_t walk = 1; walk <= count; walk++)
		answer(bench, walk, 254, MISS);
	return count - (assembler_counts(bench->assembler).malformed - before);
}

static void done_walks_take_bounded_memory(void **state)
{
	struct bench *bench = *state;
	const uint64_t count = 40000;

	for (uint64_t walk = 1; walk <= count; walk++) {
		begin(bench, (struct begin_row){ .walk = walk, .table = 255 });
		assembler_done(bench->assembler, assembler_next(bench->assembler));
	}
	/* As many tasks as the kernel remembers, and more; the oldest are gone. */
	assert_int_equal(count_known(bench, count), 32768);
	assert_int_equal(assembler_counts(bench->assembler).begun, count);
	no_next(bench);
}

static void a_task_keeps_no_more_than_its_last_walk(void **state)
{
	struct bench *bench = *state;
	const uint64_t count = 1000;

	for (uint64_t walk = 1; walk <= count; walk++) {
		begin(bench,
		      (struct begin_row){ .walk = walk, .previous = walk - 1, .table = 255 });
		assembler_done(bench->assembler, assembler_next(bench->assembler));
	}
	assert_int_equal(count_known(bench, count), 1);
}

static void an_ended_walk_is_forgotten_when_done(void **state)
{
	struct bench *bench = *state;

	begin(bench, (struct begin_row){ .walk = 1, .table = 255, .error = MISS });
	begin(bench, (struct begin_row){ .walk = 2, .previous = 1, .table = 255, .mark = 7 });
	assembler_done(bench->assembler, next_is(bench, 1, "255"));
	assembler_done(bench->assembler, next_is(bench, 2, "255"));
	assert_int_equal(count_known(bench, 2), 1);
}

static void ids_of_many_cpus_are_told_apart(void **state)
{
	struct bench *bench = *state;

	for (uint64_t cpu = 0; cpu < 300; cpu++)
		begin(bench,
		      (struct begin_row){ .walk = 1 << 16 | cpu, .table = 255, .error = MISS });
	for (uint64_t cpu = 0; cpu < 300; cpu++)
		answer(bench, 1 << 16 | cpu, 254, 0);
	for (uint64_t cpu = 0; cpu < 300; cpu++)
		assembler_done(bench->assembler, next_is(bench, 1 << 16 | cpu, "255 254"));
	no_next(bench);
	assert_int_equal(assembler_counts(bench->assembler).malformed, 0);
}

static void a_walk_that_is_its_own_predecessor_is_malformed(void **state)
{
	struct bench *bench = *state;
	struct walk_record *walk;

	begin(bench, (struct begin_row){ .walk = 1, .previous = 1, .table = 255, .error = MISS });
	assert_int_equal(assembler_counts(bench->assembler).malformed, 1);
	walk = assembler_next(bench->assembler);
	if (walk)
		assert_ptr_not_equal(assembler_successor(bench->assembler, walk), walk);
}

static void an_answer_to_an_ended_walk_is_malformed(void **state)
{
	struct bench *bench = *state;

	begin(bench, (struct begin_row){ .walk = 1, .table = 255, .error = MISS });
	begin(bench, (struct begin_row){ .walk = 2, .previous = 1, .table = 255, .error = MISS });
	answer(bench, 1, 254, MISS);
	assert_int_equal(assembler_counts(bench->assembler).malformed, 1);
	/* Or the predecessor comes behind its successor, which a session then merges while it holds it. */
	next_is(bench, 1, "255");
	next_is(bench, 2, "255");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(interleaved_walks_of_several_tasks_come_apart),
		TEST(a_walk_is_returned_again_when_more_happens),
		TEST(the_next_walk_of_a_task_ends_the_one_before),
		TEST(the_loss_of_a_later_answer_is_told_by_the_next_walk),
		TEST(a_lost_walk_is_marked_by_its_id),
		TEST(a_done_walk_is_not_marked_lost),
		TEST(the_same_site_inherits_the_origin),
		TEST(another_site_has_its_own_origin),
		TEST(held_answers_stand_before_the_first_one),
		TEST(rejected_walks_are_counted_apart),
		TEST(only_a_walk_with_the_same_key_succeeds),
		TEST(merged_walks_are_one_under_the_later_id),
		TEST(a_merged_walk_takes_over_end_loss_and_successor),
		TEST(a_hit_behind_an_explained_walk_begins_another),
		TEST(flush_returns_what_is_not_done_once_more),
		TEST(events_cut_at_any_length_are_malformed),
		TEST(unsound_begin_events_are_malformed),
		TEST(answers_to_no_walk_and_unknown_types_are_malformed),
		TEST(a_walk_of_endless_answers_is_bounded),
		TEST(holes_in_a_sequence_are_lost_events),
		TEST(a_walk_knows_how_many_holes_came_before_it),
		TEST(a_sequence_goes_on_past_its_largest_number),
		TEST(each_cpu_has_a_sequence_of_its_own),
		TEST(the_hole_behind_the_last_event_is_reported_at_the_end),
		TEST(done_walks_take_bounded_memory),
		TEST(a_task_keeps_no_more_than_its_last_walk),
		TEST(an_ended_walk_is_forgotten_when_done),
		TEST(a_walk_that_is_its_own_predecessor_is_malformed),
		TEST(an_answer_to_an_ended_walk_is_malformed),
		TEST(ids_of_many_cpus_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
