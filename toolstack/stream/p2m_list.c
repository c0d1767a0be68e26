/* SPDX-License-Identifier: MIT */
/*
 * Finding the pages of a guest's P2M: see p2m_list.h. A table of some level is a list of machine
 * frames that becomes the list of the next level, as far as it covers what is wanted.
 */
#include "stream/p2m_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define MAP_AT_ONCE 512U
#define PER_TABLE   512U
#define PTE_PRESENT 1UL
#define PTE_LARGE   0x80UL
#define PTE_FRAME   0x000ffffffffff000UL

int p2m_map(struct hyp *hyp, uint32_t domid, const uint64_t *mfns, unsigned n, void **va,
	    struct error *err)
{
	int rc = hyp_foreign_map(hyp, domid, PROT_READ, mfns, n, va);

	return rc ? error_set(err, rc == -ENOMEM ? ERROR_NO_MEMORY : ERROR_STATE,
			      "the guest's memory cannot be mapped: %s", error_text(rc))
		  : 0;
}

/* How a word of a table names the next table. */
typedef int word_fn(uint64_t word, unsigned level, uint64_t *mfn, struct error *err);

/* An entry of a page table of this level. */
static int page_table_entry(uint64_t word, unsigned level, uint64_t *mfn, struct error *err)
{
	if (!(word & PTE_PRESENT) || (level > 1 && word & PTE_LARGE))
		return error_set(err, ERROR_STATE,
				 "the guest's P2M is not mapped where it says: level %u", level);
	*mfn = (word & PTE_FRAME) >> HYP_PAGE_SHIFT;
	return 0;
}

/* A word of the tree of frame lists. */
static int list_word(uint64_t word, unsigned level, uint64_t *mfn, struct error *err)
{
	(void)level;
	(void)err;
	*mfn = word;
	return 0;
}

/*
 * The words first to last (counted from the beginning of the first table) of a list of tables
 * become the next list, which replaces it.
 */
static int next_level(struct hyp *hyp, uint32_t domid, uint64_t **list, unsigned level,
		      uint64_t first, uint64_t last, word_fn *read_word, struct error *err)
{
	uint64_t *next = malloc((last - first + 1) * sizeof(*next));
	int rc = next ? 0 : error_set(err, ERROR_NO_MEMORY, "out of memory");

	for (uint64_t at = first; at <= last && !rc;) {
		uint64_t table = at / PER_TABLE, end;
		unsigned n = (unsigned)(last / PER_TABLE - table + 1);
		const uint64_t *words;
		void *va;

		if (n > MAP_AT_ONCE)
			n = MAP_AT_ONCE;
		rc = p2m_map(hyp, domid, *list + table, n, &va, err);
		if (rc)
			break;
		words = va;
		end = (table + n) * PER_TABLE - 1 < last ? (table + n) * PER_TABLE - 1 : last;
		for (; at <= end && !rc; at++)
			rc = read_word(words[at - table * PER_TABLE], level, &next[at - first],
				       err);
		hyp_unmap(va, n);
	}
	free(*list);
	*list = next;
	return rc;
}

static bool address_ok(uint64_t va, uint64_t bytes)
{
	uint64_t last = va + bytes - 1;

	if (va % HYP_PAGE_SIZE || last < va)
		return false;
	if ((int64_t)(va << 16) >> 16 != (int64_t)va || va >> 47 != last >> 47)
		return false;
	return last < HYPERVISOR_VIRT_START || va >= HYPERVISOR_VIRT_END;
}

static int find_linear(struct hyp *hyp, uint32_t domid, const struct shared_info *shared,
		       uint64_t n, uint64_t **list, struct error *err)
{
	uint64_t va = shared->arch.p2m_vaddr, bytes = n * HYP_PAGE_SIZE;
	uint64_t low = va & ((1UL << 48) - 1);

	if (!address_ok(va, bytes))
		return error_set(err, ERROR_STATE,
				 "the guest says that its P2M is where it cannot be (%#llx)",
				 (unsigned long long)va);
	*list = malloc(sizeof(**list));
	if (!*list)
		return error_set(err, ERROR_NO_MEMORY, "out of memory");
	**list = xen_cr3_to_pfn(shared->arch.p2m_cr3);
	for (unsigned level = 4; level > 0; level--) {
		unsigned shift = HYP_PAGE_SHIFT + 9 * (level - 1);
		uint64_t skip = low >> (shift + 9) << 9;	/* before the first table */

		if (next_level(hyp, domid, list, level, (low >> shift) - skip,
			       ((low + bytes - 1) >> shift) - skip, page_table_entry, err))
			return -1;
	}
	return 0;
}

/* The root lists pages that list the pages of the P2M. */
static int find_tree(struct hyp *hyp, uint32_t domid, const struct shared_info *shared, uint64_t n,
		     uint64_t **list, struct error *err)
{
	if (n > PER_TABLE * PER_TABLE)
		return error_set(err, ERROR_STATE, "the guest says it has more memory than its P2M "
						   "can tell of");
	*list = malloc(sizeof(**list));
	if (!*list)
		return error_set(err, ERROR_NO_MEMORY, "out of memory");
	**list = shared->arch.pfn_to_mfn_frame_list_list;
	return next_level(hyp, domid, list, 2, 0, (n - 1) / PER_TABLE, list_word, err) ||
			       next_level(hyp, domid, list, 1, 0, n - 1, list_word, err)
		       ? -1
		       : 0;
}

int p2m_list_find(struct hyp *hyp, uint32_t domid, const struct shared_info *shared, uint64_t n,
		  uint64_t **list, struct error *err)
{
	uint64_t root = shared->arch.pfn_to_mfn_frame_list_list;

	*list = NULL;
	if (shared->arch.p2m_cr3)
		return find_linear(hyp, domid, shared, n, list, err);
	if (root && root != ~0UL)
		return find_tree(hyp, domid, shared, n, list, err);
	return error_set(err, ERROR_STATE,
			 "its kernel does not tell where its P2M is; it cannot be saved");
}
