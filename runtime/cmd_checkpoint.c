/* knarr checkpoint: writes a running container into an image. */
#include "runtime/criu_options.h"

struct values {
	struct criu_values criu;
};

#define VALUE(member) CRIU_VALUE(struct values, member)

static const struct option_row rows[] = {
	CRIU_ROWS(struct values),
	{ "leave-running", 'R', OPTION_FLAG, NULL, VALUE(leave_running), "leave the container running" },
	{ "pre-dump", 0, OPTION_FLAG, NULL, VALUE(pre_dump),
	  "copy memory only and leave the container running, for a later checkpoint with --parent-path" },
	{ "parent-path", 0, OPTION_TEXT, "DIR", VALUE(parent_path),
	  "image of an earlier pre-dump, relative to the image directory; only changes since then are written" },
	{ "page-server", 0, OPTION_TEXT, "ADDRESS:PORT", VALUE(page_server),
	  "send memory pages to this criu page-server" },
	{ "status-fd", 0, OPTION_NUMBER, "FD", VALUE(status_fd),
	  "file descriptor that gets a zero byte when lazy pages can be fetched" },
	{ "tcp-skip-in-flight", 0, OPTION_FLAG, NULL, VALUE(tcp_skip_in_flight),
	  "leave out TCP connections that are not yet accepted" },
	{ 0 },
};

static int
run(const struct cli *cli, const void *options, const struct option_list *operands)
{
	const struct values *v = options;
	struct container_criu_options o = criu_options_fill(&v->criu);

	return container_checkpoint(&cli->env, operands->items[0], &o, cli->err);
}

const struct command command_checkpoint = {
	.name = "checkpoint",
	.operands = "ID",
	.min_operands = 1,
	.max_operands = 1,
	.uses_root = true,
	.needs = KERNEL_CONTAINERS,
	.summary = "save the processes of a running container to an image",
	.text = "Stops the container ID, saves all of its processes to a directory, the image,\n"
		"and deletes the container; with --leave-running or --pre-dump it keeps running.\n"
		"knarr restore continues from the image. Needs root and the program criu.\n",
	.options = rows,
	.options_size = sizeof(struct values),
	.run = run,
};
