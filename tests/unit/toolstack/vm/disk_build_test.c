/* SPDX-License-Identifier: MIT */
/*
 * Orders for new disks: what is refused before anything happens, and that a build that can't start
 * leaves nothing behind. Builds themselves are tests/e2e's.
 * Links: toolstack/vm/ toolstack/build/ toolstack/config/ toolstack/lib/ toolstack/console/client.c
 * Links: hypervisor/lib/elf.c hypervisor/lib/pvimage.c
 * Links: toolstack/stream/ toolstack/hyp/grants.c tests/fake/hyp_save.c
 * Links: tests/fake/hyp.c tests/fake/store_client.c tests/fake/elf_image.c tests/fake/host.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/file.h"
#include "vm/defined.h"
#include "vm/disk_build.h"

static char folder[] = "/tmp/disk_build_test.XXXXXX";

static const struct disk_build good = {
	.kind = "debian", .name = "d", .size_mib = 2048, .mirror = "http://m/debian",
	.suite = "bookworm", .network = "default",
};

static void refused(const struct disk_build *build, enum error_code code, const char *says)
{
	struct vm vm = { 0 };
	struct error err = { 0 };

	assert_int_equal(disk_build(&vm, build, &err), -1);
	if (err.code != code || !strstr(err.text, says))
		fail_msg("error %d: %s", err.code, err.text);
}

#define REFUSED(says, ...)                                                                         \
	do {                                                                                       \
		struct disk_build build = good;                                                    \
		__VA_ARGS__;                                                                       \
		refused(&build, ERROR_USAGE, says);                                                \
	} while (0)

static void refuses_impossible_values(void **state)
{
	(void)state;
	REFUSED("possible: debian, busybox", build.kind = "../etc/passwd");
	REFUSED("letters, digits", build.name = "../a");
	REFUSED("letters, digits", build.name = "");
	REFUSED("letters, digits", build.name = "-a");
	REFUSED("letters, digits",
		build.name = "01234567890123456789012345" "6789012345678901234567890");
	REFUSED("letters, digits", build.hostname = "a b");
	REFUSED("1024 MiB", build.size_mib = 1023);
	REFUSED("16 TiB", build.size_mib = (UINT64_C(16) << 20) + 1);
	REFUSED("48 MiB", build.kind = "busybox", build.mirror = NULL, build.size_mib = 47);
	REFUSED("no packages", build.kind = "busybox");
	REFUSED("--mirror", build.mirror = NULL);
	REFUSED("only one of the two", build.medium = "/m.iso");
	REFUSED("http://", build.mirror = "https://m/debian");
	REFUSED("the mirror", build.mirror = "http://m/$(reboot)");
	REFUSED("the mirror", build.mirror = "http://m/a b");
	REFUSED("absolute", build.mirror = NULL, build.medium = "m.iso");
	REFUSED("medium's path", build.mirror = NULL, build.medium = "/m'/><disk");
	REFUSED("the suite", build.suite = "a\nKIND=b");
	REFUSED("the list of packages", build.packages = "a b");
	REFUSED("the network", build.network = "a'/>");
	REFUSED("the password", build.password = "a\nKIND=b");
	REFUSED("the ssh key", build.ssh_key = "a\nb");
}

static bool is_there(const char *name)
{
	char path[DISK_BUILD_PATH];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return !access(path, F_OK);
}

/* There is no /boot/builder.img here. */
static void leaves_nothing_behind(void **state)
{
	(void)state;
	refused(&good, ERROR_FILE, "builder.img");
	assert_true(is_there("images"));
	assert_false(is_there("images/d.img"));
	assert_false(is_there("images/d.img.part"));
	assert_false(is_there("run/build-d.order"));
}

static void keeps_what_exists(void **state)
{
	char path[DISK_BUILD_PATH], part[DISK_BUILD_PATH + 8];
	int lock;

	(void)state;
	disk_build_path("d", path);
	snprintf(part, sizeof(part), "%s.part", path);
	lock = file_lock(part, true);
	assert_true(lock >= 0);
	refused(&good, ERROR_EXISTS, "is being built");
	assert_true(is_there("images/d.img.part"));
	close(lock);
	assert_int_equal(file_write(path, "x", 1, 0600), 0);
	refused(&good, ERROR_EXISTS, "exists");
	assert_int_equal(unlink(path) | unlink(part), 0);
}

static int set_up(void **state)
{
	static char run[64];

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(run, sizeof(run), "%s/run", folder);
	vm_state_dir = folder;
	vm_run_dir = run;
	return 0;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_impossible_values),
		cmocka_unit_test(leaves_nothing_behind),
		cmocka_unit_test(keeps_what_exists),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
