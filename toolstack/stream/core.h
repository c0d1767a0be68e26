/* SPDX-License-Identifier: MIT */
/*
 * A domain's memory and registers as an ELF core file, for gdb: the registers of each vCPU are a
 * thread of it (NT_PRSTATUS), and its pseudo-physical memory is two segments, which share their
 * bytes in the file: at the addresses of Linux's direct map, and at those of its kernel image.
 * More segments, into the same bytes, are what else its kernel has mapped: stacks, modules,
 * vmalloc (see core_map.h). p_paddr is the pseudo-physical address. Pages that are zero, or that
 * the guest does not have, are holes of the file. Page tables hold machine frame numbers, as the
 * guest's do.
 */
#ifndef STREAM_CORE_H
#define STREAM_CORE_H

#include "hyp/hyp.h"
#include "lib/error.h"
#include "stream/stream.h"

/* Where Linux (x86-64, without KASLR, as every PV guest is) has its physical memory and itself. */
#define CORE_DIRECT_MAP	  0xffff888000000000ull
#define CORE_KERNEL_IMAGE 0xffffffff80000000ull
#define CORE_KERNEL_MAX	  (512ull << 20)

/*
 * Write the domain, which stands still, to fd (a file, empty). progress->fn may stop it: see
 * struct core_request. 0, or -1 with err set (ERROR_FILE, ERROR_STATE: its P2M is not sound;
 * ERROR_HYPERCALL, ERROR_NO_MEMORY).
 */
struct core_request {
	/* Called with bytes done and all of them; non-zero with err set ends it. May be NULL. */
	int (*progress)(void *context, uint64_t done, uint64_t all, struct error *err);
	void *context;
};

int core_write(struct hyp *hyp, uint32_t domid, int fd, const struct core_request *request,
	       struct error *err);

#endif
