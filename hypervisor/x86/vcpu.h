/* SPDX-License-Identifier: MIT */
/*
 * What a vCPU has in the CPU's registers, and switching it. Embedded in struct vcpu, used by
 * x86/ and above and by domain/.
 */
#ifndef X86_VCPU_H
#define X86_VCPU_H

#include "lib/cpumask.h"
#include "lib/types.h"
#include "x86/regs.h"

#define GDT_GUEST_FRAMES	14	/* of 512 descriptors: FIRST_RESERVED_GDT_ENTRY / 512 */
#define LDT_MAX_FRAMES		16

struct machine_vcpu {
	struct cpu_regs regs;		/* while it is on no CPU; else on that CPU's stack */
	bool kernel_mode;		/* guest kernel or guest user mode; both are ring 3 */
	unsigned fpu_cpu;		/* whose FPU may hold its state, CPU_MAX: none's */
	bool ts;			/* CR0.TS by fpu_taskswitch: next FPU use raises #NM */
	uint16_t ds, es, fs, gs;	/* selectors while off CPU */
	uint64_t fs_base, gs_base_kernel, gs_base_user;
	uint64_t dr[8];			/* guest's debug registers: 0-3, 6, 7 */
	uint64_t cr4;			/* what the guest believes */
	uint64_t xcr0;
	mfn_t gdt[GDT_GUEST_FRAMES];	/* MFN_NONE: not set */
	unsigned gdt_entries;
	mfn_t ldt[LDT_MAX_FRAMES];
	unsigned ldt_entries;
	vaddr_t ldt_base;		/* where the guest has it */
	void *fpu;			/* XSAVE area, 64-byte aligned */
};

/* The registers of the running vCPU (top of this CPU's stack). */
struct cpu_regs *machine_guest_regs(void);
/* Allocate and free what hangs off it (FPU area). 0 or -ENOMEM. */
int machine_vcpu_init(struct machine_vcpu *mv);
void machine_vcpu_free(struct machine_vcpu *mv);
/*
 * Take `mv`'s state off this CPU into memory; put it onto this CPU. Page tables are the
 * caller's (machine_tables_load).
 */
void machine_vcpu_save(struct machine_vcpu *mv);
void machine_vcpu_load(struct machine_vcpu *mv);
/* For the running vCPU after its gdt[], ldt[] changed: show them in this CPU's windows. */
void machine_vcpu_load_gdt(struct machine_vcpu *mv);
void machine_vcpu_load_ldt(struct machine_vcpu *mv);
/* For the running vCPU: change of mode (swapgs; the caller loads the other table). */
void machine_vcpu_toggle_mode(struct machine_vcpu *mv);
/*
 * For the running vCPU: base of segment `which` (SEGBASE_* of abi/xen.h); 0 or -EINVAL if not
 * canonical.
 */
int machine_vcpu_set_base(struct machine_vcpu *mv, unsigned which, uint64_t value);
uint64_t machine_vcpu_base(const struct machine_vcpu *mv, unsigned which);
/*
 * For the running vCPU: load a selector into FS, GS, DS or ES; a faulting one becomes 0, as the
 * ABI says.
 */
void machine_vcpu_load_selectors(struct machine_vcpu *mv, uint16_t ds, uint16_t es, uint16_t fs,
				 uint16_t gs);
/*
 * Give the FPU to the running vCPU (on #NM, or before XSAVE state is read); TS as the guest
 * wants it.
 */
void machine_vcpu_fpu_own(struct machine_vcpu *mv);
void machine_vcpu_set_ts(struct machine_vcpu *mv, bool ts);
/*
 * The x87 and SSE state as a 512-byte FXSAVE image, for a vCPU that is on no CPU or is the
 * caller's; reserved MXCSR bits are cleared.
 */
void machine_vcpu_set_fxsave(struct machine_vcpu *mv, const void *image);
void machine_vcpu_get_fxsave(struct machine_vcpu *mv, void *image);
/*
 * The whole XSAVE area and XCR0, likewise: `image` has machine_xsave_size() bytes (0: the CPU has
 * no XSAVE), machine_xsave_features() says of which components. Setting takes fewer bytes if what
 * they hold is whole; 0, or -EINVAL for what this CPU could not load.
 */
size_t machine_xsave_size(void);
uint64_t machine_xsave_features(void);
void machine_vcpu_get_xsave(struct machine_vcpu *mv, void *image, uint64_t *xcr0);
int must_check machine_vcpu_set_xsave(struct machine_vcpu *mv, uint64_t xcr0, const void *image,
				      size_t size);
/*
 * The guest's CR4 or XCR0 as it writes them; false (a #GP for it) if a bit is not for guests or
 * the CPU lacks it.
 */
bool must_check machine_vcpu_set_cr4(struct machine_vcpu *mv, uint64_t cr4);
bool must_check machine_vcpu_set_xcr0(struct machine_vcpu *mv, uint64_t xcr0);
/* CPUID leaf 0xd, subleaf 0 or 1, for this vCPU's XCR0: adjusts out = eax ebx ecx edx. */
void machine_vcpu_xsave_leaf(const struct machine_vcpu *mv, unsigned subleaf, uint32_t out[4]);
/* Write the running vCPU's debug registers (already checked by the caller). */
void machine_vcpu_load_debug(struct machine_vcpu *mv);
/*
 * After #DB: add the CPU's DR6 (why it came) to the guest's, which only the guest clears, and
 * clear the CPU's.
 */
void machine_vcpu_take_debug_status(struct machine_vcpu *mv);

#endif
