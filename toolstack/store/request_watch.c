/* SPDX-License-Identifier: MIT */
/* Requests on watches and transactions: see request.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "store/request.h"

/* A path and a token, and maybe something reserved after them. */
static int get_watch(struct request *request, const char **path, const char **token)
{
	*path = wire_string(&request->args);
	*token = *path ? wire_string(&request->args) : NULL;
	return *token ? 0 : -EINVAL;
}

int request_watch(struct request *request)
{
	const char *path, *token;
	int rc = get_watch(request, &path, &token);

	return rc ? rc : store_add_watch(request->store, request->conn, path, token);
}

int request_unwatch(struct request *request)
{
	const char *path, *token;
	int rc = get_watch(request, &path, &token);

	return rc ? rc : store_remove_watch(request->store, request->conn, path, token);
}

int request_reset_watches(struct request *request)
{
	store_reset(request->store, request->conn);
	return 0;
}

int request_transaction_start(struct request *request)
{
	struct store *store = request->store;
	struct connection *conn = request->conn;
	char text[16];

	if (!conn->actor.privileged && conn->n_transactions >= store_limits(store)->transactions)
		return -ENOSPC;
	do {
		conn->last_tx++;
	} while (!conn->last_tx || store_find_tx(conn, conn->last_tx));
	unsigned int owned = store->owned[conn->actor.domid];
	struct transaction *tx = transaction_new(conn->last_tx, &store->tree, owned, store->now);
	if (!tx)
		return -ENOMEM;
	tx->next = conn->transactions;
	conn->transactions = tx;
	conn->n_transactions++;
	if (conn->ring) {
		record_begin(&store->log, RECORD_TX_START);
		record_u32(&store->log, conn->actor.domid);
		record_u32(&store->log, tx->id);
	}
	snprintf(text, sizeof(text), "%u", tx->id);
	return wire_add_string(request->reply, text);
}

int request_transaction_end(struct request *request)
{
	const char *verdict = wire_string(&request->args);
	struct account account = store_account(request->store, request->conn);
	int rc = 0;

	if (!request->tx)
		return -ENOENT;
	if (!verdict || (strcmp(verdict, "T") && strcmp(verdict, "F")) || request->args.left)
		return -EINVAL;
	if (*verdict == 'T')
		rc = transaction_commit(request->tx, &request->store->tree, &account,
					&request->effects);
	store_end_tx(request->store, request->conn, request->tx);
	return rc;
}
