/* SPDX-License-Identifier: MIT */
/*
 * The list of domains, and the life of one: create, kill, find, pause. The list lock guards the
 * list and ids; a reference keeps a domain's memory; the list itself holds one until domain_kill()
 * is through.
 */
#include "abi/errno.h"
#include "abi/sched.h"
#include "console/log.h"
#include "domain/domain.h"
#include "lib/assert.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "x86/machine.h"

#define GRANT_FRAMES_DEFAULT 64
#define MAPTRACK_DEFAULT     1024

static struct lock list_lock = LOCK_INIT(RANK_DOMAIN_LIST);
static struct list_node domains = LIST_INIT(domains); /* by ascending id */
struct domain *domain_control;

static struct domain *of(struct list_node *node)
{
	return list_entry(node, struct domain, list);
}

/* The place before which `id` belongs; *free: the first unused id from `id` on. Under the list
 * lock. */
static struct list_node *list_place(domid_t id, domid_t *free)
{
	*free = id;
	list_for_each(node, &domains) {
		if (of(node)->id > *free)
			return node;
		if (of(node)->id == *free)
			(*free)++;
	}
	return &domains;
}

/* Enter it under its id or, for DOMID_INVALID, one that was not used lately. */
static int list_enter(struct domain *d, domid_t id)
{
	static domid_t last;
	struct list_node *before;
	domid_t free;
	int rc = 0;

	lock_acquire(&list_lock);
	if (id == DOMID_INVALID) {
		before = list_place(last + 1, &free);
		if (free >= DOMID_FIRST_RESERVED)
			before = list_place(1, &free);
		if (free >= DOMID_FIRST_RESERVED)
			rc = -ENOMEM;
		last = free;
	} else {
		before = list_place(id, &free);
		if (free != id)
			rc = -EEXIST;
	}
	if (!rc) {
		d->id = free;
		list_add_tail(before, &d->list);
	}
	lock_release(&list_lock);
	return rc;
}

static void list_leave(struct domain *d)
{
	lock_acquire(&list_lock);
	list_del(&d->list);
	lock_release(&list_lock);
}

static void domain_free(struct domain *d)
{
	for (unsigned i = 0; d->vcpu && i < d->max_vcpus; i++) {
		if (d->vcpu[i])
			vcpu_free(d->vcpu[i]);
	}
	event_domain_free(&d->event);
	grant_domain_destroy(&d->grant);
	mm_free_shared(d->shared);
	heap_free(d->vcpu);
	heap_free(d->event_vcpu);
	heap_free(d);
}

static int domain_init(struct domain *d, const struct domain_settings *s)
{
	unsigned grant_frames = s->max_grant_frames ? s->max_grant_frames : GRANT_FRAMES_DEFAULT;
	unsigned maptrack = s->max_maptrack_frames ? s->max_maptrack_frames : MAPTRACK_DEFAULT;
	int rc;

	mm_domain_init(&d->mm, d->id, s->max_pages);
	d->mm.privileged = s->privileged;
	d->shared = mm_alloc_shared(&d->mm);
	d->vcpu = heap_alloc(s->max_vcpus * sizeof(*d->vcpu));
	d->event_vcpu = heap_alloc(s->max_vcpus * sizeof(*d->event_vcpu));
	if (!d->shared || !d->vcpu || !d->event_vcpu)
		return -ENOMEM;
	event_domain_init(&d->event, d->id, d->shared, d->event_vcpu, s->max_vcpus);
	rc = grant_domain_init(&d->grant, &d->mm, grant_frames, maptrack);
	sched_domain_init(&d->sched);
	time_write_wallclock(d->shared, d->wallclock_offset);
	return rc;
}

