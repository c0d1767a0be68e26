/* SPDX-License-Identifier: MIT */
/*
 * GRUB's boot information (Multiboot2 specification 2.0, section 3.6), read into struct
 * boot_info.
 */
#ifndef BOOT_MULTIBOOT2_H
#define BOOT_MULTIBOOT2_H

#include "boot/boot.h"

#define MULTIBOOT2_MAGIC	0x36d76289

/*
 * Read the tags at `data`, of which at most `limit` bytes are looked at. Strings are copied
 * (and cut at their arrays' ends), modules beyond BOOT_MODULES_MAX and memory ranges beyond
 * E820_MAX left out. 0, or -EINVAL and *why if the structure is not sound or has no memory map.
 */
int multiboot2_parse(struct boot_info *info, const void *data, size_t limit, const char **why);

#endif
