/* SPDX-License-Identifier: MIT */
/*
 * What has to be done so that a host matches a set of definitions: enso apply. Pure: from what
 * there is and what is wanted to steps; nothing is touched. apply.h gathers the one and performs
 * the other.
 *
 * A guest that is missing is defined and started. One that is there gets the new definition; while
 * it runs, what can change is changed, and the rest is told of. One that is shut off stays so.
 */
#ifndef VM_PLAN_H
#define VM_PLAN_H

#include "config/set.h"

/* A guest as it is. */
struct plan_guest {
	const char *name;
	const uint8_t *uuid;
	const struct vm_config *defined; /* NULL: it is not */
	bool exists;			 /* as a domain */
	bool runs;			 /* and that can be changed */
	const struct vm_config *live;	 /* what it exists with; NULL: not known here */
};

/* In the order in which they are done. */
enum plan_kind {
	PLAN_STOP,
	PLAN_UNDEFINE,
	PLAN_DEFINE,
	PLAN_REDEFINE,
	PLAN_CHANGE,		 /* a value of a running guest: field */
	PLAN_DETACH_DISK,	 /* disk, of the running guest */
	PLAN_ATTACH_DISK,	 /* disk, of the wanted one */
	PLAN_DETACH_INTERFACE,
	PLAN_ATTACH_INTERFACE,
	PLAN_LATER,		 /* nothing is done: it needs a restart */
	PLAN_STAYS_OFF,		 /* nothing is done */
	PLAN_STRANGER,		 /* nothing is done: a domain that others made */
	PLAN_START,
};

enum plan_field {
	FIELD_TITLE,
	FIELD_DESCRIPTION,
	FIELD_METADATA,
	FIELD_CURRENT_MEMORY,
	FIELD_MEMORY,
	FIELD_VCPUS,
	FIELD_VCPUS_MAX,
	FIELD_CPUS,
	FIELD_WEIGHT,
	FIELD_CAP,
	FIELD_KERNEL,
	FIELD_INITRD,
	FIELD_CMDLINE,
	FIELD_BOOTLOADER,
	FIELD_ON_POWEROFF,
	FIELD_ON_REBOOT,
	FIELD_ON_CRASH,
	PLAN_FIELDS,
};

struct plan_step {
	enum plan_kind kind;
	const char *name;
	const struct vm_config *wanted;	/* NULL for guests that are removed, or no one's */
	enum plan_field field;
	const struct vm_disk *disk;
	const struct vm_interface *interface;
	char text[300];			/* what it does, for people, without the name */
};

struct plan {
	struct plan_step *steps;	/* they point into guests and set */
	size_t count;
};

struct plan_options {
	bool prune;	/* remove the guests that are not in the set */
	bool start_all;	/* start those that are shut off, too */
	bool start_none;
};

/*
 * Give each definition of the set that has no uuid that of the guest of its name, and its
 * interfaces their addresses. ERROR_EXISTS with file:line if name and uuid belong to two guests.
 */
int plan_adopt(struct config_set *set, const struct plan_guest *guests, size_t nr_guests,
	       struct error *err);

int plan_make(struct plan *plan, const struct plan_guest *guests, size_t nr_guests,
	      const struct config_set *set, const struct plan_options *options,
	      struct error *err);
void plan_free(struct plan *plan);

/* Does it do something? */
bool plan_acts(enum plan_kind kind);
/* A word for it: "define", "needs-restart". */
const char *plan_kind_name(enum plan_kind kind);

enum { PLAN_WEIGHT_DEFAULT = 256 }; /* of a guest whose definition says none */

/* ---- fields.c ------------------------------------------------------------------------------ */

const char *plan_field_name(enum plan_field field);
bool plan_field_same(enum plan_field field, const struct vm_config *a, const struct vm_config *b);
/* May a guest that runs as live says get the wanted value while it runs? */
bool plan_field_is_live(enum plan_field field, const struct vm_config *live,
			const struct vm_config *wanted);
/* "NAME old -> new", shortened where it is long. */
void plan_field_show(enum plan_field field, const struct vm_config *old,
		     const struct vm_config *new, char *text, size_t size);

#endif
