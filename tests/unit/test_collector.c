// SPDX-License-Identifier: GPL-2.0-only
/* Records put together from the events of the exact tiers: whole, in parts, lost and malformed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trace/collector.h"
#include "util/array.h"

#define FULL LOOKUP_STEPS_PER_EVENT
#define PARTIALS_MAX 256 /* as many long walks as the collector follows at once */

/* What was told of lookups that a CPU could not send. */
struct losses {
	unsigned int calls;
	uint64_t lookups;
	uint32_t cpu;
	uint64_t time_ns;
};

struct bench {
	struct collector *collector;
	struct losses losses;
};

static void count_loss(void *data, const struct event_header *header, uint32_t count)
{
	struct losses *losses = data;

	losses->calls++;
	losses->lookups += count;
	losses->cpu = header->cpu;
	losses->time_ns = header->time_ns;
}

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	if (!bench)
		return -1;
	bench->collector = collector_new();
	*state = bench;
	return bench->collector ? 0 : -1;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	collector_free(bench->collector);
	free(bench);
	return 0;
}

/* A copy of exactly size bytes, for the sanitizer to guard its end. */
static void feed(struct bench *bench, const void *event, size_t size)
{
	void *copy = malloc(size ? size : 1);
	int err;

	assert_non_null(copy);
	memcpy(copy, event, size);
	err = collector_add(bench->collector, copy, size, count_loss, &bench->losses);
	free(copy);
	assert_int_equal(err, 0);
}

/* Each step of each lookup is told from all others by its table. */
static uint32_t step_label(uint64_t id, size_t index)
{
	return id * 10000 + index;
}

/* An event of the steps before, before + 1, …; the last of them ended the walk. */
static struct lookup_event make_event(uint64_t id, uint32_t before, uint16_t count)
{
	struct lookup_event event = {
		.header = { .time_ns = 1000 + id, .type = EVENT_LOOKUP },
		.id = id,
		.steps_before = before,
		.step_count = count,
		.deciding = count ? count - 1 : LOOKUP_NO_STEP,
		.flags = LOOKUP_RULES,
	};

	for (uint16_t i = 0; i < count; i++)
		event.steps[i].table = step_label(id, before + i);
	return event;
}

static void send(struct bench *bench, const struct lookup_event *event)
{
	feed(bench, event, LOOKUP_EVENT_SIZE(event->step_count));
}

static void send_part(struct bench *bench, uint64_t id, uint32_t before, uint16_t count)
{
	struct lookup_event event = make_event(id, before, count);

	event.flags |= LOOKUP_PART;
	event.deciding = LOOKUP_NO_STEP;
	send(bench, &event);
}

static void send_end(struct bench *bench, uint64_t id, uint32_t before, uint16_t count)
{
	struct lookup_event event = make_event(id, before, count);

	send(bench, &event);
}

/* As the kernel side does it: without the steps, whatever else was filled in before. */
static void send_rejected(struct bench *bench, uint64_t id, uint32_t before, uint16_t deciding)
{
	struct lookup_event event = make_event(id, before, 0);

	event.flags |= LOOKUP_REJECTED;
	event.deciding = deciding;
	send(bench, &event);
}

static struct lookup_record *take_next(struct bench *bench, uint64_t id, size_t count)
{
	struct lookup_record *record = collector_next(bench->collector);

