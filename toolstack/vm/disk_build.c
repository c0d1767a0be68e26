/* SPDX-License-Identifier: MIT */
/* New disks with a system on them: see vm/disk_build.h. */
#include "vm/disk_build.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "console/client.h"
#include "lib/file.h"
#include "vm/defined.h"
#include "vm/internal.h"

#define BUILDER_KERNEL "/boot/vmlinux"
#define BUILDER_INITRD "/boot/builder.img"

enum {
	LINE_MAX_BYTES = 256,
	CONSOLE_PATIENCE_MS = 10000,
	SILENCE_MS = 30 * 60 * 1000,	/* it may be slow; a dead one says nothing */
	SECTOR = 512,
	DEBIAN_MIB = 900,	/* at least, in the disk's file */
	BUSYBOX_MIB = 24,
	FULL_BYTES = 1 << 20,	/* what a full file system may still call free */
};

/* A disk that is being built. */
struct job {
	struct vm *vm;
	const struct disk_build *build;
	char path[DISK_BUILD_PATH], part[DISK_BUILD_PATH + 8], order[DISK_BUILD_PATH];
	int fd;			/* of part, locked */
	uint32_t domid;
	bool has_domain, done;
	char reason[LINE_MAX_BYTES];
	struct error *err;
};

void disk_build_path(const char *name, char path[DISK_BUILD_PATH])
{
	snprintf(path, DISK_BUILD_PATH, "%s/images/%s.img", vm_state_dir, name);
}

/* --- what is asked for ------------------------------------------------------------------------ */

/* As a host's name, and so as a file's. */
static bool is_name(const char *text)
{
	size_t len = strlen(text);

	return len && len <= 50 && *text != '-' &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") ==
		       len;
}

/* One line, which means nothing to XML or a shell's word list either if it is strict. */
static bool is_line(const char *text, bool strict)
{
	for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
		if (*at < (strict ? 33 : 32) || *at == 127 || (strict && strchr("<>&'\"\\`$", *at)))
			return false;
	}
	return strlen(text) < 4096;
}

static int check_value(const char *what, const char *text, bool strict, struct error *err)
{
	if (!text || is_line(text, strict))
		return 0;
	return error_set(err, ERROR_USAGE, "%s is not possible: it must be one line%s", what,
			 strict ? " without spaces, quotes and <>&\\`$" : "");
}

static int check(const struct disk_build *build, struct error *err)
{
	bool debian = !strcmp(build->kind, "debian");

	if (!debian && strcmp(build->kind, "busybox"))
		return error_set(err, ERROR_USAGE,
				 "\"%s\" can't be built; possible: debian, busybox", build->kind);
	if (!is_name(build->name) || (build->hostname && !is_name(build->hostname)))
		return error_set(err, ERROR_USAGE,
				 "a name of 1 to 50 letters, digits and hyphens is needed");
	if (build->size_mib < (debian ? 1024 : 48) || build->size_mib > UINT64_C(16) << 20)
		return error_set(err, ERROR_USAGE, "the size must be from %d MiB to 16 TiB",
				 debian ? 1024 : 48);
	if (!debian && (build->mirror || build->medium || build->packages || build->ssh_key))
		return error_set(err, ERROR_USAGE,
				 "a disk with Busybox takes no packages and no ssh key");
	if (build->mirror && build->medium)
		return error_set(err, ERROR_USAGE, "--mirror and --from: only one of the two");
	if (debian && !build->mirror && !build->medium)
		return error_set(err, ERROR_USAGE,
				 "say where Debian's packages come from: --mirror http://... or "
				 "--from a medium with a mirror's files (a Debian DVD, say)");
	if (build->mirror && strncmp(build->mirror, "http://", 7))
		return error_set(err, ERROR_USAGE,
				 "the mirror must be http://...: Debian's signatures guard what "
				 "comes from it");
	if (build->medium && *build->medium != '/')
		return error_set(err, ERROR_USAGE, "the medium's path must be absolute");
	return check_value("the mirror", build->mirror, true, err) ||
	       check_value("the medium's path", build->medium, true, err) ||
	       check_value("the suite", build->suite, true, err) ||
	       check_value("the list of packages", build->packages, true, err) ||
	       check_value("the network", build->network, true, err) ||
	       check_value("the password", build->password, false, err) ||
	       check_value("the ssh key", build->ssh_key, false, err);
}

static void put(FILE *out, const char *key, const char *value)
{
	if (value)
		fprintf(out, "%s=%s\n", key, value);
}

