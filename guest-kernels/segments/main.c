/* SPDX-License-Identifier: MIT */
/*
 * Segments: GDT and LDT pages and their types, every kind of descriptor that must be refused
 * (gates, system segments) or tamed (ring 0), and segment bases.
 */
#include "hypercall.h"
#include "kernel.h"
#include "mem.h"
#include "page.h"
#include "test.h"
#include "user.h"

#define NONCANONICAL	0x800000000000UL
#define DATA3		0x00cff3000000ffffUL	/* flat data, ring 3, accessed */
#define CODE3		0x00affb000000ffffUL	/* flat 64-bit code, ring 3, accessed */
#define TSS	0x0000890000000067UL
#define BASED(base)	(DATA3 | ((base) & 0xffffffUL) << 16 | ((base) >> 24 & 0xffUL) << 56)
#define LOW_PAGE	0x12345000UL

static uint64_t *gdt;

static void gdt_pages(void)
{
	xen_pfn_t frame[16] = { 0 };
	uint64_t *bad = page_alloc();
	void *table = page_walk((uint64_t)bad, 1);

	gdt = page_alloc();
	gdt[1] = CODE3;
	gdt[2] = DATA3;
	gdt[3] = BASED(LOW_PAGE);
	frame[0] = page_mfn(gdt);
	check_refused(hyp_set_gdt(frame, 512), "a GDT page that is mapped writable");
	check_eq(page_protect(gdt, false), 0, "make it read-only");
	check_refused(hyp_set_gdt(frame, FIRST_RESERVED_GDT_ENTRY + 1),
		      "a GDT that reaches into the reserved part");
	check_refused(hyp_set_gdt(frame, 8192), "one of 8192 entries");
	check_refused(hyp_set_gdt(frame, ~0u), "one of 2^32 - 1 entries");
	check_refused(hyp_set_gdt(frame, 513), "a second page that isn't there (frame 0)");
	frame[0] = 1UL << 40;
	check_refused(hyp_set_gdt(frame, 512), "a frame beyond memory");
	frame[0] = page_mfn((void *)((uint64_t)table & ~4095UL));
	check_refused(hyp_set_gdt(frame, 512), "a page table as GDT");
	frame[0] = start_info->shared_info >> PAGE_SHIFT;
	check_refused(hyp_set_gdt(frame, 512), "shared_info as GDT");
	bad[5] = TSS;
	page_protect(bad, false);
	frame[0] = page_mfn(bad);
	check_refused(hyp_set_gdt(frame, 512), "a GDT page that holds a task segment");
	check_refused(hyp_set_gdt((void *)NONCANONICAL, 512), "a frame list that is nowhere");
	frame[0] = page_mfn(gdt);
	check_eq(hyp_set_gdt(frame, 512), 0, "a good GDT");
	check_refused(page_protect(gdt, true), "mapping it writable while it is in use");
	check_eq(hyp_set_gdt(frame, 512), 0, "set it once more");
	check_eq(hyp_set_gdt(frame, 0), 0, "no GDT at all");
	check_eq(page_protect(gdt, true), 0, "then it may be written again");
	page_protect(gdt, false);
	check_eq(hyp_set_gdt(frame, 512), 0, "the GDT for what follows");
}

/* True if the selector can be loaded. */
static bool loads(unsigned int selector)
{
	TRY("mov %0, %%es", : : "r"(selector) : "memory");
	return trap_last.vector == TRAP_NONE;
}

static const struct {
	uint64_t value;
	const char *name;
	bool refused;
} descriptors[] = {
	{ 0, "null", false },
	{ DATA3, "flat data, ring 3", false },
	{ 0x00cff2000000ffff, "the same, not accessed", false },
	{ CODE3, "64-bit code, ring 3", false },
	{ 0x00cffb000000ffff, "32-bit code, ring 3", false },
	{ 0x00cff1000000ffff, "read-only data, ring 3", false },
	{ 0x00cff7000000ffff, "expand-down data, ring 3", false },
	{ 0x00cfff000000ffff, "conforming code, ring 3", false },
	{ 0x00cf93000000ffff, "data, ring 0", false },
	{ 0x00af9b000000ffff, "64-bit code, ring 0", false },
	{ 0x00cfb3000000ffff, "data, ring 1", false },
	{ 0x00af9f000000ffff, "conforming code, ring 0", false },
	{ 0x0000e20000000000, "LDT", true },
	{ 0x0000820000000067, "LDT, ring 0", true },
	{ 0x0000890000000067, "available TSS", true },
	{ 0x00008b0000000067, "busy TSS", true },
	{ 0x0000e90000000067, "available TSS, ring 3", true },
	{ 0x0000ee0000080000, "interrupt gate", true },
	{ 0x0000ef0000080000, "trap gate", true },
	{ 0x0000e50000080000, "task gate", true },
	{ 0x0000e10000000067, "16-bit TSS", true },
	{ 0x0000e80000000000, "reserved system type 8", true },
};

