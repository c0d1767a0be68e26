/* SPDX-License-Identifier: MIT */
/*
 * What the CPUs can do, and setting one up: control registers, MSRs, the SMAP self-test. CPUID:
 * Intel SDM 2A, CPUID; control registers: 3A 2.5. All CPUs are taken to be like the first.
 */
#include "x86/cpu.h"

#include "boot/boot.h"
#include "console/log.h"
#include "lib/assert.h"
#include "lib/string.h"
#include "x86/entry.h"
#include "x86/extable.h"
#include "x86/insn.h"
#include "x86/machine.h"
#include "x86/msr.h"

/* x87, SSE, AVX, AVX-512: the states that guests may have. */
#define XCR0_OFFERED	0xe7ull

struct cpu_features cpu_features;

static void read_model(char *model)
{
	uint32_t words[12] = { 0 };

	if (cpuid(0x80000000, 0).a >= 0x80000004) {
		for (unsigned i = 0; i < 3; i++) {
			struct cpuid r = cpuid(0x80000002 + i, 0);

			memcpy(words + 4 * i, &r, sizeof(r));
		}
	}
	memcpy(model, words, sizeof(words));
}

/* QEMU's own emulation says who it is in the first hypervisor leaf. */
static bool on_tcg(void)
{
	struct cpuid r = cpuid(0x40000000, 0);

	return cpu_features.hypervisor && r.b == 0x54474354 && r.c == 0x43544743 &&
	       r.d == 0x47435447;	/* TCGTCGTCGTCG */
}

static void identify_xsave(struct cpu_features *f)
{
	struct cpuid d = cpuid(0xd, 0);

	/*
	 * QEMU (7.2 at least) takes CR4.OSXSAVE for reserved when the model has none of XSAVE's
	 * extensions (Opteron_G5), and then does not fault, but hangs: cpu_init() could not
	 * find that out.
	 */
	if (on_tcg() && !(cpuid(0xd, 1).a & 0xf)) {
		log_warning("XSAVE is broken in QEMU's model of this CPU: not used, no AVX");
		f->xsave = false;
		return;
	}

	f->xcr0 = d.a & XCR0_OFFERED;
	if ((f->xcr0 & 0xe0) != 0xe0)
		f->xcr0 &= 7;
	if (!(f->xcr0 & 4))
		f->xcr0 &= 3;
	f->xsave_size = d.c;
	f->xsaveopt = cpuid(0xd, 1).a & 1;
}

/*
 * AMD's CPUs before Zen 2 keep a segment's base when a null selector is loaded, and kernels that
 * are not told better write it anew at each switch. Nothing of ours uses FS.
 */
static bool null_selector_clears_base(void)
{
	uint64_t base;

	wrmsr(MSR_FS_BASE, PAGE_SIZE);
	asm volatile("mov %w0, %%fs" : : "r"(0));
	base = rdmsr(MSR_FS_BASE);
	wrmsr(MSR_FS_BASE, 0);
	return !base;
}

/* The least of some tries, as an interrupt of the host's or the firmware's may come between. */
static uint64_t store_ticks(bool by_words)
{
	uint64_t buffer[256], best = ~0ull;

	for (unsigned i = 0; i < 8; i++) {
		uint64_t count = by_words ? sizeof(buffer) / 8 : sizeof(buffer), start = rdtsc();
		void *to = buffer;

		if (by_words)
			asm volatile("rep stosq" : "+D"(to), "+c"(count) : "a"(0) : "memory");
		else
			asm volatile("rep stosb" : "+D"(to), "+c"(count) : "a"(0) : "memory");
		best = min(best, rdtsc() - start);
	}
	return best;
}

/*
 * A CPU with ERMS stores bytes as fast as words. An emulator that says so, and then goes byte by
 * byte, makes kernels clear and copy pages the slow way.
 */
static bool byte_strings_are_fast(void)
{
	if (!boot_info.options.erms_check || store_ticks(false) < 3 * store_ticks(true))
		return true;
	log_warning("ERMS is not fast on this CPU (or emulator): hidden from kernels");
	return false;
}

void cpu_identify(void)
{
	struct cpu_features *f = &cpu_features;
	uint32_t highest = cpuid(0, 0).a, highest_ext = cpuid(0x80000000, 0).a;
	struct cpuid one = cpuid(1, 0), seven = { 0 }, ext = cpuid(0x80000001, 0);

	if (highest >= 7)
		seven = cpuid(7, 0);
	/* AuthenticAMD, HygonGenuine */
	f->amd = cpuid(0, 0).c == 0x444d4163 || cpuid(0, 0).c == 0x656e6961;
	f->nx = ext.d >> 20 & 1;
	f->page1gb = ext.d >> 26 & 1;
	f->pge = one.d >> 13 & 1;
	f->mce = one.d >> 7 & 1;
	f->x2apic = one.c >> 21 & 1;
	f->tsc_deadline = one.c >> 24 & 1;
	f->hypervisor = one.c >> 31;
	f->xsave = one.c >> 26 & 1 && highest >= 0xd;
	f->smep = seven.b >> 7 & 1 && boot_info.options.smep;
	f->smap = seven.b >> 20 & 1 && boot_info.options.smap;
	f->fsgsbase = seven.b & 1;
	f->invariant_tsc = highest_ext >= 0x80000007 && cpuid(0x80000007, 0).d >> 8 & 1;
	f->paddr_bits = highest_ext >= 0x80000008 ? cpuid(0x80000008, 0).a & 0xff : 36;
	f->fast_byte_strings = seven.b >> 9 & 1 && byte_strings_are_fast();
	f->null_clears_base = f->amd && null_selector_clears_base();
	if (f->xsave)
		identify_xsave(f);
	read_model(f->model);
}

