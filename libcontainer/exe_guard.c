/* Theory of operation.
 *
 * prctl(PR_SET_MM, PR_SET_MM_MAP) exchanges the file behind /proc/self/exe, made
 * for checkpoint and restore. The kernel refuses (EBUSY) while the old file is
 * mapped, so first each mapping of it becomes anonymous memory with the same
 * bytes, protection and address: copied aside and moved over the old one by
 * mremap(2). The code that does so runs from the mappings it replaces. That
 * works because mremap exchanges them within one system call and nothing but
 * the stack is written between copy and move.
 *
 * The mappings are found by name: the kernel compares paths (mount and dentry),
 * and device numbers in /proc/self/maps differ from stat(2) on btrfs and
 * overlayfs. If one is missed, the kernel says EBUSY and nothing is lost.
 *
 * The other fields of PR_SET_MM_MAP must be given too; they are set to what they
 * are, as /proc/self/stat tells.
 *
 * This costs about a tenth of a second execve. Where it is refused (no
 * CONFIG_CHECKPOINT_RESTORE, SELinux without execmem) exe_guard_copy.c is left. */
#include "libcontainer/exe_guard.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "libcontainer/exe_guard_copy.h"

#define MAX_RANGES 16
#define ALL_SEALS  (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL)

struct range {
	uintptr_t start;
	size_t len;
	int prot;
};

/* ---- finding the mappings ---------------------------------------------- */

struct line_reader {
	int fd;
	size_t at, len;
	char buf[PATH_MAX + 512];
};

/* Next line without its newline, NULL at the end (or when one is too long). */
static char *
read_line(struct line_reader *r)
{
	for (;;) {
		char *line = r->buf + r->at, *end = memchr(line, '\n', r->len - r->at);
		ssize_t n;

		if (end) {
			*end = '\0';
			r->at = (size_t)(end - r->buf) + 1;
			return line;
		}
		memmove(r->buf, line, r->len - r->at);
		r->len -= r->at;
		r->at = 0;
		do
			n = read(r->fd, r->buf + r->len, sizeof(r->buf) - r->len);
		while (n < 0 && errno == EINTR);
		if (n <= 0)
			return NULL;
		r->len += (size_t)n;
	}
}

/* "START-END rwxp OFFSET DEV INODE    PATH" */
static bool
parse_mapping(const char *line, const char *exe, struct range *ret)
{
	const char *path = strchr(line, '/');
	char *end;
	uintptr_t stop;

	if (!path || strcmp(path, exe) != 0)
		return false;
	ret->start = strtoul(line, &end, 16);
	if (*end != '-')
		return false;
	stop = strtoul(end + 1, &end, 16);
	if (*end != ' ' || stop <= ret->start)
		return false;
	ret->len = stop - ret->start;
	ret->prot =
		(end[1] == 'r' ? PROT_READ : 0) | (end[2] == 'w' ? PROT_WRITE : 0) | (end[3] == 'x' ? PROT_EXEC : 0);
	return true;
}

static int
find_ranges(const char *exe, struct range *ranges, size_t *ret_n, struct err *err)
{
	struct line_reader r = { .at = 0, .len = 0 };
	auto_close int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	size_t n = 0;
	char *line;

	if (fd < 0)
		return err_set(err, errno, "open '/proc/self/maps'");
	r.fd = fd;
	while ((line = read_line(&r))) {
		if (n == MAX_RANGES)
			return err_set(err, E2BIG, "the runtime's executable is mapped in too many places");
		if (parse_mapping(line, exe, &ranges[n]))
			n++;
	}
	*ret_n = n;
	return 0;
}

/* ---- replacing them ---------------------------------------------------- */

typedef uint64_t block __attribute__((vector_size(16), may_alias));

/* Not memcpy: a sanitizer's would find the gaps it keeps between globals. */
__attribute__((no_sanitize("address", "undefined"))) static void
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

/* From the copy to the move nothing in the data segment may be written. */
static int
replace_range(const struct range *r)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE;
	void *copy = mmap(NULL, r->len, PROT_READ | PROT_WRITE, flags, -1, 0);

	if (copy == MAP_FAILED)
		return -errno;
	if (r->prot & PROT_READ)
		copy_pages(copy, (const void *)r->start, r->len);
	if ((r->prot != (PROT_READ | PROT_WRITE) && mprotect(copy, r->len, r->prot) < 0) ||
	    mremap(copy, r->len, r->len, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)r->start) == MAP_FAILED) {
		int code = errno;

		munmap(copy, r->len);
		return -code;
	}
	return 0;
}

/* ---- the exchange ------------------------------------------------------ */

/* Fields of proc(5) stat from the third on, which follow the last ')'. */
static int
read_mm_map(struct prctl_mm_map *m, struct err *err)
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
	char buf[2048], *p;
	ssize_t len = fd_read_small_at(AT_FDCWD, "/proc/self/stat", buf, sizeof(buf));
	size_t row = 0;

	if (len < 0)
		return err_set(err, (int)-len, "read '/proc/self/stat'");
	p = strrchr(buf, ')');
	for (unsigned field = 3; p && (p = strchr(p, ' ')) && row < sizeof(rows) / sizeof(rows[0]); field++) {
		uint64_t v = strtoull(++p, NULL, 10);

		if (field == rows[row].field)
			memcpy((char *)m + rows[row++].offset, &v, sizeof(v));
	}
	if (row < sizeof(rows) / sizeof(rows[0]))
		return err_set(err, EIO, "read '/proc/self/stat'");
	m->brk = (uint64_t)syscall(SYS_brk, 0);
	return 0;
}

/* The empty file. The kernel wants it executable, and not open for writing. */
static int
open_empty(struct err *err)
{
	auto_close int rw = memfd_create("knarr", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	char path[64];
	int fd;

	if (rw < 0 || fcntl(rw, F_ADD_SEALS, ALL_SEALS) < 0)
		return err_set(err, errno, "make a sealed file in memory");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", rw);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, errno, "open '%s'", path);
	return fd;
}

int
exe_guard(struct err *err)
{
	struct prctl_mm_map m = { 0 };
	struct range ranges[MAX_RANGES];
	char exe[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	size_t n = 0;
	int r;

	if (len < 0)
		return err_set(err, errno, "read the link '/proc/self/exe'");
	exe[len] = '\0';
	if (exe_guard_is_sealed())
		return 0;
	r = read_mm_map(&m, err);
	if (r == 0)
		r = find_ranges(exe, ranges, &n, err);
	if (r < 0)
		return r;
	auto_close int empty = open_empty(err);

	if (empty < 0)
		return -err->code;
	for (size_t i = 0; i < n; i++)
		if ((r = replace_range(&ranges[i])) < 0)
			return err_set(err, -r, "replace the mapping of the runtime's executable");
	m.exe_fd = (uint32_t)empty;
	if (prctl(PR_SET_MM, PR_SET_MM_MAP, &m, sizeof(m), 0) < 0)
		return err_set(err, errno, "hide the runtime's executable (PR_SET_MM_MAP)");
	return 0;
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
	struct err refused;

	if (exe_guard_is_sealed())
		return 0;
	if (kernel_has_mm_map()) {
		if (privileged && exe_guard(&refused) == 0)
			return 0;
		if (!privileged && in_new_userns)
			return 0;
	}
	return exe_guard_copy(err);
}
