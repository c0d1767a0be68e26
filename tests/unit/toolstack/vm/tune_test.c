/* SPDX-License-Identifier: MIT */
/*
 * Definitions are tuned for the next start, and what runs is not touched; what does not fit
 * together is refused and changes nothing. A running guest's scheduling keeps what is not set.
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

#include <stdio.h>
#include <string.h>

#include "unit/support/vm_host.h"
#include "vm/defined.h"
#include "vm/event.h"
#include "vm/hotplug.h"
#include "vm/tune.h"

static struct vm vm;
static struct vm_config config;	/* of "web", as it is defined */
static struct error err;

static void load(struct vm_config *to, const char *more)
{
	char text[1000];

	snprintf(text, sizeof(text),
		 "<domain type='xen'><name>web</name><memory>16384</memory>"
		 "<currentMemory>8192</currentMemory>%s<os><type>linux</type>"
		 "<kernel>%s</kernel></os></domain>", more, vm_host_kernel);
	assert_int_equal(config_parse(to, text, strlen(text), "web.xml", NULL, &err), 0);
}

static void look(void)
{
	struct vm_defined one;

	config_free(&config);
	assert_int_equal(vm_defined_find("web", &one, &err), 0);
	config = one.config;
}

static int fresh(void **state)
{
	struct vm_config defined;

	assert_int_equal(vm_host_fresh(state), 0);
	load(&defined, "<vcpu current='1'>3</vcpu>"
		       "<cputune><vcpupin vcpu='2' cpuset='0'/></cputune>");
	assert_int_equal(vm_define(&vm, &defined, NULL, &err), 0);
	config_free(&defined);
	return 0;
}

static int done(void **state)
{
	(void)state;
	config_free(&config);
	vm_close(&vm);
	return 0;
}

#define TUNE(...)                                                                                  \
	vm_tune_defined(&vm, "web",                                                                \
			&(const struct vm_tuning){ __VA_ARGS__ }, &err)
#define KEEP .cap = VM_SCHED_KEEP

static void refused(int rc, const char *says)
{
	assert_int_equal(rc, -1);
	assert_int_equal(err.code, ERROR_STATE);
	assert_non_null(strstr(err.text, says));
}

static void memory_and_vcpus(void **state)
{
	(void)state;
	assert_int_equal(TUNE(KEEP, .memory_kib = 12288), 0);
	look();
	assert_int_equal(config.current_memory_kib, 12288);
	assert_int_equal(config.memory_kib, 16384);
	refused(TUNE(KEEP, .memory_kib = 32768), "at most 16 MiB");
	assert_int_equal(TUNE(KEEP, .max_memory_kib = 8192), 0);
	look();
	assert_int_equal(config.memory_kib, 8192);
	assert_int_equal(config.current_memory_kib, 8192);
	assert_int_equal(TUNE(KEEP, .vcpus = 2), 0);
	refused(TUNE(KEEP, .vcpus = 4), "at most 3 vCPUs");
	look();
	assert_int_equal(config.vcpus, 2);
	assert_int_equal(config.n_pins, 1);
	/* A vCPU that is no more has no pin. */
	assert_int_equal(TUNE(KEEP, .max_vcpus = 1), 0);
	look();
	assert_int_equal(config.vcpus_max, 1);
	assert_int_equal(config.vcpus, 1);
	assert_int_equal(config.n_pins, 0);
}

static void scheduling(void **state)
{
	struct cpu_set cpus = { { 1 } };

	(void)state;
	assert_int_equal(TUNE(KEEP, .weight = 512), 0);
	assert_int_equal(TUNE(.cap = 50), 0);
	look();
	assert_int_equal(config.weight, 512);
	assert_int_equal(config.cap, 50);
	assert_int_equal(TUNE(.cap = 0), 0);
	assert_int_equal(TUNE(KEEP, .pins = true, .vcpu = 1, .cpus = &cpus), 0);
	look();
	assert_int_equal(config.cap, 0);
	assert_int_equal(config.weight, 512);
	assert_int_equal(config.n_pins, 2);
	assert_int_equal(TUNE(KEEP, .pins = true, .vcpu = -1), 0);
	look();
	assert_int_equal(config.n_pins, 0);
	refused(TUNE(KEEP, .pins = true, .vcpu = 3, .cpus = &cpus), "vCPUs 0 to 2");
}

