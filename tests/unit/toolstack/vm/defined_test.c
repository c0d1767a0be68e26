/* SPDX-License-Identifier: MIT */
/*
 * Guests that are defined stay: name and uuid belong together over what runs and what is defined,
 * a rename and its autostart survive being cut short anywhere, damaged files are told of and stop
 * nobody else, and what a killed writer left is cleared away.
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

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "abi/sched.h"
#include "fake/hyp.h"
#include "fake/store_client.h"
#include "unit/support/vm_host.h"
#include "vm/defined.h"
#include "vm/internal.h"

static const struct vm_create_options plainly = { 0 };
static struct vm vm;
static struct error err;

static int done(void **state)
{
	(void)state;
	vm_close(&vm);
	return 0;
}

static void make_config(struct vm_config *config, const char *name)
{
	*config = (struct vm_config){
		.name = strdup(name),
		.memory_kib = 16384,
		.current_memory_kib = 8192,
		.vcpus_max = 2,
		.vcpus = 1,
		.kernel = strdup(vm_host_kernel),
		.on_reboot = VM_ACTION_RESTART,
	};
}

/* Define name, with this uuid in every byte if it is not 0. */
static int define(const char *name, uint8_t uuid)
{
	struct vm_config config;

	make_config(&config, name);
	config.has_uuid = uuid;
	memset(config.uuid, uuid, sizeof(config.uuid));
	int rc = vm_define(&vm, &config, NULL, &err);
	config_free(&config);
	return rc;
}

static int create(const char *name, uint8_t uuid)
{
	struct vm_config config;
	uint32_t domid;

	make_config(&config, name);
	config.has_uuid = uuid;
	memset(config.uuid, uuid, sizeof(config.uuid));
	int rc = vm_create(&vm, &config, &plainly, &domid, &err);
	config_free(&config);
	return rc;
}

static void path_of(const char *file, char path[200])
{
	snprintf(path, 200, "%s/%s", vm_state_dir, file);
}

static void put(const char *file, const char *text)
{
	char path[200];

	path_of(file, path);
	FILE *out = fopen(path, "w");
	assert_non_null(out);
	fputs(text, out);
	fclose(out);
}

static bool there(const char *file)
{
	char path[200];

	path_of(file, path);
	return access(path, F_OK) == 0;
}

static void uuid_of(const char *who, uint8_t uuid[16])
{
	struct vm_defined one;

	assert_int_equal(vm_defined_find(who, &one, &err), 0);
	memcpy(uuid, one.config.uuid, 16);
	config_free(&one.config);
}

static void a_definition_keeps_its_uuid(void **state)
{
	uint8_t first[16], second[16];
	char text[CONFIG_UUID_TEXT];
	struct vm_config config;
	bool replaced;

	(void)state;
	assert_int_equal(define("web", 0), 0);
	uuid_of("web", first);
	make_config(&config, "web");
	config.vcpus_max = 4;
	assert_int_equal(vm_define(&vm, &config, &replaced, &err), 0);
	assert_true(replaced);
	config_free(&config);
	config_format_uuid(first, text);
	uuid_of(text, second);
	assert_memory_equal(first, second, 16);
	struct vm_defined one;
	assert_int_equal(vm_defined_find("web", &one, &err), 0);
	assert_int_equal(one.config.vcpus_max, 4);
	assert_false(one.autostart);
	config_free(&one.config);
	assert_int_equal(vm_undefine(&vm, text, &err), 0);
	assert_int_equal(vm_defined_find("web", &one, &err), -1);
	assert_int_equal(err.code, ERROR_NO_DOMAIN);
	assert_int_equal(vm_undefine(&vm, "web", &err), -1);
	assert_int_equal(err.code, ERROR_NO_DOMAIN);
}

static void refused(int rc, enum error_code code, const char *says)
{
	assert_int_equal(rc, -1);
	assert_int_equal(err.code, code);
	if (!strstr(err.text, says))
		fail_msg("no \"%s\" in \"%s\"", says, err.text);
}

