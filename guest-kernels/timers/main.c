/* SPDX-License-Identifier: MIT */
/*
 * Time: the clocks never step back, timers fire when they should and not when not, deadlines of all
 * sizes.
 */
#include "abi/platform.h"
#include "abi/sched.h"
#include "abi/vcpu.h"
#include "clock.h"
#include "event.h"
#include "hypercall.h"
#include "kernel.h"
#include "mem.h"
#include "print.h"
#include "test.h"

#define MS	1000000UL

static evtchn_port_t timer;

static long set_timer(uint64_t deadline, uint32_t flags)
{
	struct vcpu_set_singleshot_timer op = { .timeout_abs_ns = deadline, .flags = flags };

	return hyp_vcpu_op(VCPUOP_set_singleshot_timer, 0, &op);
}

/* Wait with events enabled until the timer came or so many ms went by; how often it came. */
static unsigned int wait(unsigned int ms)
{
	uint64_t end = clock_now() + ms * MS;
	unsigned int n = 0;

	event_enable();
	while (clock_now() < end && !(n = event_count(timer)))
		asm volatile("pause");
	event_disable();
	return n;
}

static void clocks(void)
{
	uint64_t last = clock_now(), back = 0, start, tsc, ns;

	for (unsigned int i = 0; i < 200000; i++) {
		uint64_t now = clock_now();

		back += now < last;
		last = now;
	}
	check_eq((int64_t)back, 0, "system time never steps back");
	print("      TSC %s, %lu kHz\n", vcpu_info->time.flags & XEN_PVCLOCK_TSC_STABLE_BIT ?
	      "stable" : "not stable",
	      (vcpu_info->time.tsc_shift < 0 ?
	       (1000000UL << 32) / vcpu_info->time.tsc_to_system_mul << -vcpu_info->time.tsc_shift :
	       (1000000UL << 32) / vcpu_info->time.tsc_to_system_mul >> vcpu_info->time.tsc_shift));
	start = clock_now();
	tsc = clock_tsc();
	clock_spin(50 * MS);
	ns = clock_now() - start;
	check(clock_tsc() > tsc && ns >= 50 * MS && ns < 1000 * MS, "50 ms take %lu us", ns / 1000);
	check(clock_wall() > 1577836800 && clock_wall() < 4102444800, "the wall clock says %lu",
	      clock_wall());
	check(shared_info.wc_nsec < 1000000000, "its nanoseconds are less than a second");
	check((vcpu_info->time.version & 1) == 0, "the record is not being changed");
}

static void single_shot(void)
{
	uint64_t deadline, fired;

	check_eq(hyp_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL), 0, "stop the periodic timer");
	deadline = clock_now() + 10 * MS;
	check_eq(set_timer(deadline, 0), 0, "a timer in 10 ms");
	check_eq(wait(1000), 1, "fires");
	fired = clock_now();
	check(fired >= deadline && fired - deadline < 200 * MS, "after %ld us",
	      ((long)(fired - deadline)) / 1000);
	check_eq(wait(30), 0, "once");
	check_eq(set_timer(clock_now() - MS, 0), 0, "a deadline that is past");
	check_eq(wait(1000), 1, "fires all the same");
	check_eq(set_timer(1, 0), 0, "a deadline of 1 ns");
	check_eq(wait(1000), 1, "too");
	fired = (uint64_t)set_timer(clock_now() - MS, VCPU_SSHOTTMR_future);
	check(fired == 0 || (int64_t)fired == -ETIME,
	      "one that must be in the future is refused, or fires (%ld)", (long)fired);
	check_eq(wait(50), fired == 0, "accordingly");
	set_timer(clock_now() + 20 * MS, 0);
	check_eq(hyp_vcpu_op(VCPUOP_stop_singleshot_timer, 0, NULL), 0, "stop it");
	check_eq(wait(60), 0, "it does not fire");
	deadline = clock_now() + 60 * MS;
	set_timer(clock_now() + 10 * MS, 0);
	set_timer(deadline, 0);
	check_eq(wait(1000), 1, "the later of two settings counts");
	check(clock_now() >= deadline, "at its time");
	set_timer(clock_now() + 20 * MS, 0);
	event_disable();
	deadline = clock_now();
	check_eq(hyp_sched_op(SCHEDOP_block, NULL), 0, "block until the timer");
	check_eq(event_count(timer), 1, "it woke us");
	check(clock_now() - deadline >= 10 * MS, "after %lu us", (clock_now() - deadline) / 1000);
	event_disable();
}

static void old_timer(void)
{
	check_eq(hyp_set_timer_op(clock_now() + 10 * MS), 0, "set_timer_op in 10 ms");
	check_eq(wait(1000), 1, "fires");
	hyp_set_timer_op(clock_now() + 20 * MS);
	check_eq(hyp_set_timer_op(0), 0, "set_timer_op(0)");
	check_eq(wait(60), 0, "stops it");
}

