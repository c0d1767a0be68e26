/* SPDX-License-Identifier: MIT */
/* Between entry.S and C. Only x86/ includes this. */
#ifndef X86_ENTRY_H
#define X86_ENTRY_H

#include "lib/types.h"
#include "x86/regs.h"

/* Vectors of our own; devices have 0x20 to 0xef. */
#define VECTOR_DEVICE_FIRST	0x20
#define VECTOR_DEVICE_LAST	0xef
#define VECTOR_TIMER		0xf0
#define VECTOR_KICK		0xf1
#define VECTOR_TLB		0xf2
#define VECTOR_APIC_ERROR	0xfe
#define VECTOR_SPURIOUS		0xff

/* The entry of each vector: 16 bytes each. */
extern char entry_vectors[];
/*
 * The entries of the syscall instruction: 64 bytes for each CPU (64-bit and 32-bit form), and
 * sysenter's.
 */
extern char entry_syscall_stubs[], entry_syscall32_stubs[], entry_sysenter[];
/* Leave the boot stack for this CPU's own and go to cpu_run(). */
_Noreturn void entry_switch_stack(uint64_t top, void (*next)(void));

/* Called by entry.S. */
void trap_from_guest(struct cpu_regs *regs);
void trap_from_hypervisor(struct cpu_regs *regs);
void syscall_from_guest(struct cpu_regs *regs);
void bad_return_to_guest(struct cpu_regs *regs);
void exit_to_guest(struct cpu_regs *regs);

/* Point this CPU's system call MSRs at its stubs. */
void entry_init_syscall(void);
/*
 * Make the placeholders of entry.S and copy.S into STAC and CLAC. Boot CPU, before the others
 * start.
 */
void entry_patch_smap(void);

/* See probe.S. */
unsigned probe_ring3(uint64_t page);
extern const char probe_code[];
#define PROBE_RESUME	8		/* offset of its int3 */
extern const uint64_t probe_handlers[3];

/* One gate of an IDT (Intel SDM 3A 6.14.1). */
struct idt_gate {
	uint16_t offset_0, selector;
	uint8_t ist, type;
	uint16_t offset_16;
	uint32_t offset_32, reserved;
};
extern struct idt_gate probe_idt[16];

static inline struct idt_gate idt_gate(uint64_t handler, uint16_t selector, unsigned ist,
				       unsigned dpl)
{
	return (struct idt_gate){
		.offset_0 = (uint16_t)handler, .offset_16 = (uint16_t)(handler >> 16),
		.offset_32 = (uint32_t)(handler >> 32), .selector = selector,
		.ist = (uint8_t)ist, .type = (uint8_t)(0x8e | dpl << 5),
	};
}

#endif
