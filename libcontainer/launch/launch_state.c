/* What a container has on the host: its state directory, its cgroup, its pid file.
 *
 * The state is saved before anything else is made, and again with each fact that
 * `delete` needs to know: a runtime may be killed between any two lines here, and
 * `delete --force` must still find all that it left. So the cgroup's path is in
 * the state before the cgroup is on the host. A scope of systemd is the exception:
 * it is made around the init, and ends with it.
 *
 * What is made is noted in struct launch as soon as it is there, for launch_undo(). */
#include "libcontainer/launch/launch.h"

#include <errno.h>
#include <time.h>

#include "base/fd.h"
#include "base/log.h"
#include "libcontainer/launch/pid_file.h"
#include "namespaces/user/idmap.h"
#include "oci-spec/documents.h"

/* "2026-11-29T05:43:05Z". gmtime(3) and strftime(3) read /etc/localtime, with seven calls. */
static char *
format_utc(struct arena *a, time_t when)
{
	static const unsigned char month_days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	long long seconds = when > 0 ? (long long)when : 0, day = seconds / 86400;
	unsigned second = (unsigned)(seconds % 86400), month = 0;
	int year = 1970;

	for (;; day -= month_days[month], month = (month + 1) % 12, year += month == 0) {
		bool leaps = month == 1 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

		if (day < month_days[month] + leaps)
			break;
		day -= leaps;
	}
	return arena_printf(a, "%04d-%02u-%02dT%02u:%02u:%02uZ", year, month + 1, (int)day + 1, second / 3600,
			    second / 60 % 60, second % 60);
}

static void
fill_state(struct launch *launch)
{
	struct arena *a = launch->env->arena;
	const char *root = launch->spec->root->path;

	launch->state = (struct state){
		.id = arena_strdup(a, launch->options->id),
		.bundle = arena_strdup(a, launch->bundle),
		.rootfs = root[0] == '/' ? arena_strdup(a, root) : arena_printf(a, "%s/%s", launch->bundle, root),
		.oci_version = arena_strdup(a, OCI_VERSION),
		.cgroup_mount = launch->cgroup.mount,
		.cgroup_path =
			cgroup_is_systemd(&launch->cgroup) ? NULL : launch->cgroup.path, /* see launch_make_scope() */
		.systemd_unit = launch->cgroup.unit,
		.systemd_user = launch->cgroup.user_manager,
		.rootless = !launch->host.privileged,
		.no_new_keyring = launch->options->no_new_keyring,
		.owner = launch->host.euid,
		.created = format_utc(a, time(NULL)),
		.annotations = launch->spec->annotations,
	};
	launch->state.has_poststart = launch->spec->hooks.poststart.n > 0;
	launch->state.has_poststop = launch->spec->hooks.poststop.n > 0;
	launch->state.has_listener = launch->spec->linux_.seccomp && launch->spec->linux_.seccomp->listener_path;
}

/* By what it will be known whose process and whose cgroup it is. */
static int
identify(struct launch *launch, struct err *err)
{
	struct arena *a = launch->env->arena;
	int r = state_boot_id(a, err, &launch->state.boot_id);

	if (r == 0 && launch->cgroup.path)
		r = state_cgroup_owner(&launch->dir, a, err, &launch->cgroup.owner);
	launch->state.cgroup_owner = launch->cgroup.owner;
	return r;
}

/* `start` binds the socket of a created container: it is the one that waits. */
static int
make_notify(struct launch *launch, struct err *err)
{
	int r = notify_socket_make_dir(launch->dir.fd, err);

	if (r == 0 && launch->mode != LAUNCH_CREATE)
		r = notify_socket_open(launch->dir.fd, launch->notify_host, err, &launch->notify);
	return r;
}

/* The state is on disk before anything else exists: whoever kills the runtime
 * now can still have all of it removed by `delete --force`. */
