/* SPDX-License-Identifier: MIT */
/*
 * Which pirq each vector of each CPU stands for. A place is taken and given back by
 * compare-and-swap, so no lock is needed; a reader that meets a place in change sees the old or
 * the new pirq, and the pirq's own lock and state decide then.
 */
#include "abi/errno.h"
#include "irq/table.h"
#include "lib/assert.h"
#include "mm/heap.h"

#define NR_VECTORS	(IRQ_VECTOR_LAST - IRQ_VECTOR_FIRST + 1)

/* pirq + 1 by vector, 0: free. A CPU's row is made when its first vector is taken, and stays. */
static uint16_t *rows[CPU_MAX];

static uint16_t *row_of(unsigned cpu)
{
	uint16_t *row = __atomic_load_n(&rows[cpu], __ATOMIC_ACQUIRE);
	uint16_t *expected = NULL, *fresh;

	if (row)
		return row;
	fresh = heap_alloc(NR_VECTORS * sizeof(*fresh));
	if (!fresh)
		return NULL;
	if (__atomic_compare_exchange_n(&rows[cpu], &expected, fresh, false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE))
		return fresh;
	heap_free(fresh);
	return expected;
}

/* Guests' int 0x80 and 0x82 go through gates of their own. */
static bool reserved(unsigned vector)
{
	return vector == 0x80 || vector == 0x82;
}

static bool take(uint16_t *place, unsigned pirq)
{
	uint16_t expected = 0;

	return __atomic_compare_exchange_n(place, &expected, (uint16_t)(pirq + 1), false,
					   __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

static bool take_block(uint16_t *row, unsigned vector, unsigned pirq, unsigned nr)
{
	for (unsigned i = 0; i < nr; i++) {
		if (!reserved(vector + i) && take(&row[vector + i - IRQ_VECTOR_FIRST], pirq + i))
			continue;
		while (i--)
			__atomic_store_n(&row[vector + i - IRQ_VECTOR_FIRST], 0, __ATOMIC_RELEASE);
		return false;
	}
	return true;
}

int vector_alloc(unsigned cpu, unsigned pirq, unsigned nr, uint8_t *first)
{
	uint16_t *row = row_of(cpu);

	ASSERT(nr && !(nr & (nr - 1)) && pirq + nr < VECTOR_NOBODY);
	if (!row)
		return -ENOMEM;
	for (unsigned v = ALIGN_UP(IRQ_VECTOR_FIRST, nr); v + nr - 1 <= IRQ_VECTOR_LAST; v += nr) {
		if (take_block(row, v, pirq, nr)) {
			*first = (uint8_t)v;
			return 0;
		}
	}
	return -ENOSPC;
}

void vector_free(unsigned cpu, uint8_t first, unsigned nr)
{
	for (unsigned i = 0; i < nr; i++) {
		ASSERT(rows[cpu][first + i - IRQ_VECTOR_FIRST]);
		__atomic_store_n(&rows[cpu][first + i - IRQ_VECTOR_FIRST], 0, __ATOMIC_RELEASE);
	}
}

unsigned vector_pirq(unsigned cpu, unsigned vector)
{
	const uint16_t *row = __atomic_load_n(&rows[cpu], __ATOMIC_ACQUIRE);

	if (!row || vector < IRQ_VECTOR_FIRST || vector > IRQ_VECTOR_LAST)
		return VECTOR_NOBODY;
	return (__atomic_load_n(&row[vector - IRQ_VECTOR_FIRST], __ATOMIC_ACQUIRE) - 1u) & 0xffff;
}