/* What runs stays as it is; what is not defined has no definition to tune. */
static void what_runs(void **state)
{
	const struct vm_create_options plainly = { 0 };
	struct vm_disk disk = { .source = vm_host_kernel, .target = "xvda", .readonly = true };
	struct vm_config live;
	struct vm_info info;
	unsigned weight, cap;
	uint32_t domid;

	(void)state;
	assert_int_equal(vm_start(&vm, "web", &plainly, &domid, &err), 0);
	assert_int_equal(TUNE(KEEP, .vcpus = 2, .weight = 100), 0);
	assert_int_equal(vm_attach_disk(&vm, "web", &disk, VM_CONFIG, &err), 0);
	look();
	assert_int_equal(config.n_disks, 1);
	assert_int_equal(vm_find(&vm, "web", &info, &err), 0);
	assert_int_equal(vm_live_config(&info, &live, &err), 0);
	assert_int_equal(live.vcpus, 1);
	assert_int_equal(live.weight, 0);
	assert_int_equal(live.n_disks, 0);
	config_free(&live);
	/* What is not set stays. */
	assert_int_equal(vm_set_sched(&vm, &info, 300, 40, &err), 0);
	assert_int_equal(vm_set_sched(&vm, &info, 0, 60, &err), 0);
	assert_int_equal(vm_set_sched(&vm, &info, 400, VM_SCHED_KEEP, &err), 0);
	assert_int_equal(vm_get_sched(&vm, &info, &weight, &cap, &err), 0);
	assert_int_equal(weight, 400);
	assert_int_equal(cap, 60);
	assert_int_equal(vm_undefine(&vm, "web", &err), 0);
	refused(TUNE(KEEP, .vcpus = 2), "is not defined");
	refused(vm_detach_disk(&vm, "web", "xvda", VM_CONFIG, false, &err), "is not defined");
}

/* The events so far, as "event:detail " one after the other. */
static const char *events(void)
{
	static char all[1000];
	struct vm_events from;
	char line[VM_EVENT_MAX];

	all[0] = 0;
	vm_events_open(&from, true);
	while (vm_events_next(&from, 0, line) > 0) {
		const char *event = strstr(line, "\"event\":\"");
		const char *detail = strstr(line, "\"detail\":\"");
		size_t len = strlen(all);

		assert_non_null(event);
		event += strlen("\"event\":\"");
		detail = detail ? detail + strlen("\"detail\":\"") : "";
		snprintf(all + len, sizeof(all) - len, "%.*s:%.*s ", (int)strcspn(event, "\""),
			 event, (int)strcspn(detail, "\""), detail);
	}
	vm_events_close(&from);
	return all;
}

static void changes_are_told(void **state)
{
	struct vm_interface interface = { .type = VM_INTERFACE_BRIDGE, .source = (char *)"br0",
					  .has_mac = true, .mac = { 0, 0x16, 0x3e, 1, 2, 3 } };

	(void)state;
	assert_int_equal(vm_attach_interface(&vm, "web", &interface, VM_LIVE, &err), -1);
	assert_string_equal(events(), "defined: ");
	assert_int_equal(vm_attach_interface(&vm, "web", &interface, VM_CONFIG, &err), 0);
	assert_int_equal(vm_rename(&vm, "web", "www", &err), 0);
	assert_string_equal(events(), "defined: defined: renamed:web ");
	assert_int_equal(vm_rename(&vm, "www", "www", &err), 0);
	assert_string_equal(events(), "defined: defined: renamed:web ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(memory_and_vcpus, fresh, done),
		cmocka_unit_test_setup_teardown(scheduling, fresh, done),
		cmocka_unit_test_setup_teardown(what_runs, fresh, done),
		cmocka_unit_test_setup_teardown(changes_are_told, fresh, done),
	};

	return cmocka_run_group_tests(tests, vm_host_setup, vm_host_teardown);
}
