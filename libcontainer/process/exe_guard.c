/* Theory of operation.
 *
 * prctl(PR_SET_MM, PR_SET_MM_MAP) exchanges the file behind /proc/self/exe, made
 * for checkpoint and restore. The kernel refuses (EBUSY) while the old file is
 * mapped, so for that moment it must not be:
 *  - segments that were written to (data, RELRO) become anonymous memory with
 *    the same bytes, protection and address for good: copied aside, and moved
 *    over the old mapping by mremap(2);
 *  - code and constants are unmapped, the file exchanged, and the same bytes of
 *    the same file mapped again. Copying them as well would be simpler and
 *    cost 2 µs a page, half a millisecond. The few instructions that run in
 *    between, exchange(), sit in a section of their own, whose pages are copied
 *    like data; they call nothing and touch nothing but the stack.
 * Where this file has no system call instruction for the machine, or the
 * executable may not be read, everything is copied.
 *
 * If a mapping is missed, the kernel says EBUSY and nothing is lost. That the
 * file stays mapped is not a leak: /proc/PID/map_files opens only for privilege in
 * the initial user namespace, which includes the host's files anyway, and the C
 * library is in the same place.
 *
 * The other fields of PR_SET_MM_MAP must be given too; they are set to what they
 * are, as /proc/self/stat tells. Where all this is refused (a kernel without
 * CONFIG_CHECKPOINT_RESTORE, SELinux without execmem) exe_guard_copy.c is left. */
#include "libcontainer/process/exe_guard.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/proc_text.h"
#include "base/raw_syscall.h"
#include "libcontainer/process/exe_guard_copy.h"
#include "libcontainer/process/exe_guard_file.h"
#include "libcontainer/process/exe_guard_maps.h"

#define NO_SANITIZER __attribute__((no_sanitize("address", "undefined")))

/* ---- copying ----------------------------------------------------------- */

typedef uint64_t block __attribute__((vector_size(16), may_alias));

/* Not memcpy: a sanitizer's would find the gaps it keeps between globals. */
NO_SANITIZER static void
copy_pages(void *dst, const void *src, size_t len)
{
	block *d = dst;
	const block *s = src;

	for (size_t i = 0; i < len / sizeof(block); i += 4) {
		block a = s[i], b = s[i + 1], c = s[i + 2], e = s[i + 3];

		d[i] = a;
		d[i + 1] = b;
		d[i + 2] = c;
		d[i + 3] = e;
		__asm__ volatile("" ::: "memory"); /* stay a loop */
	}
}

/* From the copy to the move nothing in the data segment may be written. The
 * code runs from what it replaces: mremap exchanges it within one system call. */
static int
copy_range(const struct exe_range *range)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE;
	void *copy = mmap(NULL, range->len, PROT_READ | PROT_WRITE, flags, -1, 0);

	if (copy == MAP_FAILED)
		return -errno;
	if (range->prot & PROT_READ)
		copy_pages(copy, (const void *)range->start, range->len);
	if ((range->prot != (PROT_READ | PROT_WRITE) && mprotect(copy, range->len, range->prot) < 0) ||
	    mremap(copy, range->len, range->len, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)range->start) == MAP_FAILED) {
		int code = errno;

		munmap(copy, range->len);
		return -code;
	}
	return 0;
}

int
exe_guard_make_private(const struct exe_range *ranges, size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		int r = copy_range(&ranges[i]);

		if (r < 0)
			return err_set(err, -r, "copy what is mapped of the host's files");
	}
	return 0;
}

/* ---- the exchange ------------------------------------------------------ */

/* The linker names the ends of a section that is called like a C identifier. */
extern const char __start_exe_guard_code[], __stop_exe_guard_code[];

/* Unmaps the n ranges, exchanges the file, maps them again from fd. Returns prctl's
 * answer. Without its code the program cannot go on: then it ends, with the last words,
 * which the caller has on its stack, since constants are gone as well. */
NO_SANITIZER __attribute__((section("exe_guard_code"), noinline, used)) static long
exchange(const struct prctl_mm_map *m, const struct exe_range *ranges, size_t n, int fd, const char *last_words,
	 size_t last_words_len)
{
	long r;

	/* Neighbours at once. */
	for (size_t i = 0, end; i < n; i = end) {
		size_t len = ranges[i].len;

		for (end = i + 1; end < n && ranges[end].start == ranges[i].start + len; end++)
			len += ranges[end].len;
		raw_syscall(SYS_munmap, (long)ranges[i].start, (long)len, 0, 0, 0, 0);
	}
	r = raw_syscall(SYS_prctl, PR_SET_MM, PR_SET_MM_MAP, (long)m, sizeof(*m), 0, 0);
	for (size_t i = 0; i < n; i++) {
		long at = raw_syscall(SYS_mmap, (long)ranges[i].start, (long)ranges[i].len, ranges[i].prot,
				      MAP_PRIVATE | MAP_FIXED, fd, (long)ranges[i].offset);

		if (at != (long)ranges[i].start) {
			raw_syscall(SYS_write, STDERR_FILENO, (long)last_words, (long)last_words_len, 0, 0, 0);
			raw_syscall(SYS_exit_group, 1, 0, 0, 0, 0, 0);
		}
	}
	return r;
}

/* Copies what must be copied and gathers in *rest, which has room for one range
 * more, what can be mapped again. */
