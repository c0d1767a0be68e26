/* SPDX-License-Identifier: MIT */
/* See sim.h. */
#include "sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "fake/clock.h"
#include "time/time.h"
#include "x86/machine.h"

struct guest guest[GUESTS];
static struct sim_vcpu *all[2 * GUESTS];
static unsigned nr_guests, nr_all, nr_cpus;
unsigned switches;
struct sched_vcpu idle[CPUS], *current[CPUS];
uint64_t wasted;

static struct sim_vcpu *sim(struct sched_vcpu *sv)
{
	return container_of(sv, struct sim_vcpu, sched);
}

void start(unsigned cpus)
{
	static uint64_t epoch;

	/* queues live as long as the process: time goes on from test to test */
	epoch += 1000000 * SEC;
	fake_clock_start(cpus, epoch);
	memset(&sched_idle_cpus, 0, sizeof(sched_idle_cpus));
	time_init();
	sched_init();
	nr_cpus = cpus;
	nr_guests = nr_all = switches = 0;
	wasted = 0;
	for (unsigned cpu = 0; cpu < cpus; cpu++) {
		fake_clock_cpu(cpu);
		timer_run();
		assert_int_equal(sched_vcpu_init(&idle[cpu], NULL, cpu, true), 0);
		current[cpu] = &idle[cpu];
	}
	fake_clock_cpu(0);
}

struct guest *add(unsigned weight, unsigned cap, unsigned vcpus, uint64_t run, uint64_t sleep)
{
	struct guest *g = &guest[nr_guests++];

	memset(g, 0, sizeof(*g));
	g->nr = vcpus;
	sched_domain_init(&g->domain);
	assert_int_equal(sched_domain_set(&g->domain, weight, cap), 0);
	for (unsigned i = 0; i < vcpus; i++) {
		struct sim_vcpu *v = all[nr_all++] = &g->vcpu[i];

		assert_int_equal(sched_vcpu_init(&v->sched, &g->domain, i % nr_cpus, false), 0);
		v->run = v->left = run;
		v->sleep = sleep;
		v->wake_at = ~0ull;
		sched_set_down(&v->sched, false);
	}
	return g;
}

void leave_hypervisor(unsigned cpu)
{
	fake_clock_cpu(cpu);
	for (unsigned rounds = 0; sched_due(); rounds++) {
		struct sched_vcpu *prev = current[cpu], *next = sched_next(prev);

		assert_true(rounds < 10);
		if (next == prev)
			continue;
		current[cpu] = next;
		switches++;
		if (!next->idle && sim(next)->woken) {
			uint64_t latency = machine_now() - sim(next)->woken;

			sim(next)->worst_latency = max(sim(next)->worst_latency, latency);
			sim(next)->woken = 0;
		}
		sched_switched(prev);
	}
}

/* `step` ns of what the vCPU on this CPU does. */
static void compute(unsigned cpu, uint64_t step)
{
	struct sim_vcpu *v;

	if (current[cpu]->idle) {
		for (unsigned i = 0; i < nr_all; i++)
			if (all[i]->sched.state == SCHED_RUNNABLE && !all[i]->sched.parked &&
			    cpumask_test(&all[i]->sched.affinity, cpu))
				wasted += step;
		return;
	}
	v = sim(current[cpu]);
	v->total += step;
	if (!v->sleep)
		return;
	v->left -= min(v->left, step);
	if (!v->left) {
		v->left = v->run;
		v->wake_at = machine_now() + v->sleep;
		fake_clock_cpu(cpu);
		sched_block(&v->sched);
	}
}

static void wake_sleepers(unsigned cpu)
{
	for (unsigned i = 0; i < nr_all; i++) {
		if (all[i]->wake_at > machine_now())
			continue;
		all[i]->wake_at = ~0ull;
		all[i]->woken = machine_now();
		fake_clock_cpu(cpu);
		sched_wake(&all[i]->sched);
	}
}

void run(uint64_t duration)
{
	uint64_t end = machine_now() + duration;

	while (machine_now() < end) {
		for (unsigned cpu = 0; cpu < nr_cpus; cpu++)
			compute(cpu, STEP);
		fake_clock_set(machine_now() + STEP);
		/* device interrupts that wake somebody come to CPU 0 */
		wake_sleepers(0);
		for (unsigned cpu = 0; cpu < nr_cpus; cpu++) {
			if (fake_clock_armed(cpu) <= machine_now()) {
				fake_clock_cpu(cpu);
				fake_clock_disarm(cpu);
				timer_run();
			}
			leave_hypervisor(cpu);
		}
	}
}

uint64_t total(const struct guest *g)
{
	return g->vcpu[0].total + g->vcpu[1].total;
}

void assert_share(const struct guest *g, double percent, uint64_t duration)
{
	double got = 100.0 * (double)total(g) / (double)duration;

	if (got < percent * 0.98 || got > percent * 1.02)
		fail_msg("guest %d got %.2f %% of a CPU, not %.2f %%", (int)(g - guest), got,
			 percent);
}

void stop(void)
{
	for (unsigned i = 0; i < nr_all; i++)
		sched_set_down(&all[i]->sched, true);
	for (unsigned cpu = 0; cpu < nr_cpus; cpu++)
		leave_hypervisor(cpu);
	for (unsigned i = 0; i < nr_all; i++)
		sched_vcpu_destroy(&all[i]->sched);
	for (unsigned g = 0; g < nr_guests; g++)
		assert_int_equal(guest[g].domain.active, 0);
	for (unsigned cpu = 0; cpu < nr_cpus; cpu++)
		assert_ptr_equal(current[cpu], &idle[cpu]);
}
