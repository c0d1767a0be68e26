/* SPDX-License-Identifier: MIT */
/* Start-up, in order, on the boot CPU. */
#include "boot/boot.h"
#include "boot/bootmem.h"
#include "boot/cmdline.h"
#include "boot/dom0.h"
#include "boot/input.h"
#include "boot/multiboot2.h"
#include "console/log.h"
#include "dev/acpi.h"
#include "dev/efi.h"
#include "dev/serial.h"
#include "dev/vga.h"
#include "domain/domain.h"
#include "hypercall/hypercall.h"
#include "irq/irq.h"
#include "lib/assert.h"
#include "lib/lock.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "mm/mm.h"
#include "sched/sched.h"
#include "time/time.h"
#include "x86/apic.h"
#include "x86/cpu.h"
#include "x86/entry.h"
#include "x86/machine.h"
#include "x86/tsc.h"

extern char image_start[], image_end[];

/*
 * Bytes for the page tables of frame table and M2P: 40 bytes a frame, 512 entries of 2 MiB a
 * table, and some to spare.
 */
#define BOOT_TABLES	(512 * 1024)

/* The legacy display's memory. */
#define VGA_START	0xa0000ull
#define VGA_FRAMES	32

struct boot_info boot_info;

static struct e820_map free_map;	/* RAM that is nobody's */
static uint64_t mbi_start, mbi_end;

_Noreturn void boot_main(uint32_t magic, uint32_t information);

void *boot_va(uint64_t paddr)
{
	return machine_va(MFN(0)) + paddr;
}

static void ignore(const char *what, const char *option)
{
	(void)what;
	(void)option;
}

static void complain(const char *what, const char *option)
{
	log_warning("command line: %s: %s", option, what);
}

static void console_start(void)
{
	const struct boot_options *o = &boot_info.options;
	const struct boot_video *v = &boot_info.video;

	for (unsigned i = 0; i < ARRAY_SIZE(o->com); i++) {
		const struct serial_options *s = &o->com[i];

		if (o->console_com[i])
			serial_init(i, &(struct serial_config){ s->port, s->baud, s->bits, s->stop,
								s->parity });
	}
	if (o->console_vga && v->kind == VIDEO_TEXT && v->address >= VGA_START &&
	    v->address < VGA_START + VGA_FRAMES * PAGE_SIZE)
		vga_init(boot_va(v->address), v->width, v->height);
	log_set_levels(o->loglvl, o->guest_loglvl);
	lock_checks = o->lock_check || ENSO_DEBUG;
}

/* What GRUB left, and the options in it; the console starts with them. */
static void read_boot_information(uint32_t magic, uint32_t information)
{
	struct boot_options again;
	const char *why = "GRUB must start this by its command multiboot2";
	int rc = -1;

	cmdline_defaults(&boot_info.options);
	if (magic == MULTIBOOT2_MAGIC) {
		const uint32_t *size = boot_va(information);

		mbi_start = information;
		mbi_end = mbi_start + *size;
		rc = multiboot2_parse(&boot_info, size, *size, &why);
	}
	cmdline_parse(&boot_info.options, boot_info.cmdline, ignore);
	console_start();
	log_info("Enso, a hypervisor for paravirtual guests; started by %s", boot_info.loader);
	log_info("command line: %s", boot_info.cmdline);
	host_command_line = boot_info.cmdline;
	if (rc)
		panic("boot information: %s", why);
	cmdline_defaults(&again);
	cmdline_parse(&again, boot_info.cmdline, complain);
}

static void print_map(void)
{
	static const char *const types[] = { "", "RAM", "reserved", "ACPI", "NVS", "bad" };

	for (unsigned i = 0; i < boot_info.map.n; i++) {
		const struct e820_entry *e = &boot_info.map.entry[i];

		log_info("memory %012lx-%012lx %s", e->start, e->end, types[e->type]);
	}
}

static void find_free_memory(void)
{
	uint64_t image = image_phys + ((uint64_t)image_start - IMAGE_VIRT);

	if (e820_sanitise(&boot_info.map, &boot_info.firmware_map))
		panic("the memory map has too many entries");
	print_map();
	log_debug("image at %#lx", image);
	free_map = boot_info.map;
	e820_reserve(&free_map, 0, 0x100000);
	e820_reserve(&free_map, image, image + (uint64_t)(image_end - image_start));
	e820_reserve(&free_map, mbi_start, ALIGN_UP(mbi_end, PAGE_SIZE));
	for (unsigned i = 0; i < boot_info.nr_modules; i++)
		e820_reserve(&free_map, boot_info.module[i].start & PAGE_MASK,
			     ALIGN_UP(boot_info.module[i].end, PAGE_SIZE));
	bootmem_init(&free_map);
}

