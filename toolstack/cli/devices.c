/* SPDX-License-Identifier: MIT */
/* enso attach-disk, detach-disk, attach-interface, detach-interface: while a guest runs. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/cli.h"
#include "vm/allowed.h"
#include "vm/hotplug.h"

/* --- disks --------------------------------------------------------------------------------- */

/* The place of a word in a list that ends with NULL; no word is the first. */
static int choose(const char *option, const char *word, const char *const *words, struct error *err)
{
	char possible[100] = "";

	for (int i = 0; words[i]; i++) {
		size_t len = strlen(possible);

		if (!word || !strcmp(words[i], word))
			return i;
		snprintf(possible + len, sizeof(possible) - len, "%s%s", i ? ", " : "", words[i]);
	}
	return error_set(err, ERROR_USAGE, "--%s: \"%s\" is not possible; possible: %s", option,
			 word, possible);
}

/* A path as it is seen from here becomes absolute. */
static char *absolute(const char *path, struct error *err)
{
	char *whole = realpath(path, NULL);

	if (!whole)
		error_set(err, ERROR_FILE, "%s: there is no such file", path);
	return whole;
}

static int read_disk(const struct cli_args *args, struct vm_disk *disk, struct error *err)
{
	static const char *const formats[] = { "raw", "qcow2", NULL };
	static const char *const types[] = { "disk", "cdrom", NULL };
	static const char *const modes[] = { "", "readonly", "shareable", NULL };
	static const char *const caches[] = { "none", "writeback", NULL };
	const char *target = args->operand[2];
	int format = choose("subdriver", args->option[0], formats, err);
	int type = format < 0 ? format : choose("type", args->option[1], types, err);
	int mode = type < 0 ? type : choose("mode", args->option[2], modes, err);
	int cache = mode < 0 ? mode : choose("cache", args->option[3], caches, err);
	uint32_t number;
	struct stat st;

	if (cache < 0)
		return -1;
	if (strlen(target) > CONFIG_DISK_TARGET_MAX || config_disk_number(target, &number))
		return error_set(err, ERROR_USAGE,
				 "%s: no target for a disk; possible: xvda to xvdzz", target);
	*disk = (struct vm_disk){
		.source = absolute(args->operand[1], err),
		.format = (enum vm_disk_format)format,
		.cdrom = type == 1,
		.readonly = type == 1 || mode == 1,
		.shareable = mode == 2,
		.buffered = cache == 1,
	};
	strcpy(disk->target, target);
	disk->block = disk->source && !stat(disk->source, &st) && S_ISBLK(st.st_mode);
	return disk->source ? 0 : -1;
}

static int run_attach_disk(struct vm *vm, const struct cli_args *args, struct error *err)
{
	struct vm_disk disk;
	int rc;

	if (read_disk(args, &disk, err))
		return -1;
	rc = cli_for_member() ? allowed_disk(&disk, err) : 0;
	if (!rc)
		rc = vm_attach_disk(vm, args->operand[0], &disk, cli_scope(args, 4), err);
	config_free_disk(&disk);
	return rc;
}

static const char device_text[] =
	"A running guest gets it at once and keeps it when it reboots. With --config it gets it\n"
	"at its next start instead, with --live --config both.";

const struct cli_verb cli_attach_disk = {
	.name = "attach-disk",
	.rights = CLI_GROUP,
	.waits = true,
	.aliases = "block-attach",
	.operands = "GUEST SOURCE TARGET",
	.min_operands = 3,
	.max_operands = 3,
	.summary = "Give a guest a disk: SOURCE is a file or block device",
	.text = device_text,
	.options = {
		{ "subdriver", 0, "raw|qcow2", "how SOURCE keeps the contents; default: raw" },
		{ "type", 0, "disk|cdrom", "default: disk" },
		{ "mode", 0, "MODE", "readonly or shareable" },
		{ "cache", 0, "none|writeback", "past Domain-0's page cache, or through it" },
		CLI_SCOPE_OPTIONS,
	},
	.run = run_attach_disk,
};

static int run_detach_disk(struct vm *vm, const struct cli_args *args, struct error *err)
{
	return vm_detach_disk(vm, args->operand[0], args->operand[1], cli_scope(args, 0),
			      args->option[2], err);
}

static const char detach_text[] =
	"The guest is asked to let go of it. With --config it is taken out of the definition\n"
	"instead, with --live --config both.";