/* -- CR4: what CPUID promises is tried, bit by bit, on the boot CPU -- */

static const struct cr4_bit {
	uint64_t bit;
	const char *name;
	bool *have;
} cr4_bits[] = {
	{ CR4_MCE, "MCE", &cpu_features.mce },
	{ CR4_PGE, "PGE", &cpu_features.pge },
	{ CR4_OSXSAVE, "OSXSAVE", &cpu_features.xsave },
	{ CR4_SMEP, "SMEP", &cpu_features.smep },
	{ CR4_SMAP, "SMAP", &cpu_features.smap },
};

static bool cr4_write_safe(uint64_t value)
{
	bool ok = false;

	asm volatile("1: mov %1, %%cr4; movb $1, %0\n2:\n" EXTABLE(1b, 2b)
		     : "+m"(ok) : "r"(value) : "memory");
	return ok;
}

/* Sets what is there; what the CPU refuses, against its word, is not there from now on. */
static void cr4_set(struct cpu_info *me)
{
	me->cr4 = CR4_PAE | CR4_DE | CR4_OSFXSR | CR4_OSXMMEXCPT;
	write_cr4(me->cr4);
	for (unsigned i = 0; i < ARRAY_SIZE(cr4_bits); i++) {
		const struct cr4_bit *b = &cr4_bits[i];

		if (!*b->have)
			continue;
		if (cr4_write_safe(me->cr4 | b->bit)) {
			me->cr4 |= b->bit;
			continue;
		}
		if (me->cpu)
			panic("CPU %u refuses CR4.%s, CPU 0 does not", me->cpu, b->name);
		log_warning("CR4.%s is refused against CPUID's word: switched off", b->name);
		*b->have = false;
	}
}

void cpu_init(void)
{
	struct cpu_info *me = this_cpu();
	const struct cpu_features *f = &cpu_features;

	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SCE | (f->nx ? EFER_NXE : 0));
	write_cr0(CR0_PG | CR0_AM | CR0_WP | CR0_NE | CR0_ET | CR0_MP | CR0_PE);
	cr4_set(me);
	me->cr3 = read_cr3();
	me->ts = false;
	msr_write_safe(MSR_PAT, MACHINE_PAT);
	if (f->xsave) {
		me->xcr0 = f->xcr0;
		asm volatile("xsetbv" : : "c"(0), "a"((uint32_t)me->xcr0), "d"(0));
	}
	asm volatile("mov %0, %%dr7" : : "r"(0x400ul));
	me->dr7 = 0x400;
	entry_init_syscall();
}

/* -- the SMAP self-test: in ring 3 read a user page, directly and by iretq, while SMAP is on -- */

static bool smap_works(void)
{
	uint64_t *l4 = machine_va(machine_tables_idle()), page = PAGE_SIZE, *entry;
	const uint64_t frame[5] = { page + PROBE_RESUME, SEL_GUEST_CS64, 2, page + 128,
				    SEL_GUEST_DS };
	unsigned vector;
	int rc;

	rc = machine_map(VADDR(page), machine_mfn(machine_table_alloc()), 1,
			 MAP_WRITE | MAP_USER | MAP_EXEC | MAP_SMALL);
	ASSERT(!rc);
	entry = paging_entries(VADDR(page));
	memcpy(machine_va(MFN(*entry >> PAGE_SHIFT & 0xffffffffff)), probe_code, 16);
	memcpy((char *)machine_va(MFN(*entry >> PAGE_SHIFT & 0xffffffffff)) + 64, frame,
	       sizeof(frame));
	l4[0] |= 4;
	vector = probe_ring3(page);
	l4[0] = 0;
	machine_tables_load(machine_tables_idle(), true);
	return vector == 3;
}

void cpu_check_smap(void)
{
	if (!cpu_features.smap)
		return;
	if (smap_works()) {
		entry_patch_smap();
		return;
	}
	log_warning("SMAP is broken on this CPU (or emulator): switched off");
	cpu_features.smap = false;
	this_cpu()->cr4 &= ~CR4_SMAP;
	write_cr4(this_cpu()->cr4);
}