/* The second disk. Only root may read it: a password may be in it. */
static int write_order(struct job *job)
{
	const struct disk_build *build = job->build;
	const char *host = build->hostname ? build->hostname : build->name;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int rc = file_make_dirs(vm_run_dir);

	if (!out)
		return error_set(job->err, ERROR_NO_MEMORY, "out of memory");
	put(out, "KIND", build->kind);
	put(out, "NAME", host);
	fprintf(out, "LABEL=%.16s\n", host);
	put(out, "MIRROR", build->mirror);
	put(out, "SUITE", build->suite);
	put(out, "PACKAGES", build->packages);
	put(out, "UNSIGNED", build->is_unsigned ? "yes" : NULL);
	put(out, "PASSWORD", build->password);
	put(out, "SSH_KEY", build->ssh_key);
	do
		fputc('\n', out);
	while (ftell(out) % SECTOR);
	if (fclose(out))
		rc = -ENOMEM;
	if (!rc)
		rc = file_write(job->order, text, len, 0600);
	free(text);
	return rc ? error_set(job->err, ERROR_FILE, "%s: %s", job->order, error_text(rc)) : 0;
}

/* A disk is sparse: it needs what will be in it. To find that missing takes the guest minutes. */
static int check_room(const struct job *job)
{
	const unsigned need = !strcmp(job->build->kind, "debian") ? DEBIAN_MIB : BUSYBOX_MIB;
	struct statvfs fs;
	uint64_t free_mib;

	if (fstatvfs(job->fd, &fs) || !fs.f_blocks)
		return 0;
	free_mib = (uint64_t)fs.f_bavail * fs.f_frsize >> 20;
	if (free_mib >= need)
		return 0;
	return error_set(job->err, ERROR_FILE,
			 "%s: no room: a disk with %s takes %u MiB, %llu MiB are free; a file "
			 "system labelled ENSO-DATA would have some",
			 job->path, job->build->kind, need, (unsigned long long)free_mib);
}

/* The empty disk, under another name until it is done; what a killed build left there goes. */
static int make_part(struct job *job)
{
	char folder[DISK_BUILD_PATH];
	int rc;

	snprintf(folder, sizeof(folder), "%s/images", vm_state_dir);
	rc = file_make_dirs(folder);
	if (rc)
		return error_set(job->err, ERROR_FILE, "%s: %s", folder, error_text(rc));
	if (!access(job->path, F_OK))
		return error_set(job->err, ERROR_EXISTS,
				 "%s exists; remove it or choose another name", job->path);
	job->fd = file_lock(job->part, false);
	if (job->fd == -EWOULDBLOCK)
		return error_set(job->err, ERROR_EXISTS, "%s is being built", job->path);
	if (job->fd < 0)
		return error_set(job->err, ERROR_FILE, "%s: %s", job->part, error_text(job->fd));
	if (fchmod(job->fd, 0600) || ftruncate(job->fd, 0) ||
	    ftruncate(job->fd, (off_t)(job->build->size_mib << 20)))
		return error_set(job->err, ERROR_FILE, "%s: %s", job->part, error_text(-errno));
	return check_room(job);
}

/* --- the guest that builds -------------------------------------------------------------------- */

static int describe(struct job *job, struct vm_config *config)
{
	const struct disk_build *build = job->build;
	bool debian = !strcmp(build->kind, "debian");
	struct stat st;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int rc;

	if (!out)
		return error_set(job->err, ERROR_NO_MEMORY, "out of memory");
	fprintf(out,
		"<domain type='xen'><name>build-%s</name><memory unit='MiB'>%d</memory><os>"
		"<type>linux</type><kernel>" BUILDER_KERNEL "</kernel><initrd>" BUILDER_INITRD
		"</initrd><cmdline>console=hvc0 quiet</cmdline></os>"
		"<on_reboot>destroy</on_reboot><devices>"
		"<disk type='file'><driver type='raw' cache='writeback'/><source file='%s'/>"
		"<target dev='xvda'/></disk>"
		"<disk type='file'><source file='%s'/><target dev='xvdb'/><readonly/></disk>",
		build->name, debian ? 512 : 192, job->part, job->order);
	if (build->medium) {
		bool block = !stat(build->medium, &st) && S_ISBLK(st.st_mode);

		fprintf(out,
			"<disk type='%s'><source %s='%s'/><target dev='xvdc'/><readonly/></disk>",
			block ? "block" : "file", block ? "dev" : "file", build->medium);
	}
	if (build->mirror)
		fprintf(out, "<interface type='network'><source network='%s'/></interface>",
			build->network);
	fprintf(out, "</devices></domain>");
	fclose(out);
	rc = text ? config_parse(config, text, len, "the guest that builds", NULL, job->err)
		  : error_set(job->err, ERROR_NO_MEMORY, "out of memory");
	free(text);
	return rc;
}

