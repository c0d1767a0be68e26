/* SPDX-License-Identifier: MIT */
/*
 * Changing page tables: what a guest may do works and shows in its address space; what would break
 * the invariant is refused and leaves everything as it was. Each test ends with a recount of the
 * machine and a look into the TLBs.
 *
 * Links: hypervisor/mm/buddy.c hypervisor/mm/check.c hypervisor/mm/domain.c hypervisor/mm/frame.c
 * Links: hypervisor/mm/heap.c
 * Links: hypervisor/mm/m2p.c hypervisor/mm/page_type.c hypervisor/mm/pt_entry.c
 * Links: hypervisor/mm/scrub.c
 * Links: hypervisor/mm/pt_table.c
 * Links: hypervisor/mm/pt_update.c hypervisor/mm/segdesc.c hypervisor/lib/lock.c
 * Links: hypervisor/lib/bitmap.c
 * Links: tests/fake/machine.c tests/fake/tlb.c tests/fake/log.c tests/fake/tables.c
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake/machine.h"
#include "fake/tables.h"
#include "x86/machine.h"

#define ACCESSED	0x20ull
#define DIRTY		0x40ull
#define GLOBAL		0x100ull

static struct mm_domain mm, other;
static struct mm_vcpu vcpu;
static struct tables t;
static uint64_t before;

/* A domain whose vCPU runs on CPU 0 with one empty L1 table. */
static int setup(void **state)
{
	(void)state;
	fake_machine_start();
	fake_run_on(0);
	fake_budget(~0u);
	before = mm_free_frames();
	mm_domain_init(&mm, 1, 1000);
	mm_domain_init(&other, 2, 1000);
	cpumask_set(&mm.cpus, 0);
	vcpu = (struct mm_vcpu){ MFN_NONE, MFN_NONE };
	fake_tables(&mm, &t);
	assert_int_equal(mm_pin(&mm, t.l4, 4), 0);
	assert_int_equal(mm_set_root(&mm, &vcpu, t.l4, false, true), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	assert_int_equal(mm_check(NULL, NULL), 0);
	assert_int_equal(fake_tlb_check(), 0);
	machine_tables_load(machine_tables_idle(), true);
	fake_budget(~0u);
	assert_int_equal(FINISH(mm_set_root(&mm, &vcpu, MFN_NONE, false, false)), 0);
	assert_int_equal(FINISH(mm_set_root(&mm, &vcpu, MFN_NONE, true, false)), 0);
	assert_int_equal(FINISH(mm_domain_teardown(&other)), 0);
	fake_end(&mm, before);
	return 0;
}

static int update(mfn_t table, unsigned slot, uint64_t entry)
{
	return mm_update_entry(&mm, &mm, fake_slot(table, slot), entry, false);
}

static int map(uint64_t va, uint64_t entry)
{
	return mm_update_va(&mm, &mm, vcpu.kernel_table, VADDR(va), entry);
}

static bool writes(uint64_t va)
{
	uint64_t value = 0x1234;

	return fake_access(0, VADDR(va), true, &value);
}

static bool reads(uint64_t va)
{
	uint64_t value;

	return fake_access(0, VADDR(va), false, &value);
}

static void test_mapped_memory_is_reached(void **state)
{
	mfn_t data = fake_frame(&mm);

	(void)state;
	assert_false(reads(0x3000));
	assert_int_equal(map(0x3000, fake_entry(data, P | W)), 0);
	assert_true(writes(0x3008));
	assert_int_equal(fake_peek(data, 1), 0x1234);
	assert_int_equal(update(t.l1, 4, fake_entry(data, P)), 0);
	assert_true(reads(0x4000));
	assert_false(writes(0x4000));
}

/* Class A: a table that the guest could write to would be the whole machine. */
static void test_tables_cannot_be_mapped_writable(void **state)
{
	mfn_t tables[] = { t.l1, t.l2, t.l3, t.l4 };

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(map(0x3000, fake_entry(tables[i], RW)), -EINVAL);
		assert_int_equal(map(0x3000, fake_entry(tables[i], RO)), 0);
		assert_int_equal(map(0x3000, fake_entry(tables[i], RW)), -EINVAL);
		assert_int_equal(map(0x3000, 0), 0);
	}
}

