/* SPDX-License-Identifier: MIT */
/* The xenstore client: see client.h. Requests as functions; client_io.c carries them. */
#include "store/client.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/client_io.h"

static const char letters[] = "nrwb"; /* by enum store_access */

int store_read(struct store_client *client, uint32_t tx, const char *path, char **value,
	       size_t *len)
{
	struct client_reply reply;
	struct client_part part = client_text(path);
	int rc = client_request(client, XS_READ, tx, &part, 1, &reply);

	if (rc)
		return rc;
	*value = reply.payload;
	if (len)
		*len = reply.len;
	return 0;
}

int store_read_uint(struct store_client *client, uint32_t tx, const char *path, uint64_t *value)
{
	char *text;
	size_t len;
	int rc = store_read(client, tx, path, &text, &len);

	if (rc)
		return rc;
	rc = strlen(text) == len ? wire_number(text, UINT64_MAX, value) : -EINVAL;
	free(text);
	return rc;
}

/* For requests whose answer is only whether they succeeded. */
static int order(struct store_client *client, enum xsd_sockmsg_type type, uint32_t tx,
		 const struct client_part *parts, unsigned int count)
{
	struct client_reply reply;
	int rc = client_request(client, type, tx, parts, count, &reply);

	if (!rc)
		free(reply.payload);
	return rc;
}

/* In a transaction nothing is decided before its end: no need to wait for each answer. */
static int change(struct store_client *client, enum xsd_sockmsg_type type, uint32_t tx,
		  const struct client_part *parts, unsigned int count)
{
	return tx ? client_post(client, type, tx, parts, count)
		  : order(client, type, tx, parts, count);
}

int store_write(struct store_client *client, uint32_t tx, const char *path, const void *value,
		size_t len)
{
	struct client_part parts[] = { client_text(path), { value, len } };

	return change(client, XS_WRITE, tx, parts, 2);
}

int store_printf(struct store_client *client, uint32_t tx, const char *path, const char *fmt, ...)
{
	char text[XENSTORE_PAYLOAD_MAX];
	va_list args;

	va_start(args, fmt);
	int len = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (len < 0 || (size_t)len >= sizeof(text))
		return -E2BIG;
	return store_write(client, tx, path, text, (size_t)len);
}

int store_mkdir(struct store_client *client, uint32_t tx, const char *path)
{
	struct client_part part = client_text(path);

	return change(client, XS_MKDIR, tx, &part, 1);
}

int store_rm(struct store_client *client, uint32_t tx, const char *path)
{
	struct client_part part = client_text(path);

	return order(client, XS_RM, tx, &part, 1);
}

/*
 * Makes one block of it: the array, then the strings. Takes @text, @len bytes of strings with
 * their NULs, over.
 */
static int make_list(char *text, size_t len, char ***names, size_t *count)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += !text[i];
	char **list = malloc(n * sizeof(list[0]) + len + 1);
	if (!list) {
		free(text);
		return -ENOMEM;
	}
	char *copy = memcpy((char *)(list + n), text, len);
	for (size_t i = 0; i < n; i++) {
		list[i] = copy;
		copy += strlen(copy) + 1;
	}
	free(text);
	*names = list;
	*count = n;
	return 0;
}

/* Reads a long directory in parts into one text. -EAGAIN: it changed between two of them. */
static int read_parts(struct store_client *client, uint32_t tx, const char *path, char **text,
		      size_t *len)
{
	char generation[24] = "";
	char offset[24];
	int rc;

	*text = NULL;
	*len = 0;
	for (;;) {
		struct client_reply part;
		snprintf(offset, sizeof(offset), "%zu", *len);
		struct client_part parts[] = { client_text(path), client_text(offset) };
		rc = client_request(client, XS_DIRECTORY_PART, tx, parts, 2, &part);
		if (rc)
			break;
		size_t head = strlen(part.payload) + 1;
		char *more = head <= part.len ? realloc(*text, *len + part.len) : NULL;
		rc = head > part.len || head > sizeof(generation) ? -EPROTO : more ? 0 : -ENOMEM;
		if (more)
			*text = more;
		if (!rc && *len && strcmp(generation, part.payload))
			rc = -EAGAIN;
		if (!rc) {
			strcpy(generation, part.payload);
			memcpy(*text + *len, part.payload + head, part.len - head);
			*len += part.len - head;
		}
		bool end = !rc && part.len > head && !(*text)[*len - 1] &&
			   (part.len == head + 1 || !(*text)[*len - 2]);
		free(part.payload);
		if (rc)
			break;
		if (end) {
			--*len;
			return 0;
		}
	}
	free(*text);
	return rc;
}

int store_ls(struct store_client *client, uint32_t tx, const char *path, char ***names,
	     size_t *count)
{
	struct client_part part = client_text(path);
	struct client_reply reply;
	int rc = client_request(client, XS_DIRECTORY, tx, &part, 1, &reply);

	for (int i = 0; i < 100 && (rc == -E2BIG || rc == -EAGAIN); i++)
		rc = read_parts(client, tx, path, &reply.payload, &reply.len);
	return rc ? rc : make_list(reply.payload, reply.len, names, count);
}