static void name_and_uuid_belong_together(void **state)
{
	(void)state;
	assert_int_equal(define("web", 1), 0);
	refused(define("web", 2), ERROR_EXISTS, "web: a guest of this name is defined");
	refused(define("other", 1), ERROR_EXISTS, "guest web is defined with this uuid");
	refused(define("Domain-0", 0), ERROR_EXISTS, "this system");
	refused(create("web", 0), ERROR_EXISTS, "a guest of this name is defined");
	refused(create("other", 1), ERROR_EXISTS, "guest web is defined with this uuid");
	assert_int_equal(fake_hyp_domains(), 0);
	/* The guest itself may be created, and defined while it runs, also without its uuid. */
	assert_int_equal(create("web", 1), 0);
	assert_int_equal(define("web", 0), 0);
	assert_int_equal(vm_undefine(&vm, "web", &err), 0);
	refused(define("web", 2), ERROR_EXISTS, "a running guest (id 1) has this name");
	refused(define("other", 1), ERROR_EXISTS, "the running guest web (id 1) has this uuid");
	assert_int_equal(define("web", 0), 0);
	uint8_t uuid[16];
	uuid_of("web", uuid);
	assert_int_equal(uuid[0], 1);
}

static void a_guest_starts_and_ends_and_stays_defined(void **state)
{
	struct vm_guest guest;
	struct vm_info info;
	uint32_t domid;

	(void)state;
	assert_int_equal(define("web", 1), 0);
	refused(vm_find(&vm, "web", &info, &err), ERROR_STATE, "web: is shut off");
	assert_int_equal(vm_find_guest(&vm, "web", &guest, &err), 0);
	assert_int_equal(guest.info.state, VM_SHUT_OFF);
	assert_int_equal(guest.info.memory_kib, 8192);
	assert_int_equal(vm_start(&vm, "web", &plainly, &domid, &err), 0);
	refused(vm_start(&vm, "web", &plainly, &domid, &err), ERROR_STATE, "there already");
	assert_int_equal(vm_find_guest(&vm, "1", &guest, &err), 0);
	assert_true(guest.defined);
	assert_int_equal(vm_destroy(&vm, &guest.info, &err), 0);
	assert_true(vm_defined_exists("web"));
	refused(vm_start(&vm, "nobody", &plainly, &domid, &err), ERROR_NO_DOMAIN, "nobody");
	assert_int_equal(create("transient", 0), 0);
	refused(vm_start(&vm, "transient", &plainly, &domid, &err), ERROR_STATE, "not defined");
	/* Nobody else is needed to forget it while it runs. */
	assert_int_equal(vm_start(&vm, "web", &plainly, &domid, &err), 0);
	assert_int_equal(vm_undefine(&vm, "web", &err), 0);
	assert_int_equal(vm_find(&vm, "web", &info, &err), 0);
}

static void a_reboot_takes_the_new_definition(void **state)
{
	struct vm_config config;
	struct vm_info info;
	uint32_t domid;

	(void)state;
	assert_int_equal(define("web", 1), 0);
	assert_int_equal(vm_start(&vm, "web", &plainly, &domid, &err), 0);
	make_config(&config, "web");
	config.memory_kib = config.current_memory_kib = 12288;
	assert_int_equal(vm_define(&vm, &config, NULL, &err), 0);
	config_free(&config);
	assert_int_equal(fake_hyp_domain(domid)->max_kib, 16384);
	fake_hyp_shutdown(domid, SHUTDOWN_reboot);
	assert_int_equal(vm_find(&vm, "web", &info, &err), 0);
	assert_int_equal(vm_finish(&vm, &info, true, &domid, &err), VM_ACTION_RESTART);
	assert_int_equal(fake_hyp_domain(domid)->max_kib, 12288);
	/* What was changed of the running guest stays when nobody defined it anew. */
	assert_int_equal(vm_find(&vm, "web", &info, &err), 0);
	make_config(&config, "web");
	config.has_uuid = true;
	memset(config.uuid, 1, sizeof(config.uuid));
	config.memory_kib = config.current_memory_kib = 8192;
	assert_int_equal(vm_definition_write(&config, &err), 0);
	config_free(&config);
	fake_hyp_shutdown(domid, SHUTDOWN_reboot);
	assert_int_equal(vm_find(&vm, "web", &info, &err), 0);
	assert_int_equal(vm_finish(&vm, &info, true, &domid, &err), VM_ACTION_RESTART);
	assert_int_equal(fake_hyp_domain(domid)->max_kib, 8192);
}

