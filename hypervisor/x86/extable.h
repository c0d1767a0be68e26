/* SPDX-License-Identifier: MIT */
/*
 * Instructions of ours that may fault, and where to go on if they do: pairs of offsets, each
 * from its own place, in the section .extable. Registers are as at the fault.
 */
#ifndef X86_EXTABLE_H
#define X86_EXTABLE_H

#ifdef __ASSEMBLY__

.macro EXTABLE from to
	.pushsection .extable, "a"
	.long \from - .
	.long \to - .
	.popsection
.endm

/* A place for STAC (0xcb) or CLAC (0xca): nothing until entry_patch_smap(). */
.macro SMAP_SITE last
1:	.byte 0x0f, 0x1f, 0x00
	.pushsection .smap_sites, "a"
	.long 1b - ., \last
	.popsection
.endm

#else

#include "x86/regs.h"

#include <stdbool.h>

#define EXTABLE(from, to) \
	".pushsection .extable, \"a\"\n.long " #from " - .\n.long " #to " - .\n.popsection\n"

/* As in assembly. */
#define SMAP_SITE(last)                                               \
	"1: .byte 0x0f, 0x1f, 0x00\n.pushsection .smap_sites, \"a\"\n" \
	".long 1b - ., " #last "\n.popsection\n"

/* If the instruction at regs->rip is in the table, move rip to where it goes on. */
bool extable_fixup(struct cpu_regs *regs);

#endif
#endif
