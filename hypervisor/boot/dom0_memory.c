/* SPDX-License-Identifier: MIT */
/* Domain 0's memory during its building, see dom0_memory.h. */
#include "boot/dom0_memory.h"
#include "lib/assert.h"
#include "mm/heap.h"

#define BIGGEST_ORDER 9

void dom0_memory_alloc(struct dom0_memory *m, struct mm_domain *mm, uint64_t nr_pages)
{
	unsigned order = BIGGEST_ORDER;
	uint64_t pfn = 0;

	/* Pieces get smaller only near the end, or in badly scattered memory: an eighth of the
	 * worst case is plenty. */
	*m = (struct dom0_memory){ .max = nr_pages / 64 + 64, .nr_pages = nr_pages };
	m->extent = heap_alloc(m->max * sizeof(*m->extent));
	if (!m->extent)
		panic("domain 0: no memory to note its memory");
	while (pfn < nr_pages) {
		mfn_t mfn;

		while (order && 1ull << order > nr_pages - pfn)
			order--;
		mfn = mm_alloc(mm, order, 0);
		if (mfn_eq(mfn, MFN_NONE)) {
			if (!order)
				panic("domain 0: only %lu of %lu frames found", (unsigned long)pfn,
				      (unsigned long)nr_pages);
			order--;
			continue;
		}
		if (m->n == m->max)
			panic("domain 0: memory is too scattered");
		m->extent[m->n++] = (struct dom0_extent){ pfn, mfn };
		pfn += 1ull << order;
	}
}

mfn_t dom0_memory_mfn(const struct dom0_memory *m, uint64_t pfn)
{
	uint64_t low = 0, high = m->n;

	ASSERT(pfn < m->nr_pages);
	while (high - low > 1) {
		uint64_t middle = (low + high) / 2;

		if (m->extent[middle].pfn <= pfn)
			low = middle;
		else
			high = middle;
	}
	return MFN(m->extent[low].mfn.n + (pfn - m->extent[low].pfn));
}

void dom0_memory_forget(struct dom0_memory *m)
{
	heap_free(m->extent);
	m->extent = NULL;
}
