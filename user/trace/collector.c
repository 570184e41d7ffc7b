// SPDX-License-Identifier: GPL-2.0-only
/* Puts the events of the exact tiers together into records. */
#include "trace/collector.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trace/lookup.h"

#define CPUS_MAX (1u << 16) /* as many as an event can name */
/* Walks of more than one event are rare, and few of them are under way at once. */
#define PARTIALS_MAX 256
/* The kernel's MAX_ERRNO. */
#define ERROR_MIN (-4095)

/* The steps so far of a walk that is longer than one event. */
struct partial {
	struct partial *next;
	uint64_t id;
	size_t step_count;
	struct step_event *steps;
};

struct collector {
	struct collector_counts counts;
	uint64_t holes;
	uint32_t *refused; /* by CPU: what was told last */
	struct partial *partials; /* the latest first */
	size_t partial_count;
	struct lookup_record *first;
	struct lookup_record *last;
};

struct collector *collector_new(void)
{
	struct collector *collector = calloc(1, sizeof(*collector));

	if (collector)
		collector->refused = calloc(CPUS_MAX, sizeof(*collector->refused));
	if (collector && collector->refused)
		return collector;
	free(collector);
	errno = ENOMEM;
	return NULL;
}

static void partial_free(struct partial *partial)
{
	free(partial->steps);
	free(partial);
}

void lookup_record_free(struct lookup_record *record)
{
	if (!record)
		return;
	if (record->steps != record->event->steps)
		free(record->steps);
	free(record->event);
	free(record);
}

void collector_free(struct collector *collector)
{
	struct lookup_record *record;

	if (!collector)
		return;
	while ((record = collector_next(collector)))
		lookup_record_free(record);
	while (collector->partials) {
		struct partial *partial = collector->partials;

		collector->partials = partial->next;
		partial_free(partial);
	}
	free(collector->refused);
	free(collector);
}

/* The place of a partial in the list; at its end when there is none of this id. */
static struct partial **partial_find(struct collector *collector, uint64_t id)
{
	struct partial **at = &collector->partials;

	while (*at && (*at)->id != id)
		at = &(*at)->next;
	return at;
}

static struct partial *partial_take(struct collector *collector, uint64_t id)
{
	struct partial **at = partial_find(collector, id);
	struct partial *partial = *at;

	if (!partial)
		return NULL;
	*at = partial->next;
	collector->partial_count--;
	return partial;
}

/* The oldest, whose last part did not fit into the ring: the kernel side has counted it. */
static void partials_shrink(struct collector *collector)
{
	struct partial **at = &collector->partials;

	if (collector->partial_count < PARTIALS_MAX)
		return;
	while ((*at)->next)
		at = &(*at)->next;
	partial_free(*at);
	*at = NULL;
	collector->partial_count--;
}

static struct partial *partial_get(struct collector *collector, uint64_t id)
{
	struct partial *partial = *partial_find(collector, id);

	if (partial)
		return partial;
	partials_shrink(collector);
	partial = calloc(1, sizeof(*partial));
	if (!partial)
		return NULL;
	partial->id = id;
	partial->next = collector->partials;
	collector->partials = partial;
	collector->partial_count++;
	return partial;
}

static int partial_append(struct partial *partial, const struct lookup_event *event)
{
	size_t count = partial->step_count + event->step_count;
	struct step_event *steps = reallocarray(partial->steps, count, sizeof(*steps));

	if (!steps)
		return -ENOMEM;
	partial->steps = steps;
	memcpy(&steps[partial->step_count], event->steps, event->step_count * sizeof(*steps));
	partial->step_count = count;
	return 0;
}

static int part_add(struct collector *collector, const struct lookup_event *event)
{
	struct partial *partial = partial_get(collector, event->id);

	if (!partial)
		return -ENOMEM;
	/* A hole: the last event will not find as many steps as it says came before. */
	if (partial->step_count != event->steps_before ||
	    partial->step_count + event->step_count > LOOKUP_STEPS_MAX)
		return 0;
	return partial_append(partial, event);
}

static void record_queue(struct collector *collector, struct lookup_record *record)
{
	if (collector->last)
		collector->last->next = record;
	else
		collector->first = record;
	collector->last = record;
}

static struct lookup_record *record_new(const struct collector *collector,
					const struct lookup_event *event, size_t size)
{
	struct lookup_record *record = calloc(1, sizeof(*record));

	if (!record)
		return NULL;
	record->event = malloc(size);
	if (!record->event) {
		free(record);
		return NULL;
	}
	memcpy(record->event, event, size);
	record->steps = record->event->steps;
	record->step_count = event->step_count;
	record->holes = collector->holes;
	record->deciding = event->deciding == LOOKUP_NO_STEP ? SIZE_MAX : event->deciding;
	return record;
}

