/* update: other limits for a container that runs, and in its saved config. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "cgroups/controllers.h"
#include "libcontainer/container.h"
#include "libcontainer/launch/resctrl_use.h"
#include "libcontainer/live.h"
#include "oci-spec/config_edit.h"

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

/* Fills *ret_limit from the file: what is there now. Without the controller nothing is. */
static int
add_present(const struct cgroup *cg, const char *file, const char *property, struct err *err, struct opt_i64 *ret_limit)
{
	int r = read_limit(cg, file, &ret_limit->v);

	if (r < 0 && r != -ENOENT)
		return err_set(err, -r, "%s: read '%s' of cgroup '%s'", property, file, cg->path);
	ret_limit->set = r == 0;
	return 0;
}

/* Without the limit of memory that it includes, no swap limit can be told. */
static int
complete_swap(const struct cgroup *cg, struct spec_memory *memory, struct err *err)
{
	static const char property[] = "linux.resources.memory.swap";
	char why[4400];
	int r = add_present(cg, "memory.max", property, err, &memory->limit);

	if (r < 0 || memory->limit.set)
		return r;
	err_plain(err, "%s: %s", property, controller_explain(CONTROLLER_MEMORY, why, sizeof(why)));
	return -ENOTSUP;
}

/* Two settings are one in cgroup v2: the swap limit is given as memory and swap
 * together, and the cpu quota shares a file with its period. What is not given
 * stays as it is now. */
static int
complete(const struct cgroup *cg, struct spec_resources *resources, struct arena *a, struct err *err)
{
	struct spec_memory *m = resources->memory;
	struct spec_cpu *c = resources->cpu;
	int ret = 0;

	if (m && m->swap.set && m->swap.v > 0 && (!m->limit.set || m->limit.v == 0)) {
		resources->memory = m = memcpy(arena_alloc(a, sizeof(*m)), m, sizeof(*m));
		ret = complete_swap(cg, m, err);
	}
	if (ret == 0 && c && c->period.set && c->period.v && (!c->quota.set || c->quota.v == 0)) {
		resources->cpu = c = memcpy(arena_alloc(a, sizeof(*c)), c, sizeof(*c));
		ret = add_present(cg, "cpu.max", "linux.resources.cpu.period", err, &c->quota);
	}
	return ret;
}

/* The saved config says how the container is. It is written before anything is changed,
 * and takes its place after it: on a full disk nothing has changed. */
static int
begin_config(const struct state_dir *dir, const struct spec_resources *resources, const struct spec_intel_rdt *rdt,
	     struct arena *a, struct err *err, struct fd_replacement *ret_config)
{
	char *old = NULL, *new;
	size_t len = 0;
	int r = state_load_config(dir, a, err, &old, &len);

	if (r < 0)
		return r;
	new = config_edit_resources(a, old, len, resources, rdt);
	return new ? state_begin_config(dir, new, strlen(new), err, ret_config) : 0;
}

int
container_update(const struct container_env *env, const char *id, const struct spec_resources *resources,
		 const struct spec_intel_rdt *rdt, struct err *err)
{
	struct spec_resources r = *resources;
	struct spec s = { .linux_.resources = &r };
	struct fd_replacement config = { .name = "" };
	const char *schemata = NULL;
	struct live o;
	int ret = live_open(env, id, "update", err, &o);

	if (ret < 0)
		return ret;
	/* Callers send those of the config again, or a lone "deny all" in front of
	 * rules that they do not send; runc ignores them as well. */
	r.devices = NULL;
	r.n_devices = 0;
	ret = complete(&o.cgroup, &r, env->arena, err);
	if (ret == 0)
		ret = cgroup_compile(&o.cgroup, &s, env->arena, err);
	if (ret == 0)
		ret = cgroup_check(&o.cgroup, err);
	if (ret == 0)
		ret = begin_config(&o.dir, resources, rdt, env->arena, err, &config);
	if (ret == 0 && rdt)
		ret = resctrl_use_change(o.state, rdt, env->arena, err, &schemata);
	if (ret == 0 && (ret = cgroup_update(&o.cgroup, &s, err)) < 0 && schemata)
		resctrl_use_put_back(o.state, schemata);
	if (ret == 0 && config.name[0])
		ret = state_commit_config(&o.dir, &config, err);
	fd_replace_abort(&config);
	live_close(&o);
	return ret;
}
