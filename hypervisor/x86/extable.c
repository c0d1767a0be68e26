/* SPDX-License-Identifier: MIT */
/* The table of instructions that may fault. Some dozen entries: searched one by one. */
#include "x86/extable.h"

struct extable_entry {
	int32_t from, to;
};

extern const struct extable_entry extable_start[], extable_end[];

bool extable_fixup(struct cpu_regs *regs)
{
	for (const struct extable_entry *e = extable_start; e < extable_end; e++) {
		if ((uint64_t)&e->from + (uint64_t)(int64_t)e->from == regs->rip) {
			regs->rip = (uint64_t)&e->to + (uint64_t)(int64_t)e->to;
			return true;
		}
	}
	return false;
}
