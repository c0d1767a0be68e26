/* SPDX-License-Identifier: MIT */
/*
 * Guests live and end as vm.h says, on a hypervisor and a store in this process: names and uuids
 * are unique, a create that fails at any step leaves nothing behind, ends are followed by what the
 * definition says, and what killed programs left is cleared away.
 * Links: tests/unit/support/vm_host.c
 * Links: toolstack/vm/ toolstack/build/ toolstack/config/ toolstack/lib/ toolstack/console/client.c
 * Links: hypervisor/lib/elf.c hypervisor/lib/pvimage.c
 * Links: toolstack/stream/ toolstack/hyp/grants.c tests/fake/hyp_save.c
 * Links: tests/fake/hyp.c tests/fake/store_client.c tests/fake/elf_image.c tests/fake/host.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "abi/sched.h"
#include "fake/hyp.h"
#include "fake/store_client.h"
#include "lib/file.h"
#include "unit/support/vm_host.h"
#include "vm/defined.h"
#include "vm/internal.h"

static const struct vm_create_options plainly = { 0 };

static void config(struct vm_config *config, const char *name)
{
	*config = (struct vm_config){
		.name = strdup(name),
		.memory_kib = 16384,
		.current_memory_kib = 8192,
		.vcpus_max = 2,
		.vcpus = 1,
		.kernel = strdup(vm_host_kernel),
		.on_reboot = VM_ACTION_RESTART,
		.on_crash = VM_ACTION_PRESERVE,
	};
}

static int create(struct vm *vm, const char *name, uint32_t *domid, struct error *err)
{
	struct vm_config c;
	int rc;

	config(&c, name);
	rc = vm_create(vm, &c, &plainly, domid, err);
	config_free(&c);
	return rc;
}

/* The files of running guests, but for the lock. */
static unsigned files(void)
{
	DIR *dir = opendir(vm_run_dir);
	struct dirent *entry;
	unsigned n = 0;

	while (dir && (entry = readdir(dir)))
		n += entry->d_name[0] != '.' && strcmp(entry->d_name, "lock");
	if (dir)
		closedir(dir);
	return n;
}

static void nothing_is_left(void)
{
	assert_int_equal(fake_hyp_domains(), 0);
	assert_int_equal(fake_hyp_used(), 0);
	assert_int_equal(fake_hyp_mapped(), 0);
	assert_null(fake_store_value("/local/domain/1"));
	assert_false(fake_store_introduced(1));
	assert_int_equal(files(), 0);
}

static void a_guest_has_its_nodes(void **state)
{
	const struct fake_domain *domain;
	struct vm vm = { 0 };
	struct error err;
	char vm_path[60];
	uint32_t domid;

	(void)state;
	assert_int_equal(create(&vm, "web", &domid, &err), 0);
	assert_int_equal(domid, 1);
	domain = fake_hyp_domain(1);
	assert_int_equal(domain->info.flags & XEN_DOMINF_paused, 0);
	assert_int_equal(domain->max_vcpus, 2);
	assert_int_equal(domain->max_kib, 16384);
	assert_int_equal(domain->info.tot_pages, 2048);
	assert_string_equal(fake_store_value("/local/domain/1/name"), "web");
	assert_string_equal(fake_store_value("/local/domain/1/memory/static-max"), "16384");
	assert_string_equal(fake_store_value("/local/domain/1/memory/target"), "8192");
	assert_string_equal(fake_store_value("/local/domain/1/cpu/0/availability"), "online");
	assert_string_equal(fake_store_value("/local/domain/1/cpu/1/availability"), "offline");
	assert_string_equal(fake_store_value("/local/domain/1/console/type"), "xenconsoled");
	assert_string_equal(fake_store_value("/local/domain/1/store/port"), "1");
	assert_string_equal(fake_store_value("/local/domain/1/console/port"), "2");
	/* It reads what it is told, and writes what is its own. */
	assert_string_equal(fake_store_perms("/local/domain/1/console/ring-ref"), "n0,r1");
	assert_string_equal(fake_store_perms("/local/domain/1/name"), "n0,r1");
	assert_string_equal(fake_store_perms("/local/domain/1/control/shutdown"), "n1");
	assert_string_equal(fake_store_perms("/local/domain/1/data"), "n1");
	snprintf(vm_path, sizeof(vm_path), "%s/name", fake_store_value("/local/domain/1/vm"));
	assert_string_equal(fake_store_value(vm_path), "web");
	assert_true(fake_store_introduced(1));
	assert_int_equal(files(), 1);
	vm_close(&vm);
}

