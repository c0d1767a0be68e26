/* SPDX-License-Identifier: MIT */
/* ELF executables: see lib/elf.h. Layouts are those of the System V ABI, chapters 4 and 5. */
#include "lib/elf.h"

#define NOT_EXECUTABLE (-8)	/* -ENOEXEC, in Linux and in the hypervisor's ABI */

enum { PT_LOAD = 1, PT_NOTE = 4, SHT_NOTE = 7, ET_EXEC = 2, ET_DYN = 3, EM_X86_64 = 62 };

struct file_header {
	uint8_t ident[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, phoff, shoff;
	uint32_t flags;
	uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct program_header {
	uint32_t type, flags;
	uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

struct section_header {
	uint32_t name, type;
	uint64_t flags, addr, offset, size;
	uint32_t link, info;
	uint64_t addralign, entsize;
};

struct note_header {
	uint32_t name_size, desc_size, type;
};

static int refuse(const char **why, const char *text)
{
	*why = text;
	return NOT_EXECUTABLE;
}

/* Do len bytes at off lie within size bytes? */
static bool inside(uint64_t off, uint64_t len, uint64_t size)
{
	return off <= size && len <= size - off;
}

static struct file_header file_header(const struct elf_file *elf)
{
	struct file_header header;

	__builtin_memcpy(&header, elf->data, sizeof(header));
	return header;
}

static struct program_header program_header(const struct elf_file *elf, uint32_t i)
{
	struct file_header file = file_header(elf);
	struct program_header header;

	__builtin_memcpy(&header, elf->data + file.phoff + (uint64_t)i * sizeof(header),
			 sizeof(header));
	return header;
}

static int check_header(const struct elf_file *elf, const char **why)
{
	static const uint8_t magic[4] = { 0x7f, 'E', 'L', 'F' };
	struct file_header header;

	if (elf->size < sizeof(header))
		return refuse(why, "the file is too short for an ELF header");
	header = file_header(elf);
	if (__builtin_memcmp(header.ident, magic, sizeof(magic)))
		return refuse(why, "not an ELF file");
	if (header.ident[4] != 2 || header.machine != EM_X86_64)
		return refuse(why, "not an ELF file for x86-64");
	if (header.ident[5] != 1 || header.ident[6] != 1)
		return refuse(why, "not a little-endian ELF file of version 1");
	if (header.type != ET_EXEC && header.type != ET_DYN)
		return refuse(why, "not an ELF executable");
	if (header.phnum == 0 || header.phnum > ELF_HEADERS_MAX)
		return refuse(why, "no program headers, or too many");
	if (header.phentsize != sizeof(struct program_header))
		return refuse(why, "program headers of an unknown size");
	if (!inside(header.phoff, (uint64_t)header.phnum * sizeof(struct program_header),
		    elf->size))
		return refuse(why, "the file ends before its program headers");
	return 0;
}

static int add_segment(struct elf_file *elf, const struct program_header *header, const char **why)
{
	if (header->memsz == 0)
		return 0;
	if (elf->nr_segments == ELF_SEGMENTS_MAX)
		return refuse(why, "too many loadable segments");
	if (header->filesz > header->memsz)
		return refuse(why, "a segment is larger in the file than in memory");
	if (!inside(header->offset, header->filesz, elf->size))
		return refuse(why, "the file ends before the end of a segment");
	if (header->paddr + header->memsz < header->paddr ||
	    header->vaddr + header->memsz < header->vaddr)
		return refuse(why, "a segment wraps around the end of memory");
	elf->segments[elf->nr_segments++] = (struct elf_segment){
		.offset = header->offset,
		.filesz = header->filesz,
		.memsz = header->memsz,
		.vaddr = header->vaddr,
		.paddr = header->paddr,
	};
	return 0;
}

int elf_parse(struct elf_file *elf, const void *data, uint64_t size, const char **why)
{
	int rc;

	*elf = (struct elf_file){ .data = data, .size = size };
	rc = check_header(elf, why);
	if (rc)
		return rc;
	elf->entry = file_header(elf).entry;
	for (uint32_t i = 0; i < file_header(elf).phnum; i++) {
		struct program_header header = program_header(elf, i);

		if (header.type == PT_LOAD)
			rc = add_segment(elf, &header, why);
		if (rc)
			return rc;
	}
	if (elf->nr_segments == 0)
		return refuse(why, "no loadable segment");
	return 0;
}

/*
 * One area of notes. Each is a header, the name and the value, both padded to the area's alignment:
 *
 *	| name_size | desc_size | type | name ... pad | desc ... pad |
 */
static int each_note_in(const uint8_t *area, uint64_t size, uint64_t align,
			int (*take)(void *context, const struct elf_note *note), void *context,
			const char **why)
{
	uint64_t pad = align == 8 ? 7 : 3, at = 0;

	while (size - at >= sizeof(struct note_header)) {
		struct note_header header;
		struct elf_note note;
		uint64_t desc, end;
		int rc;

		__builtin_memcpy(&header, area + at, sizeof(header));
		at += sizeof(header);
		desc = (at + header.name_size + pad) & ~pad;
		end = desc +
		      header.desc_size; /* two sums of 32-bit numbers and an offset cannot wrap */
		if (at + header.name_size > size || end > size)
			return refuse(why, "a note runs over the end of its segment");
		note = (struct elf_note){ area + at, header.name_size, area + desc,
					  header.desc_size, header.type };
		rc = take(context, &note);
		if (rc)
			return rc;
		at = (end + pad) & ~pad;
		if (at > size)
			break;	/* the last note's padding may be missing */
	}
	return 0;
}

static int each_section_note(const struct elf_file *elf,
			     int (*take)(void *context, const struct elf_note *note), void *context,
			     const char **why)
{
	struct file_header file = file_header(elf);
	struct section_header section;

	if (file.shnum == 0)
		return 0;
	if (file.shentsize != sizeof(section) || file.shnum > ELF_HEADERS_MAX)
		return refuse(why, "section headers of an unknown size, or too many");
	if (!inside(file.shoff, (uint64_t)file.shnum * sizeof(section), elf->size))
		return refuse(why, "the file ends before its section headers");
	for (uint32_t i = 0; i < file.shnum; i++) {
		int rc;

		__builtin_memcpy(&section, elf->data + file.shoff + i * sizeof(section),
				 sizeof(section));
		if (section.type != SHT_NOTE)
			continue;
		if (!inside(section.offset, section.size, elf->size))
			return refuse(why, "the file ends before the end of its notes");
		rc = each_note_in(elf->data + section.offset, section.size, section.addralign, take,
				  context, why);
		if (rc)
			return rc;
	}
	return 0;
}

int elf_each_note(const struct elf_file *elf,
		  int (*take)(void *context, const struct elf_note *note), void *context,
		  const char **why)
{
	bool found = false;

	for (uint32_t i = 0; i < file_header(elf).phnum; i++) {
		struct program_header header = program_header(elf, i);
		int rc;

		if (header.type != PT_NOTE)
			continue;
		if (!inside(header.offset, header.filesz, elf->size))
			return refuse(why, "the file ends before the end of its notes");
		found = true;
		rc = each_note_in(elf->data + header.offset, header.filesz, header.align, take,
				  context, why);
		if (rc)
			return rc;
	}
	return found ? 0 : each_section_note(elf, take, context, why);
}

bool elf_note_number(const struct elf_note *note, uint64_t *value)
{
	uint32_t word;

	if (note->desc_size >= sizeof(*value)) {
		__builtin_memcpy(value, note->desc, sizeof(*value));
		return true;
	}
	if (note->desc_size != sizeof(word))
		return false;
	__builtin_memcpy(&word, note->desc, sizeof(word));
	*value = word;
	return true;
}
