/* Who may change the owner depends on the user
 * namespace. Without one, the init does it, as root. In one, the init may only where it
 * knows the present owner (an unprivileged user's own pipe); what belongs to the host's
 * root only the runtime can give away, so both try, and the second finds it done.
 *
 * Pipes, files and sockets are given, as runc and crun do; the group stays. A device is
 * the host's: the null device serves everybody, and a terminal would be open to the
 * host's user of that uid, and stay so. Root of the runtime's own namespace opens
 * everything and is given nothing: else a log file of somebody's would become root's.
 *
 * EINVAL: the uid is not mapped; EPERM: the owner is not, or the runtime is not root;
 * EROFS. The program runs all the same then, as in runc and crun. */
#include "libcontainer/process/stdio.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/proc_text.h"

/* The kernel takes 340 lines. */
#define MAP_MAX 32768

/* ---- planning -------------------------------------------------------- */

void
stdio_plan(struct plan_builder *b, const struct spec *spec, bool enters_userns)
{
	bool in_userns = spec->linux_.namespaces[NS_USER].listed || enters_userns;

	/* With a terminal the pty is the program's already. */
	if (spec->process->terminal || (spec->process->user.uid == 0 && !in_userns))
		return;
	b->spawn.maps_stdio = in_userns;
	plan_add(b, PLAN_GIVE_STDIO, "process.user")->u.stdio.uid = spec->process->user.uid;
}

/* ---- giving ---------------------------------------------------------- */

static int
give_one(int fd, uint32_t uid, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_set(err, errno, "process.user: look at descriptor %d", fd);
	if (st.st_uid == uid || !(S_ISFIFO(st.st_mode) || S_ISREG(st.st_mode) || S_ISSOCK(st.st_mode)))
		return 0;
	if (fchown(fd, uid, (gid_t)-1) == 0 || errno == EPERM || errno == EROFS || errno == EINVAL)
		return 0;
	return err_set(err, errno, "process.user: give descriptor %d to uid %u", fd, uid);
}

static int
give_all(uint32_t uid, struct err *err)
{
	int r = 0;

	for (int fd = 0; r == 0 && fd <= STDERR_FILENO; fd++)
		r = give_one(fd, uid, err);
	return r;
}

/* Apart, since so large a buffer costs each caller 8 page faults, also where it is not used. */
static __attribute__((noinline)) int
give_mapped(uint32_t to, pid_t pid, struct err *err)
{
	char path[64], map[MAP_MAX];
	uint32_t uid;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/uid_map", (int)pid);
	n = fd_read_small_at(AT_FDCWD, path, map, sizeof(map));
	if (n < 0)
		return err_set(err, (int)-n, "process.user: read '%s'", path);
	return proc_map_id(map, to, &uid) ? give_all(uid, err) : 0;
}

int
stdio_give(const struct plan *plan, pid_t pid, struct err *err)
{
	for (uint32_t i = 0; plan->spawn.maps_stdio && i < plan->n_steps; i++)
		if (plan->steps[i].kind == PLAN_GIVE_STDIO)
			return give_mapped(plan->steps[i].u.stdio.uid, pid, err);
	return 0;
}

int
stdio_run_give(struct plan_ctx *c, const struct plan_step *step)
{
	return give_all(step->u.stdio.uid, c->err);
}
