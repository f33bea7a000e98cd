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
#include "base/proc_text.h"
#include "libcontainer/checkpoint/criu_options.h"

static bool
is_image(const char *name)
{
	size_t len = strlen(name);

	return len > 4 && !strcmp(name + len - 4, ".img");
}

/* A directory that others may search anyway stays whose it is. */
static int
give_directory(int fd, uid_t uid, gid_t gid)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_mode & S_IXOTH)
		return 0;
	return fchown(fd, uid, gid) < 0 ? -errno : 0;
}

static int
give(int directory, uid_t uid, gid_t gid)
{
	DIR *dir = fd_open_stream(directory);
	struct dirent *e;
	int r;

	if (!dir)
		return -errno;
	/* Not the caller's descriptor, which need be no more than a place. */
	r = give_directory(dirfd(dir), uid, gid);
	while (r == 0 && (e = readdir(dir)))
		if (is_image(e->d_name) && fchownat(directory, e->d_name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
			r = -errno;
	closedir(dir);
	return r;
}

int
criu_directories_give(const struct criu_directories *directories, uid_t uid, gid_t gid, struct err *err)
{
	int r = uid == 0 ? 0 : give(directories->image_fd, uid, gid);

	return r < 0 ? err_set(err, -r, "give the image in '%s' to uid %u, root of the container", directories->image,
			       uid)
		     : 0;
}

static unsigned
read_root_id(pid_t pid, const char *file)
{
	char path[64], text[4096];
	uint32_t outside;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	if (fd_read_small_at(AT_FDCWD, path, text, sizeof(text)) < 0)
		return 0;
	return proc_map_id(text, 0, &outside) ? outside : 0;
}

void
criu_root_ids(pid_t pid, uid_t *ret_uid, gid_t *ret_gid)
{
	*ret_uid = read_root_id(pid, "uid_map");
	*ret_gid = read_root_id(pid, "gid_map");
}