static void names_and_uuids_are_unique(void **state)
{
	struct vm_config twin;
	struct vm vm = { 0 };
	struct vm_info info;
	struct error err;
	uint32_t domid;

	(void)state;
	assert_int_equal(create(&vm, "web", &domid, &err), 0);
	assert_int_equal(create(&vm, "web", &domid, &err), -1);
	assert_int_equal(err.code, ERROR_EXISTS);
	assert_non_null(strstr(err.text, "web: "));
	assert_int_equal(vm_find(&vm, "web", &info, &err), 0);
	config(&twin, "other");
	memcpy(twin.uuid, info.uuid, 16);
	twin.has_uuid = true;
	assert_int_equal(vm_create(&vm, &twin, &plainly, &domid, &err), -1);
	assert_int_equal(err.code, ERROR_EXISTS);
	config_free(&twin);
	assert_int_equal(fake_hyp_domains(), 1);
	assert_int_equal(files(), 1);
	vm_close(&vm);
}

static void a_guest_is_found_by_name_uuid_and_id(void **state)
{
	char uuid[CONFIG_UUID_TEXT];
	struct vm vm = { 0 };
	struct vm_info info;
	struct error err;
	uint32_t domid;

	(void)state;
	assert_int_equal(create(&vm, "web", &domid, &err), 0);
	assert_int_equal(vm_find(&vm, "web", &info, &err), 0);
	config_format_uuid(info.uuid, uuid);
	assert_int_equal(vm_find(&vm, uuid, &info, &err), 0);
	assert_int_equal(vm_find(&vm, "1", &info, &err), 0);
	assert_string_equal(info.name, "web");
	assert_int_equal(vm_find(&vm, "2", &info, &err), -1);
	assert_int_equal(err.code, ERROR_NO_DOMAIN);
	assert_int_equal(vm_find(&vm, "We\033b", &info, &err), -1);
	assert_int_equal(err.code, ERROR_NO_DOMAIN);
	assert_null(strchr(err.text, '\033'));
	assert_int_equal(vm_find(&vm, "Domain-0", &info, &err), 0);
	vm_close(&vm);
}

static void every_failure_leaves_nothing(void **state)
{
	struct error err;
	unsigned n = 0;
	uint32_t domid;
	bool failed;

	(void)state;
	do {
		struct vm vm = { 0 };
		int rc;

		vm_host_fresh(NULL);
		fake_hyp_fail_at(++n);
		rc = create(&vm, "web", &domid, &err);
		failed = fake_hyp_failed();
		if (rc)
			nothing_is_left();
		vm_close(&vm);
	} while (failed);
	assert_true(n > 10);
	n = 0;
	do {
		struct vm vm = { 0 };
		int rc;

		vm_host_fresh(NULL);
		fake_store_fail_at(++n);
		rc = create(&vm, "web", &domid, &err);
		failed = fake_store_failed();
		assert_int_equal(rc, failed ? -1 : 0);
		if (failed)
			assert_int_equal(err.code, ERROR_STORE);
		if (failed)
			nothing_is_left();
		vm_close(&vm);
	} while (failed);
	assert_true(n > 30);
}

