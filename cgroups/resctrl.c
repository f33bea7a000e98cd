/* Theory of operation: see resctrl.h. A folder of resctrl is a class of service, or
 * below mon_groups/ a monitoring group; the kernel puts the files into it.
 *
 *   closID    schemata        the group
 *   not set   any             is called as the container, must be new, goes with it
 *   set       one or more     is made, and stays; one that exists must have them already
 *   set       none            must exist
 *
 * Names are those of one folder: the config's was checked, ids hold no slash. The
 * kernel's folders beside the groups (info, mon_groups, mon_data) are told from
 * groups by the file tasks. */
#include "cgroups/resctrl.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mountinfo.h"
#include "cgroups/resctrl_schemata.h"

#define MAX_SCHEMATA ((size_t)1024 * 1024)

/* ---- the file system --------------------------------------------------- */

int
resctrl_open_mounted(struct err *err, int *ret_fd)
{
	auto_arena struct arena a = { 0 };
	struct mountinfo mounts;
	struct statfs fs;
	int fd = -1, r = mountinfo_read(0, &a, err, &mounts);

	if (r < 0)
		return r;
	for (size_t i = 0; fd < 0 && i < mounts.n; i++) {
		if (strcmp(mounts.lines[i].type, "resctrl") != 0)
			continue;
		fd = open(mounts.lines[i].point, O_PATH | O_DIRECTORY | O_CLOEXEC);
		/* Another file system may lie over it. */
		if (fd >= 0 && (fstatfs(fd, &fs) < 0 || fs.f_type != RDTGROUP_SUPER_MAGIC))
			fd = fd_close(fd);
	}
	if (fd < 0)
		return err_set(err, ENOENT,
			       "linux.intelRdt: no resctrl is mounted (mount -t resctrl resctrl /sys/fs/resctrl, where "
			       "the processor can do it)");
	*ret_fd = fd;
	return 0;
}

/* ---- deciding ------------------------------------------------------------ */

static bool
is_default(const struct resctrl *r)
{
	return !strcmp(r->group, "/");
}

