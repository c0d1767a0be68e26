/* SPDX-License-Identifier: MIT */
/*
 * Where things are in the hypervisor's address space (the table in ARCHITECTURE.md), for C and
 * assembly.
 */
#ifndef X86_LAYOUT_H
#define X86_LAYOUT_H

#define HYPERVISOR_SLOT_FIRST	256		/* L4 entries that are ours in every table */
#define HYPERVISOR_SLOT_LAST	271

#define IMAGE_VIRT		0xffff82d080000000
#define CPU_AREAS_VIRT		0xffff82e000000000
#define DEVICES_VIRT		0xffff82f000000000
#define DEVICES_SIZE		0x0000001000000000
#define DIRECTMAP_VIRT		0xffff830000000000
#define DIRECTMAP_SIZE		0x0000050000000000

/*
 * A CPU's area, offsets from CPU_AREAS_VIRT + cpu * CPU_AREA_SIZE. The stacks share one block
 * that is aligned to its size, so that a CPU finds its struct cpu_info from its stack pointer.
 * Pages that are not named are never mapped:
 *
 *   0x0000 #MC | 0x1000 - | 0x2000 NMI | 0x3000 - | 0x4000 #DF | 0x5000 - | 0x6000 #DB |
 *   0x7000 - |
 *   0x8000 main stack, 32 KiB, struct cpu_info at its top | 0x10000 - |
 *   0x20000 GDT: 14 guest pages, ours | 0x30000 LDT: 16 guest pages | 0x40000 TSS
 */
#define CPU_AREA_SIZE		0x100000
#define CPU_BLOCK_SIZE		0x10000
#define CPU_STACK_MC		0x0000
#define CPU_STACK_NMI		0x2000
#define CPU_STACK_DF		0x4000
#define CPU_STACK_DB		0x6000
#define CPU_STACK_MAIN		0x8000
#define CPU_GDT			0x20000
#define CPU_LDT			0x30000
#define CPU_TSS			0x40000

/* Selectors. The first three that a guest sees are the ABI's (FLAT_RING3_* of abi/xen.h). */
#define GDT_OURS_OFFSET		0xe000
#define SEL_CS			0xe008
#define SEL_DS			0xe010
#define SEL_GUEST_CS32		0xe023
#define SEL_GUEST_DS		0xe02b
#define SEL_GUEST_CS64		0xe033
#define SEL_TSS			0xe040
#define SEL_LDT			0xe050

#endif
