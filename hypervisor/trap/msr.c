/* SPDX-License-Identifier: MIT */
/*
 * Model-specific registers as a guest sees them: a short list, everything else is #GP, which
 * Linux's safe accessors expect. Nothing here reaches the CPU's registers but segment bases, so
 * nothing of ours (or another guest's) can be read or set.
 */
#include "abi/xen.h"
#include "trap/emulate.h"
#include "x86/machine.h"

#define MSR_TSC		   0x10
#define MSR_APIC_BASE	   0x1b
#define MSR_UCODE_REV	   0x8b
#define MSR_MISC_ENABLE	   0x1a0
#define MSR_PAT		   0x277
#define MSR_EFER	   0xc0000080
#define MSR_FS_BASE	   0xc0000100
#define MSR_GS_BASE	   0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102

#define APIC_BASE_VALUE	  0xfee00800ull /* enabled, where everyone expects it */
#define APIC_BASE_BSP	  0x100
#define EFER_VALUE	  0xd01ull  /* SCE LME LMA NXE */
#define MISC_ENABLE_VALUE 0x1801ull /* fast strings; no BTS, no PEBS */

bool emulate_msr_read(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	switch (msr) {
	case MSR_TSC:
		*value = machine_ticks();
		break;
	case MSR_APIC_BASE:
		*value = APIC_BASE_VALUE | (v->id == 0 ? APIC_BASE_BSP : 0);
		break;
	case MSR_UCODE_REV:
		*value = 0;
		break;
	case MSR_MISC_ENABLE:
		*value = MISC_ENABLE_VALUE;
		break;
	case MSR_PAT:
		*value = MACHINE_PAT;
		break;
	case MSR_EFER:
		*value = EFER_VALUE;
		break;
	case MSR_FS_BASE:
		*value = machine_vcpu_base(&v->machine, SEGBASE_FS);
		break;
	case MSR_GS_BASE:
		*value = machine_vcpu_base(&v->machine, SEGBASE_GS_KERNEL);
		break;
	case MSR_KERNEL_GS_BASE:
		*value = machine_vcpu_base(&v->machine, SEGBASE_GS_USER);
		break;
	default:
		return false;
	}
	return true;
}

bool emulate_msr_write(struct vcpu *v, uint32_t msr, uint64_t value)
{
	uint64_t now;

	switch (msr) {
	case MSR_FS_BASE:
		return machine_vcpu_set_base(&v->machine, SEGBASE_FS, value) == 0;
	case MSR_GS_BASE:
		return machine_vcpu_set_base(&v->machine, SEGBASE_GS_KERNEL, value) == 0;
	case MSR_KERNEL_GS_BASE:
		return machine_vcpu_set_base(&v->machine, SEGBASE_GS_USER, value) == 0;
	case MSR_UCODE_REV:
		return value == 0; /* the architectural way to ask for the revision */
	case MSR_APIC_BASE:
	case MSR_MISC_ENABLE:
	case MSR_PAT:
	case MSR_EFER:
		/* What it is already may be written. */
		return emulate_msr_read(v, msr, &now) && now == value;
	default:
		return false;
	}
}
