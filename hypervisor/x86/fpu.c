/* SPDX-License-Identifier: MIT */
/*
 * FPU state is switched eagerly: registers never hold a vCPU's state while another runs, so
 * that nothing is left for speculation to read, and Linux uses the FPU in every time slice
 * anyway. The price is low: what the CPU knows to be unused is not saved (XSAVEOPT), nothing is
 * restored when a vCPU comes back to a CPU that only idled meanwhile, and the hypervisor itself
 * never touches these registers. Areas: Intel SDM 1, 13.4.
 */
#include "x86/fpu.h"

#include "abi/errno.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "x86/cpu.h"
#include "x86/extable.h"
#include "x86/insn.h"
#include "x86/machine.h"

#define FXSAVE_SIZE	512
#define HEADER		512		/* XSTATE_BV is the first word of the XSAVE header */
#define FCW		0		/* in the legacy area */
#define MXCSR		24
#define MXCSR_MASK	28
#define X87		32		/* the registers */
#define XMM		160
#define XSTATE_LEGACY	3ull		/* x87 and SSE */

static void set_ts(struct cpu_info *me, bool ts)
{
	if (me->ts == ts)
		return;
	if (ts)
		write_cr0(read_cr0() | CR0_TS);
	else
		asm volatile("clts" : : : "memory");
	me->ts = ts;
}

/*
 * x87 and SSE are always in: a guest that has not asked for them can use them all the same, so
 * they must be saved.
 */
static void load_xcr0(struct cpu_info *me, uint64_t guest)
{
	uint64_t xcr0 = guest | XSTATE_LEGACY;

	if (!cpu_features.xsave || me->xcr0 == xcr0)
		return;
	asm volatile("xsetbv" : : "c"(0), "a"((uint32_t)xcr0), "d"((uint32_t)(xcr0 >> 32)));
	me->xcr0 = xcr0;
}

static void save(void *area)
{
	if (cpu_features.xsaveopt)
		asm volatile("xsaveopt64 (%0)" : : "r"(area), "a"(~0u), "d"(~0u) : "memory");
	else if (cpu_features.xsave)
		asm volatile("xsave64 (%0)" : : "r"(area), "a"(~0u), "d"(~0u) : "memory");
	else
		asm volatile("fxsave64 (%0)" : : "r"(area) : "memory");
}

static void restore(const void *area)
{
	if (cpu_features.xsave)
		asm volatile("xrstor64 (%0)" : : "r"(area), "a"(~0u), "d"(~0u) : "memory");
	else
		asm volatile("fxrstor64 (%0)" : : "r"(area) : "memory");
}

void fpu_save(struct machine_vcpu *mv)
{
	set_ts(this_cpu(), false);
	save(mv->fpu);
}

void fpu_load(struct machine_vcpu *mv)
{
	struct cpu_info *me = this_cpu();

	set_ts(me, false);
	load_xcr0(me, mv->xcr0);
	if (me->fpu_owner != mv || mv->fpu_cpu != me->cpu) {
		restore(mv->fpu);
		me->fpu_owner = mv;
		mv->fpu_cpu = me->cpu;
	}
	set_ts(me, mv->ts);
}

void fpu_set_xcr0(struct machine_vcpu *mv, uint64_t xcr0)
{
	struct cpu_info *me = this_cpu();

	mv->xcr0 = xcr0;
	set_ts(me, false);
	save(mv->fpu);
	/* XRSTOR faults on components that XCR0 has no more */
	if (cpu_features.xsave)
		*(uint64_t *)((char *)mv->fpu + HEADER) &= xcr0 | XSTATE_LEGACY;
	load_xcr0(me, xcr0);
	restore(mv->fpu);
	set_ts(me, mv->ts);
}

void machine_vcpu_set_ts(struct machine_vcpu *mv, bool ts)
{
	mv->ts = ts;
	set_ts(this_cpu(), ts);
}

/* With eager switching the state is there already; only TS may stand in the way. */
void machine_vcpu_fpu_own(struct machine_vcpu *mv)
{
	set_ts(this_cpu(), mv->ts);
}

static uint32_t *word(struct machine_vcpu *mv, unsigned offset)
{
	return (uint32_t *)((char *)mv->fpu + offset);
}

int machine_vcpu_init(struct machine_vcpu *mv)
{
	mv->fpu = heap_alloc(cpu_features.xsave ? cpu_features.xsave_size : FXSAVE_SIZE);
	if (!mv->fpu)
		return -ENOMEM;
	mv->fpu_cpu = CPU_MAX;
	mv->xcr0 = cpu_features.xsave ? 1 : 0;	/* as after reset */
	*word(mv, FCW) = 0x37f;
	*word(mv, MXCSR) = 0x1f80;
	for (unsigned i = 0; i < GDT_GUEST_FRAMES; i++)
		mv->gdt[i] = MFN_NONE;
	for (unsigned i = 0; i < LDT_MAX_FRAMES; i++)
		mv->ldt[i] = MFN_NONE;
	return 0;
}

/*
 * No CPU may believe that its registers still hold a vCPU which comes later at the same
 * address: fpu_cpu says so.
 */
void machine_vcpu_free(struct machine_vcpu *mv)
{
	mv->fpu_cpu = CPU_MAX;
	heap_free(mv->fpu);
	mv->fpu = NULL;
}

/* Which bits MXCSR has: what FXSAVE says, or the architecture's default if it says nothing. */
static uint32_t mxcsr_mask(void)
{
	static uint8_t image[FXSAVE_SIZE] __attribute__((aligned(16)));
	static uint32_t mask;

	if (!mask) {
		asm volatile("fxsave64 %0" : "+m"(image));
		memcpy(&mask, image + MXCSR_MASK, sizeof(mask));
		mask = mask ? mask : 0xffbf;
	}
	return mask;
}

void machine_vcpu_set_fxsave(struct machine_vcpu *mv, const void *image)
{
	memcpy(mv->fpu, image, FXSAVE_SIZE);
	*word(mv, MXCSR) &= mxcsr_mask();
	if (cpu_features.xsave)
		*(uint64_t *)((char *)mv->fpu + HEADER) |= XSTATE_LEGACY;
	mv->fpu_cpu = CPU_MAX;
}

/* Components that XSAVEOPT left out, as they were in their initial state, are old in the area. */
void machine_vcpu_get_fxsave(struct machine_vcpu *mv, void *image)
{
	uint64_t bv = cpu_features.xsave ? *(uint64_t *)((char *)mv->fpu + HEADER) : XSTATE_LEGACY;
	char *to = image;

	memcpy(image, mv->fpu, FXSAVE_SIZE);
	if (!(bv & 1)) {
		memset(to, 0, MXCSR);
		memset(to + X87, 0, XMM - X87);
		*(uint16_t *)(to + FCW) = 0x37f;
	}
	if (!(bv & 2))
		memset(to + XMM, 0, FXSAVE_SIZE - XMM);
}
