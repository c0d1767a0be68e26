/* SPDX-License-Identifier: MIT */
/*
 * I/O ports, and the battery clock behind two of them (MC146818: registers 0-9, A and B;
 * century at 0x32 by custom).
 */
#include "x86/machine.h"

uint32_t machine_port_in(uint16_t port, unsigned bytes)
{
	uint32_t value = 0;

	switch (bytes) {
	case 1:
		asm volatile("inb %1, %b0" : "+a"(value) : "Nd"(port));
		break;
	case 2:
		asm volatile("inw %1, %w0" : "+a"(value) : "Nd"(port));
		break;
	default:
		asm volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
	}
	return value;
}

void machine_port_out(uint16_t port, unsigned bytes, uint32_t value)
{
	switch (bytes) {
	case 1:
		asm volatile("outb %b0, %1" : : "a"(value), "Nd"(port));
		break;
	case 2:
		asm volatile("outw %w0, %1" : : "a"(value), "Nd"(port));
		break;
	default:
		asm volatile("outl %0, %1" : : "a"(value), "Nd"(port));
	}
}

static unsigned cmos(unsigned reg)
{
	machine_port_out(0x70, 1, reg);
	return machine_port_in(0x71, 1);
}

/* A clock value: binary-coded decimal unless register B says otherwise. */
static unsigned clock_value(unsigned reg, bool binary)
{
	unsigned v = cmos(reg);

	return binary ? v : (v >> 4) * 10 + (v & 15);
}

uint64_t machine_wallclock(void)
{
	unsigned second, minute, hour, day, month, year, status;
	uint64_t days;

	do {
		for (unsigned i = 0; i < 1000000 && cmos(0xa) & 0x80; i++)
			;
		status = cmos(0xb);
		second = clock_value(0, status & 4);
		minute = clock_value(2, status & 4);
		hour = clock_value(4, status & 4) & 0x7f;
		if (!(status & 2))			/* 12 hours, bit 7: afternoon */
			hour = hour % 12 + (cmos(4) & 0x80 ? 12 : 0);
		day = clock_value(7, status & 4);
		month = clock_value(8, status & 4);
		year = clock_value(9, status & 4);
	} while (second != clock_value(0, status & 4));
	year += year < 70 ? 2000 : 1900;
	/* Days since 1970-01-01, with years that begin in March. */
	if (month < 3) {
		month += 12;
		year--;
	}
	days = 365ull * year + year / 4 - year / 100 + year / 400 + (153 * (month - 3) + 2) / 5 +
	       day - 719469;
	return ((days * 24 + hour) * 60 + minute) * 60 + second;
}
