/* SPDX-License-Identifier: MIT */
/* Copies between us and guests' memory, which may fault at any byte. */
#include "x86/extable.h"

#define UNROLLED	15

	.text
	/*
	 * size_t machine_copy_to_guest(vaddr_t to, const void *from, size_t n), and from_guest
	 * with the same arguments: words, then bytes. What guests pass is a few words mostly: up
	 * to 15 are copied from the last to the first by straight code, entered (8 bytes of it
	 * copy a word) at the last that there is. A fault ends it with a result that is not 0.
	 */
	.globl machine_copy_to_guest, machine_copy_from_guest
	.balign 16
machine_copy_to_guest:
machine_copy_from_guest:
	SMAP_SITE 0xcb
	cmp $8 * (UNROLLED + 1), %rdx
	jae 5f
	mov %edx, %ecx
	and $-8, %ecx
	lea 3f(%rip), %rax
	sub %rcx, %rax
	jmp *%rax
	.set word, UNROLLED
	.rept UNROLLED
	.set word, word - 1
1:	{disp8} mov 8 * word(%rsi), %rax
2:	{disp8} mov %rax, 8 * word(%rdi)
	EXTABLE 1b 6f
	EXTABLE 2b 6f
	.endr
3:	and $7, %edx
	jnz 4f
	mov %rdx, %rax
	SMAP_SITE 0xca
	ret
4:	movzbl (%rsi, %rcx), %eax	/* the bytes behind the words, the first rcx bytes */
14:	mov %al, (%rdi, %rcx)
	inc %rcx
	dec %edx
	jmp 3b
5:	mov %rdx, %rcx
	shr $3, %rcx
15:	rep movsq
	jmp 3b
6:	mov $1, %eax
	SMAP_SITE 0xca
	ret
	EXTABLE 4b 6b
	EXTABLE 14b 6b
	EXTABLE 15b 6b
