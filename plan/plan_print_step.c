/* The lines of `knarr plan` that are steps. One table maps each kind to its name and to
 * what prints its arguments. */
#include <inttypes.h>
#include <stddef.h>

#include "plan/plan_put.h"

static void
print_mount_fs(struct plan_printer *printer, const struct plan_step *step)
{
	const struct plan_mount_fs *m = &step->u.mount_fs;

	plan_put_str(printer, "dest", m->dest);
	plan_put_str(printer, "type", m->type);
	plan_put_str(printer, "source", m->source);
	plan_put_list(printer, "options", m->options);
	plan_put_attrs(printer, "set", "clear", m->attrs);
	plan_put_attrs(printer, "rec-set", "rec-clear", m->rec_attrs);
	plan_put_propagation(printer, m->propagation);
	plan_put_flag(printer, "copy-up", m->copy_up);
}

static void
print_mount_bind(struct plan_printer *printer, const struct plan_step *step)
{
	const struct plan_mount_bind *m = &step->u.mount_bind;

	plan_put_str(printer, "dest", m->dest);
	plan_put_str(printer, "source", m->source);
	plan_put_flag(printer, "opened-by-parent", m->slot != 0);
	plan_put_flag(printer, "recursive", m->recursive);
	plan_put_flag(printer, "dir", m->source_is_dir);
	plan_put_flag(printer, "source-nofollow", m->source_nofollow);
	plan_put_flag(printer, "dest-nofollow", m->dest_nofollow);
	plan_put_flag(printer, "host-peer", m->host_peer);
	plan_put_attrs(printer, "set", "clear", m->attrs);
	plan_put_attrs(printer, "rec-set", "rec-clear", m->rec_attrs);
	plan_put_propagation(printer, m->propagation);
}

static void
print_remount(struct plan_printer *printer, const struct plan_step *step)
{
	plan_put_str(printer, "dest", step->u.remount.dest);
	plan_put_list(printer, "options", step->u.remount.options);
	plan_put_attrs(printer, "set", "clear", step->u.remount.attrs);
	plan_put_attrs(printer, "rec-set", "rec-clear", step->u.remount.rec_attrs);
	plan_put_propagation(printer, step->u.remount.propagation);
	plan_put_flag(printer, "superblock", step->u.remount.superblock);
	plan_put_flag(printer, "held", step->u.remount.held != 0);
}

static void
print_root_overlay(struct plan_printer *printer, const struct plan_step *step)
{
	const struct plan_root_overlay *r = &step->u.root_overlay;

	plan_put_str(printer, "target", r->target);
	plan_put_list(printer, "lowerdirs", r->lowerdirs);
	plan_put_str(printer, "upperdir", r->upperdir);
	plan_put_str(printer, "workdir", r->workdir);
	plan_put_flag(printer, "upper-tmpfs", r->upper_tmpfs);
	plan_put_list(printer, "tmpfs-options", r->tmpfs_options);
	plan_put_list(printer, "options", r->options);
	plan_put_attrs(printer, "set", "clear", r->attrs);
	plan_put_flag(printer, "one-by-one", r->append);
	plan_put_flag(printer, "opened-by-parent", r->slot != 0);
}

static void
print_device(struct plan_printer *printer, const struct plan_step *step)
{
	plan_put_str(printer, "path", step->u.device.path);
	plan_put_node(printer, &step->u.device);
	plan_put_flag(printer, "keep-existing", step->u.device.keep_existing);
}

static void
print_console(struct plan_printer *printer, const struct plan_step *step)
{
	const struct plan_console *c = &step->u.console;

	if (c->set_size)
		plan_put(printer, " size=%ux%u", c->width, c->height);
	plan_put(printer, " owner=%u", c->uid);
	plan_put_flag(printer, "bind", c->bind);
	plan_put_flag(printer, "plain-newlines", c->plain_newlines);
}

static void
print_hook(struct plan_printer *printer, const struct plan_step *step)
{
	const struct plan_hook *h = &step->u.hook;

	plan_put_str(printer, "path", h->path);
	if (h->dir)
		plan_put_str(printer, "dir", h->dir);
	plan_put_list(printer, "args", h->args);
	plan_put_list(printer, "env", h->env);
	plan_put_flag(printer, "inherit-env", h->inherit_env);
	plan_put_flag(printer, "home", h->find_home);
	if (h->timeout)
		plan_put(printer, " timeout=%" PRId64 "s", h->timeout);
	plan_put_flag(printer, "seccomp", h->seccomp.len != 0);
	plan_put_flag(printer, "no-new-privileges", h->no_new_privileges);
}

