/* SPDX-License-Identifier: MIT */
/* A control domain and two guests. */
#include "fake/domains.h"

#include "fake/machine.h"
#include "lib/assert.h"
#include "x86/machine.h"

struct fake_domain fake_domain[FAKE_DOMAINS];
int fake_domain_refs;

static uint64_t before;

struct domain *domain_get(domid_t id)
{
	const struct vcpu *v = machine_current();

	if (id == DOMID_SELF)
		id = v->domain->id;
	if (id >= FAKE_DOMAINS)
		return NULL;
	fake_domain_refs++;
	return &fake_domain[id].d;
}

void domain_put(struct domain *d)
{
	ASSERT(d);
	fake_domain_refs--;
}

static void start(unsigned i)
{
	struct fake_domain *f = &fake_domain[i];

	*f = (struct fake_domain){ .d = { .id = (domid_t)i, .privileged = !i, .max_vcpus = 2 } };
	f->d.vcpu = f->vcpu;
	f->d.shared = &f->shared;
	mm_domain_init(&f->d.mm, (domid_t)i, 600);
	f->d.mm.privileged = !i;
	fake_tables(&f->d.mm, &f->t);
	for (unsigned k = 0; k < 2; k++) {
		struct vcpu *v = f->vcpu[k] = &f->v[k];
		unsigned cpu = k ? 3 : i;

		v->domain = &f->d;
		v->id = k;
		v->sched.cpu = cpu;
		v->sched.running = !k || i == 1;
		v->mm = (struct mm_vcpu){ MFN_NONE, MFN_NONE };
		if (!v->sched.running)
			continue;
		fake_run_on(cpu);
		machine_set_current(v);
		cpumask_set(&f->d.mm.cpus, cpu);
		ASSERT(!mm_set_root(&f->d.mm, &v->mm, f->t.l4, false, true));
	}
}

int fake_domains_setup(void **state)
{
	(void)state;
	fake_machine_start();
	fake_budget(~0u);
	fake_copy_fails_after(~0u);
	before = mm_free_frames();
	for (unsigned i = 0; i < FAKE_DOMAINS; i++)
		start(i);
	return 0;
}

int fake_domains_teardown(void **state)
{
	(void)state;
	ASSERT(!mm_check(NULL, NULL) && !fake_tlb_check() && !fake_domain_refs);
	fake_budget(~0u);
	for (unsigned cpu = 0; cpu < FAKE_CPUS; cpu++) {
		fake_run_on(cpu);
		machine_tables_load(machine_tables_idle(), true);
	}
	for (unsigned i = 0; i < FAKE_DOMAINS; i++) {
		struct fake_domain *f = &fake_domain[i];

		for (unsigned k = 0; k < 2; k++) {
			ASSERT(!FINISH(mm_set_root(&f->d.mm, &f->v[k].mm, MFN_NONE, false, false)));
			ASSERT(!FINISH(mm_set_root(&f->d.mm, &f->v[k].mm, MFN_NONE, true, false)));
		}
	}
	for (unsigned i = 1; i < FAKE_DOMAINS; i++)
		ASSERT(!FINISH(mm_domain_teardown(&fake_domain[i].d.mm)));
	fake_end(&fake_domain[0].d.mm, before);
	return 0;
}

int64_t fake_call(unsigned i, hypercall_fn *fn, struct hypercall *c)
{
	fake_run_on(i);
	machine_budget_start();
	c->vcpu = &fake_domain[i].v[0];
	return fn(c);
}

int64_t fake_hypercall(unsigned i, hypercall_fn *fn, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	struct hypercall call = { .arg = { a, b, c, d } };
	int64_t rc;

	do {
		rc = fake_call(i, fn, &call);
	} while (rc == -ERESTART);
	return rc;
}
