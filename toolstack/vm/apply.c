/* SPDX-License-Identifier: MIT */
/* What there is, and the steps of a plan: see vm/apply.h. */
#include "vm/apply.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vm/defined.h"
#include "vm/hotplug.h"
#include "vm/internal.h"

enum { PATIENCE_MS = 20000 }; /* for a guest's balloon and vCPUs, without any progress */

/* ---- what there is -------------------------------------------------------------------------- */

/* One guest of the list; a definition that is damaged is an error: it can't be compared. */
static int look_at(struct vm_guest *from, struct vm_config *defined, struct vm_config *live,
		   struct plan_guest *guest, struct error *err)
{
	struct error why = { 0 };
	struct vm_defined one;

	guest->name = from->info.name;
	guest->uuid = from->info.uuid;
	guest->exists = from->info.state != VM_SHUT_OFF;
	guest->runs = guest->exists && from->info.state != VM_SHUTDOWN &&
		      from->info.state != VM_CRASHED;
	if (from->defined) {
		if (vm_defined_find(from->info.name, &one, err))
			return -1;
		*defined = one.config;
		guest->defined = defined;
	}
	if (!guest->exists)
		return 0;
	if (!vm_live_config(&from->info, live, &why))
		guest->live = live;
	else if (why.code != ERROR_NO_DOMAIN)
		return error_set(err, why.code, "%s", why.text);
	return 0;
}

int apply_look(struct vm *vm, struct apply_state *state, struct error *err)
{
	struct vm_guest *guests;
	size_t count;
	int rc = 0;

	*state = (struct apply_state){ 0 };
	if (vm_list_all(vm, &guests, &count, err))
		return -1;
	state->guests = calloc(count + 1, sizeof(*state->guests));
	state->configs = calloc(2 * count + 1, sizeof(*state->configs));
	state->infos = calloc(count + 1, sizeof(*state->infos));
	if (!state->guests || !state->configs || !state->infos)
		rc = error_set(err, ERROR_NO_MEMORY, "out of memory");
	for (size_t i = 0; i < count && !rc; i++) {
		size_t at = state->count;

		if (guests[i].info.state == VM_DYING ||
		    (guests[i].info.state != VM_SHUT_OFF && !guests[i].info.domid))
			continue;
		rc = look_at(&guests[i], &state->configs[2 * at], &state->configs[2 * at + 1],
			     &state->guests[at], err);
		state->infos[at] = guests[i].info;
		state->guests[at].name = state->infos[at].name;
		state->guests[at].uuid = state->infos[at].uuid;
		state->count++;
	}
	free(guests);
	if (rc)
		apply_free(state);
	return rc;
}

void apply_free(struct apply_state *state)
{
	for (size_t i = 0; state->configs && i < 2 * state->count; i++)
		config_free(&state->configs[i]);
	free(state->guests);
	free(state->configs);
	free(state->infos);
	*state = (struct apply_state){ 0 };
}

/* ---- steps ---------------------------------------------------------------------------------- */

static void end_for_good(struct vm_config *config, const void *context)
{
	(void)context;
	config->on_poweroff = VM_ACTION_DESTROY;
}

/* Ask it, wait, end it. One that ends and is started again by ensod ends all the same. */
static int stop(struct vm *vm, const char *name, int patience_ms, struct error *err)
{
	struct error why = { 0 };
	struct vm_info info;

	if (!vm_find(vm, name, &info, &why)) {
		vm_definition_change(&info, end_for_good, NULL);
		if (!vm_ask_shutdown(vm, &info, false, NULL))
			vm_wait_stopped(vm, &info, patience_ms, NULL);
		if (vm_find(vm, name, &info, &why))
			return why.code == ERROR_NO_DOMAIN || why.code == ERROR_STATE
				       ? 0
				       : error_set(err, why.code, "%s", why.text);
		return vm_destroy(vm, &info, err);
	}
	return why.code == ERROR_NO_DOMAIN || why.code == ERROR_STATE
		       ? 0
		       : error_set(err, why.code, "%s", why.text);
}

/* What has no meaning for the domain itself, only for who reads its definition. */
static void copy_words(struct vm_config *config, const void *context)
{
	const struct vm_config *wanted = context;
	char **to[] = { &config->title, &config->description, &config->metadata };
	char *const from[] = { wanted->title, wanted->description, wanted->metadata };

	for (size_t i = 0; i < 3; i++) {
		char *copy = from[i] ? strdup(from[i]) : NULL;

		if (from[i] && !copy)
			continue;
		free(*to[i]);
		*to[i] = copy;
	}
	config->on_poweroff = wanted->on_poweroff;
	config->on_reboot = wanted->on_reboot;
	config->on_crash = wanted->on_crash;
}

