/* SPDX-License-Identifier: MIT */
/*
 * The records that a vCPU shares outside shared_info: where they may lie, when they are written, in
 * which address space, and that a frame is held for as long as events are raised there.
 *
 * Links: hypervisor/domain/runstate.c hypervisor/domain/copy.c
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "domain/copy.h"
#include "domain/runstate.h"
#include "x86/machine.h"

#define KERNEL	MFN(100)
#define USER	MFN(200)

static struct domain d;
static struct vcpu v, other;
static struct vcpu *current;
static uint64_t page[512] __attribute__((aligned(4096)));
static unsigned held, loads;
static mfn_t loaded;
static uint64_t flagged;		/* entry times that were written with the flag up */
static struct vcpu_runstate_info runstate;
static struct vcpu_time_info time_now = { .version = 2, .system_time = 77 };

struct vcpu *vcpu_current(void)
{
	return current;
}

void *machine_va(mfn_t mfn)
{
	assert_int_equal(mfn.n, 5);
	return page;
}

mfn_t machine_mfn(const void *va)
{
	assert_ptr_equal(va, page);
	return MFN(5);
}

void machine_tables_load(mfn_t l4, bool flush)
{
	(void)flush;
	loaded = l4;
	loads++;
}

bool mm_get_writable(mfn_t mfn, const struct mm_domain *mm)
{
	assert_ptr_equal(mm, &d.mm);
	held += mfn.n == 5;
	return mfn.n == 5;
}

void mm_put_writable(mfn_t mfn)
{
	assert_int_equal(mfn.n, 5);
	held--;
}

/* Guest addresses are ours, but mapped in the kernel's table only. */
size_t machine_copy_to_guest(vaddr_t to, const void *from, size_t n)
{
	if (!mfn_eq(loaded, KERNEL) || to.a < 4096)
		return n;
	memcpy((void *)to.a, from, n);
	if (runstate.state_entry_time & XEN_RUNSTATE_UPDATE)
		flagged++;
	return 0;
}

size_t machine_copy_from_guest(void *to, vaddr_t from, size_t n)
{
	if (!mfn_eq(loaded, KERNEL) || from.a < 4096)
		return n;
	memcpy(to, (const void *)from.a, n);
	return 0;
}

void event_move_vcpu_info(struct event_vcpu *ev, struct vcpu_info *to)
{
	ev->info = to;
}

void sched_runstate(const struct sched_vcpu *sv, enum sched_state *state, uint64_t *since,
		    uint64_t time[4])
{
	(void)sv;
	*state = SCHED_RUNNING;
	*since = 1000;
	for (unsigned i = 0; i < 4; i++)
		time[i] = i + 10;
}

void time_write_vcpu(struct vcpu_time_info *info)
{
	if (info->system_time == time_now.system_time)
		return;
	time_now.version = info->version + 2;
	*info = time_now;
}

static int start(void **state)
{
	(void)state;
	memset(&d, 0, sizeof(d));
	memset(&v, 0, sizeof(v));
	memset(&other, 0, sizeof(other));
	memset(&runstate, 0, sizeof(runstate));
	v.domain = other.domain = &d;
	v.mm.kernel_table = KERNEL;
	v.mm.user_table = USER;
	v.machine.kernel_mode = true;
	v.event.info = &v.dummy_info;
	current = &v;
	loaded = KERNEL;
	held = loads = 0;
	flagged = 0;
	return 0;
}

static void test_vcpu_info(void **state)
{
	static const uint32_t bad[] = { 4096 - 56, 4088, 4096, 1u << 31, ~63u, ~0u, 4, 3, 65 };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(vcpu_register_info(&v, MFN(5), bad[i]), -EINVAL);
	assert_int_equal(vcpu_register_info(&v, MFN(6), 0), -EINVAL);
	assert_int_equal(held, 0);
	assert_int_equal(vcpu_register_info(&v, MFN(5), 4096 - 64), 0);
	assert_ptr_equal(v.event.info, (char *)page + 4096 - 64);
	assert_int_equal(vcpu_register_info(&v, MFN(5), 0), -EINVAL);
	assert_int_equal(held, 1);
	vcpu_release_info(&v);
	assert_int_equal(held, 0);
}

