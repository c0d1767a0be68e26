/* SPDX-License-Identifier: MIT */
/*
 * What is packed comes out as it went in, in pieces of any size; bytes that are packed in no way
 * that we know, frames of lz4's that we never write, and damage, are refused, and stay refused
 * however often one asks.
 * Links: toolstack/stream/in.c toolstack/stream/out.c toolstack/lib/
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <lz4frame.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "stream/in.h"
#include "stream/out.h"

enum { SIZE = 3 << 20, BEFORE = 8 };

static uint8_t plain[SIZE], packed[SIZE + (64 << 10)];

static void make_plain(void)
{
	uint32_t seed = 1;

	for (size_t i = 0; i < SIZE; i++) {	/* some of it can be packed, some cannot */
		seed = seed * 1103515245U + 12345U;
		plain[i] = i >> 15 & 1 ? (uint8_t)(seed >> 16) : (uint8_t)(i >> 6);
	}
}

static int file_of(const void *data, size_t len)
{
	int fd = memfd_create("packed", MFD_CLOEXEC);

	assert_int_equal(write(fd, data, len), len);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

/* BEFORE bytes, what is packed, and BEFORE bytes. */
static int written(enum stream_packing packing)
{
	int fd = memfd_create("packed", MFD_CLOEXEC);
	struct stream_out *out;

	assert_int_equal(stream_out_open(&out, fd), 0);
	assert_int_equal(stream_out_write(out, "before..", BEFORE), 0);
	assert_int_equal(stream_out_packed(out, packing), 0);
	for (size_t at = 0, n = 1; at < SIZE; at += n, n = n * 3 % 700001) {
		size_t part = n < SIZE - at ? n : SIZE - at;

		assert_int_equal(stream_out_write(out, plain + at, part), 0);
	}
	assert_int_equal(stream_out_unpacked(out), 0);
	assert_int_equal(stream_out_write(out, "behind..", BEFORE), 0);
	assert_int_equal(stream_out_unpacked(out), 0);
	stream_out_close(out);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static void test_round_trip(void **state)
{
	static uint8_t back[SIZE];

	(void)state;
	make_plain();
	for (enum stream_packing packing = STREAM_PLAIN; packing <= STREAM_LZ4; packing++) {
		int fd = written(packing);
		struct stream_in *in;
		char word[BEFORE];

		memset(back, 0, SIZE);
		assert_int_equal(stream_in_open(&in, fd), 0);
		assert_int_equal(stream_in_read(in, word, BEFORE), 0);
		assert_memory_equal(word, "before..", BEFORE);
		assert_int_equal(stream_in_packed(in, packing), 0);
		for (size_t at = 0, n = 1; at < SIZE; at += n, n = n * 7 % 400009)
			assert_int_equal(stream_in_read(in, back + at,
							n < SIZE - at ? n : SIZE - at), 0);
		assert_memory_equal(back, plain, SIZE);
		assert_int_equal(stream_in_unpacked(in), 0);
		assert_int_equal(stream_in_read(in, word, BEFORE), 0);
		assert_memory_equal(word, "behind..", BEFORE);
		stream_in_close(in);
		close(fd);
	}
}

static void test_unknown_packing(void **state)
{
	int fd = file_of("anything at all", 15);
	struct stream_in *in;
	char word[8];

	(void)state;
	assert_int_equal(stream_in_open(&in, fd), 0);
	assert_int_equal(stream_in_packed(in, (enum stream_packing)3), -EBADMSG);
	assert_int_equal(stream_in_read(in, word, 8), 0);	/* it goes on as it was */
	assert_memory_equal(word, "anything", 8);
	stream_in_close(in);
	close(fd);
}

static void refused(const LZ4F_frameInfo_t *kind)
{
	const LZ4F_preferences_t preferences = { .frameInfo = *kind };
	size_t n = LZ4F_compressFrame(packed, sizeof(packed), plain, SIZE, &preferences);
	int fd = file_of(packed, n);
	struct stream_in *in;

	assert_false(LZ4F_isError(n));
	assert_int_equal(stream_in_open(&in, fd), 0);
	assert_int_equal(stream_in_packed(in, STREAM_LZ4), -EBADMSG);
	stream_in_close(in);
	close(fd);
}

static void test_other_frames(void **state)
{
	const LZ4F_frameInfo_t kinds[] = {
		{ .blockMode = LZ4F_blockLinked, .blockSizeID = LZ4F_max256KB },
		{ .blockMode = LZ4F_blockIndependent, .blockSizeID = LZ4F_max4MB },
		{ .blockMode = LZ4F_blockIndependent, .blockSizeID = LZ4F_max256KB,
		  .contentChecksumFlag = LZ4F_contentChecksumEnabled },
		{ .blockMode = LZ4F_blockIndependent, .blockSizeID = LZ4F_max256KB,
		  .contentSize = SIZE },
		{ .blockMode = LZ4F_blockIndependent, .blockSizeID = LZ4F_max256KB, .dictID = 7 },
		{ .blockMode = LZ4F_blockIndependent, .blockSizeID = LZ4F_max256KB,
		  .blockChecksumFlag = LZ4F_blockChecksumEnabled },
	};
	/* a frame to be skipped, of 4 bytes */
	const uint8_t skip[] = { 0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4 };
	int fd = file_of(skip, sizeof(skip));
	struct stream_in *in;

	(void)state;
	make_plain();
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		refused(&kinds[i]);
	assert_int_equal(stream_in_open(&in, fd), 0);
	assert_int_equal(stream_in_packed(in, STREAM_LZ4), -EBADMSG);
	stream_in_close(in);
	close(fd);
}

/* Once damage was met nothing more comes, although what follows is sound. */
static void test_damage(void **state)
{
	(void)state;
	make_plain();
	for (enum stream_packing packing = STREAM_ZSTD; packing <= STREAM_LZ4; packing++) {
		int fd = written(packing);
		struct stream_in *in;
		uint8_t bytes[4096];
		int rc = 0;

		/* In the second block's head, or in the middle of what it says. */
		for (off_t at = 2000; at < 200000; at += 8)
			pwrite(fd, "\xff\xff\xff\xff\xff\xff\xff\xff", 8, at);
		assert_int_equal(stream_in_open(&in, fd), 0);
		assert_int_equal(stream_in_skip(in, BEFORE), 0);
		assert_int_equal(stream_in_packed(in, packing), 0);
		for (int i = 0; i < SIZE / 4096 && !rc; i++)
			rc = stream_in_read(in, bytes, sizeof(bytes));
		assert_int_equal(rc, -EBADMSG);
		for (int i = 0; i < 100; i++)
			assert_int_equal(stream_in_read(in, bytes, sizeof(bytes)), -EBADMSG);
		assert_int_equal(stream_in_unpacked(in), -EBADMSG);
		stream_in_close(in);
		close(fd);
	}
}

/* Where there is only so much room nothing more is written. */
static void test_limit(void **state)
{
	int fd = memfd_create("plain", MFD_CLOEXEC);
	struct stream_out *out;

	(void)state;
	assert_int_equal(stream_out_open(&out, fd), 0);
	stream_out_limit(out, SIZE / 2);
	assert_int_equal(stream_out_write(out, plain, SIZE / 2), 0);
	assert_int_equal(stream_out_write(out, plain, 1), 0);
	assert_int_equal(stream_out_unpacked(out), -ENOSPC);
	assert_int_equal(stream_out_write(out, plain, SIZE), -ENOSPC);
	stream_out_close(out);
	assert_int_equal(lseek(fd, 0, SEEK_END), SIZE / 2);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_unknown_packing),
		cmocka_unit_test(test_other_frames),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