static void test_writable_memory_cannot_become_a_table(void **state)
{
	mfn_t data = fake_frame(&mm);

	(void)state;
	assert_int_equal(map(0x3000, fake_entry(data, RW)), 0);
	for (unsigned level = 1; level <= 4; level++)
		assert_int_equal(mm_pin(&mm, data, level), -EINVAL);
	assert_int_equal(update(t.l2, 1, fake_entry(data, RW)), -EINVAL);
	assert_int_equal(mm_get_descriptor_frame(&mm, data), -EINVAL);
}

/* Class B: the guest does not flush, so the type change must. */
static void test_stale_writable_mapping_is_flushed_before_the_frame_is_a_table(void **state)
{
	mfn_t data = fake_frame(&mm);
	unsigned flushes;

	(void)state;
	assert_int_equal(map(0x3000, fake_entry(data, RW)), 0);
	assert_true(writes(0x3000));
	assert_int_equal(map(0x3000, fake_entry(data, RO)), 0);
	assert_true(writes(0x3000));		/* through the TLB, as on iron */
	fake_poke(data, 0, 0);
	flushes = fake_flushes(0);
	assert_int_equal(mm_pin(&mm, data, 1), 0);
	assert_int_equal(fake_flushes(0), flushes + 1);
	assert_false(writes(0x3000));
	assert_int_equal(mm_unpin(&mm, data), 0);
}

/* Class B: what a domain could read yesterday is somebody else's today. */
static void test_freed_frames_are_flushed_before_others_have_them(void **state)
{
	mfn_t data = fake_frame(&mm), next;

	(void)state;
	assert_int_equal(map(0x3000, fake_entry(data, RO)), 0);
	assert_true(reads(0x3000));
	assert_int_equal(map(0x3000, 0), 0);
	assert_true(mm_release(&mm, data));
	assert_true(reads(0x3000));			/* nobody has it, nobody minds */
	do {
		next = fake_frame(&other);
	} while (!mfn_eq(next, data));
	assert_int_equal(fake_tlb_check(), 0);
	assert_false(reads(0x3000));
}

/* Class B: the CPU keeps pointers to tables, too (advisory 286). */
static void test_stale_table_is_flushed_before_it_is_writable(void **state)
{
	mfn_t data = fake_frame(&mm);

	(void)state;
	assert_int_equal(map(0x3000, fake_entry(data, RW)), 0);
	assert_true(writes(0x3000));
	assert_int_equal(update(t.l2, 1, fake_entry(t.l1, RW)), 0);
	assert_int_equal(map(0x200000 + 0x5000, fake_entry(t.l3, RO)), 0);
	assert_int_equal(update(t.l2, 0, 0), 0);
	assert_int_equal(fake_tlb_check(), 0);
	assert_true(reads(0x5000));		/* the CPU still knows the way through L2[0] */
	assert_int_equal(update(t.l2, 1, 0), 0);
	assert_int_equal(update(t.l1, 7, 1), 0);	/* plain data now, and so written */
	assert_false(reads(0x5000));
}

static void test_frames_of_others_are_refused(void **state)
{
	mfn_t foreign = fake_frame(&other), shared = machine_mfn(mm_alloc_shared(&other));

	(void)state;
	assert_int_equal(map(0x3000, fake_entry(foreign, RO)), -EPERM);
	assert_int_equal(map(0x3000, fake_entry(shared, RO)), -EPERM);
	/* the hypervisor's */
	assert_int_equal(map(0x3000, fake_entry(MFN(5), RO)), -EPERM);
	assert_int_equal(map(0x3000, fake_entry(MFN(FAKE_DEVICE_MFN), RO)), -EPERM);
	assert_int_equal(map(0x3000, fake_entry(mm_m2p_chunk(0), RO)), -EPERM);
	assert_int_equal(mm_update_entry(&mm, &mm, fake_slot(foreign, 0), 0, false), -EPERM);
	assert_int_equal(update(t.l2, 1, fake_entry(foreign, RW)), -EINVAL);
	/* but with a grant, or by the control domain */
	assert_int_equal(mm_update_va(&mm, &other, t.l4, VADDR(0x3000), fake_entry(foreign, RW)),
			 0);
	assert_true(writes(0x3000));
	assert_int_equal(mm_pin(&other, foreign, 1), -EINVAL);
	assert_int_equal(map(0x3000, 0), 0);
	assert_int_equal(mm_pin(&other, foreign, 1), 0);
	/* the first domain's CPU was flushed, too */
	assert_int_equal(fake_tlb_check(), 0);
	mm_free_shared(machine_va(shared));
}

