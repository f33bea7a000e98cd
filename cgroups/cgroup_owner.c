/* Theory of operation: a container whose program is to manage cgroups of its own
 * (systemd, say) needs to own its cgroup: the directory, to make others below, and
 * the few files by which processes and controllers are passed down. The limits
 * themselves stay with the runtime, so the container cannot raise them. The
 * kernel lists these files; they are a part of the contract of delegation
 * (cgroups(7)). All of it is safe only where the container sees nothing above
 * its own cgroup, hence the conditions of config-linux.md#cgroup-ownership. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "cgroups/cgroup.h"

/* path is at most followed by slashes in text. */
static bool
is_path(const char *text, const char *path)
{
	size_t n = strlen(path);

	return !strncmp(text, path, n) && !text[n + strspn(text + n, "/")];
}

bool
cgroup_is_delegated(const struct spec *spec)
{
	const struct spec_namespace *ns = &spec->linux_.namespaces[NS_CGROUP];

	if (!ns->listed || ns->path)
		return false;
	for (size_t i = 0; i < spec->n_mounts; i++) {
		const struct spec_mount *m = &spec->mounts[i];

		if (m->source && !strcmp(m->source, "cgroup") && is_path(m->destination, "/sys/fs/cgroup") &&
		    !spec_strings_have(&m->options, "ro"))
			return true;
	}
	return false;
}

int
cgroup_delegate(const struct cgroup *cg, uid_t uid, struct err *err)
{
	static const char always[] = "cgroup.procs\ncgroup.subtree_control\ncgroup.threads";
	static const char file[] = "/sys/kernel/cgroup/delegate";
	char names[1024], *save = NULL;
	ssize_t n = fd_read_small_at(AT_FDCWD, file, names, sizeof(names));

	/* No such file: before Linux 4.15, or no sysfs. */
	if (n < 0 && n != -ENOENT && n != -ENOTDIR && n != -EACCES)
		return err_set(err, (int)-n, "read '%s'", file);
	if (n <= 0)
		memcpy(names, always, sizeof(always));
	if (fchownat(cg->fd, "", uid, (gid_t)-1, AT_EMPTY_PATH) < 0)
		return err_set(err, errno, "give cgroup '%s' to user %u", cg->path, uid);
	for (char *name = strtok_r(names, "\n", &save); name; name = strtok_r(NULL, "\n", &save)) {
		if (strchr(name, '/'))
			continue;
		if (fchownat(cg->fd, name, uid, (gid_t)-1, AT_SYMLINK_NOFOLLOW) < 0 && errno != ENOENT)
			return err_set(err, errno, "give '%s' of cgroup '%s' to user %u", name, cg->path, uid);
	}
	return 0;
}

int
cgroup_make_sub(const struct cgroup *cg, const char *name, struct err *err)
{
	static const char *const files[] = { "", "cgroup.procs", "cgroup.threads", "cgroup.subtree_control" };
	auto_close int dir = -1;
	struct stat st;
	int fd;

	if (!*name || strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, "..") || strchr(name, '\n'))
		return err_plain(err, "annotation run.oci.delegate-cgroup: '%s' is not the name of a cgroup", name);
	fd = fd_make_dir_at(cg->fd, name, 0755);
	if (fd < 0 && fd != -EEXIST)
		return err_set(err, -fd, "make the cgroup '%s/%s'", cg->path, name);
	dir = openat(cg->fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0 || fstatat(cg->fd, "cgroup.procs", &st, 0) < 0)
		return err_set(err, errno, "open the cgroup '%s/%s'", cg->path, name);
	for (size_t i = 0; st.st_uid != geteuid() && i < sizeof(files) / sizeof(files[0]); i++)
		if (fchownat(dir, files[i], st.st_uid, (gid_t)-1, AT_EMPTY_PATH) < 0)
			return err_set(err, errno, "give the cgroup '%s/%s' to user %u", cg->path, name, st.st_uid);
	fd = openat(dir, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	return fd < 0 ? err_set(err, errno, "open the cgroup '%s/%s'", cg->path, name) : fd;
}
