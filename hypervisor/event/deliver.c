/* SPDX-License-Identifier: MIT */
/*
 * Signals: from "port p happened" to the bits that the guest reads, and the kick that makes it
 * look.
 *
 *  evtchn_pending[p] --unless evtchn_mask[p]--> evtchn_pending_sel[p/64] --> evtchn_upcall_pending
 *      (shared_info)                                   (vcpu_info of the vCPU that is told)
 *
 * Each step is a locked instruction and sees the result of the one before, in this order; the guest
 * goes the other way round (clears upcall_pending, takes the selector, then the pending words;
 * clears a mask bit, then looks at the pending bit). So one of the two always sees the event; both
 * may, which is harmless.
 *
 * No lock but the sender's port lock in event_send().
 */
#include "event/channel.h"

#include "abi/errno.h"

#define WORD(port)	((port) / 64)
#define BIT(port)	(1ul << (port) % 64)

/*
 * Shared words are the guest's: only ever touch them by these. Each says whether the bit was set
 * before.
 */
static bool bit_set(xen_ulong_t *word, xen_ulong_t bit)
{
	return __atomic_fetch_or(word, bit, __ATOMIC_SEQ_CST) & bit;
}

static bool bit_clear(xen_ulong_t *word, xen_ulong_t bit)
{
	return __atomic_fetch_and(word, ~bit, __ATOMIC_SEQ_CST) & bit;
}

static bool bit_test(const xen_ulong_t *word, xen_ulong_t bit)
{
	return __atomic_load_n(word, __ATOMIC_SEQ_CST) & bit;
}

/* Make the vCPU look at a word of pending bits. */
static void tell_vcpu(struct event_vcpu *ev, unsigned word)
{
	struct vcpu_info *info = __atomic_load_n(&ev->info, __ATOMIC_SEQ_CST);

	if (bit_set(&info->evtchn_pending_sel, 1ul << word))
		return;
	if (!__atomic_exchange_n(&info->evtchn_upcall_pending, 1, __ATOMIC_SEQ_CST))
		ev->kick(ev);
}

/*
 * End the polls that wait for this port. Polls of several ports end at any event: the guest looks
 * again.
 */
static void wake_pollers(struct event_domain *ed, evtchn_port_t port)
{
	for (unsigned i = 0; i < ed->max_vcpus; i++) {
		struct event_vcpu *ev = event_vcpu(ed, i);

		if (!ev || !__atomic_load_n(&ev->polling, __ATOMIC_SEQ_CST))
			continue;
		if (ev->poll_port && ev->poll_port != port)
			continue;
		event_poll_end(ev);
		ev->kick(ev);
	}
}

void event_set_pending(struct event_domain *ed, evtchn_port_t port, unsigned vcpu)
{
	struct event_vcpu *ev = event_vcpu(ed, vcpu);

	if (bit_set(&ed->shared->evtchn_pending[WORD(port)], BIT(port)))
		return;
	if (ev && !bit_test(&ed->shared->evtchn_mask[WORD(port)], BIT(port)))
		tell_vcpu(ev, WORD(port));
	if (unlikely(__atomic_load_n(&ed->nr_polling, __ATOMIC_SEQ_CST)))
		wake_pollers(ed, port);
}

int event_send(struct event_domain *ed, evtchn_port_t port)
{
	struct event_channel *ch = event_channel(ed, port);
	int rc = 0;

	if (unlikely(!ch))
		return -EINVAL;
	lock_acquire(&ch->lock);
	if (likely(ch->to.state == EVTCHNSTAT_interdomain)) {
		struct event_channel *peer = event_channel(ch->to.remote, ch->to.remote_port);

		event_set_pending(ch->to.remote, ch->to.remote_port,
				  __atomic_load_n(&peer->to.vcpu, __ATOMIC_RELAXED));
	} else if (ch->to.state == EVTCHNSTAT_ipi) {
		event_set_pending(ed, port, ch->to.vcpu);
	} else if (ch->to.state != EVTCHNSTAT_unbound) {
		rc = -EINVAL;
	}
	lock_release(&ch->lock);
	return rc;
}

int event_unmask(struct event_domain *ed, evtchn_port_t port)
{
	struct event_channel *ch = event_channel(ed, port);
	struct event_vcpu *ev;

	if (!ch || __atomic_load_n(&ch->to.state, __ATOMIC_RELAXED) == EVTCHNSTAT_closed)
		return -EINVAL;
	ev = event_vcpu(ed, __atomic_load_n(&ch->to.vcpu, __ATOMIC_RELAXED));
	if (bit_clear(&ed->shared->evtchn_mask[WORD(port)], BIT(port)) && ev &&
	    bit_test(&ed->shared->evtchn_pending[WORD(port)], BIT(port)))
		tell_vcpu(ev, WORD(port));
	return 0;
}

/* Raise a port of ours that no guest can send to. */
static void raise(struct event_domain *ed, evtchn_port_t port)
{
	struct event_channel *ch = event_channel(ed, port);

	if (port && ch)
		event_set_pending(ed, port, __atomic_load_n(&ch->to.vcpu, __ATOMIC_RELAXED));
}

void event_raise_virq(struct event_vcpu *ev, unsigned virq)
{
	raise(ev->domain, __atomic_load_n(&ev->virq_port[virq], __ATOMIC_ACQUIRE));
}

void event_raise_global_virq(struct event_domain *ed, unsigned virq)
{
	struct event_vcpu *ev = event_vcpu(ed, 0);

	if (ev)
		event_raise_virq(ev, virq);
}

void event_raise_pirq(struct event_domain *ed, evtchn_port_t port)
{
	raise(ed, port);
}

/*
 * Whoever still writes to the old record did so after setting its pending bit, so that setting
 * every selector bit of the new one after the switch loses nothing.
 */
void event_move_vcpu_info(struct event_vcpu *ev, struct vcpu_info *to)
{
	*to = *ev->info;
	__atomic_store_n(&ev->info, to, __ATOMIC_SEQ_CST);
	__atomic_store_n(&to->evtchn_pending_sel, ~0ul, __ATOMIC_SEQ_CST);
	__atomic_store_n(&to->evtchn_upcall_pending, 1, __ATOMIC_SEQ_CST);
	ev->kick(ev);
}

bool event_poll_begin(struct event_vcpu *ev, const evtchn_port_t *ports, unsigned n)
{
	struct event_domain *ed = ev->domain;

	event_poll_end(ev);
	ev->poll_port = n == 1 ? ports[0] : 0;
	__atomic_fetch_add(&ed->nr_polling, 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&ev->polling, true, __ATOMIC_SEQ_CST);
	for (unsigned i = 0; i < n; i++) {
		if (bit_test(&ed->shared->evtchn_pending[WORD(ports[i])], BIT(ports[i]))) {
			event_poll_end(ev);
			return true;
		}
	}
	return false;
}

void event_poll_end(struct event_vcpu *ev)
{
	if (__atomic_exchange_n(&ev->polling, false, __ATOMIC_SEQ_CST))
		__atomic_fetch_sub(&ev->domain->nr_polling, 1, __ATOMIC_SEQ_CST);
}
