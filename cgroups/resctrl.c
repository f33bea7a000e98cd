/* A directory of resctrl is a class of service, or
 * below mon_groups/ a monitoring group; the kernel puts the files into it.
 *
 *   closID    schemata        the group
 *   not set   any             is called as the container, must be new, goes with it
 *   set       one or more     is made, and stays; one that exists must have them already
 *   set       none            must exist
 *
 * Names are those of one directory: the config's was checked, ids hold no slash. The
 * kernel's directories beside the groups (info, mon_groups, mon_data) are told from
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
#include "base/log.h"
#include "base/mountinfo.h"
#include "cgroups/resctrl_schemata.h"

#define MAX_SCHEMATA ((size_t)1024 * 1024)

/* ---- the file system --------------------------------------------------- */

/* The resctrl at point, or -errno; -ENOENT when another file system lies over it, or over a
 * directory on the way. */
static int
open_mount(const char *point)
{
	auto_close int fd = open(point, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct statfs fs;

	if (fd < 0)
		return errno == ENOTDIR ? -ENOENT : -errno;
	if (fstatfs(fd, &fs) < 0)
		return -errno;
	return fs.f_type == RDTGROUP_SUPER_MAGIC ? fd_take(&fd) : -ENOENT;
}

int
resctrl_open_mounted(struct err *err, int *ret_fd)
{
	auto_arena struct arena a = { 0 };
	struct mountinfo mounts;
	const char *point = NULL;
	int fd = -ENOENT, r = mountinfo_read(0, &a, err, &mounts);

	if (r < 0)
		return r;
	/* Bound to a second place, the first may be out of reach. */
	for (size_t i = 0; fd < 0 && i < mounts.n; i++) {
		if (strcmp(mounts.lines[i].type, "resctrl") != 0)
			continue;
		r = open_mount(mounts.lines[i].point);
		if (r != -ENOENT) {
			fd = r;
			point = mounts.lines[i].point;
		}
	}
	if (fd < 0 && fd != -ENOENT)
		return err_set(err, -fd, "linux.intelRdt: open the resctrl on '%s'", point);
	if (fd < 0)
		return err_set(err, ENOENT,
			       "linux.intelRdt: no resctrl is mounted (mount -t resctrl resctrl /sys/fs/resctrl, where "
			       "the CPU supports it)");
	*ret_fd = fd;
	return 0;
}

/* ---- deciding ------------------------------------------------------------ */

static bool
is_default(const struct resctrl *resctrl)
{
	return !strcmp(resctrl->group, "/");
}

/* The directory of the group, O_PATH; -ENOENT: none; -ENOTDIR: no group. */
static int
open_group(const struct resctrl *resctrl)
{
	int fd = openat(resctrl->root_fd, is_default(resctrl) ? "." : resctrl->group,
			O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static bool
asks_for_schemata(const struct spec_intel_rdt *rdt)
{
	const char *property;

	return resctrl_schema_line(rdt, 0, &property) != NULL;
}

static int
compare_schemata(const struct resctrl *resctrl, int group_fd, const struct spec_intel_rdt *rdt, struct err *err)
{
	char *text;
	size_t len;
	int ret = fd_read_file_at(group_fd, "schemata", MAX_SCHEMATA, &text, &len);

	if (ret < 0)
		return err_set(err, -ret, "linux.intelRdt: read the schemata of group '%s'", resctrl->group);
	ret = resctrl_schemata_compare(rdt, text, resctrl->group, err);
	free(text);
	return ret;
}

/* The group exists. */
static int
check_existing(const struct resctrl *resctrl, int group_fd, const struct spec_intel_rdt *rdt, struct err *err)
{
	if (faccessat(group_fd, "tasks", F_OK, 0) < 0)
		return err_plain(err, "linux.intelRdt.closID: '%s' is a directory of resctrl, but not a group",
				 resctrl->group);
	if (resctrl->own)
		return err_set(err, EEXIST, "linux.intelRdt: make the group '%s' of the container", resctrl->group);
	return asks_for_schemata(rdt) ? compare_schemata(resctrl, group_fd, rdt, err) : 0;
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
command_error(const struct resctrl *resctrl, int code, const char *what, struct err *err)
{
	char why[256];
	ssize_t n = fd_read_small_at(resctrl->root_fd, "info/last_cmd_status", why, sizeof(why));

	if (code == ENOSPC && (n <= 0 || !strcmp(why, "ok")))
		n = snprintf(why, sizeof(why), "the CPU has no more groups");
	if (n <= 0 || !strcmp(why, "ok"))
		return err_set(err, code, "%s", what);
	return err_set(err, code, "%s (%s)", what, why);
}

static int
make_group(struct resctrl *resctrl, const struct spec_intel_rdt *rdt, struct err *err)
{
	char what[ERR_MSG_MAX / 2];
	auto_close int group = -1;
	int ret;

	if (!resctrl->make)
		return 0;
	ret = fd_make_dir_at(resctrl->root_fd, resctrl->group, 0755);
	if (ret == 0) {
		resctrl->made = true;
		return 0;
	}
	if (ret != -EEXIST || resctrl->own) {
		snprintf(what, sizeof(what), "linux.intelRdt: make the group '%s'", resctrl->group);
		return command_error(resctrl, -ret, what, err);
	}
	/* Another container with the same closID was quicker. */
	resctrl->make = false;
	group = open_group(resctrl);
	if (group < 0)
		return err_set(err, -group, "linux.intelRdt.closID: open the group '%s'", resctrl->group);
	return check_existing(resctrl, group, rdt, err);
}

int
resctrl_make(struct resctrl *resctrl, const struct spec_intel_rdt *rdt, struct err *err)
{
	char path[512], what[ERR_MSG_MAX / 2];
	auto_close int group = -1;
	int ret = make_group(resctrl, rdt, err);

	if (ret < 0 || !resctrl->monitor)
		return ret;
	group = open_group(resctrl);
	if (group < 0)
		return err_set(err, -group, "linux.intelRdt: open the group '%s'", resctrl->group);
	snprintf(what, sizeof(what), "linux.intelRdt.enableMonitoring: make the group '%s' in mon_groups of '%s'",
		 resctrl->monitor, resctrl->group);
	if (snprintf(path, sizeof(path), "mon_groups/%s", resctrl->monitor) >= (int)sizeof(path))
		return err_set(err, ENAMETOOLONG, "%s", what);
	ret = fd_make_dir_at(group, path, 0755);
	if (ret < 0)
		return command_error(resctrl, -ret, what, err);
	resctrl->made_monitor = true;
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
write_schemata(const struct resctrl *resctrl, const struct spec_intel_rdt *rdt, struct err *err)
{
	auto_close int group = -1, fd = -1;
	char what[ERR_MSG_MAX / 2];
	const char *line, *property;

	group = open_group(resctrl);
	fd = group < 0 ? -1 : openat(group, "schemata", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, group < 0 ? -group : errno, "linux.intelRdt: open the schemata of group '%s'",
			       resctrl->group);
	for (size_t n = 0; (line = resctrl_schema_line(rdt, n, &property)); n++) {
		int ret = write_line(fd, line);

		if (ret < 0) {
			snprintf(what, sizeof(what), "%s: write '%s' to the schemata of group '%s'", property, line,
				 resctrl->group);
			return command_error(resctrl, -ret, what, err);
		}
	}
	return 0;
}

int
resctrl_write_schemata(const struct resctrl *resctrl, const struct spec_intel_rdt *rdt, struct err *err)
{
	return resctrl->make && asks_for_schemata(rdt) ? write_schemata(resctrl, rdt, err) : 0;
}

static const char *
read_schemata(const struct resctrl *resctrl, struct arena *a)
{
	auto_close int group = open_group(resctrl);
	char *data, *text;
	size_t len;

	if (group < 0 || fd_read_file_at(group, "schemata", MAX_SCHEMATA, &data, &len) < 0)
		return NULL;
	text = arena_strndup(a, data, len);
	free(data);
	return text;
}

void
resctrl_put_schemata_back(const struct resctrl *resctrl, const char *before)
{
	auto_arena struct arena a = { 0 };
	auto_close int group = open_group(resctrl);
	auto_close int fd = group < 0 ? group : openat(group, "schemata", O_WRONLY | O_CLOEXEC);
	char *save = NULL;

	for (char *line = strtok_r(arena_strdup(&a, before), "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		int r = fd < 0 ? -EBADF : write_line(fd, line);

		if (r < 0)
			log_warning("put '%s' back into the schemata of group '%s': %s", line, resctrl->group,
				    err_reason(-r));
	}
}

int
resctrl_change_schemata(const struct resctrl *resctrl, const struct spec_intel_rdt *rdt, struct arena *a,
			struct err *err, const char **ret_before)
{
	const char *before;
	int r;

	if (is_default(resctrl))
		return err_plain(err, "linux.intelRdt: the container is in the default group of resctrl, which is not "
				      "changed for one container");
	before = read_schemata(resctrl, a);
	r = write_schemata(resctrl, rdt, err);
	if (r == 0)
		*ret_before = before;
	else if (before)
		resctrl_put_schemata_back(resctrl, before);
	return r;
}

int
resctrl_join(const struct resctrl *resctrl, pid_t pid, struct err *err)
{
	char path[512] = "tasks", text[16], what[ERR_MSG_MAX / 2];
	auto_close int group = open_group(resctrl);
	int ret = group < 0 ? group : 0;

	snprintf(text, sizeof(text), "%d\n", (int)pid);
	snprintf(what, sizeof(what), "linux.intelRdt: put process %d into the group '%s'", (int)pid, resctrl->group);
	if (ret == 0)
		ret = fd_write_file_at(group, path, text);
	/* A monitoring group takes only members of the group that it is in. */
	if (ret == 0 && resctrl->monitor) {
		snprintf(path, sizeof(path), "mon_groups/%s/tasks", resctrl->monitor);
		ret = fd_write_file_at(group, path, text);
	}
	return ret < 0 ? command_error(resctrl, -ret, what, err) : 0;
}

int
resctrl_remove(const struct resctrl *resctrl, struct err *err)
{
	char path[512];
	auto_close int group = open_group(resctrl);

	if (group == -ENOENT)
		return 0;
	if (group < 0)
		return err_set(err, -group, "open the group '%s' of resctrl", resctrl->group);
	if (resctrl->monitor && resctrl->made_monitor) {
		snprintf(path, sizeof(path), "mon_groups/%s", resctrl->monitor);
		if (unlinkat(group, path, AT_REMOVEDIR) < 0 && errno != ENOENT)
			return err_set(err, errno, "remove the monitoring group '%s' of resctrl", resctrl->monitor);
	}
	if (resctrl->own && !is_default(resctrl) && unlinkat(resctrl->root_fd, resctrl->group, AT_REMOVEDIR) < 0 &&
	    errno != ENOENT)
		return err_set(err, errno, "remove the group '%s' of resctrl", resctrl->group);
	return 0;
}