static void
print_pivot(struct plan_printer *printer, const struct plan_step *step)
{
	static const char *const how[] = { "pivot", "move", "chroot" };

	plan_put(printer, " how=%s", how[step->u.pivot.how]);
}

static void
print_limit_value(struct plan_printer *printer, const char *name, uint64_t value)
{
	if (value == UINT64_MAX)
		plan_put(printer, " %s=unlimited", name);
	else
		plan_put(printer, " %s=%" PRIu64, name, value);
}

static void
print_rlimit(struct plan_printer *printer, const struct plan_step *step)
{
	plan_put(printer, " resource=%u", step->u.rlimit.resource);
	print_limit_value(printer, "soft", step->u.rlimit.soft);
	print_limit_value(printer, "hard", step->u.rlimit.hard);
}

void
plan_print_scheduler(struct plan_printer *printer, const struct plan_scheduler *scheduler)
{
	plan_put(printer, " policy=%u nice=%d priority=%u flags=%#" PRIx64, scheduler->policy, scheduler->nice,
		 scheduler->priority, scheduler->flags);
	plan_put(printer, " runtime=%" PRIu64 " deadline=%" PRIu64 " period=%" PRIu64, scheduler->runtime,
		 scheduler->deadline, scheduler->period);
}

static void
print_scheduler(struct plan_printer *printer, const struct plan_step *step)
{
	plan_print_scheduler(printer, &step->u.scheduler);
}

static void
print_memory_policy(struct plan_printer *printer, const struct plan_step *step)
{
	const struct plan_memory_policy *m = &step->u.memory_policy;
	const unsigned char *bytes = (const unsigned char *)(printer->p->blob + m->nodes.off);

	plan_put(printer, " mode=%d flags=%#x max-node=%u", m->mode, m->flags, m->max_node);
	if (m->nodes.len)
		plan_put(printer, " nodes=0x");
	for (uint32_t i = m->nodes.len; i > 0; i--) /* the lowest node is in the last digit */
		plan_put(printer, "%02x", bytes[i - 1]);
}

static void
print_ids(struct plan_printer *printer, const struct plan_step *step)
{
	const struct plan_ids *i = &step->u.ids;
	const uint32_t *groups = (const uint32_t *)(printer->p->blob + i->groups.off);

	plan_put(printer, " uid=%u gid=%u", i->uid, i->gid);
	if (i->set_groups) {
		plan_put(printer, " groups=[");
		for (uint32_t n = 0; n < i->groups.len / sizeof(*groups); n++)
			plan_put(printer, "%s%u", n ? " " : "", groups[n]);
		plan_put(printer, "]");
	}
	if (i->has_umask)
		plan_put(printer, " umask=%#o", i->umask);
}

static void
print_cap_set(struct plan_printer *printer, const char *name, uint64_t set)
{
	plan_put(printer, " %s=%#" PRIx64, name, set);
}

static void
print_capabilities(struct plan_printer *printer, const struct plan_step *step)
{
	const struct plan_capabilities *c = &step->u.capabilities;

	print_cap_set(printer, "bounding", c->bounding);
	print_cap_set(printer, "effective", c->effective);
	print_cap_set(printer, "permitted", c->permitted);
	print_cap_set(printer, "inheritable", c->inheritable);
	print_cap_set(printer, "ambient", c->ambient);
	plan_put_flag(printer, "keep-sys-admin", c->keep_sys_admin);
}

static void
print_program(struct plan_printer *printer, const struct plan_step *step)
{
	plan_put_str(printer, "name", step->u.program.name);
	plan_put_list(printer, "candidates", step->u.program.candidates);
}

/* The filter itself depends on the version of libseccomp: only that it is there. */
static void
print_seccomp(struct plan_printer *printer, const struct plan_step *step)
{
	plan_put(printer, " flags=%#x", step->u.seccomp.flags);
	plan_put_flag(printer, "notify", step->u.seccomp.notify);
	plan_put_flag(printer, "early", step->u.seccomp.early);
}

