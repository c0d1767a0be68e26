/* SPDX-License-Identifier: MIT */
/* The hypervisor's options, by the names that the field knows. */
#ifndef BOOT_CMDLINE_H
#define BOOT_CMDLINE_H

#include "lib/types.h"

/* A serial port: com1=BAUD[,FORMAT[,PORT]]. FORMAT is like 8n1. */
struct serial_options {
	uint32_t baud;			/* 0: leave the port as firmware set it ("auto") */
	uint16_t port;
	uint8_t bits, stop;
	char parity;			/* n o e m s */
};

struct boot_options {
	bool console_com[2], console_vga;
	struct serial_options com[2];
	bool vga_keep;			/* vga=keep: go on writing after dom0 has the screen */
	uint64_t dom0_mem, dom0_mem_min, dom0_mem_max;	/* bytes, 0: not given */
	unsigned dom0_max_vcpus;	/* 0: as many as there are CPUs */
	int loglvl, guest_loglvl;	/* enum log_level, -1: nothing */
	bool noreboot;
	unsigned max_cpus;		/* 0: no limit; nosmp is 1 */
	bool smap, smep, x2apic, tsc_deadline;
	bool erms_check;		/* hide ERMS where it is not fast */
	bool lock_check;		/* check lock order and holders; always in debug builds */
};

/* The values that hold if the command line says nothing. */
void cmdline_defaults(struct boot_options *o);
/*
 * Read a command line into `o`. What is unknown or cannot be read is handed to complain(what,
 * option) and otherwise ignored; `option` lives only as long as the call.
 */
void cmdline_parse(struct boot_options *o, const char *line,
		   void (*complain)(const char *what, const char *option));

#endif
