/* SPDX-License-Identifier: MIT */
/* The nodes of a device's two ends, and the steps in which ends come and go: see device.h. */
#include "vm/device.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "abi/io/xenbus.h"
#include "host/host.h"

#define END_MS 5000	/* for a back end whose guest is gone */

static const char *const kinds[] = { "vbd", "vif" };

static void back_path(const struct device *device, const char *node, char path[DEVICE_PATH])
{
	snprintf(path, DEVICE_PATH, "/local/domain/0/backend/%s/%u/%u%s%s", device->kind,
		 device->domid, device->id, *node ? "/" : "", node);
}

static void front_path(const struct device *device, const char *node, char path[DEVICE_PATH])
{
	snprintf(path, DEVICE_PATH, "/local/domain/%u/device/%s/%u%s%s", device->domid,
		 device->kind, device->id, *node ? "/" : "", node);
}

static void put_ends(struct writer *w, const void *context)
{
	const struct device_nodes *nodes = context;
	const struct device *device = nodes->device;
	char front[DEVICE_PATH], back[DEVICE_PATH];

	front_path(device, "", front);
	back_path(device, "", back);
	writer_base(w, "%s", back);
	writer_make(w, "", OF_DOMAIN0);
	writer_put(w, "frontend", "%s", front);
	writer_put(w, "frontend-id", "%u", device->domid);
	writer_put(w, "online", "1");
	nodes->put_back(w, nodes->context);
	writer_put(w, "state", "%d", XenbusStateInitialising);
	writer_base(w, "%s", front);
	writer_make(w, "", OF_FRONT_END);
	writer_put(w, "backend", "%s", back);
	writer_put(w, "backend-id", "0");
	nodes->put_front(w, nodes->context);
	writer_put(w, "state", "%d", XenbusStateInitialising);
}

int device_write(struct vm *vm, const struct device_nodes *nodes)
{
	return writer_run(vm->store, nodes->device->domid, put_ends, nodes);
}

char *device_back_read(struct vm *vm, const struct device *device, const char *node)
{
	char path[DEVICE_PATH], *value;

	back_path(device, node, path);
	return store_read(vm->store, STORE_NO_TX, path, &value, NULL) ? NULL : value;
}

int device_back_write(struct vm *vm, const struct device *device, const char *node,
		      const char *value)
{
	char path[DEVICE_PATH];

	back_path(device, node, path);
	return store_write(vm->store, STORE_NO_TX, path, value, strlen(value));
}

static void error_path(const struct device *device, char path[DEVICE_PATH])
{
	snprintf(path, DEVICE_PATH, "/local/domain/0/error/backend/%s/%u/%u", device->kind,
		 device->domid, device->id);
}

char *device_failure(struct vm *vm, const struct device *device)
{
	char path[DEVICE_PATH], *value;

	error_path(device, path);
	strcat(path, "/error");
	return store_read(vm->store, STORE_NO_TX, path, &value, NULL) ? NULL : value;
}

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Ends come and go within milliseconds: the first looks follow each other quickly. */
static void wait_a_little(unsigned *round)
{
	struct timespec time = { .tv_nsec = *round < 20 ? 500000 : 10000000 };

	++*round;
	nanosleep(&time, NULL);
}

int device_wait_ready(struct vm *vm, const struct device *device, struct error *err)
{
	long end = now_ms() + DEVICE_WAIT_MS;
	unsigned round = 0;

	while (!host_backend_ready(device->kind, device->domid, device->id)) {
		char *why = round > 20 ? device_failure(vm, device) : NULL;

		if (why) {
			error_set(err, ERROR_DEVICE, "%s: its back end failed: %s", device->name,
				  why);
			free(why);
			return -1;
		}
		if (now_ms() > end)
			return error_set(err, ERROR_DEVICE,
					 "%s: no back end came within %d s; is xen-%s loaded?",
					 device->name, DEVICE_WAIT_MS / 1000,
					 strcmp(device->kind, "vif") ? "blkback" : "netback");
		wait_a_little(&round);
	}
	return 0;
}

/* Does the back end's state, or its absence, say that it has let go? */
static bool has_let_go(struct vm *vm, const struct device *device)
{
	char *state = device_back_read(vm, device, "state");
	int value = state ? atoi(state) : XenbusStateClosed;

	free(state);
	return value == XenbusStateClosed || value == XenbusStateUnknown;
}

/*
 * The driver is gone from the device; a loop device goes when it has written all that the guest
 * gave it.
 */
