/* SPDX-License-Identifier: MIT */
/* sysctl(op): what the control domain asks about the host. Version-locked like domctl. */
#include "abi/errno.h"
#include "abi/sysctl.h"
#include "console/log.h"
#include "domain/copy.h"
#include "hypercall/debug_key.h"
#include "hypercall/domctl.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "mm/mm.h"
#include "x86/machine.h"

typedef int sysctl_fn(struct xen_sysctl *op);

static unsigned cpu_count(void)
{
	return cpumask_count(machine_cpus_online());
}

/* The log ring, from `index` on if incremental; count becomes what was given. */
static int read_console(struct xen_sysctl *op)
{
	struct xen_sysctl_readconsole *r = &op->u.readconsole;
	uint64_t from = r->incremental ? r->index : 0;
	char buf[512];
	uint32_t done = 0;

	while (done < r->count) {
		size_t n = log_read(buf, min(sizeof(buf), (size_t)(r->count - done)), &from);

		if (!n)
			break;
		if (copy_to_guest(guest_ptr_at(r->buffer, done, 1), buf, n))
			return -EFAULT;
		done += (uint32_t)n;
	}
	r->count = done;
	r->index = (uint32_t)from;
	if (r->clear)
		log_clear();
	return 0;
}

static int physinfo(struct xen_sysctl *op)
{
	struct xen_sysctl_physinfo *p = &op->u.physinfo;
	uint32_t regs[4];

	memset(p, 0, sizeof(*p));
	p->nr_cpus = cpu_count();
	p->threads_per_core = 1;
	p->cores_per_socket = p->nr_cpus;
	p->max_cpu_id = p->nr_cpus - 1;
	p->nr_nodes = 1;
	p->cpu_khz = (uint32_t)machine_ticks_khz();
	p->capabilities = XEN_SYSCTL_PHYSCAP_pv | XEN_SYSCTL_PHYSCAP_gnttab_v1;
	p->total_pages = mm_total_frames();
	p->free_pages = mm_free_frames();
	p->max_mfn = mm_max_mfn();
	machine_cpuid(1, 0, regs);
	p->hw_cap[0] = regs[3];
	p->hw_cap[1] = regs[2];
	machine_cpuid(0x80000001, 0, regs);
	p->hw_cap[2] = regs[3];
	p->hw_cap[3] = regs[2];
	machine_cpuid(7, 0, regs);
	p->hw_cap[5] = regs[1];
	return 0;
}

static int sched_id(struct xen_sysctl *op)
{
	/* Weight and cap, work-conserving: what the ABI calls credit2. */
	op->u.sched_id.sched_id = XEN_SCHEDULER_CREDIT2;
	return 0;
}

static int domain_list(struct xen_sysctl *op)
{
	struct xen_sysctl_getdomaininfolist *l = &op->u.getdomaininfolist;
	struct xen_domctl_getdomaininfo info;
	domid_t id = l->first_domain;
	struct domain *d;

	for (l->num_domains = 0; l->num_domains < l->max_domains; l->num_domains++) {
		d = domain_get_from(id);
		if (!d)
			break;
		domctl_fill_info(d, &info);
		id = d->id + 1;
		domain_put(d);
		if (copy_to_guest(guest_ptr_at(l->buffer, l->num_domains, sizeof(info)), &info,
				  sizeof(info)))
			return -EFAULT;
	}
	return 0;
}

static int debug_keys(struct xen_sysctl *op)
{
	for (uint32_t i = 0; i < min(op->u.debug_keys.nr_keys, 16u); i++) {
		char key;

		if (copy_from_guest(&key, guest_ptr_at(op->u.debug_keys.keys, i, 1), 1))
			return -EFAULT;
		debug_key(key);
	}
	return 0;
}

static int cpu_info(struct xen_sysctl *op)
{
	struct xen_sysctl_getcpuinfo *g = &op->u.getcpuinfo;

	for (g->nr_cpus = 0; g->nr_cpus < min(g->max_cpus, cpu_count()); g->nr_cpus++) {
		struct xen_sysctl_cpuinfo info = { .idletime = sched_idle_time(g->nr_cpus) };

		if (copy_to_guest(guest_ptr_at(g->info, g->nr_cpus, sizeof(info)), &info,
				  sizeof(info)))
			return -EFAULT;
	}
	return 0;
}

