// SPDX-License-Identifier: GPL-2.0-only
/* The network devices of a policy, in two sorted arrays that share them. */
#include "rules/links.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rules/grow.h"

typedef int link_order(const struct link *a, const struct link *b);

static int order_by_index(const struct link *a, const struct link *b)
{
	return (a->index > b->index) - (a->index < b->index);
}

/* Two links have one name only while the notification of a rename is still to come. */
static int order_by_name(const struct link *a, const struct link *b)
{
	int order = strncmp(a->name, b->name, sizeof(a->name));

	return order ? order : order_by_index(a, b);
}

/* The place of the first link that is not before wanted. */
static size_t find_place(const struct link_index *index, link_order *order,
			 const struct link *wanted)
{
	size_t first = 0;
	size_t behind = index->count;

	while (first < behind) {
		size_t middle = first + (behind - first) / 2;

		if (order(index->links[middle], wanted) < 0)
			first = middle + 1;
		else
			behind = middle;
	}
	return first;
}

static bool index_reserve(struct link_index *index)
{
	struct link **links =
		array_reserve(index->links, sizeof(struct link *), index->count, &index->capacity);

	if (links)
		index->links = links;
	return links;
}

/* Room for the link was reserved before. */
static void index_insert(struct link_index *index, link_order *order, struct link *link)
{
	size_t place = find_place(index, order, link);

	memmove(&index->links[place + 1], &index->links[place],
		(index->count - place) * sizeof(struct link *));
	index->links[place] = link;
	index->count++;
}

static void index_remove(struct link_index *index, link_order *order, const struct link *link)
{
	size_t place = find_place(index, order, link);

	index->count--;
	memmove(&index->links[place], &index->links[place + 1],
		(index->count - place) * sizeof(struct link *));
}

void links_free(struct links *links)
{
	for (size_t i = 0; i < links->by_index.count; i++)
		free(links->by_index.links[i]);
	free(links->by_index.links);
	free(links->by_name.links);
	*links = (struct links){ 0 };
}

struct link *links_find(const struct links *links, uint32_t index)
{
	struct link wanted = { .index = index };
	size_t place = find_place(&links->by_index, order_by_index, &wanted);
	struct link *found;

	if (place == links->by_index.count)
		return NULL;
	found = links->by_index.links[place];
	return found->index == index ? found : NULL;
}

struct link *links_find_name(const struct links *links, const char *name)
{
	struct link wanted = { .index = 0 };
	struct link *found;
	size_t place;

	if (strlen(name) >= sizeof(wanted.name))
		return NULL;
	memcpy(wanted.name, name, strlen(name));
	place = find_place(&links->by_name, order_by_name, &wanted);
	if (place == links->by_name.count)
		return NULL;
	found = links->by_name.links[place];
	return strcmp(found->name, name) ? NULL : found;
}

static int add_link(struct links *links, const struct link *link)
{
	struct link *added;

	if (!index_reserve(&links->by_index) || !index_reserve(&links->by_name))
		return -ENOMEM;
	added = malloc(sizeof(*added));
	if (!added)
		return -ENOMEM;
	*added = *link;
	index_insert(&links->by_index, order_by_index, added);
	index_insert(&links->by_name, order_by_name, added);
	return LINK_RENAMED;
}

static int replace_link(struct links *links, struct link *known, const struct link *link)
{
	if (!strcmp(known->name, link->name)) {
		*known = *link;
		return LINK_CHANGED;
	}
	index_remove(&links->by_name, order_by_name, known);
	*known = *link;
	index_insert(&links->by_name, order_by_name, known);
	return LINK_RENAMED;
}

/* A copy whose name is terminated and has no stray bytes behind its end. */
static struct link clean_link(const struct link *link)
{
	struct link clean = *link;
	size_t length = strnlen(link->name, sizeof(link->name) - 1);

	memset(clean.name + length, 0, sizeof(clean.name) - length);
	return clean;
}

int links_set(struct links *links, const struct link *link)
{
	struct link wanted = clean_link(link);
	struct link *known = links_find(links, wanted.index);

	if (wanted.index == 0 || wanted.index > INT32_MAX)
		return -EINVAL;
	if (!known)
		return add_link(links, &wanted);
	if (!memcmp(known, &wanted, sizeof(wanted)))
		return LINK_SAME;
	return replace_link(links, known, &wanted);
}

bool links_remove(struct links *links, uint32_t index)
{
	struct link *link = links_find(links, index);

	if (!link)
		return false;
	index_remove(&links->by_index, order_by_index, link);
	index_remove(&links->by_name, order_by_name, link);
	free(link);
	return true;
}

uint32_t links_l3_master(const struct links *links, uint32_t ifindex)
{
	const struct link *link = links_find(links, ifindex);
	const struct link *master;

	if (!link)
		return 0;
	if (link->l3mdev_table)
		return link->index;
	master = link->master ? links_find(links, link->master) : NULL;
	return master && master->l3mdev_table ? master->index : 0;
}
