/* What a state says of its init is a pid;
 * the pidfd, which is opened first and checked against the start time, makes sure
 * that what is read below /proc/PID is the init's: when it still is alive after
 * the reading, nobody else had the pid meanwhile. */
#include "libcontainer/exec/exec_init.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/host.h"
#include "base/proc_text.h"
#include "namespaces/mount/path_text.h"
#include "oci-spec/annotations.h"

#define MOUNTINFO_MAX ((size_t)64 * 1024 * 1024)

/* ---- namespaces ------------------------------------------------------ */

/* One that was made for the container is not the runtime's, which saves the two
 * look-ups; and to enter it twice is allowed, but for a user namespace. */
static bool
is_made_for_it(const struct spec *spec, size_t kind)
{
	const struct spec_namespace *ns = &spec->linux_.namespaces[kind];

	return kind != NS_USER && ns->listed && !ns->path;
}

/* Entering a user namespace that one is in already is an error to the kernel. */
static int
compare_namespaces(pid_t pid, const struct spec *spec, struct err *err, uint64_t *ret_flags)
{
	uint64_t flags = 0;

	for (size_t i = 0; i < NS_COUNT; i++) {
		char own[64], path[64];
		struct stat mine, its;

		if (is_made_for_it(spec, i)) {
			flags |= ns_kinds[i].flag;
			continue;
		}
		snprintf(own, sizeof(own), "/proc/self/ns/%s", ns_kinds[i].file);
		snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, ns_kinds[i].file);
		if (stat(own, &mine) < 0) {
			if (errno == ENOENT && stat(path, &its) < 0 && errno == ENOENT)
				continue; /* the kernel has none of that kind */
			return err_set(err, errno, "look at the runtime's namespace '%s'", own);
		}
		if (stat(path, &its) < 0)
			return errno == ENOENT ? -ESRCH
					       : err_set(err, errno, "look at the container's namespace '%s'", path);
		if (mine.st_dev != its.st_dev || mine.st_ino != its.st_ino)
			flags |= ns_kinds[i].flag;
	}
	*ret_flags = flags;
	return 0;
}

static bool
denies_setgroups(pid_t pid)
{
	char path[64], text[16];

	snprintf(path, sizeof(path), "/proc/%d/setgroups", (int)pid);
	return fd_read_small_at(AT_FDCWD, path, text, sizeof(text)) >= 0 && !strcmp(text, "deny");
}

static int
open_root(pid_t pid, struct err *err)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/root", (int)pid);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_set(err, errno, "open the container's root") : fd;
}

int
exec_init_find(const struct state *state, const struct spec *spec, struct err *err, struct exec_init *ret_init)
{
	struct exec_init init = { .root_fd = -1 };
	auto_close int pidfd = state_pidfd(state), root_fd = -1;
	struct pollfd ended = { .fd = pidfd, .events = POLLIN };
	int r;

	if (pidfd == -ESRCH)
		return -ESRCH;
	if (pidfd < 0)
		return err_set(err, -pidfd, "open process %d of container \"%s\"", (int)state->pid, state->id);
	r = compare_namespaces(state->pid, spec, err, &init.enter_flags);
	if (r == 0 && (init.enter_flags & CLONE_NEWUSER))
		init.deny_setgroups = denies_setgroups(state->pid);
	if (r == 0 && !(init.enter_flags & CLONE_NEWNS)) {
		root_fd = open_root(state->pid, err);
		r = root_fd < 0 ? root_fd : 0;
	}
	if (poll(&ended, 1, 0) > 0)
		return -ESRCH;
	if (r < 0)
		return r;
	init.pidfd = fd_take(&pidfd);
	init.root_fd = fd_take(&root_fd);
	*ret_init = init;
	return 0;
}

bool
exec_init_ended(const struct exec_init *init, const struct state *state, int timeout_ms)
{
	struct pollfd ended = { .fd = init->pidfd, .events = POLLIN };
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)state->pid);
	return poll(&ended, 1, 0) > 0 || (stat(path, &st) < 0 && errno == ENOENT) || poll(&ended, 1, timeout_ms) > 0;
}

/* ---- cgroup ---------------------------------------------------------- */

