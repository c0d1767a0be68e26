/* SPDX-License-Identifier: MIT */
/*
 * Guest memory through guest pointers, in the address space of the running vCPU. A pointer into our
 * own range or not canonical is -EFAULT before any access; so is whatever the guest's tables don't
 * map (or don't let it write).
 */
#ifndef DOMAIN_COPY_H
#define DOMAIN_COPY_H

#include "abi/types.h"
#include "abi/xen.h"
#include "lib/types.h"

/* 0 or -EFAULT; `to` is undefined (but never a leak: callers give it to nobody) after a failure. */
int must_check copy_from_guest(void *to, guest_ptr_t from, size_t n);
int must_check copy_to_guest(guest_ptr_t to, const void *from, size_t n);
/*
 * True if [p, p + n) lies outside our range and does not wrap. (What lies between the lower half
 * and ours is not canonical and faults by itself.) Inline, as n is mostly a constant.
 */
static inline bool guest_range_ok(guest_ptr_t p, size_t n)
{
	if (p.va >= HYPERVISOR_VIRT_END)
		return p.va <= ~0ull - n;
	return n <= HYPERVISOR_VIRT_START && p.va <= HYPERVISOR_VIRT_START - n;
}

/* Element `i` of an array of `size`-byte elements at p; wraps to a refused address if it would
 * overflow. */
static inline guest_ptr_t guest_ptr_at(guest_ptr_t p, uint64_t i, size_t size)
{
	uint64_t offset, va;

	if (__builtin_mul_overflow(i, (uint64_t)size, &offset) ||
	    __builtin_add_overflow(p.va, offset, &va))
		va = 0xffff800000000000ull;
	return (guest_ptr_t){ va };
}

static inline bool guest_ptr_null(guest_ptr_t p)
{
	return p.va == 0;
}

#endif
