/* Theory of operation: a path is decided once, from the config, the container's
 * id and facts about the host; nothing is touched. Three outcomes:
 *
 *   - a path below the mount of cgroup2: the container gets that cgroup;
 *   - NULL: it stays in the runtime's own cgroup. So for ordinary users to whom
 *     no cgroup was delegated, for hosts without cgroup2, and on request;
 *   - an error, when NULL would lose something that the config asks for.
 *
 * The path comes from the config, so a name in it may do no more than name a
 * folder: no "..", no ".", nothing empty. */
#include <limits.h>
#include <string.h>

#include "cgroups/cgroup.h"
#include "cgroups/scope.h"
#include "cgroups/settings.h"

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
beside_own(const struct host *h, const char *name, struct arena *a)
{
	const char *slash = strrchr(h->cgroup_own, '/');

	return arena_printf(a, "%.*s/%s", slash ? (int)(slash - h->cgroup_own) : 0, h->cgroup_own, name);
}

/* No cgroup, because of `why`: fine unless the config asks for limits. Device
 * rules count where the container could otherwise make device nodes. */
static int
go_without(const struct host *h, const struct spec *s, bool on_request, const char *why, struct err *err)
{
	auto_arena struct arena a = { 0 };
	struct settings list = { .arena = &a };
	const struct spec_resources *res = s->linux_.resources;
	const struct setting *needed;
	int r = settings_compile(&list, res, err);

	if (r < 0)
		return r;
	needed = settings_first_needed(&list);
	if (needed)
		return err_plain(err, "%s: the container has no cgroup of its own: %s", needed->property, why);
	if (res && res->n_devices && h->privileged && !h->in_userns && !on_request)
		return err_plain(err, "linux.resources.devices: the container has no cgroup of its own: %s", why);
	return 0;
}

int
cgroup_resolve(const struct host *h, enum cgroup_manager manager, const struct spec *s, const char *id, struct arena *a,
	       struct err *err, struct cgroup *ret_cg)
{
	const char *wanted = s->linux_.cgroups_path;
	const char *why = NULL;
	char *path = NULL;
	int r;

	if (manager == CGROUP_SYSTEMD && !h->cgroup_mount)
		return err_plain(err, "--systemd-cgroup: no cgroup2 file system is mounted");
	if (manager == CGROUP_SYSTEMD)
		return scope_resolve(h, s, id, a, err, ret_cg);
	if (wanted && !*wanted)
		wanted = NULL;
	if (wanted && (r = check_path(wanted, wanted + (*wanted == '/'), err)) < 0)
		return r;

	if (manager == CGROUP_DISABLED)
		why = "--cgroup-manager=disabled was given";
	else if (!h->cgroup_mount)
		why = "no cgroup2 file system is mounted";
	else if (!wanted && !h->cgroup_writable)
		why = "this user may not make cgroups (hint: have one delegated, for example "
		      "systemd-run --user --scope -p Delegate=yes)";

	if (why) {
		r = go_without(h, s, manager == CGROUP_DISABLED, why, err);
		if (r < 0)
			return r;
	} else if (wanted && *wanted == '/') {
		path = arena_strdup(a, wanted);
	} else {
		path = beside_own(h, wanted ? wanted : arena_printf(a, "knarr-%s", id), a);
	}
	*ret_cg = (struct cgroup){
		.mount = h->cgroup_mount ? arena_strdup(a, h->cgroup_mount) : NULL,
		.path = path,
		.fd = -1,
	};
	return 0;
}
