/* SPDX-License-Identifier: MIT */
/*
 * Sets of definitions are applied to a host in this process: what is missing comes, what can change
 * changes, what is not wanted goes, a second time nothing happens, and a guest that fails stops no
 * other. Plans by themselves are in plan_test.c.
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
#include <stdlib.h>
#include <string.h>

#include "fake/hyp.h"
#include "unit/support/vm_host.h"
#include "vm/apply.h"
#include "vm/defined.h"
#include "vm/internal.h"

static struct vm vm;
static struct error err;
static char done_text[4096], failures[4096];

static void on_step(void *context, const struct plan_step *step)
{
	size_t len = strlen(done_text);

	(void)context;
	snprintf(done_text + len, sizeof(done_text) - len, "%s %s\n", step->name,
		 plan_kind_name(step->kind));
}

static void on_failure(void *context, const struct plan_step *step, const struct error *why)
{
	size_t len = strlen(failures);

	(void)context;
	snprintf(failures + len, sizeof(failures) - len, "%s: %s\n", step->name, why->text);
}

/* A set: add() makes definitions that differ in what the test cares for. */
static struct config_set set;

static struct vm_config *add(const char *name)
{
	struct config_file *more = reallocarray(set.files, set.count + 1, sizeof(*more));

	assert_non_null(more);
	set.files = more;
	more[set.count] = (struct config_file){
		.path = strdup("set.xml"),
		.config = {
			.name = strdup(name),
			.memory_kib = 16384,
			.current_memory_kib = 16384,
			.vcpus_max = 2,
			.vcpus = 2,
			.kernel = strdup(vm_host_kernel),
			.on_reboot = VM_ACTION_RESTART,
		},
	};
	return &more[set.count++].config;
}

static int apply(const struct plan_options *wishes)
{
	const struct apply_options options = {
		.stop_ms = 1, .step = on_step, .failed = on_failure
	};
	struct apply_state state;
	struct plan plan;

	done_text[0] = failures[0] = 0;
	assert_int_equal(apply_look(&vm, &state, &err), 0);
	assert_int_equal(plan_adopt(&set, state.guests, state.count, &err), 0);
	assert_int_equal(plan_make(&plan, state.guests, state.count, &set, wishes, &err), 0);
	int rc = apply_perform(&vm, &plan, &options, &err);
	plan_free(&plan);
	apply_free(&state);
	return rc;
}

static const struct plan_options plainly = { 0 };

static int done(void **state)
{
	(void)state;
	config_set_free(&set);
	vm_close(&vm);
	return 0;
}

static void what_is_missing_comes_once(void **state)
{
	struct vm_guest guest;

	(void)state;
	add("web");
	add("db");
	assert_int_equal(apply(&plainly), 0);
	assert_string_equal(done_text, "web define\ndb define\nweb start\ndb start\n");
	assert_int_equal(vm_find_guest(&vm, "db", &guest, &err), 0);
	assert_true(guest.defined);
	assert_int_equal(guest.info.state, VM_RUNNING);
	assert_int_equal(apply(&plainly), 0);
	assert_string_equal(done_text, "");
}

static void what_can_change_changes(void **state)
{
	struct vm_config *web = add("web"), live;
	struct vm_guest guest;
	struct vm_defined one;
	unsigned weight, cap;

	(void)state;
	assert_int_equal(apply(&plainly), 0);
	web->title = strdup("the web");
	web->on_crash = VM_ACTION_PRESERVE;
	web->weight = 512;
	web->cap = 50;
	web->vcpus_max = 4;
	assert_int_equal(apply(&plainly), 0);
	assert_string_equal(done_text, "web redefine\nweb change\nweb change\nweb change\n"
				       "web change\nweb needs-restart\n");
	assert_int_equal(vm_find_guest(&vm, "web", &guest, &err), 0);
	assert_int_equal(vm_get_sched(&vm, &guest.info, &weight, &cap, &err), 0);
	assert_int_equal(weight, 512);
	assert_int_equal(cap, 50);
	assert_int_equal(vm_live_config(&guest.info, &live, &err), 0);
	assert_string_equal(live.title, "the web");
	assert_int_equal(live.on_crash, VM_ACTION_PRESERVE);
	assert_int_equal(live.vcpus_max, 2);
	config_free(&live);
	assert_int_equal(vm_defined_find("web", &one, &err), 0);
	assert_int_equal(one.config.vcpus_max, 4);
	config_free(&one.config);
	/* Only what needs the restart is left to be said, until it is done. */
	assert_int_equal(apply(&plainly), 0);
	assert_string_equal(done_text, "web needs-restart\n");
	/* What the definition no longer says goes back. */
	web->weight = web->cap = 0;
	assert_int_equal(apply(&plainly), 0);
	assert_int_equal(vm_get_sched(&vm, &guest.info, &weight, &cap, &err), 0);
	assert_int_equal(weight, 256);
	assert_int_equal(cap, 0);
	assert_int_equal(apply(&plainly), 0);
	assert_string_equal(done_text, "web needs-restart\n");
}

