/* SPDX-License-Identifier: MIT */
/* Buckets of time: see budget.h. */
#include "store/budget.h"

void budget_init(struct budget *budget)
{
	*budget = (struct budget){ .left = BUDGET_BURST };
}

void budget_charge(struct budget *budget, uint64_t ns)
{
	if (ns > 2 * BUDGET_BURST)
		ns = 2 * BUDGET_BURST;
	budget->left -= (int64_t)ns;
	if (budget->left < -BUDGET_BURST)
		budget->left = -BUDGET_BURST;
	if (budget->left <= 0)
		budget->spent = true;
}

bool budget_fills(const struct budget *budget)
{
	return budget->left < BUDGET_BURST;
}

/* One in so many of the nanoseconds that pass is a bucket's. */
static uint64_t divisor(unsigned int fill)
{
	uint64_t together = (uint64_t)BUDGET_ALL * fill;

	return together > BUDGET_ONE ? together : BUDGET_ONE;
}

int64_t budget_share(uint64_t ns, unsigned int fill)
{
	uint64_t share = ns / divisor(fill);

	return share < 2 * BUDGET_BURST ? (int64_t)share : 2 * BUDGET_BURST;
}

bool budget_refill(struct budget *budget, int64_t share)
{
	budget->left += share;
	if (budget->left > BUDGET_BURST)
		budget->left = BUDGET_BURST;
	if (!budget->spent || budget->left < BUDGET_GRAIN)
		return false;
	budget->spent = false;
	return true;
}

uint64_t budget_wait(const struct budget *budget, unsigned int fill)
{
	return budget->left < BUDGET_GRAIN ?
		       (uint64_t)(BUDGET_GRAIN - budget->left) * divisor(fill) : 0;
}
