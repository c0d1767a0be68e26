/* SPDX-License-Identifier: MIT */
/*
 * Validating a table and what hangs off it, and the reverse, in pieces that fit the budget.
 *
 * A valid table holds a reference to what each of its entries names. Validation walks down with an
 * explicit path of at most four cursors; if it meets what is refused, it walks back and drops what
 * it took. A table that loses its last reference keeps it, as not valid, on the queue until its
 * entries' references are dropped. Both live in mm->pending when the budget is spent; pt_drain()
 * comes before every other operation, so nobody ever meets a half-valid table: it has a count, so
 * no other type can be had, and is not valid, so no reference can. (Advisory class A: partial
 * states.) A table that names itself or one above it is refused: the type it would need there
 * differs from the one it has. Lock: the domain's mm lock.
 */
#include "abi/errno.h"
#include "lib/assert.h"
#include "mm/pt_entry.h"
#include "x86/machine.h"

static uint64_t *table_of(uint32_t mfn)
{
	return machine_va(MFN(mfn));
}

/*
 * Looked at before each block of 64 entries: some 10 us of work. Never before the first step of a
 * call: who waited long for the lock comes with a spent budget, and if all did and left without a
 * step, none would ever get on.
 */
#define BLOCK	64

static bool spent(unsigned index, unsigned begun)
{
	return index != begun && !(index % BLOCK) && machine_budget_spent();
}

static unsigned block_end(unsigned index)
{
	return (index | (BLOCK - 1)) + 1;
}

/* Eight entries that are clear, as most of most tables are: nothing to take or drop. */
static bool eight_clear(const uint64_t *entry)
{
	return !(entry[0] | entry[1] | entry[2] | entry[3] | entry[4] | entry[5] | entry[6] |
		 entry[7]);
}

/* The last reference goes: the table waits in the queue until its entries are dropped. */
static __attribute__((noinline)) void last_put(struct mm_domain *mm, struct frame *f)
{
	struct mm_pending *p = &mm->pending;
	struct frame *first;

	type_last_put(f);
	if (!p->queue) {
		f->work = 0;
		p->queue = (uint32_t)frame_mfn(f).n;
		p->index = 0;
	} else {			/* behind the first, which may be half done */
		first = frame_at(p->queue);
		f->work = first->work;
		first->work = (uint32_t)frame_mfn(f).n;
	}
}

inline void pt_table_put(struct mm_domain *mm, struct frame *f)
{
	uint64_t word = frame_word(f);

	ASSERT(word_level(word));
	if (unlikely((word & TYPE_COUNT) == TYPE_ONE)) {
		last_put(mm, f);
		return;
	}
	type_put(f);
	frame_put(f);
}

inline void pt_entry_put(struct mm_domain *mm, unsigned level, uint64_t entry)
{
	if (!(entry & PTE_PRESENT))
		return;
	if (level == 1)
		pt_l1_put(entry);
	else
		pt_table_put(mm, frame_at(pte_mfn(entry).n));
}

/*
 * A reference to a table: 0 if it is valid, 1 if its validation was begun (it is the top of the
 * walk now), -EINVAL.
 */
static int table_enter(struct mm_domain *mm, mfn_t mfn, unsigned level)
{
	struct mm_pending *p = &mm->pending;
	struct frame *f = frame_of(mfn);

	if (!f || !frame_get(f, mm->id))
		return -EINVAL;
	if (likely(type_get_again(f, (enum frame_type)level, 0)))
		return 0;
	switch (type_get(f, (enum frame_type)level, mm)) {
	case TYPE_HELD:
		return 0;
	case TYPE_NEW:
		ASSERT(p->depth < ARRAY_SIZE(p->walk));
		p->walk[p->depth++] = (struct mm_cursor){ (uint32_t)mfn.n, 0, (uint16_t)level };
		return 1;
	default:
		frame_put(f);
		return -EINVAL;
	}
}

/* The same for what a present entry of a table being validated names. */
static int entry_enter(struct mm_domain *mm, unsigned level, uint64_t *entry)
{
	if (level == 1)
		return pt_l1_get(mm, mm, entry);
	if (!pt_flags(mm, level, entry))
		return -EINVAL;
	return table_enter(mm, pte_mfn(*entry), level - 1);
}

/*
 * The walk has ended. If its call went away to be issued again, the result waits for that; what
 * waited before, and was never asked about, is forgotten.
 */
static void walk_end(struct mm_domain *mm, struct mm_cursor root, int result)
{
	struct mm_pending *p = &mm->pending;

	p->error = 0;
	p->result = result;
	if (!p->parked)
		return;
	p->parked = false;
	if (p->done && !p->done_result)
		pt_table_put(mm, frame_at(p->done));
	p->done = root.table;
	p->done_level = root.level;
	p->done_result = result;
}

/*
 * Validate entries of the walk's top up to the end of a block: 0, 1 if a child was entered,
 * -EINVAL or the like.
 */
