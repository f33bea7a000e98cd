/* The pieces of a plan that lead to execve, which a container's init and the
 * processes of `exec` have in common. stage/program.c has the executors of the same
 * names. Internal to compile.c and compile_exec.c. */
#ifndef KNARR_LIBCONTAINER_LAUNCH_PROGRAM_PLAN_H
#define KNARR_LIBCONTAINER_LAUNCH_PROGRAM_PLAN_H

#include "libcontainer/launch/compile.h"

/* OPEN_CONSOLE when the process has a terminal. bind: on /dev/console too. 0, or -EINVAL
 * with err. */
int program_plan_console(struct plan_builder *b, const struct spec_process *process, bool bind, struct err *err);

/* FIND_PROGRAM for process.args[0]. */
void program_plan_find(struct plan_builder *b, const struct spec_process *process);

/* FIND_HOME when the environment has no HOME: before the change of ids. */
void program_plan_find_home(struct plan_builder *b, const struct spec_process *process);

/* The program's environment; *ret_find_home: with the HOME that FIND_HOME finds. */
struct plan_strv program_plan_environment(struct plan_builder *b, const struct spec_process *process,
					  const struct compile_options *options, bool *ret_find_home);

/* PREPARE_EXEC: arguments and environment. */
void program_plan_prepare_exec(struct plan_builder *b, const struct spec_process *process,
			       const struct compile_options *options);

/* What only the process itself can do: TAKE_TERMINAL, and limits that would have kept it from
 * being made. */
void program_plan_last(struct plan_builder *b, const struct spec_process *process);

/* linux.seccomp as what LOAD_SECCOMP takes; filter.len 0: the config has none. 0 or
 * -errno with err. */
int program_plan_seccomp(struct plan_builder *b, const struct spec *spec, struct err *err,
			 struct plan_seccomp *ret_seccomp);

#endif
