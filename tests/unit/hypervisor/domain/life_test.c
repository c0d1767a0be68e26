/* SPDX-License-Identifier: MIT */
/*
 * A domain's life as the toolstack and its guest make it, from domain_create() to the last
 * reference, on the fake machine's real memory: all memory is back after it, and also when any one
 * of the allocations on the way fails: of the heap, of frames, in each of the subsystems.
 *
 * Links: hypervisor/domain/domain.c hypervisor/domain/vcpu.c hypervisor/domain/descriptor.c
 * Links: hypervisor/domain/runstate.c hypervisor/domain/watchdog.c hypervisor/domain/copy.c
 * Links: hypervisor/event/channel.c hypervisor/event/deliver.c hypervisor/grant/table.c
 * Links: hypervisor/grant/map.c hypervisor/mm/buddy.c hypervisor/mm/check.c
 * Links: hypervisor/mm/domain.c hypervisor/mm/frame.c hypervisor/mm/heap.c hypervisor/mm/m2p.c
 * Links: hypervisor/mm/scrub.c
 * Links: hypervisor/mm/map.c hypervisor/mm/page_type.c hypervisor/mm/pt_entry.c
 * Links: hypervisor/mm/pt_table.c hypervisor/mm/pt_update.c hypervisor/mm/segdesc.c
 * Links: hypervisor/sched/balance.c hypervisor/sched/runqueue.c hypervisor/sched/sched.c
 * Links: hypervisor/time/clock.c hypervisor/time/timer.c hypervisor/lib/lock.c
 * Links: hypervisor/lib/bitmap.c tests/fake/machine.c tests/fake/tlb.c tests/fake/log.c
 * Links: tests/fake/tables.c tests/unit/support/failing_heap.c
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "domain/domain.h"
#include "fake/machine.h"
#include "fake/tables.h"
#include "mm/heap.h"
#include "unit/support/failing_heap.h"
#include "x86/machine.h"

#define REF	9
#define VA	0x3000ull

/* -- the rest of the machine -- */

int machine_vcpu_init(struct machine_vcpu *mv)
{
	for (unsigned i = 0; i < GDT_GUEST_FRAMES; i++)
		mv->gdt[i] = MFN_NONE;
	for (unsigned i = 0; i < LDT_MAX_FRAMES; i++)
		mv->ldt[i] = MFN_NONE;
	mv->fpu = heap_alloc(832);
	return mv->fpu ? 0 : -ENOMEM;
}

void machine_vcpu_free(struct machine_vcpu *mv)
{
	heap_free(mv->fpu);
}

void machine_vcpu_save(struct machine_vcpu *mv)
{
	(void)mv;
}

void machine_vcpu_load(struct machine_vcpu *mv)
{
	(void)mv;
}

void machine_vcpu_load_gdt(struct machine_vcpu *mv)
{
	(void)mv;
}

void machine_vcpu_load_ldt(struct machine_vcpu *mv)
{
	(void)mv;
}

struct cpu_regs *machine_guest_regs(void)
{
	return NULL;
}

uint64_t machine_ticks(void)
{
	return machine_now();
}

uint64_t machine_ticks_base(void)
{
	return 0;
}

void machine_ticks_scale(uint32_t *mul, int8_t *shift)
{
	*mul = 0x80000000u;
	*shift = 1;
}

bool machine_ticks_stable(void)
{
	return true;
}

uint64_t machine_wallclock(void)
{
	return 1700000000;
}

void machine_timer_arm(uint64_t deadline)
{
	(void)deadline;
}

void domain_shutdown(struct domain *d, unsigned reason)
{
	fail_msg("domain %u is shut down, reason %u", d->id, reason);
}

/* -- the control domain, made once: it maps what the guest grants -- */

static struct tables control_tables;

static int setup(void **state)
{
	static const struct domain_settings settings = { .privileged = true, .max_vcpus = 1,
							 .max_pages = 200 };

	(void)state;
	fake_machine_start();
	fake_run_on(0);
	time_init();
	sched_init();
	vcpu_init_idle(0);
	assert_int_equal(domain_create(0, &settings, &domain_control), 0);
	assert_int_equal(vcpu_create(domain_control, 0), 0);
	fake_tables(&domain_control->mm, &control_tables);
	assert_int_equal(mm_pin(&domain_control->mm, control_tables.l4, 4), 0);
	return 0;
}

/* -- a guest's life: each step can fail for want of memory, and then it ends there -- */

static int add_memory(struct domain *d)
{
	static const struct mm_map_entry map = { 0, 64 * PAGE_SIZE, 1 };
	int rc = mm_set_map(&d->mm, &map, 1);

	for (unsigned i = 0; i < 8 && !rc; i++)
		if (mfn_eq(mm_alloc(&d->mm, 0, 0), MFN_NONE))
			rc = -ENOMEM;
	return rc;
}

