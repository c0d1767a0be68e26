/* SPDX-License-Identifier: MIT */
/* A domain's memory, and foreign frames mapped here. */
#include "hyp/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "abi/event_channel.h"
#include "abi/grant_table.h"
#include "abi/memory.h"
#include "hyp/linux.h"

/* /dev/xen/hypercall gives a process 64 pages by default. */
#define POPULATE_BATCH 8192U
#define LEFT_MAPPED_MAX (1U << 18)	/* pages */

static long populate_batch(struct hyp *hyp, uint32_t domid, unsigned order, uint64_t *frames,
			   unsigned n)
{
	struct xen_memory_reservation op = { .nr_extents = n,
					     .extent_order = order,
					     .domid = (domid_t)domid };
	long rc = hyp_reserve(hyp, n * sizeof(*frames) + sizeof(op));
	uint64_t *list;

	if (rc)
		return rc;
	list = hyp_take(hyp, n * sizeof(*frames));
	memcpy(list, frames, n * sizeof(*frames));
	op.extent_start = GUEST_PTR(list);
	rc = hyp_memory_op(hyp, XENMEM_populate_physmap, &op, sizeof(op));
	if (rc > n)
		return -EIO;
	if (rc > 0)
		memcpy(frames, list, (size_t)rc * sizeof(*frames));
	return rc;
}

int hyp_memory_populate(struct hyp *hyp, uint32_t domid, unsigned order, uint64_t *frames,
			unsigned n)
{
	unsigned done = 0;

	while (done < n) {
		unsigned batch = n - done < POPULATE_BATCH ? n - done : POPULATE_BATCH;
		long rc = populate_batch(hyp, domid, order, frames + done, batch);

		if (rc < 0 && done == 0)
			return (int)rc;
		if (rc > 0)
			done += (unsigned)rc;
		if (rc < (long)batch)
			break;
	}
	return (int)done;
}

int hyp_memory_pin(struct hyp *hyp, uint32_t domid, unsigned level, uint64_t mfn)
{
	struct mmuext_op *op;

	hyp_reserve(hyp, 0);
	op = hyp_take(hyp, sizeof(*op));
	op->cmd = MMUEXT_PIN_L1_TABLE + level - 1;
	op->arg1.mfn = mfn;
	return (int)hyp_call(hyp, __HYPERVISOR_mmuext_op, (uintptr_t)op, 1, 0, domid);
}

/* An E820 entry is 20 bytes; type 1 is RAM. */
struct __attribute__((packed)) e820_entry {
	uint64_t base, size;
	uint32_t type;
};

int hyp_memory_set_map(struct hyp *hyp, uint32_t domid, uint64_t bytes)
{
	struct xen_foreign_memory_map op = { .domid = (domid_t)domid, .map.nr_entries = 1 };
	struct e820_entry *entry;

	hyp_reserve(hyp, 0);
	entry = hyp_take(hyp, sizeof(*entry));
	*entry = (struct e820_entry){ 0, bytes, 1 };
	op.map.buffer = GUEST_PTR(entry);
	return (int)hyp_memory_op(hyp, XENMEM_set_memory_map, &op, sizeof(op));
}

/* Reserve n pages of addresses at which the privcmd device can map. */
static void *reserve_addresses(struct hyp *hyp, int prot, unsigned n)
{
	void *va = mmap(NULL, n * HYP_PAGE_SIZE, prot, MAP_SHARED, hyp->privcmd, 0);

	return va == MAP_FAILED ? NULL : va;
}

int hyp_foreign_map(struct hyp *hyp, uint32_t domid, int prot, const uint64_t *mfns, unsigned n,
		    void **out)
{
	struct privcmd_mmapbatch_v2 batch = { .num = n,
					      .dom = (uint16_t)domid,
					      .arr = (const unsigned long *)mfns };
	void *va = NULL;
	int rc = -ENOMEM;

	batch.err = calloc(n, sizeof(*batch.err));
	if (batch.err)
		va = reserve_addresses(hyp, prot, n);
	if (!va)
		goto out;
	batch.addr = (uintptr_t)va;
	rc = ioctl(hyp->privcmd, IOCTL_PRIVCMD_MMAPBATCH_V2, &batch) ? -errno : 0;
	for (unsigned i = 0; i < n && !rc; i++)
		rc = batch.err[i];
	if (rc)
		munmap(va, n * HYP_PAGE_SIZE);
	else
		*out = va;
out:
	free(batch.err);
	return rc;
}

int hyp_resource_map(struct hyp *hyp, uint32_t domid, unsigned type, unsigned id, unsigned frame,
		     unsigned n, void **out)
{
	struct privcmd_mmap_resource op = {
		.dom = (uint16_t)domid, .type = type, .id = id, .idx = frame, .num = n,
	};
	void *va = reserve_addresses(hyp, PROT_READ | PROT_WRITE, n);

	if (!va)
		return -ENOMEM;
	op.addr = (uintptr_t)va;
	if (ioctl(hyp->privcmd, IOCTL_PRIVCMD_MMAP_RESOURCE, &op)) {
		int rc = -errno;

		munmap(va, n * HYP_PAGE_SIZE);
		return rc;
	}
	*out = va;
	return 0;
}

void hyp_unmap(void *va, unsigned n)
{
	munmap(va, n * HYP_PAGE_SIZE);
}

void hyp_unmap_read(struct hyp *hyp, const void *va, unsigned n)
{
	if (hyp->short_lived && hyp->left_mapped + n <= LEFT_MAPPED_MAX)
		hyp->left_mapped += n;
	else
		hyp_unmap((void *)(uintptr_t)va, n);
}

void hyp_set_short_lived(struct hyp *hyp)
{
	hyp->short_lived = true;
}

int hyp_grant_frame(struct hyp *hyp, uint32_t domid, uint64_t *mfn)
{
	struct gnttab_setup_table *op;
	uint64_t *list;
	long rc;

	hyp_reserve(hyp, 0);
	op = hyp_take(hyp, sizeof(*op));
	list = hyp_take(hyp, sizeof(*list));
	op->dom = (domid_t)domid;
	op->nr_frames = 1;
	op->frame_list = GUEST_PTR(list);
	rc = hyp_call(hyp, __HYPERVISOR_grant_table_op, GNTTABOP_setup_table, (uintptr_t)op, 1, 0);
	if (rc)
		return (int)rc;
	if (op->status != GNTST_okay)
		return op->status == GNTST_permission_denied ? -EPERM : -EINVAL;
	*mfn = *list;
	return 0;
}

int hyp_evtchn_alloc(struct hyp *hyp, uint32_t domid, uint32_t remote)
{
	struct evtchn_alloc_unbound *op;
	long rc;

	hyp_reserve(hyp, 0);
	op = hyp_take(hyp, sizeof(*op));
	op->dom = (domid_t)domid;
	op->remote_dom = (domid_t)remote;
	rc = hyp_call(hyp, __HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, (uintptr_t)op, 0,
		      0);
	return rc ? (int)rc : (int)op->port;
}
