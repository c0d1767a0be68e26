/* SPDX-License-Identifier: MIT */
/* Linux's boot header: see build/bzimage.h. Offsets are those of Documentation/x86/boot.rst. */
#include "build/bzimage.h"

#include <string.h>

/* The real-mode part has SETUP_SECTS + 1 sectors of 512 bytes, where 0 means 4. */
enum {
	SETUP_SECTS = 0x1f1,	/* 1 byte */
	MAGIC = 0x202,		/* "HdrS" */
	VERSION = 0x206,	/* 2 bytes; the payload's place is told since 2.08 */
	PAYLOAD_OFFSET = 0x248, /* 4 bytes, from the end of the real-mode part */
	PAYLOAD_LENGTH = 0x24c, /* 4 bytes */
};

static uint32_t field(const uint8_t *head, size_t at, size_t len)
{
	uint32_t value = 0;

	memcpy(&value, head + at, len);
	return value;
}

bool bzimage_is(const uint8_t *head, size_t len)
{
	return len >= VERSION && !memcmp(head + MAGIC, "HdrS", 4);
}

int bzimage_parse(struct bzimage *image, const uint8_t *head, size_t len, uint64_t file_size,
		  const char **why)
{
	uint64_t sectors;

	*why = "the file ends before its boot header";
	if (len < BZIMAGE_HEADER)
		return -1;
	*why = "its boot protocol is older than 2.08, so its ELF kernel cannot be found";
	if (field(head, VERSION, 2) < 0x208)
		return -1;
	sectors = field(head, SETUP_SECTS, 1);
	image->offset = ((sectors ? sectors : 4) + 1) * 512 + field(head, PAYLOAD_OFFSET, 4);
	image->length = field(head, PAYLOAD_LENGTH, 4);
	*why = "it has no payload";
	if (image->length < 16)
		return -1;
	*why = "the file ends before the end of its payload";
	if (image->offset > file_size || image->length > file_size - image->offset)
		return -1;
	return 0;
}

static const struct unpacker {
	const char *magic;
	size_t len;
	const char *argv[3];
} unpackers[] = {
	{ "\xfd" "7zXZ", 5, { "xz", "-dc" } },
	{ "\x28\xb5\x2f\xfd", 4, { "zstd", "-dc" } },
	{ "\x1f\x8b", 2, { "gzip", "-dc" } },
	{ "BZh", 3, { "bzip2", "-dc" } },
	{ "\x5d\0\0", 3, { "lzma", "-dc" } },
	{ "\x02\x21\x4c\x18", 4, { "lz4", "-dc" } },
	{ "\x89LZO", 4, { "lzop", "-dc" } },
};

const char *const *bzimage_unpacker(const uint8_t magic[6])
{
	for (size_t i = 0; i < sizeof(unpackers) / sizeof(unpackers[0]); i++) {
		if (!memcmp(magic, unpackers[i].magic, unpackers[i].len))
			return unpackers[i].argv;
	}
	return NULL;
}
