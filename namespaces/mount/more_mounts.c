/* Theory of operation: mounts of a container that runs already. Adding is the part
 * of rootfs_plan.c that is about mounts[], run by a process that entered the
 * container. Removing is umount2(2), which knows only paths: the place is opened
 * below the root as every other path, and then named through the process's own
 * descriptors in the host's procfs. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "namespaces/mount/mount_api.h"
#include "namespaces/mount/path_in_root.h"
#include "namespaces/mount/path_text.h"
#include "namespaces/mount/rootfs_planner.h"
#include "namespaces/mount/rootfs_run.h"

/* ---- planning ---------------------------------------------------------- */

static int
check_simple(const struct rootfs_planner *planner, size_t index, const char *dest)
{
	const struct spec_mount *m = &planner->s->mounts[index];

	if (!strcmp(dest, "/"))
		return err_plain(planner->err,
				 "mounts[%zu].destination: the root of a running container cannot be changed", index);
	if (spec_strings_have(&m->options, "bind") || spec_strings_have(&m->options, "rbind"))
		return 0;
	if (m->type && (!strcmp(m->type, "tmpfs") || !strcmp(m->type, "bind")))
		return 0;
	return err_plain(planner->err,
			 "mounts[%zu].type: only bind mounts and tmpfs can be added to a running container%s%s%s",
			 index, m->type ? ", not '" : "", m->type ? m->type : "", m->type ? "'" : "");
}

int
mount_plan_more(struct plan_builder *b, const struct spec *spec, const struct host *host,
		const struct rootfs_options *options, struct err *err)
{
	const struct rootfs_planner p = { .b = b, .s = spec, .h = host, .o = options, .err = err };

	for (size_t i = 0; i < spec->n_mounts; i++) {
		int r = check_simple(&p, i, path_clean(b->arena, spec->mounts[i].destination));

		if (r == 0)
			r = mount_plan(&p, i);
		if (r < 0)
			return r;
	}
	return mount_plan_late_readonly(&p);
}

int
mount_plan_fewer(struct plan_builder *b, const struct spec *spec, struct err *err)
{
	for (size_t i = spec->n_mounts; i-- > 0;) {
		const char *dest = path_clean(b->arena, spec->mounts[i].destination);

		/* Below there are masks that keep things of the host hidden. */
		if (!strcmp(dest, "/") || path_is_in(dest, "/proc") || path_is_in(dest, "/sys"))
			return err_plain(err,
					 "mounts[%zu].destination: '%s' cannot be removed while the container runs", i,
					 dest);
		plan_add(b, PLAN_UNMOUNT, "mounts[%zu]", i)->u.path.path = plan_string(b, dest);
	}
	return 0;
}

/* ---- in the container -------------------------------------------------- */

int
mount_run_unmount(struct plan_ctx *c, const struct plan_step *step)
{
	const char *dest = rootfs_text(c->plan, step->u.path.path);
	auto_close int place = path_open(c->fds[PLAN_FD_ROOT], dest, O_PATH | O_NOFOLLOW, 0);
	char number[16];
	int r;

	if (place < 0)
		return err_set(c->err, -place, "unmount '%s'", dest);
	snprintf(number, sizeof(number), "%d", place);
	if (fchdir(c->fds[PLAN_FD_PROC]) < 0)
		return err_set(c->err, errno, "unmount '%s': enter the directory of descriptors", dest);
	r = mount_detach(number);
	if (r < 0)
		return err_set(c->err, -r, "unmount '%s'%s", dest, r == -EINVAL ? " (it is not a mount point)" : "");
	return 0;
}
