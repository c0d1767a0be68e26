/* SPDX-License-Identifier: MIT */
/* Networks as files, and their start and stop: see vm/network.h. */
#include "vm/network.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/host.h"
#include "lib/file.h"
#include "vm/defined.h"
#include "vm/internal.h"
#include "vm/network_up.h"

const char *vm_network_run_dir = "/run/enso/networks";
const char *vm_network_shipped_dir = "/usr/share/enso/networks";

enum { PATH = 256 };

static void defined_path(const char *name, char path[PATH])
{
	snprintf(path, PATH, "%s/networks/%s.xml", vm_state_dir, name);
}

static void shipped_path(const char *name, char path[PATH])
{
	snprintf(path, PATH, "%s/%s.xml", vm_network_shipped_dir, name);
}

static void autostart_path(const char *name, char path[PATH])
{
	snprintf(path, PATH, "%s/networks/autostart/%s", vm_state_dir, name);
}

/* The lock over networks. A descriptor to close, or -1 with err set. */
static int lock_networks(struct error *err)
{
	char path[PATH];
	int rc = file_make_dirs(vm_network_run_dir);

	snprintf(path, sizeof(path), "%s/lock", vm_network_run_dir);
	if (!rc)
		rc = file_lock(path, true);
	return rc < 0 ? error_file(path, rc, err) : rc;
}

static bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

static int no_network(const char *name, struct error *err)
{
	return error_set(err, ERROR_NO_NETWORK,
			 "%s: no such network; \"enso net list\" shows those there are", name);
}

/* --- reading -------------------------------------------------------------------------------- */

int vm_network_find(const char *name, bool inactive, struct vm_network *network,
		    struct error *err)
{
	char run[PATH], defined[PATH], shipped[PATH], autostart[PATH];
	const char *path;
	int ports;

	*network = (struct vm_network){ .active = false };
	if (!config_is_name(name))
		return no_network(name, err);
	snprintf(network->name, sizeof(network->name), "%s", name);
	network_run_path(name, ".xml", run);
	defined_path(name, defined);
	shipped_path(name, shipped);
	autostart_path(name, autostart);
	network->active = exists(run);
	network->shipped = !exists(defined) && exists(shipped);
	network->defined = exists(defined) || network->shipped;
	network->autostart = network->defined && exists(autostart);
	path = exists(defined) ? defined : shipped;
	if (network->active && !(inactive && network->defined))
		path = run;
	if (!network->active && !network->defined)
		return no_network(name, err);
	if (network_load(&network->config, path, NULL, &network->problem))
		return 0;
	ports = network->active ? host_bridge_ports(network->config.bridge) : 0;
	network->ports = ports > 0 ? (unsigned)ports : 0;
	if (network->ports && network->config.forward == NETWORK_BRIDGE && network->config.device)
		network->ports--;
	return 0;
}

/* The same, and it has to be readable. */
static int find_good(const char *name, bool inactive, struct vm_network *network,
		     struct error *err)
{
	if (vm_network_find(name, inactive, network, err))
		return -1;
	return network->problem.code
		       ? error_set(err, network->problem.code, "%s", network->problem.text)
		       : 0;
}

/* Names, in any order, each once. */
struct names {
	char (*name)[CONFIG_NAME_MAX + 1];
	size_t count;
};

static int add_name(struct names *names, const char *file)
{
	size_t len = strlen(file);
	char name[CONFIG_NAME_MAX + 1];
	void *more;

	if (len < 5 || len - 4 > CONFIG_NAME_MAX || strcmp(file + len - 4, ".xml"))
		return 0;
	snprintf(name, sizeof(name), "%.*s", (int)len - 4, file);
	if (!config_is_name(name))
		return 0;
	for (size_t i = 0; i < names->count; i++) {
		if (!strcmp(names->name[i], name))
			return 0;
	}
	more = reallocarray(names->name, names->count + 1, sizeof(*names->name));
	if (!more)
		return -ENOMEM;
	names->name = more;
	strcpy(names->name[names->count++], name);
	return 0;
}

