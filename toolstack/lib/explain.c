/* SPDX-License-Identifier: MIT */
/* The codes of errors, explained: see lib/explain.h. enso(1) lists the same codes. */
#include "lib/explain.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

const struct explanation explanations[] = {
	{ ERROR_NONE, "done",
	  "it is done",
	  "There was no error.",
	  "Nothing." },
	{ ERROR_FAILED, "failed",
	  "something that has no code of its own",
	  "Something went wrong that is rare enough to have no code: the line says "
	  "what it was.",
	  "Read the line and the daemons' logs in /var/log/enso-*.log." },
	{ ERROR_USAGE, "usage",
	  "wrong arguments on the command line",
	  "The command line has an unknown verb or option, too few or too many "
	  "operands, or a value that is not possible.",
	  "\"enso help VERB\" tells what the verb takes." },
	{ ERROR_DEFINITION, "definition",
	  "the definition: malformed, unsupported or contradictory",
	  "The XML (or the xl configuration that is imported) is not well-formed, "
	  "names something that Enso does not do, or contradicts itself. Nothing "
	  "that is written there is ignored.",
	  "The line begins with file:line and says what is possible there: change "
	  "that line. \"enso validate FILE\" checks without touching a guest; "
	  "enso-xml(5) lists what there is." },
	{ ERROR_KERNEL, "kernel",
	  "kernel or initrd: truncated, damaged, not for PV, or too large",
	  "The kernel is no ELF file with Xen notes and no bzImage that holds one, "
	  "is damaged or truncated, is for another kind of machine, or kernel and "
	  "initrd do not fit into the guest's memory.",
	  "Use a kernel with CONFIG_XEN_PV, such as Debian's; check <kernel> and "
	  "<initrd>, or give the guest more <memory>." },
	{ ERROR_NO_MEMORY, "no-memory",
	  "no memory left for it",
	  "The host has less free memory than the guest is to get, the hypervisor "
	  "has none left for its own records, or the control domain has none for "
	  "the command.",
	  "\"enso host\" tells how much is free. Stop a guest, give this one less "
	  "<memory>, or let others give some back." },
	{ ERROR_EXISTS, "exists",
	  "name or uuid in use",
	  "A guest that runs or is defined has this name or this uuid, or another "
	  "guest or network has what belongs to one alone.",
	  "Choose another name, remove <uuid> to get a new one, or destroy, "
	  "undefine or rename the other guest. \"enso list --all\" shows what there "
	  "is." },
	{ ERROR_NO_DOMAIN, "no-domain",
	  "no such domain",
	  "No guest has this name, uuid or id, or it has ended meanwhile.",
	  "\"enso list --all\" shows the guests that run and those that are defined." },
	{ ERROR_STATE, "state",
	  "not possible in the state in which the domain is",
	  "The guest is shut off, paused, running or ended, and what was asked "
	  "needs another state.",
	  "\"enso list --all\" shows the state; start, unpause or destroy the guest "
	  "first." },
	{ ERROR_TIMEOUT, "timeout",
	  "guest or daemon did not answer in time",
	  "The guest's kernel did not do in time what it was asked for (it may not "
	  "listen, be busy or hang), or a daemon did not answer.",
	  "Wait longer (--timeout), look at \"enso console GUEST\", or end it: \"enso "
	  "destroy GUEST\"." },
	{ ERROR_PERMISSION, "permission",
	  "not root, or refused by the hypervisor",
	  "The command was not run as root, or the hypervisor does not let this "
	  "domain do it.",
	  "Run it as root in the control domain." },
	{ ERROR_NO_HOST, "no-host",
	  "not the control domain of a hypervisor, or a device is missing",
	  "This system does not run on Enso or Xen, is a guest and not the control "
	  "domain, or /dev/xen/* is missing.",
	  "Start the machine from Enso's medium or disk; load the modules "
	  "xen-privcmd, xen-evtchn and xen-gntdev." },
	{ ERROR_STORE, "store",
	  "the store daemon cannot be reached, or refuses",
	  "enso-stored does not run, was just started again, or refused a change.",
	  "init starts it again: try again in a moment, then read "
	  "/var/log/enso-stored.log." },
	{ ERROR_FILE, "file",
	  "a file cannot be read or written",
	  "The file is missing, is not readable, or its disk is full or failed. The "
	  "line names it.",
	  "Check the path and \"df\". What is under /var/lib/enso stays over a reboot "
	  "only if a file system labelled ENSO-DATA is there." },
	{ ERROR_HYPERCALL, "hypercall",
	  "the hypervisor refused an operation that should work",
	  "Hypervisor and toolstack disagree: a version that does not fit, a limit "
	  "of the hypervisor, or a mistake of ours.",
	  "\"enso dmesg\" says more; \"enso host\" tells the version. Report it with "
	  "both." },
	{ ERROR_DEVICE, "device",
	  "a disk or interface: what lies behind it, or its back end",
	  "An image or block device is missing, in use by another guest or damaged, "
	  "a bridge or network is not there, or the back end in the control "
	  "domain's kernel does not take it.",
	  "The line names the device. \"enso disk info FILE\" and \"enso net list\" "
	  "show what there is; \"dmesg\" has what the back end says." },
	{ ERROR_SAVE_FILE, "save-file",
	  "a save file that is cut off, damaged, or none",
	  "The file was not written by \"enso save\" (but by xl or virsh, or is "
	  "something else), was cut off or changed since, or comes from a later "
	  "version. Its checksums tell; nothing was done with it.",
	  "Give the right file, or another copy of it. A guest whose managed save "
	  "is damaged starts anew after \"enso managedsave-remove\"." },
	{ ERROR_NO_NETWORK, "no-network",
	  "no such network",
	  "No network of this name is defined, comes with Enso or is active.",
	  "\"enso net list\" shows those there are, \"enso net define\" makes another." },
};

const size_t nr_explanations = sizeof(explanations) / sizeof(explanations[0]);

const struct explanation *explain_find(const char *text)
{
	const char *digits = text + (*text == 'E' || *text == 'e');
	char *end;
	unsigned long number = strtoul(digits, &end, 10);
	bool is_number = *digits >= '0' && *digits <= '9' && !*end;

	for (size_t i = 0; i < nr_explanations; i++) {
		if (is_number ? number == explanations[i].code
			      : !strcmp(text, explanations[i].name))
			return &explanations[i];
	}
	return NULL;
}

const char *explain_name(enum error_code code)
{
	for (size_t i = 0; i < nr_explanations; i++) {
		if (explanations[i].code == code)
			return explanations[i].name;
	}
	return "unknown";
}
