/* SPDX-License-Identifier: MIT */
/* A guest's kernel mappings: see core_map.h. */
#include "stream/core_map.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "stream/core.h"

#define PRESENT	  1u
#define BIG	  0x80u
#define FRAME(e)  ((e) >> HYP_PAGE_SHIFT & ((1ull << 40) - 1))
#define TABLE	  512u
#define KERNEL	  0xffff800000000000ull

/* What is not read: the hypervisor's, segments of their own, and Linux's array of pages. */
static const struct {
	uint64_t from, to;
} left_out[] = {
	{ KERNEL, 0xffff87ffffffffffull },
	{ CORE_DIRECT_MAP, 0xffffc87fffffffffull },
	{ 0xffffea0000000000ull, 0xffffeaffffffffffull },
	{ CORE_KERNEL_IMAGE, CORE_KERNEL_IMAGE + CORE_KERNEL_MAX - 1 },
};

struct walk {
	struct core_map *map;
	struct hyp *hyp;
	uint32_t domid;
	const struct p2m *p2m;
	unsigned room;		/* pieces that are allocated */
};

static bool is_left_out(uint64_t va, uint64_t last)
{
	for (size_t i = 0; i < sizeof(left_out) / sizeof(left_out[0]); i++) {
		if (va >= left_out[i].from && last <= left_out[i].to)
			return true;
	}
	return false;
}

/*
 * A page more, appended to the last piece if it follows it. One that is mapped again and again is
 * shown once: so Linux fills its P2M where there is no memory, for more addresses than we can list.
 */
static int add_page(struct walk *w, uint64_t va, uint64_t pfn)
{
	struct core_map *map = w->map;
	struct core_piece *last = map->nr ? &map->pieces[map->nr - 1] : NULL;

	if (last && last->va + last->pages * HYP_PAGE_SIZE == va &&
	    last->pfn + last->pages == pfn) {
		last->pages++;
		return 0;
	}
	if (last && last->pfn + last->pages - 1 == pfn)
		return 0;
	if (map->nr == CORE_PIECES_MAX)
		return 0;
	if (map->nr == w->room) {
		unsigned room = w->room ? w->room * 2 : 256;
		struct core_piece *more = realloc(map->pieces, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		map->pieces = more;
		w->room = room;
	}
	map->pieces[map->nr++] = (struct core_piece){ va, pfn, 1 };
	return 0;
}

/* A copy of a table: the guest may stand still, but its frames stay its own. */
static bool read_table(struct walk *w, uint64_t mfn, uint64_t entries[TABLE])
{
	void *va;

	if (w->map->tables >= CORE_TABLES_MAX || p2m_pfn(w->p2m, mfn) == NO_FRAME ||
	    hyp_foreign_map(w->hyp, w->domid, PROT_READ, &mfn, 1, &va))
		return false;
	w->map->tables++;
	memcpy(entries, va, TABLE * sizeof(*entries));
	hyp_unmap(va, 1);
	return true;
}

/* What one table maps, from base on. At most four deep. */
static int walk(struct walk *w, uint64_t mfn, unsigned level, uint64_t base)
{
	const unsigned shift = HYP_PAGE_SHIFT + 9 * (level - 1);
	uint64_t entries[TABLE];
	int rc = 0;

	if (!read_table(w, mfn, entries))
		return 0;
	for (unsigned i = level == 4 ? TABLE / 2 : 0; i < TABLE && !rc; i++) {
		uint64_t va = base + ((uint64_t)i << shift);
		uint64_t frame = FRAME(entries[i]), pfn;

		if (!(entries[i] & PRESENT) || is_left_out(va, va + (1ull << shift) - 1))
			continue;
		if (level > 1) {
			rc = entries[i] & BIG ? 0 : walk(w, frame, level - 1, va);
			continue;
		}
		pfn = p2m_pfn(w->p2m, frame);
		rc = pfn == NO_FRAME ? 0 : add_page(w, va, pfn);
	}
	return rc;
}

int core_map_read(struct core_map *map, struct hyp *hyp, uint32_t domid, const struct p2m *p2m,
		  uint64_t root)
{
	struct walk w = { .map = map, .hyp = hyp, .domid = domid, .p2m = p2m };

	/* Slot 256 of the top table begins at KERNEL. */
	return walk(&w, root, 4, KERNEL - ((uint64_t)TABLE / 2 << 39));
}
