/* SPDX-License-Identifier: MIT */
/*
 * What others than root may name of the host's files: nothing that they could not read themselves,
 * nothing that they could replace afterwards, and to write to only what is in the guests' folders;
 * however it is spelled, and whatever an image says that it stands on.
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

#include "vm/allowed.h"
#include "vm/defined.h"
#include "vm/diskfile.h"

static char folder[] = "/tmp/allowed_test.XXXXXX";
static struct error err;

/* A path in the test's folder; one of four. */
static const char *in(const char *name)
{
	static char paths[4][200];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

static void file(const char *name, mode_t mode)
{
	FILE *out = fopen(in(name), "w");

	assert_non_null(out);
	fputs("content", out);
	fclose(out);
	assert_int_equal(chmod(in(name), mode), 0);
}

static void dir(const char *name, mode_t mode)
{
	mkdir(in(name), 0700);
	assert_int_equal(chmod(in(name), mode), 0);
}

/* A qcow2 image's head (version 3), that says what it stands on. */
static void image(const char *name, const char *behind, uint8_t incompatible)
{
	uint8_t bytes[1024] = "QFI\xfb";
	FILE *out = fopen(in(name), "w");

	bytes[7] = 3;
	bytes[79] = incompatible;
	if (behind) {
		bytes[14] = 2;	/* at 512 */
		bytes[19] = (uint8_t)strlen(behind);
		strcpy((char *)bytes + 512, behind);
	}
	assert_int_equal(fwrite(bytes, 1, sizeof(bytes), out), sizeof(bytes));
	fclose(out);
}

static void refused(int rc)
{
	assert_int_equal(rc, -1);
	assert_int_equal(err.code, ERROR_PERMISSION);
}

static void reads_what_everybody_may(void **state)
{
	(void)state;
	file("boot/kernel", 0644);
	file("boot/secret", 0600);
	file("boot/shared", 0664);
	file("closed/kernel", 0644);
	file("anyones/kernel", 0644);
	dir("anyones/sub", 0755);
	file("open/kernel", 0644);
	file("var/images/disk.img", 0600);
	assert_int_equal(allowed_read(in("boot/kernel"), &err), 0);
	assert_int_equal(allowed_read(in("boot/../boot/kernel"), &err), 0);
	assert_int_equal(allowed_read(in("var/images/disk.img"), &err), 0);
	refused(allowed_read(in("boot/secret"), &err));
	refused(allowed_read(in("boot/shared"), &err));		/* the group may change it */
	refused(allowed_read(in("closed/kernel"), &err));
	refused(allowed_read(in("open/kernel"), &err));		/* may be replaced by anyone */
	assert_int_equal(allowed_read(in("anyones/kernel"), &err), 0);	/* but not here: sticky */
	refused(allowed_read(in("boot"), &err));
	refused(allowed_read(in("boot/none"), &err));
	refused(allowed_read("/dev/null", &err));
	/* A link is what it leads to. */
	assert_int_equal(symlink(in("boot/secret"), in("boot/link")), 0);
	refused(allowed_read(in("boot/link"), &err));
	assert_int_equal(symlink(in("boot/kernel"), in("boot/fine")), 0);
	assert_int_equal(allowed_read(in("boot/fine"), &err), 0);
	assert_int_equal(symlink(in("boot/secret"), in("var/images/link")), 0);
	refused(allowed_read(in("var/images/link"), &err));
}

static void writes_in_the_guests_folders(void **state)
{
	(void)state;
	file("var/images/a", 0600);
	file("boot/b", 0644);
	assert_int_equal(allowed_in(in("var/images/a"), "images", &err), 0);
	assert_int_equal(allowed_in(in("var/images/new"), "images", &err), 0);
	assert_int_equal(allowed_in(in("var/save/new"), "save", &err), 0);
	refused(allowed_in(in("var/images/a"), "save", &err));
	refused(allowed_in(in("boot/b"), "images", &err));
	refused(allowed_in(in("boot/new"), "images", &err));
	refused(allowed_in(in("var/images/../x"), "images", &err));
	refused(allowed_in(in("var/images/.."), "images", &err));
	refused(allowed_in(in("var/images/none/.."), "images", &err));
	refused(allowed_in(in("var/images-not/x"), "images", &err));
	refused(allowed_in("new", "images", &err));
	refused(allowed_in("", "images", &err));
	assert_int_equal(symlink(in("boot"), in("var/images/way")), 0);
	refused(allowed_in(in("var/images/way/new"), "images", &err));
	assert_int_equal(symlink(in("boot/not-there"), in("var/images/dangling")), 0);
	/* It would be written through, if it were not for who made it. */
	dir("var/images", 0775);
	refused(allowed_in(in("var/images/new"), "images", &err));
	dir("var/images", 0755);
}

static void looks_at_definitions(void **state)
{
	struct vm_disk disks[2] = { { .target = "xvda" }, { .target = "xvdb" } };
	struct vm_config config = { .disks = disks, .n_disks = 2 };

	(void)state;
	file("boot/kernel", 0644);
	file("boot/secret", 0600);
	file("var/images/a", 0600);
	config.kernel = (char *)in("boot/kernel");
	disks[0].source = (char *)in("var/images/a");
	assert_int_equal(allowed_config(&config, &err), 0);
	disks[1].source = (char *)"/etc/shadow";
	refused(allowed_config(&config, &err));
	assert_non_null(strstr(err.text, "disk xvdb: /etc/shadow"));
	disks[1].source = (char *)in("boot/kernel");
	refused(allowed_config(&config, &err));
	disks[1].readonly = true;
	assert_int_equal(allowed_config(&config, &err), 0);
	disks[1].block = true;
	refused(allowed_config(&config, &err));
	config.n_disks = 1;
	config.initrd = (char *)in("boot/secret");
	refused(allowed_config(&config, &err));
	config.initrd = NULL;
	config.kernel = (char *)in("boot/secret");
	refused(allowed_config(&config, &err));
}

static void does_not_believe_images(void **state)
{
	struct vm vm = { 0 };

	(void)state;
	file("boot/kernel", 0644);
	file("boot/secret", 0600);
	file("var/images/base", 0600);
	image("var/images/plain", NULL, 0);
	assert_int_equal(allowed_chain(in("var/images/plain"), &err), 0);
	image("var/images/good", in("var/images/base"), 0);
	assert_int_equal(allowed_chain(in("var/images/good"), &err), 0);
	image("var/images/beside", "base", 0);
	assert_int_equal(allowed_chain(in("var/images/beside"), &err), 0);
	image("var/images/bad", in("boot/secret"), 0);
	refused(allowed_chain(in("var/images/bad"), &err));
	image("var/images/deep", "bad", 0);
	refused(allowed_chain(in("var/images/deep"), &err));
	image("var/images/up", "../../boot/secret", 0);
	refused(allowed_chain(in("var/images/up"), &err));
	image("var/images/round", "round", 0);
	refused(allowed_chain(in("var/images/round"), &err));
	image("var/images/json", "json:{\"driver\":\"host_device\"}", 0);
	refused(allowed_chain(in("var/images/json"), &err));
	image("var/images/nbd", "nbd://somewhere/x", 0);
	refused(allowed_chain(in("var/images/nbd"), &err));
	image("var/images/elsewhere", NULL, 4);
	refused(allowed_chain(in("var/images/elsewhere"), &err));
	/* Nor does qemu-img get to see it. */
	refused(diskfile_create(in("var/images/over"), VM_DISK_QCOW2, 0, in("var/images/bad"),
				&err));
	assert_int_not_equal(access(in("var/images/over"), F_OK), 0);
	refused(diskfile_resize(&vm, in("var/images/bad"), 1 << 20, false, &err));
	/* Elsewhere it is root's care. */
	image("boot/roots", in("boot/secret"), 0);
	assert_int_equal(allowed_chain(in("boot/roots"), &err), 0);
}

static int setup(void **state)
{
	(void)state;
	umask(022);
	allowed_owner = getuid();
	assert_non_null(mkdtemp(folder));
	dir("", 0755);
	dir("boot", 0755);
	dir("closed", 0750);
	dir("anyones", 01777);
	dir("open", 0777);
	dir("var", 0755);
	dir("var/images", 0755);
	dir("var/images-not", 0755);
	vm_state_dir = strdup(in("var"));
	return 0;
}

static int teardown(void **state)
{
	char command[100];

	(void)state;
	free((void *)vm_state_dir);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_everybody_may),
		cmocka_unit_test(writes_in_the_guests_folders),
		cmocka_unit_test(looks_at_definitions),
		cmocka_unit_test(does_not_believe_images),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