	assert_non_null(record);
	assert_null(record->next);
	assert_int_equal(record->event->id, id);
	assert_int_equal(record->step_count, count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(record->steps[i].table, step_label(id, i));
	return record;
}

/* The next record must be id's, whole, and ended by its last step. */
static void next_is(struct bench *bench, uint64_t id, size_t count)
{
	struct lookup_record *record = take_next(bench, id, count);

	assert_int_equal(record->deciding, count ? count - 1 : SIZE_MAX);
	lookup_record_free(record);
}

static void no_next(struct bench *bench)
{
	assert_null(collector_next(bench->collector));
}

static void counts_are(struct bench *bench, uint64_t lost, uint64_t malformed)
{
	assert_int_equal(collector_counts(bench->collector).lost, lost);
	assert_int_equal(collector_counts(bench->collector).malformed, malformed);
}

/* --- whole events and parts ------------------------------------------------------------------ */

static void a_whole_event_becomes_a_record(void **state)
{
	struct bench *bench = *state;
	struct lookup_event event = make_event(1, 0, 3);
	struct lookup_record *record;

	event.duration_ns = 77;
	event.key.mark = 0xca6c;
	event.context.pid = 42;
	event.error = -EACCES;
	event.deciding = 1;
	send(bench, &event);
	record = take_next(bench, 1, 3);
	assert_memory_equal(record->event, &event, LOOKUP_EVENT_SIZE(3));
	assert_int_equal(record->deciding, 1);
	lookup_record_free(record);
	no_next(bench);
	counts_are(bench, 0, 0);
	assert_int_equal(bench->losses.calls, 0);
}

static void a_record_has_no_more_steps_than_it_says(void **state)
{
	struct bench *bench = *state;
	struct lookup_event event = make_event(1, 0, 2);

	/* The ring may hand out more bytes than were asked for. */
	feed(bench, &event, sizeof(event));
	next_is(bench, 1, 2);
	counts_are(bench, 0, 0);
}

static void a_walk_that_no_step_ended_has_no_deciding_one(void **state)
{
	struct bench *bench = *state;
	struct lookup_event event = make_event(1, 0, 2);
	struct lookup_record *record;

	event.deciding = LOOKUP_NO_STEP;
	send(bench, &event);
	send_end(bench, 2, 0, 0);
	record = take_next(bench, 1, 2);
	assert_int_equal(record->deciding, SIZE_MAX);
	lookup_record_free(record);
	next_is(bench, 2, 0);
	no_next(bench);
}

static void records_come_in_the_order_in_which_lookups_end(void **state)
{
	struct bench *bench = *state;

	send_part(bench, 1, 0, FULL);
	send_end(bench, 2, 0, 1);
	send_end(bench, 3, 0, 1);
	next_is(bench, 2, 1);
	send_end(bench, 1, FULL, 1);
	send_end(bench, 4, 0, 1);
	next_is(bench, 3, 1);
	next_is(bench, 1, FULL + 1);
	next_is(bench, 4, 1);
	no_next(bench);
	send_end(bench, 5, 0, 1);
	next_is(bench, 5, 1);
	counts_are(bench, 0, 0);
}

static void parts_are_joined_in_order(void **state)
{
	struct bench *bench = *state;

	send_part(bench, 1, 0, FULL);
	no_next(bench);
	send_part(bench, 1, FULL, FULL);
	send_part(bench, 1, 2 * FULL, FULL);
	no_next(bench);
	send_end(bench, 1, 3 * FULL, 5);
	next_is(bench, 1, 3 * FULL + 5);
	no_next(bench);
	counts_are(bench, 0, 0);
}

static void a_last_part_without_steps_ends_the_walk(void **state)
{
	struct bench *bench = *state;
	struct lookup_record *record;

	send_part(bench, 1, 0, FULL);
	send_end(bench, 1, FULL, 0);
	record = take_next(bench, 1, FULL);
	assert_int_equal(record->deciding, SIZE_MAX);
	lookup_record_free(record);
	counts_are(bench, 0, 0);
}

static void the_deciding_step_is_counted_from_the_first_part(void **state)
{
	struct bench *bench = *state;
	struct lookup_event event = make_event(1, 2 * FULL, 5);
	struct lookup_record *record;

	event.deciding = 3;
	send_part(bench, 1, 0, FULL);
	send_part(bench, 1, FULL, FULL);
	send(bench, &event);
	record = take_next(bench, 1, 2 * FULL + 5);
	assert_int_equal(record->deciding, 2 * FULL + 3);
	assert_int_equal(record->event->deciding, 3);
	lookup_record_free(record);
}

static void no_deciding_step_of_many_parts_stays_none(void **state)
{
	struct bench *bench = *state;
	struct lookup_event event = make_event(1, FULL, 5);
	struct lookup_record *record;

	event.deciding = LOOKUP_NO_STEP;
	send_part(bench, 1, 0, FULL);
	send(bench, &event);
	record = take_next(bench, 1, FULL + 5);
	assert_int_equal(record->deciding, SIZE_MAX);
	lookup_record_free(record);
}

static void interleaved_parts_come_apart(void **state)
{
	struct bench *bench = *state;

	send_part(bench, 1, 0, FULL);
	send_part(bench, 2, 0, FULL);
	send_part(bench, 2, FULL, FULL);
	send_part(bench, 1, FULL, FULL);
	send_part(bench, 3, 0, FULL);
	send_end(bench, 1, 2 * FULL, 1);
	send_end(bench, 3, FULL, 3);
	send_end(bench, 2, 2 * FULL, 2);
	next_is(bench, 1, 2 * FULL + 1);
	next_is(bench, 3, FULL + 3);
	next_is(bench, 2, 2 * FULL + 2);
	no_next(bench);
	counts_are(bench, 0, 0);
}

/* --- parts that are missing ------------------------------------------------------------------ */

static void a_missing_first_part_makes_a_lookup_lost(void **state)
{
	struct bench *bench = *state;

	send_end(bench, 1, FULL, 1);
	send_part(bench, 2, FULL, FULL);
	send_end(bench, 2, 2 * FULL, 1);
	no_next(bench);
	counts_are(bench, 2, 0);
}

static void a_missing_middle_part_makes_a_lookup_lost(void **state)
{
	struct bench *bench = *state;

	send_part(bench, 1, 0, FULL);
	send_part(bench, 1, 2 * FULL, FULL);
	send_end(bench, 1, 3 * FULL, 1);
	no_next(bench);
	counts_are(bench, 1, 0);
}

static void a_missing_part_before_the_last_makes_a_lookup_lost(void **state)
{
	struct bench *bench = *state;

	send_part(bench, 1, 0, FULL);
	send_end(bench, 1, 2 * FULL, 1);
	no_next(bench);
	counts_are(bench, 1, 0);
}

static void a_part_that_comes_twice_makes_a_lookup_no_longer(void **state)
{
	struct bench *bench = *state;

	send_part(bench, 1, 0, FULL);
	send_part(bench, 1, 0, FULL);
	send_end(bench, 1, FULL, 1);
	next_is(bench, 1, FULL + 1);
	send_part(bench, 2, 0, FULL);
	send_end(bench, 2, FULL - 1, 1);
	no_next(bench);
	counts_are(bench, 1, 0);
}

static void a_lost_lookup_leaves_nothing_behind(void **state)
{
	struct bench *bench = *state;

	send_part(bench, 1, 0, FULL);
	send_end(bench, 1, 2 * FULL, 1);
	/* Its first part is gone as well: this end has none. */
	send_end(bench, 1, FULL, 1);
	counts_are(bench, 2, 0);
	send_part(bench, 1, 0, FULL);
	send_end(bench, 1, FULL, 1);
	next_is(bench, 1, FULL + 1);
	no_next(bench);
	counts_are(bench, 2, 0);
}

static void a_lookup_that_was_joined_leaves_nothing_behind(void **state)
{
	struct bench *bench = *state;

	send_part(bench, 1, 0, FULL);
	send_end(bench, 1, FULL, 1);
	send_end(bench, 1, FULL, 1);
	next_is(bench, 1, FULL + 1);
	no_next(bench);
	counts_are(bench, 1, 0);
}

static void the_parts_of_a_rejected_lookup_are_forgotten(void **state)
{
	struct bench *bench = *state;

	send_part(bench, 1, 0, FULL);
	send_part(bench, 2, 0, FULL);
	send_rejected(bench, 1, FULL, LOOKUP_NO_STEP);
	no_next(bench);
	counts_are(bench, 0, 0);
	send_end(bench, 1, FULL, 1);
	no_next(bench);
	counts_are(bench, 1, 0);
	send_end(bench, 2, FULL, 1);
	next_is(bench, 2, FULL + 1);
}

/* The kernel side empties the steps and leaves deciding as the walk had it. */
static void a_rejected_lookup_that_a_step_had_ended_is_not_malformed(void **state)
{
	struct bench *bench = *state;

	send_part(bench, 1, 0, FULL);
	send_rejected(bench, 1, FULL, 4);
	no_next(bench);
	counts_are(bench, 0, 0);
	send_end(bench, 1, FULL, 1);
	no_next(bench);
	counts_are(bench, 1, 0);
}

static void a_rejected_lookup_of_which_a_part_is_missing_is_not_lost(void **state)
{
	struct bench *bench = *state;

	send_rejected(bench, 1, FULL, LOOKUP_NO_STEP);
	send_part(bench, 2, 0, FULL);
	send_rejected(bench, 2, 2 * FULL, LOOKUP_NO_STEP);
	no_next(bench);
	counts_are(bench, 0, 0);
}

static void many_lookups_without_an_end_take_bounded_memory(void **state)
{
	const uint64_t count = 5000;
	struct bench *bench = *state;

	for (uint64_t id = 1; id <= count; id++)
		send_part(bench, id, 0, FULL);
	/* The latest are those that may still end. */
	for (uint64_t id = 1; id <= count; id++)
		send_end(bench, id, FULL, 1);
	for (uint64_t id = count - PARTIALS_MAX + 1; id <= count; id++)
		next_is(bench, id, FULL + 1);
	no_next(bench);
	counts_are(bench, count - PARTIALS_MAX, 0);
}

static void a_lookup_that_ends_makes_room_for_another(void **state)
{
	struct bench *bench = *state;

	for (uint64_t id = 1; id <= PARTIALS_MAX; id++)
		send_part(bench, id, 0, 1);
	for (uint64_t id = PARTIALS_MAX + 1; id <= 4 * PARTIALS_MAX; id++) {
		send_end(bench, id - 1, 1, 1);
		next_is(bench, id - 1, 2);
		send_part(bench, id, 0, 1);
	}
	send_end(bench, 1, 1, 1);
	next_is(bench, 1, 2);
	counts_are(bench, 0, 0);
}

/* --- what no program of ours sends ----------------------------------------------------------- */

/* The event that the rows below are changes of. */
static struct lookup_event sound_event(void)
{
	return make_event(9, 0, 2);
}

static void events_cut_at_any_length_are_malformed(void **state)
{
	struct bench *bench = *state;
	struct lookup_event event = sound_event();
	size_t size = LOOKUP_EVENT_SIZE(2);

	event.refused = 7;
	for (size_t cut = 0; cut < size; cut++) {
		feed(bench, &event, cut);
		no_next(bench);
		counts_are(bench, 0, cut + 1);
	}
	assert_int_equal(bench->losses.calls, 0);
	feed(bench, &event, size);
	next_is(bench, 9, 2);
	counts_are(bench, 0, size);
}

/* A number, or every byte, of the event that is not as it should be. */
struct change {
	const char *what;
	size_t offset;
	size_t size;
	int64_t value; /* of a number */
	bool fill; /* all bytes are that of value */
};

#define NUMBER(member, to)                                                                         \
	{                                                                                          \
		.what = #member " " #to, .offset = offsetof(struct lookup_event, member),          \
		.size = sizeof(((struct lookup_event *)0)->member), .value = (to),                 \
	}
#define FILLED(member)                                                                             \
	{                                                                                          \
		.what = #member, .offset = offsetof(struct lookup_event, member),                  \
		.size = sizeof(((struct lookup_event *)0)->member), .value = 'x', .fill = true,    \
	}

static const struct change unsound[] = {
	NUMBER(header.type, 0),
	NUMBER(header.type, EVENT_BEGIN),
	NUMBER(header.type, EVENT_TABLE),
	NUMBER(header.type, 255),
	NUMBER(step_count, 3), /* of which two were sent */
	NUMBER(step_count, FULL),
	NUMBER(step_count, FULL + 1),
	NUMBER(step_count, 0xffff),
	NUMBER(deciding, 2),
	NUMBER(deciding, FULL),
	NUMBER(deciding, 0xfffe),
	NUMBER(purpose, PURPOSE_COUNT),
	NUMBER(purpose, 255),
	NUMBER(cause, CAUSE_COUNT),
	NUMBER(cause, 255),
	NUMBER(error, 1),
	NUMBER(error, INT32_MAX),
	NUMBER(error, INT32_MIN), /* has no absolute value */
	NUMBER(route.prefix_length, 129),
	NUMBER(steps[0].error, 1),
	NUMBER(steps[1].error, INT32_MAX),
	NUMBER(steps[1].rule.src_length, 129),
	NUMBER(steps[1].rule.dst_length, 255),
	NUMBER(steps[1].route.prefix_length, 129),
	FILLED(context.comm),
	FILLED(steps[0].rule.iif),
	FILLED(steps[1].rule.oif),
};

static const struct change sound[] = {
	NUMBER(step_count, 0),
	NUMBER(step_count, 1),
	NUMBER(deciding, 0),
	NUMBER(deciding, LOOKUP_NO_STEP),
	NUMBER(purpose, PURPOSE_COUNT - 1),
	NUMBER(cause, CAUSE_COUNT - 1),
	NUMBER(error, -4095), /* MAX_ERRNO */
	NUMBER(route.prefix_length, 128),
	NUMBER(steps[1].error, -4095),
	NUMBER(steps[1].rule.src_length, 128),
	NUMBER(steps[1].rule.dst_length, 128),
	NUMBER(steps[1].route.prefix_length, 128),
	FILLED(steps[0].rule.src),
};

static struct lookup_event change_event(const struct change *change)
{
	struct lookup_event event = sound_event();
	char *at = (char *)&event + change->offset;

