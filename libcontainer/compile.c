/* Theory of operation: see compile.h. compile_init() is the table of contents of
 * a container's set-up; the order of its lines is the order of execution. */
#include "libcontainer/compile.h"

#include <inttypes.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>

#include "libcontainer/compile_process.h"
#include "libcontainer/credentials.h"
#include "libcontainer/notify_socket.h"
#include "libcontainer/resctrl_use.h"
#include "namespaces/idmap.h"
#include "namespaces/net_devices.h"
#include "namespaces/path_text.h"
#include "oci-spec/documents.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

/* CLONE_NEW* by enum spec_ns_type. */
static const int clone_flag[SPEC_NS_COUNT] = {
	[SPEC_NS_USER] = CLONE_NEWUSER,	    [SPEC_NS_PID] = CLONE_NEWPID,   [SPEC_NS_NETWORK] = CLONE_NEWNET,
	[SPEC_NS_MOUNT] = CLONE_NEWNS,	    [SPEC_NS_IPC] = CLONE_NEWIPC,   [SPEC_NS_UTS] = CLONE_NEWUTS,
	[SPEC_NS_CGROUP] = CLONE_NEWCGROUP, [SPEC_NS_TIME] = CLONE_NEWTIME,
};

static bool
is_new(const struct spec *s, enum spec_ns_type type)
{
	return s->linux_.namespaces[type].listed && !s->linux_.namespaces[type].path;
}

/* ---- namespaces ------------------------------------------------------ */

/* The enum has the user namespace first, and so has the list of joins. */
static int
compile_namespaces(struct plan_builder *b, const struct spec *s, const struct host *h, struct err *err)
{
	for (int i = 0; i < SPEC_NS_COUNT; i++) {
		const struct spec_namespace *ns = &s->linux_.namespaces[i];

		if (!ns->listed)
			continue;
		if (!ns->path) {
			b->stage.clone_flags |= (uint64_t)clone_flag[i];
			continue;
		}
		b->stage.joins[b->stage.n_joins++] =
			(struct plan_join){ .nstype = clone_flag[i], .path = plan_string(b, ns->path) };
	}
	if (!h->privileged && !s->linux_.namespaces[SPEC_NS_USER].listed)
		return err_plain(err,
				 "linux.namespaces: uid %u needs a user namespace to make a container "
				 "(`knarr spec --rootless` writes such a config)",
				 h->euid);
	return 0;
}

/* Lines "CLOCK SECONDS NANOSECONDS" of time_namespaces(7). */
static void
compile_time_offsets(struct plan_builder *b, const struct spec *s)
{
	const struct spec_time_offset *m = &s->linux_.time_offsets.monotonic, *t = &s->linux_.time_offsets.boottime;
	const char *text = "";

	if (m->set)
		text = arena_printf(b->arena, "monotonic %" PRId64 " %" PRIu32 "\n", m->secs, m->nanosecs);
	if (t->set)
		text = arena_printf(b->arena, "%sboottime %" PRId64 " %" PRIu32 "\n", text, t->secs, t->nanosecs);
	if (*text)
		b->stage.time_offsets = plan_string(b, text);
}

/* ---- session, network, names ----------------------------------------- */

static void
compile_session(struct plan_builder *b, const struct spec *s, const struct compile_options *o)
{
	struct plan_step *step;

	if (o->no_new_keyring)
		return;
	step = plan_add(b, PLAN_JOIN_KEYRING, "session keyring");
	step->u.keyring.name = plan_string(b, arena_printf(b->arena, "_ses.%s", o->id));
	if (s->process)
		step->u.keyring.label = plan_string(b, s->process->selinux_label);
	/* A kernel without keyrings, or a quota of keys that is used up in a
	 * sandbox: the container has the caller's session keyring then. */
	step->on_error = PLAN_SKIP;
	step->errnos = PLAN_ENOSYS | PLAN_EOPNOTSUPP;
}

static void
compile_network(struct plan_builder *b, const struct spec *s)
{
	if (is_new(s, SPEC_NS_NETWORK))
		plan_add(b, PLAN_LOOPBACK_UP, "linux.namespaces");
}

