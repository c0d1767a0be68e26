/* SPDX-License-Identifier: MIT */
/*
 * Page-table updates: what must work, and everything that would break the one invariant (no frame
 * is a table and writable at once), which must be refused and must leave nothing behind. Superpages
 * and linear tables are refused by us and may be taken by others.
 */
#include "hypercall.h"
#include "kernel.h"
#include "mem.h"
#include "page.h"
#include "test.h"
#include "trap.h"

#define TEST_VA		0x10000000000UL
#define NONCANONICAL	0x800000000000UL
#define MFN_NOWHERE	(1UL << 39)

static long update(uint64_t ptr, uint64_t value, unsigned int foreign)
{
	struct mmu_update req = { .ptr = ptr, .val = value };

	return hyp_mmu_update(&req, 1, NULL, foreign);
}

static uint64_t now(uint64_t *entry)
{
	return *(volatile uint64_t *)entry;
}

/* An entry must stay as it is when value is refused. */
static void refused(uint64_t *entry, uint64_t value, const char *name)
{
	uint64_t before = now(entry);
	long result = page_write(entry, value);

	check(result < 0 && now(entry) == before, "refused (%ld): %s", result, name);
	if (result == 0)
		page_write(entry, before);
}

static void entries(void)
{
	char *a = page_alloc(), *b = page_alloc();
	uint64_t *l1;

	*(uint64_t *)a = 0xaaaa;
	*(uint64_t *)b = 0xbbbb;
	page_map(TEST_VA, page_entry(a, PTE_RW));
	l1 = page_walk(TEST_VA, 1);
	check(*(volatile uint64_t *)TEST_VA == 0xaaaa, "a new mapping");
	check_eq(page_set(TEST_VA, page_entry(b, PTE_RW)), 0, "change it by update_va_mapping");
	check(*(volatile uint64_t *)TEST_VA == 0xbbbb, "it changed");
	check_eq(page_write(l1, page_entry(a, PTE_P | PTE_U)), 0, "change it by mmu_update");
	page_flush();
	check((now(l1) & (PTE_W | PTE_A | PTE_D)) == 0, "nothing has touched it");
	*(volatile uint64_t *)TEST_VA;
	check(now(l1) & PTE_A, "the CPU sets accessed");
	check_eq(update(page_maddr(l1) | MMU_PT_UPDATE_PRESERVE_AD, page_entry(a, PTE_P | PTE_U |
									       PTE_W), DOMID_SELF),
		 0, "PRESERVE_AD");
	check(now(l1) & PTE_A, "keeps accessed");
	check_eq(update(page_maddr(l1) | MMU_PT_UPDATE_NO_TRANSLATE, page_entry(b, PTE_RO),
			DOMID_SELF), 0,
		 "NO_TRANSLATE");
	check_eq(page_write(l1, 0), 0, "clear it");
	check_eq(page_write(l1, 0xfffffffffffffffe), 0, "anything that is not present");
	check_eq(page_write(l1, page_entry(a, PTE_RW | 0xe00)), 0, "the bits that are software's");
	check((now(l1) & 0x400) != 0, "are kept");
	check_eq(page_write(l1, page_entry(a, PTE_RW | PTE_NX)), 0, "NX");
	check_eq(page_write(l1, page_entry(a, PTE_RW | 0x18)), 0, "uncached");
	check_eq(page_write(l1, page_entry(a, PTE_RW | PTE_G)), 0,
		 "global (which guests don't get)");
	check_eq(page_set(TEST_VA, 0), 0, "unmap");
	page_free(a);
	page_free(b);
}

static void batches(void)
{
	char *a = page_alloc();
	uint64_t *l1 = page_walk(TEST_VA, 1);
	struct mmu_update reqs[64];
	unsigned int done = 77;

	for (unsigned int i = 0; i < 64; i++)
		reqs[i] = (struct mmu_update){ page_maddr(&l1[i]), page_entry(a, PTE_RO) };
	check_eq(hyp_mmu_update(reqs, 64, &done, DOMID_SELF), 0, "64 at once");
	check_eq(done, 64, "all done");
	reqs[40].val = MFN_NOWHERE << PAGE_SHIFT | PTE_RO;
	for (unsigned int i = 0; i < 64; i++)
		reqs[i].val = i == 40 ? reqs[i].val : 0;
	check_refused(hyp_mmu_update(reqs, 64, &done, DOMID_SELF), "64 with a bad one");
	check_eq(done, 40, "it says how far it came");
	check(now(&l1[39]) == 0 && now(&l1[41]) != 0,
	      "what came before is done, what came after is not");
	for (unsigned int i = 40; i < 64; i++)
		page_write(&l1[i], 0);
	done = 77;
	check_eq(hyp_mmu_update(reqs, 0, &done, DOMID_SELF), 0, "none at all");
	check_eq(done, 0, "none done");
	page_free(a);
}

