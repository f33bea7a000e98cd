/* Two callers of hook_exec(): the runtime, for
 * the hooks that run in its namespaces, and the init, for the two kinds that run
 * in the container's. */
#include "libcontainer/process/hooks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "libcontainer/process/hook_exec.h"
#include "oci-spec/annotations.h"

/* ---- in the runtime -------------------------------------------------- */

/* A copy of list with a NULL at the end. */
static const char **
vector(struct arena *a, const struct spec_strings *list)
{
	const char **v = arena_array(a, list->n + 1, sizeof(*v));

	if (list->n)
		memcpy(v, list->items, list->n * sizeof(*v));
	return v;
}

int
hooks_open_output(const struct spec_pairs *annotations, enum annotation annotation, struct err *err, int *ret_fd)
{
	const char *path = annotations ? annotation_get(annotations, annotation) : NULL;
	int fd;

	*ret_fd = 0;
	if (!path)
		return 0;
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0644);
	if (fd < 0)
		return err_set(err, errno, "annotation %s: open '%s'", annotation_name(annotation), path);
	*ret_fd = fd;
	return 0;
}

static int
run_one(const struct spec_hook *hook, const char *bundle, const char *state_json, const struct spec_pairs *annotations,
	int init_pidfd, struct err *err)
{
	auto_arena struct arena a = { 0 };
	const char *only_path[] = { hook->path, NULL };
	struct hook_exec h = {
		.path = hook->path,
		.dir = bundle,
		.argv = hook->args.n ? vector(&a, &hook->args) : only_path,
		.envp = hook->has_env ? vector(&a, &hook->env) : (const char **)environ,
		.state = { { (char *)state_json, strlen(state_json) } },
		.n_state = 1,
		.timeout = hook->timeout.set ? hook->timeout.v : 0,
		.init_pidfd = init_pidfd,
	};
	int r = hooks_open_output(annotations, ANNOTATION_HOOKS_STDOUT, err, &h.output);

	if (r == 0)
		r = hooks_open_output(annotations, ANNOTATION_HOOKS_STDERR, err, &h.errors);
	if (r == 0)
		r = hook_exec(&h, err);
	if (h.output > 0)
		fd_close(h.output);
	if (h.errors > 0)
		fd_close(h.errors);
	return r;
}

int
hooks_run(const char *name, const struct spec_hooks_list *list, const char *bundle, const char *state_json,
	  const struct spec_pairs *annotations, int init_pidfd, bool keep_going, struct err *err)
{
	for (size_t i = 0; i < list->n; i++) {
		char text[ERR_MSG_MAX + 128];
		struct err e;
		int r;

		err_clear(&e);
		r = run_one(&list->items[i], bundle, state_json, annotations, init_pidfd, &e);
		if (r == 0)
			continue;
		err_wrap(&e, "hooks.%s[%zu]", name, i);
		if (!keep_going) {
			*err = e;
			return r;
		}
		log_warning("%s", err_format(&e, text, sizeof(text)));
	}
	return 0;
}

/* ---- in the init ----------------------------------------------------- */

/* The strings of a plan's list as an argument vector; -E2BIG when there is no
 * room, which the parent has made. */
static int
fill(struct plan_ctx *c, struct plan_strv list, const char **vec)
{
	int r = plan_vector(c->plan, list, vec, c->max_vector);

	return r < 0 ? err_set(c->err, -r, "too many arguments or variables for a hook") : 0;
}

/* Hooks of createContainer come before the step that sets the program's umask. */
static bool
has_umask_of_steps(const struct plan *plan, const struct plan_step *step)
{
	const struct plan_step *ids = plan_find(plan, PLAN_SET_IDS, 0);

	return !ids || ids > step;
}

int
hooks_run_step(struct plan_ctx *c, const struct plan_step *step)
{
	const struct plan_hook *p = &step->u.hook;
	const char *path = plan_text(c->plan, p->path), *only_path[] = { path, NULL };
	const char *head = plan_text(c->plan, p->state_head), *tail = plan_text(c->plan, p->state_tail);
	char pid[16];
	struct hook_exec h = {
		.path = path,
		.dir = p->dir ? plan_text(c->plan, p->dir) : NULL,
		.argv = p->args.n ? c->hook_argv : only_path,
		.envp = p->inherit_env ? (const char **)environ : c->hook_envp,
		.state = { { (char *)head, strlen(head) }, { pid, 0 }, { (char *)tail, strlen(tail) } },
		.n_state = 3,
		.timeout = p->timeout,
		.init_pidfd = -1,
		.output = c->fds[PLAN_FD_HOOK_STDOUT],
		.errors = c->fds[PLAN_FD_HOOK_STDERR],
		.no_new_privileges = p->no_new_privileges,
		.sets_umask = has_umask_of_steps(c->plan, step),
		.filter = p->seccomp.len ? c->plan->blob + p->seccomp.off : NULL,
		.filter_len = p->seccomp.len,
		.filter_flags = p->seccomp_flags,
	};
	int r = 0;

	if (p->args.n)
		r = fill(c, p->args, c->hook_argv);
	if (r == 0 && !p->inherit_env)
		r = fill(c, p->env, c->hook_envp);
	if (r < 0)
		return r;
	/* There is room for it: make_room(). */
	if (p->find_home) {
		c->hook_envp[p->env.n] = c->home;
		c->hook_envp[p->env.n + 1] = NULL;
	}
	h.state[1].iov_len = (size_t)snprintf(pid, sizeof(pid), "%d", (int)getpid());
	return hook_exec(&h, c->err);
}
