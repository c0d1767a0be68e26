/* SPDX-License-Identifier: MIT */
/* Reads and writes of MSRs that come back with an answer instead of a fault. */
#include "x86/msr.h"

#include "x86/extable.h"

bool msr_read_safe(uint32_t msr, uint64_t *value)
{
	uint32_t lo = 0, hi = 0;
	bool ok = false;

	asm volatile("1: rdmsr; movb $1, %2\n2:\n" EXTABLE(1b, 2b)
		     : "+a"(lo), "+d"(hi), "+m"(ok) : "c"(msr));
	*value = ok ? (uint64_t)hi << 32 | lo : 0;
	return ok;
}

bool msr_write_safe(uint32_t msr, uint64_t value)
{
	bool ok = false;

	asm volatile("1: wrmsr; movb $1, %0\n2:\n" EXTABLE(1b, 2b)
		     : "+m"(ok)
		     : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
		     : "memory");
	return ok;
}
