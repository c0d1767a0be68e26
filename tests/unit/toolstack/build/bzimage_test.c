/* SPDX-License-Identifier: MIT */
/*
 * The ELF kernel of a bzImage is found, unpacked once and kept; what is damaged is refused and not
 * kept. The boot header's places are those of Linux's Documentation/x86/boot.rst.
 * Links: toolstack/build/bzimage.c toolstack/build/unpack.c toolstack/build/unxz.c
 * Links: toolstack/build/cache.c
 * Links: toolstack/lib/error.c toolstack/lib/file.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "build/bzimage.h"
#include "build/cache.h"
#include "build/unpack.h"

enum { SETUP = 1024, PLAIN = 3 * 65536 + 100 };

static char folder[] = "/tmp/bzimage_test-XXXXXX", path[64], plain[64];

static void field(uint8_t *head, size_t at, uint32_t value, size_t len)
{
	memcpy(head + at, &value, len);
}

/* A boot header with one sector of set-up, and a payload of length bytes right behind it. */
static void make_header(uint8_t head[SETUP], uint32_t length)
{
	memset(head, 0, SETUP);
	field(head, 0x1f1, 1, 1);
	memcpy(head + 0x202, "HdrS", 4);
	field(head, 0x206, 0x20f, 2);
	field(head, 0x248, 0, 4);
	field(head, 0x24c, length, 4);
}

static int setup(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/bzimage", folder);
	snprintf(plain, sizeof(plain), "%s/plain", folder);
	cache_folder = folder;
	return 0;
}

