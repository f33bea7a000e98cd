/* compile_init() is the table of contents of
 * a container's set-up; the order of its lines is the order of execution. */
#include "libcontainer/launch/compile.h"

#include <inttypes.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>

#include "libcontainer/launch/program_plan.h"
#include "libcontainer/launch/resctrl_use.h"
#include "libcontainer/process/credentials.h"
#include "libcontainer/process/stdio.h"
#include "libcontainer/stage/stage_last_filter.h"
#include "libcontainer/state/notify_socket.h"
#include "namespaces/mount/path_text.h"
#include "namespaces/net/net_devices.h"
#include "namespaces/user/idmap.h"
#include "oci-spec/documents.h"

static bool
is_new(const struct spec *spec, enum ns_kind type)
{
	return spec->linux_.namespaces[type].listed && !spec->linux_.namespaces[type].path;
}

/* ---- namespaces ------------------------------------------------------ */

/* The enum has the user namespace first, and so has the list of joins. */
static int
plan_namespaces(struct plan_builder *b, const struct spec *spec, const struct host *host, struct err *err)
{
	for (int i = 0; i < NS_COUNT; i++) {
		const struct spec_namespace *ns = &spec->linux_.namespaces[i];

		if (!ns->listed)
			continue;
		if (!ns->path) {
			b->spawn.clone_flags |= ns_kinds[i].flag;
			continue;
		}
		b->spawn.joins[b->spawn.n_joins++] =
			(struct plan_join){ .nstype = (int)ns_kinds[i].flag, .path = plan_string(b, ns->path) };
		b->spawn.enters_pidns_last |= i == NS_PID;
	}
	if (!host->privileged && !spec->linux_.namespaces[NS_USER].listed)
		return err_plain(err,
				 "linux.namespaces: uid %u needs a user namespace to create a container "
				 "(`knarr spec --rootless` writes such a config)",
				 host->euid);
	return 0;
}

/* Lines "CLOCK SECONDS NANOSECONDS" of time_namespaces(7). */
static void
plan_time_offsets(struct plan_builder *b, const struct spec *spec)
{
	const struct spec_time_offset *m = &spec->linux_.time_offsets.monotonic,
				      *t = &spec->linux_.time_offsets.boottime;
	const char *text = "";

	if (m->set)
		text = arena_printf(b->arena, "monotonic %" PRId64 " %" PRIu32 "\n", m->secs, m->nanosecs);
	if (t->set)
		text = arena_printf(b->arena, "%sboottime %" PRId64 " %" PRIu32 "\n", text, t->secs, t->nanosecs);
	if (*text)
		b->spawn.time_offsets = plan_string(b, text);
}

/* ---- session, network, names ----------------------------------------- */

static void
plan_session(struct plan_builder *b, const struct spec *spec, const struct compile_options *options)
{
	struct plan_step *step;

	if (options->no_new_keyring)
		return;
	step = plan_add(b, PLAN_JOIN_KEYRING, "session keyring");
	step->u.keyring.name = plan_string(b, arena_printf(b->arena, "_ses.%s", options->id));
	if (spec->process)
		step->u.keyring.label = plan_string(b, spec->process->selinux_label);
	/* A kernel without keyrings: there is none of the caller's to be kept away from. */
	step->on_error = PLAN_SKIP;
	step->errnos = PLAN_ENOSYS;
}

static void
plan_network(struct plan_builder *b, const struct spec *spec)
{
	if (is_new(spec, NS_NETWORK))
		plan_add(b, PLAN_LOOPBACK_UP, "linux.namespaces");
}

/* Of a namespace that is joined: which one must not be changed. In a user namespace the kernel
 * sees to it. */
static int
note_own_namespace(const struct spec *spec, enum ns_kind kind, struct err *err, struct plan_own_namespace *ret_own)
{
	int r;

	*ret_own = (struct plan_own_namespace){ .kind = (uint8_t)kind };
	if (kind == NS_COUNT || !spec->linux_.namespaces[kind].path || spec->linux_.namespaces[NS_USER].listed)
		return 0;
	r = ns_own_id(kind, &ret_own->id);
	return r < 0 ? err_set(err, -r, "look at the runtime's %s namespace", ns_kinds[kind].word) : 0;
}

static int
plan_uts_name(struct plan_builder *b, const struct spec *spec, bool domain, struct err *err)
{
	const char *name = domain ? spec->domainname : spec->hostname;
	struct plan_uts uts = { .name = plan_string(b, name), .domain = domain };
	int r = name ? note_own_namespace(spec, NS_UTS, err, &uts.own) : 0;

	if (r == 0 && name)
		plan_add(b, PLAN_SET_UTS_NAME, "%s", domain ? "domainname" : "hostname")->u.uts = uts;
	return r;
}

