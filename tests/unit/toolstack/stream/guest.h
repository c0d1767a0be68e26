/* SPDX-License-Identifier: MIT */
/* A suspended guest in the hypervisor of fake/hyp.h, for the tests of save and restore. */
#ifndef STREAM_GUEST_H
#define STREAM_GUEST_H

#include "fake/hyp.h"
#include "stream/stream.h"

enum {
	GUEST_PAGES = 1100,	/* that it has */
	GUEST_MAX_PFN = 1200,	/* PFNs from 1100 on are holes */
	GUEST_START_INFO = 5,
	GUEST_STORE = 6,
	GUEST_CONSOLE = 7,
	GUEST_GDT = 8,
	GUEST_L4 = 10,		/* then L3, L2, L1, which map the P2M */
	GUEST_L3,
	GUEST_L2,
	GUEST_L1,
	GUEST_USER_L4,		/* an empty one, pinned like the other */
	GUEST_P2M = 20,		/* and the two pages after it */
	GUEST_DATA = 100,	/* every third page from here to 1000 has contents */
	GUEST_VCPUS = 2,
};
#define GUEST_P2M_VA 0xffffc90000200000UL

struct guest {
	uint32_t domid;
	struct hyp *hyp;
	uint64_t mfn[GUEST_PAGES];
};

/* Make it; the hypervisor is reset. */
void guest_make(struct guest *guest);
/* The contents of one of its pages. */
void *guest_page(const struct guest *guest, uint64_t pfn);
struct shared_info *guest_shared(const struct guest *guest);
/* An entry of its tables that maps a page. */
uint64_t guest_entry(const struct guest *guest, uint64_t pfn);
/* How many of its pages are not zero. */
unsigned guest_nonzero(const struct guest *guest);

/* Another domain for the same guest to be restored into. */
uint32_t guest_new_domain(const struct guest *guest);
/* Fails the test unless the domain holds what the guest was. */
void guest_check_restored(const struct guest *guest, uint32_t domid,
			  const struct stream_request *request,
			  const struct stream_result *result);
/* As stream_load() wants it. */
struct stream_request guest_request(void);

#endif
