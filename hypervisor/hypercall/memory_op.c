/* SPDX-License-Identifier: MIT */
/*
 * memory_op(cmd, arg): what a domain has of memory, and what it is told about it (abi/memory.h,
 * XENMEM_*). Getting and giving up frames is in memory_extents.c.
 */
#include "abi/memory.h"

#include "domain/copy.h"
#include "hypercall/memory_op.h"
#include "lib/string.h"
#include "x86/machine.h"

#define RESOURCE_FRAMES_MAX	128

/* Current or maximum number of pages, or the last pseudo-physical frame number, of a domain. */
static int64_t reservation(const struct vcpu *v, unsigned op, guest_ptr_t arg)
{
	struct xen_memory_domain md;
	struct foreign of;
	int64_t rc;

	if (copy_from_guest(&md, arg, sizeof(md)))
		return -EFAULT;
	rc = foreign_get(v, md.domid, &of);
	if (!rc && !of.domain)
		rc = -ESRCH;
	if (!rc && op == XENMEM_current_reservation)
		rc = (int64_t)of.mm->pages;
	else if (!rc && op == XENMEM_maximum_reservation)
		rc = (int64_t)of.mm->max_pages;
	else if (!rc)
		rc = (int64_t)(of.domain->shared->arch.max_pfn & INT64_MAX) - 1;
	foreign_put(&of);
	return rc;
}

static int64_t map_out(const struct mm_map *map, guest_ptr_t arg)
{
	struct xen_memory_map m;

	if (copy_from_guest(&m, arg, sizeof(m)))
		return -EFAULT;
	if (m.nr_entries > map->nr)
		m.nr_entries = map->nr;
	if (copy_to_guest(m.buffer, map->entry, m.nr_entries * sizeof(map->entry[0])))
		return -EFAULT;
	return copy_to_guest(arg, &m, sizeof(m));
}

static int64_t own_map(const struct vcpu *v, guest_ptr_t arg)
{
	struct mm_map map;

	return mm_get_map(&v->domain->mm, &map) ? map_out(&map, arg) : -ENOSYS;
}

static int64_t map_in(const struct vcpu *v, guest_ptr_t arg)
{
	struct mm_map_entry entry[MM_MAP_ENTRIES];
	struct xen_foreign_memory_map m;
	struct foreign of;
	int64_t rc;

	if (copy_from_guest(&m, arg, sizeof(m)))
		return -EFAULT;
	if (m.map.nr_entries > MM_MAP_ENTRIES)
		return -EINVAL;
	if (copy_from_guest(entry, m.map.buffer, m.map.nr_entries * sizeof(entry[0])))
		return -EFAULT;
	rc = foreign_get(v, m.domid, &of);
	if (!rc)
		rc = of.domain ? mm_set_map(of.mm, entry, m.map.nr_entries) : -ESRCH;
	foreign_put(&of);
	return rc;
}

static int64_t machphys_mapping(guest_ptr_t arg)
{
	const struct xen_machphys_mapping m = {
		.v_start = MACH2PHYS_VIRT_START,
		.v_end = MACH2PHYS_VIRT_END,
		.max_mfn = mm_max_mfn() - 1,
	};

	return copy_to_guest(arg, &m, sizeof(m));
}

/* The frames of the M2P, one for each 2 MiB of it; a hole of the table has the frame before it. */
static int64_t machphys_mfn_list(guest_ptr_t arg)
{
	struct xen_machphys_mfn_list l;
	xen_pfn_t last = 0;
	guest_ptr_t at;
	unsigned n;

	if (copy_from_guest(&l, arg, sizeof(l)))
		return -EFAULT;
	for (n = 0; n < l.max_extents && (uint64_t)n << (30 - PAGE_SHIFT) < mm_max_mfn(); n++) {
		mfn_t chunk = mm_m2p_chunk(n);

		if (!mfn_eq(chunk, MFN_NONE))
			last = chunk.n;
		at = guest_ptr_at(l.extent_start, n, sizeof(last));
		if (copy_to_guest(at, &last, sizeof(last)))
			return -EFAULT;
	}
	l.nr_extents = n;
	return copy_to_guest(arg, &l, sizeof(l));
}

