/* SPDX-License-Identifier: MIT */
/*
 * A machine in a process: x86/machine.h for tests. RAM is a memory file; CPUs are numbers, one of
 * which runs at a time; each has a modelled TLB with paging-structure caches that never forgets by
 * itself (the most that a CPU may do, Intel SDM 3A 4.10).
 */
#ifndef FAKE_MACHINE_H
#define FAKE_MACHINE_H

#include "lib/types.h"

#define FAKE_CPUS	4

/*
 * The machine's RAM: from 0 to 640 KiB, and from 1 MiB to here; above that 4 MiB of nothing and 4
 * MiB of RAM.
 */
#define FAKE_RAM_MIB	6
/* A frame that is no RAM. */
#define FAKE_DEVICE_MFN	0xfee00ull

/* Once per process: the memory, then mm_init() with all of it free but the first MiB. */
void fake_machine_start(void);

/* The CPU that the code under test runs on; each thread has its own. */
void fake_run_on(unsigned cpu);
/* Set by tests with several threads: waiting for another one makes sense. */
extern bool fake_threads;
/*
 * machine_budget_spent() says yes after this many more questions, until the next
 * machine_budget_start(); ~0: never.
 */
void fake_budget(unsigned questions);
/* Every copy from and to guests fails from the n-th on (0: from now on; ~0: never). */
void fake_copy_fails_after(unsigned n);

/* -- ring 3 -- */

/*
 * A guest's 8-byte access on `cpu` as the CPU does it: through the TLB if it is there, else through
 * the tables, remembering everything. False: page fault. A write stores *value, a read loads it.
 */
bool fake_access(unsigned cpu, vaddr_t va, bool write, uint64_t *value);
/* What any CPU remembers that would let a guest do harm now: prints and counts. */
unsigned fake_tlb_check(void);
/* The table that a CPU runs on. */
mfn_t fake_cr3(unsigned cpu);
/* Number of flushes (full or of one address) that reached `cpu`. */
unsigned fake_flushes(unsigned cpu);

#endif
