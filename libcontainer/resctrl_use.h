/* The group of resctrl of a container: from its config, and from its state. */
#ifndef KNARR_LIBCONTAINER_RESCTRL_USE_H
#define KNARR_LIBCONTAINER_RESCTRL_USE_H

#include "base/plan.h"
#include "cgroups/resctrl.h"
#include "libcontainer/state.h"

/* linux.intelRdt: the runtime puts the process into the group before it goes on. The
 * others return 0, or -errno with err. */
void resctrl_use_plan(struct plan_builder *b, const struct spec *s, const char *id);

/* Decides about the group of a new container and what its state is to say of it.
 * Without linux.intelRdt: nothing, ret_r->group is NULL. The caller closes
 * ret_r->root_fd. */
int resctrl_use_resolve(const struct spec *s, const char *id, struct err *err, struct resctrl *ret_r);

/* Puts what the state has to say of r into s, with memory from a. */
void resctrl_use_save(const struct resctrl *r, struct arena *a, struct state *s);

/* Makes it, with its schemata. */
int resctrl_use_make(struct resctrl *r, const struct spec *s, struct err *err);

/* Of a container that could not be made: removes what resctrl_use_make() made. */
int resctrl_use_undo(struct resctrl *r, struct err *err);

/* Of a container that exists: ret_r->group is NULL when it has none. -ENOENT with
 * err: resctrl is not mounted any more. The caller closes ret_r->root_fd. */
int resctrl_use_open(const struct state *s, struct err *err, struct resctrl *ret_r);

/* update: writes l3CacheSchema, memBwSchema and schemata of rdt to the group of a
 * container that exists. Without a group: an error. */
int resctrl_use_change(const struct state *s, const struct spec_intel_rdt *rdt, struct err *err);

/* delete: removes its monitoring group, and the group if it was its alone. */
int resctrl_use_remove(const struct state *s, struct err *err);

#endif
