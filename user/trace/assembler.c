// SPDX-License-Identifier: GPL-2.0-only
/* Puts the events of the tracepoint tier together into walks. */
#include "trace/assembler.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/list.h"

#define BUCKETS (1u << 14)
/* As many call sites are remembered as the kernel remembers tasks, and more. */
#define SHOWN_MAX (1u << 15)
#define CPUS_MAX (1u << 16)
/* A walk of more answers than a kernel could give is hostile input. */
#define ANSWERS_MAX (1u << 16)

struct entry {
	struct walk_record walk;
	struct entry *next_in_bucket;
	struct list_node order; /* in changed, shown or waiting */
	uint64_t successor; /* id of an entry that may be the same walk, 0: none */
};

struct assembler {
	const struct symbols *symbols;
	struct assembler_counts counts;
	struct list_node changed; /* something happened since they were returned */
	struct list_node waiting; /* nothing happened, not done */
	struct list_node shown; /* done: kept for their origin */
	size_t shown_count;
	uint64_t holes; /* in the sequences of all CPUs */
	uint32_t *last_seq; /* by CPU; the first event of each is number 1 */
	struct entry *buckets[BUCKETS];
};

struct assembler *assembler_new(const struct symbols *symbols)
{
	struct assembler *assembler = calloc(1, sizeof(*assembler));

	if (!assembler)
		return NULL;
	assembler->symbols = symbols;
	list_init(&assembler->changed);
	list_init(&assembler->waiting);
	list_init(&assembler->shown);
	assembler->last_seq = calloc(CPUS_MAX, sizeof(*assembler->last_seq));
	if (assembler->last_seq)
		return assembler;
	assembler_free(assembler);
	errno = ENOMEM;
	return NULL;
}

static struct entry *entry_of(struct list_node *node)
{
	return list_entry(node, struct entry, order);
}

static void entry_free(struct entry *entry)
{
	free(entry->walk.answers);
	free(entry);
}

void assembler_free(struct assembler *assembler)
{
	if (!assembler)
		return;
	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct entry *entry = assembler->buckets[i]; entry;) {
			struct entry *next = entry->next_in_bucket;

			entry_free(entry);
			entry = next;
		}
	}
	free(assembler->last_seq);
	free(assembler);
}

/* Ids are a CPU's count above the CPU's number. */
static size_t bucket_of(uint64_t id)
{
	return (id ^ id >> 16) * 0x9e3779b97f4a7c15ull >> 50;
}

static struct entry *entry_find(const struct assembler *assembler, uint64_t id)
{
	struct entry *entry = assembler->buckets[bucket_of(id)];

	while (entry && entry->walk.id != id)
		entry = entry->next_in_bucket;
	return entry;
}

static void entry_unhash(struct assembler *assembler, struct entry *entry)
{
	struct entry **at = &assembler->buckets[bucket_of(entry->walk.id)];

	while (*at != entry)
		at = &(*at)->next_in_bucket;
	*at = entry->next_in_bucket;
}

static void entry_hash(struct assembler *assembler, struct entry *entry)
{
	struct entry **bucket = &assembler->buckets[bucket_of(entry->walk.id)];

	entry->next_in_bucket = *bucket;
	*bucket = entry;
}

static void entry_remove(struct assembler *assembler, struct entry *entry)
{
	if (entry->walk.shown)
		assembler->shown_count--;
	list_remove(&entry->order);
	entry_unhash(assembler, entry);
	entry_free(entry);
}

static void entry_changed(struct assembler *assembler, struct entry *entry)
{
	list_remove(&entry->order);
	list_append(&assembler->changed, &entry->order);
}