static bool is_free(struct vm *vm, const struct device *device)
{
	char *path = device_back_read(vm, device, "physical-device-path");
	bool bound = path && (host_loop_bound(path) ||
			      host_backend_ready(device->kind, device->domid, device->id));

	free(path);
	return !bound;
}

static bool wait_for(struct vm *vm, const struct device *device, int timeout_ms,
		     bool (*reached)(struct vm *vm, const struct device *device))
{
	long end = now_ms() + timeout_ms;
	unsigned round = 0;

	while (!reached(vm, device)) {
		if (now_ms() > end)
			return false;
		wait_a_little(&round);
	}
	return true;
}

static void remove_nodes(struct vm *vm, const struct device *device)
{
	char path[DEVICE_PATH];

	front_path(device, "", path);
	store_rm(vm->store, STORE_NO_TX, path);
	back_path(device, "", path);
	store_rm(vm->store, STORE_NO_TX, path);
	error_path(device, path);
	store_rm(vm->store, STORE_NO_TX, path);
}

/* The back end, if there was one, has let go: so does what stands behind it, and the nodes go. */
static void finish(struct vm *vm, const struct device *device, bool has_driver)
{
	char *path = device_back_read(vm, device, "physical-device-path");

	if (has_driver)
		wait_for(vm, device, END_MS, is_free);
	if (path)
		host_image_end(path);
	free(path);
	remove_nodes(vm, device);
}

/* The guest no longer answers: we say for it that its end is closed. */
static void put_closed(struct writer *w, const void *context)
{
	const struct device *device = context;

	writer_base(w, "/local/domain/0/backend/%s/%u/%u", device->kind, device->domid,
		    device->id);
	writer_put(w, "online", "0");
	writer_base(w, "/local/domain/%u/device/%s/%u", device->domid, device->kind, device->id);
	writer_put(w, "state", "%d", XenbusStateClosed);
}

/* Tell the back end, if there is one, that the guest's end is closed. */
static bool tell_closed(struct vm *vm, const struct device *device)
{
	char *state = device_back_read(vm, device, "state");
	bool has_driver = state && atoi(state) != XenbusStateInitialising;

	free(state);
	if (has_driver && !has_let_go(vm, device))
		writer_run(vm->store, device->domid, put_closed, device);
	return has_driver;
}

void device_end(struct vm *vm, const struct device *device)
{
	bool has_driver = tell_closed(vm, device);

	if (has_driver)
		wait_for(vm, device, END_MS, has_let_go);
	finish(vm, device, has_driver);
}

/* Has the guest a driver that took up the device? What it says of itself can harm only itself. */
static bool has_front(struct vm *vm, const struct device *device)
{
	char path[DEVICE_PATH];
	uint64_t state = XenbusStateUnknown;

	front_path(device, "state", path);
	if (store_read_uint(vm->store, STORE_NO_TX, path, &state))
		return false;
	return state != XenbusStateUnknown && state != XenbusStateInitialising;
}

/* Both nodes at once: the back end looks at online when it sees the states change. */
static void put_closing(struct writer *w, const void *context)
{
	const struct device *device = context;

	writer_base(w, "/local/domain/0/backend/%s/%u/%u", device->kind, device->domid,
		    device->id);
	writer_put(w, "online", "0");
	writer_put(w, "state", "%d", XenbusStateClosing);
}

int device_unplug(struct vm *vm, const struct device *device, struct error *err)
{
	int rc = 0;

	if (!has_front(vm, device)) {	/* nobody would answer */
		device_end(vm, device);
		return 0;
	}
	if (!has_let_go(vm, device))
		rc = writer_run(vm->store, device->domid, put_closing, device);
	if (rc)
		return vm_store_failed(rc, "to unplug a device", err);
	if (!wait_for(vm, device, DEVICE_WAIT_MS, has_let_go))
		return error_set(err, ERROR_TIMEOUT,
				 "%s: the guest has not let go of it within %d s; is it mounted "
				 "or in use there? It goes when it no longer is: then repeat this",
				 device->name, DEVICE_WAIT_MS / 1000);
	finish(vm, device, true);
	return 0;
}

