/* Theory of operation: what is done to the cgroup of a container that runs: pause,
 * resume, update, and the list of its processes. The first three hold the lock, so
 * that none of them meets a delete half-way. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "libcontainer/container.h"
#include "libcontainer/resctrl_use.h"
#include "oci-spec/config_edit.h"

/* A process in uninterruptible sleep is not frozen before it wakes up. */
#define FREEZE_TIMEOUT_MS 10000

struct opened {
	struct state_dir dir;
	struct state *state;
	enum container_status status;
	struct cgroup cgroup;
};

static void
close_container(struct opened *o)
{
	fd_close(o->cgroup.fd);
	state_close(&o->dir);
}

/* With the lock, and with the cgroup open. verb is for messages. */
static int
open_container(const struct container_env *env, const char *id, const char *verb, struct err *err, struct opened *o)
{
	int r = state_open(env->root, id, /* lock= */ true, env->arena, err, &o->dir);

	if (r < 0)
		return r;
	o->cgroup.fd = -1;
	r = state_load(&o->dir, id, env->arena, err, &o->state);
	if (r == 0) {
		o->status = state_dir_status(&o->dir, o->state);
		o->cgroup = (struct cgroup){ .mount = o->state->cgroup_mount,
					     .path = o->state->cgroup_path,
					     .made = o->state->cgroup_made,
					     .fd = -1,
					     .unit = o->state->systemd_unit,
					     .user_manager = o->state->systemd_user };
		if (o->status == STATUS_STOPPED || o->status == STATUS_CREATING) {
			err_plain(err, "cannot %s container \"%s\": container not running", verb, id);
			r = -ESRCH;
		} else if (!o->cgroup.path) {
			r = err_plain(err, "cannot %s container \"%s\": it has no cgroup of its own", verb, id);
		}
	}
	if (r == 0)
		r = cgroup_open(&o->cgroup, err);
	if (r < 0)
		close_container(o);
	return r;
}

/* ---- pause, resume --------------------------------------------------- */

int
container_pause(const struct container_env *env, const char *id, struct err *err)
{
	struct opened o;
	int r = open_container(env, id, "pause", err, &o);

	if (r < 0)
		return r;
	if (o.status == STATUS_PAUSED)
		r = err_plain(err, "cannot pause container \"%s\": it is paused already", id);
	else
		r = cgroup_freeze(&o.cgroup, true, FREEZE_TIMEOUT_MS, err);
	close_container(&o);
	return r;
}

int
container_resume(const struct container_env *env, const char *id, struct err *err)
{
	struct opened o;
	int r = open_container(env, id, "resume", err, &o);

	if (r < 0)
		return r;
	if (o.status != STATUS_PAUSED)
		r = err_plain(err, "cannot resume container \"%s\": container not paused", id);
	else
		r = cgroup_freeze(&o.cgroup, false, FREEZE_TIMEOUT_MS, err);
	close_container(&o);
	return r;
}

/* ---- processes ------------------------------------------------------- */

static int
cgroup_processes(const struct state *s, struct arena *a, struct err *err, pid_t **ret_pids, size_t *ret_n)
{
	struct cgroup cg = { .mount = s->cgroup_mount, .path = s->cgroup_path, .fd = -1 };
	size_t max = 64;
	pid_t *pids;
	ssize_t n;
	int r = cgroup_open(&cg, err);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	for (;; max = (size_t)n + 64) {
		pids = arena_array(a, max, sizeof(*pids));
		n = cgroup_pids(&cg, pids, max, err);
		if (n <= (ssize_t)max)
			break;
	}
	fd_close(cg.fd);
	if (n < 0)
		return n == -ENODEV || n == -ENOENT ? 0 : (int)n;
	*ret_pids = pids;
	*ret_n = (size_t)n;
	return 0;
}

int
container_processes(const struct container_env *env, const char *id, struct err *err, pid_t **ret_pids, size_t *ret_n)
{
	enum container_status status;
	struct state *s;
	int r = container_state(env, id, err, &s, &status);

	if (r < 0)
		return r;
	*ret_pids = NULL;
	*ret_n = 0;
	if (s->cgroup_path)
		return cgroup_processes(s, env->arena, err, ret_pids, ret_n);
	if (status == STATUS_STOPPED || s->pid <= 0)
		return 0;
	*ret_pids = arena_array(env->arena, 1, sizeof(**ret_pids));
	(*ret_pids)[0] = s->pid;
	*ret_n = 1;
	return 0;
}

/* ---- update ---------------------------------------------------------- */

/* First word of a cgroup file as a number; "max" is -1. */
static int
read_limit(const struct cgroup *cg, const char *file, int64_t *ret_value)
{
	char text[128];
	ssize_t n = fd_read_small_at(cg->fd, file, text, sizeof(text));

	if (n < 0)
		return (int)n;
	*ret_value = !strncmp(text, "max", 3) ? -1 : strtoll(text, NULL, 10);
	return 0;
}

/* Two settings are one in cgroup v2: the swap limit is given as memory and swap
 * together, and the cpu quota shares a file with its period. What is not given
 * stays as it is now. */
static void
complete(const struct cgroup *cg, struct spec_resources *r, struct arena *a)
{
	struct spec_memory *m = r->memory;
	struct spec_cpu *c = r->cpu;

	if (m && m->swap.set && m->swap.v > 0 && (!m->limit.set || m->limit.v == 0)) {
		r->memory = m = memcpy(arena_alloc(a, sizeof(*m)), m, sizeof(*m));
		m->limit.set = read_limit(cg, "memory.max", &m->limit.v) == 0;
	}
	if (c && c->period.set && c->period.v && (!c->quota.set || c->quota.v == 0)) {
		r->cpu = c = memcpy(arena_alloc(a, sizeof(*c)), c, sizeof(*c));
		c->quota.set = read_limit(cg, "cpu.max", &c->quota.v) == 0;
	}
}

/* The saved config says how the container is. */
static int
save_resources(const struct state_dir *dir, const struct spec_resources *resources, const struct spec_intel_rdt *rdt,
	       struct arena *a, struct err *err)
{
	char *old = NULL, *new;
	size_t len = 0;
	int r = state_load_config(dir, a, err, &old, &len);

	if (r < 0)
		return r;
	new = config_edit_resources(a, old, len, resources, rdt);
	return new ? state_save_config(dir, new, strlen(new), err) : 0;
}

int
container_update(const struct container_env *env, const char *id, const struct spec_resources *resources,
		 const struct spec_intel_rdt *rdt, struct err *err)
{
	struct spec_resources r = *resources;
	struct spec s = { .linux_.resources = &r };
	struct opened o;
	int ret = open_container(env, id, "update", err, &o);

	if (ret < 0)
		return ret;
	/* Callers send those of the config again, or a lone "deny all" in front of
	 * rules that they do not send; runc ignores them as well. */
	r.devices = NULL;
	r.n_devices = 0;
	complete(&o.cgroup, &r, env->arena);
	ret = cgroup_check(&o.cgroup, &s, err);
	/* First what the processor may refuse: an error has changed nothing then. */
	if (ret == 0 && rdt)
		ret = resctrl_use_change(o.state, rdt, err);
	if (ret == 0)
		ret = cgroup_apply(&o.cgroup, &s, err);
	if (ret == 0)
		ret = save_resources(&o.dir, resources, rdt, env->arena, err);
	close_container(&o);
	return ret;
}