static int
make_state(struct launch *launch, struct err *err)
{
	int r = state_create(launch->env->root, launch->options->id, launch->env->arena, err, &launch->dir);

	if (r < 0) {
		launch->dir.fd = -1;
		return r;
	}
	fill_state(launch);
	if ((r = identify(launch, err)) < 0)
		return r;
	launch->state.cgroup_made = cgroup_count_missing(&launch->cgroup);
	resctrl_use_save(&launch->resctrl, launch->env->arena, &launch->state);
	/* The state says what the config has (poststop hooks), so the config comes first. */
	r = state_save_config(&launch->dir, launch->spec->json, launch->spec->json_len, err);
	if (r == 0)
		r = state_save_first(&launch->dir, &launch->state, err);
	if (r < 0)
		return r;
	if (launch->notify_host && (r = make_notify(launch, err)) < 0)
		return r;
	return launch->mode == LAUNCH_CREATE ? stage_listen(launch->dir.fd, err, &launch->start_fd) : 0;
}

/* An unprivileged user owns what they make, and can give nothing away: then a program
 * with another id than theirs cannot make cgroups. */
static int
delegate_cgroup(struct launch *launch, struct err *err)
{
	uid_t uid = launch->spec->process ? launch->spec->process->user.uid : 0;
	int r;

	if (!cgroup_is_delegated(launch->spec))
		return 0;
	r = idmap_host_uid(launch->plan, uid, err, &uid);
	if (r == 0)
		r = cgroup_delegate(&launch->cgroup, uid, err);
	if (r == -EPERM && !launch->host.privileged) {
		log_debug("the container's cgroup stays with uid %u: %s", launch->host.euid, err->msg);
		err_clear(err);
		return 0;
	}
	return r;
}

static int
make_cgroup(struct launch *launch, struct err *err)
{
	int r;

	if (!launch->cgroup.path)
		return 0;
	r = cgroup_create(&launch->cgroup, err);
	if (r < 0)
		return r;
	launch->has_cgroup = true;
	r = cgroup_apply(&launch->cgroup, launch->spec, err);
	if (r == 0)
		r = cgroup_devices_apply(&launch->cgroup, launch->spec, err);
	return r < 0 ? r : delegate_cgroup(launch, err);
}

int
launch_make_state_and_cgroup(struct launch *launch, struct err *err)
{
	int r = make_state(launch, err);

	return r < 0 || cgroup_is_systemd(&launch->cgroup) ? r : make_cgroup(launch, err);
}

/* systemd makes a scope around a process, so this one comes after the init. Until it
 * is there nothing is the container's, and the state has the unit without a cgroup: a
 * unit of that name may be somebody else's. One that is half made ends by itself, with
 * the init, or is empty, and `delete --force` stops it. */
int
launch_make_scope(struct launch *launch, pid_t pid, struct err *err)
{
	int r = cgroup_start_scope(&launch->cgroup, launch->spec, launch->options->id, pid, err);

	if (r < 0)
		return r;
	launch->has_cgroup = true;
	launch->state.cgroup_path = launch->cgroup.path;
	return make_cgroup(launch, err);
}

int
launch_save_pid(struct launch *launch, struct err *err)
{
	int r = state_pid_start_time(launch->stage.pid, &launch->state.pid_start_time);

	if (r < 0)
		return err_set(err, -r, "read when process %d, the container's init, was started",
			       (int)launch->stage.pid);
	launch->state.pid = launch->stage.pid;
	launch->state.joining = launch->stage.is_joining;
	launch->state.started = launch->mode != LAUNCH_CREATE;
	launch->state.cgroup_made = launch->cgroup.made;
	launch->state.cgroup_marked = launch->cgroup.marked;
	return state_save(&launch->dir, &launch->state, err);
}

int
launch_write_pid_file(struct launch *launch, struct err *err)
{
	int r = launch->options->pid_file ? pid_file_write(launch->options->pid_file, launch->stage.pid, err) : 0;

	launch->has_pid_file = launch->options->pid_file && r == 0;
	return r;
}
