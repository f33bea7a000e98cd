/* Theory of operation: see resctrl_use.h. What must be removed later is in the state
 * before it is made, like all else; a group that others may use as well is only
 * taken back when its container could not be made. */
#include "libcontainer/resctrl_use.h"

#include <errno.h>

#include "base/fd.h"

void
resctrl_use_plan(struct plan_builder *b, const struct spec *s, const char *id)
{
	const struct spec_intel_rdt *rdt = s->linux_.intel_rdt;

	if (!rdt)
		return;
	b->stage.resctrl = plan_string(b, rdt->clos_id ? rdt->clos_id : id);
	b->stage.resctrl_monitors = rdt->enable_monitoring;
}

int
resctrl_use_resolve(const struct spec *s, const char *id, struct err *err, struct resctrl *ret_r)
{
	struct resctrl none = { .root_fd = -1 };
	auto_close int root = -1;
	int r = 0;

	*ret_r = none;
	if (!s->linux_.intel_rdt)
		return 0;
	r = resctrl_open_mounted(err, &root);
	if (r == 0)
		r = resctrl_resolve(s->linux_.intel_rdt, id, root, err, ret_r);
	if (r == 0)
		ret_r->root_fd = fd_take(&root);
	return r;
}

void
resctrl_use_save(const struct resctrl *r, struct arena *a, struct state *s)
{
	if (!r->group)
		return;
	s->resctrl_group = arena_strdup(a, r->group);
	s->resctrl_own = r->own;
	s->resctrl_monitor = r->monitor != NULL;
}

int
resctrl_use_make(struct resctrl *r, const struct spec *s, struct err *err)
{
	int ret;

	if (!r->group)
		return 0;
	ret = resctrl_make(r, s->linux_.intel_rdt, err);
	return ret < 0 ? ret : resctrl_write_schemata(r, s->linux_.intel_rdt, err);
}

int
resctrl_use_undo(struct resctrl *r, struct err *err)
{
	if (!r->group)
		return 0;
	r->own = r->made;
	return resctrl_remove(r, err);
}

int
resctrl_use_open(const struct state *s, struct err *err, struct resctrl *ret_r)
{
	struct resctrl r = {
		.root_fd = -1,
		.group = s->resctrl_group,
		.monitor = s->resctrl_monitor ? s->id : NULL,
		.own = s->resctrl_own,
		.made_monitor = s->resctrl_monitor,
	};
	int ret = r.group ? resctrl_open_mounted(err, &r.root_fd) : 0;

	if (ret == 0)
		*ret_r = r;
	return ret;
}

int
resctrl_use_change(const struct state *s, const struct spec_intel_rdt *rdt, struct err *err)
{
	struct resctrl r = { .root_fd = -1 };
	int ret = 0;

	if (!s->resctrl_group)
		return err_plain(err,
				 "linux.intelRdt: container \"%s\" has no group of resctrl, for its config has no "
				 "linux.intelRdt",
				 s->id);
	ret = resctrl_use_open(s, err, &r);
	if (ret == 0)
		ret = resctrl_change_schemata(&r, rdt, err);
	fd_close(r.root_fd);
	return ret;
}

int
resctrl_use_remove(const struct state *s, struct err *err)
{
	struct resctrl r = { .root_fd = -1 };
	int ret = resctrl_use_open(s, err, &r);

	if (ret == -ENOENT) { /* unmounted: its groups went with it */
		err_clear(err);
		return 0;
	}
	if (ret == 0 && r.group)
		ret = resctrl_remove(&r, err);
	fd_close(r.root_fd);
	return ret;
}
