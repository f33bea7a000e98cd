/* What a container has on the host: its state directory, its cgroup, its pid file.
 *
 * The state is saved before anything else is made, and again with each fact that
 * `delete` needs to know: a runtime may be killed between any two lines here, and
 * `delete --force` must still find all that it left. So the cgroup's path is in
 * the state before the cgroup is on the host. A scope of systemd is the exception:
 * it is made around the init, and ends with it.
 *
 * What is made is noted in struct launch as soon as it is there, for launch_undo(). */
#include "libcontainer/launch.h"

#include <errno.h>
#include <time.h>

#include "base/fd.h"
#include "base/log.h"
#include "libcontainer/pid_file.h"
#include "namespaces/idmap.h"
#include "oci-spec/documents.h"

static void
fill_state(struct launch *l)
{
	struct arena *a = l->env->arena;
	const char *root = l->spec->root->path;
	time_t now = time(NULL);
	char created[32];
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(created, sizeof(created), "%Y-%m-%dT%H:%M:%SZ", &tm);
	l->state = (struct state){
		.id = arena_strdup(a, l->options->id),
		.bundle = arena_strdup(a, l->bundle),
		.rootfs = root[0] == '/' ? arena_strdup(a, root) : arena_printf(a, "%s/%s", l->bundle, root),
		.oci_version = arena_strdup(a, OCI_VERSION),
		.cgroup_mount = l->cgroup.mount,
		.cgroup_path = l->cgroup.unit ? NULL : l->cgroup.path, /* see launch_make_scope() */
		.systemd_unit = l->cgroup.unit,
		.systemd_user = l->cgroup.user_manager,
		.rootless = !l->host.privileged,
		.no_new_keyring = l->options->no_new_keyring,
		.owner = l->host.euid,
		.created = arena_strdup(a, created),
		.annotations = l->spec->annotations,
	};
	l->state.has_poststart = l->spec->hooks.poststart.n > 0;
	l->state.has_poststop = l->spec->hooks.poststop.n > 0;
	l->state.has_listener = l->spec->linux_.seccomp && l->spec->linux_.seccomp->listener_path;
}

/* `start` binds the socket of a created container: it is the one that waits. */
static int
make_notify(struct launch *l, struct err *err)
{
	int r = notify_socket_make_dir(l->dir.fd, err);

	if (r == 0 && l->mode != LAUNCH_CREATE)
		r = notify_socket_open(l->dir.fd, l->notify_host, err, &l->notify);
	return r;
}

/* The state is on disk before anything else exists: whoever kills the runtime
 * now can still have all of it removed by `delete --force`. */
static int
make_state(struct launch *l, struct err *err)
{
	int r = state_create(l->env->root, l->options->id, l->env->arena, err, &l->dir);

	if (r < 0) {
		l->dir.fd = -1;
		return r;
	}
	fill_state(l);
	l->state.cgroup_made = cgroup_count_missing(&l->cgroup);
	resctrl_use_save(&l->resctrl, l->env->arena, &l->state);
	/* The state says what the config has (poststop hooks), so the config comes first. */
	r = state_save_config(&l->dir, l->spec->json, l->spec->json_len, err);
	if (r == 0)
		r = state_save(&l->dir, &l->state, err);
	if (r < 0)
		return r;
	if (l->notify_host && (r = make_notify(l, err)) < 0)
		return r;
	return l->mode == LAUNCH_CREATE ? stage_listen(l->dir.fd, err, &l->start_fd) : 0;
}

/* An ordinary user owns what he makes, and can give nothing away: then a program
 * with another id than his cannot make cgroups. */
static int
delegate_cgroup(struct launch *l, struct err *err)
{
	uid_t uid = l->spec->process ? l->spec->process->user.uid : 0;
	int r;

	if (!cgroup_is_delegated(l->spec))
		return 0;
	r = idmap_host_uid(l->plan, uid, err, &uid);
	if (r == 0)
		r = cgroup_delegate(&l->cgroup, uid, err);
	if (r == -EPERM && !l->host.privileged) {
		log_debug("the container's cgroup stays with uid %u: %s", l->host.euid, err->msg);
		err_clear(err);
		return 0;
	}
	return r;
}

static int
make_cgroup(struct launch *l, struct err *err)
{
	int r;

	if (!l->cgroup.path)
		return 0;
	r = cgroup_create(&l->cgroup, l->spec, err);
	if (r < 0)
		return r;
	l->has_cgroup = true;
	r = cgroup_apply(&l->cgroup, l->spec, err);
	return r < 0 ? r : delegate_cgroup(l, err);
}

int
launch_make_places(struct launch *l, struct err *err)
{
	int r = make_state(l, err);

	return r < 0 || l->cgroup.unit ? r : make_cgroup(l, err);
}

/* systemd makes a scope around a process, so this one comes after the init. Until it
 * is there nothing is the container's, and the state has the unit without a cgroup: a
 * unit of that name may be somebody else's. One that is half made ends by itself, with
 * the init, or is empty, and `delete --force` stops it. */
int
launch_make_scope(struct launch *l, pid_t pid, struct err *err)
{
	int r = cgroup_start_scope(&l->cgroup, l->spec, l->options->id, pid, err);

	if (r < 0)
		return r;
	l->has_cgroup = true;
	l->state.cgroup_path = l->cgroup.path;
	return make_cgroup(l, err);
}

int
launch_save_pid(struct launch *l, struct err *err)
{
	l->state.pid = l->stage.pid;
	l->state.pid_start_time = state_pid_start_time(l->stage.pid);
	l->state.started = l->mode != LAUNCH_CREATE;
	l->state.cgroup_made = l->cgroup.made;
	return state_save(&l->dir, &l->state, err);
}

int
launch_write_pid_file(struct launch *l, struct err *err)
{
	int r = l->options->pid_file ? pid_file_write(l->options->pid_file, l->stage.pid, err) : 0;

	l->has_pid_file = l->options->pid_file && r == 0;
	return r;
}