static void one_by_one(void)
{
	uint64_t at = page_maddr(&gdt[9]);

	for (unsigned int i = 0; i < sizeof(descriptors) / sizeof(*descriptors); i++) {
		uint64_t d = descriptors[i].value, now;
		long result;

		hyp_update_descriptor(at, 0);
		result = hyp_update_descriptor(at, d);
		now = ((volatile uint64_t *)gdt)[9];
		if (descriptors[i].refused) {
			check(result == -EINVAL && now == 0, "refused: %s (%ld)",
			      descriptors[i].name, result);
			continue;
		}
		/*
		 * Some refuse ring 0, some raise it to ring 3: both keep the guest out of ring 0.
		 */
		if ((d >> 45 & 3) == 3 || !d)
			check_eq(result, 0, "accepted: %s", descriptors[i].name);
		else
			check(result < 0 ? now == 0 : (now >> 45 & 3) == 3,
			      "tamed: %s (%ld, %016lx)",
			      descriptors[i].name, result, now);
	}
	hyp_update_descriptor(at, 0xffffec00e0080000);
	check(((volatile uint64_t *)gdt)[9] == 0 ||
	      (((volatile uint64_t *)gdt)[9] & 0x600000030000) == 0x30000,
	      "a call gate is refused, or nobody's, and to ring 3");
	hyp_update_descriptor(at, 0x0000620000000000);
	check(!loads(9 << 3 | 3), "a segment that is not present does not load");
	check_eq(hyp_update_descriptor(at, 0), 0, "clear it");
}

static void places(void)
{
	uint64_t *plain = page_alloc();

	check_eq(hyp_update_descriptor(page_maddr(&plain[1]), DATA3), 0,
		 "a descriptor into plain memory of ours");
	check(plain[1] == DATA3, "is stored as it is");
	check_refused(hyp_update_descriptor(page_maddr(&gdt[4]) + 4, DATA3), "an unaligned one");
	check_refused(hyp_update_descriptor(page_maddr(page_walk((uint64_t)plain, 1)), DATA3),
		      "one into a page table");
	check_refused(hyp_update_descriptor(1UL << 52, DATA3), "one beyond memory");
	check_refused(hyp_update_descriptor(~7UL, DATA3), "one at the end of all addresses");
	page_free(plain);
}

static void use(void)
{
	uint64_t value;

	check(loads(2 << 3 | 3), "a data segment of our GDT loads");
	check(!loads(8 << 3), "a null entry of it does not");
	check(loads(0), "the null selector does");
	uint64_t *page = page_alloc();
	*page = 0x1122334455667788;
	page_map(LOW_PAGE, page_entry(page, PTE_RW));
	TRY("mov %1, %%fs; mov %%fs:0, %0", : "=r"(value) : "r"(3 << 3 | 3));
	check(trap_last.vector == TRAP_NONE && value == 0x1122334455667788,
	      "fs by a descriptor's base");
	asm volatile("mov %0, %%fs" : : "r"(0));
}

static void bases(void)
{
	static uint64_t here = 0xabcd;
	uint64_t value;

	check_eq(hyp_set_segment_base(SEGBASE_FS, (unsigned long)&here), 0, "set FS");
	asm volatile("mov %%fs:0, %0" : "=r"(value));
	check_eq((int64_t)value, 0xabcd, "FS works");
	check_eq(hyp_set_segment_base(SEGBASE_GS_KERNEL, (unsigned long)&here), 0, "set kernel GS");
	asm volatile("mov %%gs:0, %0" : "=r"(value));
	check_eq((int64_t)value, 0xabcd, "kernel GS works");
	check_eq(hyp_set_segment_base(SEGBASE_GS_USER, USER_STACK), 0, "set user GS");
	check_refused(hyp_set_segment_base(SEGBASE_FS, NONCANONICAL),
		      "FS at a non-canonical address");
	check_refused(hyp_set_segment_base(SEGBASE_GS_KERNEL, NONCANONICAL), "kernel GS there");
	check_refused(hyp_set_segment_base(SEGBASE_GS_USER, 0xdead000000000000), "user GS there");
	check_refused(hyp_set_segment_base(4, 0), "a base of nothing");
	check_refused(hyp_set_segment_base(~0u, 0), "a base of nothing, -1");
	asm volatile("mov %%gs:0, %0" : "=r"(value));
	check_eq((int64_t)value, 0xabcd, "refusals change nothing");
	check_eq(hyp_set_segment_base(SEGBASE_GS_USER_SEL, 2 << 3 | 3), 0, "user GS by selector");
	hyp_set_segment_base(SEGBASE_GS_USER_SEL, 0x1234);
	hyp_set_segment_base(SEGBASE_GS_USER_SEL, 0xe008);
	hyp_set_segment_base(SEGBASE_GS_USER_SEL, ~0UL);
	check(true, "user GS by bad selectors does no harm");
	hyp_set_segment_base(SEGBASE_GS_USER_SEL, 0);
	hyp_set_segment_base(SEGBASE_FS, 0);
}

