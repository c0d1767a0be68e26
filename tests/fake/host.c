/* SPDX-License-Identifier: MIT */
/* The control domain's kernel in this process: see fake/host.h. */
#include "fake/host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

enum { FILES = 16, LINKS = 64, BLOCK_FD = 1000 };

static struct file {
	char path[64];
	uint64_t size;
	bool block;
} files[FILES];
static struct link {
	char name[HOST_LINK_NAME + 1], bridge[HOST_LINK_NAME + 1];
	bool up;
} links[LINKS];
static unsigned nr_files, nr_links, open_blocks, fail_at;
static bool failed, no_back_ends;

void fake_host_fail_at(unsigned n)
{
	fail_at = n;
	failed = false;
}

bool fake_host_failed(void)
{
	return failed;
}

static int fails(void)
{
	if (!fail_at || --fail_at)
		return 0;
	failed = true;
	return -ENOMEM;
}

void fake_host_file(const char *path, uint64_t size, bool block)
{
	struct file *file = &files[nr_files++];

	snprintf(file->path, sizeof(file->path), "%s", path);
	file->size = size;
	file->block = block;
}

void fake_host_link(const char *name, const char *bridge)
{
	struct link *link = &links[nr_links++];

	*link = (struct link){ 0 };
	snprintf(link->name, sizeof(link->name), "%s", name);
	if (bridge)
		snprintf(link->bridge, sizeof(link->bridge), "%s", bridge);
}

void fake_host_no_back_ends(void)
{
	no_back_ends = true;
}

unsigned fake_host_open(void)
{
	return open_blocks;
}

static struct link *find_link(const char *name)
{
	for (unsigned i = 0; i < nr_links; i++) {
		if (!strcmp(links[i].name, name))
			return &links[i];
	}
	return NULL;
}

const char *fake_host_bridge_of(const char *name)
{
	const struct link *link = find_link(name);

	return link ? link->bridge : NULL;
}

static int find_file(const char *path)
{
	for (unsigned i = 0; i < nr_files; i++) {
		if (!strcmp(files[i].path, path))
			return (int)i;
	}
	return -ENOENT;
}

static int open_block(const char *path, const char *device, struct host_block *block)
{
	int which = find_file(path), rc = which < 0 ? which : fails();

	if (rc)
		return rc;
	*block = (struct host_block){ .fd = BLOCK_FD, .major = 7, .minor = (unsigned)which };
	snprintf(block->path, sizeof(block->path), "%.60s", device);
	open_blocks++;
	return 0;
}

int host_loop_attach(const char *path, unsigned flags, struct host_block *block)
{
	char device[32];

	(void)flags;
	snprintf(device, sizeof(device), "/dev/loop%d", find_file(path));
	return open_block(path, device, block);
}

int host_block_open(const char *path, unsigned flags, struct host_block *block)
{
	(void)flags;
	return open_block(path, path, block);
}

void host_block_close(struct host_block *block)
{
	open_blocks -= block->fd == BLOCK_FD;
	block->fd = -1;
}

bool host_loop_bound(const char *path)
{
	(void)path;
	return false;
}

bool host_backend_ready(const char *kind, uint32_t domid, uint32_t id)
{
	char name[32];

	if (no_back_ends)
		return false;
	snprintf(name, sizeof(name), "vif%u.%u", domid, id);
	if (!strcmp(kind, "vif") && !find_link(name))
		fake_host_link(name, NULL);
	return true;
}

int host_file_look(const char *path, struct host_file *file)
{
	int which = find_file(path);

	if (which < 0)
		return which;
	*file = (struct host_file){ .device = 1, .inode = (uint64_t)which,
				    .size = files[which].size, .is_block = files[which].block,
				    .is_file = !files[which].block };
	return 0;
}

bool host_link_exists(const char *name)
{
	return find_link(name) != NULL;
}

bool host_link_is_bridge(const char *name)
{
	const struct link *link = find_link(name);

	return link && !strcmp(link->bridge, "-");
}

int host_link_rename(const char *from, const char *to)
{
	struct link *link = find_link(from);
	int rc = link ? fails() : -ENODEV;

	if (!rc)
		snprintf(link->name, sizeof(link->name), "%s", to);
	return rc;
}

int host_link_up(const char *name, bool up)
{
	struct link *link = find_link(name);
	int rc = link ? fails() : -ENODEV;

	if (!rc)
		link->up = up;
	return rc;
}

