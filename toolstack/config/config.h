/* SPDX-License-Identifier: MIT */
/*
 * What a person says of a guest: libvirt's domain XML (<domain type='xen'>, the PV subset of
 * enso-xml(5)) read into a struct vm_config, and written from one.
 *
 * Invariant: a struct vm_config that config_parse() has filled is complete and within the
 * limits below; what the XML said and we don't support was refused, with file:line, its name
 * and what is possible. Nothing is ignored in silence: what is harmless and without effect is a
 * warning. No locks, no globals, no network, no entities.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

/* Limits. The command line's is MAX_GUEST_CMDLINE of the ABI's struct start_info, less its NUL. */
enum {
	CONFIG_NAME_MAX = 63,
	CONFIG_CMDLINE_MAX = 1023,
	CONFIG_VCPUS_MAX = 512,
	CONFIG_CPUS_MAX = 512,	   /* physical CPUs that a set can name */
	CONFIG_CPUSET_TEXT = 4096, /* a set of CPUs as text, with its NUL */
	CONFIG_WEIGHT_MAX = 65535,
	CONFIG_CAP_MAX = 65534,
	CONFIG_MEMORY_MIN_KIB = 1024,
	CONFIG_TEXT_MAX = 1 << 20, /* bytes of XML */
	CONFIG_UUID_TEXT = 37,	   /* a uuid as text, with its NUL */
	CONFIG_MAC_TEXT = 18,	   /* a MAC address as text, with its NUL */
	CONFIG_DISK_TARGET_MAX = 9,
	CONFIG_DISKS_MAX = 64,
	CONFIG_INTERFACES_MAX = 16,
};
/* What starts a guest that has no kernel of its own. */
#define CONFIG_PVGRUB "/usr/share/enso/pvgrub.elf"
#define CONFIG_MEMORY_MAX_KIB (UINT64_C(16) << 30) /* 16 TiB */

/* What happens when the guest powers off, reboots or crashes. */
enum vm_action {
	VM_ACTION_DESTROY,  /* free everything */
	VM_ACTION_RESTART,  /* destroy, then create it again from its definition */
	VM_ACTION_PRESERVE, /* keep the dead domain, to be looked at */
	/* Only of a crash: write its memory to a file, then go on as above. */
	VM_ACTION_COREDUMP_DESTROY,
	VM_ACTION_COREDUMP_RESTART,
};

/* How a disk's contents are kept. */
enum vm_disk_format {
	VM_DISK_RAW,
	VM_DISK_QCOW2,
};

struct vm_disk {
	char *source;	     /* absolute path of a file or block device */
	bool block;	     /* it is a block device */
	enum vm_disk_format format;
	bool cdrom;	     /* a medium that is read-only by its nature; then readonly, too */
	bool readonly;
	bool shareable;	     /* others may use it at the same time */
	bool buffered;	     /* through Domain-0's page cache */
	bool keep_discarded; /* discard of the guest is not passed on */
	char target[CONFIG_DISK_TARGET_MAX + 1]; /* "xvda": the guest's name for it */
};

enum vm_interface_type {
	VM_INTERFACE_BRIDGE,  /* source is a bridge of Domain-0 */
	VM_INTERFACE_NETWORK, /* source is a network, see network.h */
};

struct vm_interface {
	enum vm_interface_type type;
	char *source;
	bool has_mac;	/* false: see config_make_macs() */
	uint8_t mac[6];
	char *target;	/* its name in Domain-0, NULL: vif<domain>.<number> */
	uint64_t out_average; /* KiB/s that the guest may send; 0: no limit */
	uint64_t out_burst;   /* KiB that it may send at once; 0: as suits the average */
};

/* Physical CPUs: bit cpu % 64 of word cpu / 64. */
struct cpu_set {
	uint64_t bits[CONFIG_CPUS_MAX / 64];
};

/* Where one vCPU may run. */
struct vm_pin {
	unsigned int vcpu;
	struct cpu_set cpus;
};

/* A guest. Strings are malloc'd; NULL where the XML said nothing. */
struct vm_config {
	char *name;	     /* fit for a file name, see value_is_name() */
	bool has_uuid;	     /* false: whoever creates the guest calls config_make_uuid() */
	uint8_t uuid[16];    /* in the order in which it is printed */
	unsigned int name_line, uuid_line; /* where the file that was read has them; else 0 */
	char *title;	     /* one line for people */
	char *description;
	char *metadata;	     /* <metadata>...</metadata> as written, without meaning for us */

	uint64_t memory_kib;	     /* most that it may ever have, KiB, a multiple of 4 */
	uint64_t current_memory_kib; /* what it starts with, KiB, a multiple of 4, <= memory_kib */
	unsigned int vcpus_max;	     /* 1..CONFIG_VCPUS_MAX */
	unsigned int vcpus;	     /* online at the start, 1..vcpus_max */

	struct cpu_set *cpus; /* where vCPUs may run that have no pin; NULL: anywhere */
	struct vm_pin *pins;  /* each vCPU at most once, ascending */
	unsigned int n_pins;
	unsigned int weight;  /* 1..CONFIG_WEIGHT_MAX, or 0: as others have it */
	unsigned int cap;     /* percent of one CPU, at most CONFIG_CAP_MAX; 0: no limit */

	char *kernel;	  /* absolute path; NULL: PV GRUB starts what is on the guest's disks */
	char *initrd;	  /* absolute path, only with a kernel */
	char *cmdline;	  /* at most CONFIG_CMDLINE_MAX bytes, only with a kernel */
	bool bootloader;  /* the XML asks for one: PV GRUB; never with a kernel */

