/* SPDX-License-Identifier: MIT */
/* The file of the store's log: see journal.h. */
#include "store/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/file.h"

#define SLACK (1u << 20)
#define PACE 4	/* bytes that are written anew for each that is appended */
#define RETRY_SECONDS 5

static const char magic[8] = "ensost1\n";

int journal_open(struct journal *journal, const char *dir)
{
	*journal = (struct journal){ .fd = -1, .slack = SLACK, .rewrite = { .fd = -1 } };
	if (mkdir(dir, 0700) && errno != EEXIST)
		return -errno;
	journal->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return journal->dir < 0 ? -errno : 0;
}

/* The whole file; malloc'd. */
static int read_file(int fd, char **bytes, size_t *len)
{
	struct stat info;

	if (fstat(fd, &info))
		return -errno;
	*bytes = malloc((size_t)info.st_size + 1);
	if (!*bytes)
		return -ENOMEM;
	for (*len = 0; *len < (size_t)info.st_size;) {
		ssize_t done = read(fd, *bytes + *len, (size_t)info.st_size - *len);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			break;
		*len += (size_t)done;
	}
	return 0;
}

int journal_load(struct journal *journal, struct store *store)
{
	char *bytes = NULL;
	size_t len = 0, used;
	int fd = openat(journal->dir, "state", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	int rc = read_file(fd, &bytes, &len);
	close(fd);
	if (!rc && (len < sizeof(magic) || memcmp(bytes, magic, sizeof(magic))))
		rc = -EPROTO;
	if (!rc)
		rc = store_replay(store, bytes + sizeof(magic), len - sizeof(magic), &used);
	free(bytes);
	return rc;
}

static void journal_fail(struct journal *journal, struct store *store, int rc)
{
	fprintf(stderr, "enso-stored: state cannot be written: %s; going on, will try again\n",
		strerror(-rc));
	rewrite_end(&journal->rewrite);
	if (journal->fd >= 0)
		close(journal->fd);
	journal->fd = -1;
	journal->retry = store->now + RETRY_SECONDS;
}

/* An empty state.new: its descriptor, or -errno. */
static int new_file(const struct journal *journal)
{
	int fd = openat(journal->dir, "state.new", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int rc = fd < 0 ? -errno : file_write_all(fd, magic, sizeof(magic));

	if (rc && fd >= 0)
		close(fd);
	return rc ? rc : fd;
}

/* state.new becomes the file, of which base bytes are the state. 0 or -errno. */
static int adopt(struct journal *journal, int fd, size_t size, size_t base)
{
	if (renameat(journal->dir, "state.new", journal->dir, "state"))
		return -errno;
	if (journal->fd >= 0)
		close(journal->fd);
	journal->fd = fd;
	journal->size = size;
	journal->base = base;
	return 0;
}

int journal_rewrite(struct journal *journal, struct store *store)
{
	struct record_buffer buffer = { 0 };
	int fd, rc;

	rewrite_end(&journal->rewrite);
	store_dump(store, &buffer);
	rc = fd = buffer.failed ? -ENOMEM : new_file(journal);
	if (fd >= 0)
		rc = file_write_all(fd, buffer.bytes, buffer.len);
	if (!rc)
		rc = adopt(journal, fd, sizeof(magic) + buffer.len, sizeof(magic) + buffer.len);
	free(buffer.bytes);
	if (rc) {
		if (fd >= 0)
			close(fd);
		journal_fail(journal, store, rc);
		return rc;
	}
	/* What was waiting to be appended is part of the state. */
	store->log.len = 0;
	store->log.failed = false;
	return 0;
}

/* 0 or -errno. What is written in part is cut off by its checksum. */
static int append(struct journal *journal, const struct record_buffer *log)
{
	char head[RECORD_FRAME_HEAD];
	struct iovec parts[] = { { head, sizeof(head) }, { log->bytes, log->len } };
	size_t len = sizeof(head) + log->len;
	ssize_t done;

	record_frame_head(log->bytes, log->len, head);
	do
		done = writev(journal->fd, parts, 2);
	while (done < 0 && errno == EINTR);
	if (done >= 0 && (size_t)done != len)
		return -ENOSPC;
	journal->size += len;
	return done < 0 ? -errno : 0;
}

/* So many bytes were appended: goes on with the new file, or begins one. */
static void renew(struct journal *journal, struct store *store, size_t appended)
{
	struct rewrite *rewrite = &journal->rewrite;
	int rc = 0;

	if (rewrite->fd >= 0) {
		rc = rewrite_step(rewrite, journal->fd, journal->size, PACE * appended);
		if (rc > 0) {
			rc = adopt(journal, rewrite->fd, rewrite->size, rewrite->base);
			if (!rc)
				rewrite->fd = -1;
			rewrite_end(rewrite);
		}
	} else if (journal->size > 2 * journal->base + journal->slack &&
		   store->now >= journal->retry) {
		int fd = new_file(journal);
		rc = fd < 0 ? fd : rewrite_begin(rewrite, fd, store, journal->size);
	}
	if (!rc)
		return;
	/* The old file is as good as ever; the new one is tried again later. */
	fprintf(stderr, "enso-stored: state cannot be written anew: %s\n", strerror(-rc));
	rewrite_end(rewrite);
	journal->retry = store->now + RETRY_SECONDS;
}

void journal_flush(struct journal *journal, struct store *store)
{
	struct record_buffer *log = &store->log;
	size_t before = journal->size;

	if (journal->fd < 0 || log->failed) {
		if (store->now >= journal->retry)
			journal_rewrite(journal, store);
		log->len = 0;
		return;
	}
	if (!log->len)
		return;
	int rc = append(journal, log);
	log->len = 0;
	if (rc)
		journal_fail(journal, store, rc);
	else
		renew(journal, store, journal->size - before);
}

void journal_close(struct journal *journal)
{
	rewrite_end(&journal->rewrite);
	if (journal->fd >= 0)
		close(journal->fd);
	close(journal->dir);
}
