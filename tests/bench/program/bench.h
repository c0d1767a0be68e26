/* SPDX-License-Identifier: MIT */
/*
 * The rows of the benchmark: what is done n times, and how often. A row's functions live in
 * calls.c, process.c, switches.c and memory.c; main.c has the table; measure.c the clock.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stddef.h>

struct row {
	const char *name;
	/* Makes what run() needs, with arg from this row; may be NULL. */
	void (*prepare)(int arg);
	/* Does the thing n times. */
	void (*run)(unsigned long n);
	/* Takes away what prepare() made; may be NULL. */
	void (*finish)(void);
	/*
	 * How often a round does it when the clock counts instructions: 2 to 8 ms on a bare
	 * machine.
	 */
	unsigned long count;
	int arg;
};

enum { FILE_BYTES = 1 << 20, PAGE_BYTES = 4096 };

/* How a row is measured. */
enum mode {
	MODE_WALL,	/* as often as takes a while */
	MODE_FIXED,	/* row.count times: repeats where the clock counts instructions */
};

/*
 * Measures a row and prints its line, "bench NAME MEDIAN ns min MIN max MAX rounds ROUNDS times
 * TIMES": the time of one of the TIMES that a round does it. Each round lies between two marks
 * for the plugin that counts (tests/bench/plugin).
 */
void measure(const struct row *row, enum mode mode);

/* The clock; lines for what is measured once: "bench NAME NS ns", "bench NAME RATE MiB/s". */
double now_ns(void);
void print_time(const char *name, double ns);
void print_rate(const char *name, double bytes, double ns);

/* Prints how long the command argv takes from start to end, in the same form, as row `name`. */
void measure_command(const char *name, char **argv);

/* Prints how long the kernel has been up, as row "boot". */
void report_uptime(void);

/* Prints what failed, with errno, and ends the program. */
void die(const char *what) __attribute__((noreturn));

/* A result that the compiler must not drop. */
extern volatile unsigned long bench_sink;

/* calls.c: one system call each, and the controls that make none. */
void user_run(unsigned long n);
void memcpy_run(unsigned long n);
void clock_run(unsigned long n);
void null_run(unsigned long n);
void io_prepare(int arg);
void io_run(unsigned long n);
void io_finish(void);
void stat_prepare(int arg);
void stat_run(unsigned long n);
void open_run(unsigned long n);
void stat_finish(void);
void select_prepare(int arg);
void select_run(unsigned long n);
void select_finish(void);

/* signals.c */
void install_run(unsigned long n);
void handle_prepare(int arg);
void handle_run(unsigned long n);
void fault_prepare(int arg);
void fault_run(unsigned long n);
void fault_finish(void);

/* process.c */
void fork_run(unsigned long n);
void exec_run(unsigned long n);
void shell_run(unsigned long n);

/* switches.c: arg is processes << 16 | KiB that each of them works on. */
void ring_prepare(int arg);
void ring_run(unsigned long n);
void ring_finish(void);
void pipe_prepare(int arg);
void unix_prepare(int arg);
void echo_run(unsigned long n);
void echo_finish(void);

/* memory.c */
void file_prepare(int arg);
void file_read_run(unsigned long n);
void file_write_run(unsigned long n);
void file_fault_run(unsigned long n);
void file_finish(void);
void anonymous_run(unsigned long n);

/* jobs.c */
int compile(const char *object);
void build_prepare(int arg);
void build_run(unsigned long n);
void build_finish(void);
void serve_prepare(int arg);
void serve_run(unsigned long n);
void serve_finish(void);

/* hogs.c: keeps a guest busy with "fork" or "disk", without an end. */
void hog(const char *what) __attribute__((noreturn));

/* disk.c, net.c: measure a disk, and streams to and from the host that runs stream_server(). */
void measure_disk(const char *path);
void measure_streams(const char *address);
void stream_server(void) __attribute__((noreturn));

#endif
