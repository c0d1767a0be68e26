/* SPDX-License-Identifier: MIT */
/*
 * Saving a guest: it suspends, its image is written to a file that has no name yet, the file gets
 * its name, and only then the guest goes (or runs on). Whatever fails before, the guest runs on and
 * there is no file. <uuid>.sav in vm_run_dir is locked by who saves, so that a guest whose saver
 * was killed is known: vm_save_recover().
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/file.h"
#include "stream/envelope.h"
#include "stream/stream.h"
#include "vm/internal.h"

const char *vm_save_dir = "/var/lib/enso/save";

/* A save that is being written. */
struct target {
	const char *path;
	struct file_new file;
	struct stream_out *out;
};

/* The definition as it is to be when the guest comes back. */
static int make_envelope(const struct vm_info *info, enum stream_packing packing,
			 struct envelope *envelope, struct error *err)
{
	struct vm_config config;
	int rc;

	*envelope = (struct envelope){ .packing = packing, .memory_kib = info->memory_kib,
				       .saved_at = (uint64_t)time(NULL) };
	if (vm_definition_read(info->uuid, false, &config, err))
		return error_set(err, ERROR_STATE,
				 "%s: has no definition here, so it could not be restored",
				 info->name);
	if (info->memory_kib <= config.memory_kib)
		config.current_memory_kib = info->memory_kib;
	rc = config_dump(&config, &envelope->xml, &envelope->xml_len);
	config_free(&config);
	return rc ? error_set(err, ERROR_NO_MEMORY, "out of memory") : 0;
}

static int write_image(struct vm *vm, const struct vm_info *info, struct target *target,
		       const struct envelope *envelope, const struct vm_save_options *options,
		       struct error *err)
{
	const struct stream_progress progress = { options->progress, options->context };
	struct stream_out *out = target->out;
	int rc = envelope_write(out, envelope);

	if (!rc)
		rc = stream_out_packed(out, envelope->packing);
	if (!rc && stream_save(vm->hyp, info->domid, out, &progress, err))
		return error_set(err, err->code, "%s: %s", target->path, err->text);
	if (!rc)
		rc = stream_out_unpacked(out);
	if (!rc)
		rc = envelope_write_end(out);
	if (!rc)
		rc = file_new_commit(&target->file, target->path);
	return rc ? error_file(target->path, rc, err) : 0;
}

static int open_target(struct target *target, const char *path, struct error *err)
{
	struct stat st;
	int rc;

	target->path = path;
	if (!stat(path, &st) && !S_ISREG(st.st_mode))
		return error_set(err, ERROR_FILE, "%s: is there and is no file", path);
	rc = file_new_open(&target->file, path, 0600);
	if (!rc)
		rc = stream_out_open(&target->out, target->file.fd);
	if (!rc)
		stream_out_limit(target->out, file_room(target->file.fd));
	return rc ? error_file(path, rc, err) : 0;
}

/* With the marker and the file: what is left is the guest's part. */
static int suspend_and_write(struct vm *vm, const struct vm_info *info, struct target *target,
			     const struct envelope *envelope, const struct vm_save_options *options,
			     struct error *err)
{
	struct error unheard;

	if (vm_suspend(vm, info, options->timeout_ms, err))
		return -1;
	if (write_image(vm, info, target, envelope, options, err)) {
		if (vm_suspend_cancel(vm, info, &unheard))
			return error_set(err, err->code, "%s; and %s", err->text, unheard.text);
		return error_set(err, err->code, "%s: %s; the guest runs on", info->name,
				 err->text);
	}
	vm_event("saved", info->name, info->uuid, info->domid, target->path);
	return options->checkpoint ? vm_suspend_cancel(vm, info, err) : vm_destroy(vm, info, err);
}

int vm_save(struct vm *vm, const struct vm_info *info, const char *path,
	    const struct vm_save_options *options, struct error *err)
{
	struct envelope envelope = { .xml = NULL };
	struct target target = { .file = FILE_NEW_NONE };
	struct error unheard;
	int marker, rc;

	if (!err)
		err = &unheard;
	if (vm_need_hyp(vm, err) || vm_need_store(vm, err))
		return -1;
	marker = vm_mark(info, SAVE_MARKER, "saved", err);
	if (marker < 0)
		return -1;
	rc = make_envelope(info, options->packing, &envelope, err);
	if (!rc)
		rc = open_target(&target, path, err);
	if (!rc && target.file.name[0] &&
	    file_write_all(marker, target.file.name, strlen(target.file.name)))
		rc = error_set(err, ERROR_FILE, "%s: the disk is full", vm_run_dir);
	if (!rc)
		rc = suspend_and_write(vm, info, &target, &envelope, options, err);
	stream_out_close(target.out);
	file_new_abandon(&target.file);
	envelope_free(&envelope);
	vm_unmark(info, SAVE_MARKER, marker);
	return rc;
}

int vm_save_recover(struct vm *vm, const struct vm_info *info, struct error *err)
{
	char name[PATH_MAX] = "";
	struct error unheard;
	int marker = vm_mark(info, SAVE_MARKER, "saved", &unheard), rc = 0;

	if (marker < 0)
		return 0;	/* it is being saved */
	if (pread(marker, name, sizeof(name) - 1, 0) > 0)
		unlink(name);
	if (vm_has_suspended(vm, info, &unheard) == 0)	/* still */
		rc = vm_suspend_cancel(vm, info, err);
	vm_unmark(info, SAVE_MARKER, marker);
	return rc;
}

bool vm_is_being_saved(const struct vm_info *info)
{
	return vm_mark_is_held(info, SAVE_MARKER);
}

/* --- saves under the guest's name ---------------------------------------------------------- */

static int managed_path(const char *name, char path[PATH_MAX])
{
	return snprintf(path, PATH_MAX, "%s/%s.save", vm_save_dir, name) < PATH_MAX ? 0 : -1;
}

int vm_managedsave(struct vm *vm, const struct vm_info *info, const struct vm_save_options *options,
		   struct error *err)
{
	char path[PATH_MAX];
	int rc = file_make_dirs(vm_save_dir);

	if (rc)
		return error_file(vm_save_dir, rc, err);
	if (managed_path(info->name, path))
		return error_set(err, ERROR_FILE, "%s: its name is too long", info->name);
	return vm_save(vm, info, path, options, err);
}

bool vm_managedsave_exists(const char *name)
{
	char path[PATH_MAX];

	return !managed_path(name, path) && access(path, F_OK) == 0;
}

int vm_managedsave_none(const char *name, struct error *err)
{
	return vm_managedsave_exists(name)
		       ? error_set(err, ERROR_STATE,
				   "%s: has a managed save; \"enso start\" lets it go on from "
				   "there, \"enso managedsave-remove\" forgets it",
				   name)
		       : 0;
}

int vm_managedsave_restore(struct vm *vm, const char *name,
			   const struct vm_create_options *options, uint32_t *domid,
			   struct error *err)
{
	struct vm_restored restored;
	char path[PATH_MAX];

	if (managed_path(name, path) || access(path, F_OK))
		return error_set(err, ERROR_NO_DOMAIN, "%s: has no managed save", name);
	if (vm_restore(vm, path, options, &restored, err))
		return -1;
	*domid = restored.domid;
	unlink(path);	/* it runs: starting from there again would undo what it does now */
	return 0;
}

int vm_managedsave_remove(const char *name, struct error *err)
{
	char path[PATH_MAX];

	if (managed_path(name, path) || access(path, F_OK))
		return error_set(err, ERROR_NO_DOMAIN, "%s: has no managed save", name);
	return unlink(path) ? error_file(path, -errno, err) : 0;
}
