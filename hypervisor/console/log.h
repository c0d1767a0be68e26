/* SPDX-License-Identifier: MIT */
/*
 * The hypervisor's log: a ring in memory (what `enso dmesg` reads). What loglvl= lets through
 * also goes to the serial line and the screen. One call is one whole line, without a trailing
 * newline.
 */
#ifndef CONSOLE_LOG_H
#define CONSOLE_LOG_H

#include "lib/types.h"

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

void log_line(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...)		log_line(LOG_ERROR, __VA_ARGS__)
#define log_warning(...)	log_line(LOG_WARNING, __VA_ARGS__)
#define log_info(...)		log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...)		log_line(LOG_DEBUG, __VA_ARGS__)

/*
 * What a guest caused: prefixed "d<domid>: ", filtered by guest_loglvl= and rate-limited, so
 * that a guest can't flood the log.
 */
void log_guest(enum log_level level, unsigned domid, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The highest levels that are printed, for us and for guests; -1: nothing. */
void log_set_levels(int host, int guest);

/*
 * Copy what the ring holds from character number *from on (counted since boot; what is gone
 * already is skipped) and move *from behind it. Returns how many of `size` bytes were filled.
 */
size_t log_read(char *buf, size_t size, uint64_t *from);
/* Print the ring's last lines again: for panic, when nobody else runs. */
void log_print_last(unsigned lines);
/* Forget the ring's content (for readers that start at 0). */
void log_clear(void);

/*
 * Somebody is told when a line was added (VIRQ_CON_RING); called under the console lock, so it
 * must not log.
 */
extern void (*log_notify)(void);

#endif
