/* SPDX-License-Identifier: MIT */
/*
 * A guest's nodes in the store, as Linux's xenbus and the console's front end expect them (Xen's
 * docs/misc/xenstore-paths). What the guest may only read is Domain-0's; what it writes is its own.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vm/internal.h"
#include "vm/writer.h"

#define CONSOLE_LIMIT 1048576	/* bytes of output that the console daemon keeps */

enum { PATH = 128 };

int vm_store_failed(int rc, const char *what, struct error *err)
{
	return error_set(err, ERROR_STORE, "the store refuses %s: %s", what, error_text(rc));
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

	writer_make(w, "", OF_DOMAIN0);
	writer_make(w, "name", OF_DOMAIN0);	/* is there already, see vm_nodes_claim_name() */
	writer_put(w, "domid", "%u", w->domid);
	writer_put(w, "vm", "/vm/%s", uuid);
	writer_put(w, "memory/static-max", "%llu", (unsigned long long)config->memory_kib);
	writer_put(w, "memory/target", "%llu", (unsigned long long)config->current_memory_kib);
	writer_put(w, "store/ring-ref", "%llu", (unsigned long long)pages->store_mfn);
	writer_put(w, "store/port", "%u", ports->store_port);
	writer_put(w, "console/ring-ref", "%llu", (unsigned long long)pages->console_mfn);
	writer_put(w, "console/port", "%u", ports->console_port);
	writer_put(w, "console/type", "xenconsoled");
	writer_put(w, "console/limit", "%d", CONSOLE_LIMIT);
	for (unsigned i = 0; i < config->vcpus_max; i++) {
		char name[40];

		snprintf(name, sizeof(name), "cpu/%u/availability", i);
		writer_put(w, name, i < config->vcpus ? "online" : "offline");
	}
	writer_put(w, "control/platform-feature-multiprocessor-suspend", "1");
	writer_put(w, "control/platform-feature-xs_reset_watches", "1");
	for (size_t i = 0; i < sizeof(of_guest) / sizeof(of_guest[0]); i++)
		writer_make(w, of_guest[i], OF_GUEST);
}

static void put_vm(struct writer *w, const struct vm_config *config, const char *uuid)
{
	writer_make(w, "", OF_DOMAIN0);
	writer_put(w, "name", "%s", config->name);
	writer_put(w, "uuid", "%s", uuid);
}

/* What the nodes are made from. */
struct guest {
	const struct vm_config *config;
	const struct build_request *ports;
	const struct build_result *pages;
};

static void put_all(struct writer *w, const void *context)
{
	const struct guest *guest = context;
	char uuid[CONFIG_UUID_TEXT];

	config_format_uuid(guest->config->uuid, uuid);
	writer_base(w, "/local/domain/%u", w->domid);
	put_domain(w, guest->config, uuid, guest->ports, guest->pages);
	writer_base(w, "/vm/%s", uuid);
	put_vm(w, guest->config, uuid);
}

int vm_nodes_write(struct vm *vm, uint32_t domid, const struct vm_config *config,
		   const struct build_request *ports, const struct build_result *pages,
		   struct error *err)
{
	const struct guest guest = { .config = config, .ports = ports, .pages = pages };
	int rc = writer_run(vm->store, domid, put_all, &guest);

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

bool vm_nodes_note_end(struct vm *vm, uint32_t domid, const char *reason)
{
	char path[PATH], *value;

	snprintf(path, sizeof(path), "/local/domain/%u/ended", domid);
	if (!store_read(vm->store, STORE_NO_TX, path, &value, NULL)) {
		free(value);
		return false;
	}
	return !store_write(vm->store, STORE_NO_TX, path, reason, strlen(reason));
}
