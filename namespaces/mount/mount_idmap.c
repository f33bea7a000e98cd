/* The kernel takes the maps of a mount in the form of a user namespace. That of
 * the container does not exist yet when its mounts are opened, so a child is
 * cloned into a new one, gets the maps written, and ends as soon as the
 * namespace was opened: a descriptor keeps it alive. In the maps, "container" is
 * the id on disk, "host" the id that the system sees. */
#include "namespaces/mount/mount_idmap.h"

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
#include "namespaces/user/idmap.h"

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

static int
plan_option_maps(const struct rootfs_planner *planner, const char *property, const struct spec_mount *mount,
		 const char *maps, struct plan_idmap *map)
{
	struct spec_id_mappings uids, gids;
	int r = mount_idmap_parse_option(planner, property, maps, &uids, &gids);

	if (r == 0 && mount->uid_mappings.n)
		r = err_plain(planner->err, "%s.options: both idmap=… and uidMappings say how ids are mapped",
			      property);
	if (r < 0)
		return r;
	map->uid_maps = copy_maps(planner->b, &uids);
	map->gid_maps = copy_maps(planner->b, &gids);
	return 0;
}

int
mount_idmap_plan(const struct rootfs_planner *planner, const char *property, const struct spec_mount *mount,
		 const struct mount_options *options, struct plan_idmap *ret)
{
	const struct spec_namespace *user = &planner->s->linux_.namespaces[NS_USER];
	struct plan_idmap map = { .mapped = true, .recursive = options->idmap_recursive };

	if (!options->idmap && !mount->uid_mappings.n)
		return 0;
	if (!planner->h->privileged)
		return err_plain(planner->err, "%s.%s: an unprivileged user cannot map the ids of a mount", property,
				 options->idmap ? "options" : "uidMappings");
	if (options->idmap_maps && *options->idmap_maps) {
		int r = plan_option_maps(planner, property, mount, options->idmap_maps, &map);

		if (r < 0)
			return r;
	} else if (mount->uid_mappings.n) {
		map.uid_maps = copy_maps(planner->b, &mount->uid_mappings);
		map.gid_maps = copy_maps(planner->b, &mount->gid_mappings);
	} else if (user->path) {
		map.userns = plan_string(planner->b, user->path);
	} else if (user->listed) {
		map.uid_maps = planner->b->spawn.uid_maps;
		map.gid_maps = planner->b->spawn.gid_maps;
	} else {
		return err_plain(planner->err,
				 "%s.options: an id-mapped mount needs uidMappings and gidMappings, or a user "
				 "namespace in linux.namespaces",
				 property);
	}
	*ret = map;
	return 0;
}

/* ---- the namespace ----------------------------------------------------- */

static bool
same_bytes(const struct plan *plan, struct plan_bytes first, struct plan_bytes second)
{
	return first.len == second.len && memcmp(plan->blob + first.off, plan->blob + second.off, first.len) == 0;
}

bool
mount_idmap_is_same(const struct plan *plan, const struct plan_idmap *first, const struct plan_idmap *second)
{
	const char *path_a = plan_text(plan, first->userns), *path_b = plan_text(plan, second->userns);

	if (path_a || path_b)
		return path_a && path_b && strcmp(path_a, path_b) == 0;
	return same_bytes(plan, first->uid_maps, second->uid_maps) &&
	       same_bytes(plan, first->gid_maps, second->gid_maps);
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
open_namespace_of(const struct plan *plan, const struct plan_idmap *idmap, pid_t pid, struct err *err)
{
	char path[64];
	int r = idmap_write_maps(plan, idmap->uid_maps, idmap->gid_maps, pid, err);
	int fd;

	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? err_set(err, errno, "open '%s'", path) : fd;
}

static int
make_namespace(const struct plan *plan, const struct plan_idmap *idmap, struct err *err)
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
		fd = open_namespace_of(plan, idmap, pid, err);
	fd_close(pair[1]);
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return fd;
}

int
mount_idmap_open(const struct plan *plan, const struct plan_idmap *idmap, struct err *err)
{
	const char *path = plan_text(plan, idmap->userns);
	int fd;

	if (!path)
		return make_namespace(plan, idmap, err);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	return fd < 0 ? err_set(err, errno, "open '%s'", path) : fd;
}
