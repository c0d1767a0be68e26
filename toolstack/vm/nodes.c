/* SPDX-License-Identifier: MIT */
/*
 * A guest's nodes in the store, as Linux's xenbus and the console's front end expect them (Xen's
 * docs/misc/xenstore-paths). What the guest may only read is Domain-0's; what it writes is its own.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vm/internal.h"

#define CONSOLE_LIMIT 1048576	/* bytes of output that the console daemon keeps */

enum { PATH = 128, ATTEMPTS = 50 };

int vm_store_failed(int rc, const char *what, struct error *err)
{
	return error_set(err, ERROR_STORE, "the store refuses %s: %s", what, error_text(rc));
}

/* The nodes below one folder, in one transaction: the first error stops all that follow. */
struct writer {
	struct store_client *store;
	uint32_t tx;
	uint32_t domid;
	char base[PATH - 40];
	int rc;
};

static void put(struct writer *w, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void put(struct writer *w, const char *name, const char *fmt, ...)
{
	char path[PATH], value[256];
	va_list args;

	if (w->rc)
		return;
	snprintf(path, sizeof(path), "%s/%s", w->base, name);
	va_start(args, fmt);
	vsnprintf(value, sizeof(value), fmt, args);
	va_end(args);
	w->rc = store_write(w->store, w->tx, path, value, strlen(value));
}

/*
 * Make a node and say who owns it: the guest, who may write it, or Domain-0, then the guest may
 * read. Children inherit.
 */
static void make(struct writer *w, const char *name, bool guests)
{
	const struct store_perm own[] = { { w->domid, STORE_NONE } };
	const struct store_perm see[] = { { 0, STORE_NONE }, { w->domid, STORE_READ } };
	char path[PATH];

	if (w->rc)
		return;
	snprintf(path, sizeof(path), "%s%s%s", w->base, *name ? "/" : "", name);
	w->rc = store_mkdir(w->store, w->tx, path);
	if (!w->rc)
		w->rc = guests ? store_set_perms(w->store, w->tx, path, own, 1) :
				 store_set_perms(w->store, w->tx, path, see, 2);
}

static void put_domain(struct writer *w, const struct vm_config *config, const char *uuid,
		       const struct build_request *ports, const struct build_result *pages)
{
	static const char *const of_guest[] = {
		"control/shutdown",
		"control/feature-poweroff",
		"control/feature-reboot",
		"control/feature-suspend",
		"control/sysrq",
		"device",
		"data",
		"drivers",
		"feature",
		"attr",
		"error",
	};

	make(w, "", false);
	make(w, "name", false);	/* is there already, see vm_nodes_claim_name() */
	put(w, "domid", "%u", w->domid);
	put(w, "vm", "/vm/%s", uuid);
	put(w, "memory/static-max", "%llu", (unsigned long long)config->memory_kib);
	put(w, "memory/target", "%llu", (unsigned long long)config->current_memory_kib);
	put(w, "store/ring-ref", "%llu", (unsigned long long)pages->store_mfn);
	put(w, "store/port", "%u", ports->store_port);
	put(w, "console/ring-ref", "%llu", (unsigned long long)pages->console_mfn);
	put(w, "console/port", "%u", ports->console_port);
	put(w, "console/type", "xenconsoled");
	put(w, "console/limit", "%d", CONSOLE_LIMIT);
	for (unsigned i = 0; i < config->vcpus_max; i++) {
		char name[40];

		snprintf(name, sizeof(name), "cpu/%u/availability", i);
		put(w, name, i < config->vcpus ? "online" : "offline");
	}
	put(w, "control/platform-feature-multiprocessor-suspend", "1");
	put(w, "control/platform-feature-xs_reset_watches", "1");
	for (size_t i = 0; i < sizeof(of_guest) / sizeof(of_guest[0]); i++)
		make(w, of_guest[i], true);
}

static void put_vm(struct writer *w, const struct vm_config *config, const char *uuid)
{
	make(w, "", false);
	put(w, "name", "%s", config->name);
	put(w, "uuid", "%s", uuid);
}

static int write_once(struct vm *vm, uint32_t domid, const struct vm_config *config,
		      const struct build_request *ports, const struct build_result *pages)
{
	struct writer w = { .store = vm->store, .domid = domid };
	char uuid[CONFIG_UUID_TEXT];
	int rc;

	config_format_uuid(config->uuid, uuid);
	rc = store_tx_start(vm->store, &w.tx);
	if (rc)
		return rc;
	snprintf(w.base, sizeof(w.base), "/local/domain/%u", domid);
	put_domain(&w, config, uuid, ports, pages);
	snprintf(w.base, sizeof(w.base), "/vm/%s", uuid);
	put_vm(&w, config, uuid);
	rc = store_tx_end(vm->store, w.tx, w.rc == 0);
	return w.rc ? w.rc : rc;
}

int vm_nodes_write(struct vm *vm, uint32_t domid, const struct vm_config *config,
		   const struct build_request *ports, const struct build_result *pages,
		   struct error *err)
{
	int rc = -EAGAIN;

	for (int i = 0; i < ATTEMPTS && rc == -EAGAIN; i++)
		rc = write_once(vm, domid, config, ports, pages);
	return rc ? vm_store_failed(rc, "the guest's nodes", err) : 0;
}

int vm_nodes_claim_name(struct vm *vm, uint32_t domid, const char *name, struct error *err)
{
	char path[PATH];
	int rc;

	snprintf(path, sizeof(path), "/local/domain/%u", domid);
	rc = store_rm(vm->store, STORE_NO_TX, path);	/* of a former domain of this id */
	if (rc && rc != -ENOENT)
		return vm_store_failed(rc, "to forget a former domain", err);
	snprintf(path, sizeof(path), "/local/domain/%u/name", domid);
	rc = store_write(vm->store, STORE_NO_TX, path, name, strlen(name));
	return rc ? vm_store_failed(rc, "the guest's name", err) : 0;
}

int vm_nodes_rename(struct vm *vm, uint32_t domid, const char *name, struct error *err)
{
	char path[PATH], *home;
	int rc;

	snprintf(path, sizeof(path), "/local/domain/%u/name", domid);
	rc = store_write(vm->store, STORE_NO_TX, path, name, strlen(name));
	snprintf(path, sizeof(path), "/local/domain/%u/vm", domid);
	if (!rc && !store_read(vm->store, STORE_NO_TX, path, &home, NULL)) {
		snprintf(path, sizeof(path), "%.80s/name", home);
		free(home);
		rc = store_write(vm->store, STORE_NO_TX, path, name, strlen(name));
	}
	return rc ? vm_store_failed(rc, "the guest's name", err) : 0;
}

void vm_nodes_remove(struct vm *vm, uint32_t domid)
{
	char path[PATH], *home;

	snprintf(path, sizeof(path), "/local/domain/%u/vm", domid);
	if (!store_read(vm->store, STORE_NO_TX, path, &home, NULL)) {
		if (!strncmp(home, "/vm/", 4))
			store_rm(vm->store, STORE_NO_TX, home);
		free(home);
	}
	snprintf(path, sizeof(path), "/local/domain/%u", domid);
	store_rm(vm->store, STORE_NO_TX, path);
}

int vm_nodes_name(struct vm *vm, uint32_t domid, char name[CONFIG_NAME_MAX + 1], struct error *err)
{
	char path[PATH], *value;
	int rc;

	name[0] = 0;
	snprintf(path, sizeof(path), "/local/domain/%u/name", domid);
	rc = store_read(vm->store, STORE_NO_TX, path, &value, NULL);
	if (rc == -ENOENT) {
		if (domid == 0)
			strcpy(name, "Domain-0");
		return 0;
	}
	if (rc)
		return vm_store_failed(rc, "to tell a domain's name", err);
	snprintf(name, CONFIG_NAME_MAX + 1, "%s", value);
	free(value);
	return 0;
}
