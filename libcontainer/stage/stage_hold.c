/* Who may send signals to the process may stop it before it is the program, and the runtime
 * would wait for ever, with the lock of the state. SIGCONT costs the other side a signal for
 * each; a tracer must be waited for, but not for longer than anybody looks into a runtime. */
#include "libcontainer/stage/stage_hold.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/proc_text.h"

#define STAT_STATE 3 /* the field of /proc/PID/stat */

#define MOST_TIMES (30 * 1000 / STAGE_HOLD_INTERVAL)

static int
read_state(pid_t pid, char *ret_state)
{
	char path[64], text[1024];
	const char *p;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	n = fd_read_record_at(AT_FDCWD, path, text, sizeof(text));
	if (n < 0)
		return (int)n;
	p = proc_stat_field(text, STAT_STATE);
	if (!p)
		return -EBADMSG;
	*ret_state = *p;
	return 0;
}

int
stage_hold_look(const struct stage *stage, unsigned *times, struct err *err)
{
	char state;
	int r = read_state(stage->pid, &state);

	if (r == -ENOENT || r == -ESRCH) /* it has ended: the channel will tell */
		return 0;
	if (r < 0)
		return err_set(err, -r, "look at process %d, which is being set up", (int)stage->pid);
	if (state == 'T' && syscall(SYS_pidfd_send_signal, stage->pidfd, SIGCONT, NULL, 0) < 0 && errno != ESRCH)
		return err_set(err, errno, "let process %d go on, which somebody stopped", (int)stage->pid);
	*times = state == 't' ? *times + 1 : 0;
	if (*times < MOST_TIMES)
		return 0;
	return err_set(err, ETIMEDOUT, "process %d is held by another one, which traces it", (int)stage->pid);
}
