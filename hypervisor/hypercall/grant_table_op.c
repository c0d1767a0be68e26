/* SPDX-License-Identifier: MIT */
/*
 * grant_table_op(cmd, array, count): each element is done by itself and gets its own status; the
 * call as a whole fails only where the array can't be read or written. Long arrays restart at the
 * element they reached. Version 2 tables are refused.
 */
#include "abi/errno.h"
#include "domain/copy.h"
#include "hypercall/hypercall.h"
#include "x86/machine.h"

/* What the elements of one call share. */
struct run {
	struct vcpu *v;
	struct grant_batch batch;	/* unmapped, TLBs not yet flushed */
	struct domain *peer[2];		/* referenced: most copies name the domains of the last */
};

union grant_op {
	struct gnttab_map_grant_ref map;
	struct gnttab_unmap_grant_ref unmap;
	struct gnttab_unmap_and_replace replace;
	struct gnttab_setup_table setup;
	struct gnttab_dump_table dump;
	struct gnttab_transfer transfer;
	struct gnttab_copy copy;
	struct gnttab_query_size query;
	struct gnttab_set_version set_version;
	struct gnttab_get_status_frames status_frames;
	struct gnttab_get_version get_version;
	struct gnttab_swap_grant_ref swap;
};

static void put_granter(struct grant_domain *granter)
{
	domain_put(container_of(granter, struct domain, grant));
}

/*
 * The domain that `id` names: the caller's own, or any for the control domain; GNTST_okay and
 * referenced.
 */
static int16_t get_target(struct domain *caller, domid_t id, struct domain **d)
{
	if (id != DOMID_SELF && id != caller->id && !caller->privileged)
		return GNTST_permission_denied;
	*d = domain_get(id);
	return *d ? GNTST_okay : GNTST_bad_domain;
}

static int do_map(struct run *run, union grant_op *op)
{
	struct domain *caller = run->v->domain, *granter = domain_get(op->map.dom);
	int rc;

	if (!granter) {
		op->map.status = GNTST_bad_domain;
		return 0;
	}
	caller->grant.put = put_granter;
	rc = grant_map(&caller->grant, &granter->grant, run->v->mm.kernel_table, &op->map);
	if (rc || op->map.status != GNTST_okay)
		domain_put(granter);
	return rc;
}

static int do_unmap(struct run *run, union grant_op *op)
{
	return grant_unmap(&run->v->domain->grant, run->v->mm.kernel_table, &op->unmap, 0,
			   &run->batch);
}

static int do_replace(struct run *run, union grant_op *op)
{
	struct gnttab_unmap_grant_ref unmap = { .host_addr = op->replace.host_addr,
						.handle = op->replace.handle };
	int rc;

	if (!op->replace.host_addr || !op->replace.new_addr) {
		op->replace.status = GNTST_bad_virt_addr;
		return 0;
	}
	rc = grant_unmap(&run->v->domain->grant, run->v->mm.kernel_table, &unmap,
			 op->replace.new_addr, &run->batch);
	op->replace.status = unmap.status;
	return rc;
}

/* Grow the table and tell its frames. */
static int16_t setup(struct grant_domain *gd, const struct gnttab_setup_table *op)
{
	if (grant_table_grow(gd, op->nr_frames))
		return GNTST_general_error;
	for (unsigned i = 0; i < op->nr_frames; i++) {
		xen_pfn_t mfn = grant_table_frame(gd, i).n;

		if (copy_to_guest(guest_ptr_at(op->frame_list, i, sizeof(mfn)), &mfn, sizeof(mfn)))
			return GNTST_bad_virt_addr;
	}
	return GNTST_okay;
}

static int do_setup(struct run *run, union grant_op *op)
{
	struct domain *d;

	op->setup.status = get_target(run->v->domain, op->setup.dom, &d);
	if (op->setup.status == GNTST_okay) {
		op->setup.status = setup(&d->grant, &op->setup);
		domain_put(d);
	}
	return 0;
}

static int do_query(struct run *run, union grant_op *op)
{
	struct domain *d;

	op->query.status = get_target(run->v->domain, op->query.dom, &d);
	if (op->query.status == GNTST_okay) {
		op->query.nr_frames = d->grant.nr_frames;
		op->query.max_nr_frames = d->grant.max_frames;
		domain_put(d);
	}
	return 0;
}

static int do_dump(struct run *run, union grant_op *op)
{
	struct domain *d;

	if (!run->v->domain->privileged) {
		op->dump.status = GNTST_permission_denied;
		return 0;
	}
	op->dump.status = get_target(run->v->domain, op->dump.dom, &d);
	if (op->dump.status == GNTST_okay) {
		grant_dump(&d->grant);
		domain_put(d);
	}
	return 0;
}

/* Frames change hands by XENMEM_exchange or not at all. */
static int do_transfer(struct run *run, union grant_op *op)
{
	(void)run;
	op->transfer.status = GNTST_general_error;
	return 0;
}

