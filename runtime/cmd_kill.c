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
	  "signal every process of the container's cgroup" },
	{ "regex", 'r', OPTION_FLAG, NULL, offsetof(struct values, regex),
	  "ID is an extended regular expression: signal all running containers whose id it matches" },
	{ 0 },
};

struct request {
	const char *signal; /* NULL: none was given */
	bool all, regex;
};

/* What the image asks to be stopped with (config.md#annotations), else TERM. */
static int
stop_signal(const struct cli *c, const char *id, int *ret_signal)
{
	static const char key[] = ANNOTATION_STOP_SIGNAL;
	enum container_status status;
	const char *name;
	struct state *s;
	int r = container_state(&c->env, id, c->err, &s, &status);

	if (r < 0)
		return r;
	*ret_signal = SIGTERM;
	name = annotation_get(&s->annotations, key);
	if (name && *name)
		r = signal_from_name(name, c->err, ret_signal);
	return r < 0 ? err_wrap(c->err, "annotations[\"%s\"]", key) : 0;
}

/* A pattern means those that run. */
static int
kill_one(const struct cli *c, const char *id, const void *data)
{
	const struct request *q = data;
	int sig, r = q->signal ? signal_from_name(q->signal, c->err, &sig) : stop_signal(c, id, &sig);

	if (r == 0)
		r = container_kill(&c->env, id, sig, q->all, c->err);
	return r == -ESRCH && q->regex ? 0 : r;
}

static int
run(const struct cli *c, const void *options, const struct option_list *operands)
{
	const struct values *v = options;
	const struct option_list ids = { operands->items, 1 };
	const struct request q = { operands->n > 1 ? operands->items[1] : NULL, v->all, v->regex };
	int sig;

	/* Also where no id matches. */
	if (q.signal && signal_from_name(q.signal, c->err, &sig) < 0)
		return -EINVAL;
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
	.text = "Sends SIGNAL (a number, a name with or without SIG, SIGRTMIN+N) to the\n"
		"container's first process. The default is what its annotation\n"
		"org.opencontainers.image.stopSignal says, else TERM. KILL goes to all processes\n"
		"of a container that has no pid namespace of its own. With --all the container\n"
		"may be stopped: processes that are left in its cgroup get the signal.\n",
	.options = rows,
	.options_size = sizeof(struct values),
	.run = run,
};
