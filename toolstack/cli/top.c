/* SPDX-License-Identifier: MIT */
/* enso top: what guests use, refreshed in place. */
#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "cli/cli.h"
#include "vm/usage.h"

#define DELAY_DEFAULT 2	/* seconds */

/* Two looks, and what lies between them. */
struct look {
	struct vm_usage *usages;
	size_t count;
	uint64_t at_ns;
};

struct line {
	const struct vm_usage *usage;
	double cpu_percent;		/* of one CPU */
	double disk_read, disk_written, net_received, net_sent;	/* bytes per second */
};

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

static double rate(uint64_t now, uint64_t before, double seconds)
{
	return now < before ? 0 : (double)(now - before) / seconds;
}

/* The same domain at the last look; NULL: it is new. */
static const struct vm_usage *find(const struct look *look, const struct vm_usage *usage)
{
	for (size_t i = 0; i < look->count; i++) {
		const struct vm_info *info = &look->usages[i].info;

		if (info->domid == usage->info.domid && !memcmp(info->uuid, usage->info.uuid, 16))
			return &look->usages[i];
	}
	return NULL;
}

static int by_cpu(const void *a, const void *b)
{
	const struct line *left = a, *right = b;

	if (left->cpu_percent != right->cpu_percent)
		return left->cpu_percent < right->cpu_percent ? 1 : -1;
	return left->usage->info.domid < right->usage->info.domid ? -1 : 1;
}

static void compare(const struct look *before, const struct look *now, struct line *lines)
{
	double seconds = (double)(now->at_ns - before->at_ns) / 1e9;

	for (size_t i = 0; i < now->count; i++) {
		const struct vm_usage *u = &now->usages[i], *old = find(before, u);

		lines[i] = (struct line){ .usage = u };
		if (!old || seconds <= 0)
			continue;
		/* The names, asked for later, may take the store a while. */
		lines[i].cpu_percent =
			rate(u->info.cpu_ns, old->info.cpu_ns,
			     (double)(u->info.cpu_at_ns - old->info.cpu_at_ns) / 1e9) / 1e7;
		lines[i].disk_read = rate(u->disk_read, old->disk_read, seconds);
		lines[i].disk_written = rate(u->disk_written, old->disk_written, seconds);
		lines[i].net_received = rate(u->net_received, old->net_received, seconds);
		lines[i].net_sent = rate(u->net_sent, old->net_sent, seconds);
	}
	if (now->count)
		qsort(lines, now->count, sizeof(*lines), by_cpu);
}

/* Bytes per second in five columns. */
static void print_rate(double bytes)
{
	static const char units[] = "BKMGT";
	unsigned unit = 0;

	for (; bytes >= 999.5 && units[unit + 1]; unit++)
		bytes /= 1024;
	printf("  %4.*f%c", unit && bytes < 9.95 ? 1 : 0, bytes, units[unit]);
}

static void print_table(const struct line *lines, size_t count, bool in_place)
{
	if (in_place)
		printf("\033[H");
	printf("%5s  %-20s %-9s %6s %5s %7s %6s %6s %6s %6s%s\n", "Id", "Name", "State",
	       "CPU %", "vCPUs", "MiB", "rd/s", "wr/s", "rx/s", "tx/s", in_place ? "\033[K" : "");
	for (size_t i = 0; i < count; i++) {
		const struct vm_info *info = &lines[i].usage->info;

		printf("%5u  %-20.20s %-9s %6.1f %5u %7llu", info->domid, info->name,
		       vm_state_name(info->state), lines[i].cpu_percent, info->vcpus,
		       (unsigned long long)info->memory_kib >> 10);
		print_rate(lines[i].disk_read);
		print_rate(lines[i].disk_written);
		print_rate(lines[i].net_received);
		print_rate(lines[i].net_sent);
		printf("%s\n", in_place ? "\033[K" : "");
	}
	printf("%s", in_place ? "q leaves.\033[J" : "\n");
}

