/* The plan: a bundle compiled into a flat list of steps for the container's init.
 *
 * The runtime (parent) builds a plan with a plan_builder, seals it into one
 * read-only mapping, and clones. The child walks the steps (plan_run() in
 * libcontainer/planrun.h) and ends in execve. The child allocates nothing,
 * parses nothing, and follows no pointer into the parent's structures: a sealed
 * plan holds offsets into its own blob and numbers of fd slots only.
 *
 * Rules (ARCHITECTURE.md):
 *  - A step is a semantic action with all it needs; it never reads its neighbour.
 *  - Straight line: on error a step fails, is skipped for named errnos, or one
 *    alternate step is run in its place.
 *  - Steps before PLAN_PIVOT_ROOT resolve container paths below the root fd;
 *    none after it names a path of the rootfs but the ones the program itself
 *    would use (cwd, the program, a startContainer hook).
 */
#ifndef KNARR_BASE_PLAN_H
#define KNARR_BASE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"

/* Offset of a NUL-terminated string in the blob; 0 is "no string". */
typedef uint32_t plan_str;

/* n strings, one after the other, each with its NUL. */
struct plan_strv {
	uint32_t off, n;
};

/* len bytes, aligned to 8. */
struct plan_bytes {
	uint32_t off, len;
};

/* File descriptors that steps share are numbered slots of the plan_ctx. */
enum plan_slot {
	PLAN_FD_ROOT,	     /* root of the container's rootfs mount */
	PLAN_FD_CHANNEL,     /* socket to the parent (SOCK_SEQPACKET) */
	PLAN_FD_START,	     /* listening socket of `start` (create only) */
	PLAN_FD_PEER,	     /* connection accepted from `start` */
	PLAN_FD_PROC,	     /* private procfs, opened by the first step that needs it */
	PLAN_FD_MASK_DIR,    /* empty read-only tmpfs that hides folders */
	PLAN_FD_CONSOLE,     /* slave of the console until the program has it */
	PLAN_FD_STATUS,	     /* memfd of the shared struct err (create only) */
	PLAN_FD_INIT,	     /* pidfd of the init whose namespaces are entered (exec only) */
	PLAN_FD_PROC_MOUNT,  /* the procfs that the config mounts on /proc */
	PLAN_FD_SYS_MOUNT,   /* the sysfs that it mounts on /sys */
	PLAN_FD_HOOK_STDOUT, /* of hooks that run in the init; -1: its own */
	PLAN_FD_HOOK_STDERR,
	PLAN_FD_SOURCES, /* first slot of the sources that the parent opens */
	PLAN_FD_MAX = 1024
};

enum plan_kind {
	PLAN_NONE,
	PLAN_JOIN_KEYRING,
	PLAN_LOOPBACK_UP,
	PLAN_SET_UTS_NAME,
	PLAN_SET_PROPAGATION,
	PLAN_ROOT_BIND,
	PLAN_ROOT_OVERLAY,
	PLAN_MOUNT_FS,
	PLAN_MOUNT_BIND,
	PLAN_REMOUNT,
	PLAN_MAKE_DIR,
	PLAN_MAKE_DEVICE,
	PLAN_BIND_DEVICE,
	PLAN_MAKE_SYMLINK,
	PLAN_OPEN_CONSOLE,
	PLAN_ASK_HOOKS,
	PLAN_RUN_HOOK,
	PLAN_UNMOUNT, /* `mounts remove`; u.path */
	PLAN_MASK_PATH,
	PLAN_READONLY_PATH,
	PLAN_ROOT_READONLY,
	PLAN_PIVOT_ROOT,
	PLAN_CLOSE_FDS,
	PLAN_WRITE_SYSCTL,
	PLAN_SET_RLIMIT,
	PLAN_SET_OOM_SCORE,
	PLAN_SET_SCHEDULER,
	PLAN_SET_AFFINITY,
	PLAN_SET_IO_PRIORITY,
	PLAN_SET_PERSONALITY,
	PLAN_SET_MEMORY_POLICY,
	PLAN_SET_LABEL,
	PLAN_SET_IDS,
	PLAN_CHANGE_DIR,
	PLAN_SET_CAPABILITIES,
	PLAN_FIND_PROGRAM,
	PLAN_NO_NEW_PRIVILEGES,
	PLAN_WAIT_START,
	PLAN_PREPARE_EXEC,
	PLAN_LOAD_SECCOMP,
	PLAN_EXEC,
	PLAN_KIND_COUNT
};

