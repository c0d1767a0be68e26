/* SPDX-License-Identifier: MIT */
/* Writing a save: see out.h. Small pieces are gathered, large ones go out as they are. */
#include "stream/out.h"

#include <errno.h>
#include <lz4frame.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>
#include <zstd.h>

#include "lib/file.h"

#define GATHER	 (64UL << 10)
#define PACK_MAX (1UL << 20)	/* bytes that are packed at a time */

struct stream_out {
	int fd;
	int error;			/* the first: it is what all later calls return */
	XXH64_state_t *hash;
	uint64_t bytes, limit;
	size_t gathered;
	enum stream_packing packing;
	ZSTD_CCtx *zstd;
	LZ4F_cctx *lz4;
	uint8_t *room;			/* for packed bytes */
	size_t room_size;
	uint8_t buffer[GATHER];
};

int stream_out_open(struct stream_out **opened, int fd)
{
	struct stream_out *out = calloc(1, sizeof(*out));

	if (!out)
		return -ENOMEM;
	out->fd = fd;
	out->limit = UINT64_MAX;
	out->hash = XXH64_createState();
	if (!out->hash) {
		free(out);
		return -ENOMEM;
	}
	XXH64_reset(out->hash, 0);
	*opened = out;
	return 0;
}

void stream_out_close(struct stream_out *out)
{
	if (!out)
		return;
	ZSTD_freeCCtx(out->zstd);
	LZ4F_freeCompressionContext(out->lz4);
	XXH64_freeState(out->hash);
	free(out->room);
	free(out);
}

void stream_out_limit(struct stream_out *out, uint64_t bytes)
{
	out->limit = bytes;
}

static int send(struct stream_out *out, const void *data, size_t len)
{
	if (!out->error && out->bytes + len > out->limit)
		out->error = -ENOSPC;
	if (!out->error)
		out->error = file_write_all(out->fd, data, len);
	if (!out->error)
		XXH64_update(out->hash, data, len);
	out->bytes += len;
	return out->error;
}

static int flush(struct stream_out *out)
{
	size_t len = out->gathered;

	out->gathered = 0;
	return len ? send(out, out->buffer, len) : out->error;
}

/* Bytes as they are to lie in the file. */
static int put(struct stream_out *out, const void *data, size_t len)
{
	if (out->gathered + len > GATHER && flush(out))
		return out->error;
	if (len >= GATHER)
		return send(out, data, len);
	memcpy(out->buffer + out->gathered, data, len);
	out->gathered += len;
	return out->error;
}

static int put_zstd(struct stream_out *out, const void *data, size_t len, bool end)
{
	ZSTD_inBuffer in = { data, len, 0 };
	size_t left;

	do {
		ZSTD_outBuffer packed = { out->room, out->room_size, 0 };

		left = ZSTD_compressStream2(out->zstd, &packed, &in,
					    end ? ZSTD_e_end : ZSTD_e_continue);
		if (ZSTD_isError(left))
			out->error = out->error ? out->error : -EIO;
		else
			put(out, out->room, packed.pos);
	} while (!out->error && (end ? left != 0 : in.pos < in.size));
	return out->error;
}

static int put_lz4(struct stream_out *out, const void *data, size_t len)
{
	size_t n = LZ4F_compressUpdate(out->lz4, out->room, out->room_size, data, len, NULL);

	if (LZ4F_isError(n))
		out->error = out->error ? out->error : -EIO;
	return out->error ? out->error : put(out, out->room, n);
}

int stream_out_write(struct stream_out *out, const void *data, size_t len)
{
	const uint8_t *at = data;

	if (!len)	/* of what is not there */
		return out->error;
	if (out->packing == STREAM_PLAIN)
		return put(out, data, len);
	while (len && !out->error) {
		size_t n = len < PACK_MAX ? len : PACK_MAX;

		if (out->packing == STREAM_ZSTD)
			put_zstd(out, at, n, false);
		else
			put_lz4(out, at, n);
		at += n;
		len -= n;
	}
	return out->error;
}

const uint8_t stream_lz4_header[STREAM_LZ4_HEADER] = { 0x04, 0x22, 0x4d, 0x18, 0x60, 0x50, 0xfb };

static int start_lz4(struct stream_out *out)
{
	static const LZ4F_preferences_t frame = {
		.frameInfo = { .blockMode = LZ4F_blockIndependent, .blockSizeID = LZ4F_max256KB },
	};
	size_t n;

	out->room_size = LZ4F_compressBound(PACK_MAX, &frame);
	out->room = malloc(out->room_size);
	if (!out->room || LZ4F_isError(LZ4F_createCompressionContext(&out->lz4, LZ4F_VERSION)))
		return -ENOMEM;
	n = LZ4F_compressBegin(out->lz4, out->room, out->room_size, &frame);
	if (LZ4F_isError(n) || n != STREAM_LZ4_HEADER ||
	    memcmp(out->room, stream_lz4_header, n) != 0)
		return -EIO;
	return put(out, out->room, n);
}

static int start_zstd(struct stream_out *out)
{
	out->room_size = ZSTD_CStreamOutSize();
	out->room = malloc(out->room_size);
	out->zstd = ZSTD_createCCtx();
	if (!out->room || !out->zstd)
		return -ENOMEM;
	/* The fastest: memory packs well, and the guest stands still meanwhile. */
	ZSTD_CCtx_setParameter(out->zstd, ZSTD_c_compressionLevel, 1);
	return 0;
}

int stream_out_packed(struct stream_out *out, enum stream_packing packing)
{
	int rc = 0;

	if (packing == STREAM_ZSTD)
		rc = start_zstd(out);
	else if (packing == STREAM_LZ4)
		rc = start_lz4(out);
	if (rc && !out->error)
		out->error = rc;
	out->packing = packing;
	return out->error;
}

int stream_out_unpacked(struct stream_out *out)
{
	if (out->packing == STREAM_ZSTD && !out->error)
		put_zstd(out, NULL, 0, true);
	if (out->packing == STREAM_LZ4 && !out->error) {
		size_t n = LZ4F_compressEnd(out->lz4, out->room, out->room_size, NULL);

		if (LZ4F_isError(n))
			out->error = -EIO;
		else
			put(out, out->room, n);
	}
	out->packing = STREAM_PLAIN;
	return flush(out);
}

uint64_t stream_out_hash(const struct stream_out *out)
{
	return XXH64_digest(out->hash);
}

uint64_t stream_out_bytes(const struct stream_out *out)
{
	return out->bytes + out->gathered;
}
