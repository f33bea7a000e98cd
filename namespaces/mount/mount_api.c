/* Each function is one syscall(2) and turns its errno into a result. */
#include "namespaces/mount/mount_api.h"

#include <errno.h>
#include <linux/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DETACH 2 /* MNT_DETACH, which only <sys/mount.h> has */

static int
result(long result)
{
	return result < 0 ? -errno : (int)result;
}

int
mount_fsopen(const char *type)
{
	return result(syscall(SYS_fsopen, type, FSOPEN_CLOEXEC));
}

int
mount_fspick(int fd)
{
	return result(syscall(SYS_fspick, fd, "", FSPICK_CLOEXEC | FSPICK_EMPTY_PATH));
}

int
mount_fsconfig(int fs_fd, unsigned cmd, const char *key, const char *value, int aux)
{
	return result(syscall(SYS_fsconfig, fs_fd, cmd, key, value, aux));
}

int
mount_fsmount(int fs_fd, unsigned attrs)
{
	return result(syscall(SYS_fsmount, fs_fd, FSMOUNT_CLOEXEC, attrs));
}

int
mount_open_tree(int dirfd, const char *path, unsigned flags)
{
	return result(syscall(SYS_open_tree, dirfd, path, flags | OPEN_TREE_CLOEXEC));
}

int
mount_move(int from_fd, int to_fd)
{
	return result(
		syscall(SYS_move_mount, from_fd, "", to_fd, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH));
}

int
mount_setattr_fd(int fd, bool recursive, const struct mount_attr *attr)
{
	unsigned flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);

	return result(syscall(SYS_mount_setattr, fd, "", flags, attr, sizeof(*attr)));
}

int
mount_open_host(const char *path, int flags)
{
	return result(openat(AT_FDCWD, path, flags | O_CLOEXEC));
}

int
mount_classic(const char *source, const char *target, const char *type, unsigned long flags, const char *data)
{
	return result(syscall(SYS_mount, source, target, type, flags, data));
}

int
mount_detach(const char *path)
{
	return result(syscall(SYS_umount2, path, DETACH));
}

int
mount_pivot_root(const char *new_root, const char *put_old)
{
	return result(syscall(SYS_pivot_root, new_root, put_old));
}

int
mount_place_of(int fd, struct mount_place *ret_place)
{
	struct statx st;

	if (syscall(SYS_statx, fd, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &st) < 0)
		return -errno;
	*ret_place = (struct mount_place){ .mount_id = st.stx_mnt_id, .inode = st.stx_ino };
	return 0;
}
