/* SPDX-License-Identifier: MIT */
/*
 * Privileged instructions in a kernel without privilege: those that are emulated, those that fault,
 * and those that must do nothing for the guest; CPUID as the guest may see it; the port
 * permissions.
 */
#include "abi/cpuid.h"
#include "abi/physdev.h"
#include "abi/version.h"
#include "hypercall.h"
#include "kernel.h"
#include "mem.h"
#include "page.h"
#include "print.h"
#include "test.h"
#include "user.h"

#define NONCANONICAL	0x800000000000UL

/* True if the instruction came through. */
#define RUNS(...)	({ TRY(__VA_ARGS__); trap_last.vector == TRAP_NONE; })

static bool rdmsr(uint32_t msr, uint64_t *value)
{
	uint32_t low = 0, high = 0;

	TRY("rdmsr", : "+a"(low), "+d"(high) : "c"(msr) : "memory");
	*value = (uint64_t)high << 32 | low;
	return trap_last.vector == TRAP_NONE;
}

static bool wrmsr(uint32_t msr, uint64_t value)
{
	TRY("wrmsr", : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
	return trap_last.vector == TRAP_NONE;
}

static void model_registers(void)
{
	static const uint32_t secret[] = {
		0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084,	/* STAR LSTAR CSTAR SFMASK */
		0x174, 0x175, 0x176,				/* SYSENTER */
		0xc0000080, 0x277, 0x1b, 0x1d9, 0x1a0, 0x2ff, 0x48, 0x49, 0xda0, 0x6e0, 0xc0010015,
		0xc0010117,
	};
	static uint64_t here = 0x1234;
	uint64_t value = 0;

	check(rdmsr(0xc0000080, &value), "read EFER: %lx", value);
	check(wrmsr(0xc0000100, (uint64_t)&here) && rdmsr(0xc0000100, &value) &&
	      value == (uint64_t)&here,
	      "FS_BASE can be written and read");
	asm volatile("mov %%fs:0, %0" : "=r"(value));
	check(value == 0x1234, "and works");
	check(!wrmsr(0xc0000100, NONCANONICAL), "a non-canonical FS_BASE faults");
	check(wrmsr(0xc0000101, (uint64_t)&here) && rdmsr(0xc0000101, &value) &&
	      value == (uint64_t)&here, "GS_BASE too");
	check(!wrmsr(0xc0000101, NONCANONICAL), "a non-canonical GS_BASE faults");
	check(wrmsr(0xc0000102, USER_STACK) && rdmsr(0xc0000102, &value) && value == USER_STACK,
	      "and user GS_BASE");
	check(!wrmsr(0xc0000102, NONCANONICAL), "a non-canonical one faults");
	check(!rdmsr(0xdeadbeef, &value), "an unknown register faults");
	check_trap(TRAP_GP, 0, "with #GP");
	for (unsigned int i = 0; i < sizeof(secret) / sizeof(*secret); i++) {
		bool had = rdmsr(secret[i], &value);

		wrmsr(secret[i], 0);
		wrmsr(secret[i], ~0UL);
		wrmsr(secret[i], had ? value : 0);
		check(hyp_xen_version(0, NULL) > 0, "register %x can't be broken", secret[i]);
	}
	wrmsr(0xc0000100, 0);
	wrmsr(0xc0000101, 0);
}

static void control_registers(void)
{
	uint64_t value = 0, cr4 = 0;

	check(RUNS("mov %%cr0, %0", : "=r"(value)) && (value & 0x80000001) == 0x80000001,
	      "read CR0: %lx", value);
	check(RUNS("mov %0, %%cr0", : : "r"(value | 8)), "set TS in CR0");
	TRY("fnop", : : : "memory");
	check_trap(TRAP_NM, 0, "TS works");
	check(RUNS("mov %0, %%cr0", : : "r"(value | 8)) && RUNS("clts", : : : "memory") &&
	      RUNS("fnop", : : : "memory"),
	      "clts clears it");
	TRY("mov %0, %%cr0", : : "r"(value & ~0x80000000UL) : "memory");
	check(trap_last.vector == TRAP_GP || (RUNS("mov %%cr0, %0", : "=r"(value)) &&
					      (value & 0x80000000)),
	      "paging can't be turned off");
	check(!try_read(0x7000000123, &value) && RUNS("mov %%cr2, %0", : "=r"(value)) &&
	      value == 0x7000000123,
	      "read CR2");
	check(RUNS("mov %0, %%cr2", : : "r"(0x2468UL)) && vcpu_info->arch.cr2 == 0x2468,
	      "write CR2");
	check(RUNS("mov %%cr3, %0", : "=r"(value)) &&
	      (value & PTE_FRAME) >> PAGE_SHIFT == page_mfn(page_root()), "read CR3");
	check(RUNS("mov %%cr4, %0", : "=r"(cr4)), "read CR4: %lx", cr4);
	check(!(cr4 & 0x300000), "without SMEP and SMAP");
	check(RUNS("mov %0, %%cr4", : : "r"(cr4)), "write CR4 back");
	TRY("mov %0, %%cr4", : : "r"(cr4 | 0x2000) : "memory");
	TRY("mov %0, %%cr4", : : "r"(cr4 & ~0x20UL) : "memory");
	TRY("mov %0, %%cr4", : : "r"(~0UL) : "memory");
	check(RUNS("mov %0, %%cr4", : : "r"(cr4)), "odd values of CR4 do no harm");
	TRY("mov %%cr8, %0", : "=r"(value));
	TRY("mov %0, %%cr8", : : "r"(0UL) : "memory");
	check(RUNS("mov %0, %%dr0; ", : : "r"(0UL)) && RUNS("mov %%dr0, %0", : "=r"(value)),
	      "debug registers");
	check(RUNS("mov %%dr7, %0", : "=r"(value)) && RUNS("mov %0, %%dr7", : : "r"(0x400UL)),
	      "DR7");
}

static void faulting(void)
{
	static const char table[10];
	uint64_t v = 0;

#define FAULTS(text, ...) do {						\
	TRY(text, __VA_ARGS__);						\
	check(trap_last.vector == TRAP_GP || trap_last.vector == TRAP_UD,	\
	      "%s faults: %d", text, (int)trap_last.vector);		\
} while (0)
	FAULTS("lgdt %0", : : "m"(table));
	FAULTS("lidt %0", : : "m"(table));
	FAULTS("lldt %w0", : : "r"(0));
	FAULTS("ltr %w0", : : "r"(0));
	FAULTS("swapgs", : : : "memory");
	FAULTS("sysretq", : : : "memory");
	FAULTS("rsm", : : : "memory");
	FAULTS("vmcall", : : : "memory");
	FAULTS("vmmcall", : : : "memory");
	FAULTS("vmrun", : : "a"(0UL) : "memory");
	FAULTS("stgi", : : : "memory");
	FAULTS("invlpga", : : "a"(0UL), "c"(0) : "memory");
	FAULTS("mwait", : : "a"(0), "c"(0) : "memory");
	TRY("invd", : : : "memory");
	TRY("hlt", : : : "memory");
	TRY("cli", : : : "memory");
	TRY("sti", : : : "memory");
	TRY("wbinvd", : : : "memory");
	TRY("rdpmc", : : "c"(0) : "eax", "edx");
	TRY("invlpg (%0)", : : "r"(&v) : "memory");
	TRY("lmsw %w0", : : "r"(0xf) : "memory");
	TRY("sgdt %0", : "=m"(v));
	TRY("smsw %0", : "=r"(v));
	TRY("monitor", : : "a"(&v), "c"(0), "d"(0) : "memory");
	TRY("rdtscp", : : : "eax", "ecx", "edx");
	check(hyp_xen_version(0, NULL) > 0, "others come back one way or the other");
	asm volatile("pushf; orl $0x200, (%%rsp); popf; pushf; pop %0" : "=r"(v) : : "memory",
		     "cc");
	check(!(v & 0x3000), "popf does not give IOPL");
}

