/* SPDX-License-Identifier: MIT */
/*
 * A store in this process: see fake/store_client.h. A transaction is a copy of all, put back if it
 * is forgotten.
 */
#include "fake/store_client.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/client.h"

enum { NODES = 2048, PATH = 160, VALUE = 128, DOMAINS = 64 };

struct store_client {
	int unused;
};

static struct node {
	char path[PATH], value[VALUE], perms[VALUE];
} nodes[NODES], before[NODES];
static size_t count, count_before;
static unsigned fail_at;
static bool failed, introduced[DOMAINS];
static struct store_client the_client;

static int fails(void)
{
	if (!fail_at || --fail_at)
		return 0;
	failed = true;
	return -ENOSPC;
}

void fake_store_reset(void)
{
	count = fail_at = 0;
	failed = false;
	memset(introduced, 0, sizeof(introduced));
}

void fake_store_fail_at(unsigned n)
{
	fail_at = n;
	failed = false;
}

bool fake_store_failed(void)
{
	return failed;
}

static struct node *find(const char *path)
{
	for (size_t i = 0; i < count; i++) {
		if (!strcmp(nodes[i].path, path))
			return &nodes[i];
	}
	return NULL;
}

const char *fake_store_value(const char *path)
{
	struct node *node = find(path);

	return node ? node->value : NULL;
}

const char *fake_store_perms(const char *path)
{
	struct node *node = find(path);

	return node ? node->perms : NULL;
}

size_t fake_store_count(void)
{
	return count;
}

bool fake_store_introduced(unsigned domid)
{
	return introduced[domid];
}

/* The node, made if need be with its parents, whose permissions it inherits. */
static struct node *make(const char *path)
{
	struct node *node = find(path);
	char parent[PATH], *slash;

	if (node)
		return node;
	snprintf(parent, sizeof(parent), "%s", path);
	slash = strrchr(parent, '/');
	if (slash && slash != parent) {
		*slash = 0;
		make(parent);
	}
	if (count == NODES)
		abort();
	node = &nodes[count++];
	memset(node, 0, sizeof(*node));
	snprintf(node->path, sizeof(node->path), "%s", path);
	if (find(parent) && find(parent) != node)
		strcpy(node->perms, find(parent)->perms);
	return node;
}

int store_connect(struct store_client **out, unsigned int patience_ms)
{
	int rc = fails();

	(void)patience_ms;
	if (!rc)
		*out = &the_client;
	return rc;
}

void store_disconnect(struct store_client *client)
{
	(void)client;
}

int store_read(struct store_client *client, uint32_t tx, const char *path, char **value,
	       size_t *len)
{
	struct node *node = find(path);
	int rc = fails();

	(void)client;
	(void)tx;
	if (rc || !node)
		return rc ? rc : -ENOENT;
	*value = strdup(node->value);
	if (len)
		*len = strlen(node->value);
	return *value ? 0 : -ENOMEM;
}

int store_read_many(struct store_client *client, const char *const *paths, size_t many,
		    char **values)
{
	size_t have = 0;
	int rc = 0;

	for (; have < many && (!rc || rc == -ENOENT); have++) {
		values[have] = NULL;
		rc = store_read(client, STORE_NO_TX, paths[have], &values[have], NULL);
	}
	if (!rc || rc == -ENOENT)
		return 0;
	while (have)
		free(values[--have]);
	return rc;
}

int store_read_uint(struct store_client *client, uint32_t tx, const char *path, uint64_t *value)
{
	struct node *node = find(path);
	int rc = fails();

	(void)client;
	(void)tx;
	if (rc || !node)
		return rc ? rc : -ENOENT;
	*value = strtoull(node->value, NULL, 10);
	return 0;
}

int store_write(struct store_client *client, uint32_t tx, const char *path, const void *value,
		size_t len)
{
	int rc = fails();

	(void)client;
	(void)tx;
	if (!rc)
		snprintf(make(path)->value, VALUE, "%.*s", (int)len, (const char *)value);
	return rc;
}

int store_mkdir(struct store_client *client, uint32_t tx, const char *path)
{
	int rc = fails();

	(void)client;
	(void)tx;
	if (!rc)
		make(path);
	return rc;
}

int store_rm(struct store_client *client, uint32_t tx, const char *path)
{
	size_t kept = 0, len = strlen(path);

	(void)client;
	(void)tx;
	for (size_t i = 0; i < count; i++) {
		if (strncmp(nodes[i].path, path, len) ||
		    (nodes[i].path[len] && nodes[i].path[len] != '/'))
			nodes[kept++] = nodes[i];
	}
	count = kept;
	return 0;
}

int store_ls(struct store_client *client, uint32_t tx, const char *path, char ***names, size_t *n)
{
	size_t len = strlen(path);
	char **list, *text;
	int rc = fails();

	(void)client;
	(void)tx;
	if (rc || !find(path))
		return rc ? rc : -ENOENT;
	list = malloc(NODES * (sizeof(*list) + 16));
	text = (char *)(list + NODES);
	*n = 0;
	for (size_t i = 0; i < count && *n < NODES; i++) {
		const char *rest = nodes[i].path + len + 1;

		if (strncmp(nodes[i].path, path, len) || nodes[i].path[len] != '/' ||
		    strchr(rest, '/'))
			continue;
		list[(*n)++] = text;
		text += snprintf(text, 16, "%s", rest) + 1;
	}
	*names = list;
	return 0;
}

int store_set_perms(struct store_client *client, uint32_t tx, const char *path,
		    const struct store_perm *perms, size_t n)
{
	struct node *node = find(path);
	int rc = fails();

	(void)client;
	(void)tx;
	if (rc || !node)
		return rc ? rc : -ENOENT;
	node->perms[0] = 0;
	for (size_t i = 0; i < n; i++)
		snprintf(node->perms + strlen(node->perms), 16, "%s%c%u", i ? "," : "",
			 "nrwb"[perms[i].access], perms[i].domid);
	return 0;
}

int store_tx_start(struct store_client *client, uint32_t *tx)
{
	int rc = fails();

	(void)client;
	memcpy(before, nodes, sizeof(nodes));
	count_before = count;
	*tx = 1;
	return rc;
}

int store_tx_end(struct store_client *client, uint32_t tx, bool commit)
{
	int rc = commit ? fails() : 0;

	(void)client;
	(void)tx;
	if (commit && !rc)
		return 0;
	memcpy(nodes, before, sizeof(nodes));
	count = count_before;
	return rc;
}

int store_watch(struct store_client *client, const char *path, const char *token)
{
	(void)client, (void)path, (void)token;
	return fails();
}

int store_unwatch(struct store_client *client, const char *path, const char *token)
{
	(void)client, (void)path, (void)token;
	return 0;
}

int store_wait(struct store_client *client, int timeout_ms, struct store_event *event)
{
	(void)client, (void)timeout_ms, (void)event;
	return -ETIMEDOUT;
}

void store_event_free(struct store_event *event)
{
	(void)event;
}

int store_introduce(struct store_client *client, uint32_t domid, uint64_t frame, uint32_t port)
{
	int rc = fails();

	(void)client, (void)frame, (void)port;
	if (!rc)
		introduced[domid] = true;
	return rc;
}

int store_resume(struct store_client *client, uint32_t domid)
{
	(void)client;
	return introduced[domid] ? 0 : -ENOENT;
}

int store_release(struct store_client *client, uint32_t domid)
{
	(void)client;
	if (!introduced[domid])
		return -ENOENT;
	introduced[domid] = false;
	return 0;
}
