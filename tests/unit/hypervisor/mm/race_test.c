/* SPDX-License-Identifier: MIT */
/*
 * Four CPUs at once on the same frames of two domains: types, references, ownership and tables
 * change under each other's feet for a while. Then the machine stands still, and every count must
 * be exact.
 *
 * Links: hypervisor/mm/buddy.c hypervisor/mm/check.c hypervisor/mm/domain.c hypervisor/mm/frame.c
 * Links: hypervisor/mm/heap.c hypervisor/mm/m2p.c hypervisor/mm/scrub.c hypervisor/mm/page_type.c
 * Links: hypervisor/mm/pt_entry.c
 * Links: hypervisor/mm/pt_table.c hypervisor/mm/pt_update.c hypervisor/mm/segdesc.c
 * Links: hypervisor/lib/lock.c hypervisor/lib/bitmap.c tests/fake/machine.c tests/fake/tlb.c
 * Links: tests/fake/log.c tests/fake/tables.c
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fake/machine.h"
#include "fake/tables.h"
#include "x86/machine.h"

#define DOMAINS	2
#define POOL	12		/* few, so that they meet */
#define STEPS	300000

static struct mm_domain dom[DOMAINS];
static struct tables t[DOMAINS];
static struct mm_vcpu vcpu[DOMAINS];
static mfn_t pool[DOMAINS][POOL];
static unsigned done[9];
static pthread_barrier_t ready;

static mfn_t pool_get(unsigned d, unsigned i)
{
	return MFN(__atomic_load_n(&pool[d][i].n, __ATOMIC_RELAXED));
}

static void replace_frame(unsigned d, unsigned i)
{
	mfn_t old = pool_get(d, i), new = mm_alloc(&dom[d], 0, 0);

	if (mfn_eq(new, MFN_NONE))
		return;
	__atomic_store_n(&pool[d][i].n, new.n, __ATOMIC_RELAXED);
	done[8] += mm_release(&dom[d], old);
}

/* Hold it as data for a moment: it is no table meanwhile. */
static bool hold_writable(unsigned d, mfn_t mfn)
{
	bool pinned;

	if (!mm_get_writable(mfn, &dom[d]))
		return false;
	assert_int_equal(mm_table_level(mfn, &pinned), 0);
	mm_put_writable(mfn);
	return true;
}

static bool exchange_frame(unsigned d, mfn_t mfn)
{
	if (!mm_take(&dom[d], mfn))
		return false;
	assert_false(mm_get(mfn, &dom[d]));
	mm_untake(mfn);
	return true;
}

static bool descriptors(unsigned d, mfn_t mfn)
{
	if (mm_get_descriptor_frame(&dom[d], mfn))
		return false;
	assert_false(mm_get_writable(mfn, &dom[d]));
	mm_put_descriptor_frame(mfn);
	return true;
}

static void step(unsigned op, unsigned d, unsigned i, unsigned k)
{
	mfn_t mfn = pool_get(d, i);
	uint64_t flags = k & 1 ? RW : RO;
	vaddr_t va = VADDR((uint64_t)(k % 64) << PAGE_SHIFT);

	machine_budget_start();
	switch (op) {
	case 0:
		done[0] += !mm_update_va(&dom[d], &dom[d], t[d].l4, va, fake_entry(mfn, flags));
		break;
	case 1:		/* another domain's frame, as by a grant */
		done[1] += !mm_update_va(&dom[!d], &dom[d], t[!d].l4, va, fake_entry(mfn, flags));
		break;
	case 2:
		done[2] += !mm_update_va(&dom[d], &dom[d], t[d].l4, va, 0);
		break;
	case 3:
		done[3] += !mm_pin(&dom[d], mfn, 1);
		break;
	case 4:
		done[4] += !mm_unpin(&dom[d], mfn);
		break;
	case 5:
		done[5] += hold_writable(d, mfn);
		break;
	case 6:
		done[6] += exchange_frame(d, mfn);
		break;
	case 7:
		done[7] += descriptors(d, mfn);
		break;
	default:
		if (k < 100)
			replace_frame(d, i);
	}
}

static void *cpu(void *arg)
{
	unsigned id = (unsigned)(uintptr_t)arg, seed = id + 1;

	fake_run_on(id);
	pthread_barrier_wait(&ready);
	for (unsigned n = 0; n < STEPS; n++) {
		unsigned r = (unsigned)rand_r(&seed), s = (unsigned)rand_r(&seed);

		step(r % 9, r >> 8 & 1, (r >> 9) % POOL, s & 0x3ff);
	}
	return NULL;
}

static void start(void)
{
	for (unsigned d = 0; d < DOMAINS; d++) {
		mm_domain_init(&dom[d], (domid_t)(d + 1), 100);
		cpumask_set(&dom[d].cpus, d);
		fake_tables(&dom[d], &t[d]);
		vcpu[d] = (struct mm_vcpu){ MFN_NONE, MFN_NONE };
		assert_int_equal(mm_set_root(&dom[d], &vcpu[d], t[d].l4, false, false), 0);
		for (unsigned i = 0; i < POOL; i++)
			pool[d][i] = fake_frame(&dom[d]);
	}
}

static void test_counts_are_exact_after_a_race(void **state)
{
	uint64_t before, refs, types;
	pthread_t thread[FAKE_CPUS];

	(void)state;
	fake_machine_start();
	before = mm_free_frames();
	start();
	fake_threads = true;
	pthread_barrier_init(&ready, NULL, FAKE_CPUS);
	for (unsigned i = 0; i < FAKE_CPUS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, cpu, (void *)(uintptr_t)i), 0);
	for (unsigned i = 0; i < FAKE_CPUS; i++)
		pthread_join(thread[i], NULL);
	fake_threads = false;
	assert_int_equal(mm_check(&refs, &types), 0);
	assert_int_equal(types, DOMAINS);	/* the roots */
	assert_int_equal(refs, DOMAINS);
	for (unsigned i = 0; i < 9; i++)
		assert_true(done[i]);		/* it was a race, not a row of refusals */
	for (unsigned d = 0; d < DOMAINS; d++)
		assert_int_equal(FINISH(mm_set_root(&dom[d], &vcpu[d], MFN_NONE, false, false)), 0);
	assert_int_equal(FINISH(mm_domain_teardown(&dom[1])), 0);
	fake_end(&dom[0], before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts_are_exact_after_a_race),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
