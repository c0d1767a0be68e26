/* SPDX-License-Identifier: MIT */
/*
 * GRUB's tags: as GRUB writes them, and as nobody should.
 *
 * Links: hypervisor/boot/multiboot2.c hypervisor/boot/e820.c
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "boot/multiboot2.h"

static uint8_t buffer[8192];
static size_t used;
static struct boot_info info;
static const char *why;

static int setup(void **state)
{
	(void)state;
	memset(buffer, 0, sizeof(buffer));
	memset(&info, 0, sizeof(info));
	used = 8;
	return 0;
}

static void put(const void *data, size_t n)
{
	memcpy(buffer + used, data, n);
	used += n;
}

static void put32(uint32_t v)
{
	put(&v, sizeof(v));
}

static void put64(uint64_t v)
{
	put(&v, sizeof(v));
}

/* A tag begins; its size is filled in by tag_end(). */
static size_t tag(uint32_t type)
{
	used = (used + 7) & ~7ul;
	put32(type);
	put32(0);
	return used - 8;
}

static void tag_end(size_t at)
{
	uint32_t size = (uint32_t)(used - at);

	memcpy(buffer + at + 4, &size, sizeof(size));
}

static void put_string_tag(uint32_t type, const char *text)
{
	size_t at = tag(type);

	put(text, strlen(text) + 1);
	tag_end(at);
}

static void put_mmap(unsigned n)
{
	size_t at = tag(6);

	put32(24);
	put32(0);
	for (unsigned i = 0; i < n; i++) {
		put64((uint64_t)i << 30);
		put64(1 << 20);
		put32(1);
		put32(0);
	}
	tag_end(at);
}

static void put_module(uint32_t start, uint32_t end, const char *cmdline)
{
	size_t at = tag(3);

	put32(start);
	put32(end);
	put(cmdline, strlen(cmdline) + 1);
	tag_end(at);
}

/* Parse from a heap block of just that size, so that a byte too far is seen. */
static int parse_limited(size_t limit)
{
	void *copy = malloc(limit);
	int rc;

	memcpy(copy, buffer, limit);
	rc = multiboot2_parse(&info, copy, limit, &why);
	free(copy);
	return rc;
}

static int parse(void)
{
	uint32_t size;

	tag_end(tag(0));
	size = (uint32_t)used;
	memcpy(buffer, &size, sizeof(size));
	return parse_limited(used);
}

static void all_tags(void **state)
{
	size_t at;

	(void)state;
	put_string_tag(1, "console=com1 noreboot");
	put_string_tag(2, "GRUB 2.06");
	put_module(0x1000000, 0x2000000, "root=/dev/sda");
	put_module(0x2000000, 0x2000000, "");
	put_mmap(2);
	at = tag(8);
	put64(0x80000000);
	put32(4096);
	put32(1024);
	put32(768);
	put("\x20\x01\0\0" "\x10\x08\x08\x08\x00\x08", 10);
	tag_end(at);
	at = tag(12);
	put64(0x7f000000);
	tag_end(at);
	at = tag(14);
	put("RSD PTR 123456789012", 20);
	tag_end(at);
	at = tag(15);
	put("RSD PTR 12345678901234567890123456789", 36);
	tag_end(at);
	at = tag(4711);
	put32(1);
	tag_end(at);
	assert_int_equal(parse(), 0);
	assert_string_equal(info.cmdline, "console=com1 noreboot");
	assert_string_equal(info.loader, "GRUB 2.06");
	assert_int_equal(info.nr_modules, 2);
	assert_int_equal(info.module[0].start, 0x1000000);
	assert_int_equal(info.module[0].end, 0x2000000);
	assert_string_equal(info.module[0].cmdline, "root=/dev/sda");
	assert_int_equal(info.firmware_map.n, 2);
	assert_int_equal(info.video.kind, VIDEO_LFB);
	assert_int_equal(info.video.address, 0x80000000);
	assert_int_equal(info.video.red_pos, 16);
	assert_int_equal(info.video.blue_size, 8);
	assert_int_equal(info.efi_system_table, 0x7f000000);
	assert_int_equal(info.rsdp_size, 36);
}

