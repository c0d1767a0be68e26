/* SPDX-License-Identifier: MIT */
/*
 * A CPU's area: stacks, GDT and LDT windows, TSS. The GDT's first 14 pages show the running
 * guest's frames (or zeroes), the 15th is ours; so GDTR never changes. Descriptors: Intel SDM
 * 3A 3.4.5 and 7.2.3.
 */
#include "abi/errno.h"
#include "lib/assert.h"
#include "lib/string.h"
#include "x86/cpu.h"
#include "x86/entry.h"
#include "x86/insn.h"
#include "x86/machine.h"
#include "x86/vcpu.h"

#define PTE_PRESENT	0x1ull
#define PTE_OURS	0x8000000000000063ull	/* NX D A W P */

struct tss {
	uint32_t reserved_0;
	uint64_t rsp[3];
	uint64_t reserved_1;
	uint64_t ist[7];
	uint64_t reserved_2;
	uint16_t reserved_3, iomap;
} __attribute__((packed));

struct table_register {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

static struct idt_gate idt[256] __attribute__((aligned(4096)));
static const uint8_t zero_page[4096] __attribute__((aligned(4096))) = { 0 };

static void put_system_descriptor(uint64_t *gdt, unsigned selector, uint64_t base, uint32_t limit,
				  unsigned type)
{
	uint64_t *d = gdt + (selector - GDT_OURS_OFFSET) / 8;

	d[0] = (limit & 0xffff) | (base & 0xffffff) << 16 | (uint64_t)(0x80 | type) << 40 |
	       (base >> 24 & 0xff) << 56;
	d[1] = base >> 32;
}

static int map_pages(uint64_t va, unsigned n)
{
	int rc = 0;

	for (; n && !rc; n--, va += PAGE_SIZE) {
		void *page = machine_table_alloc();

		rc = page ? machine_map(VADDR(va), machine_mfn(page), 1,
					MAP_WRITE | MAP_GLOBAL | MAP_SMALL) :
			    -ENOMEM;
	}
	return rc;
}

static void fill(unsigned cpu)
{
	uint64_t area = cpu_area(cpu), *gdt = (uint64_t *)(area + CPU_GDT + GDT_OURS_OFFSET);
	struct tss *tss = (struct tss *)(area + CPU_TSS);

	gdt[1] = 0x00af9b000000ffff;	/* 0xe008: ring 0, 64-bit code */
	gdt[2] = 0x00cf93000000ffff;	/* 0xe010: ring 0, data */
	gdt[4] = 0x00cffb000000ffff;	/* 0xe023: ring 3, 32-bit code */
	gdt[5] = 0x00cff3000000ffff;	/* 0xe02b: ring 3, data */
	gdt[6] = 0x00affb000000ffff;	/* 0xe033: ring 3, 64-bit code */
	put_system_descriptor(gdt, SEL_TSS, (uint64_t)tss, sizeof(*tss) - 1, 9);
	tss->rsp[0] = (uint64_t)(&cpu_info_of(cpu)->regs + 1);
	tss->ist[0] = area + CPU_STACK_NMI + PAGE_SIZE;
	tss->ist[1] = area + CPU_STACK_DF + PAGE_SIZE;
	tss->ist[2] = area + CPU_STACK_MC + PAGE_SIZE;
	tss->ist[3] = area + CPU_STACK_DB + PAGE_SIZE;
	tss->iomap = sizeof(*tss);	/* beyond the limit: every in and out of ring 3 faults */
	cpu_info_of(cpu)->cpu = cpu;
	cpu_info_of(cpu)->area = paging_entries(VADDR(area));
}

int cpu_area_init(unsigned cpu)
{
	static const struct {
		uint32_t offset, pages;
	} parts[] = {
		{ CPU_STACK_MC, 1 }, { CPU_STACK_NMI, 1 }, { CPU_STACK_DF, 1 }, { CPU_STACK_DB, 1 },
		{ CPU_STACK_MAIN, 8 }, { CPU_GDT + GDT_OURS_OFFSET, 1 }, { CPU_TSS, 1 },
	};
	mfn_t zero = machine_mfn(zero_page);
	int rc = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(parts) && !rc; i++)
		rc = map_pages(cpu_area(cpu) + parts[i].offset, parts[i].pages);
	for (unsigned i = 0; i < GDT_GUEST_FRAMES && !rc; i++)
		rc = machine_map(VADDR(cpu_area(cpu) + CPU_GDT + i * PAGE_SIZE), zero, 1,
				 MAP_GLOBAL | MAP_SMALL);
	for (unsigned i = 0; i < LDT_MAX_FRAMES && !rc; i++)
		rc = machine_map(VADDR(cpu_area(cpu) + CPU_LDT + i * PAGE_SIZE), zero, 1,
				 MAP_GLOBAL | MAP_SMALL);
	if (!rc)
		fill(cpu);
	return rc;
}

