/* SPDX-License-Identifier: MIT */
/*
 * The TLBs of the fake machine. A CPU may keep a translation, and a pointer to each table that it
 * walked through, until it is flushed; this one keeps them all. fake_tlb_check() looks at what is
 * kept: a writable translation of a frame that is a table now, a cached table that a guest may
 * write to now, or anything of a frame that belongs to somebody else now, is how guests break out.
 */
#include <stdio.h>
#include <string.h>

#include "fake/machine.h"
#include "fake/tlb.h"
#include "lib/assert.h"
#include "mm/pt_entry.h"
#include "x86/machine.h"

#define KEPT	512

/* level 0: a translation of a page; 1..3: where the table of that level for va is. */
struct kept {
	uint64_t va;		/* without the bits below what it covers */
	uint64_t mfn;
	domid_t owner;		/* of the frame, when it was kept */
	uint8_t level;
	bool writable;
};

static struct cpu {
	struct kept kept[KEPT];
	unsigned n;
	uint32_t flushed;
	unsigned flushes;
	mfn_t cr3;
} cpus[FAKE_CPUS];

static uint32_t clock = 100;
static struct cpumask online;

#define IDLE_TABLE	MFN(1)

void fake_tlb_start(void)
{
	for (unsigned i = 0; i < FAKE_CPUS; i++) {
		cpus[i] = (struct cpu){ .flushed = clock, .cr3 = IDLE_TABLE };
		cpumask_set(&online, i);
	}
}

const struct cpumask *machine_cpus_online(void)
{
	return &online;
}

mfn_t machine_tables_idle(void)
{
	return IDLE_TABLE;
}

mfn_t fake_cr3(unsigned cpu)
{
	return cpus[cpu].cr3;
}

unsigned fake_flushes(unsigned cpu)
{
	return cpus[cpu].flushes;
}

/* -- flushes -- */

static void flush(struct cpu *c)
{
	c->n = 0;
	c->flushed = __atomic_add_fetch(&clock, 1, __ATOMIC_SEQ_CST);
	c->flushes++;
}

/* One page's translations, and all cached tables (Intel SDM 3A 4.10.4.1, INVLPG). */
static void flush_page(struct cpu *c, uint64_t va)
{
	unsigned n = 0;

	for (unsigned i = 0; i < c->n; i++)
		if (!c->kept[i].level && c->kept[i].va != va >> PAGE_SHIFT)
			c->kept[n++] = c->kept[i];
	c->n = n;
	c->flushes++;
}

void machine_tables_load(mfn_t l4, bool do_flush)
{
	struct cpu *c = &cpus[machine_cpu()];

	ASSERT(mfn_eq(l4, IDLE_TABLE) || word_level(frame_word(frame_at(l4.n))) == 4);
	if (mfn_eq(c->cr3, l4) && !do_flush)
		return;
	c->cr3 = l4;
	flush(c);
}

uint32_t machine_tlb_stamp(void)
{
	return clock;
}

void machine_tlb_filter(struct cpumask *set, uint32_t stamp)
{
	cpumask_for_each(cpu, set)
		if ((int32_t)(cpus[cpu].flushed - stamp) > 0)
			cpumask_clear(set, cpu);
}

void machine_tlb_flush(const struct cpumask *set)
{
	for (unsigned i = 0; i < FAKE_CPUS; i++)
		if (set ? cpumask_test(set, i) : i == machine_cpu())
			flush(&cpus[i]);
}

void machine_tlb_flush_va(const struct cpumask *set, vaddr_t va)
{
	for (unsigned i = 0; i < FAKE_CPUS; i++)
		if (set ? cpumask_test(set, i) : i == machine_cpu())
			flush_page(&cpus[i], va.a);
}

/* -- accesses -- */

static const struct kept *find(const struct cpu *c, unsigned level, uint64_t va)
{
	for (unsigned i = 0; i < c->n; i++)
		if (c->kept[i].level == level && c->kept[i].va == va >> (PAGE_SHIFT + 9 * level))
			return &c->kept[i];
	return NULL;
}

