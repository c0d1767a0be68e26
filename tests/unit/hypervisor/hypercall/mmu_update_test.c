/* SPDX-License-Identifier: MIT */
/*
 * mmu_update as Linux issues it: batches, the done count, other domains' frames and tables, and
 * what must not pass.
 *
 * Links: hypervisor/mm/buddy.c hypervisor/mm/check.c hypervisor/mm/domain.c hypervisor/mm/frame.c
 * Links: hypervisor/mm/heap.c
 * Links: hypervisor/mm/m2p.c hypervisor/mm/map.c hypervisor/mm/page_type.c hypervisor/mm/pt_entry.c
 * Links: hypervisor/mm/scrub.c
 * Links: hypervisor/mm/pt_table.c hypervisor/mm/pt_update.c hypervisor/mm/segdesc.c
 * Links: hypervisor/lib/lock.c
 * Links: hypervisor/lib/bitmap.c hypervisor/domain/copy.c hypervisor/hypercall/foreign.c
 * Links: hypervisor/hypercall/mmu_update.c
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

#include "abi/xen.h"
#include "fake/domains.h"
#include "fake/machine.h"
#include "x86/machine.h"

#define FD(frames, tables)	((uint64_t)(frames) | (uint64_t)((tables) + 1) << 16)

static struct mmu_update u[64];
static uint32_t done;

static int64_t call(unsigned caller, unsigned count, uint64_t foreigndom)
{
	done = ~0u;
	return fake_hypercall(caller, hypercall_mmu_update, (uint64_t)(uintptr_t)u, count,
			      (uint64_t)(uintptr_t)&done, foreigndom);
}

static void test_a_batch(void **state)
{
	struct fake_domain *f = &fake_domain[1];
	mfn_t data = fake_frame(&f->d.mm);

	(void)state;
	for (unsigned i = 0; i < 64; i++)
		u[i] = (struct mmu_update){ fake_slot(f->t.l1, i), fake_entry(data, RW) };
	assert_int_equal(call(1, 64, DOMID_SELF), 0);
	assert_int_equal(done, 64);
	assert_int_equal(fake_peek(f->t.l1, 63), fake_entry(data, RW));
	assert_int_equal(call(1, 0, DOMID_SELF), 0);
	assert_int_equal(done, 0);
}

/*
 * privcmd relies on it: how many were done, exactly, and that it can go on behind the one that
 * failed.
 */
static void test_the_first_error_ends_it(void **state)
{
	struct fake_domain *f = &fake_domain[1];
	mfn_t data = fake_frame(&f->d.mm);

	(void)state;
	for (unsigned i = 0; i < 8; i++)
		u[i] = (struct mmu_update){ fake_slot(f->t.l1, i),
					   fake_entry(i == 5 ? f->t.l2 : data, RW) };
	assert_int_equal(call(1, 8, DOMID_SELF), -EINVAL);
	assert_int_equal(done, 5);
	assert_int_equal(fake_peek(f->t.l1, 5), 0);
	assert_int_equal(fake_peek(f->t.l1, 6), 0);
}

static void test_a_batch_in_pieces(void **state)
{
	struct fake_domain *f = &fake_domain[1];
	struct hypercall c = { .arg = { (uintptr_t)u, 64, (uintptr_t)&done, DOMID_SELF } };
	mfn_t data = fake_frame(&f->d.mm);
	unsigned restarts = 0;
	int64_t rc;

	(void)state;
	for (unsigned i = 0; i < 64; i++)
		u[i] = (struct mmu_update){ fake_slot(f->t.l1, i), fake_entry(data, RW) };
	done = ~0u;
	fake_budget(0);
	while ((rc = fake_call(1, hypercall_mmu_update, &c)) == -ERESTART) {
		assert_int_equal(done, ~0u);
		restarts++;
	}
	assert_int_equal(rc, 0);
	assert_int_equal(done, 64);
	assert_int_equal(restarts, 3);
}