static void what_cannot_be_is_refused_before_a_domain(void **state)
{
	struct vm_config c;
	struct vm vm = { 0 };
	struct error err;
	uint32_t domid;

	(void)state;
	config(&c, "big");
	c.memory_kib = c.current_memory_kib = 1 << 20;
	assert_int_equal(vm_create(&vm, &c, &plainly, &domid, &err), -1);
	assert_int_equal(err.code, ERROR_NO_MEMORY);
	free(c.kernel);
	c.kernel = strdup("/nonexistent/kernel");
	assert_int_equal(vm_create(&vm, &c, &plainly, &domid, &err), -1);
	assert_int_equal(err.code, ERROR_FILE);
	config_free(&c);
	nothing_is_left();
	vm_close(&vm);
}

static void destroy_leaves_nothing(void **state)
{
	struct vm vm = { 0 };
	struct vm_info info;
	struct error err;
	uint32_t domid;

	(void)state;
	assert_int_equal(create(&vm, "web", &domid, &err), 0);
	assert_int_equal(vm_find(&vm, "web", &info, &err), 0);
	assert_int_equal(vm_destroy(&vm, &info, &err), 0);
	nothing_is_left();
	assert_null(fake_store_value("/vm/anything"));
	assert_int_equal(vm_find(&vm, "0", &info, &err), 0);
	assert_int_equal(vm_destroy(&vm, &info, &err), -1);
	assert_int_equal(err.code, ERROR_STATE);
	vm_close(&vm);
}

static void states_are_respected(void **state)
{
	struct vm vm = { 0 };
	struct vm_info info;
	struct error err;
	uint32_t domid;

	(void)state;
	assert_int_equal(create(&vm, "web", &domid, &err), 0);
	assert_int_equal(vm_find(&vm, "web", &info, &err), 0);
	assert_int_equal(vm_unpause(&vm, &info, &err), -1);
	assert_int_equal(err.code, ERROR_STATE);
	assert_int_equal(vm_pause(&vm, &info, &err), 0);
	assert_int_equal(vm_find(&vm, "web", &info, &err), 0);
	assert_int_equal(info.state, VM_PAUSED);
	assert_int_equal(vm_pause(&vm, &info, &err), -1);
	assert_int_equal(vm_ask_shutdown(&vm, &info, false, &err), -1);
	assert_int_equal(vm_unpause(&vm, &info, &err), 0);
	assert_int_equal(vm_find(&vm, "web", &info, &err), 0);
	assert_int_equal(vm_ask_shutdown(&vm, &info, true, &err), 0);
	assert_string_equal(fake_store_value("/local/domain/1/control/shutdown"), "reboot");
	assert_int_equal(vm_wait_stopped(&vm, &info, 1, &err), -1);
	assert_int_equal(err.code, ERROR_TIMEOUT);
	fake_hyp_shutdown(1, SHUTDOWN_reboot);
	assert_int_equal(vm_wait_stopped(&vm, &info, 1, &err), 0);
	assert_int_equal(vm_find(&vm, "web", &info, &err), 0);
	assert_int_equal(info.state, VM_SHUTDOWN);
	assert_int_equal(vm_pause(&vm, &info, &err), -1);
	vm_close(&vm);
}

/* A guest "web" that ended for this reason. */
static void ended(struct vm *vm, unsigned reason, struct vm_info *info)
{
	struct error err;
	uint32_t domid;

	vm_host_fresh(NULL);
	assert_int_equal(create(vm, "web", &domid, &err), 0);
	fake_hyp_shutdown(1, reason);
	assert_int_equal(vm_find(vm, "web", info, &err), 0);
}

