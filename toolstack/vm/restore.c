/* SPDX-License-Identifier: MIT */
/*
 * Restoring a guest from a save file. A regular file is read twice: first all of it is checked
 * against its checksum, before anything is changed. Of a pipe the checksum comes last, and a domain
 * that was half made goes again; it has not run.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stream/envelope.h"
#include "stream/stream.h"
#include "vm/internal.h"

struct source {
	struct stream_in *in;
	const struct envelope *envelope;
	const struct vm_config *config;
	const struct vm_create_options *options;
};

static int fill(void *context, struct vm *vm, uint32_t domid, const struct build_request *ports,
		struct build_result *pages, struct error *err)
{
	const struct source *source = context;
	const struct stream_progress progress = { source->options->progress,
						  source->options->context };
	const struct stream_request request = {
		.memory_max_kib = source->config->memory_kib,
		.memory_kib = source->envelope->memory_kib,
		.vcpus_max = source->config->vcpus_max,
		.store_port = ports->store_port,
		.console_port = ports->console_port,
	};
	struct stream_result result = { 0 };
	int rc = stream_in_packed(source->in, source->envelope->packing);

	if (!rc && stream_load(vm->hyp, domid, source->in, &request, &result, &progress, err))
		return -1;
	if (!rc)
		rc = stream_in_unpacked(source->in);
	if (rc)
		return envelope_read_failed(rc, err);
	*pages = (struct build_result){ result.store_mfn, result.console_mfn };
	return envelope_read_end(source->in, err);
}

/* Check what can be read twice, and note that it is checked; the position is at the start then. */
static int verify(int fd, bool *checked, struct error *err)
{
	struct stat st;

	*checked = false;
	if (fstat(fd, &st))
		return error_set(err, ERROR_FILE, "%s", error_text(-errno));
	if (S_ISDIR(st.st_mode))
		return error_set(err, ERROR_FILE, "is a folder");
	if (!S_ISREG(st.st_mode))
		return 0;
	*checked = true;
	posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	if (envelope_verify(fd, err))
		return -1;
	return lseek(fd, 0, SEEK_SET) ? error_set(err, ERROR_FILE, "%s", error_text(-errno)) : 0;
}

/* Its kernel said so when it started and won't again (Linux, drivers/xen/manage.c). */
static void say_it_can_suspend(struct vm *vm, uint32_t domid)
{
	char path[64];

	snprintf(path, sizeof(path), "/local/domain/%u/control/feature-suspend", domid);
	store_write(vm->store, STORE_NO_TX, path, "1", 1);
}

static int restore(struct vm *vm, struct stream_in *in, const char *path,
		   const struct vm_create_options *options, struct vm_restored *restored,
		   struct error *err)
{
	struct vm_config config = { 0 };
	struct envelope envelope;
	struct source source = { in, &envelope, &config, options };
	const struct vm_filler filler = { fill, &source };
	int rc;

	if (envelope_read(in, &envelope, err))
		return -1;
	rc = config_parse(&config, envelope.xml, envelope.xml_len, path, NULL, err);
	if (!rc)
		rc = vm_make(vm, &config, &filler, options->paused, &restored->domid, err);
	if (!rc)
		say_it_can_suspend(vm, restored->domid);
	if (!rc)
		vm_event("restored", config.name, config.uuid, restored->domid, path);
	if (!rc)
		snprintf(restored->name, sizeof(restored->name), "%s", config.name);
	config_free(&config);
	envelope_free(&envelope);
	return rc;
}

/*
 * The envelope is looked at before the whole is: who gives the wrong file need not wait, and hears
 * what is wrong with it.
 */
static int look(int fd, struct error *err)
{
	struct envelope envelope;
	struct stream_in *in;
	struct stat st;
	int rc;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return 0;
	if (stream_in_open(&in, fd))
		return error_set(err, ERROR_NO_MEMORY, "out of memory");
	rc = envelope_read(in, &envelope, err);
	if (!rc)
		envelope_free(&envelope);
	stream_in_close(in);
	if (!rc && lseek(fd, 0, SEEK_SET))
		rc = error_set(err, ERROR_FILE, "%s", error_text(-errno));
	return rc;
}

int vm_restore(struct vm *vm, const char *path, const struct vm_create_options *options,
	       struct vm_restored *restored, struct error *err)
{
	struct stream_in *in = NULL;
	struct error unheard;
	bool checked;
	int fd, rc;

	if (!err)
		err = &unheard;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return error_set(err, ERROR_FILE, "%s: %s", path, error_text(-errno));
	rc = look(fd, err) || verify(fd, &checked, err) ? -1 : 0;
	if (!rc && stream_in_open(&in, fd))
		rc = error_set(err, ERROR_NO_MEMORY, "out of memory");
	if (!rc && checked)
		stream_in_trust(in);
	if (!rc)
		rc = restore(vm, in, path, options, restored, err);
	if (rc)
		error_set(err, err->code, "%s: %s", path, err->text);
	stream_in_close(in);
	close(fd);
	return rc;
}
