/* SPDX-License-Identifier: MIT */
/*
 * update_va_mapping(va, entry, flags [, domid]): change the L1 entry for an address of the running
 * vCPU, and flush (UVMF_*).
 */
#include "domain/copy.h"
#include "hypercall/foreign.h"
#include "x86/machine.h"

static void flush(const struct cpumask *cpus, uint64_t type, vaddr_t va)
{
	if (type == UVMF_TLB_FLUSH)
		machine_tlb_flush(cpus);
	else if (type == UVMF_INVLPG)
		machine_tlb_flush_va(cpus, va);
}

static int64_t update(struct hypercall *c, struct mm_domain *frames)
{
	struct vcpu *v = c->vcpu;
	vaddr_t va = VADDR(c->arg[0]);
	uint64_t type = c->arg[2] & UVMF_FLUSHTYPE_MASK, whom = c->arg[2] & ~UVMF_FLUSHTYPE_MASK;
	struct cpumask cpus;
	int rc;

	if (type == UVMF_FLUSHTYPE_MASK)
		return -EINVAL;
	rc = mm_update_va(&v->domain->mm, frames, v->mm.kernel_table, va, c->arg[1]);
	if (rc || type == UVMF_NONE)
		return rc;
	if (whom == UVMF_LOCAL)
		flush(NULL, type, va);
	else if (whom == UVMF_ALL)
		flush(&v->domain->mm.cpus, type, va);
	else if (!foreign_vcpu_cpus(v, (guest_ptr_t){ whom }, &cpus))
		flush(&cpus, type, va);
	else
		rc = -EFAULT;
	return rc;
}

int64_t hypercall_update_va_mapping(struct hypercall *c)
{
	return update(c, &c->vcpu->domain->mm);
}

int64_t hypercall_update_va_mapping_otherdomain(struct hypercall *c)
{
	struct foreign frames;
	int64_t rc = foreign_get(c->vcpu, c->arg[3], &frames);

	if (!rc)
		rc = update(c, frames.mm);
	foreign_put(&frames);
	return rc;
}
