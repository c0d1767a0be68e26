/* SPDX-License-Identifier: MIT */
/*
 * Guests: what the commands, the supervisor and later the text UI do with them. A guest is a domain
 * of the hypervisor, its nodes in the store, and while it runs its definition in vm_run_dir; the
 * domain's handle is its uuid and ties the three together, so that a program that was killed finds
 * everything again.
 *
 * Two programs may work at the same time: names, uuids and definitions change under the lock file
 * vm_run_dir/lock. Lock order: the lock file, then a guest's marker (<uuid>.new, held by whoever
 * creates it). Functions return 0 or more, or -1 with err set; nothing prints or exits.
 */
#ifndef VM_VM_H
#define VM_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"
#include "lib/error.h"
#include "stream/out.h"

/* "/run/enso/guests"; tests have their own. */
extern const char *vm_run_dir;

struct hyp;
struct store_client;

/* A session: connections that are opened when first needed. One thread. */
struct vm {
	struct hyp *hyp;
	struct store_client *store;
	bool short_lived;	/* the process ends with it: see hyp_unmap_read() */
};

void vm_close(struct vm *vm);
int vm_need_hyp(struct vm *vm, struct error *err);
int vm_need_store(struct vm *vm, struct error *err);

enum vm_state {
	VM_RUNNING,	/* on a CPU, or waiting for one */
	VM_BLOCKED,	/* waiting for an event */
	VM_PAUSED,
	VM_SHUTDOWN,	/* ended by itself: see shutdown_reason */
	VM_CRASHED,
	VM_DYING,	/* destroyed, some of its memory is still mapped elsewhere */
	VM_SHUT_OFF,	/* defined, but no domain: only in vm/defined.h */
};

struct vm_info {
	uint32_t domid;
	char name[CONFIG_NAME_MAX + 1];	/* "" if the store has none */
	uint8_t uuid[16];
	enum vm_state state;
	unsigned shutdown_reason;	/* SHUTDOWN_* of the ABI, in VM_SHUTDOWN and VM_CRASHED */
	uint64_t memory_kib, max_memory_kib;
	uint32_t vcpus;			/* online */
	uint64_t cpu_ns;		/* processor time used by all vCPUs together */
	uint64_t cpu_at_ns;		/* up to when, by CLOCK_MONOTONIC */
};

/* A word for the state, and for the reason of a shutdown: "running", "poweroff". */
const char *vm_state_name(enum vm_state state);
const char *vm_reason_name(unsigned reason);

/* All domains in order of their ids: *infos is malloc'd, *count entries. */
int vm_list(struct vm *vm, struct vm_info **infos, size_t *count, struct error *err);

/* The domain that who names: a name, a uuid, or an id. ERROR_NO_DOMAIN if there is none. */
int vm_find(struct vm *vm, const char *who, struct vm_info *info, struct error *err);

struct vm_create_options {
	bool paused;
	/* May be NULL. Bytes of kernel and initrd, or of memory, copied so far and in all. */
	void (*progress)(void *context, uint64_t done, uint64_t all);
	void *context;
};

/*
 * Create a guest; config gets a uuid if it has none. 0 and *domid; or -1, and nothing of it is left
 * behind. ERROR_EXISTS, ERROR_KERNEL, ERROR_FILE, ERROR_NO_MEMORY, ERROR_STORE, ERROR_HYPERCALL.
 */
int vm_create(struct vm *vm, struct vm_config *config, const struct vm_create_options *options,
	      uint32_t *domid, struct error *err);

/*
 * Do now what vm_create() would do with kernel and initrd before there is a domain: check them,
 * unpack the kernel, note where it is zero, read both. ERROR_KERNEL, ERROR_FILE, ERROR_NO_MEMORY.
 */
int vm_prepare(const struct vm_config *config, struct error *err);

/* Do now what the kernel would do once, when the first guest's rings are mapped. */
void vm_prepare_host(void);

