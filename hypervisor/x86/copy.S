/* SPDX-License-Identifier: MIT */
/* Copies between us and guests' memory, which may fault at any byte. */
#include "x86/extable.h"

	.text
	/*
	 * size_t machine_copy_to_guest(vaddr_t to, const void *from, size_t n), and from_guest
	 * with the same arguments: words, then bytes; a fault ends it with what is left.
	 */
	.globl machine_copy_to_guest, machine_copy_from_guest
	.balign 16
machine_copy_to_guest:
machine_copy_from_guest:
	SMAP_SITE 0xcb
	mov %rdx, %rcx
	shr $3, %rcx
	jz 3f
	cmp $16, %rcx
	jae 5f
2:	mov (%rsi), %rax
12:	mov %rax, (%rdi)
	add $8, %rsi
	add $8, %rdi
	dec %rcx
	jnz 2b
3:	and $7, %edx
	jz 4f
13:	mov (%rsi), %al
14:	mov %al, (%rdi)
	inc %rsi
	inc %rdi
	dec %edx
	jnz 13b
4:	mov %rdx, %rax
	SMAP_SITE 0xca
	ret
5:	rep movsq
	jmp 3b
6:	and $7, %edx			/* a word faulted */
	lea (%rdx, %rcx, 8), %rdx
	jmp 4b
	EXTABLE 2b 6b
	EXTABLE 12b 6b
	EXTABLE 5b 6b
	EXTABLE 13b 4b
	EXTABLE 14b 4b
