/* SPDX-License-Identifier: MIT */
/*
 * What guests used is gathered from the hypervisor and from the back ends' counters, whatever the
 * interfaces are called; what is no back end, or another domain's, is passed over.
 * Links: toolstack/vm/usage.c toolstack/lib/error.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vm/usage.h"

static char folder[] = "/tmp/usage_test-XXXXXX";
static bool fails;

/* In place of session.c: Domain-0 and domain 3. */
int vm_list(struct vm *vm, struct vm_info **infos, size_t *count, struct error *err)
{
	(void)vm;
	if (fails)
		return error_set(err, ERROR_STORE, "the test says so");
	*count = 2;
	*infos = calloc(2, sizeof(**infos));
	(*infos)[1] = (struct vm_info){ .domid = 3, .name = "web", .cpu_ns = 5 };
	return 0;
}

static void put(const char *path, const char *text)
{
	char command[300];

	snprintf(command, sizeof(command),
		 "mkdir -p $(dirname %s/%s) && printf '%%s\\n' '%s' >%s/%s", folder,
		 path, text, folder, path);
	assert_int_equal(system(command), 0);
}

static void counters_are_added_up(void **state)
{
	struct vm vm = { 0 };
	struct vm_usage *usages;
	struct error err;
	uint64_t at;
	size_t count;

	(void)state;
	assert_non_null(mkdtemp(folder));
	vm_backend_dir = folder;
	put("vbd-3-51712/statistics/rd_sect", "10");
	put("vbd-3-51712/statistics/wr_sect", "4");
	put("vbd-3-51728/statistics/rd_sect", "1");
	put("vbd-30-51712/statistics/rd_sect", "1000");
	put("vif-3-0/net/web0/statistics/rx_bytes", "123456789012");
	put("vif-3-0/net/web0/statistics/tx_bytes", "7");
	put("vif-3-1/net/vif3.1/statistics/tx_bytes", "3");
	put("vif-3-1/net/vif3.1/statistics/rx_bytes", "what");
	put("vif-x/net/a/statistics/rx_bytes", "1");
	put("vbd-", "");
	put("other-3-0/statistics/rd_sect", "1000");
	assert_int_equal(vm_usage_read(&vm, &usages, &count, &at, &err), 0);
	assert_int_equal(count, 2);
	assert_int_equal(usages[0].disk_read, 0);
	assert_int_equal(usages[1].info.cpu_ns, 5);
	assert_int_equal(usages[1].disk_read, 11 * 512);
	assert_int_equal(usages[1].disk_written, 4 * 512);
	assert_int_equal(usages[1].net_sent, 123456789012);
	assert_int_equal(usages[1].net_received, 10);
	free(usages);
	vm_backend_dir = "/nonexistent";
	assert_int_equal(vm_usage_read(&vm, &usages, &count, &at, &err), 0);
	assert_int_equal(usages[1].disk_read, 0);
	free(usages);
	fails = true;
	assert_int_equal(vm_usage_read(&vm, &usages, &count, &at, &err), -1);
}

static int teardown(void **state)
{
	char command[100];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(counters_are_added_up) };

	return cmocka_run_group_tests(tests, NULL, teardown);
}
