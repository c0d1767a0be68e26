/* SPDX-License-Identifier: MIT */
/* Exceptions: what TRY() skips, what handlers take, and the dump of what nobody expected. */
#include "abi/callback.h"
#include "abi/sched.h"
#include "event.h"
#include "hypercall.h"
#include "kernel.h"
#include "mem.h"
#include "print.h"
#include "trap.h"

struct trap trap_last = { .vector = TRAP_NONE };

extern const struct fixup fixups_start[], fixups_end[];

static void (*handlers[260])(struct regs *regs);
static struct trap_info table[257];

/* Where user mode's entries push their frames; trap_run()'s caller is on the boot stack. */
static char user_entry_stack[16384] __attribute__((aligned(16)));
static struct regs *running;

void trap_handle(unsigned int vector, void (*fn)(struct regs *regs))
{
	handlers[vector] = fn;
}

/* The NMI callback is optional: without it NMIs come through vector 2. */
static void set_callback(uint16_t type, const char *entry)
{
	struct callback_register cb = {
		.type = type, .flags = CALLBACKF_mask_events, .address = (unsigned long)entry,
	};

	if (hyp_callback_op(CALLBACKOP_register, &cb) && type != CALLBACKTYPE_nmi)
		print("callback %u refused\n", type);
}

void trap_init(void)
{
	for (unsigned int i = 0; i < 256; i++)
		table[i] = (struct trap_info){
			.vector = (uint8_t)i,
			.flags = i == TRAP_BP || i == TRAP_OF || i >= 0x80 ? 3 : 0,
			.cs = FLAT_KERNEL_CS,
			.address = (unsigned long)trap_stubs + i * 16,
		};
	if (hyp_set_trap_table(table))
		print("set_trap_table refused\n");
	set_callback(CALLBACKTYPE_event, entry_event);
	set_callback(CALLBACKTYPE_failsafe, entry_failsafe);
	set_callback(CALLBACKTYPE_syscall, entry_syscall);
	set_callback(CALLBACKTYPE_nmi, entry_nmi);
}

static void dump(const struct regs *r)
{
	print("trap %lu error %lx at %lx:%016lx flags %lx\n", r->vector, r->error, r->cs, r->rip,
	      r->rflags);
	print("rsp %lx:%016lx cr2 %016lx\n", r->ss, r->rsp, (uint64_t)vcpu_info->arch.cr2);
	print("rax %016lx rbx %016lx rcx %016lx rdx %016lx\n", r->rax, r->rbx, r->rcx, r->rdx);
	print("rsi %016lx rdi %016lx rbp %016lx r8  %016lx\n", r->rsi, r->rdi, r->rbp, r->r8);
	print("r9  %016lx r10 %016lx r11 %016lx r12 %016lx\n", r->r9, r->r10, r->r11, r->r12);
	print("Test result: FAIL 1\n");
	kernel_shutdown(SHUTDOWN_crash);
}

static void record(const struct regs *regs)
{
	trap_last.vector = (unsigned int)regs->vector;
	trap_last.error = (uint32_t)regs->error;
	trap_last.cr2 = vcpu_info->arch.cr2;
	trap_last.events_masked = vcpu_info->evtchn_upcall_mask;
	trap_last.regs = *regs;
}

static bool fix_up(struct regs *regs)
{
	for (const struct fixup *f = fixups_start; f < fixups_end; f++)
		if (f->from == regs->rip) {
			record(regs);
			regs->rip = f->to;
			return true;
		}
	return false;
}

void trap_entry(struct regs *regs)
{
	bool from_user = regs->cs & 3;

	if (regs->vector == TRAP_EVENT) {
		event_upcall();
	} else if (running) {
		record(regs);
		*running = *regs;
		running = NULL;
		regs_leave();
	} else if (handlers[regs->vector]) {
		handlers[regs->vector](regs);
	} else if (from_user || !fix_up(regs)) {
		dump(regs);
	}
	regs->error = 0;
}

void trap_run(struct regs *regs)
{
	hyp_stack_switch(FLAT_KERNEL_SS, (unsigned long)(user_entry_stack +
							 sizeof(user_entry_stack)));
	running = regs;
	regs_enter(regs);
}

bool try_read(uint64_t va, uint64_t *value)
{
	uint64_t v = 0;

	TRY("mov (%1), %0", : "+r"(v) : "r"(va) : "memory");
	*value = v;
	return trap_last.vector == TRAP_NONE;
}

bool try_write(uint64_t va, uint64_t value)
{
	TRY("mov %0, (%1)", : : "r"(value), "r"(va) : "memory");
	return trap_last.vector == TRAP_NONE;
}
