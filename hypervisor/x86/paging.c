/* SPDX-License-Identifier: MIT */
/*
 * Our own page tables: slots 256 to 271 of an L4, the same in every address space. Their L3
 * tables all exist from the start, so that what is mapped later shows up in every guest's table
 * at once. Mappings are only ever added, except in the CPUs' GDT and LDT windows. Entries:
 * Intel SDM 3A 4.5.
 *
 * Lock: RANK_MAP, around every change of the tables.
 */
#include "abi/errno.h"
#include "lib/assert.h"
#include "lib/lock.h"
#include "lib/string.h"
#include "x86/cpu.h"
#include "x86/insn.h"
#include "x86/machine.h"

#define PTE_P		(1ull << 0)
#define PTE_W		(1ull << 1)
#define PTE_U		(1ull << 2)
#define PTE_PWT		(1ull << 3)
#define PTE_PCD		(1ull << 4)
#define PTE_A		(1ull << 5)
#define PTE_D		(1ull << 6)
#define PTE_PS		(1ull << 7)	/* in L3 and L2 */
#define PTE_PAT		(1ull << 7)	/* in L1 */
#define PTE_G		(1ull << 8)
#define PTE_NX		(1ull << 63)
#define PTE_ADDRESS	0x000ffffffffff000ull

extern char image_start[], image_text_end[], image_data_end[], image_end[];

static struct lock lock = LOCK_INIT(RANK_MAP);
static uint64_t *idle_l4;
static uint64_t device_next = DEVICES_VIRT;

void *(*machine_table_alloc)(void);

void *machine_va(mfn_t mfn)
{
	return (void *)(DIRECTMAP_VIRT + (mfn.n << PAGE_SHIFT));
}

mfn_t machine_mfn(const void *va)
{
	uint64_t a = (uint64_t)va;

	if (a >= DIRECTMAP_VIRT)
		return MFN((a - DIRECTMAP_VIRT) >> PAGE_SHIFT);
	ASSERT(a >= IMAGE_VIRT && a < (uint64_t)image_end);
	return MFN((a - IMAGE_VIRT + image_phys) >> PAGE_SHIFT);
}

static uint64_t leaf_flags(unsigned flags, unsigned level)
{
	uint64_t pte = PTE_P | PTE_A | PTE_D | (level > 1 ? PTE_PS : 0);

	if (flags & MAP_WRITE)
		pte |= PTE_W;
	if (flags & MAP_USER)
		pte |= PTE_U;
	if (flags & MAP_GLOBAL)
		pte |= PTE_G;
	if (flags & MAP_UNCACHED)
		pte |= PTE_PCD | PTE_PWT;
	if (flags & MAP_WRITE_COMBINING)
		pte |= PTE_PAT;
	if (!(flags & MAP_EXEC) && cpu_features.nx)
		pte |= PTE_NX;
	return pte;
}

/*
 * The entry for va at `level` (1: 4 KiB, 2: 2 MiB, 3: 1 GiB). Missing tables above it are
 * allocated; NULL if there is no memory, or if a larger page covers va already.
 */
static uint64_t *entry_at(uint64_t va, unsigned level, unsigned flags)
{
	uint64_t *table = idle_l4;

	for (unsigned l = 4;; l--) {
		uint64_t *entry = &table[va >> (12 + 9 * (l - 1)) & 511];

		if (l == level)
			return entry;
		if (!*entry) {
			void *fresh = machine_table_alloc();

			if (!fresh)
				return NULL;
			*entry = machine_mfn(fresh).n << PAGE_SHIFT | PTE_P | PTE_W | PTE_A;
		}
		if (*entry & PTE_PS)
			return NULL;
		if (flags & MAP_USER)
			*entry |= PTE_U;
		table = machine_va(MFN((*entry & PTE_ADDRESS) >> PAGE_SHIFT));
	}
}

