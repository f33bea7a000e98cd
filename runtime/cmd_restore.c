/* knarr restore: runs a container from an image written by knarr checkpoint. */
#include "runtime/create_options.h"
#include "runtime/criu_options.h"

struct values {
	struct create_values create;
	struct criu_values criu;
};

#define VALUE(member)	  CRIU_VALUE(struct values, member)
#define RUN_VALUE(member) offsetof(struct values, create.member)

static const struct option_row rows[] = {
	LAUNCH_ROWS,
	{ "no-pivot", 0, OPTION_FLAG, NULL, RUN_VALUE(no_pivot),
	  "accepted for compatibility with runc, without effect: CRIU restores the root" },
	{ "detach", 'd', OPTION_FLAG, NULL, RUN_VALUE(detach),
	  "run in the background: return once the container is running" },
	{ "keep", 0, OPTION_FLAG, NULL, RUN_VALUE(keep), "keep the container after its program has exited" },
	CRIU_ROWS(struct values),
	{ "tcp-close", 0, OPTION_FLAG, NULL, VALUE(tcp_close), "restore TCP connections as closed" },
	{ "lsm-profile", 0, OPTION_TEXT, "TYPE:NAME", VALUE(lsm_profile),
	  "security profile for the processes (apparmor:NAME, selinux:LABEL) instead of the one in the image" },
	{ "lsm-mount-context", 0, OPTION_TEXT, "LABEL", VALUE(lsm_mount_context),
	  "SELinux label for mounts instead of the one in the image" },
	{ 0 },
};

static int
run(const struct cli *cli, const void *options, const struct option_list *operands)
{
	const struct values *v = options;
	struct container_criu_options criu = criu_options_fill(&v->criu);
	struct container_create_options o;
	struct spec_report report = { 0 };
	struct rootfs_layers layers;
	int status = 0, r = create_options_fill(cli, &v->create, operands->items[0], &report, &layers, &o);

	if (r < 0)
		return r;
	r = create_options_report(cli, &o, container_restore(&cli->env, &o, &criu, cli->err, &status));
	return r ? r : status;
}

const struct command command_restore = {
	.name = "restore",
	.operands = "ID",
	.min_operands = 1,
	.max_operands = 1,
	.uses_root = true,
	.needs = KERNEL_CONTAINERS,
	.summary = "restore a container from a checkpoint image",
	.text = "Creates the new container ID from a bundle and an image: its processes continue\n"
		"where they were when knarr checkpoint saved them. The files of the root file\n"
		"system and of bind mounts are not in the image and must not have changed. In the\n"
		"foreground knarr forwards the terminal and signals as knarr run does. Needs root\n"
		"and the program criu.\n",
	.options = rows,
	.options_size = sizeof(struct values),
	.run = run,
};