/* Puts the steps of the earlier parts before those of the last. */
static int record_complete(struct lookup_record *record, struct partial *partial)
{
	size_t before = partial->step_count;
	int err = partial_append(partial, record->event);

	if (err)
		return err;
	record->steps = partial->steps;
	partial->steps = NULL;
	record->step_count = partial->step_count;
	if (record->deciding != SIZE_MAX)
		record->deciding += before;
	return 0;
}

static int whole_add(struct collector *collector, const struct lookup_event *event, size_t size)
{
	struct partial *partial = event->steps_before ? partial_take(collector, event->id) : NULL;
	struct lookup_record *record = NULL;
	int err = 0;

	if (event->flags & LOOKUP_REJECTED)
		goto out;
	if (event->steps_before && (!partial || partial->step_count != event->steps_before ||
				    partial->step_count + event->step_count > LOOKUP_STEPS_MAX)) {
		collector->counts.lost++;
		goto out;
	}
	record = record_new(collector, event, size);
	if (!record)
		err = -ENOMEM;
	if (record && partial)
		err = record_complete(record, partial);
	if (!err) {
		record_queue(collector, record);
		record = NULL;
	}
out:
	if (partial)
		partial_free(partial);
	lookup_record_free(record);
	return err;
}

static bool error_valid(int32_t error)
{
	return error <= 0 && error >= ERROR_MIN;
}

static bool step_valid(const struct step_event *step)
{
	return memchr(step->rule.iif, '\0', sizeof(step->rule.iif)) &&
	       memchr(step->rule.oif, '\0', sizeof(step->rule.oif)) && error_valid(step->error) &&
	       step->rule.src_length <= 128 && step->rule.dst_length <= 128 &&
	       step->route.prefix_length <= 128;
}

static bool event_valid(const struct lookup_event *event, size_t size)
{
	if (size < LOOKUP_EVENT_SIZE(0) || event->step_count > LOOKUP_STEPS_PER_EVENT ||
	    size < LOOKUP_EVENT_SIZE(event->step_count))
		return false;
	if (event->deciding != LOOKUP_NO_STEP && event->deciding >= event->step_count &&
	    !(event->flags & LOOKUP_REJECTED))
		return false;
	if (event->flags & LOOKUP_PART && !event->step_count)
		return false;
	if (event->purpose >= PURPOSE_COUNT || event->cause >= CAUSE_COUNT ||
	    !error_valid(event->error))
		return false;
	if (!memchr(event->context.comm, '\0', sizeof(event->context.comm)) ||
	    event->route.prefix_length > 128)
		return false;
	for (uint16_t i = 0; i < event->step_count; i++) {
		if (!step_valid(&event->steps[i]))
			return false;
	}
	return true;
}

/* The counter of a CPU only grows; events of two levels of it may come out of order. */
static void refused_check(struct collector *collector, const struct event_header *header,
			  uint32_t refused, collector_lost lost, void *data)
{
	uint32_t more = refused - collector->refused[header->cpu];

	if (!more || more > UINT32_MAX / 2)
		return;
	collector->refused[header->cpu] = refused;
	collector->holes++;
	if (lost)
		lost(data, header, more);
}

int collector_add(struct collector *collector, const struct event_header *event, size_t size,
		  collector_lost lost, void *data)
{
	const struct lookup_event *lookup = (const struct lookup_event *)event;

	if (size < sizeof(*event) || event->type != EVENT_LOOKUP || !event_valid(lookup, size)) {
		collector->counts.malformed++;
		return 0;
	}
	refused_check(collector, event, lookup->refused, lost, data);
	if (lookup->flags & LOOKUP_PART)
		return part_add(collector, lookup);
	return whole_add(collector, lookup, LOOKUP_EVENT_SIZE(lookup->step_count));
}

void collector_end(struct collector *collector, const struct event_header *header, uint32_t refused,
		   collector_lost lost, void *data)
{
	refused_check(collector, header, refused, lost, data);
}

struct lookup_record *collector_next(struct collector *collector)
{
	struct lookup_record *record = collector->first;

	if (!record)
		return NULL;
	collector->first = record->next;
	if (!collector->first)
		collector->last = NULL;
	record->next = NULL;
	return record;
}

struct collector_counts collector_counts(const struct collector *collector)
{
	return collector->counts;
}
