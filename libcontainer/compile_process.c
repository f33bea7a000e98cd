/* Theory of operation: see compile_process.h. The pieces of a plan that lead to
 * execve, in no order of their own: compile.c and compile_exec.c put them in
 * theirs. */
#include "libcontainer/compile_process.h"

#include <string.h>

#include "libcontainer/environment.h"
#include "libcontainer/notify_socket.h"

/* ---- console --------------------------------------------------------- */

int
compile_console(struct plan_builder *b, const struct spec_process *p, bool bind, struct err *err)
{
	struct plan_step *step;

	if (!p->terminal)
		return 0;
	if (p->console_size.set && (p->console_size.height > UINT16_MAX || p->console_size.width > UINT16_MAX))
		return err_plain(err, "process.consoleSize: %ju x %ju is beyond a terminal's 65535",
				 (uintmax_t)p->console_size.width, (uintmax_t)p->console_size.height);
	step = plan_add(b, PLAN_OPEN_CONSOLE, "process.terminal");
	step->u.console.uid = p->user.uid;
	step->u.console.bind = bind;
	if (p->console_size.set) {
		step->u.console.set_size = true;
		step->u.console.height = (uint16_t)p->console_size.height;
		step->u.console.width = (uint16_t)p->console_size.width;
	}
	return 0;
}

/* ---- program --------------------------------------------------------- */

/* execvp(3): a name with a slash as it is, else each folder of PATH; an empty
 * entry is the working folder. Without PATH, what execvp uses. */
void
compile_program(struct plan_builder *b, const struct spec_process *p)
{
	const char *name = p->args.items[0], *path = environment_value(&p->env, "PATH");
	struct plan_program prog = { .name = plan_string(b, name) };
	const char **list;
	size_t n = 0;

	if (!path)
		path = "/bin:/usr/bin";
	list = arena_array(b->arena, strlen(path) + 2, sizeof(*list));
	if (strchr(name, '/')) {
		list[n++] = name;
	} else if (name[0]) {
		prog.searched = true;
		for (;;) {
			size_t len = strcspn(path, ":");

			list[n++] = len ? arena_printf(b->arena, "%.*s/%s", (int)len, path, name)
					: arena_printf(b->arena, "./%s", name);
			if (!path[len])
				break;
			path += len + 1;
		}
	}
	prog.candidates = plan_strings(b, list, n);
	plan_add(b, PLAN_FIND_PROGRAM, "process.args[0]")->u.program = prog;
}

/* What the config gives, then what the runtime adds, which wins. An empty HOME
 * counts as none, as in other runtimes. */
static void
fill_environment(struct environment *env, struct arena *a, const struct spec_process *p,
		 const struct compile_options *o)
{
	for (size_t i = 0; i < p->env.n; i++)
		environment_put(env, p->env.items[i]);
	if (o->notify_dir)
		environment_put(env, "NOTIFY_SOCKET=" NOTIFY_SOCKET_IN_CONTAINER);
	if (o->listen_fds) {
		environment_put(env, arena_printf(a, "LISTEN_FDS=%u", o->listen_fds));
		environment_remove(env, "LISTEN_PID");
	}
}

void
compile_vectors(struct plan_builder *b, const struct spec_process *p, const struct compile_options *o)
{
	struct environment env = environment_new(b->arena, p->env.n + 2);
	struct plan_exec e = { .keep_fds = o->keep_fds, .uid = p->user.uid, .listen_pid = o->listen_fds > 0 };
	const char *home = environment_value(&p->env, "HOME");

	fill_environment(&env, b->arena, p, o);
	e.find_home = !home || !home[0];
	if (e.find_home)
		environment_remove(&env, "HOME");
	e.env = plan_strings(b, env.items, env.n);
	e.args = plan_strings(b, (const char *const *)p->args.items, p->args.n);
	plan_add(b, PLAN_PREPARE_EXEC, "process")->u.exec = e;
}

int
compile_seccomp(struct plan_builder *b, const struct spec *s, const char *cache_dir, struct err *err,
		struct plan_seccomp *ret_seccomp)
{
	struct seccomp_filter f = { 0 };
	int r;

	memset(ret_seccomp, 0, sizeof(*ret_seccomp));
	if (!s->linux_.seccomp || !s->process)
		return 0;
	r = seccomp_check(s->linux_.seccomp, err);
	if (r == 0)
		r = seccomp_compile(s->linux_.seccomp, cache_dir, b->arena, err, &f);
	if (r < 0)
		return r;
	ret_seccomp->filter = plan_data(b, f.program, f.len);
	ret_seccomp->flags = f.flags;
	ret_seccomp->notify = f.notify;
	return 0;
}
