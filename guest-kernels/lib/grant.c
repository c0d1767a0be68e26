/* SPDX-License-Identifier: MIT */
/* The granting side. */
#include "grant.h"
#include "event.h"
#include "hypercall.h"
#include "page.h"

void grant_map_table(xen_pfn_t frame)
{
	page_map(GRANT_TABLE_VA, frame << PAGE_SHIFT | PTE_RW);
}

domid_t grant_own_id(void)
{
	struct evtchn_alloc_unbound open = { .dom = DOMID_SELF, .remote_dom = DOMID_SELF };
	struct evtchn_bind_interdomain bind = { .remote_dom = DOMID_SELF };
	struct evtchn_status status = { .dom = DOMID_SELF };

	hyp_event_channel_op(EVTCHNOP_alloc_unbound, &open);
	bind.remote_port = open.port;
	hyp_event_channel_op(EVTCHNOP_bind_interdomain, &bind);
	status.port = open.port;
	hyp_event_channel_op(EVTCHNOP_status, &status);
	event_close(open.port);
	event_close(bind.local_port);
	return status.u.interdomain.dom;
}

void grant_give(grant_ref_t ref, domid_t domain, const void *page, uint16_t flags)
{
	grant_table[ref].domid = domain;
	grant_table[ref].frame = (uint32_t)page_mfn(page);
	asm volatile("" : : : "memory");
	grant_table[ref].flags = flags;
}
