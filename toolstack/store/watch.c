/* SPDX-License-Identifier: MIT */
/* Watches by path: see watch.h. */
#include "store/watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS_FIRST 64

/* FNV-1a, continued: the hash of a path's beginning is a step on the way to the whole path's. */
static unsigned int hash_more(unsigned int hash, char c)
{
	return (hash ^ (unsigned char)c) * 16777619u;
}

#define HASH_START 2166136261u

static unsigned int hash_path(const char *path)
{
	unsigned int hash = HASH_START;

	while (*path)
		hash = hash_more(hash, *path++);
	return hash;
}

int watch_table_init(struct watch_table *table)
{
	table->count = 0;
	table->bytes = 0;
	table->n_buckets = BUCKETS_FIRST;
	table->buckets = calloc(table->n_buckets, sizeof(table->buckets[0]));
	return table->buckets ? 0 : -ENOMEM;
}

void watch_table_free(struct watch_table *table)
{
	free(table->buckets);
	table->buckets = NULL;
}

static struct watch **bucket(struct watch_table *table, unsigned int hash)
{
	return &table->buckets[hash & (table->n_buckets - 1)];
}

/* Twice as many buckets; without memory for them the chains get longer, and that is all. */
static void table_grow(struct watch_table *table)
{
	struct watch_table bigger = { .n_buckets = table->n_buckets * 2, .count = table->count,
				      .bytes = table->bytes };

	bigger.buckets = calloc(bigger.n_buckets, sizeof(bigger.buckets[0]));
	if (!bigger.buckets)
		return;
	for (unsigned int i = 0; i < table->n_buckets; i++) {
		struct watch *next;
		for (struct watch *watch = table->buckets[i]; watch; watch = next) {
			struct watch **head = bucket(&bigger, watch->hash);
			next = watch->next;
			watch->next = *head;
			*head = watch;
		}
	}
	free(table->buckets);
	*table = bigger;
}

static size_t bytes_of(const struct watch *watch)
{
	return sizeof(*watch) + strlen(watch->path) + 1 + strlen(watch->token) + 1;
}

struct watch *watch_new(struct watch_table *table, struct connection *conn, const char *path,
			const char *token)
{
	size_t path_size = strlen(path) + 1, token_size = strlen(token) + 1;
	struct watch *watch = calloc(1, sizeof(*watch) + path_size + token_size);

	if (!watch)
		return NULL;
	if (table->count >= table->n_buckets)
		table_grow(table);
	memcpy(watch->path, path, path_size);
	watch->token = memcpy(watch->path + path_size, token, token_size);
	watch->conn = conn;
	watch->hash = hash_path(path);
	struct watch **head = bucket(table, watch->hash);
	watch->next = *head;
	*head = watch;
	table->count++;
	table->bytes += bytes_of(watch);
	return watch;
}

void watch_free(struct watch_table *table, struct watch *watch)
{
	struct watch **at = bucket(table, watch->hash);

	while (*at != watch)
		at = &(*at)->next;
	*at = watch->next;
	table->count--;
	table->bytes -= bytes_of(watch);
	free(watch);
}

/* Every watch of the first @len bytes of @path. */
static void each(struct watch_table *table, unsigned int hash, const char *path, size_t len,
		 void (*fire)(struct watch *watch, void *context), void *context)
{
	for (struct watch *watch = *bucket(table, hash); watch; watch = watch->next) {
		if (watch->hash == hash && !strncmp(watch->path, path, len) && !watch->path[len])
			fire(watch, context);
	}
}

void watch_each_at(struct watch_table *table, const char *path,
		   void (*fire)(struct watch *watch, void *context), void *context)
{
	each(table, hash_path(path), path, strlen(path), fire, context);
}

void watch_each_above(struct watch_table *table, const char *path,
		      void (*fire)(struct watch *watch, void *context), void *context)
{
	unsigned int hash = HASH_START;
	size_t len = 0;

	each(table, hash_path("/"), "/", 1, fire, context);
	while (path[len] && path[1]) {
		hash = hash_more(hash, path[len++]);
		if (path[len] == '/' || !path[len])
			each(table, hash, path, len, fire, context);
	}
}
