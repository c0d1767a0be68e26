/* SPDX-License-Identifier: MIT */
/* A host for tests: see vm_host.h. */
#include "unit/support/vm_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "build/cache.h"
#include "fake/elf_image.h"
#include "fake/hyp.h"
#include "fake/store_client.h"
#include "vm/defined.h"
#include "vm/event.h"

char vm_host_kernel[64], vm_host_events[64];
static char folder[] = "/tmp/vm_host-XXXXXX", run_dir[64], state_dir[64];
static struct elf_image image;

int vm_host_setup(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(vm_host_kernel, sizeof(vm_host_kernel), "%s/kernel", folder);
	snprintf(run_dir, sizeof(run_dir), "%s/run", folder);
	snprintf(state_dir, sizeof(state_dir), "%s/state", folder);
	cache_folder = folder;
	vm_run_dir = run_dir;
	vm_state_dir = state_dir;
	snprintf(vm_host_events, sizeof(vm_host_events), "%s/events", folder);
	vm_events_file = vm_host_events;
	elf_image_small(&image);
	FILE *file = fopen(vm_host_kernel, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(image.data, 1, image.size, file), image.size);
	return fclose(file);
}

int vm_host_teardown(void **state)
{
	char command[100];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

int vm_host_fresh(void **state)
{
	char command[300];

	(void)state;
	fake_hyp_reset(65536);
	fake_store_reset();
	snprintf(command, sizeof(command), "rm -rf %s %s %s", run_dir, state_dir, vm_host_events);
	return system(command);
}