/* Our own tables in place of boot/head.S's. */
static void map_memory(void)
{
	machine_table_alloc = bootmem_alloc;
	paging_init();
	for (unsigned i = 0; i < boot_info.map.n; i++) {
		const struct e820_entry *e = &boot_info.map.entry[i];
		uint64_t start = e->start >> PAGE_SHIFT, frames = (e->end >> PAGE_SHIFT) - start;

		if (e->type == E820_RAM && machine_map(VADDR(machine_va(MFN(start))), MFN(start),
						       frames, MAP_WRITE | MAP_GLOBAL))
			panic("out of memory while mapping memory");
	}
	/* dev/vga.c writes to the text screen where boot/head.S has it mapped. */
	if (machine_map(VADDR(boot_va(VGA_START)), MFN(VGA_START >> PAGE_SHIFT), VGA_FRAMES,
			MAP_WRITE | MAP_GLOBAL | MAP_UNCACHED))
		panic("out of memory while mapping the screen");
	paging_load();
}

static void *table_from_heap(void)
{
	return heap_alloc(PAGE_SIZE);
}

static unsigned ram_ranges(const struct e820_map *map, struct mm_range *range)
{
	unsigned n = 0;

	for (unsigned i = 0; i < map->n; i++)
		if (map->entry[i].type == E820_RAM)
			range[n++] = (struct mm_range){ map->entry[i].start, map->entry[i].end };
	return n;
}

static void hand_memory_over(void)
{
	static struct mm_range ram[E820_MAX], unused[E820_MAX];
	static struct mm_map_entry entry[E820_MAX];
	unsigned nr_ram = ram_ranges(&boot_info.map, ram);
	uint64_t start, end;

	for (unsigned i = 0; i < boot_info.map.n; i++) {
		const struct e820_entry *e = &boot_info.map.entry[i];

		entry[i] = (struct mm_map_entry){ e->start, e->end - e->start, e->type };
	}
	mm_set_machine_map(entry, boot_info.map.n);
	/*
	 * mm_init() still takes page tables from the boot allocator: what it may take it does
	 * not get, until it is done.
	 */
	bootmem_limit(BOOT_TABLES, &start, &end);
	e820_reserve(&free_map, start, end);
	mm_init(ram, nr_ram, unused, ram_ranges(&free_map, unused));
	machine_table_alloc = table_from_heap;
	mm_free_range((struct mm_range){ start, bootmem_bottom() });
	log_info("%lu MiB of RAM, %lu MiB free", mm_total_frames() >> 8, mm_free_frames() >> 8);
}

/* On CPU 0's own stack. */
static _Noreturn void start(void)
{
	cpu_load_tables(0);
	cpu_init();
	cpu_check_smap();
	hand_memory_over();
	acpi_init(boot_info.rsdp_size ? boot_info.rsdp : NULL, boot_info.rsdp_size);
	efi_init(boot_info.efi_system_table);
	tsc_init();
	apic_init(acpi.lapic_address);
	apic_init_cpu();
	apic_calibrate();
	cpumask_set(&cpus_online, 0);
	smp_start();
	irq_init();
	time_init();
	sched_init();
	vcpu_init_idle(0);
	smp_release();
	input_start();
	dom0_build(&boot_info);
	if (!boot_info.options.vga_keep)
		vga_release();		/* the screen is domain 0's now */
	cpu_run();
}

_Noreturn void boot_main(uint32_t magic, uint32_t information)
{
	read_boot_information(magic, information);
	cpu_identify();
	log_info("%s:%s%s%s%s%s", cpu_features.model, cpu_features.nx ? " NX" : "",
		 cpu_features.smep ? " SMEP" : "", cpu_features.smap ? " SMAP" : "",
		 cpu_features.xsave ? " XSAVE" : "", cpu_features.page1gb ? " 1-GiB pages" : "");
	find_free_memory();
	map_memory();
	traps_init();
	if (cpu_area_init(0))
		panic("no memory for CPU 0");
	entry_switch_stack((uint64_t)cpu_info_of(0), start);
}
