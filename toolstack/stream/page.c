/* SPDX-License-Identifier: MIT */
/* Pages and page tables: see page.h. */
#include "stream/page.h"

#define WORDS		512U
#define PTE_PRESENT	1UL
#define PTE_LARGE	0x80UL
#define PTE_FRAME	0x000ffffffffff000UL
#define HYPERVISOR_SLOT 256U	/* of a top table: HYPERVISOR_VIRT_START to _END */
#define HYPERVISOR_END	272U

static bool is_zero(const uint64_t *in)
{
	for (unsigned i = 0; i < WORDS; i += 8) {
		if (in[i] | in[i + 1] | in[i + 2] | in[i + 3] | in[i + 4] | in[i + 5] | in[i + 6] |
		    in[i + 7])
			return false;
	}
	return true;
}

/* By words: memcpy() would go by bytes, one by one in an emulator. */
static void copy(void *to, const void *from)
{
	uint64_t words = WORDS;

	asm volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
}

bool page_copy(void *to, const void *from)
{
	if (is_zero(from))
		return false;
	copy(to, from);
	return true;
}

static bool of_hypervisor(unsigned level, unsigned slot)
{
	return level == 4 && slot >= HYPERVISOR_SLOT && slot < HYPERVISOR_END;
}

int page_table_save(const struct p2m *p2m, void *to, const void *from, unsigned level)
{
	const uint64_t *in = from;
	uint64_t *out = to;

	for (unsigned i = 0; i < WORDS; i++) {
		uint64_t entry = in[i], pfn;

		if (of_hypervisor(level, i)) {
			entry = 0;
		} else if (entry & PTE_PRESENT) {
			pfn = p2m_pfn(p2m, (entry & PTE_FRAME) >> HYP_PAGE_SHIFT);
			if (pfn == NO_FRAME || (level > 1 && entry & PTE_LARGE))
				return -1;
			entry = (entry & ~PTE_FRAME) | pfn << HYP_PAGE_SHIFT;
		}
		out[i] = entry;
	}
	return 0;
}

int page_table_load(const uint64_t *mfn, uint64_t nr, void *page, unsigned level)
{
	uint64_t *words = page;

	for (unsigned i = 0; i < WORDS; i++) {
		uint64_t entry = words[i], pfn = (entry & PTE_FRAME) >> HYP_PAGE_SHIFT;

		if (of_hypervisor(level, i)) {
			words[i] = 0;
		} else if (entry & PTE_PRESENT) {
			if (pfn >= nr || mfn[pfn] == NO_FRAME)
				return -1;
			words[i] = (entry & ~PTE_FRAME) | mfn[pfn] << HYP_PAGE_SHIFT;
		}
	}
	return 0;
}
