/* SPDX-License-Identifier: MIT */
/* Disks of guests: what lies behind them, who else uses it, and their nodes. See device.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/host.h"
#include "vm/allowed.h"
#include "vm/device.h"

/* What the nodes of a disk are made from. */
struct disk_nodes {
	const struct vm_disk *disk;
	const struct host_block *block;
	struct host_file file;
	uint32_t number;
};

static void put_front(struct writer *w, const void *context)
{
	const struct disk_nodes *nodes = context;

	writer_put(w, "virtual-device", "%u", nodes->number);
	writer_put(w, "device-type", "%s", nodes->disk->cdrom ? "cdrom" : "disk");
}

/* "uses" is our own: what file or device it is, and how it is used. See check_unused(). */
static void put_back(struct writer *w, const void *context)
{
	const struct disk_nodes *nodes = context;
	const struct vm_disk *disk = nodes->disk;

	writer_put(w, "type", "phy");
	writer_put(w, "dev", "%s", disk->target);
	writer_put(w, "mode", disk->readonly ? "r" : "w");
	writer_put(w, "device-type", "%s", disk->cdrom ? "cdrom" : "disk");
	writer_put(w, "bootable", "1");
	writer_put(w, "removable", "%d", disk->cdrom);
	writer_put(w, "discard-enable", "%d", !disk->keep_discarded);
	writer_put(w, "params", "%s", disk->source);
	writer_put(w, "uses", "%llu:%llu %c%s", (unsigned long long)nodes->file.device,
		   (unsigned long long)nodes->file.inode, disk->readonly ? 'r' : 'w',
		   disk->shareable ? " shared" : "");
	writer_put(w, "physical-device-path", "%s", nodes->block->path);
	writer_put(w, "physical-device", "%x:%x", nodes->block->major, nodes->block->minor);
}

/* Do two uses of one thing harm each other? Both may read; who writes has to say that it shares. */
static bool conflict(const char *uses, const struct disk_nodes *nodes)
{
	unsigned long long device, inode;
	char mode, shared[8] = "";

	if (sscanf(uses, "%llu:%llu %c %7s", &device, &inode, &mode, shared) < 3 ||
	    device != nodes->file.device || inode != nodes->file.inode)
		return false;
	if (mode == 'r' && nodes->disk->readonly)
		return false;
	return !*shared || !nodes->disk->shareable;
}

static int check_domain(struct vm *vm, uint32_t domid, const struct disk_nodes *nodes,
			struct error *err)
{
	size_t count;
	uint32_t *ids = device_list(vm, "vbd", domid, &count);
	int rc = 0;

	for (size_t i = 0; i < count && !rc; i++) {
		const struct device device = { .kind = "vbd", .domid = domid, .id = ids[i] };
		char *uses = device_back_read(vm, &device, "uses"), name[CONFIG_NAME_MAX + 1];

		if (uses && conflict(uses, nodes)) {
			if (vm_nodes_name(vm, domid, name, NULL) || !*name)
				snprintf(name, sizeof(name), "%u", domid);
			rc = error_set(err, ERROR_DEVICE,
				       "disk %s: %s is in use by guest %s; <shareable/> in both "
				       "of them, or <readonly/>, makes that possible",
				       nodes->disk->target, nodes->disk->source, name);
		}
		free(uses);
	}
	free(ids);
	return rc;
}

/* Two guests that write to one file system destroy it. Under the lock. */
static int check_unused(struct vm *vm, const struct disk_nodes *nodes, struct error *err)
{
	char **names;
	size_t count;
	int rc = 0;

	if (store_ls(vm->store, STORE_NO_TX, "/local/domain/0/backend/vbd", &names, &count))
		return 0;
	for (size_t i = 0; i < count && !rc; i++)
		rc = check_domain(vm, (uint32_t)strtoul(names[i], NULL, 10), nodes, err);
	free(names);
	return rc;
}

static int open_failed(const struct vm_disk *disk, int rc, struct error *err)
{
	const char *remedy = "";

	if (rc == -EBUSY)
		remedy = "; it is mounted or in use in Domain-0";
	else if (rc == -EROFS || rc == -EACCES)
		remedy = "; <readonly/> may help";
	return error_set(err, ERROR_DEVICE, "disk %s: %s: %s%s", disk->target, disk->source,
			 error_text(rc), remedy);
}

static int open_image(const struct vm_disk *disk, unsigned flags, struct host_block *block,
		      struct error *err)
{
	char why[300];
	int rc;

	if (allowed_chain(disk->source, err))
		return -1;
	rc = host_image_attach(disk->source, "qcow2", flags, block, why, sizeof(why));

