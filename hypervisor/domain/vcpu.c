/* SPDX-License-Identifier: MIT */
/* A vCPU: made, given a whole state, put on a CPU and taken off, released. */
#include "abi/errno.h"
#include "domain/domain.h"
#include "domain/runstate.h"
#include "lib/assert.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "x86/machine.h"

static struct domain idle_domain = { .id = DOMID_IDLE, .max_vcpus = CPU_MAX };
static struct vcpu idle_vcpu[CPU_MAX];

struct vcpu *vcpu_current(void)
{
	return machine_current();
}

static void kick(struct event_vcpu *ev)
{
	sched_wake(&container_of(ev, struct vcpu, event)->sched);
}

static void singleshot_expired(struct timer *t)
{
	struct vcpu *v = container_of(t, struct vcpu, singleshot);

	event_raise_virq(&v->event, VIRQ_TIMER);
}

static void periodic_expired(struct timer *t)
{
	struct vcpu *v = container_of(t, struct vcpu, periodic);

	event_raise_virq(&v->event, VIRQ_TIMER);
	if (v->period)
		timer_set(t, machine_now() + v->period);
}

static void poll_expired(struct timer *t)
{
	struct vcpu *v = container_of(t, struct vcpu, poll_timer);

	event_poll_end(&v->event);
	sched_wake(&v->sched);
}

void vcpu_init_idle(unsigned cpu)
{
	struct vcpu *v = &idle_vcpu[cpu];

	v->domain = &idle_domain;
	v->id = cpu;
	v->mm.kernel_table = v->mm.user_table = MFN_NONE;
	v->event.info = &v->dummy_info;
	v->dummy_info.evtchn_upcall_mask = 1;
	if (sched_vcpu_init(&v->sched, NULL, cpu, true))
		panic("CPU %u: no idle vCPU", cpu);
	machine_set_current(v);
}

/* vCPUs start spread over the CPUs; the scheduler moves them from there. */
static unsigned first_cpu(unsigned id)
{
	unsigned cpu = cpumask_next(machine_cpus_online(), 0);

	for (id %= cpumask_count(machine_cpus_online()); id; id--)
		cpu = cpumask_next(machine_cpus_online(), cpu + 1);
	return cpu;
}

static void memory_free(struct vcpu *v)
{
	machine_vcpu_free(&v->machine);
	heap_free(v->trap);
	heap_free(v);
}

int vcpu_create(struct domain *d, unsigned id)
{
	struct vcpu *v;
	int rc;

	if (id >= d->max_vcpus)
		return -EINVAL;
	if (d->vcpu[id])
		return -EEXIST;
	v = heap_alloc(sizeof(*v));
	if (!v)
		return -ENOMEM;
	v->trap = heap_alloc(TRAP_GATES * sizeof(*v->trap));
	rc = machine_vcpu_init(&v->machine);
	if (rc || !v->trap) {
		memory_free(v);
		return -ENOMEM;
	}
	v->domain = d;
	v->id = id;
	v->mm.kernel_table = v->mm.user_table = MFN_NONE;
	v->event.domain = &d->event;
	v->event.id = id;
	v->event.info = id < XEN_LEGACY_MAX_VCPUS ? &d->shared->vcpu_info[id] : &v->dummy_info;
	v->event.info->evtchn_upcall_mask = 1;
	v->event.kick = kick;
	timer_init(&v->singleshot, singleshot_expired);
	timer_init(&v->periodic, periodic_expired);
	timer_init(&v->poll_timer, poll_expired);
	rc = sched_vcpu_init(&v->sched, &d->sched, first_cpu(id), false);
	if (rc) {
		memory_free(v);
		return rc;
	}
	for (unsigned i = !!d->controller_pauses + d->shut_down; i > 0; i--)
		sched_pause_async(&v->sched);
	d->event_vcpu[id] = &v->event;
	__atomic_store_n(&d->vcpu[id], v, __ATOMIC_RELEASE);
	return 0;
}

void vcpu_free(struct vcpu *v)
{
	sched_vcpu_destroy(&v->sched);
	memory_free(v);
}

int vcpu_release(struct vcpu *v)
{
	int rc;

	timer_destroy(&v->singleshot);
	timer_destroy(&v->periodic);
	timer_destroy(&v->poll_timer);
	vcpu_release_descriptors(v);
	if (v->info_frame) {
		v->event.info = &v->dummy_info;
		vcpu_release_info(v);
	}
	rc = mm_set_root(&v->domain->mm, &v->mm, MFN_NONE, true, false);
	if (!rc)
		rc = mm_set_root(&v->domain->mm, &v->mm, MFN_NONE, false, false);
	return rc;
}

struct cpu_regs *vcpu_regs(struct vcpu *v)
{
	return v == vcpu_current() ? machine_guest_regs() : &v->machine.regs;
}

void vcpu_send_nmi(struct vcpu *v)
{
	__atomic_store_n(&v->nmi_pending, true, __ATOMIC_SEQ_CST);
	sched_wake(&v->sched);
	machine_kick(__atomic_load_n(&v->sched.cpu, __ATOMIC_RELAXED));
}

void vcpu_switch(struct vcpu *prev, struct vcpu *next)
{
	unsigned cpu = machine_cpu();

	if (!prev->sched.idle)
		machine_vcpu_save(&prev->machine);
	machine_set_current(next);
	if (next->sched.idle) {
		machine_tables_load(machine_tables_idle(), false);
	} else {
		if (!cpumask_test(&next->domain->mm.cpus, cpu))
			cpumask_set(&next->domain->mm.cpus, cpu);
		machine_tables_load(vcpu_table(next), true);
		machine_vcpu_load(&next->machine);
		time_write_vcpu(&next->event.info->time);
		vcpu_update_runstate_area(next);
	}
	if (!prev->sched.idle && prev->domain != next->domain)
		cpumask_clear(&prev->domain->mm.cpus, cpu);
	sched_switched(&prev->sched);
}