static void ends_are_followed_by_what_the_definition_says(void **state)
{
	struct vm_info info, again;
	struct vm vm = { 0 };
	struct error err;
	uint32_t domid;

	(void)state;
	ended(&vm, SHUTDOWN_poweroff, &info);
	assert_int_equal(vm_finish(&vm, &info, true, &domid, &err), VM_ACTION_DESTROY);
	nothing_is_left();
	ended(&vm, SHUTDOWN_crash, &info);
	assert_int_equal(vm_finish(&vm, &info, true, &domid, &err), VM_ACTION_PRESERVE);
	assert_int_equal(fake_hyp_domains(), 1);
	ended(&vm, SHUTDOWN_suspend, &info);
	assert_int_equal(vm_finish(&vm, &info, true, &domid, &err), VM_ACTION_PRESERVE);
	ended(&vm, SHUTDOWN_reboot, &info);
	assert_int_equal(vm_finish(&vm, &info, true, &domid, &err), VM_ACTION_RESTART);
	assert_int_equal(vm_find(&vm, "web", &again, &err), 0);
	assert_int_equal(again.domid, domid);
	assert_memory_equal(again.uuid, info.uuid, 16);
	assert_int_equal(again.state, VM_RUNNING);
	assert_int_equal(files(), 1);
	ended(&vm, SHUTDOWN_reboot, &info);
	assert_int_equal(vm_finish(&vm, &info, false, &domid, &err), VM_ACTION_DESTROY);
	nothing_is_left();
	vm_close(&vm);
}

static void a_restart_that_was_cut_short_goes_on(void **state)
{
	struct vm vm = { 0 };
	struct vm_info info;
	struct error err;
	uint32_t domid;

	(void)state;
	/* Killed before the old domain was gone, and after. */
	for (int gone = 0; gone <= 1; gone++) {
		ended(&vm, SHUTDOWN_reboot, &info);
		assert_int_equal(vm_definition_to_restart(info.uuid, &err), 0);
		if (gone)
			assert_int_equal(vm_destroy(&vm, &info, &err), 0);
		assert_int_equal(vm_resume_restart(&vm, &domid, &err), 1);
		assert_int_equal(vm_resume_restart(&vm, &domid, &err), 0);
		assert_int_equal(vm_find(&vm, "web", &info, &err), 0);
		assert_int_equal(info.state, VM_RUNNING);
		assert_int_equal(fake_hyp_domains(), 1);
		assert_int_equal(files(), 1);
	}
	vm_close(&vm);
}

/* Make a marker as a process would that dies then. */
static void abandoned_marker(const uint8_t uuid[16])
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct error err;

		_exit(vm_marker_make(uuid, &err) < 0);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
}

static void what_others_left_is_swept(void **state)
{
	struct vm vm = { 0 };
	struct vm_info info;
	struct error err;
	uint32_t domid;

	(void)state;
	/* A whole guest whose creator died before it removed the marker stays. */
	assert_int_equal(create(&vm, "web", &domid, &err), 0);
	assert_int_equal(vm_find(&vm, "web", &info, &err), 0);
	abandoned_marker(info.uuid);
	assert_int_equal(vm_sweep(&vm, &err), 0);
	assert_int_equal(fake_hyp_domains(), 1);
	assert_int_equal(files(), 1);
	/* A half-made one goes. */
	vm_definition_remove(info.uuid);
	abandoned_marker(info.uuid);
	assert_int_equal(vm_sweep(&vm, &err), 0);
	nothing_is_left();
	/* Even when nobody sweeps but the next one of that name. */
	assert_int_equal(create(&vm, "web", &domid, &err), 0);
	assert_int_equal(vm_find(&vm, "web", &info, &err), 0);
	vm_definition_remove(info.uuid);
	abandoned_marker(info.uuid);
	assert_int_equal(create(&vm, "web", &domid, &err), 0);
	assert_int_equal(fake_hyp_domains(), 1);
	assert_int_equal(vm_find(&vm, "web", &info, &err), 0);
	assert_int_equal(vm_destroy(&vm, &info, &err), 0);
	nothing_is_left();
	/* So do definition and nodes of a domain that others destroyed. */
	assert_int_equal(create(&vm, "web", &domid, &err), 0);
	hyp_domain_destroy(vm.hyp, 1);
	store_release(vm.store, 1);
	assert_int_equal(vm_sweep(&vm, &err), 0);
	nothing_is_left();
	vm_close(&vm);
}

