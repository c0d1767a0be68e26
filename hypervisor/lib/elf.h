/* SPDX-License-Identifier: MIT */
/*
 * ELF executables for x86-64, read out of a buffer: loadable segments and notes. The file is not
 * trusted: every offset is checked against the buffer, every sum against overflow. Freestanding, no
 * state, no lock; the hypervisor reads its control domain's kernel with it and the toolstack those
 * of guests.
 *
 * It does not know what a note means (see lib/pvimage.h), does not relocate and ignores sections,
 * but for notes.
 */
#ifndef LIB_ELF_H
#define LIB_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	ELF_SEGMENTS_MAX = 16,	/* loadable segments; Linux has 5 */
	ELF_HEADERS_MAX = 128,	/* program or section headers that are looked at */
};

/*
 * A PT_LOAD segment. offset + filesz lies in the file, filesz <= memsz, paddr + memsz does not
 * wrap.
 */
struct elf_segment {
	uint64_t offset;
	uint64_t filesz;
	uint64_t memsz;
	uint64_t vaddr;
	uint64_t paddr;
};

/* A file that elf_parse() found to be sound. Borrows data. */
struct elf_file {
	const uint8_t *data;
	uint64_t size;
	uint64_t entry;
	uint32_t nr_segments;
	struct elf_segment
		segments[ELF_SEGMENTS_MAX]; /* those with memsz > 0, in the file's order */
};

/*
 * One note. name and desc point into the file and are not aligned; name includes its NUL if the
 * file has one.
 */
struct elf_note {
	const uint8_t *name;
	uint32_t name_size;
	const uint8_t *desc;
	uint32_t desc_size;
	uint32_t type;
};

/*
 * Check the headers of size bytes at data and list the segments. 0, or -ENOEXEC (-8) and *why, a
 * sentence fragment that says what is wrong ("the file ends before ...").
 */
int elf_parse(struct elf_file *elf, const void *data, uint64_t size, const char **why);

/*
 * Hand each note of the PT_NOTE segments, or if there is no such segment of the SHT_NOTE sections,
 * to take(context, note), until it returns non-zero, which is then the result. 0 at the end, or
 * -ENOEXEC (-8) and *why for a malformed note.
 */
int elf_each_note(const struct elf_file *elf,
		  int (*take)(void *context, const struct elf_note *note), void *context,
		  const char **why);

/*
 * The note's value as a number: its first 8, 4 bytes if desc_size is at least 8, or is 4. Anything
 * else: false.
 */
bool elf_note_number(const struct elf_note *note, uint64_t *value);

#endif
