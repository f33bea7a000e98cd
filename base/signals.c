/* Theory of operation: see signals.h. The system calls are made without the C
 * library: its wrappers refuse to touch the two signals that it keeps for
 * itself (32 and 33), and a caller may have those ignored as well. */
#include "base/signals.h"

#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LAST_SIGNAL	 64
#define KERNEL_MASK_SIZE 8

void
signals_reset(const sigset_t *mask)
{
	/* The kernel's struct sigaction of every architecture fits, and all zeros
	 * is SIG_DFL without flags in each of them. */
	static const unsigned char action[64];
	sigset_t none;

	for (int sig = 1; sig <= LAST_SIGNAL; sig++)
		syscall(SYS_rt_sigaction, sig, action, NULL, KERNEL_MASK_SIZE);
	memset(&none, 0, sizeof(none));
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, mask ? mask : &none, NULL, KERNEL_MASK_SIZE);
}
