/* The state directory: <root>/<id>/, mode 0700, one per container.
 *
 *   state.json   what docs/state.md documents; replaced atomically
 *   state.copy   the same once more: the space for the next change, and what is left when
 *                state.json is lost
 *   config.json  the config as it was at create (later edits of the bundle's have no
 *                effect), with what `update` and `mounts` have changed since
 *   start.sock   the init process waits here for `start`
 *   notify/      holds notify.sock, when the caller had NOTIFY_SOCKET
 *
 * Names in the root that are not valid ids are not containers.
 *
 * The directory itself is the lock: flock(2), exclusive for every command that
 * changes something. A lock file inside would be one more thing to create and
 * to remove in the right order. A process that inherits lock_fd keeps nothing
 * locked: state_close() unlocks explicitly. */
#ifndef KNARR_LIBCONTAINER_STATE_STATE_H
#define KNARR_LIBCONTAINER_STATE_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/fd.h"
#include "cgroups/cgroup.h"
#include "oci-spec/spec.h"

/* Names of the init (comm) until its execve: while it is being set up, and from there
 * on while it waits for start. */
#define STATE_NAME_INIT "knarr:[init]"
#define STATE_NAME_WAIT "knarr:[wait]"

#define STATE_COPY "state.copy"

enum container_status { STATUS_CREATING, STATUS_CREATED, STATUS_RUNNING, STATUS_PAUSED, STATUS_STOPPED };

struct state {
	char *id, *bundle, *rootfs, *oci_version;
	char *cgroup_mount, *cgroup_path;		/* NULL: no cgroup */
	unsigned cgroup_made;				/* trailing components of cgroup_path that knarr made */
	char *cgroup_owner;				/* mark of the cgroup, see struct cgroup; NULL: none */
	bool cgroup_marked;				/* the cgroup bears it */
	char *resctrl_group;				/* linux.intelRdt; NULL: none */
	bool resctrl_own;				/* it is removed with the container */
	bool resctrl_monitor;				/* so is a monitoring group in it */
	char *systemd_unit;				/* scope that the cgroup is in; NULL: none */
	bool systemd_user;				/* of the user's systemd */
	pid_t pid;					/* init, in the runtime's pid namespace; 0: not yet */
	uint64_t pid_start_time;			/* field 22 of /proc/PID/stat: tells a reused pid */
	bool joining;					/* pid is not the init's yet, but that of knarr:[join] */
	char *boot_id;					/* of the kernel that it runs on; NULL: not known */
	bool other_boot;				/* set by state_load(): that one is gone, and all with it */
	bool started;					/* `start` (or run) got as far as execve */
	bool has_poststart, has_poststop, has_listener; /* config.json has them: else it need not be read again */
	bool rootless;					/* the creator had no CAP_SYS_ADMIN in its user namespace */
	bool no_new_keyring;				/* the container has no session keyring of its own */
	uid_t owner;					/* euid of the creator */
	char *created;					/* RFC 3339, UTC */
	bool has_exit_status;
	uint32_t exit_status; /* of the init, when it is known: 128+N for signal N */
	char *exit_reason;    /* why, as end_reason() said when it was learnt; NULL: nothing known */
	struct spec_pairs annotations;
};

struct state_dir {
	int fd;	       /* the directory */
	int lock_fd;   /* the directory once more, locked; -1: not locked */
	char *path;    /* <root>/<id> */
	char *boot_id; /* as of state_boot_id(), if somebody has asked; NULL: it is asked for each state */
};

/* The state root, for whoever looks at many containers. */
struct state_root {
	int fd;
	const char *path;
	char *boot_id; /* NULL: it cannot be known */
};

/* Default of --root: /run/knarr for root; $XDG_RUNTIME_DIR/knarr for an
 * unprivileged user and for root of a user namespace (when set and not empty),
 * else /run/user/UID/knarr (when that directory is theirs), else /tmp/knarr-UID,
 * which is made here, because in /tmp only a directory that exists is safe. An
 * error when somebody else owns it. 0 or -errno. */
int state_default_root(struct arena *a, bool in_userns, struct err *err, char **ret_root);

/* [A-Za-z0-9_+.-]{1,1024}, not "." nor "..": 0, or -EINVAL with err. */
int state_check_id(const char *id, struct err *err);

/* Makes root (0700, parents too) and <root>/<id>, takes the lock; for state_close(). 0 or
 * -errno with err; -EEXIST: a container with that id exists. */
int state_create(const char *root, const char *id, struct arena *a, struct err *err, struct state_dir *ret_dir);

/* Opens an existing one, for state_close(); lock: wait for and take the exclusive lock.
 * 0 or -errno with err; -ENOENT: "container "ID" does not exist". */
int state_open(const char *root, const char *id, bool lock, struct arena *a, struct err *err,
	       struct state_dir *ret_dir);

/* Takes the lock of one that was opened without, if nobody has it: -EWOULDBLOCK; 0 or another
 * -errno with err, as state_open(). */
int state_try_lock(struct state_dir *dir, const char *id, struct err *err);

