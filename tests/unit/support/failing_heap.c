/* SPDX-License-Identifier: MIT */
/* See failing_heap.h: the linker's --wrap sends every call here. */
#include "unit/support/failing_heap.h"

#include "mm/buddy.h"
#include "mm/heap.h"

static unsigned int left;
static bool hit;
static unsigned int blocks;

void *__real_heap_alloc(size_t size);
void __real_heap_free(void *p);
/* Not every test has frames. */
mfn_t __real_buddy_alloc(unsigned order, unsigned addr_bits) __attribute__((weak));

void *__wrap_heap_alloc(size_t size);
void __wrap_heap_free(void *p);
mfn_t __wrap_buddy_alloc(unsigned order, unsigned addr_bits);

void failing_heap_arm(unsigned int n)
{
	left = n;
	hit = false;
}

bool failing_heap_hit(void)
{
	return hit;
}

unsigned int failing_heap_blocks(void)
{
	return blocks;
}

static bool fails(void)
{
	if (!left || --left)
		return false;
	return hit = true;
}

void *__wrap_heap_alloc(size_t size)
{
	void *p = fails() ? NULL : __real_heap_alloc(size);

	blocks += p != NULL;
	return p;
}

void __wrap_heap_free(void *p)
{
	blocks -= p != NULL;
	__real_heap_free(p);
}

mfn_t __wrap_buddy_alloc(unsigned order, unsigned addr_bits)
{
	return fails() ? MFN_NONE : __real_buddy_alloc(order, addr_bits);
}
