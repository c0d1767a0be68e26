/* SPDX-License-Identifier: MIT */
/*
 * Types and helpers that everything uses. Address types are one-member structs so that they
 * can't be mixed.
 */
#ifndef LIB_TYPES_H
#define LIB_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_SHIFT	12
#define PAGE_SIZE	(1ul << PAGE_SHIFT)
#define PAGE_MASK	(~(PAGE_SIZE - 1))

/* A machine frame number: physical address >> PAGE_SHIFT. */
typedef struct { uint64_t n; } mfn_t;
/* A guest's pseudo-physical frame number. */
typedef struct { uint64_t n; } gfn_t;
/* A virtual address in a guest's (or our own) address space. */
typedef struct { uint64_t a; } vaddr_t;

#define MFN(x)		((mfn_t){ (uint64_t)(x) })
#define GFN(x)		((gfn_t){ (uint64_t)(x) })
#define VADDR(x)	((vaddr_t){ (uint64_t)(x) })
#define MFN_NONE	MFN(~0ull)

static inline bool mfn_eq(mfn_t a, mfn_t b)
{
	return a.n == b.n;
}

/* Of 48 bits, as four levels of page tables translate them. */
static inline bool canonical(uint64_t va)
{
	return (uint64_t)((int64_t)(va << 16) >> 16) == va;
}

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))

#define min(a, b) ({ __auto_type _a = (a); __auto_type _b = (b); _a < _b ? _a : _b; })
#define max(a, b) ({ __auto_type _a = (a); __auto_type _b = (b); _a > _b ? _a : _b; })

#define ALIGN_UP(x, a)	(((x) + (a) - 1) & ~((__typeof__(x))(a) - 1))
#define DIV_ROUND_UP(x, a) (((x) + (a) - 1) / (a))

#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)
#define must_check	__attribute__((warn_unused_result))

#endif
