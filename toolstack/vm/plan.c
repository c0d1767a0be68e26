/* SPDX-License-Identifier: MIT */
/* Plans: see vm/plan.h. Pure. */
#include "vm/plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	bool acts;
} kinds[] = {
	[PLAN_STOP] = { "stop", true },
	[PLAN_UNDEFINE] = { "undefine", true },
	[PLAN_DEFINE] = { "define", true },
	[PLAN_REDEFINE] = { "redefine", true },
	[PLAN_CHANGE] = { "change", true },
	[PLAN_DETACH_DISK] = { "detach-disk", true },
	[PLAN_ATTACH_DISK] = { "attach-disk", true },
	[PLAN_DETACH_INTERFACE] = { "detach-interface", true },
	[PLAN_ATTACH_INTERFACE] = { "attach-interface", true },
	[PLAN_LATER] = { "needs-restart", false },
	[PLAN_STAYS_OFF] = { "stays-off", false },
	[PLAN_STRANGER] = { "not-ours", false },
	[PLAN_START] = { "start", true },
};

bool plan_acts(enum plan_kind kind)
{
	return kinds[kind].acts;
}

const char *plan_kind_name(enum plan_kind kind)
{
	return kinds[kind].name;
}

/* What is being made. */
struct maker {
	struct plan *plan;
	const struct plan_options *options;
	bool failed; /* no memory */
};

/* One more step; a place that is never read if there is no memory. */
static struct plan_step *add(struct maker *maker, enum plan_kind kind, const char *name,
			     const struct vm_config *wanted)
{
	static struct plan_step unread;
	struct plan *plan = maker->plan;
	struct plan_step *more =
		reallocarray(plan->steps, plan->count + 1, sizeof(plan->steps[0]));

	if (!more) {
		maker->failed = true;
		return &unread;
	}
	plan->steps = more;
	more[plan->count] = (struct plan_step){ .kind = kind, .name = name, .wanted = wanted };
	return &more[plan->count++];
}

