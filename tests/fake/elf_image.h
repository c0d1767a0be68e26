/* SPDX-License-Identifier: MIT */
/*
 * Makes small ELF files with Xen notes in memory, for the tests of what reads them. A test builds a
 * good image and then damages what it is about. Not for production: sizes are fixed, nothing is
 * checked.
 */
#ifndef FAKE_ELF_IMAGE_H
#define FAKE_ELF_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#define ELF_IMAGE_MAX 65536

struct elf_image {
	uint8_t data[ELF_IMAGE_MAX];
	size_t size;
	uint32_t nr_headers;	/* program headers so far */
	size_t notes, notes_end;
};

/* Start an ELF64 executable for x86-64 with this entry. */
void elf_image_start(struct elf_image *image, uint64_t entry);

/*
 * Append a program header; returns its offset, at which a test may patch it (fields as in ELF64).
 */
size_t elf_image_header(struct elf_image *image, uint32_t type, uint64_t offset, uint64_t vaddr,
			uint64_t paddr, uint64_t filesz, uint64_t memsz);

/* Append len bytes of payload filled with fill, and a PT_LOAD for it. */
void elf_image_load(struct elf_image *image, uint64_t vaddr, uint64_t paddr, uint64_t len,
		    uint64_t memsz, uint8_t fill);

/* Append notes; elf_image_notes_done() adds their PT_NOTE. */
void elf_image_note(struct elf_image *image, uint32_t type, const void *desc, uint32_t len);
void elf_image_note_number(struct elf_image *image, uint32_t type, uint64_t value);
void elf_image_notes_done(struct elf_image *image);

/*
 * A kernel like Linux: 16 MiB up at 0xffffffff80000000, entry in its first page, INIT_P2M at 512
 * GiB, MOD_START_PFN.
 */
void elf_image_linux(struct elf_image *image);

/*
 * A small kernel without those two notes: two segments from pseudo-physical 0x1000 on, virt_base
 * 0x400000.
 */
void elf_image_small(struct elf_image *image);

#endif
