/* SPDX-License-Identifier: MIT */
/*
 * Which files of the host those may name who are not root: members of group enso, for whom ensod
 * does as root what they ask. They must get nothing by it that is not theirs, so:
 *
 *	what a guest writes to	is in vm_state_dir/images
 *	what is only read	is there too, or everybody may read it
 *	saves and cores		are in vm_state_dir/save and vm_state_dir/crash
 *
 * and whatever stands between such a file and the root folder can be changed by root only, or the
 * name would mean another file after it was looked at. Block devices are root's to give. Root has
 * no such limits, and what root has defined a member may start.
 */
#ifndef VM_ALLOWED_H
#define VM_ALLOWED_H

#include "config/config.h"
#include "lib/error.h"

/* All return 0, or -1 with err set: ERROR_PERMISSION, also where there is no such file. */

/* To be read. */
int allowed_read(const char *path, struct error *err);
/* In this folder of vm_state_dir; it need not be there yet. */
int allowed_in(const char *path, const char *folder, struct error *err);
int allowed_disk(const struct vm_disk *disk, struct error *err);
/* All that a definition names. */
int allowed_config(const struct vm_config *config, struct error *err);

/*
 * For whomever: may what an image in vm_state_dir/images says of other images be believed? What
 * stands at the start of an image may once have been written by a guest. Images elsewhere are
 * root's care.
 */
int allowed_chain(const char *path, struct error *err);

/* Who is as good as root: the tests' user. */
extern unsigned allowed_owner;

#endif