static int add_names(struct names *names, const char *path)
{
	DIR *dir = opendir(path);
	int rc = 0;

	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	for (struct dirent *entry; !rc && (entry = readdir(dir));)
		rc = add_name(names, entry->d_name);
	closedir(dir);
	return rc;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

static int all_names(struct names *names, struct error *err)
{
	char path[PATH];
	int rc;

	*names = (struct names){ .count = 0 };
	snprintf(path, sizeof(path), "%s/networks", vm_state_dir);
	rc = add_names(names, path);
	if (!rc)
		rc = add_names(names, vm_network_shipped_dir);
	if (!rc)
		rc = add_names(names, vm_network_run_dir);
	if (rc) {
		free(names->name);
		return error_file(path, rc, err);
	}
	if (names->count)
		qsort(names->name, names->count, sizeof(*names->name), by_name);
	return 0;
}

int vm_network_list(struct vm_network **list, size_t *count, struct error *err)
{
	struct names names;

	*count = 0;
	if (all_names(&names, err))
		return -1;
	*list = calloc(names.count + 1, sizeof(**list));
	/* One that is removed just now is no longer one of them. */
	for (size_t i = 0; *list && i < names.count; i++)
		*count += !vm_network_find(names.name[i], false, &(*list)[*count], NULL);
	free(names.name);
	return *list ? 0 : error_set(err, ERROR_NO_MEMORY, "out of memory");
}

void vm_network_list_free(struct vm_network *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		network_free(&list[i].config);
	free(list);
}

/* --- changing ------------------------------------------------------------------------------- */

static int write_config(const struct network_config *net, const char *path, struct error *err)
{
	char folder[PATH], *text;
	size_t len;
	int rc;

	if (network_dump(net, &text, &len))
		return error_set(err, ERROR_NO_MEMORY, "out of memory");
	snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(path, '/') - path), path);
	rc = file_make_dirs(folder);
	if (!rc)
		rc = file_write(path, text, len, 0644);
	free(text);
	return rc ? error_file(path, rc, err) : 0;
}

/* No two networks have one bridge: what is done to one would be done to the other. */
static int check_bridge(const struct network_config *net, struct error *err)
{
	struct vm_network *list;
	size_t count;
	int rc = 0;

	if (vm_network_list(&list, &count, err))
		return -1;
	for (size_t i = 0; i < count && !rc; i++) {
		if (list[i].config.bridge && strcmp(list[i].name, net->name) &&
		    !strcmp(list[i].config.bridge, net->bridge))
			rc = error_set(err, ERROR_EXISTS, "%s: bridge %s is network %s's already",
				       net->name, net->bridge, list[i].name);
	}
	vm_network_list_free(list, count);
	return rc;
}

int vm_network_define(struct network_config *net, struct error *err)
{
	char path[PATH];
	int lock = lock_networks(err), rc;

	if (lock < 0)
		return -1;
	if (!net->has_uuid)
		net->has_uuid = !config_make_uuid(net->uuid);
	defined_path(net->name, path);
	rc = check_bridge(net, err) || write_config(net, path, err) ? -1 : 0;
	close(lock);
	return rc;
}

int vm_network_undefine(const char *name, struct error *err)
{
	struct vm_network network;
	char path[PATH];
	int lock = lock_networks(err), rc;

	if (lock < 0)
		return -1;
	rc = vm_network_find(name, true, &network, err);
	if (!rc && !network.defined)
		rc = no_network(name, err);
	else if (!rc && network.shipped)
		rc = error_set(err, ERROR_STATE,
			       "%s: comes with Enso and stays; a definition of this name replaces "
			       "it",
			       name);
	if (!rc) {
		autostart_path(name, path);
		unlink(path);
		defined_path(name, path);
		rc = unlink(path) ? error_file(path, -errno, err) : 0;
	}
	network_free(&network.config);
	close(lock);
	return rc;
}