static int avail_heap(struct xen_sysctl *op)
{
	op->u.availheap.avail_bytes = mm_free_frames() << PAGE_SHIFT;
	return 0;
}

/* One core each, one socket, one node: we don't place by topology. */
static int cpu_topology(struct xen_sysctl *op)
{
	struct xen_sysctl_cputopoinfo *t = &op->u.cputopoinfo;
	unsigned n = cpu_count();

	for (uint32_t i = 0; !guest_ptr_null(t->cputopo) && i < min(t->num_cpus, n); i++) {
		struct xen_sysctl_cputopo cpu = { .core = i };

		if (copy_to_guest(guest_ptr_at(t->cputopo, i, sizeof(cpu)), &cpu, sizeof(cpu)))
			return -EFAULT;
	}
	t->num_cpus = n;
	return 0;
}

static int numa(struct xen_sysctl *op)
{
	struct xen_sysctl_numainfo *n = &op->u.numainfo;
	struct xen_sysctl_meminfo info = { mm_total_frames() << PAGE_SHIFT, mm_free_frames()
										    << PAGE_SHIFT };
	uint32_t distance = 10;

	if (n->num_nodes && !guest_ptr_null(n->meminfo) &&
	    copy_to_guest(n->meminfo, &info, sizeof(info)))
		return -EFAULT;
	if (n->num_nodes && !guest_ptr_null(n->distance) &&
	    copy_to_guest(n->distance, &distance, sizeof(distance)))
		return -EFAULT;
	n->num_nodes = 1;
	return 0;
}

/* There is one pool, number 0, with all CPUs. */
static int cpupool(struct xen_sysctl *op)
{
	struct xen_sysctl_cpupool_op *p = &op->u.cpupool_op;
	struct cpumask none = { { 0 } };
	struct domain *d;

	if (p->op == XEN_SYSCTL_CPUPOOL_OP_FREEINFO)
		return domctl_write_cpumap(&p->cpumap, &none);
	if (p->op != XEN_SYSCTL_CPUPOOL_OP_INFO)
		return -EOPNOTSUPP;
	if (p->cpupool_id && p->cpupool_id != XEN_SYSCTL_CPUPOOL_PAR_ANY)
		return -ENOENT;
	p->cpupool_id = 0;
	p->sched_id = XEN_SCHEDULER_CREDIT2;
	p->n_dom = 0;
	for (domid_t id = 0; (d = domain_get_from(id)); domain_put(d)) {
		id = d->id + 1;
		p->n_dom++;
	}
	return domctl_write_cpumap(&p->cpumap, machine_cpus_online());
}

static sysctl_fn *const table[] = {
	[XEN_SYSCTL_readconsole] = read_console,
	[XEN_SYSCTL_physinfo] = physinfo,
	[XEN_SYSCTL_sched_id] = sched_id,
	[XEN_SYSCTL_getdomaininfolist] = domain_list,
	[XEN_SYSCTL_debug_keys] = debug_keys,
	[XEN_SYSCTL_getcpuinfo] = cpu_info,
	[XEN_SYSCTL_availheap] = avail_heap,
	[XEN_SYSCTL_cputopoinfo] = cpu_topology,
	[XEN_SYSCTL_numainfo] = numa,
	[XEN_SYSCTL_cpupool_op] = cpupool,
};

int64_t hypercall_sysctl(struct hypercall *c)
{
	guest_ptr_t at = { c->arg[0] };
	struct xen_sysctl op;
	int rc;

	if (!c->vcpu->domain->privileged)
		return -EPERM;
	if (copy_from_guest(&op, at, sizeof(op)))
		return -EFAULT;
	if (op.interface_version != XEN_SYSCTL_INTERFACE_VERSION)
		return -EACCES;
	if (op.cmd >= ARRAY_SIZE(table) || !table[op.cmd])
		return -ENOSYS;
	rc = table[op.cmd](&op);
	if (!rc && copy_to_guest(at, &op, sizeof(op)))
		rc = -EFAULT;
	return rc;
}