static void say(struct plan_step *step, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Append to what the step says. */
static void say(struct plan_step *step, const char *fmt, ...)
{
	size_t len = strlen(step->text);
	va_list args;

	va_start(args, fmt);
	vsnprintf(step->text + len, sizeof(step->text) - len, fmt, args);
	va_end(args);
}

static void say_field(struct plan_step *step, enum plan_field field, const struct vm_config *old,
		      const struct vm_config *new)
{
	char text[200];

	plan_field_show(field, old, new, text, sizeof(text));
	say(step, "%s%s", step->text[0] && step->text[strlen(step->text) - 1] != ' ' ? ", " : "",
	    text);
}

/* ---- devices -------------------------------------------------------------------------------- */

static bool same_disk(const struct vm_disk *a, const struct vm_disk *b)
{
	return !strcmp(a->source, b->source) && a->block == b->block && a->format == b->format &&
	       a->cdrom == b->cdrom && a->readonly == b->readonly &&
	       a->shareable == b->shareable && a->buffered == b->buffered &&
	       a->keep_discarded == b->keep_discarded;
}

static const struct vm_disk *find_disk(const struct vm_config *config, const char *target)
{
	for (unsigned int i = 0; i < config->n_disks; i++) {
		if (!strcmp(config->disks[i].target, target))
			return &config->disks[i];
	}
	return NULL;
}

static bool same_interface(const struct vm_interface *a, const struct vm_interface *b)
{
	bool same_target = a->target && b->target ? !strcmp(a->target, b->target)
						  : a->target == b->target;

	return same_target && a->type == b->type && !strcmp(a->source, b->source) &&
	       a->out_average == b->out_average && a->out_burst == b->out_burst;
}

static const struct vm_interface *find_interface(const struct vm_config *config,
						 const uint8_t mac[6])
{
	for (unsigned int i = 0; i < config->n_interfaces; i++) {
		if (!memcmp(config->interfaces[i].mac, mac, 6))
			return &config->interfaces[i];
	}
	return NULL;
}

static bool same_devices(const struct vm_config *a, const struct vm_config *b)
{
	if (a->n_disks != b->n_disks || a->n_interfaces != b->n_interfaces)
		return false;
	for (unsigned int i = 0; i < a->n_disks; i++) {
		const struct vm_disk *other = find_disk(b, a->disks[i].target);

		if (!other || !same_disk(&a->disks[i], other))
			return false;
	}
	for (unsigned int i = 0; i < a->n_interfaces; i++) {
		const struct vm_interface *other = find_interface(b, a->interfaces[i].mac);

		if (!other || !same_interface(&a->interfaces[i], other))
			return false;
	}
	return true;
}

/* A guest that runs gets disks and loses others; one that is only different waits. */
static void change_disks(struct maker *maker, const struct vm_config *live,
			 const struct vm_config *wanted, struct plan_step *later)
{
	for (unsigned int i = 0; i < live->n_disks; i++) {
		const struct vm_disk *old = &live->disks[i];
		const struct vm_disk *new = find_disk(wanted, old->target);

		if (new && !same_disk(old, new))
			say(later, "%sdisk %s", later->text[0] ? ", " : "", old->target);
		if (new)
			continue;
		struct plan_step *step = add(maker, PLAN_DETACH_DISK, wanted->name, wanted);
		step->disk = old;
		say(step, "detach disk %s (%.200s)", old->target, old->source);
	}
	for (unsigned int i = 0; i < wanted->n_disks; i++) {
		const struct vm_disk *new = &wanted->disks[i];

		if (find_disk(live, new->target))
			continue;
		struct plan_step *step = add(maker, PLAN_ATTACH_DISK, wanted->name, wanted);
		step->disk = new;
		say(step, "attach disk %s (%.200s)", new->target, new->source);
	}
}

static void change_interfaces(struct maker *maker, const struct vm_config *live,
			      const struct vm_config *wanted, struct plan_step *later)
{
	char mac[CONFIG_MAC_TEXT];

	for (unsigned int i = 0; i < live->n_interfaces; i++) {
		const struct vm_interface *old = &live->interfaces[i];
		const struct vm_interface *new = find_interface(wanted, old->mac);

		config_format_mac(old->mac, mac);
		if (new && !same_interface(old, new))
			say(later, "%sinterface %s", later->text[0] ? ", " : "", mac);
		if (new)
			continue;
		struct plan_step *step = add(maker, PLAN_DETACH_INTERFACE, wanted->name, wanted);
		step->interface = old;
		say(step, "detach interface %s (%.200s)", mac, old->source);
	}
	for (unsigned int i = 0; i < wanted->n_interfaces; i++) {
		const struct vm_interface *new = &wanted->interfaces[i];

		if (find_interface(live, new->mac))
			continue;
		struct plan_step *step = add(maker, PLAN_ATTACH_INTERFACE, wanted->name, wanted);
		config_format_mac(new->mac, mac);
		step->interface = new;
		say(step, "attach interface %s (%.200s)", mac, new->source);
	}
}

/* ---- one guest ------------------------------------------------------------------------------ */

static bool same_dump(const struct vm_config *a, const struct vm_config *b)
{
	char *first = NULL, *second = NULL;
	size_t len;
	bool same = !config_dump(a, &first, &len) && !config_dump(b, &second, &len) &&
		    !strcmp(first, second);

	free(first);
	free(second);
	return same;
}

static void change_definition(struct maker *maker, const struct vm_config *old,
			      const struct vm_config *new)
{
	if (same_dump(old, new))
		return;
	struct plan_step *step = add(maker, PLAN_REDEFINE, new->name, new);
	say(step, "change its definition: ");
	for (enum plan_field field = 0; field < PLAN_FIELDS; field++) {
		if (!plan_field_same(field, old, new))
			say_field(step, field, old, new);
	}
	if (step->text[strlen(step->text) - 1] == ' ')
		say(step, "%s", same_devices(old, new) ? "order" : "devices");
	else if (!same_devices(old, new))
		say(step, ", devices");
}

static void change_running(struct maker *maker, const struct plan_guest *guest,
			   const struct vm_config *wanted)
{
	struct plan_step later = { .text = "" };

	if (same_dump(guest->live, wanted))
		return;
	for (enum plan_field field = 0; field < PLAN_FIELDS; field++) {
		if (plan_field_same(field, guest->live, wanted))
			continue;
		if (!guest->runs || !plan_field_is_live(field, guest->live, wanted)) {
			say_field(&later, field, guest->live, wanted);
			continue;
		}
		struct plan_step *step = add(maker, PLAN_CHANGE, wanted->name, wanted);
		step->field = field;
		say(step, "change now: ");
		say_field(step, field, guest->live, wanted);
	}
	if (guest->runs) {
		change_disks(maker, guest->live, wanted, &later);
		change_interfaces(maker, guest->live, wanted, &later);
	}
	else if (!same_devices(guest->live, wanted))
		say(&later, "%sdevices", later.text[0] ? ", " : "");
	if (later.text[0])
		say(add(maker, PLAN_LATER, wanted->name, wanted), "needs a restart: %.270s",
		    later.text);
}

static void plan_existing(struct maker *maker, const struct plan_guest *guest,
			  const struct vm_config *wanted)
{
	if (guest->defined)
		change_definition(maker, guest->defined, wanted);
	else
		say(add(maker, PLAN_DEFINE, wanted->name, wanted), "define it");
	if (guest->exists && guest->live)
		change_running(maker, guest, wanted);
	else if (!guest->exists && maker->options->start_all && !maker->options->start_none)
		say(add(maker, PLAN_START, wanted->name, wanted), "start it");
	else if (!guest->exists)
		say(add(maker, PLAN_STAYS_OFF, wanted->name, wanted), "is shut off and stays so");
}

static void plan_missing(struct maker *maker, const struct vm_config *wanted)
{
	say(add(maker, PLAN_DEFINE, wanted->name, wanted), "define it");
	if (!maker->options->start_none)
		say(add(maker, PLAN_START, wanted->name, wanted), "start it");
}

static void plan_unwanted(struct maker *maker, const struct plan_guest *guest)
{
	if (guest->exists && !guest->live && !guest->defined) {
		say(add(maker, PLAN_STRANGER, guest->name, NULL), "was made by another program and "
								  "stays");
		return;
	}
	if (guest->exists)
		say(add(maker, PLAN_STOP, guest->name, NULL), "shut it down");
	if (guest->defined)
		say(add(maker, PLAN_UNDEFINE, guest->name, NULL), "undefine it");
}

/* ---- all of them ---------------------------------------------------------------------------- */

static const struct plan_guest *find_guest(const struct plan_guest *guests, size_t nr_guests,
					   const char *name)
{
	for (size_t i = 0; i < nr_guests; i++) {
		if (!strcmp(guests[i].name, name))
			return &guests[i];
	}
	return NULL;
}

static bool is_wanted(const struct config_set *set, const char *name)
{
	for (size_t i = 0; i < set->count; i++) {
		if (!strcmp(set->files[i].config.name, name))
			return true;
	}
	return false;
}

static int adopt(struct config_file *file, const struct plan_guest *guests, size_t nr_guests,
		 struct error *err)
{
	struct vm_config *config = &file->config;
	const struct plan_guest *guest = find_guest(guests, nr_guests, config->name);

	if (guest && !config->has_uuid) {
		memcpy(config->uuid, guest->uuid, 16);
		config->has_uuid = true;
	}
	for (size_t i = 0; i < nr_guests && config->has_uuid; i++) {
		bool uuid = !memcmp(guests[i].uuid, config->uuid, 16);

		if (uuid == !strcmp(guests[i].name, config->name))
			continue;
		return uuid ? error_set(err, ERROR_EXISTS,
					"%s:%u: guest %s has this uuid; \"enso rename %s %s\", or "
					"remove <uuid>",
					file->path, config->uuid_line, guests[i].name,
					guests[i].name, config->name)
			    : error_set(err, ERROR_EXISTS,
					"%s:%u: guest %s has another uuid; remove <uuid> to mean "
					"that guest",
					file->path, config->uuid_line, config->name);
	}
	if (config->has_uuid)
		config_make_macs(config);
	return 0;
}

int plan_adopt(struct config_set *set, const struct plan_guest *guests, size_t nr_guests,
	       struct error *err)
{
	for (size_t i = 0; i < set->count; i++) {
		if (adopt(&set->files[i], guests, nr_guests, err))
			return -1;
	}
	return 0;
}

/* All of one kind before those of the next; among them the order stays. */
static int sort_steps(struct plan *plan)
{
	struct plan_step *sorted = calloc(plan->count + 1, sizeof(*sorted));
	size_t have = 0;

	if (!sorted)
		return -1;
	for (enum plan_kind kind = PLAN_STOP; kind <= PLAN_START; kind++) {
		for (size_t i = 0; i < plan->count; i++) {
			if (plan->steps[i].kind == kind)
				sorted[have++] = plan->steps[i];
		}
	}
	free(plan->steps);
	plan->steps = sorted;
	return 0;
}

int plan_make(struct plan *plan, const struct plan_guest *guests, size_t nr_guests,
	      const struct config_set *set, const struct plan_options *options, struct error *err)
{
	struct maker maker = { .plan = plan, .options = options };

	*plan = (struct plan){ 0 };
	for (size_t i = 0; i < nr_guests && options->prune; i++) {
		if (!is_wanted(set, guests[i].name))
			plan_unwanted(&maker, &guests[i]);
	}
	for (size_t i = 0; i < set->count; i++) {
		const struct vm_config *wanted = &set->files[i].config;
		const struct plan_guest *guest = find_guest(guests, nr_guests, wanted->name);

		if (guest)
			plan_existing(&maker, guest, wanted);
		else
			plan_missing(&maker, wanted);
	}
	if (!maker.failed && !sort_steps(plan))
		return 0;
	plan_free(plan);
	return error_set(err, ERROR_NO_MEMORY, "out of memory");
}

void plan_free(struct plan *plan)
{
	free(plan->steps);
	*plan = (struct plan){ 0 };
}
