/* SPDX-License-Identifier: MIT */
/*
 * Grants between two domains on the fake machine with its real page tables: what is granted can be
 * mapped and copied, what is not can't; a granter that changes its mind, its entries or its life
 * hurts nobody (advisory class C). Each test ends with every reference given back and a recount of
 * the machine.
 *
 * Links: hypervisor/grant/table.c hypervisor/grant/map.c hypervisor/grant/copy.c
 * Links: hypervisor/mm/buddy.c hypervisor/mm/check.c hypervisor/mm/domain.c
 * Links: hypervisor/mm/frame.c hypervisor/mm/heap.c hypervisor/mm/m2p.c hypervisor/mm/scrub.c
 * Links: hypervisor/mm/page_type.c hypervisor/mm/pt_entry.c hypervisor/mm/pt_table.c
 * Links: hypervisor/mm/pt_update.c hypervisor/mm/segdesc.c hypervisor/lib/lock.c
 * Links: hypervisor/lib/bitmap.c tests/fake/machine.c tests/fake/tlb.c tests/fake/log.c
 * Links: tests/fake/tables.c tests/unit/support/failing_heap.c
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake/machine.h"
#include "fake/tables.h"
#include "grant/grant.h"
#include "unit/support/failing_heap.h"
#include "x86/machine.h"

#define VA	0x3000ull
#define VA2	0x5000ull
#define REF	9

/* `giver` (id 1) grants, `taker` (id 2) maps; each has a small address space. */
static struct side {
	struct mm_domain mm;
	struct mm_vcpu vcpu;
	struct tables t;
	struct grant_domain grant;
	unsigned held;			/* references that mappings hold */
} giver, taker;

static uint64_t before;
static struct grant_entry_v1 *table;	/* giver's */
static mfn_t page;			/* giver's, granted by REF */

static void put(struct grant_domain *granter)
{
	struct side *s = container_of(granter, struct side, grant);

	assert_true(s->held > 0);
	s->held--;
}

static void make(struct side *s, domid_t id)
{
	memset(s, 0, sizeof(*s));
	mm_domain_init(&s->mm, id, 1000);
	s->vcpu = (struct mm_vcpu){ MFN_NONE, MFN_NONE };
	fake_tables(&s->mm, &s->t);
	assert_int_equal(mm_pin(&s->mm, s->t.l4, 4), 0);
	assert_int_equal(mm_set_root(&s->mm, &s->vcpu, s->t.l4, false, id == 2), 0);
	assert_int_equal(grant_domain_init(&s->grant, &s->mm, 4, 1), 0);
	s->grant.put = put;
}

static void grant_to(grant_ref_t ref, domid_t id, mfn_t mfn, uint16_t flags)
{
	table[ref] =
		(struct grant_entry_v1){ .domid = id, .frame = (uint32_t)mfn.n, .flags = flags };
}

static int setup(void **state)
{
	(void)state;
	fake_machine_start();
	fake_run_on(0);
	fake_budget(~0u);
	before = mm_free_frames();
	make(&giver, 1);
	make(&taker, 2);
	cpumask_set(&taker.mm.cpus, 0);
	table = machine_va(grant_table_frame(&giver.grant, 0));
	page = fake_frame(&giver.mm);
	fake_poke(page, 0, 0xaaaa);
	grant_to(REF, 2, page, GTF_permit_access);
	return 0;
}

static void end(struct side *s, uint64_t free)
{
	assert_int_equal(FINISH(grant_domain_release_mappings(&s->grant)), 0);
	assert_int_equal(FINISH(mm_set_root(&s->mm, &s->vcpu, MFN_NONE, false, false)), 0);
	if (free) {
		grant_domain_destroy(&s->grant);
		fake_end(&s->mm, free);
	} else {
		assert_int_equal(FINISH(mm_domain_teardown(&s->mm)), 0);
	}
}

static int teardown(void **state)
{
	(void)state;
	fake_budget(~0u);
	assert_int_equal(mm_check(NULL, NULL), 0);
	assert_int_equal(fake_tlb_check(), 0);
	machine_tables_load(machine_tables_idle(), true);
	end(&giver, 0);
	assert_int_equal(FINISH(grant_domain_release_mappings(&taker.grant)), 0);
	assert_int_equal(giver.held, 0);
	assert_int_equal(taker.held, 0);
	grant_domain_destroy(&giver.grant);
	end(&taker, before);
	return 0;
}

