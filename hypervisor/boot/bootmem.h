/* SPDX-License-Identifier: MIT */
/*
 * Pages before mm/ exists: taken from the top of the largest piece of free RAM below 4 GiB,
 * never given back.
 */
#ifndef BOOT_BOOTMEM_H
#define BOOT_BOOTMEM_H

#include "boot/e820.h"

/* `free` is RAM that nobody uses. Panics if there is none. */
void bootmem_init(const struct e820_map *free);
/* One zeroed page; panics if there is no more: a machine so small cannot run anything. */
void *bootmem_alloc(void);
/* From now on at most `bytes` more are taken: [*start, *end) is what was and may still be. */
void bootmem_limit(uint64_t bytes, uint64_t *start, uint64_t *end);
/* The lowest address that was taken. */
uint64_t bootmem_bottom(void);

#endif