/* As the set says it, so that the next plan finds nothing to do. */
static void copy_tuning(struct vm_config *config, const void *context)
{
	const struct vm_config *wanted = context;
	size_t pins = wanted->n_pins * sizeof(*wanted->pins);
	struct cpu_set *cpus = wanted->cpus ? malloc(sizeof(*cpus)) : NULL;
	struct vm_pin *copies = pins ? malloc(pins) : NULL;

	config->weight = wanted->weight;
	if ((wanted->cpus && !cpus) || (pins && !copies)) {
		free(cpus);
		free(copies);
		return;
	}
	if (cpus)
		*cpus = *wanted->cpus;
	if (copies)
		memcpy(copies, wanted->pins, pins);
	free(config->cpus);
	free(config->pins);
	config->cpus = cpus;
	config->pins = copies;
	config->n_pins = wanted->n_pins;
}

/* What holds for all, then each vCPU's own. */
static int pin_all(struct vm *vm, const struct vm_info *info, const struct vm_config *wanted,
		   struct error *err)
{
	if (vm_pin(vm, info, -1, wanted->cpus, err))
		return -1;
	for (unsigned int i = 0; i < wanted->n_pins; i++) {
		if (vm_pin(vm, info, (int)wanted->pins[i].vcpu, &wanted->pins[i].cpus, err))
			return -1;
	}
	vm_definition_change(info, copy_tuning, wanted);
	return 0;
}

/* Weight or cap; the other one stays. */
static int schedule(struct vm *vm, const struct vm_info *info, const struct vm_config *wanted,
		    enum plan_field field, struct error *err)
{
	unsigned int weight, cap;

	if (vm_get_sched(vm, info, &weight, &cap, err))
		return -1;
	if (field == FIELD_WEIGHT)
		weight = wanted->weight ? wanted->weight : PLAN_WEIGHT_DEFAULT;
	else
		cap = wanted->cap;
	return vm_set_sched(vm, info, weight, cap, err);
}

static int change(struct vm *vm, const struct plan_step *step, struct error *err)
{
	const struct vm_wait wait = { .patience_ms = PATIENCE_MS };
	const struct vm_config *wanted = step->wanted;
	struct vm_info info;
	bool later;

	if (vm_find(vm, step->name, &info, err))
		return -1;
	switch (step->field) {
	case FIELD_CURRENT_MEMORY:
		return vm_set_memory(vm, &info, wanted->current_memory_kib, &wait, err);
	case FIELD_MEMORY:
		return vm_set_max_memory(vm, &info, wanted->memory_kib, &later, err);
	case FIELD_VCPUS:
		return vm_set_vcpus(vm, &info, wanted->vcpus, &wait, err);
	case FIELD_CPUS:
		return pin_all(vm, &info, wanted, err);
	case FIELD_WEIGHT:
	case FIELD_CAP:
		return schedule(vm, &info, wanted, step->field, err);
	default:
		vm_definition_change(&info, copy_words, wanted);
		return 0;
	}
}

static int define(struct vm *vm, const struct vm_config *wanted, struct error *err)
{
	/* It gets its uuid there: the plan's own stays as it is. */
	struct vm_config copy = *wanted;

	return vm_define(vm, &copy, NULL, err);
}

static int perform(struct vm *vm, const struct plan_step *step, int stop_ms, struct error *err)
{
	const struct vm_create_options plainly = { 0 };
	uint32_t domid;

	switch (step->kind) {
	case PLAN_STOP:
		return stop(vm, step->name, stop_ms, err);
	case PLAN_UNDEFINE:
		return vm_undefine(vm, step->name, err);
	case PLAN_DEFINE:
	case PLAN_REDEFINE:
		return define(vm, step->wanted, err);
	case PLAN_CHANGE:
		return change(vm, step, err);
	case PLAN_DETACH_DISK:
		return vm_detach_disk(vm, step->name, step->disk->target, VM_LIVE, false, err);
	case PLAN_ATTACH_DISK:
		return vm_attach_disk(vm, step->name, step->disk, VM_LIVE, err);
	case PLAN_DETACH_INTERFACE:
		return vm_detach_interface(vm, step->name, step->interface->mac, VM_LIVE, false,
					   err);
	case PLAN_ATTACH_INTERFACE:
		return vm_attach_interface(vm, step->name, step->interface, VM_LIVE, err);
	case PLAN_START:
		return vm_start(vm, step->name, &plainly, &domid, err);
	default:
		return 0;
	}
}

/* Did an earlier step of this guest fail? */
static bool given_up(const struct plan *plan, const bool *failed, size_t at)
{
	for (size_t i = 0; i < at; i++) {
		if (failed[i] && !strcmp(plan->steps[i].name, plan->steps[at].name))
			return true;
	}
	return false;
}

int apply_perform(struct vm *vm, const struct plan *plan, const struct apply_options *options,
		  struct error *err)
{
	bool *failed = calloc(plan->count + 1, sizeof(*failed));
	const struct plan_step *last = NULL;
	struct error why;

	if (!failed)
		return error_set(err, ERROR_NO_MEMORY, "out of memory");
	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_step *step = &plan->steps[i];

		if (given_up(plan, failed, i))
			continue;
		options->step(options->context, step);
		failed[i] = perform(vm, step, options->stop_ms, &why);
		if (!failed[i])
			continue;
		if (last)
			options->failed(options->context, last, err);
		error_set(err, why.code, "%s", why.text);
		last = step;
	}
	free(failed);
	return last ? -1 : 0;
}
