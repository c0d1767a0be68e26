/* SPDX-License-Identifier: MIT */
/* enso image build: a new disk with a system on it. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "vm/disk_build.h"

enum { SIZE, MIRROR, FROM, SUITE, PACKAGES, HOSTNAME, PASSWORD, SSH_KEY, NETWORK, UNSIGNED };

static volatile int interrupted;

static void on_signal(int number)
{
	(void)number;
	interrupted = 1;
}

/* How far it was when it was told last. */
struct shown {
	bool terminal;
	unsigned percent;
};

/* In place on a terminal; in a log a line for each ten percent. */
static void tell(void *context, unsigned percent, const char *what)
{
	struct shown *shown = context;

	if (shown->terminal)
		fprintf(stderr, "\r%3u %% %.70s\033[K", percent, what);
	else if (percent / 10 != shown->percent / 10 || !shown->percent)
		fprintf(stderr, "%3u %% %s\n", percent, what);
	shown->percent = percent;
}

/* The file's first line, malloc'd. */
static char *read_line(const char *path, struct error *err)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;

	if (!file || getline(&line, &size, file) < 2) {
		error_set(err, ERROR_FILE, "--ssh-key %s: %s", path,
			  file ? "no key in it" : "cannot be opened");
		free(line);
		line = NULL;
	} else {
		line[strcspn(line, "\r\n")] = 0;
	}
	if (file)
		fclose(file);
	return line;
}

static int build(struct vm *vm, struct disk_build *order, struct error *err)
{
	struct shown shown = { .terminal = isatty(STDERR_FILENO) };
	const struct sigaction action = { .sa_handler = on_signal };
	char path[DISK_BUILD_PATH];
	int rc;

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	order->tell = tell;
	order->context = &shown;
	order->stop = &interrupted;
	rc = disk_build(vm, order, err);
	if (shown.terminal && shown.percent)
		fprintf(stderr, "\r\033[K");
	if (rc)
		return rc;
	disk_build_path(order->name, path);
	printf("%s is built%s.\n", path,
	       order->password ? "" : ", root has no password on the console");
	return 0;
}

static int run_build(struct vm *vm, const struct cli_args *args, struct error *err)
{
	const char *const *option = args->option;
	bool debian = !strcmp(args->operand[0], "debian");
	struct disk_build order = {
		.kind = args->operand[0], .name = args->operand[1],
		.size_mib = debian ? 2048 : 128,
		.mirror = option[MIRROR], .medium = option[FROM],
		.suite = option[SUITE] ? option[SUITE] : "bookworm",
		.packages = option[PACKAGES], .is_unsigned = option[UNSIGNED],
		.network = option[NETWORK] ? option[NETWORK] : "default",
		.hostname = option[HOSTNAME], .password = option[PASSWORD],
	};
	char *key = NULL;
	uint64_t kib;
	int rc;

	if (option[SIZE]) {
		if (config_parse_memory(option[SIZE], &kib))
			return error_set(err, ERROR_USAGE,
					 "--size: \"%s\" is not a size with its unit, as 2G",
					 option[SIZE]);
		order.size_mib = (kib + 1023) / 1024;
	}
	if (option[SSH_KEY]) {
		key = read_line(option[SSH_KEY], err);
		if (!key)
			return -1;
		order.ssh_key = key;
	}
	rc = build(vm, &order, err);
	free(key);
	return rc;
}

const struct cli_verb cli_image_build = {
	.name = "image build",
	.waits = true,
	.aliases = "image-build",
	.operands = "debian|busybox NAME",
	.min_operands = 2,
	.max_operands = 2,
	.summary = "Build a disk with a system on it, for a guest that starts by PV GRUB",
	.text = "It becomes /var/lib/enso/images/NAME.img. A guest of its own does the work.\n"
		"Debian's packages come from a mirror, signed by Debian, or from a medium;\n"
		"Busybox needs none.",
	.options = {
		[SIZE] = { "size", 0, "SIZE", "of the disk, default: 2G (debian), 128M (busybox)" },
		[MIRROR] = { "mirror", 0, "URL", "http://... of a mirror of Debian" },
		[FROM] = { "from", 0, "MEDIUM", "an image or block device with a mirror's files" },
		[SUITE] = { "suite", 0, "NAME", "default: bookworm" },
		[PACKAGES] = { "packages", 0, "A,B,...", "install these, too" },
		[HOSTNAME] = { "hostname", 0, "NAME", "default: NAME" },
		[PASSWORD] = { "password", 0, "TEXT", "root's; default: none (console only)" },
		[SSH_KEY] = { "ssh-key", 0, "FILE", "a public key for root; installs sshd" },
		[NETWORK] = { "network", 0, "NAME", "to reach the mirror by, default: default" },
		[UNSIGNED] = { "unsigned", 0, NULL, "the mirror need not be signed by Debian" },
	},
	.run = run_build,
};
