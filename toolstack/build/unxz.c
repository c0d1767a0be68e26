/* SPDX-License-Identifier: MIT */
/* xz by liblzma: see build/unxz.h. */
#include "build/unxz.h"

#include <errno.h>
#include <lzma.h>
#include <unistd.h>

#include "lib/file.h"

#define CHUNK 65536
#define MEMORY_MAX (256UL << 20) /* a dictionary of 128 MiB; Linux's build uses 32 */

static int decode(lzma_stream *stream, int in, int out)
{
	static uint8_t packed[CHUNK], plain[CHUNK];
	lzma_ret state = LZMA_OK;

	while (state == LZMA_OK) {
		int rc;

		if (!stream->avail_in) {
			ssize_t n = read(in, packed, sizeof(packed));

			if (n < 0 && errno == EINTR)
				continue;
			if (n <= 0)
				return n ? -errno : -ENODATA;
			stream->next_in = packed;
			stream->avail_in = (size_t)n;
		}
		stream->next_out = plain;
		stream->avail_out = sizeof(plain);
		state = lzma_code(stream, LZMA_RUN);
		rc = file_write_all(out, plain, sizeof(plain) - stream->avail_out);
		if (rc)
			return rc;
	}
	return state == LZMA_STREAM_END ? 0 : state == LZMA_MEM_ERROR ? -ENOMEM : -EBADMSG;
}

int unxz(int in, int out)
{
	lzma_stream stream = LZMA_STREAM_INIT;
	int rc;

	if (lzma_stream_decoder(&stream, MEMORY_MAX, 0) != LZMA_OK)
		return -ENOMEM;
	rc = decode(&stream, in, out);
	lzma_end(&stream);
	return rc;
}
