/* SPDX-License-Identifier: MIT */
/* All guests are asked to power off, as when the host goes down: see vm_shutdown_all(). */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "vm/internal.h"

#define LOOK_MS 200

static bool runs(const struct vm_info *info)
{
	return info->domid && (info->state == VM_RUNNING || info->state == VM_BLOCKED ||
			       info->state == VM_PAUSED);
}

static void tell(const struct vm_shutdown *how, const char *guest, const char *what)
{
	if (how->tell)
		how->tell(how->context, guest, what);
}

/* A paused guest has to run to hear it. */
static void ask(struct vm *vm, const struct vm_shutdown *how, struct vm_info *info)
{
	struct error err = { 0 };

	if (info->state == VM_PAUSED && !vm_unpause(vm, info, &err))
		info->state = VM_RUNNING;
	tell(how, info->name, vm_ask_shutdown(vm, info, false, &err) ? err.text : "asked");
}

static int destroy(struct vm *vm, const struct vm_shutdown *how, const struct vm_info *info,
		   struct error *err)
{
	tell(how, info->name, "has not shut down: destroyed");
	return vm_destroy(vm, info, err);
}

/*
 * Those of infos that still run are asked (first) or destroyed (last). Returns how many there were,
 * or -1.
 */
static int each(struct vm *vm, const struct vm_shutdown *how, bool first, bool last,
		struct error *err)
{
	struct vm_info *infos;
	size_t count;
	int running = 0, rc = 0;

	if (vm_list_names(vm, &infos, &count, err))
		return -1;
	for (size_t i = 0; i < count; i++) {
		if (!runs(&infos[i]))
			continue;
		running++;
		if (first)
			ask(vm, how, &infos[i]);
		else if (last && destroy(vm, how, &infos[i], err))
			rc = -1;
	}
	free(infos);
	return rc ? rc : running;
}

int vm_shutdown_all(struct vm *vm, const struct vm_shutdown *how, struct error *err)
{
	int left = each(vm, how, true, false, err), waited = 0;

	while (left > 0 && waited < how->timeout_ms) {
		usleep(LOOK_MS * 1000);
		waited += LOOK_MS;
		left = each(vm, how, false, false, err);
	}
	if (left > 0 && how->destroy)
		return each(vm, how, false, true, err) < 0 ? -1 : 0;
	if (left > 0 && how->timeout_ms)
		return error_set(err, ERROR_TIMEOUT,
				 "%d guests have not shut down within %d s; \"enso list\" shows "
				 "them",
				 left, how->timeout_ms / 1000);
	return left < 0 ? -1 : 0;
}
