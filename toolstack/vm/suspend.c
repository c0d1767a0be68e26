/* SPDX-License-Identifier: MIT */
/*
 * A guest suspends when its kernel is asked to, and goes on when the suspend is cancelled: its
 * hypercall returns 1 then instead of 0 (abi/sched.h; Linux and all kernels that say
 * SUSPEND_CANCEL).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "abi/sched.h"
#include "vm/internal.h"

#define CANCELLED 1
#define LATE_MS	  10000	/* for a guest that said yes in the last moment */
#define DEVICES_MS 10000	/* for its devices: perhaps its kernel has no driver for one */
#define AGAIN_MS  25000	/* Linux gives up after 20 s when its tasks can't be frozen */
#define LOOK_MS	  20

enum { PATH = 64 };

/* Does the guest's kernel say that it can? */
static int can_suspend(struct vm *vm, const struct vm_info *info, struct error *err)
{
	char path[PATH], *value;
	bool can;
	int rc;

	snprintf(path, sizeof(path), "/local/domain/%u/control/feature-suspend", info->domid);
	rc = store_read(vm->store, STORE_NO_TX, path, &value, NULL);
	if (rc && rc != -ENOENT)
		return vm_store_failed(rc, "to tell of the guest", err);
	can = !rc && !strcmp(value, "1");
	if (!rc)
		free(value);
	return can ? 0
		   : error_set(err, ERROR_STATE,
			       "%s: its kernel has not said that it can suspend: it has not "
			       "started yet, or cannot be saved",
			       info->name);
}

/* 1: the request was taken back before the guest saw it, 0: it has, -1: error. */
static int take_back(struct vm *vm, const struct vm_info *info)
{
	char path[PATH], *value;
	uint32_t tx;
	int taken = 0, rc;

	snprintf(path, sizeof(path), "/local/domain/%u/control/shutdown", info->domid);
	rc = store_tx_start(vm->store, &tx);
	if (rc)
		return -1;
	rc = store_read(vm->store, tx, path, &value, NULL);
	if (!rc) {
		taken = !strcmp(value, "suspend");
		free(value);
	}
	if (taken)
		rc = store_write(vm->store, tx, path, "", 0);
	if (store_tx_end(vm->store, tx, taken && !rc))
		return -1;
	return taken;
}

static int ask(struct vm *vm, const struct vm_info *info, struct error *err)
{
	char path[PATH];
	int rc;

	snprintf(path, sizeof(path), "/local/domain/%u/control/shutdown", info->domid);
	rc = store_write(vm->store, STORE_NO_TX, path, "suspend", strlen("suspend"));
	return rc ? vm_store_failed(rc, "to ask the guest", err) : 0;
}

int vm_has_suspended(struct vm *vm, const struct vm_info *info, struct error *err)
{
	struct xen_domctl_getdomaininfo now;
	int rc = hyp_domain_info(vm->hyp, info->domid, &now);
	unsigned reason = rc ? 0 : now.flags >> XEN_DOMINF_shutdownshift & XEN_DOMINF_shutdownmask;

	if (rc || memcmp(now.handle, info->uuid, sizeof(info->uuid)) ||
	    now.flags & XEN_DOMINF_dying)
		return error_set(err, ERROR_NO_DOMAIN, "%s: is gone", info->name);
	return reason == SHUTDOWN_suspend
		       ? 0
		       : error_set(err, ERROR_STATE, "%s: has ended (%s) instead of suspending",
				   info->name, vm_reason_name(reason));
}

/*
 * Linux can't freeze a task that waits for a disk, and does not connect a disk while it tries: a
 * guest that was restored a moment ago is asked when its disks are there.
 */
static void await_devices(struct vm *vm, uint32_t domid)
{
	for (int ms = 0; ms < DEVICES_MS && !vm_devices_settled(vm, domid); ms += LOOK_MS)
		usleep(LOOK_MS * 1000);
}

/* Ask, and ask again if the guest heard it and runs on. ERROR_TIMEOUT: it has not been in time. */
static int ask_and_wait(struct vm *vm, const struct vm_info *info, int timeout_ms,
			struct error *err)
{
	int left = timeout_ms, rc;

	do {
		int ms = left < AGAIN_MS ? left : AGAIN_MS;

		if (ask(vm, info, err))
			return -1;
		rc = vm_wait_stopped(vm, info, ms, err);
		left -= ms;
	} while (rc && err->code == ERROR_TIMEOUT && left > 0);
	return rc;
}

int vm_suspend(struct vm *vm, const struct vm_info *info, int timeout_ms, struct error *err)
{
	struct error unheard;

	if (!err)
		err = &unheard;
	if (info->domid == 0)
		return error_set(err, ERROR_STATE,
				 "Domain-0: is this system itself; it cannot be saved");
	if (info->state == VM_PAUSED)
		return error_set(err, ERROR_STATE,
				 "%s: is paused and cannot answer; unpause it first", info->name);
	if (info->state != VM_RUNNING && info->state != VM_BLOCKED)
		return error_set(err, ERROR_STATE, "%s: has ended (%s)", info->name,
				 vm_state_name(info->state));
	if (can_suspend(vm, info, err))
		return -1;
	await_devices(vm, info->domid);
	if (ask_and_wait(vm, info, timeout_ms, err)) {
		if (err->code != ERROR_TIMEOUT)
			return -1;
		if (take_back(vm, info) || vm_wait_stopped(vm, info, LATE_MS, err))
			return error_set(err, ERROR_TIMEOUT,
					 "%s: has not suspended within %d s; it runs on",
					 info->name, timeout_ms / 1000);
	} else {
		take_back(vm, info);	/* what it was asked once more and does not know yet */
	}
	return vm_has_suspended(vm, info, err);
}

int vm_suspend_cancel(struct vm *vm, const struct vm_info *info, struct error *err)
{
	struct vcpu_guest_context *context = malloc(sizeof(*context));
	int rc = -ENOMEM;

	if (context)
		rc = hyp_vcpu_get_context(vm->hyp, info->domid, 0, context);
	if (!rc) {
		context->user_regs.rax = CANCELLED;
		rc = hyp_vcpu_set_context(vm->hyp, info->domid, 0, context);
	}
	free(context);
	if (!rc)
		rc = hyp_domain_resume(vm->hyp, info->domid);
	if (rc)
		return error_set(err, ERROR_HYPERCALL,
				 "%s: has suspended, and the hypervisor refuses to let it go on: "
				 "%s",
				 info->name, error_text(rc));
	/* So that the daemon tells of its next end; without, ensod finds that by itself later. */
	store_resume(vm->store, info->domid);
	return 0;
}
