/* SPDX-License-Identifier: MIT */
/* What guests have used: see vm/usage.h. */
#include "vm/usage.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECTOR 512	/* of blkback's statistics, whatever the disk's is */

const char *vm_backend_dir = "/sys/devices/xen-backend";

/* A number in a file below the folder; 0 if there is none. */
static uint64_t read_number(const char *folder, const char *file)
{
	unsigned long long number = 0;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", folder, file);
	FILE *in = fopen(path, "re");
	if (!in)
		return 0;
	if (fscanf(in, "%20llu", &number) != 1)
		number = 0;
	fclose(in);
	return number;
}

static void add_disk(struct vm_usage *usage, const char *folder)
{
	usage->disk_read += read_number(folder, "statistics/rd_sect") * SECTOR;
	usage->disk_written += read_number(folder, "statistics/wr_sect") * SECTOR;
}

/* The interface of Domain-0 behind it, whatever its name: what it receives, the guest has sent. */
static void add_interface(struct vm_usage *usage, const char *folder)
{
	char path[PATH_MAX];
	struct dirent *entry;

	snprintf(path, sizeof(path), "%s/net", folder);
	DIR *dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		char file[300];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(file, sizeof(file), "%s/statistics/rx_bytes", entry->d_name);
		usage->net_sent += read_number(path, file);
		snprintf(file, sizeof(file), "%s/statistics/tx_bytes", entry->d_name);
		usage->net_received += read_number(path, file);
	}
	if (dir)
		closedir(dir);
}

static struct vm_usage *find(struct vm_usage *usages, size_t count, unsigned domid)
{
	for (size_t i = 0; i < count; i++) {
		if (usages[i].info.domid == domid)
			return &usages[i];
	}
	return NULL;
}

/* Back ends are called vbd-DOMID-DEVICE and vif-DOMID-NUMBER. */
static void add_devices(struct vm_usage *usages, size_t count)
{
	DIR *dir = opendir(vm_backend_dir);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		bool disk = !strncmp(entry->d_name, "vbd-", 4);
		char folder[600];
		unsigned domid;

		if ((!disk && strncmp(entry->d_name, "vif-", 4)) ||
		    sscanf(entry->d_name + 4, "%5u-", &domid) != 1)
			continue;
		struct vm_usage *usage = find(usages, count, domid);
		if (!usage)
			continue;
		snprintf(folder, sizeof(folder), "%s/%s", vm_backend_dir, entry->d_name);
		if (disk)
			add_disk(usage, folder);
		else
			add_interface(usage, folder);
	}
	if (dir)
		closedir(dir);
}

int vm_usage_read(struct vm *vm, struct vm_usage **out, size_t *count, uint64_t *at_ns,
		  struct error *err)
{
	struct vm_info *infos;
	struct vm_usage *usages;
	struct timespec now;

	if (vm_list(vm, &infos, count, err))
		return -1;
	clock_gettime(CLOCK_MONOTONIC, &now);
	*at_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	usages = calloc(*count + 1, sizeof(*usages));
	for (size_t i = 0; usages && i < *count; i++)
		usages[i].info = infos[i];
	free(infos);
	if (!usages)
		return error_set(err, ERROR_NO_MEMORY, "out of memory");
	add_devices(usages, *count);
	*out = usages;
	return 0;
}
