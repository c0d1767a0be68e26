/* SPDX-License-Identifier: MIT */
/* What runs and what is defined, as one list: see vm/defined.h. */
#include <stdlib.h>
#include <string.h>

#include "vm/defined.h"

/* What a definition adds to a guest that runs. */
static void add_definition(struct vm_guest *guest, const struct vm_defined *one)
{
	guest->defined = true;
	guest->autostart = one->autostart;
	guest->order = one->order;
	guest->problem = one->problem;
}

static void from_definition(struct vm_guest *guest, const struct vm_defined *one)
{
	const struct vm_config *config = &one->config;

	*guest = (struct vm_guest){
		.info = {
			.state = VM_SHUT_OFF,
			.memory_kib = config->current_memory_kib,
			.max_memory_kib = config->memory_kib,
			.vcpus = config->vcpus,
		},
	};
	memcpy(guest->info.name, one->name, sizeof(guest->info.name));
	memcpy(guest->info.uuid, config->uuid, sizeof(guest->info.uuid));
	add_definition(guest, one);
}

static struct vm_guest *running(struct vm_guest *guests, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (guests[i].info.state != VM_DYING && !strcmp(guests[i].info.name, name))
			return &guests[i];
	}
	return NULL;
}

int vm_list_all(struct vm *vm, struct vm_guest **out, size_t *count, struct error *err)
{
	struct vm_defined *defined;
	struct vm_info *infos;
	size_t nr_infos, nr_defined;

	if (vm_list(vm, &infos, &nr_infos, err))
		return -1;
	if (vm_defined_list(&defined, &nr_defined, err)) {
		free(infos);
		return -1;
	}
	struct vm_guest *guests = calloc(nr_infos + nr_defined + 1, sizeof(*guests));
	size_t have = 0;
	while (guests && have < nr_infos) {
		guests[have].info = infos[have];
		have++;
	}
	for (size_t i = 0; guests && i < nr_defined; i++) {
		struct vm_guest *guest = running(guests, nr_infos, defined[i].name);

		if (guest)
			add_definition(guest, &defined[i]);
		else
			from_definition(&guests[have++], &defined[i]);
	}
	free(infos);
	vm_defined_free(defined, nr_defined);
	*out = guests;
	*count = have;
	return guests ? 0 : error_set(err, ERROR_NO_MEMORY, "out of memory");
}

int vm_find_guest(struct vm *vm, const char *who, struct vm_guest *guest, struct error *err)
{
	struct error why = { 0 };
	struct vm_defined one;

	*guest = (struct vm_guest){ 0 };
	if (!vm_find(vm, who, &guest->info, &why)) {
		if (!vm_defined_exists(guest->info.name))
			return 0;
		if (!vm_defined_find(guest->info.name, &one, &guest->problem))
			config_free(&one.config);
		add_definition(guest, &one);
		return 0;
	}
	if (why.code != ERROR_STATE)
		return error_set(err, why.code, "%s", why.text);
	if (vm_defined_find(who, &one, err))
		return -1;
	from_definition(guest, &one);
	config_free(&one.config);
	return 0;
}
