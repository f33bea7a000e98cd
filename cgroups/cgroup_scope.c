/* Theory of operation: see systemd.h. What differs for a container whose cgroup
 * systemd made: it exists only when there is a process for it, so it is started
 * around the init; and it is systemd that removes it, as soon as the last process
 * has left. Only when that does not happen systemd is asked to, and when it cannot
 * be asked, the empty folder is removed as that of any other container. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "cgroups/events.h"
#include "cgroups/scope.h"
#include "cgroups/systemd.h"
#include "cgroups/walk.h"

#define VANISH_TIMEOUT_MS 300

/* ---- before ------------------------------------------------------------ */

/* Root of a user namespace, as Podman makes one for an ordinary user, has the
 * user's manager; that of a container with an init system of its own has not. */
static bool
is_users(const struct host *h)
{
	const char *folder = getenv("XDG_RUNTIME_DIR"), *address = getenv("DBUS_SESSION_BUS_ADDRESS");

	if (h->euid != 0)
		return true;
	return h->in_userns && ((folder && *folder) || (address && *address));
}

int
scope_resolve(const struct host *h, const struct spec *s, const char *id, struct arena *a, struct err *err,
	      struct cgroup *ret_cg)
{
	struct systemd_names names;
	bool user = is_users(h);
	int r = systemd_resolve_names(s, id, user, a, err, &names);

	if (r < 0)
		return r;
	*ret_cg = (struct cgroup){
		.mount = arena_strdup(a, h->cgroup_mount),
		/* A guess, for plans of other hosts; cgroup_locate() knows. */
		.path = user ? arena_printf(a, "/user.slice/user-%u.slice/user@%u.service%s", h->euid, h->euid,
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
	return cg->unit ? systemd_locate(cg, a, err) : 0;
}

int
cgroup_start_scope(struct cgroup *cg, const struct spec *s, const char *id, pid_t pid, struct err *err)
{
	cg->pid = pid;
	return systemd_start(cg, s, id, err);
}

/* ---- the end ----------------------------------------------------------- */

static bool
exists(int mountfd, const char *path)
{
	auto_close int fd = walk_open(mountfd, path, walk_count(path));

	return fd >= 0;
}

/* There is no notice of the end of a folder to poll for; this is after the notice
 * that it is empty, on which systemd acts at once. */
static bool
vanishes(int mountfd, const char *path)
{
	int64_t deadline = events_clock_ms() + VANISH_TIMEOUT_MS;

	while (exists(mountfd, path)) {
		if (events_clock_ms() > deadline)
			return false;
		poll(NULL, 0, 2);
	}
	return true;
}

static int
remove_folder(const struct cgroup *scope, int mountfd, struct err *err)
{
	unsigned depth = walk_count(scope->path);
	auto_close int parentfd = walk_open(mountfd, scope->path, depth - 1);
	char name[NAME_MAX + 1];

	walk_name(scope->path, depth - 1, name);
	if (parentfd >= 0 && unlinkat(parentfd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return err_set(err, errno, "remove cgroup '%s'", scope->path);
	return 0;
}

static int
end_scope(const struct cgroup *cg, const struct cgroup *scope, int mountfd, struct err *err)
{
	struct err stop_err;
	char text[ERR_MSG_MAX + 128];
	int r;

	if (vanishes(mountfd, scope->path))
		return 0;
	err_clear(&stop_err);
	r = systemd_stop(cg, &stop_err);
	if (r == 0 && vanishes(mountfd, scope->path))
		return 0;
	if (r < 0)
		log_warning("%s; the empty cgroup is removed without it", err_format(&stop_err, text, sizeof(text)));
	return remove_folder(scope, mountfd, err);
}

void
scope_forget(const struct cgroup *cg)
{
	char text[ERR_MSG_MAX + 128];
	struct err err;

	err_clear(&err);
	if (systemd_stop_if_empty(cg, &err) < 0)
		log_warning("%s; the scope '%s' may be left", err_format(&err, text, sizeof(text)), cg->unit);
}

int
scope_destroy(struct cgroup *cg, int timeout_ms, struct err *err)
{
	auto_arena struct arena a = { 0 };
	auto_close int mountfd = open(cg->mount, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct cgroup scope = { .mount = cg->mount, .path = systemd_scope_path(cg, &a), .fd = -1 };
	int r;

	cg->fd = fd_close(cg->fd);
	if (mountfd < 0)
		return errno == ENOENT ? 0 : err_set(err, errno, "open '%s'", cg->mount);
	if (!exists(mountfd, scope.path))
		return 0;
	/* Also what is in the scope but not in the container's part of it. */
	r = cgroup_kill(&scope, SIGKILL, err);
	scope.fd = fd_close(scope.fd);
	/* Not made by knarr: empties it and lets it stand. */
	if (r == 0)
		r = cgroup_destroy(&scope, timeout_ms, err);
	return r < 0 ? r : end_scope(cg, &scope, mountfd, err);
}

/* ---- limits of the scope itself ---------------------------------------- */

int
cgroup_open_scope(const struct cgroup *cg, struct err *err, int *ret_fd)
{
	auto_arena struct arena a = { 0 };
	struct cgroup scope = { .mount = cg->mount, .fd = -1 };
	int r = 0;

	if (cg->unit)
		scope.path = systemd_scope_path(cg, &a);
	if (cg->unit && strcmp(scope.path, cg->path) != 0)
		r = cgroup_open(&scope, err);
	if (r == 0)
		*ret_fd = scope.fd;
	return r;
}