/* The folder of the group, O_PATH; -ENOENT: none; -ENOTDIR: no group. */
static int
open_group(const struct resctrl *r)
{
	int fd = openat(r->root_fd, is_default(r) ? "." : r->group, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static bool
asks_for_schemata(const struct spec_intel_rdt *rdt)
{
	const char *property;

	return resctrl_schema_line(rdt, 0, &property) != NULL;
}

static int
compare_schemata(const struct resctrl *r, int group_fd, const struct spec_intel_rdt *rdt, struct err *err)
{
	char *text;
	size_t len;
	int ret = fd_read_file_at(group_fd, "schemata", MAX_SCHEMATA, &text, &len);

	if (ret < 0)
		return err_set(err, -ret, "linux.intelRdt: read the schemata of group '%s'", r->group);
	ret = resctrl_schemata_compare(rdt, text, r->group, err);
	free(text);
	return ret;
}

/* The group exists. */
static int
check_existing(const struct resctrl *r, int group_fd, const struct spec_intel_rdt *rdt, struct err *err)
{
	if (faccessat(group_fd, "tasks", F_OK, 0) < 0)
		return err_plain(err, "linux.intelRdt.closID: '%s' is a folder of resctrl, but no group", r->group);
	if (r->own)
		return err_set(err, EEXIST, "linux.intelRdt: make the group '%s' of the container", r->group);
	return asks_for_schemata(rdt) ? compare_schemata(r, group_fd, rdt, err) : 0;
}

int
resctrl_resolve(const struct spec_intel_rdt *rdt, const char *id, int root_fd, struct err *err, struct resctrl *ret_r)
{
	struct resctrl r = {
		.root_fd = root_fd,
		.group = rdt->clos_id ? rdt->clos_id : id,
		.monitor = rdt->enable_monitoring ? id : NULL,
		.own = !rdt->clos_id,
	};
	auto_close int group = open_group(&r);
	int ret = 0;

	if (group >= 0)
		ret = check_existing(&r, group, rdt, err);
	else if (group != -ENOENT)
		ret = err_set(err, -group, "linux.intelRdt.closID: open the group '%s'", r.group);
	else if (rdt->clos_id && !asks_for_schemata(rdt))
		ret = err_set(err, ENOENT,
			      "linux.intelRdt.closID: the group '%s', which must exist when no schemata are given",
			      r.group);
	if (ret < 0)
		return ret;
	r.make = group < 0;
	*ret_r = r;
	return 0;
}

/* ---- doing ---------------------------------------------------------------- */

/* The kernel says why in words, since an errno means several things here. */
static int
command_error(const struct resctrl *r, int code, const char *what, struct err *err)
{
	char why[256];
	ssize_t n = fd_read_small_at(r->root_fd, "info/last_cmd_status", why, sizeof(why));

	if (code == ENOSPC && (n <= 0 || !strcmp(why, "ok")))
		n = snprintf(why, sizeof(why), "the processor has no more groups");
	if (n <= 0 || !strcmp(why, "ok"))
		return err_set(err, code, "%s", what);
	return err_set(err, code, "%s (%s)", what, why);
}

static int
make_group(struct resctrl *r, const struct spec_intel_rdt *rdt, struct err *err)
{
	char what[ERR_MSG_MAX / 2];
	auto_close int group = -1;

	if (!r->make)
		return 0;
	if (mkdirat(r->root_fd, r->group, 0755) == 0) {
		r->made = true;
		return 0;
	}
	if (errno != EEXIST || r->own) {
		snprintf(what, sizeof(what), "linux.intelRdt: make the group '%s'", r->group);
		return command_error(r, errno, what, err);
	}
	/* Another container with the same closID was quicker. */
	r->make = false;
	group = open_group(r);
	if (group < 0)
		return err_set(err, -group, "linux.intelRdt.closID: open the group '%s'", r->group);
	return check_existing(r, group, rdt, err);
}

int
resctrl_make(struct resctrl *r, const struct spec_intel_rdt *rdt, struct err *err)
{
	char path[512], what[ERR_MSG_MAX / 2];
	auto_close int group = -1;
	int ret = make_group(r, rdt, err);

	if (ret < 0 || !r->monitor)
		return ret;
	group = open_group(r);
	if (group < 0)
		return err_set(err, -group, "linux.intelRdt: open the group '%s'", r->group);
	snprintf(what, sizeof(what), "linux.intelRdt.enableMonitoring: make the group '%s' in mon_groups of '%s'",
		 r->monitor, r->group);
	if (snprintf(path, sizeof(path), "mon_groups/%s", r->monitor) >= (int)sizeof(path))
		return err_set(err, ENAMETOOLONG, "%s", what);
	if (mkdirat(group, path, 0755) < 0)
		return command_error(r, errno, what, err);
	r->made_monitor = true;
	return 0;
}

static int
write_line(int fd, const char *line)
{
	char text[4096];
	int len = snprintf(text, sizeof(text), "%s\n", line);
	ssize_t n;

	if (len >= (int)sizeof(text))
		return -EFBIG;
	do
		n = write(fd, text, (size_t)len);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n == len ? 0 : -EIO;
}

static int
write_schemata(const struct resctrl *r, const struct spec_intel_rdt *rdt, struct err *err)
{
	auto_close int group = -1, fd = -1;
	char what[ERR_MSG_MAX / 2];
	const char *line, *property;

	group = open_group(r);
	fd = group < 0 ? -1 : openat(group, "schemata", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, group < 0 ? -group : errno, "linux.intelRdt: open the schemata of group '%s'",
			       r->group);
	for (size_t n = 0; (line = resctrl_schema_line(rdt, n, &property)); n++) {
		int ret = write_line(fd, line);

		if (ret < 0) {
			snprintf(what, sizeof(what), "%s: write '%s' to the schemata of group '%s'", property, line,
				 r->group);
			return command_error(r, -ret, what, err);
		}
	}
	return 0;
}

int
resctrl_write_schemata(const struct resctrl *r, const struct spec_intel_rdt *rdt, struct err *err)
{
	return r->make && asks_for_schemata(rdt) ? write_schemata(r, rdt, err) : 0;
}

int
resctrl_change_schemata(const struct resctrl *r, const struct spec_intel_rdt *rdt, struct err *err)
{
	if (is_default(r))
		return err_plain(err, "linux.intelRdt: the container is in the default group of resctrl, which is not "
				      "changed for the sake of one container");
	return write_schemata(r, rdt, err);
}

int
resctrl_join(const struct resctrl *r, pid_t pid, struct err *err)
{
	char path[512] = "tasks", text[16], what[ERR_MSG_MAX / 2];
	auto_close int group = open_group(r);
	int ret = group < 0 ? group : 0;

	snprintf(text, sizeof(text), "%d\n", (int)pid);
	snprintf(what, sizeof(what), "linux.intelRdt: put process %d into the group '%s'", (int)pid, r->group);
	if (ret == 0)
		ret = fd_write_file_at(group, path, text);
	/* A monitoring group takes only members of the group that it is in. */
	if (ret == 0 && r->monitor) {
		snprintf(path, sizeof(path), "mon_groups/%s/tasks", r->monitor);
		ret = fd_write_file_at(group, path, text);
	}
	return ret < 0 ? command_error(r, -ret, what, err) : 0;
}

int
resctrl_remove(const struct resctrl *r, struct err *err)
{
	char path[512];
	auto_close int group = open_group(r);

	if (group == -ENOENT)
		return 0;
	if (group < 0)
		return err_set(err, -group, "open the group '%s' of resctrl", r->group);
	if (r->monitor && r->made_monitor) {
		snprintf(path, sizeof(path), "mon_groups/%s", r->monitor);
		if (unlinkat(group, path, AT_REMOVEDIR) < 0 && errno != ENOENT)
			return err_set(err, errno, "remove the monitoring group '%s' of resctrl", r->monitor);
	}
	if (r->own && !is_default(r) && unlinkat(r->root_fd, r->group, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return err_set(err, errno, "remove the group '%s' of resctrl", r->group);
	return 0;
}
