/* SPDX-License-Identifier: MIT */
/* Who runs how much and where: the scheduler's parameters of a domain, a vCPU's CPUs. */
#include "hyp/internal.h"

#include <errno.h>
#include <string.h>

/* The scheduler that runs; the structures of the two that we know are the same. 0 or -errno. */
static int scheduler(struct hyp *hyp, uint32_t *id)
{
	struct xen_sysctl *op;
	int rc;

	hyp_reserve(hyp, 0);
	op = hyp_take(hyp, sizeof(*op));
	op->cmd = XEN_SYSCTL_sched_id;
	op->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	rc = (int)hyp_call(hyp, __HYPERVISOR_sysctl, (uintptr_t)op, 0, 0, 0);
	*id = op->u.sched_id.sched_id;
	if (rc < 0)
		return rc;
	return *id == XEN_SCHEDULER_CREDIT || *id == XEN_SCHEDULER_CREDIT2 ? 0 : -EOPNOTSUPP;
}

int hyp_domain_get_sched(struct hyp *hyp, uint32_t domid, struct hyp_sched *sched)
{
	struct xen_domctl op = { .domain = (domid_t)domid };
	struct xen_domctl_scheduler_op *s = &op.u.scheduler_op;
	int rc = scheduler(hyp, &s->sched_id);

	s->cmd = XEN_DOMCTL_SCHEDOP_getinfo;
	if (!rc)
		rc = hyp_domctl(hyp, XEN_DOMCTL_scheduler_op, &op);
	if (!rc)
		*sched = (struct hyp_sched){ s->u.credit2.weight, s->u.credit2.cap };
	return rc;
}

int hyp_domain_set_sched(struct hyp *hyp, uint32_t domid, const struct hyp_sched *sched)
{
	struct xen_domctl op = { .domain = (domid_t)domid };
	struct xen_domctl_scheduler_op *s = &op.u.scheduler_op;
	int rc = scheduler(hyp, &s->sched_id);

	s->cmd = XEN_DOMCTL_SCHEDOP_putinfo;
	s->u.credit2.weight = (uint16_t)sched->weight;
	s->u.credit2.cap = (uint16_t)sched->cap;
	return rc ? rc : hyp_domctl(hyp, XEN_DOMCTL_scheduler_op, &op);
}

static int affinity(struct hyp *hyp, uint32_t cmd, uint32_t domid, uint32_t vcpu, uint64_t *cpus,
		    unsigned nr_cpus)
{
	size_t bytes = (nr_cpus + 63) / 64 * 8;
	struct xen_domctl_vcpuaffinity *a;
	struct xen_domctl *op;
	void *copy;
	int rc;

	rc = hyp_reserve(hyp, sizeof(*op) + bytes);
	if (rc)
		return rc;
	op = hyp_take(hyp, sizeof(*op));
	copy = hyp_take(hyp, bytes);
	memcpy(copy, cpus, bytes);
	op->cmd = cmd;
	op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	op->domain = (domid_t)domid;
	a = &op->u.vcpuaffinity;
	a->vcpu = vcpu;
	a->flags = XEN_VCPUAFFINITY_HARD;
	a->cpumap_hard.bitmap = GUEST_PTR(copy);
	a->cpumap_hard.nr_bits = nr_cpus;
	rc = (int)hyp_call(hyp, __HYPERVISOR_domctl, (uintptr_t)op, 0, 0, 0);
	if (!rc)
		memcpy(cpus, copy, bytes);
	return rc;
}

int hyp_vcpu_set_affinity(struct hyp *hyp, uint32_t domid, uint32_t vcpu, const uint64_t *cpus,
			  unsigned nr_cpus)
{
	uint64_t effective[HYP_CPUS_MAX / 64] = { 0 };

	if (nr_cpus > HYP_CPUS_MAX)
		return -EINVAL;
	memcpy(effective, cpus, (nr_cpus + 63) / 64 * 8);
	return affinity(hyp, XEN_DOMCTL_setvcpuaffinity, domid, vcpu, effective, nr_cpus);
}

int hyp_vcpu_get_affinity(struct hyp *hyp, uint32_t domid, uint32_t vcpu, uint64_t *cpus,
			  unsigned nr_cpus)
{
	if (nr_cpus > HYP_CPUS_MAX)
		return -EINVAL;
	memset(cpus, 0, (nr_cpus + 63) / 64 * 8);
	return affinity(hyp, XEN_DOMCTL_getvcpuaffinity, domid, vcpu, cpus, nr_cpus);
}

int hyp_vcpu_info(struct hyp *hyp, uint32_t domid, uint32_t vcpu,
		  struct xen_domctl_getvcpuinfo *info)
{
	struct xen_domctl op = { .domain = (domid_t)domid };
	int rc;

	op.u.getvcpuinfo.vcpu = vcpu;
	rc = hyp_domctl(hyp, XEN_DOMCTL_getvcpuinfo, &op);
	if (!rc)
		*info = op.u.getvcpuinfo;
	return rc;
}
