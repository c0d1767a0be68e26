/* SPDX-License-Identifier: MIT */
/*
 * memory_op: getting, giving up and exchanging memory one extent at a time, by guests that lie,
 * with any budget; what a domain is told about memory, and about whose.
 *
 * Links: hypervisor/mm/buddy.c hypervisor/mm/check.c hypervisor/mm/domain.c hypervisor/mm/frame.c
 * Links: hypervisor/mm/heap.c
 * Links: hypervisor/mm/m2p.c hypervisor/mm/map.c hypervisor/mm/page_type.c hypervisor/mm/pt_entry.c
 * Links: hypervisor/mm/scrub.c
 * Links: hypervisor/mm/pt_table.c hypervisor/mm/pt_update.c hypervisor/mm/segdesc.c
 * Links: hypervisor/lib/lock.c
 * Links: hypervisor/lib/bitmap.c hypervisor/domain/copy.c hypervisor/hypercall/foreign.c
 * Links: hypervisor/hypercall/memory_op.c hypervisor/hypercall/memory_extents.c
 * Links: tests/fake/machine.c tests/fake/tlb.c tests/fake/log.c tests/fake/tables.c
 * Links: tests/fake/domains.c
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "abi/memory.h"
#include "abi/xen.h"
#include "fake/domains.h"
#include "fake/machine.h"
#include "x86/machine.h"

static xen_pfn_t list[1024], list2[1024];
static mfn_t grant_frame[4];

int grant_table_grow(struct grant_domain *gd, unsigned nr)
{
	gd->nr_frames = nr;
	return 0;
}

mfn_t grant_table_frame(struct grant_domain *gd, unsigned i)
{
	(void)gd;
	return grant_frame[i];
}

static int64_t op(unsigned caller, uint64_t cmd, const void *arg)
{
	return fake_hypercall(caller, hypercall_memory_op, cmd, (uintptr_t)arg, 0, 0);
}

static struct xen_memory_reservation reservation(uint64_t n, unsigned order, domid_t domid)
{
	return (struct xen_memory_reservation){ GUEST_PTR(list), n, order, 0, domid };
}

static void test_populate_and_decrease(void **state)
{
	struct xen_memory_reservation r = reservation(20, 1, DOMID_SELF);
	uint64_t had = fake_domain[1].d.mm.pages;

	(void)state;
	for (unsigned i = 0; i < 20; i++)
		list[i] = 1000 + 2 * i;
	assert_int_equal(op(1, XENMEM_populate_physmap, &r), 20);
	assert_int_equal(fake_domain[1].d.mm.pages, had + 40);
	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(mm_owner(MFN(list[i])), 1);
		assert_int_equal(mm_m2p(MFN(list[i] + 1)), 1000 + 2 * i + 1);
	}
	assert_int_equal(op(1, XENMEM_decrease_reservation, &r), 20);
	assert_int_equal(fake_domain[1].d.mm.pages, had);
	assert_int_equal(op(1, XENMEM_decrease_reservation, &r), 0);
	r.nr_extents = 3;
	assert_int_equal(op(1, XENMEM_increase_reservation, &r), 3);
	assert_int_equal(mm_m2p(MFN(list[0])), ~0ull);
}

static void test_in_pieces(void **state)
{
	struct xen_memory_reservation r = reservation(100, 0, DOMID_SELF);
	struct hypercall c = { .arg = { XENMEM_populate_physmap, (uintptr_t)&r } };
	unsigned restarts = 0;
	int64_t rc;

	(void)state;
	for (unsigned i = 0; i < 100; i++)
		list[i] = i;
	fake_budget(7);
	while ((rc = fake_call(1, hypercall_memory_op, &c)) == -ERESTART)
		restarts++;
	assert_int_equal(rc, 100);
	assert_true(restarts > 10);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(mm_m2p(MFN(list[i])), i);
}

/* Class E: numbers that lie, memory that isn't there, limits. */
static void test_hostile_extents(void **state)
{
	struct xen_memory_reservation r = reservation(~0ul, 0, DOMID_SELF);
	uint64_t had = fake_domain[1].d.mm.pages;

	(void)state;
	assert_int_equal(op(1, XENMEM_populate_physmap, &r), -EINVAL);
	r = reservation(1, 10, DOMID_SELF);
	assert_int_equal(op(1, XENMEM_populate_physmap, &r), 0);
	r = reservation(1, ~0u, DOMID_SELF);
	assert_int_equal(op(0, XENMEM_increase_reservation, &r), 0);
	assert_int_equal(op(0, XENMEM_decrease_reservation, &r), 0);
	r = reservation(10, 0, DOMID_SELF);
	assert_int_equal(op(1, XENMEM_populate_physmap | 11 << 6, &r), -EINVAL);
	r = reservation(1000, 0, DOMID_SELF);
	/* max_pages */
	assert_int_equal(op(1, XENMEM_populate_physmap, &r), 600 - had);
	list[0] = ~0ul;
	list[1] = FAKE_DEVICE_MFN;
	list[2] = 0;
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(op(1, XENMEM_decrease_reservation | i << 6, &r), i);
	fake_copy_fails_after(0);
	assert_int_equal(op(1, XENMEM_populate_physmap, &r), -EFAULT);
	fake_copy_fails_after(~0u);
	r.extent_start.va = 0xffff830000000000;
	assert_int_equal(op(2, XENMEM_populate_physmap, &r), 0);
	had = fake_domain[2].d.mm.pages;
	r = reservation(1, 3, DOMID_SELF);
	fake_copy_fails_after(2);			/* got it, can't tell it */
	assert_int_equal(op(2, XENMEM_populate_physmap, &r), 0);
	fake_copy_fails_after(~0u);
	assert_int_equal(fake_domain[2].d.mm.pages, had);
}