static int
take_apart(const struct exe_range *ranges, int count, bool copy_all, struct exe_range *rest, size_t *ret_n)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	const uintptr_t start = (uintptr_t)__start_exe_guard_code / page * page;
	const uintptr_t stop = ((uintptr_t)__stop_exe_guard_code + page - 1) / page * page;
	size_t n_rest = 0;

	for (int i = 0; i < count; i++) {
		struct exe_range r = ranges[i], code;
		int err;

		if (copy_all || !r.as_in_file) {
			if ((err = copy_range(&r)) < 0)
				return err;
			continue;
		}
		if (start < r.start || stop > r.start + r.len) {
			rest[n_rest++] = r;
			continue;
		}
		code = (struct exe_range){ start, stop - start, 0, r.prot, false };
		if ((err = copy_range(&code)) < 0)
			return err;
		if (start > r.start)
			rest[n_rest++] = (struct exe_range){ r.start, start - r.start, r.offset, r.prot, true };
		if (stop < r.start + r.len)
			rest[n_rest++] = (struct exe_range){ stop, r.start + r.len - stop, r.offset + (stop - r.start),
							     r.prot, true };
	}
	*ret_n = n_rest;
	return 0;
}

static int
exchange_file(const struct prctl_mm_map *map, int fd, const struct exe_range *ranges, int count, struct err *err)
{
	struct exe_range rest[EXE_RANGES_MAX + 1];
	char last_words[] = "knarr: the runtime's executable cannot be mapped again (no memory, or a limit)\n";
	size_t n_rest;
	sigset_t all, old;
	long r = take_apart(ranges, count, !RAW_SYSCALL_IS_INLINE || fd < 0, rest, &n_rest);

	if (r < 0)
		return err_set(err, (int)-r, "replace the mappings of the runtime's executable");
	sigfillset(&all); /* a handler would not be there */
	if (sigprocmask(SIG_SETMASK, &all, &old) < 0)
		return err_set(err, errno, "block signals");
	r = exchange(map, rest, n_rest, fd, last_words, sizeof(last_words) - 1);
	/* In the init they would stay blocked for the container's program. */
	if (sigprocmask(SIG_SETMASK, &old, NULL) < 0)
		return err_set(err, errno, "unblock signals");
	return r < 0 ? err_set(err, (int)-r, "hide the runtime's executable (PR_SET_MM_MAP)") : 0;
}

/* ---- what it is exchanged for ------------------------------------------ */

/* Fields of proc(5) stat from the third on, which follow the last ')'. */
static int
read_mm_map(struct prctl_mm_map *map, struct err *err)
{
	static const struct {
		unsigned field;
		size_t offset;
	} rows[] = {
		{ 26, offsetof(struct prctl_mm_map, start_code) },  { 27, offsetof(struct prctl_mm_map, end_code) },
		{ 28, offsetof(struct prctl_mm_map, start_stack) }, { 45, offsetof(struct prctl_mm_map, start_data) },
		{ 46, offsetof(struct prctl_mm_map, end_data) },    { 47, offsetof(struct prctl_mm_map, start_brk) },
		{ 48, offsetof(struct prctl_mm_map, arg_start) },   { 49, offsetof(struct prctl_mm_map, arg_end) },
		{ 50, offsetof(struct prctl_mm_map, env_start) },   { 51, offsetof(struct prctl_mm_map, env_end) },
	};
	char buf[2048];
	ssize_t len = fd_read_record_at(AT_FDCWD, "/proc/self/stat", buf, sizeof(buf));

	if (len < 0)
		return err_set(err, (int)-len, "read '/proc/self/stat'");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *field = proc_stat_field(buf, rows[i].field);
		uint64_t v = field ? strtoull(field, NULL, 10) : 0;

		if (!field)
			return err_set(err, EIO, "read '/proc/self/stat'");
		memcpy((char *)map + rows[i].offset, &v, sizeof(v));
	}
	map->brk = (uint64_t)syscall(SYS_brk, 0);
	return 0;
}

/* fd: the file behind /proc/self/exe, -1: it may not be read. */
static int
replace_exe(int fd, struct err *err)
{
	struct prctl_mm_map m = { 0 };
	struct exe_range ranges[EXE_RANGES_MAX];
	char exe[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	auto_close int empty = -1;
	int r, n;

	if (len < 0)
		return err_set(err, errno, "read the link '/proc/self/exe'");
	exe[len] = '\0';
	if ((r = read_mm_map(&m, err)) < 0 || (n = r = exe_guard_find_ranges(exe, ranges, err)) < 0)
		return r;
	empty = exe_guard_open_empty(err);
	if (empty < 0)
		return empty;
	m.exe_fd = (uint32_t)empty;
	return exchange_file(&m, fd, ranges, n, err);
}

static int
open_exe(void)
{
	return open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
}

int
exe_guard(struct err *err)
{
	auto_close int fd = open_exe();

	return exe_guard_file_is_private(fd) ? 0 : replace_exe(fd, err);
}

/* Any process may ask for the size; a kernel without it says EPERM or EINVAL. */
static bool
kernel_has_mm_map(void)
{
	unsigned size = 0;

	return prctl(PR_SET_MM, PR_SET_MM_MAP_SIZE, &size, 0, 0) == 0 && size == sizeof(struct prctl_mm_map);
}

int
exe_guard_prepare(bool privileged, bool in_new_userns, struct err *err)
{
	auto_close int fd = open_exe();
	struct err refused;

	if (exe_guard_file_is_private(fd))
		return 0;
	/* A kernel without it says so, like one that refuses it. */
	if (privileged && replace_exe(fd, &refused) == 0)
		return 0;
	/* Exchanged, and yet it failed: there is nothing left to copy. */
	if (privileged && exe_guard_is_private()) {
		*err = refused;
		return -err->code;
	}
	if (!privileged && in_new_userns && kernel_has_mm_map())
		return 0;
	return exe_guard_copy(err);
}
