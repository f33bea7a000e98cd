/* Theory of operation: cgroup2 has one superblock, and whoever mounts it in the
 * initial cgroup namespace sets its flags for all. CRIU mounts it for a moment when
 * it restores, without any: the host then lacks nsdelegate, which keeps a container
 * from changing its own limits, and memory_recursiveprot. cgroups(7). */
#include "libcontainer/criu_cgroup2.h"

#include <errno.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "libcontainer/mountinfo.h"
#include "namespaces/mount_api.h"

const char *
criu_cgroup2_flags(struct arena *a, const char *point)
{
	struct mountinfo info;
	const char *flags = NULL;
	struct err err;

	if (!point || mountinfo_read(0, a, &err, &info) < 0)
		return NULL;
	/* Of several mounts on one place the last one is seen. */
	for (size_t i = 0; i < info.n; i++)
		if (!strcmp(info.lines[i].point, point))
			flags = strcmp(info.lines[i].type, "cgroup2") ? NULL : info.lines[i].options;
	return flags;
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
criu_cgroup2_mend(struct arena *a, const char *point, const char *flags)
{
	const char *now = flags ? criu_cgroup2_flags(a, point) : NULL;
	int r;

	if (!now || !strcmp(now, flags))
		return;
	r = set_flags(point, arena_strdup(a, flags));
	if (r < 0)
		log_warning("criu has changed the options of '%s' from '%s' to '%s', and they cannot be set again: %s",
			    point, flags, now, err_reason(-r));
}
