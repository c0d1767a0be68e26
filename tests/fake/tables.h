/* SPDX-License-Identifier: MIT */
/* A domain with the page tables of a small guest, for tests of mm/ and above. */
#ifndef FAKE_TABLES_H
#define FAKE_TABLES_H

#include "mm/mm.h"

#define P	0x1ull		/* present */
#define W	0x2ull		/* writable */
#define U	0x4ull		/* user */
#define RO	(P | U)
#define RW	(P | W | U)

/*
 * One path of tables, not pinned: L4[0] -> L3[0] -> L2[0] -> L1, which is empty: it maps addresses
 * 0 to 2 MiB.
 */
struct tables {
	mfn_t l4, l3, l2, l1;
};

/* A frame of the domain's; the test ends if there is none. */
mfn_t fake_frame(struct mm_domain *mm);
/* Write to a frame that is no table, as the guest would. */
void fake_poke(mfn_t mfn, unsigned slot, uint64_t value);
uint64_t fake_peek(mfn_t mfn, unsigned slot);
/* An entry for a frame, and the machine address of an entry. */
uint64_t fake_entry(mfn_t mfn, uint64_t flags);
uint64_t fake_slot(mfn_t table, unsigned slot);
void fake_tables(struct mm_domain *mm, struct tables *t);
/* Repeat what restarts until it is done: `call` is evaluated with a fresh budget each time. */
#define FINISH(call)				\
	({					\
		int _rc;			\
						\
		do {				\
			machine_budget_start();	\
			_rc = (call);		\
		} while (_rc == -ERESTART);	\
		_rc;				\
	})
/* Tear the domain down and check that nothing is left: free frames are as many as `before`. */
void fake_end(struct mm_domain *mm, uint64_t before);

#endif
