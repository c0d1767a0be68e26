/* SPDX-License-Identifier: MIT */
/*
 * What the boot loader and the command line told us. Written once at boot by the boot CPU,
 * constant afterwards.
 */
#ifndef BOOT_BOOT_H
#define BOOT_BOOT_H

#include "boot/cmdline.h"
#include "boot/e820.h"
#include "lib/types.h"

#define BOOT_MODULES_MAX	8
#define BOOT_CMDLINE_MAX	1024

/* A file that GRUB loaded: physical bytes [start, end), and the rest of its module2 line. */
struct boot_module {
	uint64_t start, end;
	char cmdline[BOOT_CMDLINE_MAX];
};

enum boot_video_kind { VIDEO_NONE, VIDEO_TEXT, VIDEO_LFB };

/*
 * The display as GRUB left it. For text width and height are in characters, for a linear frame
 * buffer in pixels.
 */
struct boot_video {
	enum boot_video_kind kind;
	uint64_t address;
	uint32_t pitch, width, height;
	uint8_t bpp;
	uint8_t red_pos, red_size, green_pos, green_size, blue_pos, blue_size;
};

struct boot_info {
	char cmdline[BOOT_CMDLINE_MAX];
	char loader[64];
	struct e820_map firmware_map;	/* as given */
	struct e820_map map;		/* sanitised */
	unsigned nr_modules;
	struct boot_module module[BOOT_MODULES_MAX];
	struct boot_video video;
	uint64_t efi_system_table;	/* physical address; 0: not started by 64-bit UEFI */
	uint8_t rsdp[36];
	unsigned rsdp_size;		/* 20 (ACPI 1.0), 36, or 0: none given */
	struct boot_options options;
};

extern struct boot_info boot_info;

/*
 * Physical address of a boot module etc. as a pointer: direct map. Only for RAM below 4 GiB
 * before paging_init().
 */
void *boot_va(uint64_t paddr);

#endif
