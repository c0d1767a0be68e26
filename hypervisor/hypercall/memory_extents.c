/* SPDX-License-Identifier: MIT */
/*
 * Getting, giving up and exchanging extents of 2^order frames. Each extent is done or not done,
 * never half; how far a call went is its result, and when the budget is spent the cursor in its
 * arguments (exchange: in the guest's structure).
 */
#include "abi/memory.h"

#include "domain/copy.h"
#include "hypercall/memory_op.h"
#include "mm/heap.h"
#include "x86/machine.h"

#define ORDER_GUEST	9		/* 2 MiB: what any domain may ask for at once */
#define ORDER_CONTROL	18
#define ORDER_EXCHANGE	9

struct extents {
	struct mm_domain *mm;
	guest_ptr_t list;
	unsigned order, addr_bits;
};

/* One extent for decrease_reservation: all of its frames, as far as they are the domain's. */
static bool extent_release(const struct extents *e, uint64_t i)
{
	bool all = true;
	xen_pfn_t mfn;

	if (copy_from_guest(&mfn, guest_ptr_at(e->list, i, sizeof(mfn)), sizeof(mfn)))
		return false;
	for (uint64_t k = 0; k < 1ull << e->order; k++)
		all &= mm_release(e->mm, MFN(mfn + k));
	return all;
}

static void release_new(struct mm_domain *mm, mfn_t first, unsigned order)
{
	for (uint64_t k = 0; k < 1ull << order; k++)
		if (!mm_release(mm, MFN(first.n + k)))
			break;
}

/*
 * One new extent; populate: the list says what pseudo-physical numbers it gets. The machine's go
 * back into the list, if there is one.
 */
static bool extent_get(const struct extents *e, uint64_t i, bool populate)
{
	guest_ptr_t at = guest_ptr_at(e->list, i, sizeof(xen_pfn_t));
	xen_pfn_t pfn = 0;
	mfn_t mfn;

	if (populate && copy_from_guest(&pfn, at, sizeof(pfn)))
		return false;
	mfn = mm_alloc(e->mm, e->order, e->addr_bits);
	if (mfn_eq(mfn, MFN_NONE))
		return false;
	for (uint64_t k = 0; populate && k < 1ull << e->order; k++)
		mm_m2p_set(MFN(mfn.n + k), pfn + k);
	if (guest_ptr_null(e->list) || !copy_to_guest(at, &mfn.n, sizeof(xen_pfn_t)))
		return true;
	release_new(e->mm, mfn, e->order);
	return false;
}

static bool order_ok(const struct vcpu *v, unsigned order)
{
	return order <= (v->domain->privileged ? ORDER_CONTROL : ORDER_GUEST);
}

int64_t memory_extents(struct hypercall *c, unsigned op, guest_ptr_t arg)
{
	uint64_t i = c->arg[0] >> MEMOP_CMD_BITS;
	struct xen_memory_reservation r;
	struct foreign of;
	struct extents e;
	bool ok = true;
	int rc;

	if (copy_from_guest(&r, arg, sizeof(r)))
		return -EFAULT;
	if (r.nr_extents > UINT64_MAX >> MEMOP_CMD_BITS || i > r.nr_extents)
		return -EINVAL;
	if (!order_ok(c->vcpu, r.extent_order))
		return (int64_t)i;
	rc = foreign_get(c->vcpu, r.domid, &of);
	if (rc)
		return rc;
	e = (struct extents){ of.mm, r.extent_start, r.extent_order,
			     XENMEMF_get_address_bits(r.mem_flags) };
	while (of.domain && ok && i < r.nr_extents && rc != -ERESTART) {
		ok = op == XENMEM_decrease_reservation ? extent_release(&e, i) :
		     extent_get(&e, i, op == XENMEM_populate_physmap);
		i += ok;
		if (ok && i < r.nr_extents && machine_budget_spent())
			rc = -ERESTART;
	}
	foreign_put(&of);
	c->arg[0] = i << MEMOP_CMD_BITS | op;
	return rc ? rc : (int64_t)i;
}

/* -- exchange: one chunk of 2^chunk frames at a time -- */

struct exchange {
	struct mm_domain *mm;
	const struct xen_memory_exchange *x;
	unsigned chunk;				/* the larger of both orders */
	uint64_t first_in, first_out;		/* extents of this chunk */
	mfn_t in[1 << ORDER_EXCHANGE];		/* frames taken */
	mfn_t out[1 << ORDER_EXCHANGE];		/* extents got */
};

static unsigned in_extents(const struct exchange *e)
{
	return 1u << (e->chunk - e->x->in.extent_order);
}

static unsigned out_extents(const struct exchange *e)
{
	return 1u << (e->chunk - e->x->out.extent_order);
}

