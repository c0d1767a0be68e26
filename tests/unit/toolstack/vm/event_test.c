/* SPDX-License-Identifier: MIT */
/*
 * Events are lines of a file: who follows sees each once and in order, also over a turn of the
 * file; what is no event is passed over; the file's size is bounded.
 * Links: toolstack/vm/event.c toolstack/config/ toolstack/lib/
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vm/event.h"

static char folder[] = "/tmp/event_test-XXXXXX", path[64];
static const uint8_t uuid[16] = { 0xab };

static int fresh(void **state)
{
	char command[200];

	(void)state;
	if (!path[0])
		assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/events", folder);
	vm_events_file = path;
	snprintf(command, sizeof(command), "rm -f %s %s.1", path, path);
	return system(command);
}

static int teardown(void **state)
{
	char command[200];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

/* The next event's id, -1: there is none. */
static int next(struct vm_events *events)
{
	char line[VM_EVENT_MAX];
	json_t *object;
	int id;

	if (vm_events_next(events, 0, line) == 0)
		return -1;
	object = json_loads(line, 0, NULL);
	assert_non_null(object);
	id = (int)json_integer_value(json_object_get(object, "id"));
	json_decref(object);
	return id;
}

static void who_follows_sees_each_once(void **state)
{
	struct vm_events old, new, none;

	(void)state;
	vm_events_open(&none, false);	/* before there is a file */
	vm_event("started", "web", uuid, 1, NULL);
	vm_events_open(&old, true);
	vm_events_open(&new, false);
	vm_event("shutdown", "web", uuid, 2, "power\033off \"x\"");
	assert_int_equal(next(&old), 1);
	assert_int_equal(next(&old), 2);
	assert_int_equal(next(&old), -1);
	assert_int_equal(next(&new), 2);
	assert_int_equal(next(&new), -1);
	assert_int_equal(next(&none), 1);
	assert_int_equal(next(&none), 2);
	vm_events_close(&old);
	vm_events_close(&new);
	vm_events_close(&none);
}

static void the_file_is_bounded(void **state)
{
	char detail[600], older[80];
	struct vm_events events;
	struct stat st;
	int seen = 0, id, kept = 0;

	(void)state;
	memset(detail, 'x', sizeof(detail) - 1);
	detail[sizeof(detail) - 1] = 0;
	vm_events_open(&events, false);
	for (int i = 1; i <= 2000; i++) {
		vm_event("started", "web", uuid, (uint32_t)i, detail);
		while (i % 50 == 0 && (id = next(&events)) > 0)
			assert_int_equal(id, ++seen);
	}
	assert_int_equal(seen, 2000);
	vm_events_close(&events);
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size < VM_EVENTS_LIMIT + VM_EVENT_MAX);
	snprintf(older, sizeof(older), "%s.1", path);
	assert_int_equal(stat(older, &st), 0);
	assert_true(st.st_size < VM_EVENTS_LIMIT + VM_EVENT_MAX);
	/* All that is kept, to the last. */
	vm_events_open(&events, true);
	for (int last = 0; (id = next(&events)) > 0; last = id, kept++)
		assert_true(!last || id == last + 1);
	assert_true(kept > 300);
	vm_events_close(&events);
}

static void what_is_no_event_is_passed_over(void **state)
{
	struct vm_events events;
	FILE *file = fopen(path, "w");

	(void)state;
	fputs("half a line", file);
	for (int i = 0; i < 5000; i++)
		fputc('x', file);
	fputs("\n\n{}x\n", file);
	fclose(file);
	vm_event("started", "web", uuid, 5, NULL);
	vm_events_open(&events, true);
	assert_int_equal(next(&events), 5);
	assert_int_equal(next(&events), -1);
	vm_events_close(&events);
}

static void where_nothing_can_be_written_nothing_is(void **state)
{
	(void)state;
	vm_events_file = "/nonexistent/events";
	vm_event("started", "web", uuid, 5, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(who_follows_sees_each_once, fresh),
		cmocka_unit_test_setup(the_file_is_bounded, fresh),
		cmocka_unit_test_setup(what_is_no_event_is_passed_over, fresh),
		cmocka_unit_test_setup(where_nothing_can_be_written_nothing_is, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
