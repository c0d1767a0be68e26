/* SPDX-License-Identifier: MIT */
/*
 * The store against a simple model: a table of all nodes that there can be, with values and
 * permission lists. The control domain and two guests write, read, list, remove and set
 * permissions, in and out of transactions. Every answer outside of them must be the model's. A
 * transaction that commits must have the same results when all of it is done again in the model at
 * that moment; it may fail only if somebody changed something since it began.
 *
 * Links: tests/unit/toolstack/store/harness.c toolstack/store/wire.c toolstack/store/path.c
 * Links: toolstack/store/perms.c toolstack/store/tree.c toolstack/store/change.c
 * Links: toolstack/store/watch.c toolstack/store/transaction.c toolstack/store/connection.c
 * Links: toolstack/store/record.c toolstack/store/store.c toolstack/store/domain.c
 * Links: toolstack/store/request.c toolstack/store/request_node.c toolstack/store/request_watch.c
 * Links: toolstack/store/request_domain.c toolstack/store/state.c
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/toolstack/store/harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ACTORS	3	/* domains 0 (privileged), 1, 2 */
#define FANOUT	3	/* children "a", "b", "c" */
#define NODES	13	/* the root, 3 and 9: children of n are 3n + 1 to 3n + 3 */
#define TXS	2	/* per actor */
#define OPS	24	/* that one transaction may have */

struct model_node {
	bool exists;
	uint8_t value;		/* 0: empty */
	uint8_t owner;
	uint8_t others;		/* enum store_access of domains without an entry */
	uint8_t access[ACTORS];	/* by domain; 0xff: no entry. The owner's own may come to count */
};

struct op {
	uint8_t type, node, arg;
	int result;
	char reply[64];
	size_t len;
};

struct model_tx {
	uint32_t id;		/* 0: not open */
	unsigned int version;	/* of the table when it began */
	struct model_node view[NODES];
	struct op op[OPS];
	unsigned int n;
};

static struct model_node table[NODES];
static unsigned int version;
static struct model_tx txs[ACTORS][TXS];
static struct harness h;

static void require(bool holds)
{
	if (!holds)
		abort();
}

static const char *path_of(unsigned int node, char *path)
{
	char back[16];
	unsigned int n = 0;

	for (; node; node = (node - 1) / FANOUT) {
		back[n++] = (char)('a' + (node - 1) % FANOUT);
		back[n++] = '/';
	}
	if (!n)
		back[n++] = '/';
	for (unsigned int i = 0; i < n; i++)
		path[i] = back[n - 1 - i];
	path[n] = 0;
	return path;
}

/* ---- what the model says ---- */

static unsigned int nearest(const struct model_node *t, unsigned int node)
{
	while (!t[node].exists)
		node = (node - 1) / FANOUT;
	return node;
}

static bool allows(const struct model_node *node, unsigned int actor, unsigned int access)
{
	unsigned int has;

	if (!actor || actor == node->owner)
		return true;
	has = node->access[actor] != 0xff ? node->access[actor] : node->others;
	return (has & access) == access;
}

static int look(const struct model_node *t, unsigned int actor, unsigned int node,
		unsigned int access)
{
	unsigned int at = nearest(t, node);

	if (!allows(&t[at], actor, access))
		return -EACCES;
	return at == node ? 0 : -ENOENT;
}

static void create(struct model_node *t, unsigned int actor, unsigned int node)
{
	unsigned int parent = (node - 1) / FANOUT;

	if (t[node].exists)
		return;
	create(t, actor, parent);
	t[node] = t[parent];
	t[node].value = 0;
	/* The first entry's access stays what it was, its domain becomes the creator. */
	if (actor)
		t[node].owner = (uint8_t)actor;
}

static void erase(struct model_node *t, unsigned int node)
{
	t[node].exists = false;
	for (unsigned int i = 1; i <= FANOUT && node * FANOUT + i < NODES; i++)
		erase(t, node * FANOUT + i);
}

/* The list that `arg` stands for: the owner's entry, and one of another domain. */
static void set_list(struct model_node *node, unsigned int arg)
{
	unsigned int owner = arg % ACTORS, other = (owner + 1 + (arg >> 6) % 2) % ACTORS;

	memset(node->access, 0xff, sizeof(node->access));
	node->owner = (uint8_t)owner;
	node->others = arg >> 2 & 3;
	if (arg >> 7)
		node->access[other] = arg >> 4 & 3;
}

static int set_perms(struct model_node *t, unsigned int actor, const struct op *op)
{
	struct model_node *node = &t[op->node];

	if (!node->exists)
		return look(t, actor, op->node, STORE_WRITE);
	if (actor && node->owner != actor)
		return -EACCES;
	if (actor && op->arg % ACTORS != node->owner)
		return -EPERM;
	set_list(node, op->arg);
	return 0;
}

static int remove_node(struct model_node *t, unsigned int actor, unsigned int node)
{
	int rc = look(t, actor, node, STORE_WRITE);

	if (rc == -ENOENT)
		return look(t, actor, (node - 1) / FANOUT, STORE_WRITE);
	if (rc)
		return rc;
	if (!node)
		return -EINVAL;
	erase(t, node);
	return 0;
}

static int list(const struct model_node *t, unsigned int node, char *reply)
{
	int len = 0;

	for (unsigned int i = 0; i < FANOUT && node * FANOUT + i + 1 < NODES; i++)
		if (t[node * FANOUT + i + 1].exists)
			len += sprintf(reply + len, "%c", (int)('a' + i)) + 1;
	return len;
}

