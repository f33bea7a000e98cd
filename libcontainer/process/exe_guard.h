/* Keeps the runtime's executable out of the container's reach (CVE-2019-5736).
 *
 * Until its execve, the container's init is a process of the runtime: whoever
 * sees it in the container can open /proc/PID/exe, and a program "#!/proc/self/exe"
 * makes the runtime run itself there. Either way leads to the file on the host,
 * which a container's root may then overwrite. After the guard that link leads to
 * an empty, sealed file in memory.
 *
 * Dumpable or not (PR_SET_DUMPABLE 0, which closes /proc/PID/{exe,fd,mem,root} to
 * the container as well): safe in root's runtime at any time. In an ordinary
 * user's runtime the init may give it up only after its id maps were written:
 * a process that is not dumpable has its files in /proc owned by host root, and
 * the user could not write uid_map; nor can the init itself write
 * /proc/self/attr or oom_score_adj after it. fork and clone inherit it, execve
 * resets it. The guard does not depend on it and does not change it. */
#ifndef KNARR_LIBCONTAINER_PROCESS_EXE_GUARD_H
#define KNARR_LIBCONTAINER_PROCESS_EXE_GUARD_H

#include <stdbool.h>

#include "base/err.h"

/* Runtime, at the start of a command that makes processes in containers: before
 * any descriptor or state that an execve would lose. privileged: it has
 * CAP_SYS_ADMIN in its user namespace; then this is exe_guard(), and where the
 * kernel refuses that, the runtime executes itself once more from a sealed copy
 * in memory. Otherwise nothing is done yet if the kernel lets the init call
 * exe_guard() in its own user namespace; if it does not, or when in_new_userns
 * is false, the copy again. 0 or -errno with err. */
int exe_guard_prepare(bool privileged, bool in_new_userns, struct err *err);

/* Replaces what /proc/self/exe of the calling process refers to; processes made
 * later inherit it. Needs CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE in the user
 * namespace that the process is in (a new one will do), a /proc, and a single
 * thread. Allocates nothing. Calling it twice, or after the copy, is fine.
 * 0 or -errno with err; after a failure the process goes on as before. */
int exe_guard(struct err *err);

#endif
