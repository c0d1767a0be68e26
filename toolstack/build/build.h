/* SPDX-License-Identifier: MIT */
/*
 * Builds a PV guest in a domain that exists, has its vCPUs and its memory limit: memory, kernel,
 * initrd, page tables, start_info and the state of vCPU 0. The plan is made before there is a
 * domain (build_plan), the work is done on it after (build_domain); whoever calls destroys the
 * domain if that fails. No state, one thread per hyp.
 */
#ifndef BUILD_BUILD_H
#define BUILD_BUILD_H

#include <stdint.h>

#include "build/image.h"
#include "hyp/hyp.h"
#include "lib/error.h"
#include "lib/pvimage.h"

struct build_request {
	const char *cmdline;		/* NULL: none */
	uint64_t memory_max_kib;	/* what the guest may have later: its memory map */
	uint32_t store_port;		/* the guest's ends of its two event channels */
	uint32_t console_port;
};

/* The two pages that the guest shares with Domain-0: machine frames. */
struct build_result {
	uint64_t store_mfn;
	uint64_t console_mfn;
};

/*
 * Plan the image into memory_kib. 0, or -1 and err (ERROR_KERNEL) if it does not fit or collides.
 */
int build_plan(struct pv_plan *plan, const struct image *image, uint64_t memory_kib,
	       struct error *err);

/*
 * Do it. progress, if not NULL, is called with the bytes of kernel and initrd copied so far and in
 * all. 0, or -1 and err (ERROR_NO_MEMORY, ERROR_FILE, ERROR_HYPERCALL).
 */
int build_domain(struct hyp *hyp, uint32_t domid, const struct image *image,
		 const struct pv_plan *plan, const struct build_request *request,
		 struct build_result *result,
		 void (*progress)(void *context, uint64_t done, uint64_t all), void *context,
		 struct error *err);

#endif
