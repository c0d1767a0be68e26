/* SPDX-License-Identifier: MIT */
/*
 * The plan of a PV guest's initial memory: which pseudo-physical frame and virtual address each
 * part gets, from the kernel's ELF notes and a few sizes. Pure: it touches no memory but its
 * arguments, so that the hypervisor (for Domain-0) and the toolstack (for the others) share it. No
 * lock, no state.
 *
 * Follows "Start-of-day memory layout" of Xen's public header xen.h. What each pv_kernel_parse()
 * accepts lies outside the hypervisor's reserved range, does not wrap, and what pv_plan_make()
 * accepts fits into the guest's memory:
 *
 *	pfn 0                                              mapped       used  nr_pages
 *	| .. kernel initrd p2m start_info rings tables stack slack | initrd p2m | free |
 *	|           (1)    (2)                                     | (3)    (4)
 *	`-- at virt_base, 4 KiB mappings, writable but for the tables
 *
 * 1, 3: an initrd lies outside, unmapped, if the kernel has MOD_START_PFN; 2, 4: the P2M list lies
 * outside, mapped at INIT_P2M with tables of its own behind it, if the kernel has that note. The
 * slack is 512 KiB at least, and virt_base + mapped is 4 MiB aligned.
 */
#ifndef LIB_PVIMAGE_H
#define LIB_PVIMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/xen.h"
#include "lib/elf.h"

/* What a PV kernel wants, from its notes. Frames are pseudo-physical. */
struct pv_kernel {
	uint64_t entry;			/* virtual */
	uint64_t virt_base;		/* of pseudo-physical 0 */
	uint64_t paddr_offset; /* ELF physical address - paddr_offset = pseudo-physical address */
	uint64_t first_pfn, end_pfn;	/* the frames that its segments cover */
	uint64_t init_p2m;		/* virtual, if has_init_p2m */
	uint64_t hypercall_pfn;		/* if has_hypercall_page */
	bool has_init_p2m;
	bool has_hypercall_page;
	bool initrd_by_pfn;		/* MOD_START_PFN */
	bool suspend_cancel;
	uint32_t supported_features;	/* SUPPORTED_FEATURES: 1 << XENFEAT_* */
};

/*
 * Read the Xen notes of a sound ELF file and check them against its segments. 0, or -ENOEXEC (-8)
 * and *why, a sentence fragment ("it has no Xen notes ...").
 */
int pv_kernel_parse(struct pv_kernel *kernel, const struct elf_file *elf, const char **why);

/* The pseudo-physical address at which a segment of the kernel begins. */
uint64_t pv_kernel_segment_start(const struct pv_kernel *kernel, const struct elf_segment *segment);

/* nr frames from pfn on; nr is 0 for a part that is not there. */
struct pv_part {
	uint64_t pfn;
	uint64_t nr;
};

/*
 * Page tables that map [start, end), 2 MiB per L1 table, by level: 4 (only one, in boot) to 1, in
 * ascending pfn order.
 */
struct pv_tables {
	uint64_t start, end;
	uint64_t first_pfn;		/* the pfn that is mapped at start */
	uint64_t nr_mapped; /* frames that are mapped, the rest up to end is not present */
	struct pv_part level[5];	/* [1] to [4] */
};

struct pv_request {
	uint64_t nr_pages;		/* the guest's memory */
	uint64_t initrd_size;		/* bytes, 0 if there is none */
	bool rings;			/* store and console pages: for every guest but Domain-0 */
};

struct pv_plan {
	struct pv_request request;
	struct pv_kernel kernel;
	struct pv_part initrd, p2m, start_info, store, console, stack;
	struct pv_tables boot;		/* the L4, and what maps the initial region */
	struct pv_tables list;		/* L3 to L1 for a P2M list at INIT_P2M, else empty */
	uint64_t nr_boot_tables;	/* frames of boot, from boot.level[4].pfn on */
	uint64_t nr_tables;		/* frames of boot and of list */
	uint64_t used;			/* frames from here on belong to no part */
	uint64_t initrd_start;		/* start_info.mod_start */
	uint64_t p2m_va, start_info_va, stack_va;	/* stack_va: the initial rsp */
};

/*
 * Plan the memory. 0, or -ENOMEM (-12) and *why if the parts don't fit into nr_pages frames,
 * -EINVAL (-22) and *why if what the notes want collides.
 */
int pv_plan_make(struct pv_plan *plan, const struct pv_kernel *kernel,
		 const struct pv_request *request, const char **why);

/* The frame of the i-th page table, 0 <= i < plan->nr_tables; 0 is the L4. */
uint64_t pv_plan_table_pfn(const struct pv_plan *plan, uint64_t i);

/*
 * Write the 512 entries of the i-th page table. mfn_of(context, pfn) gives the machine frame number
 * of a frame of the guest; it is asked about frames below plan->used, or below nr_pages for those
 * of the initial region.
 */
void pv_plan_fill_table(const struct pv_plan *plan, uint64_t i, uint64_t entries[512],
			uint64_t (*mfn_of)(void *context, uint64_t pfn), void *context);

/*
 * Fill in what the plan knows of a zeroed start_info: nr_pages, pt_base, nr_pt_frames, mfn_list,
 * mod_start, mod_len, first_p2m_pfn, nr_p2m_frames and SIF_MOD_START_PFN in flags.
 */
void pv_plan_fill_start_info(const struct pv_plan *plan, struct start_info *info);

#endif
