/* SPDX-License-Identifier: MIT */
/*
 * The tags of multiboot2. A tag is { type, size } and its payload, padded to 8 bytes; type 0
 * ends the list. Every size is checked before what it covers is read: a wrong boot loader gets
 * a message, not a strange crash.
 */
#include "boot/multiboot2.h"

#include "abi/errno.h"
#include "lib/string.h"

enum {
	TAG_END = 0, TAG_CMDLINE = 1, TAG_LOADER = 2, TAG_MODULE = 3, TAG_MMAP = 6,
	TAG_FRAMEBUFFER = 8, TAG_EFI64 = 12, TAG_ACPI_OLD = 14, TAG_ACPI_NEW = 15,
};

struct tag {
	uint32_t type, size;
	uint8_t payload[];
};

struct mmap_entry {
	uint64_t start, size;
	uint32_t type, reserved;
};

struct framebuffer {
	uint64_t address;
	uint32_t pitch, width, height;
	uint8_t bpp, type;
	uint16_t reserved;
	uint8_t red_pos, red_size, green_pos, green_size, blue_pos, blue_size;
} __attribute__((packed));

enum { FRAMEBUFFER_RGB = 1, FRAMEBUFFER_TEXT = 2 };

static void copy_string(char *to, size_t size, const void *from, size_t length)
{
	size_t n = strnlen(from, min(length, size - 1));

	memcpy(to, from, n);
	to[n] = '\0';
}

static const char *read_module(struct boot_info *info, const uint8_t *payload, size_t n)
{
	struct boot_module *m = &info->module[info->nr_modules];
	uint32_t range[2];

	if (n < sizeof(range))
		return "a module tag is too short";
	memcpy(range, payload, sizeof(range));
	if (range[1] < range[0])
		return "a module ends before it starts";
	if (info->nr_modules == BOOT_MODULES_MAX)
		return NULL;
	m->start = range[0];
	m->end = range[1];
	copy_string(m->cmdline, sizeof(m->cmdline), payload + sizeof(range), n - sizeof(range));
	info->nr_modules++;
	return NULL;
}

static const char *read_mmap(struct boot_info *info, const uint8_t *payload, size_t n)
{
	uint32_t head[2];	/* size and version of the entries */

	if (n < sizeof(head))
		return "the memory map tag is too short";
	memcpy(head, payload, sizeof(head));
	if (head[0] < sizeof(struct mmap_entry))
		return "the memory map's entries are too short";
	for (size_t at = sizeof(head); n - at >= head[0]; at += head[0]) {
		struct mmap_entry e;

		memcpy(&e, payload + at, sizeof(e));
		if (e820_add(&info->firmware_map, e.start, e.size, e.type))
			break;
	}
	return NULL;
}

static void read_framebuffer(struct boot_video *v, const uint8_t *payload, size_t n)
{
	struct framebuffer f = { 0 };

	memcpy(&f, payload, min(n, sizeof(f)));
	if (n < offsetof(struct framebuffer, red_pos) ||
	    (f.type == FRAMEBUFFER_RGB && n < sizeof(f)))
		return;
	*v = (struct boot_video){
		.kind = f.type == FRAMEBUFFER_TEXT ? VIDEO_TEXT : VIDEO_NONE,
		.address = f.address,
		.pitch = f.pitch,
		.width = f.width,
		.height = f.height,
		.bpp = f.bpp,
		.red_pos = f.red_pos,
		.red_size = f.red_size,
		.green_pos = f.green_pos,
		.green_size = f.green_size,
		.blue_pos = f.blue_pos,
		.blue_size = f.blue_size,
	};
	if (f.type == FRAMEBUFFER_RGB)
		v->kind = VIDEO_LFB;
}

static void read_rsdp(struct boot_info *info, const uint8_t *payload, size_t n)
{
	size_t size = n >= sizeof(info->rsdp) ? sizeof(info->rsdp) : n >= 20 ? 20 : 0;

	if (size > info->rsdp_size) {
		memcpy(info->rsdp, payload, size);
		info->rsdp_size = (unsigned)size;
	}
}

static const char *read_tag(struct boot_info *info, uint32_t type, const uint8_t *payload, size_t n)
{
	switch (type) {
	case TAG_CMDLINE:
		copy_string(info->cmdline, sizeof(info->cmdline), payload, n);
		break;
	case TAG_LOADER:
		copy_string(info->loader, sizeof(info->loader), payload, n);
		break;
	case TAG_MODULE:
		return read_module(info, payload, n);
	case TAG_MMAP:
		return read_mmap(info, payload, n);
	case TAG_FRAMEBUFFER:
		read_framebuffer(&info->video, payload, n);
		break;
	case TAG_EFI64:
		if (n >= sizeof(info->efi_system_table))
			memcpy(&info->efi_system_table, payload, sizeof(info->efi_system_table));
		break;
	case TAG_ACPI_OLD:
	case TAG_ACPI_NEW:
		read_rsdp(info, payload, n);
		break;
	}
	return NULL;
}

int multiboot2_parse(struct boot_info *info, const void *data, size_t limit, const char **why)
{
	uint32_t total;
	struct tag tag;

	*why = "the boot information is too short";
	if (limit < 8)
		return -EINVAL;
	memcpy(&total, data, sizeof(total));
	if (total < 16 || total > limit)
		return -EINVAL;
	for (size_t at = 8;; at = ALIGN_UP(at + tag.size, 8)) {
		if (at > total || total - at < sizeof(tag))
			return -EINVAL;
		memcpy(&tag, (const uint8_t *)data + at, sizeof(tag));
		*why = "a tag is longer than the boot information";
		if (tag.size < sizeof(tag) || tag.size > total - at)
			return -EINVAL;
		if (tag.type == TAG_END)
			break;
		*why = read_tag(info, tag.type, (const uint8_t *)data + at + sizeof(tag),
				tag.size - sizeof(tag));
		if (*why)
			return -EINVAL;
		*why = "the boot information does not end";
	}
	*why = info->firmware_map.n ? NULL : "there is no memory map";
	return *why ? -EINVAL : 0;
}