struct vm_save_options {
	bool checkpoint;	/* the guest runs on */
	enum stream_packing packing;
	int timeout_ms;		/* for the guest to suspend */
	/* May be NULL. Bytes of the guest's memory that are saved, and all of them. */
	void (*progress)(void *context, uint64_t done, uint64_t all);
	void *context;
};

/*
 * Save the guest to a file and end it. If that fails the guest runs on, and path is what it was
 * before. ERROR_STATE, ERROR_TIMEOUT, ERROR_FILE, ERROR_HYPERCALL.
 */
int vm_save(struct vm *vm, const struct vm_info *info, const char *path,
	    const struct vm_save_options *options, struct error *err);

/*
 * Who saves or dumps a guest may be killed: then vm_finish() lets a guest go on that suspended, and
 * vm_sweep() one that was paused. vm_work_watch() gives a descriptor, or -errno, that can be read
 * when such work ends or is about to; vm_work_ended() reads all there is, and tells whether there
 * was that among it. As a process' locks go after its files are closed, a second look is needed
 * while vm_is_at_work().
 */
int vm_work_watch(void);
bool vm_work_ended(int fd);
bool vm_is_at_work(void);
/* Does who saves this guest live? It is no business of others' then that it has suspended. */
bool vm_is_being_saved(const struct vm_info *info);

struct vm_restored {
	uint32_t domid;
	char name[CONFIG_NAME_MAX + 1];
};

/*
 * A guest from a save file, which stays. If that fails nothing of the guest is left behind.
 * ERROR_SAVE_FILE, ERROR_FILE, ERROR_DEFINITION, and those of vm_create().
 */
int vm_restore(struct vm *vm, const char *path, const struct vm_create_options *options,
	       struct vm_restored *restored, struct error *err);

/* "/var/lib/enso/save", for saves that go by the guest's name; tests have their own. */
extern const char *vm_save_dir;

int vm_managedsave(struct vm *vm, const struct vm_info *info, const struct vm_save_options *options,
		   struct error *err);
bool vm_managedsave_exists(const char *name);
/* 0 if there is none, else ERROR_STATE: for what would make it another guest's. */
int vm_managedsave_none(const char *name, struct error *err);
/* Restore it, and remove it if that is done. ERROR_NO_DOMAIN if there is none. */
int vm_managedsave_restore(struct vm *vm, const char *name,
			   const struct vm_create_options *options, uint32_t *domid,
			   struct error *err);
int vm_managedsave_remove(const char *name, struct error *err);

int vm_pause(struct vm *vm, const struct vm_info *info, struct error *err);
int vm_unpause(struct vm *vm, const struct vm_info *info, struct error *err);

/* Ask the guest's kernel to power off, or to reboot: returns when it is asked. */
int vm_ask_shutdown(struct vm *vm, const struct vm_info *info, bool reboot, struct error *err);

/* Wait until the guest has shut down or is gone. ERROR_TIMEOUT after timeout_ms. */
int vm_wait_stopped(struct vm *vm, const struct vm_info *info, int timeout_ms, struct error *err);

/*
 * Write the guest, dead or alive (it stands still meanwhile), as an ELF core to path, whole or not
 * at all: see stream/core.h. progress may be NULL.
 */
int vm_dump(struct vm *vm, const struct vm_info *info, const char *path,
	    void (*progress)(void *context, uint64_t done, uint64_t all), void *context,
	    struct error *err);
/*
 * The same into vm_state_dir/crash/NAME-DATE.core, for a guest that crashed: the last three of each
 * guest stay, and the file system is not filled.
 */
int vm_dump_crash(struct vm *vm, const struct vm_info *info, struct error *err);

struct vm_shutdown {
	int timeout_ms;	/* 0: only ask */
	bool destroy;	/* those that have not shut down by then */
	/* Told of each guest what was done with it; may be NULL. */
	void (*tell)(void *context, const char *guest, const char *what);
	void *context;
};