/* ---- hooks ----------------------------------------------------------- */

/* The state for a hook in the container, in two pieces: only the init knows its
 * pid as the container sees it. */
static void
set_hook_state(struct plan_builder *b, struct plan_hook *hook, const struct spec *spec,
	       const struct compile_options *options, const char *status)
{
	struct state_document doc = {
		.id = options->id, .status = status, .bundle = options->rootfs.bundle, .annotations = &spec->annotations
	};
	char *text = document_state(b->arena, &doc, /* pretty= */ false);

	text[strlen(text) - 1] = '\0'; /* the closing brace */
	hook->state_head = plan_string(b, arena_printf(b->arena, "%s,\"pid\":", text));
	hook->state_tail = plan_string(b, "}");
}

static void
fill_hook(struct plan_builder *b, const struct spec_hook *hook, struct plan_hook *planned)
{
	planned->path = plan_string(b, hook->path);
	planned->args = plan_strings(b, (const char *const *)hook->args.items, hook->args.n);
	planned->env = plan_strings(b, (const char *const *)hook->env.items, hook->env.n);
	planned->inherit_env = !hook->has_env;
	planned->timeout = hook->timeout.set ? hook->timeout.v : 0;
}

/* createContainer hooks start in root.path, where runc's start: callers write
 * "mount --bind … ./lib/…". Layers may come without such a directory. */
static const char *
create_container_dir(struct arena *a, const struct spec *spec, const struct compile_options *options)
{
	const char *path =
		spec->root && spec->root->path ? path_absolute(a, options->rootfs.bundle, spec->root->path) : NULL;
	struct stat st;

	return path && stat(path, &st) == 0 && S_ISDIR(st.st_mode) ? path : options->rootfs.bundle;
}

/* prestart and createRuntime run in the runtime; createContainer in the init,
 * in the container's namespaces but with the runtime's root. */
static void
plan_create_hooks(struct plan_builder *b, const struct spec *spec, const struct compile_options *options)
{
	const struct spec_hooks_list *list = &spec->hooks.create_container;

	if (spec->hooks.prestart.n || spec->hooks.create_runtime.n)
		plan_add(b, PLAN_ASK_HOOKS, "hooks");
	for (size_t i = 0; i < list->n; i++) {
		struct plan_step *step = plan_add(b, PLAN_RUN_HOOK, "hooks.createContainer[%zu]", i);
		struct plan_hook h = step->u.hook;

		fill_hook(b, &list->items[i], &h);
		h.dir = plan_string(b, create_container_dir(b->arena, spec, options));
		set_hook_state(b, &h, spec, options, "creating");
		b->steps[b->n_steps - 1].u.hook = h;
	}
}

/* Their programs come from the container's file system: they get the program's
 * own confinement, and where the config gives none the program's environment, as with runc.
 * The runtime's is for programs of the host alone. These never get the container's, though
 * runc gives it to createContainer hooks: what loads a library that LD_PRELOAD of the image
 * names would do so with the runtime's privileges (CVE-2025-23266). */
static void
plan_start_hooks(struct plan_builder *b, const struct spec *spec, const struct compile_options *options,
		 const struct plan_seccomp *seccomp)
{
	const struct spec_hooks_list *list = &spec->hooks.start_container;
	struct plan_hook program = { 0 };

	if (list->n)
		program.env = program_plan_environment(b, spec->process, options, &program.find_home);
	for (size_t i = 0; i < list->n; i++) {
		struct plan_hook h = { 0 };

		fill_hook(b, &list->items[i], &h);
		if (h.inherit_env) {
			h.inherit_env = false;
			h.env = program.env;
			h.find_home = program.find_home;
		}
		set_hook_state(b, &h, spec, options, "created");
		h.no_new_privileges = spec->process && spec->process->no_new_privileges;
		if (!seccomp->notify) {
			h.seccomp = seccomp->filter;
			h.seccomp_flags = seccomp->flags;
		}
		plan_add(b, PLAN_RUN_HOOK, "hooks.startContainer[%zu]", i)->u.hook = h;
	}
}

/* ---- sysctl ---------------------------------------------------------- */

/* Docker's hook gives the network namespace its interfaces, so names below
 * net.ipv4.conf.eth0 exist only after the createRuntime hooks. */
static int
plan_sysctl(struct plan_builder *b, const struct spec *spec, struct err *err)
{
	for (size_t i = 0; i < spec->linux_.sysctl.n; i++) {
		const struct spec_pair *p = &spec->linux_.sysctl.items[i];
		const char *path = spec_sysctl_path(b->arena, p->key);
		struct plan_sysctl sysctl;
		int r;

		if (!path)
			return err_plain(err, "linux.sysctl: '%s' is not the name of a sysctl", p->key);
		r = note_own_namespace(spec, spec_sysctl_namespace(path), err, &sysctl.own);
		if (r < 0)
			return r;
		sysctl.name = plan_string(b, path);
		sysctl.value = plan_string(b, p->value);
		plan_add(b, PLAN_WRITE_SYSCTL, "linux.sysctl.%s", p->key)->u.sysctl = sysctl;
	}
	return 0;
}

