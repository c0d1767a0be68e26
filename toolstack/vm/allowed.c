/* SPDX-License-Identifier: MIT */
/* Files that others than root may name: see vm/allowed.h. */
#include "vm/allowed.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/file.h"
#include "vm/defined.h"
#include "vm/diskfile.h"

enum { CHAIN_MAX = 16 };

unsigned allowed_owner;

static bool is_roots(const struct stat *st)
{
	return st->st_uid == 0 || st->st_uid == allowed_owner;
}

/*
 * Does the path, without links in it, name the same until root says otherwise? In a folder with the
 * sticky bit, which everybody may write to, root's own entries are safe. Sets whether everybody may
 * go there.
 */
static bool is_firm(const char *path, bool *open)
{
	char part[PATH_MAX] = "/";
	struct stat st;

	*open = true;
	for (const char *at = path;; at++) {
		if (*at && *at != '/')
			continue;
		if (at != path)
			snprintf(part, sizeof(part), "%.*s", (int)(at - path), path);
		if (lstat(part, &st) || !is_roots(&st))
			return false;
		if (st.st_mode & 022 && !(S_ISDIR(st.st_mode) && st.st_mode & S_ISVTX))
			return false;
		if (!S_ISDIR(st.st_mode))
			return !*at && S_ISREG(st.st_mode);
		*open = *open && st.st_mode & S_IXOTH;
		if (!*at)
			return true;
	}
}

/* The file, or where there is none as yet the folder that it would be in, without links. */
static char *resolve(const char *path)
{
	char folder[PATH_MAX], *real = realpath(path, NULL), *name;

	if (real || path[0] != '/' || strlen(path) >= sizeof(folder))
		return real;
	strcpy(folder, path);
	name = strrchr(folder, '/');
	if (!name[1] || !strcmp(name, "/..") || !strcmp(name, "/."))
		return NULL;
	*name = 0;
	return realpath(*folder ? folder : "/", NULL);
}

static bool is_in(const char *path, const char *folder)
{
	char wanted[PATH_MAX], *real;
	size_t len;
	bool is;

	snprintf(wanted, sizeof(wanted), "%s/%s", vm_state_dir, folder);
	real = realpath(wanted, NULL);
	len = real ? strlen(real) : 0;
	is = len && !strncmp(path, real, len) && (path[len] == '/' || !path[len]);
	free(real);
	return is;
}

int allowed_in(const char *path, const char *folder, struct error *err)
{
	char wanted[PATH_MAX];
	char *real;
	bool open, fine;

	snprintf(wanted, sizeof(wanted), "%s/%s", vm_state_dir, folder);
	file_make_dirs(wanted);
	real = resolve(path);
	fine = real && is_in(real, folder) && is_firm(real, &open);
	free(real);
	if (fine)
		return 0;
	return error_set(err, ERROR_PERMISSION,
			 "%s: a member of group enso may only name files in %s here, which no "
			 "other than root can change otherwise",
			 path, wanted);
}

int allowed_read(const char *path, struct error *err)
{
	char *real = realpath(path, NULL);
	bool open = false, fine = real && is_firm(real, &open);
	struct stat st;

	fine = fine && !stat(real, &st) && S_ISREG(st.st_mode) &&
	       (is_in(real, "images") || (open && st.st_mode & S_IROTH));
	free(real);
	if (fine)
		return 0;
	return error_set(err, ERROR_PERMISSION,
			 "%s: there is no such file that a member of group enso may name: one that "
			 "everybody may read and only root can replace, or one in %s/images",
			 path, vm_state_dir);
}

int allowed_disk(const struct vm_disk *disk, struct error *err)
{
	struct error why;
	int rc;

	if (disk->block)
		return error_set(err, ERROR_PERMISSION,
				 "disk %s: %s: block devices are for root to give to guests",
				 disk->target, disk->source);
	rc = disk->readonly ? allowed_read(disk->source, &why)
			    : allowed_in(disk->source, "images", &why);
	return rc ? error_set(err, why.code, "disk %s: %s", disk->target, why.text) : 0;
}

int allowed_config(const struct vm_config *config, struct error *err)
{
	if (config->kernel && allowed_read(config->kernel, err))
		return -1;
	if (config->initrd && allowed_read(config->initrd, err))
		return -1;
	for (unsigned int i = 0; i < config->n_disks; i++) {
		/* A medium that is not there is told when the guest starts. */
		if (config->disks[i].source && allowed_disk(&config->disks[i], err))
			return -1;
	}
	return 0;
}

/* What the image at path stands on becomes path; 0: on nothing more. */
static int next_image(char path[PATH_MAX], const char *first, struct error *err)
{
	char behind[DISKFILE_BACKING], beside[PATH_MAX];
	int rc = diskfile_behind(path, behind);

	if (rc < 0 || (rc && behind[strcspn(behind, ":/")] == ':'))
		return error_set(err, ERROR_PERMISSION,
				 "%s: its image %s stands on something that is no file, or has its "
				 "data in another one; it was written by a guest, or is root's and "
				 "belongs elsewhere",
				 first, path);
	if (!rc)
		return 0;
	snprintf(beside, sizeof(beside), "%.*s/", (int)(strrchr(path, '/') - path), path);
	if (snprintf(path, PATH_MAX, "%s%s", *behind == '/' ? "" : beside, behind) >= PATH_MAX)
		return error_set(err, ERROR_PERMISSION, "%s: a path is too long", first);
	return 1;
}

int allowed_chain(const char *path, struct error *err)
{
	char at[PATH_MAX], *real = realpath(path, NULL);
	bool ours = real && is_in(real, "images");
	int rc = 0;

	snprintf(at, sizeof(at), "%s", ours ? real : "");
	free(real);
	for (int i = 0; ours && !rc; i++) {
		rc = next_image(at, path, err);
		if (rc <= 0)
			return rc;
		if (i == CHAIN_MAX)
			return error_set(err, ERROR_PERMISSION,
					 "%s: stands on more than %d images", path, CHAIN_MAX);
		rc = allowed_read(at, err);
	}
	return rc;
}
