/* SPDX-License-Identifier: MIT */
/* Devices come and go while a guest runs: see vm/hotplug.h. */
#include "vm/hotplug.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vm/defined.h"
#include "vm/device.h"

/* What is to be done to a configuration, in this order: is it possible, do it. */
struct change {
	int (*check)(const struct change *change, const struct vm_config *config,
		     struct error *err);
	int (*apply)(const struct change *change, struct vm_config *config);
	/* To the domain; and back, if its configuration then cannot be written (may be NULL). */
	int (*live)(const struct change *change, struct vm *vm, uint32_t domid,
		    struct error *err);
	void (*undo)(const struct change *change, struct vm *vm, uint32_t domid);
	const struct vm_disk *disk;
	struct vm_interface *interface;
	const char *target;
	const uint8_t *mac;
	bool force;
	const char *event;	/* what a running guest's change is called */
};

int vm_guest_config(struct vm *vm, const char *who, bool inactive, struct vm_config *config,
		    struct error *err)
{
	struct vm_guest guest;
	struct vm_defined one;

	if (vm_find_guest(vm, who, &guest, err))
		return -1;
	if (guest.info.state != VM_SHUT_OFF && guest.info.domid == 0)
		return error_set(err, ERROR_STATE, "Domain-0: has no definition");
	if (guest.info.state != VM_SHUT_OFF && !(inactive && guest.defined))
		return vm_live_config(&guest.info, config, err);
	if (vm_defined_find(guest.info.name, &one, err))
		return -1;
	*config = one.config;
	return 0;
}

static int save(const struct change *change, struct vm_config *config, bool running,
		struct error *err)
{
	int rc = change->apply(change, config);

	if (rc)
		return error_set(err, rc == -ENOSPC ? ERROR_DEFINITION : ERROR_NO_MEMORY, "%s",
				 rc == -ENOSPC ? "has as many of them as are possible"
					       : "out of memory");
	return running ? vm_definition_write(config, err) : vm_defined_write(config, err);
}

/* The configuration with which a domain runs, or that is defined. */
static int load(const struct vm_guest *guest, bool running, struct vm_config *config,
		struct error *err)
{
	struct vm_defined one;

	if (running)
		return vm_live_config(&guest->info, config, err);
	if (vm_defined_find(guest->info.name, &one, err))
		return -1;
	*config = one.config;
	return 0;
}

static int check(const struct vm_guest *guest, const struct change *change, bool running,
		 struct error *err)
{
	struct vm_config config;
	int rc = load(guest, running, &config, err);

	if (rc)
		return rc;
	rc = change->check(change, &config, err);
	config_free(&config);
	return rc;
}

/* Under the lock, as others write it, too. */
static int rewrite(const struct vm_guest *guest, const struct change *change, bool running,
		   struct error *err)
{
	struct vm_config config;
	int lock = vm_lock(err), rc;

	if (lock < 0)
		return -1;
	rc = load(guest, running, &config, err);
	if (!rc) {
		rc = change->check(change, &config, err) || save(change, &config, running, err);
		config_free(&config);
	}
	close(lock);
	return rc ? -1 : 0;
}

static int run(struct vm *vm, const struct vm_guest *guest, const struct change *change,
	       enum vm_scope scope, struct error *err)
{
	bool running = guest->info.state != VM_SHUT_OFF, config = scope != VM_LIVE;

	if (running && guest->info.domid == 0)
		return error_set(err, ERROR_STATE, "is this system itself");
	if (!running && !config)
		return error_set(err, ERROR_STATE,
				 "does not run; with --config its definition is changed");
	if (config && !guest->defined)
		return error_set(err, ERROR_STATE, "is not defined; leave --config out");
	if (scope == VM_CONFIG)
		return check(guest, change, false, err) || rewrite(guest, change, false, err) ? -1
											      : 0;
	if ((running && check(guest, change, true, err)) ||
	    (config && check(guest, change, false, err)))
		return -1;
	if (running && change->live(change, vm, guest->info.domid, err))
		return -1;
	if (running && rewrite(guest, change, true, err)) {
		if (change->undo)
			change->undo(change, vm, guest->info.domid);
		return -1;
	}
	return config ? rewrite(guest, change, false, err) : 0;
}

