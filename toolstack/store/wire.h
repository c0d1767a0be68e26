/* SPDX-License-Identifier: MIT */
/*
 * The words of the xenstore protocol (abi/io/xs_wire.h, docs/misc/xenstore.txt): strings and
 * numbers taken out of a payload, error names, and replies put together. Pure: no I/O, no
 * allocation, no state.
 */
#ifndef STORE_WIRE_H
#define STORE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/io/xs_wire.h"

/* What is left of a payload. */
struct wire_reader {
	const char *at;
	size_t left;
};

/* The next NUL-terminated string of the payload, or NULL when what is left holds no NUL. */
const char *wire_string(struct wire_reader *reader);

/* A decimal number from 0 to @max, nothing before or after it. Returns 0 or -EINVAL. */
int wire_number(const char *text, uint64_t max, uint64_t *value);

/* The next string of the payload as a number. Returns 0 or -EINVAL. */
int wire_read_number(struct wire_reader *reader, uint64_t max, uint64_t *value);

/* The protocol's name of a positive errno; "EINVAL" for one that it has no name for. */
const char *wire_error_name(int errnum);

/* The negative errno that an error reply of @len bytes names; -EPROTO if it is none. */
int wire_error_number(const char *name, size_t len);

/* A message on its way out. */
struct wire_message {
	struct xsd_sockmsg header;
	char payload[XENSTORE_PAYLOAD_MAX];
};

/* Appends to the payload. Returns 0 or -E2BIG, and then nothing is added. */
int wire_add(struct wire_message *message, const void *bytes, size_t len);

/* Appends a string with its NUL. */
int wire_add_string(struct wire_message *message, const char *text);

#endif
