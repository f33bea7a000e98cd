/* Theory of operation: cgroup2 has one superblock, and whoever mounts it in the
 * initial cgroup namespace sets its flags for all. CRIU mounts it for a moment when
 * it dumps and when it restores, without any: the host then lacks nsdelegate, which
 * keeps a container from changing its own limits, and memory_recursiveprot. cgroups(7). */
#include "libcontainer/checkpoint/criu_cgroup2.h"

#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mountinfo.h"
#include "namespaces/mount/mount_api.h"

/* The first one is that of the system. */
struct criu_cgroup2
criu_cgroup2_save(struct arena *a)
{
	struct mountinfo info;
	struct err err;

	if (mountinfo_read(0, a, &err, &info) < 0)
		return (struct criu_cgroup2){ NULL, NULL };
	for (size_t i = 0; i < info.n; i++)
		if (!strcmp(info.lines[i].type, "cgroup2"))
			return (struct criu_cgroup2){ info.lines[i].point, info.lines[i].options };
	return (struct criu_cgroup2){ NULL, NULL };
}

/* flags is cut into its words. */
static int
set_flags(const char *point, char *flags)
{
	auto_close int root = mount_open_host(point, O_PATH | O_DIRECTORY);
	auto_close int fs = root < 0 ? root : mount_fspick(root);
	char *flag;
	int r;

	if (fs < 0)
		return fs;
	while ((flag = strsep(&flags, ","))) {
		if (!strcmp(flag, "rw") || !strcmp(flag, "ro"))
			continue;
		r = mount_fsconfig(fs, FSCONFIG_SET_FLAG, flag, NULL, 0);
		if (r < 0)
			return r;
	}
	return mount_fsconfig(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0);
}

void
criu_cgroup2_mend(struct arena *a, const struct criu_cgroup2 *saved)
{
	struct criu_cgroup2 now = criu_cgroup2_save(a);
	int r;

	if (!saved->point || !now.point || strcmp(now.point, saved->point) || !strcmp(now.flags, saved->flags))
		return;
	r = set_flags(saved->point, arena_strdup(a, saved->flags));
	if (r < 0)
		log_warning("criu has changed the options of '%s' from '%s' to '%s', and they cannot be set again: %s",
			    saved->point, saved->flags, now.flags, err_reason(-r));
}
