/* SPDX-License-Identifier: MIT */
/* The tree of nodes: see tree.h. */
#include "store/tree.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static size_t memory; /* see tree_memory() */

static size_t value_size(const struct value *value)
{
	return value ? sizeof(*value) + value->len : 0;
}

static size_t node_size(const struct node *node)
{
	return sizeof(*node) + node->name_len + 1 + node->n_children * sizeof(node->children[0]);
}

struct value *value_new(const void *data, size_t len)
{
	struct value *value = malloc(sizeof(*value) + len);

	if (!value)
		return NULL;
	memory += sizeof(*value) + len;
	value->refs = 1;
	value->len = len;
	if (len)
		memcpy(value->data, data, len);
	return value;
}

struct value *value_get(struct value *value)
{
	if (value)
		value->refs++;
	return value;
}

void value_put(struct value *value)
{
	if (value && --value->refs == 0) {
		memory -= value_size(value);
		free(value);
	}
}

/* A node without children. */
static struct node *node_new(const char *name, size_t len, struct perms *perms, struct value *value)
{
	struct node *node = calloc(1, sizeof(*node) + len + 1);

	if (!node)
		return NULL;
	node->refs = 1;
	node->perms = perms_get(perms);
	node->value = value_get(value);
	node->name_len = len;
	memcpy(node->name, name, len);
	memory += node_size(node);
	return node;
}

static struct node *node_get(struct node *node)
{
	node->refs++;
	return node;
}

/* Recursion is as deep as a path has components: at most XENSTORE_ABS_PATH_MAX / 2. */
void node_put(struct node *node)
{
	if (--node->refs)
		return;
	for (unsigned int i = 0; i < node->n_children; i++)
		node_put(node->children[i]);
	perms_put(node->perms);
	value_put(node->value);
	memory -= node_size(node);
	free(node->children);
	free(node);
}

/* A twin that shares the children. */
static struct node *node_copy(const struct node *node)
{
	struct node *copy = node_new(node->name, node->name_len, node->perms, node->value);

	if (!copy)
		return NULL;
	copy->generation = node->generation;
	if (!node->n_children)
		return copy;
	copy->children = malloc(node->n_children * sizeof(copy->children[0]));
	if (!copy->children) {
		node_put(copy);
		return NULL;
	}
	for (; copy->n_children < node->n_children; copy->n_children++)
		copy->children[copy->n_children] = node_get(node->children[copy->n_children]);
	memory += copy->n_children * sizeof(copy->children[0]);
	return copy;
}

static int name_compare(const struct node *node, const char *name, size_t len)
{
	int order = memcmp(node->name, name, node->name_len < len ? node->name_len : len);

	return order ? order : (node->name_len > len) - (node->name_len < len);
}

