/* SPDX-License-Identifier: MIT */
/*
 * A running guest is changed as vm.h says: its balloon is told and waited for while it makes
 * progress, the hypervisor's limit follows, vCPUs, weight, cap and pins likewise; what was changed
 * is in its definition and holds when it starts anew.
 * Links: tests/unit/support/vm_host.c
 * Links: toolstack/stream/ toolstack/hyp/grants.c tests/fake/hyp_save.c
 * Links: toolstack/vm/ toolstack/build/ toolstack/config/ toolstack/lib/ toolstack/console/client.c
 * Links: hypervisor/lib/elf.c hypervisor/lib/pvimage.c
 * Links: tests/fake/hyp.c tests/fake/store_client.c tests/fake/elf_image.c tests/fake/host.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/sched.h"
#include "fake/hyp.h"
#include "fake/store_client.h"
#include "unit/support/vm_host.h"
#include "vm/internal.h"

static struct vm vm;
static struct vm_info info;
static struct error err;

/* A guest "web" from this XML for <vcpu> and <cputune>. */
static int create(const char *tune)
{
	const struct vm_create_options plainly = { 0 };
	struct vm_config config;
	char text[1000];
	uint32_t domid;
	int rc;

	snprintf(text, sizeof(text),
		 "<domain type='xen'><name>web</name><memory>16384</memory>"
		 "<currentMemory>8192</currentMemory>%s<os><type>linux</type>"
		 "<kernel>%s</kernel></os></domain>", tune, vm_host_kernel);
	assert_int_equal(config_parse(&config, text, strlen(text), "web.xml", NULL, &err), 0);
	rc = vm_create(&vm, &config, &plainly, &domid, &err);
	config_free(&config);
	return rc;
}

static void look(void)
{
	assert_int_equal(vm_find(&vm, "web", &info, &err), 0);
}

static int fresh(void **state)
{
	assert_int_equal(vm_host_fresh(state), 0);
	assert_int_equal(create("<vcpu>3</vcpu>"), 0);
	look();
	return 0;
}

static int done(void **state)
{
	(void)state;
	vm_close(&vm);
	return 0;
}

/* The guest's balloon: moves by so many KiB at each look, until it has what it was told. */
struct guest {
	uint64_t step_kib, stop_kib;
	unsigned looks;
};

static void balloon(void *context, uint64_t now, uint64_t wanted)
{
	struct fake_domain *domain = fake_hyp_domain(info.domid);
	uint64_t told = strtoull(fake_store_value("/local/domain/1/memory/target"), NULL, 10);
	struct guest *guest = context;

	guest->looks++;
	assert_int_equal(told, wanted);
	assert_int_equal(now, domain->info.tot_pages * 4);
	if (now == guest->stop_kib)
		return;
	if (now < told) {
		now = now + guest->step_kib < told ? now + guest->step_kib : told;
		assert_true(now <= domain->max_kib);
	} else {
		now = now - guest->step_kib > told ? now - guest->step_kib : told;
	}
	domain->info.tot_pages = now / 4;
}

static void definition_says(uint64_t memory, uint64_t current)
{
	struct vm_config config;

	assert_int_equal(vm_definition_read(info.uuid, false, &config, &err), 0);
	assert_int_equal(config.memory_kib, memory);
	assert_int_equal(config.current_memory_kib, current);
	config_free(&config);
}

static void memory_goes_up_and_down(void **state)
{
	struct guest guest = { .step_kib = 1200 };
	struct vm_wait wait = { 300, balloon, &guest };

	(void)state;
	assert_int_equal(info.max_memory_kib, 16384);
	assert_int_equal(vm_set_memory(&vm, &info, 16384, &wait, &err), 0);
	assert_true(guest.looks > 3);
	definition_says(16384, 16384);
	assert_int_equal(vm_set_memory(&vm, &info, 4096, &wait, &err), 0);
	/* What it gave back it cannot take again; the maximum is still told. */
	assert_true(fake_hyp_domain(1)->max_kib <= 4096 + 1024);
	definition_says(16384, 4096);
	look();
	assert_int_equal(info.max_memory_kib, 16384);
	assert_int_equal(info.memory_kib, 4096);
	assert_int_equal(vm_set_memory(&vm, &info, 8192, &wait, &err), 0);
	assert_int_equal(fake_hyp_domain(1)->info.tot_pages, 2048);
}

static void a_balloon_that_stops_is_told_of(void **state)
{
	struct guest guest = { .step_kib = 1024, .stop_kib = 6144 };
	struct vm_wait wait = { 300, balloon, &guest }, none = { 0 };

	(void)state;
	assert_int_equal(vm_set_memory(&vm, &info, 4096, &wait, &err), -1);
	assert_int_equal(err.code, ERROR_TIMEOUT);
	assert_non_null(strstr(err.text, "6 of 4 MiB"));
	assert_int_equal(vm_set_memory(&vm, &info, 4096, &none, &err), 0);
}