static void keep(struct cpu *c, unsigned level, uint64_t va, uint64_t mfn, bool writable)
{
	const struct frame *f = frame_of(MFN(mfn));
	struct kept *k = (struct kept *)find(c, level, va);

	if (!k && c->n == KEPT)
		flush(c);
	if (!k)
		k = &c->kept[c->n++];
	*k = (struct kept){ va >> (PAGE_SHIFT + 9 * level), mfn, f ? f->owner : DOMID_IO,
			   (uint8_t)level, writable };
}

/* Walk the tables from the lowest that is cached; *mfn and whether it may be written. */
static bool walk(struct cpu *c, uint64_t va, bool write, uint64_t *mfn, bool *writable)
{
	uint64_t table = c->cr3.n;
	unsigned level = 4;

	*writable = true;
	for (unsigned l = 1; l < 4; l++) {
		const struct kept *k = find(c, l, va);

		if (k) {
			table = k->mfn;
			*writable = k->writable;
			level = l;
			break;
		}
	}
	for (;; level--) {
		uint64_t *entry = (uint64_t *)machine_va(MFN(table)) + pt_slot(VADDR(va), level);

		if (!(*entry & PTE_PRESENT) || !(*entry & PTE_USER))
			return false;
		*writable &= (*entry & PTE_WRITE) != 0;
		if (write && level == 1 && !*writable)
			return false;
		*entry |= PTE_ACCESSED | (write && level == 1 ? PTE_DIRTY : 0);
		table = pte_mfn(*entry).n;
		if (level == 1)
			break;
		keep(c, level - 1, va, table, *writable);
	}
	*mfn = table;
	return true;
}

bool fake_access(unsigned cpu, vaddr_t va, bool write, uint64_t *value)
{
	struct cpu *c = &cpus[cpu];
	const struct kept *k = find(c, 0, va.a);
	uint64_t mfn, *p;
	bool writable;

	if (mfn_eq(c->cr3, IDLE_TABLE))
		return false;
	if (k && (k->writable || !write)) {
		mfn = k->mfn;
	} else {
		if (!walk(c, va.a, write, &mfn, &writable))
			return false;
		keep(c, 0, va.a, mfn, writable);
	}
	if (!frame_of(MFN(mfn)))
		return true;
	p = (uint64_t *)((char *)machine_va(MFN(mfn)) + (va.a & 0xff8));
	if (write)
		*p = *value;
	else
		*value = *p;
	return true;
}

/* -- the check -- */

static const char *harm(const struct kept *k)
{
	const struct frame *f = frame_of(MFN(k->mfn));
	uint64_t word = f ? frame_word(f) : 0;
	enum frame_type type = word_type(word);

	if (!f || frame_is_free(f) || f->state == FRAME_RESERVED)
		return NULL;
	if (f->owner != k->owner && f->state != FRAME_ORPHAN)
		return "of a frame that is another's now";
	if (!(word & TYPE_COUNT))
		return NULL;
	if (!k->level && k->writable && type != TYPE_WRITABLE)
		return "writable, of a table or descriptors";
	if (k->level && type != (enum frame_type)k->level)
		return "as a table, of what is none of that level";
	return NULL;
}

unsigned fake_tlb_check(void)
{
	unsigned found = 0;

	for (unsigned i = 0; i < FAKE_CPUS; i++) {
		const struct cpu *c = &cpus[i];

		if (!mfn_eq(c->cr3, IDLE_TABLE) &&
		    word_level(frame_word(frame_at(c->cr3.n))) != 4) {
			fprintf(stderr, "CPU %u runs on frame %lx, which is no L4\n", i, c->cr3.n);
			found++;
		}
		for (unsigned k = 0; k < c->n; k++) {
			const char *what = harm(&c->kept[k]);

			if (!what)
				continue;
			fprintf(stderr, "CPU %u keeps a translation (frame %lx, level %u) %s\n", i,
				c->kept[k].mfn,
				c->kept[k].level, what);
			found++;
		}
	}
	return found;
}
