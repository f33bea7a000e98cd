/* What differs for a container whose cgroup
 * systemd made: it exists only when there is a process for it, so it is started
 * around the init; and it is systemd that removes it, as soon as the last process
 * has left. Only when that does not happen systemd is asked to, and when it cannot
 * be asked, the empty directory is removed as that of any other container. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "cgroups/cgroup_mark.h"
#include "cgroups/cgroup_remove.h"
#include "cgroups/events.h"
#include "cgroups/systemd/scope.h"
#include "cgroups/systemd/systemd.h"
#include "cgroups/walk.h"

#define VANISH_TIMEOUT_MS 300

/* ---- before ------------------------------------------------------------ */

/* Root of a user namespace, as Podman makes one for an unprivileged user, has the
 * user's manager; that of a container with an init system of its own has not. */
static bool
is_users(const struct host *host)
{
	const char *directory = getenv("XDG_RUNTIME_DIR"), *address = getenv("DBUS_SESSION_BUS_ADDRESS");

	if (host->euid != 0)
		return true;
	return host->in_userns && ((directory && *directory) || (address && *address));
}

int
cgroup_resolve_scope(const struct host *host, const struct spec *spec, const char *id, struct arena *a, struct err *err,
		     struct cgroup *cg)
{
	struct systemd_names names;
	bool user = is_users(host);
	int r = systemd_resolve_names(spec, id, user, a, err, &names);

	if (r < 0)
		return r;
	*cg = (struct cgroup){
		.settings = cg->settings,
		.mount = arena_strdup(a, host->cgroup_mount),
		/* A guess, for plans of other hosts; cgroup_locate() knows. */
		.path = user ? arena_printf(a, "/user.slice/user-%u.slice/user@%u.service%s", host->euid, host->euid,
					    names.path)
			     : names.path,
		.fd = -1,
		.unit = names.unit,
		.slice = names.slice,
		.below_manager = names.path,
		.user_manager = user,
	};
	return 0;
}

int
cgroup_locate(struct cgroup *cg, struct arena *a, struct err *err)
{
	return cgroup_is_systemd(cg) ? systemd_locate(cg, a, err) : 0;
}

int
cgroup_start_scope(struct cgroup *cg, const struct spec *spec, const char *id, pid_t pid, struct err *err)
{
	cg->pid = pid;
	return systemd_start(cg, spec, id, err);
}

/* ---- the end ----------------------------------------------------------- */

/* 1, 0, or -errno with err. */
static int
exists(int mountfd, const char *path, struct err *err)
{
	auto_close int fd = walk_open(mountfd, path, walk_count(path));

	if (fd >= 0)
		return 1;
	return fd == -ENOENT ? 0 : err_set(err, -fd, "open cgroup '%s'", path);
}

/* There is no notice of the end of a directory to poll for; this is after the notice
 * that it is empty, on which systemd acts at once. As exists(). */
static int
stays(int mountfd, const char *path, struct err *err)
{
	int64_t deadline = events_clock_ms() + VANISH_TIMEOUT_MS;
	int r;

	while ((r = exists(mountfd, path, err)) > 0 && events_clock_ms() <= deadline)
		poll(NULL, 0, 2);
	return r;
}