/* For state_root_close(). 0 or -errno with err; -ENOENT: the root does not exist. */
int state_root_open(const char *path, struct arena *a, struct err *err, struct state_root *ret_root);
void state_root_close(struct state_root *root);

/* state_open() without the lock in a root that is open. */
int state_open_in(const struct state_root *root, const char *id, struct arena *a, struct err *err,
		  struct state_dir *ret_dir);

/* Releases the lock and closes the descriptors. */
void state_close(struct state_dir *dir);

/* Writes state.json, atomically: on failure it is what it was. state_save_first() also takes
 * the space that a later state_save() needs, so that this one works on a full disk. 0 or
 * -errno with err. */
int state_save_first(const struct state_dir *dir, const struct state *state, struct err *err);
int state_save(const struct state_dir *dir, const struct state *state, struct err *err);

/* Reads it; memory from a. A directory where no state was saved yet loads as status
 * creating with only id set. 0 or -errno with err: what was read is damaged, or lost, when
 * err->code is 0; else it could not be read. */
int state_load(const struct state_dir *dir, const char *id, struct arena *a, struct err *err, struct state **ret_state);

/* The same in a root that is open, for whoever looks only, and without opening the directory; id: one that
 * state_check_id() accepts. True: *ret_state is as state_load() has it. False tells nothing; state_load() does. */
bool state_glance(const struct state_root *root, const char *id, struct arena *a, struct state **ret_state);

/* The same for whoever is to remove the container all the same. Errors are only those of
 * reading. Unless STATE_INTACT: *ret_state is what the copy says, NULL when that is of no use
 * either, and err says what is wrong. */
enum state_finding { STATE_INTACT, STATE_NEVER_SAVED, STATE_LOST, STATE_DAMAGED };
int state_salvage(const struct state_dir *dir, const char *id, struct arena *a, struct err *err,
		  enum state_finding *ret_finding, struct state **ret_state);

/* config.json there, replaced atomically; in two halves (base/fd.h) when something is to be
 * done in between; and its text, at most SPEC_MAX_SIZE, in a. */
int state_save_config(const struct state_dir *dir, const char *json, size_t len, struct err *err);
int state_begin_config(const struct state_dir *dir, const char *json, size_t len, struct err *err,
		       struct fd_replacement *ret_replacement);
int state_commit_config(const struct state_dir *dir, struct fd_replacement *replacement, struct err *err);
int state_load_config(const struct state_dir *dir, struct arena *a, struct err *err, char **ret_json, size_t *ret_len);

/* Removes the directory and its files (nothing else), releases the lock. 0 or -errno with
 * err. */
int state_remove(struct state_dir *dir, struct err *err);

/* The container's cgroup, for cgroup_open(); no path when it has none, or none any more.
 * Strings are those of state. */
struct cgroup state_cgroup(const struct state *state);

/* What marks a cgroup as that of the container whose directory this is; in a. 0 or -errno
 * with err. */
int state_cgroup_owner(const struct state_dir *dir, struct arena *a, struct err *err, char **ret_owner);

/* Identifies the running kernel: in a, NULL where it cannot be known. 0 or -errno with err. */
int state_boot_id(struct arena *a, struct err *err, char **ret_id);

/* Asks the kernel: is the process alive, the same one, a zombie, frozen. 0, or -errno with err
 * when that cannot be known. */
int state_status(const struct state *state, struct err *err, enum container_status *ret_status);

/* As state_status(), but looks at the directory's lock, which a creator holds: as long as
 * another command has it and the init is being set up, the container is being created;
 * one that is still being created when nobody else has it counts as stopped: its
 * creator died. */
int state_dir_status(const struct state_dir *dir, const struct state *state, struct err *err,
		     enum container_status *ret_status);

/* state_load() and state_dir_status(), for whoever does not have the lock: a container that was
 * finished in between is not stopped. 0 or -errno with err. */
int state_load_status(const struct state_dir *dir, const char *id, struct arena *a, struct err *err,
		      struct state **ret_state, enum container_status *ret_status);

/* The same without the directory: 1 when the lock must be asked, which state_dir_status() does. 0: that was
 * not needed; -errno with err. */
int state_unlocked_status(const struct state *state, struct err *err, enum container_status *ret_status);

/* Whether the process is one of the runtime's with that name (comm): 1; 0, also when there is no such
 * process; or -errno with err. A container's program, which may take any name, is known by
 * its execve: since then it is not as clone made it. */
int state_init_has_name(pid_t pid, const char *name, struct err *err);

/* "running", as in the state document. Static. */
const char *state_status_name(enum container_status status);

/* Ids in root, sorted, in a; a missing root is an empty list. 0 or -errno with err. */
int state_list(const char *root, struct arena *a, struct err *err, char ***ret_ids, size_t *ret_n);

/* A pidfd of the container's init, the caller's, after checking its start time; -ESRCH:
 * it has ended. */
int state_pidfd(const struct state *state);

/* Start time of a process (clock ticks since boot). -ESRCH: there is none; any other -errno
 * tells nothing about it. */
int state_pid_start_time(pid_t pid, uint64_t *ret_time);

#endif
