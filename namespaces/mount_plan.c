/* Plans mounts[] of the config, one entry at a time.
 *
 * What an entry is follows from its options, then from its type: a remount, a
 * bind, a change of propagation alone, or a new file system. Everything that
 * can be known now is checked now: the parent can say which property is wrong
 * and nothing has happened yet.
 *
 * In a user namespace the kernel refuses some file systems, and whether it does
 * depends on namespaces that do not exist yet; those steps get an alternate
 * that binds the host's own mount. */
#include <errno.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <linux/magic.h>

#include "base/log.h"
#include "namespaces/mount_idmap.h"
#include "namespaces/path_text.h"
#include "namespaces/rootfs_planner.h"
#include "oci-spec/annotations.h"

/* One mount while it is planned. */
struct entry {
	const struct spec_mount *m;
	size_t index;
	const char *property; /* "mounts[3]" */
	const char *dest;     /* clean */
	struct mount_options o;
};

/* One superblock for all mounts (or all of one namespace): its flags are not
 * this container's to choose. Without this, "ro" on sysfs would stick to the
 * network namespace that a pod shares. */
static const char *const shared_superblocks[] = { "sysfs",	 "cgroup",    "cgroup2",  "mqueue",
						  "devtmpfs",	 "debugfs",   "tracefs",  "securityfs",
						  "pstore",	 "efivarfs",  "configfs", "fusectl",
						  "binfmt_misc", "selinuxfs", "smackfs",  NULL };

/* File systems that label their own files or refuse a context. */
static const char *const no_context[] = { "proc", "sysfs", "cgroup", "cgroup2", "mqueue", NULL };

/* Files that a FUSE helper (lxcfs) may provide; anything else below /proc could
 * fake what the runtime and programs trust (CVE-2019-16884, CVE-2019-19921). */
static const char *const allowed_below_proc[] = { "/proc/cpuinfo",
						  "/proc/diskstats",
						  "/proc/meminfo",
						  "/proc/stat",
						  "/proc/swaps",
						  "/proc/uptime",
						  "/proc/loadavg",
						  "/proc/slabinfo",
						  "/proc/net/dev",
						  "/proc/sys/kernel/ns_last_pid",
						  "/proc/sys/crypto/fips_enabled",
						  NULL };

static bool
is_listed(const char *s, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(s, *list) == 0)
			return true;
	return false;
}

static const char *
type_of(const struct spec_mount *m)
{
	if (m->type && strcmp(m->type, "cgroup") == 0)
		return "cgroup2";
	return m->type;
}

/* ---- checks ---------------------------------------------------------- */

