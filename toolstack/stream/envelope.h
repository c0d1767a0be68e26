/* SPDX-License-Identifier: MIT */
/*
 * The envelope of a saved guest:
 *
 *   offset 0   "ENSOSAVE"
 *          8   version (1), length of this header (64)	two words of 32 bits
 *         16   packing (0, 1 zstd, 2 lz4), length of the XML
 *         24   memory of the guest in KiB			64 bits, as all that follow
 *         32   when it was saved, in seconds since 1970
 *         40   XXH64 of the XML
 *         48   0
 *         56   XXH64 of the 56 bytes before
 *         64   the guest's definition as XML, zeros up to a multiple of 8
 *              the domain image (stream/format.h), packed or not
 *              "ENSO-END", XXH64 of all bytes of the file before this word
 *
 * All numbers are little-endian. A reader knows from the header alone that it is whole, and from
 * the trailer that all is.
 */
#ifndef STREAM_ENVELOPE_H
#define STREAM_ENVELOPE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"
#include "stream/in.h"
#include "stream/out.h"

#define ENVELOPE_HEADER 64U
#define ENVELOPE_XML_MAX (1U << 20)

struct envelope {
	enum stream_packing packing;
	uint64_t memory_kib;
	uint64_t saved_at;
	char *xml;		/* with a NUL behind it */
	size_t xml_len;
};

/* Header and XML; then the image follows, packed as it says. 0 or -errno. */
int envelope_write(struct stream_out *out, const struct envelope *envelope);
/* What stands behind the image. 0 or -errno. */
int envelope_write_end(struct stream_out *out);

/*
 * 0 and an envelope to free; or -1 with err set (ERROR_SAVE_FILE, ERROR_FILE, ERROR_NO_MEMORY). The
 * image follows.
 */
int envelope_read(struct stream_in *in, struct envelope *envelope, struct error *err);
int envelope_read_end(struct stream_in *in, struct error *err);
void envelope_free(struct envelope *envelope);

/*
 * Look at all of a regular file from its position on, to see that the trailer says the truth and
 * that it is the end. 0 or -1; the position stays.
 */
int envelope_verify(int fd, struct error *err);

/* What -errno of a stream_in function means: always -1. */
int envelope_read_failed(int rc, struct error *err);

#endif
