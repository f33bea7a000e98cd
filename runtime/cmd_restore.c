/* knarr restore: run, from an image that knarr checkpoint has written. */
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
	  "accepted for callers of runc, changes nothing: the root is made by CRIU" },
	{ "detach", 'd', OPTION_FLAG, NULL, RUN_VALUE(detach),
	  "do not wait: return when the container runs and leave it behind" },
	{ "keep", 0, OPTION_FLAG, NULL, RUN_VALUE(keep), "do not delete the container when its program has ended" },
	CRIU_ROWS(struct values),
	{ "tcp-close", 0, OPTION_FLAG, NULL, VALUE(tcp_close), "restore TCP connections as closed ones" },
	{ "lsm-profile", 0, OPTION_TEXT, "TYPE:NAME", VALUE(lsm_profile),
	  "security profile of the processes (apparmor:NAME, selinux:LABEL) instead of that in the image" },
	{ "lsm-mount-context", 0, OPTION_TEXT, "LABEL", VALUE(lsm_mount_context),
	  "SELinux label of mounts instead of that in the image" },
	{ 0 },
};

static int
run(const struct cli *c, const void *options, const struct option_list *operands)
{
	const struct values *v = options;
	struct container_criu_options criu = criu_options_fill(&v->criu);
	struct container_create_options o;
	struct spec_report report = { 0 };
	struct rootfs_layers layers;
	int status = 0, r = create_options_fill(c, &v->create, operands->items[0], &report, &layers, &o);

	if (r < 0)
		return r;
	r = create_options_report(c, &o, container_restore(&c->env, &o, &criu, c->err, &status));
	return r ? r : status;
}

const struct command command_restore = {
	.name = "restore",
	.operands = "ID",
	.min_operands = 1,
	.max_operands = 1,
	.uses_root = true,
	.needs = KERNEL_CONTAINERS,
	.summary = "run a container from an image of checkpoint",
	.text = "Makes the new container ID from a bundle and an image: its processes go on where\n"
		"they were when knarr checkpoint wrote it. Files of the root file system and of\n"
		"bind mounts are not in the image and must be as they were. In the foreground\n"
		"knarr passes terminal and signals on as in knarr run. Needs root and the program\n"
		"criu.\n",
	.options = rows,
	.options_size = sizeof(struct values),
	.run = run,
};
