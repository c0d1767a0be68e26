/* SPDX-License-Identifier: MIT */
/* System time and wall clock from the versioned records; no hypercall. */
#include "clock.h"
#include "kernel.h"

static uint64_t read_time(volatile struct vcpu_time_info *t)
{
	uint32_t version;
	uint64_t ns, delta;

	do {
		version = t->version & ~1u;
		asm volatile("lfence" : : : "memory");
		delta = clock_tsc() - t->tsc_timestamp;
		if (t->tsc_shift >= 0)
			delta <<= t->tsc_shift;
		else
			delta >>= -t->tsc_shift;
		ns = t->system_time + (uint64_t)(((__uint128_t)delta * t->tsc_to_system_mul) >> 32);
		asm volatile("lfence" : : : "memory");
	} while (version != t->version);
	return ns;
}

uint64_t clock_now(void)
{
	return read_time(&vcpu_info->time);
}

uint64_t clock_wall(void)
{
	uint32_t version;
	uint64_t seconds, ns;

	do {
		version = shared_info.wc_version & ~1u;
		asm volatile("lfence" : : : "memory");
		seconds = (uint64_t)shared_info.wc_sec_hi << 32 | shared_info.wc_sec;
		ns = shared_info.wc_nsec;
		asm volatile("lfence" : : : "memory");
	} while (version != shared_info.wc_version);
	return seconds + (ns + clock_now()) / 1000000000;
}

void clock_spin(uint64_t ns)
{
	uint64_t end = clock_now() + ns;

	while (clock_now() < end)
		asm volatile("pause");
}
