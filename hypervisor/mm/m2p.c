/* SPDX-License-Identifier: MIT */
/*
 * The machine-to-physical table: for each RAM frame the number that its owner calls it by; ~0:
 * none. Words change atomically, no lock.
 */
#include "mm/frame.h"

static uint64_t *m2p_entry(mfn_t mfn)
{
	return (uint64_t *)(uintptr_t)M2P_VA + mfn.n;
}

uint64_t mm_m2p(mfn_t mfn)
{
	return frame_of(mfn) ? __atomic_load_n(m2p_entry(mfn), __ATOMIC_RELAXED) : ~0ull;
}

void mm_m2p_set(mfn_t mfn, uint64_t pfn)
{
	if (frame_of(mfn))
		__atomic_store_n(m2p_entry(mfn), pfn, __ATOMIC_RELAXED);
}
