/* SPDX-License-Identifier: MIT */
/*
 * One change of the tree, as a value: asked for by a request, kept in a transaction until it is
 * committed, applied to a version of the tree with the rights and limits of whoever asked. What
 * it did comes out as an effect, for whoever has to tell others (watches, journal, accounts).
 * Pure, no lock.
 */
#ifndef STORE_CHANGE_H
#define STORE_CHANGE_H

#include "store/limits.h"
#include "store/tree.h"

enum change_kind {
	CHANGE_WRITE,	/* value; creates the node */
	CHANGE_CREATE,	/* no effect when it exists */
	CHANGE_REMOVE,
	CHANGE_PERMS,
};

struct change {
	struct change *next; /* in the transaction that keeps it */
	enum change_kind kind;
	struct value *value; /* of CHANGE_WRITE */
	struct perms *perms; /* of CHANGE_PERMS */
	char path[];
};

/* What a change did to the tree. */
struct effect {
	struct effect *next;
	struct node *removed;	/* the subtree that is gone, or NULL: the node at path was set */
	struct perms *now;	/* the node's permissions after it was set */
	struct perms *before;	/* its old permissions, when those were changed */
	unsigned int created;	/* how many nodes are new: path and so many of its ancestors */
	char path[];
};

struct effects {
	struct effect *first;
	struct effect **last;
};

/* Whose rights and limits hold, and how many nodes of this version it owns (kept up to date). */
struct account {
	const struct actor *actor;
	const struct limits *limits;
	unsigned int owned;
};

/* A new change; takes references of its own. NULL: no memory. */
struct change *change_new(enum change_kind kind, const char *path, struct value *value,
			  struct perms *perms);
void change_free(struct change *change);

void effects_init(struct effects *effects);
void effects_free(struct effects *effects);

/*
 * Whether @actor has the rights @access on the node at @path. Returns 0 with *@node, or
 * -EACCES, or -ENOENT: no such node, and the actor may know that (it has these rights on the
 * nearest ancestor).
 */
int change_access(const struct tree *tree, const char *path, const struct actor *actor,
		  enum store_access access, const struct node **node);

/*
 * Applies @change to @tree and appends what it did to @effects. Returns 0 or -EACCES, -ENOENT
 * (remove: no parent), -EINVAL (remove: the root), -EPERM (new owner), -ENOSPC (a limit),
 * -ENOMEM, and then nothing was done.
 */
int change_apply(const struct change *change, struct tree *tree, struct account *account,
		 struct effects *effects);

#endif
