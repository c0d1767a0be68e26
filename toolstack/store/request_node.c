/* SPDX-License-Identifier: MIT */
/* Requests on nodes, in and out of transactions: see request.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "store/request.h"

/* The next string of the payload as a path. */
static int get_path(struct request *request, struct path *path)
{
	const char *text = wire_string(&request->args);

	return text ? path_canonical(text, request->conn->actor.domid, path) : -EINVAL;
}

/* Finds the node that is to be read, in the version of the tree that the request is about. */
static int look(struct request *request, const struct path *path, const struct node **node)
{
	const struct actor *actor = &request->conn->actor;
	struct transaction *tx = request->tx;

	if (tx) {
		struct account account = store_account(request->store, request->conn);
		int rc = transaction_see(tx, path->text, &account);
		if (rc)
			return rc;
	}
	return change_access(tx ? &tx->view : &request->store->tree, path->text, actor, STORE_READ,
			     node);
}

/* The payload is a path and nothing else, of a node that is to be read. */
static int look_only(struct request *request, const struct node **node)
{
	struct path path;
	int rc = get_path(request, &path);

	if (!rc && request->args.left)
		rc = -EINVAL;
	return rc ? rc : look(request, &path, node);
}

int request_read(struct request *request)
{
	const struct node *node;
	int rc = look_only(request, &node);

	if (rc || !node->value)
		return rc;
	return wire_add(request->reply, node->value->data, node->value->len);
}

int request_directory(struct request *request)
{
	const struct node *node;
	int rc = look_only(request, &node);

	for (unsigned int i = 0; !rc && i < node->n_children; i++)
		rc = wire_add_string(request->reply, node->children[i]->name);
	return rc;
}

/*
 * From a byte offset into the list of names, as much as fits; an empty name says that this was
 * the end.
 */
int request_directory_part(struct request *request)
{
	const struct node *node;
	uint64_t offset, at = 0;
	struct path path;
	char generation[24];
	unsigned int i;
	int rc = get_path(request, &path);

	if (!rc)
		rc = wire_read_number(&request->args, UINT32_MAX, &offset);
	if (!rc && request->args.left)
		rc = -EINVAL;
	if (!rc)
		rc = look(request, &path, &node);
	if (rc)
		return rc;
	snprintf(generation, sizeof(generation), "%" PRIu64, node->generation);
	wire_add_string(request->reply, generation);
	for (i = 0; i < node->n_children && at < offset; i++)
		at += node->children[i]->name_len + 1;
	if (at > offset)
		return -EINVAL;
	for (; i < node->n_children; i++) {
		if (wire_add_string(request->reply, node->children[i]->name))
			return 0;
	}
	/* When there is no room for it, the next request begins at the end, and gets it alone. */
	wire_add_string(request->reply, "");
	return 0;
}

/* Which of the special paths the text names; -1: none. */
static int special_index(const char *text)
{
	if (!path_is_special(text))
		return -1;
	return text[1] == 'i' ? STORE_SPECIAL_INTRODUCE : STORE_SPECIAL_RELEASE;
}

int request_get_perms(struct request *request)
{
	int special = request->args.left ? special_index(request->args.at) : -1;
	const struct node *node;

	if (special >= 0) {
		const struct perms *perms = request->store->special[special];
		if (!perms_allow(perms, &request->conn->actor, STORE_READ))
			return -EACCES;
		return perms_format(perms, request->reply);
	}
	int rc = look_only(request, &node);
	return rc ? rc : perms_format(node->perms, request->reply);
}

/* Changes the tree, or the transaction's view of it. */
static int perform(struct request *request, enum change_kind kind, const struct path *path,
		   struct value *value, struct perms *perms)
{
	struct account account = store_account(request->store, request->conn);
	struct change *change = change_new(kind, path->text, value, perms);

	if (!change)
		return -ENOMEM;
	if (!request->tx) {
		int rc = change_apply(change, &request->store->tree, &account, &request->effects);
		change_free(change);
		return rc;
	}
	int rc = transaction_change(request->tx, change, &account);
	if (rc == -EACCES || rc == -ENOENT)
		transaction_see(request->tx, path->text, &account);
	return rc;
}

int request_write(struct request *request)
{
	struct path path;
	int rc = get_path(request, &path);

	if (rc)
		return rc;
	struct value *value = value_new(request->args.at, request->args.left);
	if (!value)
		return -ENOMEM;
	rc = perform(request, CHANGE_WRITE, &path, value, NULL);
	value_put(value);
	return rc;
}

static int perform_path(struct request *request, enum change_kind kind)
{
	struct path path;
	int rc = get_path(request, &path);

	if (!rc && request->args.left)
		rc = -EINVAL;
	return rc ? rc : perform(request, kind, &path, NULL, NULL);
}

int request_mkdir(struct request *request)
{
	return perform_path(request, CHANGE_CREATE);
}

int request_rm(struct request *request)
{
	return perform_path(request, CHANGE_REMOVE);
}

static int set_special(struct request *request, unsigned int which, struct perms *perms)
{
	if (!request->conn->actor.privileged || request->tx)
		return -EACCES;
	store_set_special(request->store, which, perms);
	return 0;
}

int request_set_perms(struct request *request)
{
	const char *text = wire_string(&request->args);
	struct perms *perms;
	struct path path;
	int special = text ? special_index(text) : -1;
	int rc = text ? 0 : -EINVAL;

	if (!rc && special < 0)
		rc = path_canonical(text, request->conn->actor.domid, &path);
	if (!rc)
		rc = perms_parse(&request->args, &perms);
	if (rc)
		return rc;
	if (special >= 0)
		rc = set_special(request, (unsigned int)special, perms);
	else
		rc = perform(request, CHANGE_PERMS, &path, NULL, perms);
	perms_put(perms);
	return rc;
}
