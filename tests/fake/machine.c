/* SPDX-License-Identifier: MIT */
/* The host's implementation of x86/machine.h: CPUs, memory, budget. The TLB is in tlb.c. */
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "abi/errno.h"
#include "fake/machine.h"
#include "fake/tlb.h"
#include "lib/assert.h"
#include "mm/mm.h"
#include "x86/machine.h"

#define RAM_BASE	((char *)0x230000000000)
#define MIB		(1ull << 20)
#define RAM_END		((FAKE_RAM_MIB + 8) * MIB)

static int ram = -1;
static _Thread_local unsigned current, asked;
static unsigned budget = ~0u, copies = ~0u;
static void *current_vcpu[FAKE_CPUS];
static uint64_t now;

bool fake_threads;
void *(*machine_table_alloc)(void);

void fake_run_on(unsigned cpu)
{
	current = cpu;
}

unsigned machine_cpu(void)
{
	return current;
}

void *machine_current(void)
{
	return current_vcpu[current];
}

void machine_set_current(void *vcpu)
{
	current_vcpu[current] = vcpu;
}

/* A test with one thread that waits would wait for ever. */
void machine_relax(void)
{
	if (!fake_threads)
		panic("waiting for another CPU");
	sched_yield();
}

void machine_kick(unsigned cpu)
{
	ASSERT(cpu < FAKE_CPUS);
}

void fake_budget(unsigned questions)
{
	budget = questions;
	asked = 0;
}

void machine_budget_start(void)
{
	asked = 0;
}

bool machine_budget_spent(void)
{
	return budget != ~0u && asked++ >= budget;
}

void *machine_va(mfn_t mfn)
{
	ASSERT(mfn.n < RAM_END >> PAGE_SHIFT);
	return RAM_BASE + (mfn.n << PAGE_SHIFT);
}

mfn_t machine_mfn(const void *va)
{
	uint64_t offset = (uint64_t)((const char *)va - RAM_BASE);

	ASSERT(offset < RAM_END);
	return MFN(offset >> PAGE_SHIFT);
}

int machine_map(vaddr_t va, mfn_t mfn, uint64_t frames, unsigned flags)
{
	int protection = PROT_READ | (flags & MAP_WRITE ? PROT_WRITE : 0);
	void *p = mmap((void *)va.a, frames << PAGE_SHIFT, protection, MAP_SHARED |
		       MAP_FIXED_NOREPLACE, ram,
		       (off_t)(mfn.n << PAGE_SHIFT));

	return p == MAP_FAILED ? -ENOMEM : 0;
}

unsigned machine_paddr_bits(void)
{
	return 40;
}

bool machine_has_nx(void)
{
	return true;
}

/* Recognisable, and not present for fake_access(). */
void machine_l4_install(uint64_t *l4)
{
	for (unsigned i = 256; i <= 271; i++)
		l4[i] = 0xe000ull << PAGE_SHIFT | i << 1;
}

void fake_copy_fails_after(unsigned n)
{
	copies = n;
}

static bool copy_fails(void)
{
	return copies != ~0u && (!copies || !copies--);
}

/* Guest pointers are the test's own; the kernel copies, so bad ones fail as they do on iron. */
size_t machine_copy_from_guest(void *to, vaddr_t from, size_t n)
{
	struct iovec ours = { to, n }, guests = { (void *)from.a, n };

	return !copy_fails() && process_vm_readv(getpid(), &ours, 1, &guests, 1,
						 0) == (ssize_t)n ? 0 : n;
}

size_t machine_copy_to_guest(vaddr_t to, const void *from, size_t n)
{
	struct iovec ours = { (void *)from, n }, guests = { (void *)to.a, n };

	return !copy_fails() && process_vm_writev(getpid(), &ours, 1, &guests, 1,
						  0) == (ssize_t)n ? 0 : n;
}

uint64_t machine_now(void)
{
	return now += 100;
}

void fake_machine_start(void)
{
	static const struct mm_range all[] = {
		{ 0, 640 * 1024 }, { MIB, FAKE_RAM_MIB * MIB }, { (FAKE_RAM_MIB + 4) * MIB,
								 RAM_END },
	};

	if (ram >= 0)
		return;
	ram = memfd_create("ram", 0);
	if (ram < 0 || ftruncate(ram, (off_t)RAM_END))
		abort();
	if (mmap(RAM_BASE, RAM_END, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED_NOREPLACE, ram,
		 0) != RAM_BASE)
		abort();
	memset(RAM_BASE, 0xa5, RAM_END);
	fake_tlb_start();
	mm_init(all, 3, all + 1, 2);
}
