/* SPDX-License-Identifier: MIT */
/*
 * The scheduler with threads for CPUs, all of which block, wake, pause, pin, weigh and cap each
 * other's vCPUs at random: no vCPU is ever on two CPUs at once, and when the storm is over all run
 * again.
 *
 * Links: hypervisor/sched/sched.c hypervisor/sched/runqueue.c hypervisor/sched/balance.c
 * Links: hypervisor/time/timer.c hypervisor/time/clock.c hypervisor/lib/lock.c
 * Links: tests/fake/clock.c tests/fake/log.c
 */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fake/clock.h"
#include "lib/assert.h"
#include "sched/sched.h"
#include "time/time.h"
#include "x86/machine.h"

#define CPUS	4
#define VCPUS	7
#define ROUNDS	20000
#define STEP	100000ull

static struct sched_domain domain[2];
static struct sim_vcpu {
	struct sched_vcpu sched;
	unsigned on;			/* the CPU that runs it + 1, or 0 */
	unsigned pauses;		/* ours; atomic */
	unsigned long ran;
} vcpu[VCPUS];
static struct sched_vcpu idle[CPUS];
static bool stormy;
static pthread_barrier_t everybody;

static struct sim_vcpu *sim(struct sched_vcpu *sv)
{
	return container_of(sv, struct sim_vcpu, sched);
}

static struct sched_vcpu *leave_hypervisor(unsigned cpu, struct sched_vcpu *current)
{
	while (sched_due()) {
		struct sched_vcpu *next = sched_next(current), *prev = current;

		if (next == prev)
			continue;
		sched_yield(); /* registers are being saved: a good moment for others to interfere
				*/
		if (!next->idle)
			ASSERT(!__atomic_exchange_n(&sim(next)->on, cpu + 1, __ATOMIC_SEQ_CST));
		if (!prev->idle)
			ASSERT(__atomic_exchange_n(&sim(prev)->on, 0, __ATOMIC_SEQ_CST) == cpu + 1);
		current = next;
		sched_switched(prev);
	}
	if (!current->idle)
		sim(current)->ran++;
	return current;
}

/* Undo one of our pauses, if there is one. */
static void unpause(struct sim_vcpu *v)
{
	unsigned n = __atomic_load_n(&v->pauses, __ATOMIC_SEQ_CST);

	while (n)
		if (__atomic_compare_exchange_n(&v->pauses, &n, n - 1, false, __ATOMIC_SEQ_CST,
						__ATOMIC_SEQ_CST)) {
			sched_unpause(&v->sched);
			return;
		}
}

static void disturb(struct sched_vcpu *current, unsigned *seed)
{
	struct sim_vcpu *v = &vcpu[(unsigned)rand_r(seed) % VCPUS];
	struct cpumask mask = { .bits = { 1 + (unsigned)rand_r(seed) % ((1 << CPUS) - 1) } };

	switch (rand_r(seed) % 12) {
	case 0:
		if (!current->idle)
			sched_block(current);
		break;
	case 1:
		if (!current->idle)
			sched_vcpu_yield(current);
		break;
	case 2:
		sched_pause_async(&v->sched);
		__atomic_fetch_add(&v->pauses, 1, __ATOMIC_SEQ_CST);
		break;
	case 3:
		unpause(v);
		break;
	case 4:
		ASSERT(!sched_set_affinity(&v->sched, &mask));
		break;
	case 5:
		ASSERT(!sched_domain_set(&domain[rand_r(seed) % 2],
					 1 + (unsigned)rand_r(seed) % 1000,
					 rand_r(seed) % 4 ? 0 : 50));
		break;
	case 6:
		sched_set_down(&v->sched, rand_r(seed) % 3 == 0);
		break;
	case 7:
		if (!current->idle)
			ASSERT(!sched_pin_override(current, rand_r(seed) % (CPUS + 1) - 1));
		break;
	default:
		sched_wake(&v->sched);
	}
}

/* All may run again, anywhere. */
static void calm(void)
{
	struct cpumask all = { .bits = { (1 << CPUS) - 1 } };

	for (unsigned i = 0; i < VCPUS; i++) {
		while (vcpu[i].pauses)
			unpause(&vcpu[i]);
		ASSERT(!sched_pin_override(&vcpu[i].sched, -1));
		ASSERT(!sched_set_affinity(&vcpu[i].sched, &all));
		sched_set_down(&vcpu[i].sched, false);
		sched_wake(&vcpu[i].sched);
		ASSERT(!sched_domain_set(&domain[i % 2], 256, 0));
		vcpu[i].ran = 0;
	}
}

static void rounds(unsigned cpu, struct sched_vcpu **current, unsigned *seed)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		if (cpu == 0)
			fake_clock_set(machine_now() + STEP);
		if (fake_clock_armed(cpu) <= machine_now()) {
			fake_clock_disarm(cpu);
			timer_run();
		}
		*current = leave_hypervisor(cpu, *current);
		if (stormy)
			disturb(*current, seed);
		if (i % 64 == 0)
			sched_yield();
	}
}

static void *cpu_main(void *arg)
{
	unsigned cpu = (unsigned)(uintptr_t)arg, seed = cpu + 1;
	struct sched_vcpu *current = &idle[cpu];

	fake_clock_cpu(cpu);
	pthread_barrier_wait(&everybody);
	rounds(cpu, &current, &seed);
	pthread_barrier_wait(&everybody);
	if (cpu == 0) {
		stormy = false;
		calm();
	}
	pthread_barrier_wait(&everybody);
	rounds(cpu, &current, &seed);
	pthread_barrier_wait(&everybody);
	if (cpu == 0)
		for (unsigned i = 0; i < VCPUS; i++)
			sched_set_down(&vcpu[i].sched, true);
	pthread_barrier_wait(&everybody);
	current = leave_hypervisor(cpu, current);
	ASSERT(current->idle);
	return NULL;
}

static void test_storm(void **state)
{
	pthread_t thread[CPUS];

	(void)state;
	fake_clock_start(CPUS, 1);
	fake_clock_threads(true);
	time_init();
	sched_init();
	for (unsigned cpu = 0; cpu < CPUS; cpu++) {
		fake_clock_cpu(cpu);
		assert_int_equal(sched_vcpu_init(&idle[cpu], NULL, cpu, true), 0);
	}
	sched_domain_init(&domain[0]);
	sched_domain_init(&domain[1]);
	for (unsigned i = 0; i < VCPUS; i++) {
		assert_int_equal(sched_vcpu_init(&vcpu[i].sched, &domain[i % 2], i % CPUS, false),
				 0);
		sched_set_down(&vcpu[i].sched, false);
	}
	stormy = true;
	pthread_barrier_init(&everybody, NULL, CPUS);
	for (uintptr_t cpu = 0; cpu < CPUS; cpu++)
		pthread_create(&thread[cpu], NULL, cpu_main, (void *)cpu);
	for (unsigned cpu = 0; cpu < CPUS; cpu++)
		pthread_join(thread[cpu], NULL);
	for (unsigned i = 0; i < VCPUS; i++) {
		assert_int_equal(vcpu[i].on, 0);
		assert_true(vcpu[i].ran > 0);
		sched_vcpu_destroy(&vcpu[i].sched);
	}
	assert_int_equal(domain[0].active, 0);
	assert_int_equal(domain[1].active, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_storm) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