uint32_t *device_list(struct vm *vm, const char *kind, uint32_t domid, size_t *count)
{
	char path[DEVICE_PATH], **names;
	uint32_t *ids;

	*count = 0;
	snprintf(path, sizeof(path), "/local/domain/0/backend/%s/%u", kind, domid);
	if (store_ls(vm->store, STORE_NO_TX, path, &names, count))
		return NULL;
	ids = malloc((*count + 1) * sizeof(*ids));
	if (!ids)
		*count = 0;
	for (size_t i = 0; i < *count; i++)
		ids[i] = (uint32_t)strtoul(names[i], NULL, 10);
	free(names);
	return ids;
}

/* All of a domain's devices of a kind: all are told first, and close side by side. */
static void remove_kind(struct vm *vm, const char *kind, uint32_t domid)
{
	size_t count;
	uint32_t *ids = device_list(vm, kind, domid, &count);
	char path[DEVICE_PATH];

	for (int told = 0; told < 2; told++) {
		for (size_t i = 0; i < count; i++) {
			struct device device = { .kind = kind, .domid = domid, .id = ids[i] };

			if (told)
				device_end(vm, &device);
			else
				tell_closed(vm, &device);
		}
	}
	snprintf(path, sizeof(path), "/local/domain/0/backend/%s/%u", kind, domid);
	if (ids)
		store_rm(vm->store, STORE_NO_TX, path);
	free(ids);
}

void vm_devices_remove(struct vm *vm, uint32_t domid)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		remove_kind(vm, kinds[i], domid);
}

/* Has the back end found its front end, or given up? */
static bool is_settled(struct vm *vm, const struct device *device)
{
	char *state = device_back_read(vm, device, "state");
	bool settled = !state || atoi(state) >= XenbusStateConnected;

	free(state);
	return settled;
}

bool vm_devices_settled(struct vm *vm, uint32_t domid)
{
	bool settled = true;

	for (size_t kind = 0; kind < sizeof(kinds) / sizeof(kinds[0]); kind++) {
		size_t count;
		uint32_t *ids = device_list(vm, kinds[kind], domid, &count);

		for (size_t i = 0; i < count && settled; i++) {
			const struct device device = { kinds[kind], domid, ids[i], NULL };

			settled = is_settled(vm, &device);
		}
		free(ids);
	}
	return settled;
}

/* Is a device what stands behind one of the domain's disks? */
static bool stands_behind(struct vm *vm, uint32_t domid, const char *path)
{
	size_t count;
	uint32_t *ids = device_list(vm, "vbd", domid, &count);
	bool found = false;

	for (size_t i = 0; i < count && !found; i++) {
		const struct device device = { .kind = "vbd", .domid = domid, .id = ids[i] };
		char *its = device_back_read(vm, &device, "physical-device-path");

		found = its && !strcmp(its, path);
		free(its);
	}
	free(ids);
	return found;
}

/* The process of an image that is no disk's: who started it was killed before it was. */
static void sweep_image(void *context, const char *path)
{
	struct vm *vm = context;
	char **names;
	size_t count;
	bool found = false;
	int rc = store_ls(vm->store, STORE_NO_TX, "/local/domain/0/backend/vbd", &names, &count);

	if (rc && rc != -ENOENT)
		return;
	for (size_t i = 0; !rc && i < count && !found; i++)
		found = stands_behind(vm, (uint32_t)strtoul(names[i], NULL, 10), path);
	if (!rc)
		free(names);
	if (!found)
		host_image_end(path);
}

/* Back ends' nodes whose domain's own nodes are gone already are found here only. */
void vm_devices_sweep(struct vm *vm, bool (*exists)(const void *context, uint32_t domid),
		      const void *context)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		char path[DEVICE_PATH], **names;
		size_t count;

		snprintf(path, sizeof(path), "/local/domain/0/backend/%s", kinds[i]);
		if (store_ls(vm->store, STORE_NO_TX, path, &names, &count))
			continue;
		for (size_t j = 0; j < count; j++) {
			uint32_t domid = (uint32_t)strtoul(names[j], NULL, 10);

			if (!exists(context, domid))
				vm_devices_remove(vm, domid);
		}
		free(names);
	}
	host_image_each(sweep_image, vm);
}

int vm_devices_attach(struct vm *vm, uint32_t domid, const struct vm_config *config,
		      struct error *err)
{
	int rc = 0;

	for (unsigned i = 0; i < config->n_disks && !rc; i++)
		rc = disk_attach(vm, domid, &config->disks[i], err);
	for (unsigned i = 0; i < config->n_interfaces && !rc; i++)
		rc = interface_attach(vm, domid, i, &config->interfaces[i], err);
	return rc;
}