static void cpuid_native(uint32_t leaf, uint32_t out[4])
{
	asm volatile("cpuid" : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3]) : "0"(leaf),
		     "2"(0));
}

static void cpuid_forced(uint32_t leaf, uint32_t sub, uint32_t out[4])
{
	asm volatile(XEN_CPUID : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3]) : "0"(leaf),
		     "2"(sub));
}

/* Kernels that are told that a null selector clears the base don't write it: it must be true. */
static void null_selectors(void)
{
	uint32_t r[4];
	uint64_t base = 0;

	cpuid_forced(0x80000000, 0, r);
	if (r[0] < 0x80000021)
		return;
	cpuid_forced(0x80000021, 0, r);
	if (!(r[0] & 1 << 6))
		return;
	check(wrmsr(0xc0000100, 0x1000), "a base for FS");
	asm volatile("mov %w0, %%fs" : : "r"(0));
	check(rdmsr(0xc0000100, &base) && !base, "a null selector clears it: %lx", base);
}

static void cpu_identification(void)
{
	uint32_t native[4], r[4];

	cpuid_native(0, native);
	cpuid_forced(0, 0, r);
	check(r[1] == native[1] && r[2] == native[2] && r[3] == native[3],
	      "the vendor is the CPU's own");
	cpuid_forced(1, 0, r);
	check(r[2] & 1u << 31, "leaf 1 says hypervisor");
	check(!(r[2] & 1 << 5) && !(r[2] & 1 << 17), "and neither VMX nor PCID");
	check((r[3] & 1 << 9) || !kernel_is_dom0(), "dom0 has an APIC");
	cpuid_forced(7, 0, r);
	check(!(r[1] & 1 << 7) && !(r[1] & 1 << 20), "neither SMEP nor SMAP");
	check(!(r[2] & 1 << 16), "no LA57");
	check(!(r[2] & 1 << 3), "no PKU");
	cpuid_forced(0x80000001, 0, r);
	check(r[3] & 1 << 29 && r[3] & 1 << 20 && r[3] & 1 << 11, "long mode, NX and syscall");
	check(!(r[2] & 1 << 2), "no SVM");
	null_selectors();
	cpuid_forced(XEN_CPUID_LEAF(0), 0, r);
	check(r[1] == XEN_CPUID_SIGNATURE_EBX && r[2] == XEN_CPUID_SIGNATURE_ECX &&
	      r[3] == XEN_CPUID_SIGNATURE_EDX,
	      "the hypervisor's signature");
	check(r[0] >= XEN_CPUID_LEAF(2) && r[0] <= XEN_CPUID_LEAF(255), "up to leaf %x", r[0]);
	cpuid_forced(XEN_CPUID_LEAF(1), 0, r);
	check_eq(r[0], hyp_xen_version(XENVER_version, NULL), "its version");
	cpuid_forced(XEN_CPUID_LEAF(2), 0, r);
	check(r[2] & XEN_CPUID_FEAT1_MMU_PT_UPDATE_PRESERVE_AD, "its features");
	cpuid_forced(XEN_CPUID_LEAF(5), 0, r);
	check((r[1] & 0xff) == 0 || ((r[1] & 0xff) >= 20 && (r[1] & 0xff) <= 52),
	      "its address width: %u", r[1] & 0xff);
	cpuid_forced(0xffffffff, ~0u, r);
	cpuid_forced(XEN_CPUID_LEAF(255), ~0u, r);
	TRY(XEN_EMULATE_PREFIX "nop", : : : "memory");
	check_trap(TRAP_UD, 0, "the prefix before another instruction");
	TRY(XEN_EMULATE_PREFIX "ud2", : : : "memory");
	check_trap(TRAP_UD, 0, "the prefix before ud2");
}