/* More ports than one bucket holds, and one whose other end is the control domain's. */
static int open_ports(struct domain *d)
{
	evtchn_port_t port, far;
	int rc = 0;

	for (unsigned i = 0; i < EVENT_BUCKET_PORTS + 2 && !rc; i++)
		rc = event_alloc_unbound(&d->event, 0, &port);
	if (!rc)
		rc = event_bind_interdomain(&domain_control->event, &d->event, port, &far);
	if (!rc)
		rc = event_bind_virq(&d->event, VIRQ_TIMER, 0, &port);
	if (!rc)
		rc = event_bind_ipi(&d->event, 1, &port);
	return rc;
}

static void put_granter(struct grant_domain *granter)
{
	domain_put(container_of(granter, struct domain, grant));
}

/* The control domain maps one of its frames, and unmaps it when `unmap`. */
static int share(struct domain *d, bool unmap)
{
	mfn_t root = control_tables.l4, page = mm_alloc(&d->mm, 0, 0);
	struct gnttab_map_grant_ref op = { .host_addr = VA, .flags = GNTMAP_host_map, .ref = REF,
					   .dom = d->id };
	struct grant_entry_v1 *table = machine_va(grant_table_frame(&d->grant, 0));
	struct grant_batch batch = { 0 };
	struct domain *held = domain_get(d->id);

	if (mfn_eq(page, MFN_NONE)) {
		domain_put(held);
		return -ENOMEM;
	}
	table[REF] = (struct grant_entry_v1){ .domid = 0, .frame = (uint32_t)page.n,
					      .flags = GTF_permit_access };
	domain_control->grant.put = put_granter;
	machine_budget_start();
	assert_int_equal(grant_map(&domain_control->grant, &held->grant, root, &op), 0);
	if (op.status != GNTST_okay) {
		domain_put(held);
		assert_true(failing_heap_hit());
		return -ENOMEM;
	}
	if (unmap) {
		struct gnttab_unmap_grant_ref back = { .host_addr = VA, .handle = op.handle };

		assert_int_equal(grant_unmap(&domain_control->grant, root, &back, 0, &batch), 0);
		assert_int_equal(back.status, GNTST_okay);
		grant_unmap_finish(&domain_control->grant, &batch);
	}
	return 0;
}

static int live(struct domain *d)
{
	int rc = 0;

	for (unsigned i = 0; i < d->max_vcpus && !rc; i++)
		rc = vcpu_create(d, i);
	if (!rc)
		rc = add_memory(d);
	if (!rc)
		rc = open_ports(d);
	if (!rc)
		rc = grant_table_grow(&d->grant, 4);
	if (!rc)
		rc = share(d, true);
	return rc;
}

/* From its birth to its end, whatever fails between. Gives the first error. */
static int life(void)
{
	static const struct domain_settings settings = { .max_vcpus = 3, .max_pages = 100,
							 .max_grant_frames = 4,
							 .max_maptrack_frames = 2 };
	struct domain *d = NULL;
	int rc = domain_create(7, &settings, &d);

	if (rc) {
		assert_null(domain_get(7));
		return rc;
	}
	rc = live(d);
	failing_heap_arm(0);
	assert_int_equal(mm_check(NULL, NULL), 0);
	assert_int_equal(FINISH(domain_kill(d)), 0);
	assert_null(domain_get(7));
	return rc;
}

static void all_memory_comes_back(void **state)
{
	unsigned blocks;
	uint64_t frames;

	(void)state;
	assert_int_equal(life(), 0);	/* the control domain's own tables have grown now */
	frames = mm_free_frames();
	blocks = failing_heap_blocks();
	assert_int_equal(life(), 0);
	assert_int_equal(mm_free_frames(), frames);
	assert_int_equal(failing_heap_blocks(), blocks);
}

static void any_allocation_may_fail(void **state)
{
	uint64_t frames = mm_free_frames();
	unsigned n, blocks = failing_heap_blocks();

	(void)state;
	for (n = 1;; n++) {
		int rc;

		failing_heap_arm(n);
		rc = life();
		if (!rc)
			break;
		assert_int_equal(rc, -ENOMEM);
		assert_int_equal(mm_free_frames(), frames);
		assert_int_equal(failing_heap_blocks(), blocks);
	}
	failing_heap_arm(0);
	assert_int_equal(mm_free_frames(), frames);
	assert_in_range(n, 25, 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_memory_comes_back),
		cmocka_unit_test(any_allocation_may_fail),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
