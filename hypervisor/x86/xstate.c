/* SPDX-License-Identifier: MIT */
/*
 * A vCPU's XSAVE area as a save file holds it (Intel SDM 1, 13.4: legacy area, header, components
 * in their standard places). What is taken is checked so that XRSTOR, which the hypervisor executes
 * for the guest, can't fault on it.
 */
#include "abi/errno.h"
#include "lib/string.h"
#include "x86/cpu.h"
#include "x86/fpu.h"
#include "x86/machine.h"
#include "x86/vcpu.h"

#define LEGACY_SIZE	512
#define HEADER_SIZE	64		/* XSTATE_BV, XCOMP_BV, and zeros in the standard form */
#define LEGACY_BITS	3ull		/* x87 and SSE */

size_t machine_xsave_size(void)
{
	return cpu_features.xsave ? cpu_features.xsave_size : 0;
}

uint64_t machine_xsave_features(void)
{
	return cpu_features.xsave ? cpu_features.xcr0 : 0;
}

void machine_vcpu_get_xsave(struct machine_vcpu *mv, void *image, uint64_t *xcr0)
{
	memcpy(image, mv->fpu, machine_xsave_size());
	*xcr0 = mv->xcr0;
}

/* Do the components of `bv` lie within the first `size` bytes of the area? */
static bool components_fit(uint64_t bv, size_t size)
{
	uint32_t part[4];

	for (unsigned i = 2; i < 64; i++) {
		if (!(bv >> i & 1))
			continue;
		machine_cpuid(0xd, i, part);
		if ((uint64_t)part[0] + part[1] > size)
			return false;
	}
	return true;
}

int machine_vcpu_set_xsave(struct machine_vcpu *mv, uint64_t xcr0, const void *image, size_t size)
{
	uint64_t header[HEADER_SIZE / 8];

	if (size < LEGACY_SIZE + HEADER_SIZE || size > machine_xsave_size() || !fpu_xcr0_ok(xcr0))
		return -EINVAL;
	memcpy(header, (const char *)image + LEGACY_SIZE, sizeof(header));
	if (header[0] & ~(xcr0 | LEGACY_BITS) || !components_fit(header[0], size))
		return -EINVAL;
	for (unsigned i = 1; i < HEADER_SIZE / 8; i++)
		if (header[i])
			return -EINVAL;
	machine_vcpu_set_fxsave(mv, image);	/* which keeps to the MXCSR bits that there are */
	memset((char *)mv->fpu + LEGACY_SIZE, 0, machine_xsave_size() - LEGACY_SIZE);
	memcpy((char *)mv->fpu + LEGACY_SIZE, (const char *)image + LEGACY_SIZE,
	       size - LEGACY_SIZE);
	mv->xcr0 = xcr0;
	return 0;
}
