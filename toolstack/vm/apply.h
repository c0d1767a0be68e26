/* SPDX-License-Identifier: MIT */
/* The host is made to match a set of definitions: plan.h says how, this does it. */
#ifndef VM_APPLY_H
#define VM_APPLY_H

#include "vm/plan.h"
#include "vm/vm.h"

/* The guests of the host, for a plan. Free with apply_free(). */
struct apply_state {
	struct plan_guest *guests;
	struct vm_config *configs;	/* two for each: defined, live */
	struct vm_info *infos;
	size_t count;
};

int apply_look(struct vm *vm, struct apply_state *state, struct error *err);
void apply_free(struct apply_state *state);

struct apply_options {
	int stop_ms; /* how long a guest may take to shut down before it is destroyed */
	/* Called before each step, and with the error of one that failed. */
	void (*step)(void *context, const struct plan_step *step);
	void (*failed)(void *context, const struct plan_step *step, const struct error *err);
	void *context;
};

/*
 * Do the steps. One that fails stops what follows of its guest, not of the others; the result is
 * then -1, and err is the last such error, not yet told by failed().
 */
int apply_perform(struct vm *vm, const struct plan *plan, const struct apply_options *options,
		  struct error *err);

#endif
