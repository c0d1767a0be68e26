/* SPDX-License-Identifier: MIT */
/*
 * mmuext_op: pins and roots, flushes, whole frames, for the caller and by the control domain for
 * others.
 *
 * Links: hypervisor/mm/buddy.c hypervisor/mm/check.c hypervisor/mm/domain.c hypervisor/mm/frame.c
 * Links: hypervisor/mm/heap.c
 * Links: hypervisor/mm/m2p.c hypervisor/mm/map.c hypervisor/mm/page_type.c hypervisor/mm/pt_entry.c
 * Links: hypervisor/mm/scrub.c
 * Links: hypervisor/mm/pt_table.c hypervisor/mm/pt_update.c hypervisor/mm/segdesc.c
 * Links: hypervisor/lib/lock.c
 * Links: hypervisor/lib/bitmap.c hypervisor/domain/copy.c hypervisor/hypercall/foreign.c
 * Links: hypervisor/hypercall/mmuext_op.c
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

static struct mmuext_op op[40];
static uint32_t done;
static struct {
	uint64_t base;
	unsigned entries;
} ldt;

int vcpu_set_ldt(struct vcpu *v, vaddr_t base, unsigned entries)
{
	(void)v;
	ldt.base = base.a;
	ldt.entries = entries;
	return 0;
}

static int64_t call(unsigned caller, unsigned count, uint64_t domid)
{
	done = ~0u;
	return fake_hypercall(caller, hypercall_mmuext_op, (uintptr_t)op, count, (uintptr_t)&done,
			      domid);
}

static int64_t one(unsigned caller, unsigned cmd, uint64_t arg, uint64_t domid)
{
	op[0] = (struct mmuext_op){ .cmd = cmd, .arg1.mfn = arg };
	return call(caller, 1, domid);
}

static void test_pins(void **state)
{
	struct fake_domain *f = &fake_domain[1];
	mfn_t l1 = fake_frame(&f->d.mm);

	(void)state;
	assert_int_equal(one(1, MMUEXT_PIN_L1_TABLE, l1.n, DOMID_SELF), 0);
	assert_int_equal(one(1, MMUEXT_PIN_L4_TABLE, f->t.l4.n, DOMID_SELF), 0);
	assert_int_equal(one(1, MMUEXT_PIN_L3_TABLE, f->t.l2.n, DOMID_SELF), -EINVAL);
	assert_int_equal(one(2, MMUEXT_UNPIN_TABLE, l1.n, DOMID_SELF), -EINVAL);
	assert_int_equal(one(2, MMUEXT_UNPIN_TABLE, l1.n, 1), -EPERM);
	assert_int_equal(one(0, MMUEXT_UNPIN_TABLE, l1.n, 1), 0);
	assert_int_equal(one(0, MMUEXT_PIN_L2_TABLE, l1.n, 1), 0);
	assert_int_equal(one(0, MMUEXT_PIN_L2_TABLE, l1.n, 9), -ESRCH);
}

static void test_roots(void **state)
{
	struct fake_domain *f = &fake_domain[1];
	struct tables t;

	(void)state;
	fake_tables(&f->d.mm, &t);
	assert_int_equal(one(1, MMUEXT_NEW_BASEPTR, t.l4.n, DOMID_SELF), 0);
	assert_true(mfn_eq(fake_cr3(1), t.l4));
	assert_int_equal(one(1, MMUEXT_NEW_USER_BASEPTR, f->t.l4.n, DOMID_SELF), 0);
	assert_true(mfn_eq(fake_cr3(1), t.l4));
	assert_true(mfn_eq(f->v[0].mm.user_table, f->t.l4));
	assert_int_equal(one(1, MMUEXT_NEW_USER_BASEPTR, 0, DOMID_SELF), 0);
	assert_true(mfn_eq(f->v[0].mm.user_table, MFN_NONE));
	assert_int_equal(one(1, MMUEXT_NEW_BASEPTR, 0, DOMID_SELF), -EINVAL);
	assert_int_equal(one(1, MMUEXT_NEW_BASEPTR, ~0ull, DOMID_SELF), -EINVAL);
	assert_int_equal(one(1, MMUEXT_NEW_USER_BASEPTR, ~0ull, DOMID_SELF), -EINVAL);
	assert_true(mfn_eq(fake_cr3(1), t.l4));
}

static void test_flushes(void **state)
{
	uint64_t second = 2;
	unsigned before[FAKE_CPUS];

	(void)state;
	for (unsigned i = 0; i < FAKE_CPUS; i++)
		before[i] = fake_flushes(i);
	assert_int_equal(one(1, MMUEXT_TLB_FLUSH_LOCAL, 0, DOMID_SELF), 0);
	assert_int_equal(one(1, MMUEXT_INVLPG_LOCAL, 0x3000, DOMID_SELF), 0);
	assert_int_equal(fake_flushes(1), before[1] + 2);
	assert_int_equal(one(1, MMUEXT_TLB_FLUSH_ALL, 0, DOMID_SELF), 0);
	assert_int_equal(one(1, MMUEXT_INVLPG_ALL, 0x3000, DOMID_SELF), 0);
	assert_int_equal(fake_flushes(1), before[1] + 4);
	assert_int_equal(fake_flushes(3), before[3] + 2);
	op[0] = (struct mmuext_op){ .cmd = MMUEXT_TLB_FLUSH_MULTI,
				   .arg2.vcpumask = GUEST_PTR(&second) };
	op[1] = (struct mmuext_op){ .cmd = MMUEXT_INVLPG_MULTI, .arg1.linear_addr = 1,
				   .arg2.vcpumask = GUEST_PTR(&second) };
	assert_int_equal(call(1, 2, DOMID_SELF), 0);
	assert_int_equal(fake_flushes(1), before[1] + 4);
	assert_int_equal(fake_flushes(3), before[3] + 4);
	assert_int_equal(fake_flushes(0) + fake_flushes(2), before[0] + before[2]);
	op[0].arg2.vcpumask.va = 0xffff820000000000;
	assert_int_equal(call(1, 1, DOMID_SELF), -EFAULT);
}

static void test_whole_frames(void **state)
{
	struct fake_domain *f = &fake_domain[1];
	mfn_t a = fake_frame(&f->d.mm), b = fake_frame(&f->d.mm), foreign =
		fake_frame(&fake_domain[2].d.mm);

	(void)state;
	fake_poke(a, 9, 99);
	op[0] = (struct mmuext_op){ .cmd = MMUEXT_COPY_PAGE, .arg1.mfn = b.n, .arg2.src_mfn = a.n };
	assert_int_equal(call(1, 1, DOMID_SELF), 0);
	assert_int_equal(fake_peek(b, 9), 99);
	assert_int_equal(one(1, MMUEXT_CLEAR_PAGE, a.n, DOMID_SELF), 0);
	assert_int_equal(fake_peek(a, 9), 0);
	assert_int_equal(one(1, MMUEXT_CLEAR_PAGE, f->t.l1.n, DOMID_SELF), -EINVAL);
	assert_int_equal(one(1, MMUEXT_CLEAR_PAGE, foreign.n, DOMID_SELF), -EINVAL);
	op[0].cmd = MMUEXT_COPY_PAGE;
	op[0].arg1.mfn = a.n;
	op[0].arg2.src_mfn = foreign.n;
	assert_int_equal(call(1, 1, DOMID_SELF), -EINVAL);
	assert_int_equal(one(0, MMUEXT_CLEAR_PAGE, foreign.n, 2), 0);
	assert_int_equal(one(0, MMUEXT_CLEAR_PAGE, mm_m2p_chunk(0).n, DOMID_XEN), -EINVAL);
}

static void test_the_rest(void **state)
{
	(void)state;
	op[0] = (struct mmuext_op){ .cmd = MMUEXT_SET_LDT, .arg1.linear_addr = 0x7000,
				   .arg2.nr_ents = 5 };
	assert_int_equal(call(1, 1, DOMID_SELF), 0);
	assert_int_equal(ldt.base, 0x7000);
	assert_int_equal(ldt.entries, 5);
	assert_int_equal(one(1, MMUEXT_MARK_SUPER, 0, DOMID_SELF), -EOPNOTSUPP);
	assert_int_equal(one(1, MMUEXT_FLUSH_CACHE, 0, DOMID_SELF), -EACCES);
	assert_int_equal(one(0, MMUEXT_FLUSH_CACHE_GLOBAL, 0, DOMID_SELF), 0);
	assert_int_equal(one(1, 14, 0, DOMID_SELF), -ENOSYS);
	assert_int_equal(one(1, ~0u, 0, DOMID_SELF), -ENOSYS);
}

static void test_a_batch_in_pieces_and_its_count(void **state)
{
	struct fake_domain *f = &fake_domain[1];
	struct hypercall c = { .arg = { (uintptr_t)op, 40, (uintptr_t)&done, DOMID_SELF } };
	unsigned restarts = 0;
	int64_t rc;

	(void)state;
	for (unsigned i = 0; i < 40; i++)
		op[i] = (struct mmuext_op){ .cmd = MMUEXT_PIN_L1_TABLE,
					   .arg1.mfn = fake_frame(&f->d.mm).n };
	op[35].arg1.mfn = ~0ul;
	fake_budget(9);
	while ((rc = fake_call(1, hypercall_mmuext_op, &c)) == -ERESTART)
		restarts++;
	assert_int_equal(rc, -EINVAL);
	assert_int_equal(done, 35);
	assert_true(restarts >= 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_domains_setup, fake_domains_teardown)
		TEST(test_pins),
		TEST(test_roots),
		TEST(test_flushes),
		TEST(test_whole_frames),
		TEST(test_the_rest),
		TEST(test_a_batch_in_pieces_and_its_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
