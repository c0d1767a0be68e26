/* SPDX-License-Identifier: MIT */
/*
 * A guest's own writes to its page tables: trapped, checked, and done or answered by the page
 * fault. And what stale TLB entries must not allow: to write a frame that has become a table.
 */
#include "hypercall.h"
#include "kernel.h"
#include "page.h"
#include "test.h"
#include "trap.h"

#define TEST_VA		0x10000000000UL

static uint64_t *l1;
static char *a, *b;

static uint64_t now(uint64_t *entry)
{
	return *(volatile uint64_t *)entry;
}

static void plain_writes(void)
{
	uint64_t value = page_entry(b, PTE_RW), old;

	check(try_write((uint64_t)l1, value), "write an entry");
	check((now(l1) & PTE_FRAME) == (value & PTE_FRAME), "it is there");
	page_flush();
	check(*(volatile uint64_t *)TEST_VA == 0xbbbb, "and maps");
	check(try_write((uint64_t)l1, 0) && now(l1) == 0, "clear it");
	check(try_write((uint64_t)l1, 0xfffffffffffffffe) && now(l1) == 0xfffffffffffffffe,
	      "not present, all ones");
	check(try_write((uint64_t)l1, page_entry(a, PTE_RO)), "write it again");
	old = now(l1);
	TRY("xchg %0, (%1)", : "+r"(value) : "r"(l1) : "memory");
	check(trap_last.vector != TRAP_NONE || (value == old && (now(l1) & PTE_W)), "xchg");
	old = now(l1);
	value = 0;
	TRY("lock cmpxchg %2, (%1)", : "+a"(old) : "r"(l1), "r"(value) : "memory", "cc");
	check(trap_last.vector != TRAP_NONE || now(l1) == 0, "lock cmpxchg");
	page_write(l1, page_entry(a, PTE_RW));
	old = 0x1234;
	TRY("lock cmpxchg %2, (%1)", : "+a"(old) : "r"(l1), "r"(value) : "memory", "cc");
	check(trap_last.vector != TRAP_NONE || (old == now(l1) && now(l1)),
	      "lock cmpxchg that does not match");
	TRY("lock btrq $1, (%0)", : : "r"(l1) : "memory", "cc");
	check(trap_last.vector != TRAP_NONE || !(now(l1) & PTE_W), "lock btr of the write bit");
	page_write(l1, page_entry(a, PTE_RW));
	TRY("lock andq %1, (%0)", : : "r"(l1), "r"(~PTE_W) : "memory", "cc");
	check(trap_last.vector != TRAP_NONE || !(now(l1) & PTE_W), "lock and");
	page_write(l1, page_entry(a, PTE_RW));
	TRY("movl $0, (%0)", : : "r"(l1) : "memory");
	check(trap_last.vector != TRAP_NONE || !(now(l1) & PTE_P), "a write of 4 bytes");
	page_write(l1, 0);
	TRY("movb $0x10, 1(%0)", : : "r"(l1) : "memory");
	TRY("movw $0x10, 2(%0)", : : "r"(l1) : "memory");
	page_write(l1, 0);
	TRY("movq %1, 4(%0)", : : "r"(l1), "r"(page_entry(a, PTE_RW)) : "memory");
	check(!(now(l1) & PTE_P) || trap_last.vector != TRAP_NONE,
	      "odd sizes and places do no harm");
	page_write(l1, 0);
	page_write(l1 + 1, 0);
}

static void refused(uint64_t value, const char *name)
{
	uint64_t before = now(l1);
	bool done = try_write((uint64_t)l1, value);

	check(!done && trap_last.vector == TRAP_PF && now(l1) == before, "refused: %s (%d)", name,
	      (int)trap_last.vector);
	check_eq((int64_t)trap_last.cr2, (int64_t)l1, "CR2 is the entry");
}

