/* SPDX-License-Identifier: MIT */
/* How a domain stops: shutdown with a reason, crash, and going on after a suspend. */
#include <stdarg.h>
#include "abi/sched.h"
#include "console/log.h"
#include "domain/domain.h"
#include "lib/printf.h"
#include "x86/machine.h"

/* The control domain went down: the machine follows. */
_Noreturn static void machine_follow(unsigned reason)
{
	switch (reason) {
	case SHUTDOWN_poweroff:
		log_info("control domain powered off: powering off");
		machine_poweroff();
	case SHUTDOWN_crash:
		log_error("control domain crashed");
		machine_end_after_crash();
	default:
		log_info("control domain asked for a reboot (reason %u)", reason);
		machine_reboot();
	}
}

void domain_shutdown(struct domain *d, unsigned reason)
{
	bool first;

	if (d == domain_control)
		machine_follow(reason);
	lock_acquire(&d->lock);
	first = !d->shut_down;
	if (first) {
		d->shut_down = true;
		d->shutdown_code = reason;
	}
	lock_release(&d->lock);
	if (!first)
		return;
	for (unsigned i = 0; i < d->max_vcpus; i++)
		if (d->vcpu[i])
			sched_pause_async(&d->vcpu[i]->sched);
	event_raise_global_virq(&domain_control->event, VIRQ_DOM_EXC);
}

void domain_resume(struct domain *d)
{
	bool was;

	lock_acquire(&d->lock);
	was = d->shut_down;
	d->shut_down = d->crashed = false;
	lock_release(&d->lock);
	if (was)
		domain_unpause(d);
}

static void log_registers(unsigned domid, const struct vcpu *v, const struct cpu_regs *r)
{
	log_guest(LOG_ERROR, domid,
		  "vcpu%u %s rip %04lx:%016lx rsp %04lx:%016lx rflags %08lx cr2 %016lx cr3 %lx",
		  v->id, v->machine.kernel_mode ? "kernel" : "user", r->cs, r->rip, r->ss, r->rsp,
		  r->rflags, v->event.info->arch.cr2, vcpu_table(v).n << PAGE_SHIFT);
	log_guest(LOG_ERROR, domid, "rax %016lx rbx %016lx rcx %016lx rdx %016lx", r->rax, r->rbx,
		  r->rcx, r->rdx);
	log_guest(LOG_ERROR, domid, "rsi %016lx rdi %016lx rbp %016lx r8  %016lx", r->rsi, r->rdi,
		  r->rbp, r->r8);
	log_guest(LOG_ERROR, domid, "r9  %016lx r10 %016lx r11 %016lx r12 %016lx", r->r9, r->r10,
		  r->r11, r->r12);
	log_guest(LOG_ERROR, domid, "r13 %016lx r14 %016lx r15 %016lx", r->r13, r->r14, r->r15);
}

void domain_crash(struct domain *d, const char *fmt, ...)
{
	struct vcpu *v = vcpu_current();
	char reason[160];
	va_list args;

	if (d->shut_down)
		return;
	va_start(args, fmt);
	format_args(reason, sizeof(reason), fmt, args);
	va_end(args);
	log_guest(LOG_ERROR, d->id, "crashed: %s", reason);
	if (v->domain == d)
		log_registers(d->id, v, machine_guest_regs());
	d->crashed = true;
	domain_shutdown(d, SHUTDOWN_crash);
}