/* As hypercall/ does: a reference that the mapping takes over if it succeeds. */
static struct gnttab_map_grant_ref map(grant_ref_t ref, uint32_t flags, uint64_t at)
{
	struct gnttab_map_grant_ref op = {
		.host_addr = at, .flags = flags, .ref = ref, .dom = 1, .status = 77
	};

	assert_int_equal(grant_map(&taker.grant, &giver.grant, taker.vcpu.kernel_table, &op), 0);
	giver.held += op.status == GNTST_okay;
	return op;
}

static int unmap_only(grant_handle_t handle, uint64_t at, uint64_t bus, uint64_t replace,
		      struct grant_batch *batch)
{
	struct gnttab_unmap_grant_ref op = {
		.host_addr = at, .dev_bus_addr = bus, .handle = handle, .status = 77
	};

	assert_int_equal(grant_unmap(&taker.grant, taker.vcpu.kernel_table, &op, replace, batch),
			 0);
	return op.status;
}

static int unmap(grant_handle_t handle, uint64_t at, uint64_t bus)
{
	struct grant_batch batch = { 0 };
	int status = unmap_only(handle, at, bus, 0, &batch);

	grant_unmap_finish(&taker.grant, &batch);
	return status;
}

static bool reads(uint64_t va, uint64_t expected)
{
	uint64_t value;

	return fake_access(0, VADDR(va), false, &value) && value == expected;
}

static bool writes(uint64_t va, uint64_t value)
{
	return fake_access(0, VADDR(va), true, &value);
}

static void test_map_and_unmap(void **state)
{
	struct gnttab_map_grant_ref op = map(REF, GNTMAP_host_map, VA);

	(void)state;
	assert_int_equal(op.status, GNTST_okay);
	assert_true(reads(VA, 0xaaaa));
	assert_true(writes(VA + 8, 0xbbbb));
	assert_int_equal(fake_peek(page, 1), 0xbbbb);
	assert_int_equal(table[REF].flags, GTF_permit_access | GTF_reading | GTF_writing);
	assert_int_equal(unmap(op.handle, VA2, 0), GNTST_general_error);
	assert_int_equal(unmap(op.handle, VA, 0), GNTST_okay);
	assert_false(reads(VA, 0xaaaa));
	assert_int_equal(table[REF].flags, GTF_permit_access);
	assert_int_equal(giver.held, 0);
	assert_int_equal(unmap(op.handle, VA, 0), GNTST_bad_handle);
}

static void test_readonly(void **state)
{
	struct gnttab_map_grant_ref op;

	(void)state;
	grant_to(REF, 2, page, GTF_permit_access | GTF_readonly);
	assert_int_equal(map(REF, GNTMAP_host_map, VA).status, GNTST_general_error);
	op = map(REF, GNTMAP_host_map | GNTMAP_readonly, VA);
	assert_int_equal(op.status, GNTST_okay);
	assert_true(reads(VA, 0xaaaa));
	assert_false(writes(VA, 1));
	assert_int_equal(table[REF].flags, GTF_permit_access | GTF_readonly | GTF_reading);
	/* its own page-table call can't make more of it */
	assert_true(mm_update_va(&taker.mm, &taker.mm, taker.vcpu.kernel_table, VADDR(VA),
				 fake_entry(page, RW)) < 0);
	assert_int_equal(unmap(op.handle, VA, 0), GNTST_okay);
}

static void test_by_entry_address_and_for_devices(void **state)
{
	uint64_t at = fake_slot(taker.t.l1, 3), avail = 1ull << 16;
	struct gnttab_map_grant_ref op;

	(void)state;
	op = map(REF, GNTMAP_host_map | GNTMAP_device_map | GNTMAP_contains_pte | (uint32_t)avail,
		 at);
	assert_int_equal(op.status, GNTST_okay);
	assert_int_equal(op.dev_bus_addr, page.n << PAGE_SHIFT);
	assert_true(reads(VA, 0xaaaa));
	assert_true(fake_peek(taker.t.l1, 3) & 1ull << 9);
	/* one after the other: the pin goes with the last */
	assert_int_equal(unmap(op.handle, at, 0), GNTST_okay);
	assert_false(reads(VA, 0xaaaa));
	assert_true(table[REF].flags & GTF_writing);
	assert_int_equal(unmap(op.handle, at, 0), GNTST_general_error);
	assert_int_equal(unmap(op.handle, 0, op.dev_bus_addr + 4096), GNTST_bad_dev_addr);
	assert_int_equal(unmap(op.handle, 0, op.dev_bus_addr), GNTST_okay);
	assert_int_equal(table[REF].flags, GTF_permit_access);
}

