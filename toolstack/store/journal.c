/* SPDX-License-Identifier: MIT */
/* The file of the store's log: see journal.h. */
#include "store/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLACK (1u << 20)	/* bytes that it may grow whatever its size */
#define RETRY_SECONDS 5

static const char magic[8] = "ensost1\n";

int journal_open(struct journal *journal, const char *dir)
{
	*journal = (struct journal){ .fd = -1 };
	if (mkdir(dir, 0700) && errno != EEXIST)
		return -errno;
	journal->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return journal->dir < 0 ? -errno : 0;
}

static int write_all(int fd, const char *bytes, size_t len)
{
	while (len) {
		ssize_t done = write(fd, bytes, len);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		bytes += done;
		len -= (size_t)done;
	}
	return 0;
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
	if (journal->fd >= 0)
		close(journal->fd);
	journal->fd = -1;
	journal->retry = store->now + RETRY_SECONDS;
}

int journal_rewrite(struct journal *journal, struct store *store)
{
	struct record_buffer buffer = { 0 };
	int fd = openat(journal->dir, "state.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int rc = fd < 0 ? -errno : 0;

	store_dump(store, &buffer);
	if (!rc && buffer.failed)
		rc = -ENOMEM;
	if (!rc)
		rc = write_all(fd, magic, sizeof(magic));
	if (!rc)
		rc = write_all(fd, buffer.bytes, buffer.len);
	if (!rc && renameat(journal->dir, "state.new", journal->dir, "state"))
		rc = -errno;
	free(buffer.bytes);
	if (rc) {
		if (fd >= 0)
			close(fd);
		journal_fail(journal, store, rc);
		return rc;
	}
	if (journal->fd >= 0)
		close(journal->fd);
	journal->fd = fd;
	journal->size = journal->base = sizeof(magic) + buffer.len;
	/* What was waiting to be appended is part of the state. */
	store->log.len = 0;
	store->log.failed = false;
	return 0;
}

void journal_flush(struct journal *journal, struct store *store)
{
	struct record_buffer *log = &store->log;
	char head[RECORD_FRAME_HEAD];

	if (journal->fd < 0 || log->failed) {
		if (store->now >= journal->retry)
			journal_rewrite(journal, store);
		log->len = 0;
		return;
	}
	if (!log->len)
		return;
	record_frame_head(log->bytes, log->len, head);
	int rc = write_all(journal->fd, head, sizeof(head));
	if (!rc)
		rc = write_all(journal->fd, log->bytes, log->len);
	if (rc) {
		journal_fail(journal, store, rc);
		return;
	}
	journal->size += sizeof(head) + log->len;
	log->len = 0;
	if (journal->size > 2 * journal->base + SLACK)
		journal_rewrite(journal, store);
}

void journal_close(struct journal *journal)
{
	if (journal->fd >= 0)
		close(journal->fd);
	close(journal->dir);
}