/* The largest page that may start at va: alignment, length, kind, and what the CPU can do. */
static unsigned largest(uint64_t va, uint64_t mfn, uint64_t frames, unsigned flags)
{
	uint64_t n = 1ull << 18;

	if (flags & (MAP_UNCACHED | MAP_WRITE_COMBINING | MAP_SMALL))
		return 1;
	if (cpu_features.page1gb && frames >= n && !((mfn | va >> PAGE_SHIFT) & (n - 1)))
		return 3;
	n = 512;
	return frames >= n && !((mfn | va >> PAGE_SHIFT) & (n - 1)) ? 2 : 1;
}

static int map(uint64_t va, uint64_t mfn, uint64_t frames, unsigned flags)
{
	while (frames) {
		unsigned level = largest(va, mfn, frames, flags);
		uint64_t n = 1ull << 9 * (level - 1), *entry = entry_at(va, level, flags);

		/* A table is there already: smaller pages into it. */
		while (entry && level > 1 && *entry && !(*entry & PTE_PS)) {
			level--;
			n = 1ull << 9 * (level - 1);
			entry = entry_at(va, level, flags);
		}
		if (!entry)
			return -ENOMEM;
		*entry = mfn << PAGE_SHIFT | leaf_flags(flags, level);
		va += n << PAGE_SHIFT;
		mfn += n;
		frames -= n;
	}
	return 0;
}

int machine_map(vaddr_t va, mfn_t mfn, uint64_t frames, unsigned flags)
{
	int rc;

	lock_acquire(&lock);
	rc = map(va.a, mfn.n, frames, flags);
	lock_release(&lock);
	return rc;
}

uint64_t *paging_entries(vaddr_t va)
{
	uint64_t *entry;

	lock_acquire(&lock);
	entry = entry_at(va.a, 1, 0);
	lock_release(&lock);
	return entry;
}

void *machine_map_device(uint64_t paddr, uint64_t size, bool write_combining)
{
	uint64_t offset = paddr & ~PAGE_MASK, frames = DIV_ROUND_UP(offset + size, PAGE_SIZE), va;
	int rc = -ENOMEM;

	lock_acquire(&lock);
	va = device_next;
	if (frames <= (DEVICES_VIRT + DEVICES_SIZE - va) >> PAGE_SHIFT) {
		device_next += frames << PAGE_SHIFT;
		rc = map(va, paddr >> PAGE_SHIFT, frames,
			 MAP_WRITE | MAP_GLOBAL |
				 (write_combining ? MAP_WRITE_COMBINING : MAP_UNCACHED));
	}
	lock_release(&lock);
	return rc ? NULL : (void *)(va + offset);
}

unsigned machine_paddr_bits(void)
{
	return cpu_features.paddr_bits;
}

bool machine_has_nx(void)
{
	return cpu_features.nx;
}

static void map_section(const char *from, const char *to, unsigned flags)
{
	int rc = map((uint64_t)from, machine_mfn(from).n, (uint64_t)(to - from) >> PAGE_SHIFT,
		     flags | MAP_GLOBAL | MAP_SMALL);

	ASSERT(!rc);
}

void paging_init(void)
{
	idle_l4 = machine_table_alloc();
	for (unsigned slot = HYPERVISOR_SLOT_FIRST; slot <= HYPERVISOR_SLOT_LAST; slot++)
		idle_l4[slot] =
			machine_mfn(machine_table_alloc()).n << PAGE_SHIFT | PTE_P | PTE_W | PTE_A;
	idle_l4[HYPERVISOR_SLOT_FIRST] |= PTE_U;	/* the M2P is the guests' to read */
	map_section(image_start, image_text_end, MAP_EXEC);
	map_section(image_text_end, image_data_end, MAP_WRITE);
	map_section(image_data_end, image_end, 0);
}

void paging_load(void)
{
	if (cpu_features.nx)
		wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_NXE);
	write_cr3(machine_tables_idle().n << PAGE_SHIFT);
}

mfn_t machine_tables_idle(void)
{
	return machine_mfn(idle_l4);
}

void machine_l4_install(uint64_t *l4)
{
	memcpy(l4 + HYPERVISOR_SLOT_FIRST, idle_l4 + HYPERVISOR_SLOT_FIRST,
	       (HYPERVISOR_SLOT_LAST - HYPERVISOR_SLOT_FIRST + 1) * sizeof(*l4));
}