/* Take the chunk's frames from the domain; how many could be had. */
static unsigned take_in(struct exchange *e)
{
	unsigned order = e->x->in.extent_order, n = 0;
	xen_pfn_t mfn;

	for (unsigned i = 0; i < in_extents(e); i++) {
		guest_ptr_t at = guest_ptr_at(e->x->in.extent_start, e->first_in + i, sizeof(mfn));

		if (copy_from_guest(&mfn, at, sizeof(mfn)))
			return n;
		for (unsigned k = 0; k < 1u << order; k++, n++) {
			e->in[n] = MFN(mfn + k);
			if (!mm_take(e->mm, e->in[n]))
				return n;
		}
	}
	return n;
}

/*
 * Get the chunk's new extents, tell their machine numbers, give them their pseudo-physical ones;
 * how many.
 */
static unsigned get_out(struct exchange *e)
{
	unsigned order = e->x->out.extent_order, n;
	unsigned bits = XENMEMF_get_address_bits(e->x->out.mem_flags);
	xen_pfn_t pfn;

	for (n = 0; n < out_extents(e); n++) {
		guest_ptr_t at = guest_ptr_at(e->x->out.extent_start, e->first_out + n,
					      sizeof(pfn));

		if (copy_from_guest(&pfn, at, sizeof(pfn)))
			return n;
		e->out[n] = mm_alloc_exchange(e->mm, order, bits);
		if (mfn_eq(e->out[n], MFN_NONE))
			return n;
		for (unsigned k = 0; k < 1u << order; k++)
			mm_m2p_set(MFN(e->out[n].n + k), pfn + k);
		if (copy_to_guest(at, &e->out[n].n, sizeof(pfn))) {
			release_new(e->mm, e->out[n], order);
			return n;
		}
	}
	return n;
}

static int exchange_chunk(struct exchange *e)
{
	unsigned in = take_in(e), out;

	if (in != 1u << e->chunk) {
		while (in--)
			mm_untake(e->in[in]);
		return -EINVAL;
	}
	out = get_out(e);
	if (out == out_extents(e)) {
		while (in--)
			mm_free_taken(e->in[in]);
		return 0;
	}
	while (out--)
		release_new(e->mm, e->out[out], e->x->out.extent_order);
	while (in--)
		mm_untake(e->in[in]);
	return -ENOMEM;
}

/* Both sides must be the same number of frames, whole chunks, the caller's own. */
static bool exchange_sound(const struct vcpu *v, const struct xen_memory_exchange *x,
			   unsigned chunk)
{
	uint64_t mask = (1ull << chunk) - 1, in, out;

	if (x->in.domid != x->out.domid ||
	    (x->in.domid != DOMID_SELF && x->in.domid != v->domain->id))
		return false;
	if (__builtin_mul_overflow(x->in.nr_extents, 1ull << x->in.extent_order, &in) ||
	    __builtin_mul_overflow(x->out.nr_extents, 1ull << x->out.extent_order, &out))
		return false;
	return in == out && !(in & mask) && x->nr_exchanged <= x->in.nr_extents &&
	       !(x->nr_exchanged << x->in.extent_order & mask);
}

/* Chunks until all are done, one is refused, or the budget is spent. */
static int exchange_all(struct exchange *e, struct xen_memory_exchange *x)
{
	int rc = 0;

	while (!rc && x->nr_exchanged < x->in.nr_extents) {
		e->first_in = x->nr_exchanged;
		e->first_out = x->nr_exchanged << x->in.extent_order >> x->out.extent_order;
		rc = exchange_chunk(e);
		if (!rc)
			x->nr_exchanged += in_extents(e);
		if (!rc && x->nr_exchanged < x->in.nr_extents && machine_budget_spent())
			rc = -ERESTART;
	}
	return rc;
}

int64_t memory_exchange(struct hypercall *c, guest_ptr_t arg)
{
	struct xen_memory_exchange x;
	struct exchange *e;
	unsigned chunk;
	int rc;

	if (copy_from_guest(&x, arg, sizeof(x)))
		return -EFAULT;
	chunk = max(x.in.extent_order, x.out.extent_order);
	if (chunk > ORDER_EXCHANGE)
		return -EPERM;
	if (!exchange_sound(c->vcpu, &x, chunk))
		return -EINVAL;
	e = heap_alloc(sizeof(*e));
	if (!e)
		return -ENOMEM;
	e->mm = &c->vcpu->domain->mm;
	e->x = &x;
	e->chunk = chunk;
	rc = exchange_all(e, &x);
	heap_free(e);
	arg.va += offsetof(struct xen_memory_exchange, nr_exchanged);
	if (copy_to_guest(arg, &x.nr_exchanged, sizeof(x.nr_exchanged)))
		return -EFAULT;
	return rc;
}
