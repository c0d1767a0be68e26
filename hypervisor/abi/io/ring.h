/* SPDX-License-Identifier: MIT */
/*
 * Shared I/O rings of requests and responses in one page: a head of 64 bytes, then a power of two
 * of slots. Producers write their index after the slots, and send an event when it passes *_event.
 */
#ifndef ABI_IO_RING_H
#define ABI_IO_RING_H

#include <stdint.h>

typedef unsigned int RING_IDX;

/* The page of a ring named `name`, whose slots hold a req_t or a rsp_t. */
#define DEFINE_RING_TYPES(name, req_t, rsp_t)			\
union name##_sring_entry {					\
	req_t req;						\
	rsp_t rsp;						\
};								\
struct name##_sring {						\
	RING_IDX req_prod, req_event;				\
	RING_IDX rsp_prod, rsp_event;				\
	union {							\
		uint8_t pvt_pad[4];				\
	} pvt;							\
	uint8_t __pad[44];					\
	union name##_sring_entry ring[1];			\
}

#endif
