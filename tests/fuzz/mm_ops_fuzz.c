/* SPDX-License-Identifier: MIT */
/*
 * Any sequence of memory operations of three domains on four CPUs, any budget: after each, no TLB
 * may hold what lets a guest break out; every few, and at the end, the whole machine is recounted,
 * exactly. In the end nothing may be left. The input is a program: an opcode, then its operands, a
 * byte each.
 *
 * Links: hypervisor/mm/buddy.c hypervisor/mm/check.c hypervisor/mm/domain.c hypervisor/mm/frame.c
 * Links: hypervisor/mm/heap.c
 * Links: hypervisor/mm/m2p.c hypervisor/mm/page_type.c hypervisor/mm/pt_entry.c
 * Links: hypervisor/mm/scrub.c
 * Links: hypervisor/mm/pt_table.c
 * Links: hypervisor/mm/pt_update.c hypervisor/mm/segdesc.c hypervisor/lib/lock.c
 * Links: hypervisor/lib/bitmap.c
 * Links: tests/fake/machine.c tests/fake/tlb.c tests/fake/log.c tests/fake/tables.c
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#include "fake/machine.h"
#include "fake/tables.h"
#include "lib/assert.h"
#include "x86/machine.h"

#define DOMAINS		3	/* the first is privileged */
#define POOL		16	/* frames that a domain gets its hands on */
#define HOLDS		8
#define CHECK_EVERY	64

static const uint8_t *input;
static size_t left;

static struct mm_domain dom[DOMAINS];
static mfn_t pool[DOMAINS][POOL];
static struct mm_vcpu vcpu[FAKE_CPUS];
static const unsigned domain_of_cpu[FAKE_CPUS] = { 0, 1, 1, 2 };

/*
 * References taken from outside the tables: as a grant, a descriptor table or the hypervisor itself
 * does.
 */
static struct hold {
	enum { HOLD_NONE, HOLD_REF, HOLD_WRITABLE, HOLD_DESCRIPTORS, HOLD_TAKEN } what;
	unsigned domain;
	mfn_t mfn;
} hold[HOLDS];
static void *shared[DOMAINS];

static unsigned byte(void)
{
	if (!left)
		return 0;
	left--;
	return *input++;
}

static mfn_t pick(unsigned from)
{
	unsigned b = byte();

	if (b == 255)
		return MFN(FAKE_DEVICE_MFN);
	if (b == 254)
		return mm_m2p_chunk(0);
	if (b == 253)
		return machine_mfn(shared[from]);
	return pool[b & 0x80 ? (b >> 4 & 7) % DOMAINS : from][b % POOL];
}

/* An entry that may make sense, for a table of `from`. */
static uint64_t entry(unsigned from)
{
	static const uint64_t flags[] = {
		RW, RW, RW, RO, RO, 0, P, P | W, W, RW | 0x18, RW | 0x60, RW | 0x80, RW | 0x100,
		RW | 0xe00, RW | 1ull << 45, RW | 1ull << 63,
	};
	mfn_t mfn = pick(from);

	return mfn_eq(mfn, MFN_NONE) ? 0 : fake_entry(mfn, flags[byte() % ARRAY_SIZE(flags)]);
}

static unsigned slot(void)
{
	static const uint16_t some[] = { 0, 1, 2, 3, 255, 256, 271, 511 };
	unsigned b = byte();

	return b < 16 ? b : some[b % ARRAY_SIZE(some)];
}

static vaddr_t address(void)
{
	uint64_t va = (uint64_t)(byte() % 2) << 21 | (uint64_t)(byte() % 32) << 12;
	unsigned high = byte();

	if (high & 1)
		va |= (uint64_t)(high >> 1 & 3) << 30;
	if (high & 0x80)
		va |= (uint64_t)(high >> 3 & 3) << 39;
	return VADDR(high == 0xff ? 0xffff820000000000ull : va);
}

static bool settled(void)
{
	for (unsigned d = 0; d < DOMAINS; d++)
		if (dom[d].pending.depth || dom[d].pending.queue)
			return false;
	return true;
}

