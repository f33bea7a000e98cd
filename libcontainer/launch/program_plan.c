/* The pieces of a plan that lead to execve, in no order of their own: compile.c and
 * compile_exec.c put them in theirs. */
#include "libcontainer/launch/program_plan.h"

#include <string.h>

#include "libcontainer/process/credentials.h"
#include "libcontainer/process/environment.h"
#include "libcontainer/state/notify_socket.h"

/* ---- console --------------------------------------------------------- */

int
program_plan_console(struct plan_builder *b, const struct spec_process *process, bool bind, struct err *err)
{
	struct plan_step *step;

	if (!process->terminal)
		return 0;
	if (process->console_size.set &&
	    (process->console_size.height > UINT16_MAX || process->console_size.width > UINT16_MAX))
		return err_plain(err, "process.consoleSize: %ju x %ju is beyond a terminal's 65535",
				 (uintmax_t)process->console_size.width, (uintmax_t)process->console_size.height);
	step = plan_add(b, PLAN_OPEN_CONSOLE, "process.terminal");
	step->u.console.uid = process->user.uid;
	step->u.console.bind = bind;
	if (process->console_size.set) {
		step->u.console.set_size = true;
		step->u.console.height = (uint16_t)process->console_size.height;
		step->u.console.width = (uint16_t)process->console_size.width;
	}
	return 0;
}

/* ---- program --------------------------------------------------------- */

/* execvp(3): a name with a slash as it is, else each directory of PATH; an empty
 * entry is the working directory. Without PATH, what execvp uses. */
void
program_plan_find(struct plan_builder *b, const struct spec_process *process)
{
	const char *name = process->args.items[0], *path = environment_value(&process->env, "PATH");
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

/* An empty HOME counts as none, as in other runtimes. */
static bool
finds_home(const struct spec_process *process)
{
	const char *home = environment_value(&process->env, "HOME");

	return !home || !home[0];
}

void
program_plan_find_home(struct plan_builder *b, const struct spec_process *process)
{
	if (finds_home(process))
		plan_add(b, PLAN_FIND_HOME, "process.env")->u.home.uid = process->user.uid;
}

/* What the runtime adds wins. */
static void
add_own_variables(struct environment *env, struct arena *a, const struct compile_options *options)
{
	if (options->notify_dir)
		environment_put(env, "NOTIFY_SOCKET=" NOTIFY_SOCKET_IN_CONTAINER);
	if (options->listen_fds) {
		environment_put(env, arena_printf(a, "LISTEN_FDS=%u", options->listen_fds));
		environment_remove(env, "LISTEN_PID");
	}
}

struct plan_strv
program_plan_environment(struct plan_builder *b, const struct spec_process *process,
			 const struct compile_options *options, bool *ret_find_home)
{
	struct environment env = environment_of(b->arena, &process->env, 2);

	add_own_variables(&env, b->arena, options);
	*ret_find_home = finds_home(process);
	if (*ret_find_home)
		environment_remove(&env, "HOME");
	return plan_strings(b, env.items, env.n);
}

void
program_plan_prepare_exec(struct plan_builder *b, const struct spec_process *process,
			  const struct compile_options *options)
{
	struct plan_exec e = { .keep_fds = options->keep_fds, .listen_pid = options->listen_fds > 0 };

	e.env = program_plan_environment(b, process, options, &e.find_home);
	e.args = plan_strings(b, (const char *const *)process->args.items, process->args.n);
	plan_add(b, PLAN_PREPARE_EXEC, "process")->u.exec = e;
}

void
program_plan_last(struct plan_builder *b, const struct spec_process *process)
{
	if (process->terminal)
		plan_add(b, PLAN_TAKE_TERMINAL, "process.terminal");
	credentials_plan_last(b, process);
}

int
program_plan_seccomp(struct plan_builder *b, const struct spec *spec, struct err *err, struct plan_seccomp *ret_seccomp)
{
	struct seccomp_filter f = { 0 };
	int r;

	memset(ret_seccomp, 0, sizeof(*ret_seccomp));
	if (!spec->linux_.seccomp || !spec->process)
		return 0;
	r = seccomp_check(spec->linux_.seccomp, err);
	if (r == 0)
		r = seccomp_compile(spec->linux_.seccomp, b->arena, err, &f);
	if (r < 0)
		return r;
	ret_seccomp->filter = plan_data(b, f.program, f.len);
	ret_seccomp->flags = f.flags;
	ret_seccomp->notify = f.notify;
	return 0;
}