static void memory_that_cannot_be_is_refused(void **state)
{
	const struct vm_wait wait = { 300, NULL, NULL };
	bool later;

	(void)state;
	assert_int_equal(vm_set_memory(&vm, &info, 16388, &wait, &err), -1);
	assert_int_equal(err.code, ERROR_STATE);
	assert_string_equal(fake_store_value("/local/domain/1/memory/target"), "8192");
	assert_int_equal(vm_set_max_memory(&vm, &info, 4096, &later, &err), -1);
	assert_int_equal(err.code, ERROR_STATE);
	assert_int_equal(vm_set_max_memory(&vm, &info, 12288, &later, &err), 0);
	assert_false(later);
	look();
	assert_int_equal(info.max_memory_kib, 12288);
	assert_int_equal(vm_set_max_memory(&vm, &info, 32768, &later, &err), 0);
	assert_true(later);
	definition_says(32768, 8192);
	assert_int_equal(vm_pause(&vm, &info, &err), 0);
	look();
	assert_int_equal(vm_set_memory(&vm, &info, 12288, &wait, &err), -1);
	assert_int_equal(err.code, ERROR_STATE);
	fake_hyp_shutdown(1, SHUTDOWN_crash);
	look();
	assert_int_equal(vm_set_memory(&vm, &info, 12288, &wait, &err), -1);
	assert_int_equal(vm_find(&vm, "0", &info, &err), 0);
	assert_int_equal(vm_set_memory(&vm, &info, 12288, &wait, &err), -1);
	assert_int_equal(vm_set_max_memory(&vm, &info, 12288, &later, &err), -1);
}

/* The host has not that much more; and the guest goes away meanwhile. */
static void memory_that_is_gone_is_told_of(void **state)
{
	const struct vm_wait wait = { 300, NULL, NULL };

	(void)state;
	fake_hyp_domain(1)->info.tot_pages = 0;
	assert_int_equal(hyp_memory_populate(vm.hyp, 0, 0, (uint64_t[]){ 0 }, 1), 1);
	fake_hyp_domain(1)->info.handle[0] ^= 1;
	assert_int_equal(vm_set_memory(&vm, &info, 4096, &wait, &err), -1);
	assert_int_equal(err.code, ERROR_NO_DOMAIN);
}

static void switch_vcpus(void *context, uint64_t now, uint64_t wanted)
{
	unsigned online = 0;

	(void)context;
	for (int i = 0; i < 3; i++) {
		char path[64];

		snprintf(path, sizeof(path), "/local/domain/1/cpu/%d/availability", i);
		online += !strcmp(fake_store_value(path), "online");
	}
	assert_int_equal(online, wanted);
	fake_hyp_domain(1)->info.nr_online_vcpus = (uint32_t)(now < wanted ? now + 1 : wanted);
}

static void vcpus_go_on_and_off(void **state)
{
	struct vm_wait wait = { 1000, switch_vcpus, NULL };
	struct vm_config config;

	(void)state;
	assert_int_equal(vm_set_vcpus(&vm, &info, 3, &wait, &err), 0);
	assert_int_equal(vm_set_vcpus(&vm, &info, 2, &wait, &err), 0);
	assert_int_equal(vm_definition_read(info.uuid, false, &config, &err), 0);
	assert_int_equal(config.vcpus, 2);
	assert_int_equal(config.vcpus_max, 3);
	config_free(&config);
	assert_int_equal(vm_set_vcpus(&vm, &info, 4, &wait, &err), -1);
	assert_int_equal(err.code, ERROR_STATE);
	wait = (struct vm_wait){ 200, NULL, NULL };
	assert_int_equal(vm_set_vcpus(&vm, &info, 1, &wait, &err), -1);
	assert_int_equal(err.code, ERROR_TIMEOUT);
	assert_non_null(strstr(err.text, "2 of 1"));
}

