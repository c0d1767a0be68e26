/* SPDX-License-Identifier: MIT */
/*
 * What a guest reads of the time: the versioned records, read as the ABI says, give system time and
 * wall clock; they are written only when they change; a guest that scribbles on them gets them back
 * right.
 *
 * Links: hypervisor/time/timer.c hypervisor/time/clock.c hypervisor/lib/lock.c
 * Links: tests/fake/clock.c tests/fake/log.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake/clock.h"
#include "time/time.h"
#include "x86/machine.h"

static struct shared_info shared;

static int start(void **state)
{
	(void)state;
	fake_clock_start(1, 5000);
	memset(&shared, 0, sizeof(shared));
	time_init();
	return 0;
}

/* As abi/xen.h tells a guest to. */
static uint64_t guest_reads(const struct vcpu_time_info *info)
{
	uint64_t ticks = machine_ticks() - info->tsc_timestamp;

	assert_int_equal(info->version & 1, 0);
	ticks = info->tsc_shift < 0 ? ticks >> -info->tsc_shift : ticks << info->tsc_shift;
	return info->system_time +
	       (uint64_t)((unsigned __int128)ticks * info->tsc_to_system_mul >> 32);
}

static void test_stable_record_is_written_once(void **state)
{
	struct vcpu_time_info info = { 0 };
	uint32_t version;

	(void)state;
	time_write_vcpu(&info);
	assert_int_equal(info.flags, XEN_PVCLOCK_TSC_STABLE_BIT);
	assert_int_equal(guest_reads(&info), 5000);
	version = info.version;
	fake_clock_set(123456789);
	time_write_vcpu(&info);
	assert_int_equal(info.version, version);
	assert_int_equal(guest_reads(&info), 123456789);
}

static void test_unstable_record_is_stamped(void **state)
{
	struct vcpu_time_info info = { 0 };
	uint32_t version;

	(void)state;
	fake_clock_stable(false);
	time_init();
	time_write_vcpu(&info);
	assert_int_equal(info.flags, 0);
	version = info.version;
	fake_clock_set(123456);
	time_write_vcpu(&info);
	assert_int_equal(info.version, version + 2);
	assert_int_equal(info.system_time, 123456);
	assert_int_equal(guest_reads(&info), 123456);
}

static void test_scribbled_record_comes_back(void **state)
{
	struct vcpu_time_info info;

	(void)state;
	memset(&info, 0xff, sizeof(info));
	time_write_vcpu(&info);
	assert_int_equal(guest_reads(&info), 5000);
	info.version |= 1;
	time_write_vcpu(&info);
	assert_int_equal(guest_reads(&info), 5000);
}

static uint64_t wall_seconds(void)
{
	assert_int_equal(shared.wc_version & 1, 0);
	return (uint64_t)shared.wc_sec_hi << 32 | shared.wc_sec;
}

static void test_wall_clock(void **state)
{
	uint32_t version;

	(void)state;
	time_write_wallclock(&shared, 0);
	/* 1700000000 s at system time 5000 ns, so 5000 ns less at 0 */
	assert_int_equal(wall_seconds(), 1699999999);
	assert_int_equal(shared.wc_nsec, 999995000);
	version = shared.wc_version;
	time_set_wallclock(1800000000, 250, 200);
	time_write_wallclock(&shared, -3600);
	assert_true(shared.wc_version != version);
	assert_int_equal(wall_seconds(), 1800000000 - 3600);
	assert_int_equal(shared.wc_nsec, 50);
	time_set_wallclock(1ull << 33, 0, 0);
	time_write_wallclock(&shared, 5);
	assert_int_equal(wall_seconds(), (1ull << 33) + 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_stable_record_is_written_once, start),
		cmocka_unit_test_setup(test_unstable_record_is_stamped, start),
		cmocka_unit_test_setup(test_scribbled_record_comes_back, start),
		cmocka_unit_test_setup(test_wall_clock, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
