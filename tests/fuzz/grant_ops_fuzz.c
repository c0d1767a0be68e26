/* SPDX-License-Identifier: MIT */
/*
 * Any sequence of grant operations of three domains that write their shared tables as they like,
 * map each other's frames, turn them into page tables, and die: no TLB may ever hold what lets a
 * guest break out, the machine's recount must be sound, and in the end nothing may be left. The
 * input is a program: an opcode, then its operands, a byte each.
 *
 * Links: hypervisor/grant/table.c hypervisor/grant/map.c hypervisor/grant/copy.c
 * Links: hypervisor/mm/buddy.c hypervisor/mm/check.c hypervisor/mm/domain.c
 * Links: hypervisor/mm/frame.c hypervisor/mm/heap.c hypervisor/mm/m2p.c hypervisor/mm/scrub.c
 * Links: hypervisor/mm/page_type.c hypervisor/mm/pt_entry.c hypervisor/mm/pt_table.c
 * Links: hypervisor/mm/pt_update.c hypervisor/mm/segdesc.c hypervisor/lib/lock.c
 * Links: hypervisor/lib/bitmap.c tests/fake/machine.c tests/fake/tlb.c tests/fake/log.c
 * Links: tests/fake/tables.c
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "fake/machine.h"
#include "fake/tables.h"
#include "grant/grant.h"
#include "lib/assert.h"
#include "x86/machine.h"

#define DOMAINS		3
#define POOL		8	/* data frames of each domain */
#define REFS		8	/* references that are used */
#define CHECK_EVERY	16

static const uint8_t *input;
static size_t left;

static struct guest {
	struct mm_domain mm;
	struct mm_vcpu vcpu;
	struct tables t;
	struct grant_domain grant;
	mfn_t pool[POOL];
	unsigned refs; /* the domain's own, and one for each mapping of its grants */
	bool dead;
} guest[DOMAINS];

static unsigned byte(void)
{
	if (!left)
		return 0;
	left--;
	return *input++;
}

static void put(struct grant_domain *granter)
{
	struct guest *g = container_of(granter, struct guest, grant);

	ASSERT(g->refs);
	g->refs--;
}

/* A page of the address range that the tables cover, or an address that is none of them. */
static uint64_t address(void)
{
	static const uint64_t far[] = { 0, 0x7000000000, 0x800000000000, 0xffff830000000000,
					~7ull };
	unsigned b = byte();

	return b < 240 ? (1 + b % 12) << PAGE_SHIFT : far[b % ARRAY_SIZE(far)];
}

static mfn_t frame(void)
{
	const struct guest *g = &guest[byte() % DOMAINS];
	unsigned b = byte();

	switch (b) {
	case 240: return g->t.l1;
	case 241: return g->t.l2;
	case 242: return g->t.l4;
	case 243: return MFN(FAKE_DEVICE_MFN);
	case 244: return MFN(~0u);
	default: return g->pool[b % POOL];
	}
}

/* It begins with grants to everybody. */
static void start(struct guest *g, unsigned i)
{
	struct grant_entry_v1 *table;

	memset(g, 0, sizeof(*g));
	mm_domain_init(&g->mm, (domid_t)(i + 1), 200);
	cpumask_set(&g->mm.cpus, i);
	g->vcpu = (struct mm_vcpu){ MFN_NONE, MFN_NONE };
	fake_tables(&g->mm, &g->t);
	for (unsigned f = 0; f < POOL; f++)
		g->pool[f] = fake_frame(&g->mm);
	fake_run_on(i);
	ASSERT(!mm_pin(&g->mm, g->t.l4, 4) && !mm_set_root(&g->mm, &g->vcpu, g->t.l4, false, true));
	ASSERT(!grant_domain_init(&g->grant, &g->mm, 2, 1));
	g->grant.put = put;
	g->refs = 1;
	table = machine_va(grant_table_frame(&g->grant, 0));
	for (unsigned r = 0; r < REFS; r++)
		table[r] = (struct grant_entry_v1){ .flags = GTF_permit_access,
						    .domid = (domid_t)(1 + r % DOMAINS),
						    .frame = (uint32_t)g->pool[r].n };
}

/* The guest writes its shared table. */
static void write_entry(struct guest *g)
{
	mfn_t table = grant_table_frame(&g->grant, 0);
	struct grant_entry_v1 *e = (struct grant_entry_v1 *)machine_va(table) + byte() % REFS;
	unsigned how = byte();

	if (g->dead)
		return;
	if (how & 1)
		e->frame = (uint32_t)frame().n;
	if (how & 2)
		e->domid = (domid_t)(1 + byte() % DOMAINS);
	if (how & 4)
		e->flags = how & 8 ? GTF_permit_access | (byte() % 4 ? 0 : GTF_readonly)
				   : (uint16_t)byte();
}

