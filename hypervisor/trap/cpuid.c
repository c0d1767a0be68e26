/* SPDX-License-Identifier: MIT */
/*
 * The CPUID policy: the CPU's own leaves less what a deprivileged kernel can't use, plus the
 * hypervisor's leaves. A row names what is taken away; bits that CPUs yet to come define are hidden
 * in the leaves where they could be privileged. Bits: SDM 2A CPUID, APM 3 appendix E; leaves
 * 0x40000000 and up: abi/cpuid.h.
 */
#include "abi/xen.h"
#include "domain/version.h"
#include "trap/trap.h"
#include "x86/machine.h"

enum { EAX, EBX, ECX, EDX };

#define B(n) (1u << (n))

#define FIRST_EXTENDED	 0x80000000u
#define LAST_EXTENDED	 0x80000021u
#define NULL_CLEARS_BASE B(6) /* of leaf 0x80000021 eax */

/* Kept of a register: everything in `keep`, set on top: `set`. */
struct rule {
	uint32_t leaf, subleaf;
	uint8_t reg;
	uint32_t keep, set;
};

static const struct rule rules[] = {
	/* leaf 1 ecx: no DTES64, MONITOR, DS-CPL, VMX, SMX, EIST, TM2, SDBG, xTPR, PDCM, PCID, DCA,
	   x2APIC, TSC deadline */
	{ 1, 0, ECX,
	  ~(B(2) | B(3) | B(4) | B(5) | B(6) | B(7) | B(8) | B(11) | B(14) | B(15) | B(17) | B(18) |
	    B(21) | B(24)),
	  B(31) },
	/* leaf 1 edx: no VME, PSE, MCE, MTRR, PGE, MCA, PSE36, PSN, DS, ACPI, TM, PBE */
	{ 1, 0, EDX,
	  ~(B(1) | B(3) | B(7) | B(12) | B(13) | B(14) | B(17) | B(18) | B(21) | B(22) | B(29) |
	    B(31)),
	  0 },
	/* leaf 7 ebx: no FSGSBASE, TSC_ADJUST, SGX, SMEP, INVPCID, PQM, MPX, RDT, SMAP, PT */
	{ 7, 0, EBX, ~(B(0) | B(1) | B(2) | B(7) | B(10) | B(12) | B(14) | B(15) | B(20) | B(25)),
	  0 },
	/* leaf 7 ecx: the vector and cipher extensions, CLDEMOTE, MOVDIRI, MOVDIR64B */
	{ 7, 0, ECX,
	  B(1) | B(6) | B(8) | B(9) | B(10) | B(11) | B(12) | B(14) | B(25) | B(27) | B(28), 0 },
	/* leaf 7 edx: AVX512 4VNNIW 4FMAPS, FSRM, VP2INTERSECT, MD_CLEAR, SERIALIZE */
	{ 7, 0, EDX, B(2) | B(3) | B(4) | B(8) | B(10) | B(14), 0 },
	/* leaf 7.1 eax: AVX-VNNI, AVX512-BF16, FZRM, FSRS, FSRC */
	{ 7, 1, EAX, B(4) | B(5) | B(10) | B(11) | B(12), 0 },
	{ 7, 1, EBX, 0, 0 },
	{ 7, 1, ECX, 0, 0 },
	{ 7, 1, EDX, 0, 0 },
	/* 0xd.1 eax: XSAVEOPT, XSAVEC, XGETBV; supervisor states are not for guests */
	{ 0xd, 1, EAX, B(0) | B(1) | B(2), 0 },
	{ 0xd, 1, ECX, 0, 0 },
	{ 0xd, 1, EDX, 0, 0 },
	/* 0x80000001 ecx: no SVM, extended APIC, OSVW, IBS, SKINIT, WDT, LWP, NODEID, TOPOEXT,
	   PERFCTR, MONITORX */
	{ 0x80000001, 0, ECX,
	  ~(B(2) | B(3) | B(9) | B(10) | B(12) | B(13) | B(15) | B(19) | B(22) | B(23) | B(24) |
	    B(26) | B(27) | B(28) | B(29)),
	  0 },
	/* 0x80000001 edx: no VME, PSE, MCE, MTRR, PGE, MCA, PSE36, FFXSR, 1-GiB pages, RDTSCP;
	   SYSCALL always */
	{ 0x80000001, 0, EDX,
	  ~(B(1) | B(3) | B(7) | B(12) | B(13) | B(14) | B(17) | B(25) | B(26) | B(27)), B(11) },
	/* 0x80000007: invariant TSC alone */
	{ 0x80000007, 0, EAX, 0, 0 },
	{ 0x80000007, 0, EBX, 0, 0 },
	{ 0x80000007, 0, ECX, 0, 0 },
	{ 0x80000007, 0, EDX, B(8), 0 },
	/* 0x80000008 ebx: CLZERO, XSAVEERPTR, WBNOINVD; speculation controls are ours */
	{ 0x80000008, 0, EBX, B(0) | B(2) | B(9), 0 },
	/* 0x80000021 eax: no nested data breakpoints, LFENCE serialises, null clears the base; ecx:
	   not subject to TSA */
	{ LAST_EXTENDED, 0, EAX, B(0) | B(2) | NULL_CLEARS_BASE, 0 },
	{ LAST_EXTENDED, 0, EBX, 0, 0 },
	{ LAST_EXTENDED, 0, ECX, B(1) | B(2), 0 },
	{ LAST_EXTENDED, 0, EDX, 0, 0 },
};

