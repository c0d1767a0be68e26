/* SPDX-License-Identifier: MIT */
/*
 * Plans: each folder tests/golden/plan/NAME/ gives what its "plan" says. defined/ has the stored
 * definitions, live/ those of running guests, ended/ those of guests that ended and are kept,
 * wanted/ the set; "options" names prune, start, no-start. What a plan that is performed leads to
 * needs no further step. With GOLDEN_WRITE set, what comes out is written, not compared.
 * Links: toolstack/vm/plan.c toolstack/vm/fields.c toolstack/config/ toolstack/lib/
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vm/plan.h"

#define GOLDEN "tests/golden/plan/"
enum { GUESTS = 16 };

struct world {
	struct config_set defined, live, ended, wanted;
	struct plan_guest guests[GUESTS];
	size_t count;
	struct plan_options options;
};

static void complain(void *context, const struct error *err)
{
	(void)context;
	fail_msg("%s", err->text);
}

static void load(const char *folder, const char *part, struct config_set *set)
{
	char path[200];
	char *paths[] = { path };
	struct error err;

	snprintf(path, sizeof(path), "%s/%s", folder, part);
	*set = (struct config_set){ 0 };
	if (!access(path, F_OK) &&
	    config_set_load(set, paths, 1, NULL, complain, NULL, &err))
		fail_msg("%s", err.text);
	for (size_t i = 0; i < set->count; i++) {
		if (set->files[i].config.has_uuid)
			config_make_macs(&set->files[i].config);
	}
}

static struct plan_guest *guest_of(struct world *world, const struct vm_config *config)
{
	for (size_t i = 0; i < world->count; i++) {
		if (!strcmp(world->guests[i].name, config->name))
			return &world->guests[i];
	}
	assert_true(world->count < GUESTS);
	struct plan_guest *guest = &world->guests[world->count++];
	*guest = (struct plan_guest){ .name = config->name, .uuid = config->uuid };
	return guest;
}

static void read_options(const char *folder, struct plan_options *options)
{
	char path[200], text[100] = "";

	snprintf(path, sizeof(path), "%s/options", folder);
	FILE *file = fopen(path, "r");
	if (!file)
		return;
	assert_non_null(fgets(text, sizeof(text), file));
	fclose(file);
	options->prune = strstr(text, "prune");
	options->start_none = strstr(text, "no-start");
	options->start_all = !options->start_none && strstr(text, "start");
}

static void load_world(const char *folder, struct world *world)
{
	*world = (struct world){ 0 };
	load(folder, "defined", &world->defined);
	load(folder, "live", &world->live);
	load(folder, "ended", &world->ended);
	load(folder, "wanted", &world->wanted);
	for (size_t i = 0; i < world->defined.count; i++) {
		struct vm_config *config = &world->defined.files[i].config;
		guest_of(world, config)->defined = config;
	}
	for (size_t i = 0; i < world->live.count + world->ended.count; i++) {
		bool live = i < world->live.count;
		struct vm_config *config =
			live ? &world->live.files[i].config
			     : &world->ended.files[i - world->live.count].config;
		struct plan_guest *guest = guest_of(world, config);
		guest->live = config;
		guest->exists = true;
		guest->runs = live;
	}
	read_options(folder, &world->options);
}

static void free_world(struct world *world)
{
	config_set_free(&world->defined);
	config_set_free(&world->live);
	config_set_free(&world->ended);
	config_set_free(&world->wanted);
}

static void print_plan(FILE *out, const struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		fprintf(out, "%s %s: %s\n", plan_acts(plan->steps[i].kind) ? "*" : " ",
			plan->steps[i].name, plan->steps[i].text);
	if (!plan->count)
		fprintf(out, "nothing\n");
}

/* Once all is done, another plan finds nothing more to do, but for what it told of before. */
static void check_idempotent(struct world *world)
{
	struct plan_guest after[GUESTS];
	struct plan plan;
	struct error err;
	size_t count = 0;

	for (size_t i = 0; i < world->wanted.count; i++) {
		struct vm_config *config = &world->wanted.files[i].config;

		if (!config->has_uuid) {
			config->has_uuid = true;
			config->uuid[0] = (uint8_t)(i + 1);
		}
		config_make_macs(config);
		after[count++] = (struct plan_guest){
			.name = config->name, .uuid = config->uuid, .defined = config,
			.live = config, .exists = true, .runs = true,
		};
	}
	assert_int_equal(plan_adopt(&world->wanted, after, count, &err), 0);
	assert_int_equal(plan_make(&plan, after, count, &world->wanted, &world->options, &err), 0);
	assert_int_equal(plan.count, 0);
	plan_free(&plan);
}

