/* SPDX-License-Identifier: MIT */
/*
 * The tree of nodes, as a persistent structure: a version is one root, versions share all nodes
 * that are the same in both, and taking a version costs a reference. A change copies the nodes
 * on its path, and only if another version has them too.
 *
 *	main version     root -- local -- domain -- 1 -- name          a transaction changed 1/name:
 *	its version      root'-- local'-- domain'-- 1'-- name'         only the path was copied
 *
 * Invariants: children are sorted by name and unique; a node that exactly one version reaches
 * has all its ancestors reached by that version alone; a node's generation grows with every
 * change of its value, permissions or set of children, and no two changes of one version have
 * the same. Each function does all that it says, or fails and changes nothing that can be seen.
 * Paths are canonical. Pure, no lock: one thread.
 */
#ifndef STORE_TREE_H
#define STORE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/path.h"
#include "store/perms.h"

/* A node's contents, immutable and shared. */
struct value {
	unsigned int refs;
	size_t len;
	char data[];
};

struct node {
	unsigned int refs;
	unsigned int n_children;
	struct node **children;
	struct perms *perms;
	struct value *value; /* NULL: empty */
	uint64_t generation;
	size_t name_len;
	char name[];
};

struct tree {
	struct node *root;
	uint64_t generation; /* of the last change */
};

/* A new value with one reference, or NULL: no memory. */
struct value *value_new(const void *data, size_t len);
struct value *value_get(struct value *value);
void value_put(struct value *value); /* NULL is allowed */

/* A tree of the root alone. Returns 0 or -ENOMEM. */
int tree_init(struct tree *tree, struct perms *perms);

/* Makes @to one more version, equal to @from. */
void tree_share(struct tree *to, const struct tree *from);

/* Gives the version back, with all that it alone reaches. */
void tree_free(struct tree *tree);

/* The node at @path, or NULL. Valid until the version changes. */
const struct node *tree_find(const struct tree *tree, const char *path);

/*
 * The node at @path or the nearest ancestor that exists. *@rest is the part of @path below it:
 * "" when it is the node itself.
 */
const struct node *tree_nearest(const struct tree *tree, const char *path, const char **rest);

/*
 * Sets the permissions and the value of the node at @path; NULL leaves what it has. A node that
 * is missing is created, as are its missing ancestors (all with @perms, which must not be NULL
 * then; ancestors are empty). *@created is the number of new nodes. Takes references of its
 * own. Returns 0 or -ENOMEM.
 */
int tree_set(struct tree *tree, const char *path, struct perms *perms, struct value *value,
	     unsigned int *created);

/*
 * Unlinks the node at @path, which exists and is not the root; the caller gets it in *@removed,
 * with one reference. Returns 0 or -ENOMEM.
 */
int tree_remove(struct tree *tree, const char *path, struct node **removed);

/* Gives back a node that tree_remove() gave. */
void node_put(struct node *node);

/*
 * Calls @visit for @node, whose path is @path, and for every node below it, parents first,
 * until it returns other than 0; returns that. @path is used as scratch space and is the same
 * again at the end.
 */
int node_walk(const struct node *node, struct path *path,
	      int (*visit)(const struct node *node, const char *path, void *context),
	      void *context);

/*
 * The node that follows the one at @path when parents come first and children in their order;
 * @path becomes its path. NULL: it was the last.
 */
const struct node *tree_next(const struct tree *tree, struct path *path);

/*
 * Bytes of all nodes and values that are alive, in any version of any tree; of those in this
 * version, what it shares with others too (which looks at every node).
 */
size_t tree_memory(void);
size_t tree_size(const struct tree *tree);

/* Whether the invariants hold, for tests and for XS_CONTROL check. */
bool tree_check(const struct tree *tree);

#endif