/* What the recount can't see of types and references: ours. */
static void expect(uint64_t *refs, uint64_t *types)
{
	*refs = *types = 0;
	for (unsigned c = 0; c < FAKE_CPUS; c++)
		*types += !mfn_eq(vcpu[c].kernel_table, MFN_NONE) + !mfn_eq(vcpu[c].user_table,
									    MFN_NONE);
	for (unsigned d = 0; d < DOMAINS; d++)
		*types += !!shared[d] + (dom[d].pending.done && !dom[d].pending.done_result);
	for (unsigned i = 0; i < HOLDS; i++) {
		*types += hold[i].what == HOLD_WRITABLE || hold[i].what == HOLD_DESCRIPTORS;
		*refs += hold[i].what == HOLD_REF;
	}
	*refs += *types;
}

static void check(void)
{
	uint64_t refs, types, want_refs, want_types;
	unsigned wrong = mm_check(&refs, &types);

	ASSERT(!wrong);
	if (!settled())
		return;
	expect(&want_refs, &want_types);
	if (refs != want_refs || types != want_types)
		panic("%lu references and %lu types from outside, expected %lu and %lu", refs,
		      types, want_refs, want_types);
}

/* -- operations -- */

static void op_alloc(unsigned d)
{
	mfn_t *at = &pool[d][byte() % POOL], old = *at;

	*at = mm_alloc(&dom[d], 0, 0);
	if (mm_release(&dom[d], old))
		return;
}

static void op_hold(unsigned d)
{
	struct hold *h = &hold[byte() % HOLDS];
	mfn_t mfn = pick(d);
	unsigned what = 1 + byte() % 4;

	if (h->what == HOLD_REF)
		mm_put(h->mfn);
	if (h->what == HOLD_WRITABLE)
		mm_put_writable(h->mfn);
	if (h->what == HOLD_DESCRIPTORS)
		mm_put_descriptor_frame(h->mfn);
	if (h->what == HOLD_TAKEN && mfn.n % 2)
		mm_free_taken(h->mfn);
	else if (h->what == HOLD_TAKEN)
		mm_untake(h->mfn);
	h->what = HOLD_NONE;
	if ((what == HOLD_REF && mm_get(mfn, &dom[d])) || (what == HOLD_WRITABLE &&
							   mm_get_writable(mfn, &dom[d])) ||
	    (what == HOLD_DESCRIPTORS && !mm_get_descriptor_frame(&dom[d], mfn)) ||
	    (what == HOLD_TAKEN && mm_take(&dom[d], mfn)))
		*h = (struct hold){ what, d, mfn };
}

static void op_access(void)
{
	unsigned cpu = byte() % FAKE_CPUS;
	vaddr_t va = VADDR(address().a | slot() * 8);
	uint64_t value = entry(domain_of_cpu[cpu]);

	fake_access(cpu, va, byte() & 1, &value);
}

static void op_root(void)
{
	unsigned cpu = byte() % FAKE_CPUS, b = byte();
	mfn_t mfn = pick(domain_of_cpu[cpu]);
	bool user = b & 1;

	fake_run_on(cpu);
	if (b & 2 && user)
		mfn = MFN_NONE;
	if (mfn.n && mm_set_root(&dom[domain_of_cpu[cpu]], &vcpu[cpu], mfn, user, !user))
		return;
}

static int op_emulate(unsigned cpu)
{
	unsigned d = domain_of_cpu[cpu];
	vaddr_t va = VADDR(address().a | slot() * 8);
	uint64_t old = 0;
	unsigned b = byte();

	if (b & 1 && !fake_access(cpu, va, false, &old))
		return 0;
	if (b & 2)
		return mm_emulate_exchange(&dom[d], vcpu[cpu].kernel_table, va, entry(d), &old);
	return mm_emulate_cmpxchg(&dom[d], vcpu[cpu].kernel_table, va, old, entry(d));
}

static struct mm_domain *frames_of(unsigned d)
{
	unsigned b = byte();

	return b < 128 ? &dom[d] : b == 128 ? &mm_io : b == 129 ? &mm_xen : &dom[b % DOMAINS];
}

static int op_tables(unsigned op, unsigned cpu)
{
	unsigned d = domain_of_cpu[cpu];
	mfn_t mfn;

	switch (op) {
	case 0:
	case 1:
		mfn = pick(d);
		return mm_update_entry(&dom[d], frames_of(d), fake_slot(mfn, slot()), entry(d),
				       byte() & 1);
	case 2:
	case 3:
		return mm_update_va(&dom[d], frames_of(d), vcpu[cpu].kernel_table, address(),
				    entry(d));
	case 4:
		mfn = pick(d);
		return mm_pin(&dom[d], mfn, byte() % 6);
	case 5:
		return mm_unpin(&dom[d], pick(d));
	case 6:
		return op_emulate(cpu);
	default:
		mfn = pick(d);
		return mm_update_descriptor(&dom[d], fake_slot(mfn, slot()),
					    (uint64_t)byte() << 40 | entry(d));
	}
}

