/* SPDX-License-Identifier: MIT */
/*
 * mmu_update(requests, count, done, foreigndom): a list of changes to page-table entries and to the
 * M2P (abi/xen.h, MMU_*). foreigndom: low half whose frames entries may name, high half (if not 0)
 * whose tables, plus one. The upper half of `count` is the cursor: how many of the requests are
 * done already.
 */
#include "domain/copy.h"
#include "hypercall/foreign.h"
#include "x86/machine.h"

#define MMU_COMMAND	3

static int machphys(struct mm_domain *frames, mfn_t mfn, uint64_t pfn)
{
	if (!mm_get(mfn, frames))
		return -EINVAL;
	mm_m2p_set(mfn, pfn);
	mm_put(mfn);
	return 0;
}

static int update(struct mm_domain *tables, struct mm_domain *frames, const struct mmu_update *u)
{
	uint64_t ptr = u->ptr & ~(uint64_t)MMU_COMMAND;

	switch (u->ptr & MMU_COMMAND) {
	case MMU_MACHPHYS_UPDATE:
		return machphys(frames, MFN(ptr >> PAGE_SHIFT), u->val);
	case MMU_PT_UPDATE_PRESERVE_AD:
		return mm_update_entry(tables, frames, ptr, u->val, true);
	default:			/* normal; not to be translated is the same for us */
		return mm_update_entry(tables, frames, ptr, u->val, false);
	}
}

static int64_t updates(struct hypercall *c, struct mm_domain *tables, struct mm_domain *frames)
{
	uint32_t count = (uint32_t)c->arg[1], done = (uint32_t)(c->arg[1] >> 32);
	guest_ptr_t list = { c->arg[0] }, done_out = { c->arg[2] };
	struct mmu_update u;
	int rc = 0;

	for (; done < count; done++) {
		if (done % 16 == 15 && machine_budget_spent())
			rc = -ERESTART;
		else if (copy_from_guest(&u, guest_ptr_at(list, done, sizeof(u)), sizeof(u)))
			rc = -EFAULT;
		else
			rc = update(tables, frames, &u);
		if (rc)
			break;
	}
	c->arg[1] = (uint64_t)done << 32 | count;
	if (rc != -ERESTART && !guest_ptr_null(done_out) &&
	    copy_to_guest(done_out, &done, sizeof(done)))
		rc = -EFAULT;
	return rc;
}

int64_t hypercall_mmu_update(struct hypercall *c)
{
	uint32_t table_owner = (uint32_t)c->arg[3] >> 16;
	struct foreign frames, tables;
	int64_t rc;

	rc = foreign_get(c->vcpu, c->arg[3] & 0xffff, &frames);
	if (rc)
		return rc;
	rc = foreign_get(c->vcpu, table_owner ? table_owner - 1 : DOMID_SELF, &tables);
	if (!rc)
		rc = updates(c, tables.mm, frames.mm);
	foreign_put(&tables);
	foreign_put(&frames);
	return rc;
}
