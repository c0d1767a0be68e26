/* SPDX-License-Identifier: MIT */
/*
 * domctl(op): the control domain makes, controls and ends domains. Version-locked to the interface
 * of abi/domctl.h, which is that of Debian 12's Xen 4.17, so that its tools and ours run on either.
 */
#include "abi/errno.h"
#include "abi/sched.h"
#include "domain/copy.h"
#include "hypercall/domctl.h"
#include "hypercall/page.h"
#include "irq/irq.h"
#include "lib/string.h"
#include "x86/machine.h"

static int create(struct xen_domctl *op)
{
	const struct xen_domctl_createdomain *c = &op->u.createdomain;
	struct domain_settings s = { .max_vcpus = c->max_vcpus,
				     .ssidref = c->ssidref,
				     .flags = c->flags };
	domid_t id =
		op->domain > 0 && op->domain < DOMID_FIRST_RESERVED ? op->domain : DOMID_INVALID;
	struct domain *d;
	int rc;

	/* PV only: no hardware assistance, no IOMMU, no emulated devices, one CPU pool. */
	if ((c->flags & ~XEN_DOMCTL_CDF_xs_domain) || c->iommu_opts || c->vmtrace_size ||
	    c->cpupool_id || c->arch.emulation_flags || (c->arch.misc_flags & ~XEN_X86_MSR_RELAXED))
		return -EINVAL;
	if ((c->grant_opts & ~XEN_DOMCTL_GRANT_version_mask) ||
	    !(c->grant_opts & XEN_DOMCTL_GRANT_version_mask))
		return -EINVAL;
	s.max_grant_frames = c->max_grant_frames > 0 ? (unsigned)c->max_grant_frames : 0;
	s.max_maptrack_frames = c->max_maptrack_frames > 0 ? (unsigned)c->max_maptrack_frames : 0;
	if (s.max_grant_frames > 64 || s.max_maptrack_frames > 1024)
		return -EINVAL;
	memcpy(s.handle, c->handle, sizeof(s.handle));
	rc = domain_create(id, &s, &d);
	if (rc)
		return rc;
	if (c->max_evtchn_port)
		d->event.max_port = min(d->event.max_port, c->max_evtchn_port);
	op->domain = d->id;
	return 0;
}

static int destroy(struct domain *d, struct xen_domctl *op)
{
	int rc = domain_kill(d);

	(void)op;
	if (!rc)
		irq_domain_destroy(d);
	return rc;
}

static int pause(struct domain *d, struct xen_domctl *op)
{
	(void)op;
	return domain_controller_pause(d);
}

static int unpause(struct domain *d, struct xen_domctl *op)
{
	(void)op;
	return domain_controller_unpause(d);
}

static int resume(struct domain *d, struct xen_domctl *op)
{
	(void)op;
	domain_resume(d);
	return 0;
}

void domctl_fill_info(struct domain *d, struct xen_domctl_getdomaininfo *info)
{
	uint64_t time[4], since;
	enum sched_state state;

	memset(info, 0, sizeof(*info));
	info->domain = d->id;
	info->max_vcpu_id = XEN_INVALID_MAX_VCPU_ID;
	info->flags = XEN_DOMINF_blocked;
	for (unsigned i = 0; i < d->max_vcpus; i++) {
		const struct vcpu *v = d->vcpu[i];

		if (!v)
			continue;
		info->max_vcpu_id = i;
		sched_runstate(&v->sched, &state, &since, time);
		info->cpu_time += time[SCHED_RUNNING];
		if (v->sched.down)
			continue;
		info->nr_online_vcpus++;
		if (!v->sched.blocked)
			info->flags &= ~XEN_DOMINF_blocked;
		if (v->sched.running)
			info->flags |= XEN_DOMINF_running;
	}
	info->flags |=
		(d->dying ? XEN_DOMINF_dying : 0) | (d->controller_pauses ? XEN_DOMINF_paused : 0) |
		(d->shut_down ? XEN_DOMINF_shutdown | d->shutdown_code << XEN_DOMINF_shutdownshift
			      : 0) |
		(d->flags & XEN_DOMCTL_CDF_xs_domain ? XEN_DOMINF_xs_domain : 0);
	info->tot_pages = d->mm.pages;
	info->max_pages = d->mm.max_pages;
	info->shared_info_frame = machine_mfn(d->shared).n;
	info->ssidref = d->ssidref;
	info->gpaddr_bits = (uint8_t)machine_paddr_bits();
	memcpy(info->handle, d->handle, sizeof(info->handle));
}

