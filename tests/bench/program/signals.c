// SPDX-License-Identifier: MIT
/*
 * Rows of signals: to install a handler, to send oneself one, and the one that a write to a read-
 * only page raises.
 */
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "bench.h"

static void handle(int signal)
{
	(void)signal;
	bench_sink++;
}

void install_run(unsigned long n)
{
	struct sigaction action = { .sa_handler = handle };

	for (unsigned long i = 0; i < n; i++)
		sigaction(SIGUSR1, &action, NULL);
}

void handle_prepare(int arg)
{
	struct sigaction action = { .sa_handler = handle };

	(void)arg;
	if (sigaction(SIGUSR1, &action, NULL))
		die("sigaction");
}

void handle_run(unsigned long n)
{
	int self = getpid();

	for (unsigned long i = 0; i < n; i++)
		kill(self, SIGUSR1);
}

/* Goes on behind the instruction in fault_run(), whose length is this. */
enum { FAULTING_BYTES = 3 };

static void step_over(int signal, siginfo_t *info, void *context)
{
	ucontext_t *interrupted = context;

	(void)signal;
	(void)info;
	interrupted->uc_mcontext.gregs[REG_RIP] += FAULTING_BYTES;
}

static char *read_only;

void fault_prepare(int arg)
{
	struct sigaction action = { .sa_sigaction = step_over, .sa_flags = SA_SIGINFO };

	(void)arg;
	if (sigaction(SIGSEGV, &action, NULL))
		die("sigaction");
	read_only = mmap(NULL, PAGE_BYTES, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (read_only == MAP_FAILED)
		die("mmap");
}

void fault_run(unsigned long n)
{
	/* movb $1, (%rax): c6 00 01 */
	for (unsigned long i = 0; i < n; i++)
		asm volatile("movb $1, (%0)" : : "a"(read_only) : "memory");
}

void fault_finish(void)
{
	munmap(read_only, PAGE_BYTES);
	signal(SIGSEGV, SIG_DFL);
}
