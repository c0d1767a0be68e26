/* SPDX-License-Identifier: MIT */
/* The envelope of a saved guest: see envelope.h. */
#include "stream/envelope.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "lib/file.h"

#define VERSION 1U

static const char magic[8] = "ENSOSAVE", end_magic[8] = "ENSO-END";

/* As it lies in the file. */
struct header {
	char magic[8];
	uint32_t version, length;
	uint32_t packing, xml_len;
	uint64_t memory_kib, saved_at;
	uint64_t xml_hash;
	uint64_t zero;
	uint64_t hash;
};
_Static_assert(sizeof(struct header) == ENVELOPE_HEADER, "the header's layout");

struct trailer {
	char magic[8];
	uint64_t hash;
};

static uint64_t header_hash(const struct header *header)
{
	return XXH64(header, offsetof(struct header, hash), 0);
}

static size_t padding(size_t len)
{
	return -len & 7;
}

int envelope_write(struct stream_out *out, const struct envelope *envelope)
{
	struct header header = {
		.version = htole32(VERSION),
		.length = htole32(sizeof(header)),
		.packing = htole32(envelope->packing),
		.xml_len = htole32((uint32_t)envelope->xml_len),
		.memory_kib = htole64(envelope->memory_kib),
		.saved_at = htole64(envelope->saved_at),
		.xml_hash = htole64(XXH64(envelope->xml, envelope->xml_len, 0)),
	};
	static const char zeros[8];
	int rc;

	if (envelope->xml_len > ENVELOPE_XML_MAX)
		return -E2BIG;
	memcpy(header.magic, magic, sizeof(magic));
	header.hash = htole64(header_hash(&header));
	rc = stream_out_write(out, &header, sizeof(header));
	if (!rc)
		rc = stream_out_write(out, envelope->xml, envelope->xml_len);
	if (!rc)
		rc = stream_out_write(out, zeros, padding(envelope->xml_len));
	return rc;
}

int envelope_write_end(struct stream_out *out)
{
	uint64_t hash;
	int rc = stream_out_write(out, end_magic, sizeof(end_magic));

	if (!rc)
		rc = stream_out_unpacked(out);	/* sends what was gathered */
	hash = htole64(stream_out_hash(out));
	if (!rc)
		rc = stream_out_write(out, &hash, sizeof(hash));
	return rc ? rc : stream_out_unpacked(out);
}

int envelope_read_failed(int rc, struct error *err)
{
	switch (rc) {
	case -ENODATA:
		return error_set(err, ERROR_SAVE_FILE,
				 "the save file ends too early; it was cut off or is still being "
				 "written");
	case -EBADMSG:
		return error_set(err, ERROR_SAVE_FILE,
				 "the save file is damaged: its packed part cannot be unpacked");
	case -ENOMEM:
		return error_set(err, ERROR_NO_MEMORY, "out of memory");
	default:
		return error_set(err, ERROR_FILE, "the save file cannot be read: %s",
				 error_text(rc));
	}
}

static int damaged(const char *what, struct error *err)
{
	return error_set(err, ERROR_SAVE_FILE, "the save file is damaged: %s", what);
}

/* What the header says is possible. */
static int check_header(const struct header *header, struct error *err)
{
	if (memcmp(header->magic, magic, sizeof(magic)))
		return error_set(err, ERROR_SAVE_FILE,
				 "this is no file of \"enso save\"; files of xl or virsh are not "
				 "read");
	if (le64toh(header->hash) != header_hash(header))
		return damaged("the checksum of its header is wrong", err);
	if (le32toh(header->version) != VERSION)
		return error_set(err, ERROR_SAVE_FILE,
				 "the save file has version %u, this program reads version %u",
				 le32toh(header->version), VERSION);
	if (le32toh(header->length) != sizeof(*header) || header->zero ||
	    le32toh(header->packing) > STREAM_LZ4 ||
	    le32toh(header->xml_len) > ENVELOPE_XML_MAX)
		return damaged("its header says what cannot be", err);
	return 0;
}

static int read_xml(struct stream_in *in, const struct header *header, struct envelope *envelope,
		    struct error *err)
{
	char pad[8] = { 0 };
	int rc;

