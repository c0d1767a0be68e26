/* SPDX-License-Identifier: MIT */
/*
 * A 64-bit PV kernel's first instruction, the notes by which it is loaded, and the ways back in:
 * exceptions, events, system calls, failed returns. Each builds a struct regs (include/trap.h) on
 * the stack and calls trap_entry(). Ring 3 both in kernel and user mode, so nothing here is
 * privileged.
 */
#include "abi/elfnote.h"

	.macro NOTE type, desc:vararg
	.section .note.Xen, "a", @note
	.balign	4
	.long	2f - 1f, 4f - 3f, \type
1:	.asciz	"Xen"
2:	.balign	4
3:	\desc
4:	.balign	4
	.previous
	.endm

	NOTE	XEN_ELFNOTE_GUEST_OS, .asciz "enso-test"
	NOTE	XEN_ELFNOTE_XEN_VERSION, .asciz "xen-3.0"
	NOTE	XEN_ELFNOTE_LOADER, .asciz "generic"
	NOTE	XEN_ELFNOTE_VIRT_BASE, .quad VIRT_BASE
	NOTE	XEN_ELFNOTE_PADDR_OFFSET, .quad 0
	NOTE	XEN_ELFNOTE_ENTRY, .quad _start
	NOTE	XEN_ELFNOTE_FEATURES, .asciz "!writable_page_tables|pae_pgdir_above_4gb"
	NOTE	XEN_ELFNOTE_SUPPORTED_FEATURES, .long 1 << 11	/* XENFEAT_dom0 */

	.text
	.globl	_start
_start:
	cld
	lea	boot_stack_end(%rip), %rsp
	xor	%ebp, %ebp
	mov	%rsi, %rdi
	call	kernel_start
	ud2

/*
 * The hypervisor enters with, from rsp upwards: rcx r11 [error code] rip cs rflags rsp ss.
 * Stubs leave: vector, error code (0 if there is none), rip ...
 */
#define HAS_ERROR	(1 << 8 | 0x1f << 10 | 1 << 17 | 1 << 21)	/* DF; TS to PF; AC; CP */

	.balign	16
	.globl	trap_stubs
trap_stubs:
	.set	vector, 0
	.rept	256
	.balign	16
	pop	%rcx
	pop	%r11
	.if	vector >= 32 || !(HAS_ERROR >> (vector & 31) & 1)
	push	$0
	.endif
	push	$vector
	jmp	trap_common
	.set	vector, vector + 1
	.endr

	.globl	entry_event, entry_syscall, entry_failsafe, entry_nmi
entry_event:
	pop	%rcx
	pop	%r11
	push	$0
	push	$256			/* TRAP_EVENT */
	jmp	trap_common
entry_syscall:
	pop	%rcx
	pop	%r11
	push	$0
	push	$257			/* TRAP_SYSCALL */
	jmp	trap_common
entry_failsafe:
	/* rcx r11 ds es fs gs rip ...: a saved selector that would not load */
	pop	%rcx
	pop	%r11
	add	$32, %rsp
	push	$0
	push	$258			/* TRAP_FAILSAFE */
	jmp	trap_common
entry_nmi:
	pop	%rcx
	pop	%r11
	push	$0
	push	$259			/* TRAP_NMI */

trap_common:
	push	%rdi
	push	%rsi
	push	%rdx
	push	%rcx
	push	%rax
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	cld
	mov	%rsp, %rdi
	mov	%rsp, %rbp
	and	$-16, %rsp
	call	trap_entry
	mov	%rbp, %rsp

/* rsp points at a struct regs: go there. Its error slot holds the iret hypercall's VGCF_* flags. */
regs_load:
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	pop	%r11
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rax
	pop	%rcx
	pop	%rdx
	pop	%rsi
	pop	%rdi
	add	$8, %rsp
	push	%rcx
	push	%r11
	push	%rax
	mov	$23, %eax		/* __HYPERVISOR_iret */
	syscall
	ud2

/*
 * void regs_enter(struct regs *regs): continue with *regs (by the iret hypercall), typically in
 * user mode, until regs_leave() ends it; then return here as a normal function.
 */
	.globl	regs_enter
regs_enter:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, regs_enter_rsp(%rip)
	sub	$22 * 8, %rsp		/* sizeof(struct regs) */
	mov	%rdi, %rsi
	mov	%rsp, %rdi
	mov	$22, %ecx
	rep movsq
	jmp	regs_load

/* void regs_leave(void): make the last regs_enter() return. */
	.globl	regs_leave
regs_leave:
	mov	regs_enter_rsp(%rip), %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret

	.bss
	.balign	16
regs_enter_rsp:
	.quad	0
	.balign	4096
	.skip	32768
boot_stack_end:

	.section .note.GNU-stack, "", @progbits
