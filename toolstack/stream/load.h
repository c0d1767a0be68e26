/* SPDX-License-Identifier: MIT */
/* What the files that read an image share. */
#ifndef STREAM_LOAD_H
#define STREAM_LOAD_H

#include "stream/format.h"
#include "stream/p2m.h"
#include "stream/stream.h"

#define CONTEXTS (1 + HYP_VCPU_PARTS)	/* BASIC, then enum hyp_vcpu_part */

/* The records of one vCPU. */
struct vcpu_record {
	void *context[CONTEXTS];	/* NULL: not in the image */
	uint32_t size[CONTEXTS];
};

struct loader {
	struct hyp *hyp;
	uint32_t domid;
	struct stream_in *in;
	const struct stream_request *request;
	struct stream_result *result;
	const struct stream_progress *progress;
	struct error *err;
	bool has_info, has_shared, has_tsc, ended;
	uint64_t nr;		/* PFNs; 0 before P2M_FRAMES */
	uint64_t limit;		/* pages that the domain may have */
	uint64_t populated;
	uint64_t *mfn;		/* [nr], NO_FRAME where nothing is yet */
	uint8_t *type;		/* [nr], of the page as it came last */
	uint64_t *list;		/* [nr_list]: PFNs of the P2M's pages */
	uint64_t nr_list;
	struct tsc_info tsc;
	struct vcpu_record *vcpu;	/* [request->vcpus_max] */
	_Alignas(8) uint8_t shared[HYP_PAGE_SIZE];
};

/* All return 0, or -1 with l->err set. */

int load_read(struct loader *l, void *buf, size_t len);
/* The image is not what it should be: what, a sentence. */
int load_damaged(struct loader *l, const char *what);
int load_refused(struct loader *l, const char *what, int rc);
/* Map n of the guest's frames to be written. */
int load_map(struct loader *l, const uint64_t *mfns, unsigned n, void **va);

/* load_pages.c: the bodies of these records, of this length. */
int load_p2m_frames(struct loader *l, uint32_t length);
int load_page_data(struct loader *l, uint32_t length);

/* load_finish.c: when all records have come. */
int load_finish(struct loader *l);

/* load_vcpu.c: a VCPU_* record; and giving the vCPUs their state. */
int load_vcpu_record(struct loader *l, uint32_t type, uint32_t length);
int load_vcpus(struct loader *l);
/* The PFN of start_info, as vCPU 0 names it. */
int load_start_info_pfn(struct loader *l, uint64_t *pfn);

#endif
