/* SPDX-License-Identifier: MIT */
/*
 * Where mm/'s tables are mapped (ARCHITECTURE.md, addresses); in the host's tests, where a process
 * can have them.
 */
#ifndef X86_WINDOWS_H
#define X86_WINDOWS_H

#if __STDC_HOSTED__
#define WINDOWS_BASE		0x0000200000000000ull
#else
#define WINDOWS_BASE		0xffff800000000000ull
#endif

#define M2P_GUEST_VA		WINDOWS_BASE			/* = MACH2PHYS_VIRT_START */
#define M2P_VA			(WINDOWS_BASE + 0x020000000000ull)
#define FRAME_TABLE_VA		(WINDOWS_BASE + 0x028000000000ull)

#endif
