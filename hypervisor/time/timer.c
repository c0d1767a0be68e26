/* SPDX-License-Identifier: MIT */
/*
 * Timers: one pairing heap for each CPU, the earliest at its root.
 *
 *   root ---child---> a <--next/prev--> b <--next/prev--> c     a->prev is root, b->prev is a
 *
 * Setting is O(1), taking off O(log n) on average, and nothing is ever allocated. The machine's
 * timer is armed for the root or earlier: taking a timer off does not arm it again, the early
 * interrupt does.
 *
 * Lock: each CPU's queue has one (RANK_TIMER), never two at once. fn is called without it.
 */
#include "time/time.h"

#include "lib/assert.h"
#include "lib/cpumask.h"
#include "lib/lock.h"
#include "x86/machine.h"

struct timer_queue {
	struct lock lock;
	struct timer *root;
	struct timer *running;		/* whose fn is being called, or NULL */
	uint64_t armed;			/* what the machine's timer stands at; ~0: not armed */
} __attribute__((aligned(64)));

static struct timer_queue queues[CPU_MAX];

/* What root->prev points to, as it has neither parent nor brother. */
static struct timer no_one;

void timer_queues_init(void)
{
	for (unsigned cpu = 0; cpu < CPU_MAX; cpu++) {
		lock_init(&queues[cpu].lock, RANK_TIMER);
		queues[cpu].armed = ~0ull;
	}
}

/* Join two heaps, of which b may be empty. */
static struct timer *meld(struct timer *a, struct timer *b)
{
	if (!b)
		return a;
	if (b->deadline < a->deadline) {
		struct timer *t = a;

		a = b;
		b = t;
	}
	b->next = a->child;
	if (b->next)
		b->next->prev = b;
	b->prev = a;
	a->child = b;
	return a;
}

/* Join a row of brothers: in pairs from the left, then all from the right. */
static struct timer *meld_row(struct timer *first)
{
	struct timer *pairs = NULL, *all = NULL;

	while (first) {
		struct timer *a = first, *b = a->next;

		first = b ? b->next : NULL;
		a->next = NULL;
		if (b)
			b->next = NULL;
		a = meld(a, b);
		a->next = pairs;
		pairs = a;
	}
	while (pairs) {
		struct timer *next = pairs->next;

		pairs->next = NULL;
		all = meld(pairs, all);
		pairs = next;
	}
	return all;
}

static void set_root(struct timer_queue *q, struct timer *t)
{
	q->root = t;
	if (t) {
		t->next = NULL;
		t->prev = &no_one;
	}
}

static void queue_insert(struct timer_queue *q, struct timer *t)
{
	t->child = t->next = NULL;
	set_root(q, meld(t, q->root));
}

static void queue_remove(struct timer_queue *q, struct timer *t)
{
	struct timer *rest = meld_row(t->child);

	if (q->root == t) {
		set_root(q, rest);
	} else {
		if (t->prev->child == t)
			t->prev->child = t->next;
		else
			t->prev->next = t->next;
		if (t->next)
			t->next->prev = t->prev;
		if (rest)
			set_root(q, meld(rest, q->root));
	}
	t->child = t->next = t->prev = NULL;
}

static void arm(struct timer_queue *q)
{
	if (q->root && q->root->deadline < q->armed) {
		q->armed = q->root->deadline;
		machine_timer_arm(q->armed);
	}
}

/* Lock the queue that t is or was on; t->cpu changes only under that lock. */
static struct timer_queue *lock_queue(const struct timer *t)
{
	for (;;) {
		unsigned cpu = __atomic_load_n(&t->cpu, __ATOMIC_RELAXED);

		lock_acquire(&queues[cpu].lock);
		if (likely(cpu == __atomic_load_n(&t->cpu, __ATOMIC_RELAXED)))
			return &queues[cpu];
		lock_release(&queues[cpu].lock);
	}
}

/*
 * Take t off whatever queue it is on, make it this CPU's, and return with the lock of this CPU's
 * queue.
 */
static struct timer_queue *take(struct timer *t, bool *was_set)
{
	unsigned here = machine_cpu();

	*was_set = false;
	for (;;) {
		struct timer_queue *q = lock_queue(t);

		if (t->prev) {
			queue_remove(q, t);
			*was_set = true;
		}
		if (t->cpu == here)
			return q;
		__atomic_store_n(&t->cpu, here, __ATOMIC_RELAXED);
		lock_release(&q->lock);
	}
}

void timer_init(struct timer *t, void (*fn)(struct timer *t))
{
	*t = (struct timer){ .fn = fn, .cpu = machine_cpu() };
}

void timer_set(struct timer *t, uint64_t deadline)
{
	bool was_set;
	struct timer_queue *q = take(t, &was_set);

	t->deadline = deadline;
	queue_insert(q, t);
	arm(q);
	lock_release(&q->lock);
}

void timer_migrate(struct timer *t)
{
	struct timer_queue *q;
	bool was_set;

	if (likely(!timer_pending(t) ||
		   __atomic_load_n(&t->cpu, __ATOMIC_RELAXED) == machine_cpu()))
		return;
	q = take(t, &was_set);
	if (was_set) {
		queue_insert(q, t);
		arm(q);
	}
	lock_release(&q->lock);
}

void timer_stop(struct timer *t)
{
	struct timer_queue *q;

	if (!timer_pending(t))
		return;
	q = lock_queue(t);
	if (t->prev)
		queue_remove(q, t);
	lock_release(&q->lock);
}

void timer_destroy(struct timer *t)
{
	unsigned here = machine_cpu();

	for (;;) {
		struct timer_queue *q;
		bool running;

		timer_stop(t);
		q = lock_queue(t);
		running = q->running == t && q != &queues[here];
		lock_release(&q->lock);
		if (!running)
			return;
		machine_relax();
	}
}

void timer_run(void)
{
	struct timer_queue *q = &queues[machine_cpu()];
	uint64_t now = machine_now();

	lock_acquire(&q->lock);
	q->armed = ~0ull;
	while (q->root && q->root->deadline <= now) {
		struct timer *t = q->root;

		queue_remove(q, t);
		q->running = t;
		lock_release(&q->lock);
		t->fn(t);
		lock_acquire(&q->lock);
		q->running = NULL;
	}
	arm(q);
	lock_release(&q->lock);
}
