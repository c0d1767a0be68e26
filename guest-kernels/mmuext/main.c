/* SPDX-License-Identifier: MIT */
/*
 * mmuext_op: flushes, page operations, base pointers and batches. Pins are in pagetables, LDTs in
 * segments.
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

static long op_linear(unsigned int cmd, uint64_t va, guest_ptr_t mask)
{
	struct mmuext_op op = { .cmd = cmd, .arg1.linear_addr = va, .arg2.vcpumask = mask };

	return hyp_mmuext_op(&op, 1, NULL, DOMID_SELF);
}

static long op_mfn(unsigned int cmd, uint64_t mfn, uint64_t source)
{
	struct mmuext_op op = { .cmd = cmd, .arg1.mfn = mfn, .arg2.src_mfn = source };

	return hyp_mmuext_op(&op, 1, NULL, DOMID_SELF);
}

static void flushes(void)
{
	char *a = page_alloc(), *b = page_alloc();
	uint64_t mask[64] = { 1 }, all[64];
	guest_ptr_t none = GUEST_PTR(NULL);
	static const struct {
		unsigned int cmd;
		bool mask;
		const char *name;
	} ways[] = {
		{ MMUEXT_TLB_FLUSH_LOCAL, false, "TLB_FLUSH_LOCAL" },
		{ MMUEXT_INVLPG_LOCAL, false, "INVLPG_LOCAL" },
		{ MMUEXT_TLB_FLUSH_MULTI, true, "TLB_FLUSH_MULTI" },
		{ MMUEXT_INVLPG_MULTI, true, "INVLPG_MULTI" },
		{ MMUEXT_TLB_FLUSH_ALL, false, "TLB_FLUSH_ALL" },
		{ MMUEXT_INVLPG_ALL, false, "INVLPG_ALL" },
	};

	memset(all, 0xff, sizeof(all));
	*(uint64_t *)a = 0xaaaa;
	*(uint64_t *)b = 0xbbbb;
	page_map(TEST_VA, page_entry(a, PTE_RW));
	for (unsigned int i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		volatile uint64_t *at = (volatile uint64_t *)TEST_VA;

		page_set(TEST_VA, page_entry(a, PTE_RW));
		*at = 0xaaaa;
		page_write(page_walk(TEST_VA, 1), page_entry(b, PTE_RW));
		check_eq(op_linear(ways[i].cmd, TEST_VA, ways[i].mask ? GUEST_PTR(mask) : none), 0,
			 "%s", ways[i].name);
		check(*at == 0xbbbb, "flushes");
		if (ways[i].mask) {
			check_eq(op_linear(ways[i].cmd, TEST_VA, GUEST_PTR(all)), 0,
				 "with vCPUs that aren't there");
			check_refused(op_linear(ways[i].cmd, TEST_VA,
						(guest_ptr_t){ 0xffff830000000000 }),
				      "with a mask in the hypervisor");
			check_refused(op_linear(ways[i].cmd, TEST_VA,
						(guest_ptr_t){ NONCANONICAL }),
				      "with a non-canonical mask");
		}
	}
	/* XSA-279: flushing a non-canonical address. */
	for (unsigned int i = 0; i < sizeof(ways) / sizeof(*ways); i++)
		if (ways[i].cmd == MMUEXT_INVLPG_LOCAL || ways[i].cmd == MMUEXT_INVLPG_ALL) {
			op_linear(ways[i].cmd, NONCANONICAL, none);
			op_linear(ways[i].cmd, 0xffff830000000000, none);
		}
	check(true, "INVLPG of odd addresses does no harm");
}