static void addresses(void)
{
	static const uint64_t bad[] = {
		NONCANONICAL, 0xffff7fffffffffff, HYPERVISOR_VIRT_START, 0xffff830000000000,
		HYPERVISOR_VIRT_END - 4096,
		0x7000000000, 0x123456789000,
	};
	char *a = page_alloc();

	for (unsigned int i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		check(page_set(bad[i], page_entry(a, PTE_RO)) < 0,
		      "refused: update_va_mapping of %lx", bad[i]);
	check_refused(update(MFN_NOWHERE << PAGE_SHIFT, 0, DOMID_SELF), "mmu_update of no memory");
	check_refused(update(~7UL, 0, DOMID_SELF), "mmu_update of the last address");
	check_eq(update(page_maddr(a + 16), 0x1234, DOMID_SELF), 0, "mmu_update of plain memory");
	check_eq((int64_t)((uint64_t *)a)[2], 0x1234, "stores the value");
	check_refused(update(page_maddr(a), 0, 4711), "a foreign domain that isn't there");
	check_refused(update(page_maddr(a), 0, (4711 + 1) << 16 | DOMID_SELF),
		      "tables of a domain that isn't there");
	check_eq(update(page_maddr(a) | MMU_MACHPHYS_UPDATE, 0x4242, DOMID_SELF), 0,
		 "MACHPHYS_UPDATE");
	check(((volatile uint64_t *)MACH2PHYS_VIRT_START)[page_mfn(a)] == 0x4242, "is in M2P");
	update(page_maddr(a) | MMU_MACHPHYS_UPDATE, page_pfn(a), DOMID_SELF);
	check_refused(update(MFN_NOWHERE << PAGE_SHIFT | MMU_MACHPHYS_UPDATE, 0, DOMID_SELF),
		      "MACHPHYS_UPDATE of no memory");
	page_free(a);
}

/* Tables that are in use must not become writable, by whichever way. */
static void writable_tables(void)
{
	char *a = page_alloc();
	uint64_t *l1 = page_walk(TEST_VA, 1);

	page_map(TEST_VA, page_entry(a, PTE_RW));
	for (int level = 1; level <= 4; level++) {
		uint64_t table = (uint64_t)page_walk(TEST_VA, level) & -PAGE_SIZE;
		uint64_t mfn = page_mfn((void *)table);

		check(page_protect((void *)table, true) < 0,
		      "refused: an L%d, writable where it was", level);
		check(page_set(TEST_VA, mfn << PAGE_SHIFT | PTE_RW) < 0,
		      "refused: an L%d, writable elsewhere", level);
		check_eq(page_set(TEST_VA, mfn << PAGE_SHIFT | PTE_RO), 0,
			 "an L%d, read-only elsewhere", level);
		refused(l1, mfn << PAGE_SHIFT | PTE_RW, "the same by mmu_update");
		check_refused(update(page_maddr(l1) | MMU_PT_UPDATE_PRESERVE_AD, mfn << PAGE_SHIFT |
				     PTE_RW, DOMID_SELF),
			      "the same with PRESERVE_AD");
	}
	page_set(TEST_VA, 0);
	page_free(a);
}

/* The hypervisor's slots of our L4 tell frames of its own: none of them may be had. */
static void hypervisor_frames(void)
{
	uint64_t *l4 = page_root(), *l1 = page_walk(TEST_VA, 1);
	char *a = page_alloc();

	for (unsigned int slot = 256; slot < 272; slot++) {
		uint64_t frame = now(&l4[slot]) & PTE_FRAME;

		check(page_write(&l4[slot], page_entry(a, PTE_TABLE)) < 0,
		      "refused: slot %u of the L4", slot);
		if (!(now(&l4[slot]) & PTE_P) || frame >> PAGE_SHIFT == page_mfn(l4))
			continue;	/* Xen shows us our own L4 in one */
		check(page_write(&l4[slot], 0) < 0, "refused: clearing slot %u", slot);
		check(page_write(l1, frame | PTE_RO) < 0, "refused: reading the table of slot %u",
		      slot);
		check(page_write(l1, frame | PTE_RW) < 0, "refused: writing the table of slot %u",
		      slot);
		check(update(frame, 0, DOMID_SELF) < 0,
		      "refused: mmu_update in the table of slot %u", slot);
		check(page_write(&l4[100], frame | PTE_TABLE) < 0,
		      "refused: using the table of slot %u", slot);
		check(update(frame | MMU_MACHPHYS_UPDATE, 0, DOMID_SELF) < 0,
		      "refused: its M2P entry");
	}
	refused(l1, MFN_NOWHERE << PAGE_SHIFT | PTE_RO, "a frame beyond memory");
	if (!kernel_is_dom0())
		refused(l1, 0xb8000 | PTE_RO, "a device's memory, unprivileged");
	page_free(a);
}

static void levels(void)
{
	uint64_t *l1 = page_table(NULL), *l2 = page_table(NULL), *l3 = page_table(NULL);
	uint64_t *e4 = &((uint64_t *)page_root())[100], *plain = page_alloc();
	uint64_t *in3 = page_walk(TEST_VA, 3), *in2 = page_walk(TEST_VA, 2),
		*in1 = page_walk(TEST_VA, 1);

	check_eq(page_ext(MMUEXT_PIN_L1_TABLE, l1), 0, "pin an L1");
	check_eq(page_ext(MMUEXT_PIN_L2_TABLE, l2), 0, "pin an L2");
	check_eq(page_ext(MMUEXT_PIN_L3_TABLE, l3), 0, "pin an L3");
	refused(e4, page_entry(l1, PTE_TABLE), "an L1 in the L4");
	refused(e4, page_entry(l2, PTE_TABLE), "an L2 in the L4");
	refused(in3 + 1, page_entry(l1, PTE_TABLE), "an L1 in an L3");
	refused(in3 + 1, page_entry(l3, PTE_TABLE), "an L3 in an L3");
	refused(in2 + 1, page_entry(l3, PTE_TABLE), "an L3 in an L2");
	refused(in2 + 1, page_entry(page_root(), PTE_TABLE), "the L4 in an L2");
	refused(in2 + 1, page_entry(plain, PTE_TABLE), "a writable page in an L2");
	refused(in3 + 1, page_entry(plain, PTE_TABLE), "a writable page in an L3");
	refused(e4, page_entry(plain, PTE_TABLE), "a writable page in the L4");
	refused(in2 + 1, page_entry(l1, PTE_TABLE) | PTE_PSE, "a large page of tables in an L2");
	refused(in2 + 1, (page_mfn(plain) & ~511UL) << PAGE_SHIFT | PTE_RW | PTE_PSE,
		"a large page in an L2");
	refused(in3 + 1, (page_mfn(plain) & ~0x3ffffUL) << PAGE_SHIFT | PTE_RW | PTE_PSE,
		"a huge page in an L3");
	refused(e4, page_entry(l3, PTE_TABLE) | PTE_PSE, "the large bit in the L4");
	refused(in2 + 1, MFN_NOWHERE << PAGE_SHIFT | PTE_TABLE, "an L1 beyond memory");
	check_eq(page_write(in2 + 1, page_entry(l1, PTE_TABLE)), 0, "an L1 in an L2");
	check_eq(page_write(in2 + 2, page_entry(l1, PTE_TABLE)), 0, "the same once more");
	refused(in1, page_entry(l1, PTE_RW), "that L1, writable");
	check_eq(page_write(&l1[7], page_entry(l1, PTE_RO)), 0, "that L1, read-only in itself");
	refused(&l1[8], page_entry(l1, PTE_RW), "that L1, writable in itself");
	check_eq(page_ext(MMUEXT_UNPIN_TABLE, l1), 0, "unpin it");
	check(page_protect(l1, true) < 0, "in use it stays a table");
	check_eq(page_write(in2 + 1, 0), 0, "unlink one");
	check(page_protect(l1, true) < 0, "still in use");
	check_eq(page_write(in2 + 2, 0), 0, "unlink the other");
	check_eq(page_protect(l1, true), 0, "now it may be written");
	check_eq(page_ext(MMUEXT_UNPIN_TABLE, l2), 0, "unpin the L2");
	check_eq(page_ext(MMUEXT_UNPIN_TABLE, l3), 0, "unpin the L3");
	check(!page_protect(l2, true) && !page_protect(l3, true), "and write them");
}

static void pins(void)
{
	uint64_t *l1 = page_alloc(), *l2 = page_alloc(), *plain = page_alloc();

	for (unsigned int cmd = MMUEXT_PIN_L1_TABLE; cmd <= MMUEXT_PIN_L4_TABLE; cmd++)
		check(page_ext(cmd, plain) < 0, "refused: pinning a writable page as L%u", cmd + 1);
	check_refused(page_ext(MMUEXT_UNPIN_TABLE, plain), "unpinning what is not pinned");
	check(page_protect(plain, true) == 0, "after that it is writable still");
	l1[3] = page_entry(l1, PTE_RW);
	page_protect(l1, false);
	check_refused(page_ext(MMUEXT_PIN_L1_TABLE, l1), "an L1 that maps itself writable");
	check_eq(page_protect(l1, true), 0, "left nothing behind");
	l1[3] = 0;
	l1[511] = MFN_NOWHERE << PAGE_SHIFT | PTE_RO;
	page_protect(l1, false);
	check_refused(page_ext(MMUEXT_PIN_L1_TABLE, l1), "an L1 with a bad last entry");
	check_eq(page_protect(l1, true), 0, "left nothing behind");
	l1[511] = page_entry(page_root(), PTE_RW);
	page_protect(l1, false);
	check_refused(page_ext(MMUEXT_PIN_L1_TABLE, l1), "an L1 that maps the L4 writable");
	page_protect(l1, true);
	l1[511] = page_entry(l2, PTE_RW);
	l2[0] = page_entry(l1, PTE_TABLE);
	page_protect(l1, false);
	page_protect(l2, false);
	check_refused(page_ext(MMUEXT_PIN_L2_TABLE, l2), "an L2 whose L1 maps it writable");
	check(!page_protect(l1, true) && !page_protect(l2, true), "left nothing behind");
	l1[511] = page_entry(plain, PTE_RW);
	l2[9] = page_entry(l2, PTE_TABLE);
	page_protect(l1, false);
	page_protect(l2, false);
	if (page_ext(MMUEXT_PIN_L2_TABLE, l2) == 0) {	/* a linear table, if it is read-only */
		check(false, "a writable linear table");
		page_ext(MMUEXT_UNPIN_TABLE, l2);
	}
	page_protect(l2, true);
	l2[9] = 0;
	page_protect(l2, false);
	check_eq(page_ext(MMUEXT_PIN_L2_TABLE, l2), 0, "pin a good L2 with an L1");
	check_refused(page_ext(MMUEXT_PIN_L2_TABLE, l2), "pin it twice");
	check_refused(page_ext(MMUEXT_PIN_L3_TABLE, l2), "pin it as L3");
	check_eq(page_ext(MMUEXT_PIN_L1_TABLE, l1), 0, "pin its L1 too");
	check_eq(page_ext(MMUEXT_UNPIN_TABLE, l2), 0, "unpin the L2");
	check_refused(page_ext(MMUEXT_UNPIN_TABLE, l2), "unpin it twice");
	check_eq(page_protect(l2, true), 0, "it is free");
	check(page_protect(l1, true) < 0, "its L1 is not");
	check_eq(page_ext(MMUEXT_UNPIN_TABLE, l1), 0, "unpin the L1");
	check_eq(page_protect(l1, true), 0, "it is free");
}

/* Four tables, each filled with the next: 2^36 - x mappings, and counts that must add up. */
static void full_tree(void)
{
	uint64_t *t[5] = { page_alloc(), page_alloc(), page_alloc(), page_alloc(), page_alloc() };

	for (int level = 1; level <= 4; level++)
		for (unsigned int i = 0; i < 512; i++)
			if (level < 4 || i < 256 || i >= 272)
				t[level][i] = page_entry(t[level - 1], level == 1 ? PTE_RO :
							 PTE_TABLE);
	for (int level = 1; level <= 4; level++)
		page_protect(t[level], false);
	for (int i = 0; i < 3; i++) {
		check_eq(page_ext(MMUEXT_PIN_L4_TABLE, t[4]), 0, "pin a full tree");
		check(page_protect(t[1], true) < 0 && page_protect(t[2], true) < 0 &&
		      page_protect(t[3], true) < 0 &&
		      page_protect(t[4], true) < 0, "it is all tables");
		check_eq(page_ext(MMUEXT_UNPIN_TABLE, t[4]), 0, "unpin it");
	}
	for (int level = 4; level >= 1; level--)
		check_eq(page_protect(t[level], true), 0, "the L%d is free", level);
}

/* An L4 in itself. Where that is possible it must not give write access. */
static void linear_table(void)
{
	uint64_t *l4 = page_root();
	uint64_t va = 0xffff000000000000 | 300UL << 39 | 300UL << 30 | 300UL << 21 | 300UL << 12;

	refused(&l4[300], page_entry(l4, PTE_RW), "the L4 in itself, writable");
	if (page_write(&l4[300], page_entry(l4, PTE_RO)) == 0) {
		check(!try_write(va | 100 * 8, page_entry(l4, PTE_RW)),
		      "a linear table can be read only");
		check_eq(page_write(&l4[300], 0), 0, "and removed");
	} else {
		check(true, "linear tables are refused");
	}
}

void test_main(void)
{
	entries();
	batches();
	addresses();
	writable_tables();
	hypervisor_frames();
	levels();
	pins();
	full_tree();
	linear_table();
}
