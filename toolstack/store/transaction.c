/* SPDX-License-Identifier: MIT */
/* Transactions: see transaction.h. */
#include "store/transaction.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct seen {
	struct seen *next;
	char path[];
};

static size_t memory; /* see transaction_memory() */

size_t transaction_memory(void)
{
	return memory;
}

struct transaction *transaction_new(uint32_t id, const struct tree *tree, unsigned int owned,
				    uint64_t now)
{
	struct transaction *tx = calloc(1, sizeof(*tx));

	if (!tx)
		return NULL;
	tx->id = id;
	tx->started = now;
	tx->owned = owned;
	tx->last = &tx->changes;
	tree_share(&tx->base, tree);
	tree_share(&tx->view, tree);
	return tx;
}

/* Gives back all that it keeps. */
static void forget(struct transaction *tx)
{
	while (tx->changes) {
		struct change *next = tx->changes->next;
		change_free(tx->changes);
		tx->changes = next;
	}
	while (tx->seen) {
		struct seen *next = tx->seen->next;
		free(tx->seen);
		tx->seen = next;
	}
	tx->last = &tx->changes;
	memory -= tx->bytes;
	tx->nodes = 0;
	tx->bytes = 0;
	tree_free(&tx->base);
	tree_free(&tx->view);
}

void transaction_free(struct transaction *tx)
{
	forget(tx);
	free(tx);
}

void transaction_doom(struct transaction *tx, const struct tree *tree)
{
	forget(tx);
	tx->doomed = true;
	tree_share(&tx->base, tree);
	tree_share(&tx->view, tree);
}

/* Whether one more node, whose path and value have so many bytes, is too much. */
static bool is_full(const struct transaction *tx, size_t bytes, const struct account *account)
{
	return !account->actor->privileged &&
	       (tx->nodes >= account->limits->tx_nodes ||
		tx->bytes + bytes > account->limits->tx_bytes);
}

static void count(struct transaction *tx, size_t bytes)
{
	tx->nodes++;
	tx->bytes += bytes;
	memory += bytes;
}

int transaction_see(struct transaction *tx, const char *path, const struct account *account)
{
	size_t size = strlen(path) + 1;

	if (tx->doomed)
		return 0;
	for (struct seen *seen = tx->seen; seen; seen = seen->next) {
		if (!strcmp(seen->path, path))
			return 0;
	}
	if (is_full(tx, size, account))
		return -ENOSPC;
	struct seen *seen = malloc(sizeof(*seen) + size);
	if (!seen)
		return -ENOMEM;
	memcpy(seen->path, path, size);
	seen->next = tx->seen;
	tx->seen = seen;
	count(tx, size);
	return 0;
}

int transaction_change(struct transaction *tx, struct change *change, const struct account *account)
{
	struct account in_view = { account->actor, account->limits, tx->owned };
	struct effects effects;
	size_t bytes = strlen(change->path) + 1 + (change->value ? change->value->len : 0);
	int rc = is_full(tx, bytes, account) ? -ENOSPC : 0;

	effects_init(&effects);
	if (!rc)
		rc = change_apply(change, &tx->view, &in_view, &effects);
	effects_free(&effects);
	if (rc) {
		change_free(change);
		return rc;
	}
	tx->owned = in_view.owned;
	count(tx, bytes);
	if (tx->doomed) {
		change_free(change);
		return 0;
	}
	*tx->last = change;
	tx->last = &change->next;
	return 0;
}

static uint64_t generation_at(const struct tree *tree, const char *path)
{
	const struct node *node = tree_find(tree, path);

	return node ? node->generation : 0;
}

int transaction_commit(struct transaction *tx, struct tree *tree, struct account *account,
		       struct effects *effects)
{
	unsigned int owned = account->owned;
	struct tree work;
	int rc = 0;

	if (tx->doomed)
		return -EAGAIN;
	if (!tx->changes)
		return 0;
	for (struct seen *seen = tx->seen; seen; seen = seen->next) {
		if (generation_at(&tx->base, seen->path) != generation_at(tree, seen->path))
			return -EAGAIN;
	}
	tree_share(&work, tree);
	for (struct change *change = tx->changes; change && !rc; change = change->next)
		rc = change_apply(change, &work, account, effects);
	if (rc) {
		account->owned = owned;
		effects_free(effects);
		tree_free(&work);
		/*
		 * It was possible in its own view, so others' changes are in its way: it has to
		 * look again.
		 */
		return rc == -ENOMEM ? rc : -EAGAIN;
	}
	tree_free(tree);
	*tree = work;
	return 0;
}