/* Interrupt stacks as fill() has them; int3 and into are for everybody. */
void traps_init(void)
{
	for (unsigned v = 0; v < 256; v++) {
		unsigned ist = v == 2 ? 1 : v == 8 ? 2 : v == 18 ? 3 : v == 1 ? 4 : 0;

		idt[v] = idt_gate((uint64_t)entry_vectors + 16 * v, SEL_CS, ist,
				  v == 3 || v == 4 ? 3 : 0);
	}
	probe_idt[3] = idt_gate(probe_handlers[0], SEL_CS, 0, 3);
	probe_idt[13] = idt_gate(probe_handlers[1], SEL_CS, 0, 0);
	probe_idt[14] = idt_gate(probe_handlers[2], SEL_CS, 0, 0);
}

void cpu_load_tables(unsigned cpu)
{
	struct table_register gdtr = { GDT_OURS_OFFSET + PAGE_SIZE - 1, cpu_area(cpu) + CPU_GDT };
	struct table_register idtr = { sizeof(idt) - 1, (uint64_t)idt };

	asm volatile("lgdt %0; lidt %1" : : "m"(gdtr), "m"(idtr));
	asm volatile("pushq %0; lea 1f(%%rip), %%rax; pushq %%rax; lretq; 1:"
		     :
		     : "i"(SEL_CS)
		     : "rax", "memory");
	asm volatile("mov %0, %%ss" : : "r"(SEL_DS));
	asm volatile("mov %0, %%ds; mov %0, %%es; mov %0, %%fs; mov %0, %%gs" : : "r"(0));
	asm volatile("ltr %w0; lldt %w1" : : "r"(SEL_TSS), "r"(0));
}

/*
 * Show `n` guest frames, or zeroes, in a window of `total` pages; only entries that change are
 * touched and flushed.
 */
static void show(unsigned offset, const mfn_t *frames, unsigned n, unsigned total)
{
	struct cpu_info *me = this_cpu();
	uint64_t zero = machine_mfn(zero_page).n << PAGE_SHIFT | (PTE_OURS & ~2ull);

	for (unsigned i = 0; i < total; i++) {
		uint64_t *entry = &me->area[offset / PAGE_SIZE + i], want = zero;

		if (i < n && !mfn_eq(frames[i], MFN_NONE))
			want = frames[i].n << PAGE_SHIFT | PTE_OURS;
		if (!cpu_features.nx)
			want &= ~(1ull << 63);
		if (*entry == want)
			continue;
		*entry = want;
		invlpg(cpu_area(me->cpu) + offset + i * PAGE_SIZE);
	}
}

void machine_vcpu_load_gdt(struct machine_vcpu *mv)
{
	show(CPU_GDT, mv->gdt, DIV_ROUND_UP(mv->gdt_entries, 512), GDT_GUEST_FRAMES);
}

void machine_vcpu_load_ldt(struct machine_vcpu *mv)
{
	uint64_t area = cpu_area(machine_cpu()),
		 *gdt = (uint64_t *)(area + CPU_GDT + GDT_OURS_OFFSET);

	if (!mv->ldt_entries) {
		asm volatile("lldt %w0" : : "r"(0));
		return;
	}
	show(CPU_LDT, mv->ldt, DIV_ROUND_UP(mv->ldt_entries, 512), LDT_MAX_FRAMES);
	put_system_descriptor(gdt, SEL_LDT, area + CPU_LDT, mv->ldt_entries * 8 - 1, 2);
	asm volatile("lldt %w0" : : "r"(SEL_LDT));
}