static void bad_writes(void)
{
	uint64_t *l2 = page_walk(TEST_VA, 2), *l4 = page_walk(TEST_VA, 4), before;

	page_write(l1, page_entry(a, PTE_RW));
	refused(page_entry((void *)((uint64_t)l1 & -PAGE_SIZE), PTE_RW), "the L1 itself, writable");
	refused(page_entry((void *)((uint64_t)l2 & -PAGE_SIZE), PTE_RW), "its L2, writable");
	refused(page_entry(page_root(), PTE_RW), "the L4, writable");
	refused(1UL << 51 | PTE_RW, "a frame beyond memory");
	before = now(l2 + 1);
	try_write((uint64_t)(l2 + 1), page_entry(a, PTE_TABLE));
	check(trap_last.vector == TRAP_PF && now(l2 + 1) == before,
	      "refused: a writable page in an L2");
	before = now(l4 + 1);
	try_write((uint64_t)(l4 + 1), page_entry(a, PTE_TABLE));
	check(trap_last.vector == TRAP_PF && now(l4 + 1) == before,
	      "refused: a writable page in the L4");
	try_write((uint64_t)((uint64_t *)page_root() + 256), 0);
	check(trap_last.vector == TRAP_PF, "refused: the hypervisor's slot of the L4");
}

static void string_writes(void)
{
	uint64_t *to = l1 + 8;

	TRY("rep stosq", : : "D"(to), "c"(8UL), "a"(0UL) : "memory");
	check(trap_last.vector == TRAP_NONE || trap_last.vector == TRAP_PF,
	      "rep stosq over entries: %d",
	      (int)trap_last.vector);
	asm volatile("std");
	TRY("rep stosb", : : "D"(to), "c"(8UL), "a"(0UL) : "memory");
	asm volatile("cld");
	check(trap_last.vector == TRAP_NONE || trap_last.vector == TRAP_PF,
	      "rep stosb backwards: %d",
	      (int)trap_last.vector);
}


static void assist(void)
{
	check_eq(hyp_vm_assist(VMASST_CMD_enable, VMASST_TYPE_writable_pagetables), 0,
		 "vm_assist writable_pagetables");
	check(hyp_vm_assist(VMASST_CMD_enable, 63) < 0, "refused: an unknown assist");
	check(hyp_vm_assist(2, 0) < 0, "refused: an unknown command");
	check(hyp_vm_assist(VMASST_CMD_enable, ~0u) < 0, "refused: assist -1");
}

/*
 * a is mapped writable a second time and the TLB knows it. Without a flush that mapping is taken
 * away and a becomes a table: a write by the stale entry must fault.
 */
static void stale_writable(unsigned int pin)
{
	volatile uint64_t *second = (volatile uint64_t *)TEST_VA;

	page_set(TEST_VA, page_entry(a, PTE_RW));
	*second = 0;
	page_protect(a, false);
	check_eq(page_write(l1, 0), 0, "take the second mapping away, without a flush");
	check_eq(page_ext(pin, a), 0, "pin the frame as L%u", pin + 1);
	check(!try_write(TEST_VA, page_entry(a, PTE_RW)), "a stale TLB entry does not write it");
	check_eq((int64_t)now((uint64_t *)a), 0, "the table is clean");
	check_eq(page_ext(MMUEXT_UNPIN_TABLE, a), 0, "unpin it");
	check_eq(page_protect(a, true), 0, "it is writable again");
}

/*
 * A table that was unlinked without a flush is given back and written: the walker must not use it.
 */
static void stale_table(void)
{
	uint64_t *table = page_table(NULL), *l2 = page_walk(TEST_VA, 2) + 1, value;
	uint64_t va = TEST_VA + 0x200000;

	*(uint64_t *)b = 0xbbbb;
	page_write(&table[0], page_entry(b, PTE_RO));
	check_eq(page_write(l2, page_entry(table, PTE_TABLE)), 0, "link a table");
	check(try_read(va, &value) && value == 0xbbbb, "it maps");
	check_eq(page_write(l2, 0), 0, "unlink it, without a flush");
	check_eq(page_protect(table, true), 0, "make it writable");
	table[1] = 0x1000 | PTE_RW;
	check(!try_read(va + 4096, &value), "its new entry maps nothing");
	page_free(table);
}

void test_main(void)
{
	a = page_alloc();
	b = page_alloc();
	*(uint64_t *)a = 0xaaaa;
	*(uint64_t *)b = 0xbbbb;
	page_map(TEST_VA, page_entry(a, PTE_RW));
	l1 = page_walk(TEST_VA, 1);
	plain_writes();
	bad_writes();
	string_writes();
	assist();
	*(uint64_t *)a = 0;
	for (unsigned int pin = MMUEXT_PIN_L1_TABLE; pin <= MMUEXT_PIN_L4_TABLE; pin++)
		stale_writable(pin);
	stale_table();
}
