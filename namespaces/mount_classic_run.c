/* Mounts by mount(2), for option strings that fsconfig(2) cannot carry (more
 * than 255 bytes each): all options in one page.
 *
 * The target is named through /proc/self/fd, the /proc being the runtime's own,
 * so that it is the folder that was resolved below the root and nothing else. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "namespaces/mount_api.h"
#include "namespaces/path_in_root.h"
#include "namespaces/rootfs_run.h"

/* What mount(2) takes as bits and fsconfig(2) as names. */
static const struct {
	const char *name;
	unsigned long flag;
	bool clear;
} sb_options[] = {
	{ "ro", MS_RDONLY, false },	   { "rw", MS_RDONLY, true },	       { "sync", MS_SYNCHRONOUS, false },
	{ "async", MS_SYNCHRONOUS, true }, { "dirsync", MS_DIRSYNC, false },   { "mand", MS_MANDLOCK, false },
	{ "nomand", MS_MANDLOCK, true },   { "lazytime", MS_LAZYTIME, false }, { "nolazytime", MS_LAZYTIME, true },
};

static bool
take_flag(const char *option, unsigned long *flags)
{
	for (size_t i = 0; i < sizeof(sb_options) / sizeof(sb_options[0]); i++) {
		if (strcmp(option, sb_options[i].name) != 0)
			continue;
		if (sb_options[i].clear)
			*flags &= ~sb_options[i].flag;
		else
			*flags |= sb_options[i].flag;
		return true;
	}
	return false;
}

static int
join_options(const struct plan *p, struct plan_strv options, char *data, size_t size, unsigned long *flags)
{
	const char *o = plan_first(p, options);
	size_t len = 0;

	data[0] = '\0';
	for (uint32_t i = 0; i < options.n; i++, o = plan_next(o)) {
		if (take_flag(o, flags))
			continue;
		len += (size_t)snprintf(data + len, size - len, "%s%s", len ? "," : "", o);
		if (len >= size)
			return -E2BIG;
	}
	return 0;
}

int
mount_fs_classic(struct plan_ctx *c, const struct plan_mount_fs *m, int place_fd, int *ret_mount_fd)
{
	const char *type = rootfs_text(c->plan, m->type), *dest = rootfs_text(c->plan, m->dest);
	const char *source = plan_text(c->plan, m->source);
	struct mount_place before = { 0 }, after = { 0 };
	unsigned long flags = 0;
	char target[32], data[4096];
	auto_close int fd = -1;
	int r = join_options(c->plan, m->options, data, sizeof(data), &flags);

	if (r < 0)
		return err_set(c->err, -r, "mount '%s' on '%s': the options do not fit into one page", type, dest);
	snprintf(target, sizeof(target), "/proc/self/fd/%d", place_fd);
	r = mount_classic(source ? source : type, target, type, flags, data);
	if (r < 0)
		return err_set(c->err, -r, "mount '%s' on '%s'", type, dest);

	/* mount(2) returns no descriptor: look the place up again, and make sure
	 * that it is now another mount. */
	fd = path_open(c->fds[PLAN_FD_ROOT], dest, O_PATH | O_DIRECTORY, 0);
	r = fd < 0 ? fd : mount_place_of(fd, &after);
	if (r == 0)
		r = mount_place_of(place_fd, &before);
	if (r < 0 || before.mount_id == after.mount_id)
		return err_set(c->err, r < 0 ? -r : EBUSY, "find the mount of '%s' on '%s'", type, dest);
	*ret_mount_fd = fd_take(&fd);
	return 0;
}
