/* SPDX-License-Identifier: MIT */
/*
 * Entries and exits. An entry draws the frame of x86/regs.h on the stack, calls one C function,
 * and comes back through return_to_guest or, when it interrupted ourselves, through
 * return_to_self:
 *
 *   r15 .. r12 rbp rbx r11 .. r8 rax rcx rdx rsi rdi | error_code vector | rip cs rflags rsp ss
 *   ^ rsp, C's argument                                ^ after the stub    ^ pushed by the CPU
 *
 * From a guest the frame ends at TSS.rsp0, so it is cpu_info.regs. NMI, #MC, #DF and #DB have
 * stacks of their own: they may come between an entry's first instruction and the next, when
 * rsp is still the guest's. Nothing here swaps GS.
 */
#include "offsets.h"
#include "x86/extable.h"
#include "x86/layout.h"
#include "x86/regs.h"

#define AREA(cpu)	(CPU_AREAS_VIRT + (cpu) * CPU_AREA_SIZE)
#define REGS_END(cpu)	(AREA(cpu) + CPU_BLOCK_SIZE - INFO_FROM_TOP + REGS_SIZE)

.macro SAVE
	push %rdi
	push %rsi
	push %rdx
	push %rcx
	push %rax
	push %r8
	push %r9
	push %r10
	push %r11
	push %rbx
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
	xor %ebp, %ebp			/* stack traces end here */
.endm

.macro RESTORE
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbp
	pop %rbx
	pop %r11
	pop %r10
	pop %r9
	pop %r8
	pop %rax
	pop %rcx
	pop %rdx
	pop %rsi
	pop %rdi
.endm

.macro CALL_C function
	mov %rsp, %rdi			/* at 8 bytes: our C is built for that */
	call \function
.endm

	.text
	.globl entry_vectors
	.balign 16
entry_vectors:
.set vector, 0
.rept 256
	.balign 16
	/* bit n of 0x60227d00: the CPU pushes an error code (SDM 3A table 6-1) */
	.if vector > 31 || !((0x60227d00 >> (vector & 31)) & 1)
	push $0
	.endif
	movl $vector, 4(%rsp)
	.if vector == 2 || vector == 8 || vector == 18
	jmp entry_ist
	.elseif vector == 1
	jmp entry_debug
	.else
	jmp entry_vector
	.endif
	.set vector, vector + 1
.endr

	.balign 16
entry_vector:
	SAVE
	cld				/* syscall does it by its mask */
	SMAP_SITE 0xca
	testb $3, REGS_CS(%rsp)
	jz from_self
from_guest:
	CALL_C trap_from_guest

	/*
	 * sysret when the guest came by syscall (or trap/ says that it may go back so), to
	 * 64-bit code at a canonical address: on Intel's CPUs a fault in sysret is ours, with
	 * the guest's stack.
	 */
return_to_guest:
	cmpl $VECTOR_SYSCALL, REGS_VECTOR(%rsp)
	jne 1f
	cmpl $SEL_GUEST_CS64, REGS_CS(%rsp)
	jne 1f
	mov REGS_RIP(%rsp), %rcx
	mov %rcx, %rax
	shl $16, %rax
	sar $16, %rax
	cmp %rcx, %rax
	jne 1f
	RESTORE
	mov 8(%rsp), %rcx
	mov 24(%rsp), %r11
	mov 32(%rsp), %rsp
	sysretq
1:	RESTORE
	add $8, %rsp
return_iret:
	iretq
	EXTABLE return_iret bad_return

	/*
	 * The guest's frame made iretq fault: its registers are live again, the frame still
	 * lies above rsp.
	 */
bad_return:
	push $0
	SAVE
	CALL_C bad_return_to_guest
	jmp return_to_guest

from_self:
	CALL_C trap_from_hypervisor
return_to_self:
	RESTORE
	add $8, %rsp
	iretq

entry_ist:
	SAVE
	cld
	SMAP_SITE 0xca
	jmp from_self

	/* #DB of a guest moves from its own stack to the main one. */
entry_debug:
	SAVE
	cld
	SMAP_SITE 0xca
	testb $3, REGS_CS(%rsp)
	jz from_self
	mov %rsp, %rsi
	mov %rsp, %rdi
	and $-CPU_BLOCK_SIZE, %rdi
	add $CPU_BLOCK_SIZE - INFO_FROM_TOP, %rdi
	mov %rdi, %rdx
	mov $REGS_SIZE / 8, %ecx
	rep movsq
	mov %rdx, %rsp
	jmp from_guest

	/*
	 * The syscall instruction: rcx and r11 hold rip and rflags, rsp is the guest's,
	 * interrupts are off.
	 */
.macro SYSCALL_STUBS selector, target
	.set cpu, 0
	.rept CPUS
	.balign 64
	mov %rsp, syscall_rsp + 64 * cpu(%rip)
	movabs $REGS_END(cpu), %rsp
	push $SEL_GUEST_DS
	push syscall_rsp + 64 * cpu(%rip)
	push %r11
	push $\selector
	push %rcx
	push $0
	jmp \target
	.set cpu, cpu + 1
	.endr
.endm

	.globl entry_syscall_stubs, entry_syscall32_stubs, entry_sysenter
	.balign 64
entry_syscall_stubs:
	SYSCALL_STUBS SEL_GUEST_CS64, entry_syscall
	.balign 64
entry_syscall32_stubs:
	SYSCALL_STUBS SEL_GUEST_CS32, entry_syscall32

	.balign 16
entry_syscall:
	movl $VECTOR_SYSCALL, 4(%rsp)
	SAVE
	CALL_C syscall_from_guest
	jmp return_to_guest

entry_syscall32:
	movl $VECTOR_SYSCALL32, 4(%rsp)
	SAVE
	CALL_C syscall_from_guest
	jmp return_to_guest

	/*
	 * sysenter keeps neither rip nor rsp nor flags (but loads rsp): the guest's user code
	 * has its ways to know.
	 */
entry_sysenter:
	push $SEL_GUEST_DS
	push $0
	pushfq
	orl $RFLAGS_IF, (%rsp)
	push $SEL_GUEST_CS32
	push $0
	push $0
	movl $VECTOR_SYSENTER, 4(%rsp)
	SAVE
	cld
	SMAP_SITE 0xca
	push $2				/* NT would make our iretq fault, TF would trap */
	popfq
	CALL_C syscall_from_guest
	jmp return_to_guest

	/*
	 * A CPU's end of start-up: to the top of its stack, and into guests (or the idle wait)
	 * for ever.
	 */
	.globl cpu_run
cpu_run:
	mov %rsp, %rax
	and $-CPU_BLOCK_SIZE, %rax
	lea CPU_BLOCK_SIZE - INFO_FROM_TOP(%rax), %rsp
	xor %ebp, %ebp
	CALL_C exit_to_guest
	jmp return_to_guest

	/* void entry_switch_stack(uint64_t top, void (*next)(void)) */
	.globl entry_switch_stack
entry_switch_stack:
	mov %rdi, %rsp
	xor %ebp, %ebp
	call *%rsi
	ud2

	.bss
	.balign 64
syscall_rsp:				/* the guest's rsp for two instructions, one line per CPU */
	.skip 64 * CPUS
