/* SPDX-License-Identifier: MIT */
/* The words of the protocol: see wire.h. */
#include "store/wire.h"

#include <errno.h>
#include <string.h>

/* The errors that the protocol can name (xs_wire.h, xsd_errors). */
static const struct {
	int number;
	const char *name;
} errors[] = {
	{ EINVAL, "EINVAL" },	{ EACCES, "EACCES" }, { EEXIST, "EEXIST" },   { EISDIR, "EISDIR" },
	{ ENOENT, "ENOENT" },	{ ENOMEM, "ENOMEM" }, { ENOSPC, "ENOSPC" },   { EIO, "EIO" },
	{ ENOTEMPTY, "ENOTEMPTY" }, { ENOSYS, "ENOSYS" }, { EROFS, "EROFS" },   { EBUSY, "EBUSY" },
	{ EAGAIN, "EAGAIN" },	{ EISCONN, "EISCONN" }, { E2BIG, "E2BIG" },   { EPERM, "EPERM" },
};

const char *wire_string(struct wire_reader *reader)
{
	const char *text = reader->at;
	const char *end = reader->left ? memchr(text, 0, reader->left) : NULL;

	if (!end)
		return NULL;
	reader->left -= (size_t)(end + 1 - text);
	reader->at = end + 1;
	return text;
}

int wire_number(const char *text, uint64_t max, uint64_t *value)
{
	uint64_t number = 0;

	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		uint64_t digit = (uint64_t)(*text - '0');
		if (number > (max - digit) / 10 || digit > max)
			return -EINVAL;
		number = number * 10 + digit;
	}
	*value = number;
	return 0;
}

int wire_read_number(struct wire_reader *reader, uint64_t max, uint64_t *value)
{
	const char *text = wire_string(reader);

	return text ? wire_number(text, max, value) : -EINVAL;
}

const char *wire_error_name(int errnum)
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		if (errors[i].number == errnum)
			return errors[i].name;
	}
	return "EINVAL";
}

int wire_error_number(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		size_t size = strlen(errors[i].name) + 1;
		if (len == size && !memcmp(name, errors[i].name, size))
			return -errors[i].number;
	}
	return -EPROTO;
}

int wire_add(struct wire_message *message, const void *bytes, size_t len)
{
	if (len > sizeof(message->payload) - message->header.len)
		return -E2BIG;
	if (len)
		memcpy(message->payload + message->header.len, bytes, len);
	message->header.len += (uint32_t)len;
	return 0;
}

int wire_add_string(struct wire_message *message, const char *text)
{
	return wire_add(message, text, strlen(text) + 1);
}
