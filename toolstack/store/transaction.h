/* SPDX-License-Identifier: MIT */
/*
 * Transactions: a version of the tree that only its owner sees, the changes made to it, and the
 * paths it has looked at. Ending one applies its changes again, to the tree as it is by then,
 * if nothing that was looked at has changed meanwhile. So transactions can be put in an order
 * in which each would have had the same results.
 *
 * A transaction that is too old, or that the daemon lost in a restart, is doomed: it can only
 * end with EAGAIN, and keeps no old version of the tree. Pure, no lock.
 */
#ifndef STORE_TRANSACTION_H
#define STORE_TRANSACTION_H

#include "store/change.h"

struct transaction {
	struct transaction *next; /* in its connection's list */
	uint32_t id;
	bool doomed;
	uint64_t started;	  /* seconds, of the daemon's clock */
	struct tree base;	  /* as it was at the start */
	struct tree view;	  /* as its owner sees it */
	struct change *changes;
	struct change **last;
	struct seen *seen;	  /* paths looked at */
	unsigned int nodes;	  /* number of changes and of paths looked at */
	size_t bytes;		  /* of these: paths and values */
	unsigned int owned;	  /* nodes of view that belong to the owner of the transaction */
};

/* Opens a transaction on @tree, of whose nodes its owner owns @owned. NULL: no memory. */
struct transaction *transaction_new(uint32_t id, const struct tree *tree, unsigned int owned,
				    uint64_t now);
void transaction_free(struct transaction *tx);

/* Bytes of the paths and values that all transactions keep. */
size_t transaction_memory(void);

/* Lets it go on with @tree, only to end with EAGAIN. */
void transaction_doom(struct transaction *tx, const struct tree *tree);

/*
 * Notes that the owner has seen @path, whether it is there or not. Returns 0 or -ENOSPC
 * (a limit), -ENOMEM.
 */
int transaction_see(struct transaction *tx, const char *path, const struct account *account);

/*
 * Applies @change to the owner's view and keeps it for the end; takes @change over, also on
 * failure. Errors: those of change_apply(), and -ENOSPC for the limits of transactions.
 */
int transaction_change(struct transaction *tx, struct change *change,
		       const struct account *account);

/*
 * Applies all to @tree, or nothing. Returns 0 with @effects appended, or -EAGAIN: there is a
 * conflict, or -ENOMEM. The transaction is still the caller's to free.
 */
int transaction_commit(struct transaction *tx, struct tree *tree, struct account *account,
		       struct effects *effects);

#endif
