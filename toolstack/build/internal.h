/* SPDX-License-Identifier: MIT */
/* What the steps of building a domain share: see build/build.c for their order. */
#ifndef BUILD_INTERNAL_H
#define BUILD_INTERNAL_H

#include "build/build.h"

struct builder {
	struct hyp *hyp;
	uint32_t domid;
	const struct image *image;
	const struct pv_plan *plan;
	const struct build_request *request;
	uint64_t *mfns;			/* machine frame of each of the guest's frames */
	uint64_t shared_info_mfn;
	uint64_t copied, to_copy;	/* bytes of files */
	void (*progress)(void *context, uint64_t done, uint64_t all);
	void *context;
	struct error *err;
};

/* All return 0, or -1 with b->err set. */

/* Give the domain its memory: fills b->mfns. Fresh memory is zero. */
int build_populate(struct builder *b);

/* Copy kernel and initrd to where the plan wants them. */
int build_copy(struct builder *b);

/*
 * Write the pages of the plan that are not of a file: P2M list, page tables, start_info, and
 * shared_info.
 */
int build_write(struct builder *b);

/* Let Domain-0 map the store's and the console's page: entries in the guest's grant table. */
int build_grant(struct builder *b);

#endif
