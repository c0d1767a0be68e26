/* SPDX-License-Identifier: MIT */
/* What the files that write an image share. */
#ifndef STREAM_SAVE_H
#define STREAM_SAVE_H

#include "hyp/hyp.h"
#include "lib/error.h"
#include "stream/out.h"
#include "stream/p2m.h"

struct saver {
	struct hyp *hyp;
	uint32_t domid;
	struct stream_out *out;
	struct error *err;
	struct xen_domctl_getdomaininfo info;
	struct p2m p2m;
	_Alignas(8) uint8_t shared[HYP_PAGE_SIZE];	/* a copy of shared_info */
};

/* All return 0, or -1 with s->err set. */

int save_write(struct saver *s, const void *data, size_t len);
/* A record of a head and a body, either may be empty. */
int save_record(struct saver *s, uint32_t type, const void *head, size_t head_len,
		const void *body, size_t len);
/* The records of all vCPUs that are online. */
int save_vcpus(struct saver *s);

#endif