USER_PROGRAM(read_gs, "mov %gs:8, %rax; swapgs; ud2");

static void user_gs(void)
{
	struct regs r;
	static uint64_t here = 0xabcd;
	uint64_t value;

	((uint64_t *)user_stack)[1] = 0x5a5a;
	hyp_set_segment_base(SEGBASE_GS_USER, USER_STACK);
	hyp_set_segment_base(SEGBASE_GS_KERNEL, (unsigned long)&here);
	r = user_run(read_gs, read_gs_end);
	check(r.rax == 0x5a5a, "user mode has its own GS: %lx", r.rax);
	check_eq(r.vector, TRAP_GP, "user mode can't swapgs");
	asm volatile("mov %%gs:0, %0" : "=r"(value));
	check_eq((int64_t)value, 0xabcd, "the kernel has its own again");
}

USER_PROGRAM(write_gs, "mov $0x500000, %eax; wrgsbase %rax; mov %gs:8, %rbx; ud2");

/* XSA-293: bases that user mode changes by itself must not become the kernel's, nor be lost. */
static void bases_by_instruction(void)
{
	static uint64_t here = 0xabcd;
	struct regs r;
	uint64_t value;

	hyp_set_segment_base(SEGBASE_GS_USER, 0);
	hyp_set_segment_base(SEGBASE_GS_KERNEL, (unsigned long)&here);
	r = user_run(write_gs, write_gs_end);
	check(r.rbx == 0x5a5a || r.rip == USER_CODE + 5, "wrgsbase works in user mode, or faults");
	asm volatile("mov %%gs:0, %0" : "=r"(value));
	check_eq((int64_t)value, 0xabcd, "the kernel's GS is its own after that");
	if (r.rbx != 0x5a5a)
		hyp_set_segment_base(SEGBASE_GS_USER, USER_STACK);
	r = user_run(read_gs, read_gs_end);
	check(r.rax == 0x5a5a, "user mode keeps what it wrote: %lx", r.rax);
}

static long set_ldt(uint64_t base, unsigned int entries)
{
	struct mmuext_op op = { .cmd = MMUEXT_SET_LDT, .arg1.linear_addr = base,
		.arg2.nr_ents = entries };

	return hyp_mmuext_op(&op, 1, NULL, DOMID_SELF);
}

static void local_table(void)
{
	uint64_t *ldt = page_alloc(), *bad = page_alloc();
	uint64_t va = (uint64_t)ldt;

	ldt[4] = DATA3;
	bad[4] = TSS;
	bad[5] = DATA3;
	check_refused(set_ldt(va + 8, 8), "an unaligned LDT");
	check_refused(set_ldt(va, 8193), "one of 8193 entries");
	check_refused(set_ldt(va, ~0u), "an LDT of 2^32 - 1 entries");
	check_refused(set_ldt(0xffff830000000000UL, 8), "one in the hypervisor");
	page_protect(ldt, false);
	check_eq(set_ldt(va, 512), 0, "a good LDT");
	check(loads(4 << 3 | 7), "a segment of it loads");
	check(!loads(5 << 3 | 7), "a null entry of it does not");
	check_refused(page_protect(ldt, true), "mapping it writable while it is in use");
	check_eq(set_ldt(va, 3), 0, "a shorter one");
	check(!loads(4 << 3 | 7), "an entry beyond its end does not load");
	loads(0);
	check_eq(set_ldt(0, 0), 0, "none");
	check_eq(page_protect(ldt, true), 0, "then it may be written again");
	/*
	 * An LDT may be looked at when it is set or when it is used: what matters is that nothing
	 * loads.
	 */
	set_ldt(va, 512);
	check(!loads(4 << 3 | 7), "an LDT that is mapped writable is of no use");
	page_protect(bad, false);
	set_ldt((uint64_t)bad, 512);
	check(!loads(5 << 3 | 7), "nor is one with a task segment");
	set_ldt(0x7000000000, 512);
	check(!loads(5 << 3 | 7), "nor one that is not mapped");
	set_ldt(0, 0);
}

void test_main(void)
{
	user_init();
	gdt_pages();
	one_by_one();
	places();
	use();
	bases();
	user_gs();
	bases_by_instruction();
	local_table();
	check_eq(user_run(read_gs, read_gs_end).vector, TRAP_GP, "user mode at the end");
}
