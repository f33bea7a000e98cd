/* Theory of operation: a kernel that is too old, or a seccomp profile around
 * knarr that does not know newer calls, answers ENOSYS. There is no other way
 * that is as safe to do what these calls do, and a container that fails half-way
 * would say something about a mount and not about the kernel. So each is called
 * once before anything is made, with arguments that cannot mean anything (no
 * descriptor, no memory, size 0); whatever is not ENOSYS shows that it is there.
 * One round costs about two microseconds.
 *
 * Calls that knarr can do without are not here: fd_close_range() has another
 * way, and so have the kill of a cgroup (cgroup_procs.c), seccomp's notification
 * flags and layers of an overlay, which are asked for where they are used. */
#include "base/kernel.h"

#include <errno.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd_range.h"

static const struct {
	long number;
	const char *name;
	unsigned major, minor;
	enum kernel_need since; /* for this need and those above it */
} calls[] = {
	{ SYS_pidfd_send_signal, "pidfd_send_signal", 5, 1, KERNEL_PROCESSES },
	{ SYS_pidfd_open, "pidfd_open", 5, 3, KERNEL_PROCESSES },
	{ SYS_open_tree, "open_tree", 5, 2, KERNEL_CONTAINERS },
	{ SYS_move_mount, "move_mount", 5, 2, KERNEL_CONTAINERS },
	{ SYS_fsopen, "fsopen", 5, 2, KERNEL_CONTAINERS },
	{ SYS_fsconfig, "fsconfig", 5, 2, KERNEL_CONTAINERS },
	{ SYS_fspick, "fspick", 5, 2, KERNEL_CONTAINERS },
	{ SYS_fsmount, "fsmount", 5, 2, KERNEL_CONTAINERS },
	{ SYS_openat2, "openat2", 5, 6, KERNEL_CONTAINERS },
	{ SYS_pidfd_getfd, "pidfd_getfd", 5, 6, KERNEL_CONTAINERS },
	{ SYS_clone3, "clone3", 5, 7, KERNEL_CONTAINERS }, /* 5.3; into a cgroup 5.7 */
	{ SYS_mount_setattr, "mount_setattr", 5, 12, KERNEL_CONTAINERS },
};

int
kernel_check(enum kernel_need need, struct err *err)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (calls[i].since > need || syscall(calls[i].number, -1L, 0L, 0L, 0L, 0L) >= 0 || errno != ENOSYS)
			continue;
		err_plain(err, "knarr needs Linux %u.%u (%s), or a seccomp profile around it that lets the call pass",
			  calls[i].major, calls[i].minor, calls[i].name);
		return -ENOSYS;
	}
	return need == KERNEL_CONTAINERS ? fd_check_range(err) : 0;
}
