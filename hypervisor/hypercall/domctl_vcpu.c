/* SPDX-License-Identifier: MIT */
/* The domctls about one vCPU: its state in and out, where it may run. */
#include "abi/errno.h"
#include "domain/copy.h"
#include "hypercall/domctl.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "x86/machine.h"

struct vcpu *domctl_vcpu(struct domain *d, unsigned id)
{
	return id < d->max_vcpus ? d->vcpu[id] : NULL;
}

/* The domain stands still: a new one, one that is paused, or one that has suspended. */
int domctl_setvcpucontext(struct domain *d, struct xen_domctl *op)
{
	struct vcpu *v = domctl_vcpu(d, op->u.vcpucontext.vcpu);
	struct vcpu_guest_context *ctx;
	int rc;

	if (!v)
		return -ENOENT;
	if (!d->controller_pauses && !d->shut_down)
		return -EBUSY;
	ctx = heap_alloc(sizeof(*ctx));
	if (!ctx)
		return -ENOMEM;
	rc = copy_from_guest(ctx, op->u.vcpucontext.ctxt, sizeof(*ctx));
	domain_pause(d);
	if (!rc)
		rc = vcpu_set_context(v, ctx);
	domain_unpause(d);
	heap_free(ctx);
	return rc;
}

int domctl_getvcpucontext(struct domain *d, struct xen_domctl *op)
{
	struct vcpu *v = domctl_vcpu(d, op->u.vcpucontext.vcpu);
	struct vcpu_guest_context *ctx;
	int rc;

	if (!v)
		return -ENOENT;
	if (!v->initialised)
		return -ENODATA;
	ctx = heap_alloc(sizeof(*ctx));
	if (!ctx)
		return -ENOMEM;
	domain_pause(d);
	vcpu_get_context(v, ctx);
	domain_unpause(d);
	rc = copy_to_guest(op->u.vcpucontext.ctxt, ctx, sizeof(*ctx));
	heap_free(ctx);
	return rc;
}

int domctl_getvcpuinfo(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_getvcpuinfo *info = &op->u.getvcpuinfo;
	struct vcpu *v = domctl_vcpu(d, info->vcpu);
	uint64_t time[4], since;
	enum sched_state state;

	if (!v)
		return -ENOENT;
	sched_runstate(&v->sched, &state, &since, time);
	info->online = !v->sched.down;
	info->blocked = v->sched.blocked;
	info->running = v->sched.running;
	info->cpu_time = time[SCHED_RUNNING];
	info->cpu = v->sched.cpu;
	return 0;
}

int domctl_read_cpumap(struct cpumask *mask, const struct xenctl_bitmap *map)
{
	uint32_t bytes = min(DIV_ROUND_UP(map->nr_bits, 8u), (uint32_t)sizeof(*mask));

	memset(mask, 0, sizeof(*mask));
	if (copy_from_guest(mask, map->bitmap, bytes))
		return -EFAULT;
	for (uint32_t bit = map->nr_bits; bit < bytes * 8; bit++)
		cpumask_clear(mask, bit);
	return 0;
}

int domctl_write_cpumap(const struct xenctl_bitmap *map, const struct cpumask *mask)
{
	struct cpumask copy = *mask;
	uint32_t bytes = DIV_ROUND_UP(map->nr_bits, 8u);

	for (uint32_t bit = map->nr_bits; bit < CPU_MAX && bit < bytes * 8; bit++)
		cpumask_clear(&copy, bit);
	return copy_to_guest(map->bitmap, &copy, min(bytes, (uint32_t)sizeof(copy)));
}

/* Hard affinity is what we have; soft affinity is taken and answered as "anywhere". */
int domctl_setvcpuaffinity(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_vcpuaffinity *a = &op->u.vcpuaffinity;
	struct vcpu *v = domctl_vcpu(d, a->vcpu);
	struct cpumask mask;
	int rc = 0;

	if (!v)
		return -ENOENT;
	if (!(a->flags & (XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT)))
		return -EINVAL;
	if (a->flags & XEN_VCPUAFFINITY_HARD) {
		rc = domctl_read_cpumap(&mask, &a->cpumap_hard);
		if (!rc)
			rc = sched_set_affinity(&v->sched, &mask);
		if (!rc)
			rc = domctl_write_cpumap(&a->cpumap_hard, &v->sched.affinity);
	}
	if (!rc && a->flags & XEN_VCPUAFFINITY_SOFT)
		rc = domctl_write_cpumap(&a->cpumap_soft, machine_cpus_online());
	return rc;
}

int domctl_getvcpuaffinity(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_vcpuaffinity *a = &op->u.vcpuaffinity;
	struct vcpu *v = domctl_vcpu(d, a->vcpu);
	int rc = 0;

	if (!v)
		return -ENOENT;
	if (a->flags & XEN_VCPUAFFINITY_HARD)
		rc = domctl_write_cpumap(&a->cpumap_hard, &v->sched.affinity);
	if (!rc && a->flags & XEN_VCPUAFFINITY_SOFT)
		rc = domctl_write_cpumap(&a->cpumap_soft, machine_cpus_online());
	return rc;
}
