/* The process waits for the end of a pipe, whose
 * other side only the runtime has: so it cannot outlive a runtime that is killed, and
 * the scope neither. */
#include "libcontainer/checkpoint/scope_holder.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/process.h"

int
scope_holder_start(struct scope_holder *holder, struct err *err)
{
	int ends[2];
	pid_t pid;
	char byte;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_set(err, errno, "make a pipe to a process in the scope");
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_NAME, "knarr:[scope]");
		close(ends[1]);
		while (read(ends[0], &byte, 1) < 0 && errno == EINTR)
			;
		process_end(0);
	}
	close(ends[0]);
	if (pid < 0) {
		int r = err_set(err, errno, "make a process for the scope");

		close(ends[1]);
		return r;
	}
	*holder = (struct scope_holder){ pid, ends[1] };
	return 0;
}

void
scope_holder_end(struct scope_holder *holder)
{
	if (holder->pid == 0)
		return;
	holder->end = fd_close(holder->end);
	while (waitpid(holder->pid, NULL, 0) < 0 && errno == EINTR)
		;
	holder->pid = 0;
}
