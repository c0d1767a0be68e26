/* SPDX-License-Identifier: MIT */
/*
 * ELF files are read as the ABI says, and damaged ones refused with the reason.
 * Links: hypervisor/lib/elf.c tests/fake/elf_image.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "abi/elfnote.h"
#include "fake/elf_image.h"
#include "lib/elf.h"

static struct elf_image image;

/* Parses a copy that has exactly the size, so that the sanitizer sees every read beyond it. */
static int parse(struct elf_file *elf, void **copy, size_t size, const char **why)
{
	*copy = malloc(size ? size : 1);
	memcpy(*copy, image.data, size);
	return elf_parse(elf, *copy, size, why);
}

static void refused(size_t size, const char *expected)
{
	struct elf_file elf;
	const char *why = NULL;
	void *copy;

	assert_int_equal(parse(&elf, &copy, size, &why), -8);
	assert_string_equal(why, expected);
	free(copy);
}

static void segments_come_in_order_without_the_empty_ones(void **state)
{
	struct elf_file elf;
	const char *why;
	void *copy;

	(void)state;
	elf_image_linux(&image);
	elf_image_header(&image, 1, 0, 0x1000, 0x1000, 0, 0);
	assert_int_equal(parse(&elf, &copy, image.size, &why), 0);
	assert_int_equal(elf.nr_segments, 3);
	assert_int_equal(elf.entry, 0x1000000);
	assert_int_equal(elf.segments[0].paddr, 0x1000000);
	assert_int_equal(elf.segments[1].vaddr, 0);
	assert_int_equal(elf.segments[2].filesz, 0x1234);
	assert_int_equal(elf.segments[2].memsz, 0x1ff000);
	assert_int_equal(elf.data[elf.segments[1].offset], 0xbb);
	free(copy);
}

static void every_truncation_is_refused(void **state)
{
	(void)state;
	elf_image_linux(&image);
	refused(0, "the file is too short for an ELF header");
	refused(63, "the file is too short for an ELF header");
	refused(64, "the file ends before its program headers");
	refused(64 + 56 * 4 - 1, "the file ends before its program headers");
	refused(64 + 56 * 4, "the file ends before the end of a segment");
	refused(image.notes - 4, "the file ends before the end of a segment");
}

static void patch_refused(size_t at, uint64_t value, size_t len, const char *expected)
{
	elf_image_linux(&image);
	memcpy(image.data + at, &value, len);
	refused(image.size, expected);
}

static void hostile_headers_are_refused(void **state)
{
	const size_t first = 64;

	(void)state;
	patch_refused(0, 0x5a4d, 2, "not an ELF file");
	patch_refused(4, 1, 1, "not an ELF file for x86-64");
	patch_refused(18, 3, 2, "not an ELF file for x86-64");
	patch_refused(5, 2, 1, "not a little-endian ELF file of version 1");
	patch_refused(16, 1, 2, "not an ELF executable");
	patch_refused(56, 0, 2, "no program headers, or too many");
	patch_refused(56, 0xffff, 2, "no program headers, or too many");
	patch_refused(54, 32, 2, "program headers of an unknown size");
	patch_refused(32, UINT64_MAX - 8, 8, "the file ends before its program headers");
	patch_refused(first + 8, UINT64_MAX, 8, "the file ends before the end of a segment");
	patch_refused(first + 32, UINT64_MAX, 8, "a segment is larger in the file than in memory");
	patch_refused(first + 40, 1, 8, "a segment is larger in the file than in memory");
	patch_refused(first + 24, UINT64_MAX - 1, 8, "a segment wraps around the end of memory");
	patch_refused(first + 40, UINT64_MAX, 8, "a segment wraps around the end of memory");
}

static void too_many_segments_are_refused(void **state)
{
	(void)state;
	elf_image_start(&image, 0);
	for (int i = 0; i <= ELF_SEGMENTS_MAX; i++)
		elf_image_load(&image, 0x1000 * i, 0x1000 * i, 16, 16, 0);
	refused(image.size, "too many loadable segments");
	elf_image_start(&image, 0);
	elf_image_header(&image, 4, 0, 0, 0, 0, 0);
	refused(image.size, "no loadable segment");
}

