/* Theory of operation: in the user namespace that it restores, CRIU is no longer root
 * of the host, but still opens a few files of the image. All of them hold what
 * the container's processes could read anyway; so they belong to its root. Nobody
 * else gets at them, and root of the host as before. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "libcontainer/criu_options.h"

static bool
is_image(const char *name)
{
	size_t len = strlen(name);

	return len > 4 && !strcmp(name + len - 4, ".img");
}

/* A folder that others may search anyway stays whose it is. */
static int
give_folder(int fd, uid_t uid, gid_t gid)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_mode & S_IXOTH)
		return 0;
	return fchown(fd, uid, gid) < 0 ? -errno : 0;
}

static int
give(int folder, uid_t uid, gid_t gid)
{
	DIR *dir = fd_open_stream(folder);
	struct dirent *e;
	int r;

	if (!dir)
		return -errno;
	/* Not the caller's descriptor, which need be no more than a place. */
	r = give_folder(dirfd(dir), uid, gid);
	while (r == 0 && (e = readdir(dir)))
		if (is_image(e->d_name) && fchownat(folder, e->d_name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
			r = -errno;
	closedir(dir);
	return r;
}

int
criu_folders_give(const struct criu_folders *f, uid_t uid, gid_t gid, struct err *err)
{
	int r = uid == 0 ? 0 : give(f->image_fd, uid, gid);

	return r < 0 ? err_set(err, -r, "give the image in '%s' to uid %u, root of the container", f->image, uid) : 0;
}

/* Lines of "first id inside, first id outside, count". */
static unsigned
read_root_id(pid_t pid, const char *file)
{
	char path[64], text[4096];
	unsigned inside, outside;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	if (fd_read_small_at(AT_FDCWD, path, text, sizeof(text)) < 0)
		return 0;
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (sscanf(line, "%u %u", &inside, &outside) == 2 && inside == 0)
			return outside;
	}
	return 0;
}

void
criu_root_ids(pid_t pid, uid_t *ret_uid, gid_t *ret_gid)
{
	*ret_uid = read_root_id(pid, "uid_map");
	*ret_gid = read_root_id(pid, "gid_map");
}
