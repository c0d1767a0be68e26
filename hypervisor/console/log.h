/* SPDX-License-Identifier: MIT */
/*
 * The hypervisor's log: a ring in memory (what `enso dmesg` reads) that also goes to the serial line and the screen.
 * One call is one whole line, without a trailing newline; levels are filtered by loglvl= and guest_loglvl=.
 */
#ifndef CONSOLE_LOG_H
#define CONSOLE_LOG_H

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

void log_line(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...)		log_line(LOG_ERROR, __VA_ARGS__)
#define log_warning(...)	log_line(LOG_WARNING, __VA_ARGS__)
#define log_info(...)		log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...)		log_line(LOG_DEBUG, __VA_ARGS__)

/* What a guest caused: prefixed "d<domid>: ", filtered by guest_loglvl= and rate-limited, so that a guest can't flood the log. */
void log_guest(enum log_level level, unsigned domid, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