static void test_refused(void **state)
{
	static const uint32_t bad_refs[] = { 10, 511, 512, 2047, 2048, 1u << 31, ~0u };
	uint32_t host = GNTMAP_host_map;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(bad_refs); i++)
		assert_true(map(bad_refs[i], host, VA).status < 0);
	assert_true(map(REF, 0, VA).status < 0);
	assert_true(map(REF, host, 0x7000000000).status < 0);
	assert_true(map(REF, host, 0xffff830000000000).status < 0);
	assert_true(map(REF, host, 0x800000000000).status < 0);
	assert_true(map(REF, host | GNTMAP_contains_pte, fake_slot(taker.t.l2, 3)).status < 0);
	assert_true(map(REF, host | GNTMAP_contains_pte, fake_slot(taker.t.l1, 3) + 4).status < 0);
	assert_true(map(REF, host | GNTMAP_contains_pte, fake_slot(giver.t.l1, 3)).status < 0);
	assert_true(map(REF, host | GNTMAP_contains_pte, 1ull << 52).status < 0);
	assert_int_equal(table[REF].flags, GTF_permit_access);
	grant_to(REF, 3, page, GTF_permit_access);
	assert_true(map(REF, host, VA).status < 0);
	grant_to(REF, 2, page, GTF_accept_transfer);
	assert_true(map(REF, host, VA).status < 0);
	grant_to(REF, 2, page, GTF_transitive);
	assert_true(map(REF, host, VA).status < 0);
	/* frames that aren't the giver's to give, or not as writable data */
	grant_to(REF, 2, taker.t.l1, GTF_permit_access);
	assert_true(map(REF, host | GNTMAP_readonly, VA).status < 0);
	grant_to(REF, 2, MFN(FAKE_DEVICE_MFN), GTF_permit_access);
	assert_true(map(REF, host | GNTMAP_readonly, VA).status < 0);
	grant_to(REF, 2, MFN(~0u), GTF_permit_access);
	assert_true(map(REF, host | GNTMAP_readonly, VA).status < 0);
	grant_to(REF, 2, giver.t.l1, GTF_permit_access);
	assert_true(map(REF, host, VA).status < 0);
	assert_int_equal(table[REF].flags, GTF_permit_access);
	assert_false(reads(VA, 0xaaaa));
}

