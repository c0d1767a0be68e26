/* SPDX-License-Identifier: MIT */
/*
 * Files that guests have as disks: made, changed in size, looked at. Raw ones by ourselves, qcow2
 * by Debian's qemu-img.
 */
#ifndef VM_DISKFILE_H
#define VM_DISKFILE_H

#include "config/config.h"
#include "lib/error.h"
#include "vm/vm.h"

enum { DISKFILE_MIN = 512, DISKFILE_BACKING = 512 };

struct diskfile {
	enum vm_disk_format format;
	bool is_block;
	uint64_t size;	    /* bytes that the guest sees */
	uint64_t allocated; /* bytes that it takes */
	char backing[DISKFILE_BACKING]; /* of a qcow2 image, or "" */
	char used_by[CONFIG_NAME_MAX + 1]; /* a guest that has it, or "" */
};

/* What path is: its first bytes tell whether it is a qcow2 image. */
int diskfile_look(struct vm *vm, const char *path, struct diskfile *file, struct error *err);

/*
 * What the image at path stands on, as it says itself: 1 and the name; 0: nothing, or path is no
 * qcow2 image; -1: it cannot be told, or the image has its data elsewhere.
 */
int diskfile_behind(const char *path, char name[DISKFILE_BACKING]);

/*
 * Make path with size bytes, of which none takes space; qcow2 with backing (or NULL), of that
 * one's size if size is 0. ERROR_EXISTS: there is such a file.
 */
int diskfile_create(const char *path, enum vm_disk_format format, uint64_t size,
		    const char *backing, struct error *err);

/*
 * Give path another size. Smaller only with shrink, as it loses what is behind the end, and never
 * while a guest has it. A guest that has a raw one sees it grow.
 */
int diskfile_resize(struct vm *vm, const char *path, uint64_t size, bool shrink,
		    struct error *err);

#endif
