/* SPDX-License-Identifier: MIT */
/*
 * The memory hypercalls with any arguments: lists that are half nonsense, cursors that a guest made
 * up, pointers that fail in the middle, any budget. Nothing may be left behind: no reference to a
 * domain, no frame, no count, no stale translation.
 * The input is a program: a call, the caller, then what its arguments are made of, a byte each.
 *
 * Links: hypervisor/mm/buddy.c hypervisor/mm/check.c hypervisor/mm/domain.c hypervisor/mm/frame.c
 * Links: hypervisor/mm/heap.c hypervisor/mm/m2p.c hypervisor/mm/map.c hypervisor/mm/page_type.c
 * Links: hypervisor/mm/scrub.c
 * Links: hypervisor/mm/pt_entry.c hypervisor/mm/pt_table.c hypervisor/mm/pt_update.c
 * Links: hypervisor/mm/segdesc.c hypervisor/lib/lock.c hypervisor/lib/bitmap.c
 * Links: hypervisor/domain/copy.c hypervisor/domain/descriptor.c hypervisor/hypercall/foreign.c
 * Links: hypervisor/hypercall/mmu_update.c hypervisor/hypercall/mmuext_op.c
 * Links: hypervisor/hypercall/update_va_mapping.c hypervisor/hypercall/set_gdt.c
 * Links: hypervisor/hypercall/update_descriptor.c hypervisor/hypercall/memory_op.c
 * Links: hypervisor/hypercall/memory_extents.c tests/fake/machine.c tests/fake/tlb.c
 * Links: tests/fake/log.c tests/fake/tables.c tests/fake/domains.c
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/memory.h"
#include "fake/domains.h"
#include "fake/machine.h"
#include "lib/assert.h"
#include "x86/machine.h"

#define LIST	24

static const uint8_t *input;
static size_t left;

/* What calls point to; mfns[] also collects what they give. */
static xen_pfn_t mfns[LIST], out[LIST];
static struct mmu_update updates[LIST];
static struct mmuext_op ops[LIST];
static uint32_t done;

int grant_table_grow(struct grant_domain *gd, unsigned nr)
{
	gd->nr_frames = nr;
	return 0;
}

mfn_t grant_table_frame(struct grant_domain *gd, unsigned i)
{
	(void)gd;
	return MFN(i);
}

struct vcpu *vcpu_current(void)
{
	return machine_current();
}

void machine_vcpu_load_gdt(struct machine_vcpu *mv)
{
	ASSERT(mv->gdt_entries <= FIRST_RESERVED_GDT_ENTRY);
}

void machine_vcpu_load_ldt(struct machine_vcpu *mv)
{
	ASSERT(mv->ldt_entries <= 8192);
}

static unsigned byte(void)
{
	if (!left)
		return 0;
	left--;
	return *input++;
}

/* Mostly small; sometimes anything. */
static uint64_t number(void)
{
	static const uint64_t odd[] = { ~0ull, 1ull << 63, 1ull << 32, 0xffff830000000000, 4096,
				       512 };
	unsigned b = byte();

	return b < 200 ? b % 32 : odd[b % ARRAY_SIZE(odd)];
}

static mfn_t pick(void)
{
	const struct fake_domain *f = &fake_domain[byte() % FAKE_DOMAINS];
	unsigned b = byte();

	switch (b % 8) {
	case 0:
		return f->t.l1;
	case 1:
		return f->t.l2;
	case 2:
		return f->t.l3;
	case 3:
		return f->t.l4;
	case 4:
		return b & 8 ? MFN(FAKE_DEVICE_MFN) : mm_m2p_chunk(0);
	case 5:
		return MFN(number());
	default:
		return MFN(mfns[(b >> 3) % LIST]);
	}
}

static uint64_t entry(void)
{
	static const uint64_t flags[] = { RW, RW, RO, 0, P, RW | 0x80, RW | 0x18, RW | 1ull << 63 };

	return fake_entry(pick(), flags[byte() % ARRAY_SIZE(flags)]) & ~(0xfffull << 52);
}

static uint64_t domid(void)
{
	static const uint16_t some[] = {
		DOMID_SELF, DOMID_SELF, DOMID_SELF, 0, 1, 2, 9, DOMID_IO, DOMID_XEN, DOMID_INVALID,
	};

	return some[byte() % ARRAY_SIZE(some)];
}

static void reservation(struct xen_memory_reservation *r, xen_pfn_t *list)
{
	r->extent_start = byte() < 230 ? GUEST_PTR(list) : (guest_ptr_t){ number() };
	r->nr_extents = byte() < 230 ? byte() % (LIST + 1) : number();
	r->extent_order = byte() < 230 ? byte() % 4 : (unsigned)number();
	r->mem_flags = byte() & 1 ? 0 : byte();
	r->domid = (domid_t)domid();
}

