/* SPDX-License-Identifier: MIT */
/*
 * A domain's watchdogs: timers that end it unless it keeps setting them. Lock: the domain's; the
 * timer's function takes it in domain_shutdown() and so must not be waited for with it held.
 */
#include "abi/errno.h"
#include "abi/sched.h"
#include "console/log.h"
#include "domain/domain.h"
#include "x86/machine.h"

#define NS_PER_SEC 1000000000ull

static void expired(struct timer *t)
{
	struct domain *d = container_of(t, struct domain_watchdog, timer)->domain;

	if (!d || d->shut_down)
		return;
	log_guest(LOG_ERROR, d->id, "its watchdog was not visited in time");
	domain_shutdown(d, SHUTDOWN_watchdog);
}

/* Under the lock. */
static int set(struct domain *d, uint32_t id, uint32_t seconds)
{
	struct domain_watchdog *w = d->watchdog;
	bool fresh = !id;

	if (id > ARRAY_SIZE(d->watchdog) || (fresh && !seconds) || d->dying)
		return -EINVAL;
	if (fresh) {
		while (id < ARRAY_SIZE(d->watchdog) && w[id].domain)
			id++;
		if (id++ == ARRAY_SIZE(d->watchdog))
			return -ENOSPC;
		timer_init(&w[id - 1].timer, expired);
		w[id - 1].domain = d;
	}
	w += id - 1;
	if (!w->domain)
		return -EINVAL;
	if (seconds) {
		timer_set(&w->timer, machine_now() + seconds * NS_PER_SEC);
	} else {
		timer_stop(&w->timer);
		w->domain = NULL;
	}
	return fresh ? (int)id : 0;
}

int domain_set_watchdog(struct domain *d, uint32_t id, uint32_t seconds)
{
	int rc;

	lock_acquire(&d->lock);
	rc = set(d, id, seconds);
	lock_release(&d->lock);
	return rc;
}

void domain_stop_watchdogs(struct domain *d)
{
	for (unsigned i = 0; i < ARRAY_SIZE(d->watchdog); i++)
		timer_destroy(&d->watchdog[i].timer);
}
