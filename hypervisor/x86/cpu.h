/* SPDX-License-Identifier: MIT */
/*
 * One CPU: what it knows of itself (struct cpu_info, at the top of its stack), and what all
 * CPUs can do. Only x86/ and boot/main.c include this; others see machine.h.
 */
#ifndef X86_CPU_H
#define X86_CPU_H

#include "lib/cpumask.h"
#include "lib/types.h"
#include "x86/layout.h"
#include "x86/regs.h"

struct machine_vcpu;
struct vcpu;

enum cpu_work {				/* bits of cpu_info.work */
	WORK_KICK = 1,			/* somebody wants us to look around */
	WORK_TIMER = 2,			/* the timer fired */
};

/*
 * What another CPU asked of our TLB: 0 nothing, 1 everything, else an address with bit 0 clear:
 * that page (bits 0-11 of it are 2).
 */
#define TLB_NOTHING	0ull
#define TLB_ALL		1ull
#define TLB_PAGE	2ull

/*
 * regs is where an entry from a guest saves its registers: TSS.rsp0 and the syscall stub point
 * at its end, which must be a multiple of 16. Fields are this CPU's own unless said otherwise.
 */
struct cpu_info {
	uint64_t pad;
	struct cpu_regs regs;
	struct vcpu *current;		/* the vCPU that runs here (or idles) */
	unsigned cpu;
	uint32_t work;			/* enum cpu_work; others may set bits */
	uint64_t cr3;			/* as loaded */
	uint64_t cr4;			/* as loaded */
	uint64_t xcr0;			/* as loaded */
	uint64_t budget_end;		/* TSC; 0: not asked about yet */
	uint64_t *area;			/* the page-table entries of this CPU's area */
	struct machine_vcpu *fpu_owner;	/* whose state the FPU registers hold */
	uint64_t dr7;			/* as loaded */
	bool ts;			/* CR0.TS as loaded */
	uint32_t apic_id;
	/* written by others */
	uint64_t tlb_request __attribute__((aligned(64)));
	uint32_t tlb_served;		/* counts requests that were served */
	uint32_t tlb_flushed;		/* the TLB clock before our last full flush */
} __attribute__((aligned(64)));

/* The CPU aligns the stack to 16 bytes before it pushes. */
_Static_assert((offsetof(struct cpu_info, regs) + sizeof(struct cpu_regs)) % 16 == 0, "misaligned");

static inline uint64_t cpu_area(unsigned cpu)
{
	return CPU_AREAS_VIRT + (uint64_t)cpu * CPU_AREA_SIZE;
}

static inline struct cpu_info *cpu_info_of(unsigned cpu)
{
	return (struct cpu_info *)(cpu_area(cpu) + CPU_BLOCK_SIZE - sizeof(struct cpu_info));
}

static inline struct cpu_info *this_cpu(void)
{
	uint64_t rsp;

	asm("mov %%rsp, %0" : "=r"(rsp));
	return (struct cpu_info *)((rsp & ~(uint64_t)(CPU_BLOCK_SIZE - 1)) + CPU_BLOCK_SIZE -
				   sizeof(struct cpu_info));
}

/* What the CPUs have, read from CPU 0 by cpu_identify(). */
struct cpu_features {
	char model[49];
	bool nx, smep, smap, fsgsbase, xsave, xsaveopt, page1gb, x2apic, tsc_deadline,
		invariant_tsc, hypervisor, pge, mce, amd, null_clears_base,
		fast_byte_strings;
	unsigned paddr_bits;
	uint64_t xcr0;			/* what XSAVE can hold for guests */
	unsigned xsave_size;
};

extern struct cpu_features cpu_features;
extern struct cpumask cpus_online;

/* CPUID into cpu_features. Boot CPU, before anything else of x86/. */
void cpu_identify(void);
/* Set this CPU's control registers and MSRs. Its cpu_info must be in place. */
void cpu_init(void);
/*
 * Does SMAP work as the manual says? Else (QEMU 7.2) it is switched off and the log says so.
 * Once, on the boot CPU.
 */
void cpu_check_smap(void);

/* Map and fill CPU `cpu`'s area; it is then ready to have a stack there. 0 or -ENOMEM. */
int cpu_area_init(unsigned cpu);
/* Load this CPU's GDT, TSS and IDT. */
void cpu_load_tables(unsigned cpu);

/* An MSR that may not exist. False if it faulted. */
bool msr_read_safe(uint32_t msr, uint64_t *value);
bool msr_write_safe(uint32_t msr, uint64_t value);

/* -- paging.c -- */

/* Physical address of IMAGE_VIRT (boot/head.S). */
extern uint64_t image_phys;
extern char boot_l4[];
/*
 * Build our own page tables, with the image in them; RAM is added by machine_map(). Then use
 * them on the boot CPU.
 */
void paging_init(void);
void paging_load(void);
/* The entries of 4 KiB pages that map va, tables allocated as needed. NULL if out of memory. */
uint64_t *paging_entries(vaddr_t va);

/* -- tlb.c -- */
/* Do what other CPUs asked of our TLB. */
void tlb_serve(void);
/* -- smp.c -- */
/* Start the other CPUs; they wait until the second, which returns when all idle. */
void smp_start(void);
void smp_release(void);
_Noreturn void smp_cpu_main(unsigned cpu);
/* -- traps.c -- */
void traps_init(void);
/* The loop from which a CPU never returns: guests or waiting. */
_Noreturn void cpu_run(void);

#endif
