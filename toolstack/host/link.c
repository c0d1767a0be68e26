/* SPDX-License-Identifier: MIT */
/* Network links and bridges by the kernel's ioctls: see host.h. */
#include <dirent.h>
#include <errno.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/host.h"

/* One request of those that any socket takes. */
static int request(unsigned long what, void *argument)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), rc = 0;

	if (fd < 0)
		return -errno;
	if (ioctl(fd, what, argument))
		rc = -errno;
	close(fd);
	return rc;
}

/* -EINVAL for a name that no link can have. */
static int name_request(struct ifreq *req, const char *name)
{
	*req = (struct ifreq){ 0 };
	if (!*name || strlen(name) > HOST_LINK_NAME)
		return -EINVAL;
	strcpy(req->ifr_name, name);
	return 0;
}

bool host_link_exists(const char *name)
{
	return if_nametoindex(name) != 0;
}

bool host_link_is_bridge(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/class/net/%.15s/bridge", name);
	return !access(path, F_OK);
}

int host_link_rename(const char *from, const char *to)
{
	struct ifreq req;

	if (name_request(&req, from) || !*to || strlen(to) > HOST_LINK_NAME)
		return -EINVAL;
	strcpy(req.ifr_newname, to);
	return request(SIOCSIFNAME, &req);
}

int host_link_up(const char *name, bool up)
{
	struct ifreq req;
	int rc = name_request(&req, name);

	if (!rc)
		rc = request(SIOCGIFFLAGS, &req);
	if (rc)
		return rc;
	req.ifr_flags = (short)(up ? req.ifr_flags | IFF_UP : req.ifr_flags & ~IFF_UP);
	return request(SIOCSIFFLAGS, &req);
}

int host_bridge_make(const char *name)
{
	char text[IFNAMSIZ] = "";

	if (!*name || strlen(name) > HOST_LINK_NAME)
		return -EINVAL;
	strcpy(text, name);
	return request(SIOCBRADDBR, text);
}

int host_bridge_remove(const char *name)
{
	char text[IFNAMSIZ] = "";

	if (!*name || strlen(name) > HOST_LINK_NAME)
		return -EINVAL;
	strcpy(text, name);
	host_link_up(name, false);
	return request(SIOCBRDELBR, text);
}

static int change_bridge(const char *bridge, const char *link, unsigned long what)
{
	struct ifreq req;
	int rc = name_request(&req, bridge);

	if (rc)
		return rc;
	req.ifr_ifindex = (int)if_nametoindex(link);
	return req.ifr_ifindex ? request(what, &req) : -ENODEV;
}

int host_bridge_add(const char *bridge, const char *link)
{
	return change_bridge(bridge, link, SIOCBRADDIF);
}

int host_bridge_drop(const char *bridge, const char *link)
{
	return change_bridge(bridge, link, SIOCBRDELIF);
}

int host_bridge_of(const char *link, char *bridge, size_t size)
{
	char path[64], target[256];
	ssize_t len;

	snprintf(path, sizeof(path), "/sys/class/net/%.15s/master", link);
	len = readlink(path, target, sizeof(target) - 1);
	if (len < 0)
		return -errno;
	target[len] = 0;
	snprintf(bridge, size, "%s", strrchr(target, '/') ? strrchr(target, '/') + 1 : target);
	return 0;
}

int host_bridge_ports(const char *bridge)
{
	char path[64];
	int ports = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/sys/class/net/%.15s/brif", bridge);
	dir = opendir(path);
	if (!dir)
		return -errno;
	for (struct dirent *entry; (entry = readdir(dir));)
		ports += entry->d_name[0] != '.';
	closedir(dir);
	return ports;
}

int host_link_set(const char *link, const char *file, const char *value)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/class/net/%.15s/%.40s", link, file);
	return host_write(path, value);
}

int host_link_get(const char *link, const char *file, char *text, size_t size)
{
	char path[96];
	FILE *from;

	snprintf(path, sizeof(path), "/sys/class/net/%.15s/%.40s", link, file);
	from = fopen(path, "re");
	if (!from)
		return -errno;
	if (!fgets(text, (int)size, from))
		text[0] = 0;
	text[strcspn(text, "\n")] = 0;
	fclose(from);
	return 0;
}
