/* SPDX-License-Identifier: MIT */
/*
 * Guests that are defined: their definitions stay when they don't run, in
 * vm_state_dir/guests/NAME.xml, and whether they start with the host in vm_state_dir/autostart/NAME
 * (the file holds their order). The file's name is the guest's name, so a rename is one rename(2).
 *
 * Invariant: name and uuid belong together, in what is defined and what runs: no two guests share
 * one of them. A file appears whole or not at all; what a killed program left (NAME.xml.XXXXXX) is
 * removed by the next one that changes something. All changes happen under the lock of vm/vm.h.
 */
#ifndef VM_DEFINED_H
#define VM_DEFINED_H

#include "vm/vm.h"

/* "/var/lib/enso"; tests have their own. */
extern const char *vm_state_dir;

enum {
	VM_ORDER_DEFAULT = 500, /* of autostart, if none is said */
	VM_ORDER_MAX = 999,
};

struct vm_defined {
	char name[CONFIG_NAME_MAX + 1];
	bool autostart;
	unsigned int order;	 /* of autostart: lower ones first, equal ones by name */
	struct vm_config config; /* with its uuid; all zero if the file can't be read: */
	struct error problem;	 /* then why, else code ERROR_NONE */
};

/* All of them, by name. *list is malloc'd, for vm_defined_free(). */
int vm_defined_list(struct vm_defined **list, size_t *count, struct error *err);
/* Those that start with the host, in the order in which they do. */
int vm_defined_autostart(struct vm_defined **list, size_t *count, struct error *err);
void vm_defined_free(struct vm_defined *list, size_t count);

/* The one that who names: a name or a uuid. ERROR_NO_DOMAIN; ERROR_DEFINITION: a damaged file. */
int vm_defined_find(const char *who, struct vm_defined *found, struct error *err);

/* A guest that runs, or is defined, or both. */
struct vm_guest {
	struct vm_info info; /* VM_SHUT_OFF: what its definition says, and domid means nothing */
	bool defined;
	bool autostart;
	unsigned int order;   /* of autostart */
	struct error problem; /* with its definition, or ERROR_NONE */
};

/* Domain-0 and the other domains by their ids, then the guests that are shut off by name. */
int vm_list_all(struct vm *vm, struct vm_guest **guests, size_t *count, struct error *err);

/* The one that who names: a name, a uuid, or the id of a domain. ERROR_NO_DOMAIN. */
int vm_find_guest(struct vm *vm, const char *who, struct vm_guest *guest, struct error *err);

/* Is there a definition of this name? */
bool vm_defined_exists(const char *name);

/*
 * Make config the definition of its name, in place of one that there is: *replaced says whether
 * (may be NULL). Without a uuid it gets that of the definition or of the running guest of this
 * name, or a new one. A running guest is not changed. ERROR_EXISTS: name and uuid do not belong
 * together.
 */
int vm_define(struct vm *vm, struct vm_config *config, bool *replaced, struct error *err);

/* Forget a definition and its autostart. A running guest runs on. */
int vm_undefine(struct vm *vm, const char *who, struct error *err);

/* Start a guest from its definition. ERROR_STATE: it runs already. */
int vm_start(struct vm *vm, const char *who, const struct vm_create_options *options,
	     uint32_t *domid, struct error *err);

/* Give a guest, defined or running or both, another name. */
int vm_rename(struct vm *vm, const char *who, const char *name, struct error *err);

/* Start it with the host, as order says, or not. */
int vm_set_autostart(struct vm *vm, const char *who, bool on, unsigned int order,
		     struct error *err);

/* The configuration that a running guest was started with. ERROR_NO_DOMAIN: none of ours. */
int vm_live_config(const struct vm_info *info, struct vm_config *config, struct error *err);

#endif
