/* SPDX-License-Identifier: MIT */
/*
 * Starting the other CPUs, one after the other: INIT, start-up message, wait until it says that
 * it is there. They then wait for smp_release(). And what CPUs do to each other later: kicks.
 * Protocol: Intel SDM 3A 8.4.4.
 */
#include "boot/boot.h"
#include "boot/trampoline.h"
#include "console/log.h"
#include "dev/acpi.h"
#include "domain/domain.h"
#include "lib/assert.h"
#include "lib/string.h"
#include "x86/apic.h"
#include "x86/cpu.h"
#include "x86/entry.h"
#include "x86/machine.h"
#include "x86/tsc.h"

#define PATIENCE_US	5000000

struct cpumask cpus_online;

static unsigned arrived;		/* the CPU that came up last */
static bool released;
static unsigned idling;

unsigned machine_cpu(void)
{
	return this_cpu()->cpu;
}

void *machine_current(void)
{
	return this_cpu()->current;
}

void machine_set_current(void *vcpu)
{
	this_cpu()->current = vcpu;
}

const struct cpumask *machine_cpus_online(void)
{
	return &cpus_online;
}

/* Who finds the bit set already knows that somebody else's interrupt is on its way. */
void machine_kick(unsigned cpu)
{
	uint32_t old = __atomic_fetch_or(&cpu_info_of(cpu)->work, WORK_KICK, __ATOMIC_SEQ_CST);

	if (!(old & WORK_KICK) && cpu != machine_cpu())
		apic_send(cpu, VECTOR_KICK);
}

/* C's first word on a new CPU; runs on its own stack, in our page tables. */
_Noreturn void smp_cpu_main(unsigned cpu)
{
	cpu_load_tables(cpu);
	cpu_init();
	apic_init_cpu();
	__atomic_store_n(&arrived, cpu, __ATOMIC_RELEASE);
	tsc_check_new_cpu();
	cpumask_set(&cpus_online, cpu);
	while (!__atomic_load_n(&released, __ATOMIC_ACQUIRE))
		machine_relax();
	vcpu_init_idle(cpu);
	__atomic_fetch_add(&idling, 1, __ATOMIC_SEQ_CST);
	cpu_run();
}

/* A page of RAM below 640 KiB where 16-bit code can run. */
static uint64_t low_page(void)
{
	for (uint64_t page = 0x8000; page < 0x9f000; page += PAGE_SIZE)
		for (unsigned i = 0; i < boot_info.map.n; i++)
			if (boot_info.map.entry[i].type == E820_RAM &&
			    boot_info.map.entry[i].start <= page &&
			    page + PAGE_SIZE <= boot_info.map.entry[i].end)
				return page;
	return 0;
}

static void prepare_trampoline(uint64_t page, unsigned cpu)
{
	struct trampoline_data *data;

	memcpy(boot_va(page), trampoline_start, (size_t)(trampoline_end - trampoline_start));
	data = boot_va(page + (uint64_t)(trampoline_data - trampoline_start));
	data->gdt_base = (uint32_t)(page + (uint64_t)(trampoline_gdt - trampoline_start));
	data->far_32 += (uint32_t)page;
	data->far_64 += (uint32_t)page;
	data->boot_cr3 = (uint32_t)((uint64_t)boot_l4 - IMAGE_VIRT + image_phys);
	data->cr3 = machine_tables_idle().n << PAGE_SHIFT;
	data->stack = (uint64_t)cpu_info_of(cpu) & ~15ull;
	data->cpu = cpu;
	data->nx = cpu_features.nx;
}

static bool start(unsigned cpu, uint32_t apic_id, uint64_t page)
{
	static unsigned highest;	/* whose area exists: a second attempt takes it over */

	if (cpu > highest && cpu_area_init(cpu))
		panic("no memory for CPU %u", cpu);
	highest = cpu;
	prepare_trampoline(page, cpu);
	apic_send_init(apic_id);
	tsc_wait_us(10000);
	for (unsigned attempt = 0; attempt < 2; attempt++) {
		apic_send_startup(apic_id, (uint8_t)(page >> PAGE_SHIFT));
		for (unsigned i = 0; i < (attempt ? PATIENCE_US / 100 : 10); i++) {
			if (__atomic_load_n(&arrived, __ATOMIC_ACQUIRE) == cpu)
				goto up;
			tsc_wait_us(100);
		}
	}
	apic_send_init(apic_id);	/* whatever it does, it ends: the next has its stack */
	tsc_wait_us(10000);
	return false;
up:
	tsc_check_boot_cpu();
	while (!cpumask_test(&cpus_online, cpu))
		machine_relax();
	return true;
}

void smp_start(void)
{
	uint32_t self = this_cpu()->apic_id;
	unsigned n = 1, limit = boot_info.options.max_cpus ? boot_info.options.max_cpus : CPU_MAX;
	uint64_t page = low_page();

	for (unsigned i = 0; i < acpi.nr_cpus && n < limit && page; i++) {
		if (acpi.cpu[i].apic_id == self)
			continue;
		if (start(n, acpi.cpu[i].apic_id, page))
			n++;
		else
			log_warning("CPU with APIC id %u does not start", acpi.cpu[i].apic_id);
	}
	log_info("%u CPU%s, TSCs %s", n, n > 1 ? "s" : "",
		 machine_ticks_stable() ? "stable" : "not stable");
}

void smp_release(void)
{
	unsigned others = 0;

	cpumask_for_each(cpu, &cpus_online)
		others += cpu != machine_cpu();
	__atomic_store_n(&released, true, __ATOMIC_RELEASE);
	while (__atomic_load_n(&idling, __ATOMIC_ACQUIRE) < others)
		machine_relax();
}

/* Most operations are over before anybody asks: they don't pay for a look at the clock. */
void machine_budget_start(void)
{
	this_cpu()->budget_end = 0;
}

/* A budget is about a millisecond. */
bool machine_budget_spent(void)
{
	struct cpu_info *me = this_cpu();
	uint64_t now = machine_ticks();

	if (!me->budget_end)
		me->budget_end = now + tsc_khz();
	return (int64_t)(now - me->budget_end) >= 0;
}
