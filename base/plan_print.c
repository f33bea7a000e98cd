/* `knarr plan`: a sealed plan as text for people and golden tests. One line per
 * step: number, kind, its arguments as name=value, then what a failure does
 * and the property that the step comes from. No address and no fd number is
 * printed, so the text is the same on every host. */
#include "base/plan.h"

#include <inttypes.h>
#include <sched.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mount.h>

#include "base/bit_names.h"

struct printer {
	const struct plan *p;
	FILE *out;
};

/* A string in quotes, with control bytes, quotes and backslashes escaped. */
static void
put_quoted(struct printer *o, const char *s)
{
	fputc('"', o->out);
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			fprintf(o->out, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			fprintf(o->out, "\\x%02x", c);
		else
			fputc(c, o->out);
	}
	fputc('"', o->out);
}

static void
put_str(struct printer *o, const char *name, plan_str s)
{
	if (!s)
		return;
	fprintf(o->out, " %s=", name);
	put_quoted(o, plan_text(o->p, s));
}

static void
put_list(struct printer *o, const char *name, struct plan_strv v)
{
	const char *s = plan_first(o->p, v);

	if (!v.n)
		return;
	fprintf(o->out, " %s=[", name);
	for (uint32_t i = 0; i < v.n; i++, s = plan_next(s)) {
		if (i)
			fputc(' ', o->out);
		put_quoted(o, s);
	}
	fputc(']', o->out);
}

static void
put_flag(struct printer *o, const char *name, bool on)
{
	if (on)
		fprintf(o->out, " %s", name);
}

