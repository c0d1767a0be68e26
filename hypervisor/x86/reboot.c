/* SPDX-License-Identifier: MIT */
/*
 * The end: power off and reset, by every way that this kind of machine is known to have. Other CPUs
 * go on until the hardware stops them all.
 */
#include "console/log.h"
#include "dev/acpi.h"
#include "x86/machine.h"

#define KEYBOARD_STATUS	0x64
#define KEYBOARD_BUSY	(1u << 1)
#define KEYBOARD_RESET	0xfe		/* pulse the reset line */
#define RESET_CONTROL	0xcf9		/* of the chipset: 2 is hard reset, 4 does it */

static void wait_ms(unsigned ms)
{
	uint64_t until = machine_now() + ms * 1000000ull;

	while (machine_now() < until)
		machine_relax();
}

static void reset_by_keyboard(void)
{
	for (unsigned i = 0; i < 10; i++) {
		if (!(machine_port_in(KEYBOARD_STATUS, 1) & KEYBOARD_BUSY))
			break;
		wait_ms(1);
	}
	machine_port_out(KEYBOARD_STATUS, 1, KEYBOARD_RESET);
	wait_ms(100);
}

/* An exception without any handler shuts the CPU down, which resets the machine. */
static _Noreturn void triple_fault(void)
{
	static const struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) none = { 0, 0 };

	asm volatile("lidt %0; int3" : : "m"(none));
	machine_halt();
}

_Noreturn void machine_reboot(void)
{
	acpi_reset();
	machine_port_out(RESET_CONTROL, 1, 2);
	machine_port_out(RESET_CONTROL, 1, 6);
	wait_ms(100);
	reset_by_keyboard();
	triple_fault();
}

_Noreturn void machine_poweroff(void)
{
	acpi_power_off_by_dsdt();
	log_error("the machine can't be switched off by us; it is safe to do it by hand");
	machine_halt();
}
