/* knarr kill: sends a signal to a container. */
#include <errno.h>
#include <signal.h>

#include "runtime/command.h"
#include "runtime/id_operands.h"
#include "runtime/signal_name.h"

struct values {
	bool all, regex;
};

static const struct option_row rows[] = {
	{ "all", 'a', OPTION_FLAG, NULL, offsetof(struct values, all),
	  "signal every process of the container's cgroup" },
	{ "regex", 'r', OPTION_FLAG, NULL, offsetof(struct values, regex),
	  "ID is an extended regular expression: signal all running containers whose id it matches" },
	{ 0 },
};

struct request {
	int sig;
	bool all, regex;
};

/* A pattern means those that run. */
static int
kill_one(const struct cli *c, const char *id, const void *data)
{
	const struct request *q = data;
	int r = container_kill(&c->env, id, q->sig, q->all, c->err);

	return r == -ESRCH && q->regex ? 0 : r;
}

static int
run(const struct cli *c, const void *options, const struct option_list *operands)
{
	const struct values *v = options;
	const struct option_list ids = { operands->items, 1 };
	struct request q = { SIGTERM, v->all, v->regex };

	if (operands->n > 1) {
		int r = signal_from_name(operands->items[1], c->err, &q.sig);

		if (r < 0)
			return r;
	}
	return id_operands_each(c, &ids, v->regex, kill_one, &q);
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