/* The domain of one side of a copy, kept for the next element. */
static struct grant_domain *peer(struct run *run, unsigned side, domid_t id)
{
	struct domain *caller = run->v->domain;

	if (id == DOMID_SELF || id == caller->id)
		return &caller->grant;
	if (!run->peer[side] || run->peer[side]->id != id) {
		if (run->peer[side])
			domain_put(run->peer[side]);
		run->peer[side] = domain_get(id);
	}
	return run->peer[side] ? &run->peer[side]->grant : NULL;
}

static int do_copy(struct run *run, union grant_op *op)
{
	grant_copy(&run->v->domain->grant, peer(run, 0, op->copy.source.domid),
		   peer(run, 1, op->copy.dest.domid), &op->copy);
	return 0;
}

static int do_swap(struct run *run, union grant_op *op)
{
	grant_swap(&run->v->domain->grant, &op->swap);
	return 0;
}

static int do_set_version(struct run *run, union grant_op *op)
{
	bool ok = op->set_version.version == 1;

	(void)run;
	op->set_version.version = 1;
	return ok ? 0 : -ENOSYS;
}

static int do_get_version(struct run *run, union grant_op *op)
{
	struct domain *d;
	int16_t status = get_target(run->v->domain, op->get_version.dom, &d);

	if (status != GNTST_okay)
		return status == GNTST_bad_domain ? -ESRCH : -EPERM;
	domain_put(d);
	op->get_version.version = 1;
	return 0;
}

static int do_status_frames(struct run *run, union grant_op *op)
{
	(void)run;
	op->status_frames.status = GNTST_general_error;
	return 0;
}

/* cache_flush is for machines whose devices don't see the caches: not here. */
static const struct {
	int (*fn)(struct run *run, union grant_op *op);
	size_t size;
} table[] = {
	[GNTTABOP_map_grant_ref] = { do_map, sizeof(struct gnttab_map_grant_ref) },
	[GNTTABOP_unmap_grant_ref] = { do_unmap, sizeof(struct gnttab_unmap_grant_ref) },
	[GNTTABOP_setup_table] = { do_setup, sizeof(struct gnttab_setup_table) },
	[GNTTABOP_dump_table] = { do_dump, sizeof(struct gnttab_dump_table) },
	[GNTTABOP_transfer] = { do_transfer, sizeof(struct gnttab_transfer) },
	[GNTTABOP_copy] = { do_copy, sizeof(struct gnttab_copy) },
	[GNTTABOP_query_size] = { do_query, sizeof(struct gnttab_query_size) },
	[GNTTABOP_unmap_and_replace] = { do_replace, sizeof(struct gnttab_unmap_and_replace) },
	[GNTTABOP_set_version] = { do_set_version, sizeof(struct gnttab_set_version) },
	[GNTTABOP_get_status_frames] = { do_status_frames,
					 sizeof(struct gnttab_get_status_frames) },
	[GNTTABOP_get_version] = { do_get_version, sizeof(struct gnttab_get_version) },
	[GNTTABOP_swap_grant_ref] = { do_swap, sizeof(struct gnttab_swap_grant_ref) },
};

/* One element: read, do, write back. 0, -errno or -ERESTART. */
static int one(struct run *run, unsigned cmd, guest_ptr_t at)
{
	union grant_op op;
	int rc;

	if (copy_from_guest(&op, at, table[cmd].size))
		return -EFAULT;
	rc = table[cmd].fn(run, &op);
	if (run->batch.nr == GRANT_BATCH)
		grant_unmap_finish(&run->v->domain->grant, &run->batch);
	if (!rc && copy_to_guest(at, &op, table[cmd].size))
		rc = -EFAULT;
	return rc;
}

int64_t hypercall_grant_table_op(struct hypercall *c)
{
	struct run run = { .v = c->vcpu };
	uint32_t cmd = (uint32_t)c->arg[0], count = (uint32_t)c->arg[2], i;
	guest_ptr_t array = { c->arg[1] };
	int rc = 0;

	if (cmd == GNTTABOP_cache_flush)
		return -EOPNOTSUPP;
	if (cmd >= ARRAY_SIZE(table) || !table[cmd].fn)
		return -ENOSYS;
	if (count > INT32_MAX)
		return -EINVAL;
	for (i = 0; i < count; i++) {
		if (i && machine_budget_spent())
			rc = -ERESTART;
		else
			rc = one(&run, cmd, guest_ptr_at(array, i, table[cmd].size));
		if (rc)
			break;
	}
	grant_unmap_finish(&c->vcpu->domain->grant, &run.batch);
	for (unsigned side = 0; side < 2; side++)
		if (run.peer[side])
			domain_put(run.peer[side]);
	c->arg[1] = guest_ptr_at(array, i, table[cmd].size).va;
	c->arg[2] = count - i;
	return rc;
}
