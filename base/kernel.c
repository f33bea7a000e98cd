/* Theory of operation: a kernel that is too old answers ENOSYS, and so does a seccomp
 * profile around knarr that does not know newer calls, or EPERM (Docker's before
 * 20.10.10), which the kernel never says to these arguments. There is no other way
 * that is as safe to do what these calls do, and a container that fails half-way
 * would say something about a mount and not about the kernel. So each is called
 * once before anything is made, with arguments that cannot mean anything (no
 * descriptor, no memory, size 0); any other answer shows that it is there.
 * One round costs about two microseconds.
 *
 * Calls that knarr can do without are not here: fd_close_range() has another
 * way, and so have the kill of a cgroup (cgroup_procs.c), seccomp's notification
 * flags and layers of an overlay, which are asked for where they are used. */
#include "base/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fd_range.h"

static const struct {
	long number;
	const char *name;
	unsigned major, minor;
	enum kernel_need since; /* for this need and those above it */
	bool asks_first;	/* it says EPERM to whoever may not mount */
} calls[] = {
	{ SYS_pidfd_send_signal, "pidfd_send_signal", 5, 1, KERNEL_PROCESSES, false },
	{ SYS_pidfd_open, "pidfd_open", 5, 3, KERNEL_PROCESSES, false },
	{ SYS_open_tree, "open_tree", 5, 2, KERNEL_CONTAINERS, false },
	{ SYS_move_mount, "move_mount", 5, 2, KERNEL_CONTAINERS, true },
	{ SYS_fsopen, "fsopen", 5, 2, KERNEL_CONTAINERS, true },
	{ SYS_fsconfig, "fsconfig", 5, 2, KERNEL_CONTAINERS, false },
	{ SYS_fspick, "fspick", 5, 2, KERNEL_CONTAINERS, true },
	{ SYS_fsmount, "fsmount", 5, 2, KERNEL_CONTAINERS, true },
	{ SYS_openat2, "openat2", 5, 6, KERNEL_CONTAINERS, false },
	{ SYS_pidfd_getfd, "pidfd_getfd", 5, 6, KERNEL_CONTAINERS, false },
	{ SYS_clone3, "clone3", 5, 7, KERNEL_CONTAINERS, false }, /* 5.3; into a cgroup 5.7 */
	{ SYS_mount_setattr, "mount_setattr", 5, 12, KERNEL_CONTAINERS, false },
};

/* Whether the process may mount at all, which the kernel asks before it looks at the
 * arguments of those calls: then EPERM is not its answer. */
static bool
may_mount(void)
{
	int fd = (int)syscall(SYS_open_tree, AT_FDCWD, "/", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	fd_close(fd);
	return fd >= 0;
}

static bool
is_missing(size_t i)
{
	if (syscall(calls[i].number, -1L, 0L, 0L, 0L, 0L) >= 0)
		return false;
	return errno == ENOSYS || (errno == EPERM && (!calls[i].asks_first || may_mount()));
}

int
kernel_check(enum kernel_need need, struct err *err)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (calls[i].since > need || !is_missing(i))
			continue;
		err_plain(err, "knarr needs Linux %u.%u (%s), or a seccomp profile around it that lets the call pass",
			  calls[i].major, calls[i].minor, calls[i].name);
		return -ENOSYS;
	}
	return need == KERNEL_CONTAINERS ? fd_check_range(err) : 0;
}
