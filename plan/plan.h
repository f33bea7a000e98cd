/* The plan: a bundle compiled into a flat list of steps for the container's init.
 *
 * The runtime (parent) builds a plan with a plan_builder, seals it into one
 * read-only mapping, and clones. The child walks the steps (planrun_unseen() and stage_last()
 * in libcontainer/stage/) and ends in execve. The child allocates nothing,
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
#ifndef KNARR_PLAN_PLAN_H
#define KNARR_PLAN_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"
#include "plan/plan_step.h"

/* File descriptors that steps share are numbered slots of the plan_ctx. */
enum plan_slot {
	PLAN_FD_ROOT,	     /* root of the container's rootfs mount */
	PLAN_FD_CHANNEL,     /* socket to the parent (SOCK_SEQPACKET) */
	PLAN_FD_START,	     /* listening socket of `start` (create only) */
	PLAN_FD_PROC,	     /* private procfs, opened by the first step that needs it */
	PLAN_FD_MASK_DIR,    /* empty read-only tmpfs that hides directories */
	PLAN_FD_ROOT_COPY,   /* the root's own mount again, with nothing mounted in it, and read-only */
	PLAN_FD_STATUS,	     /* memfd of the shared struct err (create only) */
	PLAN_FD_INIT,	     /* pidfd of the init whose namespaces are entered (exec only) */
	PLAN_FD_PROC_MOUNT,  /* the procfs that the config mounts on /proc */
	PLAN_FD_SYS_MOUNT,   /* the sysfs that it mounts on /sys */
	PLAN_FD_PID_NS,	     /* the pid namespace that is entered last */
	PLAN_FD_NODES,	     /* the directory of the last node or link that was made */
	PLAN_FD_HOOK_STDOUT, /* of hooks that run in the init; -1: its own */
	PLAN_FD_HOOK_STDERR,
	PLAN_FD_SOURCES, /* first slot of the sources that the parent opens */
	PLAN_FD_MAX = 1024
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

/* How stage_spawn() makes the process that runs the steps (see libcontainer/stage/stage.h). */
#define PLAN_MAX_JOINS 8
struct plan_join {
	int32_t nstype; /* CLONE_NEW* */
	plan_str path;
};
struct plan_spawn {
	uint64_t clone_flags; /* CLONE_NEW* of the new namespaces */
	uint32_t n_joins;
	struct plan_join joins[PLAN_MAX_JOINS]; /* user namespace first */
	struct plan_bytes uid_maps, gid_maps;	/* struct plan_id_map each; with CLONE_NEWUSER */
	uint8_t map_how;			/* enum plan_map_how */
	bool deny_setgroups;
	plan_str uid_helper, gid_helper; /* where newuidmap and newgidmap are; 0: not found, or not looked for */
	bool keep_groups;		 /* the caller's additional groups stay */
	bool has_cgroup;		 /* clone into the container's cgroup */
	bool is_create;			 /* PLAN_WAIT_START follows */
	bool has_oom_score;		 /* the parent writes it: the child may not */
	bool maps_stdio;		 /* the parent gives the standard descriptors too, by its own view of the uid */
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
	/* Its pid namespace is another's, whose processes can see it: knarr:[join] runs the steps
	 * before first_seen outside of it. */
	bool enters_pidns_last;
	uint32_t first_seen; /* steps from here on are the process's own, and few */
	/* One that a process cannot hand down to its child: the runtime sets it, from outside. */
	bool has_scheduler;
	struct plan_scheduler scheduler;
};
struct plan_id_map {
	uint32_t container, host, size;
};
enum plan_map_how { PLAN_MAP_NONE, PLAN_MAP_DIRECT, PLAN_MAP_HELPERS /* newuidmap, newgidmap */ };

/* A sealed plan: this header, the steps, the blob, in one read-only mapping. */
struct plan {
	size_t size;	  /* of the mapping, bytes */
	uint32_t n_steps; /* in the line; alternates follow them in steps */
	uint32_t n_sources;
	struct plan_spawn spawn;
	const struct plan_step *steps;	   /* into this mapping */
	const struct plan_source *sources; /* into this mapping */
	const char *blob;		   /* into this mapping */
};

/* The string s of the plan; NULL: it is none. */
static inline const char *
plan_text(const struct plan *plan, plan_str text)
{
	return text ? plan->blob + text : NULL;
}

/* The first step of that kind, from the one with index `from` on; NULL: there is none. */
static inline const struct plan_step *
plan_find(const struct plan *plan, enum plan_kind kind, uint32_t from)
{
	for (uint32_t i = from; i < plan->n_steps; i++)
		if (plan->steps[i].kind == kind)
			return &plan->steps[i];
	return NULL;
}

/* First string of v; NULL when empty. */
static inline const char *
plan_first(const struct plan *plan, struct plan_strv vector)
{
	return vector.n ? plan->blob + vector.off : NULL;
}

/* The string after text in its list, which has one more: the lists hold no NULL. */
const char *plan_next(const char *text);

/* Fills vec[0..v.n-1] and a NULL; vec has room for max pointers in all.
 * Returns v.n, or -E2BIG. Allocates nothing. */
int plan_vector(const struct plan *plan, struct plan_strv vector, const char **vec, size_t max);

/* ---- executing ------------------------------------------------------- */

/* What the child carries from step to step: slots, and the place for its error.
 * -1 is an empty slot. */
struct stage_status;
struct exe_range;

struct plan_ctx {
	const struct plan *plan;
	int fds[PLAN_FD_MAX];
	struct err *err;		     /* of the step that runs */
	struct stage_status *status;	     /* shared with the runtime: libcontainer/stage/stage.h */
	const char *program;		     /* path, chosen by PLAN_FIND_PROGRAM */
	const char **argv, **envp;	     /* room made by the parent for EXEC */
	const char **hook_argv, **hook_envp; /* and for hooks; NULL: the plan has none */
	char *home;			     /* "HOME=…", filled by PLAN_FIND_HOME; NULL: the plan has none */
	char *listen_pid;		     /* in "LISTEN_PID=…", where the number goes; NULL: the plan has none */
	const struct exe_range *files;	     /* what is mapped of files: libcontainer/process/exe_guard_maps.h */
	size_t n_files;
	size_t max_vector;		   /* pointers in each of them */
	uint64_t ignored_signals;	   /* by the runtime: base/signals.h */
	uint64_t root_mount, root_inode;   /* the place of PLAN_FD_ROOT; 0: not asked yet, mount_set_root() */
	const struct plan_step *node_step; /* which step filled PLAN_FD_NODES; NULL: none */
	char *last_code;		   /* the copy of that of the last steps (stage_last.h); NULL: not made yet */
	bool holds_signals;		   /* until the last steps: signals_hold() */
	bool groups_denied;		   /* the user namespace denies setgroups(2) */
	bool answered;			   /* the step's error is an answer: plan_answer() */
};

/* The error r of a step is what a plan's named errnos (on_error) are about: the kernel's
 * answer to the question whether this can be done here at all. Executors say so at that
 * one call. Whatever else of the step fails is an error, though it be the same errno.
 * Returns r. */
static inline int
plan_answer(struct plan_ctx *c, int code)
{
	c->answered = true;
	return code;
}

/* ---- building (parent only) ------------------------------------------ */

struct plan_builder {
	struct arena *arena;
	struct plan_spawn spawn;
	struct plan_step *steps;
	size_t n_steps, cap_steps;
	struct plan_step *alts;
	size_t n_alts, cap_alts;
	struct plan_source *sources;
	size_t n_sources, cap_sources;
	size_t n_held; /* slots of plan_hold(), from PLAN_FD_MAX - 1 down */
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
 * instead of it when that fails with one of errnos (enum plan_errnos). */
void plan_alternate(struct plan_builder *b, uint32_t errnos, const struct plan_step *alt);

/* Adds a source for the parent to open (or a node to make: fill its device); returns its
 * slot. nofollow: path may be a link, which is the source then. what: as of the step
 * that mounts it. */
uint16_t plan_add_source(struct plan_builder *b, const char *path, bool recursive, bool nofollow, plan_str what);

/* The slot in which the mount of step i, and of its alternate, stays open until a step that comes
 * later needs it. The step is a PLAN_MOUNT_FS or PLAN_MOUNT_BIND. */
uint16_t plan_hold(struct plan_builder *b, size_t i);

/* Copies into the blob: a string (NULL: 0), n strings, len bytes. */
plan_str plan_string(struct plan_builder *b, const char *text);
struct plan_strv plan_strings(struct plan_builder *b, const char *const *items, size_t n);
struct plan_bytes plan_data(struct plan_builder *b, const void *data, size_t len);

/* Copies all into one mapping and makes it read-only; plan_free() unmaps it. 0 or
 * -errno with err: -E2BIG when something does not fit its number. */
int plan_seal(const struct plan_builder *b, struct err *err, struct plan **ret_plan);

/* plan may be NULL. */
void plan_free(struct plan *plan);

/* Prints a plan for people: one line per step, stable text (golden tests). */
void plan_print(const struct plan *plan, FILE *out);

/* A line for each of the n_steps, as plan_print() has it, from the arena. NULL: no memory. */
const char *const *plan_step_lines(const struct plan *plan, struct arena *a);

/* Bit of enum plan_errnos for an errno (positive); 0 if it has none. */
uint32_t plan_errno_bit(int code);

/* Whether such an answer (-errno) makes the step one that is skipped: then it needs no words. */
static inline bool
plan_skips(const struct plan_step *step, int code)
{
	return step->on_error == PLAN_SKIP && (plan_errno_bit(-code) & step->errnos);
}

#endif