static void run(const char *folder, FILE *out)
{
	struct world world;
	struct plan plan;
	struct error err;

	load_world(folder, &world);
	if (plan_adopt(&world.wanted, world.guests, world.count, &err)) {
		fprintf(out, "error %d: %s\n", err.code, err.text);
	} else {
		assert_int_equal(plan_make(&plan, world.guests, world.count, &world.wanted,
					   &world.options, &err), 0);
		print_plan(out, &plan);
		plan_free(&plan);
		check_idempotent(&world);
	}
	free_world(&world);
}

static void compare(const char *folder, const char *text, size_t len)
{
	char path[200], wanted[16384] = "";

	snprintf(path, sizeof(path), "%s/plan", folder);
	FILE *file = fopen(path, getenv("GOLDEN_WRITE") ? "w" : "r");
	if (!file)
		fail_msg("no %s; it would be:\n%s", path, text);
	if (getenv("GOLDEN_WRITE"))
		fwrite(text, 1, len, file);
	else if (fread(wanted, 1, sizeof(wanted) - 1, file) != len || strcmp(wanted, text))
		fail_msg("%s:\n%s\n--- wanted:\n%s", folder, text, wanted);
	fclose(file);
}

static void plans_are_what_the_golden_files_say(void **state)
{
	glob_t folders;

	(void)state;
	assert_int_equal(glob(GOLDEN "*", GLOB_ONLYDIR, NULL, &folders), 0);
	assert_true(folders.gl_pathc >= 8);
	for (size_t i = 0; i < folders.gl_pathc; i++) {
		char *text;
		size_t len;
		FILE *out = open_memstream(&text, &len);

		run(folders.gl_pathv[i], out);
		fclose(out);
		compare(folders.gl_pathv[i], text, len);
		free(text);
	}
	globfree(&folders);
}

static void every_value_is_compared(void **state)
{
	struct vm_config a = { .name = (char []){ "a" } }, b;

	(void)state;
	/* Whatever byte of the values differs, some field says so. */
	for (enum plan_field field = 0; field < PLAN_FIELDS; field++)
		assert_true(plan_field_same(field, &a, &a));
	b = a, b.cap = 1;
	assert_false(plan_field_same(FIELD_CAP, &a, &b));
	b = a, b.weight = 256;
	assert_true(plan_field_same(FIELD_WEIGHT, &a, &b));
	b.weight = 255;
	assert_false(plan_field_same(FIELD_WEIGHT, &a, &b));
	b = a, b.bootloader = true;
	assert_false(plan_field_same(FIELD_BOOTLOADER, &a, &b));
	struct cpu_set cpus = { .bits = { 1 } };
	b = a, b.cpus = &cpus;
	assert_false(plan_field_same(FIELD_CPUS, &a, &b));
	struct vm_pin pin = { .vcpu = 0, .cpus = cpus };
	b = a, b.pins = &pin, b.n_pins = 1;
	assert_false(plan_field_same(FIELD_CPUS, &a, &b));
	b = a, b.on_crash = VM_ACTION_PRESERVE;
	assert_false(plan_field_same(FIELD_ON_CRASH, &a, &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plans_are_what_the_golden_files_say),
		cmocka_unit_test(every_value_is_compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
