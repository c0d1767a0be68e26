/* SPDX-License-Identifier: MIT */
/* Starting guests with the host: see autostart.h. */
#include "daemon/autostart.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/supervise.h"
#include "lib/file.h"
#include "vm/await.h"
#include "vm/defined.h"
#include "vm/event.h"

#define WAIT_MS 300000	/* drivers are given so long; then guests without them may start */

const char *autostart_done_file = "/run/enso/autostarted";

static bool is_done(const char *name)
{
	FILE *file = fopen(autostart_done_file, "re");
	char line[CONFIG_NAME_MAX + 3];
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = 0;
		found = !strcmp(line, name);
	}
	if (file)
		fclose(file);
	return found;
}

/* Before it is started: better not at all than twice. */
static void note_done(const char *name)
{
	int fd = open(autostart_done_file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	char line[CONFIG_NAME_MAX + 2];
	int len = snprintf(line, sizeof(line), "%s\n", name);

	if (fd < 0)
		return;
	file_write_all(fd, line, (size_t)len);
	close(fd);
}

static void start_one(struct vm *vm, const struct vm_defined *one)
{
	const struct vm_create_options options = { 0 };
	struct error err = { 0 };
	uint32_t domid;

	if (is_done(one->name))
		return;
	note_done(one->name);
	if (!vm_start(vm, one->name, &options, &domid, &err)) {
		say("%s: started with the host as domain %u", one->name, domid);
	} else if (err.code != ERROR_STATE) {	/* it runs already */
		say("%s: was to start with the host: %s", one->name, err.text);
		vm_event("failed", one->name, one->config.uuid, 0, err.text);
	}
}

void autostart_all(void)
{
	struct vm_defined *list;
	struct error err = { 0 };
	struct vm vm = { 0 };
	size_t count;

	vm_await_host(WAIT_MS, NULL, NULL);
	if (vm_defined_autostart(&list, &count, &err)) {
		say("the guests that start with the host: %s", err.text);
		return;
	}
	for (size_t i = 0; i < count; i++)
		start_one(&vm, &list[i]);
	vm_defined_free(list, count);
	vm_close(&vm);
}