static void hypervisor_leaf(const struct vcpu *v, uint32_t leaf, uint32_t out[4])
{
	switch (leaf - 0x40000000) {
	case 0:
		out[EAX] = 0x40000005;
		out[EBX] = 0x566e6558; /* "XenVMMXenVMM" */
		out[ECX] = 0x65584d4d;
		out[EDX] = 0x4d4d566e;
		break;
	case 1:
		out[EAX] = ABI_VERSION_MAJOR << 16 | ABI_VERSION_MINOR;
		break;
	case 2:
		out[EAX] = 1; /* hypercall pages, by MSR 0x40000000 */
		out[EBX] = 0x40000000;
		out[ECX] = B(0); /* MMU_PT_UPDATE_PRESERVE_AD */
		break;
	case 3:
		out[EAX] = machine_ticks_stable() ? B(1) | B(2)
						  : 0; /* the host's TSC is safe and reliable */
		out[ECX] = (uint32_t)machine_ticks_khz();
		break;
	case 4:
		out[ECX] = v->domain->id;
		break;
	case 5:
		out[EBX] = machine_paddr_bits();
		break;
	}
}

/* What depends on this vCPU's state. */
static void dynamic(const struct vcpu *v, uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
	switch (leaf) {
	case 1:
		out[EBX] = (out[EBX] & 0xffff) | v->id << 25 |
			   1u << 16; /* APIC id, one logical CPU each */
		/* OSXSAVE (bit 27) shows the guest's CR4; XSAVE is on for every guest of a CPU that
		 * has it. */
		out[ECX] &= ~B(27);
		if (out[ECX] & B(26))
			out[ECX] |= B(27);
		break;
	case 7:
		if (subleaf == 0)
			out[EAX] = out[EAX] ? 1 : 0;
		if (subleaf == 0 && !machine_fast_byte_strings()) {
			out[EBX] &= ~B(9);	/* ERMS */
			out[EDX] &= ~B(4);	/* FSRM */
		}
		break;
	case 0xd:
		if (subleaf < 2)
			machine_vcpu_xsave_leaf(&v->machine, subleaf, out);
		break;
	case FIRST_EXTENDED:
		if (machine_null_clears_base())
			out[EAX] = max(out[EAX], LAST_EXTENDED);
		break;
	case LAST_EXTENDED:
		if (machine_null_clears_base())
			out[EAX] |= NULL_CLEARS_BASE;
		break;
	}
}

/* The CPU's own, nothing for extended leaves that it has not. */
static void cpu_leaf(uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
	uint32_t first[4];

	if (leaf > FIRST_EXTENDED) {
		machine_cpuid(FIRST_EXTENDED, 0, first);
		if (leaf > first[EAX])
			return;
	}
	machine_cpuid(leaf, subleaf, out);
}

void trap_cpuid(const struct vcpu *v, uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
	out[EAX] = out[EBX] = out[ECX] = out[EDX] = 0;
	if (leaf >= 0x40000000 && leaf <= 0x400000ff) {
		hypervisor_leaf(v, leaf, out);
		return;
	}
	switch (leaf) {
	case 5:
	case 6:
	case 0xa:
	case 0xf:
	case 0x10:
	case 0x12:
	case 0x14:
	case 0x17:
	case 0x1b:
	case 0x1c:
	case 0x23:
	case 0x8000000a:
	case 0x8000001b:
	case 0x8000001d:
	case 0x8000001e:
	case 0x8000001f:
		return; /* power, PMU, SGX, PT, SVM, IBS, topology of the host, SEV */
	}
	cpu_leaf(leaf, subleaf, out);
	for (unsigned i = 0; i < ARRAY_SIZE(rules); i++)
		if (rules[i].leaf == leaf &&
		    (rules[i].subleaf == subleaf || (leaf != 7 && leaf != 0xd)))
			out[rules[i].reg] = (out[rules[i].reg] & rules[i].keep) | rules[i].set;
	dynamic(v, leaf, subleaf, out);
}
