/* SPDX-License-Identifier: MIT */
/*
 * Two vCPUs against each other. While one turns frames into tables and back, the other writes
 * through mappings that its TLB may still know, and changes the same entries: no write may reach a
 * frame while it is a table, and the counts must add up in the end.
 */
#include "abi/sched.h"
#include "clock.h"
#include "hypercall.h"
#include "kernel.h"
#include "mem.h"
#include "page.h"
#include "print.h"
#include "test.h"
#include "trap.h"
#include "vcpu.h"

#define SECOND		1000000000UL
#define TEST_VA		0x10000000000UL
#define MARK		0x5a5a000UL		/* no entry: its present bit is clear */

static volatile enum { STOP, WRITE, CHANGE } job;
static volatile unsigned long writes, changes;
static uint64_t *l1;
static char *page;

/*
 * Write through the second mapping whenever it is there. Its own faults are skipped by the code
 * below.
 */
static void keep_writing(void)
{
	volatile uint64_t *at = (volatile uint64_t *)TEST_VA;

	asm volatile("1: mov %1, (%0)\n"
		     "incq %2\n"
		     "2:\n"
		     ".pushsection .fixups, \"a\"\n.quad 1b, 2b\n.popsection"
		     : : "r"(at + 8), "r"(MARK), "m"(writes) : "memory");
}

static void keep_changing(void)
{
	static unsigned int i;
	struct mmu_update req = { page_maddr(l1), page_entry(page, i++ & 1 ? PTE_RW : PTE_RO) };

	changes += hyp_mmu_update(&req, 1, NULL, DOMID_SELF) == 0;
	req.val = 0;
	hyp_mmu_update(&req, 1, NULL, DOMID_SELF);
}

static void __attribute__((noreturn)) second(void)
{
	for (;;) {
		if (job == WRITE)
			keep_writing();
		else if (job == CHANGE)
			keep_changing();
		else
			hyp_sched_op(SCHEDOP_yield, NULL);
	}
}

/*
 * One turn: give the other a mapping, take it back without a flush, make the frame a table, look at
 * it.
 */
static bool turn(unsigned int pin)
{
	unsigned long before;
	long pinned, unpinned;
	bool clean;

	memset(page, 0, PAGE_SIZE);
		/* an L4 keeps what the hypervisor put into its slots */
	page_set(TEST_VA, page_entry(page, PTE_RW));
	before = writes;
	for (unsigned int i = 0; i < 1000000 && writes == before; i++)
		asm volatile("pause");
	page_protect(page, false);
	page_write(l1, 0);
	pinned = page_ext(pin, page);
	if (pinned) {
		print("      pin as L%u: %ld\n", pin + 1, pinned);
		return false;
	}
	clean = ((volatile uint64_t *)page)[8] == MARK || ((volatile uint64_t *)page)[8] == 0;
	page_write((uint64_t *)page + 8, 0);
	for (unsigned int i = 0; i < 2000; i++)
		asm volatile("pause");
	clean &= ((volatile uint64_t *)page)[8] == 0;
	unpinned = page_ext(MMUEXT_UNPIN_TABLE, page);
	if (!clean || unpinned)
		print("      an L%u: clean %d, unpin %ld\n", pin + 1, clean, unpinned);
	return page_protect(page, true) == 0 && !unpinned && clean;
}

static void stale_writers(void)
{
	unsigned int dirty = 0, turns = 0;
	uint64_t end = clock_now() + 3 * SECOND;

	job = WRITE;
	for (; clock_now() < end; turns++)
		dirty += !turn(MMUEXT_PIN_L1_TABLE + turns % 4);
	job = STOP;
	check_eq(dirty, 0, "%u turns, %lu writes: no table was written", turns, writes);
	check(writes > 0 && turns > 10, "and the other was busy");
}

/* Both change the mapping of one frame while it becomes a table: it must be one or the other. */
static void rivals(void)
{
	unsigned int both = 0, pinned = 0, turns = 0;
	uint64_t end = clock_now() + 3 * SECOND;

	memset(page, 0, PAGE_SIZE);
	page_protect(page, false);
	job = CHANGE;
	for (; clock_now() < end; turns++) {
		if (page_ext(MMUEXT_PIN_L1_TABLE + turns % 4, page))
			continue;
		pinned++;
		for (unsigned int i = 0; i < 20; i++) {
			uint64_t entry = *(volatile uint64_t *)l1;

			both += (entry & PTE_P) && (entry & PTE_W) &&
				(entry & PTE_FRAME) >> PAGE_SHIFT == page_mfn(page);
		}
		page_ext(MMUEXT_UNPIN_TABLE, page);
	}
	job = STOP;
	clock_spin(SECOND / 20);
	page_set(TEST_VA, 0);
	check_eq(both, 0, "%u turns, %u times a table, %lu changes: never writable too", turns,
		 pinned, changes);
	check_eq(page_protect(page, true), 0, "it is an ordinary page in the end");
}

void test_main(void)
{
	page = page_alloc();
	page_map(TEST_VA, 0);
	l1 = page_walk(TEST_VA, 1);
	if (!vcpu_start(second))
		skip("there is no second vCPU");
	stale_writers();
	rivals();
}
