/* SPDX-License-Identifier: MIT */
/* Small ELF files for tests: see elf_image.h. */
#include "fake/elf_image.h"

#include <string.h>

#include "abi/elfnote.h"

enum {
	HEADER = 64,
	PROGRAM_HEADER = 56,
	HEADERS_MAX = 32,
	BODY = HEADER + PROGRAM_HEADER * HEADERS_MAX
};

static void put(struct elf_image *image, size_t at, uint64_t value, size_t len)
{
	memcpy(image->data + at, &value, len);
}

void elf_image_start(struct elf_image *image, uint64_t entry)
{
	static const uint8_t ident[] = { 0x7f, 'E', 'L', 'F', 2, 1, 1 };

	memset(image, 0, sizeof(*image));
	memcpy(image->data, ident, sizeof(ident));
	put(image, 16, 2, 2);
	put(image, 18, 62, 2);
	put(image, 20, 1, 4);
	put(image, 24, entry, 8);
	put(image, 32, HEADER, 8);
	put(image, 52, HEADER, 2);
	put(image, 54, PROGRAM_HEADER, 2);
	image->size = BODY;
}

size_t elf_image_header(struct elf_image *image, uint32_t type, uint64_t offset, uint64_t vaddr,
			uint64_t paddr, uint64_t filesz, uint64_t memsz)
{
	size_t at = HEADER + PROGRAM_HEADER * (size_t)image->nr_headers++;
	const uint64_t fields[6] = { offset, vaddr, paddr, filesz, memsz, 4 };

	put(image, at, type, 4);
	memcpy(image->data + at + 8, fields, sizeof(fields));
	put(image, 56, image->nr_headers, 2);
	return at;
}

void elf_image_load(struct elf_image *image, uint64_t vaddr, uint64_t paddr, uint64_t len,
		    uint64_t memsz, uint8_t fill)
{
	elf_image_header(image, 1, image->size, vaddr, paddr, len, memsz);
	memset(image->data + image->size, fill, len);
	image->size += len;
}

void elf_image_note(struct elf_image *image, uint32_t type, const void *desc, uint32_t len)
{
	if (!image->notes)
		image->notes = image->size = (image->size + 3) & ~3UL;
	put(image, image->size, 4, 4);
	put(image, image->size + 4, len, 4);
	put(image, image->size + 8, type, 4);
	memcpy(image->data + image->size + 12, "Xen", 4);
	memcpy(image->data + image->size + 16, desc, len);
	image->size += 16 + ((len + 3) & ~3U);
	image->notes_end = image->size;
}

void elf_image_note_number(struct elf_image *image, uint32_t type, uint64_t value)
{
	elf_image_note(image, type, &value, 8);
}

void elf_image_notes_done(struct elf_image *image)
{
	elf_image_header(image, 4, image->notes, 0, 0, image->notes_end - image->notes,
			 image->notes_end - image->notes);
}

void elf_image_linux(struct elf_image *image)
{
	const uint32_t one = 1;

	elf_image_start(image, 0x1000000);
	elf_image_load(image, 0xffffffff81000000, 0x1000000, 0x3000, 0x200000, 0xaa);
	elf_image_load(image, 0, 0x1200000, 0x1000, 0x1000, 0xbb);
	elf_image_load(image, 0xffffffff81201000, 0x1201000, 0x1234, 0x1ff000, 0xcc);
	elf_image_note(image, XEN_ELFNOTE_GUEST_OS, "linux", 6);
	elf_image_note(image, XEN_ELFNOTE_XEN_VERSION, "xen-3.0", 8);
	elf_image_note_number(image, XEN_ELFNOTE_VIRT_BASE, 0xffffffff80000000);
	elf_image_note_number(image, XEN_ELFNOTE_INIT_P2M, 512UL << 30);
	elf_image_note_number(image, XEN_ELFNOTE_ENTRY, 0xffffffff81000040);
	elf_image_note(image, XEN_ELFNOTE_LOADER, "generic", 8);
	elf_image_note(image, XEN_ELFNOTE_SUSPEND_CANCEL, &one, 4);
	elf_image_note(image, XEN_ELFNOTE_MOD_START_PFN, &one, 4);
	elf_image_note_number(image, XEN_ELFNOTE_HV_START_LOW, 0xffff800000000000);
	elf_image_note_number(image, XEN_ELFNOTE_PADDR_OFFSET, 0);
	elf_image_notes_done(image);
}

void elf_image_small(struct elf_image *image)
{
	elf_image_start(image, 0x401010);
	elf_image_load(image, 0x401000, 0x1000, 0x1800, 0x2000, 0x11);
	elf_image_load(image, 0x403000, 0x3000, 0x20, 0x1001, 0x22);
	elf_image_note(image, XEN_ELFNOTE_XEN_VERSION, "xen-3.0", 8);
	elf_image_note_number(image, XEN_ELFNOTE_VIRT_BASE, 0x400000);
	elf_image_note_number(image, XEN_ELFNOTE_HYPERCALL_PAGE, 0x402000);
	elf_image_notes_done(image);
}