static void scheduling_is_kept(void **state)
{
	const struct cpu_set second = { { 2 } }, third = { { 4 } };
	struct vm_vcpu *vcpus;
	struct vm_config config;
	unsigned weight, cap;
	size_t count;

	(void)state;
	assert_int_equal(vm_set_sched(&vm, &info, 100, 50, &err), 0);
	assert_int_equal(vm_get_sched(&vm, &info, &weight, &cap, &err), 0);
	assert_int_equal(weight, 100);
	assert_int_equal(cap, 50);
	assert_int_equal(vm_set_sched(&vm, &info, 65536, 0, &err), -1);
	assert_int_equal(vm_pin(&vm, &info, 1, &second, &err), 0);
	assert_int_equal(vm_pin(&vm, &info, 1, &third, &err), -1);
	assert_non_null(strstr(err.text, "CPU 2"));
	assert_int_equal(vm_pin(&vm, &info, 3, &second, &err), -1);
	assert_int_equal(vm_vcpus(&vm, &info, &vcpus, &count, &err), 0);
	assert_int_equal(count, 3);
	assert_int_equal(vcpus[0].cpus.bits[0], 3);
	assert_int_equal(vcpus[1].cpus.bits[0], 2);
	assert_true(vcpus[0].online);
	free(vcpus);
	assert_int_equal(vm_definition_read(info.uuid, false, &config, &err), 0);
	assert_int_equal(config.weight, 100);
	assert_int_equal(config.cap, 50);
	assert_int_equal(config.n_pins, 1);
	config_free(&config);
	assert_int_equal(vm_pin(&vm, &info, -1, NULL, &err), 0);
	assert_int_equal(fake_hyp_domain(1)->cpus[1], 3);
	assert_int_equal(vm_definition_read(info.uuid, false, &config, &err), 0);
	assert_int_equal(config.n_pins, 0);
	config_free(&config);
}

static void a_definition_is_honoured_at_the_start(void **state)
{
	struct vm_config config;

	(void)state;
	assert_int_equal(vm_destroy(&vm, &info, &err), 0);
	assert_int_equal(create("<vcpu cpuset='0'>3</vcpu><cputune><shares>512</shares>"
				"<vcpupin vcpu='2' cpuset='1'/>"
				"<global_quota>25000</global_quota></cputune>"), 0);
	assert_int_equal(fake_hyp_domain(1)->sched.weight, 512);
	assert_int_equal(fake_hyp_domain(1)->sched.cap, 25);
	assert_int_equal(fake_hyp_domain(1)->cpus[0], 1);
	assert_int_equal(fake_hyp_domain(1)->cpus[1], 1);
	assert_int_equal(fake_hyp_domain(1)->cpus[2], 2);
	/* Anywhere is a pin where <vcpu cpuset> says otherwise. */
	look();
	assert_int_equal(vm_pin(&vm, &info, 1, NULL, &err), 0);
	assert_int_equal(vm_definition_read(info.uuid, false, &config, &err), 0);
	assert_int_equal(config.n_pins, 2);
	assert_int_equal(config.pins[0].cpus.bits[0], 3);
	config_free(&config);
	assert_int_equal(vm_destroy(&vm, &info, &err), 0);
	assert_int_equal(create("<vcpu cpuset='0-2'>1</vcpu>"), -1);
	assert_non_null(strstr(err.text, "web: CPU 2"));
	assert_int_equal(fake_hyp_domains(), 0);
}

static void every_failure_is_told(void **state)
{
	const struct cpu_set first = { { 1 } };
	const struct vm_wait none = { 0 };
	unsigned n = 0;

	(void)state;
	do {
		struct vm_vcpu *vcpus = NULL;
		unsigned weight, cap;
		size_t count;
		int rc;

		fake_hyp_fail_at(++n);
		rc = vm_set_memory(&vm, &info, 12288, &none, &err) ||
		     vm_set_vcpus(&vm, &info, 1, &none, &err) ||
		     vm_get_sched(&vm, &info, &weight, &cap, &err) ||
		     vm_set_sched(&vm, &info, 1, 1, &err) ||
		     vm_pin(&vm, &info, -1, &first, &err) ||
		     vm_vcpus(&vm, &info, &vcpus, &count, &err);
		free(rc ? NULL : vcpus);
		/* How much the host has free is only asked to say it sooner. */
		assert_int_equal(rc ? 1 : 0, fake_hyp_failed() && n != 2);
		if (rc)
			assert_non_null(strstr(err.text, rc ? "hypervisor" : ""));
	} while (fake_hyp_failed());
	assert_true(n > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(memory_goes_up_and_down, fresh, done),
		cmocka_unit_test_setup_teardown(a_balloon_that_stops_is_told_of, fresh, done),
		cmocka_unit_test_setup_teardown(memory_that_cannot_be_is_refused, fresh, done),
		cmocka_unit_test_setup_teardown(memory_that_is_gone_is_told_of, fresh, done),
		cmocka_unit_test_setup_teardown(vcpus_go_on_and_off, fresh, done),
		cmocka_unit_test_setup_teardown(scheduling_is_kept, fresh, done),
		cmocka_unit_test_setup_teardown(a_definition_is_honoured_at_the_start, fresh, done),
		cmocka_unit_test_setup_teardown(every_failure_is_told, fresh, done),
	};

	return cmocka_run_group_tests(tests, vm_host_setup, vm_host_teardown);
}