static int teardown(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

static void the_payload_is_found(void **state)
{
	struct bzimage image;
	uint8_t head[SETUP];
	const char *why;

	(void)state;
	make_header(head, 5000);
	assert_true(bzimage_is(head, SETUP));
	assert_false(bzimage_is(head, 0x205));
	assert_int_equal(bzimage_parse(&image, head, SETUP, SETUP + 5000, &why), 0);
	assert_int_equal(image.offset, SETUP);
	assert_int_equal(image.length, 5000);
	field(head, 0x1f1, 0, 1);	/* 0 means 4 */
	field(head, 0x248, 7, 4);
	assert_int_equal(bzimage_parse(&image, head, SETUP, 100000, &why), 0);
	assert_int_equal(image.offset, 5 * 512 + 7);
}

static void what_is_wrong_is_told(void **state)
{
	struct bzimage image;
	uint8_t head[SETUP];
	const char *why = "";

	(void)state;
	make_header(head, 5000);
	assert_int_equal(bzimage_parse(&image, head, SETUP, SETUP + 4999, &why), -1);
	assert_string_equal(why, "the file ends before the end of its payload");
	assert_int_equal(bzimage_parse(&image, head, BZIMAGE_HEADER - 1, 100000, &why), -1);
	assert_string_equal(why, "the file ends before its boot header");
	field(head, 0x248, UINT32_MAX, 4);
	assert_int_equal(bzimage_parse(&image, head, SETUP, 100000, &why), -1);
	field(head, 0x24c, 3, 4);
	assert_int_equal(bzimage_parse(&image, head, SETUP, 100000, &why), -1);
	assert_string_equal(why, "it has no payload");
	field(head, 0x206, 0x207, 2);
	assert_int_equal(bzimage_parse(&image, head, SETUP, 100000, &why), -1);
	assert_non_null(strstr(why, "2.08"));
}

static void packers_are_known_by_their_first_bytes(void **state)
{
	(void)state;
	assert_string_equal(bzimage_unpacker((const uint8_t *)"\xfd" "7zXZ")[0], "xz");
	assert_string_equal(bzimage_unpacker((const uint8_t *)"\x28\xb5\x2f\xfd\0\0")[0], "zstd");
	assert_string_equal(bzimage_unpacker((const uint8_t *)"\x1f\x8b\x08\0\0\0")[0], "gzip");
	assert_null(bzimage_unpacker((const uint8_t *)"\x7f" "ELF\2\1"));
}

/* Pack the file plain with the tool into a bzImage; trailer is the size it promises. */
static void pack(const char *tool, uint32_t trailer, size_t cut)
{
	uint8_t head[SETUP];
	char command[256];
	struct stat st;
	int fd;

	snprintf(command, sizeof(command), "%s %s >%s/packed", tool, plain, folder);
	assert_int_equal(system(command), 0);
	snprintf(command, sizeof(command), "%s/packed", folder);
	assert_int_equal(stat(command, &st), 0);
	make_header(head, (uint32_t)st.st_size + 4 - (uint32_t)cut);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	assert_int_equal(write(fd, head, SETUP), SETUP);
	snprintf(command, sizeof(command), "head -c %zu %s/packed >>%s", (size_t)st.st_size - cut,
		 folder, path);
	assert_int_equal(system(command), 0);
	lseek(fd, 0, SEEK_END);
	assert_int_equal(write(fd, &trailer, 4), 4);
	assert_int_equal(write(fd, "what a bzImage has behind its payload", 37), 37);
	close(fd);
}

static int open_packed(struct error *err)
{
	uint8_t head[SETUP];
	struct bzimage image;
	const char *why = "";
	struct stat st;
	int fd = open(path, O_RDONLY), unpacked;

	fstat(fd, &st);
	assert_int_equal(read(fd, head, SETUP), SETUP);
	assert_int_equal(bzimage_parse(&image, head, SETUP, (uint64_t)st.st_size, &why), 0);
	unpacked = unpack_open(fd, path, &image, err);
	close(fd);
	return unpacked;
}

static void make_plain(void)
{
	static uint8_t bytes[PLAIN];
	int fd = open(plain, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	srandom(1);
	memset(bytes, 0, sizeof(bytes));
	for (size_t i = 0; i < 70000; i++)
		bytes[i] = (uint8_t)random();
	bytes[PLAIN - 1] = 1;
	assert_int_equal(write(fd, bytes, PLAIN), PLAIN);
	close(fd);
}

/* Entries of the cache, and whether one is half-made. */
static unsigned kept(bool *half)
{
	struct dirent *entry;
	unsigned n = 0;
	char name[80];
	DIR *dir;

	snprintf(name, sizeof(name), "%s/kernels", folder);
	dir = opendir(name);
	*half = false;
	while (dir && (entry = readdir(dir))) {
		n += entry->d_name[0] != '.';
		*half |= !strncmp(entry->d_name, ".new", 4);
	}
	if (dir)
		closedir(dir);
	return n;
}

static void a_kernel_is_unpacked_once(void **state)
{
	static uint8_t bytes[PLAIN + 1];
	struct error err;
	struct stat first, second;
	bool half;
	int fd;

	(void)state;
	make_plain();
	pack("xz -c --check=crc32 --x86 --lzma2=dict=1MiB", PLAIN, 0);
	fd = open_packed(&err);
	assert_true(fd >= 0);
	assert_int_equal(read(fd, bytes, sizeof(bytes)), PLAIN);
	assert_int_equal(bytes[PLAIN - 1], 1);
	fstat(fd, &first);
	assert_true(first.st_blocks * 512 < PLAIN);	/* zeros are holes */
	close(fd);
	fd = open_packed(&err);
	fstat(fd, &second);
	assert_int_equal(first.st_ino, second.st_ino);
	close(fd);
	assert_int_equal(kept(&half), 1);
	assert_false(half);
}

static void damaged_payloads_are_refused_and_not_kept(void **state)
{
	struct error err;
	unsigned before;
	bool half;

	(void)state;
	make_plain();
	before = kept(&half);
	pack("gzip -c", PLAIN + 1, 0);
	assert_int_equal(open_packed(&err), -1);
	assert_int_equal(err.code, ERROR_KERNEL);
	pack("gzip -c", PLAIN - 1, 0);
	assert_int_equal(open_packed(&err), -1);
	pack("xz -c", PLAIN, 500);
	assert_int_equal(open_packed(&err), -1);
	assert_non_null(strstr(err.text, "damaged"));
	pack("xz -c", UINT32_MAX, 0);
	assert_int_equal(open_packed(&err), -1);
	pack("cat", PLAIN, 0);
	assert_int_equal(open_packed(&err), -1);
	assert_non_null(strstr(err.text, "unknown way"));
	assert_int_equal(kept(&half), before);
	assert_false(half);
}

static void the_oldest_goes(void **state)
{
	struct error err;
	bool half;

	(void)state;
	make_plain();
	for (unsigned i = 0; i < UNPACK_KEEP + 3; i++) {
		char command[100];

		pack("gzip -c", PLAIN, 0);
		snprintf(command, sizeof(command), "touch -d @%u %s", 1000 + i, path);
		assert_int_equal(system(command), 0);
		close(open_packed(&err));
	}
	assert_int_equal(kept(&half), UNPACK_KEEP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_payload_is_found),
		cmocka_unit_test(what_is_wrong_is_told),
		cmocka_unit_test(packers_are_known_by_their_first_bytes),
		cmocka_unit_test(a_kernel_is_unpacked_once),
		cmocka_unit_test(damaged_payloads_are_refused_and_not_kept),
		cmocka_unit_test(the_oldest_goes),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
