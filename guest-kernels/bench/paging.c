/* SPDX-License-Identifier: MIT */
/* The rows about page tables. */
#include "bench.h"
#include "hypercall.h"
#include "kernel.h"
#include "mem.h"
#include "page.h"
#include "user.h"

#define BATCH_MAX	32

char *frame_a, *frame_b;

static uint64_t *test_l1;
static void *process_l4, *other_l4;

void update_va_mapping(unsigned int n)
{
	uint64_t a = page_entry(frame_a, PTE_RW), b = page_entry(frame_b, PTE_RW);

	while (n--) {
		done(hyp_update_va_mapping(TEST_VA, n & 1 ? a : b, UVMF_INVLPG));
		*(volatile char *)TEST_VA;
	}
}

/* Writable, read-only: no reference changes hands. */
void update_va_protection(unsigned int n)
{
	uint64_t entry = page_entry(frame_a, PTE_RO);

	done(hyp_update_va_mapping(TEST_VA, entry, UVMF_INVLPG));
	while (n--)
		done(hyp_update_va_mapping(TEST_VA, n & 1 ? entry | PTE_D : entry, UVMF_INVLPG));
}

static void mmu_updates(unsigned int n, unsigned int batch)
{
	static struct mmu_update on[BATCH_MAX], off[BATCH_MAX];

	for (unsigned int i = 0; i < batch; i++) {
		on[i].ptr = off[i].ptr = page_maddr(&test_l1[i]);
		on[i].val = page_entry(frame_a, PTE_RW);
	}
	while (n--)
		done(hyp_mmu_update(n & 1 ? on : off, batch, NULL, DOMID_SELF));
}

void mmu_update_1(unsigned int n)
{
	mmu_updates(n, 1);
}

void mmu_update_8(unsigned int n)
{
	mmu_updates(n, 8);
}

void mmu_update_32(unsigned int n)
{
	mmu_updates(n, 32);
}

/* Writes to a table that is mapped, as Linux' set_pte, ptep_get_and_clear and set_wrprotect. */
void pte_write(unsigned int n)
{
	uint64_t a = page_entry(frame_a, PTE_RW), b = page_entry(frame_b, PTE_RW);

	while (n--)
		*(volatile uint64_t *)test_l1 = n & 1 ? a : b;
}

void pte_exchange(unsigned int n)
{
	uint64_t entry = page_entry(frame_a, PTE_RW);

	while (n--) {
		asm volatile("xchg %0, %1" : "+r"(entry), "+m"(*test_l1) : : "memory");
	}
	test_l1[0] = 0;
}

void pte_protect(unsigned int n)
{
	test_l1[0] = page_entry(frame_a, PTE_RW);
	while (n--) {
		asm volatile("lock btrq $1, %0" : "+m"(*test_l1) : : "memory");
		asm volatile("lock btsq $1, %0" : "+m"(*test_l1) : : "memory");
	}
}

/*
 * An L4 of something like a small process: code, heap, and stack, 24 L1 tables of 64 entries, 4 L2
 * and 3 L3.
 */
static void *process_tree(void)
{
	static const uint64_t areas[] = { 0x400000, 0x555555000000, 0x7ffff7000000,
					  0x7fffffe00000 };
	uint64_t *l4 = page_table(NULL);

	for (unsigned int area = 0; area < 4; area++)
		for (unsigned int table = 0; table < 6; table++) {
			uint64_t va = areas[area] - (area > 1 ? table : 0) * 0x200000 +
				      (area > 1 ? 0 : table) * 0x200000;

			page_map_in(l4, va, page_entry(frame_a, PTE_RO));
			for (unsigned int i = 1; i < 64; i++)
				page_map_in(l4, va + i * PAGE_SIZE,
					    page_entry(i & 1 ? frame_a : frame_b, PTE_RO));
		}
	return l4;
}

void pin_unpin(unsigned int n)
{
	done(page_ext(MMUEXT_UNPIN_TABLE, process_l4));
	while (n--) {
		done(page_ext(MMUEXT_PIN_L4_TABLE, process_l4));
		done(page_ext(MMUEXT_UNPIN_TABLE, process_l4));
	}
	done(page_ext(MMUEXT_PIN_L4_TABLE, process_l4));
}

void tlb_flush(unsigned int n)
{
	while (n--)
		done(page_ext(MMUEXT_TLB_FLUSH_LOCAL, frame_a));
}

void invlpg(unsigned int n)
{
	struct mmuext_op op = { .cmd = MMUEXT_INVLPG_LOCAL, .arg1.linear_addr = TEST_VA };

	while (n--)
		done(hyp_mmuext_op(&op, 1, NULL, DOMID_SELF));
}

/* What Linux asks when it goes from one process to another: stack, FS base, both tables. */
void process_switch(unsigned int n)
{
	struct mmuext_op ops[2] = { { .cmd = MMUEXT_NEW_BASEPTR },
				    { .cmd = MMUEXT_NEW_USER_BASEPTR } };
	struct multicall_entry calls[2] = {
		{ .op = __HYPERVISOR_stack_switch, .args = { FLAT_KERNEL_SS } },
		{ .op = __HYPERVISOR_mmuext_op,
		  .args = { (unsigned long)ops, 2, 0, DOMID_SELF } },
	};
	static char stack[64];
	void *old = page_root();

	calls[0].args[1] = (unsigned long)(stack + sizeof(stack));
	for (n |= 1; n--;) {
		ops[0].arg1.mfn = page_mfn(n & 1 ? other_l4 : old);
		ops[1].arg1.mfn = page_mfn(n & 1 ? process_l4 : user_l4);
		done(hyp_multicall(calls, 2));
		done(hypercall(__HYPERVISOR_set_segment_base, SEGBASE_FS, n * 64UL, 0, 0, 0));
		done((long)calls[1].result);
	}
}

void set_up_paging(void)
{
	done(hyp_vm_assist(VMASST_CMD_enable, VMASST_TYPE_writable_pagetables));
	frame_a = page_alloc();
	frame_b = page_alloc();
	page_map(TEST_VA, 0);
	test_l1 = page_walk(TEST_VA, 1);
	process_l4 = process_tree();
	done(page_ext(MMUEXT_PIN_L4_TABLE, process_l4));
	other_l4 = page_table(page_root());
	done(page_ext(MMUEXT_PIN_L4_TABLE, other_l4));
}
