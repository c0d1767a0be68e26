/* SPDX-License-Identifier: MIT */
/* The values of a definition, one by one, for plans: see vm/plan.h. Pure. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "vm/plan.h"

enum { SHOWN = 60 }; /* bytes of a value */

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool same_cpus(const struct vm_config *a, const struct vm_config *b)
{
	static const struct cpu_set none;

	if (memcmp(a->cpus ? a->cpus : &none, b->cpus ? b->cpus : &none, sizeof(none)) ||
	    a->n_pins != b->n_pins)
		return false;
	for (unsigned int i = 0; i < a->n_pins; i++) {
		if (a->pins[i].vcpu != b->pins[i].vcpu ||
		    memcmp(&a->pins[i].cpus, &b->pins[i].cpus, sizeof(none)))
			return false;
	}
	return true;
}

/* Texts and numbers of a definition by their place in it. */
enum kind { TEXT, KIB, NUMBER, ACTION, FLAG, CPUS };

static const struct {
	const char *name;
	enum kind kind;
	size_t offset;
	bool live;
} fields[] = {
#define FIELD(name, kind, member, live) { name, kind, offsetof(struct vm_config, member), live }
	[FIELD_TITLE] = FIELD("title", TEXT, title, true),
	[FIELD_DESCRIPTION] = FIELD("description", TEXT, description, true),
	[FIELD_METADATA] = FIELD("metadata", TEXT, metadata, true),
	[FIELD_CURRENT_MEMORY] = FIELD("currentMemory", KIB, current_memory_kib, true),
	[FIELD_MEMORY] = FIELD("memory", KIB, memory_kib, true),
	[FIELD_VCPUS] = FIELD("vcpus online", NUMBER, vcpus, true),
	[FIELD_VCPUS_MAX] = FIELD("vcpus", NUMBER, vcpus_max, false),
	[FIELD_CPUS] = FIELD("pinning", CPUS, cpus, true),
	[FIELD_WEIGHT] = FIELD("weight", NUMBER, weight, true),
	[FIELD_CAP] = FIELD("cap", NUMBER, cap, true),
	[FIELD_KERNEL] = FIELD("kernel", TEXT, kernel, false),
	[FIELD_INITRD] = FIELD("initrd", TEXT, initrd, false),
	[FIELD_CMDLINE] = FIELD("cmdline", TEXT, cmdline, false),
	[FIELD_BOOTLOADER] = FIELD("bootloader", FLAG, bootloader, false),
	[FIELD_ON_POWEROFF] = FIELD("on_poweroff", ACTION, on_poweroff, true),
	[FIELD_ON_REBOOT] = FIELD("on_reboot", ACTION, on_reboot, true),
	[FIELD_ON_CRASH] = FIELD("on_crash", ACTION, on_crash, true),
};

static const char *text_of(const struct vm_config *config, enum plan_field field)
{
	return *(char *const *)((const char *)config + fields[field].offset);
}

static uint64_t kib_of(const struct vm_config *config, enum plan_field field)
{
	return *(const uint64_t *)((const char *)config + fields[field].offset);
}

static unsigned int number_of(const struct vm_config *config, enum plan_field field)
{
	unsigned int number = *(const unsigned int *)((const char *)config + fields[field].offset);

	return field == FIELD_WEIGHT && !number ? PLAN_WEIGHT_DEFAULT : number;
}

static enum vm_action action_of(const struct vm_config *config, enum plan_field field)
{
	return *(const enum vm_action *)((const char *)config + fields[field].offset);
}

const char *plan_field_name(enum plan_field field)
{
	return fields[field].name;
}

bool plan_field_same(enum plan_field field, const struct vm_config *a, const struct vm_config *b)
{
	switch (fields[field].kind) {
	case TEXT: return same_text(text_of(a, field), text_of(b, field));
	case KIB: return kib_of(a, field) == kib_of(b, field);
	case NUMBER: return number_of(a, field) == number_of(b, field);
	case ACTION: return action_of(a, field) == action_of(b, field);
	case CPUS: return same_cpus(a, b);
	default: return a->bootloader == b->bootloader;
	}
}

bool plan_field_is_live(enum plan_field field, const struct vm_config *live,
			const struct vm_config *wanted)
{
	if (field == FIELD_CURRENT_MEMORY)
		return wanted->current_memory_kib <= live->memory_kib;
	if (field == FIELD_MEMORY)	/* tables for more were not made when it started */
		return wanted->memory_kib < live->memory_kib;
	if (field == FIELD_VCPUS)
		return wanted->vcpus <= live->vcpus_max;
	if (field == FIELD_CPUS)
		return wanted->vcpus_max == live->vcpus_max;
	return fields[field].live;
}

static void show_text(const char *value, char *text)
{
	if (!value)
		strcpy(text, "none");
	else if (strlen(value) < SHOWN)
		strcpy(text, value);
	else
		sprintf(text, "%.*s...", SHOWN - 4, value);
	for (char *c = text; *c; c++) {
		if ((unsigned char)*c < ' ' || *c == 127)
			*c = ' ';
	}
}

static void show(enum plan_field field, const struct vm_config *config, char text[SHOWN])
{
	char cpus[CONFIG_CPUSET_TEXT];
	uint64_t kib;

	switch (fields[field].kind) {
	case TEXT:
		show_text(text_of(config, field), text);
		return;
	case KIB:
		kib = kib_of(config, field);
		snprintf(text, SHOWN, "%" PRIu64 " %s", kib % 1024 ? kib : kib / 1024,
			 kib % 1024 ? "KiB" : "MiB");
		return;
	case NUMBER:
		snprintf(text, SHOWN, "%u", number_of(config, field));
		return;
	case ACTION:
		show_text(config_action_name(action_of(config, field)), text);
		return;
	case CPUS:
		if (config->cpus)
			config_format_cpus(config->cpus, cpus);
		show_text(config->n_pins ? "by vCPU" : config->cpus ? cpus : NULL, text);
		return;
	default:
		show_text(config->bootloader ? "PV GRUB" : NULL, text);
	}
}

void plan_field_show(enum plan_field field, const struct vm_config *old,
		     const struct vm_config *new, char *text, size_t size)
{
	char from[SHOWN], to[SHOWN];

	show(field, old, from);
	show(field, new, to);
	snprintf(text, size, "%s %s -> %s", fields[field].name, from, to);
}