static int64_t claim(const struct vcpu *v, guest_ptr_t arg)
{
	struct xen_memory_reservation r;
	struct foreign of;
	int64_t rc;

	if (!v->domain->privileged)
		return -EPERM;
	if (copy_from_guest(&r, arg, sizeof(r)))
		return -EFAULT;
	if (r.extent_order || r.mem_flags || !guest_ptr_null(r.extent_start))
		return -EINVAL;
	rc = foreign_get(v, r.domid, &of);
	if (!rc)
		rc = of.domain ? mm_claim(of.mm, r.nr_extents) : -ESRCH;
	foreign_put(&of);
	return rc;
}

/* Frames of a domain's grant table, which grows as far as is asked for. */
static int grant_frames(struct domain *d, const struct xen_mem_acquire_resource *r, xen_pfn_t *list)
{
	uint64_t end;
	int rc = 0;

	if (r->id != XENMEM_resource_grant_table_id_shared)
		return -EOPNOTSUPP;
	if (__builtin_add_overflow(r->frame, (uint64_t)r->nr_frames, &end) ||
	    end > d->grant.max_frames)
		return -EINVAL;
	if (end > d->grant.nr_frames)
		rc = grant_table_grow(&d->grant, (unsigned)end);
	for (unsigned i = 0; !rc && i < r->nr_frames; i++)
		list[i] = grant_table_frame(&d->grant, (unsigned)r->frame + i).n;
	return rc;
}

static int64_t acquire(const struct vcpu *v, guest_ptr_t arg)
{
	xen_pfn_t list[RESOURCE_FRAMES_MAX];
	struct xen_mem_acquire_resource r;
	struct foreign of;
	int64_t rc;

	if (!v->domain->privileged)
		return -EPERM;
	if (copy_from_guest(&r, arg, sizeof(r)))
		return -EFAULT;
	if (r.pad || r.type != XENMEM_resource_grant_table)
		return r.pad ? -EINVAL : -EOPNOTSUPP;
	rc = foreign_get(v, r.domid, &of);
	if (!rc && !of.domain)
		rc = -ESRCH;
	if (!rc && guest_ptr_null(r.frame_list)) {	/* only asks how many there are */
		r.nr_frames = of.domain->grant.max_frames;
		rc = copy_to_guest(arg, &r, sizeof(r));
	} else if (!rc) {
		rc = r.nr_frames > RESOURCE_FRAMES_MAX ? -E2BIG : grant_frames(of.domain, &r, list);
		if (!rc)
			rc = copy_to_guest(r.frame_list, list, r.nr_frames * sizeof(list[0]));
	}
	foreign_put(&of);
	return rc;
}

int64_t hypercall_memory_op(struct hypercall *c)
{
	unsigned op = c->arg[0] & MEMOP_CMD_MASK;
	struct vcpu *v = c->vcpu;
	guest_ptr_t arg = { c->arg[1] };

	switch (op) {
	case XENMEM_increase_reservation:
	case XENMEM_decrease_reservation:
	case XENMEM_populate_physmap:
		return memory_extents(c, op, arg);
	case XENMEM_exchange:
		return memory_exchange(c, arg);
	case XENMEM_maximum_ram_page:
		return (int64_t)mm_max_mfn() - 1;
	case XENMEM_current_reservation:
	case XENMEM_maximum_reservation:
	case XENMEM_maximum_gpfn:
		return reservation(v, op, arg);
	case XENMEM_memory_map:
		return own_map(v, arg);
	case XENMEM_machine_memory_map:
		return v->domain->privileged ? map_out(&mm_machine_map, arg) : -EPERM;
	case XENMEM_set_memory_map:
		return v->domain->privileged ? map_in(v, arg) : -EPERM;
	case XENMEM_machphys_mapping:
		return machphys_mapping(arg);
	case XENMEM_machphys_mfn_list:
		return machphys_mfn_list(arg);
	case XENMEM_claim_pages:
		return claim(v, arg);
	case XENMEM_acquire_resource:
		return acquire(v, arg);
	default:			/* what is for translated guests, too */
		return -ENOSYS;
	}
}