/* Another vCPU's may be moved only while it is down: it might be looking. */
static void test_vcpu_info_of_another(void **state)
{
	(void)state;
	assert_int_equal(vcpu_register_info(&other, MFN(5), 0), -EINVAL);
	other.sched.down = true;
	assert_int_equal(vcpu_register_info(&other, MFN(5), 0), 0);
}

static void test_runstate_is_written(void **state)
{
	(void)state;
	assert_int_equal(vcpu_register_runstate(&v, GUEST_PTR(&runstate)), 0);
	assert_int_equal(runstate.state, RUNSTATE_running);
	assert_int_equal(runstate.state_entry_time, 1000);
	assert_int_equal(runstate.time[3], 13);
	memset(&runstate, 0, sizeof(runstate));
	vcpu_update_runstate_area(&v);
	assert_int_equal(runstate.time[3], 13);
	assert_int_equal(loads, 0);
	assert_int_equal(vcpu_register_runstate(&v, GUEST_PTR(NULL)), 0);
	memset(&runstate, 0, sizeof(runstate));
	vcpu_update_runstate_area(&v);
	assert_int_equal(runstate.time[3], 0);
}

static void test_update_flag(void **state)
{
	(void)state;
	assert_int_equal(vcpu_register_runstate(&v, GUEST_PTR(&runstate)), 0);
	assert_int_equal(flagged, 0);
	d.vm_assist = 1ull << VMASST_TYPE_runstate_update_flag;
	vcpu_update_runstate_area(&v);
	/* up before the record changes and while it does, down at the end */
	assert_int_equal(flagged, 2);
	assert_int_equal(runstate.state_entry_time, 1000);
}

/* In user mode the kernel's addresses are in another table, which is loaded for the moment. */
static void test_user_mode(void **state)
{
	(void)state;
	assert_int_equal(vcpu_register_runstate(&v, GUEST_PTR(&runstate)), 0);
	memset(&runstate, 0, sizeof(runstate));
	v.machine.kernel_mode = false;
	loaded = USER;
	vcpu_update_runstate_area(&v);
	assert_int_equal(runstate.time[3], 13);
	assert_int_equal(loaded.n, USER.n);
}

/* Of a vCPU that is not ours: taken now, written when it runs. */
static void test_of_another_vcpu(void **state)
{
	(void)state;
	current = &other;
	assert_int_equal(vcpu_register_runstate(&v, GUEST_PTR(&runstate)), 0);
	assert_int_equal(runstate.time[3], 0);
	current = &v;
	vcpu_update_runstate_area(&v);
	assert_int_equal(runstate.time[3], 13);
}

static void test_time(void **state)
{
	struct vcpu_time_info info = { 0 };

	(void)state;
	assert_int_equal(vcpu_register_time(&v, GUEST_PTR(&info)), 0);
	assert_int_equal(info.system_time, 77);
	assert_int_equal(info.version, 2);
	vcpu_update_runstate_area(&v);
	assert_int_equal(info.version, 2);
}

static void test_bad_addresses(void **state)
{
	static const uint64_t ours[] = { 0xffff800000000000, 0xffff83000000000f, 0xffff87fffffffff8,
					 ~0ull - 8, 0xffff7fffffffffff };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(ours); i++) {
		assert_int_equal(vcpu_register_runstate(&v, (guest_ptr_t){ ours[i] }), -EFAULT);
		assert_int_equal(vcpu_register_time(&v, (guest_ptr_t){ ours[i] }), -EFAULT);
	}
	/* not mapped: the caller hears of it now, nobody later */
	assert_int_equal(vcpu_register_runstate(&v, (guest_ptr_t){ 8 }), -EFAULT);
	vcpu_update_runstate_area(&v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_vcpu_info, start),
		cmocka_unit_test_setup(test_vcpu_info_of_another, start),
		cmocka_unit_test_setup(test_runstate_is_written, start),
		cmocka_unit_test_setup(test_update_flag, start),
		cmocka_unit_test_setup(test_user_mode, start),
		cmocka_unit_test_setup(test_of_another_vcpu, start),
		cmocka_unit_test_setup(test_time, start),
		cmocka_unit_test_setup(test_bad_addresses, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