static void test_for_others(void **state)
{
	struct xen_memory_reservation r = reservation(1, 0, 2);

	(void)state;
	assert_int_equal(op(1, XENMEM_populate_physmap, &r), -EPERM);
	assert_int_equal(op(0, XENMEM_populate_physmap, &r), 1);
	assert_int_equal(mm_owner(MFN(list[0])), 2);
	r.domid = 1;
	assert_int_equal(op(0, XENMEM_decrease_reservation, &r), 0);
	r.domid = DOMID_IO;
	assert_int_equal(op(1, XENMEM_populate_physmap, &r), 0);
	r.domid = DOMID_XEN;
	assert_int_equal(op(0, XENMEM_populate_physmap, &r), 0);
	r.domid = 55;
	assert_int_equal(op(0, XENMEM_populate_physmap, &r), -ESRCH);
}

static struct xen_memory_exchange exchange(uint64_t n_in, unsigned order_in, uint64_t n_out,
					   unsigned order_out)
{
	struct xen_memory_exchange x = { .in = reservation(n_in, order_in, DOMID_SELF),
					.out = reservation(n_out, order_out, DOMID_SELF) };

	x.out.extent_start = GUEST_PTR(list2);
	return x;
}

/* What Linux does for DMA: its frames for as many in one piece, below a limit; and back. */
static void test_exchange(void **state)
{
	struct fake_domain *f = &fake_domain[1];
	struct xen_memory_exchange x = exchange(64, 0, 1, 6);
	uint64_t had;

	(void)state;
	for (unsigned i = 0; i < 64; i++)
		list[i] = fake_frame(&f->d.mm).n;
	had = f->d.mm.max_pages = f->d.mm.pages;		/* all that it may have */
	list2[0] = 500;
	x.out.mem_flags = XENMEMF_address_bits(22);
	assert_int_equal(op(1, XENMEM_exchange, &x), 0);
	assert_int_equal(x.nr_exchanged, 64);
	assert_int_equal(list2[0] % 64, 0);
	assert_true(list2[0] < 1 << 10);
	assert_int_equal(mm_m2p(MFN(list2[0] + 9)), 509);
	assert_int_equal(f->d.mm.pages, had);
	assert_int_equal(mm_owner(MFN(list[0])), DOMID_INVALID);

	list[0] = list2[0];
	x = exchange(1, 6, 64, 0);
	for (unsigned i = 0; i < 64; i++)
		list2[i] = 500 + i;
	assert_int_equal(op(1, XENMEM_exchange, &x), 0);
	assert_int_equal(x.nr_exchanged, 1);
	assert_int_equal(mm_m2p(MFN(list2[63])), 563);
	assert_int_equal(f->d.mm.pages, had);
}

