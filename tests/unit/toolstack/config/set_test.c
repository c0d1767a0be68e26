/* SPDX-License-Identifier: MIT */
/*
 * Sets of definitions: of files and folders, each guest once; everything that is wrong is told.
 * Links: toolstack/config/ toolstack/lib/
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "config/set.h"

static char folder[] = "/tmp/set_test-XXXXXX";
static char complaints[4096];

static void complain(void *context, const struct error *err)
{
	(void)context;
	strcat(complaints, err->text);
	strcat(complaints, "\n");
}

static void put(const char *name, const char *guest, const char *uuid)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file, "<domain type='xen'>\n<name>%s</name>\n", guest);
	if (uuid)
		fprintf(file, "<uuid>%s</uuid>\n", uuid);
	fprintf(file, "<memory>4096</memory>\n<os><type>xen</type><kernel>/k</kernel></os>\n"
		      "</domain>\n");
	fclose(file);
}

static int fresh(void **state)
{
	char command[100];

	(void)state;
	complaints[0] = 0;
	snprintf(command, sizeof(command), "rm -rf %s && mkdir %s", folder, folder);
	return system(command);
}

static int setup(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
	fresh(state);
	return remove(folder);
}

static int load(struct config_set *set, struct error *err, const char *more)
{
	char *paths[] = { folder, (char *)(uintptr_t)more };

	return config_set_load(set, paths, more ? 2 : 1, NULL, complain, NULL, err);
}

static void a_folder_is_read_in_order(void **state)
{
	char path[200], below[200];
	struct config_set set;
	struct error err;

	(void)state;
	put("b.xml", "web", NULL);
	put("a.xml", "db", NULL);
	put(".hidden.xml", "hidden", NULL);
	put("notes.txt", "notes", NULL);
	put(".xml", "nothing", NULL);
	snprintf(below, sizeof(below), "%s/below", folder);
	assert_int_equal(mkdir(below, 0700), 0);
	put("below/c.xml", "below", NULL);
	assert_int_equal(load(&set, &err, NULL), 0);
	assert_int_equal(set.count, 2);
	assert_string_equal(set.files[0].config.name, "db");
	assert_string_equal(set.files[1].config.name, "web");
	config_set_free(&set);
	snprintf(path, sizeof(path), "%s/below/c.xml", folder);
	assert_int_equal(load(&set, &err, path), 0);
	assert_int_equal(set.count, 3);
	config_set_free(&set);
	assert_string_equal(complaints, "");
}

static void each_guest_is_there_once(void **state)
{
	static const char uuid[] = "00112233-4455-6677-8899-aabbccddeeff";
	struct config_set set;
	struct error err;

	(void)state;
	put("a.xml", "web", uuid);
	put("b.xml", "web", NULL);
	put("c.xml", "shop", uuid);
	assert_int_equal(load(&set, &err, NULL), -1);
	assert_int_equal(set.count, 0);
	assert_non_null(strstr(complaints, "b.xml:2: guest web is in "));
	assert_non_null(strstr(complaints, "a.xml:2, too"));
	assert_int_equal(err.code, ERROR_DEFINITION);
	assert_non_null(strstr(err.text, "c.xml:3: guest shop has the uuid of guest web in "));
	assert_non_null(strstr(err.text, "a.xml:3; remove one"));
}

static void all_that_is_wrong_is_told(void **state)
{
	struct config_set set;
	struct error err;

	(void)state;
	put("a.xml", "", NULL);
	put("b.xml", "web", NULL);
	put("c.xml", "we b", NULL);
	assert_int_equal(load(&set, &err, "/nonexistent/d.xml"), -1);
	assert_non_null(strstr(complaints, "a.xml:2: name ''"));
	assert_non_null(strstr(complaints, "c.xml:2: name 'we b'"));
	assert_int_equal(err.code, ERROR_FILE);
	assert_non_null(strstr(err.text, "/nonexistent/d.xml: "));
}

static void nothing_is_no_set(void **state)
{
	struct config_set set;
	struct error err;

	(void)state;
	assert_int_equal(load(&set, &err, NULL), -1);
	assert_int_equal(err.code, ERROR_FILE);
	assert_non_null(strstr(err.text, "no file NAME.xml is there"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_folder_is_read_in_order, fresh),
		cmocka_unit_test_setup(each_guest_is_there_once, fresh),
		cmocka_unit_test_setup(all_that_is_wrong_is_told, fresh),
		cmocka_unit_test_setup(nothing_is_no_set, fresh),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
