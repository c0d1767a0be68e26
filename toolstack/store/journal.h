/* SPDX-License-Identifier: MIT */
/*
 * The file in which the store's log is kept, so that a daemon that was killed can be started
 * again: <dir>/state, written anew (state.new, then rename) at the start and whenever it has
 * grown to more than twice what the state needs. That is done in pieces (rewrite.h), a few bytes
 * for each that is appended: nobody waits for all of it, and who fills the journal pays. The
 * directory is on a file system in memory: what must be survived is the end of the process, not
 * of the machine, so nothing is synced.
 *
 * When the file cannot be written (full), the daemon goes on without it and tries again now and
 * then.
 */
#ifndef STORE_JOURNAL_H
#define STORE_JOURNAL_H

#include "store/rewrite.h"

struct journal {
	int dir;	/* directory */
	int fd;		/* the file, or -1: there is none at the moment */
	size_t size;	/* of the file */
	size_t base;	/* of the file when it was written anew */
	size_t slack;	/* how much it may grow whatever its size */
	uint64_t retry; /* when to try again after a failure, in the store's seconds */
	struct rewrite rewrite;
};

/* Opens (creates) the directory. Returns 0 or -errno. */
int journal_open(struct journal *journal, const char *dir);

/* Rebuilds the state of an empty store. Returns 0, -ENOENT: there is no file, or -errno. */
int journal_load(struct journal *journal, struct store *store);

/* Writes the file anew from the state, at once. Returns 0 or -errno. */
int journal_rewrite(struct journal *journal, struct store *store);

/*
 * Appends what is in the store's log, and empties it. What is in the file now may be told to
 * others.
 */
void journal_flush(struct journal *journal, struct store *store);

void journal_close(struct journal *journal);

#endif
