/* SPDX-License-Identifier: MIT */
/*
 * Direct paging. Frames come from a pool in our own image, so each is mapped (writable, until it
 * becomes a table) where the domain builder put it: va = VIRT_BASE + pfn * 4096, mfn = P2M[pfn].
 */
#ifndef PAGE_H
#define PAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel.h"

#define PTE_P		0x001UL
#define PTE_W		0x002UL
#define PTE_U		0x004UL
#define PTE_A		0x020UL
#define PTE_D		0x040UL
#define PTE_PSE		0x080UL
#define PTE_G		0x100UL
#define PTE_NX		(1UL << 63)
#define PTE_RW		(PTE_P | PTE_W | PTE_U | PTE_A | PTE_D)
#define PTE_RO		(PTE_P | PTE_U | PTE_A)
#define PTE_TABLE	(PTE_P | PTE_W | PTE_U | PTE_A | PTE_D)
#define PTE_FRAME	0x000ffffffffff000UL

/*
 * A zeroed page; the kernel stops if the pool is empty. page_free: it must be an ordinary writable
 * page.
 */
void *page_alloc(void);
void page_free(void *page);

uint64_t page_pfn(const void *page);
uint64_t page_mfn(const void *page);
/* The page that a machine frame is mapped at, by M2P. */
void *page_at(uint64_t mfn);
/* An entry that maps a page. */
uint64_t page_entry(const void *page, uint64_t flags);

/*
 * Where the entry of `level` for va is, in the running tables or in those below an L4 page; NULL if
 * a table on the way is missing.
 */
uint64_t *page_walk(uint64_t va, int level);
uint64_t *page_walk_from(void *l4, uint64_t va, int level);
/* The machine address of a byte in a mapped page of ours. */
uint64_t page_maddr(const void *address);

/* The L4 that we run on. */
void *page_root(void);
void page_set_root(void *l4);

/*
 * Write one entry through mmu_update / the mapping of va through update_va_mapping, flushed. Result
 * of the call.
 */
long page_write(uint64_t *entry, uint64_t value);
long page_set(uint64_t va, uint64_t entry);
/* Make a pool page read-only or writable in its own mapping. */
long page_protect(void *page, bool writable);
/* One mmuext_op on a page. */
long page_ext(unsigned int cmd, const void *page);
/* Forget this vCPU's TLB. */
void page_flush(void);
/* A pool page for a table: read-only, its 512 entries copied from entries (NULL: all clear). */
void *page_table(const uint64_t *entries);

/*
 * Map one page at va with new tables below the L4 as needed; stops the kernel if that is refused.
 */
void page_map(uint64_t va, uint64_t entry);
void page_map_in(void *l4, uint64_t va, uint64_t entry);

#endif
