/* SPDX-License-Identifier: MIT */
/* The devices of a configuration as things that come and go: see config.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"

void config_free_disk(struct vm_disk *disk)
{
	free(disk->source);
	*disk = (struct vm_disk){ 0 };
}

void config_free_interface(struct vm_interface *interface)
{
	free(interface->source);
	free(interface->target);
	*interface = (struct vm_interface){ 0 };
}

/* One more than count of size bytes at *list, which may move. 0 or -errno. */
static int grow(void *list, unsigned int count, unsigned int max, size_t size)
{
	void **items = list, *more;

	if (count >= max)
		return -ENOSPC;
	more = reallocarray(*items, count + 1, size);
	if (!more)
		return -ENOMEM;
	*items = more;
	return 0;
}

int config_add_disk(struct vm_config *cfg, const struct vm_disk *disk)
{
	int rc = grow(&cfg->disks, cfg->n_disks, CONFIG_DISKS_MAX, sizeof(*disk));

	if (!rc)
		cfg->disks[cfg->n_disks++] = *disk;
	return rc;
}

int config_add_interface(struct vm_config *cfg, const struct vm_interface *interface)
{
	int rc = grow(&cfg->interfaces, cfg->n_interfaces, CONFIG_INTERFACES_MAX,
		      sizeof(*interface));

	if (!rc)
		cfg->interfaces[cfg->n_interfaces++] = *interface;
	return rc;
}

void config_remove_disk(struct vm_config *cfg, unsigned int index)
{
	config_free_disk(&cfg->disks[index]);
	cfg->n_disks--;
	memmove(&cfg->disks[index], &cfg->disks[index + 1],
		(cfg->n_disks - index) * sizeof(cfg->disks[0]));
}

void config_remove_interface(struct vm_config *cfg, unsigned int index)
{
	config_free_interface(&cfg->interfaces[index]);
	cfg->n_interfaces--;
	memmove(&cfg->interfaces[index], &cfg->interfaces[index + 1],
		(cfg->n_interfaces - index) * sizeof(cfg->interfaces[0]));
}

int config_copy_disk(struct vm_disk *to, const struct vm_disk *from)
{
	*to = *from;
	to->source = strdup(from->source);
	return to->source ? 0 : -ENOMEM;
}

int config_copy_interface(struct vm_interface *to, const struct vm_interface *from)
{
	*to = *from;
	to->source = strdup(from->source);
	to->target = from->target ? strdup(from->target) : NULL;
	if (to->source && (to->target || !from->target))
		return 0;
	config_free_interface(to);
	return -ENOMEM;
}
