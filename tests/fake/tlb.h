/* SPDX-License-Identifier: MIT */
/* Between machine.c and tlb.c. */
#ifndef FAKE_TLB_H
#define FAKE_TLB_H

/* All CPUs are up and run on the idle table. */
void fake_tlb_start(void);

#endif