static int
remove_directory(const struct cgroup *scope, int mountfd, struct err *err)
{
	unsigned depth = walk_count(scope->path);
	auto_close int parentfd = walk_open(mountfd, scope->path, depth - 1);
	char name[NAME_MAX + 1];

	walk_name(scope->path, depth - 1, name);
	if (parentfd < 0)
		return parentfd == -ENOENT ? 0 : err_set(err, -parentfd, "open the parent of cgroup '%s'", scope->path);
	if (unlinkat(parentfd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return err_set(err, errno, "remove cgroup '%s'", scope->path);
	return 0;
}

static int
end_scope(const struct cgroup *cg, const struct cgroup *scope, int mountfd, struct err *err)
{
	struct err stop_err;
	char text[ERR_MSG_MAX + 128];
	int there = stays(mountfd, scope->path, err), r;

	if (there <= 0)
		return there;
	err_clear(&stop_err);
	r = systemd_stop(cg, &stop_err);
	if (r == 0 && (there = stays(mountfd, scope->path, err)) <= 0)
		return there;
	if (r < 0)
		log_warning("%s; the empty cgroup is removed without it", err_format(&stop_err, text, sizeof(text)));
	return remove_directory(scope, mountfd, err);
}

/* For one with a unit and without a path: whoever asked for the scope died before it had
 * an answer. Stops one that is empty, since that has no end of its own; one with
 * processes ends with them, or is somebody else's. Warns when systemd cannot be asked. */
static void
scope_forget(const struct cgroup *cg)
{
	char text[ERR_MSG_MAX + 128];
	struct err err;

	err_clear(&err);
	if (systemd_stop_if_empty(cg, &err) < 0)
		log_warning("%s; the scope '%s' may be left", err_format(&err, text, sizeof(text)), cg->unit);
}

static int
scope_destroy(struct cgroup *cg, int timeout_ms, struct err *err)
{
	auto_arena struct arena a = { 0 };
	auto_close int mountfd = open(cg->mount, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct cgroup scope = { .mount = cg->mount, .path = systemd_scope_path(cg, &a), .fd = -1 };
	int r;

	cg->fd = fd_close(cg->fd);
	if (mountfd < 0)
		return errno == ENOENT ? 0 : err_set(err, errno, "open '%s'", cg->mount);
	r = exists(mountfd, scope.path, err);
	if (r <= 0)
		return r;
	/* Also what is in the scope but not in the container's part of it. */
	r = cgroup_kill(&scope, SIGKILL, err);
	scope.fd = fd_close(scope.fd);
	/* Not made by knarr: empties it and lets it stand. */
	if (r == 0)
		r = cgroup_remove(&scope, timeout_ms, err);
	return r < 0 ? r : end_scope(cg, &scope, mountfd, err);
}

/* 1, also when it is gone; 0; or -errno with err. */
static int
is_ours(const struct cgroup *cg, struct err *err)
{
	auto_close int mountfd = open(cg->mount, O_PATH | O_DIRECTORY | O_CLOEXEC), fd = -1;
	int r;

	if (mountfd < 0)
		return errno == ENOENT ? 1 : err_set(err, errno, "open '%s'", cg->mount);
	fd = walk_open_readable(mountfd, cg->path); /* its mark can be read at once */
	if (fd < 0)
		return fd == -ENOENT ? 1 : err_set(err, -fd, "open cgroup '%s'", cg->path);
	r = cgroup_mark_is_ours(cg, fd);
	return r < 0 ? err_set(err, -r, "read whose cgroup '%s' is", cg->path) : r;
}

int
cgroup_destroy(struct cgroup *cg, int timeout_ms, struct err *err)
{
	int r;

	if (!cg->path) {
		if (cgroup_is_systemd(cg))
			scope_forget(cg);
		return 0;
	}
	r = is_ours(cg, err);
	if (r <= 0) {
		cg->fd = fd_close(cg->fd);
		if (r == 0)
			log_debug("cgroup '%s' is another container's by now, and stays", cg->path);
		return r;
	}
	return cgroup_is_systemd(cg) ? scope_destroy(cg, timeout_ms, err) : cgroup_remove(cg, timeout_ms, err);
}

/* ---- limits of the scope itself ---------------------------------------- */

int
cgroup_open_scope(const struct cgroup *cg, struct err *err, int *ret_fd)
{
	auto_arena struct arena a = { 0 };
	struct cgroup scope = { .mount = cg->mount, .fd = -1 };
	int r = 0;

	if (cgroup_is_systemd(cg))
		scope.path = systemd_scope_path(cg, &a);
	if (cgroup_is_systemd(cg) && strcmp(scope.path, cg->path) != 0)
		r = cgroup_open(&scope, err);
	if (r == 0)
		*ret_fd = scope.fd;
	return r;
}