	event.refused = 7;
	if (change->fill)
		memset(at, change->value, change->size);
	else
		memcpy(at, &change->value, change->size); /* little-endian, as BPF is here */
	if (event.step_count < 2)
		event.deciding = LOOKUP_NO_STEP;
	return event;
}

/* A lookup under way and the counters of the CPUs are as before. */
static void unsound_events_are_counted_and_change_nothing(void **state)
{
	struct bench *bench = *state;

	send_part(bench, 9, 0, FULL);
	for (size_t i = 0; i < ARRAY_SIZE(unsound); i++) {
		struct lookup_event event = change_event(&unsound[i]);

		feed(bench, &event, LOOKUP_EVENT_SIZE(2));
		event.flags |= LOOKUP_PART;
		event.steps_before = FULL;
		feed(bench, &event, LOOKUP_EVENT_SIZE(2));
		if (collector_counts(bench->collector).malformed != 2 * (i + 1))
			fail_msg("%s was taken", unsound[i].what);
	}
	no_next(bench);
	counts_are(bench, 0, 2 * ARRAY_SIZE(unsound));
	assert_int_equal(bench->losses.calls, 0);
	send_end(bench, 9, FULL, 1);
	next_is(bench, 9, FULL + 1);
}

static void more_steps_than_an_event_holds_are_malformed(void **state)
{
	struct bench *bench = *state;
	struct {
		struct lookup_event event;
		struct step_event more;
	} large = { .event = make_event(1, 0, FULL) };

	large.event.step_count++;
	feed(bench, &large, sizeof(large));
	no_next(bench);
	counts_are(bench, 0, 1);
	large.event.step_count--;
	feed(bench, &large, sizeof(large));
	next_is(bench, 1, FULL);
}

static void the_largest_values_that_can_be_are_taken(void **state)
{
	struct bench *bench = *state;
	struct lookup_event named = sound_event();

	for (size_t i = 0; i < ARRAY_SIZE(sound); i++) {
		struct lookup_event event = change_event(&sound[i]);
		struct lookup_record *record;

		send(bench, &event);
		record = collector_next(bench->collector);
		if (!record)
			fail_msg("%s was refused", sound[i].what);
		lookup_record_free(record);
	}
	memset(named.context.comm, 'x', sizeof(named.context.comm) - 1);
	memset(named.steps[1].rule.iif, 'x', sizeof(named.steps[1].rule.iif) - 1);
	memset(named.steps[1].rule.oif, 'x', sizeof(named.steps[1].rule.oif) - 1);
	send(bench, &named);
	next_is(bench, 9, 2);
	counts_are(bench, 0, 0);
}

/* Of a step that is not sent nothing is checked: there is none. */
static void what_lies_behind_the_last_step_is_not_looked_at(void **state)
{
	struct bench *bench = *state;
	struct lookup_event event = sound_event();

	memset(&event.steps[2], 0xff, sizeof(event.steps[2]));
	feed(bench, &event, sizeof(event));
	next_is(bench, 9, 2);
	counts_are(bench, 0, 0);
}

static void parts_without_steps_do_no_harm(void **state)
{
	struct bench *bench = *state;

	send_part(bench, 1, 0, 0);
	send_part(bench, 1, 0, 0);
	send_part(bench, 1, 0, 2);
	send_part(bench, 1, 2, 0);
	send_end(bench, 1, 2, 1);
	next_is(bench, 1, 3);
	no_next(bench);
}

/* --- what a CPU could not send --------------------------------------------------------------- */

static void send_refused(struct bench *bench, uint16_t cpu, uint32_t refused)
{
	struct lookup_event event = make_event(1, 0, 0);

	event.header.cpu = cpu;
	event.refused = refused;
	send(bench, &event);
	next_is(bench, 1, 0);
}

/* What was told since the last call. */
static void told_is(struct bench *bench, unsigned int calls, uint64_t lookups)
{
	assert_int_equal(bench->losses.calls, calls);
	assert_int_equal(bench->losses.lookups, lookups);
	bench->losses = (struct losses){ 0 };
}

static void only_an_increase_of_what_was_refused_is_told(void **state)
{
	struct bench *bench = *state;

	send_refused(bench, 3, 0);
	told_is(bench, 0, 0);
	send_refused(bench, 3, 4);
	assert_int_equal(bench->losses.cpu, 3);
	assert_int_equal(bench->losses.time_ns, 1001);
	told_is(bench, 1, 4);
	send_refused(bench, 3, 4);
	told_is(bench, 0, 0);
	send_refused(bench, 3, 5);
	told_is(bench, 1, 1);
	counts_are(bench, 0, 0);
}

static uint64_t holes_before_next(struct bench *bench)
{
	struct lookup_record *record = collector_next(bench->collector);
	uint64_t holes;

	assert_non_null(record);
	holes = record->holes;
	lookup_record_free(record);
	return holes;
}

static void a_record_knows_how_often_others_were_missing_before_it(void **state)
{
	struct lookup_event event = make_event(1, 0, 0);
	struct bench *bench = *state;

	send(bench, &event);
	event.refused = 4;
	send(bench, &event);
	send(bench, &event);
	event.header.cpu = 1;
	event.refused = 1;
	send(bench, &event);
	assert_int_equal(holes_before_next(bench), 0);
	assert_int_equal(holes_before_next(bench), 1);
	assert_int_equal(holes_before_next(bench), 1);
	assert_int_equal(holes_before_next(bench), 2);
}

static void each_cpu_counts_for_itself(void **state)
{
	struct bench *bench = *state;

	send_refused(bench, 0, 2);
	send_refused(bench, 1, 2);
	send_refused(bench, 0xffff, 2);
	assert_int_equal(bench->losses.cpu, 0xffff);
	told_is(bench, 3, 6);
	send_refused(bench, 1, 3);
	send_refused(bench, 0, 2);
	told_is(bench, 1, 1);
}

/* A lookup of a softirq may be sent between the task's reading the counter and its sending. */
static void events_of_a_cpu_out_of_order_tell_nothing_twice(void **state)
{
	struct bench *bench = *state;

	send_refused(bench, 0, 5);
	told_is(bench, 1, 5);
	send_refused(bench, 0, 3);
	send_refused(bench, 0, 0);
	told_is(bench, 0, 0);
	send_refused(bench, 0, 5);
	told_is(bench, 0, 0);
	send_refused(bench, 0, 6);
	told_is(bench, 1, 1);
}

static void what_was_refused_goes_on_past_its_largest_number(void **state)
{
	struct bench *bench = *state;

	send_refused(bench, 0, INT32_MAX);
	send_refused(bench, 0, UINT32_MAX - 1);
	told_is(bench, 2, UINT32_MAX - 1);
	send_refused(bench, 0, 2);
	told_is(bench, 1, 4);
	/* Out of order over the largest number. */
	send_refused(bench, 0, UINT32_MAX);
	told_is(bench, 0, 0);
	send_refused(bench, 0, 3);
	told_is(bench, 1, 1);
}

static void parts_and_rejected_lookups_tell_what_was_refused_too(void **state)
{
	struct bench *bench = *state;
	struct lookup_event part = make_event(1, 0, FULL);
	struct lookup_event rejected = make_event(1, FULL, 0);

	part.flags |= LOOKUP_PART;
	part.refused = 2;
	send(bench, &part);
	told_is(bench, 1, 2);
	rejected.flags |= LOOKUP_REJECTED;
	rejected.refused = 3;
	send(bench, &rejected);
	told_is(bench, 1, 1);
}

static void what_was_refused_behind_the_last_event_is_told_at_the_end(void **state)
{
	const struct event_header end = { .time_ns = 5, .cpu = 2 };
	struct bench *bench = *state;

	send_refused(bench, 2, 4);
	told_is(bench, 1, 4);
	collector_end(bench->collector, &end, 9, count_loss, &bench->losses);
	assert_int_equal(bench->losses.cpu, 2);
	assert_int_equal(bench->losses.time_ns, 5);
	told_is(bench, 1, 5);
	collector_end(bench->collector, &end, 9, count_loss, &bench->losses);
	told_is(bench, 0, 0);
}

static void nobody_need_be_told_what_was_refused(void **state)
{
	struct bench *bench = *state;
	struct lookup_event event = make_event(1, 0, 1);

	event.refused = 3;
	assert_int_equal(collector_add(bench->collector, &event.header, LOOKUP_EVENT_SIZE(1), NULL,
				       NULL),
			 0);
	collector_end(bench->collector, &event.header, 4, NULL, NULL);
	next_is(bench, 1, 1);
	collector_end(bench->collector, &event.header, 5, count_loss, &bench->losses);
	told_is(bench, 1, 1);
}

/* --- memory, and everything at once ---------------------------------------------------------- */

/* The sanitizer tells when anything is freed twice or never. */
static void a_collector_is_freed_in_every_state(void **state)
{
	struct bench bench = { 0 };

	(void)state;
	for (unsigned int holds = 0; holds < 8; holds++) {
		struct lookup_record *record;

		bench.collector = collector_new();
		assert_non_null(bench.collector);
		if (holds & 1)
			send_end(&bench, 1, 0, 2);
		if (holds & 2)
			send_part(&bench, 2, 0, FULL);
		if (holds & 4) {
			send_part(&bench, 3, 0, FULL);
			send_part(&bench, 3, FULL, FULL);
			send_end(&bench, 3, 2 * FULL, 1);
		}
		record = collector_next(bench.collector);
		collector_free(bench.collector);
		/* A record that was taken is no longer the collector's. */
		if (record)
			assert_int_equal(record->steps[0].table, step_label(record->event->id, 0));
		lookup_record_free(record);
	}
	collector_free(NULL);
	lookup_record_free(NULL);
}

/* splitmix64: the same sequence of a seed on every machine. */
static uint32_t random_below(uint64_t *random, uint32_t limit)
{
	uint64_t z = *random += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return ((z ^ (z >> 31)) >> 32) % limit;
}

/* A walk as the kernel side has it: sent so far, and whether an event of it did not fit. */
struct walking {
	uint64_t id;
	unsigned int parts; /* still to come before the end */
	uint32_t sent;
	bool hole;
};

/* What must come of the walks that ended: those without a hole, in the order of their ends. */
struct expected {
	struct walking ended[64];
	size_t count;
	uint64_t lost;
};

static void walking_begin(struct walking *walking, uint64_t id, uint64_t *random)
{
	*walking = (struct walking){ .id = id, .parts = random_below(random, 5) };
}

/* Sends the next event of the walk, or drops it; true when that was its end. */
static bool walking_go_on(struct bench *bench, struct walking *walking, uint64_t *random,
			  struct expected *expected)
{
	uint16_t count = 1 + random_below(random, FULL);
	bool dropped = random_below(random, 8) == 0;