/* Whether there is a child of that name; *@index is where it is, or where it belongs. */
static bool child_find(const struct node *node, const char *name, size_t len, unsigned int *index)
{
	unsigned int low = 0, high = node->n_children;

	while (low < high) {
		unsigned int middle = low + (high - low) / 2;
		int order = name_compare(node->children[middle], name, len);
		if (!order) {
			*index = middle;
			return true;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*index = low;
	return false;
}

int tree_init(struct tree *tree, struct perms *perms)
{
	tree->generation = 1;
	tree->root = node_new("", 0, perms, NULL);
	if (!tree->root)
		return -ENOMEM;
	tree->root->generation = 1;
	return 0;
}

void tree_share(struct tree *to, const struct tree *from)
{
	to->root = node_get(from->root);
	to->generation = from->generation;
}

void tree_free(struct tree *tree)
{
	if (tree->root)
		node_put(tree->root);
	tree->root = NULL;
}

/* The nearest node at or above @path; *@rest is what is left of the path. */
static struct node *descend(const struct tree *tree, const char *path, const char **rest)
{
	struct node *node = tree->root;
	const char *at = path, *name;
	unsigned int index;
	size_t len;

	*rest = path;
	while ((name = path_next(&at, &len))) {
		if (!child_find(node, name, len, &index))
			return node;
		node = node->children[index];
		*rest = at;
	}
	*rest = at + strlen(at);
	return node;
}

const struct node *tree_nearest(const struct tree *tree, const char *path, const char **rest)
{
	return descend(tree, path, rest);
}

const struct node *tree_find(const struct tree *tree, const char *path)
{
	const char *rest;
	const struct node *node = descend(tree, path, &rest);

	return *rest ? NULL : node;
}

/*
 * Makes every node from the root to the one where @end begins in @path this version's own. They
 * exist. What was copied when memory runs out is equal to what it replaced, so a failure cannot
 * be seen.
 */
static struct node *tree_own(struct tree *tree, const char *path, const char *end)
{
	struct node **slot = &tree->root;
	const char *at = path, *name;
	unsigned int index;
	size_t len;

	for (;;) {
		if ((*slot)->refs > 1) {
			struct node *copy = node_copy(*slot);
			if (!copy)
				return NULL;
			node_put(*slot);
			*slot = copy;
		}
		if (at >= end || !(name = path_next(&at, &len)) || name >= end)
			return *slot;
		bool found = child_find(*slot, name, len, &index);
		assert(found);
		slot = &(*slot)->children[index];
	}
}

/*
 * New nodes for all components of @rest, each the only child of the one before. Returns the
 * topmost.
 */
static struct node *chain_new(const char *rest, struct perms *perms, struct value *value,
			      unsigned int *count)
{
	struct node *top = NULL, **slot = &top;
	const char *name;
	size_t len;

	*count = 0;
	while ((name = path_next(&rest, &len))) {
		*slot = node_new(name, len, perms, *rest ? NULL : value);
		if (!*slot)
			goto fail;
		struct node *node = *slot;
		++*count;
		if (!*rest)
			break;
		node->children = calloc(1, sizeof(node->children[0]));
		if (!node->children)
			goto fail;
		slot = &node->children[0];
		node->n_children = 1;
		memory += sizeof(node->children[0]);
	}
	return top;
fail:
	for (struct node *node = top; node; node = node->n_children ? node->children[0] : NULL) {
		if (node->n_children && !node->children[0]) {
			node->n_children = 0;
			memory -= sizeof(node->children[0]);
		}
	}
	if (top)
		node_put(top);
	return NULL;
}

/* Makes room for one more child at @index, where NULL is until the caller fills it. */
static int child_insert(struct node *node, unsigned int index)
{
	struct node **children =
		realloc(node->children, (node->n_children + 1) * sizeof(children[0]));

	if (!children)
		return -ENOMEM;
	memmove(children + index + 1, children + index,
		(node->n_children - index) * sizeof(children[0]));
	children[index] = NULL;
	node->children = children;
	node->n_children++;
	memory += sizeof(children[0]);
	return 0;
}

/* Creates what @rest of @path names below its nearest ancestor. */
static int tree_create(struct tree *tree, const char *path, const char *rest, struct perms *perms,
		       struct value *value, unsigned int *created)
{
	struct node *chain = chain_new(rest, perms, value, created);
	struct node *parent = chain ? tree_own(tree, path, rest) : NULL;
	unsigned int index;

	if (!parent)
		goto fail;
	bool found = child_find(parent, chain->name, chain->name_len, &index);
	assert(!found);
	if (child_insert(parent, index))
		goto fail;
	parent->children[index] = chain;
	parent->generation = ++tree->generation;
	for (struct node *node = chain; node; node = node->n_children ? node->children[0] : NULL)
		node->generation = ++tree->generation;
	return 0;
fail:
	if (chain)
		node_put(chain);
	return -ENOMEM;
}

int tree_set(struct tree *tree, const char *path, struct perms *perms, struct value *value,
	     unsigned int *created)
{
	const char *rest;

	*created = 0;
	descend(tree, path, &rest);
	if (*rest) {
		assert(perms);
		return tree_create(tree, path, rest, perms, value, created);
	}
	struct node *node = tree_own(tree, path, rest);
	if (!node)
		return -ENOMEM;
	if (perms) {
		perms_get(perms);
		perms_put(node->perms);
		node->perms = perms;
	}
	if (value) {
		value_get(value);
		value_put(node->value);
		node->value = value;
	}
	node->generation = ++tree->generation;
	return 0;
}

int tree_remove(struct tree *tree, const char *path, struct node **removed)
{
	const char *leaf = strrchr(path, '/');
	struct node *parent = tree_own(tree, path, leaf);
	unsigned int index;

	if (!parent)
		return -ENOMEM;
	bool found = child_find(parent, leaf + 1, strlen(leaf + 1), &index);
	assert(found);
	*removed = parent->children[index];
	parent->n_children--;
	memory -= sizeof(parent->children[0]);
	memmove(parent->children + index, parent->children + index + 1,
		(parent->n_children - index) * sizeof(parent->children[0]));
	parent->generation = ++tree->generation;
	return 0;
}

int node_walk(const struct node *node, struct path *path,
	      int (*visit)(const struct node *node, const char *path, void *context), void *context)
{
	int rc = visit(node, path->text, context);

	for (unsigned int i = 0; !rc && i < node->n_children; i++) {
		bool fits = path_append(path, node->children[i]->name);
		assert(fits);
		rc = node_walk(node->children[i], path, visit, context);
		path_parent(path);
	}
	return rc;
}

/* The child at @index, whose name goes to @path. */
static const struct node *step_down(const struct node *node, unsigned int index, struct path *path)
{
	bool fits = path_append(path, node->children[index]->name);

	assert(fits);
	return node->children[index];
}

const struct node *tree_next(const struct tree *tree, struct path *path)
{
	const struct node *node = tree_find(tree, path->text);
	char name[XENSTORE_ABS_PATH_MAX + 1];

	if (node->n_children)
		return step_down(node, 0, path);
	for (;;) {
		unsigned int index;

		strcpy(name, strrchr(path->text, '/') + 1);
		if (!path_parent(path))
			return NULL;
		node = tree_find(tree, path->text);
		bool found = child_find(node, name, strlen(name), &index);
		assert(found);
		if (index + 1 < node->n_children)
			return step_down(node, index + 1, path);
	}
}

size_t tree_memory(void)
{
	return memory;
}

static size_t size_below(const struct node *node)
{
	size_t size = node_size(node) + value_size(node->value);

	for (unsigned int i = 0; i < node->n_children; i++)
		size += size_below(node->children[i]);
	return size;
}

size_t tree_size(const struct tree *tree)
{
	return size_below(tree->root);
}

static bool node_check(const struct node *node, uint64_t newest)
{
	if (!node->refs || !node->perms || node->generation > newest)
		return false;
	for (unsigned int i = 0; i < node->n_children; i++) {
		const struct node *child = node->children[i];
		if (i && name_compare(node->children[i - 1], child->name, child->name_len) >= 0)
			return false;
		if (!node_check(child, newest))
			return false;
	}
	return true;
}

bool tree_check(const struct tree *tree)
{
	return node_check(tree->root, tree->generation);
}