	if (rc == -EIO && *why)
		return error_set(err, ERROR_DEVICE, "disk %s: %s: %.*s", disk->target,
				 disk->source, (int)strcspn(why, "\n"), why);
	if (rc == -ENOPKG)
		return error_set(err, ERROR_DEVICE,
				 "disk %s: qemu-nbd, which serves qcow2 images, is not there: is "
				 "the boot medium mounted?",
				 disk->target);
	if (rc == -EBUSY)
		return error_set(err, ERROR_DEVICE, "disk %s: too many qcow2 images are in use",
				 disk->target);
	return rc ? open_failed(disk, rc, err) : 0;
}

/* What lies behind the disk becomes a block device. */
static int open_disk(const struct vm_disk *disk, struct host_file *file, struct host_block *block,
		     struct error *err)
{
	unsigned flags = (disk->readonly ? HOST_READONLY : 0) |
			 (disk->buffered ? HOST_BUFFERED : 0) |
			 (disk->shareable ? HOST_SHARED : 0);
	int rc = host_file_look(disk->source, file);

	if (rc)
		return open_failed(disk, rc, err);
	if (disk->block != file->is_block || (!file->is_block && !file->is_file))
		return error_set(err, ERROR_DEVICE, "disk %s: %s is not a %s", disk->target,
				 disk->source, disk->block ? "block device" : "file");
	if (!disk->block && file->size < 512)
		return error_set(err, ERROR_DEVICE,
				 "disk %s: %s has less than one sector of 512 bytes", disk->target,
				 disk->source);
	if (disk->format != VM_DISK_RAW)
		return open_image(disk, flags, block, err);
	rc = disk->block ? host_block_open(disk->source, flags, block)
			 : host_loop_attach(disk->source, flags, block);
	return rc ? open_failed(disk, rc, err) : 0;
}

/* From here on others see that the disk is in use. */
static int claim(struct vm *vm, const struct device_nodes *both, const struct disk_nodes *nodes,
		 struct error *err)
{
	int lock = vm_lock(err), rc;

	if (lock < 0)
		return -1;
	rc = check_unused(vm, nodes, err);
	if (!rc) {
		rc = device_write(vm, both);
		rc = rc ? vm_store_failed(rc, both->device->name, err) : 0;
	}
	close(lock);
	return rc;
}

int disk_attach(struct vm *vm, uint32_t domid, const struct vm_disk *disk, struct error *err)
{
	struct disk_nodes nodes = { .disk = disk };
	struct host_block block = { .fd = -1 };
	char name[20];
	struct device device = { .kind = "vbd", .domid = domid, .name = name };
	const struct device_nodes both = {
		.device = &device, .put_front = put_front, .put_back = put_back, .context = &nodes
	};
	int rc;

	nodes.block = &block;
	snprintf(name, sizeof(name), "disk %s", disk->target);
	if (config_disk_number(disk->target, &nodes.number))
		return error_set(err, ERROR_DEFINITION, "%s: no such target", name);
	device.id = nodes.number;
	if (open_disk(disk, &nodes.file, &block, err))
		return -1;
	rc = claim(vm, &both, &nodes, err);
	if (!rc) {
		rc = device_wait_ready(vm, &device, err);
		if (rc)
			device_end(vm, &device);
	}
	/* The back end has it open now, if all went well; a loop device goes if not. */
	if (rc)
		host_image_end(block.path);
	host_block_close(&block);
	return rc;
}

/* Is it the domain's? */
static bool domain_uses(struct vm *vm, uint32_t domid, const struct host_file *file, char path[64])
{
	const struct vm_disk writer = { .readonly = false };
	const struct disk_nodes wanted = { .disk = &writer, .file = *file };
	size_t count;
	uint32_t *ids = device_list(vm, "vbd", domid, &count);
	bool found = false;

	for (size_t i = 0; i < count && !found; i++) {
		const struct device device = { .kind = "vbd", .domid = domid, .id = ids[i] };
		char *uses = device_back_read(vm, &device, "uses");
		char *behind = device_back_read(vm, &device, "physical-device-path");

		found = uses && conflict(uses, &wanted);
		if (found && path)
			snprintf(path, 64, "%s", behind ? behind : "");
		free(behind);
		free(uses);
	}
	free(ids);
	return found;
}

bool disk_user(struct vm *vm, const struct host_file *file, char name[CONFIG_NAME_MAX + 1],
	       char path[64])
{
	char **names;
	size_t count;
	bool found = false;

	if (store_ls(vm->store, STORE_NO_TX, "/local/domain/0/backend/vbd", &names, &count))
		return false;
	for (size_t i = 0; i < count && !found; i++) {
		uint32_t domid = (uint32_t)strtoul(names[i], NULL, 10);

		found = domain_uses(vm, domid, file, path);
		if (found && name && (vm_nodes_name(vm, domid, name, NULL) || !*name))
			snprintf(name, CONFIG_NAME_MAX + 1, "%u", domid);
	}
	free(names);
	return found;
}