/* ---- process --------------------------------------------------------- */

static int
plan_process(struct plan_builder *b, const struct spec *spec, const struct host *host,
	     const struct compile_options *options, struct err *err)
{
	const struct spec_process *p = spec->process;
	struct plan_seccomp seccomp;
	int r = program_plan_seccomp(b, spec, err, &seccomp);

	if (r < 0)
		return r;
	if (!p && !options->is_create)
		return err_plain(err, "process: required to run a container, but the config has none");
	if (p && p->args.n == 0)
		return err_plain(err, "process.args: required to start a program, but the config has none");
	if (p) {
		program_plan_find_home(b, p);
		stdio_plan(b, spec, /* enters_userns= */ false);
		r = credentials_plan(b, spec, host, err);
		if (r < 0)
			return r;
		program_plan_find(b, p);
	}
	if (p && p->no_new_privileges)
		plan_add(b, PLAN_NO_NEW_PRIVILEGES, "process.noNewPrivileges");
	if (p)
		program_plan_prepare_exec(b, p, options);
	b->spawn.first_seen = (uint32_t)b->n_steps;
	if (p)
		program_plan_last(b, p);
	if (options->is_create)
		plan_add(b, PLAN_WAIT_START, "start");
	if (!p)
		return 0;
	plan_start_hooks(b, spec, options, &seccomp);
	/* Last of all, so that the profile need not allow what the runtime does. */
	if (seccomp.filter.len)
		plan_add(b, PLAN_LOAD_SECCOMP, "linux.seccomp")->u.seccomp = seccomp;
	plan_add(b, PLAN_EXEC, "process.args");
	stage_last_plan_filter(b);
	return 0;
}

/* ---- all of it ------------------------------------------------------- */

static void
complete_options(struct compile_options *options, const struct spec *spec, const struct host *host)
{
	bool user = spec->linux_.namespaces[NS_USER].listed;

	options->rootfs.parent_opens = user && host->privileged;
	options->rootfs.in_userns = user || host->in_userns;
	options->rootfs.new_cgroupns = is_new(spec, NS_CGROUP);
	options->rootfs.has_terminal = spec->process && spec->process->terminal;
}

int
compile_init(struct plan_builder *b, const struct spec *spec, const struct host *host, struct compile_options *options,
	     struct err *err)
{
	struct err_sink *sink = options->rootfs.sink;
	int r;

	complete_options(options, spec, host);
	b->spawn.is_create = options->is_create;
	b->spawn.has_cgroup = options->has_cgroup;
	resctrl_use_plan(b, spec, options->id);
	if ((r = plan_namespaces(b, spec, host, err)) < 0)
		return r;
	plan_time_offsets(b, spec);
	if ((r = err_hand_over(sink, err, net_devices_plan(b, spec, host, err))) < 0)
		return r;
	if (is_new(spec, NS_USER) && (r = idmap_plan(b, spec, host, options->subid_dir, err)) < 0)
		return r;
	plan_session(b, spec, options);
	plan_network(b, spec);
	if ((r = plan_uts_name(b, spec, /* domain= */ false, err)) < 0 ||
	    (r = plan_uts_name(b, spec, /* domain= */ true, err)) < 0)
		return r;
	if ((r = err_hand_over(sink, err, rootfs_plan_mounts(b, spec, host, &options->rootfs, err))) < 0)
		return r;
	if (options->notify_dir)
		notify_socket_plan(b, options->notify_dir, options->rootfs.parent_opens);
	if (spec->process)
		r = program_plan_console(b, spec->process, spec->linux_.namespaces[NS_MOUNT].listed, err);
	if ((r = err_hand_over(sink, err, r)) < 0)
		return r;
	/* The environment exists, the root is not changed yet: runtime.md, lifecycle 3-5. */
	plan_create_hooks(b, spec, options);
	if ((r = err_hand_over(sink, err, plan_sysctl(b, spec, err))) < 0)
		return r;
	/* While the host's /proc can still be mounted anew. */
	if ((r = err_hand_over(sink, err, credentials_plan_limits(b, spec, host, err))) < 0)
		return r;
	if ((r = err_hand_over(sink, err, rootfs_plan_finish(b, spec, host, &options->rootfs, err))) < 0)
		return r;
	/* Before the first path that the program itself would resolve. */
	plan_add(b, PLAN_CLOSE_FDS, "process")->u.close_fds.keep = options->keep_fds;
	return plan_process(b, spec, host, options, err);
}