static void
compile_uts_name(struct plan_builder *b, const char *property, const char *name, bool domain)
{
	struct plan_step *step;

	if (!name)
		return;
	step = plan_add(b, PLAN_SET_UTS_NAME, "%s", property);
	step->u.uts.name = plan_string(b, name);
	step->u.uts.domain = domain;
}

/* ---- hooks ----------------------------------------------------------- */

/* The state for a hook in the container, in two pieces: only the init knows its
 * pid as the container sees it. */
static void
set_hook_state(struct plan_builder *b, struct plan_hook *h, const struct spec *s, const struct compile_options *o,
	       const char *status)
{
	struct state_document doc = {
		.id = o->id, .status = status, .bundle = o->rootfs.bundle, .annotations = &s->annotations
	};
	char *text = document_state(b->arena, &doc, /* pretty= */ false);

	text[strlen(text) - 1] = '\0'; /* the closing brace */
	h->state_head = plan_string(b, arena_printf(b->arena, "%s,\"pid\":", text));
	h->state_tail = plan_string(b, "}");
}

static void
compile_hook(struct plan_builder *b, const struct spec_hook *hook, struct plan_hook *h)
{
	h->path = plan_string(b, hook->path);
	h->args = plan_strings(b, (const char *const *)hook->args.items, hook->args.n);
	h->env = plan_strings(b, (const char *const *)hook->env.items, hook->env.n);
	h->inherit_env = !hook->has_env;
	h->timeout = hook->timeout.set ? hook->timeout.v : 0;
}

/* createContainer hooks start in root.path, where runc's start: callers write
 * "mount --bind … ./lib/…". Layers may come without such a folder. */
static const char *
create_container_dir(struct arena *a, const struct spec *s, const struct compile_options *o)
{
	const char *path = s->root && s->root->path ? path_absolute(a, o->rootfs.bundle, s->root->path) : NULL;
	struct stat st;

	return path && stat(path, &st) == 0 && S_ISDIR(st.st_mode) ? path : o->rootfs.bundle;
}

/* prestart and createRuntime run in the runtime; createContainer in the init,
 * in the container's namespaces but with the runtime's root. */
static void
compile_create_hooks(struct plan_builder *b, const struct spec *s, const struct compile_options *o)
{
	const struct spec_hooks_list *list = &s->hooks.create_container;

	if (s->hooks.prestart.n || s->hooks.create_runtime.n)
		plan_add(b, PLAN_ASK_HOOKS, "hooks");
	for (size_t i = 0; i < list->n; i++) {
		struct plan_step *step = plan_add(b, PLAN_RUN_HOOK, "hooks.createContainer[%zu]", i);
		struct plan_hook h = step->u.hook;

		compile_hook(b, &list->items[i], &h);
		h.dir = plan_string(b, create_container_dir(b->arena, s, o));
		set_hook_state(b, &h, s, o, "creating");
		b->steps[b->n_steps - 1].u.hook = h;
	}
}

/* Their programs come from the container's file system: they get the program's
 * own confinement. */
