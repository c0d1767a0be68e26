/* SPDX-License-Identifier: MIT */
/*
 * Where a save goes: bytes in order to a descriptor, a file as well as a pipe or a socket. What is
 * written is hashed (XXH64) as it goes; a part of it can be packed by zstd or lz4. Functions return
 * 0 or -errno; after an error no more is written. One thread.
 */
#ifndef STREAM_OUT_H
#define STREAM_OUT_H

#include <stddef.h>
#include <stdint.h>

/* Numbers of the envelope. */
enum stream_packing { STREAM_PLAIN = 0, STREAM_ZSTD = 1, STREAM_LZ4 = 2 };

/*
 * How a frame of lz4's starts, the only one that is written or read: version 1, independent blocks
 * of up to 256 KiB, no checksums (the envelope has one), no size, no dictionary.
 */
#define STREAM_LZ4_HEADER 7U
extern const uint8_t stream_lz4_header[STREAM_LZ4_HEADER];

struct stream_out;

/* fd stays the caller's. */
int stream_out_open(struct stream_out **out, int fd);
void stream_out_close(struct stream_out *out);

/* No more than so many bytes go to the descriptor: -ENOSPC. */
void stream_out_limit(struct stream_out *out, uint64_t bytes);

int stream_out_write(struct stream_out *out, const void *data, size_t len);

/* What follows is packed, until stream_out_unpacked(). */
int stream_out_packed(struct stream_out *out, enum stream_packing packing);
int stream_out_unpacked(struct stream_out *out);

/* XXH64 (seed 0) of all bytes that went to the descriptor, and how many there were. */
uint64_t stream_out_hash(const struct stream_out *out);
uint64_t stream_out_bytes(const struct stream_out *out);

#endif
