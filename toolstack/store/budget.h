/* SPDX-License-Identifier: MIT */
/*
 * How much of the daemon's time a guest may take: a bucket of nanoseconds of its processor time,
 * from which each turn takes what it cost, whatever made it cost that: bytes, nodes, watches that
 * fired, the journal. Guests that ask as guests do never see its end: it holds BUDGET_BURST. Who
 * has spent it waits until BUDGET_GRAIN is there again; it fills by at most 1/BUDGET_ONE of the
 * time that passes, and the buckets of all guests together by 1/BUDGET_ALL. So a flood of any
 * number of guests leaves most of a processor to those who hardly ask. Pure.
 */
#ifndef STORE_BUDGET_H
#define STORE_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#define BUDGET_BURST 100000000	/* ns; as much may be owed, a single request can be dear */
#define BUDGET_GRAIN 2000000	/* ns; less is not worth a turn */
#define BUDGET_ONE   50
#define BUDGET_ALL   10

struct budget {
	int64_t left;	/* ns; below 0: owed */
	bool spent;	/* waits for BUDGET_GRAIN */
};

void budget_init(struct budget *budget);

/* A turn took so long. */
void budget_charge(struct budget *budget, uint64_t ns);

/* Whether it would take more. */
bool budget_fills(const struct budget *budget);

/* What each of so many buckets that fill gets when @ns have passed. */
int64_t budget_share(uint64_t ns, unsigned int fill);
/* Gives it that. True: it is not spent any more. */
bool budget_refill(struct budget *budget, int64_t share);

/* After how many ns a spent one will not be spent any more, if so many fill. */
uint64_t budget_wait(const struct budget *budget, unsigned int fill);

#endif
