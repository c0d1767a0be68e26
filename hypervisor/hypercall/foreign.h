/* SPDX-License-Identifier: MIT */
/* Whose memory and which CPUs a memory-management hypercall is about. */
#ifndef HYPERCALL_FOREIGN_H
#define HYPERCALL_FOREIGN_H

#include "hypercall/hypercall.h"

/*
 * The memory that a domain id in a hypercall stands for; the domain is referenced until
 * foreign_put(), unless it is the caller's own, which can't go away.
 */
struct foreign {
	struct mm_domain *mm;
	struct domain *domain;		/* NULL: not a domain (DOMID_XEN, DOMID_IO) */
	bool referenced;
};

/* The caller's own, or if it is privileged another's. 0, -EPERM, -ESRCH. */
int must_check foreign_find(const struct vcpu *caller, uint64_t domid, struct foreign *f);
static inline int must_check foreign_get(const struct vcpu *caller, uint64_t domid,
					 struct foreign *f)
{
	*f = (struct foreign){ .mm = &caller->domain->mm, .domain = caller->domain };
	return likely(domid == DOMID_SELF) ? 0 : foreign_find(caller, domid, f);
}

static inline void foreign_put(const struct foreign *f)
{
	if (unlikely(f->referenced))
		domain_put(f->domain);
}

/*
 * The CPUs whose TLBs may hold what the caller's vCPUs of the guest's bitmap at `mask` have used. 0
 * or -EFAULT.
 */
int must_check foreign_vcpu_cpus(const struct vcpu *caller, guest_ptr_t mask, struct cpumask *cpus);

#endif
