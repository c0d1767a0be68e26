/* SPDX-License-Identifier: MIT */
/* The network device rings: transmit and receive, as seen by the guest. */
#ifndef ABI_IO_NETIF_H
#define ABI_IO_NETIF_H

#include "abi/io/ring.h"
#include "abi/types.h"

#define XEN_NETIF_NR_SLOTS_MIN		18
#define XEN_NETIF_MAX_TX_SIZE		0xFFFF

#define NETTXF_csum_blank		(1U << 0)
#define NETTXF_data_validated		(1U << 1)
#define NETTXF_more_data		(1U << 2)
#define NETTXF_extra_info		(1U << 3)

#define NETRXF_data_validated		(1U << 0)
#define NETRXF_csum_blank		(1U << 1)
#define NETRXF_more_data		(1U << 2)
#define NETRXF_extra_info		(1U << 3)
#define NETRXF_gso_prefix		(1U << 4)

#define XEN_NETIF_EXTRA_TYPE_NONE	(0)
#define XEN_NETIF_EXTRA_TYPE_GSO	(1)
#define XEN_NETIF_EXTRA_TYPE_MCAST_ADD	(2)
#define XEN_NETIF_EXTRA_TYPE_MCAST_DEL	(3)
#define XEN_NETIF_EXTRA_TYPE_HASH	(4)
#define XEN_NETIF_EXTRA_TYPE_MAX	(5)
#define XEN_NETIF_EXTRA_FLAG_MORE	(1U << 0)

#define XEN_NETIF_GSO_TYPE_NONE		(0)
#define XEN_NETIF_GSO_TYPE_TCPV4	(1)
#define XEN_NETIF_GSO_TYPE_TCPV6	(2)

#define NETIF_RSP_DROPPED		-2
#define NETIF_RSP_ERROR			-1
#define NETIF_RSP_OKAY			0
#define NETIF_RSP_NULL			1

struct netif_tx_request {
	grant_ref_t gref;
	uint16_t offset;
	uint16_t flags;			/* NETTXF_* */
	uint16_t id;
	uint16_t size;			/* of the packet, in further slots of the piece */
};

struct netif_extra_info {
	uint8_t type;
	uint8_t flags;
	union {
		struct {
			uint16_t size;
			uint8_t type;
			uint8_t pad;
			uint16_t features;
		} gso;
		struct {
			uint8_t addr[6];
		} mcast;
		struct {
			uint8_t type;
			uint8_t algorithm;
			uint8_t value[4];
		} hash;
		uint16_t pad[3];
	} u;
};

struct netif_tx_response {
	uint16_t id;
	int16_t status;
};

struct netif_rx_request {
	uint16_t id;
	uint16_t pad;
	grant_ref_t gref;
};

struct netif_rx_response {
	uint16_t id;
	uint16_t offset;
	uint16_t flags;			/* NETRXF_* */
	int16_t status;			/* a length, or NETIF_RSP_* */
};

DEFINE_RING_TYPES(netif_tx, struct netif_tx_request, struct netif_tx_response);
DEFINE_RING_TYPES(netif_rx, struct netif_rx_request, struct netif_rx_response);

#endif