static void map(struct guest *g)
{
	struct guest *granter = &guest[byte() % DOMAINS];
	struct gnttab_map_grant_ref op = { .ref = byte() % (REFS + 1), .flags = byte() };

	op.flags = op.flags < 160 ? GNTMAP_host_map | (op.flags & GNTMAP_readonly) : op.flags & 31;
	if (op.ref == REFS)
		op.ref = 511 + byte() * 129;
	op.host_addr = address();
	if (op.flags & GNTMAP_contains_pte)
		op.host_addr = (frame().n << PAGE_SHIFT) + byte() * 4;
	if (op.flags & GNTMAP_contains_pte && byte() % 2)
		op.host_addr = fake_slot(g->t.l1, 1 + byte() % 12);
	granter->refs++;
	if (FINISH(grant_map(&g->grant, &granter->grant, g->vcpu.kernel_table, &op)) ||
	    op.status != GNTST_okay)
		granter->refs--;
}

static void unmap(struct guest *g)
{
	struct grant_batch batch = { 0 };
	unsigned n = 1 + byte() % 4;

	while (n--) {
		struct gnttab_unmap_grant_ref op = { .handle = byte() % 6 };
		unsigned how = byte();

		op.host_addr = how & 1 ? address() : fake_slot(g->t.l1, 1 + byte() % 12);
		if (how & 2)
			op.dev_bus_addr = frame().n << PAGE_SHIFT;
		if (how & 4)
			op.host_addr = 0;
		ASSERT(!FINISH(grant_unmap(&g->grant, g->vcpu.kernel_table, &op,
					   how & 8 ? address() : 0, &batch)));
	}
	grant_unmap_finish(&g->grant, &batch);
}

static void copy(struct guest *g)
{
	struct guest *from = &guest[byte() % DOMAINS], *to = &guest[byte() % DOMAINS];
	struct gnttab_copy op = { .flags = byte() & 3, .len = (uint16_t)(byte() * 32) };

	op.source.offset = (uint16_t)(byte() * 32);
	op.dest.offset = (uint16_t)(byte() * 32);
	if (op.flags & GNTCOPY_source_gref)
		op.source.u.ref = byte() % (REFS + 1);
	else
		op.source.u.gmfn = frame().n;
	if (op.flags & GNTCOPY_dest_gref)
		op.dest.u.ref = byte() % (REFS + 1);
	else
		op.dest.u.gmfn = frame().n;
	grant_copy(&g->grant, &from->grant, &to->grant, &op);
}

/* Its own page-table calls, which meet the same frames. */
static void memory(struct guest *g, unsigned i)
{
	unsigned how = byte();
	uint64_t va = address(), value = fake_entry(frame(), how & 1 ? RW : RO);
	mfn_t table = g->pool[byte() % POOL];

	machine_budget_start();
	switch (how / 2 % 5) {
	case 0:
		(void)!mm_update_va(&g->mm, &g->mm, g->vcpu.kernel_table, VADDR(va),
				    how & 64 ? 0 : value);
		break;
	case 1:
		(void)!mm_pin(&g->mm, table, 1);
		break;
	case 2:
		(void)!mm_unpin(&g->mm, table);
		break;
	case 3:
		(void)!fake_access(i, VADDR(va), how & 1, &value);
		break;
	default:
		machine_tlb_flush(&g->mm.cpus);
	}
}

static void die(struct guest *g, unsigned i)
{
	if (g->dead)
		return;
	g->dead = true;
	g->refs--;
	fake_run_on(i);
	machine_tables_load(machine_tables_idle(), true);
	ASSERT(!FINISH(grant_domain_release_mappings(&g->grant)));
	ASSERT(!FINISH(mm_set_root(&g->mm, &g->vcpu, MFN_NONE, false, false)));
	ASSERT(!FINISH(mm_domain_teardown(&g->mm)));
}

static void step(struct guest *g, unsigned i, unsigned op)
{
	struct gnttab_swap_grant_ref swap;

	fake_run_on(i);
	switch (op) {
	case 0: case 1:
		write_entry(g);
		return;
	case 2: case 3:
		if (!g->dead)
			map(g);
		return;
	case 4:
		if (!g->dead)
			unmap(g);
		return;
	case 5:
		if (!g->dead)
			copy(g);
		return;
	case 6:
		if (!g->dead)
			memory(g, i);
		return;
	default:
		swap.ref_a = byte() % (REFS + 1) * 64;
		swap.ref_b = byte() % REFS;
		grant_swap(&g->grant, &swap);
	}
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
	for (unsigned i = 0; i < DOMAINS; i++)
		start(&guest[i], i);
	for (unsigned n = 1; left; n++) {
		unsigned op = byte(), i = op % DOMAINS;

		if (op == 255)
			i = byte() % DOMAINS, die(&guest[i], i);
		fake_budget(op / DOMAINS / 8 ? ~0u : 2);
		step(&guest[i], i, op / DOMAINS % 8);
		fake_budget(~0u);
		ASSERT(!fake_tlb_check());
		if (n % CHECK_EVERY == 0)
			ASSERT(!mm_check(NULL, NULL));
	}
	for (unsigned i = 0; i < DOMAINS; i++)
		die(&guest[i], i);
	for (unsigned i = 0; i < DOMAINS; i++) {
		ASSERT(!guest[i].refs);
		grant_domain_destroy(&guest[i].grant);
	}
	ASSERT(!mm_check(NULL, NULL) && mm_free_frames() == before);
	return 0;
}