static int walk_block(struct mm_domain *mm, struct mm_cursor *c, uint64_t *table)
{
	unsigned index = c->index, end = block_end(index), level = c->level;
	int rc = 0;

	while (!rc && index < end) {
		uint64_t entry = table[index];

		if (!entry && !(index % 8) && eight_clear(&table[index])) {
			index += 8;
			continue;
		}
		if (entry & PTE_PRESENT && !pt_slot_ours(level, index)) {
			rc = entry_enter(mm, level, &entry);
			if (rc < 0)
				break;
			if (table[index] != entry)
				table[index] = entry;
		}
		index += !rc;			/* a child's entry is passed when that is valid */
	}
	c->index = (uint16_t)index;
	return rc;
}

/*
 * Go on with the top of the walk: until it is valid, enters a child, or fails. False: the budget is
 * spent.
 */
static bool walk_forward(struct mm_domain *mm)
{
	struct mm_pending *p = &mm->pending;
	struct mm_cursor *c = &p->walk[p->depth - 1];
	uint64_t *table = table_of(c->table);
	unsigned begun = c->index;
	int rc;

	while (c->index < PT_ENTRIES) {
		if (spent(c->index, begun))
			return false;
		rc = walk_block(mm, c, table);
		if (rc < 0)
			p->error = rc;
		if (rc)
			return true;
	}
	if (c->level == 4)
		machine_l4_install(table);
	type_validate(frame_at(c->table));
	if (--p->depth)
		p->walk[p->depth - 1].index++;
	else
		walk_end(mm, *c, 0);
	return true;
}

/* Go on taking back what the top of a failed walk holds. False: the budget is spent. */
static bool walk_back(struct mm_domain *mm)
{
	struct mm_pending *p = &mm->pending;
	struct mm_cursor *c = &p->walk[p->depth - 1];
	const uint64_t *table = table_of(c->table);
	unsigned begun = c->index;

	while (c->index) {
		if (spent(c->index, begun))
			return false;
		c->index--;
		if (!pt_slot_ours(c->level, c->index))
			pt_entry_put(mm, c->level, table[c->index]);
	}
	type_put(frame_at(c->table));
	frame_put(frame_at(c->table));
	if (!--p->depth)
		walk_end(mm, *c, p->error);
	return true;
}

/* Drop what the entries of a block name. */
static void drop_block(struct mm_domain *mm, unsigned level, uint64_t *table, unsigned index)
{
	for (unsigned end = block_end(index); index < end; index++) {
		if (!table[index] && !(index % 8) && eight_clear(&table[index]))
			index += 7;
		else if (pt_slot_ours(level, index))
			table[index] = 0;
		else
			pt_entry_put(mm, level, table[index]);
	}
}

/* Go on dropping what the queue's first table names. False: the budget is spent. */
static bool queue_forward(struct mm_domain *mm)
{
	struct mm_pending *p = &mm->pending;
	struct frame *f = frame_at(p->queue);
	unsigned level = word_type(frame_word(f));
	uint64_t *table = table_of(p->queue);
	unsigned begun = p->index;

	while (p->index < PT_ENTRIES) {
		if (spent(p->index, begun))
			return false;
		drop_block(mm, level, table, p->index);
		p->index = block_end(p->index);
	}
	p->queue = f->work;
	p->index = 0;
	type_put(f);
	frame_put(f);
	return true;
}

/* Go on with the walk: 0 if it has ended (or there is none), -ERESTART. */
static int walk_on(struct mm_domain *mm)
{
	struct mm_pending *p = &mm->pending;

	while (p->depth) {
		if (p->error ? walk_back(mm) : walk_forward(mm))
			continue;
		p->parked = true;
		return -ERESTART;
	}
	return 0;
}

int pt_finish(struct mm_domain *mm)
{
	ASSERT(lock_held(&mm->lock));
	if (walk_on(mm))
		return -ERESTART;
	while (mm->pending.queue)
		if (!queue_forward(mm))
			return -ERESTART;
	return 0;
}

/* Is this the parked walk that ended last? Then its result, and the reference with it. */
static bool walk_claim(struct mm_domain *mm, mfn_t mfn, unsigned level, int *result)
{
	struct mm_pending *p = &mm->pending;

	if (p->done != mfn.n || p->done_level != level || !mfn.n)
		return false;
	p->done = 0;
	*result = p->done_result;
	return true;
}

/* What is not a valid table yet, or after an operation that was left half done. */
static __attribute__((noinline)) int table_get(struct mm_domain *mm, mfn_t mfn, unsigned level)
{
	int rc;

	if (walk_claim(mm, mfn, level, &rc))
		return rc;
	rc = pt_drain(mm);
	if (rc || walk_claim(mm, mfn, level, &rc))
		return rc;
	rc = table_enter(mm, mfn, level);
	if (rc <= 0)
		return rc;
	rc = walk_on(mm);
	return rc ? rc : mm->pending.result;
}

inline int pt_table_get(struct mm_domain *mm, mfn_t mfn, unsigned level)
{
	const struct mm_pending *p = &mm->pending;
	struct frame *f = frame_of(mfn);

	if (likely(!(p->depth | p->queue | p->done) && f && frame_get(f, mm->id))) {
		if (likely(type_get_again(f, (enum frame_type)level, 0)))
			return 0;
		frame_put(f);
	}
	return table_get(mm, mfn, level);
}

void pt_forget(struct mm_domain *mm)
{
	struct mm_pending *p = &mm->pending;

	if (p->done && !p->done_result)
		pt_table_put(mm, frame_at(p->done));
	p->done = 0;
}
