/* What a plan is made of: the kinds of steps, and for each kind all that its executor
 * needs. Numbers and offsets only, no pointers: a sealed plan is one block of memory. See
 * plan.h for how plans are built and executed.
 *
 * A new kind needs its place in enum plan_kind, a struct in the union of struct
 * plan_step, a line in plan_print_step.c and one in libcontainer/stage/planrun.c. */
#ifndef KNARR_PLAN_PLAN_STEP_H
#define KNARR_PLAN_PLAN_STEP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ns.h"

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
	PLAN_FIND_HOME,
	PLAN_GIVE_STDIO,
	PLAN_SET_IDS,
	PLAN_CHANGE_DIR,
	PLAN_SET_CAPABILITIES,
	PLAN_FIND_PROGRAM,
	PLAN_NO_NEW_PRIVILEGES,
	PLAN_PREPARE_EXEC,
	PLAN_TAKE_TERMINAL,
	PLAN_WAIT_START,
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
	uint16_t held;	      /* slot that the mount stays open in, for a remount later; 0: none */
};
struct plan_mount_bind {       /* open_tree(CLONE), mount_setattr, move_mount */
	plan_str dest, source; /* source: path in the runtime's mount namespace */
	plan_str inside;       /* 0, or the source's path below the container's root: made by a step before */
	uint16_t slot;	       /* 0: open source here; else a tree that the parent opened */
	bool recursive;	       /* rbind */
	bool source_is_dir;    /* what to make when dest does not exist */
	bool source_nofollow, dest_nofollow;
	bool host_peer; /* the parent's tree stays in the host's peer group */
	uint16_t held;	/* as of plan_mount_fs */
	struct plan_attrs attrs, rec_attrs;
	uint32_t propagation;
};
struct plan_remount { /* of a mount that is there: "remount" in its options */
	plan_str dest;
	uint16_t held;		  /* slot of the mount that a step before made; 0: look dest up */
	struct plan_strv options; /* of the file system, for superblock */
	struct plan_attrs attrs, rec_attrs;
	uint32_t propagation;
	bool superblock; /* reconfigure the file system, not just the mount */
};
struct plan_root_bind {
	plan_str path;	/* in the runtime's mount namespace */
	uint16_t slot;	/* 0: open path here; else a tree that the parent opened */
	bool open_only; /* no mount namespace: nothing is mounted */
};
struct plan_root_overlay {
	plan_str target;		/* directory to attach to; 0: on top of "/" */
	struct plan_strv lowerdirs;	/* topmost first, unescaped */
	plan_str upperdir, workdir;	/* 0: none (read-only root) */
	bool upper_tmpfs;		/* upper and work are made in a tmpfs of their own */
	struct plan_strv tmpfs_options; /* "size=…" for that tmpfs */
	struct plan_strv options;	/* volatile, userxattr, redirect_dir=… */
	struct plan_attrs attrs;
	bool append;   /* kernel takes layers one by one (6.8) */
	uint16_t slot; /* 0: open lowerdirs here; else of the first of as many trees that the parent opened */
};
struct plan_make_dir {
	plan_str path;
	uint32_t mode;
};
struct plan_device {
	plan_str path;
	uint32_t mode; /* with S_IFMT */
	uint32_t major, minor;
	uint32_t uid, gid;
	bool keep_existing; /* a node that is there belongs to the host */
};
struct plan_bind_device {
	plan_str path, source;
	uint16_t slot; /* 0: bind source; else a node that the parent made */
};
struct plan_symlink {
	plan_str path, target;
};
struct plan_console {
	uint16_t height, width; /* for set_size */
	uint32_t uid;		/* owner of the terminal */
	bool set_size;
	bool bind;	     /* on /dev/console, too */
	bool plain_newlines; /* \n stays \n in what the program writes */
};
struct plan_hook {
	plan_str path;
	plan_str dir; /* working directory; 0: that of the init */
	struct plan_strv args, env;
	bool inherit_env;		 /* the config gave none: the runtime's own */
	bool find_home;			 /* and the HOME of FIND_HOME */
	int64_t timeout;		 /* seconds; 0: none */
	plan_str state_head, state_tail; /* state JSON around the pid */
	struct plan_bytes seccomp;	 /* filter for a hook that comes from the container; len 0: none */
	uint32_t seccomp_flags;		 /* SECCOMP_FILTER_FLAG_* */
	bool no_new_privileges;		 /* set before the filter is loaded */
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
	plan_str label; /* for /proc/self/attr/keycreate; 0: none */
};
/* A namespace of the runtime that a step must not change: what was joined by path may be another
 * one than that which was compared, when its process ended and the number is used again. */
