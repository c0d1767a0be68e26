/* SPDX-License-Identifier: MIT */
/* enso edit: a definition in the person's own editor, again until it is right. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"
#include "lib/file.h"
#include "vm/defined.h"

/* A copy that is being edited. */
struct editing {
	struct vm *vm;
	const struct vm_defined *old;
	struct config_options options;
	char path[40];
};

/* Run the editor that the environment names. */
static int run_editor(const char *path, struct error *err)
{
	const char *editor = getenv("VISUAL");
	char command[300];
	int status = 0;

	if (!editor || !*editor)
		editor = getenv("EDITOR");
	if (!editor || !*editor)
		editor = "vi";
	snprintf(command, sizeof(command), "%s \"$1\"", editor);
	pid_t pid = fork();
	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", command, "enso", path, NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return error_set(err, ERROR_FAILED, "%s: cannot be started: %s", editor,
				 error_text(-errno));
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return error_set(err, ERROR_FAILED,
				 "%s: ended with status %d; the definition is not changed", editor,
				 WIFEXITED(status) ? WEXITSTATUS(status) : status);
	return 0;
}

/* The same guest as before: a copy with another name would be a second one. */
static int check_same(const struct editing *editing, const struct vm_config *config,
		      struct error *err)
{
	if (strcmp(config->name, editing->old->name))
		return error_set(err, ERROR_DEFINITION,
				 "%s:%u: the name was changed; \"enso rename %s %s\" does that",
				 editing->path, config->name_line, editing->old->name,
				 config->name);
	if (config->has_uuid && memcmp(config->uuid, editing->old->config.uuid, 16))
		return error_set(err, ERROR_DEFINITION,
				 "%s:%u: the uuid was changed; a guest keeps it", editing->path,
				 config->uuid_line);
	return 0;
}

/* Has somebody else changed the definition meanwhile? */
static int check_unchanged(const struct editing *editing, struct error *err)
{
	char *before = NULL, *now = NULL;
	struct vm_defined current;
	size_t len;

	if (vm_defined_find(editing->old->name, &current, err))
		return -1;
	bool same = !config_dump(&editing->old->config, &before, &len) &&
		    !config_dump(&current.config, &now, &len) && !strcmp(before, now);
	free(before);
	free(now);
	config_free(&current.config);
	return same ? 0
		    : error_set(err, ERROR_STATE,
				"%s: someone else has changed the definition meanwhile; edit it "
				"again",
				editing->old->name);
}

/* What the person wrote becomes the definition. */
static int take(const struct editing *editing, struct error *err)
{
	struct vm_config config;

	if (config_load(&config, editing->path, &editing->options, err))
		return -1;
	int rc = check_same(editing, &config, err) || check_unchanged(editing, err) ||
				 vm_define(editing->vm, &config, NULL, err)
			 ? -1
			 : 0;
	config_free(&config);
	return rc;
}

/* Does the person want to mend what is wrong? Nobody is asked when no terminal is there. */
static bool wants_to_mend(const struct error *err)
{
	char answer[16];

	if (!isatty(STDIN_FILENO))
		return false;
	fprintf(stderr, "enso: %s\nEdit it again? [Y/n] ", err->text);
	return fgets(answer, sizeof(answer), stdin) && answer[0] != 'n' && answer[0] != 'N';
}

static int edit(struct editing *editing, struct error *err)
{
	int rc;

	do {
		rc = run_editor(editing->path, err);
		if (rc)
			return rc;
		rc = take(editing, err);
	} while (rc && err->code == ERROR_DEFINITION && wants_to_mend(err));
	return rc;
}

/* The copy: only its owner may read it, it goes in the end. */
static int make_copy(struct editing *editing, struct error *err)
{
	char *text;
	size_t len;

	if (config_dump(&editing->old->config, &text, &len))
		return error_set(err, ERROR_NO_MEMORY, "out of memory");
	strcpy(editing->path, "/tmp/enso-edit-XXXXXX.xml");
	int fd = mkostemps(editing->path, 4, O_CLOEXEC);
	int rc = fd < 0 ? -errno : file_write_all(fd, text, len);
	free(text);
	if (fd >= 0)
		close(fd);
	return rc ? error_set(err, ERROR_FILE, "%s: %s", editing->path, error_text(rc)) : 0;
}

static int run_edit(struct vm *vm, const struct cli_args *args, struct error *err)
{
	struct vm_defined old;
	struct editing editing = {
		.vm = vm,
		.old = &old,
		.options = { .strict = args->option[0], .warn = cli_warn },
	};

	if (vm_defined_find(args->operand[0], &old, err))
		return -1;
	int rc = make_copy(&editing, err);
	if (!rc) {
		rc = edit(&editing, err);
		unlink(editing.path);
	}
	config_free(&old.config);
	return rc;
}

const struct cli_verb cli_edit = {
	.name = "edit",
	.waits = true,
	.operands = "GUEST",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "Change a guest's definition in an editor",
	.text = "The editor is $VISUAL, $EDITOR or vi. What is not right can be edited again. A "
		"guest that\nruns takes the new definition when it starts the next time.",
	.options = { { "strict", 0, NULL, "refuse what would be a warning" } },
	.run = run_edit,
};
