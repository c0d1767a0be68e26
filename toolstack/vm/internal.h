/* SPDX-License-Identifier: MIT */
/* What the files of this folder share. */
#ifndef VM_INTERNAL_H
#define VM_INTERNAL_H

#include "build/build.h"
#include "hyp/hyp.h"
#include "store/client.h"
#include "vm/event.h"
#include "vm/vm.h"

/* What a guest is marked with by who saves it, and by who dumps it. */
#define SAVE_MARKER ".sav"
#define DUMP_MARKER ".dmp"

/* --- definitions.c: the files in vm_run_dir ------------------------------------------------ */

/* Take the lock over names, uuids and definitions. A descriptor to close, or -1 with err set. */
int vm_lock(struct error *err);

/* Mark a guest as being created by this process. A descriptor to close, or -1 with err set. */
int vm_marker_make(const uint8_t uuid[16], struct error *err);
void vm_marker_remove(const uint8_t uuid[16], int fd);

/*
 * Lock <uuid>SUFFIX: this process does to the guest what others must not do at the same time, and
 * what has to be undone if it dies (then the file is there, and not locked). A descriptor to close,
 * or -1 with err set: ERROR_STATE, another does it.
 */
int vm_mark(const struct vm_info *info, const char *suffix, const char *what, struct error *err);
bool vm_is_marked(const struct vm_info *info, const char *suffix);
/* Does who marked it still live? */
bool vm_mark_is_held(const struct vm_info *info, const char *suffix);
void vm_unmark(const struct vm_info *info, const char *suffix, int fd);

int vm_definition_write(const struct vm_config *config, struct error *err);
/* ERROR_NO_DOMAIN if there is none. */
int vm_definition_read(const uint8_t uuid[16], bool restart, struct vm_config *config,
		       struct error *err);
/*
 * The guest ends now and starts anew: its definition waits as <uuid>.rst until
 * vm_definition_restarted().
 */
int vm_definition_to_restart(const uint8_t uuid[16], struct error *err);
void vm_definition_restarted(const uint8_t uuid[16]);
void vm_definition_remove(const uint8_t uuid[16]);
bool vm_definition_exists(const uint8_t uuid[16]);
/*
 * A guest that runs was defined anew: <uuid>.old says so until it ends. Its next start is with that
 * definition then, and else with what was made of the one that it runs with.
 */
void vm_definition_outdate(const uint8_t uuid[16]);
bool vm_definition_is_outdated(const uint8_t uuid[16]);

/*
 * Change the definition of a running guest, under the lock. A guest without one (another program's)
 * is left alone, and a definition that cannot be written stays as it was: it is what a reboot of
 * the guest would forget, no reason to undo what the guest has done already.
 */
void vm_definition_change(const struct vm_info *info,
			  void (*change)(struct vm_config *config, const void *context),
			  const void *context);
/* Does it say where all vCPUs shall run? */
bool vm_definition_has_cpus(const struct vm_info *info);

enum definition_kind {
	DEFINITION,	/* of a guest that runs */
	RESTART,	/* of a guest that is to start anew */
	/* Markers whose process died: of who made the guest, saved it, dumped it. */
	HALF_MADE,
	SAVED,
	DUMPED,
};

/* Remove such a marker, SAVED or DUMPED. */
void vm_mark_forget(const uint8_t uuid[16], enum definition_kind kind);

/* Call visit for each file of vm_run_dir, until it returns non-zero, which is then the result. */
int vm_definition_each(int (*visit)(void *context, const uint8_t uuid[16],
				    enum definition_kind kind),
		       void *context, struct error *err);

/* --- defined.c: the files in vm_state_dir, under the lock ------------------------------------- */

/*
 * ERROR_EXISTS if a definition has name or uuid but not both. A fresh uuid is in no definition:
 * that need not be looked for.
 */
int vm_defined_conflict(const char *name, const uint8_t uuid[16], bool fresh, struct error *err);
int vm_defined_write(const struct vm_config *config, struct error *err);
int vm_defined_remove(const char *name, struct error *err);
int vm_defined_move(const char *from, const char *to, struct error *err);
int vm_autostart_write(const char *name, bool on, unsigned int order, struct error *err);
/* Remove what programs that were killed while they wrote left. */
void vm_defined_sweep(void);

/* --- session.c ----------------------------------------------------------------------------- */

/* vm_list() for those who don't look at max_memory_kib. */
int vm_list_names(struct vm *vm, struct vm_info **infos, size_t *count, struct error *err);

/* --- nodes.c: the store -------------------------------------------------------------------- */