static void mapping_flags(void)
{
	char *a = page_alloc();
	uint64_t mask[64] = { 1 }, entry = page_entry(a, PTE_RW);

	check_eq(hyp_update_va_mapping(TEST_VA, entry, UVMF_NONE), 0, "UVMF_NONE");
	check_eq(hyp_update_va_mapping(TEST_VA, entry, UVMF_TLB_FLUSH | UVMF_LOCAL), 0,
		 "UVMF_TLB_FLUSH, local");
	check_eq(hyp_update_va_mapping(TEST_VA, entry, UVMF_TLB_FLUSH | UVMF_ALL), 0,
		 "UVMF_TLB_FLUSH, all");
	check_eq(hyp_update_va_mapping(TEST_VA, entry, UVMF_TLB_FLUSH | UVMF_MULTI |
				       (uint64_t)mask), 0,
		 "UVMF_TLB_FLUSH, a mask");
	check_eq(hyp_update_va_mapping(TEST_VA, entry, UVMF_INVLPG | UVMF_LOCAL), 0,
		 "UVMF_INVLPG, local");
	check_eq(hyp_update_va_mapping(TEST_VA, entry, UVMF_INVLPG | UVMF_ALL), 0,
		 "UVMF_INVLPG, all");
	check_eq(hyp_update_va_mapping(TEST_VA, entry, UVMF_INVLPG | UVMF_MULTI | (uint64_t)mask),
		 0,
		 "UVMF_INVLPG, a mask");
	check_eq(hyp_update_va_mapping(TEST_VA, entry, UVMF_INVLPG | UVMF_MULTI |
				       0xffff830000000000), -EFAULT,
		 "a mask in the hypervisor");
	check_eq(hyp_update_va_mapping(TEST_VA, entry, UVMF_TLB_FLUSH | UVMF_MULTI | NONCANONICAL),
		 -EFAULT,
		 "a non-canonical mask");
	hyp_update_va_mapping(TEST_VA, 0, UVMF_FLUSHTYPE_MASK);
	hyp_update_va_mapping(TEST_VA, 0, ~0UL);
	check(true, "odd flags do no harm");
}

static void page_operations(void)
{
	char *a = page_alloc(), *b = page_alloc();
	void *table = (void *)((uint64_t)page_walk((uint64_t)a, 1) & -PAGE_SIZE);

	memset(a, 0x5a, PAGE_SIZE);
	check_eq(op_mfn(MMUEXT_COPY_PAGE, page_mfn(b), page_mfn(a)), 0, "COPY_PAGE");
	check(memcmp(a, b, PAGE_SIZE) == 0, "copies");
	check_eq(op_mfn(MMUEXT_CLEAR_PAGE, page_mfn(a), 0), 0, "CLEAR_PAGE");
	check(a[0] == 0 && a[4095] == 0, "clears");
	check_refused(op_mfn(MMUEXT_CLEAR_PAGE, page_mfn(table), 0), "CLEAR_PAGE of a page table");
	check_refused(op_mfn(MMUEXT_COPY_PAGE, page_mfn(table), page_mfn(a)),
		      "COPY_PAGE onto a page table");
	check_refused(op_mfn(MMUEXT_CLEAR_PAGE, MFN_NOWHERE, 0), "CLEAR_PAGE of no memory");
	check_refused(op_mfn(MMUEXT_CLEAR_PAGE, ~0UL, 0), "CLEAR_PAGE of frame -1");
	check_refused(op_mfn(MMUEXT_COPY_PAGE, page_mfn(a), MFN_NOWHERE),
		      "COPY_PAGE from no memory");
	check_refused(op_mfn(MMUEXT_COPY_PAGE, MFN_NOWHERE, page_mfn(a)), "COPY_PAGE to no memory");
	for (unsigned int slot = 256; slot < 272; slot++) {
		uint64_t e = ((volatile uint64_t *)page_root())[slot],
			mfn = (e & PTE_FRAME) >> PAGE_SHIFT;

		if ((e & PTE_P) && mfn != page_mfn(page_root())) {
			check_refused(op_mfn(MMUEXT_CLEAR_PAGE, mfn, 0),
				      "CLEAR_PAGE of the hypervisor");
			check_refused(op_mfn(MMUEXT_COPY_PAGE, page_mfn(a), mfn),
				      "COPY_PAGE from the hypervisor");
		}
	}
	check(op_mfn(MMUEXT_FLUSH_CACHE, 0, 0) == 0 || !kernel_is_dom0(), "FLUSH_CACHE");
	op_mfn(MMUEXT_FLUSH_CACHE_GLOBAL, 0, 0);
	check_refused(op_mfn(MMUEXT_MARK_SUPER, page_mfn(a) & ~511UL, 0), "MARK_SUPER");
	check_refused(op_mfn(MMUEXT_UNMARK_SUPER, page_mfn(a) & ~511UL, 0), "UNMARK_SUPER");
	check_eq(op_mfn(11 + 100, 0, 0), -ENOSYS, "an unknown command");
	check_eq(op_mfn(14, 0, 0), -ENOSYS, "command 14, which never was");
	check_eq(op_mfn(~0u, 0, 0), -ENOSYS, "command -1");
}

