/* knarr kill: sends a signal to a container. */
#include <signal.h>

#include "runtime/command.h"
#include "runtime/signal_name.h"

struct values {
	bool all;
};

static const struct option_row rows[] = {
	{ "all", 'a', OPTION_FLAG, NULL, offsetof(struct values, all),
	  "signal every process of the container's cgroup" },
	{ 0 },
};

static int
run(const struct cli *c, const void *options, const struct option_list *operands)
{
	const struct values *v = options;
	int sig = SIGTERM;

	if (operands->n > 1) {
		int r = signal_from_name(operands->items[1], c->err, &sig);

		if (r < 0)
			return r;
	}
	return container_kill(&c->env, operands->items[0], sig, v->all, c->err);
}

const struct command command_kill = {
	.name = "kill",
	.operands = "ID [SIGNAL]",
	.min_operands = 1,
	.max_operands = 2,
	.uses_root = true,
	.needs = KERNEL_PROCESSES,
	.summary = "send a signal to a container",
	.text = "Sends SIGNAL (a number, a name with or without SIG, SIGRTMIN+N; default TERM) to\n"
		"the container's first process. KILL goes to all processes of a container that\n"
		"has no pid namespace of its own. With --all the container may be stopped:\n"
		"processes that are left in its cgroup get the signal.\n",
	.options = rows,
	.options_size = sizeof(struct values),
	.run = run,
};
