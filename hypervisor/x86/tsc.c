/* SPDX-License-Identifier: MIT */
/*
 * The TSC: measured once against a clock of known rate, scaled by the formula of the guest ABI,
 * compared between CPUs. HPET: IA-PC HPET specification 1.0a; PM timer: ACPI 6.4, 4.8.3.3; PIT:
 * Intel 8254 data sheet.
 */
#include "x86/tsc.h"

#include "console/log.h"
#include "dev/acpi.h"
#include "lib/assert.h"
#include "x86/apic.h"
#include "x86/cpu.h"
#include "x86/insn.h"
#include "x86/machine.h"

#define PIT_HZ		1193182ull
#define PM_TIMER_HZ	3579545ull
#define SPAN		40000000ull	/* TSC ticks between two looks: some 10 ms */
#define TRIES		16

static uint64_t base, khz;
static uint32_t scale_mul;
static int8_t scale_shift;
static bool disagree;

/* -- comparing the TSC with another clock -- */

struct look {
	uint64_t tsc, clock;
};

/*
 * Both clocks at one time: of several attempts the one that took least. What came between the two
 * reads of the others (a host that ran somebody else) does not count.
 */
static struct look look(uint64_t (*read)(void))
{
	struct look best = { 0 };
	uint64_t least = ~0ull;

	for (unsigned i = 0; i < TRIES; i++) {
		uint64_t before = rdtsc_ordered(), clock = read(), took = rdtsc_ordered() - before;

		if (took < least) {
			least = took;
			best = (struct look){ before + took / 2, clock };
		}
	}
	return best;
}

static struct look look_later(uint64_t (*read)(void), struct look from)
{
	while (rdtsc() - from.tsc < SPAN)
		cpu_pause();
	return look(read);
}

/* Three looks whose two spans agree to a thousandth; the sum of both spans is then the result. */
bool tsc_compare(uint64_t (*read)(void), uint64_t mask, uint64_t *tsc_ticks, uint64_t *clock_ticks)
{
	struct look a = look(read), b = look_later(read, a), c;

	for (unsigned i = 0; i < TRIES; i++) {
		uint64_t ab, bc;

		c = look_later(read, b);
		*clock_ticks = ((b.clock - a.clock) & mask) + ((c.clock - b.clock) & mask);
		*tsc_ticks = c.tsc - a.tsc;
		if (!((b.clock - a.clock) & mask) || !((c.clock - b.clock) & mask))
			return false;			/* it stands still */
		ab = ((b.clock - a.clock) & mask) * (c.tsc - b.tsc);
		bc = ((c.clock - b.clock) & mask) * (b.tsc - a.tsc);
		if ((ab > bc ? ab - bc : bc - ab) < ab / 1024)
			return true;
		a = b;
		b = c;
	}
	return true;	/* never quiet enough: the last is as good as any */
}

static uint64_t measure(uint64_t (*read)(void), uint64_t mask, uint64_t hz)
{
	uint64_t tsc_ticks, clock_ticks;

	return tsc_compare(read, mask, &tsc_ticks, &clock_ticks) ? tsc_ticks * hz / clock_ticks : 0;
}

/* -- clocks to measure against: each returns TSC ticks per second, 0 if it is not there -- */

static volatile uint64_t *hpet;

static uint64_t read_hpet(void)
{
	return *(volatile uint32_t *)&hpet[0xf0 / 8];
}

static uint64_t measure_hpet(void)
{
	uint64_t period;

	if (!acpi.hpet_address)
		return 0;
	hpet = machine_map_device(acpi.hpet_address, 1024, false);
	if (!hpet)
		return 0;
	period = hpet[0] >> 32;				/* femtoseconds */
	if (!period || period > 100000000)
		return 0;
	hpet[0x10 / 8] |= 1;				/* run */
	return measure(read_hpet, 0xffffffff, 1000000000000000ull / period);
}

static uint64_t read_pm_timer(void)
{
	return machine_port_in((uint16_t)acpi.pm_timer.address, 4);
}

static uint64_t measure_pm_timer(void)
{
	if (!acpi.pm_timer.address || acpi.pm_timer.space != ACPI_SPACE_IO)
		return 0;
	return measure(read_pm_timer, acpi.pm_timer_32bit ? 0xffffffff : 0xffffff, PM_TIMER_HZ);
}

/* Channel 2, latched; it counts down. */
static uint64_t read_pit(void)
{
	uint64_t low;

	machine_port_out(0x43, 1, 0x80);
	low = machine_port_in(0x42, 1);
	return 0x10000 - (machine_port_in(0x42, 1) << 8 | low);
}

