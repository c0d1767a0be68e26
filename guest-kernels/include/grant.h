/* SPDX-License-Identifier: MIT */
/* Our grant table, version 1. */
#ifndef GRANT_H
#define GRANT_H

#include <stdint.h>

#include "abi/grant_table.h"

#define GRANT_TABLE_VA	0x20000000000UL

/* The table's first frame, once grant_map_table() has mapped it. */
static volatile struct grant_entry_v1 *const grant_table = (void *)GRANT_TABLE_VA;

/* Map what GNTTABOP_setup_table gave. */
void grant_map_table(xen_pfn_t frame);
/* Our own domain's number: a channel to ourselves knows it. */
domid_t grant_own_id(void);
/* Entry ref lets a domain at a page; flags are GTF_*. */
void grant_give(grant_ref_t ref, domid_t domain, const void *page, uint16_t flags);

#endif