static bool
is_procfs_root(const char *path)
{
	struct statfs fs;
	struct stat st;

	return statfs(path, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC && stat(path, &st) == 0 && st.st_ino == 1;
}

static int
check_proc(const struct rootfs_planner *p, const struct entry *e, const char *bind_source)
{
	if (!path_is_in(e->dest, "/proc"))
		return 0;
	if (strcmp(e->dest, "/proc") != 0) {
		if (is_listed(e->dest, allowed_below_proc))
			return 0;
		return err_plain(p->err,
				 "%s.destination: '%s' is inside /proc, where only a few files may be mounted over",
				 e->property, e->dest);
	}
	if (bind_source ? is_procfs_root(bind_source) : strcmp(e->m->type, "proc") == 0)
		return 0;
	return err_plain(p->err, "%s: on /proc only type \"proc\" (or a bind of one) may be mounted, not '%s'",
			 e->property, bind_source ? bind_source : e->m->type);
}

/* Options that only make sense on binds, or only on tmpfs. */
static int
check_kind(const struct rootfs_planner *p, const struct entry *e, bool bind, bool tmpfs)
{
	if (!bind && (e->o.source_nofollow || e->o.dest_nofollow))
		return err_plain(p->err, "%s.options: '%s' is for bind mounts", e->property,
				 e->o.source_nofollow ? "src-nofollow" : "dest-nofollow");
	if (!bind && (e->o.idmap || e->m->uid_mappings.n))
		return err_plain(p->err, "%s.%s: only a bind mount can be id-mapped", e->property,
				 e->o.idmap ? "options" : "uidMappings");
	if (!tmpfs && e->o.copy_up)
		return err_plain(p->err, "%s.options: 'tmpcopyup' is for type \"tmpfs\"", e->property);
	return 0;
}

/* ---- parts of a step ------------------------------------------------- */

static uint32_t
first_propagation(const struct entry *e)
{
	return e->o.n_propagation ? e->o.propagation[0] : 0;
}

/* The kernel takes one propagation at a time; "slave" and "shared" need two. */
static void
add_more_propagation(const struct rootfs_planner *p, const struct entry *e, size_t from)
{
	for (size_t i = from; i < e->o.n_propagation; i++) {
		struct plan_step *st = plan_add(p->b, PLAN_REMOUNT, "%s", e->property);

		st->u.remount.dest = plan_string(p->b, e->dest);
		st->u.remount.propagation = e->o.propagation[i];
	}
}

/* Superblock flags and data for fsconfig(2). */
static struct plan_strv
fs_options(const struct rootfs_planner *p, const struct entry *e, bool with_superblock, bool remount)
{
	size_t max = 2 * MOUNT_SB_COUNT + e->o.n_data + 1, n = 0;
	const char **v = arena_array(p->b->arena, max, sizeof(*v));

	if (with_superblock)
		n = mount_options_superblock(&e->o, remount, v);
	for (size_t i = 0; i < e->o.n_data; i++)
		v[n++] = e->o.data[i];
	return plan_strings(p->b, v, n);
}

const char *
mount_label_option(const struct rootfs_planner *p)
{
	static const char *const context_kinds[] = { "context", "fscontext", "defcontext", "rootcontext", NULL };
	const char *label = p->s->linux_.mount_label, *kind;

	if (!label || !*label)
		return NULL;
	if (!p->h->selinux) {
		log_debug("linux.mountLabel has no effect: the host has no SELinux");
		return NULL;
	}
	kind = annotation_get(&p->s->annotations, ANNOTATION_MOUNT_CONTEXT);
	if (kind && !is_listed(kind, context_kinds)) {
		log_warning("annotation " ANNOTATION_MOUNT_CONTEXT ": '%s' is no kind of context", kind);
		kind = NULL;
	}
	return arena_printf(p->b->arena, "%s=%s", kind ? kind : "context", label);
}

static void
add_label(const struct rootfs_planner *p, struct entry *e, const char *type)
{
	const char *context = is_listed(type, no_context) ? NULL : mount_label_option(p);
	const char **data;

	if (!context)
		return;
	for (size_t i = 0; i < e->o.n_data; i++)
		if (strncmp(e->o.data[i], "context=", 8) == 0)
			return;
	data = arena_grow(p->b->arena, e->o.data, e->o.n_data * sizeof(*data), (e->o.n_data + 1) * sizeof(*data));
	data[e->o.n_data++] = context;
	e->o.data = data;
}

/* A bind of a folder of the host, as a step or as an alternate of one. */
static struct plan_mount_bind
host_bind(const struct rootfs_planner *p, const struct entry *e, const char *source, bool read_only)
{
	struct plan_mount_bind m = {
		.dest = plan_string(p->b, e->dest),
		.source = plan_string(p->b, source),
		.recursive = true,
		.source_is_dir = true,
		.dest_nofollow = true,
		.attrs = e->o.attrs,
		.rec_attrs = e->o.rec_attrs,
		.propagation = first_propagation(e),
	};

	m.rec_attrs.set |= e->o.attrs.set & ~(uint64_t)MOUNT_ATTR__ATIME;
	if (read_only) {
		m.attrs.set |= MOUNT_ATTR_RDONLY;
		m.attrs.clear &= ~(uint64_t)MOUNT_ATTR_RDONLY;
		m.rec_attrs.set |= MOUNT_ATTR_RDONLY;
	}
	m.rec_attrs.clear &= ~m.rec_attrs.set | MOUNT_ATTR__ATIME;
	return m;
}

static void
add_host_bind_alternate(const struct rootfs_planner *p, const struct entry *e, uint32_t errnos, const char *source,
			bool read_only)
{
	struct plan_step alt = { .kind = PLAN_MOUNT_BIND, .what = p->b->steps[p->b->n_steps - 1].what };

	alt.u.mount_bind = host_bind(p, e, source, read_only);
	plan_alternate(p->b, errnos, &alt);
}

/* ---- new file systems ------------------------------------------------ */

/* An earlier step may not be mounted read-only when files are still to be made
 * in it: /dev and every tmpfs are made read-only at the end, unless something
 * else covers them by then. */
static bool
may_be_late_readonly(const struct spec_mount *m, const char *dest)
{
	return m->type && (strcmp(m->type, "tmpfs") == 0 || strcmp(dest, "/dev") == 0);
}

static bool
is_late_readonly(const struct rootfs_planner *p, const struct entry *e)
{
	if (!may_be_late_readonly(e->m, e->dest))
		return false;
	if (e->o.bind || e->o.remount || !(e->o.attrs.set & MOUNT_ATTR_RDONLY))
		return false;
	for (size_t i = e->index + 1; i < p->s->n_mounts; i++)
		if (strcmp(path_clean(p->b->arena, p->s->mounts[i].destination), e->dest) == 0)
			return false;
	return true;
}

static void
add_new_fs(const struct rootfs_planner *p, struct entry *e, const char *type)
{
	const char *source = e->m->source && *e->m->source ? e->m->source : type;
	bool own_superblock = !is_listed(type, shared_superblocks);
	struct plan_step *st;

	if (is_late_readonly(p, e)) {
		e->o.attrs.set &= ~(uint64_t)MOUNT_ATTR_RDONLY;
		e->o.sb_set &= ~(unsigned)MOUNT_SB_RDONLY;
	}
	add_label(p, e, type);
	st = plan_add(p->b, PLAN_MOUNT_FS, "%s", e->property);
	st->u.mount_fs = (struct plan_mount_fs){
		.dest = plan_string(p->b, e->dest),
		.type = plan_string(p->b, type),
		.source = plan_string(p->b, source),
		.options = fs_options(p, e, own_superblock, false),
		.attrs = e->o.attrs,
		.rec_attrs = e->o.rec_attrs,
		.propagation = first_propagation(e),
		.copy_up = e->o.copy_up,
	};
}

/* The kernel refuses a second procfs with more in it than the one around us, but
 * the host's processes are no replacement for those of a new pid namespace. */
static void
add_proc_alternate(const struct rootfs_planner *p, const struct entry *e)
{
	if (!p->s->linux_.namespaces[SPEC_NS_PID].listed)
		add_host_bind_alternate(p, e, PLAN_EPERM, "/proc", false);
}

/* Without a network namespace of its own. Read-only with all that is mounted
 * below, or the cgroup tree of the user would be writable (CVE-2023-25809). */
static void
add_sysfs_alternate(const struct rootfs_planner *p, const struct entry *e)
{
	add_host_bind_alternate(p, e, PLAN_EPERM, "/sys", true);
}

static void
add_mqueue_alternate(const struct rootfs_planner *p, const struct entry *e)
{
	add_host_bind_alternate(p, e, PLAN_EPERM, "/dev/mqueue", false);
}

/* gid=5 (tty) is in most configs, and EINVAL where the namespace maps no gid 5;
 * then devpts takes the group of whoever opens a terminal. */
static void
add_devpts_alternate(const struct rootfs_planner *p, const struct entry *e)
{
	struct plan_step alt = p->b->steps[p->b->n_steps - 1];
	struct entry other = *e;

	other.o.data = arena_array(p->b->arena, e->o.n_data + 1, sizeof(*other.o.data));
	other.o.n_data = 0;
	for (size_t i = 0; i < e->o.n_data; i++)
		if (strncmp(e->o.data[i], "gid=", 4) != 0)
			other.o.data[other.o.n_data++] = e->o.data[i];
	if (other.o.n_data == e->o.n_data)
		return;
	alt.u.mount_fs.options = fs_options(p, &other, true, false);
	plan_alternate(p->b, PLAN_EINVAL, &alt);
}

/* What to do in a user namespace when the kernel refuses. */
static const struct {
	const char *type;
	void (*add)(const struct rootfs_planner *p, const struct entry *e);
} alternates[] = {
	{ "proc", add_proc_alternate },
	{ "sysfs", add_sysfs_alternate },
	{ "mqueue", add_mqueue_alternate },
	{ "devpts", add_devpts_alternate },
};

static int
plan_new_fs(const struct rootfs_planner *p, struct entry *e)
{
	const char *type = type_of(e->m);
	int r = check_proc(p, e, NULL);

	if (r == 0)
		r = check_kind(p, e, false, strcmp(type, "tmpfs") == 0);
	if (r == 0 && strcmp(type, "overlay") == 0)
		r = overlay_expand_options(p, e->property, &e->o);
	if (r < 0)
		return r;
	add_new_fs(p, e, type);
	for (size_t i = 0; p->o->in_userns && i < sizeof(alternates) / sizeof(alternates[0]); i++)
		if (strcmp(type, alternates[i].type) == 0)
			alternates[i].add(p, e);
	add_more_propagation(p, e, 1);
	return 0;
}

/* ---- cgroup ---------------------------------------------------------- */

static int
bind_host_cgroup(const struct rootfs_planner *p, const struct entry *e)
{
	struct plan_step *st;

	if (!p->h->cgroup_mount)
		return err_plain(p->err,
				 "%s: the host has no cgroup2 file system to show (mount one, or ask for a "
				 "cgroup namespace)",
				 e->property);
	/* Of a user namespace: the tree is that of the user outside
	 * (CVE-2023-25809). */
	if (p->o->in_userns && (e->o.attrs.clear & MOUNT_ATTR_RDONLY))
		log_warning("%s: without a cgroup namespace of its own, a user namespace gets cgroup2 read-only",
			    e->property);
	st = plan_add(p->b, PLAN_MOUNT_BIND, "%s", e->property);
	st->u.mount_bind = host_bind(p, e, p->h->cgroup_mount, p->o->in_userns);
	return 0;
}

/* Type "cgroup" means cgroup2. In a cgroup namespace it is mounted anew and
 * shows the container's part. Without one the result of a new mount would be the
 * host's whole tree, so that is bound: mounting it waits for the kernel's
 * grace periods, binding does not. */
static int
plan_cgroup(const struct rootfs_planner *p, struct entry *e)
{
	const char *own = p->o->cgroup ? p->o->cgroup : p->h->cgroup_mount;
	int r = check_kind(p, e, false, false);

	if (r == 0)
		r = check_proc(p, e, NULL);
	if (r < 0)
		return r;
	if (!p->o->new_cgroupns) {
		r = bind_host_cgroup(p, e);
		if (r < 0)
			return r;
	} else {
		add_new_fs(p, e, "cgroup2");
		if (p->o->in_userns && own)
			add_host_bind_alternate(p, e, PLAN_EPERM | PLAN_EBUSY, own, !p->o->cgroup);
	}
	add_more_propagation(p, e, 1);
	return 0;
}

/* ---- binds ----------------------------------------------------------- */

static int
stat_source(const struct rootfs_planner *p, const struct entry *e, const char *source, bool *ret_is_dir)
{
	struct stat st;

	if ((e->o.source_nofollow ? lstat(source, &st) : stat(source, &st)) < 0)
		return err_set(p->err, errno, "%s.source: '%s', to be bound on '%s'", e->property, source, e->dest);
	*ret_is_dir = S_ISDIR(st.st_mode);
	return 0;
}

/* With linux.rootfsPropagation "shared", a shared volume stays in the host's
 * peer group, so that what is mounted in it is seen on both sides. Only a tree
 * opened outside, before all mounts become slaves, is still in that group. */
static bool
stays_host_peer(const struct rootfs_planner *p, const struct entry *e)
{
	return p->s->linux_.rootfs_propagation == SPEC_PROP_SHARED && p->h->privileged && !p->o->in_userns &&
	       (first_propagation(e) & MS_SHARED);
}

static bool
is_sys_read_only(const struct entry *e, const char *source)
{
	return e->o.recursive && (e->o.attrs.set & MOUNT_ATTR_RDONLY) && strcmp(source, "/sys") == 0;
}

static void
add_bind(const struct rootfs_planner *p, const struct entry *e, const char *source, bool is_dir,
	 const struct plan_idmap *idmap)
{
	bool host_peer = stays_host_peer(p, e);
	struct plan_step *st = plan_add(p->b, PLAN_MOUNT_BIND, "%s", e->property);

	st->u.mount_bind = (struct plan_mount_bind){
		.dest = plan_string(p->b, e->dest),
		.source = plan_string(p->b, source),
		.recursive = e->o.recursive,
		.source_is_dir = is_dir,
		.source_nofollow = e->o.source_nofollow,
		/* Behind a link in the rootfs it would be somewhere else. */
		.dest_nofollow = e->o.dest_nofollow || !strcmp(e->dest, "/proc") || !strcmp(e->dest, "/sys"),
		.attrs = e->o.attrs,
		.rec_attrs = e->o.rec_attrs,
		.propagation = first_propagation(e),
		.host_peer = host_peer,
	};
	/* The configs for ordinary users bind /sys with "rbind,ro": ro for
	 * /sys/fs/cgroup below it as well (CVE-2023-25809). */
	if (p->o->in_userns && is_sys_read_only(e, source))
		st->u.mount_bind.rec_attrs.set |= MOUNT_ATTR_RDONLY;
	if (p->o->parent_opens || host_peer || idmap->mapped) {
		st->u.mount_bind.slot = plan_add_source(p->b, source, e->o.recursive, e->o.source_nofollow, st->what);
		p->b->sources[p->b->n_sources - 1].idmap = *idmap;
	}
	add_more_propagation(p, e, 1);
}

static int
plan_bind(const struct rootfs_planner *p, struct entry *e)
{
	struct plan_idmap idmap = { 0 };
	const char *source;
	bool is_dir = false;
	int r = check_kind(p, e, true, false);

	if (r < 0)
		return r;
	if (!e->m->source || !*e->m->source)
		return err_plain(p->err, "%s.source: required for a bind mount", e->property);
	if (e->o.n_data)
		return err_plain(p->err,
				 "%s.options: '%s' is an option of a file system, which a bind mount cannot change",
				 e->property, e->o.data[0]);
	if (e->o.sb_set & ~(unsigned)MOUNT_SB_RDONLY)
		log_debug("%s.options: superblock flags have no effect on a bind mount", e->property);
	source = path_absolute(p->b->arena, p->o->bundle, e->m->source);
	r = stat_source(p, e, source, &is_dir);
	if (r == 0)
		r = check_proc(p, e, source);
	if (r == 0)
		r = mount_idmap_plan(p, e->property, e->m, &e->o, &idmap);
	if (r == 0)
		add_bind(p, e, source, is_dir, &idmap);
	return r;
}

/* ---- changes of mounts that are there -------------------------------- */

static int
plan_remount(const struct rootfs_planner *p, struct entry *e)
{
	const char *type = type_of(e->m);
	struct plan_step *st;
	int r = check_kind(p, e, false, false);

	if (r < 0)
		return r;
	if (e->o.bind && e->o.n_data)
		return err_plain(
			p->err,
			"%s.options: '%s' is an option of a file system, which a remount with bind cannot change",
			e->property, e->o.data[0]);
	st = plan_add(p->b, PLAN_REMOUNT, "%s", e->property);
	st->u.remount = (struct plan_remount){
		.dest = plan_string(p->b, e->dest),
		.attrs = e->o.attrs,
		.rec_attrs = e->o.rec_attrs,
		.propagation = first_propagation(e),
	};
	if (!e->o.bind) {
		st->u.remount.options = fs_options(p, e, !type || !is_listed(type, shared_superblocks), true);
		st->u.remount.superblock = st->u.remount.options.n > 0;
	}
	add_more_propagation(p, e, 1);
	return 0;
}

/* Nothing but propagation, on what is already mounted there. */
static bool
is_propagation_only(const struct entry *e)
{
	const struct mount_options *o = &e->o;

	return (!e->m->type || !*e->m->type || !strcmp(e->m->type, "none")) && o->n_propagation && !o->n_data &&
	       !o->sb_set && !o->sb_clear && !o->attrs.set && !o->attrs.clear && !o->rec_attrs.set &&
	       !o->rec_attrs.clear && !o->copy_up && !o->idmap && !e->m->uid_mappings.n;
}

/* ---- one entry ------------------------------------------------------- */

static int
parse_entry(const struct rootfs_planner *p, size_t index, struct entry *e)
{
	*e = (struct entry){ .m = &p->s->mounts[index], .index = index };
	e->property = arena_printf(p->b->arena, "mounts[%zu]", index);
	e->dest = path_clean(p->b->arena, e->m->destination);
	return mount_options_parse(p->b->arena, e->property, type_of(e->m), &e->m->options, p->err, &e->o);
}

int
mount_plan(const struct rootfs_planner *p, size_t index)
{
	struct entry e;
	int r = parse_entry(p, index, &e);

	if (r < 0)
		return r;
	if (e.o.remount)
		return plan_remount(p, &e);
	if (e.o.bind)
		return plan_bind(p, &e);
	if (is_propagation_only(&e)) {
		add_more_propagation(p, &e, 0);
		return 0;
	}
	if (!e.m->type || !*e.m->type || !strcmp(e.m->type, "none") || !strcmp(e.m->type, "bind"))
		return err_plain(p->err, "%s: neither a file system type nor 'bind' or 'rbind' in the options",
				 e.property);
	if (!strcmp(type_of(e.m), "cgroup2"))
		return plan_cgroup(p, &e);
	return plan_new_fs(p, &e);
}

int
mount_plan_late_readonly(const struct rootfs_planner *p)
{
	for (size_t i = 0; i < p->s->n_mounts; i++) {
		const struct spec_mount *m = &p->s->mounts[i];
		struct plan_step *st;
		struct entry e;
		int r;

		if (!may_be_late_readonly(m, path_clean(p->b->arena, m->destination)))
			continue;
		r = parse_entry(p, i, &e);
		if (r < 0)
			return r;
		if (!is_late_readonly(p, &e))
			continue;
		st = plan_add(p->b, PLAN_REMOUNT, "%s", e.property);
		st->u.remount.dest = plan_string(p->b, e.dest);
		st->u.remount.attrs.set = MOUNT_ATTR_RDONLY;
	}
	return 0;
}
