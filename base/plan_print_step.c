/* The lines of `knarr plan` that are steps. One table maps each kind to its name and to
 * the function that prints its arguments; kinds with one or two arguments share
 * a function. */
#include <inttypes.h>

#include "base/plan_put.h"

static void
print_mount_fs(struct plan_printer *o, const struct plan_step *s)
{
	const struct plan_mount_fs *m = &s->u.mount_fs;

	plan_put_str(o, "dest", m->dest);
	plan_put_str(o, "type", m->type);
	plan_put_str(o, "source", m->source);
	plan_put_list(o, "options", m->options);
	plan_put_attrs(o, "set", "clear", m->attrs);
	plan_put_attrs(o, "rec-set", "rec-clear", m->rec_attrs);
	plan_put_propagation(o, m->propagation);
	plan_put_flag(o, "copy-up", m->copy_up);
}

static void
print_mount_bind(struct plan_printer *o, const struct plan_step *s)
{
	const struct plan_mount_bind *m = &s->u.mount_bind;

	plan_put_str(o, "dest", m->dest);
	plan_put_str(o, "source", m->source);
	plan_put_flag(o, "opened-by-parent", m->slot != 0);
	plan_put_flag(o, "recursive", m->recursive);
	plan_put_flag(o, "dir", m->source_is_dir);
	plan_put_flag(o, "source-nofollow", m->source_nofollow);
	plan_put_flag(o, "dest-nofollow", m->dest_nofollow);
	plan_put_flag(o, "host-peer", m->host_peer);
	plan_put_attrs(o, "set", "clear", m->attrs);
	plan_put_attrs(o, "rec-set", "rec-clear", m->rec_attrs);
	plan_put_propagation(o, m->propagation);
}

static void
print_remount(struct plan_printer *o, const struct plan_step *s)
{
	plan_put_str(o, "dest", s->u.remount.dest);
	plan_put_list(o, "options", s->u.remount.options);
	plan_put_attrs(o, "set", "clear", s->u.remount.attrs);
	plan_put_attrs(o, "rec-set", "rec-clear", s->u.remount.rec_attrs);
	plan_put_propagation(o, s->u.remount.propagation);
	plan_put_flag(o, "superblock", s->u.remount.superblock);
}

static void
print_root_overlay(struct plan_printer *o, const struct plan_step *s)
{
	const struct plan_root_overlay *r = &s->u.root_overlay;

	plan_put_str(o, "target", r->target);
	plan_put_list(o, "lowerdirs", r->lowerdirs);
	plan_put_str(o, "upperdir", r->upperdir);
	plan_put_str(o, "workdir", r->workdir);
	plan_put_flag(o, "upper-tmpfs", r->upper_tmpfs);
	plan_put_list(o, "tmpfs-options", r->tmpfs_options);
	plan_put_list(o, "options", r->options);
	plan_put_attrs(o, "set", "clear", r->attrs);
	plan_put_flag(o, "one-by-one", r->append);
	plan_put_flag(o, "opened-by-parent", r->slot != 0);
}

static void
print_device(struct plan_printer *o, const struct plan_step *s)
{
	plan_put_str(o, "path", s->u.device.path);
	plan_put_node(o, &s->u.device);
	plan_put_flag(o, "keep-existing", s->u.device.keep_existing);
}

static void
print_console(struct plan_printer *o, const struct plan_step *s)
{
	const struct plan_console *c = &s->u.console;

	if (c->set_size)
		plan_put(o, " size=%ux%u", c->width, c->height);
	plan_put(o, " owner=%u", c->uid);
	plan_put_flag(o, "bind", c->bind);
}

static void
print_hook(struct plan_printer *o, const struct plan_step *s)
{
	const struct plan_hook *h = &s->u.hook;

	plan_put_str(o, "path", h->path);
	if (h->dir)
		plan_put_str(o, "dir", h->dir);
	plan_put_list(o, "args", h->args);
	plan_put_list(o, "env", h->env);
	plan_put_flag(o, "inherit-env", h->inherit_env);
	if (h->timeout)
		plan_put(o, " timeout=%" PRId64 "s", h->timeout);
	plan_put_flag(o, "seccomp", h->seccomp.len != 0);
	plan_put_flag(o, "no-new-privileges", h->no_new_privileges);
}

