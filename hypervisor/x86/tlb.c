/* SPDX-License-Identifier: MIT */
/*
 * TLB flushes. Hypervisor entries are global and never change while in use; everything else is
 * flushed by loading CR3.
 *
 * The clock: odd, some CPU has begun a full flush at this value; even, none has. A stamp is
 * always even: taking one moves an odd clock on. So a flush whose clock (cpu_info.tlb_flushed)
 * is at or above a stamp began after it. The clock moves only when flushes happen; each time it
 * passes a quarter of its range all CPUs flush, so that no CPU's value is ever more than half
 * the range old and comparing by difference is right.
 *
 * A request for another CPU is one word in its cpu_info (see there) and an interrupt; whoever
 * waits serves his own requests meanwhile, so that two who wait for each other both go on. No
 * locks.
 */
#include "lib/assert.h"
#include "x86/apic.h"
#include "x86/cpu.h"
#include "x86/insn.h"
#include "x86/machine.h"

static uint32_t clock;

/* The clock for a full flush that starts now. */
static inline uint32_t begin_flush(void)
{
	uint32_t now = __atomic_load_n(&clock, __ATOMIC_SEQ_CST);

	while (!(now & 1) && !__atomic_compare_exchange_n(&clock, &now, now | 1, false,
							  __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
	return now | 1;
}

static inline void load(struct cpu_info *me, uint64_t cr3)
{
	uint32_t now = begin_flush();

	write_cr3(cr3);
	me->cr3 = cr3;
	__atomic_store_n(&me->tlb_flushed, now, __ATOMIC_RELEASE);
}

inline void machine_tables_load(mfn_t l4, bool flush)
{
	struct cpu_info *me = this_cpu();
	uint64_t cr3 = l4.n << PAGE_SHIFT;

	if (cr3 != me->cr3 || flush)
		load(me, cr3);
}

void tlb_serve(void)
{
	struct cpu_info *me = this_cpu();
	uint64_t request = __atomic_load_n(&me->tlb_request, __ATOMIC_ACQUIRE);

	while (request != TLB_NOTHING) {
		if (request == TLB_ALL)
			load(me, me->cr3);
		else
			invlpg(request & PAGE_MASK);
		if (!__atomic_compare_exchange_n(&me->tlb_request, &request, TLB_NOTHING, false,
						 __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			continue;
		__atomic_fetch_add(&me->tlb_served, 1, __ATOMIC_SEQ_CST);
		return;
	}
}

void machine_relax(void)
{
	tlb_serve();
	cpu_pause();
}

/*
 * Leave a request with a CPU, joined with what waits there already; true if it must be
 * interrupted to see it.
 */
static bool post(struct cpu_info *other, uint64_t request)
{
	uint64_t old = TLB_NOTHING;

	while (!__atomic_compare_exchange_n(&other->tlb_request, &old,
					    old == TLB_NOTHING ? request : TLB_ALL, false,
					    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
	return old == TLB_NOTHING;
}

/* Do the same on all CPUs of the set, and wait until they have. */
static void flush(const struct cpumask *cpus, uint64_t request)
{
	uint32_t served[CPU_MAX];
	unsigned self = machine_cpu();

	cpumask_for_each(cpu, cpus) {
		struct cpu_info *other = cpu_info_of(cpu);

		if (cpu == self || !cpumask_test(&cpus_online, cpu))
			continue;
		served[cpu] = __atomic_load_n(&other->tlb_served, __ATOMIC_SEQ_CST);
		if (post(other, request))
			apic_send(cpu, VECTOR_TLB);
	}
	if (cpumask_test(cpus, self)) {
		if (request == TLB_ALL)
			load(this_cpu(), this_cpu()->cr3);
		else
			invlpg(request & PAGE_MASK);
	}
	/*
	 * Ours is done when nothing waits, or when two were served since: one may have been
	 * taken before we came.
	 */
	cpumask_for_each(cpu, cpus) {
		struct cpu_info *other = cpu_info_of(cpu);

		if (cpu == self || !cpumask_test(&cpus_online, cpu))
			continue;
		while (__atomic_load_n(&other->tlb_request, __ATOMIC_SEQ_CST) != TLB_NOTHING &&
		       __atomic_load_n(&other->tlb_served, __ATOMIC_SEQ_CST) - served[cpu] < 2)
			machine_relax();
	}
}

void machine_tlb_flush(const struct cpumask *cpus)
{
	if (cpus)
		flush(cpus, TLB_ALL);
	else
		load(this_cpu(), this_cpu()->cr3);
}

void machine_tlb_flush_va(const struct cpumask *cpus, vaddr_t va)
{
	if ((uint64_t)((int64_t)(va.a << 16) >> 16) != va.a)
		return;
	if (cpus)
		flush(cpus, (va.a & PAGE_MASK) | TLB_PAGE);
	else
		invlpg(va.a);
}

/* Some CPU has begun a flush at `now`, as the clock is odd: move it on. */
static __attribute__((noinline)) uint32_t stamp_after(uint32_t now)
{
	while (now & 1) {
		if (!__atomic_compare_exchange_n(&clock, &now, now + 1, false, __ATOMIC_SEQ_CST,
						 __ATOMIC_SEQ_CST))
			continue;
		now++;
		if (!(now << 2))
			machine_tlb_flush(&cpus_online);
	}
	return now;
}

inline uint32_t machine_tlb_stamp(void)
{
	uint32_t now = __atomic_load_n(&clock, __ATOMIC_SEQ_CST);

	return now & 1 ? stamp_after(now) : now;
}

void machine_tlb_filter(struct cpumask *cpus, uint32_t stamp)
{
	cpumask_for_each(cpu, cpus) {
		uint32_t flushed =
			__atomic_load_n(&cpu_info_of(cpu)->tlb_flushed, __ATOMIC_ACQUIRE);

		if ((int32_t)(flushed - stamp) >= 0)
			cpumask_clear(cpus, cpu);
	}
}
