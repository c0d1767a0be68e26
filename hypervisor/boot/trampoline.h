/* SPDX-License-Identifier: MIT */
/*
 * The code that takes a CPU from 16-bit mode to smp_cpu_main(): copied to a page below 1 MiB,
 * its data filled in.
 */
#ifndef BOOT_TRAMPOLINE_H
#define BOOT_TRAMPOLINE_H

#include "lib/types.h"

extern const char trampoline_start[], trampoline_end[], trampoline_data[], trampoline_gdt[];

/* As it lies at trampoline_data. */
struct trampoline_data {
	uint16_t gdt_limit;
	uint32_t gdt_base;		/* linear address of trampoline_gdt */
	uint32_t far_32;		/* offset in the page -> linear address */
	uint16_t selector_32;
	uint32_t far_64;
	uint16_t selector_64;
	uint32_t boot_cr3;		/* tables that map the page where it is, and the image */
	uint32_t nx;			/* 1: enable NX */
	uint64_t cr3;			/* our own tables */
	uint64_t stack;
	uint64_t cpu;
} __attribute__((packed));

#endif
