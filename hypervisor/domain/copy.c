/* SPDX-License-Identifier: MIT */
/* Guest pointers, checked: see copy.h. */
#include "abi/errno.h"
#include "abi/xen.h"
#include "domain/copy.h"
#include "x86/machine.h"

bool guest_range_ok(guest_ptr_t p, size_t n)
{
	uint64_t end;

	if (__builtin_add_overflow(p.va, (uint64_t)n, &end))
		return false;
	/* Below ours, or above: what lies between the lower half and ours is not canonical and
	 * faults by itself. */
	return end <= HYPERVISOR_VIRT_START || p.va >= HYPERVISOR_VIRT_END;
}

int copy_from_guest(void *to, guest_ptr_t from, size_t n)
{
	if (unlikely(!guest_range_ok(from, n)))
		return -EFAULT;
	return machine_copy_from_guest(to, VADDR(from.va), n) ? -EFAULT : 0;
}

int copy_to_guest(guest_ptr_t to, const void *from, size_t n)
{
	if (unlikely(!guest_range_ok(to, n)))
		return -EFAULT;
	return machine_copy_to_guest(VADDR(to.va), from, n) ? -EFAULT : 0;
}
