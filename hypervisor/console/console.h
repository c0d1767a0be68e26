/* SPDX-License-Identifier: MIT */
/*
 * The console: where text goes (sinks: serial lines, the screen) and where typed characters
 * wait for the control domain. One lock (RANK_CONSOLE) covers sinks, log ring and input ring.
 * It knows no device: dev/ brings the sinks.
 */
#ifndef CONSOLE_CONSOLE_H
#define CONSOLE_CONSOLE_H

#include "lib/types.h"

/*
 * Text goes to write() from now on, under the console lock. There is place for four sinks; at
 * start-up only.
 */
void console_add_sink(void (*write)(const char *text, size_t n));
/* Take a sink out again (the screen when dom0 has it). */
void console_remove_sink(void (*write)(const char *text, size_t n));
/*
 * The control domain's text (CONSOLEIO_write): to the sinks, not into the log. Lines of the log
 * never land inside one of its lines.
 */
void console_write(const char *text, size_t n);

/* A character was typed. False if the ring is full: it is lost. */
bool console_input(char c);
/*
 * Is there room for one more? If not, console_wanted() is called once a reader has made room, by
 * that reader, without locks.
 */
bool console_input_room(void);
extern void (*console_wanted)(void);
/* What was typed and not read yet, up to n bytes (CONSOLEIO_read). */
size_t console_read(char *buf, size_t n);

/* From now on nobody waits for the console lock: called once, by the CPU that panics. */
void console_bust(void);

#endif
