/* Attributes of the program that are not credentials: scheduler, io priority,
 * personality, memory policy, and the labels of security modules. The plan half;
 * the steps are executed by the credentials_run_*() of credentials.h. */
#ifndef KNARR_LIBCONTAINER_PROCESS_ATTRIBUTES_H
#define KNARR_LIBCONTAINER_PROCESS_ATTRIBUTES_H

#include "base/host.h"
#include "oci-spec/spec.h"
#include "plan/plan.h"

/* process.scheduler, process.ioPriority, linux.personality, linux.memoryPolicy.
 * 0 or -EINVAL with err: values that no kernel takes. */
int attributes_plan(struct plan_builder *b, const struct spec *spec, struct err *err);

/* process.apparmorProfile and selinuxLabel: take effect at execve. -EINVAL when
 * the module is not active on this host. */
int attributes_plan_labels(struct plan_builder *b, const struct spec_process *process, const struct host *host,
			   struct err *err);

/* A list of nodes or cpus ("0-3,7") as a bit mask of unsigned longs in the arena; bits: how
 * many bits it has, a multiple of those in an unsigned long. property is named in
 * errors. 0 or -EINVAL. */
int attributes_parse_list(struct arena *a, const char *property, const char *list, struct err *err,
			  unsigned long **ret_mask, uint32_t *ret_bits);

/* sched_setattr(2) of the process pid (0: the caller). 0, or -errno with err. */
int attributes_set_scheduler(const struct plan_scheduler *scheduler, pid_t pid, struct err *err);

#endif
