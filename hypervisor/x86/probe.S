/* SPDX-License-Identifier: MIT */
/*
 * unsigned probe_ring3(uint64_t page): run probe_code, which was copied to `page`, in ring 3
 * with an IDT of our own, and tell by which vector it came back: 3, it read its own page; 14 or
 * 13, it could not.
 *
 * On the stack meanwhile: rbx rbp r12-r15, flags; the CPU itself goes to TSS.rsp0, where
 * nothing lives yet.
 */
#include "x86/layout.h"

	.text
	.globl probe_ring3
probe_ring3:
	push %rbx
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
	sub $16, %rsp
	sidt (%rsp)
	mov %rsp, saved_rsp(%rip)
	lidt probe_idtr(%rip)
	pushq $SEL_GUEST_DS
	pushq $0
	pushq $2			/* interrupts off */
	pushq $SEL_GUEST_CS64
	push %rdi
	iretq

probe_3:
	mov $3, %eax
	jmp 1f
probe_13:
	mov $13, %eax
	jmp 1f
probe_14:
	mov $14, %eax
1:	mov saved_rsp(%rip), %rsp
	lidt (%rsp)
	add $16, %rsp
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbp
	pop %rbx
	ret

	/* void probe_gate(unsigned vector, uint64_t handler) is C; this only names the handlers */
	.section .rodata
	.balign 8
	.globl probe_handlers
probe_handlers:
	.quad probe_3, probe_13, probe_14
	.globl probe_code
probe_code:			/* in ring 3, rdi: this page, with a frame for iretq at 64 */
	mov (%rdi), %eax
	lea 64(%rdi), %rsp
	iretq			/* reads the stack as the CPU itself: where QEMU 7.2 goes wrong */
	int3				/* PROBE_RESUME */
	.skip 16

	.data
	.balign 8
	.globl probe_idtr
probe_idtr:
	.short 16 * 16 - 1
	.quad probe_idt

	.bss
	.balign 16
	.globl probe_idt
probe_idt:
	.skip 16 * 16
saved_rsp:
	.skip 8
