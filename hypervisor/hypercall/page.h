/* SPDX-License-Identifier: MIT */
/* The hypercall page: 128 entries of 32 bytes that a guest calls, for kernels that ask for it. */
#ifndef HYPERCALL_PAGE_H
#define HYPERCALL_PAGE_H

/* Write it into a frame of the guest's, by hypervisor address. */
void hypercall_page_write(void *page);

#endif
