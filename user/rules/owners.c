// SPDX-License-Identifier: GPL-2.0-only
/* The table of owners: who is told by which rules, tables and marks. */
#include "rules/owners.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rules/grow.h"
#include "rules/owners_table.h"

void owners_clear(struct owners *owners)
{
	for (size_t i = 0; i < owners->count; i++) {
		if (owners->list[i])
			free(owners->list[i]->name);
		free(owners->list[i]);
	}
	for (size_t i = 0; i < owners->mark_count; i++)
		free((char *)owners->marks[i].meaning);
	free(owners->list);
	free(owners->signatures);
	free(owners->tables);
	free(owners->marks);
	*owners = (struct owners){ .names = owners->names };
}

void owners_free(struct owners *owners)
{
	if (!owners)
		return;
	owners_clear(owners);
	names_free(owners->names);
	free(owners);
}

static int owners_read_builtin(struct owners *owners)
{
	struct text error = { 0 };
	size_t length = (size_t)(owners_builtin_end - owners_builtin);
	int err = owners_parse(owners, "owners.conf", owners_builtin, length, &error);

	text_free(&error);
	return err;
}

struct owners *owners_new(void)
{
	struct owners *owners = calloc(1, sizeof(*owners));
	int err = -ENOMEM;

	if (!owners)
		return NULL;
	owners->names = names_new();
	if (owners->names)
		err = owners_read_builtin(owners);
	if (!err)
		return owners;
	owners_free(owners);
	errno = -err;
	return NULL;
}

static struct owner *find_owner(const struct owners *owners, const char *name)
{
	for (size_t i = 0; i < owners->count; i++) {
		if (!strcmp(owners->list[i]->name, name))
			return owners->list[i];
	}
	return NULL;
}

struct owner *owners_add(struct owners *owners, const char *name)
{
	struct owner *owner = find_owner(owners, name);
	struct owner **list;

	if (owner)
		return owner;
	list = array_reserve(owners->list, sizeof(struct owner *), owners->count,
			     &owners->capacity);
	if (!list)
		return NULL;
	owners->list = list;
	owner = calloc(1, sizeof(*owner));
	if (!owner)
		return NULL;
	owner->name = strdup(name);
	if (!owner->name) {
		free(owner);
		return NULL;
	}
	owners->list[owners->count++] = owner;
	return owner;
}

/* A list being labelled. seen: how many of its rules match each signature; NULL: not known. */
struct labelling {
	const struct owners *owners;
	const struct rule *rules;
	size_t count;
	uint32_t *seen;
};

/* Whom the rules next to one belong to, as far as that needs no neighbours; NULL: nobody. */
struct neighbours {
	const struct owner *before;
	const struct owner *behind;
};

static bool matches(const struct labelling *labelling, const struct signature *signature,
		    size_t index)
{
	const struct rule *rule = &labelling->rules[index];

	return signature_matches(signature, rule, index + 1 < labelling->count ? rule + 1 : NULL);
}

static void count_matches(struct labelling *labelling)
{
	const struct owners *owners = labelling->owners;

	for (size_t i = 0; i < labelling->count; i++) {
		for (size_t j = 0; j < owners->signature_count; j++)
			labelling->seen[j] += matches(labelling, &owners->signatures[j], i);
	}
}

static bool is_company(const struct signature *other, const struct signature *asked)
{
	return other != asked && other->owner == asked->owner &&
	       (other->place == PLACE_ANY ||
		(other->place == PLACE_TOGETHER && asked->place == PLACE_TOGETHER));
}

/* Whether another rule matches another signature of the same owner. */
static bool has_company(const struct labelling *labelling, const struct signature *asked,
			size_t index)
{
	const struct owners *owners = labelling->owners;

	for (size_t i = 0; i < owners->signature_count && labelling->seen; i++) {
		const struct signature *other = &owners->signatures[i];

		if (is_company(other, asked) &&
		    labelling->seen[i] > (uint32_t)matches(labelling, other, index))
			return true;
	}
	return false;
}

/* How well a signature suits the place of a rule; what is BEHIND_ITS_OWN beats what is equal. */
enum suits { SUITS_NOT, SUITS, BEHIND_ITS_OWN };

/* A pair whose priorities the kernel chose stands in the reverse of the order in which it was
 * added; at priority 0, where there is no number left, in that order. */
