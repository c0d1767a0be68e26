/* SPDX-License-Identifier: MIT */
/*
 * update_va_mapping: the entry for an address of the caller, and exactly the flush that was asked
 * for.
 *
 * Links: hypervisor/mm/buddy.c hypervisor/mm/check.c hypervisor/mm/domain.c hypervisor/mm/frame.c
 * Links: hypervisor/mm/heap.c
 * Links: hypervisor/mm/m2p.c hypervisor/mm/map.c hypervisor/mm/page_type.c hypervisor/mm/pt_entry.c
 * Links: hypervisor/mm/scrub.c
 * Links: hypervisor/mm/pt_table.c hypervisor/mm/pt_update.c hypervisor/mm/segdesc.c
 * Links: hypervisor/lib/lock.c
 * Links: hypervisor/lib/bitmap.c hypervisor/domain/copy.c hypervisor/hypercall/foreign.c
 * Links: hypervisor/hypercall/update_va_mapping.c
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

static unsigned seen[FAKE_CPUS];

/* A bit for each CPU that was flushed since the last time. */
static unsigned flushed(void)
{
	unsigned cpus = 0;

	for (unsigned i = 0; i < FAKE_CPUS; i++) {
		cpus |= (fake_flushes(i) != seen[i]) << i;
		seen[i] = fake_flushes(i);
	}
	return cpus;
}

static int64_t call(uint64_t va, uint64_t entry, uint64_t flags)
{
	flushed();
	return fake_hypercall(1, hypercall_update_va_mapping, va, entry, flags, 0);
}

static void test_flushes(void **state)
{
	uint64_t entry = fake_entry(fake_frame(&fake_domain[1].d.mm), RW);
	uint64_t first = 1, second = 2, none = 0;

	(void)state;
	assert_int_equal(call(0x3000, entry, UVMF_NONE), 0);
	assert_int_equal(flushed(), 0);
	assert_int_equal(call(0x3000, entry, UVMF_TLB_FLUSH | UVMF_LOCAL), 0);
	assert_int_equal(flushed(), 1 << 1);
	assert_int_equal(call(0x3000, entry, UVMF_INVLPG | UVMF_ALL), 0);
	assert_int_equal(flushed(), 1 << 1 | 1 << 3);
	assert_int_equal(call(0x3000, entry, UVMF_TLB_FLUSH | (uintptr_t)&first), 0);
	assert_int_equal(flushed(), 1 << 1);
	assert_int_equal(call(0x3000, entry, UVMF_INVLPG | (uintptr_t)&second), 0);
	assert_int_equal(flushed(), 1 << 3);
	assert_int_equal(call(0x3000, entry, UVMF_TLB_FLUSH | (uintptr_t)&none), 0);
	assert_int_equal(flushed(), 0);
	assert_int_equal(call(0x3000, entry, 3), -EINVAL);
	fake_copy_fails_after(0);
	assert_int_equal(call(0x3000, 0, UVMF_TLB_FLUSH | (uintptr_t)&first), -EFAULT);
	fake_copy_fails_after(~0u);
}

static void test_errors_change_nothing(void **state)
{
	struct fake_domain *f = &fake_domain[1];

	(void)state;
	assert_int_equal(call(0x3000, fake_entry(f->t.l1, RW), UVMF_TLB_FLUSH), -EINVAL);
	assert_int_equal(fake_peek(f->t.l1, 3), 0);
	assert_int_equal(flushed(), 0);
	assert_int_equal(call(0x40000000, 0, UVMF_NONE), -EINVAL);
	assert_int_equal(call(0x8000000000000000, 0, UVMF_INVLPG), -EINVAL);	/* advisory 279 */
	assert_int_equal(call(0xffff830000000000, 0, UVMF_NONE), -EINVAL);
}

static void test_other_domains(void **state)
{
	mfn_t foreign = fake_frame(&fake_domain[2].d.mm);
	uint64_t entry = fake_entry(foreign, RW);

	(void)state;
	assert_int_equal(fake_hypercall(1, hypercall_update_va_mapping_otherdomain, 0x3000, entry,
					0, 2), -EPERM);
	assert_int_equal(fake_hypercall(0, hypercall_update_va_mapping_otherdomain, 0x3000, entry,
					0, 1), -EPERM);
	assert_int_equal(fake_hypercall(0, hypercall_update_va_mapping_otherdomain, 0x3000, entry,
					0, 2), 0);
	assert_int_equal(fake_peek(fake_domain[0].t.l1, 3), entry);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_flushes, fake_domains_setup,
						fake_domains_teardown),
		cmocka_unit_test_setup_teardown(test_errors_change_nothing, fake_domains_setup,
						fake_domains_teardown),
		cmocka_unit_test_setup_teardown(test_other_domains, fake_domains_setup,
						fake_domains_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