static void periodic(void)
{
	struct vcpu_set_periodic_timer op = { .period_ns = 10 * MS };
	unsigned int n = 0;
	long result = hyp_vcpu_op(VCPUOP_set_periodic_timer, 0, &op);

	if (result == -ENOSYS || result == -EOPNOTSUPP) {
		print("note: no periodic timers here\n");
		return;
	}
	check_eq(result, 0, "a timer each 10 ms");
	for (unsigned int i = 0; i < 3; i++)
		n += wait(500) != 0;
	check_eq(n, 3, "fires three times");
	op.period_ns = 1000;
	check_refused(hyp_vcpu_op(VCPUOP_set_periodic_timer, 0, &op), "one each microsecond");
	op.period_ns = 1UL << 63;	/* XSA-20 */
	check_refused(hyp_vcpu_op(VCPUOP_set_periodic_timer, 0, &op), "one each 2^63 ns");
	op.period_ns = ~0UL;
	check_refused(hyp_vcpu_op(VCPUOP_set_periodic_timer, 0, &op), "one each 2^64 - 1 ns");
	check_eq(hyp_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL), 0, "stop it");
	wait(20);
	check_eq(wait(50), 0, "it stopped");
}

static void extremes(void)
{
	static const uint64_t far[] = { INT64_MAX, INT64_MAX - 1000, 1UL << 62,
					1000000 * MS * 1000 };

	for (unsigned int i = 0; i < sizeof(far) / sizeof(*far); i++) {
		check_eq(set_timer(far[i], 0), 0, "a timer at %lx", far[i]);
		check_eq(wait(20), 0, "is not due");
	}
	set_timer(1UL << 63, 0);
	set_timer(~0UL, 0);
	hyp_set_timer_op(~0UL);
	hyp_set_timer_op(1UL << 63);
	hyp_set_timer_op(1UL << 52);
	hyp_set_timer_op(0);
	hyp_vcpu_op(VCPUOP_stop_singleshot_timer, 0, NULL);
	check(true, "times beyond that do no harm");
	wait(5);
	struct vcpu_set_singleshot_timer op = { .timeout_abs_ns = clock_now() + MS };
	check_eq(hyp_vcpu_op(VCPUOP_set_singleshot_timer, 4000, &op), -ENOENT,
		 "the timer of a vCPU that isn't there");
	check_refused(hyp_vcpu_op(VCPUOP_set_singleshot_timer, 1, &op),
		      "the timer of another vCPU");
}

static void wall_clock(void)
{
	struct xen_platform_op op = {
		.cmd = XENPF_settime64, .interface_version = XENPF_INTERFACE_VERSION,
	};
	uint64_t before = clock_wall();

	op.u.settime64.secs = before + 1000;
	op.u.settime64.system_time = clock_now();
	if (!kernel_is_dom0()) {
		check_refused(hypercall(__HYPERVISOR_platform_op, (uint64_t)&op, 0, 0, 0, 0),
			      "setting the wall clock, unprivileged");
		return;
	}
	check_eq(hypercall(__HYPERVISOR_platform_op, (uint64_t)&op, 0, 0, 0, 0), 0,
		 "set the wall clock");
	check(clock_wall() >= before + 999 && clock_wall() < before + 1060, "it is %ld s later",
	      (long)(clock_wall() - before));
	op.u.settime64.secs = before;
	op.u.settime64.system_time = clock_now();
	hypercall(__HYPERVISOR_platform_op, (uint64_t)&op, 0, 0, 0, 0);
	op.u.settime64.nsecs = 1000000000;
	op.u.settime64.mbz = 1;
	check_refused(hypercall(__HYPERVISOR_platform_op, (uint64_t)&op, 0, 0, 0, 0),
		      "a wall clock with what must be zero");
	op.interface_version++;
	check_refused(hypercall(__HYPERVISOR_platform_op, (uint64_t)&op, 0, 0, 0, 0),
		      "another interface version");
}

static void second_record(void)
{
	static struct vcpu_time_info copy __attribute__((aligned(64)));
	struct vcpu_register_time_memory_area op = { .addr.h = GUEST_PTR(&copy) };
	long result = hyp_vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &op);

	if (result == -ENOSYS) {
		print("note: no second time records here\n");
		return;
	}
	check_eq(result, 0, "a second time record");
	set_timer(clock_now() + 20 * MS, 0);
	hyp_sched_op(SCHEDOP_block, NULL);
	event_disable();
	event_count(timer);
	check(copy.tsc_to_system_mul == vcpu_info->time.tsc_to_system_mul &&
	      copy.tsc_shift == vcpu_info->time.tsc_shift,
	      "has the scale of the first");
	op.addr.h = GUEST_PTR(NULL);
	hyp_vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &op);
}

void test_main(void)
{
	clocks();
	timer = event_bind_virq(VIRQ_TIMER, 0);
	check(timer != 0, "bind VIRQ_TIMER");
	event_unmask(timer);
	single_shot();
	old_timer();
	periodic();
	extremes();
	wall_clock();
	second_record();
}
