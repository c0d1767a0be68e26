/* SPDX-License-Identifier: MIT */
/* Domains: domctl, and the sysctl that lists them. */
#include "hyp/internal.h"

#include <errno.h>
#include <string.h>

/* op is in the hypercall buffer. */
static int domctl(struct hyp *hyp, uint32_t domid, uint32_t cmd, struct xen_domctl *op)
{
	op->cmd = cmd;
	op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	op->domain = (domid_t)domid;
	return (int)hyp_call(hyp, __HYPERVISOR_domctl, (uintptr_t)op, 0, 0, 0);
}

static struct xen_domctl *take_domctl(struct hyp *hyp)
{
	hyp_reserve(hyp, 0);
	return hyp_take(hyp, sizeof(struct xen_domctl));
}

int hyp_domctl(struct hyp *hyp, uint32_t cmd, struct xen_domctl *op)
{
	struct xen_domctl *copy = take_domctl(hyp);
	int rc;

	*copy = *op;
	rc = domctl(hyp, op->domain, cmd, copy);
	*op = *copy;
	return rc;
}

int hyp_domain_create(struct hyp *hyp, uint32_t *domid,
		      const struct xen_domctl_createdomain *config)
{
	struct xen_domctl *op = take_domctl(hyp);
	int rc;

	op->u.createdomain = *config;
	rc = domctl(hyp, *domid, XEN_DOMCTL_createdomain, op);
	if (!rc)
		*domid = op->domain;
	return rc;
}

static int simple(struct hyp *hyp, uint32_t domid, uint32_t cmd)
{
	return domctl(hyp, domid, cmd, take_domctl(hyp));
}

int hyp_domain_destroy(struct hyp *hyp, uint32_t domid)
{
	return simple(hyp, domid, XEN_DOMCTL_destroydomain);
}

int hyp_domain_pause(struct hyp *hyp, uint32_t domid)
{
	return simple(hyp, domid, XEN_DOMCTL_pausedomain);
}

int hyp_domain_unpause(struct hyp *hyp, uint32_t domid)
{
	return simple(hyp, domid, XEN_DOMCTL_unpausedomain);
}

int hyp_domain_resume(struct hyp *hyp, uint32_t domid)
{
	return simple(hyp, domid, XEN_DOMCTL_resumedomain);
}

int hyp_domain_max_vcpus(struct hyp *hyp, uint32_t domid, uint32_t max)
{
	struct xen_domctl *op = take_domctl(hyp);

	op->u.max_vcpus.max = max;
	return domctl(hyp, domid, XEN_DOMCTL_max_vcpus, op);
}

int hyp_domain_max_mem(struct hyp *hyp, uint32_t domid, uint64_t kib)
{
	struct xen_domctl *op = take_domctl(hyp);

	op->u.max_mem.max_memkb = kib;
	return domctl(hyp, domid, XEN_DOMCTL_max_mem, op);
}

int hyp_domain_hypercall_page(struct hyp *hyp, uint32_t domid, uint64_t gmfn)
{
	struct xen_domctl *op = take_domctl(hyp);

	op->u.hypercall_init.gmfn = gmfn;
	return domctl(hyp, domid, XEN_DOMCTL_hypercall_init, op);
}

int hyp_vcpu_set_context(struct hyp *hyp, uint32_t domid, uint32_t vcpu,
			 const struct vcpu_guest_context *context)
{
	struct xen_domctl *op = take_domctl(hyp);
	struct vcpu_guest_context *copy = hyp_take(hyp, sizeof(*copy));

	*copy = *context;
	op->u.vcpucontext.vcpu = vcpu;
	op->u.vcpucontext.ctxt = GUEST_PTR(copy);
	return domctl(hyp, domid, XEN_DOMCTL_setvcpucontext, op);
}

int hyp_vcpu_get_context(struct hyp *hyp, uint32_t domid, uint32_t vcpu,
			 struct vcpu_guest_context *context)
{
	struct xen_domctl *op = take_domctl(hyp);
	struct vcpu_guest_context *copy = hyp_take(hyp, sizeof(*copy));
	int rc;

	op->u.vcpucontext.vcpu = vcpu;
	op->u.vcpucontext.ctxt = GUEST_PTR(copy);
	rc = domctl(hyp, domid, XEN_DOMCTL_getvcpucontext, op);
	if (!rc)
		*context = *copy;
	return rc;
}

int hyp_domain_info(struct hyp *hyp, uint32_t domid, struct xen_domctl_getdomaininfo *info)
{
	int n = hyp_domain_list(hyp, domid, info, 1);

	if (n < 0)
		return n;
	return n == 1 && info->domain == domid ? 0 : -ESRCH;
}

int hyp_domain_list(struct hyp *hyp, uint32_t first, struct xen_domctl_getdomaininfo *infos,
		    unsigned max)
{
	size_t size = max * sizeof(*infos);
	struct xen_sysctl *op;
	void *list;
	long rc;

	rc = hyp_reserve(hyp, size + sizeof(*op));
	if (rc)
		return (int)rc;
	op = hyp_take(hyp, sizeof(*op));
	list = hyp_take(hyp, size);
	op->cmd = XEN_SYSCTL_getdomaininfolist;
	op->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	op->u.getdomaininfolist.first_domain = (domid_t)first;
	op->u.getdomaininfolist.max_domains = max;
	op->u.getdomaininfolist.buffer = GUEST_PTR(list);
	rc = hyp_call(hyp, __HYPERVISOR_sysctl, (uintptr_t)op, 0, 0, 0);
	if (rc)
		return (int)rc;
	if (op->u.getdomaininfolist.num_domains > max)
		return -EIO;
	memcpy(infos, list, op->u.getdomaininfolist.num_domains * sizeof(*infos));
	return (int)op->u.getdomaininfolist.num_domains;
}