static void step(void)
{
	unsigned op = byte() % 16, cpu = byte() % FAKE_CPUS, again = 0;
	const uint8_t *at = input;
	size_t then = left;
	int rc;

	fake_run_on(cpu);
	machine_budget_start();
	switch (op) {
	case 8:
		op_alloc(domain_of_cpu[cpu]);
		return;
	case 9:
		op_hold(domain_of_cpu[cpu]);
		return;
	case 10:
	case 11:
	case 12:
		op_access();
		return;
	case 13:
		op_root();
		return;
	case 14:
		fake_budget(byte() & 1 ? ~0u : 1 + byte() % 20);
		return;
	case 15:
		machine_tlb_flush_va(NULL, address());
		return;
	default:
		/* what restarts is issued again, most times, as a guest does */
		do {
			input = at;
			left = then;
			machine_budget_start();
			rc = op_tables(op, cpu);
			ASSERT(rc <= 0 && again < 1000);
		} while (rc == -ERESTART && (again++ || cpu));
	}
}

/* Each domain has tables on its CPUs: its pool is mapped at 0, writable but for the tables. */
static void start(void)
{
	for (unsigned d = 0; d < DOMAINS; d++) {
		struct tables t;

		mm_domain_init(&dom[d], (domid_t)d, POOL + 8);
		dom[d].privileged = !d;
		fake_tables(&dom[d], &t);
		pool[d][0] = t.l1;
		pool[d][1] = t.l2;
		pool[d][2] = t.l3;
		pool[d][3] = t.l4;
		for (unsigned i = 4; i < POOL; i++)
			pool[d][i] = fake_frame(&dom[d]);
		for (unsigned i = 0; i < POOL; i++)
			fake_poke(t.l1, i, fake_entry(pool[d][i], i < 4 ? RO : RW));
		shared[d] = mm_alloc_shared(&dom[d]);
		fake_poke(t.l1, POOL, fake_entry(machine_mfn(shared[d]), RW));
	}
	for (unsigned c = 0; c < FAKE_CPUS; c++) {
		unsigned d = domain_of_cpu[c];

		fake_run_on(c);
		cpumask_set(&dom[d].cpus, c);
		vcpu[c] = (struct mm_vcpu){ MFN_NONE, MFN_NONE };
		ASSERT(!mm_set_root(&dom[d], &vcpu[c], pool[d][3], false, true));
	}
}

static void end(void)
{
	for (unsigned i = 0; i < HOLDS; i++) {
		if (hold[i].what == HOLD_REF)
			mm_put(hold[i].mfn);
		if (hold[i].what == HOLD_WRITABLE)
			mm_put_writable(hold[i].mfn);
		if (hold[i].what == HOLD_DESCRIPTORS)
			mm_put_descriptor_frame(hold[i].mfn);
		if (hold[i].what == HOLD_TAKEN)
			mm_untake(hold[i].mfn);
		hold[i].what = HOLD_NONE;
	}
	for (unsigned c = 0; c < FAKE_CPUS; c++) {
		fake_run_on(c);
		machine_tables_load(machine_tables_idle(), true);
		ASSERT(!FINISH(mm_set_root(&dom[domain_of_cpu[c]], &vcpu[c], MFN_NONE, false,
					   false)));
		ASSERT(!FINISH(mm_set_root(&dom[domain_of_cpu[c]], &vcpu[c], MFN_NONE, true,
					   false)));
	}
	for (unsigned d = 0; d < DOMAINS; d++)
		ASSERT(!FINISH(mm_domain_teardown(&dom[d])));
	for (unsigned d = 0; d < DOMAINS; d++)
		mm_free_shared(shared[d]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t before;

	fake_machine_start();
	fake_budget(~0u);
	before = mm_free_frames();
	input = data;
	left = size;
	start();
	check();
	for (unsigned n = 1; left; n++) {
		step();
		ASSERT(!fake_tlb_check());
		if (n % CHECK_EVERY == 0)
			check();
	}
	check();
	fake_budget(3);
	end();
	fake_budget(~0u);
	for (unsigned d = 0; d < DOMAINS; d++)
		shared[d] = NULL;
	check();
	ASSERT(mm_free_frames() == before);
	return 0;
}