/* Ask all guests to power off, and wait. ERROR_TIMEOUT if some have not, and are not destroyed. */
int vm_shutdown_all(struct vm *vm, const struct vm_shutdown *how, struct error *err);

/* What a change is made to: virsh's --live and --config. */
enum vm_scope {
	VM_LIVE,		/* the guest that runs */
	VM_LIVE_AND_CONFIG,	/* its definition, too, or alone if it does not run */
	VM_CONFIG,		/* its definition: it holds from the next start on */
};

/*
 * What a guest does in its own time: how long without any progress until ERROR_TIMEOUT (0: don't
 * wait at all), and who is told how far it is (may be NULL).
 */
struct vm_wait {
	int patience_ms;
	void (*progress)(void *context, uint64_t now, uint64_t wanted);
	void *context;
};

/*
 * Changes of a running guest. Its definition in vm_run_dir follows, so that they hold until the
 * guest is destroyed, also when it reboots. ERROR_STATE for what it cannot have, ERROR_TIMEOUT
 * (how far it came) when it does not listen.
 */

/* Give or take memory by the guest's balloon, up to info->max_memory_kib. */
int vm_set_memory(struct vm *vm, const struct vm_info *info, uint64_t kib,
		  const struct vm_wait *wait, struct error *err);
/* The most that it may have. *later: more than it was started for holds from its next start on. */
int vm_set_max_memory(struct vm *vm, const struct vm_info *info, uint64_t kib, bool *later,
		      struct error *err);
/* Switch vCPUs on and off: from 0 on so many are on. */
int vm_set_vcpus(struct vm *vm, const struct vm_info *info, unsigned vcpus,
		 const struct vm_wait *wait, struct error *err);

#define VM_SCHED_KEEP 0xffffU	/* as a cap: leave it */
/*
 * Weight (to set: 0 leaves it) against others' 256; cap in percent of one CPU, 0: none. Domain-0's,
 * too.
 */
int vm_get_sched(struct vm *vm, const struct vm_info *info, unsigned *weight, unsigned *cap,
		 struct error *err);
int vm_set_sched(struct vm *vm, const struct vm_info *info, unsigned weight, unsigned cap,
		 struct error *err);

struct vm_vcpu {
	bool online, running, blocked;
	unsigned cpu;		/* where it runs or ran last */
	uint64_t cpu_ns;
	struct cpu_set cpus;	/* where it may run */
};

/* The vCPUs by number: *vcpus is malloc'd. Domain-0's, too. */
int vm_vcpus(struct vm *vm, const struct vm_info *info, struct vm_vcpu **vcpus, size_t *count,
	     struct error *err);
/* Let a vCPU (-1: all) run on these CPUs only; NULL: anywhere. Domain-0's, too. */
int vm_pin(struct vm *vm, const struct vm_info *info, int vcpu, const struct cpu_set *cpus,
	   struct error *err);
/* How many CPUs the host has. */
int vm_host_cpus(struct vm *vm, unsigned *cpus, struct error *err);

/* End the guest at once and forget it. */
int vm_destroy(struct vm *vm, const struct vm_info *info, struct error *err);

/*
 * What on_poweroff, on_reboot or on_crash say, for a guest that has shut down: destroys it, creates
 * it again (*domid becomes the new one's; without may_restart it is destroyed instead), or leaves
 * it. Returns the enum vm_action that was done, or -1. A domain that has no definition here is
 * left: VM_ACTION_PRESERVE.
 */
int vm_finish(struct vm *vm, const struct vm_info *info, bool may_restart, uint32_t *domid,
	      struct error *err);

/*
 * Remove what programs that were killed, or domains that others destroyed, left behind: half-made
 * guests, definitions and store nodes without a domain.
 */
int vm_sweep(struct vm *vm, struct error *err);

/*
 * Start a guest anew that a supervisor that was killed had ended for that purpose. 1 and *domid if
 * there was one, 0 if there is none left, or -1 (that guest is given up).
 */
int vm_resume_restart(struct vm *vm, uint32_t *domid, struct error *err);

#endif