static void
print_pivot(struct plan_printer *o, const struct plan_step *s)
{
	static const char *const how[] = { "pivot", "move", "chroot" };

	plan_put(o, " how=%s", how[s->u.pivot.how]);
}

static void
print_limit_value(struct plan_printer *o, const char *name, uint64_t v)
{
	if (v == UINT64_MAX)
		plan_put(o, " %s=unlimited", name);
	else
		plan_put(o, " %s=%" PRIu64, name, v);
}

static void
print_rlimit(struct plan_printer *o, const struct plan_step *s)
{
	plan_put(o, " resource=%u", s->u.rlimit.resource);
	print_limit_value(o, "soft", s->u.rlimit.soft);
	print_limit_value(o, "hard", s->u.rlimit.hard);
}

static void
print_scheduler(struct plan_printer *o, const struct plan_step *s)
{
	const struct plan_scheduler *c = &s->u.scheduler;

	plan_put(o, " policy=%u nice=%d priority=%u flags=%#" PRIx64, c->policy, c->nice, c->priority, c->flags);
	plan_put(o, " runtime=%" PRIu64 " deadline=%" PRIu64 " period=%" PRIu64, c->runtime, c->deadline, c->period);
}

static void
print_memory_policy(struct plan_printer *o, const struct plan_step *s)
{
	const struct plan_memory_policy *m = &s->u.memory_policy;
	const unsigned char *bytes = (const unsigned char *)(o->p->blob + m->nodes.off);

	plan_put(o, " mode=%d flags=%#x max-node=%u", m->mode, m->flags, m->max_node);
	if (m->nodes.len)
		plan_put(o, " nodes=0x");
	for (uint32_t i = m->nodes.len; i > 0; i--) /* the lowest node is in the last digit */
		plan_put(o, "%02x", bytes[i - 1]);
}

static void
print_ids(struct plan_printer *o, const struct plan_step *s)
{
	const struct plan_ids *i = &s->u.ids;
	const uint32_t *groups = (const uint32_t *)(o->p->blob + i->groups.off);

	plan_put(o, " uid=%u gid=%u", i->uid, i->gid);
	if (i->set_groups) {
		plan_put(o, " groups=[");
		for (uint32_t n = 0; n < i->groups.len / sizeof(*groups); n++)
			plan_put(o, "%s%u", n ? " " : "", groups[n]);
		plan_put(o, "]");
	}
	if (i->has_umask)
		plan_put(o, " umask=%#o", i->umask);
}

static void
print_cap_set(struct plan_printer *o, const char *name, uint64_t set)
{
	plan_put(o, " %s=%#" PRIx64, name, set);
}

static void
print_capabilities(struct plan_printer *o, const struct plan_step *s)
{
	const struct plan_capabilities *c = &s->u.capabilities;

	print_cap_set(o, "bounding", c->bounding);
	print_cap_set(o, "effective", c->effective);
	print_cap_set(o, "permitted", c->permitted);
	print_cap_set(o, "inheritable", c->inheritable);
	print_cap_set(o, "ambient", c->ambient);
	plan_put_flag(o, "keep-sys-admin", c->keep_sys_admin);
}

static void
print_program(struct plan_printer *o, const struct plan_step *s)
{
	plan_put_str(o, "name", s->u.program.name);
	plan_put_list(o, "candidates", s->u.program.candidates);
}

/* The filter itself depends on the version of libseccomp: only that it is there. */
static void
print_seccomp(struct plan_printer *o, const struct plan_step *s)
{
	plan_put(o, " flags=%#x", s->u.seccomp.flags);
	plan_put_flag(o, "notify", s->u.seccomp.notify);
}