/* From 65536 down and round again, with the speaker off. */
static uint64_t measure_pit(void)
{
	uint8_t control = (uint8_t)machine_port_in(0x61, 1);
	uint64_t hz;

	machine_port_out(0x61, 1, (control & ~2u) | 1);
	machine_port_out(0x43, 1, 0xb4);
	machine_port_out(0x42, 1, 0);
	machine_port_out(0x42, 1, 0);
	hz = measure(read_pit, 0xffff, PIT_HZ);
	machine_port_out(0x61, 1, control);
	return hz;
}

/* ns = (ticks << shift, or >> -shift) * mul >> 32, with mul using all of its 32 bits. */
static void set_scale(uint64_t hz)
{
	uint64_t ns = 1000000000ull << 32;

	scale_shift = 0;
	while (hz > 1ull << 32) {
		hz >>= 1;
		scale_shift--;
	}
	/* 2^shift * mul / 2^32 = 10^9 / hz, mul < 2^32 */
	while (ns / hz > 0xffffffffull) {
		hz <<= 1;
		scale_shift++;
	}
	while (ns / hz < 0x80000000ull) {
		hz >>= 1;
		scale_shift--;
	}
	scale_mul = (uint32_t)(ns / hz);
}

void tsc_init(void)
{
	const char *by = "HPET";
	uint64_t hz = measure_hpet();

	if (!hz) {
		by = "PM timer";
		hz = measure_pm_timer();
	}
	if (!hz) {
		by = "PIT";
		hz = measure_pit();
	}
	if (!hz)
		panic("no clock to measure the TSC with");
	khz = hz / 1000;
	set_scale(hz);
	base = rdtsc_ordered();
	log_info("TSC %lu.%03lu MHz by %s", khz / 1000, khz % 1000, by);
}

uint64_t tsc_khz(void)
{
	return khz;
}

void tsc_wait_us(unsigned us)
{
	uint64_t start = rdtsc();

	while (rdtsc() - start < khz * us / 1000)
		cpu_pause();
}

/*
 * Two CPUs take turns to write down their TSC; each value must be at or after the one that the
 * other wrote before. An offset larger than the time of one turn shows in one of the
 * directions.
 */
#define ROUNDS	200

static volatile uint64_t turn_tsc;
static volatile unsigned turn;

static void take_turns(unsigned parity)
{
	for (unsigned i = parity; i < 2 * ROUNDS; i += 2) {
		uint64_t before, now;

		while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) != i)
			cpu_pause();
		before = turn_tsc;
		now = rdtsc_ordered();
		if (now < before)
			disagree = true;
		turn_tsc = now;
		__atomic_store_n(&turn, i + 1, __ATOMIC_RELEASE);
	}
}

void tsc_check_boot_cpu(void)
{
	take_turns(0);
	while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) != 2 * ROUNDS)
		cpu_pause();
	turn_tsc = 0;
	__atomic_store_n(&turn, 0, __ATOMIC_RELEASE);
}

void tsc_check_new_cpu(void)
{
	take_turns(1);
}

static uint64_t scale(uint64_t ticks)
{
	ticks = scale_shift >= 0 ? ticks << scale_shift : ticks >> -scale_shift;
	return (uint64_t)(((unsigned __int128)ticks * scale_mul) >> 32);
}

uint64_t machine_now(void)
{
	return khz ? scale(rdtsc_ordered() - base) : 0;
}

uint64_t machine_ticks(void)
{
	return rdtsc_ordered();
}

void machine_ticks_scale(uint32_t *mul, int8_t *shift)
{
	*mul = scale_mul;
	*shift = scale_shift;
}

uint64_t machine_ticks_khz(void)
{
	return khz;
}

uint64_t machine_ticks_base(void)
{
	return base;
}

void machine_timer_arm(uint64_t deadline)
{
	uint64_t now = machine_now(), ns = deadline > now ? deadline - now : 0;

	if (deadline == ~0ull)
		apic_timer(~0ull);
	else
		apic_timer(rdtsc() + min(ns, 1000000000000ull) * khz / 1000000 + 1);
}

/*
 * A virtual machine's TSC is kept steady by its host, which often does not say so by the
 * invariant bit.
 */
bool machine_ticks_stable(void)
{
	return !disagree && (cpu_features.invariant_tsc || cpu_features.hypervisor);
}