static void newer_root_pointer_wins_in_any_order(void **state)
{
	size_t at;

	(void)state;
	put_mmap(1);
	at = tag(15);
	put("NEW PTR 12345678901234567890123456789", 36);
	tag_end(at);
	at = tag(14);
	put("OLD PTR 123456789012", 20);
	tag_end(at);
	assert_int_equal(parse(), 0);
	assert_memory_equal(info.rsdp, "NEW", 3);
}

static void text_screen_has_no_colours(void **state)
{
	size_t at;

	(void)state;
	put_mmap(1);
	at = tag(8);
	put64(0xb8000);
	put32(160);
	put32(80);
	put32(25);
	put("\x10\x02\0\0", 4);
	tag_end(at);
	assert_int_equal(parse(), 0);
	assert_int_equal(info.video.kind, VIDEO_TEXT);
	assert_int_equal(info.video.height, 25);
}

static void too_many_modules_and_too_long_lines(void **state)
{
	static char line[3000];

	(void)state;
	memset(line, 'a', sizeof(line) - 1);
	put_mmap(1);
	put_string_tag(1, line);
	for (unsigned i = 0; i < BOOT_MODULES_MAX + 3; i++)
		put_module(i << 20, (i + 1) << 20, "m");
	assert_int_equal(parse(), 0);
	assert_int_equal(info.nr_modules, BOOT_MODULES_MAX);
	assert_int_equal(strlen(info.cmdline), sizeof(info.cmdline) - 1);
}

static void no_memory_map(void **state)
{
	(void)state;
	put_string_tag(1, "");
	assert_int_equal(parse(), -EINVAL);
	assert_string_equal(why, "there is no memory map");
}

static void wrong_modules(void **state)
{
	size_t at;

	(void)state;
	put_mmap(1);
	put_module(0x2000, 0x1000, "");
	assert_int_equal(parse(), -EINVAL);
	assert_string_equal(why, "a module ends before it starts");
	setup(NULL);
	at = tag(3);
	put32(0x1000);
	tag_end(at);
	assert_int_equal(parse(), -EINVAL);
	assert_string_equal(why, "a module tag is too short");
}

static void wrong_memory_map(void **state)
{
	size_t at;

	(void)state;
	at = tag(6);
	put32(8);
	put32(0);
	put64(0);
	tag_end(at);
	assert_int_equal(parse(), -EINVAL);
	assert_string_equal(why, "the memory map's entries are too short");
	/* A last entry that is cut off is left out. */
	setup(NULL);
	at = tag(6);
	put32(24);
	put32(0);
	put64(0);
	put64(0x1000);
	put64(1);
	put64(0x100000);
	tag_end(at);
	assert_int_equal(parse(), 0);
	assert_int_equal(info.firmware_map.n, 1);
}

static void every_length_that_is_cut(void **state)
{
	uint32_t total;

	(void)state;
	put_string_tag(1, "console=com1");
	put_module(0, 0x1000, "x");
	put_mmap(3);
	assert_int_equal(parse(), 0);
	total = (uint32_t)used;
	for (uint32_t size = 0; size < total; size++) {
		memset(&info, 0, sizeof(info));
		memcpy(buffer, &size, sizeof(size));
		assert_int_equal(parse_limited(total), -EINVAL);
		assert_non_null(why);
	}
	for (uint32_t limit = 0; limit < total; limit++) {
		memcpy(buffer, &total, sizeof(total));
		assert_int_equal(parse_limited(limit), -EINVAL);
	}
}

static void tag_of_no_size_does_not_loop(void **state)
{
	(void)state;
	put_mmap(1);
	tag(1);
	assert_int_equal(parse(), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(all_tags, setup),
		cmocka_unit_test_setup(newer_root_pointer_wins_in_any_order, setup),
		cmocka_unit_test_setup(text_screen_has_no_colours, setup),
		cmocka_unit_test_setup(too_many_modules_and_too_long_lines, setup),
		cmocka_unit_test_setup(no_memory_map, setup),
		cmocka_unit_test_setup(wrong_modules, setup),
		cmocka_unit_test_setup(wrong_memory_map, setup),
		cmocka_unit_test_setup(every_length_that_is_cut, setup),
		cmocka_unit_test_setup(tag_of_no_size_does_not_loop, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