static int max_vcpus(struct domain *d, struct xen_domctl *op)
{
	/* Room for them was made at creation; this makes them. */
	if (op->u.max_vcpus.max != d->max_vcpus)
		return -EINVAL;
	for (unsigned i = 0; i < d->max_vcpus; i++) {
		int rc = d->vcpu[i] ? 0 : vcpu_create(d, i);

		if (rc)
			return rc;
	}
	return 0;
}

static int max_mem(struct domain *d, struct xen_domctl *op)
{
	d->mm.max_pages = op->u.max_mem.max_memkb >> (PAGE_SHIFT - 10);
	return 0;
}

static int hypercall_init(struct domain *d, struct xen_domctl *op)
{
	mfn_t mfn = MFN(op->u.hypercall_init.gmfn);

	if (!mm_get_writable(mfn, &d->mm))
		return -EACCES;
	hypercall_page_write(machine_va(mfn));
	mm_put_writable(mfn);
	return 0;
}

static int set_handle(struct domain *d, struct xen_domctl *op)
{
	memcpy(d->handle, op->u.setdomainhandle.handle, sizeof(d->handle));
	return 0;
}

static int set_address_size(struct domain *d, struct xen_domctl *op)
{
	(void)d;
	return op->u.address_size.size == 64 ? 0 : -EOPNOTSUPP;
}

static int get_address_size(struct domain *d, struct xen_domctl *op)
{
	(void)d;
	op->u.address_size.size = 64;
	return 0;
}

static int set_time_offset(struct domain *d, struct xen_domctl *op)
{
	d->wallclock_offset = op->u.settimeoffset.time_offset_seconds;
	time_write_wallclock(d->shared, d->wallclock_offset);
	return 0;
}

/* Guests read the TSC natively: mode 0 (default) and 2 (never emulate) are what they get; 1 would
 * have to trap it. */
static int set_tsc(struct domain *d, struct xen_domctl *op)
{
	(void)d;
	return op->u.tsc_info.tsc_mode == 0 || op->u.tsc_info.tsc_mode == 2 ? 0 : -EOPNOTSUPP;
}

static int get_tsc(struct domain *d, struct xen_domctl *op)
{
	(void)d;
	op->u.tsc_info = (struct xen_domctl_tsc_info){ .gtsc_khz = (uint32_t)machine_ticks_khz(),
						       .elapsed_nsec = machine_now() };
	return 0;
}

static int scheduler_op(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_scheduler_op *s = &op->u.scheduler_op;

	if (s->sched_id != XEN_SCHEDULER_CREDIT2)
		return -EINVAL;
	switch (s->cmd) {
	case XEN_DOMCTL_SCHEDOP_getinfo:
		s->u.credit2.weight = (uint16_t)d->sched.weight;
		s->u.credit2.cap = (uint16_t)d->sched.cap;
		return 0;
	case XEN_DOMCTL_SCHEDOP_putinfo:
		return sched_domain_set(
			&d->sched, s->u.credit2.weight ? s->u.credit2.weight : d->sched.weight,
			s->u.credit2.cap == 0xffff ? d->sched.cap : s->u.credit2.cap);
	default:
		return -EINVAL;
	}
}

static int send_trigger(struct domain *d, struct xen_domctl *op)
{
	unsigned id = op->u.sendtrigger.vcpu;

	if (op->u.sendtrigger.trigger != XEN_DOMCTL_SENDTRIGGER_NMI)
		return -ENOSYS;
	if (id >= d->max_vcpus || !d->vcpu[id])
		return -ESRCH;
	vcpu_send_nmi(d->vcpu[id]);
	return 0;
}

/* Only the control domain has devices; giving a guest nothing is what it has already. */
static int permission(struct domain *d, struct xen_domctl *op)
{
	bool allow = op->cmd == XEN_DOMCTL_irq_permission ? op->u.irq_permission.allow_access
		     : op->cmd == XEN_DOMCTL_iomem_permission
			     ? op->u.iomem_permission.allow_access
			     : op->u.ioport_permission.allow_access;

	return !allow || d->privileged ? 0 : -EOPNOTSUPP;
}

/* One NUMA node: its bit is all there is. */
static int node_affinity(struct domain *d, struct xen_domctl *op)
{
	const struct xenctl_bitmap *map = &op->u.nodeaffinity.nodemap;
	struct cpumask node = { .bits = { 1 } };

	(void)d;
	return op->cmd == XEN_DOMCTL_setnodeaffinity ? 0 : domctl_write_cpumap(map, &node);
}

