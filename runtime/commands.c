/* The table of commands and the rows of the global options. */
#include <stdint.h>
#include <string.h>

#include "oci-spec/names.h"
#include "runtime/command.h"

const struct command *const commands[] = {
	/* clang-format off */
	&command_run, &command_create, &command_start, &command_kill, &command_wait, &command_delete, &command_pause,
	&command_resume, &command_update, &command_checkpoint, &command_restore,
	&command_exec, &command_ps, &command_mounts,
	&command_list, &command_state, &command_stats, &command_events,
	&command_spec, &command_check, &command_plan,
	&command_features, &command_completion, &command_version, &command_help,
	/* clang-format on */
	NULL,
};

#define GLOBAL(member) offsetof(struct global_options, member)

const struct option_row global_option_rows[] = {
	{ "root", 'r', OPTION_TEXT, "DIR", GLOBAL(root),
	  "directory for the state of containers (default: /run/knarr; for unprivileged users "
	  "$XDG_RUNTIME_DIR/knarr)" },
	{ "log", 'l', OPTION_TEXT, "FILE", GLOBAL(log),
	  "also append messages to FILE; journald:ID or syslog:ID: send them to the journal or to syslog under the "
	  "name "
	  "ID" },
	{ "systemd-log", 0, OPTION_FLAG, NULL, GLOBAL(systemd_log), "same as --log journald:knarr" },
	{ "log-format", 0, OPTION_CHOICE, "text|json", GLOBAL(log_format), "format of the lines in that file" },
	{ "log-level", 0, OPTION_CHOICE, "error|warning|info|debug", GLOBAL(log_level),
	  "lowest level that is logged (default: warning)" },
	{ "debug", 0, OPTION_FLAG, NULL, GLOBAL(debug), "same as --log-level debug" },
	{ "trace-phases", 0, OPTION_FLAG, NULL, GLOBAL(trace_phases),
	  "print on standard error, at the end, how long each phase of the command and each step of the plan took" },
	{ "cgroup-manager", 0, OPTION_CHOICE, "cgroupfs|systemd|disabled", GLOBAL(cgroup_manager),
	  "what creates cgroups (default: cgroupfs)" },
	{ "allow-annotations", 0, OPTION_CHOICE, "safe|all", GLOBAL(allow_annotations),
	  "annotations that root's containers may have: those that stay inside, or also those that reach the host, as "
	  "a "
	  "file for the output of hooks (default: safe)" },
	{ "systemd-cgroup", 's', OPTION_FLAG, NULL, GLOBAL(systemd_cgroup), "same as --cgroup-manager systemd" },
	{ "rootless", 0, OPTION_CHOICE, "auto|true|false", GLOBAL(rootless),
	  "choose the default --root for an unprivileged user (true), for root (false), or by asking the kernel "
	  "(auto)" },
	{ "help", 'h', OPTION_FLAG, NULL, GLOBAL(help), "print help; after a command, help for that command" },
	{ "version", 'v', OPTION_FLAG, NULL, GLOBAL(version), "print the version" },
	{ 0 },
};

static const struct command *
find(const char *name)
{
	for (const struct command *const *c = commands; *c; c++)
		if (!strcmp((*c)->name, name))
			return *c;
	return NULL;
}

int
command_lookup(const char *name, struct err *err, const struct command **ret_command)
{
	const struct command *found = find(name);
	const char *nearest = NULL;
	size_t best = SIZE_MAX;

	if (found) {
		*ret_command = found;
		return 0;
	}
	for (const struct command *const *c = commands; *c; c++) {
		size_t distance = name_distance(name, (*c)->name);

		if (distance < best) {
			best = distance;
			nearest = (*c)->name;
		}
	}
	if (nearest)
		return err_plain(err, "unknown command '%s', did you mean '%s'?", name, nearest);
	return err_plain(err, "unknown command '%s' (see knarr help)", name);
}