	if (walking->parts--) {
		if (!dropped)
			send_part(bench, walking->id, walking->sent, count);
		walking->hole |= dropped;
		walking->sent += count;
		return false;
	}
	if (dropped)
		return true;
	send_end(bench, walking->id, walking->sent, count);
	walking->sent += count;
	if (walking->hole)
		expected->lost++;
	else
		expected->ended[expected->count++] = *walking;
	return true;
}

static void lookups_with_a_hole_are_lost_and_no_others(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 300; seed++) {
		struct bench bench = { .collector = collector_new() };
		struct expected expected = { 0 };
		struct walking walking[6];
		uint64_t random = seed, id = 0;

		assert_non_null(bench.collector);
		for (size_t i = 0; i < ARRAY_SIZE(walking); i++)
			walking_begin(&walking[i], ++id, &random);
		while (id < ARRAY_SIZE(expected.ended)) {
			struct walking *one = &walking[random_below(&random, ARRAY_SIZE(walking))];

			if (walking_go_on(&bench, one, &random, &expected))
				walking_begin(one, ++id, &random);
		}
		for (size_t i = 0; i < expected.count; i++)
			next_is(&bench, expected.ended[i].id, expected.ended[i].sent);
		no_next(&bench);
		counts_are(&bench, expected.lost, 0);
		collector_free(bench.collector);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_whole_event_becomes_a_record),
		TEST(a_record_has_no_more_steps_than_it_says),
		TEST(a_walk_that_no_step_ended_has_no_deciding_one),
		TEST(records_come_in_the_order_in_which_lookups_end),
		TEST(parts_are_joined_in_order),
		TEST(a_last_part_without_steps_ends_the_walk),
		TEST(the_deciding_step_is_counted_from_the_first_part),
		TEST(no_deciding_step_of_many_parts_stays_none),
		TEST(interleaved_parts_come_apart),
		TEST(a_missing_first_part_makes_a_lookup_lost),
		TEST(a_missing_middle_part_makes_a_lookup_lost),
		TEST(a_missing_part_before_the_last_makes_a_lookup_lost),
		TEST(a_part_that_comes_twice_makes_a_lookup_no_longer),
		TEST(a_lost_lookup_leaves_nothing_behind),
		TEST(a_lookup_that_was_joined_leaves_nothing_behind),
		TEST(the_parts_of_a_rejected_lookup_are_forgotten),
		TEST(a_rejected_lookup_that_a_step_had_ended_is_not_malformed),
		TEST(a_rejected_lookup_of_which_a_part_is_missing_is_not_lost),
		TEST(many_lookups_without_an_end_take_bounded_memory),
		TEST(a_lookup_that_ends_makes_room_for_another),
		TEST(events_cut_at_any_length_are_malformed),
		TEST(unsound_events_are_counted_and_change_nothing),
		TEST(more_steps_than_an_event_holds_are_malformed),
		TEST(the_largest_values_that_can_be_are_taken),
		TEST(what_lies_behind_the_last_step_is_not_looked_at),
		TEST(only_an_increase_of_what_was_refused_is_told),
		TEST(a_record_knows_how_often_others_were_missing_before_it),
		TEST(each_cpu_counts_for_itself),
		TEST(events_of_a_cpu_out_of_order_tell_nothing_twice),
		TEST(what_was_refused_goes_on_past_its_largest_number),
		TEST(parts_and_rejected_lookups_tell_what_was_refused_too),
		TEST(what_was_refused_behind_the_last_event_is_told_at_the_end),
		TEST(nobody_need_be_told_what_was_refused),
		cmocka_unit_test(a_collector_is_freed_in_every_state),
		cmocka_unit_test(lookups_with_a_hole_are_lost_and_no_others),
		TEST(parts_without_steps_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