/* What a failing step does. The errnos that SKIP and ALT react to are a set. */
enum plan_on_error { PLAN_FAIL, PLAN_SKIP, PLAN_ALT };
enum plan_errnos {
	PLAN_EPERM = 1 << 0,
	PLAN_EACCES = 1 << 1,
	PLAN_ENOENT = 1 << 2,
	PLAN_EINVAL = 1 << 3,
	PLAN_ENOSYS = 1 << 4,
	PLAN_EROFS = 1 << 5,
	PLAN_EOPNOTSUPP = 1 << 6,
	PLAN_EBUSY = 1 << 7,
	PLAN_ENODEV = 1 << 8,
	PLAN_ENOTDIR = 1 << 9,
	PLAN_ELOOP = 1 << 10,
};

/* A set of per-mount attributes for mount_setattr(2): MOUNT_ATTR_* of
 * <linux/mount.h>. `clear` are flags named by a clearing option ("rw", "exec"). */
struct plan_attrs {
	uint64_t set, clear;
};

struct plan_mount_fs { /* fsopen, fsconfig, fsmount, move_mount */
	plan_str dest, type, source;
	struct plan_strv options; /* fsconfig: "key=value" or "flag", in order */
	struct plan_attrs attrs, rec_attrs;
	uint32_t propagation; /* MS_SHARED… with MS_REC or not; 0: none */
	bool copy_up;	      /* tmpcopyup: dest's content is copied into the new tmpfs */
};
struct plan_mount_bind {       /* open_tree(CLONE), mount_setattr, move_mount */
	plan_str dest, source; /* source: path in the runtime's mount namespace */
	uint16_t slot;	       /* 0: open source here; else a tree that the parent opened */
	bool recursive;	       /* rbind */
	bool source_is_dir;    /* what to make when dest does not exist */
	bool source_nofollow, dest_nofollow;
	bool host_peer; /* the parent's tree stays in the host's peer group */
	struct plan_attrs attrs, rec_attrs;
	uint32_t propagation;
};
struct plan_remount {
	plan_str dest;
	struct plan_strv options;
	struct plan_attrs attrs, rec_attrs;
	uint32_t propagation;
	bool superblock;
};
struct plan_root_bind {
	plan_str path;
	uint16_t slot;
	bool open_only; /* no mount namespace: nothing is mounted */
};
struct plan_root_overlay {
	plan_str target;		/* folder to attach to; 0: on top of "/" */
	struct plan_strv lowerdirs;	/* topmost first, unescaped */
	plan_str upperdir, workdir;	/* 0: none (read-only root) */
	bool upper_tmpfs;		/* upper and work are made in a tmpfs of their own */
	struct plan_strv tmpfs_options; /* "size=…" for that tmpfs */
	struct plan_strv options;	/* volatile, userxattr, redirect_dir=… */
	struct plan_attrs attrs;
	bool append; /* kernel takes layers one by one (6.8) */
};
struct plan_make_dir {
	plan_str path;
	uint32_t mode;
};
struct plan_device {
	plan_str path;
	uint32_t mode;
	uint32_t major, minor;
	uint32_t uid, gid; /* mode has S_IFMT */
};
struct plan_bind_device {
	plan_str path, source;
	uint16_t slot; /* 0: bind source; else a node that the parent made */
};
struct plan_symlink {
	plan_str path, target;
};
struct plan_console {
	uint16_t height, width;
	uint32_t uid;
	bool set_size, bind;
};
struct plan_hook {
	plan_str path;
	plan_str dir; /* working folder; 0: that of the init */
	struct plan_strv args, env;
	bool inherit_env;		 /* the config gave none: the runtime's own */
	int64_t timeout;		 /* seconds; 0: none */
	plan_str state_head, state_tail; /* state JSON around the pid */
	struct plan_bytes seccomp;	 /* filter for a hook that comes from the container; len 0: none */
	uint32_t seccomp_flags;
	bool no_new_privileges;
};
struct plan_path {
	plan_str path;
};
struct plan_pivot {
	uint8_t how; /* enum plan_pivot_how */
};
enum plan_pivot_how { PLAN_BY_PIVOT, PLAN_BY_MOVE, PLAN_BY_CHROOT };
struct plan_keyring {
	plan_str name;
	plan_str label;
};
struct plan_uts {
	plan_str name;
	bool domain;
};
struct plan_propagation {
	uint32_t flags;
};
struct plan_sysctl {
	plan_str name, value; /* name with slashes: "net/ipv4/ip_forward" */
};
struct plan_rlimit {
	uint32_t resource;
	uint64_t soft, hard;
};
struct plan_oom {
	int32_t score;
};
struct plan_scheduler {
	uint32_t policy;
	int32_t nice;
	uint32_t priority;
	uint64_t flags, runtime, deadline, period;
};
struct plan_affinity {
	struct plan_bytes cpus; /* mask of sched_setaffinity(2) */
};
struct plan_io_priority {
	int32_t class, priority;
};
struct plan_personality {
	uint64_t domain;
};
struct plan_memory_policy {
	int32_t mode;
	uint32_t flags;
	struct plan_bytes nodes;
	uint32_t max_node;
};
struct plan_label {
	plan_str file, text; /* file below /proc/self/attr */
};
struct plan_ids {
	uint32_t uid, gid;
	struct plan_bytes groups; /* uint32_t each */
	bool set_groups;	  /* false where setgroups(2) is denied */
	bool has_umask;
	uint32_t umask;
};
struct plan_dir {
	plan_str path;
};
struct plan_capabilities {
	uint64_t bounding, effective, permitted, inheritable, ambient;
	bool keep_sys_admin;
};
/* 3 … 3+keep-1 stay open, and what the init needs to talk to the runtime. */
struct plan_close_fds {
	uint32_t keep;
};
struct plan_program {
	struct plan_strv candidates;
	plan_str name;
	bool searched;
};
struct plan_seccomp {
	struct plan_bytes filter; /* struct sock_filter[] */
	uint32_t flags;
	bool notify;
};
struct plan_exec {
	struct plan_strv args, env;
	uint32_t keep_fds; /* 3 … 3+n-1 stay open */
	bool listen_pid;   /* add LISTEN_PID= the program's own pid */
	bool find_home;	   /* add HOME= from the container's /etc/passwd for uid */
	uint32_t uid;
};

