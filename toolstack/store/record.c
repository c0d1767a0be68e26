/* SPDX-License-Identifier: MIT */
/* What must be remembered, as bytes: see record.h. */
#include "store/record.h"

#include <stdlib.h>
#include <string.h>

static void put(struct record_buffer *buffer, const void *bytes, size_t len)
{
	if (buffer->failed)
		return;
	if (len > buffer->size - buffer->len) {
		size_t size = (buffer->len + len) * 2;
		char *bigger = realloc(buffer->bytes, size);
		if (!bigger) {
			buffer->failed = true;
			return;
		}
		buffer->bytes = bigger;
		buffer->size = size;
	}
	if (len)
		memcpy(buffer->bytes + buffer->len, bytes, len);
	buffer->len += len;
}

void record_begin(struct record_buffer *buffer, enum record_kind kind)
{
	uint8_t byte = (uint8_t)kind;

	put(buffer, &byte, 1);
}

void record_u32(struct record_buffer *buffer, uint32_t value)
{
	put(buffer, &value, sizeof(value));
}

void record_u64(struct record_buffer *buffer, uint64_t value)
{
	put(buffer, &value, sizeof(value));
}

void record_bytes(struct record_buffer *buffer, const void *bytes, size_t len)
{
	record_u32(buffer, (uint32_t)len);
	put(buffer, bytes, len);
}

void record_string(struct record_buffer *buffer, const char *text)
{
	record_bytes(buffer, text, strlen(text) + 1);
}

/*
 * FNV-1a over the records: tells a whole frame from one that was being written, not from a
 * forged one.
 */
static uint32_t checksum(const char *bytes, size_t len)
{
	uint32_t sum = 2166136261u;

	for (size_t i = 0; i < len; i++)
		sum = (sum ^ (uint8_t)bytes[i]) * 16777619u;
	return sum;
}

void record_frame_head(const char *records, size_t len, char head[RECORD_FRAME_HEAD])
{
	uint32_t words[2] = { (uint32_t)len, checksum(records, len) };

	memcpy(head, words, sizeof(words));
}

size_t record_frame_begin(struct record_buffer *buffer)
{
	size_t start = buffer->len;

	record_u64(buffer, 0);
	return start;
}

void record_frame_end(struct record_buffer *buffer, size_t start)
{
	if (buffer->failed)
		return;
	char *head = buffer->bytes + start;
	size_t len = buffer->len - start - RECORD_FRAME_HEAD;
	if (len)
		record_frame_head(head + RECORD_FRAME_HEAD, len, head);
	else
		buffer->len = start;
}

/* The next @len bytes, or NULL. */
static const char *get(struct record_reader *reader, size_t len)
{
	const char *bytes = reader->at;

	if (reader->failed || len > reader->left) {
		reader->failed = true;
		return NULL;
	}
	reader->at += len;
	reader->left -= len;
	return bytes;
}

bool record_frame_next(struct record_reader *stream, struct record_reader *frame)
{
	uint32_t head[2];
	const char *bytes = get(stream, sizeof(head));

	if (!bytes)
		return false;
	memcpy(head, bytes, sizeof(head));
	bytes = get(stream, head[0]);
	if (!bytes || !head[0] || checksum(bytes, head[0]) != head[1])
		return false;
	*frame = (struct record_reader){ .at = bytes, .left = head[0] };
	return true;
}

uint8_t record_get_kind(struct record_reader *reader)
{
	const char *byte = get(reader, 1);

	return byte ? (uint8_t)*byte : 0;
}

uint32_t record_get_u32(struct record_reader *reader)
{
	const char *bytes = get(reader, sizeof(uint32_t));
	uint32_t value = 0;

	if (bytes)
		memcpy(&value, bytes, sizeof(value));
	return value;
}

uint64_t record_get_u64(struct record_reader *reader)
{
	const char *bytes = get(reader, sizeof(uint64_t));
	uint64_t value = 0;

	if (bytes)
		memcpy(&value, bytes, sizeof(value));
	return value;
}

const char *record_get_bytes(struct record_reader *reader, size_t *len)
{
	*len = record_get_u32(reader);
	return get(reader, *len);
}

const char *record_get_string(struct record_reader *reader)
{
	size_t len;
	const char *text = record_get_bytes(reader, &len);

	if (text && len && !memchr(text, 0, len - 1) && !text[len - 1])
		return text;
	reader->failed = true;
	return NULL;
}