static void test_devices_are_for_the_privileged(void **state)
{
	(void)state;
	mm.privileged = true;
	assert_int_equal(map(0x3000, fake_entry(MFN(FAKE_DEVICE_MFN), RW | 0x18)), 0);
	assert_int_equal(mm_update_va(&mm, &mm_xen, t.l4, VADDR(0x4000),
				      fake_entry(mm_m2p_chunk(0), RW)), -EINVAL);
	assert_int_equal(mm_update_va(&mm, &mm_xen, t.l4, VADDR(0x4000),
				      fake_entry(mm_m2p_chunk(0), RO)), 0);
	mm_deny_io((struct mm_range){ 0xfec00000, 0xfec01000 });
	assert_int_equal(map(0x5000, fake_entry(MFN(0xfec00), RO)), -EPERM);
	assert_int_equal(map(0x5000, fake_entry(MFN(0xfec01), RO)), 0);
	assert_int_equal(map(0x3000, 0), 0);
}

static void test_flags_are_checked_and_made_right(void **state)
{
	mfn_t data = fake_frame(&mm);

	(void)state;
	assert_int_equal(map(0x3000, fake_entry(data, P | GLOBAL | 0x18 | 3ull << 52)), 0);
	assert_int_equal(fake_peek(t.l1, 3), fake_entry(data, P | U | 3ull << 52));
	/* beyond the CPU's addresses */
	assert_int_equal(map(0x3000, fake_entry(data, P | 1ull << 45)), -EINVAL);
	/* large pages (148, 176) */
	assert_int_equal(update(t.l2, 1, fake_entry(data, RW | 0x80)), -EINVAL);
	assert_int_equal(update(t.l3, 1, fake_entry(data, RW | 0x80)), -EINVAL);
	/* nor by a change of flags (182) */
	assert_int_equal(update(t.l2, 0, fake_entry(t.l1, RW | 0x80)), -EINVAL);
	/* not present: the guest's own */
	assert_int_equal(update(t.l4, 300, 0x123450), 0);
	assert_int_equal(fake_peek(t.l4, 300), 0x123450);
}

static void test_our_slots_of_an_l4_are_refused(void **state)
{
	(void)state;
	for (unsigned slot = 256; slot <= 271; slot++)
		assert_int_equal(update(t.l4, slot, 0), -EPERM);
	assert_int_equal(map(0xffff800000000000, 0), -EINVAL);
	assert_int_equal(map(0x0000900000000000, 0), -EINVAL);
}

/* Class A: recursion (185, 240). */
static void test_tables_cannot_name_themselves(void **state)
{
	mfn_t l4 = fake_frame(&mm);

	(void)state;
	assert_int_equal(update(t.l4, 1, fake_entry(t.l4, RW)), -EINVAL);
	assert_int_equal(update(t.l3, 1, fake_entry(t.l3, RW)), -EINVAL);
	assert_int_equal(update(t.l2, 1, fake_entry(t.l4, RW)), -EINVAL);
	fake_poke(l4, 7, fake_entry(l4, RW));
	assert_int_equal(mm_pin(&mm, l4, 4), -EINVAL);
	assert_int_equal(mm_check(NULL, NULL), 0);
}

static void test_accessed_and_dirty_survive_if_asked(void **state)
{
	mfn_t data = fake_frame(&mm);
	uint64_t ptr = fake_slot(t.l1, 3);

	(void)state;
	assert_int_equal(map(0x3000, fake_entry(data, RW)), 0);
	assert_true(writes(0x3000));
	assert_int_equal(mm_update_entry(&mm, &mm, ptr, fake_entry(data, RO), true), 0);
	assert_int_equal(fake_peek(t.l1, 3), fake_entry(data, RO | ACCESSED | DIRTY));
	assert_int_equal(mm_update_entry(&mm, &mm, ptr, fake_entry(data, RO), false), 0);
	assert_int_equal(fake_peek(t.l1, 3), fake_entry(data, RO));
}

