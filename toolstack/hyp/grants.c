/* SPDX-License-Identifier: MIT */
/* The first entries of a new domain's grant table: made of this folder's other calls. */
#include <sys/mman.h>

#include "abi/grant_table.h"
#include "abi/memory.h"
#include "hyp/hyp.h"

/* Newer hypervisors hand out the grant table as a resource, older ones tell its frame. */
static int map_table(struct hyp *hyp, uint32_t domid, void **va)
{
	uint64_t mfn;
	int rc = hyp_resource_map(hyp, domid, XENMEM_resource_grant_table,
				  XENMEM_resource_grant_table_id_shared, 0, 1, va);

	if (!rc)
		return 0;
	rc = hyp_grant_frame(hyp, domid, &mfn);
	return rc ? rc : hyp_foreign_map(hyp, domid, PROT_READ | PROT_WRITE, &mfn, 1, va);
}

int hyp_grant_rings(struct hyp *hyp, uint32_t domid, uint64_t console_mfn, uint64_t store_mfn)
{
	struct grant_entry_v1 *entries;
	void *va;
	int rc = map_table(hyp, domid, &va);

	if (rc)
		return rc;
	entries = va;
	entries[GNTTAB_RESERVED_CONSOLE] = (struct grant_entry_v1){
		.flags = GTF_permit_access, .domid = 0, .frame = (uint32_t)console_mfn };
	entries[GNTTAB_RESERVED_XENSTORE] = (struct grant_entry_v1){
		.flags = GTF_permit_access, .domid = 0, .frame = (uint32_t)store_mfn };
	hyp_unmap(va, 1);
	return 0;
}
