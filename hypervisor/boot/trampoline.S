/* SPDX-License-Identifier: MIT */
/*
 * A CPU's first instructions, in real mode at some page below 1 MiB: cs = page / 16, ip = 0.
 * Data: boot/trampoline.h.
 */
#define AT(symbol)	((symbol) - trampoline_start)

	.section .rodata
	.balign 16
	.globl trampoline_start, trampoline_end, trampoline_data, trampoline_gdt
	.code16
trampoline_start:
	cli
	cld
	mov %cs, %ax
	mov %ax, %ds
	xor %ebx, %ebx
	mov %ax, %bx
	shl $4, %ebx			/* linear address of the page */
	lgdtl AT(trampoline_data)
	mov %cr0, %eax
	or $1, %eax
	mov %eax, %cr0
	ljmpl *AT(far_32)

	.code32
code_32:
	mov $16, %eax
	mov %eax, %ds
	mov %eax, %ss
	mov $0x20, %eax			/* CR4.PAE */
	mov %eax, %cr4
	mov AT(boot_cr3)(%ebx), %eax
	mov %eax, %cr3
	mov $0xc0000080, %ecx		/* EFER: LME, NXE */
	rdmsr
	or $0x100, %eax
	mov AT(nx)(%ebx), %edx
	shl $11, %edx
	or %edx, %eax
	xor %edx, %edx
	wrmsr
	mov $0x80010001, %eax		/* CR0: PG, WP, PE */
	mov %eax, %cr0
	ljmpl *AT(far_64)(%ebx)

	.code64
code_64:
	mov AT(cr3)(%rbx), %rax
	mov AT(stack)(%rbx), %rsp
	mov AT(cpu)(%rbx), %rdi
	movabs $trampoline_high, %rcx
	jmp *%rcx

	.balign 16
trampoline_gdt:
	.quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00af9b000000ffff
trampoline_data:
	.short trampoline_data - trampoline_gdt - 1
	.long 0
far_32:	.long AT(code_32)
	.short 8
far_64:	.long AT(code_64)
	.short 24
boot_cr3:	.long 0
nx:	.long 0
cr3:	.quad 0
stack:	.quad 0
cpu:	.quad 0
trampoline_end:

	.text
trampoline_high:
	mov %rax, %cr3
	xor %ebp, %ebp
	call smp_cpu_main
	ud2