/* The path of cgroup v2 in /proc/PID/cgroup; NULL: none. */
static char *
init_cgroup(pid_t pid, struct arena *a)
{
	char path[64], *text, *found = NULL;
	const char *cgroup;
	size_t len;

	snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)pid);
	if (fd_read_file_at(AT_FDCWD, path, MOUNTINFO_MAX, &text, &len) < 0)
		return NULL;
	cgroup = proc_cgroup(text, &len);
	if (cgroup)
		found = arena_strndup(a, cgroup, len);
	free(text);
	return found;
}

/* The same as seen from the mount of the state, whose root need not be "/". */
static const char *
seen_from_mount(const char *path, const char *mount, struct arena *a)
{
	struct host_cgroup_mount mounts[HOST_CGROUP_MOUNTS];
	const char *seen = NULL;
	char *text;
	size_t n, len;

	if (fd_read_file_at(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, &text, &len) < 0)
		return NULL;
	n = host_find_cgroup_mounts(a, text, mounts);
	for (size_t i = 0; i < n && !seen; i++)
		if (!strcmp(mounts[i].point, mount))
			seen = host_cgroup_below(path, mounts[i].root);
	free(text);
	return seen;
}

/* As cgroups/cgroup_path.c has it for the config's path. */
static int
check_sub(const char *sub, struct err *err)
{
	for (const char *p = sub; *p;) {
		size_t n = strcspn(p, "/");

		if ((n == 2 && !strncmp(p, "..", 2)) || (n == 1 && *p == '.'))
			return err_plain(err, "--cgroup: '%s' has the name '%.*s' in it", sub, (int)n, p);
		p += n;
		p += *p == '/';
	}
	return strchr(sub, '\n') ? err_plain(err, "--cgroup: a name in it has a line break") : 0;
}

/* Where the init is now; NULL: not to be seen from here. */
static const char *
init_cgroup_now(const struct state *state, const struct cgroup *cg, struct arena *a)
{
	const char *now = init_cgroup(state->pid, a);

	return now && strcmp(now, cg->path) ? seen_from_mount(now, cg->mount, a) : now;
}

/* The same, if it is below the container's cgroup: NULL else. */
static const char *
init_cgroup_below(const struct state *state, const struct cgroup *cg, struct arena *a)
{
	const char *now = init_cgroup_now(state, cg, a);

	return now && path_is_in(now, cg->path) ? now : NULL;
}

/* Opens another cgroup in place of the container's own. */
static int
open_instead(struct cgroup *cg, const char *path, struct arena *a, struct err *err)
{
	cg->fd = fd_close(cg->fd);
	cg->path = arena_strdup(a, path);
	cg->owner = NULL; /* that mark is the first one's */
	err_clear(err);
	return cgroup_open(cg, err);
}

/* A cgroup that passes on controllers takes no process: a container that made itself a
 * tree has its init below, and there exec goes. So it does where the runtime itself put
 * the init below. */
static bool
takes_processes(const struct state *state, const struct cgroup *cg)
{
	char text[256];

	return !annotation_get(&state->annotations, ANNOTATION_DELEGATE_CGROUP) &&
	       fd_read_small_at(cg->fd, "cgroup.subtree_control", text, sizeof(text)) <= 0;
}

static int
open_sub(const struct cgroup *container, const char *sub, struct arena *a, struct err *err, struct cgroup *ret_cg)
{
	struct cgroup cg = *container;
	int r = cgroup_open(&cg, err);

	if (r == 0)
		r = open_instead(&cg, arena_printf(a, "%s/%s", cg.path, sub), a, err);
	if (r < 0)
		return err_wrap(err, "--cgroup");
	*ret_cg = cg;
	return 0;
}

int
exec_init_cgroup(const struct state *state, const char *sub, struct arena *a, struct err *err, struct cgroup *ret_cg)
{
	struct cgroup cg = state_cgroup(state);
	const char *now;
	int r;

	if (sub && (r = check_sub(sub, err)) < 0)
		return r;
	if (sub && !cg.path)
		return err_plain(err, "--cgroup: container \"%s\" has no cgroup of its own", state->id);
	if (!cg.path) {
		*ret_cg = cg;
		return 0;
	}
	if (sub)
		return open_sub(&cg, sub, a, err, ret_cg);
	r = cgroup_open(&cg, err);
	if (r == -ENOENT && (now = init_cgroup_now(state, &cg, a)))
		r = open_instead(&cg, now, a, err);
	else if (r == 0 && !takes_processes(state, &cg) && (now = init_cgroup_below(state, &cg, a)))
		r = open_instead(&cg, now, a, err);
	if (r == 0)
		*ret_cg = cg;
	return r;
}
