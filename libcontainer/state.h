/* The state directory: <root>/<id>/, mode 0700, one per container.
 *
 *   state.json   what docs/state.md documents; replaced atomically
 *   config.json  the config as it was at create (later edits of the bundle's have no
 *                effect), with what `update` and `mounts` have changed since
 *   start.sock   the init process waits here for `start`
 *   notify/      holds notify.sock, when the caller had NOTIFY_SOCKET
 *
 * Names in the root that are no valid ids are not containers: the runtime may
 * keep caches there ("@seccomp").
 *
 * The folder itself is the lock: flock(2), exclusive for every command that
 * changes something. A lock file inside would be one more thing to create and
 * to remove in the right order. A process that inherits lock_fd keeps nothing
 * locked: state_close() unlocks explicitly. */
#ifndef KNARR_LIBCONTAINER_STATE_H
#define KNARR_LIBCONTAINER_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"
#include "oci-spec/spec.h"

enum container_status { STATUS_CREATING, STATUS_CREATED, STATUS_RUNNING, STATUS_PAUSED, STATUS_STOPPED };

struct state {
	char *id, *bundle, *rootfs, *oci_version;
	char *cgroup_mount, *cgroup_path;		/* NULL: no cgroup */
	unsigned cgroup_made;				/* trailing components of cgroup_path that knarr made */
	char *resctrl_group;				/* linux.intelRdt; NULL: none */
	bool resctrl_own;				/* it is removed with the container */
	bool resctrl_monitor;				/* so is a monitoring group in it */
	char *systemd_unit;				/* scope that the cgroup is in; NULL: none */
	bool systemd_user;				/* of the user's systemd */
	pid_t pid;					/* init, in the runtime's pid namespace; 0: not yet */
	uint64_t pid_start_time;			/* field 22 of /proc/PID/stat: tells a reused pid */
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
	int fd;	     /* the folder */
	int lock_fd; /* the folder once more, locked; -1: not locked */
	char *path;  /* <root>/<id> */
};

/* Default of --root: /run/knarr for root; $XDG_RUNTIME_DIR/knarr for an
 * ordinary user and for root of a user namespace (when set and not empty),
 * else /run/user/UID/knarr (when that folder is his), else /tmp/knarr-UID,
 * which is made here, because in /tmp only a folder that exists is safe. An
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

/* Releases the lock and closes the descriptors. */
void state_close(struct state_dir *d);

/* Writes state.json, atomically. 0 or -errno with err. */
int state_save(const struct state_dir *d, const struct state *s, struct err *err);

/* Reads it; memory from a. A directory without state.json loads as status creating with
 * only id set. 0 or -errno with err; -EINVAL: it is damaged. */
int state_load(const struct state_dir *d, const char *id, struct arena *a, struct err *err, struct state **ret_state);

/* config.json there, replaced atomically; and its text, at most SPEC_MAX_SIZE, in a. */
int state_save_config(const struct state_dir *d, const char *json, size_t len, struct err *err);
int state_load_config(const struct state_dir *d, struct arena *a, struct err *err, char **ret_json, size_t *ret_len);

/* Removes the folder and its files (nothing else), releases the lock. 0 or -errno with
 * err. */
int state_remove(struct state_dir *d, struct err *err);

/* Asks the kernel: is the process alive, the same one, a zombie, frozen. */
enum container_status state_status(const struct state *s);

/* As state_status(), but looks at the folder's lock, which a creator holds: as long as
 * another command has it and the init is being set up, the container is being created;
 * one that is still being created when nobody else has it counts as stopped: its
 * creator died. */
enum container_status state_dir_status(const struct state_dir *d, const struct state *s);

/* Whether that is the comm of a process. */
bool state_process_has_name(pid_t pid, const char *name);

/* "running", as in the state document. Static. */
const char *state_status_name(enum container_status status);

/* Ids in root, sorted, in a; a missing root is an empty list. 0 or -errno with err. */
int state_list(const char *root, struct arena *a, struct err *err, char ***ret_ids, size_t *ret_n);

/* A pidfd of the container's init, the caller's, after checking its start time; -ESRCH:
 * it has ended. */
int state_pidfd(const struct state *s);

/* Start time of a process (clock ticks since boot); 0 when there is none. */
uint64_t state_pid_start_time(pid_t pid);

#endif
