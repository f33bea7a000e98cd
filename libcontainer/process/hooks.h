/* OCI hooks: config.md#posix-platform-hooks, runtime.md#lifecycle. */
#ifndef KNARR_LIBCONTAINER_PROCESS_HOOKS_H
#define KNARR_LIBCONTAINER_PROCESS_HOOKS_H

#include "base/err.h"
#include "oci-spec/annotations.h"
#include "oci-spec/spec.h"
#include "plan/plan.h"

/* Runs the hooks of list in order in the runtime's namespaces, in the directory
 * bundle (as runc and crun do; "/" when it is gone), with state_json on stdin (a hook
 * that does not read it is not an error) and its env, or the runtime's own when it has none.
 * name is the list's ("createRuntime"). Exit status, signal and timeout (the hook's
 * process group is killed) are errors: "hooks.poststart[1]: error running hook: '/bin/x'
 * exited with status 3".
 * init_pidfd: the container's init, at whose end the hook is killed (create: whoever
 * kills the container need not wait for its hooks); -1: none. annotations: of the config;
 * where stdout and stderr go. keep_going: log a warning for each failure and go on
 * (poststop); else stop at the first. 0 or -errno with err. */
int hooks_run(const char *name, const struct spec_hooks_list *list, const char *bundle, const char *state_json,
	      const struct spec_pairs *annotations, int init_pidfd, bool keep_going, struct err *err);

/* The file that an annotation (ANNOTATION_HOOKS_STDOUT, …) names, opened for appending and
 * made when missing: *ret_fd, the caller's; 0 when there is no such annotation. 0 or
 * -errno with err. */
int hooks_open_output(const struct spec_pairs *annotations, enum annotation annotation, struct err *err, int *ret_fd);

/* PLAN_RUN_HOOK: forks in the child (createContainer, startContainer). State on
 * stdin is state_head, the pid as the container sees it, state_tail. Waits with a
 * pidfd; allocates nothing. 0 or -errno with c->err. */
int hooks_run_step(struct plan_ctx *c, const struct plan_step *step);

#endif
