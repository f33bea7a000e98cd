/* Theory of operation: mappings are found by name, as the kernel compares paths
 * (mount and dentry) too, while the device numbers in /proc/self/maps differ
 * from stat(2) on btrfs and overlayfs. Which of them may hold written pages is
 * told by the program headers: a segment made writable, even if the loader took
 * that away again (RELRO), was written to. */
#include "libcontainer/exe_guard_maps.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"

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
parse_mapping(const char *line, const char *exe, struct exe_range *ret)
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
	if (*end != ' ' || stop <= ret->start || strlen(end) < 6)
		return false;
	ret->len = stop - ret->start;
	ret->prot =
		(end[1] == 'r' ? PROT_READ : 0) | (end[2] == 'w' ? PROT_WRITE : 0) | (end[3] == 'x' ? PROT_EXEC : 0);
	ret->offset = strtoull(end + 5, &end, 16);
	ret->as_in_file = false;
	return *end == ' ';
}

struct mark {
	struct exe_range *ranges;
	int n;
};

/* For one loaded object: marks the ranges that are exactly one of its read-only
 * segments. One that is more (two mappings that the kernel joined) is left out. */
static int
mark_object(struct dl_phdr_info *info, size_t size, void *data)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	struct mark *m = data;

	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		uintptr_t start = (info->dlpi_addr + p->p_vaddr) / page * page;
		uintptr_t stop = (info->dlpi_addr + p->p_vaddr + p->p_filesz + page - 1) / page * page;

		if (p->p_type != PT_LOAD || (p->p_flags & PF_W))
			continue;
		for (int j = 0; j < m->n; j++) {
			struct exe_range *r = &m->ranges[j];

			if (start == r->start && stop - start == r->len && !(r->prot & PROT_WRITE))
				r->as_in_file = true;
		}
	}
	return 0;
}

int
exe_guard_find_ranges(const char *exe, struct exe_range *ranges, struct err *err)
{
	struct line_reader r = { .at = 0, .len = 0 };
	auto_close int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	struct mark m = { ranges, 0 };
	char *line;

	if (fd < 0)
		return err_set(err, errno, "open '/proc/self/maps'");
	r.fd = fd;
	while ((line = read_line(&r))) {
		if (m.n == EXE_RANGES_MAX)
			return err_set(err, E2BIG, "the runtime's executable is mapped in too many places");
		if (parse_mapping(line, exe, &ranges[m.n]))
			m.n++;
	}
	dl_iterate_phdr(mark_object, &m);
	return m.n;
}
