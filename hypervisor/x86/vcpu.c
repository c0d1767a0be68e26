/* SPDX-License-Identifier: MIT */
/*
 * A vCPU's registers on and off this CPU. What a guest cannot change behind our back is not
 * read back.
 */
#include "x86/vcpu.h"

#include "abi/errno.h"
#include "abi/xen.h"
#include "x86/cpu.h"
#include "x86/extable.h"
#include "x86/fpu.h"
#include "x86/insn.h"
#include "x86/machine.h"

#define READ_SELECTOR(reg) ({ uint16_t _s; asm volatile("mov %%" #reg ", %w0" : "=r"(_s)); _s; })

/* Load a selector that may be bad: then 0, which never is. */
#define LOAD_SELECTOR(reg, selector)                                                      \
	do {                                                                              \
		uint32_t _s = (selector);                                                 \
		asm volatile("1: mov %w0, %%" #reg "\n2:\n"                               \
			     ".pushsection .text.unlikely, \"ax\"\n3: xor %k0, %k0; jmp " \
			     "1b\n.popsection\n" EXTABLE(1b, 3b)                          \
			     : "+r"(_s));                                                 \
	} while (0)

struct cpu_regs *machine_guest_regs(void)
{
	return &this_cpu()->regs;
}

static void read_bases(struct machine_vcpu *mv)
{
	uint64_t active = rdmsr(MSR_GS_BASE), other = rdmsr(MSR_KERNEL_GS_BASE);

	mv->fs_base = rdmsr(MSR_FS_BASE);
	mv->gs_base_kernel = mv->kernel_mode ? active : other;
	mv->gs_base_user = mv->kernel_mode ? other : active;
}

static void write_bases(const struct machine_vcpu *mv)
{
	wrmsr(MSR_FS_BASE, mv->fs_base);
	wrmsr(MSR_GS_BASE, mv->kernel_mode ? mv->gs_base_kernel : mv->gs_base_user);
	wrmsr(MSR_KERNEL_GS_BASE, mv->kernel_mode ? mv->gs_base_user : mv->gs_base_kernel);
}

static void load_selectors(uint16_t ds, uint16_t es, uint16_t fs, uint16_t gs)
{
	if (ds | READ_SELECTOR(ds))
		LOAD_SELECTOR(ds, ds);
	if (es | READ_SELECTOR(es))
		LOAD_SELECTOR(es, es);
	if (fs | READ_SELECTOR(fs))
		LOAD_SELECTOR(fs, fs);
	if (gs | READ_SELECTOR(gs))
		LOAD_SELECTOR(gs, gs);
}

void machine_vcpu_save(struct machine_vcpu *mv)
{
	mv->regs = this_cpu()->regs;
	mv->ds = READ_SELECTOR(ds);
	mv->es = READ_SELECTOR(es);
	mv->fs = READ_SELECTOR(fs);
	mv->gs = READ_SELECTOR(gs);
	read_bases(mv);
	fpu_save(mv);
}

void machine_vcpu_load(struct machine_vcpu *mv)
{
	this_cpu()->regs = mv->regs;
	machine_vcpu_load_gdt(mv);
	machine_vcpu_load_ldt(mv);
	load_selectors(mv->ds, mv->es, mv->fs, mv->gs);
	write_bases(mv);
	fpu_load(mv);
	machine_vcpu_load_debug(mv);
}

void machine_vcpu_toggle_mode(struct machine_vcpu *mv)
{
	asm volatile("swapgs" : : : "memory");
	mv->kernel_mode = !mv->kernel_mode;
}

static uint32_t base_msr(const struct machine_vcpu *mv, unsigned which)
{
	if (which == SEGBASE_FS)
		return MSR_FS_BASE;
	return mv->kernel_mode == (which == SEGBASE_GS_KERNEL) ? MSR_GS_BASE : MSR_KERNEL_GS_BASE;
}

int machine_vcpu_set_base(struct machine_vcpu *mv, unsigned which, uint64_t value)
{
	uint32_t selector = (uint16_t)value;

	switch (which) {
	case SEGBASE_FS:
	case SEGBASE_GS_USER:
	case SEGBASE_GS_KERNEL:
		if (!canonical(value))
			return -EINVAL;
		wrmsr(base_msr(mv, which), value);
		return 0;
	case SEGBASE_GS_USER_SEL:
		/* The selector's base becomes the user's: swap, load, swap back. */
		if (mv->kernel_mode)
			asm volatile("swapgs" : : : "memory");
		LOAD_SELECTOR(gs, selector);
		if (mv->kernel_mode)
			asm volatile("swapgs" : : : "memory");
		return 0;
	}
	return -EINVAL;
}

uint64_t machine_vcpu_base(const struct machine_vcpu *mv, unsigned which)
{
	return rdmsr(base_msr(mv, which));
}

void machine_vcpu_load_selectors(struct machine_vcpu *mv, uint16_t ds, uint16_t es, uint16_t fs,
				 uint16_t gs)
{
	(void)mv;
	load_selectors(ds, es, fs, gs);
}

void machine_vcpu_take_debug_status(struct machine_vcpu *mv)
{
	uint64_t dr6;

	asm volatile("mov %%dr6, %0" : "=r"(dr6));
	mv->dr[6] |= dr6 & 0xe00f;
	asm volatile("mov %0, %%dr6" : : "r"(0xffff0ff0ul));
}

/* DR7 is ours (nothing enabled) unless the guest has something on. */
void machine_vcpu_load_debug(struct machine_vcpu *mv)
{
	struct cpu_info *me = this_cpu();
	uint64_t dr7 = mv->dr[7] & 0xff ? mv->dr[7] | 0x400 : 0x400;

	if (dr7 == 0x400 && me->dr7 == 0x400)
		return;
	asm volatile("mov %0, %%dr0" : : "r"(mv->dr[0]));
	asm volatile("mov %0, %%dr1" : : "r"(mv->dr[1]));
	asm volatile("mov %0, %%dr2" : : "r"(mv->dr[2]));
	asm volatile("mov %0, %%dr3" : : "r"(mv->dr[3]));
	asm volatile("mov %0, %%dr6" : : "r"(0xffff0ff0ul));
	asm volatile("mov %0, %%dr7" : : "r"(dr7));
	me->dr7 = dr7;
}
