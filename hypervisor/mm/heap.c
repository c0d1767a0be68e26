/* SPDX-License-Identifier: MIT */
/*
 * The heap: small objects are cut from slabs, a frame each, by size class (powers of two from 32
 * bytes); from half a page on, blocks of frames. A slab's bookkeeping is in its struct frame:
 * `work` the offset + 1 of the first free object, `refs` how many are in use, `order` the class.
 * Each free object holds the offset + 1 of the next. Invariant: a slab is on its class's list
 * exactly if it has free objects, and none is kept empty. Lock: heap_lock.
 */
#include "mm/heap.h"

#include "lib/assert.h"
#include "lib/string.h"
#include "mm/buddy.h"
#include "mm/frame.h"
#include "x86/machine.h"

#define CLASS_MIN	5		/* 32 bytes */
#define CLASS_MAX	(PAGE_SHIFT - 1)

static uint32_t partial[CLASS_MAX + 1];

/* The smallest n with 2^n >= size. */
static unsigned width(size_t size)
{
	return size <= 1 ? 0 : 64 - (unsigned)__builtin_clzll(size - 1);
}

static void slab_link(struct frame *f)
{
	uint32_t mfn = (uint32_t)frame_mfn(f).n;

	f->prev = 0;
	f->next = partial[f->order];
	if (f->next)
		frame_at(f->next)->prev = mfn;
	partial[f->order] = mfn;
}

static void slab_unlink(struct frame *f)
{
	if (f->next)
		frame_at(f->next)->prev = f->prev;
	if (f->prev)
		frame_at(f->prev)->next = f->next;
	else
		partial[f->order] = f->next;
	f->next = f->prev = 0;
}

static void slab_make(struct frame *f, unsigned class)
{
	char *page = machine_va(frame_mfn(f));
	uint32_t next = 0;

	for (size_t at = PAGE_SIZE; at; ) {
		at -= 1ul << class;
		*(uint32_t *)(page + at) = next;
		next = (uint32_t)at + 1;
	}
	f->state = FRAME_SLAB;
	f->order = (uint8_t)class;
	f->work = next;
	f->refs = 0;
	slab_link(f);
}

static void *slab_take(unsigned class)
{
	struct frame *f = frame_at(partial[class]);
	char *p = (char *)machine_va(frame_mfn(f)) + f->work - 1;

	f->work = *(uint32_t *)p;
	f->refs++;
	if (!f->work)
		slab_unlink(f);
	return p;
}

static struct frame *block_alloc(unsigned order)
{
	struct frame *f;
	mfn_t mfn;

	lock_acquire(&heap_lock);
	mfn = buddy_alloc(order, 0);
	if (!mfn_eq(mfn, MFN_NONE)) {
		f = frame_at(mfn.n);
		for (uint64_t i = 0; i < 1ull << order; i++)
			f[i].state = FRAME_HEAP;
		f->order = (uint8_t)order;
	}
	lock_release(&heap_lock);
	if (mfn_eq(mfn, MFN_NONE))
		return NULL;
	frame_clean(mfn, order);
	return frame_at(mfn.n);
}

static void *small_alloc(unsigned class)
{
	struct frame *fresh;
	void *p = NULL;

	lock_acquire(&heap_lock);
	if (!partial[class]) {
		lock_release(&heap_lock);
		fresh = block_alloc(0);
		if (!fresh)
			return NULL;
		lock_acquire(&heap_lock);
		slab_make(fresh, class);
	}
	p = slab_take(class);
	lock_release(&heap_lock);
	memset(p, 0, 1ul << class);
	return p;
}

void *heap_alloc(size_t size)
{
	unsigned w = max(width(size), (unsigned)CLASS_MIN);
	struct frame *f;

	if (!size || w > PAGE_SHIFT + BUDDY_ORDER_MAX)
		return NULL;
	if (w <= CLASS_MAX)
		return small_alloc(w);
	f = block_alloc(w - PAGE_SHIFT);
	return f ? machine_va(frame_mfn(f)) : NULL;
}

static void slab_give(struct frame *f, void *p)
{
	ASSERT(f->refs && !((uintptr_t)p & ((1ul << f->order) - 1)));
	*(uint32_t *)p = f->work;
	if (!f->work)
		slab_link(f);
	f->work = ((uintptr_t)p & ~PAGE_MASK) + 1;
	if (--f->refs)
		return;
	slab_unlink(f);
	f->work = 0;
	buddy_free(frame_mfn(f), 0);
}

void heap_free(void *p)
{
	struct frame *f;

	if (!p)
		return;
	f = frame_of(machine_mfn(p));
	ASSERT(f);
	lock_acquire(&heap_lock);
	if (f->state == FRAME_SLAB) {
		slab_give(f, p);
	} else {
		ASSERT(f->state == FRAME_HEAP && !((uintptr_t)p & ~PAGE_MASK));
		buddy_free(frame_mfn(f), f->order);
	}
	lock_release(&heap_lock);
}