/* The event: which device, by its target or address. */
static void tell(const struct vm_guest *guest, const struct change *change, enum vm_scope scope)
{
	const uint8_t *mac = change->interface ? change->interface->mac : change->mac;
	const char *detail = change->disk ? change->disk->target : change->target;
	char text[CONFIG_MAC_TEXT];

	if (mac)
		config_format_mac(mac, text);
	if (scope != VM_CONFIG && guest->info.state != VM_SHUT_OFF)
		vm_event(change->event, guest->info.name, guest->info.uuid, guest->info.domid,
			 mac ? text : detail);
	if (scope != VM_LIVE)
		vm_event("defined", guest->info.name, guest->info.uuid, 0, NULL);
}

static int perform(struct vm *vm, const char *who, const struct change *change,
		   enum vm_scope scope, struct error *err)
{
	struct error why = { 0 };
	struct vm_guest guest;

	if (vm_find_guest(vm, who, &guest, err))
		return -1;
	if (run(vm, &guest, change, scope, &why))
		return error_set(err, why.code, "%s: %s", guest.info.name, why.text);
	tell(&guest, change, scope);
	return 0;
}

/* --- disks --------------------------------------------------------------------------------- */

static int find_disk(const struct vm_config *config, const char *target)
{
	for (unsigned i = 0; i < config->n_disks; i++) {
		if (!strcmp(config->disks[i].target, target))
			return (int)i;
	}
	return -1;
}

static int check_new_disk(const struct change *change, const struct vm_config *config,
			  struct error *err)
{
	if (find_disk(config, change->disk->target) < 0)
		return 0;
	return error_set(err, ERROR_EXISTS, "has a disk %s already; choose another target",
			 change->disk->target);
}

static int add_disk(const struct change *change, struct vm_config *config)
{
	struct vm_disk copy;
	int rc = config_copy_disk(&copy, change->disk);

	if (rc)
		return rc;
	rc = config_add_disk(config, &copy);
	if (rc)
		config_free_disk(&copy);
	return rc;
}

static int plug_disk(const struct change *change, struct vm *vm, uint32_t domid,
		     struct error *err)
{
	return disk_attach(vm, domid, change->disk, err);
}

static void end_disk(struct vm *vm, uint32_t domid, const char *target)
{
	struct device device = { .kind = "vbd", .domid = domid, .name = target };

	if (!config_disk_number(target, &device.id))
		device_end(vm, &device);
}

static void unplug_new_disk(const struct change *change, struct vm *vm, uint32_t domid)
{
	end_disk(vm, domid, change->disk->target);
}

int vm_attach_disk(struct vm *vm, const char *who, const struct vm_disk *disk,
		   enum vm_scope scope, struct error *err)
{
	const struct change change = {
		.check = check_new_disk, .apply = add_disk, .live = plug_disk,
		.undo = unplug_new_disk, .disk = disk, .event = "attached"
	};

	return perform(vm, who, &change, scope, err);
}

static int check_old_disk(const struct change *change, const struct vm_config *config,
			  struct error *err)
{
	if (find_disk(config, change->target) >= 0)
		return 0;
	return error_set(err, ERROR_DEVICE, "has no disk %s; \"enso domblklist\" shows its disks",
			 change->target);
}

static int remove_disk(const struct change *change, struct vm_config *config)
{
	config_remove_disk(config, (unsigned)find_disk(config, change->target));
	return 0;
}

static int unplug_disk(const struct change *change, struct vm *vm, uint32_t domid,
		       struct error *err)
{
	char name[20];
	struct device device = { .kind = "vbd", .domid = domid, .name = name };

	if (change->force) {
		end_disk(vm, domid, change->target);
		return 0;
	}
	snprintf(name, sizeof(name), "disk %s", change->target);
	config_disk_number(change->target, &device.id);
	return device_unplug(vm, &device, err);
}

int vm_detach_disk(struct vm *vm, const char *who, const char *target,
		   enum vm_scope scope, bool force, struct error *err)
{
	const struct change change = { .check = check_old_disk, .apply = remove_disk,
				       .live = unplug_disk, .target = target, .force = force,
				       .event = "detached" };

	return perform(vm, who, &change, scope, err);
}

/* --- interfaces ---------------------------------------------------------------------------- */

static int find_interface(const struct vm_config *config, const uint8_t *mac)
{
	for (unsigned i = 0; i < config->n_interfaces; i++) {
		const struct vm_interface *one = &config->interfaces[i];

		if (one->has_mac && !memcmp(one->mac, mac, sizeof(one->mac)))
			return (int)i;
	}
	return -1;
}

static int check_new_interface(const struct change *change, const struct vm_config *config,
			       struct error *err)
{
	if (find_interface(config, change->interface->mac) < 0)
		return 0;
	return error_set(err, ERROR_EXISTS, "has an interface with this MAC address already");
}