static int walk_add_answer(struct walk_record *walk, const struct table_answer *answer)
{
	if (walk->answer_count == walk->answer_capacity) {
		size_t capacity = walk->answer_capacity ? 2 * walk->answer_capacity : 4;
		struct table_answer *grown = reallocarray(walk->answers, capacity, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		walk->answers = grown;
		walk->answer_capacity = capacity;
	}
	walk->answers[walk->answer_count++] = *answer;
	return 0;
}

static int walk_add_held(struct walk_record *walk, const struct begin_event *begin)
{
	for (unsigned int i = 0; i < begin->held_count; i++) {
		struct table_answer answer = { .table = begin->held[i], .error = -EAGAIN };
		int err = walk_add_answer(walk, &answer);

		if (err)
			return err;
	}
	return 0;
}

/* The walk that this one follows has ended, unless it may be the same one. */
static void predecessor_end(struct assembler *assembler, struct entry *entry,
			    const struct begin_event *begin)
{
	struct entry *previous = begin->previous ? entry_find(assembler, begin->previous) : NULL;

	if (!previous)
		return;
	if (begin->flags & BEGIN_SAME_SITE)
		entry->walk.origin = previous->walk.origin;
	if (previous->walk.shown) {
		entry_remove(assembler, previous);
		return;
	}
	previous->walk.lost |= !!(begin->flags & BEGIN_PREVIOUS_LOST);
	previous->walk.ended = true;
	if (!memcmp(&previous->walk.key, &begin->key, sizeof(begin->key)))
		previous->successor = begin->walk;
	entry_changed(assembler, previous);
}

static bool begin_sound(const struct begin_event *begin, size_t size)
{
	size_t stack = begin->stack_count * sizeof(uint64_t);

	return begin->walk && begin->walk != begin->previous &&
	       begin->held_count <= EVENT_HELD_MAX && begin->stack_count <= EVENT_STACK_DEPTH &&
	       size >= sizeof(*begin) + stack;
}

static int begin_add(struct assembler *assembler, const struct begin_event *begin, size_t size)
{
	const struct begin_stack *stack = (const void *)(begin + 1);
	struct entry *entry;

	if (size < sizeof(*begin) || !begin_sound(begin, size) ||
	    entry_find(assembler, begin->walk)) {
		assembler->counts.malformed++;
		return 0;
	}
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return -ENOMEM;
	entry->walk = (struct walk_record){
		.id = begin->walk,
		.time_ns = begin->header.time_ns,
		.holes = assembler->holes,
		.cpu = begin->header.cpu,
		.context = begin->context,
		.key = begin->key,
		.rejected = begin->flags & BEGIN_REJECTED,
	};
	list_init(&entry->order);
	entry->walk.origin =
		stack_origin(assembler->symbols, stack->address, begin->stack_count, begin);
	if (walk_add_held(&entry->walk, begin) || walk_add_answer(&entry->walk, &begin->answer)) {
		entry_free(entry);
		return -ENOMEM;
	}
	entry_hash(assembler, entry);
	predecessor_end(assembler, entry, begin);
	entry_changed(assembler, entry);
	assembler->counts.begun += !entry->walk.rejected;
	assembler->counts.rejected += entry->walk.rejected;
	return 0;
}

/*
 * An answer behind the end of a walk that was explained. Misses may be empty
 * tables that were taken for missing ones, and changed nothing. Anything else
 * begins a walk with the same flow, whose first table is another since the rules
 * have changed: the kernel side cannot tell. False: it was only a miss.
 */
static bool walk_restart(struct assembler *assembler, struct entry *entry,
			 const struct table_event *event)
{
	if (event->answer.error == -EAGAIN)
		return false;
	entry->walk.shown = false;
	entry->walk.time_ns = event->header.time_ns;
	assembler->shown_count--;
	assembler->counts.continued++;
	return true;
}

static int table_add(struct assembler *assembler, const struct table_event *event, size_t size)
{
	struct entry *entry = size >= sizeof(*event) ? entry_find(assembler, event->walk) : NULL;
	int err;

	if (!entry || entry->walk.ended || entry->walk.answer_count >= ANSWERS_MAX) {
		assembler->counts.malformed++;
		return 0;
	}
	if (entry->walk.elsewhere)
		return 0;
	err = walk_add_answer(&entry->walk, &event->answer);
	if (err)
		return err;
	if (entry->walk.shown && !walk_restart(assembler, entry, event))
		return 0;
	entry_changed(assembler, entry);
	return 0;
}

/* The numbers between the last event of a CPU and this one that belong to none that came. */
static uint32_t sequence_hole(struct assembler *assembler, const struct event_header *header,
			      uint32_t next)
{
	uint32_t hole = next - assembler->last_seq[header->cpu] - 1;

	/* Events of one CPU are numbered as they reserve their place: a step back is none of ours. */
	if (hole > UINT32_MAX / 2)
		return 0;
	assembler->last_seq[header->cpu] = header->seq;
	return hole;
}

static void sequence_check(struct assembler *assembler, const struct event_header *header,
			   assembler_lost lost, void *data)
{
	uint32_t hole = sequence_hole(assembler, header, header->seq);

	assembler->holes += hole > 0;
	if (hole && lost)
		lost(data, header, hole);
}

void assembler_end_sequence(struct assembler *assembler, const struct event_header *header,
			    assembler_lost lost, void *data)
{
	uint32_t hole = sequence_hole(assembler, header, header->seq + 1);

	if (hole && lost)
		lost(data, header, hole);
}

int assembler_add(struct assembler *assembler, const struct event_header *event, size_t size,
		  assembler_lost lost, void *data)
{
	if (size < sizeof(*event)) {
		assembler->counts.malformed++;
		return 0;
	}
	sequence_check(assembler, event, lost, data);
	switch (event->type) {
	case EVENT_BEGIN:
		return begin_add(assembler, (const struct begin_event *)event, size);
	case EVENT_TABLE:
		return table_add(assembler, (const struct table_event *)event, size);
	default:
		assembler->counts.malformed++;
		return 0;
	}
}

struct walk_record *assembler_next(struct assembler *assembler)
{
	struct entry *entry;

	if (list_empty(&assembler->changed))
		return NULL;
	entry = entry_of(assembler->changed.next);
	list_remove(&entry->order);
	list_append(&assembler->waiting, &entry->order);
	return &entry->walk;
}

static struct entry *entry_of_walk(struct walk_record *walk)
{
	return (struct entry *)((char *)walk - offsetof(struct entry, walk));
}

void assembler_again(struct assembler *assembler, struct walk_record *walk)
{
	entry_changed(assembler, entry_of_walk(walk));
}

void assembler_done(struct assembler *assembler, struct walk_record *walk)
{
	struct entry *entry = entry_of_walk(walk);

	free(walk->answers);
	walk->answers = NULL;
	walk->answer_count = walk->answer_capacity = 0;
	walk->shown = true;
	list_remove(&entry->order);
	list_append(&assembler->shown, &entry->order);
	if (walk->ended) {
		/* Its successor has begun and taken what it needed. */
		assembler->shown_count++;
		entry_remove(assembler, entry);
		return;
	}
	if (++assembler->shown_count > SHOWN_MAX)
		entry_remove(assembler, entry_of(assembler->shown.next));
}

struct walk_record *assembler_successor(struct assembler *assembler, const struct walk_record *walk)
{
	const struct entry *entry = entry_of_walk((struct walk_record *)walk);
	struct entry *next = entry->successor ? entry_find(assembler, entry->successor) : NULL;

	return next && !next->walk.shown ? &next->walk : NULL;
}

int assembler_merge(struct assembler *assembler, struct walk_record *walk,
		    struct walk_record *successor)
{
	struct entry *entry = entry_of_walk(walk), *next = entry_of_walk(successor);

	for (size_t i = 0; i < successor->answer_count; i++) {
		int err = walk_add_answer(walk, &successor->answers[i]);

		if (err)
			return err;
	}
	/* Further answers come under the later id. */
	entry_unhash(assembler, entry);
	walk->id = successor->id;
	walk->ended = successor->ended;
	walk->lost |= successor->lost;
	entry->successor = next->successor;
	entry_remove(assembler, next);
	entry_hash(assembler, entry);
	return 0;
}

void assembler_mark_lost(struct assembler *assembler, uint64_t walk)
{
	struct entry *entry = entry_find(assembler, walk);

	if (!entry || entry->walk.shown)
		return;
	entry->walk.lost = true;
	entry_changed(assembler, entry);
}

void assembler_flush(struct assembler *assembler)
{
	while (!list_empty(&assembler->waiting))
		entry_changed(assembler, entry_of(assembler->waiting.next));
}

struct assembler_counts assembler_counts(const struct assembler *assembler)
{
	return assembler->counts;
}