static void pins_come_and_go(void **state)
{
	const struct cpu_set first = { .bits = { 1 } };
	struct vm_config *web = add("web");

	(void)state;
	assert_int_equal(apply(&plainly), 0);
	web->cpus = malloc(sizeof(first));
	*web->cpus = first;
	assert_int_equal(config_set_pin(web, 1, &first), 0);
	assert_int_equal(apply(&plainly), 0);
	assert_string_equal(done_text, "web redefine\nweb change\n");
	assert_int_equal(apply(&plainly), 0);
	assert_string_equal(done_text, "");
	free(web->cpus);
	web->cpus = NULL;
	assert_int_equal(config_set_pin(web, 1, NULL), 0);
	assert_int_equal(apply(&plainly), 0);
	assert_string_equal(done_text, "web redefine\nweb change\n");
	assert_int_equal(apply(&plainly), 0);
	assert_string_equal(done_text, "");
}

static void what_is_not_wanted_goes(void **state)
{
	const struct plan_options prune = { .prune = true };
	struct vm_guest *guests;
	uint32_t domid;
	size_t count;

	(void)state;
	add("web");
	add("db");
	assert_int_equal(apply(&plainly), 0);
	const struct vm_create_options paused = { .paused = true };
	struct vm_config *passing = add("passing");
	assert_int_equal(vm_create(&vm, passing, &paused, &domid, &err), 0);
	config_set_free(&set);
	add("web");
	assert_int_equal(apply(&plainly), 0);
	assert_string_equal(done_text, "");
	assert_int_equal(apply(&prune), 0);
	assert_string_equal(done_text, "db stop\npassing stop\ndb undefine\n");
	assert_int_equal(vm_list_all(&vm, &guests, &count, &err), 0);
	assert_int_equal(count, 2);
	assert_string_equal(guests[1].info.name, "web");
	free(guests);
	assert_int_equal(apply(&prune), 0);
	assert_string_equal(done_text, "");
}

static void one_that_fails_stops_no_other(void **state)
{
	struct vm_config *big = add("big");

	(void)state;
	big->memory_kib = big->current_memory_kib = 1 << 20;
	add("web");
	struct vm_config *huge = add("huge");
	huge->memory_kib = huge->current_memory_kib = 1 << 20;
	assert_int_equal(apply(&plainly), -1);
	assert_string_equal(done_text, "big define\nweb define\nhuge define\nbig start\nweb start\n"
				       "huge start\n");
	assert_non_null(strstr(failures, "big: wants 1024 MiB"));
	assert_int_equal(err.code, ERROR_NO_MEMORY);
	assert_non_null(strstr(err.text, "huge: wants 1024 MiB"));
	assert_int_equal(fake_hyp_domains(), 1);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, vm_host_fresh, done)
	const struct CMUnitTest tests[] = {
		TEST(what_is_missing_comes_once),
		TEST(what_can_change_changes),
		TEST(pins_come_and_go),
		TEST(what_is_not_wanted_goes),
		TEST(one_that_fails_stops_no_other),
	};

	return cmocka_run_group_tests(tests, vm_host_setup, vm_host_teardown);
}