static void all_are_listed_once(void **state)
{
	struct vm_guest *guests;
	uint32_t domid;
	size_t count;

	(void)state;
	assert_int_equal(define("beta", 0), 0);
	assert_int_equal(define("alpha", 0), 0);
	assert_int_equal(vm_start(&vm, "beta", &plainly, &domid, &err), 0);
	assert_int_equal(create("gamma", 0), 0);
	assert_int_equal(vm_list_all(&vm, &guests, &count, &err), 0);
	assert_int_equal(count, 4);
	assert_string_equal(guests[0].info.name, "Domain-0");
	assert_string_equal(guests[1].info.name, "beta");
	assert_true(guests[1].defined);
	assert_string_equal(guests[2].info.name, "gamma");
	assert_false(guests[2].defined);
	assert_string_equal(guests[3].info.name, "alpha");
	assert_int_equal(guests[3].info.state, VM_SHUT_OFF);
	free(guests);
}

static void autostart_is_in_order(void **state)
{
	struct vm_defined *list;
	size_t count;

	(void)state;
	for (const char *name = "dcba"; *name; name++)
		assert_int_equal(define((char[]){ *name, 0 }, 0), 0);
	assert_int_equal(vm_set_autostart(&vm, "a", true, 900, &err), 0);
	assert_int_equal(vm_set_autostart(&vm, "b", true, VM_ORDER_DEFAULT, &err), 0);
	assert_int_equal(vm_set_autostart(&vm, "c", true, VM_ORDER_DEFAULT, &err), 0);
	assert_int_equal(vm_set_autostart(&vm, "d", true, 7, &err), 0);
	assert_int_equal(vm_set_autostart(&vm, "c", false, 0, &err), 0);
	assert_int_equal(vm_defined_autostart(&list, &count, &err), 0);
	assert_int_equal(count, 3);
	assert_string_equal(list[0].name, "d");
	assert_int_equal(list[0].order, 7);
	assert_string_equal(list[1].name, "b");
	assert_string_equal(list[2].name, "a");
	vm_defined_free(list, count);
	refused(vm_set_autostart(&vm, "nobody", true, 1, &err), ERROR_NO_DOMAIN, "nobody");
	/* It ends with the definition: another guest of this name has its own. */
	assert_int_equal(vm_undefine(&vm, "d", &err), 0);
	assert_int_equal(define("d", 0), 0);
	assert_int_equal(vm_defined_autostart(&list, &count, &err), 0);
	assert_int_equal(count, 2);
	vm_defined_free(list, count);
}

static void guests_get_other_names(void **state)
{
	struct vm_defined one;
	struct vm_info info;
	uint32_t domid;

	(void)state;
	assert_int_equal(define("web", 1), 0);
	assert_int_equal(define("taken", 2), 0);
	assert_int_equal(vm_set_autostart(&vm, "web", true, 3, &err), 0);
	refused(vm_rename(&vm, "web", "taken", &err), ERROR_EXISTS, "another guest");
	refused(vm_rename(&vm, "web", "../etc", &err), ERROR_USAGE, "not possible");
	refused(vm_rename(&vm, "nobody", "some", &err), ERROR_NO_DOMAIN, "nobody");
	assert_int_equal(vm_rename(&vm, "web", "web", &err), 0);
	assert_int_equal(vm_rename(&vm, "web", "shop", &err), 0);
	assert_false(vm_defined_exists("web"));
	assert_false(there("autostart/web"));
	assert_int_equal(vm_defined_find("shop", &one, &err), 0);
	assert_string_equal(one.config.name, "shop");
	assert_int_equal(one.config.uuid[0], 1);
	assert_true(one.autostart);
	assert_int_equal(one.order, 3);
	config_free(&one.config);
	/* While it runs, too. */
	assert_int_equal(vm_start(&vm, "shop", &plainly, &domid, &err), 0);
	assert_int_equal(vm_rename(&vm, "shop", "mall", &err), 0);
	assert_string_equal(fake_store_value("/local/domain/1/name"), "mall");
	assert_int_equal(vm_find(&vm, "mall", &info, &err), 0);
	struct vm_config live;
	assert_int_equal(vm_live_config(&info, &live, &err), 0);
	assert_string_equal(live.name, "mall");
	config_free(&live);
	assert_true(vm_defined_exists("mall"));
	refused(vm_rename(&vm, "Domain-0", "mine", &err), ERROR_STATE, "keeps its name");
}

