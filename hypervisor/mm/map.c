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

int mm_set_map(struct mm_domain *mm, const struct mm_map_entry *entry, unsigned nr)
{
	if (nr > MM_MAP_ENTRIES)
		return -EINVAL;
	if (!mm->map)
		mm->map = heap_alloc(sizeof(*mm->map));
	if (!mm->map)
		return -ENOMEM;
	memcpy(mm->map->entry, entry, nr * sizeof(*entry));
	mm->map->nr = nr;
	return 0;
}
