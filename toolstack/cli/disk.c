/* SPDX-License-Identifier: MIT */
/* enso disk ...: the files that guests have as disks. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "vm/allowed.h"
#include "vm/diskfile.h"

/* "10G", "512M", "1048576": with K, M, G, T, powers of 1024; KiB and so on, too. */
static int read_size(const char *text, uint64_t *size, struct error *err)
{
	static const char units[] = "KMGT";
	char *end;
	unsigned long long number = strtoull(text, &end, 10);
	const char *unit = *end ? strchr(units, *end & ~32) : NULL;
	unsigned shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;
	const char *rest = unit ? end + 1 : end;

	if (*text < '0' || *text > '9' || (*rest && strcmp(rest, "iB") && strcmp(rest, "B")) ||
	    number > (UINT64_MAX >> 1) >> shift || number << shift < DISKFILE_MIN)
		return error_set(err, ERROR_USAGE,
				 "\"%s\" is not a size; as 512M or 10G, of at least %d bytes", text,
				 DISKFILE_MIN);
	*size = number << shift & ~UINT64_C(511);
	return 0;
}

static int run_create(struct vm *vm, const struct cli_args *args, struct error *err)
{
	const char *format = args->option[0] ? args->option[0] : args->option[1] ? "qcow2" : "raw";
	uint64_t size = 0;

	(void)vm;
	if (strcmp(format, "raw") && strcmp(format, "qcow2"))
		return error_set(err, ERROR_USAGE,
				 "--format: \"%s\" is not possible; possible: raw, qcow2", format);
	if (args->option[1] && strcmp(format, "qcow2"))
		return error_set(err, ERROR_USAGE, "--backing: is for --format qcow2");
	if (args->nr_operands < 2 && !args->option[1])
		return error_set(err, ERROR_USAGE, "disk create: missing SIZE");
	if (args->nr_operands == 2 && read_size(args->operand[1], &size, err))
		return -1;
	if (cli_for_member() && (allowed_in(args->operand[0], "images", err) ||
				 (args->option[1] && allowed_read(args->option[1], err))))
		return -1;
	return diskfile_create(args->operand[0],
			       strcmp(format, "raw") ? VM_DISK_QCOW2 : VM_DISK_RAW, size,
			       args->option[1], err);
}

const struct cli_verb cli_disk_create = {
	.name = "disk create",
	.rights = CLI_GROUP,
	.waits = true,
	.operands = "FILE [SIZE]",
	.min_operands = 1,
	.max_operands = 2,
	.summary = "Make a disk image; it takes space as it is written",
	.text = "SIZE is as 512M or 10G; with --backing it may be left out.",
	.options = {
		{ "format", 0, "raw|qcow2", "default: raw" },
		{ "backing", 0, "FILE", "a qcow2 image that keeps only what differs from FILE" },
	},
	.run = run_create,
};

static int run_resize(struct vm *vm, const struct cli_args *args, struct error *err)
{
	uint64_t size;

	if (read_size(args->operand[1], &size, err) ||
	    (cli_for_member() && allowed_in(args->operand[0], "images", err)))
		return -1;
	return diskfile_resize(vm, args->operand[0], size, args->option[0], err);
}

const struct cli_verb cli_disk_resize = {
	.name = "disk resize",
	.rights = CLI_GROUP,
	.operands = "FILE SIZE",
	.min_operands = 2,
	.max_operands = 2,
	.summary = "Give a disk image another size",
	.text = "A running guest sees its raw disk grow; its file system is for the guest to grow.",
	.options = { { "shrink", 0, NULL, "smaller: what is behind the end is lost" } },
	.run = run_resize,
};

static int run_info(struct vm *vm, const struct cli_args *args, struct error *err)
{
	struct diskfile file;
	const char *format;

	if (cli_for_member() && allowed_in(args->operand[0], "images", err))
		return -1;
	if (diskfile_look(vm, args->operand[0], &file, err))
		return -1;
	format = file.format == VM_DISK_QCOW2 ? "qcow2" : "raw";
	if (args->option[0])
		return cli_print_json(
			json_pack("{s:s s:s s:b s:I s:I s:s? s:s?}", "file", args->operand[0],
				  "format", format, "block", file.is_block, "size",
				  (json_int_t)file.size, "allocated", (json_int_t)file.allocated,
				  "backing", *file.backing ? file.backing : NULL, "used_by",
				  *file.used_by ? file.used_by : NULL),
			err);
	printf("Format:     %s%s\n", format, file.is_block ? " (block device)" : "");
	printf("Size:       %llu bytes (%.1f MiB)\n", (unsigned long long)file.size,
	       (double)file.size / 1048576);
	printf("Allocated:  %.1f MiB\n", (double)file.allocated / 1048576);
	if (*file.backing)
		printf("Stands on:  %s\n", file.backing);
	printf("Used by:    %s\n", *file.used_by ? file.used_by : "-");
	return 0;
}

const struct cli_verb cli_disk_info = {
	.name = "disk info",
	.rights = CLI_GROUP,
	.operands = "FILE",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "Tell about a disk image, and which guest has it",
	.options = { { "json", 0, NULL, "as JSON" } },
	.run = run_info,
};
