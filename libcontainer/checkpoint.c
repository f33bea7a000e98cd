/* Theory of operation: see container_checkpoint() in container.h. The lock is held
 * for the whole dump, so that no other command meets a container half frozen.
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
#include "libcontainer/container.h"
#include "libcontainer/criu_mounts.h"
#include "libcontainer/criu_namespaces.h"
#include "libcontainer/criu_net.h"
#include "libcontainer/criu_options.h"
#include "libcontainer/criu_rpc.h"
#include "libcontainer/criu_stdio.h"

#define LOG_FILE "dump.log"

struct checkpoint {
	const struct container_env *env;
	const struct container_criu_options *options;
	struct container_criu_options own_options; /* what options points at when one was changed */
	struct state_dir dir;
	struct state *state;
	struct spec *spec;
	struct criu_folders folders;
};

/* ---- checks ---------------------------------------------------------- */

static int
check_status(const struct checkpoint *c, struct err *err)
{
	enum container_status status = state_dir_status(&c->dir, c->state);

	if (status == STATUS_RUNNING || status == STATUS_PAUSED)
		return 0;
	err_plain(err, "cannot checkpoint container \"%s\" in state %s: container not running", c->state->id,
		  state_status_name(status));
	return -ESRCH;
}

/* What CRIU would write into an image and could not bring back as it was. */
static int
check_config(const struct checkpoint *c, struct err *err)
{
	if (c->state->has_listener)
		return err_plain(err, "linux.seccomp.listenerPath: a filter with a listener cannot be checkpointed");
	return 0;
}

static int
check_parent(const struct checkpoint *c, struct err *err)
{
	const char *parent = c->options->parent_path;
	struct stat st;

	if (!parent)
		return 0;
	if (parent[0] == '/')
		return err_plain(err, "option '--parent-path': must be relative to the image path, found '%s'", parent);
	if (fstatat(c->folders.image_fd, parent, &st, 0) < 0)
		return err_set(err, errno, "option '--parent-path': '%s' below the image path '%s'", parent,
			       c->folders.image);
	if (!S_ISDIR(st.st_mode))
		return err_set(err, ENOTDIR, "option '--parent-path': '%s'", parent);
	return 0;
}

static int
check_status_fd(const struct container_criu_options *o, struct err *err)
{
	int flags = o->status_fd >= 0 ? fcntl(o->status_fd, F_GETFL) : O_WRONLY;

	if (flags < 0)
		return err_set(err, errno, "option '--status-fd': descriptor %d", o->status_fd);
	if ((flags & O_ACCMODE) == O_RDONLY)
		return err_plain(err, "option '--status-fd': descriptor %d is not open for writing", o->status_fd);
	return 0;
}

/* ---- the call -------------------------------------------------------- */

static void
tell_status(const struct container_criu_options *o)
{
	if (o->status_fd < 0)
		return;
	if (write(o->status_fd, "", 1) < 0)
		log_warning("option '--status-fd': write to descriptor %d: %s", o->status_fd, err_reason(errno));
	close(o->status_fd);
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
put_freezer(const struct state *s, struct protobuf *options)
{
	if (s->cgroup_path && !strcmp(s->cgroup_mount, "/sys/fs/cgroup"))
		protobuf_put_string(options, CRIU_OPT_FREEZE_CGROUP,
				    arena_printf(options->arena, "%s%s", s->cgroup_mount, s->cgroup_path));
}

static void
choose_empty_net(struct checkpoint *c)
{
	if (c->options->empty_ns || !criu_net_is_own(c->spec) || !criu_net_has_devices(c->state->pid))
		return;
	log_debug("the network namespace has devices that are not of the container: its contents are left out");
	c->own_options = *c->options;
	c->own_options.empty_ns = "network";
	c->options = &c->own_options;
}

static int
make_options(const struct checkpoint *c, struct err *err, struct protobuf *options)
{
	const struct container_criu_options *o = c->options;
	int r = criu_options_put(o, &c->folders, &c->state->annotations, LOG_FILE, err, options);

	if (r < 0)
		return r;
	protobuf_put_number(options, CRIU_OPT_PID, (uint64_t)c->state->pid);
	protobuf_put_string(options, CRIU_OPT_ROOT, c->state->rootfs);
	put_freezer(c->state, options);
	protobuf_put_string(options, CRIU_OPT_PARENT_IMG, o->parent_path);
	if (o->parent_path || o->pre_dump)
		protobuf_put_number(options, CRIU_OPT_TRACK_MEM, true);
	r = criu_namespaces_dump(c->spec, c->state->pid, err, options);
	if (r == 0)
		r = criu_mounts_dump(options->arena, c->spec, c->state, err, options);
	if (r == 0 && !o->pre_dump)
		r = criu_stdio_dump(c->state->pid, c->folders.image_fd, err, options);
	return r;
}

static int
dump(struct checkpoint *c, struct err *err)
{
	struct protobuf options = { .arena = c->env->arena };
	int inherit[] = { c->folders.image_fd, c->folders.work_fd };
	struct criu_call call = {
		.arena = c->env->arena,
		.type = c->options->pre_dump ? CRIU_PRE_DUMP : CRIU_DUMP,
		.options = &options,
		.log_dir = c->folders.work,
		.log_file = LOG_FILE,
		.inherit = inherit,
		.n_inherit = sizeof(inherit) / sizeof(*inherit),
		.data = c,
		.notify = notify,
	};
	pid_t ignored;
	uid_t uid;
	gid_t gid;
	int r = make_options(c, err, &options);

	criu_root_ids(c->state->pid, &uid, &gid);
	if (r == 0)
		r = criu_call(&call, err, &ignored);
	if (r == 0)
		r = criu_folders_give(&c->folders, uid, gid, err);
	return r < 0 ? (err_wrap(err, "checkpoint container \"%s\"", c->state->id), r) : 0;
}

static int
load(struct checkpoint *c, const char *id, struct err *err)
{
	struct spec_report report = { 0 };
	int r = state_load(&c->dir, id, c->env->arena, err, &c->state);

	if (r == 0)
		r = check_status(c, err);
	if (r == 0)
		r = spec_load(c->dir.path, /* config_path= */ NULL, c->env->arena, &report, err, &c->spec);
	return r == 0 ? check_config(c, err) : r;
}

static int
checkpoint(struct checkpoint *c, const char *id, struct err *err)
{
	int r = load(c, id, err);

	if (r == 0)
		r = criu_check_installed(c->env->arena, err);
	if (r == 0)
		r = check_status_fd(c->options, err);
	if (r == 0)
		r = criu_folders_open(c->options, /* make= */ true, c->env->arena, err, &c->folders);
	if (r < 0)
		return r;
	r = check_parent(c, err);
	choose_empty_net(c);
	if (r == 0)
		r = dump(c, err);
	criu_folders_close(&c->folders);
	return r;
}

int
container_checkpoint(const struct container_env *env, const char *id, const struct container_criu_options *o,
		     struct err *err)
{
	struct checkpoint c = { .env = env, .options = o };
	int r = criu_check_user("checkpoint", err);

	if (r == 0)
		r = state_open(env->root, id, /* lock= */ true, env->arena, err, &c.dir);
	if (r < 0)
		return r;
	r = checkpoint(&c, id, err);
	state_close(&c.dir);
	if (r < 0 || o->leave_running || o->pre_dump)
		return r;
	return container_delete(env, id, /* force= */ true, err);
}