/* The argument of a memory_op; lists are long enough for what is asked, or made up. */
static const void *memory_argument(unsigned cmd)
{
	static struct xen_memory_reservation r;
	static struct xen_memory_exchange x;
	static struct mm_map_entry map[MM_MAP_ENTRIES];
	static struct xen_foreign_memory_map set;
	static struct xen_machphys_mfn_list l;
	static struct xen_mem_acquire_resource a;
	static uint64_t any[16];

	switch (cmd) {
	case XENMEM_increase_reservation:
	case XENMEM_decrease_reservation:
	case XENMEM_populate_physmap:
	case XENMEM_claim_pages:
		reservation(&r, mfns);
		if (r.nr_extents > LIST)
			r.extent_start = (guest_ptr_t){ 0xffff830000000000 };
		return &r;
	case XENMEM_exchange:
		reservation(&x.in, mfns);
		reservation(&x.out, out);
		x.nr_exchanged = byte() & 7 ? 0 : number();
		if (byte() & 1)
			x.out.domid = x.in.domid;
		if (x.in.nr_extents > LIST || x.out.nr_extents > LIST)
			x.in.extent_start = x.out.extent_start =
				(guest_ptr_t){ 0xffff830000000000 };
		return &x;
	case XENMEM_set_memory_map:
	case XENMEM_memory_map:
		set = (struct xen_foreign_memory_map){ (domid_t)domid(),
						      { byte(), GUEST_PTR(map) } };
		return cmd == XENMEM_memory_map ? (void *)&set.map : &set;
	case XENMEM_machphys_mfn_list:
		l = (struct xen_machphys_mfn_list){ byte() % LIST, GUEST_PTR(out), 0 };
		return &l;
	case XENMEM_acquire_resource:
		a = (struct xen_mem_acquire_resource){ (domid_t)domid(),
						      XENMEM_resource_grant_table,
			byte() % 2, byte() % LIST, 0, number(), GUEST_PTR(out) };
		return &a;
	default:
		any[0] = domid();
		return any;
	}
}

/* The arguments of a call, from its list. */
static hypercall_fn *call(uint64_t arg[6])
{
	unsigned which = byte() % 8, n = byte() % LIST;

	arg[1] = n | (byte() < 240 ? 0 : number() << 32);
	arg[2] = byte() & 1 ? (uintptr_t)&done : 0;
	arg[3] = domid() | (byte() < 200 ? 0 : (domid() + 1) << 16);
	switch (which) {
	case 0:
	case 1:
		for (unsigned i = 0; i < n; i++)
			updates[i] = (struct mmu_update){ fake_slot(pick(), byte() % 32) |
							 (byte() & 3), entry() };
		arg[0] = (uintptr_t)updates;
		return hypercall_mmu_update;
	case 2:
	case 3:
		for (unsigned i = 0; i < n; i++)
			ops[i] = (struct mmuext_op){ byte() % 22, { pick().n },
						    { (unsigned)pick().n } };
		arg[0] = (uintptr_t)ops;
		return hypercall_mmuext_op;
	case 4:
		arg[0] = (uint64_t)(byte() % 40) << PAGE_SHIFT;
		arg[1] = entry();
		arg[2] = byte() & 1 ? byte() % 8 : (uintptr_t)mfns;
		arg[3] = domid();
		if (byte() & 1)
			return hypercall_update_va_mapping;
		return hypercall_update_va_mapping_otherdomain;
	case 5:
		arg[0] = (uintptr_t)mfns;
		arg[1] = number();
		return hypercall_set_gdt;
	case 6:
		arg[0] = fake_slot(pick(), byte());
		arg[1] = (uint64_t)byte() << 40 | number();
		return hypercall_update_descriptor;
	default:
		arg[0] = byte() % 30;
		arg[1] = (uintptr_t)memory_argument((unsigned)arg[0]);
		arg[0] |= byte() < 230 ? 0 : number() << 6;
		return hypercall_memory_op;
	}
}

static void step(void)
{
	unsigned b = byte(), i = b % FAKE_DOMAINS, again = 0;
	struct hypercall c;
	hypercall_fn *fn = call(c.arg);
	int64_t rc;

	fake_copy_fails_after(b & 0x80 ? byte() % 16 : ~0u);
	fake_budget(b & 0x40 ? byte() % 8 : ~0u);
	do {
		rc = fake_call(i, fn, &c);
		ASSERT(again++ < 5000);
	} while (rc == -ERESTART);
	ASSERT(rc >= 0 || rc >= -4095);
	ASSERT(!fake_domain_refs);
	ASSERT(!fake_tlb_check());
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	input = data;
	left = size;
	fake_domains_setup(NULL);
	for (unsigned d = 0; d < FAKE_DOMAINS; d++) {
		for (unsigned k = 0; k < 2; k++) {
			for (unsigned i = 0; i < GDT_GUEST_FRAMES; i++)
				fake_domain[d].v[k].machine.gdt[i] = MFN_NONE;
			for (unsigned i = 0; i < LDT_MAX_FRAMES; i++)
				fake_domain[d].v[k].machine.ldt[i] = MFN_NONE;
		}
		for (unsigned i = d; i < LIST; i += FAKE_DOMAINS)
			mfns[i] = fake_frame(&fake_domain[d].d.mm).n;
	}
	while (left)
		step();
	fake_copy_fails_after(~0u);
	fake_budget(~0u);
	for (unsigned d = 0; d < FAKE_DOMAINS; d++)
		vcpu_release_descriptors(&fake_domain[d].v[0]);
	fake_domains_teardown(NULL);
	return 0;
}
