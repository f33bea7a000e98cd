/* Runs in the parent, before the clone:
 * a tree opened here can still be mounted by an init that could not reach its
 * source, and its ids can be mapped only by who rules its file system. */
#include "namespaces/mount/mount_sources.h"

#include <errno.h>

#include "base/fd.h"
#include "namespaces/mount/device_sources.h"
#include "namespaces/mount/mount_api.h"
#include "namespaces/mount/mount_idmap.h"

static int
open_source(const struct plan *plan, const struct plan_source *src, struct err *err)
{
	const char *path = plan_text(plan, src->path);
	unsigned flags = OPEN_TREE_CLONE;
	int fd;

	if (src->recursive)
		flags |= AT_RECURSIVE;
	if (src->nofollow)
		flags |= AT_SYMLINK_NOFOLLOW;
	fd = mount_open_tree(AT_FDCWD, path, flags);
	if (fd < 0)
		return err_set(err, -fd, "%s: open '%s' to mount it", plan_text(plan, src->what), path);
	return fd;
}

static const char *
idmap_hint(int code)
{
	switch (code) {
	case EINVAL:
		return " (this file system, or one mounted below it, cannot have mapped ids on this kernel)";
	case EPERM:
		return " (its ids are mapped already, or its file system belongs to another user namespace)";
	case ENOSYS:
		return " (it needs Linux 5.12)";
	}
	return "";
}

static int
map_ids(const struct plan *plan, const struct plan_source *src, int tree_fd, int userns_fd, struct err *err)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)userns_fd };
	int r = mount_setattr_fd(tree_fd, src->idmap.recursive, &attr);

	if (r < 0)
		return err_set(err, -r, "%s: map the ids of '%s'%s", plan_text(plan, src->what),
			       plan_text(plan, src->path), idmap_hint(-r));
	return 0;
}

/* Sources with the same maps come one after the other as a rule: the namespace
 * of the last one is kept. */
static int
open_maps(const struct plan *plan, const struct plan_source *src, const struct plan_source **last, int *userns_fd,
	  struct err *err)
{
	int fd;

	if (*last && mount_idmap_is_same(plan, &(*last)->idmap, &src->idmap))
		return 0;
	fd = mount_idmap_open(plan, &src->idmap, err);
	if (fd < 0)
		return err_wrap(err, "%s", plan_text(plan, src->what));
	fd_close(*userns_fd);
	*userns_fd = fd;
	*last = src;
	return 0;
}

static bool
has_devices(const struct plan *plan)
{
	for (uint32_t i = 0; i < plan->n_sources; i++)
		if (plan->sources[i].device.mode)
			return true;
	return false;
}

int
mount_sources_open(const struct plan *plan, int *fds, struct err *err)
{
	const struct plan_source *last = NULL;
	auto_close int userns_fd = -1;

	if (has_devices(plan)) {
		int r = device_sources_make(plan, fds, err);

		if (r < 0)
			return r;
	}
	for (uint32_t i = 0; i < plan->n_sources; i++) {
		const struct plan_source *src = &plan->sources[i];
		int fd, r = 0;

		if (src->device.mode)
			continue;
		fd = open_source(plan, src, err);
		if (fd < 0)
			return fd;
		fds[src->slot] = fd;
		if (src->idmap.mapped)
			r = open_maps(plan, src, &last, &userns_fd, err);
		if (r == 0 && src->idmap.mapped)
			r = map_ids(plan, src, fd, userns_fd, err);
		if (r < 0)
			return r;
	}
	return 0;
}

void
mount_sources_close(const struct plan *plan, int *fds)
{
	for (uint32_t i = 0; i < plan->n_sources; i++)
		fds[plan->sources[i].slot] = fd_close(fds[plan->sources[i].slot]);
}
