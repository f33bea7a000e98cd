/* Theory of operation: once the filter is loaded, any system call may wait for an agent that
 * does not have the listener yet, sending it included. So a second thread, made before, which
 * the filter does not reach, sends it, while this one waits without a system call. Both share
 * the descriptors; execve ends the other one. Taking the descriptor from outside,
 * with pidfd_getfd(2), would need a process that others can take descriptors from as well. */
#include <errno.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/raw_syscall.h"
#include "libcontainer/stage/program.h"
#include "libcontainer/stage/stage_ask.h"

#define NO_SANITIZER __attribute__((no_sanitize("address", "undefined")))

#define STACK_SIZE 16384

/* Until there is a listener, and when there is none. */
#define NOT_YET -1
#define NEVER	-2

struct hand_over {
	int channel, listener; /* or one of the two above */
	long sent;	       /* 0: not yet; bytes, or -errno */
};

/* Its stack is not one that a sanitizer or the C library knows. */
NO_SANITIZER static int
send_listener(void *arg)
{
	struct hand_over *h = arg;
	struct stage_packet packet = { .message = STAGE_LISTENER };
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { { 0 } };
	struct iovec iov = { &packet, sizeof(packet) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
	};
	struct cmsghdr *c = &control.align;
	int fd;
	long n;

	while ((fd = __atomic_load_n(&h->listener, __ATOMIC_ACQUIRE)) == NOT_YET)
		raw_syscall(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
	if (fd == NEVER)
		return 0;
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	*(int *)(void *)CMSG_DATA(c) = fd;
	do
		n = raw_syscall(SYS_sendmsg, h->channel, (long)&msg, MSG_NOSIGNAL, 0, 0, 0);
	while (n == -EINTR);
	__atomic_store_n(&h->sent, n, __ATOMIC_RELEASE);
	return 0;
}

int
program_load_with_listener(struct plan_ctx *c, const struct plan_step *step)
{
	const struct plan_seccomp *sc = &step->u.seccomp;
	struct sock_fprog prog = program_filter(c, step);
	/* All threads of the program's, which has one. */
	unsigned flags = (sc->flags & ~(unsigned)(SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_TSYNC_ESRCH)) |
			 SECCOMP_FILTER_FLAG_NEW_LISTENER;
	struct hand_over h = { .channel = c->fds[PLAN_FD_CHANNEL], .listener = NOT_YET };
	char stack[STACK_SIZE] __attribute__((aligned(64)));
	long fd;

	if (clone(send_listener, stack + sizeof(stack),
		  CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM, &h) < 0)
		return err_set(c->err, errno, "linux.seccomp: make a thread that hands over the listener");
	fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog);
	if (fd < 0) {
		int code = errno;

		__atomic_store_n(&h.listener, NEVER, __ATOMIC_RELEASE);
		return err_set(c->err, code, "linux.seccomp: load the filter of %u instructions", prog.len);
	}
	__atomic_store_n(&h.listener, (int)fd, __ATOMIC_RELEASE);
	while (__atomic_load_n(&h.sent, __ATOMIC_ACQUIRE) == 0)
		;
	return h.sent < 0 ? err_set(c->err, (int)-h.sent, "linux.seccomp: hand over the listener") : 0;
}
