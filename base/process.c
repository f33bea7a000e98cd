/* Theory of operation: see process.h. The system call is made without the C
 * library, whose _exit() may do more (a sanitizer's does) and never give up. */
#include "base/process.h"

#include <sys/syscall.h>
#include <unistd.h>

void
process_end(int status)
{
	syscall(SYS_exit_group, status);
	__builtin_trap();
}