static void test_exchange_in_pieces(void **state)
{
	struct xen_memory_exchange x = exchange(32, 0, 8, 2);
	struct hypercall c = { .arg = { XENMEM_exchange, (uintptr_t)&x } };
	unsigned restarts = 0;
	int64_t rc;

	(void)state;
	for (unsigned i = 0; i < 32; i++)
		list[i] = fake_frame(&fake_domain[1].d.mm).n;
	fake_budget(1);
	while ((rc = fake_call(1, hypercall_memory_op, &c)) == -ERESTART)
		restarts++;
	assert_int_equal(rc, 0);
	assert_int_equal(restarts, 4 - 1);
	assert_int_equal(x.nr_exchanged, 32);
}

/* Class A, 214, 287 and E, 29, 159, 212. */
static void test_exchange_refused_leaves_everything(void **state)
{
	struct fake_domain *f = &fake_domain[1];
	struct xen_memory_exchange x = exchange(4, 0, 1, 2);
	uint64_t had;

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		list[i] = fake_frame(&f->d.mm).n;
	had = f->d.mm.pages;
	list[3] = f->t.l1.n;					/* a table */
	assert_int_equal(op(1, XENMEM_exchange, &x), -EINVAL);
	list[3] = list[0];					/* twice the same */
	assert_int_equal(op(1, XENMEM_exchange, &x), -EINVAL);
	list[3] = fake_domain[2].t.l1.n;
	assert_int_equal(op(1, XENMEM_exchange, &x), -EINVAL);
	list[3] = fake_frame(&f->d.mm).n;
	x.out.mem_flags = XENMEMF_address_bits(13);
	assert_int_equal(op(1, XENMEM_exchange, &x), -ENOMEM);
	x.out.mem_flags = 0;
	for (unsigned n = 1; n < 7; n++) {			/* any pointer may be bad */
		fake_copy_fails_after(n);
		assert_true(op(1, XENMEM_exchange, &x) < 0);
	}
	fake_copy_fails_after(~0u);
	assert_int_equal(x.nr_exchanged, 0);
	assert_int_equal(f->d.mm.pages, had + 1);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(mm_owner(MFN(list[i])), 1);
}

static void test_exchange_unsound(void **state)
{
	struct xen_memory_exchange bad[] = {
		exchange(4, 0, 1, 3), exchange(1ull << 60, 9, 1, 0), exchange(3, 0, 1,
				2), exchange(1, 10, 1, 10),
		exchange(~0ull, 0, ~0ull, 0), exchange(4, 0, 1, 2), exchange(8, 0, 2,
				2), exchange(8, ~0u, 2, 2),
	};

	(void)state;
	bad[5].out.domid = 2;
	bad[6].nr_exchanged = 1;
	for (unsigned i = 0; i < 8; i++)
		assert_true(op(1, XENMEM_exchange, &bad[i]) < 0);
	bad[5].in.domid = 2;
	assert_int_equal(op(0, XENMEM_exchange, &bad[5]), -EINVAL);
}

static void test_what_a_domain_has(void **state)
{
	struct xen_memory_domain self = { DOMID_SELF }, two = { 2 };

	(void)state;
	assert_int_equal(op(1, XENMEM_current_reservation, &self), 4);
	assert_int_equal(op(1, XENMEM_maximum_reservation, &self), 600);
	assert_int_equal(op(1, XENMEM_maximum_reservation, &two), -EPERM);
	assert_int_equal(op(0, XENMEM_maximum_reservation, &two), 600);
	fake_domain[2].shared.arch.max_pfn = 700;
	assert_int_equal(op(0, XENMEM_maximum_gpfn, &two), 699);
	assert_int_equal(op(1, XENMEM_maximum_ram_page, NULL), mm_max_mfn() - 1);
	assert_int_equal(op(1, XENMEM_add_to_physmap, NULL), -ENOSYS);
	assert_int_equal(op(1, 63, NULL), -ENOSYS);
}