	enum vm_action on_poweroff; /* default: destroy */
	enum vm_action on_reboot;   /* default: restart */
	enum vm_action on_crash;    /* default: destroy */

	struct vm_disk *disks;	/* n_disks, targets are unique */
	unsigned int n_disks;
	struct vm_interface *interfaces; /* n_interfaces; the place is the guest's number for it */
	unsigned int n_interfaces;
};

/* How to read. All zero is a good start: warnings are dropped then. */
struct config_options {
	bool strict; /* a warning is an error */
	/* Called with each warning, "file:line: text" without a newline. */
	void (*warn)(void *context, const char *text);
	void *context;
};

/*
 * Reads @len bytes of XML at @text into @cfg; @file names them in messages. Returns 0, or -1
 * with *@err set and @cfg empty (config_free() is allowed, not needed). @options may be NULL.
 */
int config_parse(struct vm_config *cfg, const char *text, size_t len, const char *file,
		 const struct config_options *options, struct error *err);

/* The same for the file @path; "-" is standard input. */
int config_load(struct vm_config *cfg, const char *path, const struct config_options *options,
		struct error *err);

/*
 * The same for a configuration of xl or xm (xl.cfg(5)): what has its like in our XML becomes that,
 * the rest is refused by line and name.
 */
int config_import(struct vm_config *cfg, const char *text, size_t len, const char *file,
		  const struct config_options *options, struct error *err);
int config_import_file(struct vm_config *cfg, const char *path,
		       const struct config_options *options, struct error *err);

/*
 * Writes @cfg as XML that config_parse() reads to an equal one: *@text is malloc'd, *@len bytes
 * and a NUL. Returns 0 or -ENOMEM.
 */
int config_dump(const struct vm_config *cfg, char **text, size_t *len);

/* Frees what @cfg holds and leaves it all zero. */
void config_free(struct vm_config *cfg);

/* Makes a random (version 4) uuid. Returns 0 or -errno. */
int config_make_uuid(uint8_t uuid[16]);

/* Prints @uuid as 8-4-4-4-12 hexadecimal digits into @text. */
void config_format_uuid(const uint8_t uuid[16], char text[CONFIG_UUID_TEXT]);

/*
 * Reads a uuid as people write it: 32 hexadecimal digits, hyphens between bytes allowed.
 * Returns 0 or -EINVAL.
 */
int config_parse_uuid(const char *text, uint8_t uuid[16]);

/* Whether it is a guest's name: 1 to CONFIG_NAME_MAX of [A-Za-z0-9._+:@-], first no mark. */
bool config_is_name(const char *text);
/*
 * CPUs as libvirt writes them: "0-3,^2,7". Returns 0 or -EINVAL: not such a list, no CPU in it, or
 * one from CONFIG_CPUS_MAX on. Formatting gives ascending ranges.
 */
int config_parse_cpus(const char *text, struct cpu_set *cpus);
void config_format_cpus(const struct cpu_set *cpus, char text[CONFIG_CPUSET_TEXT]);
bool config_cpu_in(const struct cpu_set *cpus, unsigned int cpu);

/* Where @vcpu may run by its pin or by what holds for all; NULL: anywhere. */
const struct cpu_set *config_pin_of(const struct vm_config *cfg, unsigned int vcpu);
/* Give @vcpu a pin; NULL takes it away. Returns 0 or -ENOMEM. */
int config_set_pin(struct vm_config *cfg, unsigned int vcpu, const struct cpu_set *cpus);

/*
 * An amount of memory with its unit, "512MiB", "2G" (units as in the XML), rounded up to 4 KiB.
 * Returns 0, or -EINVAL: not such an amount, or not from 1 MiB to 16 TiB.
 */
int config_parse_memory(const char *text, uint64_t *kib);

/* Whether it is a network link's name: 1 to 15 of [A-Za-z0-9._-], first no mark. */
bool config_is_link(const char *text);

/*
 * Gives each interface without a MAC address one that follows from the uuid and the interface's
 * place, so that it stays the same. The guest has a uuid.
 */
void config_make_macs(struct vm_config *cfg);

/* Prints @mac as six pairs of hexadecimal digits with colons between. */
void config_format_mac(const uint8_t mac[6], char text[CONFIG_MAC_TEXT]);

/* Reads what config_format_mac() prints. -EINVAL for others, and for addresses of groups. */
int config_parse_mac(const char *text, uint8_t mac[6]);

/*
 * The number that a guest's front end knows a disk by, from its target: "xvda" is 51712 (Xen's
 * docs/man/xen-vbd-interface). -EINVAL if it is no target.
 */
int config_disk_number(const char *target, uint32_t *number);

/*
 * Adds a device to @cfg, which holds from then on what the device holds. -ENOMEM, or -ENOSPC: there
 * are as many as there can be.
 */
int config_add_disk(struct vm_config *cfg, const struct vm_disk *disk);
int config_add_interface(struct vm_config *cfg, const struct vm_interface *interface);

/* Takes the device at @index out of @cfg and frees it. */
void config_remove_disk(struct vm_config *cfg, unsigned int index);
void config_remove_interface(struct vm_config *cfg, unsigned int index);

/* Makes *@to a copy that holds its own. 0 or -ENOMEM. */
int config_copy_disk(struct vm_disk *to, const struct vm_disk *from);
int config_copy_interface(struct vm_interface *to, const struct vm_interface *from);

/* Free what one of them holds. */
void config_free_disk(struct vm_disk *disk);
void config_free_interface(struct vm_interface *interface);

/* The XML's word for an action: "destroy", "restart", "preserve". */
const char *config_action_name(enum vm_action action);

#endif