static int get_info(struct domain *d, struct xen_domctl *op)
{
	domctl_fill_info(d, &op->u.getdomaininfo);
	op->domain = d->id;
	return 0;
}

static const struct domctl_entry {
	domctl_fn *fn;
	bool self; /* the caller's own domain may be named */
} table[] = {
	[XEN_DOMCTL_destroydomain] = { destroy, false },
	[XEN_DOMCTL_pausedomain] = { pause, false },
	[XEN_DOMCTL_unpausedomain] = { unpause, false },
	[XEN_DOMCTL_getdomaininfo] = { get_info, true },
	[XEN_DOMCTL_shadow_op] = { domctl_shadow_op, false },
	[XEN_DOMCTL_setvcpuaffinity] = { domctl_setvcpuaffinity, true },
	[XEN_DOMCTL_getvcpuaffinity] = { domctl_getvcpuaffinity, true },
	[XEN_DOMCTL_max_mem] = { max_mem, true },
	[XEN_DOMCTL_setvcpucontext] = { domctl_setvcpucontext, false },
	[XEN_DOMCTL_getvcpucontext] = { domctl_getvcpucontext, false },
	[XEN_DOMCTL_getvcpuinfo] = { domctl_getvcpuinfo, true },
	[XEN_DOMCTL_max_vcpus] = { max_vcpus, false },
	[XEN_DOMCTL_scheduler_op] = { scheduler_op, true },
	[XEN_DOMCTL_setdomainhandle] = { set_handle, true },
	[XEN_DOMCTL_irq_permission] = { permission, true },
	[XEN_DOMCTL_iomem_permission] = { permission, true },
	[XEN_DOMCTL_ioport_permission] = { permission, true },
	[XEN_DOMCTL_hypercall_init] = { hypercall_init, false },
	[XEN_DOMCTL_settimeoffset] = { set_time_offset, false },
	[XEN_DOMCTL_resumedomain] = { resume, false },
	[XEN_DOMCTL_sendtrigger] = { send_trigger, false },
	[XEN_DOMCTL_set_address_size] = { set_address_size, false },
	[XEN_DOMCTL_get_address_size] = { get_address_size, true },
	[XEN_DOMCTL_set_ext_vcpucontext] = { domctl_set_ext_vcpucontext, false },
	[XEN_DOMCTL_get_ext_vcpucontext] = { domctl_get_ext_vcpucontext, false },
	[XEN_DOMCTL_getpageframeinfo3] = { domctl_getpageframeinfo3, false },
	[XEN_DOMCTL_setvcpuextstate] = { domctl_setvcpuextstate, false },
	[XEN_DOMCTL_getvcpuextstate] = { domctl_getvcpuextstate, false },
	[XEN_DOMCTL_get_vcpu_msrs] = { domctl_vcpu_msrs, false },
	[XEN_DOMCTL_set_vcpu_msrs] = { domctl_vcpu_msrs, false },
	[XEN_DOMCTL_gettscinfo] = { get_tsc, true },
	[XEN_DOMCTL_settscinfo] = { set_tsc, false },
	[XEN_DOMCTL_setnodeaffinity] = { node_affinity, true },
	[XEN_DOMCTL_getnodeaffinity] = { node_affinity, true },
};

static int on_domain(struct xen_domctl *op, struct domain *caller)
{
	const struct domctl_entry *e = op->cmd < ARRAY_SIZE(table) ? &table[op->cmd] : NULL;
	struct domain *d;
	int rc;

	if (!e || !e->fn)
		return -ENOSYS;
	d = domain_get(op->domain);
	if (!d)
		return -ESRCH;
	rc = d == caller && !e->self ? -EINVAL : e->fn(d, op);
	domain_put(d);
	return rc;
}

int64_t hypercall_domctl(struct hypercall *c)
{
	guest_ptr_t at = { c->arg[0] };
	struct xen_domctl op;
	int rc;

	if (!c->vcpu->domain->privileged)
		return -EPERM;
	if (copy_from_guest(&op, at, sizeof(op)))
		return -EFAULT;
	if (op.interface_version != XEN_DOMCTL_INTERFACE_VERSION)
		return -EACCES;
	rc = op.cmd == XEN_DOMCTL_createdomain ? create(&op) : on_domain(&op, c->vcpu->domain);
	if (!rc && copy_to_guest(at, &op, sizeof(op)))
		rc = -EFAULT;
	return rc;
}