struct plan_step {
	uint8_t kind;	  /* enum plan_kind */
	uint8_t on_error; /* enum plan_on_error */
	uint16_t alt;	  /* index of the alternate step */
	uint32_t errnos;  /* enum plan_errnos, for SKIP and ALT */
	plan_str what;	  /* property it comes from: "mounts[3]", "linux.maskedPaths[0]" */
	union {
		struct plan_mount_fs mount_fs;
		struct plan_mount_bind mount_bind;
		struct plan_remount remount;
		struct plan_root_bind root_bind;
		struct plan_root_overlay root_overlay;
		struct plan_make_dir make_dir;
		struct plan_device device;
		struct plan_bind_device bind_device;
		struct plan_symlink symlink;
		struct plan_console console;
		struct plan_hook hook;
		struct plan_path path;
		struct plan_pivot pivot;
		struct plan_keyring keyring;
		struct plan_uts uts;
		struct plan_propagation propagation;
		struct plan_sysctl sysctl;
		struct plan_rlimit rlimit;
		struct plan_oom oom;
		struct plan_scheduler scheduler;
		struct plan_affinity affinity;
		struct plan_io_priority io_priority;
		struct plan_personality personality;
		struct plan_memory_policy memory_policy;
		struct plan_label label;
		struct plan_ids ids;
		struct plan_dir dir;
		struct plan_capabilities capabilities;
		struct plan_close_fds close_fds;
		struct plan_program program;
		struct plan_seccomp seccomp;
		struct plan_exec exec;
	} u;
};

/* A bind source that the parent opens before the clone, because the child,
 * in its own user namespace, may not be allowed to, or may not map its ids. */
struct plan_source {
	uint16_t slot;
	bool recursive, nofollow;
	plan_str path, what;
	struct plan_device device; /* mode is not 0: a node to be made, not a path to be opened */
	struct plan_idmap {
		bool mapped, recursive;		      /* MOUNT_ATTR_IDMAP; on the mounts below too */
		plan_str userns;		      /* a user namespace whose maps apply; 0: these two */
		struct plan_bytes uid_maps, gid_maps; /* struct plan_id_map: "container" is the id on disk */
	} idmap;
};

/* How the stage makes the init process (not steps: see libcontainer/stage.h). */
#define PLAN_MAX_JOINS 8
struct plan_join {
	int32_t nstype; /* CLONE_NEW* */
	plan_str path;
};
struct plan_stage {
	uint64_t clone_flags; /* CLONE_NEW* of the new namespaces */
	uint32_t n_joins;
	struct plan_join joins[PLAN_MAX_JOINS]; /* user namespace first */
	struct plan_bytes uid_maps, gid_maps;	/* struct plan_id_map each; with CLONE_NEWUSER */
	uint8_t map_how;			/* enum plan_map_how */
	bool deny_setgroups;
	bool keep_groups;   /* the caller's additional groups stay */
	bool has_cgroup;    /* clone into the container's cgroup */
	bool is_create;	    /* PLAN_WAIT_START follows */
	bool has_oom_score; /* the parent writes it: the child may not */
	int32_t oom_score;
	plan_str resctrl;	      /* the group of resctrl that the parent puts it into; 0: none */
	bool resctrl_monitors;	      /* and into a monitoring group in it */
	struct plan_strv net_devices; /* moved by the parent; by turns: name on the host, in the container */
	struct plan_strv cgroup;      /* in a plan for people alone: what is written to the cgroup */
	plan_str time_offsets;	      /* lines for /proc/PID/timens_offsets; 0: none. With CLONE_NEWTIME */
	/* exec: knarr:[join] runs the first n_outside steps, enters the container of
	 * PLAN_FD_INIT, and clones the process that runs the rest. */
	bool enters;
	uint64_t enter_flags; /* CLONE_NEW* of the namespaces that are not the runtime's own */
	uint32_t n_outside;
	uint32_t keep_fds; /* 3 … 3+n-1 stay open when it enters */
};
struct plan_id_map {
	uint32_t container, host, size;
};
enum plan_map_how { PLAN_MAP_NONE, PLAN_MAP_DIRECT, PLAN_MAP_HELPERS /* newuidmap, newgidmap */ };