static int start(struct job *job)
{
	const struct vm_create_options options = { .paused = false };
	struct vm_config config;
	int rc;

	if (access(BUILDER_INITRD, R_OK))
		return error_set(job->err, ERROR_FILE,
				 BUILDER_INITRD ": %s; building needs the boot medium",
				 error_text(-errno));
	if (describe(job, &config))
		return -1;
	rc = vm_create(job->vm, &config, &options, &job->domid, job->err);
	job->has_domain = !rc;
	config_free(&config);
	return rc;
}

/* A line of the console. What is shown of it is printable. */
static void take_line(struct job *job, char *line)
{
	unsigned percent;
	int at = 0;

	for (char *c = line; *c; c++)
		*c = *c >= 32 && *c < 127 ? *c : '?';
	if (!strcmp(line, "@done"))
		job->done = true;
	else if (!strncmp(line, "@failed ", 8))
		snprintf(job->reason, sizeof(job->reason), "%s", line + 8);
	else if (sscanf(line, "@step %3u %n", &percent, &at) == 1 && at && percent <= 100 &&
		 job->build->tell)
		job->build->tell(job->build->context, percent, line + at);
}

/* Listen until the guest has gone. */
static int listen_to(struct job *job, int console)
{
	struct pollfd poll_fd = { .fd = console, .events = POLLIN };
	char line[LINE_MAX_BYTES], bytes[4096];
	size_t len = 0;
	int silent = 0;

	for (;;) {
		int ready = poll(&poll_fd, 1, 500);
		ssize_t got;

		if (job->build->stop && *job->build->stop)
			return error_set(job->err, ERROR_FAILED, "interrupted: nothing was built");
		silent = ready > 0 ? 0 : silent + 500;
		if (silent >= SILENCE_MS)
			return error_set(job->err, ERROR_TIMEOUT,
					 "the guest that builds has said nothing for %d minutes",
					 SILENCE_MS / 60000);
		if (ready <= 0)
			continue;
		got = read(console, bytes, sizeof(bytes));
		if (got <= 0)
			return 0;
		for (ssize_t i = 0; i < got; i++) {
			if (bytes[i] != '\n' && bytes[i] != '\r') {
				if (len < sizeof(line) - 1)
					line[len++] = bytes[i];
				continue;
			}
			line[len] = 0;
			take_line(job, line);
			len = 0;
		}
	}
}

/* Is it the host's disk that the guest had no more room on? What it sees then is an I/O error. */
static bool host_is_full(const struct job *job)
{
	struct statvfs fs;

	return !fstatvfs(job->fd, &fs) && fs.f_bavail * fs.f_frsize < FULL_BYTES;
}

static int follow(struct job *job)
{
	int console = console_connect(job->domid, CONSOLE_PATIENCE_MS), rc;

	if (console < 0)
		return error_set(job->err, ERROR_FAILED,
				 "no console of the guest that builds: %s; does enso-consoled run?",
				 error_text(console));
	rc = listen_to(job, console);
	close(console);
	if (rc || job->done)
		return rc;
	if (host_is_full(job))
		return error_set(job->err, ERROR_FILE, "%s: %s", job->part, error_text(-ENOSPC));
	return error_set(job->err, ERROR_FAILED,
			 "%s; all that it said: " CONSOLE_LOG_DIR "/build-%s.log",
			 *job->reason ? job->reason : "the guest that builds ended early",
			 job->build->name);
}

/* The guest is gone, or goes now: by then its disk is closed. */
static void stop(struct job *job)
{
	struct vm_info info;
	char id[16];

	snprintf(id, sizeof(id), "%u", job->domid);
	if (!vm_find(job->vm, id, &info, NULL)) {
		if (job->done && !vm_wait_stopped(job->vm, &info, CONSOLE_PATIENCE_MS, NULL) &&
		    vm_find(job->vm, id, &info, NULL))
			return;
		vm_destroy(job->vm, &info, NULL);
	}
}

static int keep(struct job *job)
{
	if (fsync(job->fd) || rename(job->part, job->path))
		return error_set(job->err, ERROR_FILE, "%s: %s", job->path, error_text(-errno));
	return 0;
}

int disk_build(struct vm *vm, const struct disk_build *build, struct error *err)
{
	static int (*const steps[])(struct job *job) = { make_part, write_order, start, follow };
	struct job job = { .vm = vm, .build = build, .fd = -1, .err = err };
	int rc = check(build, err) ? -1 : 0;

	if (rc)
		return rc;
	disk_build_path(build->name, job.path);
	snprintf(job.part, sizeof(job.part), "%s.part", job.path);
	snprintf(job.order, sizeof(job.order), "%s/build-%s.order", vm_run_dir, build->name);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && !rc; i++)
		rc = steps[i](&job);
	if (job.has_domain)
		stop(&job);
	if (!rc)
		rc = keep(&job);
	if (job.fd >= 0) {
		unlink(job.order);
		if (rc)
			unlink(job.part);
		close(job.fd);
	}
	return rc;
}
