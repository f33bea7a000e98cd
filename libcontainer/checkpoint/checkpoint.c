/* The lock is held for the whole dump, so that no other command meets a container
 * half frozen.
 * CRIU stops the processes, writes their state into the image, and ends them or
 * lets them go on; when it fails they go on in any case.
 *
 * A pre-dump copies memory only, while the processes run on; a later dump whose
 * parent path names it writes what has changed since. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "libcontainer/checkpoint/criu_mounts.h"
#include "libcontainer/checkpoint/criu_namespaces.h"
#include "libcontainer/checkpoint/criu_net.h"
#include "libcontainer/checkpoint/criu_options.h"
#include "libcontainer/checkpoint/criu_rpc.h"
#include "libcontainer/checkpoint/criu_stdio.h"
#include "libcontainer/container.h"

#define LOG_FILE "dump.log"

struct checkpoint {
	const struct container_env *env;
	const struct container_criu_options *options;
	struct container_criu_options own_options; /* what options points at when one was changed */
	struct state_dir dir;
	struct state *state;
	struct spec *spec;
	struct criu_directories directories;
	const char *program; /* criu */
};

/* ---- checks ---------------------------------------------------------- */

static int
check_status(const struct checkpoint *checkpoint, struct err *err)
{
	enum container_status status;
	int r = state_dir_status(&checkpoint->dir, checkpoint->state, err, &status);

	if (r < 0)
		return r;
	if (status == STATUS_RUNNING || status == STATUS_PAUSED)
		return 0;
	err_plain(err, "cannot checkpoint container \"%s\" in state %s: container not running", checkpoint->state->id,
		  state_status_name(status));
	return -ESRCH;
}

/* What CRIU would write into an image and could not bring back as it was. */
static int
check_config(const struct checkpoint *checkpoint, struct err *err)
{
	if (checkpoint->state->has_listener)
		return err_plain(err, "linux.seccomp.listenerPath: a filter with a listener cannot be checkpointed");
	return 0;
}

static int
check_parent(const struct checkpoint *checkpoint, struct err *err)
{
	const char *parent = checkpoint->options->parent_path;
	struct stat st;

	if (!parent)
		return 0;
	if (parent[0] == '/')
		return err_plain(err, "option '--parent-path': must be relative to the image path, found '%s'", parent);
	if (fstatat(checkpoint->directories.image_fd, parent, &st, 0) < 0)
		return err_set(err, errno, "option '--parent-path': '%s' below the image path '%s'", parent,
			       checkpoint->directories.image);
	if (!S_ISDIR(st.st_mode))
		return err_set(err, ENOTDIR, "option '--parent-path': '%s'", parent);
	return 0;
}

static int
check_status_fd(const struct container_criu_options *options, struct err *err)
{
	int flags = options->status_fd >= 0 ? fcntl(options->status_fd, F_GETFL) : O_WRONLY;

	if (flags < 0)
		return err_set(err, errno, "option '--status-fd': descriptor %d", options->status_fd);
	if ((flags & O_ACCMODE) == O_RDONLY)
		return err_plain(err, "option '--status-fd': descriptor %d is not open for writing",
				 options->status_fd);
	return 0;
}

/* ---- the call -------------------------------------------------------- */

static void
tell_status(const struct container_criu_options *options)
{
	if (options->status_fd < 0)
		return;
	if (write(options->status_fd, "", 1) < 0)
		log_warning("option '--status-fd': write to descriptor %d: %s", options->status_fd, err_reason(errno));
	close(options->status_fd);
}

static int
notify(void *data, const char *event, pid_t pid, int *fd, struct err *err)
{
	const struct checkpoint *c = data;

	(void)pid;
	(void)fd;
	(void)err;
	if (!strcmp(event, "status-ready"))
		tell_status(c->options);
	return 0;
}

/* The freezer stops all processes at once. Where cgroup2 is not the only hierarchy
 * CRIU looks for the freezer of version 1; without one it stops each by ptrace. */
static void
put_freezer(const struct state *state, struct protobuf *options)
{
	if (state->cgroup_path && !strcmp(state->cgroup_mount, "/sys/fs/cgroup"))
		protobuf_put_string(options, CRIU_OPT_FREEZE_CGROUP,
				    arena_printf(options->arena, "%s%s", state->cgroup_mount, state->cgroup_path));
}

