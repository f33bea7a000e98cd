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
#include "namespaces/mount_api.h"
#include "namespaces/path_in_root.h"
#include "namespaces/path_text.h"
#include "namespaces/rootfs_planner.h"
#include "namespaces/rootfs_run.h"

/* ---- planning ---------------------------------------------------------- */

static int
check_simple(const struct rootfs_planner *p, size_t index, const char *dest)
{
	const struct spec_mount *m = &p->s->mounts[index];

	if (!strcmp(dest, "/"))
		return err_plain(p->err, "mounts[%zu].destination: the root of a container that runs stays as it is",
				 index);
	if (spec_strings_have(&m->options, "bind") || spec_strings_have(&m->options, "rbind"))
		return 0;
	if (m->type && (!strcmp(m->type, "tmpfs") || !strcmp(m->type, "bind")))
		return 0;
	return err_plain(p->err,
			 "mounts[%zu].type: only bind mounts and tmpfs can be added to a container that runs%s%s%s",
			 index, m->type ? ", not '" : "", m->type ? m->type : "", m->type ? "'" : "");
}

int
rootfs_plan_more_mounts(struct plan_builder *b, const struct spec *s, const struct host *h,
			const struct rootfs_options *o, struct err *err)
{
	const struct rootfs_planner p = { .b = b, .s = s, .h = h, .o = o, .err = err };

	for (size_t i = 0; i < s->n_mounts; i++) {
		int r = check_simple(&p, i, path_clean(b->arena, s->mounts[i].destination));

		if (r == 0)
			r = mount_plan(&p, i);
		if (r < 0)
			return r;
	}
	return mount_plan_late_readonly(&p);
}

int
rootfs_plan_fewer_mounts(struct plan_builder *b, const struct spec *s, struct err *err)
{
	for (size_t i = s->n_mounts; i-- > 0;) {
		const char *dest = path_clean(b->arena, s->mounts[i].destination);

		/* Below there are masks that keep things of the host hidden. */
		if (!strcmp(dest, "/") || path_is_in(dest, "/proc") || path_is_in(dest, "/sys"))
			return err_plain(err, "mounts[%zu].destination: '%s' stays as long as the container runs", i,
					 dest);
		plan_add(b, PLAN_UNMOUNT, "mounts[%zu]", i)->u.path.path = plan_string(b, dest);
	}
	return 0;
}

/* ---- in the container -------------------------------------------------- */

int
rootfs_run_unmount(struct plan_ctx *c, const struct plan_step *s)
{
	const char *dest = rootfs_text(c->plan, s->u.path.path);
	auto_close int place = path_open(c->fds[PLAN_FD_ROOT], dest, O_PATH | O_NOFOLLOW, 0);
	char number[16];
	int r;

	if (place < 0)
		return err_set(c->err, -place, "unmount '%s'", dest);
	snprintf(number, sizeof(number), "%d", place);
	if (fchdir(c->fds[PLAN_FD_PROC]) < 0)
		return err_set(c->err, errno, "unmount '%s': enter the folder of descriptors", dest);
	r = mount_detach(number);
	if (r < 0)
		return err_set(c->err, -r, "unmount '%s'%s", dest, r == -EINVAL ? " (it is not a mount point)" : "");
	return 0;
}
