/* SPDX-License-Identifier: MIT */
/*
 * The invariant, checked from scratch: recount from the tables what every frame's counts say. Needs
 * no memory (a word of each struct frame is for it) and takes no lock: nothing else may run. Three
 * passes: types, references, then each frame by itself.
 */
#include "abi/errno.h"
#include "console/log.h"
#include "mm/buddy.h"
#include "mm/pt_entry.h"
#include "x86/machine.h"

#define REPORTS_MAX	20

static unsigned errors;

static void wrong(const struct frame *f, const char *what, uint64_t expected)
{
	if (errors++ < REPORTS_MAX)
		log_error("frame %lx: %s (%lx): type word %lx refs %x owner %u state %u",
			  frame_mfn(f).n, what, expected,
			  f->type, f->refs, f->owner, f->state);
}

/* The next RAM frame at or after *mfn, moving *mfn behind it; NULL at the end. */
static struct frame *next_frame(uint64_t *mfn)
{
	while (*mfn < frame_max) {
		struct frame *f = frame_of(MFN((*mfn)++));

		if (f)
			return f;
	}
	return NULL;
}

/* Count one present entry of a valid table: as a type reference or as a general one. */
static void count_entry(const struct frame *table, unsigned level, uint64_t entry, bool types)
{
	struct frame *f = frame_of(pte_mfn(entry));
	enum frame_type need = level == 1 ? TYPE_WRITABLE : (enum frame_type)(level - 1);
	bool typed = level > 1 || entry & PTE_WRITE;

	if (!(entry & PTE_USER) || entry & PTE_GLOBAL || (level > 1 && entry & PTE_PS))
		wrong(table, "holds an entry with wrong flags", entry);
	if (!f) {
		if (level > 1)
			wrong(table, "names a table that is no RAM", entry);
		return;
	}
	if (typed && (word_type(f->type) != need || !(f->type & TYPE_VALID)))
		wrong(f, "is used as a type that it doesn't have, by", frame_mfn(table).n);
	if (typed || !types)
		f->recount++;
}

static void count_table(struct frame *f, bool types)
{
	unsigned level = word_level(f->type);
	const uint64_t *table = machine_va(frame_mfn(f));

	for (unsigned i = 0; i < PT_ENTRIES; i++)
		if (table[i] & PTE_PRESENT && !pt_slot_ours(level, i))
			count_entry(f, level, table[i], types);
	if (f->type & TYPE_PINNED)
		f->recount++;
}

/* Recount all frames; what they have above it, or below it (wrong). */
static uint64_t recount(bool types)
{
	uint64_t mfn, surplus = 0;
	struct frame *f;

	for (mfn = 0; (f = next_frame(&mfn)); )
		f->recount = 0;
	for (mfn = 0; (f = next_frame(&mfn)); )
		if (word_level(f->type))
			count_table(f, types);
	for (mfn = 0; (f = next_frame(&mfn)); ) {
		uint64_t have = types ? (f->type & TYPE_COUNT) / TYPE_ONE : f->refs & REFS_COUNT;

		if (f->owner == DOMID_XEN || f->state == FRAME_SLAB)
			continue;
		if (!types && f->refs & REFS_ALLOCATED)
			have--;
		if (have < f->recount)
			wrong(f, types ? "has too few type references" : "has too few references",
			      f->recount);
		else
			surplus += have - f->recount;
	}
	return surplus;
}

static void check_l4(const struct frame *f)
{
	static uint64_t ours[PT_ENTRIES] __attribute__((aligned(4096)));
	const uint64_t *table = machine_va(frame_mfn(f));

	machine_l4_install(ours);
	for (unsigned i = L4_SLOT_FIRST; i <= L4_SLOT_LAST; i++)
		if ((table[i] ^ ours[i]) & ~(PTE_ACCESSED | PTE_DIRTY))
			wrong(f, "is an L4 without our entries", i);
}

static bool is_zero(const struct frame *f)
{
	const uint64_t *word = machine_va(frame_mfn(f));
	uint64_t all = 0;

	for (unsigned i = 0; i < PAGE_SIZE / sizeof(*word); i++)
		all |= word[i];
	return !all;
}

static void check_frame(const struct frame *f)
{
	uint64_t count = f->type & TYPE_COUNT;
	bool in_use = f->refs & REFS_COUNT;

	if (f->state == FRAME_SLAB)
		return;
	if (count && !in_use)
		wrong(f, "is typed without a reference", 0);
	if (f->type & TYPE_PINNED && !word_level(f->type))
		wrong(f, "is pinned and no table", 0);
	if (f->type & TYPE_VALID && !count)
		wrong(f, "is valid without a count", 0);
	if ((frame_is_free(f) || f->state == FRAME_HEAP) && in_use)
		wrong(f, "is free and referenced", 0);
	if (frame_is_free(f) && f->type & FREE_ZERO && !is_zero(f))
		wrong(f, "is free, said to be zero and is not", 0);
	if (f->state == FRAME_OWNED && !mm_domain_of(f->owner))
		wrong(f, "has an owner that is gone", 0);
	if (word_level(f->type) == 4)
		check_l4(f);
}

static void check_list(const struct mm_domain *mm)
{
	uint64_t n = 0;

	for (uint32_t mfn = mm->frames; mfn; mfn = frame_at(mfn)->next, n++)
		if (frame_at(mfn)->owner != mm->id || frame_at(mfn)->state != FRAME_OWNED)
			wrong(frame_at(mfn), "is on the list of a domain that doesn't own it",
			      mm->id);
	if (n != mm->pages) {
		errors++;
		log_error("d%u has %lu frames listed, %lu counted", mm->id, n, mm->pages);
	}
}

unsigned mm_check(uint64_t *refs, uint64_t *types)
{
	uint64_t mfn = 0, surplus_types, surplus_refs;
	struct frame *f;

	errors = buddy_check();
	surplus_types = recount(true);
	surplus_refs = recount(false);
	while ((f = next_frame(&mfn)))
		check_frame(f);
	for (unsigned id = 0; id < DOMID_FIRST_RESERVED; id++)
		if (mm_domain_of((domid_t)id))
			check_list(mm_domain_of((domid_t)id));
	if (refs)
		*refs = surplus_refs;
	if (types)
		*types = surplus_types;
	return errors;
}