int vm_network_autostart(const char *name, bool on, struct error *err)
{
	struct vm_network network;
	char path[PATH], folder[PATH];
	int rc = 0;

	if (vm_network_find(name, true, &network, err))
		return -1;
	network_free(&network.config);
	if (!network.defined)
		return no_network(name, err);
	autostart_path(name, path);
	snprintf(folder, sizeof(folder), "%s/networks/autostart", vm_state_dir);
	if (on) {
		rc = file_make_dirs(folder);
		rc = rc ? rc : file_write(path, "", 0, 0644);
	} else if (unlink(path) && errno != ENOENT) {
		rc = -errno;
	}
	return rc ? error_file(path, rc, err) : 0;
}

/* --- start and stop ------------------------------------------------------------------------- */

static int start_locked(const char *name, char *bridge, struct error *err)
{
	struct vm_network network;
	struct error why = { 0 };
	char path[PATH];
	int rc;

	if (find_good(name, false, &network, err))
		return -1;
	network_run_path(name, ".xml", path);
	/* What is written first is what a stop after our death takes away. */
	rc = network.active ? 0 : write_config(&network.config, path, &why);
	if (!rc)
		rc = network_up(&network.config, &why);
	if (rc && !network.active) {
		network_down(&network.config);
		unlink(path);
	}
	if (bridge)
		strcpy(bridge, network.config.bridge);
	network_free(&network.config);
	return rc ? error_set(err, why.code, "network %s: %s", name, why.text) : 0;
}

static int start(const char *name, char *bridge, struct error *err)
{
	int lock = lock_networks(err), rc;

	if (lock < 0)
		return -1;
	rc = start_locked(name, bridge, err);
	close(lock);
	return rc;
}

int vm_network_start(const char *name, struct error *err)
{
	return start(name, NULL, err);
}

int vm_network_bridge(const char *name, char bridge[16], struct error *err)
{
	return start(name, bridge, err);
}

static int stop_locked(const char *name, bool force, struct error *err)
{
	struct vm_network network;
	char path[PATH];
	int rc = 0;

	if (find_good(name, false, &network, err))
		return -1;
	if (!network.active)
		rc = error_set(err, ERROR_STATE, "network %s: is not active", name);
	else if (network.ports && !force)
		rc = error_set(err, ERROR_STATE,
			       "network %s: %u interfaces of guests are on it; --force stops it "
			       "all the same",
			       name, network.ports);
	if (!rc) {
		network_down(&network.config);
		network_run_path(name, ".xml", path);
		unlink(path);
	}
	network_free(&network.config);
	return rc;
}

int vm_network_stop(const char *name, bool force, struct error *err)
{
	int lock = lock_networks(err), rc;

	if (lock < 0)
		return -1;
	rc = stop_locked(name, force, err);
	close(lock);
	return rc;
}

int vm_network_start_all(struct error *err)
{
	struct vm_network *list;
	size_t count;
	int rc = 0;

	if (vm_network_list(&list, &count, err))
		return -1;
	for (size_t i = 0; i < count; i++) {
		if (list[i].autostart && vm_network_start(list[i].name, err))
			rc = -1;
	}
	vm_network_list_free(list, count);
	return rc;
}

/* Under the lock: a network that is being started or stopped is left alone. */
static void tend_one(const struct vm_network *network, const struct vm_network_keeper *keeper)
{
	struct error why = { 0 };
	char path[PATH];
	int rc = network_serve(&network->config, &why), fd;

	if (rc)
		keeper->tell(keeper->context, network->name, rc < 0 ? &why : NULL);
	network_run_path(network->name, ".pid", path);
	fd = rc < 0 ? rc : host_process_watch(path, NETWORK_DNSMASQ);
	if (fd >= 0)
		keeper->watch(keeper->context, fd);
}

int vm_network_tend(const struct vm_network_keeper *keeper, struct error *err)
{
	struct vm_network *list;
	size_t count;
	int lock = lock_networks(err), rc;

	if (lock < 0)
		return -1;
	rc = vm_network_list(&list, &count, err);
	for (size_t i = 0; !rc && i < count; i++) {
		if (list[i].active && list[i].config.address)
			tend_one(&list[i], keeper);
	}
	if (!rc)
		vm_network_list_free(list, count);
	close(lock);
	return rc;
}