static enum suits suits_beside(const struct labelling *labelling, const struct owner *owner,
			       size_t index, const struct neighbours *neighbours)
{
	const struct rule *rule = &labelling->rules[index];

	if (neighbours->before == owner && rule[-1].priority == rule->priority)
		return BEHIND_ITS_OWN;
	return neighbours->behind == owner ? SUITS : SUITS_NOT;
}

/* neighbours NULL: they are not known yet. */
static enum suits suits_place(const struct labelling *labelling, const struct signature *asked,
			      size_t index, const struct neighbours *neighbours)
{
	switch (asked->place) {
	case PLACE_WITH:
	case PLACE_TOGETHER:
		return has_company(labelling, asked, index) ? SUITS : SUITS_NOT;
	case PLACE_BESIDE:
		return neighbours ? suits_beside(labelling, asked->owner, index, neighbours)
				  : SUITS_NOT;
	default:
		return SUITS;
	}
}

/* The owner of the most specific signature that fits, the last of equal ones. */
static const struct owner *find_label(const struct labelling *labelling, size_t index,
				      const struct neighbours *neighbours)
{
	const struct owners *owners = labelling->owners;
	const struct owner *best = NULL;
	unsigned int best_score = 0;

	for (size_t i = 0; i < owners->signature_count; i++) {
		const struct signature *signature = &owners->signatures[i];
		enum suits suits;

		if (2 * signature->weight + 1 < best_score || !matches(labelling, signature, index))
			continue;
		suits = suits_place(labelling, signature, index, neighbours);
		if (suits == SUITS_NOT ||
		    2 * signature->weight + (suits == BEHIND_ITS_OWN) < best_score)
			continue;
		best = signature->owner;
		best_score = 2 * signature->weight + (suits == BEHIND_ITS_OWN);
	}
	return best;
}

static void label_by_neighbours(const struct labelling *labelling, struct rule *rules)
{
	struct neighbours neighbours = { NULL, NULL };

	for (size_t i = 0; i < labelling->count; i++) {
		const struct owner *alone = rules[i].owner;

		neighbours.behind = i + 1 < labelling->count ? rules[i + 1].owner : NULL;
		if (neighbours.before || neighbours.behind)
			rules[i].owner = find_label(labelling, i, &neighbours);
		neighbours.before = alone;
	}
}

void owners_label(const struct owners *owners, struct rule *rules, size_t count)
{
	struct labelling labelling = { .owners = owners, .rules = rules, .count = count };

	for (size_t i = 0; i < count; i++)
		rules[i].owner = NULL;
	if (!owners || !count)
		return;
	labelling.seen = calloc(owners->signature_count + 1, sizeof(*labelling.seen));
	if (labelling.seen)
		count_matches(&labelling);
	for (size_t i = 0; i < count; i++)
		rules[i].owner = find_label(&labelling, i, NULL);
	label_by_neighbours(&labelling, rules);
	free(labelling.seen);
}

const char *owner_name(const struct owner *owner)
{
	return owner->name;
}

const struct owner *owners_named(const struct owners *owners, const char *name)
{
	for (size_t i = 0; owners && i < owners->count; i++) {
		if (!strcmp(owners->list[i]->name, name))
			return owners->list[i];
	}
	return NULL;
}

bool owner_has_auto_priority(const struct owner *owner)
{
	return owner->auto_priority;
}

bool owner_is_tunnel(const struct owner *owner)
{
	return owner->tunnel;
}

bool owner_is_kernel(const struct owner *owner)
{
	return !strcmp(owner->name, "kernel");
}

const struct owner *owners_table(const struct owners *owners, uint32_t table)
{
	for (size_t i = owners ? owners->table_count : 0; i > 0; i--) {
		const struct owner_table *row = &owners->tables[i - 1];

		if (table >= row->first && table <= row->last)
			return row->owner;
	}
	return NULL;
}

const struct owner_mark *owners_mark(const struct owners *owners, uint32_t fwmark)
{
	const struct owner_mark *best = NULL;

	for (size_t i = 0; owners && i < owners->mark_count; i++) {
		const struct owner_mark *mark = &owners->marks[i];

		if ((fwmark & mark->mask) != mark->value)
			continue;
		if (!best || __builtin_popcount(mark->mask) >= __builtin_popcount(best->mask))
			best = mark;
	}
	return best;
}