int host_bridge_make(const char *name)
{
	int rc = find_link(name) ? -EEXIST : fails();

	if (!rc)
		fake_host_link(name, "-");
	return rc;
}

int host_bridge_remove(const char *name)
{
	struct link *link = find_link(name);

	if (!link)
		return -ENXIO;
	*link = links[--nr_links];
	return 0;
}

int host_bridge_add(const char *bridge, const char *name)
{
	struct link *link = find_link(name);
	int rc = link && host_link_is_bridge(bridge) ? fails() : -ENODEV;

	if (!rc)
		snprintf(link->bridge, sizeof(link->bridge), "%s", bridge);
	return rc;
}

int host_bridge_drop(const char *bridge, const char *name)
{
	struct link *link = find_link(name);

	if (!link || strcmp(link->bridge, bridge))
		return -EINVAL;
	link->bridge[0] = 0;
	return 0;
}

int host_bridge_ports(const char *bridge)
{
	int ports = 0;

	for (unsigned i = 0; i < nr_links; i++)
		ports += !strcmp(links[i].bridge, bridge);
	return ports;
}

int host_bridge_of(const char *name, char *bridge, size_t size)
{
	const struct link *link = find_link(name);

	if (!link || !link->bridge[0])
		return -ENOENT;
	snprintf(bridge, size, "%s", link->bridge);
	return 0;
}

int host_link_set(const char *link, const char *file, const char *value)
{
	(void)file, (void)value;
	return find_link(link) ? 0 : -ENOENT;
}

int host_link_get(const char *link, const char *file, char *text, size_t size)
{
	(void)file;
	snprintf(text, size, "52:54:00:12:34:56");
	return find_link(link) ? 0 : -ENOENT;
}

/* --- programs: what is called is kept, and ends with success --------------------------------- */

static char calls[8192];
static bool dnsmasq_lives;

const char *fake_host_calls(void)
{
	return calls;
}

int host_run(const char *const argv[], const char *input, char *output, size_t size)
{
	int rc = fails();

	if (output && size)
		snprintf(output, size, "%s", rc ? "out of order" : "");
	if (rc)
		return 1;
	for (unsigned i = 0; argv[i]; i++) {
		size_t len = strlen(calls);

		snprintf(calls + len, sizeof(calls) - len, "%s%s", i ? " " : "", argv[i]);
	}
	strncat(calls, "\n", sizeof(calls) - strlen(calls) - 1);
	strncat(calls, input ? input : "", sizeof(calls) - strlen(calls) - 1);
	dnsmasq_lives |= !strcmp(argv[0], "dnsmasq");
	return 0;
}

bool host_process_lives(const char *pid_file, const char *name)
{
	(void)pid_file;
	return !strcmp(name, "dnsmasq") && dnsmasq_lives;
}

int host_process_watch(const char *pid_file, const char *name)
{
	return host_process_lives(pid_file, name) ? open("/dev/null", O_RDONLY) : -ESRCH;
}

void host_process_end(const char *pid_file, const char *name)
{
	(void)pid_file;
	if (!strcmp(name, "dnsmasq"))
		dnsmasq_lives = false;
}

int host_write(const char *path, const char *value)
{
	(void)path, (void)value;
	return fails();
}

/* --- images that have a process -------------------------------------------------------------- */

static bool image_lives;

bool fake_host_image_lives(void)
{
	return image_lives;
}

int host_image_attach(const char *path, const char *format, unsigned flags,
		      struct host_block *block, char *why, size_t size)
{
	int rc = open_block(path, "/dev/nbd0", block);

	(void)format, (void)flags;
	snprintf(why, size, "%s", "");
	image_lives = !rc;
	return rc;
}

void host_image_end(const char *device)
{
	if (!strcmp(device, "/dev/nbd0"))
		image_lives = false;
}

void host_image_each(void (*visit)(void *context, const char *device), void *context)
{
	if (image_lives)
		visit(context, "/dev/nbd0");
}

int host_block_number(const char *path, unsigned *major, unsigned *minor)
{
	(void)path;
	*major = 43;
	*minor = 0;
	return 0;
}

void fake_host_reset(void)
{
	nr_files = nr_links = open_blocks = fail_at = 0;
	failed = no_back_ends = dnsmasq_lives = image_lives = false;
	calls[0] = 0;
}

int host_loop_resized(const char *device)
{
	(void)device;
	return 0;
}
