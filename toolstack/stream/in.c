/* SPDX-License-Identifier: MIT */
/* Reading a save: see in.h. Small pieces come through a buffer, large ones go where they belong. */
#include "stream/in.h"

#include <errno.h>
#include <lz4frame.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>
#include <zstd.h>

#define BUFFER	   (16UL << 10)
#define LARGE	   (64UL << 10)	/* what goes where it belongs without the buffer */
#define WINDOW_LOG 23	/* more memory than this (8 MiB) no frame of ours wants */

struct stream_in {
	int fd;
	XXH64_state_t *hash;
	bool trusted;
	uint64_t bytes;
	size_t at, filled;		/* of the buffer */
	enum stream_packing packing;
	bool frame_ended;		/* the packed part has */
	bool damaged;			/* the unpacker found it so: it is not asked again */
	ZSTD_DCtx *zstd;
	LZ4F_dctx *lz4;
	uint8_t buffer[BUFFER];
};

int stream_in_open(struct stream_in **opened, int fd)
{
	struct stream_in *in = calloc(1, sizeof(*in));

	if (!in)
		return -ENOMEM;
	in->fd = fd;
	in->hash = XXH64_createState();
	if (!in->hash) {
		free(in);
		return -ENOMEM;
	}
	XXH64_reset(in->hash, 0);
	*opened = in;
	return 0;
}

void stream_in_close(struct stream_in *in)
{
	if (!in)
		return;
	ZSTD_freeDCtx(in->zstd);
	LZ4F_freeDecompressionContext(in->lz4);
	XXH64_freeState(in->hash);
	free(in);
}

/* At least one byte to buf, at most len. How many, or -errno. */
static ssize_t receive(struct stream_in *in, void *buf, size_t len)
{
	ssize_t n;

	do
		n = read(in->fd, buf, len);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n == 0 ? -ENODATA : n;
}

static int fill(struct stream_in *in)
{
	ssize_t n;

	if (in->at < in->filled)
		return 0;
	n = receive(in, in->buffer, sizeof(in->buffer));
	if (n < 0)
		return (int)n;
	in->at = 0;
	in->filled = (size_t)n;
	return 0;
}

void stream_in_trust(struct stream_in *in)
{
	in->trusted = true;
}

bool stream_in_trusted(const struct stream_in *in)
{
	return in->trusted;
}

static void count(struct stream_in *in, const void *data, size_t n)
{
	if (!in->trusted)
		XXH64_update(in->hash, data, n);
	in->bytes += n;
}

/* The next n bytes of the buffer are used. */
static void use(struct stream_in *in, size_t n)
{
	count(in, in->buffer + in->at, n);
	in->at += n;
}

static int read_plain(struct stream_in *in, uint8_t *buf, size_t len)
{
	while (len) {
		size_t have = in->filled - in->at;
		ssize_t n;

		if (!have && len >= LARGE) {
			n = receive(in, buf, len);
			if (n < 0)
				return (int)n;
			count(in, buf, (size_t)n);
		} else {
			int rc = fill(in);

			if (rc)
				return rc;
			have = in->filled - in->at;
			n = (ssize_t)(have < len ? have : len);
			memcpy(buf, in->buffer + in->at, (size_t)n);
			use(in, (size_t)n);
		}
		buf += n;
		len -= (size_t)n;
	}
	return 0;
}

static int damaged(struct stream_in *in)
{
	in->damaged = true;
	return -EBADMSG;
}

/*
 * Unpack what the buffer has (the unpacker may hold some more), up to len bytes to buf: *got. Sets
 * frame_ended at the end of the packed part.
 */