/* Does the operation in t: its result, and what a read answers in reply (*len bytes). */
static int model(struct model_node *t, unsigned int actor, const struct op *op, char *reply,
		 size_t *len)
{
	int rc;

	*len = 0;
	switch (op->type) {
	case XS_READ:
	case XS_DIRECTORY:
		rc = look(t, actor, op->node, STORE_READ);
		if (rc)
			return rc;
		reply[0] = (char)t[op->node].value;
		*len = op->type == XS_DIRECTORY ? (size_t)list(t, op->node, reply) : reply[0] != 0;
		return 0;
	case XS_WRITE:
	case XS_MKDIR:
		rc = look(t, actor, op->node, STORE_WRITE);
		if (rc == -EACCES)
			return rc;
		if (rc)
			create(t, actor, op->node);
		if (op->type == XS_WRITE)
			t[op->node].value = op->arg;
		return 0;
	case XS_RM:
		return remove_node(t, actor, op->node);
	default:
		return set_perms(t, actor, op);
	}
}

/* ---- what the store says ---- */

static struct connection *conn_of(unsigned int actor)
{
	return actor ? harness_guest(&h, actor) : &h.control;
}

static int store_does(unsigned int actor, uint32_t tx, const struct op *op)
{
	static const char letters[] = "nrwb";
	char payload[64], *at = payload;
	struct model_node perms;

	at += strlen(path_of(op->node, payload)) + 1;
	if (op->type == XS_WRITE && op->arg)
		*at++ = (char)op->arg;
	if (op->type == XS_SET_PERMS) {
		set_list(&perms, op->arg);
		at += sprintf(at, "%c%u", letters[perms.others], perms.owner) + 1;
		for (unsigned int i = 0; i < ACTORS; i++)
			if (perms.access[i] != 0xff)
				at += sprintf(at, "%c%u", letters[perms.access[i]], i) + 1;
	}
	return ask(&h, conn_of(actor), op->type, tx, payload, (size_t)(at - payload));
}

static bool is_read(const struct op *op)
{
	return op->type == XS_READ || op->type == XS_DIRECTORY;
}

static void check_reply(const struct op *op, int result, const char *reply, size_t len)
{
	if (is_read(op) && !result)
		require(h.reply_len == len && !memcmp(h.reply, reply, len));
}

static void outside(unsigned int actor, struct op *op)
{
	struct model_node before[NODES];
	char reply[64];
	size_t len;

	memcpy(before, table, sizeof(table));
	op->result = model(table, actor, op, reply, &len);
	version += memcmp(before, table, sizeof(table)) != 0 || !is_read(op);
	require(store_does(actor, 0, op) == op->result);
	check_reply(op, op->result, reply, len);
}

static void inside(unsigned int actor, struct model_tx *tx, struct op *op)
{
	if (tx->n == OPS)
		return;
	op->result = model(tx->view, actor, op, op->reply, &op->len);
	require(store_does(actor, tx->id, op) == op->result);
	check_reply(op, op->result, op->reply, op->len);
	tx->op[tx->n++] = *op;
}

/* All of it again: what was read is still so, what was done can be done. */
static void replay(unsigned int actor, const struct model_tx *tx)
{
	for (unsigned int i = 0; i < tx->n; i++) {
		const struct op *op = &tx->op[i];
		char reply[64];
		size_t len;

		if (op->result && !is_read(op))
			continue;
		int rc = model(table, actor, op, reply, &len);
		require(!rc == !op->result);
		if (!rc && is_read(op))
			require(len == op->len && !memcmp(reply, op->reply, len));
	}
}

static bool has_changes(const struct model_tx *tx)
{
	for (unsigned int i = 0; i < tx->n; i++)
		if (!tx->op[i].result && !is_read(&tx->op[i]))
			return true;
	return false;
}

static void begin_or_end(unsigned int actor, struct model_tx *tx, bool commit)
{
	if (!tx->id) {
		*tx = (struct model_tx){ .id = begin(&h, conn_of(actor)), .version = version };
		require(tx->id);
		memcpy(tx->view, table, sizeof(table));
		return;
	}
	int rc = end(&h, conn_of(actor), tx->id, commit);
	if (rc) {
		require(rc == -EAGAIN && commit && tx->version != version);
	} else if (commit && has_changes(tx)) {
		replay(actor, tx);
		version++;
	}
	tx->id = 0;
}

/* The control domain sees all of the table in the store, and nothing else. */
static void compare(void)
{
	for (unsigned int node = 0; node < NODES; node++) {
		struct op read = { .type = XS_READ, .node = (uint8_t)node };
		struct op directory = { .type = XS_DIRECTORY, .node = (uint8_t)node };

		outside(0, &read);
		outside(0, &directory);
	}
	require(harness_check(&h));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t types[8] = { XS_WRITE, XS_WRITE, XS_READ, XS_DIRECTORY,
					  XS_MKDIR, XS_RM,    XS_SET_PERMS, 0 };

	memset(table, 0, sizeof(table));
	memset(txs, 0, sizeof(txs));
	version = 0;
	harness_start(&h);
	table[0].exists = true;
	set_list(&table[0], 0);
	for (; size >= 3; data += 3, size -= 3) {
		unsigned int actor = data[0] >> 3 & 3, slot = data[0] >> 5 & 1;
		struct op op = { .type = types[data[0] & 7], .node = data[1] % NODES,
				 .arg = data[2] };

		if (actor == ACTORS)
			actor = 0;
		struct model_tx *tx = &txs[actor][slot];
		if (!op.type)
			begin_or_end(actor, tx, data[1] & 3);
		else if (tx->id && data[0] & 0x40)
			inside(actor, tx, &op);
		else
			outside(actor, &op);
	}
	compare();
	harness_stop(&h);
	return 0;
}
