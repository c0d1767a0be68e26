/* SPDX-License-Identifier: MIT */
/*
 * The scalar types of the guest ABI.
 *
 * These headers are ours; names, numbers and layouts are the contract's, and tests/abi compares
 * each of them with Debian's libxen-dev. They hold no code and stand alone. The include path names
 * the folder above ("abi/xen.h"), never this folder itself: errno.h and sched.h would hide the
 * host's.
 *
 * Written for 64-bit code. What the ABI calls unsigned long is that here too.
 */
#ifndef ABI_TYPES_H
#define ABI_TYPES_H

#include <stddef.h>
#include <stdint.h>

/* A pointer in the guest's address space. One member, so that nobody follows it by accident. */
typedef struct {
	uint64_t va;
} guest_ptr_t;

#define GUEST_PTR(p)	((guest_ptr_t){ (uint64_t)(uintptr_t)(p) })

typedef unsigned long xen_ulong_t;
typedef unsigned long xen_pfn_t;
typedef unsigned long xen_callback_t;
typedef uint16_t domid_t;
typedef uint32_t evtchn_port_t;
typedef uint32_t grant_ref_t;
typedef uint32_t grant_handle_t;
typedef uint8_t xen_domain_handle_t[16];	/* a UUID, in its printed byte order */

/* A bitmap in guest memory: bit n is bit n % 8 of byte n / 8. */
struct xenctl_bitmap {
	guest_ptr_t bitmap;
	uint32_t nr_bits;
};

#endif
