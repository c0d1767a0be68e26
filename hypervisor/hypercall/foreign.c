/* SPDX-License-Identifier: MIT */
/* Domain ids and vCPU bitmaps of the memory-management hypercalls. */
#include "hypercall/foreign.h"

#include "domain/copy.h"
#include "lib/bitmap.h"

int foreign_find(const struct vcpu *caller, uint64_t domid, struct foreign *f)
{
	const struct domain *d = caller->domain;

	if (domid == d->id)
		return 0;
	f->domain = NULL;
	if (domid == DOMID_IO)
		f->mm = &mm_io;
	else if (!d->privileged)
		return -EPERM;
	else if (domid == DOMID_XEN)
		f->mm = &mm_xen;
	else
		f->domain = domid < DOMID_SELF ? domain_get((domid_t)domid) : NULL;
	f->referenced = f->domain;
	if (f->domain)
		f->mm = &f->domain->mm;
	return f->domain || domid == DOMID_IO || domid == DOMID_XEN ? 0 : -ESRCH;
}

/*
 * A vCPU that is not running may have left entries where it ran last, so this starts from all CPUs
 * that may have any, and spares those that run a vCPU which is not meant.
 */
int foreign_vcpu_cpus(const struct vcpu *caller, guest_ptr_t mask, struct cpumask *cpus)
{
	const struct domain *d = caller->domain;
	uint64_t meant[BITMAP_WORDS(DOMAIN_MAX_VCPUS)] = { 0 };

	if (copy_from_guest(meant, mask, DIV_ROUND_UP(d->max_vcpus, 8)))
		return -EFAULT;
	*cpus = d->mm.cpus;
	for (unsigned i = 0; i < d->max_vcpus; i++)
		if (d->vcpu[i] && !bitmap_test(meant, i) && d->vcpu[i]->sched.running)
			cpumask_clear(cpus, d->vcpu[i]->sched.cpu);
	return 0;
}
