/* SPDX-License-Identifier: MIT */
/*
 * What entry.S calls: who is it for? Exceptions of a guest go to trap/, system calls to
 * hypercall/ or trap/, device interrupts to irq/; an exception of ours is either expected
 * (extable) or the end. And the way back to the guest, which is also the idle loop: see
 * exit_to_guest().
 */
#include "console/log.h"
#include "domain/domain.h"
#include "hypercall/hypercall.h"
#include "irq/irq.h"
#include "lib/assert.h"
#include "trap/trap.h"
#include "x86/apic.h"
#include "x86/cpu.h"
#include "x86/entry.h"
#include "x86/extable.h"
#include "x86/insn.h"
#include "x86/machine.h"
#include "x86/panic.h"

enum { TRAP_DB = 1, TRAP_NMI = 2, TRAP_DF = 8, TRAP_PF = 14, TRAP_MC = 18 };

static void interrupt(unsigned vector)
{
	switch (vector) {
	case VECTOR_TIMER:
		apic_eoi();
		__atomic_fetch_or(&this_cpu()->work, WORK_TIMER, __ATOMIC_RELAXED);
		break;
	case VECTOR_KICK:		/* who sent it has set our work word */
		apic_eoi();
		break;
	case VECTOR_TLB:
		apic_eoi();
		tlb_serve();
		break;
	case VECTOR_SPURIOUS:
		break;
	default:
		if (vector >= VECTOR_DEVICE_FIRST && vector <= VECTOR_DEVICE_LAST)
			irq_handle(vector);
		else
			apic_eoi();
	}
}

void trap_from_hypervisor(struct cpu_regs *regs)
{
	switch (regs->vector) {
	case TRAP_NMI:
		panic_stop_if_asked();
		log_warning("NMI on CPU %u", machine_cpu());
		return;
	case TRAP_DB: /* a guest's TF or MOV SS at one of our first instructions: it is too late */
		regs->rflags &= ~(uint64_t)RFLAGS_TF;
		return;
	case TRAP_DF:
	case TRAP_MC:
		break;
	default:
		if (regs->vector >= VECTOR_DEVICE_FIRST) {
			interrupt(regs->vector);
			return;
		}
		if (extable_fixup(regs))
			return;
	}
	panic_by_trap(regs, regs->vector == TRAP_PF ? read_cr2() : 0);
}

static void do_work(struct cpu_info *me)
{
	uint32_t work = __atomic_exchange_n(&me->work, 0, __ATOMIC_SEQ_CST);

	if (work & WORK_TIMER)
		timer_run();
}

static void schedule(struct vcpu *prev)
{
	struct vcpu *next = container_of(sched_next(&prev->sched), struct vcpu, sched);

	if (next != prev)
		vcpu_switch(prev, next);
}

/* An event or an NMI that the guest is to be called for. */
static bool upcall_due(const struct vcpu *v)
{
	return unlikely(event_upcall_due(&v->event)) || unlikely(v->nmi_pending);
}

/*
 * Until nothing is left to do: timers, the scheduler's choice, the upcall that waits. A CPU
 * whose choice is to idle waits here for the interrupt that brings the next thing to do.
 */
void exit_to_guest(struct cpu_regs *regs)
{
	struct cpu_info *me = this_cpu();

	for (;;) {
		struct vcpu *v = me->current;

		if (__atomic_load_n(&me->work, __ATOMIC_RELAXED)) {
			do_work(me);
		} else if (sched_due()) {
			schedule(v);
		} else if (unlikely(v->sched.idle)) {
			/*
			 * An interrupt between the two is taken after hlt has begun: no wake-up
			 * is lost.
			 */
			if (mm_scrub())
				asm volatile("sti; nop; cli" : : : "memory");
			else
				asm volatile("sti; hlt; cli" : : : "memory");
		} else if (upcall_due(v)) {
			trap_deliver_pending(v, regs);
			if (!me->work && !sched_due())
				return;
		} else {
			return;
		}
	}
}

/*
 * The same after an entry from a guest, when mostly there is nothing to do: then that takes two
 * looks. Whatever else is to be done here, its cause has set our work word (machine_kick()).
 */
static inline void exit_quickly(struct cpu_info *me, struct cpu_regs *regs)
{
	if (unlikely(__atomic_load_n(&me->work, __ATOMIC_RELAXED)) ||
	    unlikely(event_upcall_due(&me->current->event)))
		exit_to_guest(regs);
}

/* All but page faults. */
static __attribute__((noinline)) void rarer_trap(struct vcpu *v, struct cpu_regs *regs)
{
	if (regs->vector >= VECTOR_DEVICE_FIRST) {
		interrupt(regs->vector);
		return;
	}
	if (unlikely(regs->vector == TRAP_DB))
		machine_vcpu_take_debug_status(&v->machine);
	trap_guest_exception(v, regs);
}

void trap_from_guest(struct cpu_regs *regs)
{
	struct cpu_info *me = this_cpu();

	if (likely(regs->vector == TRAP_PF))
		trap_guest_page_fault(me->current, regs, read_cr2());
	else
		rarer_trap(me->current, regs);
	exit_quickly(me, regs);
}

void syscall_from_guest(struct cpu_regs *regs)
{
	struct cpu_info *me = this_cpu();
	struct vcpu *v = me->current;

	if (likely(v->machine.kernel_mode && regs->vector == VECTOR_SYSCALL))
		hypercall_dispatch(v, regs);
	else
		trap_guest_syscall(v, regs);
	exit_quickly(me, regs);
}

void bad_return_to_guest(struct cpu_regs *regs)
{
	trap_failsafe(this_cpu()->current, regs);
	exit_to_guest(regs);
}