static void
print_exec(struct plan_printer *o, const struct plan_step *s)
{
	plan_put_list(o, "args", s->u.exec.args);
	plan_put_list(o, "env", s->u.exec.env);
	if (s->u.exec.keep_fds)
		plan_put(o, " keep-fds=%u", s->u.exec.keep_fds);
	plan_put_flag(o, "listen-pid", s->u.exec.listen_pid);
	plan_put_flag(o, "find-home", s->u.exec.find_home);
}

static void
print_small(struct plan_printer *o, const struct plan_step *s)
{
	switch (s->kind) {
	case PLAN_JOIN_KEYRING:
		plan_put_str(o, "name", s->u.keyring.name);
		break;
	case PLAN_SET_UTS_NAME:
		plan_put_str(o, s->u.uts.domain ? "domainname" : "hostname", s->u.uts.name);
		break;
	case PLAN_SET_PROPAGATION:
		plan_put_propagation(o, s->u.propagation.flags);
		break;
	case PLAN_ROOT_BIND:
		plan_put_str(o, "path", s->u.root_bind.path);
		plan_put_flag(o, "opened-by-parent", s->u.root_bind.slot != 0);
		plan_put_flag(o, "open-only", s->u.root_bind.open_only);
		break;
	case PLAN_MAKE_DIR:
		plan_put_str(o, "path", s->u.make_dir.path);
		plan_put(o, " mode=%#o", s->u.make_dir.mode);
		break;
	case PLAN_BIND_DEVICE:
		plan_put_str(o, "path", s->u.bind_device.path);
		if (s->u.bind_device.slot)
			plan_put_flag(o, "made", true);
		else
			plan_put_str(o, "source", s->u.bind_device.source);
		break;
	case PLAN_MAKE_SYMLINK:
		plan_put_str(o, "path", s->u.symlink.path);
		plan_put_str(o, "target", s->u.symlink.target);
		break;
	case PLAN_UNMOUNT:
	case PLAN_MASK_PATH:
	case PLAN_READONLY_PATH:
		plan_put_str(o, "path", s->u.path.path);
		break;
	case PLAN_WRITE_SYSCTL:
		plan_put_str(o, "name", s->u.sysctl.name);
		plan_put_str(o, "value", s->u.sysctl.value);
		break;
	case PLAN_SET_OOM_SCORE:
		plan_put(o, " score=%d", s->u.oom.score);
		break;
	case PLAN_SET_IO_PRIORITY:
		plan_put(o, " class=%d priority=%d", s->u.io_priority.class, s->u.io_priority.priority);
		break;
	case PLAN_SET_PERSONALITY:
		plan_put(o, " domain=%#" PRIx64, s->u.personality.domain);
		break;
	case PLAN_SET_LABEL:
		plan_put_str(o, "file", s->u.label.file);
		plan_put_str(o, "text", s->u.label.text);
		break;
	case PLAN_CLOSE_FDS:
		if (s->u.close_fds.keep)
			plan_put(o, " keep-fds=%u", s->u.close_fds.keep);
		break;
	case PLAN_CHANGE_DIR:
		plan_put_str(o, "path", s->u.dir.path);
		break;
	}
}

typedef void print_fn(struct plan_printer *o, const struct plan_step *s);

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

static const char *
kind_name(enum plan_kind kind)
{
	return (unsigned)kind < PLAN_KIND_COUNT ? kinds[kind].name : "unknown";
}

void
plan_print_step(struct plan_printer *o, const char *prefix, uint32_t number, const struct plan_step *s)
{
	plan_put(o, "%s%3u %s", prefix, number, kind_name(s->kind));
	kinds[s->kind].print(o, s);
	if (s->on_error == PLAN_SKIP)
		plan_put_names(o, "skip-on", s->errnos, plan_errno_names);
	if (s->on_error == PLAN_ALT)
		plan_put_names(o, "else-on", s->errnos, plan_errno_names);
	plan_put(o, "  # %s\n", plan_text(o->p, s->what));
	if (s->on_error == PLAN_ALT)
		plan_print_step(o, "  or ", number, &o->p->steps[s->alt]);
}
