/* The config's process is the pattern:
 * its environment, user, capabilities and limits hold for what is executed later,
 * too, unless an option says otherwise. */
#include "libcontainer/exec/exec_process.h"

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

/* Not inheritable (CVE-2022-29162), and so ambient only where the container has it as
 * inheritable already: then a program of another user has it, too. */
static void
add_capabilities(struct arena *a, struct spec_process *process, uint64_t set)
{
	struct spec_capabilities *c;

	if (!set)
		return;
	c = arena_alloc(a, sizeof(*c));
	if (process->capabilities)
		*c = *process->capabilities;
	c->bounding |= set;
	c->effective |= set;
	c->permitted |= set;
	c->ambient |= set & c->inheritable;
	process->capabilities = c;
}

static int
apply_options(struct spec_process *process, const struct container_exec_options *options, struct arena *a,
	      struct err *err)
{
	int r = check_environment(options->env, options->n_env, err);

	if (r < 0)
		return r;
	if (options->cwd && options->cwd[0] != '/')
		return err_plain(err, "option '--cwd': expected an absolute path, found '%s'", options->cwd);
	if (options->cwd)
		process->cwd = arena_strdup(a, options->cwd);
	if (options->uid.set)
		process->user.uid = options->uid.v;
	if (options->gid.set)
		process->user.gid = options->gid.v;
	if (options->selinux_label)
		process->selinux_label = arena_strdup(a, options->selinux_label);
	if (options->apparmor_profile)
		process->apparmor_profile = arena_strdup(a, options->apparmor_profile);
	/* The last of two with one name counts, and stands alone: environment.h. */
	append_strings(a, &process->env, options->env, options->n_env);
	append_groups(a, &process->user.additional_gids, options->gids, options->n_gids);
	add_capabilities(a, process, options->capabilities);
	process->terminal |= options->terminal;
	process->no_new_privileges |= options->no_new_privileges;
	return 0;
}

int
exec_process_make(const struct spec_process *config, const struct container_exec_options *options, struct arena *a,
		  struct err *err, struct spec_process **ret_process)
{
	struct spec_process *p;
	int r;

	if (options->process) {
		r = spec_load_process(options->process, a, options->report, err, &p);
		if (r < 0)
			return r;
	} else {
		p = arena_alloc(a, sizeof(*p));
		if (config)
			*p = *config;
		p->terminal = false;
		p->console_size.set = false;
		p->args = (struct spec_strings){ 0 };
		append_strings(a, &p->args, options->args, options->n_args);
	}
	r = apply_options(p, options, a, err);
	if (r == 0)
		*ret_process = p;
	return r;
}
