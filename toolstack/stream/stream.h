/* SPDX-License-Identifier: MIT */
/*
 * A guest's memory and vCPUs as a domain image (stream/format.h), out of a domain and into one. The
 * envelope around it is envelope.h's. No state; one thread per hyp.
 *
 * Saving: the domain has suspended and stands still, but is hostile: whatever it says of itself is
 * checked against what the hypervisor says. Restoring: the image is hostile too; what the
 * hypervisor does not check by itself (page tables, vCPUs) is checked here.
 */
#ifndef STREAM_STREAM_H
#define STREAM_STREAM_H

#include "hyp/hyp.h"
#include "lib/error.h"
#include "stream/in.h"
#include "stream/out.h"

/* Called with the bytes of the guest's memory that are done, and all of them. fn may be NULL. */
struct stream_progress {
	void (*fn)(void *context, uint64_t done, uint64_t all);
	void *context;
};

/*
 * Write the domain's image. 0, or -1 with err set (ERROR_FILE: it cannot be written;
 * ERROR_STATE: the guest is not in a state that can be saved; ERROR_HYPERCALL, ERROR_NO_MEMORY).
 * The domain is not changed.
 */
int stream_save(struct hyp *hyp, uint32_t domid, struct stream_out *out,
		const struct stream_progress *progress, struct error *err);

struct stream_request {
	uint64_t memory_max_kib;	/* what the guest may have at most */
	uint64_t memory_kib;		/* what it has, for progress */
	unsigned vcpus_max;
	uint32_t store_port;		/* the guest's ends of its two event channels */
	uint32_t console_port;
};

/* The two pages that the guest shares with Domain-0: machine frames. */
struct stream_result {
	uint64_t store_mfn;
	uint64_t console_mfn;
};

/*
 * Read an image into a new domain that has its vCPUs and its limit. 0, or -1 with err set
 * (ERROR_SAVE_FILE and ERROR_FILE: the image; ERROR_HYPERCALL, ERROR_NO_MEMORY); whoever calls
 * destroys the domain then.
 */
int stream_load(struct hyp *hyp, uint32_t domid, struct stream_in *in,
		const struct stream_request *request, struct stream_result *result,
		const struct stream_progress *progress, struct error *err);

#endif
