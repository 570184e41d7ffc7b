/* SPDX-License-Identifier: GPL-2.0-only */
/* A doubly linked list whose nodes lie in what is listed. */
#ifndef FIBTRACE_UTIL_LIST_H
#define FIBTRACE_UTIL_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list_node {
	struct list_node *next;
	struct list_node *previous;
};

/* The structure of type that node is the member of. */
#define list_entry(node, type, member) ((type *)((char *)(node)-offsetof(type, member)))

/* Makes an empty list of a head, or an unlisted one of a node. */
void list_init(struct list_node *node);
bool list_empty(const struct list_node *head);
void list_append(struct list_node *head, struct list_node *node);
/* Takes the node out; one that is in no list stays so. */
void list_remove(struct list_node *node);

#endif