static void
choose_empty_net(struct checkpoint *checkpoint)
{
	if (checkpoint->options->empty_ns || !criu_net_is_own(checkpoint->spec) ||
	    !criu_net_has_devices(checkpoint->state->pid))
		return;
	log_debug("the network namespace has devices that do not belong to the container: its contents are left out");
	checkpoint->own_options = *checkpoint->options;
	checkpoint->own_options.empty_ns = "network";
	checkpoint->options = &checkpoint->own_options;
}

static int
make_options(const struct checkpoint *checkpoint, struct err *err, struct protobuf *options)
{
	const struct container_criu_options *o = checkpoint->options;
	int r = criu_options_put(o, &checkpoint->directories, &checkpoint->state->annotations, LOG_FILE, err, options);

	if (r < 0)
		return r;
	protobuf_put_number(options, CRIU_OPT_PID, (uint64_t)checkpoint->state->pid);
	protobuf_put_string(options, CRIU_OPT_ROOT, checkpoint->state->rootfs);
	put_freezer(checkpoint->state, options);
	protobuf_put_string(options, CRIU_OPT_PARENT_IMG, o->parent_path);
	if (o->parent_path || o->pre_dump)
		protobuf_put_number(options, CRIU_OPT_TRACK_MEM, true);
	r = criu_namespaces_dump(checkpoint->spec, checkpoint->state->pid, err, options);
	if (r == 0)
		r = criu_mounts_dump(options->arena, checkpoint->spec, checkpoint->state, err, options);
	if (r == 0 && !o->pre_dump)
		r = criu_stdio_dump(checkpoint->state->pid, checkpoint->directories.image_fd, err, options);
	return r;
}

static int
dump(struct checkpoint *checkpoint, struct err *err)
{
	struct protobuf options = { .arena = checkpoint->env->arena };
	int inherit[] = { checkpoint->directories.image_fd, checkpoint->directories.work_fd };
	struct criu_call call = {
		.arena = checkpoint->env->arena,
		.program = checkpoint->program,
		.type = checkpoint->options->pre_dump ? CRIU_PRE_DUMP : CRIU_DUMP,
		.options = &options,
		.log_dir = checkpoint->directories.work,
		.log_file = LOG_FILE,
		.inherit = inherit,
		.n_inherit = sizeof(inherit) / sizeof(*inherit),
		.data = checkpoint,
		.notify = notify,
	};
	pid_t ignored;
	uid_t uid;
	gid_t gid;
	int r = make_options(checkpoint, err, &options);

	criu_root_ids(checkpoint->state->pid, &uid, &gid);
	if (r == 0)
		r = criu_call(&call, err, &ignored);
	if (r == 0)
		r = criu_directories_give(&checkpoint->directories, uid, gid, err);
	return r < 0 ? (err_wrap(err, "checkpoint container \"%s\"", checkpoint->state->id), r) : 0;
}

static int
load(struct checkpoint *checkpoint, const char *id, struct err *err)
{
	struct spec_report report = { 0 };
	int r = state_load(&checkpoint->dir, id, checkpoint->env->arena, err, &checkpoint->state);

	if (r == 0)
		r = check_status(checkpoint, err);
	if (r == 0)
		r = spec_load(checkpoint->dir.path, /* config_path= */ NULL, checkpoint->env->arena, &report, err,
			      &checkpoint->spec);
	return r == 0 ? check_config(checkpoint, err) : r;
}

static int
checkpoint(struct checkpoint *checkpoint, const char *id, struct err *err)
{
	int r = load(checkpoint, id, err);

	if (r == 0)
		r = criu_find(checkpoint->env->arena, err, &checkpoint->program);
	if (r == 0)
		r = check_status_fd(checkpoint->options, err);
	if (r == 0)
		r = criu_directories_open(checkpoint->options, /* make= */ true, checkpoint->env->arena, err,
					  &checkpoint->directories);
	if (r < 0)
		return r;
	r = check_parent(checkpoint, err);
	choose_empty_net(checkpoint);
	if (r == 0)
		r = dump(checkpoint, err);
	criu_directories_close(&checkpoint->directories);
	return r;
}

int
container_checkpoint(const struct container_env *env, const char *id, const struct container_criu_options *options,
		     struct err *err)
{
	struct checkpoint c = { .env = env, .options = options };
	int r = criu_check_user("checkpoint", err);

	if (r == 0)
		r = state_open(env->root, id, /* lock= */ true, env->arena, err, &c.dir);
	if (r < 0)
		return r;
	r = checkpoint(&c, id, err);
	state_close(&c.dir);
	if (r < 0 || options->leave_running || options->pre_dump)
		return r;
	return container_delete(env, id, /* force= */ true, err);
}