static void a_guest_that_is_being_made_is_left_alone(void **state)
{
	struct vm vm = { 0 };
	struct vm_info info;
	struct error err;
	uint32_t domid;
	int marker;

	(void)state;
	assert_int_equal(create(&vm, "web", &domid, &err), 0);
	assert_int_equal(vm_find(&vm, "web", &info, &err), 0);
	vm_definition_remove(info.uuid);
	marker = vm_marker_make(info.uuid, &err);
	assert_true(marker >= 0);
	assert_int_equal(vm_sweep(&vm, &err), 0);
	assert_int_equal(fake_hyp_domains(), 1);
	vm_marker_remove(info.uuid, marker);
	vm_close(&vm);
}

/* Whoever dumps it may be killed: it goes on; what an administrator paused stays paused. */
static void a_dump_that_was_killed_leaves_a_guest_running(void **state)
{
	struct vm vm = { 0 };
	struct vm_info info;
	struct error err;
	uint32_t domid;
	int marker;

	(void)state;
	assert_int_equal(create(&vm, "web", &domid, &err), 0);
	assert_int_equal(vm_find(&vm, "web", &info, &err), 0);
	marker = vm_mark(&info, ".dmp", "dumped", &err);
	assert_int_equal(vm_dump(&vm, &info, "/nowhere/core", NULL, NULL, &err), -1);
	assert_int_equal(err.code, ERROR_STATE);	/* it is being dumped */
	assert_int_equal(file_write_all(marker, "paused", 6), 0);
	assert_int_equal(vm_pause(&vm, &info, &err), 0);
	assert_int_equal(vm_sweep(&vm, &err), 0);
	assert_int_equal(vm_find(&vm, "web", &info, &err), 0);
	assert_int_equal(info.state, VM_PAUSED);	/* it still is */
	close(marker);
	assert_int_equal(vm_sweep(&vm, &err), 0);
	assert_int_equal(vm_find(&vm, "web", &info, &err), 0);
	assert_int_not_equal(info.state, VM_PAUSED);
	assert_false(vm_is_marked(&info, ".dmp"));
	assert_int_equal(vm_pause(&vm, &info, &err), 0);
	assert_int_equal(vm_sweep(&vm, &err), 0);
	assert_int_equal(vm_find(&vm, "web", &info, &err), 0);
	assert_int_equal(info.state, VM_PAUSED);
	vm_close(&vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_guest_has_its_nodes, vm_host_fresh),
		cmocka_unit_test_setup(names_and_uuids_are_unique, vm_host_fresh),
		cmocka_unit_test_setup(a_guest_is_found_by_name_uuid_and_id, vm_host_fresh),
		cmocka_unit_test_setup(every_failure_leaves_nothing, vm_host_fresh),
		cmocka_unit_test_setup(what_cannot_be_is_refused_before_a_domain, vm_host_fresh),
		cmocka_unit_test_setup(destroy_leaves_nothing, vm_host_fresh),
		cmocka_unit_test_setup(states_are_respected, vm_host_fresh),
		cmocka_unit_test_setup(ends_are_followed_by_what_the_definition_says,
				       vm_host_fresh),
		cmocka_unit_test_setup(a_restart_that_was_cut_short_goes_on, vm_host_fresh),
		cmocka_unit_test_setup(what_others_left_is_swept, vm_host_fresh),
		cmocka_unit_test_setup(a_dump_that_was_killed_leaves_a_guest_running,
				       vm_host_fresh),
		cmocka_unit_test_setup(a_guest_that_is_being_made_is_left_alone, vm_host_fresh),
	};

	return cmocka_run_group_tests(tests, vm_host_setup, vm_host_teardown);
}