static void base_pointers(void)
{
	uint64_t *root = page_root(), *l3 = page_table(NULL), *empty = page_table(NULL);
	uint64_t *copy = page_table(root), cr3;

	check_refused(op_mfn(MMUEXT_NEW_BASEPTR, page_mfn(page_alloc()), 0),
		      "a writable page as base");
	check_eq(page_ext(MMUEXT_PIN_L3_TABLE, l3), 0, "pin an L3");
	check_refused(page_ext(MMUEXT_NEW_BASEPTR, l3), "an L3 as base");
	check_refused(page_ext(MMUEXT_NEW_USER_BASEPTR, l3), "an L3 as user base");
	check_refused(op_mfn(MMUEXT_NEW_BASEPTR, MFN_NOWHERE, 0), "no memory as base");
	check_refused(op_mfn(MMUEXT_NEW_BASEPTR, ~0UL, 0), "frame -1 as base");
	check_eq(page_ext(MMUEXT_NEW_USER_BASEPTR, empty), 0, "an empty user base");
	check_eq(op_mfn(MMUEXT_NEW_USER_BASEPTR, 0, 0), 0, "none again");
	check_eq(page_protect(empty, true), 0, "the empty one is free");
	check_eq(page_ext(MMUEXT_NEW_BASEPTR, copy), 0, "run on an L4 that is not pinned");
	page_set_root(copy);
	check(page_protect(copy, true) < 0, "in use it can't be written");
	asm volatile("mov %%cr3, %0" : "=r"(cr3));
	check_eq((int64_t)(cr3 & PTE_FRAME) >> PAGE_SHIFT, (int64_t)page_mfn(copy),
		 "CR3 reads as its frame");
	check_eq(page_ext(MMUEXT_UNPIN_TABLE, root), 0, "unpin the boot L4");
	check_eq(page_ext(MMUEXT_PIN_L4_TABLE, root), 0, "pin it again");
	TRY("mov %0, %%cr3", : : "r"(page_mfn(root) << PAGE_SHIFT) : "memory");
	check(trap_last.vector == TRAP_NONE || trap_last.vector == TRAP_GP,
	      "mov to CR3 works, or faults: %d",
	      (int)trap_last.vector);
	check_eq(page_ext(MMUEXT_NEW_BASEPTR, root), 0, "back on the boot L4");
	page_set_root(root);
	check_eq(page_protect(copy, true), 0, "the copy is free");
	TRY("mov %0, %%cr3", : : "r"(MFN_NOWHERE << PAGE_SHIFT) : "memory");
	check_trap(TRAP_GP, 0, "mov of nonsense to CR3");
}

static void batches(void)
{
	uint64_t *t = page_table(NULL);
	struct mmuext_op ops[4] = {
		{ .cmd = MMUEXT_PIN_L1_TABLE, .arg1.mfn = page_mfn(t) },
		{ .cmd = MMUEXT_TLB_FLUSH_LOCAL },
		{ .cmd = MMUEXT_UNPIN_TABLE, .arg1.mfn = MFN_NOWHERE },
		{ .cmd = MMUEXT_UNPIN_TABLE, .arg1.mfn = page_mfn(t) },
	};
	unsigned int done = 77;

	check_refused(hyp_mmuext_op(ops, 4, &done, DOMID_SELF), "four with a bad one");
	check_eq(done, 2, "it says how far it came");
	check_eq(hyp_mmuext_op(ops + 3, 1, &done, DOMID_SELF), 0, "the rest");
	check_eq(done, 1, "is one");
	check_eq(hyp_mmuext_op(ops, 0, &done, DOMID_SELF), 0, "none");
	check_refused(hyp_mmuext_op(ops, 1, &done, 4711), "for a domain that isn't there");
	check_eq(page_protect(t, true), 0, "the table is free");
}

void test_main(void)
{
	flushes();
	mapping_flags();
	page_operations();
	base_pointers();
	batches();
}
