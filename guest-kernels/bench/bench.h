/* SPDX-License-Identifier: MIT */
/* What the files of this kernel share. A row's function does n operations. */
#ifndef BENCH_H
#define BENCH_H

#define TEST_VA		0x10000000000UL	/* one page, whose L1 table is all ours */

/* Count what was refused: then the row's figure means nothing. */
void done(long result);

/* Two ordinary pages. */
extern char *frame_a, *frame_b;

/* After user_init(). */
void set_up_paging(void);

void update_va_mapping(unsigned int n);
void update_va_protection(unsigned int n);
void mmu_update_1(unsigned int n);
void mmu_update_8(unsigned int n);
void mmu_update_32(unsigned int n);
void pte_write(unsigned int n);
void pte_exchange(unsigned int n);
void pte_protect(unsigned int n);
void pin_unpin(unsigned int n);
void tlb_flush(unsigned int n);
void invlpg(unsigned int n);
void process_switch(unsigned int n);

#endif
