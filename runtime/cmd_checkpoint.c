/* knarr checkpoint: writes a running container into an image. */
#include "runtime/criu_options.h"

struct values {
	struct criu_values criu;
};

#define VALUE(member) CRIU_VALUE(struct values, member)

static const struct option_row rows[] = {
	CRIU_ROWS(struct values),
	{ "leave-running", 'R', OPTION_FLAG, NULL, VALUE(leave_running), "let the container run on" },
	{ "pre-dump", 0, OPTION_FLAG, NULL, VALUE(pre_dump),
	  "copy memory only, while the container runs on, for a later checkpoint with --parent-path" },
	{ "parent-path", 0, OPTION_TEXT, "DIR", VALUE(parent_path),
	  "image of an earlier pre-dump, relative to the image path; only what has changed since is written" },
	{ "page-server", 0, OPTION_TEXT, "ADDRESS:PORT", VALUE(page_server),
	  "send memory pages to a criu page-server" },
	{ "status-fd", 0, OPTION_NUMBER, "FD", VALUE(status_fd),
	  "descriptor that a zero byte is written to when lazy pages can be fetched" },
	{ "tcp-skip-in-flight", 0, OPTION_FLAG, NULL, VALUE(tcp_skip_in_flight),
	  "leave out TCP connections that are not accepted yet" },
	{ 0 },
};

static int
run(const struct cli *c, const void *options, const struct option_list *operands)
{
	const struct values *v = options;
	struct container_criu_options o = criu_options_fill(&v->criu);

	return container_checkpoint(&c->env, operands->items[0], &o, c->err);
}

const struct command command_checkpoint = {
	.name = "checkpoint",
	.operands = "ID",
	.min_operands = 1,
	.max_operands = 1,
	.uses_root = true,
	.needs = KERNEL_CONTAINERS,
	.summary = "write the processes of a running container into an image",
	.text = "Stops the container ID, writes all of its processes into a folder, and deletes\n"
		"it; with --leave-running or --pre-dump it runs on. knarr restore makes it run\n"
		"again from there. Needs root and the program criu.\n",
	.options = rows,
	.options_size = sizeof(struct values),
	.run = run,
};
