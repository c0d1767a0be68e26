/* SPDX-License-Identifier: MIT */
/*
 * Hypervisor CPUID leaves. +0: eax the last leaf, ebx, ecx, edx the signature. +1: eax version
 * (major << 16 | minor). +2: eax hypercall pages, ebx their MSR, ecx features 1. +3: time (subleaf
 * 0: ebx TSC mode, ecx kHz, edx incarnation; 1: scale; 2: host kHz). +4: HVM. +5: ebx address
 * width.
 */
#ifndef ABI_CPUID_H
#define ABI_CPUID_H

#define XEN_CPUID_FIRST_LEAF	0x40000000
#define XEN_CPUID_LEAF(i)	(XEN_CPUID_FIRST_LEAF + (i))

#define XEN_CPUID_SIGNATURE_EBX	0x566e6558	/* "XenV" */
#define XEN_CPUID_SIGNATURE_ECX	0x65584d4d	/* "MMXe" */
#define XEN_CPUID_SIGNATURE_EDX	0x4d4d566e	/* "nVMM" */

#define XEN_CPUID_FEAT1_MMU_PT_UPDATE_PRESERVE_AD	(1u << 0)
#define XEN_HVM_CPUID_VCPU_ID_PRESENT			(1u << 3)
#define XEN_HVM_CPUID_DOMID_PRESENT			(1u << 4)
#define XEN_CPUID_MACHINE_ADDRESS_WIDTH_MASK		(0xffu << 0)
#define XEN_CPUID_MAX_NUM_LEAVES			5

#endif