struct plan_own_namespace {
	struct ns_id id; /* inode 0: nothing to be compared */
	uint8_t kind;	 /* enum ns_kind */
};
struct plan_uts {
	plan_str name;
	bool domain; /* setdomainname(2), not sethostname(2) */
	struct plan_own_namespace own;
};
struct plan_propagation {
	uint32_t flags; /* MS_PRIVATE… with MS_REC or not, for "/" */
};
struct plan_sysctl {
	plan_str name, value; /* name with slashes: "net/ipv4/ip_forward" */
	struct plan_own_namespace own;
};
struct plan_rlimit {
	uint32_t resource;   /* RLIMIT_* */
	uint64_t soft, hard; /* UINT64_MAX: unlimited */
};
struct plan_oom {
	int32_t score; /* -1000 … 1000 */
};
struct plan_scheduler { /* sched_setattr(2) */
	uint32_t policy;
	int32_t nice;
	uint32_t priority;
	uint64_t flags;
	uint64_t runtime, deadline, period; /* ns */
};
struct plan_affinity {
	struct plan_bytes cpus; /* mask of sched_setaffinity(2) */
};
struct plan_io_priority { /* ioprio_set(2) */
	int32_t class, priority;
};
struct plan_personality { /* personality(2) */
	uint64_t domain;
};
struct plan_memory_policy { /* set_mempolicy(2) */
	int32_t mode;
	uint32_t flags;		 /* MPOL_F_* */
	struct plan_bytes nodes; /* mask; len 0: none */
	uint32_t max_node;	 /* bits of the mask, as the call counts them */
};
struct plan_home { /* HOME of the environment, from the container's /etc/passwd */
	uint32_t uid;
};
struct plan_stdio { /* standard input, output and error: fchown(2) */
	uint32_t uid;
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
	uint64_t bounding, effective, permitted, inheritable, ambient; /* bit n: capability n */
	bool keep_sys_admin; /* until execve: the filter is yet to be loaded */
};
/* 3 … 3+keep-1 stay open, and what the init needs to talk to the runtime. */
struct plan_close_fds {
	uint32_t keep;
};
struct plan_program {
	struct plan_strv candidates; /* paths, in the order of execvp(3) */
	plan_str name;		     /* args[0], for messages */
	bool searched;		     /* along PATH */
};
struct plan_seccomp {
	struct plan_bytes filter; /* struct sock_filter[] */
	uint32_t flags;		  /* SECCOMP_FILTER_FLAG_* */
	bool notify;		  /* has a listener, which goes to an agent */
	bool early;		  /* is loaded before the process can be seen */
};
struct plan_exec {
	struct plan_strv args, env;
	uint32_t keep_fds; /* 3 … 3+n-1 stay open */
	bool listen_pid;   /* add LISTEN_PID= the program's own pid */
	bool find_home;	   /* add the HOME that PLAN_FIND_HOME found */
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
		struct plan_home home;
		struct plan_stdio stdio;
		struct plan_ids ids;
		struct plan_dir dir;
		struct plan_capabilities capabilities;
		struct plan_close_fds close_fds;
		struct plan_program program;
		struct plan_seccomp seccomp;
		struct plan_exec exec;
	} u;
};

#endif
