/* System calls without the C library, for code that runs while the program's own is not
 * mapped. The answer is the kernel's: -errno is an error. */
#ifndef KNARR_BASE_RAW_SYSCALL_H
#define KNARR_BASE_RAW_SYSCALL_H

#include <errno.h>
#include <unistd.h>

/* RAW_SYSCALL_IS_INLINE 1: it is an instruction of the caller's. 0: knarr does not know the
 * machine's instruction, and it is a call of the C library. */
#if defined(__x86_64__)
#define RAW_SYSCALL_IS_INLINE 1
static inline __attribute__((always_inline)) long
raw_syscall(long nr, long arg0, long arg1, long arg2, long arg3, long arg4, long arg5)
{
	register long r10 __asm__("r10") = arg3;
	register long r8 __asm__("r8") = arg4;
	register long r9 __asm__("r9") = arg5;

	__asm__ volatile("syscall"
			 : "+a"(nr)
			 : "D"(arg0), "S"(arg1), "d"(arg2), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return nr;
}
#elif defined(__aarch64__)
#define RAW_SYSCALL_IS_INLINE 1
static inline __attribute__((always_inline)) long
raw_syscall(long nr, long arg0, long arg1, long arg2, long arg3, long arg4, long arg5)
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = arg0;
	register long x1 __asm__("x1") = arg1;
	register long x2 __asm__("x2") = arg2;
	register long x3 __asm__("x3") = arg3;
	register long x4 __asm__("x4") = arg4;
	register long x5 __asm__("x5") = arg5;

	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
	return x0;
}
#else
#define RAW_SYSCALL_IS_INLINE 0
static inline long
raw_syscall(long nr, long arg0, long arg1, long arg2, long arg3, long arg4, long arg5)
{
	long r = syscall(nr, arg0, arg1, arg2, arg3, arg4, arg5);

	return r < 0 ? -errno : r;
}
#endif

#endif
