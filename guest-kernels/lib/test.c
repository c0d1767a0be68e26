/* SPDX-License-Identifier: MIT */
/* Named checks and the one last line. */
#include "abi/sched.h"
#include "kernel.h"
#include "print.h"
#include "test.h"
#include "trap.h"

static unsigned int checks, failures;

static bool report(bool ok, const char *name, va_list args)
{
	checks++;
	failures += !ok;
	print(ok ? "ok    " : "FAIL  ");
	vprint(name, args);
	return ok;
}

bool check(bool ok, const char *name, ...)
{
	va_list args;

	va_start(args, name);
	report(ok, name, args);
	va_end(args);
	print("\n");
	return ok;
}

bool check_eq(int64_t got, int64_t want, const char *name, ...)
{
	va_list args;

	va_start(args, name);
	report(got == want, name, args);
	va_end(args);
	if (got != want)
		print(": %ld (%lx), not %ld (%lx)", got, got, want, want);
	print("\n");
	return got == want;
}

bool check_trap(unsigned int vector, uint32_t error, const char *name)
{
	bool ok = trap_last.vector == vector && (vector == TRAP_NONE || trap_last.error == error);

	check(ok, "%s", name);
	if (!ok)
		print("      vector %d error %x, not %d %x\n", (int)trap_last.vector,
		      trap_last.error,
		      (int)vector, error);
	return ok;
}

bool check_refused(int64_t got, const char *name)
{
	return check(got < 0, "refused (%ld): %s", got, name);
}

static void __attribute__((noreturn)) end(void)
{
	kernel_shutdown(SHUTDOWN_poweroff);
}

void skip(const char *reason)
{
	print("Test result: SKIP %s\n", reason);
	end();
}

void fail(const char *why)
{
	print("FAIL  %s\nTest result: FAIL %u\n", why, failures + 1);
	end();
}

void kernel_main(void)
{
	test_main();
	print("%u checks\n", checks);
	if (failures)
		print("Test result: FAIL %u\n", failures);
	else
		print("Test result: PASS\n");
	end();
}
