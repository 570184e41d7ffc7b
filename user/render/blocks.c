// SPDX-License-Identifier: GPL-2.0-only
/* Groups of lookups as blocks of text: held back until nothing more can belong to them. */
#include "render/blocks.h"

#include <stdlib.h>
#include <string.h>

#include "trace/group.h"

/* After its last lookup, and after its first one, a block waits for more. */
#define HOLD_NS 50000000ull
#define HOLD_MAX_NS 80000000ull
/* How late a lookup may be added without making a difference. */
#define LATE_NS 10000000ull

/* Bounds on what is held: blocks, lookups of one, bytes of all. */
#define BLOCKS_MAX 256
#define LOOKUPS_MAX 64
#define BYTES_MAX (1u << 20)

/* Lines stand in the order of time: those above the lookup that is shown in full, and below. */
struct block {
	uint64_t thread;
	uint64_t group;
	uint64_t serial; /* blocks are numbered as they begin */
	uint64_t first_ns;
	uint64_t deadline_ns;
	size_t lookups;
	int rank; /* of the lookup that is shown in full */
	struct text above;
	struct text full;
	struct text brief; /* the same lookup, should a later one take its place */
	struct text below;
};

struct blocks {
	const struct format *format;
	const struct render_options *options;
	uint64_t serial;
	size_t bytes;
	size_t count;
	struct block blocks[BLOCKS_MAX];
};

struct blocks *blocks_new(const struct format *format, const struct render_options *options)
{
	struct blocks *blocks = calloc(1, sizeof(*blocks));

	if (!blocks)
		return NULL;
	blocks->format = format;
	blocks->options = options;
	return blocks;
}

static void block_clear(struct block *block)
{
	text_free(&block->above);
	text_free(&block->full);
	text_free(&block->brief);
	text_free(&block->below);
}

void blocks_free(struct blocks *blocks)
{
	if (!blocks)
		return;
	for (size_t i = 0; i < blocks->count; i++)
		block_clear(&blocks->blocks[i]);
	free(blocks);
}

static size_t block_bytes(const struct block *block)
{
	return block->above.length + block->full.length + block->brief.length + block->below.length;
}

static void text_append(struct text *out, const struct text *text)
{
	text_add_bytes(out, text_string(text), text->length);
	out->failed |= text->failed;
}

static void add_lines(struct text *out, const char *indent, const struct text *lines)
{
	const char *line = text_string(lines);

	while (*line) {
		size_t length = strcspn(line, "\n") + 1;

		text_add(out, indent);
		text_add_bytes(out, line, length);
		line += length;
	}
	out->failed |= lines->failed;
}

/* Writes the block, which is gone then. */
static void block_close(struct blocks *blocks, struct block *block, struct text *out)
{
	add_lines(out, blocks->format->above, &block->above);
	text_append(out, &block->full);
	add_lines(out, blocks->format->below, &block->below);
	blocks->bytes -= block_bytes(block);
	block_clear(block);
	*block = blocks->blocks[--blocks->count];
}

static bool closes_before(const struct block *a, const struct block *b)
{
	if (a->deadline_ns != b->deadline_ns)
		return a->deadline_ns < b->deadline_ns;
	return a->serial < b->serial;
}

/* The block that is complete first if nothing happens; NULL: there is none. */
static struct block *block_first(struct blocks *blocks)
{
	struct block *first = NULL;

	for (size_t i = 0; i < blocks->count; i++) {
		if (!first || closes_before(&blocks->blocks[i], first))
			first = &blocks->blocks[i];
	}
	return first;
}

static void blocks_pass(struct blocks *blocks, struct text *out, uint64_t time_ns)
{
	struct block *first;

	while ((first = block_first(blocks)) && first->deadline_ns <= time_ns)
		block_close(blocks, first, out);
}

void blocks_advance(struct blocks *blocks, struct text *out, uint64_t time_ns)
{
	if (time_ns > LATE_NS)
		blocks_pass(blocks, out, time_ns - LATE_NS);
}

void blocks_flush(struct blocks *blocks, struct text *out)
{
	struct block *first;

	while ((first = block_first(blocks)))
		block_close(blocks, first, out);
}

uint64_t blocks_due(const struct blocks *blocks)
{
	const struct block *first = block_first((struct blocks *)blocks);

	return first ? first->deadline_ns + LATE_NS : 0;
}

static struct block *block_find(struct blocks *blocks, uint64_t thread)
{
	for (size_t i = 0; i < blocks->count; i++) {
		if (blocks->blocks[i].thread == thread)
			return &blocks->blocks[i];
	}
	return NULL;
}

static struct block *block_begin(struct blocks *blocks, uint64_t thread,
				 const struct lookup *lookup)
{
	struct block *block = &blocks->blocks[blocks->count++];

	*block = (struct block){
		.thread = thread,
		.group = lookup->group,
		.serial = ++blocks->serial,
		.first_ns = lookup->boottime_ns,
	};
	return block;
}

/* Which lookup of a group is shown in full: the last of the highest rank. */
static int lookup_rank(const struct lookup *lookup)
{
	switch (lookup->purpose) {
	case PURPOSE_OUTPUT:
	case PURPOSE_REROUTE:
	case PURPOSE_ROUTE_GET:
		return 2;
	case PURPOSE_INPUT:
		return 1;
	default:
		return 0;
	}
}

/* The lookup in full; the one that was so far becomes a line, and those below it stand above. */
static void block_show_full(const struct blocks *blocks, struct block *block,
			    const struct lookup *lookup)
{
	text_append(&block->above, &block->brief);
	text_append(&block->above, &block->below);
	text_clear(&block->brief);
	text_clear(&block->below);
	text_clear(&block->full);
	blocks->format->lookup(&block->full, lookup, blocks->options);
	blocks->format->brief(&block->brief, lookup, blocks->options);
	block->rank = lookup_rank(lookup);
}

static void block_show(const struct blocks *blocks, struct block *block,
		       const struct lookup *lookup)
{
	if (blocks->options->verbose)
		blocks->format->lookup(&block->full, lookup, blocks->options);
	else if (!block->lookups || lookup_rank(lookup) >= block->rank)
		block_show_full(blocks, block, lookup);
	else
		blocks->format->brief(&block->below, lookup, blocks->options);
}

static void block_wait(struct block *block, const struct lookup *lookup)
{
	uint64_t longest = block->first_ns + HOLD_MAX_NS;
	uint64_t deadline = lookup->boottime_ns + HOLD_NS;

	if (deadline > block->deadline_ns)
		block->deadline_ns = deadline < longest ? deadline : longest;
}

static void block_take(struct blocks *blocks, struct block *block, const struct lookup *lookup)
{
	blocks->bytes -= block_bytes(block);
	block_show(blocks, block, lookup);
	blocks->bytes += block_bytes(block);
	block_wait(block, lookup);
	block->lookups++;
}

void blocks_add(struct blocks *blocks, struct text *out, const struct lookup *lookup)
{
	uint64_t thread = group_thread(lookup);
	struct block *block;

	blocks_pass(blocks, out, lookup->boottime_ns);
	block = block_find(blocks, thread);
	if (block && (block->group != lookup->group || block->lookups == LOOKUPS_MAX)) {
		block_close(blocks, block, out);
		block = NULL;
	}
	if (!block && blocks->count == BLOCKS_MAX)
		block_close(blocks, block_first(blocks), out);
	if (!block)
		block = block_begin(blocks, thread, lookup);
	block_take(blocks, block, lookup);
	while (blocks->bytes > BYTES_MAX)
		block_close(blocks, block_first(blocks), out);
}