static void test_bad_handles(void **state)
{
	static const grant_handle_t bad[] = { 0, 1, 127, 128, 511, 512, 1u << 31, ~0u };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(unmap(bad[i], VA, 0), GNTST_bad_handle);
	map(REF, GNTMAP_host_map, VA);
	for (unsigned i = 1; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(unmap(bad[i], VA, 0), GNTST_bad_handle);
}

/*
 * The giver rewrites its entry while it is mapped: what was pinned counts, for the mapping and for
 * its end.
 */
static void test_entry_changes_while_mapped(void **state)
{
	struct gnttab_map_grant_ref op = map(REF, GNTMAP_host_map, VA), second;
	mfn_t other = fake_frame(&giver.mm);

	(void)state;
	fake_poke(other, 0, 0xdddd);
	grant_to(REF, 3, other, GTF_permit_access);
	assert_true(map(REF, GNTMAP_host_map, VA2).status < 0);
	grant_to(REF, 2, other, GTF_permit_access);
	second = map(REF, GNTMAP_host_map, VA2);
	assert_int_equal(second.status, GNTST_okay);
	assert_true(reads(VA2, 0xaaaa));
	table[REF].flags = 0;
	assert_true(map(REF, GNTMAP_device_map, 0).status < 0);
	memset(&table[REF], 0xff, sizeof(table[REF]));
	assert_int_equal(unmap(second.handle, VA2, 0), GNTST_okay);
	assert_int_equal(unmap(op.handle, VA, 0), GNTST_okay);
	assert_int_equal(giver.held, 0);
}

/*
 * A page that is mapped by grant is data until the mapping is gone, and stays the giver's until
 * then.
 */
static void test_granted_page_keeps_its_type(void **state)
{
	struct gnttab_map_grant_ref op = map(REF, GNTMAP_host_map, VA);

	(void)state;
	fake_poke(page, 0, 0);
	assert_int_equal(mm_pin(&giver.mm, page, 1), -EINVAL);
	assert_int_equal(unmap(op.handle, VA, 0), GNTST_okay);
	memset(machine_va(page), 0, PAGE_SIZE);
	assert_int_equal(mm_pin(&giver.mm, page, 1), 0);
	assert_true(map(REF, GNTMAP_host_map, VA).status < 0);
	assert_int_equal(mm_unpin(&giver.mm, page), 0);
}

/*
 * The pin outlives the TLB entry: what was unmapped in a batch stays pinned until all CPUs have
 * forgotten it.
 */
static void test_unmapped_in_batches(void **state)
{
	struct gnttab_map_grant_ref op = map(REF, GNTMAP_host_map, VA),
				    two = map(REF, GNTMAP_host_map, VA2);
	struct grant_batch batch = { 0 };
	unsigned flushes;

	(void)state;
	assert_true(writes(VA, 1) && writes(VA2, 2));
	assert_int_equal(unmap_only(op.handle, VA, 0, 0, &batch), GNTST_okay);
	/* in our hands: nobody else may unmap it */
	assert_int_equal(unmap_only(op.handle, VA, 0, 0, &batch), GNTST_bad_handle);
	assert_int_equal(unmap_only(two.handle, VA2, 0, 0, &batch), GNTST_okay);
	assert_true(writes(VA, 3));	/* from the TLB */
	assert_true(table[REF].flags & GTF_writing);
	flushes = fake_flushes(0);
	grant_unmap_finish(&taker.grant, &batch);
	assert_int_equal(fake_flushes(0), flushes + 1);
	assert_false(writes(VA, 4));
	assert_int_equal(table[REF].flags, GTF_permit_access);
	grant_unmap_finish(&taker.grant, &batch);
	assert_int_equal(fake_flushes(0), flushes + 1);
}

/*
 * The taker overwrites the entry by itself: the unmapping says so, and the pin stays until it dies.
 */
static void test_overwritten_by_the_taker(void **state)
{
	struct gnttab_map_grant_ref op = map(REF, GNTMAP_host_map, VA);

	(void)state;
	assert_int_equal(mm_update_va(&taker.mm, &taker.mm, taker.vcpu.kernel_table, VADDR(VA), 0),
			 0);
	machine_tlb_flush(&taker.mm.cpus);
	assert_int_equal(unmap(op.handle, VA, 0), GNTST_general_error);
	assert_int_equal(giver.held, 1);
	assert_int_equal(FINISH(grant_domain_release_mappings(&taker.grant)), 0);
	assert_int_equal(giver.held, 0);
	assert_int_equal(table[REF].flags, GTF_permit_access);
}

static void test_replace(void **state)
{
	struct gnttab_map_grant_ref op = map(REF, GNTMAP_host_map, VA);
	struct grant_batch batch = { 0 };
	mfn_t own = fake_frame(&taker.mm);

	(void)state;
	fake_poke(own, 0, 0x1111);
	assert_int_equal(unmap_only(op.handle, VA, 0, VA2, &batch), GNTST_general_error);
	assert_int_equal(mm_update_va(&taker.mm, &taker.mm, taker.vcpu.kernel_table, VADDR(VA2),
				      fake_entry(own, RW)),
			 0);
	assert_int_equal(unmap_only(op.handle, VA, 0, VA2, &batch), GNTST_okay);
	grant_unmap_finish(&taker.grant, &batch);
	assert_true(reads(VA, 0x1111));
	assert_false(reads(VA2, 0x1111));
	assert_int_equal(mm_update_va(&taker.mm, &taker.mm, taker.vcpu.kernel_table, VADDR(VA), 0),
			 0);
	machine_tlb_flush(&taker.mm.cpus);
}

/* The giver dies first: its frame lives as long as the mapping. */
static void test_giver_dies(void **state)
{
	struct gnttab_map_grant_ref op = map(REF, GNTMAP_host_map, VA);

	(void)state;
	end(&giver, 0);
	assert_true(reads(VA, 0xaaaa));
	assert_true(writes(VA, 0xcccc));
	assert_int_equal(unmap(op.handle, VA, 0), GNTST_okay);
	assert_true(map(REF, GNTMAP_host_map, VA).status < 0);
}

static void test_taker_dies_restartably(void **state)
{
	unsigned calls = 0;
	int rc;

	(void)state;
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(map(REF, i % 2 ? GNTMAP_device_map : GNTMAP_host_map,
				     (i + 16) << PAGE_SHIFT)
					 .status,
				 GNTST_okay);
	assert_int_equal(giver.held, 100);
	do {
		fake_budget(20);
		rc = grant_domain_release_mappings(&taker.grant);
		calls++;
	} while (rc == -ERESTART);
	assert_int_equal(rc, 0);
	assert_true(calls > 4);
	assert_int_equal(giver.held, 0);
	assert_int_equal(table[REF].flags, GTF_permit_access);
}

static void test_handles_run_out(void **state)
{
	unsigned n = 0;

	(void)state;
	while (map(REF, GNTMAP_device_map | GNTMAP_readonly, 0).status == GNTST_okay)
		n++;
	assert_int_equal(n, 512);	/* one of the toolstack's maptrack frames */
	assert_int_equal(map(REF, GNTMAP_device_map, 0).status, GNTST_no_device_space);
	assert_int_equal(unmap(77, 0, page.n << PAGE_SHIFT), GNTST_okay);
	assert_int_equal(map(REF, GNTMAP_device_map, 0).handle, 77);
}

/* Who maps nothing has no list; one that cannot be had, or grow, refuses one mapping. */
static void test_handles_without_memory(void **state)
{
	(void)state;
	assert_null(taker.grant.track);
	for (unsigned allocation = 1; allocation <= 2; allocation++) {
		failing_heap_arm(allocation);
		assert_int_equal(map(REF, GNTMAP_device_map, 0).status, GNTST_no_device_space);
		assert_true(failing_heap_hit());
		assert_int_equal(taker.grant.nr_track, 0);
	}
	while (map(REF, GNTMAP_device_map, 0).status == GNTST_okay)
		if (taker.grant.nr_track == taker.grant.track_room &&
		    taker.grant.first_free == GRANT_NO_HANDLE)
			break;
	taker.grant.max_track++;
	failing_heap_arm(1);
	assert_int_equal(map(REF, GNTMAP_device_map, 0).status, GNTST_no_device_space);
	assert_true(failing_heap_hit());
	assert_int_equal(map(REF, GNTMAP_device_map, 0).status, GNTST_okay);
	assert_int_equal(unmap(0, 0, page.n << PAGE_SHIFT), GNTST_okay);
}

static void test_table_grows(void **state)
{
	(void)state;
	assert_int_equal(grant_table_grow(&giver.grant, 5), -EINVAL);
	assert_int_equal(giver.grant.nr_frames, 1);
	assert_int_equal(grant_table_grow(&giver.grant, 4), 0);
	assert_int_equal(grant_table_grow(&giver.grant, 2), 0);
	assert_int_equal(giver.grant.nr_frames, 4);
	assert_true(mfn_eq(grant_table_frame(&giver.grant, 4), MFN_NONE));
	table = machine_va(grant_table_frame(&giver.grant, 3));
	grant_to(511, 2, page, GTF_permit_access);
	assert_int_equal(unmap(map(2047, GNTMAP_host_map, VA).handle, VA, 0), GNTST_okay);
	table = machine_va(grant_table_frame(&giver.grant, 0));
}

static int copy(struct grant_domain *from, struct grant_domain *to, struct gnttab_copy op)
{
	op.status = 77;
	grant_copy(&taker.grant, from, to, &op);
	return op.status;
}

static void test_copy(void **state)
{
	mfn_t own = fake_frame(&taker.mm);
	struct gnttab_copy op = { .source = { .u.ref = REF, .offset = 0 },
				  .dest = { .u.gmfn = own.n, .offset = 4088 },
				  .len = 8,
				  .flags = GNTCOPY_source_gref };

	(void)state;
	assert_int_equal(copy(&giver.grant, &taker.grant, op), GNTST_okay);
	assert_int_equal(fake_peek(own, 511), 0xaaaa);
	assert_int_equal(table[REF].flags, GTF_permit_access);
	op.dest.offset = 4089;
	assert_int_equal(copy(&giver.grant, &taker.grant, op), GNTST_bad_copy_arg);
	op.dest.offset = 0;
	op.source.offset = 65535;
	assert_int_equal(copy(&giver.grant, &taker.grant, op), GNTST_bad_copy_arg);
	op.source.offset = 0;
	op.len = 65535;
	assert_int_equal(copy(&giver.grant, &taker.grant, op), GNTST_bad_copy_arg);
	op.len = 8;
	assert_int_equal(copy(NULL, &taker.grant, op), GNTST_bad_domain);
	/* another's frame, not granted */
	op.dest.u.gmfn = page.n;
	assert_int_equal(copy(&giver.grant, &giver.grant, op), GNTST_permission_denied);
	assert_int_equal(copy(&giver.grant, &taker.grant, op), GNTST_bad_page);
	/* onto a page table, or into what is granted read-only */
	op.dest.u.gmfn = taker.t.l1.n;
	assert_int_equal(copy(&giver.grant, &taker.grant, op), GNTST_bad_page);
	grant_to(10, 2, page, GTF_permit_access | GTF_readonly);
	op.flags = GNTCOPY_dest_gref;
	op.source.u.gmfn = own.n;
	op.dest.u.ref = 10;
	assert_int_equal(copy(&taker.grant, &giver.grant, op), GNTST_general_error);
	op.dest.u.ref = REF;
	fake_poke(own, 0, 0x2222);
	assert_int_equal(copy(&taker.grant, &giver.grant, op), GNTST_okay);
	assert_int_equal(fake_peek(page, 0), 0x2222);
	assert_int_equal(table[REF].flags, GTF_permit_access);
}

static void test_swap(void **state)
{
	struct gnttab_swap_grant_ref op = { .ref_a = REF, .ref_b = 10 };
	struct gnttab_map_grant_ref m;

	(void)state;
	grant_swap(&giver.grant, &op);
	assert_int_equal(op.status, GNTST_okay);
	assert_int_equal(table[10].frame, page.n);
	assert_int_equal(table[REF].flags, 0);
	m = map(10, GNTMAP_host_map, VA);
	assert_int_equal(m.status, GNTST_okay);
	grant_swap(&giver.grant, &op);
	assert_int_equal(op.status, GNTST_eagain);
	assert_int_equal(unmap(m.handle, VA, 0), GNTST_okay);
	op.ref_b = 512;
	grant_swap(&giver.grant, &op);
	assert_int_equal(op.status, GNTST_bad_gntref);
}

/*
 * Page-table work that ran out of budget: nothing is left behind, and the same call again does it.
 */
static void test_restarts(void **state)
{
	struct gnttab_map_grant_ref op = {
		.host_addr = VA, .flags = GNTMAP_host_map, .ref = REF, .dom = 1
	};
	struct tables big;
	int rc;

	(void)state;
	/* leave work pending in the taker's memory */
	fake_tables(&taker.mm, &big);
	for (unsigned i = 0; i < 512; i++)
		fake_poke(big.l1, i, fake_entry(fake_frame(&taker.mm), RO));
	fake_budget(1);
	rc = mm_pin(&taker.mm, big.l4, 4);
	assert_int_equal(rc, -ERESTART);
	machine_budget_start();
	rc = grant_map(&taker.grant, &giver.grant, taker.vcpu.kernel_table, &op);
	assert_int_equal(rc, -ERESTART);
	assert_int_equal(table[REF].flags, GTF_permit_access);
	rc = FINISH(grant_map(&taker.grant, &giver.grant, taker.vcpu.kernel_table, &op));
	fake_budget(~0u);
	assert_int_equal(rc, 0);
	assert_int_equal(op.status, GNTST_okay);
	giver.held++;
	assert_int_equal(unmap(op.handle, VA, 0), GNTST_okay);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_map_and_unmap), TEST(test_readonly),
		TEST(test_by_entry_address_and_for_devices), TEST(test_refused),
		TEST(test_bad_handles), TEST(test_entry_changes_while_mapped),
		TEST(test_granted_page_keeps_its_type), TEST(test_unmapped_in_batches),
		TEST(test_overwritten_by_the_taker), TEST(test_replace), TEST(test_giver_dies),
		TEST(test_taker_dies_restartably), TEST(test_handles_run_out),
		TEST(test_handles_without_memory),
		TEST(test_table_grows), TEST(test_copy), TEST(test_swap), TEST(test_restarts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
