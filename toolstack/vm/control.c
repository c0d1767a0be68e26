/* SPDX-License-Identifier: MIT */
/* A running guest is paused, asked to stop, waited for. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "vm/internal.h"

#define SHUTDOWN_TOKEN "enso-shutdown"

static bool ended(const struct vm_info *info)
{
	return info->state == VM_SHUTDOWN || info->state == VM_CRASHED || info->state == VM_DYING;
}

int vm_refused(const struct vm_info *info, const char *what, int rc, struct error *err)
{
	if (rc == -ESRCH)
		return error_set(err, ERROR_NO_DOMAIN, "%s: is gone", info->name);
	return error_set(err, rc == -EPERM || rc == -EACCES ? ERROR_PERMISSION : ERROR_HYPERCALL,
			 "%s: the hypervisor refuses to %s it: %s", info->name, what,
			 error_text(rc));
}

int vm_not_domain0(const struct vm_info *info, const char *what, struct error *err)
{
	return info->domid ? 0
			   : error_set(err, ERROR_STATE,
				       "Domain-0: is this system itself; it cannot be %s", what);
}

int vm_still_there(const struct vm_info *info, struct error *err)
{
	return ended(info) ? error_set(err, ERROR_STATE, "%s: has ended (%s)", info->name,
				       vm_state_name(info->state))
			   : 0;
}

int vm_same_domain(struct vm *vm, const struct vm_info *info,
		   struct xen_domctl_getdomaininfo *domain, struct error *err)
{
	int rc = hyp_domain_info(vm->hyp, info->domid, domain);

	if (!rc && memcmp(domain->handle, info->uuid, sizeof(info->uuid)))
		rc = -ESRCH;	/* another domain has got the id */
	return rc ? vm_refused(info, "tell about", rc, err) : 0;
}

int vm_pause(struct vm *vm, const struct vm_info *info, struct error *err)
{
	int rc;

	if (vm_not_domain0(info, "paused", err) || vm_still_there(info, err))
		return -1;
	if (info->state == VM_PAUSED)
		return error_set(err, ERROR_STATE, "%s: is already paused", info->name);
	rc = hyp_domain_pause(vm->hyp, info->domid);
	if (!rc)
		vm_event("paused", info->name, info->uuid, info->domid, NULL);
	return rc ? vm_refused(info, "pause", rc, err) : 0;
}

int vm_unpause(struct vm *vm, const struct vm_info *info, struct error *err)
{
	int rc;

	if (vm_still_there(info, err))
		return -1;
	if (info->state != VM_PAUSED)
		return error_set(err, ERROR_STATE, "%s: is not paused", info->name);
	rc = hyp_domain_unpause(vm->hyp, info->domid);
	if (!rc)
		vm_event("resumed", info->name, info->uuid, info->domid, NULL);
	return rc ? vm_refused(info, "unpause", rc, err) : 0;
}

int vm_ask_shutdown(struct vm *vm, const struct vm_info *info, bool reboot, struct error *err)
{
	const char *word = reboot ? "reboot" : "poweroff";
	char path[64];
	int rc;

	if (vm_not_domain0(info, "shut down from here; use poweroff or reboot", err) ||
	    vm_still_there(info, err))
		return -1;
	if (info->state == VM_PAUSED)
		return error_set(err, ERROR_STATE,
				 "%s: is paused and cannot answer; unpause it first", info->name);
	snprintf(path, sizeof(path), "/local/domain/%u/control/shutdown", info->domid);
	rc = store_write(vm->store, STORE_NO_TX, path, word, strlen(word));
	return rc ? vm_store_failed(rc, "to ask the guest", err) : 0;
}

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* 1: stopped or gone, 0: not yet, -1: error. */
static int stopped(struct vm *vm, const struct vm_info *info, struct error *err)
{
	struct xen_domctl_getdomaininfo domain;
	int rc = hyp_domain_info(vm->hyp, info->domid, &domain);

	if (rc == -ESRCH)
		return 1;
	if (rc)
		return vm_refused(info, "tell about", rc, err);
	if (memcmp(domain.handle, info->uuid, sizeof(info->uuid)))
		return 1;	/* another domain has got the id */
	return !!(domain.flags & (XEN_DOMINF_shutdown | XEN_DOMINF_dying));
}

int vm_wait_stopped(struct vm *vm, const struct vm_info *info, int timeout_ms, struct error *err)
{
	long end = now_ms() + timeout_ms;
	int rc = store_watch(vm->store, "@releaseDomain", SHUTDOWN_TOKEN);

	if (rc)
		return vm_store_failed(rc, "to watch for domains that end", err);
	for (;;) {
		struct store_event event;
		long left = end - now_ms();

		rc = stopped(vm, info, err);
		if (rc)
			break;
		if (left <= 0) {
			rc = error_set(
				err, ERROR_TIMEOUT,
				"%s: has not shut down within %d s; its kernel may not listen, "
				"\"enso destroy\" ends it at once",
				info->name, timeout_ms / 1000);
			break;
		}
		/* A look every second finds what a daemon that is being replaced did not tell. */
		rc = store_wait(vm->store, left < 1000 ? (int)left : 1000, &event);
		if (!rc)
			store_event_free(&event);
		if (rc && rc != -ETIMEDOUT) {
			rc = vm_store_failed(rc, "to tell of domains that end", err);
			break;
		}
	}
	store_unwatch(vm->store, "@releaseDomain", SHUTDOWN_TOKEN);
	return rc > 0 ? 0 : rc;
}
