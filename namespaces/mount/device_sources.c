/* A file can be made a mount only where its own file system is mounted, and the
 * host must not see that. So a child in a mount namespace of its own, which shares
 * the runtime's table of descriptors, mounts a small tmpfs over a directory that is
 * always there, makes the nodes in it and takes a detached copy of each. The tmpfs
 * lives on in these; it belongs to the initial user namespace, so devices on it
 * can be opened. Numbers of the descriptors, and a failure, come back in shared
 * memory. */
#include "namespaces/mount/device_sources.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/process.h"
#include "namespaces/mount/mount_api.h"

static const char place[] = "/proc";

struct result {
	struct err err;
	int fds[PLAN_FD_MAX];
};

static int
make_one(const struct plan *plan, const struct plan_source *src, int dir, struct err *err)
{
	const struct plan_device *d = &src->device;
	char name[16];
	int fd;

	snprintf(name, sizeof(name), "%u", (unsigned)src->slot);
	if (mknodat(dir, name, d->mode, makedev(d->major, d->minor)) < 0 ||
	    fchownat(dir, name, d->uid, d->gid, AT_SYMLINK_NOFOLLOW) < 0 || fchmodat(dir, name, d->mode & 07777, 0) < 0)
		return err_set(err, errno, "%s: make the device '%s'", plan_text(plan, src->what),
			       plan_text(plan, src->path));
	fd = mount_open_tree(dir, name, OPEN_TREE_CLONE);
	return fd < 0 ? err_set(err, -fd, "%s: open the device '%s'", plan_text(plan, src->what),
				plan_text(plan, src->path))
		      : fd;
}

/* The child. Its mounts, private as they are, end with it. */
static void
make_all(const struct plan *plan, struct result *result)
{
	int dir = -1;

	if (mount_classic(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	    mount_classic("knarr", place, "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755") == 0)
		dir = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0) {
		err_set(&result->err, errno, "linux.devices: a place to make device nodes in");
		return;
	}
	for (uint32_t i = 0; i < plan->n_sources; i++) {
		const struct plan_source *src = &plan->sources[i];
		int fd = src->device.mode ? make_one(plan, src, dir, &result->err) : -1;

		if (src->device.mode && fd < 0)
			break;
		result->fds[src->slot] = fd;
	}
	close(dir);
}

static int
run_child(const struct plan *plan, struct result *result, struct err *err)
{
	struct clone_args args = { .flags = CLONE_NEWNS | CLONE_FILES, .exit_signal = SIGCHLD };
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	int status = 0, r;

	if (pid == 0) {
		make_all(plan, result);
		process_end(0);
	}
	if (pid < 0)
		return err_set(err, errno, "linux.devices: make a mount namespace for device nodes");
	r = process_wait(pid, &status);
	if (r < 0) {
		kill(pid, SIGKILL);
		return err_set(err, -r, "linux.devices: wait for the process that makes device nodes");
	}
	if (status)
		return err_plain(err, "linux.devices: the process that makes device nodes was killed");
	return 0;
}

int
device_sources_make(const struct plan *plan, int *fds, struct err *err)
{
	struct result *result = mmap(NULL, sizeof(*result), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int r;

	if (result == MAP_FAILED)
		return err_set(err, errno, "linux.devices: memory for device nodes");
	r = run_child(plan, result, err);
	for (uint32_t i = 0; i < plan->n_sources; i++)
		if (plan->sources[i].device.mode && result->fds[plan->sources[i].slot] > 0)
			fds[plan->sources[i].slot] = result->fds[plan->sources[i].slot];
	if (r == 0 && result->err.msg[0]) {
		*err = result->err;
		r = err->code ? -err->code : -EINVAL;
	}
	munmap(result, sizeof(*result));
	return r;
}
