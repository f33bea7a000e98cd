/* Theory of operation: see mount_idmap.h.
 *
 * The kernel takes the maps of a mount in the form of a user namespace. That of
 * the container does not exist yet when its mounts are opened, so a child is
 * cloned into a new one, gets the maps written, and ends as soon as the
 * namespace was opened: a descriptor keeps it alive. In the maps, "container" is
 * the id on disk, "host" the id that the system sees. */
#include "namespaces/mount_idmap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "namespaces/idmap.h"

/* ---- planning ---------------------------------------------------------- */

static struct plan_bytes
copy_maps(struct plan_builder *b, const struct spec_id_mappings *from)
{
	struct plan_id_map *maps = arena_array(b->arena, from->n, sizeof(*maps));

	for (size_t i = 0; i < from->n; i++)
		maps[i] = (struct plan_id_map){ from->items[i].container_id, from->items[i].host_id,
						from->items[i].size };
	return plan_data(b, maps, from->n * sizeof(*maps));
}

int
mount_idmap_plan(const struct rootfs_planner *p, const char *property, const struct spec_mount *m,
		 const struct mount_options *o, struct plan_idmap *ret)
{
	const struct spec_namespace *user = &p->s->linux_.namespaces[SPEC_NS_USER];
	struct plan_idmap map = { .mapped = true, .recursive = o->idmap_recursive };

	if (!o->idmap && !m->uid_mappings.n)
		return 0;
	if (!p->h->privileged)
		return err_plain(p->err, "%s.%s: an ordinary user cannot map the ids of a mount", property,
				 o->idmap ? "options" : "uidMappings");
	if (m->uid_mappings.n) {
		map.uid_maps = copy_maps(p->b, &m->uid_mappings);
		map.gid_maps = copy_maps(p->b, &m->gid_mappings);
	} else if (user->path) {
		map.userns = plan_string(p->b, user->path);
	} else if (user->listed) {
		map.uid_maps = p->b->stage.uid_maps;
		map.gid_maps = p->b->stage.gid_maps;
	} else {
		return err_plain(p->err,
				 "%s.options: an id-mapped mount needs uidMappings and gidMappings, or a user "
				 "namespace in linux.namespaces",
				 property);
	}
	*ret = map;
	return 0;
}

/* ---- the namespace ----------------------------------------------------- */

static bool
same_bytes(const struct plan *p, struct plan_bytes a, struct plan_bytes b)
{
	return a.len == b.len && memcmp(p->blob + a.off, p->blob + b.off, a.len) == 0;
}

bool
mount_idmap_is_same(const struct plan *p, const struct plan_idmap *a, const struct plan_idmap *b)
{
	const char *path_a = plan_text(p, a->userns), *path_b = plan_text(p, b->userns);

	if (path_a || path_b)
		return path_a && path_b && strcmp(path_a, path_b) == 0;
	return same_bytes(p, a->uid_maps, b->uid_maps) && same_bytes(p, a->gid_maps, b->gid_maps);
}

/* Stays until the runtime closes its end, or ends itself. */
static void __attribute__((noreturn)) hold_namespace(const int *pair)
{
	char byte;

	close(pair[1]);
	while (read(pair[0], &byte, 1) < 0 && errno == EINTR)
		;
	_exit(0);
}

static int
open_namespace_of(const struct plan *p, const struct plan_idmap *m, pid_t pid, struct err *err)
{
	char path[64];
	int r = idmap_write_maps(p, m->uid_maps, m->gid_maps, pid, err);
	int fd;

	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? err_set(err, errno, "open '%s'", path) : fd;
}

static int
make_namespace(const struct plan *p, const struct plan_idmap *m, struct err *err)
{
	struct clone_args args = { .flags = CLONE_NEWUSER, .exit_signal = SIGCHLD };
	int pair[2], fd;
	pid_t pid;

	if (pipe2(pair, O_CLOEXEC) < 0)
		return err_set(err, errno, "pipe for a user namespace");
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		hold_namespace(pair);
	fd_close(pair[0]);
	if (pid < 0)
		fd = err_set(err, errno, "make a user namespace with the maps of the mount%s",
			     errno == ENOSPC ? " (the limit in /proc/sys/user/max_user_namespaces is reached)" : "");
	else
		fd = open_namespace_of(p, m, pid, err);
	fd_close(pair[1]);
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return fd;
}

int
mount_idmap_open(const struct plan *p, const struct plan_idmap *m, struct err *err)
{
	const char *path = plan_text(p, m->userns);
	int fd;

	if (!path)
		return make_namespace(p, m, err);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	return fd < 0 ? err_set(err, errno, "open '%s'", path) : fd;
}