int domain_create(domid_t id, const struct domain_settings *s, struct domain **out)
{
	struct domain *d;
	int rc;

	if (!s->max_vcpus || s->max_vcpus > DOMAIN_MAX_VCPUS ||
	    (id != DOMID_INVALID && id >= DOMID_FIRST_RESERVED))
		return -EINVAL;
	d = heap_alloc(sizeof(*d));
	if (!d)
		return -ENOMEM;
	d->refs = 1;
	d->max_vcpus = s->max_vcpus;
	d->privileged = s->privileged;
	d->ssidref = s->ssidref;
	d->flags = s->flags;
	d->controller_pauses = 1;
	memcpy(d->handle, s->handle, sizeof(d->handle));
	lock_init(&d->lock, RANK_DOMAIN);
	rc = list_enter(d, id);
	if (rc) {
		heap_free(d);
		return rc;
	}
	rc = domain_init(d, s);
	if (rc) {
		list_leave(d);
		domain_free(d);
		return rc;
	}
	*out = d;
	return 0;
}

struct domain *domain_get_from(domid_t id)
{
	struct domain *found = NULL;

	lock_acquire(&list_lock);
	list_for_each(node, &domains) {
		if (of(node)->id >= id) {
			found = of(node);
			__atomic_fetch_add(&found->refs, 1, __ATOMIC_RELAXED);
			break;
		}
	}
	lock_release(&list_lock);
	return found;
}

struct domain *domain_get(domid_t id)
{
	struct domain *d;

	if (id == DOMID_SELF)
		id = vcpu_current()->domain->id;
	d = domain_get_from(id);
	if (d && d->id != id) {
		domain_put(d);
		d = NULL;
	}
	return d;
}

void domain_put(struct domain *d)
{
	ASSERT(d->refs > 0);
	if (__atomic_sub_fetch(&d->refs, 1, __ATOMIC_ACQ_REL) == 0)
		domain_free(d);
}

static void pause_async(struct domain *d)
{
	for (unsigned i = 0; i < d->max_vcpus; i++)
		if (d->vcpu[i])
			sched_pause_async(&d->vcpu[i]->sched);
}

/* Wait until none of its vCPUs runs, but for the caller. */
static void pause_wait(struct domain *d)
{
	for (unsigned i = 0; i < d->max_vcpus; i++)
		if (d->vcpu[i] && d->vcpu[i] != vcpu_current())
			sched_sync(&d->vcpu[i]->sched);
}

void domain_pause(struct domain *d)
{
	pause_async(d);
	pause_wait(d);
}

void domain_unpause(struct domain *d)
{
	for (unsigned i = 0; i < d->max_vcpus; i++)
		if (d->vcpu[i])
			sched_unpause(&d->vcpu[i]->sched);
}

int domain_controller_pause(struct domain *d)
{
	int rc = 0;

	lock_acquire(&d->lock);
	if (d->controller_pauses == 255)
		rc = -EBUSY;
	else if (d->controller_pauses++ == 0)
		pause_async(d);
	lock_release(&d->lock);
	if (!rc)
		pause_wait(d);
	return rc;
}

int domain_controller_unpause(struct domain *d)
{
	int rc = 0;

	lock_acquire(&d->lock);
	if (d->controller_pauses == 0)
		rc = -EINVAL;
	else if (--d->controller_pauses == 0)
		domain_unpause(d);
	lock_release(&d->lock);
	return rc;
}

/* Drop what the vCPUs hold: page-table roots, descriptor frames, timers, registered pages. */
static int release_vcpus(struct domain *d)
{
	int rc;

	for (unsigned i = 0; i < d->max_vcpus; i++) {
		if (!d->vcpu[i])
			continue;
		rc = vcpu_release(d->vcpu[i]);
		if (rc)
			return rc;
	}
	return 0;
}

int domain_kill(struct domain *d)
{
	bool first;
	int rc;

	lock_acquire(&d->lock);
	first = !d->dying;
	d->dying = true;
	lock_release(&d->lock);
	if (first)
		domain_pause(d);
	domain_stop_watchdogs(d);
	rc = event_domain_destroy(&d->event);
	if (!rc)
		rc = grant_domain_release_mappings(&d->grant);
	if (!rc)
		rc = release_vcpus(d);
	if (!rc)
		rc = mm_domain_teardown(&d->mm);
	if (rc)
		return rc;
	lock_acquire(&d->lock);
	first = !d->gone;
	d->gone = true;
	lock_release(&d->lock);
	if (first) {
		list_leave(d);
		event_raise_global_virq(&domain_control->event, VIRQ_DOM_EXC);
		domain_put(d);
	}
	return 0;
}
