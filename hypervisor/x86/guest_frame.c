/* SPDX-License-Identifier: MIT */
/*
 * The frames on a guest kernel's stack that every system call and exception passes through, and
 * single words: written and read between memory and registers, as a copy through a buffer would
 * cost more than all the rest. Any word may fault.
 */
#include "abi/xen.h"
#include "x86/extable.h"
#include "x86/machine.h"

#define STORE(n, word)	"1: mov %[" #word "], 8 * " #n "(%[at])\n" EXTABLE(1b, %l[fault])
#define LOAD(n, word)	"1: mov 8 * " #n "(%[at]), %[" #word "]\n" EXTABLE(1b, %l[fault])

#define ALLOW		asm volatile(SMAP_SITE(0xcb) : : : "memory")
#define FORBID		asm volatile(SMAP_SITE(0xca) : : : "memory")

inline __attribute__((always_inline)) bool machine_write_frame(vaddr_t at, const uint64_t w[8],
							       bool error_code)
{
	ALLOW;
	asm goto(STORE(0, a) STORE(1, b)
		 : : [at] "r"(at.a), [a] "r"(w[0]), [b] "r"(w[1]) : "memory" : fault);
	if (error_code) {
		asm goto(STORE(2, a) : : [at] "r"(at.a), [a] "r"(w[2]) : "memory" : fault);
		at.a += 8;
	}
	asm goto(STORE(2, a) STORE(3, b) STORE(4, c) STORE(5, d) STORE(6, e)
		 : : [at] "r"(at.a), [a] "r"(w[3]), [b] "r"(w[4]), [c] "r"(w[5]), [d] "r"(w[6]),
		 [e] "r"(w[7]) : "memory" : fault);
	FORBID;
	return true;
fault:
	FORBID;
	return false;
}

inline bool machine_read_iret(vaddr_t at, struct iret_context *to)
{
	uint64_t rax, r11, rcx, flags, rip, cs, rflags, rsp, ss;

	ALLOW;
	asm goto(LOAD(0, rax) LOAD(1, r11) LOAD(2, rcx) LOAD(3, flags) LOAD(4, rip) LOAD(5, cs)
		 LOAD(6, rflags) LOAD(7, rsp) LOAD(8, ss)
		 : [rax] "=&r"(rax), [r11] "=&r"(r11), [rcx] "=&r"(rcx), [flags] "=&r"(flags),
		 [rip] "=&r"(rip), [cs] "=&r"(cs), [rflags] "=&r"(rflags), [rsp] "=&r"(rsp),
		 [ss] "=&r"(ss)
		 : [at] "r"(at.a) : "memory" : fault);
	FORBID;
	*to = (struct iret_context){ rax, r11, rcx, flags, rip, cs, rflags, rsp, ss };
	return true;
fault:
	FORBID;
	return false;
}

inline bool machine_read_word(vaddr_t at, uint64_t *to)
{
	uint64_t word;

	ALLOW;
	asm goto(LOAD(0, word) : [word] "=r"(word) : [at] "r"(at.a) : "memory" : fault);
	FORBID;
	*to = word;
	return true;
fault:
	FORBID;
	return false;
}

inline bool machine_write_word(vaddr_t at, uint64_t word)
{
	ALLOW;
	asm goto(STORE(0, word) : : [at] "r"(at.a), [word] "r"(word) : "memory" : fault);
	FORBID;
	return true;
fault:
	FORBID;
	return false;
}