static void
print_exec(struct plan_printer *printer, const struct plan_step *step)
{
	plan_put_list(printer, "args", step->u.exec.args);
	plan_put_list(printer, "env", step->u.exec.env);
	if (step->u.exec.keep_fds)
		plan_put(printer, " keep-fds=%u", step->u.exec.keep_fds);
	plan_put_flag(printer, "listen-pid", step->u.exec.listen_pid);
	plan_put_flag(printer, "find-home", step->u.exec.find_home);
}

static void
print_uts_name(struct plan_printer *printer, const struct plan_step *step)
{
	plan_put_str(printer, step->u.uts.domain ? "domainname" : "hostname", step->u.uts.name);
}

static void
print_bind_device(struct plan_printer *printer, const struct plan_step *step)
{
	plan_put_str(printer, "path", step->u.bind_device.path);
	if (step->u.bind_device.slot)
		plan_put_flag(printer, "made", true);
	else
		plan_put_str(printer, "source", step->u.bind_device.source);
}

static void
print_root_bind(struct plan_printer *printer, const struct plan_step *step)
{
	plan_put_str(printer, "path", step->u.root_bind.path);
	plan_put_flag(printer, "opened-by-parent", step->u.root_bind.slot != 0);
	plan_put_flag(printer, "open-only", step->u.root_bind.open_only);
}

static void
print_propagation(struct plan_printer *printer, const struct plan_step *step)
{
	plan_put_propagation(printer, step->u.propagation.flags);
}

static void
print_make_dir(struct plan_printer *printer, const struct plan_step *step)
{
	plan_put_str(printer, "path", step->u.make_dir.path);
	plan_put(printer, " mode=%#o", step->u.make_dir.mode);
}

static void
print_oom_score(struct plan_printer *printer, const struct plan_step *step)
{
	plan_put(printer, " score=%d", step->u.oom.score);
}

static void
print_io_priority(struct plan_printer *printer, const struct plan_step *step)
{
	plan_put(printer, " class=%d priority=%d", step->u.io_priority.class, step->u.io_priority.priority);
}

static void
print_home(struct plan_printer *printer, const struct plan_step *step)
{
	plan_put(printer, " uid=%u", step->u.home.uid);
}

static void
print_stdio(struct plan_printer *printer, const struct plan_step *step)
{
	plan_put(printer, " uid=%u", step->u.stdio.uid);
}

static void
print_personality(struct plan_printer *printer, const struct plan_step *step)
{
	plan_put(printer, " domain=%#" PRIx64, step->u.personality.domain);
}

static void
print_close_fds(struct plan_printer *printer, const struct plan_step *step)
{
	if (step->u.close_fds.keep)
		plan_put(printer, " keep-fds=%u", step->u.close_fds.keep);
}

typedef void print_fn(struct plan_printer *printer, const struct plan_step *step);

#define AT(member) offsetof(struct plan_step, u.member)