static void test_guests_own_writes_to_tables(void **state)
{
	mfn_t data = fake_frame(&mm);
	uint64_t new = fake_entry(data, RW);

	(void)state;
	assert_int_equal(map(0x3000, fake_entry(t.l1, RO)), 0);
	assert_int_equal(map(0x4000, fake_entry(data, RO)), 0);
	assert_int_equal(mm_emulate_cmpxchg(&mm, t.l4, VADDR(0x3028), 0, new), 0);
	assert_true(writes(0x5000));
	assert_int_equal(mm_emulate_cmpxchg(&mm, t.l4, VADDR(0x3028), 0, new), -EAGAIN);
	assert_int_equal(mm_emulate_cmpxchg(&mm, t.l4, VADDR(0x3030), 0, fake_entry(t.l1, RW)),
			 -EINVAL);
	assert_int_equal(mm_emulate_cmpxchg(&mm, t.l4, VADDR(0x4000), 0, new), -ENOENT);
	assert_int_equal(mm_emulate_cmpxchg(&mm, t.l4, VADDR(0x6000), 0, new), -ENOENT);
	assert_int_equal(mm_emulate_cmpxchg(&mm, t.l4, VADDR(0xffff820000000000), 0, new), -ENOENT);
}

static void test_guests_own_exchanges_with_entries(void **state)
{
	mfn_t data = fake_frame(&mm);
	uint64_t entry = fake_entry(data, RW), old = 9;

	(void)state;
	assert_int_equal(map(0x3000, fake_entry(t.l1, RO)), 0);
	assert_int_equal(map(0x4000, fake_entry(data, RO)), 0);
	assert_int_equal(mm_emulate_exchange(&mm, t.l4, VADDR(0x3028), entry, &old), 0);
	assert_int_equal(old, 0);
	assert_true(writes(0x5000));
	assert_int_equal(mm_emulate_exchange(&mm, t.l4, VADDR(0x3028), 0, &old), 0);
	assert_int_equal(old, entry | ACCESSED | DIRTY);
	assert_int_equal(mm_emulate_exchange(&mm, t.l4, VADDR(0x3028), fake_entry(t.l1, RW), &old),
			 -EINVAL);
	assert_int_equal(fake_peek(t.l1, 5), 0);
	assert_int_equal(mm_emulate_exchange(&mm, t.l4, VADDR(0x302c), 0, &old), -ENOENT);
	assert_int_equal(mm_emulate_exchange(&mm, t.l4, VADDR(0x4000), 0, &old), -ENOENT);
	assert_int_equal(mm_emulate_exchange(&mm, t.l4, VADDR(0x6000), 0, &old), -ENOENT);
	assert_int_equal(mm_emulate_exchange(&mm, MFN_NONE, VADDR(0x3028), 0, &old), -ENOENT);
}

/* The control domain sees others' tables, and may not write to them by accident. */
static void test_writes_to_anothers_table_are_no_table_writes(void **state)
{
	mfn_t foreign = fake_frame(&other);

	(void)state;
	assert_int_equal(mm_pin(&other, foreign, 1), 0);
	assert_int_equal(mm_update_va(&mm, &other, t.l4, VADDR(0x3000),
				      fake_entry(foreign, RO)), 0);
	assert_int_equal(mm_emulate_cmpxchg(&mm, t.l4, VADDR(0x3000), 0, 2), -ENOENT);
}

static void test_plain_memory_can_be_written_by_update(void **state)
{
	mfn_t data = fake_frame(&mm), gdt = fake_frame(&mm);

	(void)state;
	assert_int_equal(update(data, 9, 0xabcd), 0);
	assert_int_equal(fake_peek(data, 9), 0xabcd);
	assert_int_equal(mm_get_descriptor_frame(&mm, gdt), 0);
	assert_int_equal(update(gdt, 0, 0x00cf92000000ffff), -EINVAL);
	mm_put_descriptor_frame(gdt);
	assert_int_equal(mm_update_entry(&mm, &mm, fake_slot(data, 0) + 4, 0, false), -EINVAL);
}

