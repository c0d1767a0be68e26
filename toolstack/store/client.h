/* SPDX-License-Identifier: MIT */
/*
 * The xenstore client: one connection to the store daemon's UNIX socket, used by every program
 * of the toolstack in Domain-0. Works with enso-stored and with any other daemon that speaks
 * the protocol.
 *
 * Invariant: requests are answered in their order; watch events that arrive meanwhile are queued,
 * never lost. When the daemon went away (killed, restarted) a request outside a transaction
 * connects again, registers the watches again and is repeated, for up to STORE_PATIENCE_MS; a
 * transaction that was open then ends with -EAGAIN, as after a conflict. So callers see a
 * restart of the daemon as a pause.
 *
 * No lock: one thread at a time. Paths are absolute ("/local/domain/0") or relative to the home
 * of Domain-0. Every int result is 0 or -errno; beside the daemon's own answer (-ENOENT,
 * -EACCES, -EAGAIN, ...) every function can return -ENOMEM, -ECONNREFUSED (no daemon within the
 * patience), -ETIMEDOUT (daemon does not answer) and -EPROTO (the answer is not of the
 * protocol).
 */
#ifndef STORE_CLIENT_H
#define STORE_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/access.h"

struct store_client;

/*
 * How long a request waits for the daemon, to come back or to answer, in milliseconds. An emulated
 * control domain on Xen, on a busy machine, was seen to need more than 5 s to answer the first
 * introduction.
 */
#define STORE_PATIENCE_MS 20000

/* Transaction id of requests outside any transaction. */
#define STORE_NO_TX 0u

/*
 * A watch that fired: @path changed, below the watch registered with @token. Freed by
 * store_event_free().
 */
struct store_event {
	char *path;
	char *token;
};

/*
 * Connects to the daemon: ${XENSTORED_PATH}, /run/xenstored/socket, then
 * /var/run/xenstored/socket. Waits up to @patience_ms milliseconds for the daemon to be there
 * (0: one try). Sets *@out on success.
 */
int store_connect(struct store_client **out, unsigned int patience_ms);

/* Closes the connection; the daemon drops its watches and transactions. NULL is allowed. */
void store_disconnect(struct store_client *client);

/*
 * The descriptor to poll for POLLIN together with others. It changes when the client had to
 * connect again.
 */
int store_fd(const struct store_client *client);

/*
 * Reads the node @path into *@value, malloc'd, with a NUL after its *@len bytes (@len may be NULL).
 * -ENOENT: no such node.
 */
int store_read(struct store_client *client, uint32_t tx, const char *path, char **value,
	       size_t *len);

/* Reads the node @path as a decimal number. -EINVAL: it is not one, or does not fit. */
int store_read_uint(struct store_client *client, uint32_t tx, const char *path, uint64_t *value);

/*
 * Reads @count nodes outside any transaction, many at a time: daemon and client take turns once for
 * each STORE_BATCH and not for each node. @values[i] is malloc'd, or NULL where there is no such
 * node. On an error nothing is given.
 */
#define STORE_BATCH 32
int store_read_many(struct store_client *client, const char *const *paths, size_t count,
		    char **values);

/*
 * Writes @len bytes (at most 4096 with the path) to the node @path; creates it and its parents
 * if missing.
 */
int store_write(struct store_client *client, uint32_t tx, const char *path, const void *value,
		size_t len);

/* Writes the formatted text to the node @path. -E2BIG: longer than a node may be. */
int store_printf(struct store_client *client, uint32_t tx, const char *path, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Creates the node @path, empty, and its parents; no error when it exists. */
int store_mkdir(struct store_client *client, uint32_t tx, const char *path);

/* Removes the node @path and all below it; no error when only the node itself is missing. */
int store_rm(struct store_client *client, uint32_t tx, const char *path);

/*
 * Lists the children of @path: *@names is one malloc'd block, an array of *@count strings;
 * free() frees all. Directories whose listing is longer than one message are read in parts.
 */
int store_ls(struct store_client *client, uint32_t tx, const char *path, char ***names,
	     size_t *count);

/* Reads the permission list of @path; *@perms is malloc'd, @count entries. */
int store_get_perms(struct store_client *client, uint32_t tx, const char *path,
		    struct store_perm **perms, size_t *count);

/* Replaces the permission list of @path; @count is at least 1. */
int store_set_perms(struct store_client *client, uint32_t tx, const char *path,
		    const struct store_perm *perms, size_t count);

/*
 * Opens a transaction, one at a time; *@tx is never STORE_NO_TX on success. -ENOSPC: too many are
 * open. In it store_write(), store_mkdir() and store_set_perms() don't wait for their answers: the
 * first that the daemon refuses is what store_tx_end() returns.
 */
int store_tx_start(struct store_client *client, uint32_t *tx);

/*
 * Ends the transaction, with its writes applied at once when @commit and none was refused, or
 * forgotten. -EAGAIN: another client changed what this transaction has seen, nothing was applied;
 * start again.
 */
int store_tx_end(struct store_client *client, uint32_t tx, bool commit);

/*
 * Watches @path and all below it (or "@introduceDomain", "@releaseDomain"). One event comes at
 * once. -EEXIST: this path is being watched with this token.
 */
int store_watch(struct store_client *client, const char *path, const char *token);

/* Ends that watch; its events that were queued are dropped. */
int store_unwatch(struct store_client *client, const char *path, const char *token);

/*
 * Waits up to @timeout_ms milliseconds (0: only looks; negative: for ever) for a watch to fire.
 * -ETIMEDOUT: none did. Call until -ETIMEDOUT with 0 after poll() says POLLIN, because one read
 * can bring several events.
 */
int store_wait(struct store_client *client, int timeout_ms, struct store_event *event);

/* Frees what store_wait() gave. */
void store_event_free(struct store_event *event);

/*
 * Tells the daemon of domain @domid, whose store ring is in guest frame @frame and whose end of
 * the event channel is @port. "@introduceDomain" fires. Repeated with the same values it is no
 * error.
 */
int store_introduce(struct store_client *client, uint32_t domid, uint64_t frame, uint32_t port);

/* Takes the domain's connection away; "@releaseDomain" fires. -ENOENT: it was not introduced. */
int store_release(struct store_client *client, uint32_t domid);

/* Sets *@known to whether the domain is introduced. */
int store_is_introduced(struct store_client *client, uint32_t domid, bool *known);

/* Sets *@path, malloc'd, to the home of the domain: "/local/domain/<domid>". It need not exist. */
int store_get_domain_path(struct store_client *client, uint32_t domid, char **path);

/*
 * Tells the daemon that @domid resumed after a suspend that was cancelled, so it can report a
 * shutdown again.
 */
int store_resume(struct store_client *client, uint32_t domid);

/* Gives @domid the rights of @target over its nodes (for device models). */
int store_set_target(struct store_client *client, uint32_t domid, uint32_t target);

/* Sends XS_CONTROL with the @count strings of @argv; *@answer is malloc'd text. */
int store_control(struct store_client *client, const char *const *argv, size_t count,
		  char **answer);

#endif
