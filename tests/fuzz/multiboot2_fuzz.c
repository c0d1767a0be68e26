/* SPDX-License-Identifier: MIT */
/*
 * A boot loader that says anything: tags of any type and size, and then the options in the
 * command line.
 *
 * Links: hypervisor/boot/multiboot2.c hypervisor/boot/e820.c hypervisor/boot/cmdline.c
 */
#include <stdlib.h>
#include <string.h>

#include "boot/cmdline.h"
#include "boot/multiboot2.h"

static void complain(const char *what, const char *option)
{
	if (!strlen(what) || strlen(option) > 4096)
		abort();
}

static void check_map(const struct e820_map *map)
{
	for (unsigned i = 0; i < map->n; i++) {
		const struct e820_entry *e = &map->entry[i];

		if (e->start >= e->end || (i && map->entry[i - 1].end > e->start))
			abort();
		if (e->type == E820_RAM && ((e->start | e->end) & ~PAGE_MASK))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct boot_info info;
	const char *why = NULL;
	uint32_t total = (uint32_t)size;
	uint8_t *copy;

	if (size < 8)
		return 0;
	copy = malloc(size);
	memcpy(copy, data, size);
	if (data[4] & 1)			/* most inputs get the right total size */
		memcpy(copy, &total, sizeof(total));
	memset(&info, 0, sizeof(info));
	if (!multiboot2_parse(&info, copy, size, &why)) {
		if (info.nr_modules > BOOT_MODULES_MAX || info.rsdp_size > sizeof(info.rsdp))
			abort();
		if (!e820_sanitise(&info.map, &info.firmware_map))
			check_map(&info.map);
		cmdline_defaults(&info.options);
		cmdline_parse(&info.options, info.cmdline, complain);
	} else if (!why) {
		abort();
	}
	free(copy);
	return 0;
}