static void print_json(const struct line *lines, size_t count)
{
	json_t *array = json_array();
	char *text;

	for (size_t i = 0; i < count; i++) {
		const struct line *l = &lines[i];
		const struct vm_info *info = &l->usage->info;

		json_array_append_new(
			array,
			json_pack("{s:I s:s s:s s:f s:I s:I s:f s:f s:f s:f}", "id",
				  (json_int_t)info->domid, "name", info->name, "state",
				  vm_state_name(info->state), "cpu_percent", l->cpu_percent,
				  "vcpus", (json_int_t)info->vcpus, "memory_kib",
				  (json_int_t)info->memory_kib, "disk_read_per_second",
				  l->disk_read, "disk_written_per_second", l->disk_written,
				  "net_received_per_second", l->net_received,
				  "net_sent_per_second", l->net_sent));
	}
	text = json_dumps(array, JSON_COMPACT | JSON_REAL_PRECISION(6));
	printf("%s\n", text ? text : "[]");
	free(text);
	json_decref(array);
}

/* Until the delay is over (false), or a person or a signal ends it (true). */
static bool nap(long ms, bool keys)
{
	struct pollfd poll_on = { keys ? STDIN_FILENO : -1, POLLIN, 0 };
	char key;

	if (poll(&poll_on, 1, (int)ms) <= 0)
		return stopped;
	return read(STDIN_FILENO, &key, 1) <= 0 || key == 'q' || key == 3 || stopped;
}

struct top {
	long delay_ms, rounds;	/* rounds 0: without end */
	bool in_place, json;
};

static int show(struct vm *vm, const struct top *top, struct error *err)
{
	struct look before = { 0 }, now;
	struct line *lines = NULL;
	int rc = vm_usage_read(vm, &before.usages, &before.count, &before.at_ns, err);

	for (long round = 1; !rc && !nap(top->delay_ms, top->in_place); round++) {
		rc = vm_usage_read(vm, &now.usages, &now.count, &now.at_ns, err);
		if (rc)
			break;
		lines = calloc(now.count + 1, sizeof(*lines));
		if (lines)
			compare(&before, &now, lines);
		if (lines && top->json)
			print_json(lines, now.count);
		else if (lines)
			print_table(lines, now.count, top->in_place);
		free(lines);
		free(before.usages);
		before = now;
		if (fflush(stdout) || ferror(stdout) || round == top->rounds)
			break;
	}
	free(before.usages);
	return rc;
}

/* The terminal gives keys at once, and is as it was afterwards. */
static int show_in_place(struct vm *vm, const struct top *top, struct error *err)
{
	struct termios saved, raw;
	int rc;

	tcgetattr(STDIN_FILENO, &saved);
	raw = saved;
	raw.c_lflag &= ~(unsigned)(ICANON | ECHO);
	signal(SIGINT, stop);
	signal(SIGTERM, stop);
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	printf("\033[H\033[J");
	fflush(stdout);
	rc = show(vm, top, err);
	tcsetattr(STDIN_FILENO, TCSANOW, &saved);
	printf("\n");
	return rc;
}

static int run_top(struct vm *vm, const struct cli_args *args, struct error *err)
{
	struct top top = { .json = args->option[2] };
	long seconds = DELAY_DEFAULT;

	if (args->option[0] && cli_number("batch", args->option[0], 1000000, &top.rounds, err))
		return -1;
	if (args->option[1] && cli_number("delay", args->option[1], 3600, &seconds, err))
		return -1;
	top.delay_ms = seconds * 1000;
	if (top.json && !top.rounds)
		top.rounds = 1;
	top.in_place = !top.rounds && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	return top.in_place ? show_in_place(vm, &top, err) : show(vm, &top, err);
}

const struct cli_verb cli_top = {
	.name = "top",
	.operands = "",
	.rights = CLI_GROUP,
	.summary = "Show what guests use of CPUs, memory, disks and networks",
	.text = "Refreshed in place until q; CPU % is of one CPU, bytes are per second as the "
		"guest sees them.",
	.options = {
		{ "batch", 'b', "N", "print it N times, and not in place" },
		{ "delay", 'd', "SECONDS", "between two looks (2)" },
		{ "json", 0, NULL, "a JSON array in each line; once if --batch says nothing else" },
	},
	.run = run_top,
};
