/* SPDX-License-Identifier: MIT */
/*
 * How a guest starts: with a kernel that its XML names, or by PV GRUB with what is on its own
 * disks. PV GRUB is what every <bootloader> means: the programs that libvirt's users write there
 * read a guest's disk in Domain-0, which we never do.
 */
#include <string.h>

#include "config/reader.h"

int boot_bootloader(struct reader *reader, xmlNode *node, const char *text)
{
	reader->cfg->bootloader = true;
	if (!*text || !strcmp(text, CONFIG_PVGRUB))
		return 0;
	if (!value_is_line(text))
		return reader_refuse(reader, node, "<bootloader> must be one line");
	return reader_warn(reader, node,
			   "<bootloader> '%s' is not run: PV GRUB starts the guest in its own "
			   "domain",
			   text);
}

int boot_bootloader_args(struct reader *reader, xmlNode *node, const char *text)
{
	if (!*text)
		return 0;
	return reader_refuse(reader, node,
			     "<bootloader_args> '%s' is not supported: PV GRUB takes its options "
			     "from the guest's own grub.cfg",
			     text);
}

int boot_check(struct reader *reader, const xmlNode *root)
{
	const struct vm_config *cfg = reader->cfg;
	const xmlNode *os = child_named(root, "os");

	if (!os && !cfg->bootloader)
		return reader_refuse(reader, root, "<domain> lacks its element <os>");
	if (cfg->kernel && cfg->bootloader)
		return reader_refuse(reader, child_named(root, "bootloader"),
				     "a <kernel> and a <bootloader> are not possible together: "
				     "remove one of them");
	if (cfg->kernel)
		return 0;
	if (cfg->initrd || cfg->cmdline)
		return reader_refuse(reader, os,
				     "<%s> needs a <kernel>: without it PV GRUB starts what is on "
				     "the guest's own disk",
				     cfg->initrd ? "initrd" : "cmdline");
	if (!cfg->bootloader && !cfg->n_disks)
		return reader_refuse(reader, os,
				     "there is nothing to start: <os> lacks its element <kernel>, "
				     "and the guest has no disk with a kernel for PV GRUB");
	return 0;
}
