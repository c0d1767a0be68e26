/* SPDX-License-Identifier: MIT */
/*
 * The tree against a simple model, with versions that must not see each other's changes, and
 * with allocations that fail: then nothing has changed.
 *
 * Links: tests/unit/support/failing_alloc.c toolstack/store/wire.c toolstack/store/path.c
 * Links: toolstack/store/perms.c toolstack/store/tree.c
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/tree.h"
#include "unit/support/failing_alloc.h"

/* The model: every path of three levels of three names, whether it is there and its value. */
#define NAMES 3
#define PATHS (NAMES + NAMES * NAMES + NAMES * NAMES * NAMES)

struct model {
	int value[PATHS]; /* -1: not there */
};

/* Index -> path: "/a", ..., "/a/b/c". The parent of index i is (i - NAMES) / NAMES. */
static void path_of(int index, char *text)
{
	if (index >= NAMES)
		path_of((index - NAMES) / NAMES, text);
	else
		*text = 0;
	sprintf(text + strlen(text), "/%c", 'a' + index % NAMES);
}

static void model_set(struct model *model, int index, int value)
{
	if (index >= NAMES && model->value[(index - NAMES) / NAMES] < 0)
		model_set(model, (index - NAMES) / NAMES, 0);
	model->value[index] = value;
}

static void model_remove(struct model *model, int index)
{
	model->value[index] = -1;
	for (int child = 0; child < NAMES; child++) {
		int below = NAMES + index * NAMES + child;
		if (below < PATHS)
			model_remove(model, below);
	}
}

static struct perms *perms;

static int set(struct tree *tree, int index, int number)
{
	struct value *value = value_new(&number, sizeof(number));
	unsigned int created;
	char text[16];

	path_of(index, text);
	int rc = value ? tree_set(tree, text, perms, value, &created) : -ENOMEM;
	value_put(value);
	return rc;
}

static int drop(struct tree *tree, int index)
{
	struct node *removed;
	char text[16];

	path_of(index, text);
	int rc = tree_remove(tree, text, &removed);
	if (!rc)
		node_put(removed);
	return rc;
}

static void check(const struct tree *tree, const struct model *model)
{
	char text[16];

	assert_true(tree_check(tree));
	for (int i = 0; i < PATHS; i++) {
		path_of(i, text);
		const struct node *node = tree_find(tree, text);
		assert_int_equal(node != NULL, model->value[i] >= 0);
		int value = 0;
		if (node && node->value)
			memcpy(&value, node->value->data, sizeof(value));
		if (node)
			assert_int_equal(value, model->value[i]);
	}
}

#define VERSIONS 4

static void agrees_with_the_model(void **state)
{
	struct tree trees[VERSIONS];
	struct model models[VERSIONS];

	(void)state;
	srand(2);
	for (int i = 0; i < VERSIONS; i++) {
		assert_int_equal(tree_init(&trees[i], perms), 0);
		memset(&models[i], -1, sizeof(models[i]));
	}
	for (int step = 1; step < 20000; step++) {
		int which = rand() % VERSIONS, index = rand() % PATHS;
		failing_alloc_arm(rand() % 4 ? 0 : 1 + (unsigned int)rand() % 12);
		int what = rand() % 10, rc = 0;
		if (what == 0) {
			int from = rand() % VERSIONS;
			if (from != which) {
				tree_free(&trees[which]);
				tree_share(&trees[which], &trees[from]);
				models[which] = models[from];
			}
		} else if (what < 7) {
			rc = set(&trees[which], index, step);
			if (!rc)
				model_set(&models[which], index, step);
		} else if (models[which].value[index] >= 0) {
			rc = drop(&trees[which], index);
			if (!rc)
				model_remove(&models[which], index);
		}
		assert_true(rc == 0 || (rc == -ENOMEM && failing_alloc_hit()));
		failing_alloc_arm(0);
		if (step % 50 == 0) {
			for (int i = 0; i < VERSIONS; i++)
				check(&trees[i], &models[i]);
		}
	}
	for (int i = 0; i < VERSIONS; i++)
		tree_free(&trees[i]);
}

/* Generations tell whether a node, or its set of children, has changed. */
static void counts_generations(void **state)
{
	struct tree tree, before;

	(void)state;
	assert_int_equal(tree_init(&tree, perms), 0);
	set(&tree, NAMES, 1); /* /a/a */
	tree_share(&before, &tree);
	set(&tree, NAMES, 2);
	assert_int_equal(tree_find(&tree, "/a")->generation, tree_find(&before, "/a")->generation);
	assert_true(tree_find(&tree, "/a/a")->generation > tree_find(&before, "/a/a")->generation);
	set(&tree, NAMES + 1, 1);
	assert_true(tree_find(&tree, "/a")->generation > tree_find(&before, "/a")->generation);
	assert_int_equal(tree_find(&tree, "/")->generation, tree_find(&before, "/")->generation);
	tree_free(&before);
	tree_share(&before, &tree);
	drop(&tree, NAMES + 1);
	assert_true(tree_find(&tree, "/a")->generation > tree_find(&before, "/a")->generation);
	tree_free(&before);
	tree_free(&tree);
}

/* The deepest path that there is: recursion must bear it. */
static void bears_the_deepest_path(void **state)
{
	char text[XENSTORE_ABS_PATH_MAX + 1] = "";
	struct tree tree;
	unsigned int created;

	(void)state;
	for (int i = 0; i < XENSTORE_ABS_PATH_MAX / 2; i++)
		memcpy(text + 2 * i, "/d", 3);
	assert_int_equal(tree_init(&tree, perms), 0);
	assert_int_equal(tree_set(&tree, text, perms, NULL, &created), 0);
	assert_int_equal(created, XENSTORE_ABS_PATH_MAX / 2);
	assert_true(tree_check(&tree));
	tree_free(&tree);
}

int main(void)
{
	static const struct store_perm owner = { 0, STORE_NONE };
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_the_model),
		cmocka_unit_test(counts_generations),
		cmocka_unit_test(bears_the_deepest_path),
	};

	perms = perms_new(&owner, 1);
	int rc = cmocka_run_group_tests(tests, NULL, NULL);
	perms_put(perms);
	return rc;
}
