/* SPDX-License-Identifier: MIT */
/* The boot allocator: one range, taken from its end. Boot CPU only. */
#include "boot/bootmem.h"

#include "boot/boot.h"
#include "lib/assert.h"
#include "lib/string.h"

#define LOWEST	0x100000ull	/* the first MiB is firmware's and the start-up code's */
#define HIGHEST	0x100000000ull	/* what boot/head.S maps */

static uint64_t bottom, at, top;

void bootmem_init(const struct e820_map *free)
{
	for (unsigned i = 0; i < free->n; i++) {
		uint64_t start = max(free->entry[i].start, LOWEST),
			 end = min(free->entry[i].end, HIGHEST);

		if (free->entry[i].type == E820_RAM && start < end && end - start > top - bottom) {
			bottom = start;
			top = end;
		}
	}
	at = top;
	if (top - bottom < 1 << 20)
		panic("no free memory below 4 GiB");
}

void *bootmem_alloc(void)
{
	if (at == bottom)
		panic("out of memory at start-up");
	at -= PAGE_SIZE;
	return memset(boot_va(at), 0, PAGE_SIZE);
}

void bootmem_limit(uint64_t bytes, uint64_t *start, uint64_t *end)
{
	bottom = at - min(bytes, at - bottom);
	*start = bottom;
	*end = top;
}

uint64_t bootmem_bottom(void)
{
	return at;
}