struct seen {
	int count;
	uint32_t last_type;
	uint64_t virt_base;
};

static int see(void *context, const struct elf_note *note)
{
	struct seen *seen = context;

	seen->count++;
	seen->last_type = note->type;
	if (note->type == XEN_ELFNOTE_VIRT_BASE)
		assert_true(elf_note_number(note, &seen->virt_base));
	return note->type == XEN_ELFNOTE_PADDR_OFFSET ? 7 : 0;
}

static void notes_are_handed_out_until_told_to_stop(void **state)
{
	struct seen seen = { 0 };
	struct elf_file elf;
	const char *why;
	void *copy;

	(void)state;
	elf_image_linux(&image);
	assert_int_equal(parse(&elf, &copy, image.size, &why), 0);
	assert_int_equal(elf_each_note(&elf, see, &seen, &why), 7);
	assert_int_equal(seen.count, 10);
	assert_int_equal(seen.virt_base, 0xffffffff80000000);
	free(copy);
}

static void notes_that_run_over_are_refused(void **state)
{
	static const uint32_t sizes[] = { 1u << 30, UINT32_MAX, UINT32_MAX - 3, 200 };
	struct seen seen = { 0 };
	struct elf_file elf;
	const char *why;
	void *copy;

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(sizes) / sizeof(sizes[0]); i++) {
		elf_image_small(&image);
		memcpy(image.data + image.notes + 24 + (i & 1) * 4, &sizes[i / 2], 4);
		assert_int_equal(parse(&elf, &copy, image.size, &why), 0);
		assert_int_equal(elf_each_note(&elf, see, &seen, &why), -8);
		assert_string_equal(why, "a note runs over the end of its segment");
		free(copy);
	}
	elf_image_small(&image);
	assert_int_equal(parse(&elf, &copy, image.size - 1, &why), 0);
	assert_int_equal(elf_each_note(&elf, see, &seen, &why), -8);
	assert_string_equal(why, "the file ends before the end of its notes");
	free(copy);
}

static void notes_in_sections_count_if_no_segment_has_any(void **state)
{
	const uint64_t section[8] = { (uint64_t)7 << 32, 0, 0, 0, 0, 0, 4, 0 };
	struct seen seen = { 0 };
	struct elf_file elf;
	const char *why;
	void *copy;

	(void)state;
	elf_image_linux(&image);
	image.data[64 + 56 * 3] = 6;	/* PT_NOTE becomes PT_PHDR */
	memcpy(image.data + 40, &image.size, 8);
	image.data[58] = 64;
	image.data[60] = 1;
	memcpy(image.data + image.size, section, 64);
	memcpy(image.data + image.size + 24, &image.notes, 8);
	image.notes_end -= image.notes;
	memcpy(image.data + image.size + 32, &image.notes_end, 8);
	image.size += 64;
	assert_int_equal(parse(&elf, &copy, image.size, &why), 0);
	assert_int_equal(elf_each_note(&elf, see, &seen, &why), 7);
	free(copy);
	assert_int_equal(parse(&elf, &copy, image.size - 1, &why), 0);
	assert_int_equal(elf_each_note(&elf, see, &seen, &why), -8);
	assert_string_equal(why, "the file ends before its section headers");
	free(copy);
}

static void numbers_have_four_or_eight_bytes(void **state)
{
	const uint8_t bytes[16] = { 1, 0, 0, 0, 2 };
	struct elf_note note = { .desc = bytes };
	uint64_t value;

	(void)state;
	for (note.desc_size = 0; note.desc_size <= 16; note.desc_size++) {
		bool number = note.desc_size == 4 || note.desc_size >= 8;

		assert_int_equal(elf_note_number(&note, &value), number);
		if (number)
			assert_int_equal(value, note.desc_size == 4 ? 1 : 0x200000001);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(segments_come_in_order_without_the_empty_ones),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(hostile_headers_are_refused),
		cmocka_unit_test(too_many_segments_are_refused),
		cmocka_unit_test(notes_are_handed_out_until_told_to_stop),
		cmocka_unit_test(notes_that_run_over_are_refused),
		cmocka_unit_test(notes_in_sections_count_if_no_segment_has_any),
		cmocka_unit_test(numbers_have_four_or_eight_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
