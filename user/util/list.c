// SPDX-License-Identifier: GPL-2.0-only
/* A doubly linked list whose nodes lie in what is listed. */
#include "util/list.h"

void list_init(struct list_node *node)
{
	node->next = node->previous = node;
}

bool list_empty(const struct list_node *head)
{
	return head->next == head;
}

void list_append(struct list_node *head, struct list_node *node)
{
	node->previous = head->previous;
	node->next = head;
	head->previous->next = node;
	head->previous = node;
}

void list_remove(struct list_node *node)
{
	node->previous->next = node->next;
	node->next->previous = node->previous;
	list_init(node);
}
