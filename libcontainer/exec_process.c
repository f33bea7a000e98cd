/* Theory of operation: see exec_process.h. The config's process is the pattern:
 * its environment, user, capabilities and limits hold for what is executed later,
 * too, unless an option says otherwise. */
#include "libcontainer/exec_process.h"

#include <string.h>

/* n strings more at the end of list. */
static void
append_strings(struct arena *a, struct spec_strings *list, const char *const *items, size_t n)
{
	char **all = arena_array(a, list->n + n + 1, sizeof(*all));

	if (list->n)
		memcpy(all, list->items, list->n * sizeof(*all));
	for (size_t i = 0; i < n; i++)
		all[list->n + i] = arena_strdup(a, items[i]);
	list->items = all;
	list->n += n;
}

/* A variable that is given counts, and stands once: programs disagree about which
 * of two they take. */
static void
set_environment(struct arena *a, struct spec_strings *env, const char *const *items, size_t n)
{
	struct spec_strings kept = { .items = arena_array(a, env->n + 1, sizeof(char *)) };

	for (size_t i = 0; i < env->n; i++) {
		size_t len = strcspn(env->items[i], "=") + 1, k = 0;

		while (k < n && strncmp(env->items[i], items[k], len))
			k++;
		if (k == n)
			kept.items[kept.n++] = env->items[i];
	}
	append_strings(a, &kept, items, n);
	*env = kept;
}

static int
check_environment(const char *const *items, size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++)
		if (items[i][0] == '=' || !strchr(items[i], '='))
			return err_plain(err, "option '--env': expected NAME=VALUE, found '%s'", items[i]);
	return 0;
}

static void
append_groups(struct arena *a, struct spec_u32s *list, const uint32_t *gids, size_t n)
{
	uint32_t *all = arena_array(a, list->n + n + 1, sizeof(*all));

	if (list->n)
		memcpy(all, list->items, list->n * sizeof(*all));
	if (n)
		memcpy(all + list->n, gids, n * sizeof(*all));
	list->items = all;
	list->n += n;
}

/* Not inheritable (CVE-2022-29162), and so not ambient. */
static void
add_capabilities(struct arena *a, struct spec_process *p, uint64_t set)
{
	struct spec_capabilities *c;

	if (!set)
		return;
	c = arena_alloc(a, sizeof(*c));
	if (p->capabilities)
		*c = *p->capabilities;
	c->bounding |= set;
	c->effective |= set;
	c->permitted |= set;
	p->capabilities = c;
}

static int
apply_options(struct spec_process *p, const struct container_exec_options *o, struct arena *a, struct err *err)
{
	int r = check_environment(o->env, o->n_env, err);

	if (r < 0)
		return r;
	if (o->cwd && o->cwd[0] != '/')
		return err_plain(err, "option '--cwd': expected an absolute path, found '%s'", o->cwd);
	if (o->cwd)
		p->cwd = arena_strdup(a, o->cwd);
	if (o->uid.set)
		p->user.uid = o->uid.v;
	if (o->gid.set)
		p->user.gid = o->gid.v;
	if (o->selinux_label)
		p->selinux_label = arena_strdup(a, o->selinux_label);
	if (o->apparmor_profile)
		p->apparmor_profile = arena_strdup(a, o->apparmor_profile);
	if (o->n_env)
		set_environment(a, &p->env, o->env, o->n_env);
	append_groups(a, &p->user.additional_gids, o->gids, o->n_gids);
	add_capabilities(a, p, o->capabilities);
	p->terminal |= o->terminal;
	p->no_new_privileges |= o->no_new_privileges;
	return 0;
}

int
exec_process_make(const struct spec_process *config, const struct container_exec_options *o, struct arena *a,
		  struct err *err, struct spec_process **ret_process)
{
	struct spec_process *p;
	int r;

	if (o->process) {
		r = spec_load_process(o->process, a, o->report, err, &p);
		if (r < 0)
			return r;
	} else {
		p = arena_alloc(a, sizeof(*p));
		if (config)
			*p = *config;
		p->terminal = false;
		p->console_size.set = false;
		p->args = (struct spec_strings){ 0 };
		append_strings(a, &p->args, o->args, o->n_args);
	}
	r = apply_options(p, o, a, err);
	if (r == 0)
		*ret_process = p;
	return r;
}