static void a_rename_that_was_cut_short_is_whole(void **state)
{
	struct vm_defined one;
	char from[200], to[200];

	(void)state;
	assert_int_equal(define("web", 1), 0);
	assert_int_equal(vm_set_autostart(&vm, "web", true, 3, &err), 0);
	/* After the first step: nothing has happened. */
	put("autostart/shop", "3\n");
	assert_int_equal(vm_defined_find("shop", &one, &err), -1);
	/* After the second: the file says the old name, but it is the new guest's. */
	path_of("guests/web.xml", from);
	path_of("guests/shop.xml", to);
	assert_int_equal(rename(from, to), 0);
	assert_int_equal(vm_defined_find("shop", &one, &err), 0);
	assert_string_equal(one.config.name, "shop");
	assert_int_equal(one.order, 3);
	config_free(&one.config);
	/* The old autostart is nobody's, and the next change removes it. */
	assert_int_equal(define("other", 0), 0);
	assert_false(there("autostart/web"));
	assert_true(there("autostart/shop"));
}

static void damaged_files_stop_nobody_else(void **state)
{
	struct vm_defined *list, one;
	uint32_t domid;
	size_t count;

	(void)state;
	assert_int_equal(define("web", 1), 0);
	put("guests/bad.xml", "<domain type='xen'><name>bad</name>");
	put("guests/bare.xml", "<domain type='xen'><name>bare</name><memory>4096</memory><os>"
			       "<type>xen</type><kernel>/k</kernel></os></domain>");
	put("guests/.hidden.xml", "");
	put("guests/notes.txt", "");
	put("guests/cut.xml.Ab3dE9", "<dom");
	assert_int_equal(vm_defined_list(&list, &count, &err), 0);
	assert_int_equal(count, 3);
	assert_string_equal(list[0].name, "bad");
	assert_int_equal(list[0].problem.code, ERROR_DEFINITION);
	assert_non_null(strstr(list[0].problem.text, "bad.xml:1:"));
	assert_int_equal(list[1].problem.code, ERROR_DEFINITION);
	assert_int_equal(list[2].problem.code, ERROR_NONE);
	vm_defined_free(list, count);
	refused(vm_defined_find("bad", &one, &err), ERROR_DEFINITION, "bad.xml:1:");
	refused(vm_start(&vm, "bad", &plainly, &domid, &err), ERROR_DEFINITION, "bad.xml:1:");
	refused(define("bad", 0), ERROR_DEFINITION, "bad.xml:1:");
	assert_int_equal(vm_start(&vm, "web", &plainly, &domid, &err), 0);
	assert_int_equal(vm_undefine(&vm, "bad", &err), 0);
	assert_int_equal(define("bad", 0), 0);
	assert_false(there("guests/cut.xml.Ab3dE9"));
	assert_true(there("guests/notes.txt"));
}

static void what_cannot_be_written_changes_nothing(void **state)
{
	(void)state;
	assert_int_equal(mkdir(vm_state_dir, 0700), 0);
	put("guests", "a file where the folder should be");
	assert_int_equal(define("web", 0), -1);
	assert_int_equal(err.code, ERROR_FILE);
	assert_non_null(strstr(err.text, "web: "));
	assert_false(vm_defined_exists("web"));
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, vm_host_fresh, done)
	const struct CMUnitTest tests[] = {
		TEST(a_definition_keeps_its_uuid),
		TEST(name_and_uuid_belong_together),
		TEST(a_guest_starts_and_ends_and_stays_defined),
		TEST(a_reboot_takes_the_new_definition),
		TEST(all_are_listed_once),
		TEST(autostart_is_in_order),
		TEST(guests_get_other_names),
		TEST(a_rename_that_was_cut_short_is_whole),
		TEST(damaged_files_stop_nobody_else),
		TEST(what_cannot_be_written_changes_nothing),
	};

	return cmocka_run_group_tests(tests, vm_host_setup, vm_host_teardown);
}
