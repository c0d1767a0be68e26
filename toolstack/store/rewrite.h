/* SPDX-License-Identifier: MIT */
/*
 * The journal's file written anew, piece by piece, while the old one goes on being appended to:
 *
 *	old file:  [ the state, and what changed ][ what changed since the beginning ]
 *	new file:  [ nodes as they were then | the rest, the same ][ what changed since ]
 *
 * The version of the tree as it was is kept meanwhile; that costs a reference and the nodes that
 * change. Only when the new file holds all that the old one does may it take its place. Pure but
 * for the files; no lock.
 */
#ifndef STORE_REWRITE_H
#define STORE_REWRITE_H

#include "store/store.h"

struct rewrite {
	int fd;				/* of the new file; -1: nothing is under way */
	struct tree tree;		/* as it was; no root: its nodes are all in the buffer */
	struct path at;			/* the node that comes next */
	struct record_buffer rest;	/* what comes after the nodes; empty: it is written */
	size_t tail;			/* position in the old file of what comes then */
	size_t size, base;		/* bytes of the new file, and of these before the tail */
};

/*
 * Begins at the position of @fd, which it takes over; the old file has @tail bytes, in accord with
 * the store.
 */
int rewrite_begin(struct rewrite *rewrite, int fd, struct store *store, size_t tail);

/*
 * Writes about so many bytes. 1: the new file holds all that the old one does, which has
 * @old_size; 0: not yet; or -errno.
 */
int rewrite_step(struct rewrite *rewrite, int old, size_t old_size, size_t bytes);

/* Ends it, done or not; fd is closed, unless the caller took it and set it to -1. */
void rewrite_end(struct rewrite *rewrite);

#endif
