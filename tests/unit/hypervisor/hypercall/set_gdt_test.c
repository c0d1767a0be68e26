/* SPDX-License-Identifier: MIT */
/*
 * set_gdt and update_descriptor: only the reading of their arguments; what performs is tested with
 * it.
 *
 * Links: hypervisor/mm/buddy.c hypervisor/mm/check.c hypervisor/mm/domain.c hypervisor/mm/frame.c
 * Links: hypervisor/mm/heap.c
 * Links: hypervisor/mm/m2p.c hypervisor/mm/map.c hypervisor/mm/page_type.c hypervisor/mm/pt_entry.c
 * Links: hypervisor/mm/scrub.c
 * Links: hypervisor/mm/pt_table.c hypervisor/mm/pt_update.c hypervisor/mm/segdesc.c
 * Links: hypervisor/lib/lock.c
 * Links: hypervisor/lib/bitmap.c hypervisor/domain/copy.c hypervisor/hypercall/foreign.c
 * Links: hypervisor/hypercall/set_gdt.c hypervisor/hypercall/update_descriptor.c
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

static unsigned long got[GDT_GUEST_FRAMES];
static unsigned got_entries;

int vcpu_set_gdt(struct vcpu *v, const unsigned long *frames, unsigned entries)
{
	(void)v;
	memcpy(got, frames, (entries + 511) / 512 * sizeof(*frames));
	got_entries = entries;
	return 0;
}

static void test_set_gdt(void **state)
{
	unsigned long frames[14];

	(void)state;
	for (unsigned i = 0; i < 14; i++)
		frames[i] = 100 + i;
	assert_int_equal(fake_hypercall(1, hypercall_set_gdt, (uintptr_t)frames, 16, 0, 0), 0);
	assert_int_equal(got_entries, 16);
	assert_int_equal(got[0], 100);
	assert_int_equal(fake_hypercall(1, hypercall_set_gdt, (uintptr_t)frames,
					FIRST_RESERVED_GDT_ENTRY, 0, 0), 0);
	assert_int_equal(got[13], 113);
	assert_int_equal(fake_hypercall(1, hypercall_set_gdt, (uintptr_t)frames,
					FIRST_RESERVED_GDT_ENTRY + 1, 0, 0), -EINVAL);
	assert_int_equal(fake_hypercall(1, hypercall_set_gdt, (uintptr_t)frames, 1ull << 32, 0, 0),
			 -EINVAL);
	assert_int_equal(fake_hypercall(1, hypercall_set_gdt, 0xffff830000000000, 16, 0, 0),
			 -EFAULT);
}

static void test_update_descriptor(void **state)
{
	mfn_t a = fake_frame(&fake_domain[1].d.mm);

	(void)state;
	assert_int_equal(fake_hypercall(1, hypercall_update_descriptor, fake_slot(a, 6),
					0x00cff3000000ffff, 0, 0), 0);
	assert_int_equal(fake_peek(a, 6), 0x00cff3000000ffff);
	assert_int_equal(fake_hypercall(2, hypercall_update_descriptor, fake_slot(a, 6), 0, 0, 0),
			 -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_set_gdt, fake_domains_setup,
						fake_domains_teardown),
		cmocka_unit_test_setup_teardown(test_update_descriptor, fake_domains_setup,
						fake_domains_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