/* XSA-122: what lies behind a text must be zero or left alone, not the hypervisor's stack. */
static void no_leaks(void)
{
	static const unsigned int cmds[] = {
		XENVER_extraversion, XENVER_compile_info, XENVER_capabilities, XENVER_changeset,
	};
	static const unsigned int widths[] = { 16, 64, 1024, 64 };
	static uint8_t buffer[4096];

	for (unsigned int i = 0; i < 4; i++) {
		unsigned int n = 0, strange = 0;

		memset(buffer, 0xaa, sizeof(buffer));
		check_eq(hyp_xen_version(cmds[i], buffer), 0, "xen_version %u", cmds[i]);
		while (n < widths[i] && buffer[n])
			n++;
		check(n < widths[i], "it ends within its field");
		for (; n < widths[i]; n++)
			strange += buffer[n] != 0 && buffer[n] != 0xaa;
		check_eq(strange, 0, "nothing else behind it");
	}
}

static void features(void)
{
	struct xen_feature_info info = { .submap_idx = 0 };

	check_eq(hyp_xen_version(XENVER_get_features, &info), 0, "get_features");
	check(info.submap & 1 << XENFEAT_mmu_pt_update_preserve_ad,
	      "mmu_pt_update_preserve_ad, or Linux panics");
	check(info.submap & 1 << XENFEAT_gnttab_map_avail_bits,
	      "gnttab_map_avail_bits, or Linux panics");
	check(!(info.submap & 1 << XENFEAT_writable_page_tables), "no writable page tables");
	check(!(info.submap & 1 << XENFEAT_auto_translated_physmap), "nor translated memory");
	check(!!(info.submap & 1 << XENFEAT_dom0) == kernel_is_dom0(), "dom0 for who is it");
	info.submap_idx = 1000;
	check_refused(hyp_xen_version(XENVER_get_features, &info), "submap 1000");
	check_eq(hyp_xen_version(XENVER_pagesize, NULL), 4096, "the page size");
	check_refused(hyp_xen_version(99, NULL), "xen_version 99");
}

USER_PROGRAM(user_in, "mov $0x80, %edx; in %dx, %al; ud2");
USER_PROGRAM(user_cli, "cli; ud2");
USER_PROGRAM(user_rdmsr, "mov $0xc0000080, %ecx; rdmsr; ud2");
USER_PROGRAM(user_cr0, "mov %cr0, %rax; ud2");
USER_PROGRAM(user_cpuid, "xor %eax, %eax; cpuid; ud2");

