/* SPDX-License-Identifier: MIT */
/* Inside domctl: handlers by number, each with the domain found and referenced. */
#ifndef HYPERCALL_DOMCTL_H
#define HYPERCALL_DOMCTL_H

#include "abi/domctl.h"
#include "hypercall/hypercall.h"

/*
 * 0: done, `op` goes back to the caller. -errno: `op` does not. -ERESTART: the call is issued again
 * with the same arguments. `d` is never the calling domain, unless the table says that it may be.
 */
typedef int domctl_fn(struct domain *d, struct xen_domctl *op);

/* domctl_vcpu.c */
domctl_fn domctl_setvcpucontext, domctl_getvcpucontext, domctl_getvcpuinfo, domctl_setvcpuaffinity,
	domctl_getvcpuaffinity;
/* domctl_save.c */
domctl_fn domctl_getpageframeinfo3, domctl_get_ext_vcpucontext, domctl_set_ext_vcpucontext,
	domctl_getvcpuextstate, domctl_setvcpuextstate, domctl_vcpu_msrs, domctl_shadow_op;

/* The vCPU of this number, or NULL. */
struct vcpu *domctl_vcpu(struct domain *d, unsigned id);

/* What both domctl and sysctl answer about a domain. */
void domctl_fill_info(struct domain *d, struct xen_domctl_getdomaininfo *info);

/* A bitmap of the ABI from and to a CPU set: bits beyond what the caller has room for are left out.
 * 0 or -EFAULT. */
int must_check domctl_read_cpumap(struct cpumask *mask, const struct xenctl_bitmap *map);
int must_check domctl_write_cpumap(const struct xenctl_bitmap *map, const struct cpumask *mask);

#endif
