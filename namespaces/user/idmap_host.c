/* Theory of operation: the maps of a new user namespace stand in the plan. Those
 * of a joined one only the kernel knows, and it tells them per process: so a
 * child joins it, stands still, and its map is read from outside, in the ids
 * that the runtime itself sees. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/proc_text.h"
#include "namespaces/user/idmap.h"

#define MAX_MAP_FILE 65536 /* 340 lines of at most 33 bytes, and room */

static int
not_mapped(uid_t uid, struct err *err)
{
	return err_plain(err, "user %u has no id outside the container's user namespace", uid);
}

/* ---- a new namespace --------------------------------------------------- */

static int
find_in_plan(const struct plan *plan, uid_t uid, struct err *err, uid_t *ret_host)
{
	const char *data = plan->blob + plan->spawn.uid_maps.off;
	struct plan_id_map m;

	for (size_t at = 0; at + sizeof(m) <= plan->spawn.uid_maps.len; at += sizeof(m)) {
		memcpy(&m, data + at, sizeof(m));
		if (uid < m.container || uid - m.container >= m.size)
			continue;
		*ret_host = m.host + (uid - m.container);
		return 0;
	}
	return not_mapped(uid, err);
}

/* ---- a joined namespace ------------------------------------------------ */

/* The child: tells the result of setns(2), then lives until the pipe closes. */
static _Noreturn void
join_and_stand(int ns_fd, int channel)
{
	int code;
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	code = setns(ns_fd, CLONE_NEWUSER) < 0 ? errno : 0;
	if (write(channel, &code, sizeof(code)) == sizeof(code))
		while (read(channel, &byte, 1) < 0 && errno == EINTR)
			;
	_exit(0);
}

static int
read_map_of(pid_t pid, int channel, const char *ns_path, uid_t uid, struct err *err, uid_t *ret_host)
{
	char path[64], *text;
	int code, r;
	size_t len;

	if (read(channel, &code, sizeof(code)) != sizeof(code))
		return err_plain(err, "linux.namespaces: the process that joined '%s' exited", ns_path);
	if (code)
		return err_set(err, code, "linux.namespaces: join '%s'", ns_path);
	snprintf(path, sizeof(path), "/proc/%d/uid_map", (int)pid);
	r = fd_read_file_at(AT_FDCWD, path, MAX_MAP_FILE, &text, &len);
	if (r < 0)
		return err_set(err, -r, "read '%s'", path);
	r = proc_map_id(text, uid, ret_host) ? 0 : not_mapped(uid, err);
	free(text);
	return r;
}

static int
ask_namespace(const char *ns_path, uid_t uid, struct err *err, uid_t *ret_host)
{
	auto_close int ns_fd = open(ns_path, O_RDONLY | O_CLOEXEC);
	int channel[2], r;
	pid_t pid;

	if (ns_fd < 0)
		return err_set(err, errno, "linux.namespaces: open '%s'", ns_path);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel) < 0)
		return err_set(err, errno, "make a socket pair");
	pid = fork();
	if (pid == 0) {
		close(channel[0]);
		join_and_stand(ns_fd, channel[1]);
	}
	close(channel[1]);
	r = pid < 0 ? err_set(err, errno, "fork") : read_map_of(pid, channel[0], ns_path, uid, err, ret_host);
	close(channel[0]);
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return r;
}

int
idmap_host_uid(const struct plan *plan, uid_t uid, struct err *err, uid_t *ret_host)
{
	const struct plan_spawn *spawn = &plan->spawn;

	if (spawn->uid_maps.len > 0)
		return find_in_plan(plan, uid, err, ret_host);
	if (spawn->n_joins > 0 && spawn->joins[0].nstype == CLONE_NEWUSER)
		return ask_namespace(plan_text(plan, spawn->joins[0].path), uid, err, ret_host);
	*ret_host = uid;
	return 0;
}
