/* The group of resctrl of a container: from its config, and from its state. */
#ifndef KNARR_LIBCONTAINER_LAUNCH_RESCTRL_USE_H
#define KNARR_LIBCONTAINER_LAUNCH_RESCTRL_USE_H

#include "cgroups/resctrl.h"
#include "libcontainer/state/state.h"
#include "plan/plan.h"

/* linux.intelRdt: the runtime puts the process into the group before it goes on. The
 * others return 0, or -errno with err. */
void resctrl_use_plan(struct plan_builder *b, const struct spec *spec, const char *id);

/* Decides about the group of a new container and what its state is to say of it.
 * Without linux.intelRdt: nothing, ret_r->group is NULL. The caller closes
 * ret_r->root_fd. */
int resctrl_use_resolve(const struct spec *spec, const char *id, struct err *err, struct resctrl *ret_r);

/* Puts what the state has to say of resctrl into state, with memory from a. */
void resctrl_use_save(const struct resctrl *resctrl, struct arena *a, struct state *state);

/* Makes it, with its schemata. */
int resctrl_use_make(struct resctrl *resctrl, const struct spec *spec, struct err *err);

/* Of a container that could not be made: removes what resctrl_use_make() made. */
int resctrl_use_undo(struct resctrl *resctrl, struct err *err);

/* Of a container that exists: ret_r->group is NULL when it has none. -ENOENT with
 * err: resctrl is not mounted any more. The caller closes ret_r->root_fd. */
int resctrl_use_open(const struct state *state, struct err *err, struct resctrl *ret_r);

/* update: writes l3CacheSchema, memBwSchema and schemata of rdt to the group of a
 * container that exists, all or none. Without a group: an error. *ret_before: what the schemata
 * were, in a; NULL: they could not be read. */
int resctrl_use_change(const struct state *state, const struct spec_intel_rdt *rdt, struct arena *a, struct err *err,
		       const char **ret_before);

/* The schemata of before. A failure is warned about. */
void resctrl_use_put_back(const struct state *state, const char *before);

/* delete: removes its monitoring group, and the group if it was its alone. */
int resctrl_use_remove(const struct state *state, struct err *err);

#endif
