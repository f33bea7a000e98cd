/* How `start` reaches the init of a container that was created: start.sock in the state
 * directory, on which the init waits, and the status that it hands over. The protocol is
 * drawn in stage.h. */
#include "libcontainer/stage/stage.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/process.h"
#include "libcontainer/stage/stage_channel.h"

static void
start_address(int dirfd, struct sockaddr_un *ret_addr)
{
	/* Through /proc, since <root>/<id> may be longer than sun_path. */
	*ret_addr = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(ret_addr->sun_path, sizeof(ret_addr->sun_path), "/proc/self/fd/%d/start.sock", dirfd);
}

int
stage_listen(int dirfd, struct err *err, int *ret_fd)
{
	struct sockaddr_un addr;
	auto_close int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	start_address(dirfd, &addr);
	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 || listen(fd, 1) < 0)
		return err_set(err, errno, "make start.sock in the state directory");
	*ret_fd = fd_take(&fd);
	return 0;
}

static int
receive_status(struct stage *stage, struct err *err)
{
	enum stage_message message;
	void *mem;
	int r = stage_next(stage, NULL, err, &message, &stage->status_fd);

	if (r < 0)
		return r;
	mem = mmap(NULL, sizeof(*stage->status), PROT_READ | PROT_WRITE, MAP_SHARED, stage->status_fd, 0);
	if (mem == MAP_FAILED)
		return err_set(err, errno, "map the status of the container's init");
	munmap(stage->status, sizeof(*stage->status));
	stage->status = mem;
	return 0;
}

int
stage_connect(int dirfd, pid_t pid, bool expects_listener, struct err *err, struct stage *ret_stage)
{
	struct sockaddr_un addr;
	struct stage g;
	int r;

	stage_init(&g);
	g.pid = pid;
	g.is_seen = true;
	g.expected = 1u << STAGE_STATUS | (expects_listener ? 1u << STAGE_LISTENER : 0);
	start_address(dirfd, &addr);
	r = stage_map_status(&g, /* with_fd= */ false, err);
	if (r == 0) {
		g.pidfd = process_open(pid);
		if (g.pidfd < 0)
			r = err_set(err, -g.pidfd, "open process %d, the container's init", (int)pid);
	}
	if (r == 0) {
		g.channel = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
		if (g.channel < 0 || connect(g.channel, (struct sockaddr *)&addr, sizeof(addr)) < 0)
			r = err_set(err, errno, "connect to the container's init");
	}
	if (r == 0)
		r = receive_status(&g, err);
	if (r < 0) {
		stage_close(&g);
		return r;
	}
	*ret_stage = g;
	return 0;
}
