/* The pieces of a plan that lead to execve, which a container's init and the
 * processes of `exec` have in common. Internal to compile*.c. */
#ifndef KNARR_LIBCONTAINER_COMPILE_PROCESS_H
#define KNARR_LIBCONTAINER_COMPILE_PROCESS_H

#include "libcontainer/compile.h"

/* OPEN_CONSOLE when the process has a terminal. bind: on /dev/console too. 0, or -EINVAL
 * with err. */
int compile_console(struct plan_builder *b, const struct spec_process *p, bool bind, struct err *err);

/* FIND_PROGRAM for process.args[0]. */
void compile_program(struct plan_builder *b, const struct spec_process *p);

/* PREPARE_EXEC: arguments and environment. */
void compile_vectors(struct plan_builder *b, const struct spec_process *p, const struct compile_options *o);

/* linux.seccomp as what LOAD_SECCOMP takes; filter.len 0: the config has none.
 * cache_dir: see seccomp_compile(). 0 or -errno with err. */
int compile_seccomp(struct plan_builder *b, const struct spec *s, const char *cache_dir, struct err *err,
		    struct plan_seccomp *ret_seccomp);

#endif
