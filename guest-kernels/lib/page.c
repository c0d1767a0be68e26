/* SPDX-License-Identifier: MIT */
/* Direct paging: the pool, walks through M2P, and checked writes. */
#include "abi/sched.h"
#include "hypercall.h"
#include "mem.h"
#include "page.h"
#include "print.h"

#define POOL_PAGES	1024

static char pool[POOL_PAGES][PAGE_SIZE] __attribute__((aligned(4096)));
static void *free_list[POOL_PAGES];
static unsigned int nr_used, nr_free;

extern char VIRT_BASE[];

static void __attribute__((noreturn)) stop(const char *why, long result)
{
	print("%s: %ld\nTest result: FAIL 1\n", why, result);
	kernel_shutdown(SHUTDOWN_crash);
}

void *page_alloc(void)
{
	void *page;

	if (nr_free)
		page = free_list[--nr_free];
	else if (nr_used < POOL_PAGES)
		page = pool[nr_used++];
	else
		stop("no page left", 0);
	return memset(page, 0, PAGE_SIZE);
}

void page_free(void *page)
{
	free_list[nr_free++] = page;
}

uint64_t page_pfn(const void *page)
{
	return ((uint64_t)page - (uint64_t)VIRT_BASE) >> PAGE_SHIFT;
}

uint64_t page_mfn(const void *page)
{
	return ((volatile unsigned long *)start_info->mfn_list)[page_pfn(page)];
}

void *page_at(uint64_t mfn)
{
	const volatile unsigned long *m2p = (const volatile unsigned long *)MACH2PHYS_VIRT_START;

	return VIRT_BASE + (m2p[mfn] << PAGE_SHIFT);
}

uint64_t page_entry(const void *page, uint64_t flags)
{
	return page_mfn(page) << PAGE_SHIFT | flags;
}

uint64_t page_maddr(const void *address)
{
	uint64_t va = (uint64_t)address;

	return page_mfn((void *)(va & -PAGE_SIZE)) << PAGE_SHIFT | (va & (PAGE_SIZE - 1));
}

uint64_t *page_walk_from(void *l4, uint64_t va, int level)
{
	uint64_t *table = l4;

	for (int l = 4;; l--) {
		uint64_t *entry = &table[va >> (12 + 9 * (l - 1)) & 511];

		if (l == level)
			return entry;
		if (!(*(volatile uint64_t *)entry & PTE_P))
			return NULL;
		table = page_at((*entry & PTE_FRAME) >> PAGE_SHIFT);
	}
}

static void *root;

void *page_root(void)
{
	return root ? root : (void *)start_info->pt_base;
}

void page_set_root(void *l4)
{
	root = l4;
}

uint64_t *page_walk(uint64_t va, int level)
{
	return page_walk_from(page_root(), va, level);
}

long page_write(uint64_t *entry, uint64_t value)
{
	struct mmu_update req = { .ptr = page_maddr(entry) | MMU_NORMAL_PT_UPDATE, .val = value };

	return hyp_mmu_update(&req, 1, NULL, DOMID_SELF);
}

long page_set(uint64_t va, uint64_t entry)
{
	return hyp_update_va_mapping(va, entry, UVMF_INVLPG);
}

long page_protect(void *page, bool writable)
{
	return page_set((uint64_t)page, page_entry(page, writable ? PTE_RW : PTE_RO));
}

long page_ext(unsigned int cmd, const void *page)
{
	struct mmuext_op op = { .cmd = cmd, .arg1.mfn = page_mfn(page) };

	return hyp_mmuext_op(&op, 1, NULL, DOMID_SELF);
}

void page_flush(void)
{
	page_ext(MMUEXT_TLB_FLUSH_LOCAL, page_root());
}

void *page_table(const uint64_t *entries)
{
	void *page = page_alloc();
	long result;

	if (entries)
		memcpy(page, entries, PAGE_SIZE);
	result = page_protect(page, false);
	if (result)
		stop("page_table", result);
	return page;
}

void page_map_in(void *l4, uint64_t va, uint64_t entry)
{
	long result;

	for (int level = 4; level > 1; level--) {
		uint64_t *e = page_walk_from(l4, va, level);

		if (*(volatile uint64_t *)e & PTE_P)
			continue;
		result = page_write(e, page_entry(page_table(NULL), PTE_TABLE));
		if (result)
			stop("page_map: table", result);
	}
	result = page_write(page_walk_from(l4, va, 1), entry);
	if (result)
		stop("page_map", result);
}

void page_map(uint64_t va, uint64_t entry)
{
	page_map_in(page_root(), va, entry);
	page_set(va, entry);
}
