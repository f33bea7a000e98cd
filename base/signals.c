/* Theory of operation: see signals.h. The system calls are made without the C
 * library: its wrappers refuse to touch the two signals that it keeps for
 * itself (32 and 33), and a caller may have those ignored as well. */
#include "base/signals.h"

#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LAST_SIGNAL	 64
#define KERNEL_MASK_SIZE 8

void
signals_reset(void)
{
	/* The kernel's struct sigaction of every architecture fits, and all zeros
	 * is SIG_DFL without flags in each of them. */
	static const unsigned char action[64];
	static const unsigned char none[KERNEL_MASK_SIZE];

	for (int sig = 1; sig <= LAST_SIGNAL; sig++)
		syscall(SYS_rt_sigaction, sig, action, NULL, KERNEL_MASK_SIZE);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, none, NULL, KERNEL_MASK_SIZE);
}
