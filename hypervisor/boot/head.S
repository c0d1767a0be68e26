/* SPDX-License-Identifier: MIT */
/*
 * From GRUB to C: the multiboot2 header, and the way from 32-bit protected mode at any 2 MiB
 * aligned physical address to 64-bit mode at the linked virtual one. The page tables made here
 * are thrown away by paging_init(); until then
 *
 *   0                    -> the first 4 GiB (so that the switch itself survives)
 *   DIRECTMAP_VIRT       -> the first 4 GiB
 *   IMAGE_VIRT           -> the image, 16 MiB from where it was loaded
 *
 * ebp holds how far the image was moved: physical address = ebp + (symbol - IMAGE_VIRT).
 */
#include "x86/layout.h"

#define OFFSET(symbol)	((symbol) - IMAGE_VIRT)
#define L4_SLOT(va)	(((va) >> 39) & 511)
#define L3_SLOT(va)	(((va) >> 30) & 511)

	.section .multiboot2, "a"
	.balign 8
mb2_start:				/* Multiboot2 specification 1.6, section 3.1 */
	.long 0xe85250d6, 0, mb2_end - mb2_start
	.long -(0xe85250d6 + (mb2_end - mb2_start))
	.short 1, 0			/* what we cannot do without: memory map */
	.long 12, 6
	.balign 8
	.short 1, 1			/* and would like: EFI map and table, ACPI, frame buffer */
	.long 36, 4, 5, 8, 9, 12, 14, 15
	.balign 8
	.short 5, 1			/* a frame buffer or text, as it stands */
	.long 20, 0, 0, 0
	.balign 8
	.short 6, 0			/* modules on pages */
	.long 8
	.short 10, 0			/* relocatable: from, to, alignment, no preference */
	.long 24, 0x200000, 0x7fffffff, 0x200000, 0
	.short 0, 0
	.long 8
mb2_end:

	.section .text.head, "ax"
	.code32
	.globl head_start
head_start:
	cli
	cld
	mov %eax, %esi			/* GRUB's magic number */
	lea 8(%ebx), %esp		/* the reserved word there is a stack of one word */
	call 1f
1:	pop %ebp
	sub $OFFSET(1b), %ebp
	movl $0, 4(%ebx)
	lea OFFSET(boot_stack_end)(%ebp), %esp

	/* L2: 2048 entries of 2 MiB for the first 4 GiB, and 8 for the image */
	lea OFFSET(boot_l2)(%ebp), %edi
	mov $0x83, %eax
	mov $2048, %ecx
1:	mov %eax, (%edi)
	add $0x200000, %eax
	add $8, %edi
	loop 1b
	lea OFFSET(boot_l2_image)(%ebp), %edi
	lea 0x83(%ebp), %eax
	mov $8, %ecx
1:	mov %eax, (%edi)
	add $0x200000, %eax
	add $8, %edi
	loop 1b
	/* L3: four for memory, one for the image */
	lea OFFSET(boot_l2) + 3(%ebp), %eax
	mov %eax, OFFSET(boot_l3)(%ebp)
	add $0x1000, %eax
	mov %eax, OFFSET(boot_l3) + 8(%ebp)
	add $0x1000, %eax
	mov %eax, OFFSET(boot_l3) + 16(%ebp)
	add $0x1000, %eax
	mov %eax, OFFSET(boot_l3) + 24(%ebp)
	lea OFFSET(boot_l2_image) + 3(%ebp), %eax
	mov %eax, OFFSET(boot_l3_image) + 8 * L3_SLOT(IMAGE_VIRT)(%ebp)
	/* L4 */
	lea OFFSET(boot_l3) + 3(%ebp), %eax
	mov %eax, OFFSET(boot_l4)(%ebp)
	mov %eax, OFFSET(boot_l4) + 8 * L4_SLOT(DIRECTMAP_VIRT)(%ebp)
	lea OFFSET(boot_l3_image) + 3(%ebp), %eax
	mov %eax, OFFSET(boot_l4) + 8 * L4_SLOT(IMAGE_VIRT)(%ebp)

	mov $0x80000001, %eax		/* long mode there? */
	push %ebx
	cpuid
	pop %ebx
	bt $29, %edx
	jc 1f
	lea OFFSET(no_long_mode)(%ebp), %esi
	jmp early_stop
1:	mov $0x20, %eax			/* CR4.PAE */
	mov %eax, %cr4
	lea OFFSET(boot_l4)(%ebp), %eax
	mov %eax, %cr3
	mov $0xc0000080, %ecx		/* EFER.LME */
	rdmsr
	or $0x100, %eax
	wrmsr
	mov $0x80010001, %eax		/* CR0.PG, WP, PE */
	mov %eax, %cr0
	lea OFFSET(boot_gdt)(%ebp), %eax
	mov %eax, OFFSET(boot_gdtr) + 2(%ebp)
	lgdt OFFSET(boot_gdtr)(%ebp)
	lea OFFSET(head64)(%ebp), %eax
	push $8
	push %eax
	lret

/* A message at esi to the first serial port, then nothing more. */
early_stop:
	mov $0x3f8, %dx
1:	lodsb
	test %al, %al
	jz 2f
	outb %al, %dx
	jmp 1b
2:	hlt
	jmp 2b

	.code64
head64:
	movabs $head_high, %rax
	jmp *%rax
head_high:
	mov $16, %eax
	mov %eax, %ss
	xor %eax, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %fs
	mov %eax, %gs
	lea boot_stack_end - 1024(%rip), %rsp
	mov %ebp, %eax
	mov %rax, image_phys(%rip)
	mov %esi, %edi
	mov %ebx, %esi
	xor %ebp, %ebp
	call boot_main			/* (magic, physical address of GRUB's information) */
	ud2

	.section .rodata
no_long_mode:
	.asciz "Enso needs a 64-bit CPU.\r\n"

	.data
	.balign 8
	.globl boot_gdt, boot_gdtr
boot_gdt:
	.quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff
boot_gdtr:
	.short boot_gdtr - boot_gdt - 1
	.quad 0
	.globl image_phys
	.balign 8
image_phys:				/* physical address of IMAGE_VIRT */
	.quad 0

	.section .bss.page_aligned, "aw", @nobits
	.balign 4096
	.globl boot_l4
boot_l4:	.skip 4096
boot_l3:	.skip 4096
boot_l3_image:	.skip 4096
boot_l2_image:	.skip 4096
boot_l2:	.skip 4 * 4096
	/* Shaped like a CPU's stack block, with a struct cpu_info of zeroes at its top: CPU 0. */
	.balign CPU_BLOCK_SIZE
boot_stack:	.skip CPU_BLOCK_SIZE
boot_stack_end:
