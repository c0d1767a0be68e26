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

#define MMU_COMMAND	3ull
#define BATCH		16		/* requests read, and tables locked, at once */

static int machphys(struct mm_domain *frames, const struct mmu_update *u)
{
	mfn_t mfn = MFN(u->ptr >> PAGE_SHIFT);

	if (!mm_get(mfn, frames))
		return -EINVAL;
	mm_m2p_set(mfn, u->val);
	mm_put(mfn);
	return 0;
}

static bool is_machphys(const struct mmu_update *u)
{
	return (u->ptr & MMU_COMMAND) == MMU_MACHPHYS_UPDATE;
}

/* Changes of tables go in runs; *done: how many were made before the first error. */
static int batch(struct mm_domain *tables, struct mm_domain *frames, const struct mmu_update *u,
		 unsigned n, unsigned *done)
{
	unsigned run, made;
	int rc = 0;

	for (*done = 0; !rc && *done < n; *done += made) {
		for (run = 0; *done + run < n && !is_machphys(&u[*done + run]); run++)
			;
		if (run) {
			rc = mm_update_entries(tables, frames, &u[*done], run, &made);
		} else {
			rc = machphys(frames, &u[*done]);
			made = !rc;
		}
	}
	return rc;
}

static int64_t updates(struct hypercall *c, struct mm_domain *tables, struct mm_domain *frames)
{
	uint32_t count = (uint32_t)c->arg[1], done = (uint32_t)(c->arg[1] >> 32);
	guest_ptr_t list = { c->arg[0] }, done_out = { c->arg[2] };
	struct mmu_update u[BATCH];
	unsigned n, made;
	int rc = 0;

	while (!rc && done < count) {
		guest_ptr_t at = guest_ptr_at(list, done, sizeof(u[0]));

		n = min(count - done, (uint32_t)BATCH);
		if (copy_from_guest(u, at, n * sizeof(u[0])))
			n = !copy_from_guest(u, at, sizeof(u[0]));	/* up to the bad one */
		rc = n ? batch(tables, frames, u, n, &made) : -EFAULT;
		done += n ? made : 0;
		if (!rc && done < count && machine_budget_spent())
			rc = -ERESTART;
	}
	c->arg[1] = (uint64_t)done << 32 | count;
	if (rc != -ERESTART && !guest_ptr_null(done_out) &&
	    copy_to_guest(done_out, &done, sizeof(done)))
		rc = -EFAULT;
	return rc;
}

/* One change within the caller's own memory, as kernels make most of them. */
static int own_update(const struct hypercall *c)
{
	struct mm_domain *mm = &c->vcpu->domain->mm;
	struct mmu_update u;
	unsigned made;

	if (copy_from_guest(&u, (guest_ptr_t){ c->arg[0] }, sizeof(u)))
		return -EFAULT;
	return is_machphys(&u) ? machphys(mm, &u) : mm_update_entries(mm, mm, &u, 1, &made);
}

int64_t hypercall_mmu_update(struct hypercall *c)
{
	uint32_t table_owner = (uint32_t)c->arg[3] >> 16;
	struct foreign frames, tables;
	int64_t rc;

	if (likely(c->arg[1] == 1 && c->arg[3] == DOMID_SELF && !c->arg[2]))
		return own_update(c);
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
