/* SPDX-License-Identifier: MIT */
/*
 * Networks that guests are on: a bridge with its address, NAT by nftables, DHCP and DNS by dnsmasq;
 * or a bridge with one of the host's cards on it.
 *
 * Definitions are vm_state_dir/networks/NAME.xml, before those that Enso ships
 * (/usr/share/enso/networks); vm_state_dir/networks/autostart/NAME says that it starts with the
 * host. A network that is active has its definition in vm_network_run_dir. One that a guest asks
 * for is started. All changes happen under the lock of vm/vm.h, but that a person starts and stops
 * networks under one of its own.
 */
#ifndef VM_NETWORK_H
#define VM_NETWORK_H

#include "config/network.h"
#include "vm/vm.h"

/* Tests have their own. */
extern const char *vm_network_run_dir, *vm_network_shipped_dir;

struct vm_network {
	char name[CONFIG_NAME_MAX + 1];
	bool active;	/* then config is what it was started with */
	bool autostart;
	bool shipped;	/* with Enso: there is no other definition */
	bool defined;	/* false: it is active, and its definition was removed */
	unsigned int ports; /* links on its bridge, while active */
	struct network_config config;	/* all zero if it can't be read: */
	struct error problem;		/* then why */
};

/* All of them, by name. */
int vm_network_list(struct vm_network **list, size_t *count, struct error *err);
void vm_network_list_free(struct vm_network *list, size_t count);

/* One of them: ERROR_NO_NETWORK. inactive: as it is defined. Free its config. */
int vm_network_find(const char *name, bool inactive, struct vm_network *network,
		    struct error *err);

/* Keep a definition, in place of one of the same name; an active network is not changed. */
int vm_network_define(struct network_config *net, struct error *err);
int vm_network_undefine(const char *name, struct error *err);
int vm_network_autostart(const char *name, bool on, struct error *err);

/* Start it; what of an active one is gone (its dnsmasq, say) is made again. */
int vm_network_start(const char *name, struct error *err);
/* Stop it. ERROR_STATE: guests are on it, and force was not asked for. */
int vm_network_stop(const char *name, bool force, struct error *err);
/* Start those that start with the host: as many as possible; the last error is told. */
int vm_network_start_all(struct error *err);

/*
 * Start again what has ended by itself of networks that are active: their dnsmasq. Each is told of:
 * why is NULL if it runs again. watch() is given a descriptor for each that runs, which is readable
 * once it has ended, and which it closes.
 */
struct vm_network_keeper {
	void (*tell)(void *context, const char *name, const struct error *why);
	void (*watch)(void *context, int fd);
	void *context;
};
int vm_network_tend(const struct vm_network_keeper *keeper, struct error *err);

/*
 * The bridge of a network that a guest is to be on, which is started if need be: bridge is written.
 */
int vm_network_bridge(const char *name, char bridge[16], struct error *err);

#endif