	envelope->xml_len = le32toh(header->xml_len);
	envelope->xml = malloc(envelope->xml_len + 1);
	if (!envelope->xml)
		return error_set(err, ERROR_NO_MEMORY, "out of memory");
	rc = stream_in_read(in, envelope->xml, envelope->xml_len);
	if (!rc)
		rc = stream_in_read(in, pad, padding(envelope->xml_len));
	if (rc)
		return envelope_read_failed(rc, err);
	envelope->xml[envelope->xml_len] = 0;
	if (XXH64(envelope->xml, envelope->xml_len, 0) != le64toh(header->xml_hash))
		return damaged("the checksum of the guest's definition is wrong", err);
	for (size_t i = 0; i < sizeof(pad); i++)
		if (pad[i])
			return damaged("there is something between definition and image", err);
	return 0;
}

int envelope_read(struct stream_in *in, struct envelope *envelope, struct error *err)
{
	struct header header;
	int rc = stream_in_read(in, &header, sizeof(header));

	*envelope = (struct envelope){ 0 };
	if (rc)
		return envelope_read_failed(rc, err);
	if (check_header(&header, err))
		return -1;
	envelope->packing = le32toh(header.packing);
	envelope->memory_kib = le64toh(header.memory_kib);
	envelope->saved_at = le64toh(header.saved_at);
	if (read_xml(in, &header, envelope, err)) {
		envelope_free(envelope);
		return -1;
	}
	return 0;
}

int envelope_read_end(struct stream_in *in, struct error *err)
{
	struct trailer trailer;
	uint64_t hash;
	int rc = stream_in_read(in, trailer.magic, sizeof(trailer.magic));

	hash = stream_in_hash(in);
	if (!rc)
		rc = stream_in_read(in, &trailer.hash, sizeof(trailer.hash));
	if (rc)
		return envelope_read_failed(rc, err);
	if (memcmp(trailer.magic, end_magic, sizeof(end_magic)) ||
	    (!stream_in_trusted(in) && le64toh(trailer.hash) != hash))
		return damaged("the checksum at its end is wrong", err);
	return 0;
}

void envelope_free(struct envelope *envelope)
{
	free(envelope->xml);
	*envelope = (struct envelope){ 0 };
}

static int hash_file(int fd, XXH64_state_t *state, off_t at, off_t end)
{
	uint8_t piece[64 << 10];
	int rc = 0;

	for (; at < end && !rc; at += (off_t)sizeof(piece)) {
		size_t n = end - at < (off_t)sizeof(piece) ? (size_t)(end - at) : sizeof(piece);

		rc = file_read_at(fd, piece, n, at);
		if (!rc)
			XXH64_update(state, piece, n);
	}
	return rc;
}

static int verify(int fd, XXH64_state_t *state, struct error *err)
{
	off_t at = lseek(fd, 0, SEEK_CUR);
	struct trailer trailer;
	struct stat st;
	int rc = at < 0 || fstat(fd, &st) ? -errno : 0;

	if (rc)
		return envelope_read_failed(rc, err);
	if (st.st_size - at < (off_t)sizeof(trailer))
		return envelope_read_failed(-ENODATA, err);
	rc = file_read_at(fd, &trailer, sizeof(trailer), st.st_size - (off_t)sizeof(trailer));
	if (!rc && memcmp(trailer.magic, end_magic, sizeof(end_magic)))
		rc = -ENODATA;
	XXH64_reset(state, 0);
	if (!rc)
		rc = hash_file(fd, state, at, st.st_size - (off_t)sizeof(trailer.hash));
	if (rc)
		return envelope_read_failed(rc, err);
	if (le64toh(trailer.hash) != XXH64_digest(state))
		return damaged("the checksum at its end is wrong", err);
	return 0;
}

int envelope_verify(int fd, struct error *err)
{
	XXH64_state_t *state = XXH64_createState();
	int rc;

	if (state)
		rc = verify(fd, state, err);
	else
		rc = error_set(err, ERROR_NO_MEMORY, "out of memory");
	XXH64_freeState(state);
	return rc;
}