static void test_pins(void **state)
{
	mfn_t l1 = fake_frame(&mm);

	(void)state;
	assert_int_equal(mm_pin(&mm, t.l4, 4), -EINVAL);		/* twice */
	assert_int_equal(mm_pin(&mm, t.l1, 2), -EINVAL);		/* another level */
	assert_int_equal(mm_pin(&mm, t.l1, 1), 0);
	assert_int_equal(mm_pin(&mm, l1, 0), -EINVAL);
	assert_int_equal(mm_pin(&mm, l1, 5), -EINVAL);
	assert_int_equal(mm_unpin(&mm, l1), -EINVAL);
	assert_int_equal(mm_unpin(&mm, t.l1), 0);
	assert_int_equal(mm_unpin(&mm, t.l1), -EINVAL);
	assert_int_equal(mm_unpin(&other, t.l4), -EINVAL);
	/* the vCPU's root keeps it */
	assert_int_equal(mm_unpin(&mm, t.l4), 0);
	assert_int_equal(map(0x3000, fake_entry(t.l4, RW)), -EINVAL);
}

/* Class A, 252: giving a frame up must not end its life as a table. */
static void test_a_pinned_table_that_is_given_up_stays(void **state)
{
	mfn_t l1 = fake_frame(&mm);
	uint64_t pages = mm.pages;

	(void)state;
	assert_int_equal(mm_pin(&mm, l1, 1), 0);
	assert_true(mm_release(&mm, l1));
	assert_false(mm_release(&mm, l1));
	assert_int_equal(mm.pages, pages);
	assert_int_equal(update(l1, 0, fake_entry(l1, RW)), -EINVAL);
	assert_int_equal(mm_unpin(&mm, l1), 0);
	assert_int_equal(mm.pages, pages - 1);
}

static void test_roots(void **state)
{
	struct tables user;

	(void)state;
	fake_tables(&mm, &user);
	assert_int_equal(mm_set_root(&mm, &vcpu, user.l4, true, false), 0);
	assert_int_equal(mm_set_root(&mm, &vcpu, user.l3, false, true), -EINVAL);
	assert_int_equal(mm_set_root(&mm, &vcpu, user.l4, false, true), 0);
	assert_true(mfn_eq(fake_cr3(0), user.l4));
	assert_int_equal(mm_unpin(&mm, t.l4), 0);
	assert_int_equal(mm_update_va(&mm, &mm, user.l4, VADDR(0x3000), fake_entry(t.l4, RW)), 0);
	assert_int_equal(mm_set_root(&mm, &vcpu, MFN_NONE, true, false), 0);
	assert_int_equal(mm_update_va(&mm, &mm, user.l4, VADDR(0x4000), fake_entry(user.l4, RW)),
			 -EINVAL);
}

static void test_the_walk_for_others(void **state)
{
	mfn_t data = fake_frame(&mm);
	uint64_t entry, at;

	(void)state;
	assert_int_equal(map(0x3000, fake_entry(data, RO)), 0);
	assert_int_equal(mm_walk(t.l4, VADDR(0x3abc), &entry, &at), 0);
	assert_int_equal(entry, fake_entry(data, RO));
	assert_int_equal(at, fake_slot(t.l1, 3));
	assert_int_equal(mm_walk(t.l4, VADDR(0x4000), &entry, &at), -ENOENT);
	assert_int_equal(mm_walk(t.l4, VADDR(0x40000000), &entry, &at), -ENOENT);
	assert_int_equal(mm_walk(t.l4, VADDR(0xffff800000000000), &entry, &at), -ENOENT);
	assert_int_equal(mm_walk(MFN(FAKE_DEVICE_MFN), VADDR(0), &entry, &at), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_mapped_memory_is_reached),
		TEST(test_tables_cannot_be_mapped_writable),
		TEST(test_writable_memory_cannot_become_a_table),
		TEST(test_stale_writable_mapping_is_flushed_before_the_frame_is_a_table),
		TEST(test_freed_frames_are_flushed_before_others_have_them),
		TEST(test_stale_table_is_flushed_before_it_is_writable),
		TEST(test_frames_of_others_are_refused),
		TEST(test_devices_are_for_the_privileged),
		TEST(test_flags_are_checked_and_made_right),
		TEST(test_our_slots_of_an_l4_are_refused),
		TEST(test_tables_cannot_name_themselves),
		TEST(test_accessed_and_dirty_survive_if_asked),
		TEST(test_guests_own_writes_to_tables),
		TEST(test_guests_own_exchanges_with_entries),
		TEST(test_writes_to_anothers_table_are_no_table_writes),
		TEST(test_plain_memory_can_be_written_by_update),
		TEST(test_pins),
		TEST(test_a_pinned_table_that_is_given_up_stays),
		TEST(test_roots),
		TEST(test_the_walk_for_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
