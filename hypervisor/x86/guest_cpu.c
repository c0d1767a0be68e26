/* SPDX-License-Identifier: MIT */
/*
 * What guests may set of control registers: CR4 is a belief of theirs (the real one is ours),
 * XCR0 is loaded.
 */
#include "x86/cpu.h"
#include "x86/fpu.h"
#include "x86/machine.h"
#include "x86/vcpu.h"

#define CR4_DE		(1u << 3)
#define CR4_MCE		(1u << 6)
#define CR4_PGE		(1u << 7)
#define CR4_OSFXSR	(1u << 9)
#define CR4_OSXMMEXCPT	(1u << 10)
#define CR4_OSXSAVE	(1u << 18)
#define CR4_GUEST	(CR4_DE | CR4_MCE | CR4_PGE | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_OSXSAVE)

#define XCR0_X87	(1u << 0)
#define XCR0_SSE	(1u << 1)
#define XCR0_AVX	(1u << 2)
#define XCR0_AVX512	(7u << 5)

void machine_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
	asm volatile("cpuid"
		     : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3])
		     : "0"(leaf), "2"(subleaf));
}

bool machine_null_clears_base(void)
{
	return cpu_features.null_clears_base;
}

bool machine_fast_byte_strings(void)
{
	return cpu_features.fast_byte_strings;
}

bool machine_vcpu_set_cr4(struct machine_vcpu *mv, uint64_t cr4)
{
	if (cr4 & ~(uint64_t)CR4_GUEST)
		return false;
	mv->cr4 = cr4;
	return true;
}

static bool xsave(void)
{
	uint32_t out[4];

	machine_cpuid(1, 0, out);
	return out[2] >> 27 & 1;	/* OSXSAVE: we enabled it */
}

bool fpu_xcr0_ok(uint64_t xcr0)
{
	uint32_t out[4];

	if (!xsave())
		return false;
	machine_cpuid(0xd, 0, out);
	if (!(xcr0 & XCR0_X87) || (xcr0 & ~((uint64_t)out[3] << 32 | out[0])))
		return false;
	if (xcr0 & ~(uint64_t)(XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_AVX512))
		return false;
	if (((xcr0 & XCR0_AVX) && !(xcr0 & XCR0_SSE)) ||
	    ((xcr0 & XCR0_AVX512) && !(xcr0 & XCR0_AVX)) ||
	    ((xcr0 & XCR0_AVX512) && (xcr0 & XCR0_AVX512) != XCR0_AVX512))
		return false;
	return true;
}

bool machine_vcpu_set_xcr0(struct machine_vcpu *mv, uint64_t xcr0)
{
	if (!fpu_xcr0_ok(xcr0))
		return false;
	fpu_set_xcr0(mv, xcr0);
	return true;
}

void machine_vcpu_xsave_leaf(const struct machine_vcpu *mv, unsigned subleaf, uint32_t out[4])
{
	uint32_t end = 576;		/* legacy area and XSAVE header: SDM 1, 13.4 */
	uint32_t part[4];

	if (!xsave()) {
		out[0] = out[1] = out[2] = out[3] = 0;
		return;
	}
	for (unsigned i = 2; i < 8; i++) {
		if (!(mv->xcr0 >> i & 1))
			continue;
		machine_cpuid(0xd, i, part);
		end = max(end, part[0] + part[1]);
	}
	out[1] = end;
	if (subleaf == 0) {
		/* What guests may enable, and the area for all of it. */
		out[0] &= XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_AVX512;
		out[3] = 0;
		out[2] = 576;
		for (unsigned i = 2; i < 8; i++) {
			if (!(out[0] >> i & 1))
				continue;
			machine_cpuid(0xd, i, part);
			out[2] = max(out[2], part[0] + part[1]);
		}
	}
}