static void ports(void)
{
	static uint8_t bitmap[8192];
	struct physdev_set_iobitmap map = { .bitmap = GUEST_PTR(bitmap), .nr_ports = 65537 };
	struct physdev_set_iopl iopl = { .iopl = 4 };
	bool dom0 = kernel_is_dom0();
	uint32_t value = 0;
	uint64_t vector;

	check_eq(hyp_physdev_op(PHYSDEVOP_set_iopl, &iopl), -EINVAL, "IOPL 4");
	iopl.iopl = 1;
	check_eq(hyp_physdev_op(PHYSDEVOP_set_iopl, &iopl), 0, "IOPL 1");
	check(RUNS("out %%al, $0x80", : : "a"(0)) || !dom0, "out to port 0x80");
	check(RUNS("in $0x80, %%al", : "+a"(value)) || !dom0, "in from it");
	check(dom0 || (uint8_t)value == 0 || (uint8_t)value == 0xff,
	      "without the right to it there is nothing there");
	check_eq(user_run(user_in, user_in_end).vector, TRAP_GP, "in by user mode");
	check_refused(hyp_physdev_op(PHYSDEVOP_set_iobitmap, &map), "a bitmap of 65537 ports");
	map.nr_ports = 65536;
	if (hyp_physdev_op(PHYSDEVOP_set_iobitmap, &map) == 0) {
		vector = user_run(user_in, user_in_end).vector;
		check(vector == TRAP_UD || (!dom0 && vector == TRAP_GP),
		      "in by user mode then: %lu", vector);
		memset(bitmap, 0xff, sizeof(bitmap));
		check_eq(user_run(user_in, user_in_end).vector, TRAP_GP,
			 "and after it forbids all");
		map.nr_ports = 0;
		check_eq(hyp_physdev_op(PHYSDEVOP_set_iobitmap, &map), 0, "no bitmap");
	} else {
		print("note: no port bitmaps here\n");
	}
	iopl.iopl = 3;
	check_eq(hyp_physdev_op(PHYSDEVOP_set_iopl, &iopl), 0, "IOPL 3");
	vector = user_run(user_in, user_in_end).vector;
	check(vector == TRAP_UD || (!dom0 && vector == TRAP_GP), "in by user mode with it: %lu",
	      vector);
	iopl.iopl = 1;
	hyp_physdev_op(PHYSDEVOP_set_iopl, &iopl);
	/* XSA-67: string output from where nothing may be read. */
	static const uint64_t from[] = { 0xffff830000000000, 0x800000000000, 0x7000000000, ~0UL };
	for (unsigned int i = 0; i < 4; i++) {
		TRY("rep outsb", : : "d"(0x80), "S"(from[i]), "c"(2UL) : "memory");
		check(trap_last.vector == TRAP_PF || trap_last.vector == TRAP_GP,
		      "outs from %lx: %d", from[i],
		      (int)trap_last.vector);
	}
	TRY("rep insb", : : "d"(0x80), "D"(0xffff830000000000), "c"(2UL) : "memory");
	check(trap_last.vector == TRAP_PF || trap_last.vector == TRAP_GP, "ins to the hypervisor");
}

static void user_mode(void)
{
	check_eq(user_run(user_cli, user_cli_end).vector, TRAP_GP, "cli by user mode");
	check_eq(user_run(user_rdmsr, user_rdmsr_end).vector, TRAP_GP, "rdmsr by user mode");
	check_eq(user_run(user_cr0, user_cr0_end).vector, TRAP_GP, "reading CR0 by user mode");
	check_eq(user_run(user_cpuid, user_cpuid_end).vector, TRAP_UD, "cpuid by user mode works");
}

static void extended_state(void)
{
	uint32_t low, high, out[4];
	uint64_t cr4 = 0;

	cpuid_forced(1, 0, out);
	if (!(out[2] & 1 << 26))
		return;
	TRY("mov %%cr4, %0", : "=r"(cr4));
	check(RUNS("mov %0, %%cr4", : : "r"(cr4 | 1 << 18)), "set OSXSAVE in CR4");
	cpuid_forced(1, 0, out);
	check(out[2] & 1 << 27, "CPUID shows it");
	asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	check(RUNS("xsetbv", : : "a"(low), "d"(high), "c"(0)), "XCR0 as it is: %x", low);
	check(!RUNS("xsetbv", : : "a"(0), "d"(0), "c"(0)), "XCR0 without x87");	/* XSA-54 */
	check(!RUNS("xsetbv", : : "a"(5), "d"(0), "c"(0)), "AVX without SSE");
	check(!RUNS("xsetbv", : : "a"(~0u), "d"(~0u), "c"(0)), "XCR0 of all ones");
	check(!RUNS("xsetbv", : : "a"(low), "d"(high), "c"(1)), "XCR1");
}

void test_main(void)
{
	user_init();
	model_registers();
	control_registers();
	faulting();
	cpu_identification();
	features();
	no_leaks();
	ports();
	user_mode();
	extended_state();
}
