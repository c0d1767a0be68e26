/* SPDX-License-Identifier: MIT */
/*
 * Frames on a guest kernel's stack. What the guest finds at its handler (low to high; each 8
 * bytes):
 *
 *   rcx  r11  [error code]  rip  cs | upcall mask << 32  rflags  rsp  ss
 *
 * The CS of a kernel-mode frame shows ring 0 (both modes are ring 3 on the CPU); rflags.IF shows
 * "events not masked". A frame that can't be written is the guest's own double fault: it crashes.
 */
#include "abi/xen.h"
#include "domain/copy.h"
#include "lib/string.h"
#include "trap/frame.h"

/* What a handler does not inherit. */
#define FLAGS_CLEARED (RFLAGS_TF | RFLAGS_VM | RFLAGS_RF | RFLAGS_NT | RFLAGS_AC | RFLAGS_IOPL)

void frame_enter_kernel(struct vcpu *v)
{
	if (v->machine.kernel_mode)
		return;
	machine_vcpu_toggle_mode(&v->machine);
	machine_tables_load(v->mm.kernel_table, false);
}

/*
 * frame_push(), made for each of the hot ways here: who calls it knows whether there is an error
 * code.
 */
static inline __attribute__((always_inline)) bool push(struct vcpu *v, struct cpu_regs *regs,
						       struct frame_call call)
{
	struct vcpu_info *info = v->event.info;
	uint64_t masked = info->evtchn_upcall_mask & 1, sp = regs->rsp,
		 cs = (regs->cs & 0xffff) | masked << 32;
	const uint64_t word[8] = {
		regs->rcx, regs->r11, call.error_code, regs->rip,
		v->machine.kernel_mode ? cs & ~3ull : cs,
		(regs->rflags & ~(uint64_t)(RFLAGS_IF | RFLAGS_IOPL)) |
			(masked ^ 1) * RFLAGS_IF | (uint64_t)v->iopl << 12,
		sp, regs->ss & 0xffff,
	};
	const size_t size = call.has_error_code ? 64 : 56;

	if (!v->machine.kernel_mode) {
		sp = v->kernel_sp;
		frame_enter_kernel(v);
	}
	sp = (sp & ~15ull) - size;
	if (unlikely(!guest_range_ok((guest_ptr_t){ sp }, size) ||
		     !machine_write_frame(VADDR(sp), word, call.has_error_code))) {
		domain_crash(v->domain,
			     "no room for an exception frame at %#lx (vector %u, rip %#lx)", sp,
			     call.vector, regs->rip);
		return false;
	}
	if (call.masks_events)
		info->evtchn_upcall_mask = 1;
	regs->rip = call.address;
	regs->cs = FLAT_KERNEL_CS64;
	regs->ss = FLAT_KERNEL_SS64;
	regs->rsp = sp;
	regs->rflags = (regs->rflags & ~(uint64_t)FLAGS_CLEARED) | RFLAGS_IF;
	/* rcx and r11 are in the frame, so the handler can be entered by sysret. */
	regs->vector = VECTOR_SYSCALL;
	return true;
}

bool frame_push(struct vcpu *v, struct cpu_regs *regs, struct frame_call call)
{
	return push(v, regs, call);
}

void trap_inject(struct vcpu *v, struct cpu_regs *regs, unsigned vector, uint32_t error_code)
{
	/* Vectors for which the CPU pushes an error code: SDM 3A table 6-1. */
	static const uint32_t with_error_code = 1u << 8 | 1u << 10 | 1u << 11 | 1u << 12 |
						1u << 13 | 1u << 14 | 1u << 17 | 1u << 21;
	const struct trap_gate *gate = &v->trap[vector];
	struct frame_call call = {
		.address = gate->address,
		.error_code = error_code,
		.vector = (uint8_t)vector,
		.masks_events = gate->flags & 4,
	};

	if (unlikely(!gate->address)) {
		domain_crash(v->domain, "exception %u (error code %#x) at %#lx and no handler",
			     vector, error_code, regs->rip);
	} else if (vector < 32 && (with_error_code >> vector & 1)) {
		call.has_error_code = true;
		push(v, regs, call);
	} else {
		push(v, regs, call);
	}
}

void trap_guest_syscall(struct vcpu *v, struct cpu_regs *regs)
{
	const struct guest_callback *to = &v->callback[CALLBACKTYPE_syscall];

	if (unlikely(regs->vector != VECTOR_SYSCALL))
		to = &v->callback[regs->vector == VECTOR_SYSENTER ? CALLBACKTYPE_sysenter
								  : CALLBACKTYPE_syscall32];
	struct frame_call call = { .address = to->address, .masks_events = to->masks };

	if (unlikely(!call.address)) {
		/* As a CPU without the instruction: #UD at it, or #GP for sysenter, which keeps no
		 * return address. */
		if (regs->vector != VECTOR_SYSENTER)
			regs->rip -= 2;
		trap_inject(v, regs, regs->vector == VECTOR_SYSENTER ? 13 : 6, 0);
		return;
	}
	push(v, regs, call);
}

void trap_deliver_pending(struct vcpu *v, struct cpu_regs *regs)
{
	struct frame_call call = { .address = v->callback[CALLBACKTYPE_event].address,
				   .masks_events = true };

	if (unlikely(v->nmi_pending) && v->trap[2].address) {
		v->nmi_pending = false;
		trap_inject(v, regs, 2, 0);
		return;
	}
	if (!event_upcall_due(&v->event) || unlikely(!call.address))
		return;
	frame_push(v, regs, call);
}

void trap_failsafe(struct vcpu *v, struct cpu_regs *regs)
{
	uint16_t sel[4] = { v->machine.ds, v->machine.es, v->machine.fs, v->machine.gs };
	struct frame_call call = { .address = v->callback[CALLBACKTYPE_failsafe].address,
				   .masks_events = v->callback[CALLBACKTYPE_failsafe].masks };
	uint64_t words[4];

	if (!call.address) {
		trap_inject(v, regs, 13, 0);
		return;
	}
	if (!frame_push(v, regs, call))
		return;
	/* Between r11 and rip the failsafe frame also has ds, es, fs, gs: move rcx and r11 down and
	 * put them in. */
	if (copy_from_guest(words, (guest_ptr_t){ regs->rsp }, 16))
		goto lost;
	regs->rsp -= 32;
	if (copy_to_guest((guest_ptr_t){ regs->rsp }, words, 16))
		goto lost;
	for (unsigned i = 0; i < 4; i++)
		words[i] = sel[i];
	if (!copy_to_guest((guest_ptr_t){ regs->rsp + 16 }, words, sizeof(words)))
		return;
lost:
	domain_crash(v->domain, "no room for a failsafe frame at %#lx", regs->rsp);
}
