/* SPDX-License-Identifier: MIT */
/*
 * mmuext_op(ops, count, done, foreigndom): pins, roots, flushes, descriptor table, whole frames
 * (abi/xen.h, MMUEXT_*). foreigndom names the owner of frames that are pinned, cleared and copied.
 * The upper half of `count` is the cursor.
 */
#include "domain/copy.h"
#include "hypercall/foreign.h"
#include "lib/string.h"
#include "x86/machine.h"

static int clear_frame(struct mm_domain *frames, mfn_t mfn)
{
	if (!mm_get_writable(mfn, frames))
		return -EINVAL;
	memset(machine_va(mfn), 0, PAGE_SIZE);
	mm_put_writable(mfn);
	return 0;
}

static int copy_frame(struct mm_domain *frames, mfn_t to, mfn_t from)
{
	int rc = -EINVAL;

	if (!mm_get(from, frames))
		return rc;
	if (mm_get_writable(to, frames)) {
		memmove(machine_va(to), machine_va(from), PAGE_SIZE);
		mm_put_writable(to);
		rc = 0;
	}
	mm_put(from);
	return rc;
}

static int new_root(struct vcpu *v, mfn_t mfn, bool user)
{
	if (mfn_eq(mfn, MFN_NONE) || (!mfn.n && !user))
		return -EINVAL;
	return mm_set_root(&v->domain->mm, &v->mm, mfn.n ? mfn : MFN_NONE, user, !user);
}

static int flush_multi(struct vcpu *v, const struct mmuext_op *op)
{
	struct cpumask cpus;

	if (foreign_vcpu_cpus(v, op->arg2.vcpumask, &cpus))
		return -EFAULT;
	if (op->cmd == MMUEXT_TLB_FLUSH_MULTI)
		machine_tlb_flush(&cpus);
	else
		machine_tlb_flush_va(&cpus, VADDR(op->arg1.linear_addr));
	return 0;
}

/* What acts on the caller itself, whatever foreigndom says. */
static int own_op(struct vcpu *v, const struct mmuext_op *op)
{
	vaddr_t va = VADDR(op->arg1.linear_addr);

	switch (op->cmd) {
	case MMUEXT_TLB_FLUSH_LOCAL:
		machine_tlb_flush(NULL);
		return 0;
	case MMUEXT_INVLPG_LOCAL:
		machine_tlb_flush_va(NULL, va);
		return 0;
	case MMUEXT_TLB_FLUSH_MULTI:
	case MMUEXT_INVLPG_MULTI:
		return flush_multi(v, op);
	case MMUEXT_TLB_FLUSH_ALL:
		machine_tlb_flush(&v->domain->mm.cpus);
		return 0;
	case MMUEXT_INVLPG_ALL:
		machine_tlb_flush_va(&v->domain->mm.cpus, va);
		return 0;
	case MMUEXT_SET_LDT:
		return vcpu_set_ldt(v, va, op->arg2.nr_ents);
	case MMUEXT_FLUSH_CACHE:
	case MMUEXT_FLUSH_CACHE_GLOBAL:
		/* caches are coherent; wbinvd would only stall the others (abi/README.md) */
		return v->domain->privileged ? 0 : -EACCES;
	case MMUEXT_MARK_SUPER:
	case MMUEXT_UNMARK_SUPER:
		return -EOPNOTSUPP;
	default:
		return -ENOSYS;
	}
}

static int ext_op(struct vcpu *v, struct mm_domain *frames, const struct mmuext_op *op)
{
	/* at each switch of processes */
	if (likely(op->cmd == MMUEXT_NEW_BASEPTR || op->cmd == MMUEXT_NEW_USER_BASEPTR))
		return new_root(v, MFN(op->arg1.mfn), op->cmd == MMUEXT_NEW_USER_BASEPTR);
	switch (op->cmd) {
	case MMUEXT_PIN_L1_TABLE:
	case MMUEXT_PIN_L2_TABLE:
	case MMUEXT_PIN_L3_TABLE:
	case MMUEXT_PIN_L4_TABLE:
		return mm_pin(frames, MFN(op->arg1.mfn), op->cmd - MMUEXT_PIN_L1_TABLE + 1);
	case MMUEXT_UNPIN_TABLE:
		return mm_unpin(frames, MFN(op->arg1.mfn));
	case MMUEXT_CLEAR_PAGE:
		return clear_frame(frames, MFN(op->arg1.mfn));
	case MMUEXT_COPY_PAGE:
		return copy_frame(frames, MFN(op->arg1.mfn), MFN(op->arg2.src_mfn));
	default:
		return own_op(v, op);
	}
}

int64_t hypercall_mmuext_op(struct hypercall *c)
{
	uint32_t count = (uint32_t)c->arg[1], done = (uint32_t)(c->arg[1] >> 32);
	guest_ptr_t list = { c->arg[0] }, done_out = { c->arg[2] };
	struct mmuext_op op;
	struct foreign frames;
	int rc = foreign_get(c->vcpu, c->arg[3], &frames);

	if (rc)
		return rc;
	while (!rc && done < count) {
		if (copy_from_guest(&op, guest_ptr_at(list, done, sizeof(op)), sizeof(op)))
			rc = -EFAULT;
		else
			rc = ext_op(c->vcpu, frames.mm, &op);
		done += !rc;
		if (!rc && done % 16 == 0 && done < count && machine_budget_spent())
			rc = -ERESTART;
	}
	foreign_put(&frames);
	c->arg[1] = (uint64_t)done << 32 | count;
	if (rc != -ERESTART && !guest_ptr_null(done_out) &&
	    copy_to_guest(done_out, &done, sizeof(done)))
		rc = -EFAULT;
	return rc;
}
