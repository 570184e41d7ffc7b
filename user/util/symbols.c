// SPDX-License-Identifier: GPL-2.0-only
/* Where some functions of the running kernel lie, from /proc/kallsyms. */
#include "util/symbols.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

struct symbol_range {
	uint64_t start;
	uint64_t end; /* the next function's start */
	int name;
};

struct symbols {
	size_t count;
	size_t capacity;
	struct symbol_range *ranges; /* sorted by start */
};

/* The starts of all functions, of which each range needs its successor. */
struct starts {
	uint64_t *address;
	size_t count;
	size_t capacity;
};

static int compare_address(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return left < right ? -1 : left > right;
}

static int compare_range(const void *a, const void *b)
{
	return compare_address(&((const struct symbol_range *)a)->start,
			       &((const struct symbol_range *)b)->start);
}

static bool starts_add(struct starts *starts, uint64_t address)
{
	if (starts->count == starts->capacity) {
		size_t capacity = starts->capacity ? 2 * starts->capacity : 1 << 16;
		uint64_t *grown = reallocarray(starts->address, capacity, sizeof(*grown));

		if (!grown)
			return false;
		starts->address = grown;
		starts->capacity = capacity;
	}
	starts->address[starts->count++] = address;
	return true;
}

static bool symbols_add(struct symbols *symbols, uint64_t start, int name)
{
	if (symbols->count == symbols->capacity) {
		size_t capacity = symbols->capacity ? 2 * symbols->capacity : 64;
		struct symbol_range *grown =
			reallocarray(symbols->ranges, capacity, sizeof(*grown));

		if (!grown)
			return false;
		symbols->ranges = grown;
		symbols->capacity = capacity;
	}
	symbols->ranges[symbols->count++] = (struct symbol_range){ .start = start, .name = name };
	return true;
}

/* A bit per first character and length keeps most of 120,000 names from being compared. */
struct name_set {
	const char *const *names;
	size_t count;
	uint64_t lengths[128];
};

static void name_set_init(struct name_set *set, const char *const *names, size_t count)
{
	*set = (struct name_set){ .names = names, .count = count };
	for (size_t i = 0; i < count; i++)
		set->lengths[names[i][0] & 127] |= 1ull << (strlen(names[i]) & 63);
}

static int name_set_find(const struct name_set *set, const char *name, size_t length)
{
	if (!(set->lengths[name[0] & 127] & 1ull << (length & 63)))
		return -1;
	for (size_t i = 0; i < set->count; i++) {
		if (!strncmp(set->names[i], name, length) && !set->names[i][length])
			return i;
	}
	return -1;
}

/* One line is "ADDRESS TYPE NAME[\t[MODULE]]". False when memory ran out. */
static bool symbols_take_line(struct symbols *symbols, struct starts *starts,
			      const struct name_set *set, char *line)
{
	char *rest;
	uint64_t address = strtoull(line, &rest, 16);
	int name;

	if (rest == line || rest[0] != ' ' || !strchr("tTwW", rest[1]) || rest[2] != ' ')
		return true;
	name = name_set_find(set, rest + 3, strcspn(rest + 3, ".\t\n "));
	if (!starts_add(starts, address))
		return false;
	return name < 0 || symbols_add(symbols, address, name);
}

static void symbols_set_ends(struct symbols *symbols, struct starts *starts)
{
	size_t at = 0;

	qsort(starts->address, starts->count, sizeof(*starts->address), compare_address);
	if (symbols->count)
		qsort(symbols->ranges, symbols->count, sizeof(*symbols->ranges), compare_range);
	for (size_t i = 0; i < symbols->count; i++) {
		struct symbol_range *range = &symbols->ranges[i];

		while (at < starts->count && starts->address[at] <= range->start)
			at++;
		range->end = at < starts->count ? starts->address[at] : UINT64_MAX;
	}
}

static int symbols_read_lines(struct symbols *symbols, FILE *file, const struct name_set *set)
{
	_cleanup_free_ char *line = NULL;
	struct starts starts = { 0 };
	size_t size = 0;
	bool ok = true, hidden;

	while (ok && getline(&line, &size, file) > 0)
		ok = symbols_take_line(symbols, &starts, set, line);
	if (ok && starts.count)
		symbols_set_ends(symbols, &starts);
	hidden = !starts.count || !starts.address[starts.count - 1];
	free(starts.address);
	if (!ok)
		return -ENOMEM;
	return hidden ? -EPERM : 0;
}

struct symbols *symbols_read(const char *path, const char *const *names, size_t count)
{
	_cleanup_fclose_ FILE *file = fopen(path, "re");
	struct symbols *symbols = calloc(1, sizeof(*symbols));
	struct name_set set;
	int err;

	if (!file || !symbols) {
		symbols_free(symbols);
		return NULL;
	}
	setvbuf(file, NULL, _IOFBF, 1 << 16);
	name_set_init(&set, names, count);
	err = symbols_read_lines(symbols, file, &set);
	if (!err)
		return symbols;
	symbols_free(symbols);
	errno = -err;
	return NULL;
}

void symbols_free(struct symbols *symbols)
{
	if (!symbols)
		return;
	free(symbols->ranges);
	free(symbols);
}

int symbols_find(const struct symbols *symbols, uint64_t address)
{
	size_t low = 0, high = symbols->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		/* A return address lies behind the call: a call at a function's end leaves it. */
		if (symbols->ranges[middle].end < address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < symbols->count && symbols->ranges[low].start < address)
		return symbols->ranges[low].name;
	return -1;
}
