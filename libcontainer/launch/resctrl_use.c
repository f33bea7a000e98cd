/* What must be removed later is in the state
 * before it is made, like all else; a group that others may use as well is only
 * taken back when its container could not be made. */
#include "libcontainer/launch/resctrl_use.h"

#include <errno.h>

#include "base/fd.h"
#include "base/log.h"

void
resctrl_use_plan(struct plan_builder *b, const struct spec *spec, const char *id)
{
	const struct spec_intel_rdt *rdt = spec->linux_.intel_rdt;

	if (!rdt)
		return;
	b->spawn.resctrl = plan_string(b, rdt->clos_id ? rdt->clos_id : id);
	b->spawn.resctrl_monitors = rdt->enable_monitoring;
}

int
resctrl_use_resolve(const struct spec *spec, const char *id, struct err *err, struct resctrl *ret_r)
{
	struct resctrl none = { .root_fd = -1 };
	auto_close int root = -1;
	int r = 0;

	*ret_r = none;
	if (!spec->linux_.intel_rdt)
		return 0;
	r = resctrl_open_mounted(err, &root);
	if (r == 0)
		r = resctrl_resolve(spec->linux_.intel_rdt, id, root, err, ret_r);
	if (r == 0)
		ret_r->root_fd = fd_take(&root);
	return r;
}

void
resctrl_use_save(const struct resctrl *resctrl, struct arena *a, struct state *state)
{
	if (!resctrl->group)
		return;
	state->resctrl_group = arena_strdup(a, resctrl->group);
	state->resctrl_own = resctrl->own;
	state->resctrl_monitor = resctrl->monitor != NULL;
}

int
resctrl_use_make(struct resctrl *resctrl, const struct spec *spec, struct err *err)
{
	int ret;

	if (!resctrl->group)
		return 0;
	ret = resctrl_make(resctrl, spec->linux_.intel_rdt, err);
	return ret < 0 ? ret : resctrl_write_schemata(resctrl, spec->linux_.intel_rdt, err);
}

int
resctrl_use_undo(struct resctrl *resctrl, struct err *err)
{
	if (!resctrl->group)
		return 0;
	resctrl->own = resctrl->made;
	return resctrl_remove(resctrl, err);
}

int
resctrl_use_open(const struct state *state, struct err *err, struct resctrl *ret_r)
{
	struct resctrl r = {
		.root_fd = -1,
		.group = state->resctrl_group,
		.monitor = state->resctrl_monitor ? state->id : NULL,
		.own = state->resctrl_own,
		.made_monitor = state->resctrl_monitor,
	};
	int ret = r.group ? resctrl_open_mounted(err, &r.root_fd) : 0;

	if (ret == 0)
		*ret_r = r;
	return ret;
}

int
resctrl_use_change(const struct state *state, const struct spec_intel_rdt *rdt, struct arena *a, struct err *err,
		   const char **ret_before)
{
	struct resctrl r = { .root_fd = -1 };
	int ret = 0;

	if (!state->resctrl_group)
		return err_plain(err,
				 "linux.intelRdt: container \"%s\" has no resctrl group, because its config has no "
				 "linux.intelRdt",
				 state->id);
	ret = resctrl_use_open(state, err, &r);
	if (ret == 0)
		ret = resctrl_change_schemata(&r, rdt, a, err, ret_before);
	fd_close(r.root_fd);
	return ret;
}

void
resctrl_use_put_back(const struct state *state, const char *before)
{
	struct resctrl r = { .root_fd = -1 };
	char text[ERR_MSG_MAX + 128];
	struct err err;

	err_clear(&err);
	if (resctrl_use_open(state, &err, &r) < 0)
		log_warning("put the schemata back: %s", err_format(&err, text, sizeof(text)));
	else
		resctrl_put_schemata_back(&r, before);
	fd_close(r.root_fd);
}

int
resctrl_use_remove(const struct state *state, struct err *err)
{
	struct resctrl r = { .root_fd = -1 };
	int ret = resctrl_use_open(state, err, &r);

	if (ret == -ENOENT) { /* unmounted: its groups went with it */
		err_clear(err);
		return 0;
	}
	if (ret == 0 && r.group)
		ret = resctrl_remove(&r, err);
	fd_close(r.root_fd);
	return ret;
}