/* A kind has a function, or strings alone: their names and where they are in the step. */
static const struct {
	const char *name;
	print_fn *print;
	struct {
		const char *name;
		size_t offset;
	} strings[2];
} kinds[PLAN_KIND_COUNT] = {
	[PLAN_NONE] = { .name = "none" },
	[PLAN_JOIN_KEYRING] = { .name = "join keyring", .strings = { { "name", AT(keyring.name) } } },
	[PLAN_LOOPBACK_UP] = { .name = "loopback up" },
	[PLAN_SET_UTS_NAME] = { .name = "set uts name", .print = print_uts_name },
	[PLAN_SET_PROPAGATION] = { .name = "set propagation", .print = print_propagation },
	[PLAN_ROOT_BIND] = { .name = "root bind", .print = print_root_bind },
	[PLAN_ROOT_OVERLAY] = { .name = "root overlay", .print = print_root_overlay },
	[PLAN_MOUNT_FS] = { .name = "mount", .print = print_mount_fs },
	[PLAN_MOUNT_BIND] = { .name = "bind", .print = print_mount_bind },
	[PLAN_REMOUNT] = { .name = "remount", .print = print_remount },
	[PLAN_MAKE_DIR] = { .name = "make directory", .print = print_make_dir },
	[PLAN_MAKE_DEVICE] = { .name = "make device", .print = print_device },
	[PLAN_BIND_DEVICE] = { .name = "bind device", .print = print_bind_device },
	[PLAN_MAKE_SYMLINK] = { .name = "make link",
				.strings = { { "path", AT(symlink.path) }, { "target", AT(symlink.target) } } },
	[PLAN_OPEN_CONSOLE] = { .name = "open console", .print = print_console },
	[PLAN_ASK_HOOKS] = { .name = "ask for hooks" },
	[PLAN_RUN_HOOK] = { .name = "run hook", .print = print_hook },
	[PLAN_UNMOUNT] = { .name = "unmount", .strings = { { "path", AT(path.path) } } },
	[PLAN_MASK_PATH] = { .name = "mask path", .strings = { { "path", AT(path.path) } } },
	[PLAN_READONLY_PATH] = { .name = "read-only path", .strings = { { "path", AT(path.path) } } },
	[PLAN_ROOT_READONLY] = { .name = "read-only root" },
	[PLAN_PIVOT_ROOT] = { .name = "change root", .print = print_pivot },
	[PLAN_CLOSE_FDS] = { .name = "close descriptors", .print = print_close_fds },
	[PLAN_WRITE_SYSCTL] = { .name = "write sysctl",
				.strings = { { "name", AT(sysctl.name) }, { "value", AT(sysctl.value) } } },
	[PLAN_SET_RLIMIT] = { .name = "set rlimit", .print = print_rlimit },
	[PLAN_SET_OOM_SCORE] = { .name = "set oom score", .print = print_oom_score },
	[PLAN_SET_SCHEDULER] = { .name = "set scheduler", .print = print_scheduler },
	[PLAN_SET_AFFINITY] = { .name = "set affinity" },
	[PLAN_SET_IO_PRIORITY] = { .name = "set io priority", .print = print_io_priority },
	[PLAN_SET_PERSONALITY] = { .name = "set personality", .print = print_personality },
	[PLAN_SET_MEMORY_POLICY] = { .name = "set memory policy", .print = print_memory_policy },
	[PLAN_SET_LABEL] = { .name = "set label",
			     .strings = { { "file", AT(label.file) }, { "text", AT(label.text) } } },
	[PLAN_FIND_HOME] = { .name = "find home", .print = print_home },
	[PLAN_GIVE_STDIO] = { .name = "give standard descriptors", .print = print_stdio },
	[PLAN_SET_IDS] = { .name = "set ids", .print = print_ids },
	[PLAN_CHANGE_DIR] = { .name = "change directory", .strings = { { "path", AT(dir.path) } } },
	[PLAN_SET_CAPABILITIES] = { .name = "set capabilities", .print = print_capabilities },
	[PLAN_FIND_PROGRAM] = { .name = "find program", .print = print_program },
	[PLAN_NO_NEW_PRIVILEGES] = { .name = "no new privileges" },
	[PLAN_PREPARE_EXEC] = { .name = "prepare exec", .print = print_exec },
	[PLAN_TAKE_TERMINAL] = { .name = "take terminal" },
	[PLAN_WAIT_START] = { .name = "wait for start" },
	[PLAN_LOAD_SECCOMP] = { .name = "load seccomp", .print = print_seccomp },
	[PLAN_EXEC] = { .name = "exec" },
};

static const char *
kind_name(enum plan_kind kind)
{
	return (unsigned)kind < PLAN_KIND_COUNT ? kinds[kind].name : "unknown";
}

static void
print_arguments(struct plan_printer *printer, const struct plan_step *step)
{
	if (step->kind >= PLAN_KIND_COUNT)
		return;
	if (kinds[step->kind].print)
		kinds[step->kind].print(printer, step);
	for (size_t i = 0; i < 2 && kinds[step->kind].strings[i].name; i++)
		plan_put_str(printer, kinds[step->kind].strings[i].name,
			     *(const plan_str *)((const char *)step + kinds[step->kind].strings[i].offset));
}

void
plan_print_step(struct plan_printer *printer, const char *prefix, uint32_t number, const struct plan_step *step)
{
	plan_put(printer, "%s%3u %s", prefix, number, kind_name(step->kind));
	print_arguments(printer, step);
	if (step->on_error == PLAN_SKIP)
		plan_put_names(printer, "skip-on", step->errnos, plan_errno_names);
	if (step->on_error == PLAN_ALT)
		plan_put_names(printer, "else-on", step->errnos, plan_errno_names);
	plan_put_what(printer, step->what);
	if (step->on_error == PLAN_ALT)
		plan_print_step(printer, "  or ", number, &printer->p->steps[step->alt]);
}