static void put(struct printer *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void
put(struct printer *o, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(o->out, fmt, ap);
	va_end(ap);
}

static void
put_names(struct printer *o, const char *name, uint64_t bits, const struct bit_name *names)
{
	bool first = true;

	if (!bits)
		return;
	put(o, " %s=", name);
	for (; names->name; names++) {
		if ((bits & names->bits) != names->bits)
			continue;
		put(o, "%s%s", first ? "" : ",", names->name);
		bits &= ~names->bits;
		first = false;
	}
	if (bits)
		put(o, "%s%#" PRIx64, first ? "" : ",", bits);
}

/* The access time mode is a number in a field of its own, not a set of bits. */
static void
put_attr_set(struct printer *o, const char *name, uint64_t attrs, bool has_atime)
{
	static const char *const modes[] = { "relatime", "noatime", "strictatime" };
	uint64_t mode = (attrs & MOUNT_ATTR__ATIME) >> 4;

	put_names(o, name, attrs & ~(uint64_t)MOUNT_ATTR__ATIME, mount_attr_names);
	if (has_atime && mode < 3)
		put(o, " %s-atime=%s", name, modes[mode]);
}

static void
put_attrs(struct printer *o, const char *set, const char *clear, struct plan_attrs a)
{
	bool atime = (a.clear & MOUNT_ATTR__ATIME) || (a.set & MOUNT_ATTR__ATIME);

	put_attr_set(o, set, a.set, atime);
	put_names(o, clear, a.clear & ~(uint64_t)MOUNT_ATTR__ATIME, mount_attr_names);
}

static void
put_propagation(struct printer *o, uint32_t flags)
{
	put_names(o, "propagation", flags, propagation_names);
}

static void
print_mount_fs(struct printer *o, const struct plan_step *s)
{
	const struct plan_mount_fs *m = &s->u.mount_fs;

	put_str(o, "dest", m->dest);
	put_str(o, "type", m->type);
	put_str(o, "source", m->source);
	put_list(o, "options", m->options);
	put_attrs(o, "set", "clear", m->attrs);
	put_attrs(o, "rec-set", "rec-clear", m->rec_attrs);
	put_propagation(o, m->propagation);
	put_flag(o, "copy-up", m->copy_up);
}

static void
print_mount_bind(struct printer *o, const struct plan_step *s)
{
	const struct plan_mount_bind *m = &s->u.mount_bind;

	put_str(o, "dest", m->dest);
	put_str(o, "source", m->source);
	put_flag(o, "opened-by-parent", m->slot != 0);
	put_flag(o, "recursive", m->recursive);
	put_flag(o, "dir", m->source_is_dir);
	put_flag(o, "source-nofollow", m->source_nofollow);
	put_flag(o, "dest-nofollow", m->dest_nofollow);
	put_flag(o, "host-peer", m->host_peer);
	put_attrs(o, "set", "clear", m->attrs);
	put_attrs(o, "rec-set", "rec-clear", m->rec_attrs);
	put_propagation(o, m->propagation);
}

static void
print_remount(struct printer *o, const struct plan_step *s)
{
	put_str(o, "dest", s->u.remount.dest);
	put_list(o, "options", s->u.remount.options);
	put_attrs(o, "set", "clear", s->u.remount.attrs);
	put_attrs(o, "rec-set", "rec-clear", s->u.remount.rec_attrs);
	put_propagation(o, s->u.remount.propagation);
	put_flag(o, "superblock", s->u.remount.superblock);
}

static void
print_root_overlay(struct printer *o, const struct plan_step *s)
{
	const struct plan_root_overlay *r = &s->u.root_overlay;

	put_str(o, "target", r->target);
	put_list(o, "lowerdirs", r->lowerdirs);
	put_str(o, "upperdir", r->upperdir);
	put_str(o, "workdir", r->workdir);
	put_flag(o, "upper-tmpfs", r->upper_tmpfs);
	put_list(o, "tmpfs-options", r->tmpfs_options);
	put_list(o, "options", r->options);
	put_attrs(o, "set", "clear", r->attrs);
	put_flag(o, "one-by-one", r->append);
}

static void
put_node(struct printer *o, const struct plan_device *d)
{
	put(o, " mode=%#o dev=%u:%u owner=%u:%u", d->mode, d->major, d->minor, d->uid, d->gid);
}

static void
print_device(struct printer *o, const struct plan_step *s)
{
	put_str(o, "path", s->u.device.path);
	put_node(o, &s->u.device);
}

static void
print_console(struct printer *o, const struct plan_step *s)
{
	const struct plan_console *c = &s->u.console;

	if (c->set_size)
		put(o, " size=%ux%u", c->width, c->height);
	put(o, " owner=%u", c->uid);
	put_flag(o, "bind", c->bind);
}

static void
print_hook(struct printer *o, const struct plan_step *s)
{
	const struct plan_hook *h = &s->u.hook;

	put_str(o, "path", h->path);
	if (h->dir)
		put_str(o, "dir", h->dir);
	put_list(o, "args", h->args);
	put_list(o, "env", h->env);
	put_flag(o, "inherit-env", h->inherit_env);
	if (h->timeout)
		put(o, " timeout=%" PRId64 "s", h->timeout);
	put_flag(o, "seccomp", h->seccomp.len != 0);
	put_flag(o, "no-new-privileges", h->no_new_privileges);
}

static void
print_pivot(struct printer *o, const struct plan_step *s)
{
	static const char *const how[] = { "pivot", "move", "chroot" };

	put(o, " how=%s", how[s->u.pivot.how]);
}

static void
print_limit_value(struct printer *o, const char *name, uint64_t v)
{
	if (v == UINT64_MAX)
		put(o, " %s=unlimited", name);
	else
		put(o, " %s=%" PRIu64, name, v);
}

static void
print_rlimit(struct printer *o, const struct plan_step *s)
{
	put(o, " resource=%u", s->u.rlimit.resource);
	print_limit_value(o, "soft", s->u.rlimit.soft);
	print_limit_value(o, "hard", s->u.rlimit.hard);
}

static void
print_scheduler(struct printer *o, const struct plan_step *s)
{
	const struct plan_scheduler *c = &s->u.scheduler;

	put(o, " policy=%u nice=%d priority=%u flags=%#" PRIx64, c->policy, c->nice, c->priority, c->flags);
	put(o, " runtime=%" PRIu64 " deadline=%" PRIu64 " period=%" PRIu64, c->runtime, c->deadline, c->period);
}

static void
print_memory_policy(struct printer *o, const struct plan_step *s)
{
	const struct plan_memory_policy *m = &s->u.memory_policy;
	const unsigned char *bytes = (const unsigned char *)(o->p->blob + m->nodes.off);

	put(o, " mode=%d flags=%#x max-node=%u", m->mode, m->flags, m->max_node);
	if (m->nodes.len)
		put(o, " nodes=0x");
	for (uint32_t i = m->nodes.len; i > 0; i--) /* the lowest node is in the last digit */
		put(o, "%02x", bytes[i - 1]);
}

static void
print_ids(struct printer *o, const struct plan_step *s)
{
	const struct plan_ids *i = &s->u.ids;
	const uint32_t *groups = (const uint32_t *)(o->p->blob + i->groups.off);

	put(o, " uid=%u gid=%u", i->uid, i->gid);
	if (i->set_groups) {
		put(o, " groups=[");
		for (uint32_t n = 0; n < i->groups.len / sizeof(*groups); n++)
			put(o, "%s%u", n ? " " : "", groups[n]);
		put(o, "]");
	}
	if (i->has_umask)
		put(o, " umask=%#o", i->umask);
}

static void
print_cap_set(struct printer *o, const char *name, uint64_t set)
{
	put(o, " %s=%#" PRIx64, name, set);
}

static void
print_capabilities(struct printer *o, const struct plan_step *s)
{
	const struct plan_capabilities *c = &s->u.capabilities;

	print_cap_set(o, "bounding", c->bounding);
	print_cap_set(o, "effective", c->effective);
	print_cap_set(o, "permitted", c->permitted);
	print_cap_set(o, "inheritable", c->inheritable);
	print_cap_set(o, "ambient", c->ambient);
	put_flag(o, "keep-sys-admin", c->keep_sys_admin);
}

static void
print_program(struct printer *o, const struct plan_step *s)
{
	put_str(o, "name", s->u.program.name);
	put_list(o, "candidates", s->u.program.candidates);
}

/* The filter itself depends on the version of libseccomp: only that it is there. */
static void
print_seccomp(struct printer *o, const struct plan_step *s)
{
	put(o, " flags=%#x", s->u.seccomp.flags);
	put_flag(o, "notify", s->u.seccomp.notify);
}

static void
print_exec(struct printer *o, const struct plan_step *s)
{
	put_list(o, "args", s->u.exec.args);
	put_list(o, "env", s->u.exec.env);
	if (s->u.exec.keep_fds)
		put(o, " keep-fds=%u", s->u.exec.keep_fds);
	put_flag(o, "listen-pid", s->u.exec.listen_pid);
	put_flag(o, "find-home", s->u.exec.find_home);
}

static void
print_small(struct printer *o, const struct plan_step *s)
{
	switch (s->kind) {
	case PLAN_JOIN_KEYRING:
		put_str(o, "name", s->u.keyring.name);
		break;
	case PLAN_SET_UTS_NAME:
		put_str(o, s->u.uts.domain ? "domainname" : "hostname", s->u.uts.name);
		break;
	case PLAN_SET_PROPAGATION:
		put_propagation(o, s->u.propagation.flags);
		break;
	case PLAN_ROOT_BIND:
		put_str(o, "path", s->u.root_bind.path);
		put_flag(o, "opened-by-parent", s->u.root_bind.slot != 0);
		put_flag(o, "open-only", s->u.root_bind.open_only);
		break;
	case PLAN_MAKE_DIR:
		put_str(o, "path", s->u.make_dir.path);
		put(o, " mode=%#o", s->u.make_dir.mode);
		break;
	case PLAN_BIND_DEVICE:
		put_str(o, "path", s->u.bind_device.path);
		if (s->u.bind_device.slot)
			put_flag(o, "made", true);
		else
			put_str(o, "source", s->u.bind_device.source);
		break;
	case PLAN_MAKE_SYMLINK:
		put_str(o, "path", s->u.symlink.path);
		put_str(o, "target", s->u.symlink.target);
		break;
	case PLAN_UNMOUNT:
	case PLAN_MASK_PATH:
	case PLAN_READONLY_PATH:
		put_str(o, "path", s->u.path.path);
		break;
	case PLAN_WRITE_SYSCTL:
		put_str(o, "name", s->u.sysctl.name);
		put_str(o, "value", s->u.sysctl.value);
		break;
	case PLAN_SET_OOM_SCORE:
		put(o, " score=%d", s->u.oom.score);
		break;
	case PLAN_SET_IO_PRIORITY:
		put(o, " class=%d priority=%d", s->u.io_priority.class, s->u.io_priority.priority);
		break;
	case PLAN_SET_PERSONALITY:
		put(o, " domain=%#" PRIx64, s->u.personality.domain);
		break;
	case PLAN_SET_LABEL:
		put_str(o, "file", s->u.label.file);
		put_str(o, "text", s->u.label.text);
		break;
	case PLAN_CLOSE_FDS:
		if (s->u.close_fds.keep)
			put(o, " keep-fds=%u", s->u.close_fds.keep);
		break;
	case PLAN_CHANGE_DIR:
		put_str(o, "path", s->u.dir.path);
		break;
	}
}

typedef void print_fn(struct printer *o, const struct plan_step *s);

static const struct {
	const char *name;
	print_fn *print;
} kinds[PLAN_KIND_COUNT] = {
	[PLAN_NONE] = { "none", print_small },
	[PLAN_JOIN_KEYRING] = { "join keyring", print_small },
	[PLAN_LOOPBACK_UP] = { "loopback up", print_small },
	[PLAN_SET_UTS_NAME] = { "set uts name", print_small },
	[PLAN_SET_PROPAGATION] = { "set propagation", print_small },
	[PLAN_ROOT_BIND] = { "root bind", print_small },
	[PLAN_ROOT_OVERLAY] = { "root overlay", print_root_overlay },
	[PLAN_MOUNT_FS] = { "mount", print_mount_fs },
	[PLAN_MOUNT_BIND] = { "bind", print_mount_bind },
	[PLAN_REMOUNT] = { "remount", print_remount },
	[PLAN_MAKE_DIR] = { "make folder", print_small },
	[PLAN_MAKE_DEVICE] = { "make device", print_device },
	[PLAN_BIND_DEVICE] = { "bind device", print_small },
	[PLAN_MAKE_SYMLINK] = { "make link", print_small },
	[PLAN_OPEN_CONSOLE] = { "open console", print_console },
	[PLAN_ASK_HOOKS] = { "ask for hooks", print_small },
	[PLAN_RUN_HOOK] = { "run hook", print_hook },
	[PLAN_UNMOUNT] = { "unmount", print_small },
	[PLAN_MASK_PATH] = { "mask path", print_small },
	[PLAN_READONLY_PATH] = { "read-only path", print_small },
	[PLAN_ROOT_READONLY] = { "read-only root", print_small },
	[PLAN_PIVOT_ROOT] = { "change root", print_pivot },
	[PLAN_CLOSE_FDS] = { "close descriptors", print_small },
	[PLAN_WRITE_SYSCTL] = { "write sysctl", print_small },
	[PLAN_SET_RLIMIT] = { "set rlimit", print_rlimit },
	[PLAN_SET_OOM_SCORE] = { "set oom score", print_small },
	[PLAN_SET_SCHEDULER] = { "set scheduler", print_scheduler },
	[PLAN_SET_AFFINITY] = { "set affinity", print_small },
	[PLAN_SET_IO_PRIORITY] = { "set io priority", print_small },
	[PLAN_SET_PERSONALITY] = { "set personality", print_small },
	[PLAN_SET_MEMORY_POLICY] = { "set memory policy", print_memory_policy },
	[PLAN_SET_LABEL] = { "set label", print_small },
	[PLAN_SET_IDS] = { "set ids", print_ids },
	[PLAN_CHANGE_DIR] = { "change folder", print_small },
	[PLAN_SET_CAPABILITIES] = { "set capabilities", print_capabilities },
	[PLAN_FIND_PROGRAM] = { "find program", print_program },
	[PLAN_NO_NEW_PRIVILEGES] = { "no new privileges", print_small },
	[PLAN_WAIT_START] = { "wait for start", print_small },
	[PLAN_PREPARE_EXEC] = { "prepare exec", print_exec },
	[PLAN_LOAD_SECCOMP] = { "load seccomp", print_seccomp },
	[PLAN_EXEC] = { "exec", print_small },
};

const char *
plan_kind_name(enum plan_kind kind)
{
	return (unsigned)kind < PLAN_KIND_COUNT ? kinds[kind].name : "unknown";
}

static void
print_step(struct printer *o, const char *prefix, uint32_t number, const struct plan_step *s)
{
	put(o, "%s%3u %s", prefix, number, plan_kind_name(s->kind));
	kinds[s->kind].print(o, s);
	if (s->on_error == PLAN_SKIP)
		put_names(o, "skip-on", s->errnos, plan_errno_names);
	if (s->on_error == PLAN_ALT)
		put_names(o, "else-on", s->errnos, plan_errno_names);
	put(o, "  # %s\n", plan_text(o->p, s->what));
	if (s->on_error == PLAN_ALT)
		print_step(o, "  or ", number, &o->p->steps[s->alt]);
}

static void
print_maps(struct printer *o, const char *name, struct plan_bytes maps)
{
	const struct plan_id_map *m = (const struct plan_id_map *)(o->p->blob + maps.off);

	for (uint32_t i = 0; i < maps.len / sizeof(*m); i++)
		put(o, "%s map: container %u = host %u, %u ids\n", name, m[i].container, m[i].host, m[i].size);
}

static void
print_net_devices(struct printer *o, struct plan_strv names)
{
	const char *s = plan_first(o->p, names);

	for (uint32_t i = 0; i < names.n; i += 2) {
		put(o, "network device: ");
		put_quoted(o, s);
		put(o, " as ");
		s = plan_next(s);
		put_quoted(o, s);
		put(o, "\n");
		s = plan_next(s);
	}
}

static void
put_line(struct printer *o, const char *prefix, const char *line)
{
	put(o, "%s", prefix);
	for (; *line; line++) {
		unsigned char c = (unsigned char)*line;

		put(o, c < 0x20 || c == 0x7f ? "\\x%02x" : "%c", c);
	}
	put(o, "\n");
}

static void
print_lines(struct printer *o, const char *prefix, struct plan_strv lines)
{
	const char *s = plan_first(o->p, lines);

	for (uint32_t i = 0; i < lines.n; i++, s = plan_next(s))
		put_line(o, prefix, s);
}

static void
print_stage(struct printer *o, const struct plan_stage *g)
{
	static const char *const how[] = { "", "written by the runtime", "written by newuidmap and newgidmap" };

	put(o, "namespaces:");
	put_names(o, "new", g->clone_flags, namespace_names);
	put(o, "\n");
	for (uint32_t i = 0; i < g->n_joins; i++) {
		put(o, "namespaces:");
		put_names(o, "join", (uint64_t)(uint32_t)g->joins[i].nstype, namespace_names);
		put_str(o, "path", g->joins[i].path);
		put(o, "\n");
	}
	if (g->enters) {
		put(o, "namespaces:");
		put_names(o, "enter", g->enter_flags, namespace_names);
		put(o, " after-step=%u\n", g->n_outside);
	}
	print_maps(o, "uid", g->uid_maps);
	print_maps(o, "gid", g->gid_maps);
	if (g->map_how != PLAN_MAP_NONE)
		put(o, "id maps: %s%s\n", how[g->map_how], g->deny_setgroups ? ", setgroups denied" : "");
	if (g->time_offsets) {
		put(o, "time namespace:");
		put_str(o, "offsets", g->time_offsets);
		put(o, "\n");
	}
	print_net_devices(o, g->net_devices);
	put(o, "cgroup: %s\n", g->has_cgroup ? "own" : "that of the runtime");
	print_lines(o, "  ", g->cgroup);
	if (g->has_oom_score)
		put(o, "oom score: %d\n", g->oom_score);
	if (g->resctrl) {
		put(o, "resctrl:");
		put_str(o, "group", g->resctrl);
		put_flag(o, "monitored", g->resctrl_monitors);
		put(o, "\n");
	}
}

static void
print_source(struct printer *o, const struct plan_source *src)
{
	put(o, src->device.mode ? "make" : "open");
	put_str(o, src->device.mode ? "device" : "source", src->path);
	if (src->device.mode)
		put_node(o, &src->device);
	put_flag(o, "recursive", src->recursive);
	put_flag(o, "nofollow", src->nofollow);
	put_flag(o, "id-mapped", src->idmap.mapped);
	put_flag(o, "all-id-mapped", src->idmap.recursive);
	put_str(o, "maps-of", src->idmap.userns);
	put(o, "  # %s\n", plan_text(o->p, src->what));
	print_maps(o, "  uid", src->idmap.uid_maps);
	print_maps(o, "  gid", src->idmap.gid_maps);
}

void
plan_print(const struct plan *p, FILE *out)
{
	struct printer o = { p, out };

	print_stage(&o, &p->stage);
	for (uint32_t i = 0; i < p->n_sources; i++)
		print_source(&o, &p->sources[i]);
	for (uint32_t i = 0; i < p->n_steps; i++)
		print_step(&o, "", i + 1, &p->steps[i]);
}