static int unpack(struct stream_in *in, uint8_t *buf, size_t len, size_t *got)
{
	size_t have = in->filled - in->at, left;

	if (in->damaged)
		return -EBADMSG;
	if (in->packing == STREAM_ZSTD) {
		ZSTD_inBuffer packed = { in->buffer + in->at, have, 0 };
		ZSTD_outBuffer plain = { buf, len, 0 };

		left = ZSTD_decompressStream(in->zstd, &plain, &packed);
		if (ZSTD_isError(left))
			return damaged(in);
		use(in, packed.pos);
		*got = plain.pos;
	} else {
		size_t used = have;

		*got = len;
		left = LZ4F_decompress(in->lz4, buf, got, in->buffer + in->at, &used, NULL);
		if (LZ4F_isError(left))
			return damaged(in);
		use(in, used);
	}
	in->frame_ended = left == 0;
	return 0;
}

static int read_packed(struct stream_in *in, uint8_t *buf, size_t len)
{
	while (len) {
		size_t got = 0;
		int rc;

		if (in->frame_ended)
			return -ENODATA;
		rc = unpack(in, buf, len, &got);
		if (!rc && !got && !in->frame_ended)
			rc = fill(in);
		if (rc)
			return rc;
		buf += got;
		len -= got;
	}
	return 0;
}

int stream_in_read(struct stream_in *in, void *buf, size_t len)
{
	return in->packing == STREAM_PLAIN ? read_plain(in, buf, len) : read_packed(in, buf, len);
}

int stream_in_skip(struct stream_in *in, uint64_t len)
{
	uint8_t unwanted[4096];
	int rc = 0;

	while (len && !rc) {
		size_t n = len < sizeof(unwanted) ? (size_t)len : sizeof(unwanted);

		rc = stream_in_read(in, unwanted, n);
		len -= n;
	}
	return rc;
}

static int start_zstd(struct stream_in *in)
{
	if (!in->zstd)
		in->zstd = ZSTD_createDCtx();
	if (!in->zstd)
		return -ENOMEM;
	ZSTD_DCtx_reset(in->zstd, ZSTD_reset_session_only);
	ZSTD_DCtx_setParameter(in->zstd, ZSTD_d_windowLogMax, WINDOW_LOG);
	return 0;
}

/*
 * Of the kinds of frames that there are liblz4 need only read ours: with blocks that want no
 * memory of those before them.
 */
static int start_lz4(struct stream_in *in)
{
	uint8_t header[STREAM_LZ4_HEADER], nothing;
	size_t used = sizeof(header), got = 0;
	int rc;

	if (!in->lz4 &&
	    LZ4F_isError(LZ4F_createDecompressionContext(&in->lz4, LZ4F_VERSION)))
		return -ENOMEM;
	LZ4F_resetDecompressionContext(in->lz4);
	rc = read_plain(in, header, sizeof(header));
	if (rc)
		return rc;
	if (memcmp(header, stream_lz4_header, sizeof(header)) ||
	    LZ4F_isError(LZ4F_decompress(in->lz4, &nothing, &got, header, &used, NULL)) ||
	    used != sizeof(header))
		return -EBADMSG;
	return 0;
}

int stream_in_packed(struct stream_in *in, enum stream_packing packing)
{
	int rc = packing == STREAM_PLAIN ? 0
		: packing == STREAM_ZSTD ? start_zstd(in)
		: packing == STREAM_LZ4	 ? start_lz4(in)
					 : -EBADMSG;

	in->frame_ended = in->damaged = false;
	in->packing = rc ? STREAM_PLAIN : packing;
	return rc;
}

int stream_in_unpacked(struct stream_in *in)
{
	uint8_t byte;
	int rc = 0;

	while (in->packing != STREAM_PLAIN && !in->frame_ended && !rc) {
		size_t got = 0;

		rc = unpack(in, &byte, 1, &got);
		if (!rc && got)
			rc = -EBADMSG;
		if (!rc && !in->frame_ended)
			rc = fill(in);
	}
	in->packing = STREAM_PLAIN;
	return rc;
}

uint64_t stream_in_hash(const struct stream_in *in)
{
	return XXH64_digest(in->hash);
}

uint64_t stream_in_bytes(const struct stream_in *in)
{
	return in->bytes;
}
