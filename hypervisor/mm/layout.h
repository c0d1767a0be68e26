/* SPDX-License-Identifier: MIT */
/* Where mm/ lives in every address space, see ARCHITECTURE.md. Host tests put their own header of this name first. */
#ifndef MM_LAYOUT_H
#define MM_LAYOUT_H

#define M2P_GUEST_VA		0xffff800000000000ull	/* = MACH2PHYS_VIRT_START of abi/xen.h */
#define M2P_VA			0xffff820000000000ull
#define FRAME_TABLE_VA		0xffff828000000000ull

#endif