/* A sealed plan: this header, the steps, the blob, in one read-only mapping. */
struct plan {
	size_t size;	  /* of the mapping, bytes */
	uint32_t n_steps; /* in the line; alternates follow them */
	uint32_t n_all_steps;
	uint32_t n_sources;
	uint32_t blob_size;
	struct plan_stage stage;
	const struct plan_step *steps;	   /* into this mapping */
	const struct plan_source *sources; /* into this mapping */
	const char *blob;		   /* into this mapping */
};

static inline const char *
plan_text(const struct plan *p, plan_str s)
{
	return s ? p->blob + s : NULL;
}

/* First string of v; the next begins after its NUL. NULL when empty. */
static inline const char *
plan_first(const struct plan *p, struct plan_strv v)
{
	return v.n ? p->blob + v.off : NULL;
}
const char *plan_next(const char *s);

/* Fills vec[0..v.n-1] and a NULL; vec has room for max pointers in all.
 * Returns v.n, or -E2BIG. Allocates nothing. */
int plan_vector(const struct plan *p, struct plan_strv v, const char **vec, size_t max);

/* ---- executing ------------------------------------------------------- */

/* What the child carries from step to step: slots, and the place for its error.
 * -1 is an empty slot. */
struct stage_status;

struct plan_ctx {
	const struct plan *plan;
	int fds[PLAN_FD_MAX];
	struct err *err;	     /* shared with the parent */
	struct stage_status *status; /* shared with the runtime: libcontainer/stage.h */
	const char *program;	     /* chosen by PLAN_FIND_PROGRAM */
	const char **argv, **envp;   /* room made by the parent for EXEC and hooks */
	size_t max_vector;	     /* pointers in each of the two */
};

/* ---- building (parent only) ------------------------------------------ */

struct plan_builder {
	struct arena *arena;
	struct plan_stage stage;
	struct plan_step *steps;
	size_t n_steps, cap_steps;
	struct plan_step *alts;
	size_t n_alts, cap_alts;
	struct plan_source *sources;
	size_t n_sources, cap_sources;
	char *blob;
	size_t blob_len, blob_cap;
};

/* Starts an empty plan whose memory comes from a. */
void plan_begin(struct plan_builder *b, struct arena *a);

/* Appends a step of that kind; fill its u. The pointer is valid until the next
 * plan_add(). what: see struct plan_step; printf format. */
struct plan_step *plan_add(struct plan_builder *b, enum plan_kind kind, const char *what, ...)
	__attribute__((format(printf, 3, 4), returns_nonnull));

/* Makes a copy of *alt the alternate of the step most recently added: it runs
 * instead of it when that fails with one of errnos. */
void plan_alternate(struct plan_builder *b, uint32_t errnos, const struct plan_step *alt);

/* Adds a source for the parent to open; returns its slot. */
uint16_t plan_add_source(struct plan_builder *b, const char *path, bool recursive, bool nofollow, plan_str what);

plan_str plan_string(struct plan_builder *b, const char *s); /* NULL: 0 */
struct plan_strv plan_strings(struct plan_builder *b, const char *const *items, size_t n);
struct plan_bytes plan_data(struct plan_builder *b, const void *data, size_t len);

/* Copies all into one mapping and makes it read-only. -E2BIG when something
 * does not fit its number (err is filled), else 0. */
int plan_seal(const struct plan_builder *b, struct err *err, struct plan **ret_plan);
void plan_free(struct plan *p);

/* Prints a plan for people: one line per step, stable text (golden tests). */
void plan_print(const struct plan *p, FILE *out);

/* Name of a kind in small words: "mount", "pivot root". Static. */
const char *plan_kind_name(enum plan_kind kind);

/* Bit of enum plan_errnos for an errno (positive); 0 if it has none. */
uint32_t plan_errno_bit(int code);

#endif
