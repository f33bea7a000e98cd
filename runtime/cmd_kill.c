/* knarr kill: sends a signal to a container. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "oci-spec/annotations.h"
#include "runtime/command.h"
#include "runtime/id_operands.h"
#include "runtime/signal_name.h"

struct values {
	bool all, regex;
};

static const struct option_row rows[] = {
	{ "all", 'a', OPTION_FLAG, NULL, offsetof(struct values, all),
	  "signal every process in the container's cgroup" },
	{ "regex", 'r', OPTION_FLAG, NULL, offsetof(struct values, regex),
	  "treat ID as an extended regular expression and signal all running containers whose id matches" },
	{ 0 },
};

struct request {
	const char *signal; /* NULL: none was given */
	bool all, regex;
};

/* The stop signal that the image asks for (config.md#annotations), otherwise TERM. */
static int
stop_signal(const struct cli *cli, const char *id, int *ret_signal)
{
	const char *name;
	struct state *s;
	int r = container_saved_state(&cli->env, id, cli->err, &s);

	if (r < 0)
		return r;
	*ret_signal = SIGTERM;
	name = annotation_get(&s->annotations, ANNOTATION_STOP_SIGNAL);
	if (name && *name)
		r = signal_from_name(name, cli->err, ret_signal);
	return r < 0 ? err_wrap(cli->err, "annotations[\"%s\"]", annotation_name(ANNOTATION_STOP_SIGNAL)) : 0;
}

/* A pattern means those that run. */
static int
kill_one(const struct cli *cli, const char *id, const void *data)
{
	const struct request *q = data;
	int sig, r = q->signal ? signal_from_name(q->signal, cli->err, &sig) : stop_signal(cli, id, &sig);

	if (r == 0)
		r = container_kill(&cli->env, id, sig, q->all, cli->err);
	return r == -ESRCH && q->regex ? 0 : r;
}

static int
run(const struct cli *cli, const void *options, const struct option_list *operands)
{
	const struct values *v = options;
	const struct option_list ids = { operands->items, 1 };
	const struct request q = { operands->n > 1 ? operands->items[1] : NULL, v->all, v->regex };
	int sig;

	/* Also where no id matches. */
	if (q.signal && signal_from_name(q.signal, cli->err, &sig) < 0)
		return -EINVAL;
	return id_operands_each(cli, &ids, v->regex, kill_one, &q);
}

const struct command command_kill = {
	.name = "kill",
	.operands = "ID [SIGNAL]",
	.min_operands = 1,
	.max_operands = 2,
	.uses_root = true,
	.needs = KERNEL_PROCESSES,
	.summary = "send a signal to a container",
	.text = "Sends SIGNAL (a number, or a name with or without SIG: TERM, SIGRTMIN+1) to the\n"
		"container's first process. The default is the container's annotation\n"
		"org.opencontainers.image.stopSignal, otherwise TERM. In a container without its\n"
		"own pid namespace KILL goes to all processes. With --all the container may have\n"
		"stopped: the processes that remain in its cgroup get the signal.\n",
	.options = rows,
	.options_size = sizeof(struct values),
	.run = run,
};
