/* SPDX-License-Identifier: MIT */
/*
 * Doubly linked lists whose links live in their elements. A list is a head of the same type; an
 * element that is on no list links to itself, so that taking it off twice does no harm. No lock
 * of its own.
 */
#ifndef LIB_LIST_H
#define LIB_LIST_H

#include "lib/types.h"

struct list_node {
	struct list_node *next, *prev;
};

#define LIST_INIT(name)	{ &(name), &(name) }

static inline void list_init(struct list_node *node)
{
	node->next = node->prev = node;
}

static inline bool list_empty(const struct list_node *head)
{
	return head->next == head;
}

/* Put a node after `where`: at the front of a list if that is its head. */
static inline void list_add(struct list_node *where, struct list_node *node)
{
	node->next = where->next;
	node->prev = where;
	where->next->prev = node;
	where->next = node;
}

/* Put a node before `where`: at the end of a list if that is its head. */
static inline void list_add_tail(struct list_node *where, struct list_node *node)
{
	list_add(where->prev, node);
}

static inline void list_del(struct list_node *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

#define list_entry(node, type, member)	container_of(node, type, member)

/* The first element, which must exist. */
#define list_first(head, type, member)	list_entry((head)->next, type, member)

/* The element may not be taken off inside this one ... */
#define list_for_each(pos, head) \
	for (struct list_node *pos = (head)->next; pos != (head); pos = pos->next)

/* ... but inside this one it may. */
#define list_for_each_safe(pos, head) \
	for (struct list_node *pos = (head)->next, *pos##_next = pos->next; pos != (head); \
	     pos = pos##_next, pos##_next = pos->next)

#endif
