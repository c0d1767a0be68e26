/* SPDX-License-Identifier: MIT */
/*
 * New disks with a system on them, see enso(1), image build. A guest of its own makes each: no file
 * system is read and no script of a distribution runs in Domain-0, and Domain-0 needs no memory for
 * it. That guest ("build-NAME", /boot/builder.img) gets the empty disk, a second one with what is
 * asked for, and perhaps a medium; what it says on its console is not believed further than for
 * being shown, and for whether it says to be done.
 */
#ifndef VM_DISK_BUILD_H
#define VM_DISK_BUILD_H

#include "vm/vm.h"

struct disk_build {
	const char *kind;	/* "debian" or "busybox" */
	const char *name;	/* the disk becomes vm_state_dir/images/NAME.img */
	uint64_t size_mib;
	/* For Debian. One of mirror ("http://...") and medium (a path) is set. */
	const char *mirror, *medium;
	const char *suite;
	const char *packages;	/* more of them, with commas between; NULL: none */
	bool is_unsigned;	/* the mirror need not be signed by Debian */
	const char *network;	/* that reaches the mirror */
	/* For both; may be NULL. */
	const char *hostname, *password, *ssh_key;
	/* Told of each step; may be NULL. percent is 0 to 100. */
	void (*tell)(void *context, unsigned percent, const char *what);
	void *context;
	const volatile int *stop;	/* becomes non-zero: give up. May be NULL */
};

/* Size of a path that disk_build_path() writes. */
enum { DISK_BUILD_PATH = 512 };
void disk_build_path(const char *name, char path[DISK_BUILD_PATH]);

/*
 * Build it. 0, or -1 and nothing is left behind: ERROR_USAGE (a value that is not possible),
 * ERROR_EXISTS, ERROR_FILE, ERROR_FAILED (what the guest says), and those of vm_create().
 */
int disk_build(struct vm *vm, const struct disk_build *build, struct error *err);

#endif