static void test_bad_pointers(void **state)
{
	(void)state;
	u[0] = (struct mmu_update){ fake_slot(fake_domain[1].t.l1, 0), 0 };
	fake_copy_fails_after(0);
	assert_int_equal(call(1, 1, DOMID_SELF), -EFAULT);
	fake_copy_fails_after(1);
	assert_int_equal(call(1, 1, DOMID_SELF), -EFAULT);
	fake_copy_fails_after(~0u);
	assert_int_equal(fake_hypercall(1, hypercall_mmu_update, 0xffff830000000000, 1, 0,
					DOMID_SELF), -EFAULT);
	assert_int_equal(fake_hypercall(1, hypercall_mmu_update, (uintptr_t)u, 1, 0, DOMID_SELF),
			 0);
	/* a cursor that the guest made up is its own problem */
	assert_int_equal(fake_hypercall(1, hypercall_mmu_update, (uintptr_t)u, 99ull << 32 | 1, 0,
					DOMID_SELF), 0);
}

static void test_machphys(void **state)
{
	struct fake_domain *f = &fake_domain[1];

	(void)state;
	u[0] = (struct mmu_update){ fake_slot(f->t.l1, 0) | MMU_MACHPHYS_UPDATE, 77 };
	assert_int_equal(call(1, 1, DOMID_SELF), 0);
	assert_int_equal(mm_m2p(f->t.l1), 77);
	assert_int_equal(call(2, 1, DOMID_SELF), -EINVAL);
	assert_int_equal(call(2, 1, 1), -EPERM);
	u[0].val = 78;
	assert_int_equal(call(0, 1, 1), 0);
	assert_int_equal(mm_m2p(f->t.l1), 78);
	u[0].ptr = (uint64_t)FAKE_DEVICE_MFN << 12 | MMU_MACHPHYS_UPDATE;
	assert_int_equal(call(0, 1, DOMID_SELF), -EINVAL);
}

static void test_the_control_domain_maps_others(void **state)
{
	struct fake_domain *control = &fake_domain[0], *guest = &fake_domain[1];
	mfn_t data = fake_frame(&guest->d.mm);

	(void)state;
	u[0] = (struct mmu_update){ fake_slot(control->t.l1, 0) | MMU_PT_UPDATE_NO_TRANSLATE,
				   fake_entry(data, RW) };
	assert_int_equal(call(0, 1, DOMID_SELF), -EPERM);
	assert_int_equal(call(0, 1, 2), -EPERM);
	assert_int_equal(call(0, 1, 99), -ESRCH);
	assert_int_equal(call(0, 1, 1), 0);
	u[0].val = fake_entry(guest->t.l1, RW);
	assert_int_equal(call(0, 1, 1), -EINVAL);
	u[0].val = fake_entry(guest->t.l1, RO);
	assert_int_equal(call(0, 1, 1), 0);
	/* tables of a guest that it builds */
	u[0] = (struct mmu_update){ fake_slot(guest->t.l1, 0), fake_entry(data, RW) };
	assert_int_equal(call(0, 1, FD(1, 1)), 0);
	assert_int_equal(call(0, 1, FD(1, 2)), -EPERM);
	assert_int_equal(call(2, 1, FD(DOMID_SELF, 1)), -EPERM);
	/* devices, and the M2P */
	u[0] = (struct mmu_update){ fake_slot(control->t.l1, 1),
				   fake_entry(MFN(FAKE_DEVICE_MFN), RW) };
	assert_int_equal(call(0, 1, DOMID_IO), 0);
	u[0].val = fake_entry(data, RW);
	assert_int_equal(call(0, 1, DOMID_IO), -EPERM);
	u[0].val = fake_entry(mm_m2p_chunk(0), RO);
	assert_int_equal(call(0, 1, DOMID_XEN), 0);
	assert_int_equal(call(1, 1, DOMID_XEN), -EPERM);
}

static void test_a_guest_maps_no_devices(void **state)
{
	(void)state;
	u[0] = (struct mmu_update){ fake_slot(fake_domain[1].t.l1, 1),
				   fake_entry(MFN(FAKE_DEVICE_MFN), RO) };
	assert_int_equal(call(1, 1, DOMID_SELF), -EPERM);
	assert_int_equal(call(1, 1, DOMID_IO), -EPERM);
	assert_int_equal(call(1, 1, 0), -EPERM);
	/* nor by the control domain's hand */
	assert_int_equal(call(0, 1, FD(DOMID_IO, 1)), -EPERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_domains_setup, fake_domains_teardown)
		TEST(test_a_batch),
		TEST(test_the_first_error_ends_it),
		TEST(test_a_batch_in_pieces),
		TEST(test_bad_pointers),
		TEST(test_machphys),
		TEST(test_the_control_domain_maps_others),
		TEST(test_a_guest_maps_no_devices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
