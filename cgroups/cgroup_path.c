/* Theory of operation: a path is decided once, from the config, the container's
 * id and facts about the host; nothing is touched. Three outcomes:
 *
 *   - a path below the mount of cgroup2: the container gets that cgroup;
 *   - NULL: it stays in the runtime's own cgroup. So for unprivileged users to whom
 *     no cgroup was delegated, for hosts without cgroup2, and on request;
 *   - an error, when NULL would lose something that the config asks for.
 *
 * The path comes from the config, so a name in it may do no more than name a
 * directory: no "..", no ".", nothing empty. */
#include <limits.h>
#include <string.h>

#include "cgroups/cgroup.h"
#include "cgroups/settings.h"
#include "cgroups/systemd/scope.h"

static const char property[] = "linux.cgroupsPath";

/* One name of a path, len bytes. */
static int
check_name(const char *path, const char *name, size_t len, struct err *err)
{
	if (len == 0)
		return err_plain(err, "%s: '%s' has an empty name in it", property, path);
	if ((len == 1 && name[0] == '.') || (len == 2 && name[0] == '.' && name[1] == '.'))
		return err_plain(err, "%s: '%s' has the name '%.*s' in it", property, path, (int)len, name);
	if (len > NAME_MAX)
		return err_plain(err, "%s: '%.64s…' has a name longer than %d bytes in it", property, path, NAME_MAX);
	if (memchr(name, '\n', len))
		return err_plain(err, "%s: a name in it has a line break", property);
	return 0;
}

/* path without its leading '/'. */
static int
check_path(const char *path, const char *names, struct err *err)
{
	if (!*names)
		return err_plain(err, "%s: '%s' is the root cgroup, which no container can have", property, path);
	if (strlen(names) >= PATH_MAX / 2)
		return err_plain(err, "%s: longer than %d bytes", property, PATH_MAX / 2);
	for (;;) {
		size_t len = strcspn(names, "/");
		int r = check_name(path, names, len, err);

		if (r < 0 || !names[len])
			return r;
		names += len + 1;
	}
}

/* Relative paths begin at the parent of the runtime's own cgroup: its own holds
 * processes, and no controller can be enabled below such a one. */
static char *
beside_own(const struct host *host, const char *name, struct arena *a)
{
	const char *slash = strrchr(host->cgroup_own, '/');

	return arena_printf(a, "%.*s/%s", slash ? (int)(slash - host->cgroup_own) : 0, host->cgroup_own, name);
}

static const char *
no_cgroup2(const struct host *host, struct arena *a)
{
	return host->cgroup_denied ? arena_printf(a, "permission to reach the cgroup2 file system on '%s' is denied",
						  host->cgroup_denied)
				   : "no cgroup2 file system is mounted";
}

/* No cgroup, because of `why`: fine unless the config asks for limits. Device
 * rules count where the container could otherwise make device nodes. */
static int
go_without(const struct host *host, const struct spec *spec, const struct settings *settings, bool on_request,
	   const char *why, struct err *err)
{
	const struct spec_resources *res = spec->linux_.resources;
	const struct setting *needed = settings_first_needed(settings);

	if (needed)
		return err_plain(err, "%s: the container has no cgroup of its own: %s", needed->property, why);
	if (res && res->n_devices && host->privileged && !host->in_userns && !on_request)
		return err_plain(err,
				 "linux.resources.devices: the container has no cgroup of its own: %s (hint: "
				 "--cgroup-manager=disabled runs it without device rules)",
				 why);
	return 0;
}

int
cgroup_compile(struct cgroup *cg, const struct spec *spec, struct arena *a, struct err *err)
{
	struct settings *list = arena_alloc(a, sizeof(*list));

	list->arena = a;
	cg->settings = list;
	return settings_compile(list, spec->linux_.resources, err);
}

int
cgroup_resolve(const struct host *host, enum cgroup_manager manager, const struct spec *spec, const char *id,
	       struct arena *a, struct err *err, struct cgroup *cg)
{
	const char *wanted = spec->linux_.cgroups_path;
	const char *why = NULL;
	char *path = NULL;
	int r;

	if (manager == CGROUP_SYSTEMD && !host->cgroup_mount)
		return err_plain(err, "--systemd-cgroup: %s", no_cgroup2(host, a));
	if (manager == CGROUP_SYSTEMD)
		return cgroup_resolve_scope(host, spec, id, a, err, cg);
	if (wanted && !*wanted)
		wanted = NULL;
	if (wanted && (r = check_path(wanted, wanted + (*wanted == '/'), err)) < 0)
		return r;

	if (manager == CGROUP_DISABLED)
		why = "--cgroup-manager=disabled was given";
	else if (!host->cgroup_mount)
		why = no_cgroup2(host, a);
	else if (!wanted && host->cgroup_read_only)
		why = arena_printf(a, "the cgroup2 file system on '%s' is read-only", host->cgroup_mount);
	else if (!wanted && !host->cgroup_writable)
		why = arena_printf(a, "this user may not make cgroups (hint: have one delegated, for example %s)",
				   cgroup_delegation_command(host->euid));

	if (why) {
		r = go_without(host, spec, cg->settings, manager == CGROUP_DISABLED, why, err);
		if (r < 0)
			return r;
	} else if (wanted && *wanted == '/') {
		path = arena_strdup(a, wanted);
	} else {
		path = beside_own(host, wanted ? wanted : arena_printf(a, "knarr-%s", id), a);
	}
	*cg = (struct cgroup){
		.settings = cg->settings,
		.mount = host->cgroup_mount ? arena_strdup(a, host->cgroup_mount) : NULL,
		.path = path,
		.fd = -1,
	};
	return 0;
}
