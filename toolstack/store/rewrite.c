/* SPDX-License-Identifier: MIT */
/* A new file in pieces: see rewrite.h. */
#include "store/rewrite.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/file.h"

#define PIECE (16u << 10)	/* bytes that are copied or written at once */

static int put(struct rewrite *rewrite, const char *bytes, size_t len)
{
	int rc = file_write_all(rewrite->fd, bytes, len);

	rewrite->size += len;
	return rc;
}

int rewrite_begin(struct rewrite *rewrite, int fd, struct store *store, size_t tail)
{
	*rewrite = (struct rewrite){ .fd = fd, .at = { "/" }, .tail = tail,
				     .size = (size_t)lseek(fd, 0, SEEK_CUR) };
	tree_share(&rewrite->tree, &store->tree);
	store_dump_rest(store, &rewrite->rest);
	return rewrite->rest.failed ? -ENOMEM : 0;
}

static int put_nodes(struct rewrite *rewrite)
{
	struct record_buffer nodes = { 0 };
	bool more = store_dump_nodes(&rewrite->tree, &rewrite->at, PIECE, &nodes);
	int rc = nodes.failed ? -ENOMEM : put(rewrite, nodes.bytes, nodes.len);

	free(nodes.bytes);
	if (!more)
		tree_free(&rewrite->tree);
	return rc;
}

static int put_rest(struct rewrite *rewrite)
{
	int rc = put(rewrite, rewrite->rest.bytes, rewrite->rest.len);

	rewrite->rest.len = 0;
	rewrite->base = rewrite->size;
	return rc;
}

static int put_tail(struct rewrite *rewrite, int old, size_t old_size)
{
	static char bytes[PIECE];
	size_t len = old_size - rewrite->tail;
	ssize_t got = pread(old, bytes, len < PIECE ? len : PIECE, (off_t)rewrite->tail);

	if (got < 0)
		return errno == EINTR ? 0 : -errno;
	if (!got)
		return -EIO;
	rewrite->tail += (size_t)got;
	return put(rewrite, bytes, (size_t)got);
}

int rewrite_step(struct rewrite *rewrite, int old, size_t old_size, size_t bytes)
{
	size_t enough = rewrite->size + bytes;
	int rc = 0;

	while (!rc && rewrite->size < enough) {
		if (rewrite->tree.root)
			rc = put_nodes(rewrite);
		else if (rewrite->rest.len)
			rc = put_rest(rewrite);
		else if (rewrite->tail < old_size)
			rc = put_tail(rewrite, old, old_size);
		else
			return 1;
	}
	return rc;
}

void rewrite_end(struct rewrite *rewrite)
{
	if (rewrite->fd >= 0)
		close(rewrite->fd);
	rewrite->fd = -1;
	tree_free(&rewrite->tree);
	free(rewrite->rest.bytes);
	rewrite->rest = (struct record_buffer){ 0 };
}