static void
compile_start_hooks(struct plan_builder *b, const struct spec *s, const struct compile_options *o,
		    const struct plan_seccomp *seccomp)
{
	const struct spec_hooks_list *list = &s->hooks.start_container;

	for (size_t i = 0; i < list->n; i++) {
		struct plan_hook h = { 0 };

		compile_hook(b, &list->items[i], &h);
		set_hook_state(b, &h, s, o, "created");
		h.no_new_privileges = s->process && s->process->no_new_privileges;
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
compile_sysctl(struct plan_builder *b, const struct spec *s, struct err *err)
{
	for (size_t i = 0; i < s->linux_.sysctl.n; i++) {
		const struct spec_pair *p = &s->linux_.sysctl.items[i];
		const char *path = spec_sysctl_path(b->arena, p->key);
		struct plan_sysctl sysctl;

		if (!path)
			return err_plain(err, "linux.sysctl: '%s' is not the name of a sysctl", p->key);
		sysctl.name = plan_string(b, path);
		sysctl.value = plan_string(b, p->value);
		plan_add(b, PLAN_WRITE_SYSCTL, "linux.sysctl.%s", p->key)->u.sysctl = sysctl;
	}
	return 0;
}

/* ---- process --------------------------------------------------------- */

static int
compile_process(struct plan_builder *b, const struct spec *s, const struct host *h, const struct compile_options *o,
		struct err *err)
{
	const struct spec_process *p = s->process;
	struct plan_seccomp seccomp;
	int r = compile_seccomp(b, s, o->seccomp_cache, err, &seccomp);

	if (r < 0)
		return r;
	if (!p && !o->is_create)
		return err_plain(err, "process: required to run a container, but the config has none");
	if (p && p->args.n == 0)
		return err_plain(err, "process.args: required to start a program, but the config has none");
	if (p) {
		r = credentials_plan(b, s, h, err);
		if (r < 0)
			return r;
		compile_program(b, p);
	}
	if (p && p->no_new_privileges)
		plan_add(b, PLAN_NO_NEW_PRIVILEGES, "process.noNewPrivileges");
	if (o->is_create)
		plan_add(b, PLAN_WAIT_START, "start");
	if (!p)
		return 0;
	compile_start_hooks(b, s, o, &seccomp);
	compile_vectors(b, p, o);
	/* Last of all, so that the profile need not allow what the runtime does. */
	if (seccomp.filter.len)
		plan_add(b, PLAN_LOAD_SECCOMP, "linux.seccomp")->u.seccomp = seccomp;
	plan_add(b, PLAN_EXEC, "process.args");
	return 0;
}

/* ---- all of it ------------------------------------------------------- */

static void
complete_options(struct compile_options *o, const struct spec *s, const struct host *h)
{
	bool user = s->linux_.namespaces[SPEC_NS_USER].listed;

	o->rootfs.parent_opens = user && h->privileged;
	o->rootfs.in_userns = user || h->in_userns;
	o->rootfs.new_cgroupns = is_new(s, SPEC_NS_CGROUP);
	o->rootfs.has_terminal = s->process && s->process->terminal;
}

int
compile_init(struct plan_builder *b, const struct spec *s, const struct host *h, struct compile_options *o,
	     struct err *err)
{
	int r;

	complete_options(o, s, h);
	b->stage.is_create = o->is_create;
	b->stage.has_cgroup = o->has_cgroup;
	resctrl_use_plan(b, s, o->id);
	if ((r = compile_namespaces(b, s, h, err)) < 0)
		return r;
	compile_time_offsets(b, s);
	if ((r = net_devices_plan(b, s, h, err)) < 0)
		return r;
	if (is_new(s, SPEC_NS_USER) && (r = idmap_plan(b, s, h, o->subid_dir, err)) < 0)
		return r;
	compile_session(b, s, o);
	compile_network(b, s);
	compile_uts_name(b, "hostname", s->hostname, false);
	compile_uts_name(b, "domainname", s->domainname, true);
	if ((r = rootfs_plan_mounts(b, s, h, &o->rootfs, err)) < 0)
		return r;
	if (o->notify_dir)
		notify_socket_plan(b, o->notify_dir, o->rootfs.parent_opens);
	if (s->process && (r = compile_console(b, s->process, s->linux_.namespaces[SPEC_NS_MOUNT].listed, err)) < 0)
		return r;
	/* The environment exists, the root is not changed yet: runtime.md, lifecycle 3-5. */
	compile_create_hooks(b, s, o);
	if ((r = compile_sysctl(b, s, err)) < 0)
		return r;
	/* While the host's /proc can still be mounted anew. */
	if ((r = credentials_plan_limits(b, s, h, err)) < 0)
		return r;
	if ((r = rootfs_plan_finish(b, s, h, &o->rootfs, err)) < 0)
		return r;
	/* Before the first path that the program itself would resolve. */
	plan_add(b, PLAN_CLOSE_FDS, "process")->u.close_fds.keep = o->keep_fds;
	return compile_process(b, s, h, o, err);
}