int store_get_perms(struct store_client *client, uint32_t tx, const char *path,
		    struct store_perm **perms, size_t *count)
{
	struct client_part part = client_text(path);
	struct client_reply reply;
	char **texts;
	uint64_t domid;
	size_t n;
	int rc = client_request(client, XS_GET_PERMS, tx, &part, 1, &reply);

	if (!rc)
		rc = make_list(reply.payload, reply.len, &texts, &n);
	if (rc)
		return rc;
	struct store_perm *list = calloc(n + 1, sizeof(list[0]));
	if (!list)
		rc = -ENOMEM;
	for (size_t i = 0; i < n && !rc; i++) {
		const char *letter = *texts[i] ? strchr(letters, *texts[i]) : NULL;
		if (!letter || wire_number(texts[i] + 1, UINT32_MAX, &domid))
			rc = -EPROTO;
		else
			list[i] = (struct store_perm){ (uint32_t)domid,
							(enum store_access)(letter - letters) };
	}
	free(texts);
	if (rc) {
		free(list);
		return rc;
	}
	*perms = list;
	*count = n;
	return 0;
}

int store_set_perms(struct store_client *client, uint32_t tx, const char *path,
		    const struct store_perm *perms, size_t count)
{
	char text[XENSTORE_PAYLOAD_MAX];
	size_t len = 0;

	for (size_t i = 0; i < count; i++) {
		if (len + 16 > sizeof(text))
			return -E2BIG;
		len += (size_t)sprintf(text + len, "%c%u", letters[perms[i].access & STORE_BOTH],
				       perms[i].domid) + 1;
	}
	struct client_part parts[] = { client_text(path), { text, len } };
	return change(client, XS_SET_PERMS, tx, parts, 2);
}

int store_tx_start(struct store_client *client, uint32_t *tx)
{
	struct client_part part = client_text("");
	struct client_reply reply;
	uint64_t id;
	int rc = client_request(client, XS_TRANSACTION_START, STORE_NO_TX, &part, 1, &reply);

	if (rc)
		return rc;
	rc = wire_number(reply.payload, UINT32_MAX, &id) || !id ? -EPROTO : 0;
	*tx = (uint32_t)id;
	free(reply.payload);
	return rc;
}

int store_tx_end(struct store_client *client, uint32_t tx, bool commit)
{
	int failed = client_posted(client);
	struct client_part part = client_text(commit && !failed ? "T" : "F");
	int rc = order(client, XS_TRANSACTION_END, tx, &part, 1);

	return failed ? failed : rc;
}

int store_introduce(struct store_client *client, uint32_t domid, uint64_t frame, uint32_t port)
{
	char texts[3][24];

	snprintf(texts[0], sizeof(texts[0]), "%u", domid);
	snprintf(texts[1], sizeof(texts[1]), "%" PRIu64, frame);
	snprintf(texts[2], sizeof(texts[2]), "%u", port);
	struct client_part parts[] = { client_text(texts[0]), client_text(texts[1]),
				       client_text(texts[2]) };
	return order(client, XS_INTRODUCE, STORE_NO_TX, parts, 3);
}

/* A request whose payload is domain ids. */
static int about_domain(struct store_client *client, enum xsd_sockmsg_type type, uint32_t domid,
			struct client_reply *reply)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", domid);
	struct client_part part = client_text(text);
	return client_request(client, type, STORE_NO_TX, &part, 1, reply);
}

static int order_domain(struct store_client *client, enum xsd_sockmsg_type type, uint32_t domid)
{
	struct client_reply reply;
	int rc = about_domain(client, type, domid, &reply);

	if (!rc)
		free(reply.payload);
	return rc;
}

int store_release(struct store_client *client, uint32_t domid)
{
	return order_domain(client, XS_RELEASE, domid);
}

int store_resume(struct store_client *client, uint32_t domid)
{
	return order_domain(client, XS_RESUME, domid);
}

int store_is_introduced(struct store_client *client, uint32_t domid, bool *known)
{
	struct client_reply reply;
	int rc = about_domain(client, XS_IS_DOMAIN_INTRODUCED, domid, &reply);

	if (rc)
		return rc;
	*known = reply.payload[0] == 'T';
	free(reply.payload);
	return 0;
}

int store_get_domain_path(struct store_client *client, uint32_t domid, char **path)
{
	struct client_reply reply;
	int rc = about_domain(client, XS_GET_DOMAIN_PATH, domid, &reply);

	if (!rc)
		*path = reply.payload;
	return rc;
}

int store_set_target(struct store_client *client, uint32_t domid, uint32_t target)
{
	char texts[2][16];

	snprintf(texts[0], sizeof(texts[0]), "%u", domid);
	snprintf(texts[1], sizeof(texts[1]), "%u", target);
	struct client_part parts[] = { client_text(texts[0]), client_text(texts[1]) };
	return order(client, XS_SET_TARGET, STORE_NO_TX, parts, 2);
}

int store_control(struct store_client *client, const char *const *argv, size_t count, char **answer)
{
	struct client_part parts[8];
	struct client_reply reply;

	if (count > sizeof(parts) / sizeof(parts[0]))
		return -E2BIG;
	for (size_t i = 0; i < count; i++)
		parts[i] = client_text(argv[i]);
	int rc = client_request(client, XS_CONTROL, STORE_NO_TX, parts, (unsigned int)count,
				&reply);
	if (!rc)
		*answer = reply.payload;
	return rc;
}
