/* SPDX-License-Identifier: MIT */
/*
 * Two consoles: the hypervisor's, by console_io (refused to most domains, and silently so), and the
 * console ring that the toolstack gives a guest. The ring's other end is another domain: bounds are
 * ours to keep.
 */
#include "abi/io/console.h"
#include "abi/sched.h"
#include "event.h"
#include "hypercall.h"
#include "page.h"
#include "print.h"

static volatile struct xencons_interface *ring;
static evtchn_port_t port;

void console_init(void)
{
	if (kernel_is_dom0() || !start_info->console.domU.mfn)
		return;
	ring = page_at(start_info->console.domU.mfn);
	port = start_info->console.domU.evtchn;
}

unsigned int console_port(void)
{
	return port;
}

static void ring_write(const char *text, size_t n)
{
	unsigned int patience = 100000;

	while (n && patience--) {
		XENCONS_RING_IDX prod = ring->out_prod;

		while (n && prod - ring->out_cons < sizeof(ring->out)) {
			ring->out[MASK_XENCONS_IDX(prod++, ring->out)] = *text++;
			n--;
		}
		asm volatile("" : : : "memory");
		ring->out_prod = prod;
		event_send(port);
		if (n)
			hyp_sched_op(SCHEDOP_yield, NULL);
	}
}

void console_write(const char *text, size_t n)
{
	hyp_console_io(CONSOLEIO_write, (unsigned int)n, (char *)text);
	if (ring)
		ring_write(text, n);
}

size_t console_read(char *text, size_t n)
{
	XENCONS_RING_IDX cons;
	size_t got = 0;

	if (!ring)
		return 0;
	cons = ring->in_cons;
	while (got < n && cons != ring->in_prod)
		text[got++] = ring->in[MASK_XENCONS_IDX(cons++, ring->in)];
	asm volatile("mfence" : : : "memory");
	ring->in_cons = cons;
	if (got)
		event_send(port);
	return got;
}
