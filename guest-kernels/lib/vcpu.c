/* SPDX-License-Identifier: MIT */
/* A second vCPU: one context, one stack. */
#include "vcpu.h"
#include "hypercall.h"
#include "kernel.h"
#include "mem.h"
#include "page.h"
#include "trap.h"

static char stack[16384] __attribute__((aligned(16)));

void vcpu_context(struct vcpu_guest_context *context, void (*fn)(void))
{
	memset(context, 0, sizeof(*context));
	context->flags = VGCF_in_kernel;
	context->user_regs.rip = (uint64_t)fn;
	context->user_regs.rsp = (uint64_t)stack + sizeof(stack) - 8;
	context->user_regs.cs = FLAT_KERNEL_CS;
	context->user_regs.ss = FLAT_KERNEL_SS;
	context->user_regs.rflags = 0x202;
	context->kernel_ss = FLAT_KERNEL_SS;
	context->kernel_sp = (uint64_t)stack + sizeof(stack);
	context->ctrlreg[0] = 0x80050033;
	context->ctrlreg[3] = xen_pfn_to_cr3(page_mfn(page_root()));
	context->event_callback_eip = (uint64_t)entry_event;
	context->failsafe_callback_eip = (uint64_t)entry_failsafe;
	context->syscall_callback_eip = (uint64_t)entry_syscall;
}

void vcpu_traps(struct vcpu_guest_context *context)
{
	for (unsigned int i = 0; i < 32; i++)
		context->trap_ctxt[i] = (struct trap_info){
			.vector = (uint8_t)i, .cs = FLAT_KERNEL_CS,
			.address = (unsigned long)trap_stubs + i * 16,
		};
}

bool vcpu_start(void (*fn)(void))
{
	static struct vcpu_guest_context context;

	vcpu_context(&context, fn);
	vcpu_traps(&context);
	return hyp_vcpu_op(VCPUOP_initialise, 1, &context) == 0 &&
	       hyp_vcpu_op(VCPUOP_up, 1, NULL) == 0;
}