static void test_maps(void **state)
{
	struct mm_map_entry e[2] = { { 0, 0x1000000, 1 }, { 0x1000000, 0x1000, 2 } }, got[5];
	struct xen_foreign_memory_map set = { 1, { 2, GUEST_PTR(e) } };
	struct xen_memory_map m = { 5, GUEST_PTR(got) };

	(void)state;
	assert_int_equal(op(1, XENMEM_memory_map, &m), -ENOSYS);
	assert_int_equal(op(1, XENMEM_set_memory_map, &set), -EPERM);
	assert_int_equal(op(0, XENMEM_set_memory_map, &set), 0);
	assert_int_equal(op(1, XENMEM_memory_map, &m), 0);
	assert_int_equal(m.nr_entries, 2);
	assert_memory_equal(got, e, sizeof(e));
	set.map.nr_entries = MM_MAP_ENTRIES + 1;
	assert_int_equal(op(0, XENMEM_set_memory_map, &set), -EINVAL);
	mm_set_machine_map(e, 2);
	m.nr_entries = 1;
	assert_int_equal(op(1, XENMEM_machine_memory_map, &m), -EPERM);
	assert_int_equal(op(0, XENMEM_machine_memory_map, &m), 0);
	assert_int_equal(m.nr_entries, 1);
}

static void test_m2p(void **state)
{
	struct xen_machphys_mapping m = { 0 };
	struct xen_machphys_mfn_list l = { 10, GUEST_PTR(list), 0 };

	(void)state;
	assert_int_equal(op(1, XENMEM_machphys_mapping, &m), 0);
	assert_int_equal(m.v_start, MACH2PHYS_VIRT_START);
	assert_int_equal(m.max_mfn, mm_max_mfn() - 1);
	assert_int_equal(op(0, XENMEM_machphys_mfn_list, &l), 0);
	assert_int_equal(l.nr_extents, 1);
	assert_int_equal(list[0], mm_m2p_chunk(0).n);
}

static void test_claims_and_resources(void **state)
{
	struct xen_memory_reservation claim = { .nr_extents = 10, .domid = 1 };
	struct xen_mem_acquire_resource r = { .domid = 1, .type = XENMEM_resource_grant_table,
					     .nr_frames = 2, .frame = 1 };

	(void)state;
	assert_int_equal(op(1, XENMEM_claim_pages, &claim), -EPERM);
	assert_int_equal(op(0, XENMEM_claim_pages, &claim), 0);
	assert_int_equal(fake_domain[1].d.mm.claim, 10 - 4);	/* it has four */
	claim.extent_order = 1;
	assert_int_equal(op(0, XENMEM_claim_pages, &claim), -EINVAL);
	grant_frame[1] = MFN(11);
	grant_frame[2] = MFN(12);
	fake_domain[1].d.grant.max_frames = 4;
	assert_int_equal(op(0, XENMEM_acquire_resource, &r), 0);
	assert_int_equal(r.nr_frames, 4);
	r.nr_frames = 2;
	r.frame_list = GUEST_PTR(list);
	assert_int_equal(op(1, XENMEM_acquire_resource, &r), -EPERM);
	assert_int_equal(op(0, XENMEM_acquire_resource, &r), 0);
	assert_int_equal(list[0], 11);
	assert_int_equal(list[1], 12);
	assert_int_equal(fake_domain[1].d.grant.nr_frames, 3);
	r.frame = 3;
	assert_int_equal(op(0, XENMEM_acquire_resource, &r), -EINVAL);
	r.frame = ~0ull;
	assert_int_equal(op(0, XENMEM_acquire_resource, &r), -EINVAL);
	r.nr_frames = ~0u;
	assert_int_equal(op(0, XENMEM_acquire_resource, &r), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_domains_setup, fake_domains_teardown)
		TEST(test_populate_and_decrease),
		TEST(test_in_pieces),
		TEST(test_hostile_extents),
		TEST(test_for_others),
		TEST(test_exchange),
		TEST(test_exchange_in_pieces),
		TEST(test_exchange_refused_leaves_everything),
		TEST(test_exchange_unsound),
		TEST(test_what_a_domain_has),
		TEST(test_maps),
		TEST(test_m2p),
		TEST(test_claims_and_resources),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