const struct cli_verb cli_detach_disk = {
	.name = "detach-disk",
	.rights = CLI_GROUP,
	.waits = true,
	.aliases = "block-detach",
	.operands = "GUEST TARGET",
	.min_operands = 2,
	.max_operands = 2,
	.summary = "Take a disk from a guest",
	.text = detach_text,
	.options = {
		CLI_SCOPE_OPTIONS,
		{ "force", 0, NULL, "do not ask: what the guest has not written is lost" },
	},
	.run = run_detach_disk,
};

/* --- interfaces ---------------------------------------------------------------------------- */

/* AVERAGE[,PEAK[,BURST]] as virsh has it; there is no peak. */
static int read_rate(const char *text, struct vm_interface *interface, struct error *err)
{
	unsigned long long average, burst = 0;
	int end = -1;

	if (text && sscanf(text, "%7llu%n,,%7llu%n", &average, &end, &burst, &end) < 1)
		end = -1;
	if (text && (end < 0 || text[end] || !average || average > 1 << 22 || burst > 1 << 22))
		return error_set(err, ERROR_USAGE,
				 "--outbound: \"%s\" is not KIB or KIB,,KIB: what may be sent in "
				 "a second, and at once",
				 text);
	interface->out_average = text ? average : 0;
	interface->out_burst = text ? burst : 0;
	return 0;
}

static int read_interface(const struct cli_args *args, struct vm_interface *interface,
			  struct error *err)
{
	static const char *const types[] = { "bridge", "network", NULL };
	int type = choose("type", args->operand[1], types, err);

	if (type < 0 || read_rate(args->option[2], interface, err))
		return -1;
	interface->type = (enum vm_interface_type)type;
	interface->source = args->operand[2];
	interface->target = (char *)args->option[1];
	interface->has_mac = args->option[0];
	if (args->option[0] && config_parse_mac(args->option[0], interface->mac))
		return error_set(err, ERROR_USAGE, "--mac: \"%s\" is not as 00:16:3e:12:34:56",
				 args->option[0]);
	if (strlen(interface->source) > CONFIG_NAME_MAX || strchr(interface->source, '/') ||
	    (interface->target && !config_is_link(interface->target)))
		return error_set(err, ERROR_USAGE, "%s: no name for a %s or link",
				 interface->target ? interface->target : interface->source,
				 types[type]);
	return 0;
}

static int run_attach_interface(struct vm *vm, const struct cli_args *args, struct error *err)
{
	struct vm_interface interface = { 0 };

	if (read_interface(args, &interface, err))
		return -1;
	return vm_attach_interface(vm, args->operand[0], &interface, cli_scope(args, 3), err);
}

const struct cli_verb cli_attach_interface = {
	.name = "attach-interface",
	.rights = CLI_GROUP,
	.waits = true,
	.aliases = "network-attach",
	.operands = "GUEST bridge|network SOURCE",
	.min_operands = 3,
	.max_operands = 3,
	.summary = "Give a guest a network interface on a bridge or network",
	.text = device_text,
	.options = {
		{ "mac", 0, "MAC", "its address; default: one is made" },
		{ "target", 0, "NAME", "the name of Domain-0's end" },
		{ "outbound", 0, "KIB[,,BURST]", "what the guest may send in a second" },
		CLI_SCOPE_OPTIONS,
	},
	.run = run_attach_interface,
};

static int run_detach_interface(struct vm *vm, const struct cli_args *args, struct error *err)
{
	uint8_t mac[6];

	if (args->option[0] && config_parse_mac(args->option[0], mac))
		return error_set(err, ERROR_USAGE, "--mac: \"%s\" is not as 00:16:3e:12:34:56",
				 args->option[0]);
	return vm_detach_interface(vm, args->operand[0], args->option[0] ? mac : NULL,
				   cli_scope(args, 1), args->option[3], err);
}

const struct cli_verb cli_detach_interface = {
	.name = "detach-interface",
	.rights = CLI_GROUP,
	.waits = true,
	.aliases = "network-detach",
	.operands = "GUEST [bridge|network]",
	.min_operands = 1,
	.max_operands = 2,
	.summary = "Take a network interface from a guest",
	.text = detach_text,
	.options = {
		{ "mac", 0, "MAC", "which, if there are several" },
		CLI_SCOPE_OPTIONS,
		{ "force", 0, NULL, "do not ask the guest" },
	},
	.run = run_detach_interface,
};