static int add_interface(const struct change *change, struct vm_config *config)
{
	struct vm_interface copy;
	int rc = config_copy_interface(&copy, change->interface);

	if (rc)
		return rc;
	rc = config_add_interface(config, &copy);
	if (rc)
		config_free_interface(&copy);
	return rc;
}

/* The lowest number that no interface of the domain has. */
static uint32_t free_number(struct vm *vm, uint32_t domid)
{
	size_t count;
	uint32_t *ids = device_list(vm, "vif", domid, &count), number = 0;

	for (size_t i = 0; i < count; i++) {
		if (ids[i] == number) {
			number++;
			i = (size_t)-1;	/* they are in no order */
		}
	}
	free(ids);
	return number;
}

/* The domain's interface with this address, or with any. */
static bool find_vif(struct vm *vm, uint32_t domid, const uint8_t *wanted, struct device *device)
{
	char text[CONFIG_MAC_TEXT] = "";
	size_t count;
	uint32_t *ids = device_list(vm, "vif", domid, &count);
	bool found = false;

	*device = (struct device){ .kind = "vif", .domid = domid, .name = "interface" };
	if (wanted)
		config_format_mac(wanted, text);
	for (size_t i = 0; i < count && !found; i++) {
		char *mac;

		device->id = ids[i];
		mac = device_back_read(vm, device, "mac");
		found = mac && (!wanted || !strcmp(mac, text));
		free(mac);
	}
	free(ids);
	return found;
}

static void unplug_new_interface(const struct change *change, struct vm *vm, uint32_t domid)
{
	struct device device;

	if (find_vif(vm, domid, change->interface->mac, &device))
		device_end(vm, &device);
}

static int unplug_interface(const struct change *change, struct vm *vm, uint32_t domid,
			    struct error *err)
{
	struct device device;

	if (!find_vif(vm, domid, change->mac, &device))
		return 0;
	if (!change->force)
		return device_unplug(vm, &device, err);
	device_end(vm, &device);
	return 0;
}

static int plug_interface(const struct change *change, struct vm *vm, uint32_t domid,
			  struct error *err)
{
	return interface_attach(vm, domid, free_number(vm, domid), change->interface, err);
}

/* The MAC address of a new interface: as if it were in the definition, the last of them. */
static int make_mac(struct vm *vm, const char *who, struct vm_interface *interface,
		    struct error *err)
{
	const struct change change = { .interface = interface };
	struct vm_config config;

	if (interface->has_mac)
		return 0;
	if (vm_guest_config(vm, who, false, &config, err))
		return -1;
	if (add_interface(&change, &config)) {
		config_free(&config);
		return error_set(err, ERROR_NO_MEMORY,
				 "%s: no place for another interface", who);
	}
	config_make_macs(&config);
	memcpy(interface->mac, config.interfaces[config.n_interfaces - 1].mac,
	       sizeof(interface->mac));
	interface->has_mac = true;
	config_free(&config);
	return 0;
}

int vm_attach_interface(struct vm *vm, const char *who, const struct vm_interface *interface,
			enum vm_scope scope, struct error *err)
{
	struct vm_interface one = *interface;
	const struct change change = { .check = check_new_interface, .apply = add_interface,
				       .live = plug_interface, .undo = unplug_new_interface,
				       .interface = &one, .event = "attached" };

	if (make_mac(vm, who, &one, err))
		return -1;
	return perform(vm, who, &change, scope, err);
}

static int check_old_interface(const struct change *change, const struct vm_config *config,
			       struct error *err)
{
	if (change->mac ? find_interface(config, change->mac) >= 0 : config->n_interfaces == 1)
		return 0;
	if (!change->mac && config->n_interfaces)
		return error_set(err, ERROR_DEVICE, "has %u interfaces; say which with --mac",
				 config->n_interfaces);
	return error_set(err, ERROR_DEVICE,
			 "has no such interface; \"enso domiflist\" shows its interfaces");
}

static int remove_interface(const struct change *change, struct vm_config *config)
{
	config_remove_interface(config,
				change->mac ? (unsigned)find_interface(config, change->mac) : 0);
	return 0;
}

int vm_detach_interface(struct vm *vm, const char *who, const uint8_t *mac,
			enum vm_scope scope, bool force, struct error *err)
{
	const struct change change = { .check = check_old_interface, .apply = remove_interface,
				       .live = unplug_interface, .mac = mac, .force = force,
				       .event = "detached" };

	return perform(vm, who, &change, scope, err);
}
