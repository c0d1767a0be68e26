/* SPDX-License-Identifier: MIT */
/*
 * What a person says of a network: libvirt's network XML (the subset of enso-network-xml(5)) read
 * into a struct network_config, and written from one. Rules as in config.h: what is not supported
 * is refused with file:line.
 */
#ifndef CONFIG_NETWORK_H
#define CONFIG_NETWORK_H

#include "config/config.h"

enum {
	NETWORK_RANGES_MAX = 8,
	NETWORK_HOSTS_MAX = 250,
	NETWORK_ADDRESS_TEXT = 16, /* an IPv4 address as text, with its NUL */
};

/* How its guests reach the world. */
enum network_forward {
	NETWORK_ISOLATED, /* not at all */
	NETWORK_NAT,	  /* with the host's address */
	NETWORK_ROUTE,	  /* with their own, by the host's routes */
	NETWORK_BRIDGE,	  /* as neighbours of the host, over the card that is on the bridge */
};

/* Addresses are IPv4, in the host's byte order. */
struct network_range {
	uint32_t start, end;
};

struct network_host {
	uint8_t mac[6];
	uint32_t address;
	char *name; /* or NULL */
};

struct network_config {
	char *name;
	bool has_uuid;
	uint8_t uuid[16];
	enum network_forward forward;
	char *device; /* the card that it goes out by; NULL: any, and with NETWORK_BRIDGE: none */
	char *bridge; /* never NULL */
	bool stp;
	bool has_mac;
	uint8_t mac[6]; /* of the bridge */
	char *domain;
	bool no_dns;
	uint32_t address;    /* of the host in it; 0: none, and then nothing of the following */
	unsigned int prefix; /* 8 to 30 */
	struct network_range ranges[NETWORK_RANGES_MAX]; /* for DHCP */
	unsigned int n_ranges;
	struct network_host *hosts; /* n_hosts, that get these addresses by DHCP */
	unsigned int n_hosts;
};

/* As config_parse(), config_load(), config_dump() and config_free(). */
int network_parse(struct network_config *net, const char *text, size_t len, const char *file,
		  const struct config_options *options, struct error *err);
int network_load(struct network_config *net, const char *path,
		 const struct config_options *options, struct error *err);
int network_dump(const struct network_config *net, char **text, size_t *len);
void network_free(struct network_config *net);

/* The XML's word: "isolated" (which the XML says by leaving it out), "nat", "route", "bridge". */
const char *network_forward_name(enum network_forward forward);

/* Prints an address as four numbers with dots. */
void network_format_address(uint32_t address, char text[NETWORK_ADDRESS_TEXT]);

/* The bits of an address that its network has. */
uint32_t network_mask(unsigned int prefix);

#endif
