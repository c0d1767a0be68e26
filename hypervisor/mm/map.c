/* SPDX-License-Identifier: MIT */
/*
 * Memory maps as guests are shown them: the machine's, for the control domain, and those that the
 * toolstack made.
 */
#include "abi/errno.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "mm/mm.h"

struct mm_map mm_machine_map;

void mm_set_machine_map(const struct mm_map_entry *entry, unsigned nr)
{
	mm_machine_map.nr = min(nr, (unsigned)MM_MAP_ENTRIES);
	memcpy(mm_machine_map.entry, entry, mm_machine_map.nr * sizeof(*entry));
}

static size_t map_size(unsigned nr)
{
	return offsetof(struct mm_map, entry) + nr * sizeof(struct mm_map_entry);
}

int mm_set_map(struct mm_domain *mm, const struct mm_map_entry *entry, unsigned nr)
{
	struct mm_map *fresh, *old;
	bool dying;

	if (nr > MM_MAP_ENTRIES)
		return -EINVAL;
	fresh = heap_alloc(map_size(nr));
	if (!fresh)
		return -ENOMEM;
	memcpy(fresh->entry, entry, nr * sizeof(*entry));
	fresh->nr = nr;
	lock_acquire(&mm->lock);
	dying = mm->dying; /* then nobody would free it any more */
	old = dying ? fresh : mm->map;
	if (!dying)
		mm->map = fresh;
	lock_release(&mm->lock);
	heap_free(old);
	return dying ? -EINVAL : 0;
}

bool mm_get_map(struct mm_domain *mm, struct mm_map *map)
{
	bool has;

	lock_acquire(&mm->lock);
	has = mm->map;
	if (has)
		memcpy(map, mm->map, map_size(mm->map->nr));
	lock_release(&mm->lock);
	return has;
}