/* Both of the following write what is known; the second everything, in one transaction. */
int vm_nodes_claim_name(struct vm *vm, uint32_t domid, const char *name, struct error *err);
int vm_nodes_write(struct vm *vm, uint32_t domid, const struct vm_config *config,
		   const struct build_request *ports, const struct build_result *pages,
		   struct error *err);
/* Give a domain another name. */
int vm_nodes_rename(struct vm *vm, uint32_t domid, const char *name, struct error *err);
/* Remove the domain's nodes; no error if there are none. */
void vm_nodes_remove(struct vm *vm, uint32_t domid);

/* The domain's name, "" if it has none. */
int vm_nodes_name(struct vm *vm, uint32_t domid, char name[CONFIG_NAME_MAX + 1], struct error *err);

/* A store function returned rc < 0 while doing what. */
int vm_store_failed(int rc, const char *what, struct error *err);

/* --- make.c -------------------------------------------------------------------------------- */

/*
 * Where a guest's memory and the state of its vCPUs come from. fill() gets a domain that has its
 * vCPUs, its limit and the event channels of ports; it says which pages the guest shares with
 * Domain-0. 0, or -1 with err set: the domain is destroyed then.
 */
struct vm_filler {
	int (*fill)(void *context, struct vm *vm, uint32_t domid, const struct build_request *ports,
		    struct build_result *pages, struct error *err);
	void *context;
};

/*
 * Make a guest that filler fills; config gets a uuid if it has none. err must not be NULL. 0 and
 * *domid; or -1, nothing of it is left behind and err begins with the guest's name.
 */
int vm_make(struct vm *vm, struct vm_config *config, const struct vm_filler *filler, bool paused,
	    uint32_t *domid, struct error *err);

/* Remember that the domain's end was told of. False if it was before (or can't be remembered). */
bool vm_nodes_note_end(struct vm *vm, uint32_t domid, const char *reason);

/* --- control.c: what can't be done, each -1 with err set ------------------------------------ */

/* The hypervisor's answer to "what it" was rc. */
int vm_refused(const struct vm_info *info, const char *what, int rc, struct error *err);
int vm_not_domain0(const struct vm_info *info, const char *what, struct error *err);
/* Has it ended? */
int vm_still_there(const struct vm_info *info, struct error *err);
/* What the hypervisor says of it now. ERROR_NO_DOMAIN if it is gone or its id is another's. */
int vm_same_domain(struct vm *vm, const struct vm_info *info,
		   struct xen_domctl_getdomaininfo *domain, struct error *err);

/* --- cpus.c -------------------------------------------------------------------------------- */

/* Weight, cap and pins of a domain that is being made. */
int vm_tune_new(struct vm *vm, uint32_t domid, const struct vm_config *config, struct error *err);

/* --- device.c: disks and interfaces; more in device.h ------------------------------------- */

/* Give a new domain the devices of its definition; what was done of it is undone by the next. */
int vm_devices_attach(struct vm *vm, uint32_t domid, const struct vm_config *config,
		      struct error *err);
/* Is none of a domain's devices still to be connected? */
bool vm_devices_settled(struct vm *vm, uint32_t domid);
/* End the devices of a domain that has ended: returns when what lies behind them is free. */
void vm_devices_remove(struct vm *vm, uint32_t domid);
/* The same for domains that are not there. */
void vm_devices_sweep(struct vm *vm, bool (*exists)(const void *context, uint32_t domid),
		      const void *context);

/* --- suspend.c, save.c --------------------------------------------------------------------- */

/*
 * Ask the guest to suspend and wait until it has: it stands still then, until vm_suspend_cancel()
 * or its end. If it does not within timeout_ms it runs on: ERROR_TIMEOUT.
 */
int vm_suspend(struct vm *vm, const struct vm_info *info, int timeout_ms, struct error *err);
int vm_suspend_cancel(struct vm *vm, const struct vm_info *info, struct error *err);
/* 0 if the guest, which has stopped, did so to be saved. */
int vm_has_suspended(struct vm *vm, const struct vm_info *info, struct error *err);

/* Let a guest that has suspended go on if nobody saves it (any more). */
int vm_save_recover(struct vm *vm, const struct vm_info *info, struct error *err);

/* If it is paused because it was to be dumped, and who did that was killed, let it go on. */
void vm_dump_recover(struct vm *vm, const struct vm_info *info);

/* --- destroy.c ----------------------------------------------------------------------------- */

/*
 * Destroy the domain and remove its nodes, under the lock if the caller holds it. As much as
 * possible is done.
 */
int vm_remove_domain(struct vm *vm, uint32_t domid, struct error *err);

#endif
