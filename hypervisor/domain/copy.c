/* SPDX-License-Identifier: MIT */
/* Guest pointers, checked: see copy.h. */
#include "abi/errno.h"
#include "domain/copy.h"
#include "x86/machine.h"

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
