/* SPDX-License-Identifier: MIT */
/*
 * What the daemon must remember to go on after it was killed, as records in a byte stream:
 *
 *	frame   u32 length of the records | u32 checksum of them | records      (all or nothing)
 *	record  u8 kind | fields: u32, u64, or u32 length and bytes             (host byte order)
 *
 * The stream from its beginning is the state; a new state starts a new stream. A frame that is
 * cut or damaged ends it: only the last one can be, because it was being written. Pure, no
 * lock.
 */
#ifndef STORE_RECORD_H
#define STORE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum record_kind {
	RECORD_NODE = 1, /* path, perms, value: the node is so now */
	RECORD_GONE,	 /* path: the node is removed, with all below it */
	RECORD_SPECIAL,	 /* path, perms: of "@introduceDomain" or "@releaseDomain" */
	RECORD_DOMAIN,	 /* u32 domid, u32 target, u64 frame, u32 port, u32 shutdown seen */
	RECORD_RELEASED, /* u32 domid */
	RECORD_WATCH,	 /* u32 domid, path as asked for, token: watch of a ring's connection */
	RECORD_UNWATCH,	 /* the same */
	RECORD_TX_START, /* u32 domid, u32 id */
	RECORD_TX_END,	 /* the same */
	RECORD_RESET,	 /* u32 domid: its watches and transactions are gone */
	RECORD_INPUT,	 /* u32 domid, u32 position in its ring, bytes of a half request */
	RECORD_OUTPUT,	 /* u32 domid, u32 position in its ring, bytes owed from there on */
};

/* A growing buffer; once an allocation has failed it only counts as failed. */
struct record_buffer {
	char *bytes;
	size_t len, size;
	bool failed;
};

void record_begin(struct record_buffer *buffer, enum record_kind kind);
void record_u32(struct record_buffer *buffer, uint32_t value);
void record_u64(struct record_buffer *buffer, uint64_t value);
void record_bytes(struct record_buffer *buffer, const void *bytes, size_t len);
void record_string(struct record_buffer *buffer, const char *text);

/* Starts a frame: leaves room for its head. Returns where it starts. */
size_t record_frame_begin(struct record_buffer *buffer);

/* Ends the frame that starts at @start: fills in its head. An empty frame is taken back. */
void record_frame_end(struct record_buffer *buffer, size_t start);

#define RECORD_FRAME_HEAD 8

/* The head of a frame whose records are these @len bytes. */
void record_frame_head(const char *records, size_t len, char head[RECORD_FRAME_HEAD]);

/* What is left to be read. Once something did not fit it has failed, and yields zeros. */
struct record_reader {
	const char *at;
	size_t left;
	bool failed;
};

/*
 * Takes the next frame off @stream; its records are in @frame. False: there is none, or it is
 * cut or damaged.
 */
bool record_frame_next(struct record_reader *stream, struct record_reader *frame);

uint8_t record_get_kind(struct record_reader *reader);
uint32_t record_get_u32(struct record_reader *reader);
uint64_t record_get_u64(struct record_reader *reader);
const char *record_get_bytes(struct record_reader *reader, size_t *len);

/* A string, with its NUL in the stream; NULL when there is no such thing. */
const char *record_get_string(struct record_reader *reader);

#endif
