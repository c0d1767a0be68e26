/* SPDX-License-Identifier: MIT */
/*
 * The local APIC: Intel SDM 3A chapter 11. Registers are at 0x10 steps in memory, or MSRs
 * (x2APIC) that are numbered by the same offsets / 16. The timer is TSC-deadline where the CPU
 * has it, else one-shot with a measured rate.
 */
#include "x86/apic.h"

#include "boot/boot.h"
#include "console/log.h"
#include "lib/assert.h"
#include "mm/mm.h"
#include "x86/cpu.h"
#include "x86/insn.h"
#include "x86/machine.h"
#include "x86/msr.h"
#include "x86/tsc.h"

enum {
	APIC_ID = 0x20, APIC_TPR = 0x80, APIC_EOI = 0xb0, APIC_SPURIOUS = 0xf0, APIC_ICR = 0x300,
	APIC_ICR_HIGH = 0x310, APIC_LVT_TIMER = 0x320, APIC_LVT_THERMAL = 0x330,
	APIC_LVT_PERF = 0x340, APIC_LVT_LINT0 = 0x350, APIC_LVT_LINT1 = 0x360,
	APIC_LVT_ERROR = 0x370, APIC_TIMER_START = 0x380, APIC_TIMER_NOW = 0x390,
	APIC_TIMER_DIVIDE = 0x3e0,
};

#define BASE_ENABLE	(1ull << 11)
#define BASE_X2APIC	(1ull << 10)
#define ICR_BUSY	(1u << 12)
#define ICR_ASSERT	(1u << 14)
#define ICR_LEVEL	(1u << 15)
#define ICR_OTHERS	(3u << 18)
#define ICR_NMI		(4u << 8)
#define ICR_INIT	(5u << 8)
#define ICR_STARTUP	(6u << 8)
#define LVT_MASKED	(1u << 16)
#define LVT_NMI		(4u << 8)
#define LVT_DEADLINE	(2u << 17)
#define DIVIDE_BY_1	0xbu

static bool x2apic, deadline;
static volatile uint32_t *registers;
static uint32_t rate_mul;		/* timer ticks = TSC ticks * rate_mul >> 32 */

static uint32_t read(unsigned reg)
{
	return x2apic ? (uint32_t)rdmsr(MSR_X2APIC + reg / 16) : registers[reg / 4];
}

static void write(unsigned reg, uint32_t value)
{
	if (x2apic)
		wrmsr(MSR_X2APIC + reg / 16, value);
	else
		registers[reg / 4] = value;
}

static void command(uint32_t apic_id, uint32_t low)
{
	if (x2apic) {
		/* Not a serialising MSR: SDM 3A 11.12.3. */
		asm volatile("mfence; lfence" : : : "memory");
		wrmsr(MSR_X2APIC + APIC_ICR / 16, (uint64_t)apic_id << 32 | low);
		return;
	}
	while (read(APIC_ICR) & ICR_BUSY)
		cpu_pause();
	write(APIC_ICR_HIGH, apic_id << 24);
	write(APIC_ICR, low);
}

void apic_init(uint64_t address)
{
	uint64_t base = rdmsr(MSR_APIC_BASE);

	address = address ? address : 0xfee00000;
	mm_deny_io((struct mm_range){ address, address + PAGE_SIZE });
	x2apic = cpu_features.x2apic && (boot_info.options.x2apic || base & BASE_X2APIC);
	if (!x2apic) {
		registers = machine_map_device(address, PAGE_SIZE, false);
		ASSERT(registers);
	}
	deadline = cpu_features.tsc_deadline && boot_info.options.tsc_deadline;
}

void apic_init_cpu(void)
{
	uint64_t base = rdmsr(MSR_APIC_BASE) | BASE_ENABLE;

	wrmsr(MSR_APIC_BASE, base);
	if (x2apic && !(base & BASE_X2APIC))
		wrmsr(MSR_APIC_BASE, base | BASE_X2APIC);
	this_cpu()->apic_id = x2apic ? read(APIC_ID) : read(APIC_ID) >> 24;
	write(APIC_TPR, 0);
	write(APIC_LVT_LINT0, LVT_MASKED);
	write(APIC_LVT_LINT1, machine_cpu() ? LVT_MASKED : LVT_NMI);
	write(APIC_LVT_THERMAL, LVT_MASKED);
	write(APIC_LVT_PERF, LVT_MASKED);
	write(APIC_LVT_ERROR, LVT_MASKED | VECTOR_APIC_ERROR);
	write(APIC_SPURIOUS, 0x100 | VECTOR_SPURIOUS);
	write(APIC_TIMER_DIVIDE, DIVIDE_BY_1);
	write(APIC_LVT_TIMER, VECTOR_TIMER | (deadline ? LVT_DEADLINE : 0));
	asm volatile("mfence" : : : "memory");
	apic_timer(~0ull);
}

static uint64_t timer_elapsed(void)
{
	return ~read(APIC_TIMER_NOW);
}

void apic_calibrate(void)
{
	uint64_t ticks, tsc_ticks;

	if (!deadline) {
		write(APIC_LVT_TIMER, LVT_MASKED | VECTOR_TIMER);
		write(APIC_TIMER_START, ~0u);
		if (!tsc_compare(timer_elapsed, 0xffffffff, &tsc_ticks, &ticks))
			panic("the local APIC's timer stands still");
		write(APIC_TIMER_START, 0);
		write(APIC_LVT_TIMER, VECTOR_TIMER);
		/* A timer faster than the TSC would need 33 bits; none is known. */
		rate_mul = (uint32_t)min((ticks << 32) / tsc_ticks, 0xffffffffull);
		ASSERT(rate_mul);
	}
	log_info("%s, timer %s", x2apic ? "x2APIC" : "xAPIC",
		 deadline ? "by TSC deadline" : "one-shot");
}

void apic_send(unsigned cpu, uint8_t vector)
{
	command(cpu_info_of(cpu)->apic_id, ICR_ASSERT | vector);
}

void apic_send_nmi_others(void)
{
	command(0, ICR_ASSERT | ICR_OTHERS | ICR_NMI);
}

void apic_send_init(uint32_t apic_id)
{
	command(apic_id, ICR_INIT | ICR_LEVEL | ICR_ASSERT);
}

void apic_send_startup(uint32_t apic_id, uint8_t page)
{
	command(apic_id, ICR_STARTUP | ICR_ASSERT | page);
}

void apic_eoi(void)
{
	write(APIC_EOI, 0);
}

void apic_timer(uint64_t tsc)
{
	uint64_t now, ticks;

	if (deadline) {
		wrmsr(MSR_TSC_DEADLINE, tsc == ~0ull ? 0 : max(tsc, 1ull));
		return;
	}
	if (tsc == ~0ull) {
		write(APIC_TIMER_START, 0);
		return;
	}
	now = rdtsc();
	/*
	 * Rounded up, so that it does not fire early and again; what is longer than 32 bits
	 * comes back in between.
	 */
	ticks = tsc > now ? (uint64_t)(((unsigned __int128)(tsc - now) * rate_mul) >> 32) + 1 : 1;
	write(APIC_TIMER_START, (uint32_t)min(ticks, 0xffffffffull));
}
