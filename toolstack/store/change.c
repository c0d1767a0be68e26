/* SPDX-License-Identifier: MIT */
/* One change of the tree: see change.h. */
#include "store/change.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct change *change_new(enum change_kind kind, const char *path, struct value *value,
			  struct perms *perms)
{
	size_t size = strlen(path) + 1;
	struct change *change = calloc(1, sizeof(*change) + size);

	if (!change)
		return NULL;
	change->kind = kind;
	change->value = value_get(value);
	change->perms = perms ? perms_get(perms) : NULL;
	memcpy(change->path, path, size);
	return change;
}

void change_free(struct change *change)
{
	value_put(change->value);
	perms_put(change->perms);
	free(change);
}

void effects_init(struct effects *effects)
{
	effects->first = NULL;
	effects->last = &effects->first;
}

static void effect_free(struct effect *effect)
{
	if (effect->removed)
		node_put(effect->removed);
	perms_put(effect->now);
	perms_put(effect->before);
	free(effect);
}

void effects_free(struct effects *effects)
{
	struct effect *effect = effects->first;

	while (effect) {
		struct effect *next = effect->next;
		effect_free(effect);
		effect = next;
	}
	effects_init(effects);
}

static struct effect *effect_new(const char *path)
{
	size_t size = strlen(path) + 1;
	struct effect *effect = calloc(1, sizeof(*effect) + size);

	if (effect)
		memcpy(effect->path, path, size);
	return effect;
}

static void effects_add(struct effects *effects, struct effect *effect)
{
	*effects->last = effect;
	effects->last = &effect->next;
}

int change_access(const struct tree *tree, const char *path, const struct actor *actor,
		  enum store_access access, const struct node **node)
{
	const char *rest;

	*node = tree_nearest(tree, path, &rest);
	if (!perms_allow((*node)->perms, actor, access))
		return -EACCES;
	return *rest ? -ENOENT : 0;
}

/*
 * What the nodes that are missing at the end of a path get: their parent's list, owned by who
 * creates them.
 */
static struct perms *inherited(const struct node *parent, const struct actor *actor)
{
	if (actor->privileged)
		return perms_get(parent->perms);
	return perms_with_owner(parent->perms, actor->domid);
}

static unsigned int components(const char *path)
{
	unsigned int count = 0;
	size_t len;

	while (path_next(&path, &len))
		count++;
	return count;
}

/* CHANGE_WRITE and CHANGE_CREATE. */
static int apply_set(const struct change *change, struct tree *tree, struct account *account,
		     struct effect *effect)
{
	const struct actor *actor = account->actor;
	const char *rest;
	const struct node *node = tree_nearest(tree, change->path, &rest);
	struct perms *perms = NULL;

	if (!perms_allow(node->perms, actor, STORE_WRITE))
		return -EACCES;
	if (!actor->privileged && change->value && change->value->len > account->limits->value)
		return -ENOSPC;
	if (*rest) {
		if (!actor->privileged &&
		    account->owned + components(rest) > account->limits->nodes)
			return -ENOSPC;
		perms = inherited(node, actor);
		if (!perms)
			return -ENOMEM;
	}
	effect->now = perms ? perms : perms_get(node->perms);
	int rc = tree_set(tree, change->path, perms, change->value, &effect->created);
	if (!rc && !actor->privileged)
		account->owned += effect->created;
	return rc;
}

/* node_walk(): takes the nodes that the account's domain owns off the account. */
static int take_off(const struct node *node, const char *path, void *context)
{
	struct account *account = context;

	(void)path;
	account->owned -= node->perms->list[0].domid == account->actor->domid;
	return 0;
}

static int apply_remove(const struct change *change, struct tree *tree, struct account *account,
			struct effect *effect)
{
	struct path path;

	if (!change->path[1])
		return -EINVAL;
	int rc = tree_remove(tree, change->path, &effect->removed);
	if (rc || account->actor->privileged)
		return rc;
	strcpy(path.text, change->path);
	return node_walk(effect->removed, &path, take_off, account);
}

/* Nothing is there to be removed: that is no error if its parent is there. */
static int remove_missing(const struct change *change, const struct tree *tree,
			  const struct actor *actor)
{
	const struct node *node;
	struct path path;

	strcpy(path.text, change->path);
	path_parent(&path);
	return change_access(tree, path.text, actor, STORE_WRITE, &node);
}

static int apply_perms(const struct change *change, struct tree *tree, struct account *account,
		       const struct node *node, struct effect *effect)
{
	const struct actor *actor = account->actor;
	unsigned int created;

	if (!perms_owned(node->perms, actor))
		return -EACCES;
	if (!actor->privileged) {
		if (change->perms->list[0].domid != node->perms->list[0].domid)
			return -EPERM;
		if (change->perms->count > account->limits->perms)
			return -ENOSPC;
	}
	effect->before = perms_get(node->perms);
	effect->now = perms_get(change->perms);
	return tree_set(tree, change->path, change->perms, NULL, &created);
}

static int apply(const struct change *change, struct tree *tree, struct account *account,
		 struct effect *effect)
{
	const struct node *node;

	switch (change->kind) {
	case CHANGE_WRITE:
	case CHANGE_CREATE:
		return apply_set(change, tree, account, effect);
	case CHANGE_REMOVE:
		return apply_remove(change, tree, account, effect);
	case CHANGE_PERMS:
		node = tree_find(tree, change->path);
		return apply_perms(change, tree, account, node, effect);
	}
	return -EINVAL;
}

int change_apply(const struct change *change, struct tree *tree, struct account *account,
		 struct effects *effects)
{
	const struct node *node;
	int rc = change_access(tree, change->path, account->actor, STORE_WRITE, &node);

	/*
	 * Setting permissions needs ownership alone, which apply_perms() asks for; but the node
	 * must be there.
	 */
	if (change->kind == CHANGE_PERMS && rc == -EACCES && tree_find(tree, change->path))
		rc = 0;
	if (change->kind == CHANGE_CREATE && !rc)
		return 0;
	if (change->kind == CHANGE_REMOVE && rc == -ENOENT)
		return remove_missing(change, tree, account->actor);
	if (rc == -ENOENT && (change->kind == CHANGE_WRITE || change->kind == CHANGE_CREATE))
		rc = 0;
	if (rc)
		return rc;
	struct effect *effect = effect_new(change->path);
	if (!effect)
		return -ENOMEM;
	rc = apply(change, tree, account, effect);
	if (!rc) {
		effects_add(effects, effect);
		return 0;
	}
	effect_free(effect);
	return rc;
}
