/* SPDX-License-Identifier: MIT */
/*
 * Where a restore comes from: the reverse of out.h. Nothing is sought, so a pipe or a socket will
 * do. Functions return 0 or -errno: -ENODATA where the input ends too early, -EBADMSG where packed
 * bytes are damaged. The input is hostile: it is read as far as is asked for, never more into
 * memory than the buffer here. One thread.
 */
#ifndef STREAM_IN_H
#define STREAM_IN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stream/out.h"

struct stream_in;

/* fd stays the caller's. */
int stream_in_open(struct stream_in **in, int fd);
void stream_in_close(struct stream_in *in);

/* All of the input was checked already: it is not hashed again. */
void stream_in_trust(struct stream_in *in);
bool stream_in_trusted(const struct stream_in *in);

int stream_in_read(struct stream_in *in, void *buf, size_t len);
int stream_in_skip(struct stream_in *in, uint64_t len);

/*
 * What follows is packed (-EBADMSG: in no way that we know, or in a frame of lz4's that is none of
 * ours); the second ends it, -EBADMSG if there is more in it than was read.
 */
int stream_in_packed(struct stream_in *in, enum stream_packing packing);
int stream_in_unpacked(struct stream_in *in);

/*
 * XXH64 (seed 0) of all bytes that were used of the descriptor's, if it is not trusted, and how
 * many there were.
 */
uint64_t stream_in_hash(const struct stream_in *in);
uint64_t stream_in_bytes(const struct stream_in *in);

#endif
